"""Links that may be resumed: a listener and clients whose rules change; CRL files; a relay that counts."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509

from leadtools_compat.testing import Identity, TestPki
from leadtools_compat.testing.certificates import revocation_list
from leadtools_compat.testing.files import pem
from tests.support import PATIENCE, Hook, Listener, RecordingNet
from tests.tls.tls_tools import (
    CODES,
    SIDES,
    TLS,
    VERSIONS,
    Rules,
    Side,
    Unjudged,
    other_side,
    rules_for,
)

if TYPE_CHECKING:
    from typing_extensions import Self

at_either_side = pytest.mark.parametrize("side", SIDES)
in_each_version = pytest.mark.parametrize("version", VERSIONS)

Nets = Callable[[Any], Any]
PORTS: set[int] = set()


class Judging(RecordingNet):
    """Has an OnVerify that says what a test wants."""

    answer: int | None = None

    def OnVerify(self, ok: int, certificateString: str, error: Any) -> int:
        self.log.add("OnVerify", ok, certificateString, error)
        return ok if self.answer is None else self.answer


class Believing(Judging):
    """Finds everything good."""

    answer = 1


def make(rules: Rules, kind: type[RecordingNet] = Unjudged, on: bool = True, **hooks: Hook) -> Any:
    """Make a net with resumption switched on or off."""
    net = rules.apply(kind(TLS, **hooks))
    net.tls_resumption = on
    return net


class Scene:
    """A listener whose children follow `server` (and `kind`, `on`), and clients that come one by one."""

    def __init__(self, pki: TestPki, nets: Nets, version: str = "TLSv1.3") -> None:
        method = VERSIONS[version]
        self.nets = nets
        self.rules: dict[Side, Rules] = {
            side: rules_for(pki, side, method=method) for side in SIDES
        }
        self.kind: dict[Side, type[RecordingNet]] = dict.fromkeys(SIDES, Unjudged)
        self.on: dict[Side, bool] = dict.fromkeys(SIDES, True)
        self.listener = self._listening()
        self.links = 0

    def _listening(self) -> Any:
        """Listen on a port that no scene of this process had: sessions of one are still known."""
        while True:
            listener = self.nets(Listener(lambda: self.nets(self.net("server"))))
            listener.Listen("*", 0, 16)
            if listener.HostPort not in PORTS:
                PORTS.add(listener.HostPort)
                return listener
            listener.Close()

    def net(self, side: Side) -> Any:
        """Make a net as things stand."""
        return make(self.rules[side], self.kind[side], self.on[side])

    def change(self, side: Side, **changes: Any) -> None:
        """Change the rules of one side from now on."""
        self.rules[side] = self.rules[side].but(**changes)

    def meet(self, client: Any = None, host: str = "127.0.0.1", port: int = 0) -> dict[Side, Any]:
        """Let a client (a new one if none is given) connect; both sides know how it went."""
        client = self.nets(self.net("client")) if client is None else client
        turn = len(client.log.all("OnSecureLinkReady")) + 1
        client.Connect(None, 0, host, port or self.listener.HostPort)
        self.links += 1
        child = self.listener.child(self.links)
        self.said = {
            "client": client.log.wait("OnSecureLinkReady", turn).code,
            "server": child.log.wait("OnSecureLinkReady").code,
        }
        return {"client": client, "server": child}

    def close(self, both: dict[Side, Any]) -> None:
        """End a link."""
        turn = len(both["client"].log.all("OnClose")) + 1
        both["client"].Close()
        both["client"].log.wait("OnClose", turn)
        both["server"].log.wait("OnClose")

    def link(self, client: Any = None, host: str = "127.0.0.1", port: int = 0) -> bool:
        """Make a link and end it; tell whether it was resumed, on which both sides agree."""
        both = self.meet(client, host, port)
        assert set(self.said.values()) == {CODES.Success}
        resumed = {bool(net.tls_resumed) for net in both.values()}
        assert len(resumed) == 1
        self.close(both)
        return resumed.pop()

    def refusal(self, judge: Side) -> Any:
        """Meet, expect `judge` to refuse, and give what it found."""
        both = self.meet()
        assert self.said[judge] == CODES.TlsCertificateRejected
        assert self.said[other_side(judge)] == CODES.TlsPeerRejectedCertificate
        both["client"].log.wait("OnClose")
        both["server"].log.wait("OnClose")
        assert not any(net.tls_resumed for net in both.values())
        return both[judge].failure.certificate_code


def two_authorities(pki: TestPki) -> str:
    """Give a CA file with the good root and another one."""
    file = pki.directory / "two-authorities.pem"
    other = Path(pki.make("self_signed", "server").certificate_file).read_text()
    content = Path(pki.ca_file).read_text() + other
    if not file.exists():
        file.write_text(content)
    return str(file)


def crl_of(pki: TestPki, name: str, *revoked: Identity, seconds: float = 86400.0) -> str:
    """Write the lists of root and intermediate, with some leaves revoked."""
    now = datetime.now(timezone.utc)
    serials = [x509.load_der_x509_certificate(one.chain_der[0]).serial_number for one in revoked]
    lists = [
        revocation_list(
            issuer=issuer,
            number=1,
            this_update=now - timedelta(hours=1),
            next_update=now + timedelta(seconds=seconds),
            revoked=serials if number == 1 else (),
        )
        for number, issuer in enumerate((pki._shop.root, pki._shop.intermediate))
    ]
    file = pki.directory / f"crl-{name}.pem"
    file.write_bytes(pem("X509 CRL", *lists))
    return str(file)


class Relay:
    """Passes connections on to a port, one after the other, and counts the bytes of each."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        PORTS.add(self.port)
        self.counts: list[int] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while True:
            try:
                one, _ = self._listener.accept()
            except OSError:  # the test is over
                return
            self.counts.append(0)
            with one, socket.create_connection(("127.0.0.1", self._target)) as other:
                ends = {one: other, other: one}
                while ends:
                    for ready in select.select(list(ends), [], [], PATIENCE)[0]:
                        data = ready.recv(65536)
                        self.counts[-1] += len(data)
                        if data:
                            ends[ready].sendall(data)
                        else:
                            ends.pop(ready).shutdown(socket.SHUT_WR)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *unused: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(PATIENCE)
