"""Compiles the benchmark programs; one set for each tree of the library."""

from __future__ import annotations

import functools
import hashlib
import subprocess
import sys
from pathlib import Path

__all__ = ["PROGRAMS", "Programs", "compile_python"]

PROGRAMS = Path(__file__).resolve().parent.parent / "programs"
C = ["gcc", "-D_GNU_SOURCE", "-O2", "-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
CXX = ["g++", "-O2", "-std=c++17", "-Wall", "-Wextra", "-Werror"]
OPENSSL = ["-lssl", "-lcrypto", "-pthread"]
DCMTK = ["-ldcmtls", "-ldcmnet", "-ldcmdata", "-loflog", "-lofstd"]


def _compile(target: Path, source: Path, command: list[str], libraries: list[str]) -> Path:
    """Compile unless the target is newer than all that it is made of."""
    parts = [source, *PROGRAMS.glob("*.h")]
    if target.exists() and target.stat().st_mtime > max(it.stat().st_mtime for it in parts):
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    argv = [*command, str(source), "-o", str(target), *libraries]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(argv)}\n{done.stderr}")
    return target


@functools.cache
def compile_python(tree: Path) -> None:
    """Have the byte code of a tree, as an installed package has: imports are measured."""
    package = str(tree / "leadtools_compat")
    subprocess.run([sys.executable, "-m", "compileall", "-q", package], check=True)


class Programs:
    """The compiled programs, each made when it is asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def limit(self) -> str:
        return str(_compile(self.folder / "limit", PROGRAMS / "limit.c", C, OPENSSL))

    def holder(self) -> str:
        return str(_compile(self.folder / "holder", PROGRAMS / "holder.c", C, OPENSSL))

    def dcmtk_scu(self) -> str:
        libraries = [*DCMTK, *OPENSSL]
        return str(_compile(self.folder / "dcmtk_scu", PROGRAMS / "dcmtk_scu.cc", CXX, libraries))

    def ltdic_node(self, tree: Path) -> str:
        """Compile the program on the library of one tree, which must be built."""
        return str(_for_tree(tree, self.folder))


def _for_tree(tree: Path, folder: Path) -> Path:
    binding = tree / "leadtools_compat" / "_binding"
    key = hashlib.sha256(str(tree).encode()).hexdigest()[:8]
    command = [*C, f"-I{tree / 'csrc'}", f"-L{binding}", f"-Wl,-rpath,{binding}"]
    target = folder / f"ltdic_node-{key}"
    header = tree / "csrc" / "ltdic.h"
    if target.exists() and header.stat().st_mtime > target.stat().st_mtime:
        target.unlink()
    return _compile(target, PROGRAMS / "ltdic_node.c", command, ["-lltdic", "-pthread"])
