"""From the start of the process to the first association, and what the import takes."""

from __future__ import annotations

import sys
import time

from benchmarks.core.model import Case, Command, Sample, Spec
from benchmarks.core.processes import Worker
from benchmarks.works.common import Bench

__all__ = ["HIGHER", "LATENCY", "UNIT", "run", "specs"]

UNIT = "ms"
HIGHER = False
LATENCY = False

IMPORTS = {
    "python -c pass": "pass",
    "ours Python": "import leadtools_compat.dicom",
    "pydicom": "import pydicom",
    "pynetdicom": "import pynetdicom",
    "ssl": "import ssl",
}
REPEATS = 3


def specs(full: bool) -> list[Spec]:
    del full
    return [
        Spec("startup", "process start to first association, TLS 1.3", "first"),
        Spec("startup", "imports: wall time of the process", "import"),
    ]


def _import(case: Case, bench: Bench) -> Sample:
    times = []
    environment = getattr(case.scu, "environment", {})
    for _ in range(REPEATS):
        statement = IMPORTS[case.name.partition(" @")[0]]
        command = Command((sys.executable, "-c", statement), environment)
        with Worker(command, bench.log("client-0")) as worker:
            worker.process.wait(bench.patience)
            times.append((time.monotonic() - worker.began) * 1e3)
            if worker.process.returncode != 0:
                raise worker.broken("the import failed")
    return Sample(value=sorted(times)[REPEATS // 2])


def run(case: Case, bench: Bench) -> Sample:
    if case.scp is None:  # nothing to associate with: only what starting Python takes
        return _import(case, bench)
    times = []
    with Worker(case.scp.serve(case.spec, bench.settings), bench.log("server")) as server:
        port = server.ready()
        for _ in range(REPEATS):
            command = case.scu.client(case.spec, bench.settings, port)
            with Worker(command, bench.log("client-0")) as client:
                times.append((float(client.line(bench.patience)) - client.began) * 1e3)
    return Sample(value=sorted(times)[REPEATS // 2])
