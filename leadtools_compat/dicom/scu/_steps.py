"""The steps of a blocking call: connect, associate, exchange, release, close.

`talking` is the frame of every call. One rule: what a call raises it raises when the connection is
closed and all events of that have been told.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from leadtools_compat._binding.lifetime import STATE
from leadtools_compat.dicom.dicom_associate import DicomAssociate
from leadtools_compat.dicom.dicom_exception import DicomException
from leadtools_compat.dicom.dicom_net import DicomNet
from leadtools_compat.dicom.enums_codes import DicomExceptionCode
from leadtools_compat.dicom.enums_dimse import (
    DicomAbortReasonType,
    DicomAbortSourceType,
    DicomNetIpTypeFlags,
)
from leadtools_compat.dicom.scu import _base as base
from leadtools_compat.dicom.scu._connection_state import (
    ConnectionState,
    connection_of,
    fire,
    not_answered,
)
from leadtools_compat.dicom.scu.dicom_scp import DicomScp
from leadtools_compat.dicom.scu.event_args import (
    AfterConnectEventArgs,
    BeforeAssociateRequestEventArgs,
    BeforeConnectEventArgs,
    EventArgs,
)
from leadtools_compat.dicom.scu.exceptions import (
    ClientAssociationException,
    ClientCommunicationException,
    ClientConnectionException,
)
from leadtools_compat.dicom.scu.presentation_context import PresentationContext

__all__ = [
    "NATIVE",
    "associate",
    "begin",
    "close",
    "connect",
    "exchange",
    "need_context",
    "open_call",
    "release",
    "send",
    "talking",
]

EXPLICIT = "1.2.840.10008.1.2.1"
IMPLICIT = "1.2.840.10008.1.2"
NATIVE = (EXPLICIT, IMPLICIT)

GOODBYE = 5.0
"""Seconds that the end of a connection may take, when nothing better is said."""

TIMES = ("connect_timeout", "handshake_timeout", "association_timeout")
NO_LIMIT = 86_400.0


# ---- what failed --------------------------------------------------------------------------------


def _connection_error(net: Any, code: DicomExceptionCode, text: str = "") -> Exception:
    failure = net.failure
    if not text and failure is not None and failure.code == code:
        text = failure.message
    fixed = DicomException.GetCodeMessage(code)
    if not text or code == DicomExceptionCode.NetConnectionRefused:
        text = fixed  # 6.3: compared by programs
    error = ClientConnectionException(text, code)
    error.failure = failure
    return error


def _lost(net: Any, state: ConnectionState, associated: bool) -> Exception:
    """Make the exception for a connection that has ended before its time."""
    failure = net.failure
    error: ClientAssociationException | ClientCommunicationException
    if state.aborted:
        error = ClientAssociationException(f"The association was aborted {state.aborted}")
    elif failure is not None and failure.stage in ("tcp", "tls", "certificate", "resolve"):
        return _connection_error(net, failure.code)
    elif associated:
        why = "" if failure is None else f": {failure.message}"
        error = ClientCommunicationException(
            f"The connection ended during the exchange{why}", state.parameters.Status
        )
    elif failure is not None and failure.stage == "association":
        error = ClientAssociationException(failure.message)
    else:
        code = DicomExceptionCode.NetConnectionAborted if failure is None else failure.code
        return _connection_error(net, code)
    error.failure = failure
    return error


def _traffic(net: Any, state: ConnectionState) -> Callable[[], object]:
    """Give a function whose answer changes while data moves."""
    return lambda: (base.traffic(net), state.more_traffic() if state.more_traffic else None)


# ---- steps --------------------------------------------------------------------------------------


def begin(net: Any, state: ConnectionState) -> None:
    """Have the callbacks of a new connection go through its conversation."""
    net.__dict__[STATE].runner = state.conversation
    state.times_set = {name: base.prop(net, name) for name in TIMES}


def _take_times(net: Any, state: ConnectionState, limit: float) -> None:
    """Let the node's limit hold for the net's timers, but for those that the user has set."""
    for name in TIMES:
        present = base.prop(net, name)
        if state.times_set[name] == present:
            base.set_prop(net, name, min(limit, NO_LIMIT) if limit else NO_LIMIT)
            state.times_set[name] = base.prop(net, name)


def connect(net: Any, state: ConnectionState, scp: DicomScp) -> None:
    """Connect by TCP, and TLS if the mode is that."""
    tls = base.speaks_tls(net)
    if scp.Secure and not tls:
        raise DicomException(
            DicomExceptionCode.InvalidState,
            f"scp.Secure asks for TLS, and this {type(net).__name__} is plain: give "
            "DicomNetSecurityMode.Tls to its constructor",
        )
    scp.checked()
    _take_times(net, state, scp.Timeout)
    state.link_error, state.link_ready, state.open = None, False, False
    state.association_error, state.aborted, state.released = None, "", False
    state.rejected, state.reason = False, None
    before = fire(net, "BeforeConnect", BeforeConnectEventArgs(scp))
    if before.PrivateKeyPassword is not None:
        state.password = before.PrivateKeyPassword
    state.conversation.forget_answer()
    state.open = True
    try:
        DicomNet.Connect(
            net,
            state.host_address,
            0,
            scp.PeerAddress,
            scp.Port,
            DicomNetIpTypeFlags.Ipv4OrIpv6,
        )
    except DicomException as error:
        state.open = False
        if not 200 <= int(error.Code) < 400:
            raise
        fire(net, "AfterConnect", AfterConnectEventArgs(error.Code))
        made = _connection_error(net, error.Code, error.Message)
        raise made from error

    def told() -> bool:
        if base.gone(net):
            return True
        if _link_failure(state) is not None:
            return closed(net, state)
        return state.link_ready if tls else state.link_error is not None

    while state.conversation.wait(_late(scp), told, _traffic(net, state)):
        if base.gone(net):
            raise ClientConnectionException(
                "The object was disposed while it connected", DicomExceptionCode.ObjectDisposed
            )
        failed = _link_failure(state)
        if failed is not None:
            if closed(net, state):
                raise _connection_error(net, failed)
        elif told() or _link_without_base(net, tls):
            return
    raise _connection_error(
        net,
        DicomExceptionCode.NetTimeout,
        f"No connection to {scp} within {scp.Timeout:g} seconds",
    )


def _link_failure(state: ConnectionState) -> DicomExceptionCode | None:
    """Give the error of TCP or TLS, if there is one."""
    return state.link_error or None


def _late(scp: DicomScp) -> float:
    """Wait a little longer than the net does by itself: its failure says more than ours."""
    return scp.Timeout + 1.0 if scp.Timeout else 0.0


def closed(net: Any, state: ConnectionState) -> bool:
    """Tell whether the end of the connection has been told."""
    return not state.open or base.gone(net)


def _link_without_base(net: Any, tls: bool) -> bool:
    """Tell whether an override has left out the base, and the link is there all the same."""
    if not tls:
        return base.connected(net)
    return base.connected(net) and DicomNet.GetTlsCipherSuite(net) != 0


def associate(net: Any, state: ConnectionState, scp: DicomScp) -> None:
    """Ask for the association."""
    with net.BuildAssociation(scp) as request:
        fire(net, "BeforeAssociateRequest", BeforeAssociateRequestEventArgs(request))
        state.conversation.forget_answer()
        state.association_error = None
        state.association_pending = True
        try:
            DicomNet.SendAssociateRequest(net, request)
        except DicomException as error:
            if error.Code != DicomExceptionCode.NetNotConnected:
                raise
    in_time = state.conversation.wait(
        _late(scp),
        lambda: state.association_error is not None or closed(net, state),
        _traffic(net, state),
    )
    if DicomNet.IsAssociated(net):
        state.association_pending = False
        return
    if state.association_error is not None:
        raise state.association_error
    failed: Exception
    if in_time and base.connected(net):  # an override left out the base
        failed = ClientAssociationException(f"{scp} has not accepted the association")
    elif in_time:
        _wait_until_told(net, state)
        failed = _lost(net, state, False)
    else:
        failed = ClientAssociationException(
            f"{scp} has not answered the association request within {scp.Timeout:g} seconds"
        )
    not_answered(net, state)
    raise failed


def _wait_until_told(net: Any, state: ConnectionState, quiet: bool = False) -> None:
    """Let the events of a connection's end run."""
    while not closed(net, state):
        state.conversation.forget_answer()
        if not state.conversation.wait(GOODBYE, lambda: closed(net, state), None, quiet=quiet):
            return


