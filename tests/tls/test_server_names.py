"""The server's name: sent by a client, and chosen by at a server that has several certificates."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat._binding import reads
from leadtools_compat.dicom import DicomException
from leadtools_compat.testing import Identity, TestPki
from tests.support import PATIENCE, Listener, refused
from tests.tls import rawtls
from tests.tls.issued import issue
from tests.tls.peers import openssl_client, openssl_server, own
from tests.tls.tls_tools import (
    CODES,
    PEM,
    TLS,
    VERSIONS,
    Unjudged,
    calls_of,
    rules_for,
)

Nets = Callable[[Any], Any]
Serve = Callable[..., Listener]
UNRECOGNIZED_NAME = 112
in_both_versions = pytest.mark.parametrize("version", VERSIONS)


# ---- sent


def sent_by(nets: Nets, pki: TestPki, host: str, **settings: Any) -> str | None:
    """Let a client connect to `host`, which is this computer; give the server name it sends."""

    def apply(net: Any) -> None:
        for name, value in settings.items():
            setattr(net, name, value)

    with rawtls.listening() as listener:
        client = nets(rules_for(pki, "client", also=apply).net())
        client.Connect(None, 0, host, listener.getsockname()[1])
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(PATIENCE)
            _, extensions = rawtls.read_client_hello(rawtls.Channel(connection))
        client.log.wait("OnClose")
    name = extensions[0][5:].decode() if 0 in extensions else None
    assert client.tls_server_name == (name or "")
    return name


SENT: list[tuple[str, dict[str, Any], str | None]] = [
    ("localhost", {}, "localhost"),
    ("LocalHost", {}, "localhost"),
    ("127.0.0.1", {}, None),
    ("localhost", {"server_name": "pacs.test"}, "pacs.test"),
    ("127.0.0.1", {"server_name": "PACS.test."}, "pacs.test"),
    ("localhost", {"server_name": ""}, None),
    ("localhost", {"expected_host": "pacs.test"}, "pacs.test"),
    ("127.0.0.1", {"expected_host": "pacs.test"}, "pacs.test"),
    ("localhost", {"expected_host": "192.0.2.7"}, "localhost"),
    ("127.0.0.1", {"expected_host": "192.0.2.7"}, None),
    ("localhost", {"expected_host": "pacs.test", "server_name": "front.test"}, "front.test"),
    ("localhost", {"expected_host": "pacs.test", "server_name": ""}, None),
]


@pytest.mark.parametrize(("host", "settings", "name"), SENT)
def test_client_sends_the_name_it_was_told_or_connects_by(
    nets: Nets, pki: TestPki, host: str, settings: dict[str, Any], name: str | None
) -> None:
    assert sent_by(nets, pki, host, **settings) == name


@pytest.mark.parametrize(
    "name", ["192.0.2.7", "::1", "a b", "röntgen.test", "a..b", "x" * 64, "a\0b", "*.test", "."]
)
def test_what_is_no_server_name_is_refused(nets: Nets, pki: TestPki, name: str) -> None:
    net = nets(rules_for(pki, "client").net())
    with refused(CODES.Parameter):
        net.server_name = name
    assert net.server_name is None
    with pytest.raises(TypeError):
        net.server_name = 5


@in_both_versions
def test_openssl_server_hears_the_name(
    nets: Nets, pki: TestPki, tmp_path: Path, version: str
) -> None:
    second = issue(pki, tmp_path, "second", names=["second.test"])
    options = (*own(pki.server), "-servername", "second.test")
    with openssl_server(
        *options, "-cert2", second.certificate_file, "-key2", second.key_file
    ) as it:
        for name, subject in (("second.test", "CN = second"), ("other.test", "")):
            client = nets(rules_for(pki, "client", method=VERSIONS[version]).net())
            client.add_tls_ca_file(pki.intermediate.certificate_file)  # it sends no second chain
            client.server_name = name
            client.Connect(None, 0, "127.0.0.1", it.port)
            assert client.log.wait("OnSecureLinkReady").code == CODES.Success
            assert (calls_of(client)[-1].subject == "CN = second") == bool(subject)
            it.wait_for(f'Hostname in TLS extension: "{name}"')
            client.CloseForced(True)
            client.log.wait("OnClose")


def test_python_server_hears_the_name(nets: Nets, pki: TestPki) -> None:
    heard: list[str | None] = []
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=pki.ca_file)
    context.load_cert_chain(pki.server.combined_file)
    context.sni_callback = lambda link, name, _: heard.append(name)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, context.wrap_socket(connection, server_side=True) as link:
                link.recv(1)

        thread = threading.Thread(target=serve)
        thread.start()
        client = nets(rules_for(pki, "client", host="localhost").net())
        client.Connect(None, 0, "localhost", listener.getsockname()[1])
        assert client.log.wait("OnSecureLinkReady").code == CODES.Success
        client.Close()
        thread.join(PATIENCE)
    assert heard == ["localhost"]


def test_refusal_by_name_is_explained_at_the_client(nets: Nets, pki: TestPki) -> None:
    with openssl_server(
        *own(pki.server),
        "-servername",
        "known.test",
        "-servername_fatal",
        *("-cert2", pki.server.certificate_file, "-key2", pki.server.key_file),
    ) as server:
        client = nets(rules_for(pki, "client").net())
        client.server_name = "unknown.test"
        client.Connect(None, 0, "127.0.0.1", server.port)
        assert client.log.wait("OnSecureLinkReady").code == CODES.TlsAlertReceived
        failure = client.failure
        assert failure.alert_received == UNRECOGNIZED_NAME
        assert "unknown.test" in failure.remedy
        assert "server_name" in failure.remedy


# ---- served


@pytest.fixture
def several(pki: TestPki, tmp_path: Path) -> dict[str, Identity]:
    """Certificates for several names; `exact` also is what a pattern of `star` stands for."""
    return {
        "exact": issue(pki, tmp_path, "exact", names=["one.star.test", "exact.test"]),
        "star": issue(pki, tmp_path, "star", names=["*.star.test"]),
        "alone": issue(pki, tmp_path, "alone", names=["alone.test"], by_itself=True),
    }


@pytest.fixture
def serve(nets: Nets, pki: TestPki, several: dict[str, Identity]) -> Serve:
    """Listen with all certificates."""
    added = [several[name] for name in ("star", "exact", "alone")]

    def start(version: str = "TLSv1.3", refuse: bool = False, **more: Any) -> Listener:
        def apply(net: Any) -> None:
            for identity in added:
                net.add_tls_certificate(identity.combined_file, PEM)
            net.tls_refuse_unknown_names = refuse
            for name, value in more.items():
                setattr(net, name, value)

        rules = rules_for(pki, "server", also=apply, method=VERSIONS[version])
        listener: Listener = nets(Listener(lambda: nets(rules.net())))
        listener.Listen("127.0.0.1", 0, 16)
        return listener

    return start


# What a client asks for, and the common name of what it gets; None: the default certificate.
ASKED = {
    "exact.test": "exact",
    "EXACT.test": "exact",
    "one.star.test": "exact",
    "two.star.test": "star",
    "a.b.star.test": None,
    "star.test": None,
    "alone.test": "alone",
    "elsewhere.test": None,
    "localhost": None,
}


def subject_in(printed: str) -> str:
    found = re.search(r"^subject=.*CN ?= ?([^,\n]+)", printed, re.M)
    assert found, printed
    return found[1]


@in_both_versions
@pytest.mark.parametrize("asked", ASKED)
def test_openssl_client_gets_the_certificate_of_the_name(
    serve: Serve, pki: TestPki, asked: str, version: str
) -> None:
    listener = serve(version)
    printed = openssl_client(
        listener.HostPort, *own(pki.client), "-servername", asked, "-showcerts"
    )
    child = listener.child()
    assert child.log.wait("OnSecureLinkReady").code == CODES.Success
    default = subject_in(openssl_client(serve(version).HostPort, *own(pki.client), "-noservername"))
    assert subject_in(printed) == (ASKED[asked] or default)
    assert printed.count("BEGIN CERTIFICATE") == (1 if asked == "alone.test" else 2)
    assert child.tls_server_name == asked.lower()
    assert child.tls_verified


@in_both_versions
def test_own_client_gets_the_certificate_of_the_name_and_checks_it(
    serve: Serve, nets: Nets, pki: TestPki, version: str
) -> None:
    listener = serve(version)
    for number, name in enumerate(("two.star.test", "exact.test"), 1):
        client = nets(rules_for(pki, "client", host=name).net())
        client.Connect(None, 0, "127.0.0.1", listener.HostPort)
        assert client.log.wait("OnSecureLinkReady").code == CODES.Success
        assert client.tls_verified
        child = listener.child(number)
        assert child.log.wait("OnSecureLinkReady").code == CODES.Success
        assert (client.tls_server_name, child.tls_server_name) == (name, name)
    client = nets(rules_for(pki, "client", host="elsewhere.test").net())
    client.Connect(None, 0, "127.0.0.1", listener.HostPort)
    assert client.log.wait("OnSecureLinkReady").code == CODES.TlsCertificateRejected


def test_python_client_gets_the_certificate_of_the_name(serve: Serve, pki: TestPki) -> None:
    listener = serve()
    context = ssl.create_default_context(cafile=pki.ca_file)
    context.load_cert_chain(pki.client.combined_file)
    address = ("127.0.0.1", listener.HostPort)
    with (
        socket.create_connection(address, PATIENCE) as plain,
        context.wrap_socket(plain, server_hostname="two.star.test") as link,
    ):
        assert dict(link.getpeercert()["subjectAltName"]) == {"DNS": "*.star.test"}  # type: ignore[index,arg-type]
    with (
        socket.create_connection(address, PATIENCE) as plain,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        context.wrap_socket(plain, server_hostname="elsewhere.test")


@in_both_versions
def test_choice_holds_when_the_client_has_to_greet_again(
    serve: Serve, pki: TestPki, version: str
) -> None:
    """A group that we do not have is offered with its key: HelloRetryRequest in TLS 1.3."""
    listener = serve(version)
    options = ("-servername", "exact.test", "-groups", "X448:P-256", "-msg")
    printed = openssl_client(listener.HostPort, *own(pki.client), *options)
    assert subject_in(printed) == "exact"
    hellos = len(re.findall(r">>> .*ClientHello", printed))
    assert hellos == (2 if version == "TLSv1.3" else 1)
    assert listener.child().log.wait("OnSecureLinkReady").code == CODES.Success


@in_both_versions
def test_use_of_the_name_is_acknowledged(serve: Serve, pki: TestPki, version: str) -> None:
    """RFC 6066, 3: an empty server_name extension in the answer."""
    listener = serve(version)
    for asked, used in (("exact.test", True), ("localhost", True), ("elsewhere.test", False)):
        options = ("-servername", asked, "-tlsextdebug")
        printed = openssl_client(listener.HostPort, *own(pki.client), *options)
        assert ('TLS server extension "server name" (id=0), len=0' in printed) == used


@in_both_versions
@pytest.mark.parametrize("asked", ["elsewhere.test", "a.b.star.test", "x" * 63 + ".test"])
def test_unknown_name_is_refused_where_that_is_set(
    serve: Serve, pki: TestPki, asked: str, version: str
) -> None:
    listener = serve(version, refuse=True)
    printed = openssl_client(listener.HostPort, *own(pki.client), "-servername", asked)
    assert "unrecognized name" in printed
    child = listener.child()
    assert child.log.wait("OnSecureLinkReady").code == CODES.TlsFailure
    failure = child.failure
    assert failure.code == CODES.TlsFailure
    assert (failure.stage, failure.side) == ("tls", "local")
    assert failure.alert_sent == UNRECOGNIZED_NAME
    assert asked in failure.message
    assert "Add a certificate" in failure.remedy
    assert child.tls_server_name == asked


@pytest.mark.parametrize("asked", ["exact.test", "two.star.test", "alone.test", "localhost", ""])
def test_known_name_and_no_name_are_taken_where_unknown_ones_are_refused(
    serve: Serve, pki: TestPki, asked: str
) -> None:
    listener = serve(refuse=True)
    options = ("-servername", asked) if asked else ("-noservername",)
    openssl_client(listener.HostPort, *own(pki.client), *options)
    assert listener.child().log.wait("OnSecureLinkReady").code == CODES.Success
    assert listener.child().tls_server_name == asked


def test_unknown_names_are_refused_with_one_certificate_too(
    listen: Callable[..., Listener], nets: Nets, pki: TestPki
) -> None:
    def apply(net: Any) -> None:
        net.tls_refuse_unknown_names = True

    listener = listen(lambda: nets(rules_for(pki, "server", also=apply).net()))
    for number, (asked, code) in enumerate(
        (("localhost", CODES.Success), ("other.test", CODES.TlsFailure)), 1
    ):
        openssl_client(listener.HostPort, *own(pki.client), "-servername", asked)
        assert listener.child(number).log.wait("OnSecureLinkReady").code == code


STRANGE = {
    "empty extension": b"",
    "empty list": b"\0\0",
    "list too long": b"\0\x20\0\0\x01a",
    "name too long": b"\0\x04\0\0\x20a",
    "another type": b"\0\x04\x07\0\x01a",
    "empty name": b"\0\x03\0\0\0",
    "NUL in the name": b"\0\x08\0\0\x05a\0b.c",
    "newline in the name": b"\0\x08\0\0\x05a\nb.c",
    "address": b"\0\x0c\0\0\x09192.0.2.1",
    "rest behind": b"\0\x04\0\0\x01aa",
    "very long name": b"\x03\xeb\0\x03\xe8" + b"a" * 1000,
}


@pytest.mark.parametrize("refuse", [False, True])
@pytest.mark.parametrize("case", STRANGE)
def test_strange_name_harms_nobody(serve: Serve, pki: TestPki, case: str, refuse: bool) -> None:
    listener = serve("TLSv1.2", refuse=refuse)
    hello = rawtls.client_hello(rawtls.SUITE_12, rawtls.extension(0, STRANGE[case]))
    with socket.create_connection(("127.0.0.1", listener.HostPort), PATIENCE) as connection:
        rawtls.Channel(connection).send(hello)
        connection.shutdown(socket.SHUT_WR)
        said = connection.recv(5)
    child = listener.child()
    child.log.wait("OnClose")
    assert said[:1] in (b"\x15", b"\x16")  # an alert, or a ServerHello
    if refuse:
        assert said[:1] == b"\x15"
        assert child.failure.alert_sent == UNRECOGNIZED_NAME
    assert "\n" not in child.tls_server_name
    assert len(child.tls_server_name) <= 4 * 256
    printed = openssl_client(listener.HostPort, *own(pki.client), "-servername", "exact.test")
    assert subject_in(printed) == "exact"


# ---- sessions


@pytest.fixture
def serve_again(nets: Nets, pki: TestPki, several: dict[str, Identity]) -> Serve:
    """Listen with all certificates and resumption."""

    def start(version: str) -> Listener:
        def child() -> Any:
            net = rules_for(pki, "server", method=VERSIONS[version]).apply(Unjudged(TLS))
            net.tls_resumption = True
            for name in ("exact", "star"):
                net.add_tls_certificate(several[name].combined_file, PEM)
            return nets(net)

        listener: Listener = nets(Listener(child))
        listener.Listen("127.0.0.1", 0, 16)
        return listener

    return start


@in_both_versions
def test_own_client_keeps_a_session_for_each_name(
    serve_again: Serve, nets: Nets, pki: TestPki, version: str
) -> None:
    listener = serve_again(version)

    def resumed(number: int, name: str) -> bool:
        client = nets(rules_for(pki, "client").apply(Unjudged(TLS)))
        client.tls_resumption = True
        client.server_name = name
        client.Connect(None, 0, "127.0.0.1", listener.HostPort)
        assert client.log.wait("OnSecureLinkReady").code == CODES.Success
        child = listener.child(number)
        assert child.log.wait("OnSecureLinkReady").code == CODES.Success
        assert child.tls_server_name == client.tls_server_name == name
        assert child.tls_resumed == client.tls_resumed
        answer: bool = client.tls_resumed
        client.Close()
        client.log.wait("OnClose")
        return answer

    names = ("exact.test", "two.star.test", "")
    assert [resumed(i, name) for i, name in enumerate(names, 1)] == [False] * 3
    assert [resumed(i, name) for i, name in enumerate(names, 4)] == [True] * 3


@in_both_versions
def test_session_of_one_certificate_is_not_resumed_with_another(
    serve_again: Serve, pki: TestPki, version: str
) -> None:
    listener = serve_again(version)
    context = ssl.create_default_context(cafile=pki.ca_file)
    context.check_hostname = False
    context.load_cert_chain(pki.client.combined_file)
    sessions: list[ssl.SSLSession] = []

    def dial(number: int, name: str, session: ssl.SSLSession | None) -> tuple[bool | None, str]:
        with socket.create_connection(("127.0.0.1", listener.HostPort), PATIENCE) as plain:
            link = context.wrap_socket(plain, server_hostname=name, session=session)
            with link:
                child = listener.child(number)
                assert child.log.wait("OnSecureLinkReady").code == CODES.Success
                child.Close()
                assert link.recv(1) == b""  # its ticket has come before
                assert link.session is not None
                sessions.append(link.session)
                names = link.getpeercert()["subjectAltName"]  # type: ignore[index]
                return link.session_reused, str(names[0][1])

    assert dial(1, "exact.test", None) == (False, "one.star.test")
    assert dial(2, "exact.test", sessions[0]) == (True, "one.star.test")
    assert dial(3, "two.star.test", sessions[0]) == (False, "*.star.test")
    assert dial(4, "two.star.test", sessions[-1]) == (True, "*.star.test")


# ---- loading


def test_next_child_reads_no_file_twice(
    serve: Serve, pki: TestPki, several: dict[str, Identity]
) -> None:
    listener = serve()
    openssl_client(listener.HostPort, *own(pki.client), "-servername", "exact.test")
    assert listener.child().log.wait("OnSecureLinkReady").code == CODES.Success
    before = reads.statistics()["files_read"]
    openssl_client(listener.HostPort, *own(pki.client), "-servername", "alone.test")
    assert listener.child(2).log.wait("OnSecureLinkReady").code == CODES.Success
    # Its own, its CA file, and the added ones: at most once each, however many contexts there are.
    assert reads.statistics()["files_read"] - before <= len(several) + 2


def test_names_may_be_given_in_place_of_those_of_the_certificate(
    listen: Callable[..., Listener], nets: Nets, pki: TestPki, several: dict[str, Identity]
) -> None:
    star = several["star"]

    def apply(net: Any) -> None:
        content = Path(star.certificate_file).read_bytes(), Path(star.key_file).read_bytes()
        net.add_tls_certificate(content[0], PEM, content[1], names=["First.test", "*.second.test"])

    listener = listen(lambda: nets(rules_for(pki, "server", also=apply).net()))
    for asked, given in (
        *(("first.test", True), ("a.second.test", True)),
        *(("two.star.test", False), ("second.test", False)),
    ):
        printed = openssl_client(listener.HostPort, *own(pki.client), "-servername", asked)
        assert (subject_in(printed) == "star") == given


def test_cleared_certificates_are_forgotten(
    listen: Callable[..., Listener], nets: Nets, pki: TestPki, several: dict[str, Identity]
) -> None:
    def apply(net: Any) -> None:
        net.add_tls_certificate(several["exact"].combined_file, PEM)
        net.clear_tls_certificates()

    listener = listen(lambda: nets(rules_for(pki, "server", also=apply).net()))
    printed = openssl_client(listener.HostPort, *own(pki.client), "-servername", "exact.test")
    assert subject_in(printed) != "exact"


def test_password_of_an_added_key_is_asked_for(
    listen: Callable[..., Listener], nets: Nets, pki: TestPki
) -> None:
    def apply(net: Any) -> None:
        net.add_tls_certificate(pki.server.encrypted_file, PEM, names="locked.test")

    password = pki.server.key_password
    hooks = {"OnPrivateKeyPassword": lambda net, encryption: password}
    listener = listen(lambda: nets(rules_for(pki, "server", also=apply, hooks=hooks).net()))
    openssl_client(listener.HostPort, *own(pki.client), "-servername", "locked.test")
    assert listener.child().log.wait("OnSecureLinkReady").code == CODES.Success
    net = nets(rules_for(pki, "server").net(OnPrivateKeyPassword=lambda *_: "wrong"))
    with refused(CODES.TlsPrivateKeyPassword):
        net.add_tls_certificate(pki.server.encrypted_file, PEM, names="locked.test")


def test_what_cannot_be_added_is_refused(nets: Nets, pki: TestPki, tmp_path: Path) -> None:
    net = nets(rules_for(pki, "server").net())
    nameless = issue(pki, tmp_path, "nameless")
    server = pki.server
    with refused(CODES.Parameter, "no DNS name"):
        net.add_tls_certificate(nameless.combined_file, PEM)
    for names in ("192.0.2.1", "a..b", ["good.test", "*.*.test"], [], "  ,"):
        with refused(CODES.Parameter):
            net.add_tls_certificate(server.combined_file, PEM, names=names)
    with refused(CODES.TlsKeyMismatch):
        net.add_tls_certificate(server.certificate_file, PEM, nameless.key_file, names="a.test")
    with refused(CODES.TlsCertificateFile):
        net.add_tls_certificate(tmp_path / "missing.pem", PEM, names="a.test")
    with refused(CODES.TlsCertificateFile):
        net.add_tls_certificate("", PEM)
    for files in ((b"x", "key.pem"), ("cert.pem", b"x")):
        with pytest.raises(TypeError):
            net.add_tls_certificate(files[0], PEM, files[1])
    for _ in range(64):
        net.add_tls_certificate(server.combined_file, PEM, names="a.test")
    with refused(CODES.Parameter, "64"):
        net.add_tls_certificate(server.combined_file, PEM, names="a.test")


def test_added_certificate_that_is_too_weak_is_named_by_accept(
    nets: Nets, pki: TestPki, several: dict[str, Identity]
) -> None:
    def apply(net: Any) -> None:
        net.SetTlsClientCertificate(several["alone"].combined_file, PEM)
        net.add_tls_certificate(several["star"].combined_file, PEM)
        net.set_tls_minimum_strength(ec_bits=521)
        net.set_tls_minimum_strength(hash_bits=384)  # of the one that is not signed by itself

    failed: list[DicomException] = []

    def accept(listener: Any, error: Any) -> None:
        try:
            listener.Accept(nets(rules_for(pki, "server", also=apply).net()))
        except DicomException as problem:
            failed.append(problem)

    listener = nets(Listener(OnAccept=accept))
    listener.Listen("127.0.0.1", 0, 4)
    with socket.create_connection(("127.0.0.1", listener.HostPort), PATIENCE):
        listener.log.wait("OnAccept")
    (error,) = failed
    assert error.Code == CODES.TlsWeakKey
    assert "*.star.test" in error.Message
