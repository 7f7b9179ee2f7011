"""Calls from C into user code: this file, and `messages` for associations and DIMSE messages.

The contract of every callback here:

1. C gives a number as user data (`lifetime`). No life for it, no object, or an object that has
   been disposed: nobody can say yes, so the answer is the refusing one and no user code runs.
2. The overridable is called with positional arguments that are copies; nothing of C's memory
   outlives the call.
3. The answer is converted inside the function, because an answer that cffi cannot convert comes
   without a traceback. Exactly 1 accepts a certificate; ``DICOM_VERIFY_NO_ANSWER`` says that there
   was nobody to answer, and ends the handshake whatever the verification flags are.
4. An exception of any kind refuses, becomes ``failure.exception`` and goes where `pump.deliver`
   sends it. The other callbacks have nothing to refuse: they tell C, for the failure record.
5. ``error=`` of each ``def_extern`` is the refusing answer too; ``onerror=`` takes what is raised
   between the lines here (a signal handler's exception).
6. The library holds no lock while it calls, and calls for one net never overlap; so an override
   may call anything, ``Dispose`` of its own net included (freed when the callback has returned).

At the end of the interpreter the callbacks are muted first, then the nets are freed.
"""

from __future__ import annotations

import _thread
import atexit
import contextlib
import functools
import importlib
import operator
import os
import signal
import threading
from collections.abc import Callable, Collection, Iterable
from types import TracebackType
from typing import Any

from leadtools_compat._binding import ffi, lib
from leadtools_compat._binding.errors import check, keep_interrupt
from leadtools_compat._binding.lifetime import (
    STATE,
    Life,
    all_lives,
    end,
    ended,
    life_of,
    number_of,
    user_pointer,
)
from leadtools_compat._binding.pump import apply_environment, call_has_failed, deliver
from leadtools_compat._binding.text import from_c
from leadtools_compat.dicom.dicom_exception import DicomSecurityCertificateException
from leadtools_compat.dicom.enums_codes import (
    DicomExceptionCode,
    DicomSecurityCertificateExceptionCode,
)

__all__ = ["alive", "escaped", "failed", "guard", "install", "install_gates", "run", "tell"]

ACCEPT = 1
STOP = 0
NO_ANSWER: int = lib.DICOM_VERIFY_NO_ANSWER
NO_PASSWORD = 0

MUTE_MILLISECONDS = 2000


# ---- installing ---------------------------------------------------------------------------------


def install(
    life: Life, names: Collection[str], connect: Callable[[Any, str], None] | None = None
) -> None:
    """Tell C which overridables to call; `connect` knows those that are not in this file."""
    table = ffi.new("DICOMNETCALLBACK *", _table(frozenset(names), connect)[0])
    table.pUserData = user_pointer(life)
    check(lib.L_DicomSetCallback(life.handle, table))


@functools.cache
def _table(names: frozenset[str], connect: Callable[[Any, str], None] | None) -> Any:
    """Make the table for a set of overridables, once: a class has many nets."""
    table = ffi.new("DICOMNETCALLBACK *")
    table.uStructSize = ffi.sizeof("DICOMNETCALLBACK")
    table.pfnReceiveChunk = lib.ldc_py_receive_chunk  # called for that sink only
    ours = {
        "OnConnect": ("pfnConnect", lib.ldc_py_connect),
        "OnAccept": ("pfnAccept", lib.ldc_py_accept),
        "OnClose": ("pfnClose", lib.ldc_py_close),
        "OnSecureLinkReady": ("pfnSecureLinkReady", lib.ldc_py_secure_link_ready),
    }
    for name in names:
        if name in ours:
            setattr(table, *ours[name])
        elif connect is not None:
            connect(table, name)
    return table


def install_gates(life: Life, judges: bool = True) -> None:
    """Have C ask Python for every password, and for every certificate if Python judges.

    ``judges=False``: `OnVerify` is the library's, which only returns ``ok``.
    """
    table = ffi.new("DICOMNETCALLBACKEXT *")
    table.uStructSize = ffi.sizeof("DICOMNETCALLBACKEXT")
    table.pfnVerify = lib.ldc_py_verify
    table.pfnPrivateKeyPassword = lib.ldc_py_key_password
    table.bVerifyIsOk = 0 if judges else 1
    check(lib.L_DicomSetCallbackExt(life.handle, table))


# ---- what goes wrong ----------------------------------------------------------------------------


def alive(life: Life | None) -> Any:
    return None if life is None else life.owner()


def _keep(owner: Any, name: str, error: BaseException) -> None:
    """Make the exception part of the failure record, and send it on its way."""
    state = owner.__dict__[STATE]
    if state.exception is None:
        state.exception = error
    if state.runner is None or not state.runner.take(error):
        deliver(error, f"{type(owner).__name__}.{name}")


