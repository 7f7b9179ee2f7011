"""Load tests with Locust: the example against Orthanc from several processes, and failures by cause.

Locust changes Python's own modules when it is imported, so it runs in processes of its own.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat.dicom import DicomNet, DicomNetSecurityMode
from leadtools_compat.testing import TestPki
from tests.dicom.nodes import Scp
from tests.interop.orthanc import running
from tests.interop.programs import free_port
from tests.interop.wires import KINDS
from tests.robustness.robust_tools import environment
from tests.support import PATIENCE, Listener, python, secure

LOCUSTFILE = Path(__file__).resolve().parents[2] / "examples/locustfile.py"
Row = dict[str, str]

ENOUGH = """
import gevent
from locust import events

@events.init.add_listener
def watch(environment, **_):
    left = 30

    def count(**_):
        nonlocal left
        left -= 1
        if left == 0:
            gevent.spawn(environment.runner.quit)

    environment.events.request.add_listener(count)
"""
ECHOES = """
from locust import constant, task
from leadtools_compat.testing.load import DicomUser

class Echoes(DicomUser):
    wait_time = constant(0)
    models = ()

    @task
    def verify(self):
        with self.association():
            self.echo()
"""
STORES = """
from locust import constant, task
from pydicom.dataset import Dataset
from leadtools_compat.testing.load import DicomUser

CT = "1.2.840.10008.5.1.4.1.1.2"

class Stores(DicomUser):
    wait_time = constant(0)
    models = ()
    sop_classes = (CT,)

    @task
    def store(self):
        image = Dataset()
        image.SOPClassUID, image.PatientName = CT, "Doe^Jane"
        answer = self.store_one(image)
        assert int(answer.status) == 0xA700
        assert self.associated

    def store_one(self, image):
        from leadtools_compat.testing.load import DicomUser
        return DicomUser.store(self, image)
