"""TLS of what comes back: storage commitment on a new association, and C-GET; inherited or chosen, good and bad."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat.dicom import (
    DicomAssociate,
    DicomDataSet,
    DicomExceptionCode,
    DicomNetSecurityMode,
    DicomRoleSupport,
)
from leadtools_compat.dicom.scu import (
    ClientConnectionException,
    QueryRetrieveScu,
    StorageCommitOptions,
    StoreScu,
)
from leadtools_compat.testing import Identity, TestPki
from tests.dicom.nodes import IMPLICIT, Node, close_after_release
from tests.scu.conftest import Site, record
from tests.scu.test_query_get import accept_with_roles, getter
from tests.scu.test_store_scu import commitment, path_of
from tests.support import MUTUAL, PATIENCE, PEER, secure, settings

CODES = DicomExceptionCode
PUSH = "1.2.840.10008.1.20.1"


class Commitment:
    """A StoreScu that waits, with TLS, for the result of a commitment; archives bring it."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.kept: list[Any] = []
        asked = threading.Event()

        def later(net: Any, p: int, m: int, c: str, i: str, action: int, ds: Any) -> None:
            net.SendNActionResponse(p, m, c, i, 0, action, None)
            self.kept.append(ds)
            asked.set()

        _, self.scp = site.node(OnReceiveNActionRequest=later)
        self.scu: Any = site.scu(StoreScu, site.pki.server)
        self.scu.HostAddress, self.scu.UseSecureHost = "127.0.0.1", True
        self.results = threading.Semaphore(0)
        self.scu.StorageCommitmentResult += lambda sender, e: self.results.release()
        self._asked = asked

    def ask(self) -> None:
        """Ask for the commitment; the inner listener is there when this returns."""
        options = StorageCommitOptions.NoWaitForResults
        self.scu.StorageCommit(self.scp, [path_of("CT_small.dcm")], None, options)
        assert self._asked.wait(PATIENCE)

    def bring(
        self, identity: Identity | None, ca_file: str | None = None, tls: bool = True
    ) -> DicomExceptionCode:
        """Bring the result as an archive does: how its link ended, after the result was taken."""
        hooks = {"OnReceiveReleaseResponse": close_after_release}
        if tls:
            peer: Any = Node(DicomNetSecurityMode.Tls, **hooks)
            secure(peer, identity, ca_file or self.site.pki.ca_file)
        else:
            peer = Node(DicomNetSecurityMode.None_, **hooks)
        self.site._nets(peer)
        peer.Connect(None, 0, "127.0.0.1", self.scu.HostPort)
        code: DicomExceptionCode = peer.log.wait("OnSecureLinkReady" if tls else "OnConnect").code
        if code != CODES.Success:
            peer.log.wait("OnClose")
            return code
        with DicomAssociate(True) as request:
            request.Called, request.Calling = "OURS", "NODE"
            request.AddPresentationContext(1, 0, PUSH)
            request.AddTransfer(1, IMPLICIT)
            role = DicomRoleSupport
            request.SetRoleSelect(1, True, role.Unsupported, role.Supported)
            peer.SendAssociateRequest(request)
        if not tls:  # nobody listens who understands that
            return DicomExceptionCode(peer.log.wait("OnClose").code)
        peer.log.wait("OnReceiveAssociateAccept")
        report: DicomDataSet = commitment(self.kept[0])
        peer.SendNReportRequest(1, 1, PUSH, "1.2.840.10008.1.20.1.1", 1, report)
        assert peer.log.wait("OnReceiveNReportResponse").arguments[4] == 0
        peer.SendReleaseRequest()
        peer.log.wait("OnClose")
        assert self.results.acquire(timeout=PATIENCE)
        return code


@pytest.fixture
def asked(secure_site: Site) -> Commitment:
    return Commitment(secure_site)


