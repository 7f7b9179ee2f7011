"""Nets that write down what happens to them, and waits that do not sleep."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import leadtools_compat
from leadtools_compat.dicom import (
    DicomException,
    DicomExceptionCode,
    DicomNet,
    DicomNetSecurityMode,
    DicomOpenSslContextCreationSettings,
    DicomOpenSslOptionsFlags,
    DicomOpenSslVerificationFlags,
    DicomSecurityCertificateException,
    DicomSslMethodType,
    DicomTlsCertificateType,
)
from leadtools_compat.testing import Identity, TestPki

PATIENCE = float(os.environ.get("LEADTOOLS_COMPAT_TEST_PATIENCE", "20"))
"""Seconds to wait for an event before a test gives up: the one unit of time of the tests."""

PEER = DicomOpenSslVerificationFlags.Peer
MUTUAL = PEER | DicomOpenSslVerificationFlags.FailIfNoPeerCertificate
NO_CHECK = DicomOpenSslVerificationFlags.None_


def python(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run this Python with this package, whether or not it is installed."""
    home = str(Path(leadtools_compat.__file__).resolve().parents[1])
    path = os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH"))))
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=PATIENCE * 3,
        check=False,
        env={**os.environ, "PYTHONPATH": path, **environment},
    )


_FAILURES = re.compile(
    r"^(?:connection (?:from|to) .* failed: |\d+ more connections? failed within ).*\n", re.M
)


def without_failures(errors: str) -> str:
    """Take the failures of connections, which the log shows, out of a program's error output."""
    return _FAILURES.sub("", errors)


@contextmanager
def refused(code: DicomExceptionCode, *words: str) -> Iterator[None]:
    """Expect a DicomException with this code and a message that has all the words."""
    with pytest.raises(DicomException) as caught:
        yield
    assert caught.value.Code == code, str(caught.value)
    for word in words:
        assert word in caught.value.Message


class Event(NamedTuple):
    """One call of an overridable."""

    name: str
    arguments: tuple[Any, ...]

    @property
    def code(self) -> DicomExceptionCode:
        """The first argument, of those that report a result."""
        code: DicomExceptionCode = self.arguments[0]
        return code


class Log:
    """What happened, in order; others may wait for it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._events: list[Event] = []

    def add(self, name: str, *arguments: Any) -> None:
        with self._changed:
            self._events.append(Event(name, arguments))
            self._changed.notify_all()

    def all(self, name: str = "") -> list[Event]:
        with self._changed:
            return [event for event in self._events if not name or event.name == name]

    def names(self) -> list[str]:
        return [event.name for event in self.all()]

    def wait(self, name: str, count: int = 1) -> Event:
        """Wait for the `count`-th event of a name."""

        def enough() -> bool:
            return sum(event.name == name for event in self._events) >= count

        with self._changed:
            if not self._changed.wait_for(enough, PATIENCE):
                pytest.fail(f"{name} did not come {count} times; there were {self._events}")
        return self.all(name)[count - 1]


Hook = Callable[..., Any]


class RecordingNet(DicomNet):
    """Writes all calls into `log`, then runs the hook that a test has set for the overridable.

    A hook gets the net and the arguments; that of OnVerify and OnPrivateKeyPassword gives the
    answer.
    """

    def __init__(
        self, mode: DicomNetSecurityMode | int = DicomNetSecurityMode.None_, **hooks: Hook
    ) -> None:
        self.log = Log()
        self.hooks: dict[str, Hook] = hooks
        super().__init__(None, mode)

    def _run(self, name: str, default: Any, *arguments: Any) -> Any:
        hook = self.hooks.get(name)
        try:
            return default if hook is None else hook(self, *arguments)
        finally:
            # Written last: who has seen the event knows that the hook is done.
            self.log.add(name, *arguments)

    def OnConnect(self, error: DicomExceptionCode) -> None:
        self._run("OnConnect", None, error)

    def OnClose(self, error: DicomExceptionCode, net: DicomNet) -> None:
        self._run("OnClose", None, error, net)

    def OnSecureLinkReady(self, error: DicomExceptionCode) -> None:
        self._run("OnSecureLinkReady", None, error)

    def OnVerify(
        self, ok: int, certificateString: str, error: DicomSecurityCertificateException
    ) -> int:
        answer: int = self._run("OnVerify", ok, ok, certificateString, error)
        return answer

    def OnPrivateKeyPassword(self, encryption: bool) -> str | None:
        password: str | None = self._run("OnPrivateKeyPassword", "test", encryption)
        return password


class Listener(RecordingNet):
    """Accepts every connection with a child made by `make_child`; `children` has them."""

    def __init__(
        self,
        make_child: Callable[[], DicomNet] | None = None,
        mode: DicomNetSecurityMode | int = DicomNetSecurityMode.None_,
        **hooks: Hook,
    ) -> None:
        self.make_child = RecordingNet if make_child is None else make_child
        self.children: list[Any] = []
        super().__init__(mode, **hooks)

    def OnAccept(self, error: DicomExceptionCode) -> None:
        if "OnAccept" in self.hooks:
            self._run("OnAccept", None, error)
            return
        child = self.make_child()
        self.children.append(child)
        try:
            self.Accept(child)
        except DicomException:
            if not repr(self).endswith("disposed>"):  # else the test is over
                raise
        self.log.add("OnAccept", error)

    def child(self, number: int = 1) -> Any:
        """Wait for the n-th child."""
        self.log.wait("OnAccept", number)
        return self.children[number - 1]


def settings(
    ca_file: Any = None,
    flags: DicomOpenSslVerificationFlags = MUTUAL,
    method: DicomSslMethodType = DicomSslMethodType.SslV23,
) -> DicomOpenSslContextCreationSettings:
    """TLS settings as ported programs write them."""
    return DicomOpenSslContextCreationSettings(
        method,
        ca_file,
        flags,
        9,
        DicomOpenSslOptionsFlags.NoSslV2 | DicomOpenSslOptionsFlags.AllBugWorkarounds,
    )


def secure(
    net: DicomNet,
    identity: Identity | None,
    ca_file: str | None,
    flags: DicomOpenSslVerificationFlags = MUTUAL,
) -> None:
    """Give a net TLS settings and a certificate."""
    net.Initialize(None, DicomNetSecurityMode.Tls, settings(ca_file, flags))
    if identity is not None:
        net.SetTlsClientCertificate(identity.combined_file, DicomTlsCertificateType.Pem, None)


def tls_net(
    pki: TestPki,
    identity: Identity | None = None,
    flags: DicomOpenSslVerificationFlags = MUTUAL,
    cls: type[RecordingNet] = RecordingNet,
    **hooks: Hook,
) -> Any:
    """Make a net with TLS; without `identity` it has the client's good certificate."""
    net = cls(mode=DicomNetSecurityMode.Tls, **hooks)
    secure(net, pki.client if identity is None else identity, pki.ca_file, flags)
    return net


def tls_child(pki: TestPki, **options: Any) -> Callable[[], Any]:
    """Make a function that makes children with the server's good certificate."""
    options.setdefault("identity", pki.server)
    return lambda: tls_net(pki, **options)


def connect(net: DicomNet, listener: DicomNet) -> None:
    """Connect to a listener of this process."""
    net.Connect(None, 0, "127.0.0.1", listener.HostPort)
