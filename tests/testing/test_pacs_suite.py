"""The example suite, copied into a project that has only installed the wheel, against Orthanc: green when
it is good, red with the right words when its certificate has expired."""

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
from tests.testing.wheel_project import Project, make_project

ROOT = Path(__file__).resolve().parents[2]
SUITE = ROOT / "examples" / "pacs_suite" / "test_pacs_tls.py"
pytestmark = pytest.mark.timeout(300)  # the first one builds


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """What docs/test-your-pacs.md tells the reader to make."""
    return make_project(tmp_path_factory.mktemp("wheel"), ("testing", "cli"))


@pytest.fixture(scope="module")
def rsa(project: Project) -> TestPki:
    """A PKI made as the page says, by the installed program: DCMTK wants RSA keys."""
    made = project.run("leadtools-compat", "pki", "certificates", "--seed", "trial")
    assert made.returncode == 0, made.stderr
    return TestPki(project.folder / "certificates", "trial")


def run_suite(
    project: Project, port: int, place: Path, *more: str
) -> subprocess.CompletedProcess[str]:
    """Run a copy of it, in a folder beside the certificates."""
    folder = place / "suite"
    folder.mkdir()
    shutil.copy(SUITE, folder)
    shutil.copytree(project.folder / "certificates", folder / "certificates")
    options = ["--pacs", f"localhost:{port}", "--pacs-title", TITLE]
    options += ["--pacs-pki", "certificates", "--pacs-seed", "trial"]
    command = ("python", "-m", "pytest", "-q", "-rf", "-p", "no:cacheprovider", SUITE.name)
    return Project(project.python.parent.parent, folder).run(*command, *options, *more)


@pytest.mark.wheel
def test_the_package_comes_from_the_wheel_and_nothing_else_is_there(project: Project) -> None:
    code = (
        "import importlib.metadata as m, leadtools_compat as p; print(p.__file__);"
        "print(sorted(d.name.lower() for d in m.distributions()))"
    )
    told = project.run("python", "-c", code).stdout
    assert str(project.python.parent.parent) in told.splitlines()[0]
    assert str(ROOT) not in told
    there = set(re.findall(r"'([^']+)'", told.splitlines()[1]))
    assert {"leadtools_compat", "pytest", "rich", "pydicom"} <= there
    assert not there & {"setuptools", "hypothesis", "pytest-xdist", "numpy", "pynetdicom"}


@pytest.mark.wheel
def test_suite_is_green_against_a_good_orthanc(
    project: Project, rsa: TestPki, tmp_path: Path
) -> None:
    with running(tmp_path, KINDS["tls13"], rsa) as orthanc:
        done = run_suite(project, orthanc.port, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\d\d passed", done.stdout)
    assert "skipped" not in done.stdout


@pytest.mark.wheel
def test_suite_is_red_with_the_right_words_against_an_expired_certificate(
    project: Project, rsa: TestPki, tmp_path: Path
) -> None:
    expired: Any = SimpleNamespace(server=rsa.make("expired", role="server"), ca_file=rsa.ca_file)
    with running(tmp_path, KINDS["tls13"], cast(TestPki, expired)) as orthanc:
        done = run_suite(project, orthanc.port, tmp_path, "-k", "trusted or lasts")
        wide = project.run(
            *("leadtools-compat", "diagnose", "localhost", str(orthanc.port), "--quick"),
            *("--ca", rsa.ca_file, "--cert", rsa.client.combined_file),
        )
    assert done.returncode == 1
    assert "certificate has expired" in done.stdout
    assert "CertHasExpired" in done.stdout
    assert "Renew the certificate" in done.stdout
    assert "ends in -" in done.stdout
    assert "Traceback" not in done.stderr
    assert wide.returncode == 4
    assert "Renew the certificate" in wide.stdout


@pytest.mark.wheel
def test_suite_without_a_node_says_which_options_are_missing(
    project: Project, tmp_path: Path
) -> None:
    shutil.copy(SUITE, tmp_path)
    done = Project(project.python.parent.parent, tmp_path).run(
        "python", "-m", "pytest", "-q", SUITE.name
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
