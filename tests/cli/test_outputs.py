"""Where the output goes: pipes that end, full disks, closed streams, odd encodings, odd names."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file

from leadtools_compat.cli import main
from leadtools_compat.testing import TestPki
from tests.cli.conftest import Run
from tests.support import PATIENCE

COMMAND = (sys.executable, "-m", "leadtools_compat")


def shell(line: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run a line of bash; ``$L`` is the command line."""
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line}"],
        capture_output=True,
        timeout=PATIENCE * 2,
        env={**os.environ, "L": " ".join(COMMAND), **environment},
        check=False,
    )


@pytest.mark.parametrize("line", ["$L ciphers --all", "$L ciphers --all --json", "$L scp --help"])
def test_reader_that_has_seen_enough_gets_no_traceback(line: str) -> None:
    done = shell(f"{line} | head -1; exit ${{PIPESTATUS[0]}}")
    assert done.stderr == b""
    assert done.stdout.count(b"\n") == 1
    assert done.returncode in (0, 1)  # a small output is through before the pipe ends


@pytest.mark.parametrize("more", ["", "--json"])
def test_full_disk_is_a_failure_in_words(more: str) -> None:
    done = shell(f"$L ciphers {more} > /dev/full")
    assert done.returncode == 6
    assert b"Traceback" not in done.stderr
    if not more:
        assert b"No space left on device" in done.stderr


def test_closed_streams_are_no_reason_to_fail() -> None:
    assert shell("$L ciphers >&-").returncode == 0
    assert shell("$L ciphers 2>&-").returncode == 0
    assert shell("$L echo 127.0.0.1 1 2>&- >&-").returncode == 3


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
@pytest.mark.parametrize("more", ["", "--json"])
def test_names_of_every_kind_come_out_in_every_encoding(
    pki: TestPki, tmp_path: Path, encoding: str, more: str
) -> None:
    odd = tmp_path / os.fsdecode(b"b\xe4d-\xe2\x82\xac.pem")  # two encodings in one name
    odd.write_bytes(Path(pki.make("name_utf8").certificate_file).read_bytes())
    done = shell(f"$L cert '{tmp_path}' {more}", PYTHONIOENCODING=f"{encoding}:strict")
    assert done.stderr == b""
    assert done.returncode == 0
    text = done.stdout.decode(encoding)
    assert "\\udce4" in text
    if more:
        named = json.loads(text)["files"][0]["file"]
        assert Path(named) == odd


def test_nothing_at_all_is_answered_with_the_help_once(run: Run) -> None:
    told = run()
    assert told.code == 2
    assert told.err.count("Usage:") == 1
    assert "error" not in told.err.partition("Verbs:")[0]


def test_failure_is_told_once_though_the_library_logs_it_a_moment_later() -> None:
    for _ in range(5):
        done = shell("$L echo nosuchhost.invalid 104")
        assert done.returncode == 3
        assert done.stderr.count(b"nosuchhost.invalid:104") == 1


def test_last_line_of_the_library_is_in_the_log_file(run: Run, tmp_path: Path) -> None:
    for number in range(5):
        file = tmp_path / f"{number}.log"
        assert run("echo", "127.0.0.1", 1, "--log", file).code == 3
        assert "NetConnectionRefused" in file.read_text()


def test_scp_stores_on_when_nobody_reads_its_lines_any_more(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "scp", "0", str(tmp_path / "kept"), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    port = json.loads(process.stdout.readline())["port"]
    process.stdout.close()
    sample = get_testdata_file("CT_small.dcm")
    try:
        for _ in range(2):
            done = shell(f"$L store 127.0.0.1 {port} {sample}")
            assert done.returncode == 0, done.stderr
    finally:
        process.send_signal(signal.SIGTERM)
        printed = process.stderr.read()
        assert process.wait(PATIENCE) == 0
        process.stderr.close()
    assert len(list((tmp_path / "kept").iterdir())) == 1
    assert printed == "nothing more is printed: Broken pipe\n"


def test_ctrl_c_before_a_verb_has_begun_is_clean_too() -> None:
    program = (
        "import builtins, sys; plain = builtins.__import__\n"
        "def stop(name, *more, **named):\n"
        "    if name == 'leadtools_compat.cli.app': raise KeyboardInterrupt\n"
        "    return plain(name, *more, **named)\n"
        "builtins.__import__ = stop\n"
        "from leadtools_compat.cli import main; sys.exit(main(['ciphers']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, timeout=PATIENCE, check=False
    )
    assert (done.returncode, done.stderr) == (130, b"interrupted\n")


@pytest.mark.parametrize("width", [46, 80, 200])
def test_tables_keep_every_name_on_terminals_of_any_width(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: int
) -> None:
    monkeypatch.setattr("leadtools_compat.cli.output._width", lambda stream: width)
    for verb, names in (
        (
            "ciphers",
            ["TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-AES256-GCM-SHA384"],
        ),
        ("profiles", ["bcp195_extended", "ihe_stx12"]),
    ):
        assert main([verb]) == 0
        printed = capsys.readouterr().out
        assert max(map(len, printed.partition("└")[0].splitlines())) <= width
        if width >= 80:
            assert [name for name in names if name not in printed] == []
        assert "…" not in printed


# ---- what the command line knows better than the library


def test_missing_password_is_said_in_options(run: Run, pki: TestPki, tmp_path: Path) -> None:
    encrypted = pki.server.certificate_file.replace(".pem", "-encrypted.pem")
    told = run("scp", 0, tmp_path / "kept", "--ca", pki.ca_file, "--cert", encrypted)
    assert told.code == 6
    assert "--password-file FILE" in told.err


def test_pki_replaces_no_keys_unasked(run: Run, tmp_path: Path) -> None:
    (tmp_path / "server.key").write_text("precious")
    for more in ([], ["--seed", "x"]):
        told = run("pki", tmp_path, "--key", "ec", *more)
        assert told.code == 2
        assert "server.key" in told.err
        assert (tmp_path / "server.key").read_text() == "precious"
    assert run("pki", tmp_path, "--key", "ec", "--force").code == 0
    root = (tmp_path / "ca.pem").read_bytes()
    assert run("pki", tmp_path, "--key", "ec").code == 2
    assert (tmp_path / "ca.pem").read_bytes() == root
    other = tmp_path / "ci"
    for _ in range(2):  # a seed makes the same keys again
        assert run("pki", other, "--key", "ec", "--seed", "ci").code == 0


def test_folder_of_the_page_is_looked_for_before_the_peer_is_asked(
    run: Run, tmp_path: Path
) -> None:
    told = run("diagnose", "127.0.0.1", 1, "--html", tmp_path / "nowhere" / "report.html")
    assert told.code == 2
    assert "there is no folder" in told.err
