"""The application protocol ``dicom`` (ALPN): offered, taken, insisted on; both roles, and peers of others."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from leadtools_compat.testing import TestPki
from tests.support import PATIENCE, Listener, refused
from tests.tls.conftest import Meet
from tests.tls.peers import openssl_client, openssl_server, own
from tests.tls.tls_tools import CODES, VERSIONS, rules_for

Nets = Callable[[Any], Any]
MODES = ("off", "offer", "refuse", "require")
NO_APPLICATION_PROTOCOL = 120
in_both_versions = pytest.mark.parametrize("version", VERSIONS)


def alpn(mode: str) -> Callable[[Any], None]:
    def switch(net: Any) -> None:
        net.tls_alpn = mode

    return switch


@in_both_versions
@pytest.mark.parametrize("server", MODES)
@pytest.mark.parametrize("client", MODES)
def test_two_nets_agree_where_both_have_it(
    meet: Meet, pki: TestPki, server: str, client: str, version: str
) -> None:
    method = VERSIONS[version]
    meeting = meet(
        rules_for(pki, "server", also=alpn(server), method=method),
        rules_for(pki, "client", also=alpn(client), method=method),
    )
    agreed = "off" not in (server, client)
    assert meeting.client.tls_alpn == client
    if agreed or "require" not in (server, client):
        assert meeting.linked, meeting.client.failure
        assert [net.tls_application_protocol for net in (meeting.client, meeting.child)] == [
            "dicom" if agreed else ""
        ] * 2
        return
    # A client alone that requires it finds out when the server has finished.
    assert meeting.client.log.wait("OnSecureLinkReady").code != CODES.Success
    if server == "require":
        failure = meeting.child.failure
        assert failure.code == CODES.TlsFailure
        assert "no application protocol" in failure.message
        assert failure.alert_sent == NO_APPLICATION_PROTOCOL
        theirs = meeting.client.failure
        assert theirs.code == CODES.TlsAlertReceived
        assert theirs.alert_received == NO_APPLICATION_PROTOCOL
        assert "ALPN" in theirs.remedy
    else:
        failure = meeting.client.failure
        assert failure.code == CODES.TlsFailure
        assert "required" in failure.message
        assert "ALPN" in failure.remedy


# ---- peers of others, us as the server

OFFERS = {"none": (), "dicom": ("dicom",), "several": ("h2", "dicom"), "others": ("h2", "dicom2")}


def expected(mode: str, offer: str) -> str | None:
    """Give what is agreed; None: refused."""
    if mode == "off" or offer == "none":
        return None if mode == "require" else ""
    if offer == "others":
        return "" if mode == "offer" else None
    return "dicom"


@in_both_versions
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("offer", OFFERS)
def test_openssl_client_is_answered_as_the_setting_says(
    listen: Callable[..., Listener], nets: Nets, pki: TestPki, mode: str, offer: str, version: str
) -> None:
    listener = listen(
        lambda: nets(rules_for(pki, "server", also=alpn(mode), method=VERSIONS[version]).net())
    )
    options = ("-alpn", ",".join(OFFERS[offer])) if OFFERS[offer] else ()
    printed = openssl_client(listener.HostPort, *own(pki.client), *options)
    child = listener.child()
    code = child.log.wait("OnSecureLinkReady").code
    agreed = expected(mode, offer)
    if agreed is not None:
        assert code == CODES.Success
        assert child.tls_application_protocol == agreed
        assert ("ALPN protocol: dicom" in printed) == (agreed == "dicom")
        return
    failure = child.failure
    assert (code, failure.code) == (CODES.TlsFailure, CODES.TlsFailure)
    assert (failure.stage, failure.side) == ("tls", "local")
    assert failure.alert_sent == NO_APPLICATION_PROTOCOL
    assert "no application protocol" in printed
    if offer == "others":
        assert "h2, dicom2" in failure.message
        assert "browser" in failure.remedy


def test_python_client_gets_the_protocol(
    listen: Callable[..., Listener], nets: Nets, pki: TestPki
) -> None:
    listener = listen(lambda: nets(rules_for(pki, "server", also=alpn("refuse")).net()))
    for offer, agreed in ((["http/1.1", "dicom"], "dicom"), (["http/1.1"], None)):
        context = ssl.create_default_context(cafile=pki.ca_file)
        context.load_cert_chain(pki.client.combined_file)
        context.set_alpn_protocols(offer)
        with socket.create_connection(("127.0.0.1", listener.HostPort), PATIENCE) as plain:
            if agreed is None:
                with pytest.raises(ssl.SSLError, match=r"(?i)no.application.protocol"):
                    context.wrap_socket(plain, server_hostname="localhost")
            else:
                with context.wrap_socket(plain, server_hostname="localhost") as link:
                    assert link.selected_alpn_protocol() == agreed


# ---- peers of others, us as the client


@in_both_versions
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("served", ["", "dicom", "h2,dicom"])
def test_openssl_server_is_offered_it(
    nets: Nets, pki: TestPki, mode: str, served: str, version: str
) -> None:
    options = ("-alpn", served) if served else ()
    with openssl_server(*own(pki.server), *options) as server:
        method = VERSIONS[version]
        client = nets(rules_for(pki, "client", also=alpn(mode), method=method).net())
        client.Connect(None, 0, "127.0.0.1", server.port)
        code = client.log.wait("OnSecureLinkReady").code
        assert (code == CODES.Success) == (mode != "require" or served != "")
        if code == CODES.Success:
            agreed = "dicom" if served and mode != "off" else ""
            assert client.tls_application_protocol == agreed
        else:
            assert code == CODES.TlsFailure
        client.CloseForced(True)
        client.log.wait("OnClose")


@contextmanager
def python_server(pki: TestPki, protocols: list[str]) -> Iterator[tuple[int, list[str | None]]]:
    """Run a server that takes one connection; gives its port, and what was agreed in the end."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=pki.ca_file)
    context.load_cert_chain(pki.server.combined_file)
    context.set_alpn_protocols(protocols)
    agreed: list[str | None] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, context.wrap_socket(connection, server_side=True) as link:
                agreed.append(link.selected_alpn_protocol())
                link.recv(1)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1], agreed
        thread.join(PATIENCE)


def test_python_server_is_offered_it(nets: Nets, pki: TestPki) -> None:
    for protocols, linked in ((["http/1.1", "dicom"], True), (["http/1.1"], False)):
        with python_server(pki, protocols) as (port, agreed):
            client = nets(rules_for(pki, "client", also=alpn("require")).net())
            client.Connect(None, 0, "127.0.0.1", port)
            code = client.log.wait("OnSecureLinkReady").code
            assert (code == CODES.Success) == linked
            client.Close()
            client.log.wait("OnClose")
        assert agreed == (["dicom"] if linked else [None])


# ---- the setting


def test_setting_has_four_words_and_is_frozen_while_connected(meet: Meet, pki: TestPki) -> None:
    meeting = meet(rules_for(pki, "server"), rules_for(pki, "client"))
    client = meeting.client
    assert (client.tls_alpn, client.tls_application_protocol) == ("off", "")
    with refused(CODES.Parameter, "require"):
        client.tls_alpn = "dicom"
    with pytest.raises(TypeError):
        client.tls_alpn = True
    with refused(CODES.InvalidState):
        client.tls_alpn = "offer"
    assert client.tls_alpn == "off"
