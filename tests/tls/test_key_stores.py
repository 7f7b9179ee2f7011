"""Keys that never leave their token: ``pkcs11:`` URIs, SoftHSM behind OpenSSL's pkcs11-provider.

Each test has a process of its own, since a provider stays until its process ends.
"""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from leadtools_compat.testing import TestPki
from tests.tls.issued import issue
from tests.tls.peers import openssl_server, own
from tests.tls.tls_tools import run_python
from tests.tls.tokens import MODULE, PIN, Token, make_token

PRELUDE = f"""
import json, os, sys
from leadtools_compat.dicom import (
    DicomException, DicomNet, DicomNetSecurityMode, DicomOpenSslContextCreationSettings,
    DicomOpenSslVerificationFlags, DicomSslMethodType, DicomTlsCertificateType,
)
from tests.support import Listener, RecordingNet, connect

TLS = DicomNetSecurityMode.Tls
PEM = DicomTlsCertificateType.Pem
ca, certificate, key = sys.argv[1:4]

def load():
    DicomNet.load_tls_provider("pkcs11", parameters={{"pkcs11-module-path": {MODULE!r}}})

class Node(RecordingNet):
    pin, asked = {PIN!r}, 0

    def __init__(self):
        super().__init__(TLS)
        self.Initialize(None, TLS, DicomOpenSslContextCreationSettings(
            DicomSslMethodType.SslV23, ca, DicomOpenSslVerificationFlags.Peer, 9))

    def OnPrivateKeyPassword(self, encryption):
        self.asked += 1
        return self.pin

    def use(self, certificate=certificate, key=key):
        self.SetTlsClientCertificate(certificate, PEM, key)
        return self

def said(function, *arguments):
    try:
        function(*arguments)
    except DicomException as error:
        return [error.Code.name, str(error)]
    return ["Success", ""]
"""


