"""Enums of the Scu classes. Where the names only are public, the values are this library's."""

from __future__ import annotations

from leadtools_compat.dicom._enum import DotNetEnum

__all__ = ["Compression", "InstanceLevel", "QueryLevel", "SkipMethod", "StorageCommitOptions"]


class Compression(DotNetEnum):
    """How `StoreScu` sends pixels."""

    Native = 0
    """As they are, or uncompressed."""
    Lossless = 1
    """Compressed without loss, if the peer takes that and there is an encoder; else ``Native``."""
    Lossy = 2
    """Compressed with loss, on the same conditions."""


class SkipMethod(DotNetEnum):
    """What a handler of `StoreScu.BeforeCStore` leaves out."""

    None_ = 0
    File = 1
    """This file."""
    AllFiles = 2
    """This file and all after it."""


class QueryLevel(DotNetEnum):
    """Level of a query (PS3.4 C.3)."""

    Patient = 0
    Study = 1
    Series = 2
    Image = 3


class InstanceLevel(DotNetEnum):
    """What kind of thing an event is about."""

    Patient = 0
    Study = 1
    Series = 2
    Image = 3


class StorageCommitOptions(DotNetEnum):
    """Where `StoreScu.StorageCommit` takes the result; in .NET nested in ``StoreScu``."""

    None_ = 0
    """The request only: a result is told if it comes before the association is released."""
    WaitForResultsThenClose = 1
    """Waits for the result, on this association or a new one, then closes all."""
    NoWaitForResults = 2
    """Returns at once; the listener stays until `StoreScu.StopListener`."""
