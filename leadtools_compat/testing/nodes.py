"""Nodes for tests: a secure server, a secure client, and what OnVerify was asked on either side.

The one rule: their settings are those of a careful user: mutual TLS, everything verified; a test
changes one thing and sees what that does.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from leadtools_compat._nodes.client import VERIFICATION, Client, Context, Node, NodeError
from leadtools_compat._nodes.files import Item, batches, look
from leadtools_compat._nodes.receiver import Association, Events, Receiver
from leadtools_compat._nodes.tls import TlsOptions, TlsVersion
from leadtools_compat.dicom import DicomFailure, DicomSecurityCertificateException
from leadtools_compat.testing.model import Identity

__all__ = ["Link", "NodeError", "SecureScp", "SecureScu", "VerifyCall", "VerifyRecorder"]

Side = Literal["server", "client"]
PATIENCE = 20.0
"""Seconds to wait for an event before a test gives up."""


class VerifyCall(NamedTuple):
    """One call of OnVerify.

    Attributes
    ----------
    side
        Who was asked: ``server`` or ``client``.
    ok, text, code, message
        What it was asked: certificateString, and the names of ``error``.
    """

    side: Side
    ok: int
    text: str
    code: str
    message: str

    @property
    def subject(self) -> str:
        """The subject of the certificate, in one line."""
        return self.text.partition("\n")[0].removeprefix("Subject Name: ")


class VerifyRecorder:
    """Writes down all calls of OnVerify of the nodes it is given to, in order.

    Attributes
    ----------
    answers
        What to answer to a code, in place of what OpenSSL found: ``{"CertHasExpired": 1}`` overrules.
    """

    def __init__(self) -> None:
        self.answers: dict[str, int] = {}
        self._lock = threading.Lock()
        self._calls: list[VerifyCall] = []

    def take(self, side: Side, ok: int, text: str, error: DicomSecurityCertificateException) -> int:
        """Write a call down; gives the answer."""
        call = VerifyCall(side, ok, text, str(error.Code), error.Message)
        with self._lock:
            self._calls.append(call)
        return self.answers.get(call.code, ok)

    @property
    def calls(self) -> list[VerifyCall]:
        """All calls so far."""
        with self._lock:
            return list(self._calls)

    def codes(self, side: Side | None = None) -> list[str]:
        """Give the codes in order, of one side or of both."""
        return [call.code for call in self.calls if side in (None, call.side)]

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._calls.clear()

    def __repr__(self) -> str:
        return f"<VerifyRecorder {[(c.side, c.code, c.subject) for c in self.calls]}>"


class _RecordingAssociation(Association):
    def OnVerify(
        self, ok: int, certificateString: str, error: DicomSecurityCertificateException
    ) -> int:
        recorder = self.owner.recorder if isinstance(self.owner, SecureScp) else None
        if recorder is None:
            return ok
        return recorder.take("server", ok, certificateString, error)


class SecureScp(Receiver):
    """A storage server on a free port of 127.0.0.1, with mutual TLS; use it in a ``with`` statement.

    Parameters
    ----------
    folder
        Where it keeps what it gets.
    identity
        Its certificate.
    ca_file
        Whom its clients must come from; None: ``identity.ca_file``.
    title
        The only AE title it answers to; None: any.
    recorder
        Gets the calls of OnVerify.
    version
        The only version of TLS; None: 1.2 and 1.3.

    Attributes
    ----------
    port
        Where it listens.
    files, failures
        What came, and how connections failed, so far.
    """

    association = _RecordingAssociation

    def __init__(
        self,
        folder: Path,
        identity: Identity,
        ca_file: str | None = None,
        *,
        title: str | None = None,
        recorder: VerifyRecorder | None = None,
        version: TlsVersion | None = None,
    ) -> None:
        self.recorder = recorder
        self.files: list[Path] = []
        self.failures: list[DicomFailure] = []
        self._changed = threading.Condition()
        tls = TlsOptions(
            ca=ca_file or identity.ca_file, certificate=identity.combined_file, version=version
        )
        super().__init__(folder, tls, title, Events(stored=self._stored, failed=self._failed))
        self.port = self.start("127.0.0.1", 0)

    def _stored(self, path: Path, peer: str) -> None:
        with self._changed:
            self.files.append(path)
            self._changed.notify_all()

    def _failed(self, peer: str, failure: DicomFailure) -> None:
        with self._changed:
            self.failures.append(failure)
            self._changed.notify_all()

    def wait_failure(self, number: int = 1, timeout: float = PATIENCE) -> DicomFailure:
        """Wait for the n-th failure: what the server knows of why it refused.

        Raises
        ------
        AssertionError
            It did not come.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.failures) >= number, timeout):
                raise AssertionError(
                    f"the server had {len(self.failures)} failures in {timeout:g} s, not {number}"
                )
            return self.failures[number - 1]


