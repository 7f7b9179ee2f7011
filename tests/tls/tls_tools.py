"""Two nets that meet: all that decides about TLS in one record, and a wait until both sides know.

One rule: a meeting is settled when each side has said OnSecureLinkReady, and, if there is no link,
when client, child and listener have said OnClose too. After that nothing moves, so tests only look.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest

import leadtools_compat
from leadtools_compat._binding import reads
from leadtools_compat.dicom import (
    DicomExceptionCode,
    DicomNet,
    DicomNetSecurityMode,
    DicomOpenSslContextCreationSettings,
    DicomOpenSslOptionsFlags,
    DicomOpenSslVerificationFlags,
    DicomSecurityCertificateExceptionCode,
    DicomSslMethodType,
    DicomTlsCertificateType,
    DicomTlsCipherSuiteType,
)
from leadtools_compat.dicom._net_state import state_of
from leadtools_compat.testing import Identity, TestPki
from tests.support import MUTUAL, PATIENCE, Hook, Listener, RecordingNet, connect

Side = Literal["server", "client"]
SIDES: tuple[Side, Side] = ("server", "client")

CODES = DicomExceptionCode
FINDINGS = DicomSecurityCertificateExceptionCode
FLAGS = DicomOpenSslVerificationFlags
OPTIONS = DicomOpenSslOptionsFlags
METHODS = DicomSslMethodType
SUITES = DicomTlsCipherSuiteType
TLS = DicomNetSecurityMode.Tls
PEM, DER = DicomTlsCertificateType.Pem, DicomTlsCertificateType.Asn1

VERSIONS = {"TLSv1.2": METHODS.TlsV1_2, "TLSv1.3": METHODS.TlsV1_3}
"""tls_version, and the method that allows this version only."""

# RFC 8446 section 6.
HANDSHAKE_FAILURE = 40
BAD_CERTIFICATE = 42
UNSUPPORTED_CERTIFICATE = 43
CERTIFICATE_REVOKED = 44
CERTIFICATE_EXPIRED = 45
CERTIFICATE_UNKNOWN = 46
ILLEGAL_PARAMETER = 47
UNKNOWN_CA = 48
DECRYPT_ERROR = 51
PROTOCOL_VERSION = 70
BAD_STATUS_RESPONSE = 113
CERTIFICATE_REQUIRED = 116


class Unjudged(RecordingNet):
    """Has the library's OnVerify, so its sessions may be resumed."""

    OnVerify = DicomNet.OnVerify


@dataclass(frozen=True)
class Rules:
    """What a net presents, and how it judges."""

    identity: Identity | None = None
    ca: Any = None
    flags: DicomOpenSslVerificationFlags | int = MUTUAL
    method: DicomSslMethodType = METHODS.SslV23
    depth: int = 9
    options: DicomOpenSslOptionsFlags = OPTIONS.NoSslV2 | OPTIONS.AllBugWorkarounds
    crl_file: str | None = None
    host: str | None = None
    suites: Sequence[int] | None = None
    send_ca_names: bool = True
    attributes: Mapping[str, Any] = field(default_factory=dict)
    hooks: Mapping[str, Hook] = field(default_factory=dict)
    also: Callable[[Any], object] | None = None
    """Called with the net at the end, for what has no field here."""

    def but(self, **changes: Any) -> Rules:
        """Give the same rules with a few changes."""
        return dataclasses.replace(self, **changes)

    def settings(self) -> DicomOpenSslContextCreationSettings:
        """Give the settings for `DicomNet.Initialize`."""
        return DicomOpenSslContextCreationSettings(
            self.method, self.ca, self.flags, self.depth, self.options
        )

    def apply(self, net: Any) -> Any:
        """Set a net up, and return it."""
        net.Initialize(None, TLS, self.settings())
        if self.identity is not None:
            net.SetTlsClientCertificate(self.identity.combined_file, PEM, None)
        if self.crl_file is not None:
            net.crl_file = self.crl_file
        if self.host is not None:
            net.expected_host = self.host
        if self.suites is not None:
            set_suites(net, self.suites)
        if not self.send_ca_names:
            net.send_ca_names = False
        for name, value in self.attributes.items():
            setattr(net, name, value)
        if self.also is not None:
            self.also(net)
        return net

    def net(self, **hooks: Hook) -> Any:
        """Make a net of these rules."""
        return self.apply(RecordingNet(TLS, **{**self.hooks, **hooks}))


def other_side(side: Side) -> Side:
    """Give the other one."""
    return "client" if side == "server" else "server"


def rules_for(pki: TestPki, side: Side, **changes: Any) -> Rules:
    """Give the rules of a good node: own certificate, trust in the PKI, both directions checked."""
    identity = pki.server if side == "server" else pki.client
    return Rules(identity=identity, ca=pki.ca_file).but(**changes)


