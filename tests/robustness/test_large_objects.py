"""An object that is much larger than what a process may hold goes from disk to disk over TLS."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from leadtools_compat.testing import TestPki
from tests.robustness import robust_transfer
from tests.robustness.robust_tools import environment, sanitized
from tests.robustness.robust_transfer import MIB, Watch, digest_of_data_set, receiver, write_large

ALLOWED = 64 * MIB


def goes_from_disk_to_disk(size: int, folder: Path, pki: TestPki) -> None:
    source, target = folder / "source.dcm", folder / "received"
    write_large(source, size)
    line = [sys.executable, robust_transfer.__file__]
    with receiver(target, pki) as (scp, port):
        arguments = [str(port), str(source), str(pki.directory)]
        with subprocess.Popen(
            [*line, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        ) as scu:
            try:
                assert scu.stdin is not None
                assert scu.stdout is not None
                assert scu.stdout.readline() == "ready\n"
                with Watch(scp.pid) as there, Watch(scu.pid) as here:
                    began = time.monotonic()
                    scu.stdin.write("go\n")
                    scu.stdin.flush()
                    assert scu.stdout.readline() == "0\n"
                    took = time.monotonic() - began
                scu.stdin.write("end\n")
                scu.stdin.flush()
                assert scu.wait(30) == 0
            finally:
                scu.kill()
    print(
        f"{size // MIB} MiB in {took:.1f} s; above idle: sender {here.growth / MIB:.1f} MiB, "
        f"receiver {there.growth / MIB:.1f} MiB (idle {here.idle / MIB:.1f}, {there.idle / MIB:.1f})"
    )
    assert digest_of_data_set(target / "1.2.3.4.dcm") == digest_of_data_set(source)
    if not sanitized():
        assert here.growth < ALLOWED
        assert there.growth < ALLOWED


def test_128_mib_over_tls_take_no_more_memory_than_64(tmp_path: Path, pki: TestPki) -> None:
    goes_from_disk_to_disk(128 * MIB, tmp_path, pki)


@pytest.mark.soak
def test_2_gib_over_tls_take_no_more_memory_than_64_mib(tmp_path: Path, pki: TestPki) -> None:
    goes_from_disk_to_disk(2048 * MIB, tmp_path, pki)
