"""Programs in C and in plain ctypes see the same verdicts as the classes."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import leadtools_compat
from leadtools_compat.dicom import DicomOpenSslVerificationFlags
from leadtools_compat.testing import TestPki
from tests.support import PATIENCE, Listener, python, tls_child

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
Client = Callable[..., subprocess.CompletedProcess[str]]
Listen = Callable[..., Listener]
ASKS_FOR_NONE = DicomOpenSslVerificationFlags.None_


@pytest.fixture(scope="module")
def c_client(tmp_path_factory: pytest.TempPathFactory) -> Client:
    """The C example, compiled as its head says."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    program = tmp_path_factory.mktemp("c") / "verify_client"
    library = Path(leadtools_compat.library_path())
    subprocess.run(
        [
            *(compiler, "-std=c11", "-Wall", "-Wextra", "-Werror"),
            *(str(EXAMPLES / "c" / "verify_client.c"), f"-I{leadtools_compat.include_path()}"),
            *(str(library), f"-Wl,-rpath,{library.parent}", "-pthread", "-o", str(program)),
        ],
        check=True,
        timeout=PATIENCE * 3,
    )

    def run(*words: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(program), *map(str, words)],
            capture_output=True,
            text=True,
            timeout=PATIENCE * 2,
            check=False,
        )

    return run


@pytest.fixture
def clients(c_client: Client) -> list[Client]:
    return [c_client, lambda *words: python(EXAMPLES / "ctypes_client.py", *words)]


def test_good_server_is_shown_root_first(
    clients: list[Client], listen: Listen, pki: TestPki
) -> None:
    listener = listen(tls_child(pki, flags=ASKS_FOR_NONE))
    for command in clients:
        done = command("127.0.0.1", listener.HostPort, pki.ca_file)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.count("Verdict: ok 1, code 0, ok\n") == 3
        subjects = [line for line in done.stdout.splitlines() if line.startswith("Subject Name: ")]
        assert subjects[-1].startswith("Subject Name: CN = ")
        assert "Time Stamp signing : " in done.stdout
        assert "Cipher suite: TLS_AES_256_GCM_SHA384" in done.stdout


def test_bad_server_is_refused_with_code_and_remedy(
    clients: list[Client], listen: Listen, pki: TestPki
) -> None:
    bad = pki.make("expired", role="server")
    listener = listen(tls_child(pki, identity=bad, flags=ASKS_FOR_NONE))
    for command in clients:
        done = command("127.0.0.1", listener.HostPort, pki.ca_file)
        assert done.returncode == 1
        assert "Verdict: ok 0, code 10, certificate has expired" in done.stdout
        assert "Cipher suite: none" in done.stdout
        assert "The peer's certificate was rejected" in done.stdout


def test_c_client_may_overrule(c_client: Client, listen: Listen, pki: TestPki) -> None:
    bad = pki.make("expired", role="server")
    listener = listen(tls_child(pki, identity=bad, flags=ASKS_FOR_NONE))
    done = c_client("127.0.0.1", listener.HostPort, pki.ca_file, "insecure")
    assert done.returncode == 0, done.stdout
    assert "Verdict: ok 0, code 10" in done.stdout


def test_nobody_listening_and_missing_ca_file_are_said(
    clients: list[Client], tmp_path: Path, pki: TestPki, nets: Callable[[Any], Any]
) -> None:
    listener = nets(Listener())
    listener.Listen("127.0.0.1", 0, 1)
    port = listener.HostPort
    listener.Dispose()
    for command in clients:
        ca_file = tmp_path / "none.pem"
        done = command("127.0.0.1", port, ca_file)
        assert done.returncode == 1
        assert str(ca_file) in done.stdout + done.stderr
        done = command("127.0.0.1", port, pki.ca_file)
        assert done.returncode == 1
        assert "The attempt to connect was forcefully rejected" in done.stdout
