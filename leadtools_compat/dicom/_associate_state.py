"""What a `DicomAssociate` keeps for itself, and what its parts share.

One rule: nothing is asked of the object but its private state, so a subclass may define whatever it
likes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from leadtools_compat._binding import lib
from leadtools_compat._binding.associates import Association
from leadtools_compat._binding.text import is_bytes, text_to_c
from leadtools_compat.dicom._arguments import integer
from leadtools_compat.dicom.dicom_exception import DicomException
from leadtools_compat.dicom.enums_codes import DicomExceptionCode
from leadtools_compat.dicom.enums_dimse import DicomAssociateAcceptResultType

if TYPE_CHECKING:
    from leadtools_compat.dicom.dicom_associate import DicomAssociate

__all__ = [
    "STATE",
    "Bytes",
    "associate_of",
    "association",
    "data_to_c",
    "describe",
    "identifier",
    "lend",
    "optional_text",
]

STATE = "_DicomAssociate__state"
Bytes = bytes | bytearray | memoryview

_SHOWN = 4


def identifier(value: int) -> int:
    return integer(value, "id", 0, 255)


def optional_text(value: str | None, name: str) -> bytes:
    return b"" if value is None else text_to_c(value, name)


def data_to_c(value: object, name: str) -> bytes:
    if not is_bytes(value):
        raise TypeError(f"{name} must be bytes-like, not {type(value).__name__}")
    return bytes(value)


def association(associate: Any) -> Association:
    """Get what C has."""
    state: Association | None = associate.__dict__.get(STATE)
    if state is None:
        raise DicomException(
            DicomExceptionCode.InvalidState,
            "The constructor of DicomAssociate did not run: call super().__init__(request) first",
        )
    return state


@contextmanager
def lend(associate: DicomAssociate) -> Iterator[Any]:
    """Lend the HDICOMPDU for a call; other threads wait so long."""
    with associate_of(associate, "associate").lend() as handle:
        yield handle


def associate_of(value: object, name: str) -> Association:
    """Check an argument that has to be a `DicomAssociate`, and get what C has."""
    from leadtools_compat.dicom.dicom_associate import DicomAssociate

    if not isinstance(value, DicomAssociate):
        raise TypeError(f"{name} must be a DicomAssociate, not {type(value).__name__}")
    return association(value)


def describe(state: Association) -> str:
    """Put an association into one line."""
    request = state.ask(lib.L_DicomIsAssociateRequest)
    calling, called = state.text(lib.L_DicomGetCalling), state.text(lib.L_DicomGetCalled)
    count = state.ask(lib.L_DicomGetPresentationCount)
    parts = []
    for index in range(min(count, _SHOWN)):
        number = state.context_id(index)
        abstract = state.text(lib.L_DicomGetAbstract, number) or "?"
        offered = state.ask(lib.L_DicomGetTransferCount, number)
        transfers = [
            state.text(lib.L_DicomGetTransfer, number, i) for i in range(min(offered, _SHOWN))
        ]
        if offered > _SHOWN:
            transfers.append("...")
        part = f"{number} {abstract} [{', '.join(transfers)}]"
        if not request:
            result = state.ask(lib.L_DicomGetResult, number)
            part += f" {DicomAssociateAcceptResultType(result)}"
        parts.append(part)
    if count > _SHOWN:
        parts.append("...")
    kind = "request" if request else "accept"
    contexts = f"{count} context{'' if count == 1 else 's'}"
    tail = f": {'; '.join(parts)}" if parts else ""
    return f"{kind} {calling!r} to {called!r}, {contexts}{tail}"