"""


def locust(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "locust", *map(str, arguments)]


def identity(pki: TestPki, port: int, who: Any = None) -> list[str]:
    """Give the options for a node and a certificate."""
    own = pki.client if who is None else who
    return [
        *("--host", f"localhost:{port}", "--dicom-ca", pki.ca_file),
        *("--dicom-certificate", own.combined_file, "--dicom-key", own.key_file),
    ]


def run(folder: Path, *arguments: object, code: int = 0) -> str:
    """Run a load test to its end, with its report in the folder."""
    report = ["--csv", folder / "report", "--json-file", folder / "report"]
    done = subprocess.run(
        locust("--headless", *report, *arguments),
        capture_output=True,
        text=True,
        timeout=PATIENCE * 3,
        check=False,
        env={**environment(), "SLICES": "3"},
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def statistics(folder: Path) -> dict[str, Row]:
    """Read the report: the rows by name."""
    with (folder / "report_stats.csv").open() as table:
        return {row["Name"]: row for row in csv.DictReader(table)}


def failures(folder: Path) -> list[Row]:
    with (folder / "report_failures.csv").open() as table:
        return list(csv.DictReader(table))


@contextmanager
def workers(folder: Path, port: int, count: int = 2) -> Iterator[None]:
    """Run worker processes that wait for a master; they end with it."""
    files = [(folder / f"worker{number}.log").open("w") for number in range(count)]
    command = locust("-f", LOCUSTFILE, "--worker", "--master-port", port)
    made = [
        subprocess.Popen(
            command, stdout=file, stderr=subprocess.STDOUT, env={**os.environ, **environment()}
        )
        for file in files
    ]
    try:
        yield
        codes = [process.wait(PATIENCE) for process in made]
        said = [(folder / f"worker{number}.log").read_text() for number in range(count)]
        assert codes == [0] * count, said
        assert not any("Traceback" in text for text in said), said
    finally:
        for process, file in zip(made, files, strict=True):
            process.kill()
            process.wait(PATIENCE)
            file.close()


def test_two_workers_drive_orthanc_and_the_report_counts_what_it_has(
    tmp_path: Path, pki: TestPki
) -> None:
    with running(tmp_path, KINDS["tls13"], pki) as orthanc:
        port = free_port()
        with workers(tmp_path, port):
            run(
                tmp_path,
                *("-f", LOCUSTFILE, "--master", "--master-bind-port", port),
                *("--expect-workers", 2, "-u", 4, "-r", 4, "-t", "4s"),
                *identity(pki, orthanc.port),
            )
        has = orthanc.ask("/statistics")
        log = (tmp_path / "orthanc.log").read_text()
    rows = statistics(tmp_path)
    assert failures(tmp_path) == []
    assert int(rows["C-STORE"]["Request Count"]) == has["CountInstances"] > 0
    assert int(rows["C-ECHO"]["Request Count"]) == log.count("Incoming Echo request")
    assert int(rows["C-FIND"]["Request Count"]) == log.count("Incoming Find request")
    links = int(rows["TLS connect"]["Request Count"])
    assert int(rows["A-RELEASE"]["Request Count"]) == links  # none is left open
    assert links - 4 <= int(rows["A-ASSOCIATE"]["Request Count"]) <= links  # 4 users were ended
    assert float(rows["C-STORE"]["Average Content Size"]) > 512 * 1024
    assert 0 < float(rows["C-STORE"]["50%"]) <= float(rows["C-STORE"]["99%"])
    entries = json.loads((tmp_path / "report.json").read_text())
    counts = {entry["name"]: entry["num_requests"] for entry in entries}
    assert counts["C-STORE"] == has["CountInstances"]
    assert {entry["method"] for entry in entries} == {"DICOM"}


# ---- failures ----


@pytest.fixture
def server(pki: TestPki, listen: Callable[..., Listener]) -> Callable[..., Listener]:
    """Start our own listener."""

    def start(**hooks: Any) -> Listener:
        def child() -> DicomNet:
            net = Scp(DicomNetSecurityMode.Tls, **hooks)
            secure(net, pki.server, pki.ca_file)
            return net

        return listen(child)

    return start


def fail(folder: Path, text: str, *options: object) -> tuple[dict[str, Row], list[Row]]:
    """Run a small test that fails; gives its report."""
    (folder / "locustfile.py").write_text(text + ENOUGH)
    said = run(
        folder,
        *("-f", folder / "locustfile.py", "-u", 2, "-r", 2, "-t", "60s", *options),
        code=1,  # Locust's, when requests have failed
    )
    assert "Traceback" not in said
    return statistics(folder), failures(folder)


def test_failures_are_counted_by_their_cause(
    tmp_path: Path, pki: TestPki, server: Callable[..., Listener]
) -> None:
    stranger = TestPki(tmp_path / "other", seed="stranger", key="ec")
    listener = server()
    port = listener.HostPort
    for options, cause in (
        (
            identity(stranger, port),
            "certificate, by us: TlsCertificateRejected, UnableToGetIssuerCertLocally",
        ),
        (
            identity(pki, port, pki.make("expired")),
            "certificate, by the peer: TlsPeerRejectedCertificate, alert certificate_expired",
        ),
        (identity(pki, free_port()), "tcp, by the peer: NetConnectionRefused"),
    ):
        rows, reasons = fail(tmp_path, ECHOES, *options)
        assert set(rows) == {"TLS connect", "Aggregated"}
        row = rows["TLS connect"]
        assert int(row["Failure Count"]) == int(row["Request Count"]) > 0
        # One cause, one line, however many connections.
        assert [(one["Name"], one["Error"], one["Occurrences"]) for one in reasons] == [
            ("TLS connect", cause, row["Failure Count"])
        ]


def test_rejection_and_lost_association_are_causes_of_their_own(
    tmp_path: Path, pki: TestPki, server: Callable[..., Listener]
) -> None:
    def reject(net: DicomNet, _asked: Any) -> None:
        net.SendAssociateReject(1, 1, 7)  # called AE title not recognized

    port = server(OnReceiveAssociateRequest=reject).HostPort
    _, reasons = fail(tmp_path, ECHOES, *identity(pki, port))
    assert [one["Name"] for one in reasons] == ["A-ASSOCIATE"]
    assert "association, by the peer: " in reasons[0]["Error"]
    assert "reason 7" in reasons[0]["Error"]

    def abort(net: DicomNet, *_request: Any) -> None:
        net.SendAbort(0, 0)

    port = server(OnReceiveCEchoRequest=abort).HostPort
    rows, reasons = fail(tmp_path, ECHOES, *identity(pki, port))
    assert [one["Name"] for one in reasons] == ["C-ECHO"]
    assert "Abort" in reasons[0]["Error"]
    assert rows["A-ASSOCIATE"]["Failure Count"] == "0"


def test_status_that_says_failure_is_counted_and_the_association_lives(
    tmp_path: Path, pki: TestPki, server: Callable[..., Listener]
) -> None:
    def refuse(net: DicomNet, p: int, m: int, c: str, i: str, *_rest: Any) -> None:
        net.SendCStoreResponse(p, m, c, i, 0xA700)

    listener = server(OnReceiveCStoreRequest=refuse)
    rows, reasons = fail(tmp_path, STORES, *identity(pki, listener.HostPort))
    assert [one["Name"] for one in reasons] == ["C-STORE"]
    assert reasons[0]["Error"].startswith("status 0xa700")
    assert int(rows["C-STORE"]["Failure Count"]) > 2
    assert rows["TLS connect"]["Request Count"] == "2"  # one for each user


def test_settings_that_cannot_be_used_are_shown_as_a_failure(tmp_path: Path) -> None:
    _, reasons = fail(tmp_path, ECHOES, "--host", "localhost:2762")
    assert [one["Error"][:6] for one in reasons] == ["local:"]
    assert "--dicom-ca" in reasons[0]["Error"]
    _, reasons = fail(tmp_path, ECHOES, "--host", "localhost", "--dicom-plain")
    assert "NAME:PORT" in reasons[0]["Error"]


# ---- gevent, and words ----

TICKS = """
import socket, sys, time
from locust.env import Environment
from leadtools_compat.testing.load import DicomUser, LoadError, TlsOptions
import gevent

