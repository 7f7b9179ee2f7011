"""The example suite, copied to where nothing of this project is, against Orthanc, good and expired."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

import leadtools_compat
from leadtools_compat.testing import TestPki
from tests.interop.orthanc import TITLE, running
from tests.interop.wires import KINDS
from tests.support import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
SUITE = ROOT / "examples" / "pacs_suite" / "test_pacs_tls.py"


@pytest.fixture(scope="module")
def rsa(tmp_path_factory: pytest.TempPathFactory) -> TestPki:
    """A PKI as ``leadtools-compat pki DIR --seed trial`` makes it: DCMTK wants RSA keys."""
    return TestPki(tmp_path_factory.mktemp("trial"), "trial")


def run_suite(
    folder: Path, port: int, pki: TestPki, *more: str
) -> subprocess.CompletedProcess[str]:
    """Run a copy of it with the installed package only."""
    shutil.copy(SUITE, folder)
    home = str(Path(leadtools_compat.__file__).resolve().parents[1])
    options = ["--pacs", f"localhost:{port}", "--pacs-title", TITLE]
    options += ["--pacs-pki", str(pki.directory), "--pacs-seed", "trial"]
    command = [sys.executable, "-m", "pytest", "-q", "-rf", "-p", "no:cacheprovider"]
    # Without the entry point of an installation the plugin is named.
    command += ["-p", "no:randomly", "-p", "leadtools_compat.pytest_plugin"]
    environment = {**os.environ, "PYTHONPATH": home, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(
        [*command, SUITE.name, *options, *more],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE * 5,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty project."""
    made = tmp_path / "project"
    made.mkdir()
    return made


def test_suite_is_green_against_a_good_orthanc(folder: Path, rsa: TestPki, tmp_path: Path) -> None:
    with running(tmp_path, KINDS["tls13"], rsa) as orthanc:
        done = run_suite(folder, orthanc.port, rsa)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\d\d passed", done.stdout)
    assert "skipped" not in done.stdout


def test_suite_is_red_with_the_right_words_against_an_expired_certificate(
    folder: Path, rsa: TestPki, tmp_path: Path
) -> None:
    expired: Any = SimpleNamespace(server=rsa.make("expired", role="server"), ca_file=rsa.ca_file)
    with running(tmp_path, KINDS["tls13"], cast(TestPki, expired)) as orthanc:
        done = run_suite(folder, orthanc.port, rsa, "-k", "trusted or lasts")
    assert done.returncode == 1
    assert "certificate has expired" in done.stdout
    assert "Renew the certificate" in done.stdout
    assert "ends in -" in done.stdout


def test_suite_without_a_node_says_which_options_are_missing(folder: Path) -> None:
    shutil.copy(SUITE, folder)
    home = str(Path(leadtools_compat.__file__).resolve().parents[1])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "leadtools_compat.pytest_plugin", SUITE.name],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": home, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=PATIENCE * 3,
        check=False,
    )
    assert done.returncode != 0
    assert "--pacs HOST:PORT" in done.stdout


def test_plugin_loads_nothing_until_a_fixture_is_asked_for() -> None:
    code = "import sys, leadtools_compat.pytest_plugin; print([m for m in sys.modules if m in "
    code += "('cryptography', 'pydicom', 'leadtools_compat.dicom', 'leadtools_compat.testing')])"
    home = str(Path(leadtools_compat.__file__).resolve().parents[1])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": home},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert done.stdout.strip() == "[]"