def _run(owner: Any, name: str, function: Callable[[], Any]) -> Any:
    """Run user code here, or on the thread that waits for it (the Scu classes have one)."""
    runner = owner.__dict__[STATE].runner
    return function() if runner is None else runner.run(owner, name, function)


def _describe(name: str, error: BaseException) -> bytes:
    try:
        words = str(error)
    except Exception:  # noqa: BLE001 - a user's __str__ may do anything
        words = ""
    return f"{name} raised {type(error).__name__}{': ' if words else ''}{words}".encode(
        "utf-8", "replace"
    ).replace(b"\0", b" ")


def escaped(
    kind: type[BaseException], error: BaseException | None, traceback: TracebackType | None
) -> None:
    """Take what cffi hands over when the function itself was interrupted."""
    deliver(error if error is not None else kind(), "a callback of leadtools_compat")


# ---- gates: the answer counts -------------------------------------------------------------------


@ffi.def_extern(error=NO_ANSWER, onerror=escaped)
def ldc_py_verify(net: Any, ok: int, certificate: Any, code: int, message: Any) -> int:
    """VERIFYCALLBACK, which has no user data of its own."""
    life = life_of(lib.L_DicomGetUserData(net))
    owner = alive(life)
    if life is None or owner is None:
        return NO_ANSWER
    try:
        complaint = DicomSecurityCertificateException(
            DicomSecurityCertificateExceptionCode(code), from_c(message)
        )
        text = from_c(certificate)
        answer = _run(owner, "OnVerify", lambda: owner.OnVerify(ok, text, complaint))
        try:
            number = operator.index(answer)
        except TypeError as reason:
            raise TypeError(
                f"{type(owner).__name__}.OnVerify returned {answer!r}, which is not an int: 1 goes "
                "on, 0 stops, ok is the default"
            ) from reason
    except BaseException as error:  # noqa: BLE001 - whatever it is, nobody has answered
        _keep(owner, "OnVerify", error)
        return NO_ANSWER
    if ended(life):  # disposed by the override
        return NO_ANSWER
    return ACCEPT if number == 1 else STOP


@ffi.def_extern(error=NO_PASSWORD, onerror=escaped)
def ldc_py_key_password(net: Any, buffer: Any, size: int, encryption: int) -> int:
    """PRIVATEKEYPASSWORDCALLBACK: fills the buffer with the password in UTF-8."""
    owner = alive(life_of(lib.L_DicomGetUserData(net)))
    if owner is None or call_has_failed():  # OpenSSL asks again when there was no answer
        return NO_PASSWORD
    try:
        password = owner.OnPrivateKeyPassword(bool(encryption))
        if password is None:
            return NO_PASSWORD
        if not isinstance(password, str):
            raise TypeError(
                f"{type(owner).__name__}.OnPrivateKeyPassword returned a "
                f"{type(password).__name__}, not a str or None"
            )
        encoded = password.encode()
    except BaseException as error:  # noqa: BLE001 - arrives in the call that loads the key
        deliver(error, f"{type(owner).__name__}.OnPrivateKeyPassword")
        return NO_PASSWORD
    if len(encoded) > size:
        return size + 1  # too long, as ltdic.h says
    ffi.memmove(buffer, encoded, len(encoded))
    return len(encoded)


# ---- news: there is no answer -------------------------------------------------------------------


def tell(
    net: Any,
    owner: Any,
    name: str,
    arguments: Callable[[], Iterable[object]],
    after: Callable[[], object] | None = None,
) -> None:
    """Make the arguments, call an overridable with them, then `after`; any of it may fail."""

    try:
        given = tuple(arguments())
        runner = owner.__dict__[STATE].runner
        if runner is None:
            getattr(owner, name)(*given)
        else:
            run(runner, owner, name, given)
        if after is not None:
            after()
    except BaseException as error:  # noqa: BLE001 - C cannot take it: the record and the hook do
        failed(net, owner, name, error)


def run(runner: Any, owner: Any, name: str, given: Iterable[object]) -> None:
    """Have somebody else call an overridable."""
    changed = runner.arguments(owner, name, tuple(given))
    runner.run(owner, name, lambda: getattr(owner, name)(*changed))


def guard(net: Any, owner: Any, name: str, act: Callable[[], object]) -> None:
    """Run user code that may fail."""
    try:
        act()
    except BaseException as error:  # noqa: BLE001 - as above
        failed(net, owner, name, error)


def failed(net: Any, owner: Any, name: str, error: BaseException) -> None:
    """Tell C that user code has failed, and send the exception on its way."""
    lib.L_DicomReportCallbackFailure(net, _describe(name, error))
    _keep(owner, name, error)