Site = tuple[TestPki, Token]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A PKI, and a token with its client in it."""
    pki = TestPki(tmp_path_factory.mktemp("pki"), seed="token", key="ec")
    return pki, make_token(tmp_path_factory.mktemp("token"), pki.client)


@pytest.fixture(scope="module", params=["ec", "rsa"])
def each_site(
    request: pytest.FixtureRequest, site: Site, tmp_path_factory: pytest.TempPathFactory
) -> Site:
    """The same with each kind of key."""
    if request.param == "ec":
        return site
    pki = TestPki(tmp_path_factory.mktemp("pki"), seed="token", key="rsa")
    return pki, make_token(tmp_path_factory.mktemp("token"), pki.client)


def run(code: str, site: Site, tmp_path: Path, certificate: str, key: str, *more: str) -> Any:
    """Run `code` behind the prelude."""
    pki, token = site
    return run_python(
        PRELUDE + textwrap.dedent(code),
        *(pki.ca_file, certificate, key, *more),
        folder=tmp_path,
        environment=token.environment,
    )


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_client_with_its_key_in_a_token_is_known_by_openssl(
    each_site: Site, tmp_path: Path, version: str
) -> None:
    pki, token = each_site
    trust = ("-Verify", "5", "-verify_return_error", "-CAfile", pki.ca_file)
    with openssl_server(*own(pki.server), *trust, version) as server:
        told = run(
            """
            load()
            net = Node().use()
            net.Connect(None, 0, "127.0.0.1", int(sys.argv[4]))
            print(json.dumps([net.log.wait("OnSecureLinkReady").code.name, net.asked]))
            """,
            *(each_site, tmp_path, pki.client.certificate_file, token.key, str(server.port)),
        )
        assert told == ["Success", 1]
        server.wait_for("Client certificate")


def test_both_ends_in_one_process_with_certificate_and_key_in_the_token(
    each_site: Site, tmp_path: Path
) -> None:
    pki, token = each_site
    told = run(
        """
        from pathlib import Path
        load()
        # A token gives no chain: the judges have to know the intermediate.
        folder = Path("all.pem")
        folder.write_text(Path(ca).read_text() + Path(sys.argv[4]).read_text())
        ca = str(folder)
        listener = Listener(lambda: Node().use())
        listener.Listen("127.0.0.1", 0, 16)
        links = []
        for turn in range(3):
            net = Node().use()
            connect(net, listener)
            links.append(net.log.wait("OnSecureLinkReady").code.name)
            links.append(len(net.tls_peer_certificates))
        print(json.dumps(links))
        """,
        *(each_site, tmp_path, token.certificate, token.key, pki.client.certificate_file),
    )
    assert told == ["Success", 1] * 3


def test_certificate_that_was_renewed_in_the_token_is_shown_after_a_reload(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    pki = TestPki(tmp_path_factory.mktemp("pki"), seed="token renewal", key="ec")
    token = make_token(tmp_path_factory.mktemp("token"), pki.client)
    key = serialization.load_pem_private_key(Path(pki.client.key_file).read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    renewed = issue(pki, tmp_path, "renewed", key=key)
    (tmp_path / "renewed.der").write_bytes(renewed.chain_der[0])
    told = run(
        """
        import subprocess
        from pathlib import Path
        load()
        mine, intermediate, renewed, module = sys.argv[4:8]
        Path("all.pem").write_text(Path(ca).read_text() + Path(intermediate).read_text())
        ca = "all.pem"
        listener = Listener(lambda: Node().use(mine, None))
        listener.Listen("127.0.0.1", 0, 16)
        net = Node().use()

        def shown(turn):
            connect(net, listener)
            net.log.wait("OnSecureLinkReady", turn)
            child = listener.child(turn)
            child.log.wait("OnSecureLinkReady")
            net.Close()
            net.log.wait("OnClose", turn)
            return bytes(child.tls_peer_certificates[0]).hex()

        def tool(*words):
            subprocess.run(["pkcs11-tool", "--module", module, "--token-label", "site", "--login",
                            "--pin", Node.pin, *words], check=True, capture_output=True)

        seen = [shown(1)]
        tool("--delete-object", "--type", "cert", "--label", "node")
        tool("--write-object", renewed, "--type", "cert", "--label", "node", "--id", "01")
        net.reload_tls()
        seen.append(shown(2))
        print(json.dumps(seen))
        """,
        *((pki, token), tmp_path, token.certificate, token.key, pki.server.combined_file),
        *(pki.intermediate.certificate_file, str(tmp_path / "renewed.der"), MODULE),
    )
    assert [bytes.fromhex(one) for one in told] == [pki.client.chain_der[0], renewed.chain_der[0]]


def test_server_with_its_key_in_a_token_serves_openssl(each_site: Site, tmp_path: Path) -> None:
    pki, token = each_site
    told = run(
        """
        import subprocess
        load()
        listener = Listener(lambda: Node().use())
        listener.Listen("127.0.0.1", 0, 16)
        from tests.tls.peers import openssl_client
        text = openssl_client(listener.HostPort, "-CAfile", ca)
        print(json.dumps(text))
        """,
        *(each_site, tmp_path, pki.client.certificate_file, token.key),
    )
    assert "BEGIN CERTIFICATE" in told
    # It is the client's certificate, which is all that the token has.
    assert "unsuitable certificate purpose" in told or "Verification: OK" in told


def test_nothing_is_loaded_unasked_and_the_message_says_how_to(site: Site, tmp_path: Path) -> None:
    pki, token = site
    told = run(
        """
        before = list(DicomNet.tls_library().providers)
        refused = said(Node().use)
        load()
        load()
        print(json.dumps([before, refused, list(DicomNet.tls_library().providers), said(Node().use)]))
        """,
        *(site, tmp_path, pki.client.certificate_file, token.key),
    )
    assert told[0] == ["default"]
    assert told[1][0] == "TlsPrivateKeyFile"
    for word in ("no OpenSSL provider", "load_tls_provider", "pkcs11-module-path"):
        assert word in told[1][1]
    assert told[2:] == [["default", "pkcs11"], ["Success", ""]]


def test_wrong_pin_no_pin_and_one_that_is_too_long_are_told_apart(
    site: Site, tmp_path: Path
) -> None:
    pki, token = site
    told = run(
        """
        load()
        answers = []
        for pin in ("000000", None, "x" * 1025):
            net = Node()
            net.pin = pin
            answers.append([*said(net.use), net.asked])
        answers.append([*said(Node().use), 1])
        print(json.dumps(answers))
        """,
        *(site, tmp_path, pki.client.certificate_file, token.key),
    )
    assert [code for code, _, _ in told] == ["TlsPrivateKeyPassword"] * 3 + ["Success"]
    for (_, text, asked), word in zip(
        told, ("Check the PIN", "no PIN", "longer than 1024", ""), strict=False
    ):
        if word == "no PIN":
            assert "wants a PIN and none was given" in text
        else:
            assert word in text
        assert asked == 1  # a token counts wrong ones


def test_pin_in_the_uri_is_used_and_never_shown(site: Site, tmp_path: Path) -> None:
    pki, token = site
    told = run(
        """
        load()
        net = Node()
        wrong = said(net.use, certificate, key + "?pin-value=000000")
        good = said(net.use, certificate, key + "?pin-value=" + Node.pin)
        none = said(net.use, certificate, key.replace("node", "nobody") + "?pin-value=" + Node.pin)
        print(json.dumps([good, wrong, none, net.asked]))
        """,
        *(site, tmp_path, pki.client.certificate_file, token.key),
    )
    good, wrong, none, asked = told
    assert good == ["Success", ""]
    assert wrong[0] in ("TlsPrivateKeyFile", "TlsPrivateKeyPassword")
    assert none[0] == "TlsPrivateKeyFile"
    assert "nobody" in none[1]
    assert "pkcs11-tool --list-objects" in none[1]
    for _, text in (wrong, none):
        assert PIN not in text
        assert "000000" not in text
        assert "pin-value=***" in text
    assert asked == 0


def test_key_in_the_token_that_is_not_the_certificates_is_a_mismatch(
    site: Site, tmp_path: Path
) -> None:
    pki, token = site
    told = run(
        """
        load()
        print(json.dumps(said(Node().use)))
        """,
        *(site, tmp_path, pki.server.certificate_file, token.key),
    )
    assert told[0] == "TlsKeyMismatch"
    assert "object=node" in told[1]


def test_child_after_fork_loads_the_provider_again(site: Site, tmp_path: Path) -> None:
    pki, token = site
    trust = ("-Verify", "5", "-verify_return_error", "-CAfile", pki.ca_file)
    with openssl_server(*own(pki.server), *trust) as server:
        told = run(
            """
            load()
            parent = Node().use()
            ends = os.pipe()
            child = os.fork()
            if child == 0:
                net = Node().use()
                net.Connect(None, 0, "127.0.0.1", int(sys.argv[4]))
                code = net.log.wait("OnSecureLinkReady").code.name
                os.write(ends[1], json.dumps([code, list(DicomNet.tls_library().providers)]).encode())
                os._exit(0)
            os.close(ends[1])
            with os.fdopen(ends[0]) as answer:
                print(answer.read())
            os.waitpid(child, 0)
            """,
            *(site, tmp_path, pki.client.certificate_file, token.key, str(server.port)),
        )
    assert told == ["Success", ["default", "pkcs11"]]


def test_provider_that_is_not_there_names_its_file(site: Site, tmp_path: Path) -> None:
    pki, token = site
    told = run(
        """
        load_one = DicomNet.load_tls_provider
        load()
        print(json.dumps([
            said(load_one, "nosuch"),
            said(load_one, "other", "/nowhere/other.so"),
            said(load_one, "bad name"),
            said(load_one, "x", None, {"a b": "1"}),
            said(load_one, "x", None, {"a": "1\\n2"}),
            said(load_one, "pkcs11", None, {"pkcs11-module-path": "/other"}),
        ]))
        """,
        *(site, tmp_path, pki.client.certificate_file, token.key),
    )
    assert [code for code, _ in told] == [
        *("TlsFailure", "TlsFailure", "Parameter", "Parameter", "Parameter", "InvalidState"),
    ]
    assert "nosuch.so" in told[0][1]
    assert "/nowhere/other.so" in told[1][1]


def test_token_library_that_is_not_there_is_told_when_a_key_is_wanted(
    site: Site, tmp_path: Path
) -> None:
    pki, token = site
    told = run(
        """
        DicomNet.load_tls_provider("pkcs11", parameters={"pkcs11-module-path": "/nowhere.so"})
        print(json.dumps(said(Node().use)))
        """,
        *(site, tmp_path, pki.client.certificate_file, token.key),
    )
    assert told[0] == "TlsPrivateKeyFile"
    assert "pkcs11:token=site" in told[1]
