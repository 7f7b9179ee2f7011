"""More CA certificates than one file: further files, folders, the computer's store, whole chains."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat.testing import TestPki
from leadtools_compat.testing.files import pem
from tests.support import NO_CHECK, Listener, RecordingNet, refused
from tests.tls.conftest import Meet
from tests.tls.peers import openssl_client, openssl_server, own
from tests.tls.tls_tools import (
    CODES,
    FINDINGS,
    SIDES,
    TLS,
    UNKNOWN_CA,
    LibraryLog,
    Meeting,
    Side,
    Unjudged,
    calls_of,
    other_side,
    rules_for,
)

Nets = Callable[[Any], Any]
Trust = Callable[..., Meeting]
at_either_side = pytest.mark.parametrize("side", SIDES)


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> TestPki:
    """Another PKI."""
    return TestPki(tmp_path_factory.mktemp("stranger"), seed="trust", key="ec")


@pytest.fixture
def trusting(meet: Meet, pki: TestPki) -> Trust:
    """Let a side without a CA file judge a good peer with the trust that `also` gives it."""

    def start(side: Side, also: Callable[[Any], object] | None, **changes: Any) -> Meeting:
        judge = rules_for(pki, side, ca=None, also=also).but(**changes)
        rules = {side: judge, other_side(side): rules_for(pki, other_side(side))}
        return meet(rules["server"], rules["client"])

    return start


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "trust"
    made.mkdir()
    return made


def adding(*calls: tuple[str, Any]) -> Callable[[Any], None]:
    def add(net: Any) -> None:
        for name, value in calls:
            getattr(net, name)(value)

    return add


# ---- files


@at_either_side
@pytest.mark.parametrize("form", ["pem", "der"])
def test_added_file_is_trusted_beside_the_others(
    trusting: Trust, pki: TestPki, stranger: TestPki, tmp_path: Path, side: Side, form: str
) -> None:
    file = tmp_path / f"root.{form}"
    root = pki.root.certificate_der
    file.write_bytes(root if form == "der" else pem("CERTIFICATE", root))
    meeting = trusting(side, adding(("add_tls_ca_file", file)), ca=stranger.ca_file)
    assert meeting.linked, meeting.of(side).failure
    assert meeting.of(side).tls_verified
    both = adding(("add_tls_ca_file", stranger.ca_file), ("add_tls_ca_file", file))
    assert trusting(side, both).linked


@at_either_side
def test_without_it_the_peer_is_unknown(trusting: Trust, stranger: TestPki, side: Side) -> None:
    meeting = trusting(side, adding(("add_tls_ca_file", stranger.ca_file)))
    assert not meeting.linked
    failure = meeting.of(side).failure
    assert failure.code == CODES.TlsCertificateRejected
    assert failure.alert_sent == UNKNOWN_CA


BAD_FILES = {
    "missing": None,
    "empty": b"",
    "garbage": b"nothing of the kind",
    "broken": b"\x30\x82",
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_file_that_cannot_be_used_is_an_error_and_changes_nothing(
    nets: Nets, pki: TestPki, tmp_path: Path, case: str
) -> None:
    net = nets(rules_for(pki, "client").net())
    file = tmp_path / "ca.pem"
    content = BAD_FILES[case]
    if content is not None:
        file.write_bytes(content)
    with refused(CODES.TlsCAFile, str(file)):
        net.add_tls_ca_file(file)
    with refused(CODES.TlsCAFile, "no path"):
        net.add_tls_ca_file("")
    with pytest.raises(TypeError):
        net.add_tls_ca_file(5)
    with openssl_server(*own(pki.server)) as server:
        net.Connect(None, 0, "127.0.0.1", server.port)
        assert net.log.wait("OnSecureLinkReady").code == CODES.Success


def test_server_names_all_its_authorities(
    listen: Callable[..., Listener], nets: Nets, pki: TestPki, stranger: TestPki, folder: Path
) -> None:
    for number, one in enumerate((stranger.root, stranger.intermediate)):
        (folder / f"{number}.pem").write_bytes(pem("CERTIFICATE", one.certificate_der))
    also = adding(("add_tls_ca_folder", folder))
    listener = listen(lambda: nets(rules_for(pki, "server", also=also).net()))
    printed = openssl_client(listener.HostPort, *own(pki.client))
    names = printed.partition("Acceptable client certificate CA names")[2].splitlines()[1:4]
    assert sum("Root CA" in one for one in names) >= 1
    assert sum("Intermediate CA" in one for one in names) == 1


# ---- folders


@at_either_side
def test_folder_is_trusted_whatever_its_files_are_called(
    trusting: Trust, pki: TestPki, stranger: TestPki, folder: Path, side: Side
) -> None:
    (folder / "9d66eef0.0").write_bytes(pem("CERTIFICATE", pki.root.certificate_der))
    os.link(folder / "9d66eef0.0", folder / "again.pem")
    (folder / "link.crt").symlink_to("again.pem")
    (folder / "other").write_bytes(stranger.root.certificate_der)
    (folder / "below").mkdir()
    (folder / ".hidden.pem").write_bytes(b"not looked at")
    meeting = trusting(side, adding(("add_tls_ca_folder", folder)))
    assert meeting.linked, meeting.of(side).failure
    assert [call.code for call in calls_of(meeting.of(side))] == ["Success"] * 3


def test_der_files_of_a_folder_count(trusting: Trust, pki: TestPki, folder: Path) -> None:
    (folder / "root").write_bytes(pki.root.certificate_der)
    assert trusting("client", adding(("add_tls_ca_folder", folder))).linked


def test_several_certificates_in_one_file_of_a_folder_count(
    trusting: Trust, pki: TestPki, stranger: TestPki, folder: Path
) -> None:
    roots = stranger.root.certificate_der, pki.root.certificate_der
    (folder / "bundle.pem").write_bytes(b"# ours\n" + pem("CERTIFICATE", *roots))
    assert trusting("client", adding(("add_tls_ca_folder", folder))).linked


def test_files_that_cannot_be_read_are_told_and_left_out(
    trusting: Trust, pki: TestPki, folder: Path, library_log: LibraryLog
) -> None:
    (folder / "good.pem").write_bytes(pem("CERTIFICATE", pki.root.certificate_der))
    (folder / "README").write_text("what is here")
    (folder / "key.pem").write_bytes(Path(pki.client.key_file).read_bytes())
    (folder / "dangling").symlink_to("nowhere")
    (folder / "broken.pem").write_bytes(
        pem("CERTIFICATE", pki.intermediate.certificate_der).replace(b"M", b"?", 3)
    )
    os.mkfifo(folder / "pipe")
    assert trusting("client", adding(("add_tls_ca_folder", folder))).linked
    told = library_log.about_settings("left out")
    for name in ("README", "key.pem", "dangling", "broken.pem"):
        assert any(name in one for one in told), told
    assert not any("good.pem" in one or "pipe" in one for one in told)


def test_many_such_files_are_told_in_few_lines(
    nets: Nets, pki: TestPki, folder: Path, library_log: LibraryLog
) -> None:
    (folder / "good.pem").write_bytes(pem("CERTIFICATE", pki.root.certificate_der))
    for number in range(100):
        (folder / f"{number}.txt").write_text("x")
    net = nets(rules_for(pki, "client").net())
    net.add_tls_ca_folder(folder)
    told = library_log.about_settings("left out")
    assert len(told) == 21
    assert "100" in told[-1]


def test_folder_with_nothing_to_read_is_an_error(
    nets: Nets, pki: TestPki, folder: Path, tmp_path: Path
) -> None:
    net = nets(rules_for(pki, "client").net())
    with refused(CODES.TlsCAFile, str(folder), "no readable certificate"):
        net.add_tls_ca_folder(folder)
    (folder / "README").write_text("nothing")
    with refused(CODES.TlsCAFile, str(folder)):
        net.add_tls_ca_folder(folder)
    for wrong in (tmp_path / "missing", pki.ca_file):
        with refused(CODES.TlsCAFile, str(wrong)):
            net.add_tls_ca_folder(wrong)


def test_change_in_a_folder_counts_for_the_next_net(
    trusting: Trust, pki: TestPki, stranger: TestPki, folder: Path
) -> None:
    file = folder / "root.pem"
    file.write_bytes(pem("CERTIFICATE", pki.root.certificate_der))
    also = adding(("add_tls_ca_folder", folder))
    assert trusting("client", also).linked
    file.write_bytes(pem("CERTIFICATE", stranger.root.certificate_der))
    assert not trusting("client", also).linked
    shutil.copy(pki.ca_file, folder / "another")
    assert trusting("client", also).linked


def test_trust_counts_in_resumption(nets: Nets, pki: TestPki, stranger: TestPki) -> None:
    def child() -> Any:
        net = rules_for(pki, "server").apply(Unjudged(TLS))
        net.tls_resumption = True
        return nets(net)

    listener = nets(Listener(child))
    listener.Listen("127.0.0.1", 0, 16)

    def resumed(*files: str) -> bool:
        also = adding(*(("add_tls_ca_file", file) for file in files))
        net = nets(rules_for(pki, "client", also=also).apply(Unjudged(TLS)))
        net.tls_resumption = True
        net.Connect(None, 0, "127.0.0.1", listener.HostPort)
        assert net.log.wait("OnSecureLinkReady").code == CODES.Success
        answer: bool = net.tls_resumed
        net.Close()
        net.log.wait("OnClose")
        return answer

    assert [resumed(), resumed()] == [False, True]
    assert [resumed(stranger.ca_file), resumed(stranger.ca_file)] == [False, True]


# ---- the computer's store


@at_either_side
@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_store_of_the_computer_is_trusted_by_explicit_call_only(
    monkeypatch: pytest.MonkeyPatch,
    trusting: Trust,
    pki: TestPki,
    folder: Path,
    side: Side,
    variable: str,
) -> None:
    shutil.copy(pki.ca_file, folder / "root.pem")
    monkeypatch.setenv(variable, str(folder / "root.pem" if "FILE" in variable else folder))
    assert not trusting(side, None).linked
    meeting = trusting(side, lambda net: net.add_tls_system_trust())
    assert meeting.linked, meeting.of(side).failure
    assert meeting.of(side).tls_verified


def test_store_that_is_not_there_is_an_error(
    monkeypatch: pytest.MonkeyPatch, nets: Nets, pki: TestPki, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    net = nets(rules_for(pki, "client").net())
    with refused(CODES.TlsCAFile, "missing.pem"):
        net.add_tls_system_trust()


# ---- whole chains


@at_either_side
def test_intermediate_in_the_file_is_no_anchor_where_chains_must_be_whole(
    trusting: Trust, pki: TestPki, tmp_path: Path, side: Side
) -> None:
    def whole(net: Any) -> None:
        net.tls_partial_chain = False

    intermediate = pki.intermediate.certificate_file
    assert trusting(side, None, ca=intermediate).linked
    meeting = trusting(side, whole, ca=intermediate)
    assert not meeting.linked
    assert meeting.of(side).failure.certificate_code == FINDINGS.UnableToGetIssuerCert
    assert trusting(side, whole, ca=pki.ca_file).linked


# ---- when


def test_trust_ends_with_the_next_initialize(nets: Nets, pki: TestPki, stranger: TestPki) -> None:
    net = nets(rules_for(pki, "client", ca=None).net())
    net.add_tls_ca_file(pki.ca_file)
    rules_for(pki, "client", ca=stranger.ca_file).apply(net)
    with openssl_server(*own(pki.server)) as server:
        net.Connect(None, 0, "127.0.0.1", server.port)
        assert net.log.wait("OnSecureLinkReady").code == CODES.TlsCertificateRejected


def test_trust_cannot_be_changed_while_connected_nor_on_a_plain_net(
    meet: Meet, nets: Nets, pki: TestPki, folder: Path
) -> None:
    net = meet(rules_for(pki, "server"), rules_for(pki, "client")).client
    plain = nets(RecordingNet())
    for busy in (net, plain):
        with refused(CODES.InvalidState):
            busy.add_tls_ca_file(pki.ca_file)
        with refused(CODES.InvalidState):
            busy.add_tls_ca_folder(folder)
        with refused(CODES.InvalidState):
            busy.add_tls_system_trust()


def test_unverified_client_with_more_trust_says_what_it_found(
    trusting: Trust, pki: TestPki
) -> None:
    meeting = trusting("client", adding(("add_tls_ca_file", pki.ca_file)), flags=NO_CHECK)
    assert meeting.linked
    assert meeting.client.tls_verified
