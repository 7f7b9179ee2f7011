"""DICOM networking over TLS with the names and semantics of the LEADTOOLS DicomNet classes.

``from leadtools_compat.dicom import *`` is the ``using Leadtools.Dicom;`` of a port. Not affiliated
with LEAD Technologies; written from public documentation and standards.
"""

from __future__ import annotations

from leadtools_compat._version import __version__
from leadtools_compat.raster_support import RasterSupport, RasterSupportType

__all__ = ["RasterSupport", "RasterSupportType", "__version__", "include_path", "library_path"]


def library_path() -> str:
    """Give the path of libltdic, the shared library under the classes, for ctypes and C programs."""
    from pathlib import Path  # the import of the package is on the way of every program

    return str(Path(__file__).resolve().parent / "_binding" / "libltdic.so")


def include_path() -> str:
    """Give the folder of ``ltdic.h``, for C programs."""
    from pathlib import Path

    return str(Path(__file__).resolve().parent / "include")
