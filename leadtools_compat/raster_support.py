# ruff: noqa: N802 - .NET's names
"""`RasterSupport`: licence calls that do nothing, as no licence is needed."""

from __future__ import annotations

import enum
from typing import Any, ClassVar

__all__ = ["RasterSupport", "RasterSupportType"]


class RasterSupportType(enum.IntEnum):
    """What a licence could unlock.

    Notes
    -----
    Mirrors ``Leadtools.RasterSupportType`` as public programs use it; values are ours.
    """

    DicomCommunication = 1
    Medical = 2
    MedicalNet = 3
    MedicalServer = 4

    def __str__(self) -> str:
        return self.name


class RasterSupport:
    """Takes the licence calls with which nearly every program begins.

    Attributes
    ----------
    KernelExpired
        Always False.

    Notes
    -----
    Mirrors ``Leadtools.RasterSupport`` as public programs use it.
    """

    KernelExpired: ClassVar[bool] = False

    @staticmethod
    def SetLicense(*args: Any) -> None:
        """Do nothing."""

    @staticmethod
    def IsLocked(support: RasterSupportType | int) -> bool:
        """Say that nothing is locked."""
        return False

    @staticmethod
    def Unlock(support: RasterSupportType | int, key: str) -> None:
        """Do nothing."""
