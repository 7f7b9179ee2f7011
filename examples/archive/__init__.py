"""A DICOM archive; `__main__` says how to start it."""
