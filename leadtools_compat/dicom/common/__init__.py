"""The mirror of ``Leadtools.Dicom.Common``; what is used of it is in `extensions`."""