@ffi.def_extern(onerror=escaped)
def ldc_py_connect(net: Any, code: int, user: Any) -> None:
    """CONNECTCALLBACK."""
    owner = alive(life_of(user))
    if owner is not None:
        tell(net, owner, "OnConnect", lambda: [DicomExceptionCode(code)])


@ffi.def_extern(onerror=escaped)
def ldc_py_accept(net: Any, code: int, user: Any) -> None:
    """ACCEPTCALLBACK, on a listener."""
    owner = alive(life_of(user))
    if owner is not None:
        tell(net, owner, "OnAccept", lambda: [DicomExceptionCode(code)])


@ffi.def_extern(onerror=escaped)
def ldc_py_secure_link_ready(net: Any, code: int, user: Any) -> None:
    """SECURELINKREADYCALLBACK."""
    owner = alive(life_of(user))
    if owner is not None:
        tell(net, owner, "OnSecureLinkReady", lambda: [DicomExceptionCode(code)])


@ffi.def_extern(onerror=escaped)
def ldc_py_close(net: Any, code: int, peer: Any, user: Any) -> None:
    """CLOSECALLBACK: of a connection itself, or of a listener about one of its children."""
    owner = alive(life_of(user))
    if owner is None:
        return
    closed = owner
    state = owner.__dict__[STATE]
    if peer == net:
        state.close_told = True
    else:
        key = number_of(peer)
        if (
            state.closes_owed.get(key, 0) > 0
        ):  # it has been accepted again: this is the close before
            state.closes_owed[key] -= 1
            closed = state.children.get(key)
        else:
            state.closes_owed.pop(key, None)
            closed = state.children.pop(key, None)
        if closed is None:  # disposed, so it has no close to tell of
            return
    tell(net, owner, "OnClose", lambda: [DicomExceptionCode(code), closed])


# ---- messages of the library --------------------------------------------------------------------


def _interrupt_again() -> None:
    """Repeat a Ctrl-C that came while a message was written.

    From another thread, which gets its turn when this one has gone back to C; a real signal, which
    ends a wait of the main thread too.
    """
    main = threading.main_thread().ident
    if main is not None:
        _thread.start_new_thread(signal.pthread_kill, (main, int(signal.SIGINT)))


def _log_escaped(kind: type[BaseException], error: object, traceback: object) -> None:
    if issubclass(kind, KeyboardInterrupt):
        _interrupt_again()


def prepare_log() -> None:
    """Load what a log line needs, for a program that will have some, perhaps when files are short."""
    with contextlib.suppress(OSError, ImportError):  # short already, or out of reach
        importlib.import_module("leadtools_compat._binding.log")


def _hand_to_log(function: str, record: Any) -> None:
    """Call a function of the log module. Never raises, on whatever thread."""
    try:
        from leadtools_compat._binding import log  # most programs are never told anything

        getattr(log, function)(record)
    except KeyboardInterrupt:
        _interrupt_again()
    except BaseException:  # noqa: BLE001 - a message must not break what it tells about
        pass


@ffi.def_extern(onerror=_log_escaped)
def ldc_py_log(record: Any, user: Any) -> None:
    """LOGCALLBACKEXT: C's levels are those of ``logging``."""
    _hand_to_log("emit", record)


@ffi.def_extern(onerror=_log_escaped)
def ldc_py_failure(record: Any, user: Any) -> None:
    """LOGCALLBACKEXT of the failures that somebody watches."""
    _hand_to_log("tell_watchers", record)


# ---- calls that wait in C -----------------------------------------------------------------------


def _wait_escaped(
    kind: type[BaseException], error: BaseException | None, traceback: TracebackType | None
) -> int:
    """Keep what a signal handler has raised: the call that waits ends, and raises it."""
    keep_interrupt(error if error is not None else kind())
    return 1


@ffi.def_extern(error=0, onerror=_wait_escaped)
def ldc_py_wait(user: Any) -> int:
    """WAITCALLBACK: does nothing, but where Python code runs, signal handlers do (Ctrl-C)."""
    return 0


# ---- beginning and end of the process -----------------------------------------------------------

_imported_in = os.getpid()


def _at_exit() -> None:
    """No worker may call into an interpreter that is going away."""
    ours = [life for life in all_lives() if life.pid == os.getpid()]
    if ours or os.getpid() == _imported_in:  # else: a forked child without nets
        lib.L_DicomMuteCallbacks(MUTE_MILLISECONDS)
        for life in ours:
            end(life)


check(lib.L_DicomSetLogCallbackExt(lib.ldc_py_log, ffi.NULL))
check(lib.L_DicomSetWaitCallback(lib.ldc_py_wait, ffi.NULL))
apply_environment()
atexit.register(_at_exit)
