"""`DicomPrintScu`: not part of this library; it says so when it is made."""

from __future__ import annotations

from typing import Any

__all__ = ["DicomPrintScu"]


class DicomPrintScu:
    """Not part of this library.

    Notes
    -----
    Mirrors the name of ``Leadtools.Dicom.DicomPrintScu``.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        raise NotImplementedError(
            f"{type(self).__name__} is not part of leadtools_compat; use DicomConnection with the "
            "N-services"
        )
