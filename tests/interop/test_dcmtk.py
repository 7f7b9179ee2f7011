"""DCMTK's programs as the other side, plain and with TLS."""

from __future__ import annotations

import importlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

from leadtools_compat.dicom import DicomDataSet
from leadtools_compat.testing import TestPki
from tests.dicom.nodes import IMPLICIT, VERIFICATION, Link, request
from tests.support import PATIENCE, Listener, python

pytestmark = pytest.mark.skipif(
    shutil.which("storescu") is None, reason="DCMTK is not installed: tools/deps.sh test"
)
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
FILES = ("CT_small.dcm", "MR_small_implicit.dcm", "MR_small_bigendian.dcm", "rtplan.dcm")


@pytest.fixture(params=["plain", "tls"])
def link(
    request: pytest.FixtureRequest,
    pki: TestPki,
    nets: Callable[[Any], Any],
    listen: Callable[..., Listener],
) -> Link:
    """Make our end, plain and with TLS."""
    return Link(request.param, pki, listen, nets)


def paths() -> list[Path]:
    return [Path(str(get_testdata_file(name, download=False))) for name in FILES]


def tls(link: Link, pki: TestPki, server: bool = False) -> list[str]:
    """Give the options for TLS; DCMTK checks our certificate, too."""
    if link.kind == "plain":
        return []
    identity = pki.server if server else pki.client
    own = (identity.key_file, identity.combined_file)
    # Its default profile for servers takes RSA keys only in old versions: name the newer one.
    return ["--enable-tls" if not server else "+tls", *own, "+cf", pki.ca_file]


