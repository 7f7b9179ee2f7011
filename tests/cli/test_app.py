"""The frame around the verbs: help, near misses, exit codes, what is missing."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from leadtools_compat import __version__
from leadtools_compat.cli import main
from leadtools_compat.cli.app import VERBS
from tests.cli.conftest import Run
from tests.support import python

TALKING = ("echo", "store", "find", "move", "get", "scp", "diagnose")
ESCAPE = "\x1b["


def test_help_names_all_verbs_and_all_exit_codes(run: Run) -> None:
    told = run("--help")
    assert told.code == 0
    assert all(re.search(rf"^  {verb} ", told.out, re.M) for verb in VERBS)
    assert all(re.search(rf"^ +{code}  ", told.out, re.M) for code in (0, 1, 2, 3, 4, 5, 6, 130))


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "portcheck"])
def test_each_verb_has_help_with_examples_and_takes_json(run: Run, verb: str) -> None:
    told = run(verb, "--help")
    assert told.code == 0
    assert f"leadtools-compat {verb}" in told.out.partition("Examples:")[2]
    assert "--json" in told.out
    assert "--verbose" in told.out
    assert "--log FILE" in told.out


@pytest.mark.parametrize("verb", TALKING)
def test_each_verb_that_talks_takes_the_tls_options(run: Run, verb: str) -> None:
    told = run(verb, "--help")
    options = ["--tls", "--ca", "--cert", "--key", "--password-file", "--crl", "--tls-version"]
    options += ["--suite", "--profile", "--no-verify", "--crl-dir", "--crl-leaf", "--crl-soft"]
    options += ["--ca-dir", "--pin", "--purpose", "--alpn"]
    options += ["--staple"] if verb == "scp" else ["--host-name", "--no-host-check", "--ocsp"]
    assert [one for one in options if not re.search(rf"{one}[ ,]", told.out)] == []


def test_version_is_that_of_the_package(run: Run) -> None:
    assert run("--version").out.strip().endswith(__version__)


@pytest.mark.parametrize(
    ("arguments", "right"),
    [
        (["eco", "h", 1], "did you mean echo?"),
        (["diagnos", "h", 1], "did you mean diagnose?"),
        (["echo", "h", 1, "--no-hostcheck"], "--no-host-check"),
        (["store", "h", 1, "f", "--callled", "X"], "--called"),
        (["scp", 1, "f", "--titel", "X"], "--title"),
        (["echo", "h", 1, "--tls-version", "1.1"], "1.2"),
        (["echo", "h", 1, "--suite", "TLS_AES_256_GCM_SHA284"], "TLS_AES_256_GCM_SHA384"),
        (["find", "h", 1, "-k", "PatientNmae=X"], "did you mean PatientName?"),
        (["pki", "d", "--kind", "expird"], "did you mean expired?"),
    ],
)
def test_what_is_misspelt_is_refused_with_the_nearest_right_name(
    run: Run, arguments: list[object], right: str
) -> None:
    told = run(*arguments)
    assert told.code == 2
    assert right in told.err
    assert told.out == ""


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["echo", "h", 1, "--tls"], "--ca FILE is needed"),
        (["echo", "h", 0], "PORT"),
        (["echo", "h"], "PORT"),
        (["scp", 0, "folder", "--tls", "--no-verify"], "a server needs --cert"),
        (["echo", "h", 1, "--ca", "/no/such/file"], "/no/such/file"),
        (["pki"], "DIRECTORY is missing"),
        (["get", "h", 1, "-o", "x", "--model", "worklist"], "can only be searched"),
    ],
)
def test_what_does_not_fit_together_is_refused_in_words(
    run: Run, arguments: list[object], why: str
) -> None:
    told = run(*arguments)
    assert told.code == 2
    assert why in told.err


def test_a_wrong_command_line_is_a_document_with_json(run: Run) -> None:
    told = run("echo", "h", 1, "--jsn", "--json")
    assert told.code == 2
    assert told.document["ok"] is False
    assert told.document["error"]["reason"] == "usage"
    assert told.err == ""


@pytest.mark.parametrize("package", ["click", "rich", "cryptography"])
def test_missing_extra_is_one_clear_sentence(
    package: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    assert main(["--help"]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert package in told
    assert "pip install 'leadtools_compat[cli]'" in told


def test_package_runs_as_a_module_without_colours_where_there_is_no_terminal() -> None:
    done = python("-m", "leadtools_compat", "echo", "127.0.0.1", "1", "--timeout", "5")
    assert done.returncode == 3
    assert "forcefully rejected" in done.stderr
    assert ESCAPE not in done.stdout + done.stderr


def test_start_up_does_not_load_pydicom_or_cryptography_for_nothing() -> None:
    code = (
        "import sys, json; from leadtools_compat.cli.app import run; run(['ciphers', '--json']);"
        "print(json.dumps([m for m in ('pydicom', 'numpy', 'pytest') if m in sys.modules]))"
    )
    done = python("-c", code)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.rpartition("}")[2]) == []


def test_portcheck_has_its_own_options_and_needs_no_other_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    source = tmp_path / "Program.cs"
    source.write_text("using Leadtools.Dicom; class P { void M() { new DicomNet(null, 0); } }")
    monkeypatch.setitem(sys.modules, "click", None)
    assert main(["portcheck", str(source), "--json"]) == 0
    assert "DicomNet" in capsys.readouterr().out