def judging(rules: Rules, identity: Identity) -> Rules:
    """Give the rules of a judge of `identity`, as its documentation says."""
    return rules.but(
        ca=identity.ca_file,
        crl_file=identity.crl_file,
        host=identity.host,
        depth=9 if identity.verify_depth is None else identity.verify_depth,
    )


def set_suites(net: Any, suites: Sequence[int]) -> None:
    """Replace the whole list."""
    net.SetTlsCipherSuiteByIndex(0, SUITES.None_)
    for index, suite in enumerate(suites):
        net.SetTlsCipherSuiteByIndex(index, suite)


def finding(name: str) -> DicomSecurityCertificateExceptionCode:
    """Give the code of this name."""
    return DicomSecurityCertificateExceptionCode[name]


class Call(NamedTuple):
    """One call of OnVerify."""

    ok: int
    code: str
    text: str

    @property
    def subject(self) -> str:
        """The subject, in one line."""
        return self.text.partition("\n")[0].removeprefix("Subject Name: ")


def calls_of(net: Any) -> list[Call]:
    """Give the calls of OnVerify on a recording net."""
    calls = []
    for event in net.log.all("OnVerify"):
        ok, text, error = event.arguments
        calls.append(Call(ok, str(error.Code), text))
    return calls


class Meeting:
    """A client and a child of a listener, in one process."""

    def __init__(
        self,
        server: Rules,
        client: Rules,
        keep: Callable[[Any], Any],
        make_server: Callable[[], Any] | None = None,
        make_client: Callable[[], Any] | None = None,
    ) -> None:
        self.order: list[str] = []

        def child() -> Any:
            return keep(server.net(OnClose=self._note("child")))

        self.listener: Listener = keep(
            Listener(make_server or child, OnClose=self._note("listener"))
        )
        self.listener.Listen("127.0.0.1", 0, 16)
        self.client: Any = keep(make_client() if make_client else client.net())
        connect(self.client, self.listener)
        self.child: Any = self.listener.child()

    def _note(self, who: str) -> Hook:
        def note(net: Any, error: DicomExceptionCode, closed: Any) -> None:
            self.order.append(who)

        return note

    def of(self, side: Side) -> Any:
        """Give the net of a side."""
        return self.child if side == "server" else self.client

    def settle(self) -> Meeting:
        """Wait until both sides know how it ended."""
        codes = [net.log.wait("OnSecureLinkReady").code for net in (self.client, self.child)]
        if codes != [CODES.Success] * 2:
            for net in (self.client, self.child, self.listener):
                net.log.wait("OnClose")
        return self

    @property
    def linked(self) -> bool:
        """Tell whether both sides have the link."""
        return [net.log.wait("OnSecureLinkReady").code for net in (self.client, self.child)] == [
            CODES.Success
        ] * 2


def info(net: Any, what: int) -> str:
    """Read one of DICOM_TLS_INFO_..."""
    return reads.tls_info(state_of(net).handle, what)


def certificate_text(der: bytes) -> str:
    """Give the text of the certificate outside of any handshake."""
    return reads.certificate_text(der, DER)


class LibraryLog(logging.Handler):
    """The warnings of the library; others may wait for one.

    Those about a link come from a worker of their own, perhaps after OnSecureLinkReady and perhaps
    when the next test has begun, so they are waited for, and never counted.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._changed = threading.Condition()
        self._texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record."""
        with self._changed:
            self._texts.append(record.getMessage())
            self._changed.notify_all()

    def wait(self, *words: str) -> str:
        """Wait for a warning that has all the words."""

        def found() -> str | None:
            return next((text for text in self._texts if all(w in text for w in words)), None)

        with self._changed:
            if not self._changed.wait_for(found, PATIENCE):
                pytest.fail(f"no warning with {words}; there were {self._texts}")
            text = found()
            assert text is not None
            return text

    def about_settings(self, word: str = "") -> list[str]:
        """Give the warnings that came inside of calls: all but those about links."""
        with self._changed:
            return [
                text
                for text in self._texts
                if word in text and not any(one in text for one in ABOUT_LINKS)
            ]

    def clear(self) -> None:
        """Forget what has come."""
        with self._changed:
            self._texts.clear()


LINK_WARNING = "TLS link with an unverified peer"
ABOUT_LINKS = (LINK_WARNING, " failed: ", " failed within ")


def run_python(
    code: str, *arguments: str, folder: Path, environment: Mapping[str, str] | None = None
) -> Any:
    """Run a program in a process of its own, with the package of this one; give the JSON it prints.

    It may import from ``tests``; it runs in `folder`, so that the package is found by PYTHONPATH only.
    """
    home = Path(leadtools_compat.__file__).resolve().parents[1]
    root = Path(__file__).resolve().parents[2]
    path = os.pathsep.join(filter(None, (str(home), str(root), os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        cwd=folder,
        env={**(os.environ if environment is None else environment), "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=5 * PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
