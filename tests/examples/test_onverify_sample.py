"""The help's sample, ported line by line, in both kinds of delivery."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from leadtools_compat.testing import Identity, TestPki
from tests.support import python

SAMPLE = Path(__file__).resolve().parents[2] / "examples" / "onverify_sample.py"
LOOKUPS = (
    "Encryption Algorithm is : AesGcm",
    "Authentication Algorithm is : Any",
    "Integrity Algorithm is : Aead",
    "Key Exchange Algorithm is : Any",
    "Encryption Key Length is : 128",  # the first entry of the list, AES 256, is replaced
    "Mutual Authentication Key Length is : 256",
)


def folder(tmp_path: Path, pki: TestPki, client: Identity | None = None) -> Path:
    """The sample's three files, the keys encrypted."""
    client = client or pki.client
    for name, source in (
        ("ca.pem", pki.ca_file),
        ("server.pem", pki.server.encrypted_file),
        ("client.pem", client.encrypted_file),
    ):
        (tmp_path / name).write_bytes(Path(source).read_bytes())
    return tmp_path


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return python("-X", "dev", SAMPLE, *arguments)


@pytest.mark.parametrize("options", [(), ("--worker",)], ids=["pumped", "worker"])
def test_sample_connects_and_prints_what_the_help_shows(
    tmp_path: Path, pki: TestPki, options: Sequence[str]
) -> None:
    done = run(folder(tmp_path, pki), "--port", 0, *options)
    assert done.returncode == 0, done.stderr
    received = done.stdout.split("Received Client Certificate:\n")[1:]
    assert len(received) == len(pki.client.chain_der) + 1  # the chain as sent, and the root
    subjects = [text.split("\n")[0] for text in received]
    assert subjects[-1].startswith("Subject Name: CN = Test Client")
    assert "Error" not in done.stdout
    for line in LOOKUPS:
        assert f"\n{line}\n" in done.stdout
    # DES on the client, 3DES on the servers: warned of by name, and the rest of the list connects.
    assert "TLS_DHE_RSA_WITH_DES_CBC_SHA" in done.stderr


def test_sample_ten_times_in_a_row_in_pumped_delivery(tmp_path: Path, pki: TestPki) -> None:
    files = folder(tmp_path, pki)
    for _ in range(10):
        assert run(files, "--port", 0).returncode == 0


def test_sample_shows_the_error_of_a_bad_client_certificate(tmp_path: Path, pki: TestPki) -> None:
    done = run(folder(tmp_path, pki, pki.make("no_purpose", role="client")), "--port", 0)
    assert done.returncode == 0, done.stderr
    assert "Error InvalidPurpose: unsuitable certificate purpose" in done.stdout
    assert "\tSSL client : No\n" in done.stdout
    assert "Encryption Algorithm is : None\n" in done.stdout


def test_sample_says_which_file_is_missing(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.returncode != 0
    assert f"Missing file: {tmp_path / 'ca.pem'}" in done.stderr
