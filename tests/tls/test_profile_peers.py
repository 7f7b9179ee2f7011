"""Named TLS profiles between us and Python's ssl module and DCMTK: both roles, good and bad."""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from leadtools_compat.dicom import DicomTlsCipherSuiteType
from leadtools_compat.testing import TestPki
from tests.interop.programs import ENVIRONMENT, free_port, run, served
from tests.support import PATIENCE, Listener
from tests.tls.profiles import (
    NOTHING_SHARED,
    POSSIBLE,
    Row,
    applied,
    checked,
    dialled,
    linked,
    with_each_possible,
)
from tests.tls.tls_tools import (
    Side,
    rules_for,
)

Nets = Callable[[Any], Any]

# ---- Python's ssl module

OUTSIDE = "ECDHE-RSA-AES256-SHA:@SECLEVEL=0"  # of no profile
VERSION_OF = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}
in_each_modern_version = pytest.mark.parametrize("version", VERSION_OF)


def python_context(pki: TestPki, side: Side, version: str, ciphers: str) -> ssl.SSLContext:
    """Make mutual settings of Python's own, for one version."""
    protocol = ssl.PROTOCOL_TLS_SERVER if side == "server" else ssl.PROTOCOL_TLS_CLIENT
    context = ssl.SSLContext(protocol)
    context.check_hostname = side == "client"
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_ciphers(ciphers)
    context.load_cert_chain((pki.server if side == "server" else pki.client).combined_file)
    context.load_verify_locations(pki.ca_file)
    context.minimum_version = context.maximum_version = VERSION_OF[version]
    return context


def python_client(context: ssl.SSLContext, listener: Listener) -> tuple[str, int] | None:
    """Connect to us: version and suite, or None if it was refused."""
    with socket.create_connection(("127.0.0.1", listener.HostPort), PATIENCE) as plain:
        try:
            with context.wrap_socket(plain, server_hostname="localhost") as secure:
                return agreed(secure)
        except ssl.SSLError:
            return None


def agreed(secure: ssl.SSLSocket) -> tuple[str, int]:
    cipher, version = secure.cipher(), secure.version()
    assert cipher is not None
    assert version is not None
    (suite,) = (one for one in DicomTlsCipherSuiteType if one.openssl_name == cipher[0])
    return version, int(suite)


@in_each_modern_version
@with_each_possible
def test_python_client_links_with_our_server_in_the_versions_of_its_profile(
    nets: Nets, rsa_pki: TestPki, row: Row, version: str
) -> None:
    listener = listener_by(nets, rsa_pki, row.name)
    got = python_client(python_context(rsa_pki, "client", version, "ALL:@SECLEVEL=0"), listener)
    child = listener.child()
    check_python(child, row, version, got)


@in_each_modern_version
@with_each_possible
def test_our_client_links_with_a_python_server_in_the_versions_of_its_profile(
    nets: Nets, rsa_pki: TestPki, row: Row, version: str
) -> None:
    context = python_context(rsa_pki, "server", version, "ALL:@SECLEVEL=0")
    server = Agreed(context)
    client = dialled(applied(nets(rules_for(rsa_pki, "client").net()), row.name), server.port)
    check_python(client, row, version, server.with_client(client))


@with_each_possible
def test_python_with_a_suite_outside_of_the_profile_gets_no_link(
    nets: Nets, rsa_pki: TestPki, row: Row
) -> None:
    listener = listener_by(nets, rsa_pki, row.name)
    outside = python_context(rsa_pki, "client", "TLSv1.2", OUTSIDE)
    assert python_client(outside, listener) is None
    check_python(listener.child(), row, "nothing", None)
    server = Agreed(python_context(rsa_pki, "server", "TLSv1.2", OUTSIDE))
    client = dialled(applied(nets(rules_for(rsa_pki, "client").net()), row.name), server.port)
    check_python(client, row, "nothing", server.with_client(client))


def check_python(net: Any, row: Row, version: str, got: tuple[str, int] | None) -> None:
    assert linked(net) == (version in row.versions) == (got is not None), net.failure
    if got is None:
        assert net.failure.code in NOTHING_SHARED
        return
    assert got == (version, int(net.GetTlsCipherSuite()))
    assert got[1] in row.usable
    assert checked(net, row.name).satisfied


