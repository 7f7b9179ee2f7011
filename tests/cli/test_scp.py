"""``scp`` as a process: its lines, its end."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom.data import get_testdata_file

from leadtools_compat.testing import TestPki
from tests.cli.conftest import Run
from tests.support import PATIENCE


class Process:
    """A running ``scp --json``."""

    def __init__(self, folder: Path, *options: str) -> None:
        command = [sys.executable, "-m", "leadtools_compat", "scp", "0", str(folder), "--json"]
        self.process = subprocess.Popen(
            [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.port = int(self.line("listening")["port"])

    def line(self, event: str) -> dict[str, Any]:
        assert self.process.stdout is not None
        for text in self.process.stdout:
            found: dict[str, Any] = json.loads(text)
            if found["event"] == event:
                return found
        assert self.process.stderr is not None
        pytest.fail(f"no {event}: {self.process.stderr.read()}")

    def end(self, how: signal.Signals) -> tuple[dict[str, Any], str]:
        self.process.send_signal(how)
        ended = self.line("ended")
        _, errors = self.process.communicate(timeout=PATIENCE)
        return ended, errors


@pytest.fixture
def scp(tmp_path: Path, pki: TestPki) -> Iterator[Process]:
    """One with TLS."""
    options = ("--ca", pki.ca_file, "--cert", pki.server.combined_file, "--address", "127.0.0.1")
    made = Process(tmp_path / "kept", *options)
    yield made
    made.process.kill()
    made.process.communicate()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_scp_keeps_files_tells_failures_and_ends_in_good_order(
    scp: Process, run: Run, mutual: list[str], tmp_path: Path, how: signal.Signals, pki: TestPki
) -> None:
    file = get_testdata_file("CT_small.dcm")
    assert run("store", "localhost", scp.port, file, *mutual).code == 0
    stored = scp.line("stored")
    assert Path(stored["file"]).parent == tmp_path / "kept"
    assert run("echo", "localhost", scp.port, "--ca", pki.ca_file).code == 4
    failed = scp.line("failed")
    assert failed["failure"]["code"] == "TlsCertificateRequired"
    assert failed["failure"]["remedy"]
    ended, errors = scp.end(how)
    assert (ended["stored"], ended["failed"]) == (1, 1)
    assert scp.process.returncode == 0
    assert errors == ""


def test_port_that_is_taken_is_said(run: Run, scp: Process, tmp_path: Path) -> None:
    told = run("scp", scp.port, tmp_path / "other", "--address", "127.0.0.1")
    assert told.code == 6
    assert "NetAddressInUse" in told.err or "in use" in told.err


def test_key_of_another_certificate_is_said_before_anything_listens(
    run: Run, pki: TestPki, tmp_path: Path
) -> None:
    told = run(
        *("scp", 0, tmp_path / "other", "--ca", pki.ca_file),
        *("--cert", pki.server.certificate_file, "--key", pki.client.key_file, "--json"),
    )
    assert told.code == 6
    assert "key" in told.document["error"]["message"]


def test_scp_shows_numbers_warns_of_endings_and_reports_refusals(
    run: Run, pki: TestPki, tmp_path: Path
) -> None:
    numbers = tmp_path / "node.prom"
    expired = pki.make("expired", role="server")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as repository:
        repository.bind(("127.0.0.1", 0))
        repository.settimeout(PATIENCE)
        audit = f"udp://127.0.0.1:{repository.getsockname()[1]}"
        options = ("--ca", pki.ca_file, "--cert", expired.combined_file, "--metrics", "0")
        process = Process(
            *(tmp_path / "kept", *options, "--metrics-file", str(numbers), "--audit", audit)
        )
        try:
            # The watch has a thread of its own: its line may come before or after this one.
            port = process.line("metrics")["port"]
            told = run("echo", "localhost", process.port, "--ca", pki.ca_file, "--audit", audit)
            assert told.code == 4
            reports = [repository.recv(65536) for _ in range(2)]
            url = f"http://127.0.0.1:{port}/metrics"
            with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
                text = answer.read().decode()
            process.end(signal.SIGTERM)
        finally:
            process.process.kill()
            process.process.communicate()
    assert all(b"110126" in report for report in reports)
    assert "leadtools_compat_certificate_days_left" in text
    assert 'code="TlsPeerRejectedCertificate"' in numbers.read_text()


def test_scp_behind_a_load_balancer_knows_the_client(tmp_path: Path, pki: TestPki) -> None:
    tls = ("--ca", pki.ca_file, "--cert", pki.server.combined_file)
    options = ("--address", "127.0.0.1", "--trusted-proxy", "127.0.0.1", "--reuse-port")
    one = Process(tmp_path / "kept", *tls, *options)
    try:
        with socket.create_connection(("127.0.0.1", one.port), PATIENCE) as proxy:
            proxy.sendall(b"PROXY TCP4 192.0.2.7 192.0.2.8 40000 2762\r\nGET / HTTP/1.1\r\n\r\n")
            failed = one.line("failed")
        assert failed["peer"] == "192.0.2.7"
        assert "HTTP" in failed["failure"]["message"]
        assert "through the proxy 127.0.0.1" in failed["failure"]["message"]
    finally:
        one.end(signal.SIGTERM)


def test_scp_says_what_is_wrong_with_a_proxy(run: Run, tmp_path: Path) -> None:
    done = run("scp", "0", str(tmp_path), "--trusted-proxy", "proxy.example")
    assert done.code != 0
    assert "proxy.example" in done.err
