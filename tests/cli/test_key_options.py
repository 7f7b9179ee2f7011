"""Options about keys: PKCS #12, tokens, the key log; and TLS of the receiving side of ``move``."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pynetdicom import AE, evt
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    CTImageStorage,
    StudyRootQueryRetrieveInformationModelMove,
)

from leadtools_compat.testing import TestPki
from tests.cli.conftest import Run, Serve
from tests.cli.test_query import image
from tests.support import PATIENCE
from tests.tls.tokens import MODULE, PIN, make_token

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADTOOLS_COMPAT_KEY_PASSWORD", "test")


@pytest.mark.parametrize("option", ["--p12", "--cert"])
def test_pkcs12_is_taken_by_either_name(
    run: Run, serve: Serve, pki: TestPki, option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = serve(pki.server).HostPort
    common = ("echo", "localhost", port, "--ca", pki.ca_file, option, pki.client.p12_file)
    assert run(*common).code == 0
    monkeypatch.setenv("LEADTOOLS_COMPAT_KEY_PASSWORD", "tset")
    told = run(*common)
    assert told.code == 6
    assert "Check the password" in told.err


def test_old_pkcs12_needs_a_word(run: Run, serve: Serve, pki: TestPki, tmp_path: Path) -> None:
    old = tmp_path / "old.p12"
    me = pki.client
    subprocess.run(
        [
            *("openssl", "pkcs12", "-export", "-legacy", "-in", me.certificate_file),
            *("-inkey", me.key_file, "-out", str(old), "-passout", "pass:test"),
        ],
        check=True,
        timeout=PATIENCE,
    )
    common = ("echo", "localhost", serve(pki.server).HostPort, "--ca", pki.ca_file, "--p12", old)
    told = run(*common)
    assert told.code == 6
    assert "RC2" in told.err
    assert run(*common, "--p12-legacy").code == 0


def test_key_in_a_token(serve: Serve, pki: TestPki, tmp_path: Path) -> None:
    token = make_token(tmp_path, pki.client)
    port = serve(pki.server).HostPort
    command = [sys.executable, "-m", "leadtools_compat", "echo", "localhost", str(port), "--json"]
    done = subprocess.run(
        [
            *(*command, "--ca", pki.ca_file, "--cert", pki.client.certificate_file),
            *("--key", token.key, "--pkcs11-module", MODULE),
        ],
        env={**token.environment, "LEADTOOLS_COMPAT_KEY_PASSWORD": PIN, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=3 * PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["ok"]


def test_uri_without_its_module_is_told_the_option(run: Run, pki: TestPki) -> None:
    uri = "pkcs11:token=site;object=node"
    own = ("--cert", pki.client.certificate_file, "--key", uri)
    told = run("echo", "localhost", 104, "--ca", pki.ca_file, *own)
    assert told.code == 2
    assert "--pkcs11-module" in told.err


def test_key_log_is_written_for_its_owner_only(
    run: Run, serve: Serve, pki: TestPki, tmp_path: Path
) -> None:
    path = tmp_path / "keys.log"
    own = ("--cert", pki.client.combined_file, "--keylog", path)
    port = serve(pki.server).HostPort
    assert run("echo", "localhost", port, "--ca", pki.ca_file, *own).code == 0
    assert "CLIENT_TRAFFIC_SECRET_0" in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600


def test_ciphers_tell_the_groups(run: Run) -> None:
    document = run("ciphers", "--json").document
    assert "X25519" in document["groups"]
    assert set(document["hybrid_groups"]) <= set(document["groups"])
    assert "post-quantum hybrid groups:" in run("ciphers").out


# ---- move: who receives, and how


class Mover:
    """A plain provider that moves two images to a port, with TLS or without."""

    def __init__(self) -> None:
        self.port = 0
        self.context: Any = None

    def move(self, event: Any) -> Iterator[Any]:
        tls = {} if self.context is None else {"tls_args": (self.context, "localhost")}
        yield "127.0.0.1", self.port, tls
        yield 2
        for number in range(2):
            yield 0xFF00, image(number)


@pytest.fixture
def mover() -> Iterator[tuple[Mover, int]]:
    provider = Mover()
    entity = AE(ae_title="PACS")
    entity.add_supported_context(StudyRootQueryRetrieveInformationModelMove)
    entity.add_requested_context(CTImageStorage)
    handlers: list[Any] = [(evt.EVT_C_MOVE, provider.move)]
    server: Any = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    yield provider, server.socket.getsockname()[1]
    server.shutdown()


def sender(pki: TestPki, identity: Any) -> Any:
    import ssl

    context = ssl.create_default_context(cafile=pki.ca_file)
    context.check_hostname = False
    if identity is not None:
        context.load_cert_chain(identity.combined_file)
    return context


@pytest.mark.parametrize("who", ["good", "expired", "nobody"])
def test_receiving_side_judges_who_sends(
    run: Run, mover: tuple[Mover, int], pki: TestPki, tmp_path: Path, free: int, who: str
) -> None:
    provider, port = mover
    identity = None if who == "nobody" else pki.client
    if who == "expired":
        identity = pki.make("expired", role="client")
    provider.port, provider.context = free, sender(pki, identity)
    folder = tmp_path / "here"
    told = run(
        *("move", "127.0.0.1", port, "--to", "ME", "-k", "StudyInstanceUID=1.2.3", "-o", folder),
        *("--receive-port", free, "--receive-cert", pki.server.p12_file),
        *("--receive-ca", pki.ca_file, "--json"),
    )
    received = len(list(folder.glob("*.dcm")))
    assert received == (2 if who == "good" else 0), told.err
    assert (told.code == 0) == (who == "good")


def test_receiving_side_may_be_plain(
    run: Run, mover: tuple[Mover, int], tmp_path: Path, free: int
) -> None:
    provider, port = mover
    provider.port = free
    folder = tmp_path / "here"
    told = run(
        *("move", "127.0.0.1", port, "--to", "ME", "-k", "StudyInstanceUID=1.2.3", "-o", folder),
        *("--receive-port", free, "--receive-plain"),
    )
    assert told.code == 0, told.err
    assert len(list(folder.glob("*.dcm"))) == 2


@pytest.fixture
def free() -> int:
    """A port that nobody listens on."""
    from tests.interop.programs import free_port

    return free_port()


def test_contradictions_are_told(run: Run, pki: TestPki) -> None:
    move = ("move", "localhost", 104, "--to", "ME", "-k", "PatientID=1")
    own = ("--receive-cert", pki.server.combined_file)
    for options, words in (
        (("--receive-plain",), "need --receive-port"),
        (("--receive-port", 0, "--receive-plain", *own), "contradicts"),
        (("--receive-port", 0, *own), "both --receive-cert and --receive-ca"),
        (("--receive-port", 0, "--receive-key", pki.server.key_file), "needs --receive-cert"),
        (("--receive-port", 0, "--ca", pki.ca_file), "--cert or --receive-cert"),
    ):
        told = run(*move, *options)
        assert told.code == 2
        assert words in " ".join(told.err.split())
