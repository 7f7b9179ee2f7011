"""Calls from C into user code about associations and DIMSE messages: one line for each.

The contract is that of `callbacks`. What is added here:

- strings, PDUs and buffers are copied; a data set becomes a `DicomDataSet` with a handle of its
  own over the same bytes, NULL becomes None;
- an exception ends an association whose request was being served, so that the peer does not wait
  for an answer that nobody will give (``L_DicomReportCallbackFailure`` does that).

Every function in C is called only if the class or the object overrides its member (`NAMES`).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

from leadtools_compat._binding import callbacks, ffi, lib
from leadtools_compat._binding.lifetime import STATE, life_of
from leadtools_compat._binding.text import from_c
from leadtools_compat.dicom import dicom_associate
from leadtools_compat.dicom.enums_codes import DicomExceptionCode
from leadtools_compat.dicom.enums_dimse import (
    DicomAbortReasonType,
    DicomAbortSourceType,
    DicomAssociateRejectReasonType,
    DicomAssociateRejectResultType,
    DicomAssociateRejectSourceType,
    DicomCommandPriorityType,
    DicomCommandStatusType,
    DicomPduType,
)

__all__ = ["NAMES", "connect"]

Convert = Callable[[Any], Any]


def _escaped(*exception: Any) -> None:
    callbacks.escaped(*exception)  # at run time: the two modules import each other


def _number(value: Any) -> Any:
    return value


def _associate(lent: Any) -> Any:
    return dicom_associate.adopt(lib.L_DicomCloneAssociate(lent))


def _data_set(lent: Any) -> Any:
    if lent == ffi.NULL:
        return None
    return _mirror().keep(lent)


@functools.cache
def _mirror() -> Any:
    from leadtools_compat.dicom import dicom_data_set  # there already: see `connect`

    return dicom_data_set


_priority = DicomCommandPriorityType
_status = DicomCommandStatusType

# (presentationID, messageID, affectedClass), and with the instance
_P: tuple[Convert, ...] = (_number, _number, from_c)
_I: tuple[Convert, ...] = (*_P, from_c)
_COUNTS: tuple[Convert, ...] = (_number, _number, _number, _number)

_PLAIN: dict[str, tuple[Convert, ...]] = {
    "OnSend": (DicomExceptionCode, DicomPduType, _number),
    "OnReceiveAssociateRequest": (_associate,),
    "OnReceiveAssociateAccept": (_associate,),
    "OnReceiveReleaseRequest": (),
    "OnReceiveReleaseResponse": (),
    "OnReceiveAbort": (DicomAbortSourceType, DicomAbortReasonType),
    "OnReceiveData": (_number, _data_set, _data_set),
    "OnReceiveCStoreResponse": (*_I, _status),
    "OnReceiveCFindRequest": (*_P, _priority, _data_set),
    "OnReceiveCFindResponse": (*_P, _status, _data_set),
    "OnReceiveCMoveRequest": (*_P, _priority, from_c, _data_set),
    "OnReceiveCMoveResponse": (*_P, _status, *_COUNTS, _data_set),
    "OnReceiveCGetRequest": (*_P, _priority, _data_set),
    "OnReceiveCGetResponse": (*_P, _status, *_COUNTS, _data_set),
    "OnReceiveCCancelRequest": (_number, _number),
    "OnReceiveCEchoResponse": (*_P, _status),
    "OnReceiveNReportRequest": (*_I, _number, _data_set),
    "OnReceiveNReportResponse": (*_I, _status, _number, _data_set),
    "OnReceiveNGetResponse": (*_I, _status, _data_set),
    "OnReceiveNSetRequest": (*_I, _data_set),
    "OnReceiveNSetResponse": (*_I, _status, _data_set),
    "OnReceiveNActionRequest": (*_I, _number, _data_set),
    "OnReceiveNActionResponse": (*_I, _status, _number, _data_set),
    "OnReceiveNCreateRequest": (*_I, _data_set),
    "OnReceiveNCreateResponse": (*_I, _status, _data_set),
    "OnReceiveNDeleteRequest": _I,
    "OnReceiveNDeleteResponse": (*_I, _status),
}


def _function(name: str) -> str:
    """``OnReceiveCStoreRequest`` is ``ldc_py_receive_c_store_request`` in C."""
    return "ldc_py" + re.sub("[A-Z]", lambda one: "_" + one[0].lower(), name[2:])


def _define(name: str, converters: tuple[Convert, ...]) -> None:
    """Define the function that C calls, from what its arguments become."""

    def trampoline(net: Any, *arguments: Any) -> None:
        life = life_of(arguments[-1])
        owner = None if life is None else life.owner()
        if owner is None:
            return
        try:  # as `tell` does, but flat: this is on the way of every message
            # One less than the arguments, the last of which is the user data.
            given = [one(it) for one, it in zip(converters, arguments)]  # noqa: B905
            runner = owner.__dict__[STATE].runner
            if runner is None:
                getattr(owner, name)(*given)
            else:
                callbacks.run(runner, owner, name, given)
        except BaseException as error:  # noqa: BLE001 - what fails here, an override has failed
            callbacks.failed(net, owner, name, error)

    ffi.def_extern(_function(name), onerror=_escaped)(trampoline)


for _name, _converters in _PLAIN.items():
    _define(_name, _converters)


# ---- the two that a busy server is told most often: written out, which costs half of the time ----


@ffi.def_extern(onerror=_escaped)
def ldc_py_receive_c_echo_request(
    net: Any, context: int, message: int, sop_class: Any, user: Any
) -> None:
    """RECEIVECECHOREQUESTCALLBACK."""
    life = life_of(user)
    owner = None if life is None else life.owner()
    if owner is None:
        return
    try:
        runner = owner.__dict__[STATE].runner
        if runner is None:
            owner.OnReceiveCEchoRequest(context, message, from_c(sop_class))
        else:
            given = (context, message, from_c(sop_class))
            callbacks.run(runner, owner, "OnReceiveCEchoRequest", given)
    except BaseException as error:  # noqa: BLE001 - as above
        callbacks.failed(net, owner, "OnReceiveCEchoRequest", error)


@ffi.def_extern(onerror=_escaped)
def ldc_py_receive_c_store_request(
    net: Any,
    context: int,
    message: int,
    sop_class: Any,
    instance: Any,
    priority: int,
    move_ae: Any,
    move_message: int,
    data: Any,
    user: Any,
) -> None:
    """RECEIVECSTOREREQUESTCALLBACK."""
    life = life_of(user)
    owner = None if life is None else life.owner()
    if owner is None:
        return
    try:
        given = (
            context,
            message,
            from_c(sop_class),
            from_c(instance),
            _priority(priority),
            from_c(move_ae),
            move_message,
            _data_set(data),
        )
        runner = owner.__dict__[STATE].runner
        if runner is None:
            owner.OnReceiveCStoreRequest(*given)
        else:
            callbacks.run(runner, owner, "OnReceiveCStoreRequest", given)
    except BaseException as error:  # noqa: BLE001 - as above
        callbacks.failed(net, owner, "OnReceiveCStoreRequest", error)


# ---- what is not one value for one argument -----------------------------------------------------


@ffi.def_extern(onerror=_escaped)
def ldc_py_receive(net: Any, error: int, kind: int, data: Any, count: int, user: Any) -> None:
    """RECEIVECALLBACK: the buffer is a copy, let go of when the override has returned."""
    owner = callbacks.alive(life_of(user))
    if owner is None:
        return
    with memoryview(bytes(ffi.buffer(data, count)) if count else b"") as buffer:
        callbacks.tell(
            net,
            owner,
            "OnReceive",
            lambda: [DicomExceptionCode(error), DicomPduType(kind), buffer, count],
        )


@ffi.def_extern(onerror=_escaped)
def ldc_py_receive_unknown(
    net: Any, error: int, kind: int, data: Any, count: int, user: Any
) -> None:
    """RECEIVECALLBACK of a PDU type that is not known."""
    owner = callbacks.alive(life_of(user))
    if owner is not None:
        callbacks.tell(
            net,
            owner,
            "OnReceiveUnknown",
            lambda: [bytes(ffi.buffer(data, count)) if count else b""],
        )


@ffi.def_extern(onerror=_escaped)
def ldc_py_receive_chunk(
    net: Any, context: int, message: int, data: Any, count: int, flags: int, user: Any
) -> None:
    """RECEIVECHUNKCALLBACK: a callable as `receive_sink`."""
    owner = callbacks.alive(life_of(user))
    if owner is None:
        return
    state = owner.__dict__[STATE]
    if flags & lib.DICOM_CHUNK_FIRST:
        state.chunk_taking = state.chunk_taker
    taker = state.chunk_taking
    if count > 0:
        callbacks.guard(net, owner, "receive_sink", lambda: taker(bytes(ffi.buffer(data, count))))


@ffi.def_extern(onerror=_escaped)
def ldc_py_receive_associate_reject(
    net: Any, result: int, source: int, reason: int, user: Any
) -> None:
    """RECEIVEASSOCIATEREJECTCALLBACK: the reason's member depends on the source."""
    owner = callbacks.alive(life_of(user))
    if owner is not None:
        callbacks.tell(
            net,
            owner,
            "OnReceiveAssociateReject",
            lambda: [
                DicomAssociateRejectResultType(result),
                DicomAssociateRejectSourceType(source),
                DicomAssociateRejectReasonType.from_wire(source, reason),
            ],
        )