def exchange(net: Any, state: ConnectionState, done: Callable[[], bool] | None = None) -> None:
    """Wait for the answer to what was sent; `done` says when that is complete."""
    scp = state.scp
    limit = 0.0 if scp is None else scp.Timeout
    if state.conversation.wait(
        limit,
        lambda: (done is not None and done()) or closed(net, state),
        _traffic(net, state),
    ):
        if closed(net, state) and not (done is not None and done()):
            raise _lost(net, state, True)
        return
    raise ClientCommunicationException(
        f"{scp} has not answered within {limit:g} seconds", state.parameters.Status
    )


def need_context(net: Any, state: ConnectionState, *sop_classes: str) -> int:
    """Give the accepted context of the first of these classes that has one.

    Raises
    ------
    ClientAssociationException
        The peer takes none of them.
    """
    association = base.association(net)
    for sop_class in sop_classes:
        number = state.accepted(association, sop_class)
        if number:
            state.presentation_id = number
            return number
    text = DicomException.GetCodeMessage(DicomExceptionCode.AbstractSyntaxNotSupported)
    raise ClientAssociationException(f"{text}: {sop_classes[0]}")


def release(net: Any, state: ConnectionState) -> None:
    """Release the association in good order."""
    if not DicomNet.IsAssociated(net):
        return
    fire(net, "BeforeReleaseRequest", EventArgs())
    state.conversation.forget_answer()
    state.released = False
    DicomNet.SendReleaseRequest(net)
    limit = GOODBYE if state.scp is None else state.scp.Timeout
    state.conversation.wait(
        limit, lambda: state.released or closed(net, state), _traffic(net, state)
    )


