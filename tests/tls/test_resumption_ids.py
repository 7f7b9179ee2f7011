"""Sessions by their id, which the server keeps, with the ``openssl`` program: no way round the verification either.

With TLS 1.3 there are tickets only; ``-no_ticket`` makes them names of what the server keeps.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat.testing import TestPki
from tests.tls.peers import VERSION_OPTIONS, OpenSslServer, openssl_client, openssl_server, own
from tests.tls.resuming import Nets, Scene, crl_of, in_each_version, make
from tests.tls.test_resumption_refused import issue_until
from tests.tls.tls_tools import CODES, FINDINGS, VERSIONS, rules_for


class ById:
    """``s_client`` that comes with the id of its session, to a scene of ours."""

    def __init__(self, pki: TestPki, nets: Nets, folder: Path) -> None:
        self.scene = Scene(pki, nets, "TLSv1.2")
        self._pki, self._file = pki, str(folder / "session.pem")

    def come(self, known: bool) -> tuple[bool, Any]:
        """Connect, with the session or for one: whether it was resumed, and our child."""
        identity = self.scene.rules["client"].identity
        assert identity is not None
        options = (*own(identity), "-CAfile", self._pki.ca_file, "-no_ticket", "-tls1_2")
        way = "-sess_in" if known else "-sess_out"
        printed = openssl_client(self.scene.listener.HostPort, *options, way, self._file)
        self.scene.links += 1
        child = self.scene.listener.child(self.scene.links)
        child.log.wait("OnClose")
        return "\nReused, TLSv1.2" in printed, child

    def check_refused(self, finding: Any) -> None:
        """Expect that the session is of no use, and that a full handshake has found `finding`."""
        resumed, child = self.come(True)
        assert not resumed
        assert not child.tls_resumed
        assert child.log.wait("OnSecureLinkReady").code == CODES.TlsCertificateRejected
        assert child.failure.certificate_code == finding


@pytest.fixture
def by_id(pki: TestPki, nets: Nets, tmp_path: Path) -> ById:
    return ById(pki, nets, tmp_path)


def test_our_server_refuses_the_id_of_a_client_that_has_been_revoked(
    by_id: ById, pki: TestPki
) -> None:
    by_id.scene.change("server", crl_file=crl_of(pki, "ids none"))
    assert [by_id.come(known)[0] for known in (False, True)] == [False, True]
    by_id.scene.change("server", crl_file=crl_of(pki, "ids revoked", pki.client))
    by_id.check_refused(FINDINGS.CertRevoked)


def test_our_server_refuses_the_id_of_a_client_whose_certificate_has_ended(
    by_id: ById, pki: TestPki
) -> None:
    end = 0.0
    for seconds in (2, 8, 40):  # more of them for a busy machine
        end = int(time.time()) + seconds
        identity = issue_until(pki, f"ids {seconds}", "client", end)
        by_id.scene.change("client", identity=identity)
        if [by_id.come(known)[0] for known in (False, True)] == [False, True]:
            break
    else:
        pytest.fail("the machine is too busy to make two links in time")
    wait_for_end(end)
    by_id.check_refused(FINDINGS.CertHasExpired)


def wait_for_end(end: float) -> None:
    """Wait for the calendar, which tells nobody."""
    while time.time() <= end + 1:
        threading.Event().wait(end + 1.01 - time.time())


# ---- our client


@contextmanager
def keeping(pki: TestPki, version: str, identity: Any) -> Iterator[OpenSslServer]:
    """Run ``s_server`` that keeps its sessions itself."""
    trust = ("-CAfile", pki.ca_file, "-Verify", "3", "-no_ticket")
    with openssl_server(*own(identity), *trust, VERSION_OPTIONS[version]) as server:
        yield server


def come(client: Any, server: OpenSslServer) -> bool:
    """Connect once more and go; whether the session was resumed. False, too, if there is no link."""
    turn = len(client.log.all("OnSecureLinkReady")) + 1
    client.Connect(None, 0, "127.0.0.1", server.port)
    linked = client.log.wait("OnSecureLinkReady", turn).code == CODES.Success
    resumed = bool(client.tls_resumed)
    if linked:
        client.Close()
    client.log.wait("OnClose", turn)
    return resumed


def check_refusal(client: Any, finding: Any) -> None:
    """Expect that the last full handshake has found `finding`."""
    assert client.log.all("OnSecureLinkReady")[-1].code == CODES.TlsCertificateRejected
    assert client.failure.certificate_code == finding


@in_each_version
def test_our_client_does_not_resume_at_a_server_that_has_been_revoked(
    pki: TestPki, nets: Nets, version: str
) -> None:
    rules = rules_for(pki, "client", method=VERSIONS[version])
    with keeping(pki, version, pki.server) as server:
        client = nets(make(rules.but(crl_file=crl_of(pki, f"kept none {version}"))))
        assert [come(client, server) for _ in range(2)] == [False, True]
        # The same net, and a new one, with the list of the next night.
        client.crl_file = crl_of(pki, f"kept revoked {version}", pki.server)
        for one in (client, nets(make(rules.but(crl_file=client.crl_file)))):
            assert not come(one, server)
            check_refusal(one, FINDINGS.CertRevoked)


@in_each_version
def test_our_client_does_not_resume_at_a_server_whose_certificate_has_ended(
    pki: TestPki, nets: Nets, version: str
) -> None:
    for seconds in (2, 8, 40):
        end = int(time.time()) + seconds
        identity = issue_until(pki, f"kept {version} {seconds}", "server", end)
        with keeping(pki, version, identity) as server:
            client = nets(make(rules_for(pki, "client", method=VERSIONS[version])))
            if [come(client, server) for _ in range(2)] != [False, True]:
                continue
            wait_for_end(end)
            assert not come(client, server)
            check_refusal(client, FINDINGS.CertHasExpired)
            return
    pytest.fail("the machine is too busy to make two links in time")