def test_commitment_comes_by_the_tls_settings_of_the_object(
    asked: Commitment, pki: TestPki
) -> None:
    asked.ask()  # made with Peer, and the CA file of the PKI
    for kind in ("expired", "unknown_ca", "self_signed", "wrong_purpose"):
        bad = pki.make(kind, role="client")
        assert asked.bring(bad) == CODES.TlsPeerRejectedCertificate, kind
    assert asked.bring(pki.client) == CODES.Success
    assert not asked.results.acquire(blocking=False)  # of the bad ones none was taken


def test_commitment_comes_without_tls_only_where_that_was_chosen(
    asked: Commitment, pki: TestPki
) -> None:
    asked.ask()
    assert asked.bring(None, tls=False) != CODES.Success
    assert asked.bring(pki.client) == CODES.Success
    asked.scu.StopListener()
    asked.scu.UseSecureHost = False
    asked.ask()
    assert asked.bring(pki.client) != CODES.Success


def test_commitment_comes_by_other_settings_that_were_chosen(
    asked: Commitment, pki: TestPki, tmp_path: Path
) -> None:
    partner = TestPki(tmp_path / "partner", seed="partner", key="ec")
    asked.scu.SecureHostSettings = settings(partner.ca_file, MUTUAL)
    asked.ask()
    assert asked.bring(pki.client) == CODES.TlsPeerRejectedCertificate
    assert asked.bring(None) == CODES.TlsPeerRequiresCertificate  # Peer alone would have taken it
    assert asked.bring(partner.client) == CODES.Success
    assert asked.bring(partner.make("expired", role="client")) == CODES.TlsPeerRejectedCertificate


def test_commitment_may_be_chosen_to_come_from_anybody_without_a_certificate(
    asked: Commitment, pki: TestPki
) -> None:
    asked.scu.SecureHostSettings = settings(pki.ca_file, PEER)
    asked.ask()
    assert asked.bring(None) == CODES.Success
    assert asked.bring(pki.make("expired", role="client")) == CODES.TlsPeerRejectedCertificate


def test_handler_of_the_listener_chooses_its_certificate_and_its_lists(
    asked: Commitment, pki: TestPki, tmp_path: Path
) -> None:
    partner = TestPki(tmp_path / "partner", seed="partner", key="ec")
    revoked = pki.crl(pki.client, name="commitment")

    def ready(sender: Any, e: Any) -> None:
        e.ScpHost.crl_file = revoked
        e.ScpHost.SetTlsClientCertificate(partner.server.combined_file, 1, None)

    asked.scu.HostReady += ready
    asked.ask()
    other = pki.issue("another archive", role="client")
    assert asked.bring(pki.client, partner.ca_file) == CODES.TlsPeerRejectedCertificate
    assert asked.bring(other, partner.ca_file) == CODES.Success
    # The archive judges, too: it does not know who has issued the certificate that was chosen.
    assert asked.bring(other) == CODES.TlsCertificateRejected


@pytest.mark.parametrize("kind", ["good", "expired"])
def test_instances_of_a_get_come_over_the_link_that_was_verified(
    secure_site: Site, pki: TestPki, kind: str
) -> None:
    node, scp = secure_site.node(
        OnReceiveAssociateRequest=accept_with_roles, OnReceiveCGetRequest=getter()
    )
    make = node.make_child

    def child() -> Any:
        made: Any = make()
        if kind != "good":
            made.SetTlsClientCertificate(pki.make(kind, role="server").combined_file, 1, None)
        return made

    node.make_child = child
    scu = secure_site.scu(QueryRetrieveScu)
    seen = record(scu, "ReceivedStoreRequest")
    if kind == "good":
        scu.Get(scp, "1.2.3", "")
        assert [name for name, _ in seen].count("ReceivedStoreRequest") == 3
        assert node.child().tls_verified
        return
    with pytest.raises(ClientConnectionException):
        scu.Get(scp, "1.2.3", "")
    assert "ReceivedStoreRequest" not in [name for name, _ in seen]
    assert "OnReceiveCGetRequest" not in node.child().log.names()
