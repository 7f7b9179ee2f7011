"""The mirror of ``Leadtools.Dicom.Common.Extensions``.

In .NET extension methods live here; in Python they are methods of `DicomDataSet` itself, so that
there is nothing to import, and the import that a port has does no harm.
"""
