"""``--crl``, ``--crl-dir``, ``--ocsp``, ``--staple``: what is taken and refused; ``scp`` on SIGHUP."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat.testing import Identity, TestPki
from leadtools_compat.testing.files import write
from tests.cli.conftest import Run, Serve
from tests.cli.test_scp import Process


def test_lists_come_from_files_and_folders(
    run: Run, serve: Serve, pki: TestPki, mutual: list[str], tmp_path: Path
) -> None:
    port = serve(pki.server).HostPort
    root = pki.crl(name="cli-root", authorities=("ca",))
    good = pki.crl(name="cli-good", authorities=("intermediate",), der=True)
    gone = pki.crl(pki.server, name="cli-gone", authorities=("intermediate",))
    folder = tmp_path / "lists"
    folder.mkdir()
    shutil.copy(good, folder)

    def echo(*options: object) -> Any:
        return run("echo", "localhost", port, *mutual, *options)

    assert echo("--crl", root, "--crl", good).code == 0
    assert echo("--crl", root, "--crl-dir", folder).code == 0
    assert "UnableToGetCrl" in echo("--crl", good).err
    assert echo("--crl", good, "--crl-leaf").code == 0
    assert echo("--crl", good, "--crl-soft").code == 0
    for options in ([], ["--crl-leaf"], ["--crl-soft"]):
        told = echo("--crl", root, "--crl", gone, *options)
        assert told.code == 4
        assert "CertRevoked" in told.err
    for wrong in (["--crl-soft"], ["--crl", tmp_path / "none"], ["--crl-dir", tmp_path / "none"]):
        assert echo(*wrong).code == 2
    (folder / "broken.pem").write_text("-----BEGIN X509 CRL-----\nAAAA\n")
    assert "broken.pem" in echo("--crl-dir", folder).err


def test_staple_is_served_and_demanded(
    run: Run, serve: Serve, pki: TestPki, mutual: list[str]
) -> None:
    good = serve(pki.server, staple=pki.ocsp(pki.server)).HostPort
    gone = serve(pki.server, staple=pki.ocsp(pki.server, "revoked", name="cli-gone")).HostPort
    bare = serve(pki.server).HostPort

    def echo(port: int, *options: object) -> Any:
        return run("echo", "localhost", port, *mutual, *options)

    assert echo(good, "--ocsp", "require").code == 0
    assert echo(good, "--json").document["link"]["revocation"] == "good"
    link = echo(bare, "--json").document["link"]
    assert (link["revocation"], link["ocsp"]) == ("unknown", "missing")
    told = echo(bare, "--ocsp", "require")
    assert told.code == 4
    assert "OcspVerifyNeeded" in told.err
    assert "staple" in told.err
    assert "CertRevoked" in echo(gone).err  # what comes is judged without being asked
    assert echo(gone, "--ocsp", "off").code == 0
    assert echo(gone, "--no-verify").code == 0
    assert echo(gone, "--no-verify", "--ocsp", "require").code == 2


def test_staple_that_cannot_be_served_is_said_before_anything_listens(
    run: Run, pki: TestPki, tmp_path: Path
) -> None:
    options = ["--ca", pki.ca_file, "--cert", pki.server.combined_file]
    told = run("scp", 0, tmp_path / "kept", *options, "--staple", pki.ocsp(pki.client))
    assert told.code == 6
    assert "another certificate" in told.err


@pytest.fixture
def files(pki: TestPki, tmp_path: Path) -> dict[str, Path]:
    """What a running node reads anew."""
    made = {"cert": tmp_path / "own.pem", "crl": tmp_path / "crl.pem"}
    write(made["cert"], Path(pki.server.combined_file).read_bytes(), secret=True)
    write(made["crl"], Path(pki.crl(name="cli-none")).read_bytes())
    return made


@pytest.fixture
def node(pki: TestPki, files: dict[str, Path], tmp_path: Path) -> Iterator[Process]:
    """Start ``scp`` with these files."""
    options = ["--ca", pki.ca_file, "--cert", str(files["cert"]), "--crl", str(files["crl"])]
    made = Process(tmp_path / "kept", *options, "--address", "127.0.0.1")
    yield made
    made.process.kill()
    made.process.communicate()


def test_scp_reads_its_files_anew_on_sighup(
    node: Process, run: Run, pki: TestPki, mutual: list[str], files: dict[str, Path]
) -> None:
    def echo(host_name: str = "localhost") -> int:
        return run("echo", "localhost", node.port, *mutual, "--host-name", host_name).code

    def reload() -> Any:
        node.process.send_signal(signal.SIGHUP)
        return node.line("reloaded")["error"]

    def show(identity: Identity) -> None:
        write(files["cert"], Path(identity.combined_file).read_bytes(), secret=True)

    assert echo() == 0
    show(pki.issue("Renewed", role="server", hosts=["renewed.example"]))
    assert echo() == 0
    assert reload() is None
    assert (echo("renewed.example"), echo()) == (0, 4)
    files["cert"].write_text("nonsense")
    assert str(files["cert"]) in reload()
    assert echo("renewed.example") == 0
    show(pki.server)
    write(files["crl"], Path(pki.crl(pki.client, name="cli-all")).read_bytes())
    assert reload() is None
    assert echo() == 4
    ended, errors = node.end(signal.SIGTERM)
    assert ended["failed"] >= 1
    assert errors == ""
    assert node.process.returncode == 0