def dcmtk(program: str, *arguments: object) -> str:
    done = subprocess.run(
        [program, "-v", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=PATIENCE * 2,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_echoscu(link: Link, pki: TestPki) -> None:
    listener = link.scp()
    said = dcmtk("echoscu", *tls(link, pki), "127.0.0.1", listener.HostPort)
    assert "Received Echo Response (Success)" in said
    assert listener.child().log.wait("OnClose").code == 0


@pytest.mark.parametrize(
    "propose", ["", "--propose-implicit", "--propose-big", "--propose-deflated"]
)
def test_storescu(link: Link, pki: TestPki, propose: str) -> None:
    listener = link.scp()
    options = [propose] if propose else []
    dcmtk("storescu", *options, *tls(link, pki), "127.0.0.1", listener.HostPort, *paths())
    child = listener.child()
    child.log.wait("OnReceiveCStoreRequest", len(FILES))
    for event, path in zip(child.log.all("OnReceiveCStoreRequest"), paths(), strict=True):
        data = dcmread(path)
        assert event.arguments[2:4] == (data.SOPClassUID, data.SOPInstanceUID)
        got = event.arguments[-1].to_pydicom()
        assert got.PatientName == data.PatientName
        assert got.get("Rows") == data.get("Rows")
    assert child.log.wait("OnClose").code == 0


@pytest.fixture
def storescp(link: Link, pki: TestPki, tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """Start DCMTK's server; gives its port and folder."""
    folder = tmp_path / "storescp"
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        "storescp",
        "-v",
        *tls(link, pki, server=True),
        "+B",
        "+xa",
        "-od",
        str(folder),
        str(port),
    ]
    with (tmp_path / "storescp.log").open("w+") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            _until_it_listens(process, port, tmp_path / "storescp.log")
            yield port, folder
        finally:
            os.kill(process.pid, signal.SIGTERM)
            process.wait(PATIENCE)


def _until_it_listens(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Look into /proc for the listening socket: a connection would disturb the server."""
    wanted = f":{port:04X} "
    for _ in range(int(PATIENCE * 50)):
        for table in ("/proc/net/tcp", "/proc/net/tcp6"):
            lines = Path(table).read_text().splitlines()[1:]
            if any(wanted in line[:30] and line.split()[3] == "0A" for line in lines):
                return
        try:
            process.wait(0.02)
        except subprocess.TimeoutExpired:
            continue
        pytest.fail(f"storescp has ended: {log.read_text()}")
    pytest.fail("storescp does not listen")


def test_our_scu_and_storescp(link: Link, storescp: tuple[int, Path]) -> None:
    port, folder = storescp
    data = [dcmread(path) for path in paths()]
    contexts = [(str(d.SOPClassUID), str(d.file_meta.TransferSyntaxUID)) for d in data]
    scu = link.scu()
    scu.Connect(None, 0, "127.0.0.1", port)
    scu.log.wait("OnConnect" if link.kind == "plain" else "OnSecureLinkReady")
    scu.SendAssociateRequest(request(*contexts, (VERIFICATION, IMPLICIT)))
    scu.log.wait("OnReceiveAssociateAccept")
    scu.SendCEchoRequest(2 * len(contexts) + 1, 9, VERIFICATION)
    assert scu.log.wait("OnReceiveCEchoResponse").arguments[-1] == 0
    for count, (path, one) in enumerate(zip(paths(), data, strict=True), 1):
        with DicomDataSet() as sent:
            sent.Load(path)
            scu.SendCStoreRequest(
                2 * count - 1, count, one.SOPClassUID, one.SOPInstanceUID, 0, "", 0, sent
            )
        assert scu.log.wait("OnReceiveCStoreResponse", count).arguments[4] == 0
    scu.SendReleaseRequest()
    assert scu.log.wait("OnClose").code == 0
    # Two of the files are of one instance, so one name; all that is there must be one of them.
    expected = {str(d.SOPInstanceUID): d for d in data}
    stored = {str(d.SOPInstanceUID): d for d in map(dcmread, folder.iterdir())}
    assert stored.keys() == expected.keys()
    for instance, got in stored.items():
        assert got.PatientName == expected[instance].PatientName


def test_examples_with_dcmtk(link: Link, pki: TestPki, storescp: tuple[int, Path]) -> None:
    port, folder = storescp
    options = (
        []
        if link.kind == "plain"
        else ["--ca", pki.ca_file, "--certificate", pki.client.combined_file]
    )
    echo = python(EXAMPLES / "echo_scu.py", "127.0.0.1", port, *options)
    assert (echo.returncode, echo.stderr) == (0, "")
    assert "Success" in echo.stdout
    store = python(EXAMPLES / "store_scu.py", "127.0.0.1", port, *paths(), *options)
    assert (store.returncode, store.stderr) == (0, "")
    assert f"{len(FILES)} of {len(FILES)} sent" in store.stdout
    assert list(folder.iterdir())


def test_store_scp_example_with_storescu(link: Link, pki: TestPki, tmp_path: Path) -> None:
    folder = tmp_path / "received"
    options = (
        []
        if link.kind == "plain"
        else ["--ca", pki.ca_file, "--certificate", pki.server.combined_file]
    )
    home = str(EXAMPLES.parent)
    process = subprocess.Popen(
        [
            sys.executable,
            str(EXAMPLES / "store_scp.py"),
            "0",
            str(folder),
            "--address",
            "127.0.0.1",
            *options,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": home},
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert "listening on port" in line, line
        port = int(line.split()[-1])
        dcmtk("echoscu", *tls(link, pki), "127.0.0.1", port)
        dcmtk("storescu", *tls(link, pki), "127.0.0.1", port, *paths())
    finally:
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said
    expected = {str(dcmread(path).SOPInstanceUID) for path in paths()}
    assert {path.name.removesuffix(".dcm") for path in folder.iterdir()} == expected
    for path in folder.iterdir():
        assert dcmread(path).SOPInstanceUID == path.name.removesuffix(".dcm")


@pytest.mark.parametrize("name", ["../evil", "1.2.03", "1..2", "", "/etc/passwd", "1" * 65])
def test_store_scp_example_takes_no_names_but_uids(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    store_scp: Any = importlib.import_module("store_scp")
    assert not store_scp.is_uid(name)
    assert store_scp.is_uid("1.2.840.0.10")
