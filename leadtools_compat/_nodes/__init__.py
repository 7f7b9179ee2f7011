"""DICOM nodes for tools: a client whose calls wait, and a receiver that writes files.

The one rule: it is made of the public classes of ``leadtools_compat.dicom`` only, so that what the
command line and the diagnosis say is what any program would have been told.
"""
