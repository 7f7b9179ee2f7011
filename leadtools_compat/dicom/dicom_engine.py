"""`DicomEngine`."""

from __future__ import annotations

from leadtools_compat._binding import lib
from leadtools_compat._binding.errors import check

__all__ = ["DicomEngine"]


class DicomEngine:
    """Starts and stops the library.

    Notes
    -----
    Mirrors ``Leadtools.Dicom.DicomEngine``. Calls are counted together with those of `DicomNet`,
    harmless in any order and number; a program that never calls them works too.
    """

    @staticmethod
    def Startup() -> None:
        """Count one more user of the library."""
        check(lib.L_DicomStartUp())

    @staticmethod
    def Shutdown() -> None:
        """Count one user less; open nets go on."""
        lib.L_DicomShutDown()
