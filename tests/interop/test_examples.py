"""The examples of this project with DCMTK on the other side, plain and with TLS."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from leadtools_compat.testing import TestPki
from tests.interop.archive import files, same
from tests.interop.programs import client_options, free_port, run, served, server_options
from tests.interop.wires import Kind, Wire
from tests.support import PATIENCE, python

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
STORED = files("CT_small.dcm", "MR_small_bigendian.dcm", "rtplan.dcm")
PATHS = [file.path for file in STORED]
PLAIN_AND_TLS = pytest.mark.parametrize("link", ["plain", "tls13"], indirect=True)


def options(tls: Kind | None, pki: TestPki, server: bool) -> list[str]:
    if tls is None:
        return []
    own = pki.server if server else pki.client
    return ["--ca", pki.ca_file, "--certificate", own.combined_file]


@PLAIN_AND_TLS
def test_echo_and_store_examples_with_storescp(link: Wire, pki: TestPki, tmp_path: Path) -> None:
    folder = tmp_path / "storescp"
    folder.mkdir()
    port = free_port()
    command = ["storescp", *server_options(link.tls, pki), "+B", "+xa", "-od", folder, port]
    own = options(link.tls, pki, server=False)
    with served(command, tmp_path / "storescp.log", port):
        echo = python(EXAMPLES / "echo_scu.py", "127.0.0.1", port, *own)
        assert (echo.returncode, echo.stderr) == (0, "")
        assert "Success" in echo.stdout
        store = python(EXAMPLES / "store_scu.py", "127.0.0.1", port, *PATHS, *own)
        assert (store.returncode, store.stderr) == (0, "")
        assert f"{len(PATHS)} of {len(PATHS)} sent" in store.stdout
    same(map(dcmread, folder.iterdir()), STORED)


@PLAIN_AND_TLS
def test_store_scp_example_with_storescu(link: Wire, pki: TestPki, tmp_path: Path) -> None:
    folder = tmp_path / "received"
    place = ["0", str(folder), "--address", "127.0.0.1"]
    process = subprocess.Popen(
        [sys.executable, str(EXAMPLES / "store_scp.py"), *place, *options(link.tls, pki, True)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": str(EXAMPLES.parent)},
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert "listening on port" in line, line
        port = int(line.split()[-1])
        run("echoscu", *client_options(link.tls, pki), "127.0.0.1", port)
        run("storescu", *client_options(link.tls, pki), "127.0.0.1", port, *PATHS)
    finally:
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said
    assert {one.stem for one in folder.glob("*.dcm")} == {file.instance for file in STORED}
    same(map(dcmread, folder.glob("*.dcm")), STORED)


@pytest.mark.parametrize("name", ["../evil", "1.2.03", "1..2", "", "/etc/passwd", "1" * 65])
def test_store_scp_example_takes_no_names_but_uids(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    store_scp: Any = importlib.import_module("store_scp")
    assert not store_scp.is_uid(name)
    assert store_scp.is_uid("1.2.840.0.10")
