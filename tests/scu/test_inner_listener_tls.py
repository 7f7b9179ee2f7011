"""TLS of the inner listeners, for C-MOVE and storage commitment: inherited from the Scu object, or chosen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from leadtools_compat.dicom import DicomNet, DicomNetSecurityMode
from leadtools_compat.dicom.scu import QueryRetrieveScu, StoreScu
from leadtools_compat.testing import TestPki
from tests.scu.conftest import Site, names, record
from tests.scu.query_tools import mover, secure_store
from tests.support import MUTUAL, settings

TLS = DicomNetSecurityMode.Tls
SUITE_13, SUITE_12 = 0x1301, 0xC02B


def listening(site: Site, pki: TestPki) -> Any:
    """Make a QueryRetrieveScu whose inner listener speaks TLS."""
    scu = site.scu(QueryRetrieveScu, pki.server)
    scu.HostAddress, scu.UseSecureHost = "127.0.0.1", True
    return scu


def moved(site: Site, scu: Any, sender: Any) -> int:
    """Move three instances to `scu`; `sender` makes the one who sends. Count what came."""
    _, scp = site.node(OnReceiveCMoveRequest=mover(sender, lambda: scu.HostPort))
    seen = record(scu, "Moved")
    scu.Move(scp, "OURS", "1.2.3")
    return names(seen).count("Moved")


def versions_of(scu: Any) -> list[str]:
    """Write down by which version each instance comes."""
    heard: list[str] = []
    original = scu.take_instance

    def take(net: Any, *arguments: Any) -> None:
        heard.append(net.tls_version)
        original(net, *arguments)

    scu.take_instance = take
    return heard


def test_profile_of_the_scu_object_holds_for_who_comes(secure_site: Site, pki: TestPki) -> None:
    def sender(*suites: int) -> Any:
        made = secure_store(pki, pki.client)
        made.SetTlsCipherSuiteByIndex(0, 0)
        for index, suite in enumerate(suites):
            made.SetTlsCipherSuiteByIndex(index, suite)
        return made

    scu = listening(secure_site, pki)
    scu.apply_tls_profile("B.12")
    heard = versions_of(scu)
    assert moved(secure_site, scu, lambda: sender(SUITE_13)) == 3
    assert set(heard) == {"TLSv1.3"}
    # A suite that B.12 does not have: the same sender comes in without the profile.
    assert moved(secure_site, scu, lambda: sender(0xCCA9)) == 0
    plain = listening(secure_site, pki)
    assert moved(secure_site, plain, lambda: sender(0xCCA9)) == 3


def test_revocation_list_of_the_scu_object_holds_for_who_comes(
    secure_site: Site, pki: TestPki
) -> None:
    revoked = pki.make("revoked_leaf", role="client")
    assert revoked.crl_file is not None
    scu = listening(secure_site, pki)
    assert moved(secure_site, scu, lambda: secure_store(pki, revoked)) == 3
    # The list names authorities of its own kind of PKI; the node is not what is judged here.
    scu.SecureHostSettings = settings(revoked.ca_file, MUTUAL)

    def ready(sender: Any, e: Any) -> None:
        e.ScpHost.crl_file = revoked.crl_file

    scu.HostReady += ready
    assert moved(secure_site, scu, lambda: secure_store(pki, revoked)) == 0


def test_expected_host_is_about_the_node_and_not_about_who_comes(
    secure_site: Site, pki: TestPki
) -> None:
    scu = listening(secure_site, pki)
    scu.expected_host = "localhost"
    heard: list[Any] = []
    scu.HostReady += lambda sender, e: heard.append((e.ScpHost.expected_host, e.ScpHost))
    _, scp = secure_site.node(
        OnReceiveCMoveRequest=mover(lambda: secure_store(pki, pki.client), lambda: scu.HostPort)
    )
    seen = record(scu, "Moved")
    scu.Move(scp, "OURS", "1.2.3")
    assert heard[0][0] is None
    assert names(seen).count("Moved") == 3


def test_host_ready_may_choose_other_settings_than_those_that_were_inherited(
    secure_site: Site, pki: TestPki
) -> None:
    scu = listening(secure_site, pki)
    heard = versions_of(scu)

    def ready(sender: Any, e: Any) -> None:
        e.ScpHost.SetTlsCipherSuiteByIndex(0, 0)
        e.ScpHost.SetTlsCipherSuiteByIndex(0, SUITE_12)

    scu.HostReady += ready
    assert moved(secure_site, scu, lambda: secure_store(pki, pki.client)) == 3
    assert set(heard) == {"TLSv1.2"}


def test_certificate_from_memory_and_from_pkcs12_is_inherited_without_asking_again(
    secure_site: Site, pki: TestPki
) -> None:
    from leadtools_compat.dicom import DicomTlsCertificateType

    scu = secure_site.scu(QueryRetrieveScu, None)
    scu.HostAddress, scu.UseSecureHost = "127.0.0.1", True
    asked: list[Any] = []

    def give(sender: Any, e: Any) -> None:
        asked.append(sender)
        e.PrivateKeyPassword = "test"

    scu.PrivateKeyPassword += give
    contents = Path(pki.server.p12_file).read_bytes()
    scu.SetTlsClientCertificate(contents, DicomTlsCertificateType.Pkcs12)
    assert moved(secure_site, scu, lambda: secure_store(pki, pki.client)) == 3
    assert len(asked) == 1


def test_plain_listener_beside_a_secure_client_stays_plain(secure_site: Site, pki: TestPki) -> None:
    scu = listening(secure_site, pki)
    scu.UseSecureHost = False

    def sender() -> Any:
        made = StoreScu(None)
        made.AETitle = "NODE"
        return made

    assert moved(secure_site, scu, sender) == 3
    assert moved(secure_site, scu, lambda: secure_store(pki, pki.client)) == 0


def test_copy_takes_all_that_was_set_and_nothing_later(pki: TestPki, tmp_path: Path) -> None:
    with DicomNet(None, TLS) as source, DicomNet(None, TLS) as target:
        source.SetTlsCipherSuiteByIndex(0, 0)
        source.SetTlsCipherSuiteByIndex(0, SUITE_13)
        source.expected_host, source.send_ca_names = "host.example", False
        source.tls_resumption = True
        crl = pki.make("crl_good", role="client").crl_file
        source.crl_file = crl
        source.tls_keylog_file = tmp_path / "keys.log"
        target.copy_tls_settings(source)
        source.SetTlsCipherSuiteByIndex(1, SUITE_12)
        source.expected_host = None
        assert target.GetTlsCipherSuiteByIndex(0) == SUITE_13
        assert target.GetTlsCipherSuiteByIndex(1) == 0
        assert (target.expected_host, target.send_ca_names) == ("host.example", False)
        assert target.tls_resumption
        assert target.crl_file == crl
        assert target.tls_keylog_file == tmp_path / "keys.log"


def test_copy_wants_two_tls_nets() -> None:
    from leadtools_compat.dicom import DicomExceptionCode
    from tests.support import refused

    with DicomNet(None, TLS) as secure, DicomNet(None, DicomNetSecurityMode.None_) as plain:
        with refused(DicomExceptionCode.InvalidState, "copy from is not TLS"):
            secure.copy_tls_settings(plain)
        with refused(DicomExceptionCode.InvalidState, "copy to is not TLS"):
            plain.copy_tls_settings(secure)
        with pytest.raises((TypeError, AttributeError)):
            secure.copy_tls_settings(None)  # type: ignore[arg-type]
