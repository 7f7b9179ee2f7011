"""Two commits of this library side by side: a tree of each, built, for as long as it is measured."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.peers.ours import HERE

__all__ = ["built_trees"]


def _run(argv: list[str], folder: Path) -> str:
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(argv)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout.strip()


@contextlib.contextmanager
def built_trees(commits: list[str]) -> Iterator[dict[str, Path]]:
    """Check out and build commits; give their trees by a label for the tables.

    ``.`` is the tree as it lies here, changes included.
    """
    trees: dict[str, Path] = {}
    made: list[Path] = []
    with tempfile.TemporaryDirectory(prefix="bench-trees-") as folder:
        try:
            for commit in commits:
                if commit == ".":
                    _build(HERE)
                    trees[" @here"] = HERE
                    continue
                name = _run(["git", "rev-parse", "--short", f"{commit}^{{commit}}"], HERE)
                tree = Path(folder) / name
                if tree not in made:
                    _run(["git", "worktree", "add", "--detach", str(tree), name], HERE)
                    made.append(tree)
                    _build(tree)
                trees[f" @{name}"] = tree
            yield trees
        finally:
            for tree in made:
                _run(["git", "worktree", "remove", "--force", str(tree)], HERE)


def _build(tree: Path) -> None:
    _run([sys.executable, "setup.py", "-q", "build_ext", "--inplace"], tree)