class Slow(DicomUser):
    host = "127.0.0.1:" + sys.argv[1]

    def option(self, name, default=None):
        return 1.0 if name == "timeout" else default

    def tls_options(self):
        return TlsOptions(verify=False)

seen = []
environment = Environment(user_classes=[Slow])
environment.events.request.add_listener(lambda **one: seen.append(one))
ticks = 0

def tick():
    global ticks
    while True:
        gevent.sleep(0.01)
        ticks += 1

clock = gevent.spawn(tick)

def use(user):
    try:
        user.open()
    except LoadError as error:
        return error.cause

users = [gevent.spawn(use, Slow(environment)) for _ in range(20)]
gevent.joinall(users)
clock.kill()
assert {one.value for one in users} == {"tls, by the peer: TlsHandshakeTimeout"}, users[0].value
assert len(seen) == 20
assert all(900 < one["response_time"] < 5000 for one in seen), seen
assert ticks > 25, ticks
print("ticks", ticks)
"""


def test_greenlets_go_on_while_requests_wait() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        done = python("-c", TICKS, silent.getsockname()[1])
    assert done.returncode == 0, done.stderr
    assert "ticks" in done.stdout


def test_help_has_the_options() -> None:
    done = python("-m", "leadtools_compat.testing.load")
    assert done.returncode == 0, done.stderr
    for option in ("ca", "certificate", "key", "called", "calling", "tls-version", "plain"):
        assert f"--dicom-{option}" in done.stdout


def test_without_locust_the_extra_is_named() -> None:
    done = python(
        *("-c", "import sys; sys.modules['locust'] = None; import leadtools_compat.testing.load")
    )
    assert "pip install leadtools_compat[load]" in done.stderr
