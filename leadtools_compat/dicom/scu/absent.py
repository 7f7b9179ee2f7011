"""Classes of LEADTOOLS that are not part of this library: they say so when they are made."""

from __future__ import annotations

from typing import Any, NoReturn

from leadtools_compat.dicom.dicom_print_scu import DicomPrintScu

__all__ = ["DicomPrintScu", "MediaCreationManagementScu", "PatientUpdaterScu"]


class _Absent:
    def __init__(self, *arguments: Any, **named: Any) -> None:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise NotImplementedError(
            f"{type(self).__name__} is not part of leadtools_compat; use DicomConnection with the "
            "N-services"
        )


class PatientUpdaterScu(_Absent):
    """Not part of this library."""


class MediaCreationManagementScu(_Absent):
    """Not part of this library."""