def listener_by(nets: Nets, pki: TestPki, name: str) -> Listener:
    listener: Listener = nets(Listener(lambda: nets(applied(rules_for(pki, "server").net(), name))))
    listener.Listen("127.0.0.1", 0, 16)
    return listener


class Agreed:
    """What a server of Python's agreed upon with its one client."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._got: Queue[tuple[str, int] | None] = Queue()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        plain, _ = self._listener.accept()
        plain.settimeout(PATIENCE)
        with self._listener, plain:
            try:
                with self._context.wrap_socket(plain, server_side=True) as secure:
                    self._got.put(agreed(secure))
                    secure.recv(1)  # until the client goes
            except OSError:
                self._got.put(None)

    def with_client(self, client: Any) -> tuple[str, int] | None:
        """Give version and suite, or None; the client is gone then."""
        got = self._got.get(timeout=PATIENCE)
        client.Close()
        self._thread.join(PATIENCE)
        return got


# ---- DCMTK

# DCMTK's profiles by what its programs call them, and ours of the same table; the one without
# encryption meets none. Newer versions of DCMTK have some that older ones lack.
PROFILES_OF_DCMTK = {
    "bcp195-nd": "bcp195_nd",
    "bcp195": "bcp195",
    "bcp195-ex": "bcp195_extended",
    "aes": "aes",
    "basic": "basic",
    "null": None,
    "8996": "B.12",
    "8996-mod": "B.13",
}


def test_every_profile_of_dcmtk_is_known_here() -> None:
    for program in ("echoscu", "storescp"):
        said = run(program, "--help")
        found = dict(re.findall(r"^ +(\+p\w+) +--profile-([\w-]+)", said, re.M))
        assert found, said
        assert set(found.values()) <= set(PROFILES_OF_DCMTK)
        ours = {option: PROFILES_OF_DCMTK[name] for option, name in found.items()}
        assert DCMTK.items() <= ours.items()


DCMTK = {"+py": "bcp195_nd", "+px": "bcp195", "+pz": "bcp195_extended", "+pa": "aes"}
GOOD = [
    *DCMTK.items(),
    *[("+py", "B.12"), ("+pz", "B.12"), ("+px", "ihe_stx12"), ("+px", "aes")],
]
BAD = [("+pa", "B.12"), ("+pa", "bcp195_nd"), ("+pa", "B.13"), ("+pz", "aes")]
BAD += [("+pn", row.name) for row in POSSIBLE]
with_each_pair = pytest.mark.parametrize(
    ("option", "name", "good"),
    [*((*pair, True) for pair in GOOD), *((*pair, False) for pair in BAD)],
)


@with_each_pair
def test_our_client_and_storescp_link_when_their_profiles_meet(
    nets: Callable[[Any], Any], rsa_pki: TestPki, tmp_path: Path, option: str, name: str, good: bool
) -> None:
    port = free_port()
    identity = (rsa_pki.server.key_file, rsa_pki.server.combined_file)
    command = ["storescp", "+tls", *identity, "+cf", rsa_pki.ca_file, option, port]
    with served(command, tmp_path / "storescp.log", port):
        client = dialled(applied(nets(rules_for(rsa_pki, "client").net()), name), port)
        check_dcmtk(client, option, name, good)


@with_each_pair
def test_echoscu_and_our_server_link_when_their_profiles_meet(
    nets: Callable[[Any], Any], rsa_pki: TestPki, option: str, name: str, good: bool
) -> None:
    rules = rules_for(rsa_pki, "server")
    listener = nets(Listener(lambda: nets(applied(rules.net(), name))))
    listener.Listen("127.0.0.1", 0, 16)
    identity = (rsa_pki.client.key_file, rsa_pki.client.combined_file)
    command = ["echoscu", "+tls", *identity, "+cf", rsa_pki.ca_file, option]
    process = subprocess.Popen(
        [*command, "127.0.0.1", str(listener.HostPort)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=ENVIRONMENT,
    )
    try:
        check_dcmtk(listener.child(), option, name, good)
    finally:
        process.kill()
        process.wait(PATIENCE)


def check_dcmtk(net: Any, option: str, name: str, good: bool) -> None:
    assert linked(net) == good, net.failure
    if good:
        assert checked(net, name).satisfied
    else:
        assert net.failure.code in NOTHING_SHARED
