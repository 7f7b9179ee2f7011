"""The ported sample of the help page, many times in a row, on a quiet machine and on a busy one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat.testing import TestPki
from tests.robustness.robust_tools import EXAMPLES, Busy, run_command
from tests.support import PATIENCE

DELIVERIES = pytest.mark.parametrize("delivery", ["pumped", "worker"])
MACHINES = pytest.mark.parametrize("machine", ["quiet", "busy"])
QUICK, SOAK = 5, 200


@pytest.fixture(scope="session")
def sample_folder(pki: TestPki, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the three files of the sample; both keys are encrypted."""
    folder = tmp_path_factory.mktemp("sample")
    shutil.copy(pki.ca_file, folder / "ca.pem")
    shutil.copy(pki.server.encrypted_file, folder / "server.pem")
    shutil.copy(pki.client.encrypted_file, folder / "client.pem")
    return folder


def run_sample(folder: Path, delivery: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, str(EXAMPLES / "onverify_sample.py"), str(folder), "--port", "0"]
    return run_command([*line, *(["--worker"] if delivery == "worker" else [])], PATIENCE * 6)


def run_in_a_row(count: int, folder: Path, delivery: str, machine: str) -> None:
    expected: list[str] | None = None
    busy: Any = Busy() if machine == "busy" else nullcontext()
    with busy:
        for number in range(count):
            done = run_sample(folder, delivery)
            where = f"run {number} of {count}"
            assert done.returncode == 0, f"{where}: {done.stdout}{done.stderr}"
            lines = done.stdout.splitlines()
            # Root, intermediate and leaf of the client, then what was negotiated.
            assert lines.count("Received Client Certificate:") == 3, where
            assert "Error" not in done.stdout, where
            assert lines[-6].startswith("Encryption Algorithm is : "), where
            assert done.stderr.count("\n") <= 2, done.stderr  # the warnings about DES and 3DES
            assert "Traceback" not in done.stderr
            expected = lines if expected is None else expected
            assert lines == expected, where


@MACHINES
@DELIVERIES
def test_sample_runs_five_times_in_a_row(delivery: str, machine: str, sample_folder: Path) -> None:
    run_in_a_row(QUICK, sample_folder, delivery, machine)


@pytest.mark.soak
@MACHINES
@DELIVERIES
def test_sample_runs_two_hundred_times_in_a_row(
    delivery: str, machine: str, sample_folder: Path
) -> None:
    run_in_a_row(SOAK, sample_folder, delivery, machine)


@pytest.mark.parametrize("delivery", ["pumped", "worker"])
def test_sample_with_a_bad_client_certificate_still_ends(
    delivery: str, sample_folder: Path, pki: TestPki, tmp_path: Path
) -> None:
    for name in ("ca.pem", "server.pem"):
        shutil.copy(sample_folder / name, tmp_path / name)
    shutil.copy(pki.make("expired", "client").encrypted_file, tmp_path / "client.pem")
    done = run_sample(tmp_path, delivery)
    if delivery == "worker" and done.returncode == 1:
        # The refusal may be quicker than the sample's own look at IsConnected().
        assert done.stderr.endswith("FAIL: Client not connected\n")
    else:
        assert done.returncode == 0, done.stderr  # OnSecureLinkReady ends the wait, well or badly
    assert "Error CertHasExpired" in done.stdout
    assert "Traceback" not in done.stderr
    assert os.fspath(tmp_path) not in done.stderr
