"""Certificates that change under a running listener: what the next handshakes see, and what lives on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from leadtools_compat.dicom import DicomNet, DicomNetSecurityMode
from leadtools_compat.testing import TestPki
from leadtools_compat.testing.files import write
from tests.support import NO_CHECK, Listener, RecordingNet, connect, refused
from tests.tls.reload_site import Nets, Site, other
from tests.tls.tls_tools import (
    CODES,
    FINDINGS,
    PEM,
    TLS,
    LibraryLog,
    Rules,
    calls_of,
    rules_for,
)


@pytest.fixture
def site(pki: TestPki, tmp_path: Path, nets: Nets) -> Site:
    """A listener that listens."""
    return Site(pki, tmp_path, nets).listen()


# ---- what is new


def test_new_certificate_is_shown_to_the_next_client_and_open_links_live_on(
    site: Site, pki: TestPki
) -> None:
    client, child = site.meet()
    assert client.tls_peer_certificates[0] == pki.server.chain_der[0]
    renewed = other(pki)
    site.show(renewed)
    assert site.shown() == pki.server.chain_der[0]  # not before it is asked for
    site.listener.reload_tls()
    assert site.shown() == renewed.chain_der[0]
    assert client.IsConnected()
    assert child.IsConnected()
    assert client.tls_peer_certificates[0] == pki.server.chain_der[0]


def test_client_that_has_been_revoked_is_refused_after_the_reload(site: Site, pki: TestPki) -> None:
    open_one, _ = site.meet()
    site.revoke(pki.client)
    assert site.meet()[1].failure is None
    site.listener.reload_tls()
    _, child = site.meet()
    assert child.failure.certificate_code == FINDINGS.CertRevoked
    assert open_one.IsConnected()
    site.revoke()
    site.listener.reload_tls()
    assert site.meet()[1].failure is None


def test_session_from_before_the_reload_is_not_resumed(
    pki: TestPki, tmp_path: Path, nets: Nets
) -> None:
    site = Site(pki, tmp_path, nets)
    site.listener.tls_resumption = True

    class Unjudged(RecordingNet):
        OnVerify = DicomNet.OnVerify

    site.child = lambda: nets(Unjudged(TLS))  # type: ignore[method-assign]
    site.listener.make_child = site.child
    site.listen()

    def resumed() -> bool:
        client = nets(rules_for(pki, "client").apply(Unjudged(TLS)))
        client.tls_resumption = True
        connect(client, site.listener)
        site.links += 1
        client.log.wait("OnSecureLinkReady")
        child = site.listener.child(site.links)
        child.log.wait("OnSecureLinkReady")
        answer = bool(client.tls_resumed)
        failure = child.failure
        client.Close()
        client.log.wait("OnClose")
        child.log.wait("OnClose")
        if failure is not None:
            raise LookupError(str(failure.certificate_code))
        return answer

    assert [resumed(), resumed()] == [False, True]
    site.listener.reload_tls()
    assert resumed()  # nothing has changed
    site.revoke(other(pki))
    site.listener.reload_tls()
    assert [resumed(), resumed()] == [False, True]
    site.revoke(pki.client)
    site.listener.reload_tls()
    with pytest.raises(LookupError, match="CertRevoked"):
        resumed()


def test_other_authorities_count_after_the_reload(
    site: Site, pki: TestPki, tmp_path_factory: pytest.TempPathFactory
) -> None:
    stranger = TestPki(tmp_path_factory.mktemp("stranger"), seed="reload", key="ec")
    write(site.ca, Path(stranger.ca_file).read_bytes())
    write(site.crl, Path(stranger.crl()).read_bytes())
    site.listener.reload_tls()
    assert site.meet()[1].failure.certificate_code in (
        FINDINGS.UnableToGetIssuerCertLocally,
        FINDINGS.SelfSignedCertInChain,
        FINDINGS.CertSignatureFailure,
    )
    assert site.meet(identity=stranger.client)[1].failure is None


def test_staple_and_certificate_change_together(pki: TestPki, tmp_path: Path, nets: Nets) -> None:
    site = Site(pki, tmp_path, nets)
    write(site.staple, Path(pki.ocsp(pki.server)).read_bytes())
    site.listener.ocsp_staple_file = site.staple
    site.listen()
    wants = {"attributes": {"ocsp_check": "require"}}
    assert site.shown(**wants) == pki.server.chain_der[0]
    renewed = other(pki)
    write(site.staple, Path(pki.ocsp(renewed, name="renewed")).read_bytes())
    with refused(CODES.FileAccess, str(site.staple), "another certificate"):
        site.listener.reload_tls()  # the certificate is still the old one
    assert site.shown(**wants) == pki.server.chain_der[0]
    site.show(renewed)
    site.listener.reload_tls()
    assert site.shown(**wants) == renewed.chain_der[0]


def test_new_files_and_bytes_may_be_given_and_are_read_again_next_time(
    site: Site, pki: TestPki, tmp_path: Path
) -> None:
    renewed, third = other(pki), other(pki, "Third Server")
    site.listener.reload_tls(renewed.combined_file, PEM)
    assert site.shown() == renewed.chain_der[0]
    site.listener.reload_tls(third.certificate_file, PEM, third.key_file)
    site.listener.reload_tls()
    assert site.shown() == third.chain_der[0]
    content = Path(pki.server.combined_file).read_bytes()
    site.listener.reload_tls(content, ca=Path(pki.ca_file).read_bytes())
    site.show(renewed)  # nobody reads that any more: the last one came from memory
    site.listener.reload_tls()
    assert site.shown() == pki.server.chain_der[0]
    lists = pki.crl(pki.client, name=f"{tmp_path.name}-given")
    site.listener.reload_tls(crl_paths=[lists])
    assert site.listener.crl_paths == (lists,)
    site.listener.reload_tls()
    assert site.meet()[1].failure.certificate_code == FINDINGS.CertRevoked
    staple = pki.ocsp(renewed, name=f"{tmp_path.name}-given")
    site.listener.reload_tls(
        renewed.combined_file, ocsp_staple_file=staple, crl_paths=str(site.crl)
    )
    assert site.listener.ocsp_staple_file == staple
    assert site.shown(attributes={"ocsp_check": "require"}) == renewed.chain_der[0]


def test_client_shows_its_new_certificate_from_the_next_connection_on(
    site: Site, pki: TestPki, tmp_path: Path
) -> None:
    file = tmp_path / "client.pem"
    write(file, Path(pki.client.combined_file).read_bytes(), secret=True)
    client = site.nets(rules_for(pki, "client", identity=None).net())
    client.SetTlsClientCertificate(file, PEM, None)
    renewed = pki.issue("Renewed Client")
    for turn, identity in enumerate((pki.client, renewed), 1):
        connect(client, site.listener)
        client.log.wait("OnSecureLinkReady", turn)
        child = site.listener.child(turn)
        child.log.wait("OnSecureLinkReady")
        assert child.tls_peer_certificates[0] == identity.chain_der[0]
        write(file, Path(renewed.combined_file).read_bytes(), secret=True)
        client.reload_tls()
        assert client.IsConnected()
        client.Close()
        client.log.wait("OnClose", turn)


def test_certificates_by_name_and_folders_of_authorities_are_read_anew(
    pki: TestPki, tmp_path: Path, nets: Nets, tmp_path_factory: pytest.TempPathFactory
) -> None:
    stranger = TestPki(tmp_path_factory.mktemp("stranger"), seed="reload folder", key="ec")
    folder, named = tmp_path / "authorities", tmp_path / "named.pem"
    folder.mkdir()
    write(folder / "one.pem", Path(pki.ca_file).read_bytes())
    first = pki.issue("First", role="server", hosts=["first.test"])
    second = pki.issue("Second", role="server", hosts=["second.test"])
    write(named, Path(first.combined_file).read_bytes(), secret=True)
    site = Site(pki, tmp_path, nets)
    site.listener.crl_paths = None
    site.listener.add_tls_ca_folder(folder)
    site.listener.add_tls_certificate(named, PEM)
    site.listen()

    def shown(name: str) -> bytes:
        return site.shown(attributes={"server_name": name})

    assert shown("first.test") == first.chain_der[0]
    assert site.meet(identity=stranger.client)[1].failure is not None
    write(named, Path(second.combined_file).read_bytes(), secret=True)
    write(folder / "two.pem", Path(stranger.ca_file).read_bytes())
    site.listener.reload_tls()
    assert shown("second.test") == second.chain_der[0]
    assert shown("first.test") == pki.server.chain_der[0]
    assert site.meet(identity=stranger.client)[1].failure is None
    (folder / "two.pem").unlink()
    named.write_text("nonsense")
    with refused(CODES.TlsCertificateFile, str(named)):
        site.listener.reload_tls()
    assert site.meet(identity=stranger.client)[1].failure is None  # all or nothing
    write(named, Path(second.combined_file).read_bytes(), secret=True)
    site.listener.reload_tls()
    assert site.meet(identity=stranger.client)[1].failure is not None


def test_copied_settings_are_read_anew_from_the_same_files(
    site: Site, pki: TestPki, tmp_path: Path
) -> None:
    file = tmp_path / "copied.pem"
    write(file, Path(pki.client.combined_file).read_bytes(), secret=True)
    first = site.nets(rules_for(pki, "client", identity=None).net())
    first.SetTlsClientCertificate(file, PEM, None)
    client = site.nets(RecordingNet(TLS))
    client.copy_tls_settings(first)
    renewed = pki.issue("Renewed Client")
    write(file, Path(renewed.combined_file).read_bytes(), secret=True)
    client.reload_tls()
    connect(client, site.listener)
    client.log.wait("OnSecureLinkReady")
    child = site.listener.child()
    child.log.wait("OnSecureLinkReady")
    assert child.tls_peer_certificates[0] == renewed.chain_der[0]


# ---- what cannot be used

BAD = {
    "own": (CODES.TlsCertificateFile, b"nonsense"),
    "ca": (CODES.TlsCAFile, b"-----BEGIN CERTIFICATE-----\nAAAA\n"),
    "crl": (CODES.FileAccess, b"-----BEGIN X509 CRL-----\nAAAA\n"),
}


@pytest.mark.parametrize("which", BAD)
@pytest.mark.parametrize("gone", [False, True])
def test_bad_file_changes_nothing_and_is_named(
    site: Site, pki: TestPki, which: str, gone: bool
) -> None:
    code, content = BAD[which]
    file: Path = getattr(site, which)
    good = file.read_bytes()
    # The others are new and good: they must not be taken by halves.
    if which != "own":
        site.show(other(pki))
    if which != "crl":
        site.revoke(pki.client)
    if gone:
        file.unlink()
    else:
        file.write_bytes(content)
    for _ in range(2):
        with refused(code, str(file)):
            site.listener.reload_tls()
    assert site.shown() == pki.server.chain_der[0]
    write(file, good)
    site.revoke()
    site.listener.reload_tls()
    assert site.meet()[0].failure is None


def test_key_of_another_certificate_changes_nothing(site: Site, pki: TestPki) -> None:
    content = Path(pki.server.certificate_file).read_bytes()
    site.own.write_bytes(content + Path(pki.client.key_file).read_bytes())
    with refused(CODES.TlsKeyMismatch, str(site.own)):
        site.listener.reload_tls()
    assert site.shown() == pki.server.chain_der[0]
    weak = pki.make("weak_key_rsa1024", "server")
    site.show(weak)
    with refused(CODES.TlsWeakKey):
        site.listener.reload_tls()
    assert site.shown() == pki.server.chain_der[0]


def test_password_is_asked_again_and_what_it_raises_comes_out(
    pki: TestPki, tmp_path: Path, nets: Nets
) -> None:
    answers: list[Any] = []

    def answer(net: Any, encryption: bool) -> Any:
        one = answers.pop(0)
        if isinstance(one, Exception):
            raise one
        return one

    site = Site(pki, tmp_path, nets, OnPrivateKeyPassword=answer)
    write(site.own, Path(pki.server.encrypted_file).read_bytes(), secret=True)
    answers[:] = ["test"]
    site.listen()
    renewed = other(pki)
    write(site.own, Path(renewed.encrypted_file).read_bytes(), secret=True)
    answers[:] = ["wrong", None, LookupError("the safe is shut"), "test"]
    for _ in range(2):
        with refused(CODES.TlsPrivateKeyPassword, str(site.own)):
            site.listener.reload_tls()
    with pytest.raises(LookupError, match="the safe is shut"):
        site.listener.reload_tls()
    assert site.shown() == pki.server.chain_der[0]
    site.listener.reload_tls()
    assert answers == []
    assert site.shown() == renewed.chain_der[0]


def test_nothing_else_changes_the_net_while_it_reloads(
    pki: TestPki, tmp_path: Path, nets: Nets
) -> None:
    seen: list[str] = []

    def answer(net: Any, encryption: bool) -> str:
        if net.children_inherit_tls:
            for what in (net.reload_tls, lambda: setattr(net, "expected_host", "x")):
                with refused(CODES.InvalidState):
                    what()
                seen.append("refused")
        return "test"

    site = Site(pki, tmp_path, nets, OnPrivateKeyPassword=answer)
    write(site.own, Path(pki.server.encrypted_file).read_bytes(), secret=True)
    site.listen().listener.reload_tls()
    assert seen == ["refused"] * 2
    site.listener.Close()
    site.listener.reload_tls()  # idle: the next Listen has it
    assert seen == ["refused"] * 4


def test_listener_that_inherits_cannot_begin_to_listen_with_what_is_being_replaced(
    pki: TestPki, tmp_path: Path, nets: Nets
) -> None:
    seen: list[str] = []

    def answer(net: Any, encryption: bool) -> str:
        if seen and net.children_inherit_tls:
            with refused(CODES.InvalidState, "reload"):
                net.Listen("127.0.0.1", 0, 64)
        seen.append("asked")
        return "test"

    site = Site(pki, tmp_path, nets, OnPrivateKeyPassword=answer)
    write(site.own, Path(pki.server.encrypted_file).read_bytes(), secret=True)
    site.listener.SetTlsClientCertificate(str(site.own), PEM, None)
    site.listener.children_inherit_tls = True
    renewed = other(pki)
    write(site.own, Path(renewed.encrypted_file).read_bytes(), secret=True)
    site.listener.reload_tls()
    assert len(seen) == 2
    site.listener.Listen("127.0.0.1", 0, 64)
    assert site.shown() == renewed.chain_der[0]


def test_listener_disposed_by_its_own_password_callback_is_dead_and_says_so(
    pki: TestPki, tmp_path: Path, nets: Nets
) -> None:
    def answer(net: Any, encryption: bool) -> str:
        if net.children_inherit_tls:
            net.Dispose()
        return "test"

    site = Site(pki, tmp_path, nets, OnPrivateKeyPassword=answer)
    write(site.own, Path(pki.server.encrypted_file).read_bytes(), secret=True)
    site.listen()
    with refused(CODES.ObjectDisposed):
        site.listener.reload_tls()


def test_reload_says_what_it_cannot_be_used_for(pki: TestPki, nets: Nets) -> None:
    with refused(CODES.InvalidState, "not TLS"):
        nets(RecordingNet()).reload_tls()
    listener = nets(Listener(lambda: None, mode=TLS))  # type: ignore[arg-type,return-value]
    rules_for(pki, "server").apply(listener)
    listener.Listen("127.0.0.1", 0, 4)
    with refused(CODES.InvalidState, "children_inherit_tls"):
        listener.reload_tls()
    net = nets(rules_for(pki, "client").net())
    with refused(CODES.Parameter, "without its certificate"):
        net.reload_tls(keyFile=pki.client.key_file)
    with pytest.raises(TypeError):
        net.reload_tls(b"bytes", PEM, pki.client.key_file)
    with refused(CODES.Parameter, "crl_paths"):
        net.reload_tls(crl_paths=[""])
    for name in ("certFile", "ca", "crl_paths", "ocsp_staple_file"):
        with refused(CODES.Parameter, name, "empty"):
            net.reload_tls(**{name: () if name == "crl_paths" else ""})
    with pytest.raises(TypeError):
        net.reload_tls(ocsp_staple_file=b"bytes")
    net.Dispose()
    with refused(CODES.ObjectDisposed):
        net.reload_tls()


# ---- what children inherit


def test_settings_of_a_child_do_not_count_when_it_inherits(
    site: Site, pki: TestPki, library_log: LibraryLog
) -> None:
    lax = Rules(identity=pki.client, flags=NO_CHECK)
    site.listener.make_child = lambda: site.nets(lax.net())
    client, child = site.meet(identity=None)
    assert child.failure.code == CODES.TlsCertificateRequired
    client, child = site.meet()
    assert client.tls_peer_certificates[0] == pki.server.chain_der[0]
    assert child.tls_verified
    assert len(calls_of(child)) == 3  # its own OnVerify judges


def test_children_have_settings_of_their_own_unless_they_inherit(pki: TestPki, nets: Nets) -> None:
    listener = nets(Listener(lambda: nets(rules_for(pki, "server").net()), mode=TLS))
    Rules(identity=other(pki), ca=pki.ca_file).apply(listener)
    assert listener.children_inherit_tls is False
    listener.Listen("127.0.0.1", 0, 4)
    client = nets(rules_for(pki, "client").net())
    connect(client, listener)
    assert client.log.wait("OnSecureLinkReady").code == CODES.Success
    assert client.tls_peer_certificates[0] == pki.server.chain_der[0]


def test_listener_without_a_certificate_for_its_children_cannot_listen(
    pki: TestPki, nets: Nets
) -> None:
    listener = nets(Listener(mode=TLS))
    Rules(ca=pki.ca_file).apply(listener)
    listener.children_inherit_tls = True
    with refused(CODES.TlsCertificateMissing):
        listener.Listen("127.0.0.1", 0, 4)
    listener.SetTlsClientCertificate(pki.server.combined_file, PEM, None)
    listener.Listen("127.0.0.1", 0, 4)


def test_plain_child_does_not_inherit(site: Site) -> None:
    said: list[BaseException] = []

    def accept(net: Any, error: Any) -> None:
        child = site.nets(RecordingNet(DicomNetSecurityMode.None_))
        with refused(CODES.InvalidState):
            net.Accept(child)
        said.append(LookupError("refused"))

    site.listener.hooks["OnAccept"] = accept
    client = site.nets(rules_for(site.pki, "client").net())
    connect(client, site.listener)
    site.listener.log.wait("OnAccept")
    assert len(said) == 1
