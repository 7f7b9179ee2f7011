"""DCMTK's command-line client, storescu, in the talk of the other programs. Verb: store.

A tool cannot be asked for its clock, so what `echoscu` takes (start, association, one C-ECHO,
release) is taken away from what `storescu` takes. What follows ``--`` are arguments of both.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys

from talk import Options, now, until_end, wait_for_go

split = sys.argv.index("--")
arguments = sys.argv[split + 1 :]
sys.argv = sys.argv[:split]
options = Options()


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(tool: str, files: list[str]) -> tuple[float, float]:
    """Run a tool; return its seconds and CPU seconds."""
    peer = ["127.0.0.1", options.text("port")]
    before = cpu()
    began = now()
    done = subprocess.run(
        [tool, *arguments, "-aec", options.text("called", "BENCH"), *peer, *files],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        print(f"{tool}: {done.stderr}", file=sys.stderr, flush=True)
        sys.exit(1)
    return now() - began, cpu() - before


def main() -> None:
    count = options.number("count")
    names = options.files()
    wait_for_go()
    start, start_cpu = min(run("echoscu", []) for _ in range(2))
    took, took_cpu = run("storescu", [names[number % len(names)] for number in range(count)])
    values = {
        "count": count,
        "bytes": count * options.number("size"),
        "seconds": max(took - start, 1e-6),
        "cpu": max(took_cpu - start_cpu, 0.0),
    }
    print(json.dumps(values), flush=True)
    until_end()


if __name__ == "__main__":
    main()
