"""The porting guide: what it shows runs."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from leadtools_compat.portcheck import Status, check
from tests.support import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "porting.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    return [code for kind, code in BLOCK.findall(GUIDE.read_text()) if kind == language]


def named(name: str) -> str:
    return next(code for code in blocks("python") if code.startswith(f"# {name}\n"))


@pytest.fixture
def port(tmp_path: Path) -> Path:
    for name in ("node_check.py", "test_node_check.py"):
        (tmp_path / name).write_text(named(name))
    return tmp_path


def test_the_worked_port_passes_its_own_test(port: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "."],
        cwd=port,
        capture_output=True,
        text=True,
        timeout=PATIENCE * 4,
        check=False,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_the_worked_port_is_typed(port: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--no-error-summary",
            str(port / "node_check.py"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE * 5,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_portcheck_says_of_the_worked_port_what_the_guide_says(tmp_path: Path) -> None:
    source = next(code for code in blocks("csharp") if "class NodeCheck" in code)
    (tmp_path / "NodeCheck.cs").write_text(source)
    report = check([tmp_path])
    assert report.percentage() == 100
    differ = {name for name, status in report.members().items() if status == Status.DIFFERS}
    assert differ <= {"DicomNet.OnVerify", "DicomOpenSslContextCreationSettings"}
    assert {hint.what.partition(":")[0] for hint in report.hints} == {"AutoResetEvent", "WaitOne"}


def test_the_python_of_the_guide_is_python() -> None:
    for code in blocks("python"):
        ast.parse(code)


def test_each_construct_is_shown_in_both_languages_beside_python() -> None:
    before = GUIDE.read_text().partition("\n## A worked port\n")[0]
    shown = [kind for kind, _ in BLOCK.findall(before)]
    assert shown == ["csharp", "vb", "python"] * (len(shown) // 3)
    assert len(shown) >= 30


def test_links_lead_somewhere() -> None:
    text = GUIDE.read_text()
    for target in re.findall(r"\]\(([\w\-]+\.md)\)", text):
        assert (GUIDE.parent / target).exists(), target
    for path in re.findall(r"`(examples/\w+(?:\.py)?)`", text):
        assert (ROOT / path).exists(), path
