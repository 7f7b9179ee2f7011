"""A project of somebody else's: a fresh environment that has only installed the wheel, with extras.

The wheel is built in a mirror under ``build/``, with the objects of the build in place, so that only
what changed is compiled. Nothing is fetched: what the wheel's metadata asks for is installed from this
environment's own copies, and nothing else, so a dependency that is not declared is missed.
"""

from __future__ import annotations

import fcntl
import importlib.metadata
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support import PATIENCE

__all__ = ["Project", "make_project"]

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "wheel-test"
FOREIGN = ("PYTHONPATH", "PYTEST_", "LD_PRELOAD", "COV_", "LEADTOOLS_COMPAT_")


class Project:
    """The environment and an empty folder."""

    def __init__(self, environment: Path, folder: Path) -> None:
        self.python = environment / "bin" / "python"
        self.folder = folder

    def run(self, *arguments: str | Path, seconds: float = 0) -> subprocess.CompletedProcess[str]:
        """Run a module or a script of the environment, from the folder, as its user would."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        path = f"{self.python.parent}{os.pathsep}{kept.get('PATH', '')}"
        program = self.python.parent / str(arguments[0])
        return subprocess.run(
            [program, *arguments[1:]],
            cwd=self.folder,
            env={**kept, "PATH": path},
            capture_output=True,
            text=True,
            timeout=seconds or PATIENCE * 5,
            check=False,
        )


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Several workers of one run want the same wheel."""
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _do(*command: str | Path, cwd: Path = ROOT) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def build_wheel(place: Path) -> Path:
    """Build it, and give a copy of its own."""
    with _alone(BUILD):
        tree, out = BUILD / "tree", BUILD / "dist"
        tree.mkdir(exist_ok=True)
        shutil.rmtree(out, ignore_errors=True)
        shutil.rmtree(tree / "build" / "lib", ignore_errors=True)
        _do(sys.executable, ROOT / "tools" / "mirror_tree.py", tree)
        objects = tree / "build" / "ltdic"
        if not objects.exists() and (ROOT / "build" / "ltdic").exists():
            shutil.copytree(ROOT / "build" / "ltdic", objects)  # with their times
        _do(sys.executable, "setup.py", "-q", "bdist_wheel", "-d", out, cwd=tree)
        (wheel,) = out.glob("*.whl")
        return Path(shutil.copy(wheel, place))


def _wanted(name: str, extras: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Names and extras of what a distribution requires directly."""
    for text in importlib.metadata.distribution(name).requires or ():
        requirement = Requirement(text)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": one}) for one in ("", *extras)):
            yield canonicalize_name(requirement.name), tuple(sorted(requirement.extras))


def _closure(extras: Sequence[str]) -> set[str]:
    names: set[str] = set()
    left = list(_wanted("leadtools_compat", extras))
    seen = set()
    while left:
        one = left.pop()
        if one not in seen:
            seen.add(one)
            names.add(one[0])
            left += _wanted(*one)
    return names - {"leadtools-compat"}


def _copy(name: str, site: Path) -> None:
    """Install one distribution as this environment has it; programs of its own are left out."""
    found = importlib.metadata.distribution(name)
    for file in found.files or ():
        source = Path(str(file.locate()))
        if ".." not in file.parts and "__pycache__" not in file.parts and source.is_file():
            target = site / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)


def make_project(place: Path, extras: Sequence[str]) -> Project:
    """Build the wheel, install it with `extras` into a fresh environment, and make an empty folder."""
    environment, folder = place / "environment", place / "project"
    folder.mkdir(parents=True)
    wheel = build_wheel(place)
    _do(sys.executable, "-m", "venv", "--without-pip", environment)
    (site,) = environment.glob("lib/python*/site-packages")
    for name in _closure(extras):
        _copy(name, site)
    pip = (sys.executable, "-m", "pip", "-q", "--disable-pip-version-check")
    _do(*pip, "--python", environment / "bin/python", "install", "--no-index", "--no-deps", wheel)
    return Project(environment, folder)
