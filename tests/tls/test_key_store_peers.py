"""DCMTK as the peer of our programs whose key stays in a token: both roles, good and bad."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat.testing import TestPki
from tests.interop.archive import files
from tests.interop.programs import ENVIRONMENT, free_port, run, served
from tests.support import PATIENCE
from tests.tls.issued import issue
from tests.tls.tokens import MODULE, PIN, Token, make_token

ROOT = Path(__file__).resolve().parents[2]
STORED = files("CT_small.dcm")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> tuple[TestPki, Token, str]:
    """A PKI, and a token with the key of a node that is client and server; its certificate file."""
    folder = tmp_path_factory.mktemp("pki")
    pki = TestPki(folder, seed="token peers", key="ec")
    node = pki.issue("node", role="client", purposes=("clientAuth", "serverAuth"))
    return pki, make_token(tmp_path_factory.mktemp("token"), node), node.certificate_file


Site = tuple[TestPki, Token, str]


def ours(site: Site, *words: object) -> tuple[list[str], dict[str, str]]:
    """Give a verb of our command line with the key in the token, and its environment."""
    pki, token, certificate = site
    own = ("--cert", certificate, "--key", token.key, "--pkcs11-module", MODULE)
    command = [sys.executable, "-m", "leadtools_compat", *words, "--ca", pki.ca_file, *own]
    more = {"LEADTOOLS_COMPAT_KEY_PASSWORD": PIN, "PYTHONPATH": str(ROOT)}
    return [*map(str, command), "--json"], {**ENVIRONMENT, **token.environment, **more}


def stored(site: Site, port: int) -> tuple[int, dict[str, Any]]:
    """Let our ``store`` send an object: its exit code, and what it said."""
    command, environment = ours(site, "store", "localhost", port, *(one.path for one in STORED))
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=3 * PATIENCE, check=False
    )
    said: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, said


@contextmanager
def scp(site: Site, folder: Path) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """Run our ``scp``: its port, and its events, which are complete after the block."""
    command, environment = ours(site, "scp", 0, folder, "--address", "127.0.0.1")
    events: list[dict[str, Any]] = []
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["port"], events
        finally:
            process.terminate()
            events += [json.loads(line) for line in process.stdout]
            process.wait(PATIENCE)


def test_storescp_takes_objects_from_a_client_with_its_key_in_a_token(
    site: Site, tmp_path: Path
) -> None:
    pki, _, _ = site
    port, own = free_port(), (pki.server.key_file, pki.server.combined_file)
    command = ["storescp", "+tls", *own, "+cf", pki.ca_file, "-rc", "-od", tmp_path, port]
    with served(command, tmp_path / "storescp.log", port):
        code, said = stored(site, port)
        assert (code, said["stored"]) == (0, 1), said
        assert said["link"]["verified"]


def test_storescp_that_does_not_know_its_issuer_refuses_the_client_with_its_key_in_a_token(
    site: Site, tmp_path: Path
) -> None:
    pki, _, _ = site
    other = issue(pki, tmp_path, "other", by_itself=True)
    port, own = free_port(), (pki.server.key_file, pki.server.combined_file)
    command = ["storescp", "+tls", *own, "+cf", other.certificate_file, "-rc", port]
    with served(command, tmp_path / "storescp.log", port):
        code, said = stored(site, port)
        assert code == 4
        assert said["failure"]["code"] == "TlsPeerRejectedCertificate"
        assert said["stored"] == 0


def test_storescu_stores_at_a_server_with_its_key_in_a_token(site: Site, tmp_path: Path) -> None:
    pki, _, _ = site
    with scp(site, tmp_path / "kept") as (port, events):
        own = ("+tls", pki.client.key_file, pki.client.combined_file, "+cf", pki.ca_file)
        run("storescu", *own, "127.0.0.1", port, *(one.path for one in STORED))
    assert [one["event"] for one in events] == ["stored", "ended"]


def test_echoscu_is_refused_by_and_refuses_a_server_with_its_key_in_a_token(
    site: Site, tmp_path: Path
) -> None:
    pki, _, _ = site
    bad, good = pki.make("expired", role="client"), pki.client
    other = issue(pki, tmp_path, "other", by_itself=True)
    with scp(site, tmp_path / "kept") as (port, events):
        for one, ca in ((bad, pki.ca_file), (good, other.certificate_file)):
            own = ("+tls", one.key_file, one.combined_file, "+cf", ca)
            run("echoscu", *own, "127.0.0.1", port, code=1)
    failed = [one["failure"]["code"] for one in events if one["event"] == "failed"]
    assert sorted(failed) == ["TlsCertificateRejected", "TlsPeerRejectedCertificate"]