def close(net: Any, state: ConnectionState) -> None:
    """Close the connection, and let its events run."""
    if not base.connected(net) and closed(net, state):
        return
    net.OnBeforeClose()
    DicomNet.Close(net)
    _wait_until_told(net, state)


def give_up(net: Any, state: ConnectionState) -> None:
    """End everything after a failure, by force where that is needed; raises nothing."""
    with contextlib.suppress(DicomException):
        if base.gone(net):
            return
        if DicomNet.IsAssociated(net):
            state.aborted = state.aborted or "by us"
            DicomNet.SendAbort(net, DicomAbortSourceType.User, DicomAbortReasonType.Unknown)
            _wait_until_told(net, state, quiet=True)
        elif state.open and not state.link_ready and state.conversation.going_on:
            state.conversation.forget_answer()  # the alert has to go out first
            state.conversation.wait(1.0, lambda: not state.open, None, quiet=True)
        elif state.rejected:
            DicomNet.Close(net)
            _wait_until_told(net, state, quiet=True)
        if base.connected(net) or not closed(net, state):
            DicomNet.CloseForced(net, True)
            _wait_until_told(net, state, quiet=True)


def send(net: Any, state: ConnectionState, name: str, *arguments: Any) -> None:
    """Send a request; past whatever a subclass may have of that name."""
    if state.log is not None:
        state.log.sending(name, arguments)
    getattr(DicomNet, name)(net, *arguments)


# ---- the frame ----------------------------------------------------------------------------------


def _whom(scp: DicomScp | None) -> object:
    return None if scp is None else (scp.PeerAddress, scp.Port, scp.AETitle)


@contextlib.contextmanager
def open_call(net: Any, scp: DicomScp | None) -> Iterator[ConnectionState]:
    """Make this thread the one that runs the object's callbacks; end all if something fails."""
    state = connection_of(net)
    state.conversation.begin(type(net).__name__)
    try:
        if scp is not None:
            if not isinstance(scp, DicomScp):
                raise TypeError(f"scp must be a DicomScp, not {type(scp).__name__}")
            state.scp = scp
        state.canceled = False
        try:
            yield state
        except BaseException:
            give_up(net, state)
            raise
    finally:
        state.running = 0
        state.conversation.end()


@contextlib.contextmanager
def talking(
    net: Any,
    scp: DicomScp,
    contexts: Sequence[PresentationContext],
    stay: bool = False,
    fits: Callable[[DicomAssociate], bool] | None = None,
) -> Iterator[ConnectionState]:
    """Have an association for the time of a call.

    Parameters
    ----------
    contexts
        What it has to be good for.
    stay
        Leave it open at the end.
    fits
        Tells whether one that is open already will do; None: if the first of `contexts` is accepted.
    """
    state = connection_of(net)

    def usable(association: DicomAssociate) -> bool:
        if fits is not None:
            return fits(association)
        return state.accepted(association, contexts[0].AbstractSyntax) != 0

    before = _whom(state.scp)
    with open_call(net, scp):
        state.contexts = list(contexts)
        association = base.association(net)
        if (before != _whom(scp) and base.connected(net)) or (
            DicomNet.IsAssociated(net) and (association is None or not usable(association))
        ):
            release(net, state)
            close(net, state)
        if not base.connected(net):
            connect(net, state, scp)
        if not DicomNet.IsAssociated(net):
            associate(net, state, scp)
        yield state
        if not stay:
            release(net, state)
            close(net, state)
