"""How noisy the machine is: a fixed piece of work each round, the load, what others use."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

__all__ = ["NOISY", "calibrate", "machine"]

NOISY = 0.3
"""A sample is marked when others kept more than this of a CPU busy meanwhile."""

_BLOCK = bytes(8 * 1024 * 1024)


def calibrate() -> dict[str, Any]:
    """Do a fixed piece of work on one CPU; its time tells what the machine gives at the moment."""
    began = time.perf_counter()
    cpu = time.process_time()
    for _ in range(4):
        hashlib.sha256(_BLOCK).digest()
    loop = sum(number * number for number in range(200_000))
    return {
        "wall_ms": (time.perf_counter() - began) * 1e3,
        "cpu_ms": (time.process_time() - cpu) * 1e3,
        "load": os.getloadavg()[0],
        "check": loop % 1000,
    }


def _first_line(*argv: str) -> str:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    except OSError:
        return "not installed"
    return (done.stdout or done.stderr).strip().partition("\n")[0]


def machine() -> dict[str, Any]:
    """Describe where this runs, and the versions of all peers."""
    from importlib.metadata import version

    model = "unknown CPU"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return {
        "cpu": model,
        "cpus": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": sys.version.split()[0],
        "openssl": _first_line("openssl", "version"),
        "dcmtk": _first_line("storescp", "--version"),
        "orthanc": _first_line("Orthanc", "--version"),
        "pynetdicom": version("pynetdicom"),
        "pydicom": version("pydicom"),
    }
