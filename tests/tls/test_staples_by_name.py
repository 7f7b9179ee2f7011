"""OCSP staples of certificates that a server chooses by name: each is sent with its own, or with none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat.testing import Identity, TestPki
from tests.support import Listener, refused
from tests.tls.issued import issue
from tests.tls.peers import VERSION_OPTIONS, openssl_client
from tests.tls.resuming import in_each_version
from tests.tls.tls_tools import CODES, FINDINGS, PEM, TLS, VERSIONS, Rules, Unjudged, rules_for

Nets = Callable[[Any], Any]
NAMES = ("first.test", "second.test", "bare.test")


@pytest.fixture
def sites(pki: TestPki, tmp_path: Path) -> dict[str, Identity]:
    """A certificate for each of the names."""
    return {name: issue(pki, tmp_path, name, names=[name]) for name in NAMES}


class Stapled:
    """A listener with a certificate and staple of its own for each name; ``bare.test`` has none."""

    def __init__(self, pki: TestPki, nets: Nets, sites: dict[str, Identity], **status: Any) -> None:
        self.pki, self.nets, self.sites = pki, nets, sites
        self.listener = nets(Listener(lambda: nets(Rules(flags=0).net())))
        own = {
            "ocsp_staple_file": self.staple(pki.server, "default", status.pop("default", "good"))
        }
        rules_for(pki, "server", flags=1, attributes=own).apply(self.listener)
        for name, identity in sites.items():
            file = None
            if name != "bare.test":
                file = self.staple(identity, name, status.get(name.partition(".")[0], "good"))
            self.listener.add_tls_certificate(identity.combined_file, PEM, ocsp_staple_file=file)
        self.listener.children_inherit_tls = True
        self.listener.Listen("127.0.0.1", 0, 16)

    def staple(self, identity: Identity, name: str, status: Any = "good") -> str:
        """Write the staple of a name."""
        return self.pki.ocsp(identity, status, name=f"by-name-{name}-{id(self.nets)}")

    def client(self, name: str, version: str = "TLSv1.3", mode: str = "require") -> Any:
        """Let a client of ours ask for a name, and wait until it knows."""
        wishes = {"server_name": name, "ocsp_check": mode}
        rules = rules_for(self.pki, "client", method=VERSIONS[version], attributes=wishes)
        net = self.nets(rules.apply(Unjudged(TLS)))
        net.Connect(None, 0, "127.0.0.1", self.listener.HostPort)
        net.log.wait("OnSecureLinkReady")
        return net

    def told(self, name: str, version: str = "TLSv1.3") -> str:
        """Ask as ``openssl s_client`` does; give what it prints."""
        options = ("-status", VERSION_OPTIONS[version], "-CAfile", self.pki.ca_file)
        return openssl_client(self.listener.HostPort, *options, "-servername", name)


@in_each_version
def test_each_certificate_comes_with_its_own_staple(
    pki: TestPki, nets: Nets, sites: dict[str, Identity], version: str
) -> None:
    server = Stapled(pki, nets, sites)
    for name, identity in {**sites, "other.test": pki.server}.items():
        if name == "bare.test":
            continue
        client = server.client(name, version)
        assert client.log.wait("OnSecureLinkReady").code == CODES.Success, client.failure
        assert client.tls_peer_certificates[0] == identity.chain_der[0]
        assert client.tls_ocsp_status == client.tls_revocation == "good"


@in_each_version
def test_certificate_without_a_staple_is_not_sent_with_that_of_another(
    pki: TestPki, nets: Nets, sites: dict[str, Identity], version: str
) -> None:
    server = Stapled(pki, nets, sites)
    client = server.client("bare.test", version)
    assert client.log.wait("OnSecureLinkReady").code == CODES.TlsCertificateRejected
    assert client.failure.certificate_code == FINDINGS.OcspVerifyNeeded
    assert server.client("bare.test", version, "check").tls_ocsp_status == "missing"


@in_each_version
def test_one_that_is_revoked_does_not_touch_the_other_names(
    pki: TestPki, nets: Nets, sites: dict[str, Identity], version: str
) -> None:
    server = Stapled(pki, nets, sites, second="revoked")
    client = server.client("second.test", version)
    assert client.log.wait("OnSecureLinkReady").code == CODES.TlsCertificateRejected
    assert client.failure.certificate_code == FINDINGS.CertRevoked
    for name in ("first.test", "other.test"):
        assert server.client(name, version).tls_ocsp_status == "good"


@in_each_version
def test_openssl_s_client_gets_the_staple_of_the_name_that_it_asks_for(
    pki: TestPki, nets: Nets, sites: dict[str, Identity], version: str
) -> None:
    server = Stapled(pki, nets, sites, second="revoked")
    assert "Cert Status: good" in server.told("first.test", version)
    assert "Cert Status: revoked" in server.told("second.test", version)
    assert "OCSP response: no response sent" in server.told("bare.test", version)
    assert "Cert Status: good" in server.told("other.test", version)


def test_staple_of_another_certificate_is_refused_and_nothing_is_added(
    pki: TestPki, nets: Nets, sites: dict[str, Identity], tmp_path: Path
) -> None:
    net = nets(rules_for(pki, "server").net())
    old = pki.ocsp(sites["first.test"], name="by-name-old", days=(-9, -2))
    damaged = tmp_path / "damaged.ocsp"
    damaged.write_bytes(b"0\x03\x0a\x01\x07")
    for file in (pki.ocsp(pki.server), old, str(damaged), str(tmp_path / "gone")):
        with refused(CODES.FileAccess, file):
            net.add_tls_certificate(sites["first.test"].combined_file, PEM, ocsp_staple_file=file)
    for _ in range(64):  # as many as a net takes: none of those above is among them
        net.add_tls_certificate(sites["first.test"].combined_file, PEM)
    with refused(CODES.Parameter, "64"):
        net.add_tls_certificate(sites["first.test"].combined_file, PEM)


def test_certificate_from_memory_may_have_a_staple(
    pki: TestPki, nets: Nets, sites: dict[str, Identity]
) -> None:
    server = Stapled(pki, nets, {})
    other = sites["first.test"]
    file = server.staple(other, "memory")
    listener = nets(Listener(lambda: nets(Rules(flags=0).net())))
    rules_for(pki, "server", flags=1).apply(listener)
    listener.add_tls_certificate(Path(other.combined_file).read_bytes(), PEM, ocsp_staple_file=file)
    listener.children_inherit_tls = True
    listener.Listen("127.0.0.1", 0, 16)
    server.listener = listener
    assert server.client("first.test").tls_ocsp_status == "good"


def test_reload_reads_the_staples_of_all_names_anew(
    pki: TestPki, nets: Nets, sites: dict[str, Identity]
) -> None:
    server = Stapled(pki, nets, sites)
    assert server.client("second.test").tls_ocsp_status == "good"
    file = Path(server.staple(sites["second.test"], "second.test", "revoked"))
    server.listener.reload_tls()
    assert server.client("second.test", mode="check").failure.certificate_code == (
        FINDINGS.CertRevoked
    )
    assert server.client("first.test").tls_ocsp_status == "good"
    # One that cannot be served is said, and what was there before stays in force.
    Path(server.staple(sites["second.test"], "second.test")).replace(file)
    server.listener.reload_tls()
    file.write_bytes(Path(pki.ocsp(pki.server)).read_bytes())
    with refused(CODES.FileAccess, str(file)):
        server.listener.reload_tls()
    assert server.client("second.test").tls_ocsp_status == "good"
