"""The inner secure listener of QueryRetrieveScu: flags, certificate, mode."""

from __future__ import annotations

from typing import Any

import pytest

from leadtools_compat.dicom import (
    DicomCommandStatusType,
    DicomExceptionCode,
    DicomNetSecurityMode,
)
from leadtools_compat.dicom.scu import (
    QueryRetrieveScu,
)
from leadtools_compat.testing import TestPki
from tests.scu.conftest import Site, names, record
from tests.scu.query_tools import mover, secure_store
from tests.support import MUTUAL, NO_CHECK, PEER, refused, settings


@pytest.mark.parametrize(
    ("kind", "flags", "good"),
    [
        ("good", "mutual", True),
        ("expired", "mutual", False),
        ("unknown_ca", "mutual", False),
        ("none", "mutual", False),
        ("good", "peer", True),
        ("expired", "peer", False),
        ("none", "peer", True),  # Peer alone asks, and does not insist
        ("expired", "unchecked", True),
        ("none", "unchecked", True),
    ],
)
def test_flags_of_the_inner_listener_decide_about_who_comes(
    secure_site: Site, pki: TestPki, kind: str, flags: str, good: bool
) -> None:
    identity = (
        {"good": pki.client, "none": None}.get(kind)
        if kind in ("good", "none")
        else pki.make(kind, role="client")
    )
    number = {"mutual": MUTUAL, "peer": PEER, "unchecked": NO_CHECK}[flags]
    scu = secure_site.scu(QueryRetrieveScu, pki.server)
    scu.HostAddress = "127.0.0.1"
    scu.UseSecureHost = True
    scu.SecureHostSettings = settings(pki.ca_file, number)
    port: list[int] = []
    _, scp = secure_site.node(
        OnReceiveCMoveRequest=mover(lambda: secure_store(pki, identity), lambda: scu.HostPort)
    )
    seen = record(scu, "HostReady", "Moved", "AfterCMove")
    scu.Move(scp, "OURS", "1.2.3")
    assert (names(seen).count("Moved") == 3) == good, port
    assert (scu.Status == 0) == good


def test_the_inner_listener_has_the_flags_of_the_constructor_by_default(
    secure_site: Site, pki: TestPki
) -> None:
    scu = secure_site.scu(QueryRetrieveScu, pki.server)  # made with Peer
    scu.HostAddress, scu.UseSecureHost = "127.0.0.1", True
    bad = pki.make("expired", role="client")
    _, scp = secure_site.node(
        OnReceiveCMoveRequest=mover(lambda: secure_store(pki, bad), lambda: scu.HostPort)
    )
    scu.Move(scp, "OURS", "1.2.3")
    assert scu.Status == DicomCommandStatusType.RefusedUnableToPerformSuboperations


def test_host_ready_may_give_the_listener_its_own_certificate_and_judge(
    secure_site: Site, pki: TestPki
) -> None:
    scu = secure_site.scu(QueryRetrieveScu)
    scu.HostAddress, scu.UseSecureHost = "127.0.0.1", True
    scu.SecureHostSettings = settings(pki.ca_file, MUTUAL)
    judged: list[str] = []

    def ready(sender: Any, e: Any) -> None:
        assert e.ScpHost.SecurityMode == DicomNetSecurityMode.Tls
        e.ScpHost.SetTlsClientCertificate(pki.server.combined_file, 1, None)

        def judge(host: Any, certificate: Any) -> None:
            judged.append(certificate.CertificateString.partition("\n")[0])
            certificate.Return = 1

        e.ScpHost.VerifyCertificate += judge

    scu.HostReady += ready
    bad = pki.make("expired", role="client")
    _, scp = secure_site.node(
        OnReceiveCMoveRequest=mover(lambda: secure_store(pki, bad), lambda: scu.HostPort)
    )
    seen = record(scu, "Moved")
    scu.Move(scp, "OURS", "1.2.3")
    assert scu.Status == 0  # overruled, by a handler of the listener's own
    assert names(seen).count("Moved") == 3
    assert judged


def test_handlers_of_the_scu_object_do_not_judge_who_comes(secure_site: Site, pki: TestPki) -> None:
    """A handler that trusts everything opens the way to the node, not the own door."""
    scu = secure_site.scu(QueryRetrieveScu, pki.server)
    scu.HostAddress, scu.UseSecureHost = "127.0.0.1", True
    scu.SecureHostSettings = settings(pki.ca_file, MUTUAL)

    def trust(sender: Any, e: Any) -> None:
        e.Return = 1

    scu.VerifyCertificate += trust
    bad = pki.make("expired", role="client")
    _, scp = secure_site.node(
        OnReceiveCMoveRequest=mover(lambda: secure_store(pki, bad), lambda: scu.HostPort)
    )
    scu.Move(scp, "OURS", "1.2.3")
    assert scu.Status == DicomCommandStatusType.RefusedUnableToPerformSuboperations


def test_a_secure_listener_needs_a_certificate(plain: Site, pki: TestPki) -> None:
    scu = plain.scu(QueryRetrieveScu)
    scu.HostAddress, scu.UseSecureHost = "127.0.0.1", True
    _, scp = plain.node()
    with refused(DicomExceptionCode.TlsCertificateMissing, "SetTlsClientCertificate"):
        scu.Move(scp, "OURS", "1.2.3")
    with pytest.raises(TypeError, match="SecureHostSettings"):
        scu.SecureHostSettings = 5  # type: ignore[assignment]


def test_host_ready_may_set_the_mode(plain: Site, pki: TestPki) -> None:
    scu = plain.scu(QueryRetrieveScu)
    scu.HostAddress = "127.0.0.1"

    def ready(sender: Any, e: Any) -> None:
        e.ScpHost.SecurityMode = DicomNetSecurityMode.Tls
        e.ScpHost.SetTlsClientCertificate(pki.server.combined_file, 1, None)

    scu.HostReady += ready
    _, scp = plain.node(
        OnReceiveCMoveRequest=mover(lambda: secure_store(pki, None), lambda: scu.HostPort)
    )
    seen = record(scu, "Moved")
    scu.Move(scp, "OURS", "1.2.3")
    assert names(seen).count("Moved") == 3


# ---- get ----------------------------------------------------------------------------------------
