"""Groups for the key exchange: what OpenSSL has is told truthfully, and post-quantum hybrids are used where they are.

The OpenSSL of this computer may have none; then one that comes with a wheel (the package
psycopg-binary of the tests) is put in its place, in a process of its own.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import textwrap
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat.dicom import DicomNet
from leadtools_compat.testing import TestPki
from tests.support import PATIENCE
from tests.tls.conftest import Meet
from tests.tls.peers import CLEAN
from tests.tls.tls_tools import rules_for, run_python

HYBRID = "X25519MLKEM768"
HYBRIDS = {HYBRID, "SecP256r1MLKEM768", "SecP384r1MLKEM1024"}


def test_list_of_groups_is_what_the_openssl_program_takes(tmp_path: Path) -> None:
    library = DicomNet.tls_library()
    program = subprocess.run(
        ["openssl", "version"], capture_output=True, text=True, env=CLEAN, check=True
    ).stdout
    assert program.startswith(" ".join(library.version.split()[:2]))
    for group in (*library.groups, HYBRID):
        taken = subprocess.run(
            ["openssl", "s_client", "-groups", group, "-connect", "127.0.0.1:1"],
            *(None,) * 0,
            capture_output=True,
            text=True,
            env=CLEAN,
            timeout=PATIENCE,
            check=False,
        ).stderr
        refused = (
            "Call to SSL_CONF_cmd" in taken
            or "set1_groups" in taken
            or "Error with command" in taken
        )
        assert refused is (group not in library.groups), taken
    assert {"X25519", "P-256", "P-384", "ffdhe2048"} <= set(library.groups)
    assert set(library.hybrid_groups) == HYBRIDS & set(library.groups)
    assert library.providers[0] == "default"


def test_our_two_ends_agree_on_the_best_group_that_there_is(meet: Meet, pki: TestPki) -> None:
    meeting = meet(rules_for(pki, "server"), rules_for(pki, "client"))
    best = HYBRID if DicomNet.tls_library().hybrid_groups else "X25519"
    assert meeting.client.tls_group.upper() == best.upper()
    assert meeting.child.tls_group == meeting.client.tls_group


# ---- an OpenSSL that has them


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment of a process in which OpenSSL is 3.5 or newer."""
    if DicomNet.tls_library().hybrid_groups:
        return dict(os.environ)
    found = importlib.util.find_spec("psycopg_binary")
    assert found is not None, "the package psycopg-binary is missing: pip install -e '.[test]'"
    assert found.origin is not None
    libraries = Path(found.origin).parents[1] / "psycopg_binary.libs"
    folder = tmp_path_factory.mktemp("openssl")
    for name in ("ssl", "crypto"):
        (file,) = libraries.glob(f"lib{name}-*.so.3")
        (folder / f"lib{name}.so.3").symlink_to(file)
    return {**os.environ, "LD_LIBRARY_PATH": str(folder)}


def told_by(code: str, environment: dict[str, str], folder: Path, *arguments: str) -> Any:
    prelude = """
    import json, sys
    from leadtools_compat.dicom import DicomNet
    from tests.support import Listener, RecordingNet, connect
    from tests.tls.tls_tools import PEM, TLS

    def node(profile=None):
        net = RecordingNet(TLS)
        net.SetTlsClientCertificate(sys.argv[1], PEM, None)
        if profile:
            net.apply_tls_profile(profile)
        return net
    """
    text = textwrap.dedent(prelude) + textwrap.dedent(code)
    return run_python(text, *arguments, folder=folder, environment=environment)


def test_hybrid_group_is_listed_and_taken_first(
    newer: dict[str, str], pki: TestPki, tmp_path: Path
) -> None:
    told = told_by(
        """
        library = DicomNet.tls_library()
        groups = []
        for profile in (None, "B.13", "B.12"):
            listener = Listener(lambda: node(profile))
            listener.Listen("127.0.0.1", 0, 4)
            client = node()
            connect(client, listener)
            assert client.log.wait("OnSecureLinkReady").code.name == "Success", client.failure
            groups.append([client.tls_group, client.tls_version])
        print(json.dumps([library.version, library.hybrid_groups, groups]))
        """,
        *(newer, tmp_path, pki.server.combined_file),
    )
    version, hybrids, groups = told
    assert tuple(map(int, version.split()[1].split(".")[:2])) >= (3, 5)
    assert set(hybrids) == HYBRIDS
    assert groups[0] == [HYBRID, "TLSv1.3"]


def test_hybrid_group_with_pythons_ssl_on_either_side(
    newer: dict[str, str], pki: TestPki, tmp_path: Path
) -> None:
    told = told_by(
        """
        import socket, ssl, threading
        assert ssl.OPENSSL_VERSION_INFO >= (3, 5), ssl.OPENSSL_VERSION
        # Its client offers hybrids by default; our server says what was taken.
        listener = Listener(node)
        listener.Listen("127.0.0.1", 0, 4)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", listener.HostPort)) as raw:
            with context.wrap_socket(raw) as peer:
                child = listener.child()
                child.log.wait("OnSecureLinkReady")
                groups = [child.tls_group]
        # Its server.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1])
        with socket.create_server(("127.0.0.1", 0)) as server:
            def serve():
                raw, _ = server.accept()
                with raw, context.wrap_socket(raw, server_side=True) as peer:
                    peer.recv(1)
            thread = threading.Thread(target=serve)
            thread.start()
            client = node()
            client.Connect(None, 0, "127.0.0.1", server.getsockname()[1])
            client.log.wait("OnSecureLinkReady")
            groups.append(client.tls_group)
            client.Close()
            client.log.wait("OnClose")
            thread.join()
        print(json.dumps(groups))
        """,
        *(newer, tmp_path, pki.server.combined_file),
    )
    assert told == [HYBRID, HYBRID]
