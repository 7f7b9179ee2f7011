"""Pumped mode: the callbacks run in Breathe, one each call, and so do their exceptions."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import leadtools_compat
from leadtools_compat.dicom import DicomException, DicomExceptionCode, DicomNet
from leadtools_compat.testing import TestPki
from tests.support import PATIENCE, Listener, RecordingNet, connect, python, tls_child, tls_net

Listen = Callable[..., Listener]
Keep = Callable[[Any], Any]
CODES = DicomExceptionCode
SLICE = 0.05


def pump_until(condition: Callable[[], bool]) -> int:
    """Breathe until the condition holds; count the callbacks."""
    end = time.monotonic() + PATIENCE
    ran = 0
    while not condition():
        ran += DicomNet.Breathe(SLICE)
        assert time.monotonic() < end
    return ran


def has(net: Any, name: str) -> Callable[[], bool]:
    return lambda: bool(net.log.all(name))


@pytest.fixture
def pumped_link(pumped: None, nets: Keep, listen: Listen, pki: TestPki) -> tuple[Any, Listener]:
    listener = listen(tls_child(pki))
    client = nets(tls_net(pki))
    connect(client, listener)
    return client, listener


def test_one_callback_for_each_breath_on_the_calling_thread(
    pumped_link: tuple[Any, Listener],
) -> None:
    client, listener = pumped_link
    threads = set()

    def verify(net: Any, ok: int, *rest: Any) -> int:
        threads.add(threading.get_ident())
        return ok

    client.hooks["OnVerify"] = verify
    total = 0
    end = time.monotonic() + PATIENCE
    while not client.log.all("OnSecureLinkReady") and time.monotonic() < end:
        ran = DicomNet.Breathe(SLICE)
        events = len(client.log.all()) + len(listener.log.all())
        events += sum(len(child.log.all()) for child in listener.children)
        assert events - total == (1 if ran else 0)
        total = events
    assert client.log.wait("OnSecureLinkReady").code == CODES.Success
    assert threads == {threading.get_ident()}


def test_nothing_runs_without_a_breath(pumped_link: tuple[Any, Listener]) -> None:
    client, _ = pumped_link
    pump_until(has(client, "OnConnect"))
    assert "OnSecureLinkReady" not in client.log.names()
    assert client.GetTlsCipherSuite() == 0
    pump_until(has(client, "OnSecureLinkReady"))


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), SystemExit(3)])
@pytest.mark.parametrize("name", ["OnConnect", "OnVerify", "OnSecureLinkReady"])
def test_exception_comes_out_of_breathe(
    pumped_link: tuple[Any, Listener], name: str, error: BaseException
) -> None:
    client, _ = pumped_link

    def fail(*arguments: Any) -> Any:
        raise error

    client.hooks[name] = fail
    with pytest.raises(type(error)) as caught:
        pump_until(lambda: False)
    assert caught.value is error
    assert client.log.names()[-1] == name
    if name == "OnVerify":
        pump_until(has(client, "OnClose"))
        assert client.log.wait("OnSecureLinkReady").code == CODES.TlsVerifyCallback
        assert client.failure.exception is error
    error.__traceback__ = None


def test_exception_in_a_nested_breath_comes_out_of_the_inner_one(
    pumped_link: tuple[Any, Listener], nets: Keep
) -> None:
    client, listener = pumped_link
    caught: list[BaseException] = []

    def fail(*arguments: Any) -> None:
        raise LookupError("inner")

    def outer(*arguments: Any) -> None:
        other = nets(RecordingNet(OnConnect=fail))
        connect(other, listener)
        try:
            pump_until(has(other, "OnClose"))
        except LookupError as error:
            caught.append(error)

    client.hooks["OnConnect"] = outer
    pump_until(has(client, "OnConnect"))
    assert [str(error) for error in caught] == ["inner"]


def test_password_exception_inside_a_breath_is_the_users(
    pumped: None, nets: Keep, pki: TestPki, listen: Listen
) -> None:
    def fail(*arguments: Any) -> str:
        raise LookupError("no password here")

    def accept(net: Any, error: DicomExceptionCode) -> None:
        child = nets(RecordingNet(1, OnPrivateKeyPassword=fail))
        child.SetTlsClientCertificate(pki.server.encrypted_file, 1, None)

    listener = listen(OnAccept=accept)
    client = nets(RecordingNet())
    connect(client, listener)
    with pytest.raises(LookupError, match="no password here"):
        pump_until(lambda: False)


def test_mode_cannot_change_while_a_net_exists(pumped: None) -> None:
    with DicomNet(None, 0):
        DicomNet.Startup()  # stays as it is
        DicomNet.Startup(pumped=True)
        with pytest.raises(DicomException) as caught:
            DicomNet.Startup(pumped=False)
        assert caught.value.Code == CODES.InvalidState
        DicomNet.Shutdown()
        DicomNet.Shutdown()


def test_worker_mode_cannot_change_either() -> None:
    with DicomNet(None, 0), pytest.raises(DicomException) as caught:
        DicomNet.Startup(pumped=True)
    assert caught.value.Code == CODES.InvalidState
    assert "Startup" in caught.value.Message


def test_breathe_only_sleeps_in_worker_mode() -> None:
    began = time.monotonic()
    assert DicomNet.Breathe(0.15) is False
    assert 0.14 < time.monotonic() - began < PATIENCE
    assert DicomNet.Breathe() is False


@pytest.mark.parametrize("timeout", [-1, -0.001, float("nan")])
def test_breathe_refuses_times_that_are_none(timeout: float) -> None:
    with pytest.raises(DicomException, match="timeout"):
        DicomNet.Breathe(timeout)


def test_breathe_takes_numbers_only() -> None:
    with pytest.raises(TypeError, match="timeout"):
        DicomNet.Breathe("1")  # type: ignore[arg-type]


@pytest.mark.parametrize("pumped", [False, True])
def test_ctrl_c_ends_breathe_within_a_third_of_a_second(pumped: bool) -> None:
    program = f"""
        import math
        from leadtools_compat.dicom import DicomNet
        DicomNet.Startup(pumped={pumped})
        print("waiting", flush=True)
        try:
            DicomNet.Breathe(math.inf)
        except KeyboardInterrupt:
            print("interrupted", flush=True)
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(leadtools_compat.__file__).parents[1],
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        threading.Event().wait(0.05)  # well inside the wait
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "interrupted\n"
        assert time.monotonic() - began < 0.3
        assert process.wait(PATIENCE) == 0


@pytest.mark.parametrize(
    ("value", "call", "pumped"),
    [
        ("1", "DicomNet.Startup()", 1),
        ("1", "DicomNet(None, 0)", 1),
        ("1", "DicomNet.Startup(False)", 0),
        ("0", "DicomNet.Startup()", 0),
        ("", "DicomNet.Startup()", 0),
        ("0", "DicomNet.Startup(True)", 1),
    ],
)
def test_environment_switches_the_mode_of_unchanged_programs(
    value: str, call: str, pumped: int
) -> None:
    program = f"""
        from leadtools_compat.dicom import DicomNet
        from leadtools_compat._binding import lib
        keep = {call}
        print(lib.L_DicomGetPumpMode())
    """
    done = python("-c", textwrap.dedent(program), LEADTOOLS_COMPAT_PUMPED=value)
    assert (done.stdout, done.stderr) == (f"{pumped}\n", "")
