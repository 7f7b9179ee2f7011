"""The storage examples by themselves: one server for each folder, and a client that shows how far it is."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

from leadtools_compat.testing import TestPki
from tests.robustness.robust_tools import environment
from tests.robustness.robust_transfer import EXAMPLES, MIB, receiver, write_large
from tests.support import PATIENCE, python


def test_second_server_does_not_take_the_folder_of_the_first(tmp_path: Path, pki: TestPki) -> None:
    folder = tmp_path / "received"
    with receiver(folder, pki):
        (folder / ".unfinished" / "1.2.3").touch()
        done = python(EXAMPLES / "store_scp.py", "0", folder, "--address", "127.0.0.1")
        assert done.returncode == 1
        assert "is another one running?" in done.stderr
        assert (folder / ".unfinished" / "1.2.3").exists()
    with receiver(folder, pki):
        assert not (folder / ".unfinished" / "1.2.3").exists()


def test_client_shows_percent_bytes_and_rate_on_a_terminal(tmp_path: Path, pki: TestPki) -> None:
    path = tmp_path / "large.dcm"
    write_large(path, 32 * MIB)
    screen, terminal = pty.openpty()
    shown = bytearray()

    def look() -> None:
        with suppress(OSError):  # the terminal is closed
            while piece := os.read(screen, 4096):
                shown.extend(piece)

    watching = threading.Thread(target=look)
    watching.start()
    try:
        with receiver(tmp_path / "received", pki) as (_, port):
            line = [str(EXAMPLES / "store_scu.py"), "127.0.0.1", str(port), str(path)]
            tls = ["--ca", pki.ca_file, "--certificate", pki.client.combined_file]
            done = subprocess.run(
                [sys.executable, *line, *tls],
                stdout=terminal,
                stderr=subprocess.PIPE,
                text=True,
                timeout=PATIENCE * 3,
                check=False,
                env=environment(),
            )
    finally:
        os.close(terminal)
        watching.join(PATIENCE)
        os.close(screen)
    said = shown.decode()
    assert (done.returncode, done.stderr) == (0, "")
    assert " %, " in said
    assert "MiB/s" in said
    assert "large.dcm: Success, 32.0 MiB, " in said
    assert "1 of 1 sent, 32.0 MiB" in said
