"""Say how long ``import leadtools_compat.dicom`` takes beside ``import cffi``: medians of 20 processes each.

In turn, one of each, so that what else the machine does hits both alike; with the CPU time, which a
busy machine changes less than the time on the clock.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TIMES = 20
CODE = (
    "import time; clock, cpu = time.perf_counter(), time.process_time(); import {module}; "
    "print(time.perf_counter() - clock, time.process_time() - cpu)"
)


def once(module: str) -> tuple[float, float]:
    """Import a module in a process of its own; give milliseconds on the clock and of CPU."""
    # Without this variable's help, as some machines forbid Python to keep what it compiles.
    command = [
        "env",
        "-u",
        "PYTHONDONTWRITEBYTECODE",
        sys.executable,
        "-c",
        CODE.format(module=module),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    clock, cpu = map(float, done.stdout.split())
    return clock * 1000, cpu * 1000


def main() -> None:
    """Measure and print."""
    modules = ("cffi", "leadtools_compat.dicom")
    for module in modules:
        once(module)  # compiled and in the cache of files
    found: dict[str, list[tuple[float, float]]] = {module: [] for module in modules}
    for _ in range(TIMES):
        for module in modules:
            found[module].append(once(module))
    medians = {
        module: [statistics.median(one) for one in zip(*times, strict=True)]
        for module, times in found.items()
    }
    for module in modules:
        clock, cpu = medians[module]
        least = min(one for _, one in found[module])
        print(f"import {module}: {clock:.1f} ms, CPU {cpu:.1f} ms, CPU at least {least:.1f} ms")
    more = [b - a for a, b in zip(medians[modules[0]], medians[modules[1]], strict=True)]
    print(f"more: {more[0]:.1f} ms, CPU {more[1]:.1f} ms")


if __name__ == "__main__":
    main()