@dataclass(frozen=True)
class Link:
    """What a client had: version, suite, and whether the server was verified."""

    version: str
    suite: str
    group: str
    verified: bool


class _RecordingClient(Client):
    recorder: VerifyRecorder | None = None

    def OnVerify(
        self, ok: int, certificateString: str, error: DicomSecurityCertificateException
    ) -> int:
        if self.recorder is None:
            return ok
        return self.recorder.take("client", ok, certificateString, error)


@dataclass
class SecureScu:
    """A client with TLS: each call is a connection of its own.

    Attributes
    ----------
    identity
        Its certificate; None: it has none.
    ca_file
        Whom the server must come from.
    host_name
        Name that the server must prove, if it is not the host that is called; "": any.
    version
        The only version of TLS; None: the best.
    called, calling
        AE titles.
    recorder
        Gets the calls of OnVerify.
    timeout
        Seconds for each step.
    """

    identity: Identity | None
    ca_file: str
    host_name: str | None = None
    version: TlsVersion | None = None
    called: str = "ANY-SCP"
    calling: str = "LT-COMPAT"
    recorder: VerifyRecorder | None = field(default=None, repr=False)
    timeout: float = PATIENCE

    @contextmanager
    def _open(self, host: str, port: int) -> Iterator[Client]:
        tls = TlsOptions(
            ca=self.ca_file,
            certificate=None if self.identity is None else self.identity.combined_file,
            check_host=self.host_name != "",
            host_name=self.host_name or None,
            version=self.version,
        )
        node = Node(host, port, self.called, self.calling)
        with _RecordingClient(node, tls, self.timeout) as client:
            client.recorder = self.recorder
            client.open()
            yield client

    def echo(self, port: int, host: str = "localhost") -> Link:
        """Associate, send a C-ECHO, release.

        Raises
        ------
        NodeError
            Something failed; ``.failure`` is the record.
        """
        with self._open(host, port) as client:
            client.associate([Context(VERIFICATION)])
            answer = client.echo()
            if not answer.good:
                raise NodeError(f"C-ECHO was answered with status {answer.status}", "dimse")
            link = _link(client)
            client.release()
        return link

    def store(self, port: int, *files: Path | str, host: str = "localhost") -> Link:
        """Send files in one association.

        Raises
        ------
        NodeError
            Something failed, or a file was refused; ``.failure`` is the record.
        ValueError
            A file is not one of DICOM.
        """
        items: list[Item] = []
        for file in files:
            found = look(Path(file))
            if not isinstance(found, Item):
                raise ValueError(f"{file}: {getattr(found, 'text', 'a DICOMDIR')}")
            items.append(found)
        batch = batches(items)[0]
        with self._open(host, port) as client:
            link = _link(client)
            client.associate(_contexts(items, batch.contexts))
            for item in items:
                number = batch.contexts[item.sop_class, item.syntax]
                answer = client.store(number, item.sop_class, item.instance, item.path)
                if not answer.good:
                    raise NodeError(f"{item.path} was refused: {answer.status}", "dimse")
            client.release()
        return link


def _contexts(items: Sequence[Item], numbers: dict[tuple[str, str], int]) -> list[Context]:
    syntaxes = {(item.sop_class, item.syntax): item.syntaxes for item in items}
    return [Context(pair[0], syntaxes[pair]) for pair in numbers]


def _link(client: Client) -> Link:
    suite = client.GetTlsCipherSuite().GetCipherFriendlyName()
    return Link(client.tls_version, suite, client.tls_group, client.tls_verified)