@ffi.def_extern(onerror=_escaped)
def ldc_py_receive_n_get_request(
    net: Any,
    context: int,
    message: int,
    sop_class: Any,
    instance: Any,
    tags: Any,
    count: int,
    user: Any,
) -> None:
    """RECEIVENGETREQUESTCALLBACK: the attributes are a list."""
    owner = callbacks.alive(life_of(user))
    if owner is not None:
        callbacks.tell(
            net,
            owner,
            "OnReceiveNGetRequest",
            lambda: [
                context,
                message,
                from_c(sop_class),
                from_c(instance),
                [int(tags[i]) for i in range(count)],
            ],
        )


@ffi.def_extern(onerror=_escaped)
def ldc_py_before_send_command_set(net: Any, command: Any, user: Any) -> None:
    """BEFORESENDCOMMANDSETCALLBACK: what the override has changed goes back to C."""
    owner = callbacks.alive(life_of(user))
    if owner is None:
        return
    from leadtools_compat.dicom import dicom_data_set

    kept: list[Any] = []

    def arguments() -> list[Any]:
        kept.append(dicom_data_set.keep(command))
        return kept

    callbacks.tell(
        net,
        owner,
        "OnBeforeSendCommandSet",
        arguments,
        lambda: dicom_data_set.give_back(kept[0], command),
    )


# ---- connecting them ----------------------------------------------------------------------------

NAMES = frozenset(
    {
        *_PLAIN,
        "OnReceiveCEchoRequest",
        "OnReceiveCStoreRequest",
        "OnReceive",
        "OnReceiveUnknown",
        "OnReceiveAssociateReject",
        "OnReceiveNGetRequest",
        "OnBeforeSendCommandSet",
    }
)


_WITH_DATA = frozenset(
    {
        *(name for name, converters in _PLAIN.items() if _data_set in converters),
        "OnReceiveCStoreRequest",
        "OnBeforeSendCommandSet",
    }
)


def connect(table: Any, name: str) -> None:
    """Put the function of an overridable into C's table.

    Data sets take their time to be imported: not while the peer waits, and not by a program that
    gets none.
    """
    if name in _WITH_DATA:
        import leadtools_compat.dicom.dicom_data_set  # noqa: F401
    setattr(table, "pfn" + name[2:], getattr(lib, _function(name)))
