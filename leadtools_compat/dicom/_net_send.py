"""How `DicomNet` sends: checks of what all messages have, and the data set on its way to C."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from leadtools_compat._binding import ffi, lib
from leadtools_compat._binding.associates import Association
from leadtools_compat._binding.errors import last_error, parameter_error
from leadtools_compat._binding.text import text_to_c
from leadtools_compat.dicom._arguments import integer
from leadtools_compat.dicom._net_state import NetState, call, live
from leadtools_compat.dicom.dicom_exception import DicomException
from leadtools_compat.dicom.enums_codes import DicomExceptionCode
from leadtools_compat.dicom.enums_dimse import DicomNetFlags

if TYPE_CHECKING:  # what is about data sets is imported by those who have one
    from leadtools_compat._binding.datasets import DataSet
    from leadtools_compat.dicom._data_set_state import DataSetState
    from leadtools_compat.dicom.dicom_data_set import DicomDataSet

__all__ = ["data_state", "send", "send_data", "start", "tags", "u8", "u16"]

_NOT_GIVEN: Any = object()
_NOTHING: dict[str, Any] = {}


def u8(value: int, name: str) -> int:
    return integer(value, name, 0, 0xFF)


def u16(value: int, name: str) -> int:
    return integer(value, name, 0, 0xFFFF)


def start(presentationID: int, messageID: int, affectedClass: str) -> tuple[int, int, bytes]:
    """Check the parameters that begin every message."""
    # Of every message, so what is right is found to be so without a call.
    if type(presentationID) is not int or not 0 <= presentationID <= 0xFF:
        presentationID = integer(presentationID, "presentationID", 0, 0xFF)
    if type(messageID) is not int or not 0 <= messageID <= 0xFFFF:
        messageID = integer(messageID, "messageID", 0, 0xFFFF)
    return presentationID, messageID, text_to_c(affectedClass, "affectedClass")


def tags(values: Sequence[int], name: str) -> tuple[Any, int]:
    """Check a list of tags and make C's array and count of it."""
    checked = [integer(one, f"{name}[{i}]", 0, 0xFFFFFFFF) for i, one in enumerate(values)]
    if len(checked) > 0xFFFF:
        raise parameter_error(f"{name} has {len(checked)} tags; 65535 is the most")
    return ffi.new("L_UINT32[]", checked) if checked else ffi.NULL, len(checked)


def _agreed(state: NetState, context: int) -> str:
    """Find the transfer syntax of an accepted context; "" if there is none."""
    handle = lib.L_DicomGetAssociate(state.handle)
    if handle == ffi.NULL:
        return ""
    return Association(handle).text(lib.L_DicomGetTransfer, context, 0)


def _converted(
    state: NetState, data: DataSetState, context: int, refused: DicomException
) -> DataSet:
    """Bring a data set to the syntax of its context; what loses nothing is done."""
    agreed = _agreed(state, context)
    if not agreed:
        raise refused
    try:
        with data:
            converted = data.converted(agreed, True)
    except DicomException as error:
        if error.Code != DicomExceptionCode.CodecNotAvailable:
            raise
        raise DicomException(refused.Code, f"{refused.Message} {error.Message}") from error
    if converted is None:
        raise refused
    return converted


def data_state(ds: Any) -> DataSetState:
    """Check that `ds` is a `DicomDataSet`, and find its state."""
    # Nothing else has such an attribute; and an import statement takes its time for each message.
    given: DataSetState | None = getattr(ds, "__dict__", _NOTHING).get("_DicomDataSet__state")
    if given is None:
        from leadtools_compat.dicom._data_set_state import state_of_argument

        return state_of_argument(ds, "ds")  # raises
    return given


def _own(given: DataSetState, strip: bool) -> DataSet:
    """Get the present content, whatever others do with the data set meanwhile."""
    from leadtools_compat._binding.datasets import DataSet

    with given:
        settled = given.without_group_lengths() if strip else given.settled()
        return DataSet.retain(settled.handle)


def send(
    net: Any,
    function: Callable[..., int],
    *arguments: Any,
    data: DicomDataSet | None = _NOT_GIVEN,
    keys: bool = False,
) -> None:
    """Call a C function that sends; `data`, if it has one, is its last argument.

    C looks at the transfer syntax before it sends anything. Only when it has refused a data set is
    that converted, so what fits goes out without being looked at. `keys`: the data set is an
    identifier, in which group lengths are no keys; they stay behind unless the net's flags say not.
    """
    state = live(net)
    if data is _NOT_GIVEN or data is None:
        last = () if data is _NOT_GIVEN else (ffi.NULL,)
        code = function(state.handle, *arguments, *last)
        if code != 0:
            call(state, code)
        return
    given = data_state(data)
    kept = DicomNetFlags.SendDataWithGroupLengthStandardDataElements
    strip = keys and not lib.L_DicomGetNetFlags(state.handle) & kept
    # Of one that nobody has looked into C takes what its handle stands for now.
    lent = None if strip else given.untouched()
    own = _own(given, strip) if lent is None else lent
    code = function(state.handle, *arguments, own.handle)
    if code == DicomExceptionCode.TransferSyntaxNotSupported:
        refused = last_error(code)
        converted = _converted(state, given, arguments[0], refused)
        code = function(state.handle, *arguments, converted.handle)
        converted.free()
    if lent is None:
        own.free()  # the message has its own reference
    if code != 0:
        call(state, code)


def send_data(net: Any, context: int, cs: DicomDataSet, ds: DicomDataSet | None) -> None:
    """Send a message whose command set the caller has made."""
    from leadtools_compat._binding.datasets import DataSet
    from leadtools_compat.dicom import _data_set_codec as codec
    from leadtools_compat.dicom._data_set_state import state_of_argument

    with state_of_argument(cs, "cs") as given:
        command = given.command()
        if command is None:
            made = DataSet.retain(given.data.handle)
        else:
            made = DataSet.create(None)
            made.set(command, codec.IMPLICIT)
    send(net, lib.L_DicomSendData, context, made.handle, data=ds)
