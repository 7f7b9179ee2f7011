"""Copies the project's files to another folder, times included; only what changed is written.

For builds with other flags (sanitizers, the poll() back end): each has its own folder, so that the
normal build in place is never touched.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SKIPPED = {".git", ".venv", "build", "dist", "__pycache__"}


def project_files() -> set[Path]:
    """List the files that belong to the project; without git, all but what is built."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "-co", "--exclude-standard"]
    if (ROOT / ".git").exists() and shutil.which("git"):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            names = {Path(name) for name in done.stdout.split("\0") if name}
            return {name for name in names if (ROOT / name).is_file()}
    found = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    return {path for path in found if not SKIPPED & set(path.parts) and path.suffix != ".so"}


def main(target: Path) -> None:
    """Bring `target` up to date."""
    listing = target / ".mirrored"
    before = set(map(Path, listing.read_text().splitlines())) if listing.exists() else set()
    files = project_files()
    for gone in before - files:
        (target / gone).unlink(missing_ok=True)
    for name in files:
        source, copy = ROOT / name, target / name
        stat = source.stat()
        if copy.exists():
            have = copy.stat()
            if (have.st_mtime_ns, have.st_size) == (stat.st_mtime_ns, stat.st_size):
                continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, copy)
    listing.write_text("".join(f"{name}\n" for name in sorted(files)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
