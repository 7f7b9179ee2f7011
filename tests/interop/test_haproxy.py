"""HAProxy in front of several listening processes, with the documented configurations."""

from __future__ import annotations

import csv
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat._nodes.client import VERIFICATION, Client, Context, NodeError
from leadtools_compat.dicom import DicomExceptionCode
from leadtools_compat.testing import TestPki
from tests.examples.test_many_processes import Run, client, port_of
from tests.examples.test_many_processes import running as processes
from tests.interop.programs import free_port, served
from tests.support import PATIENCE, Listener, tls_child

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
LOOPBACK = "127.0.0.1"
CT = "1.2.840.10008.5.1.4.1.1.2"


class Balancer:
    """A HAProxy that runs.

    Parameters
    ----------
    port
        Where it takes clients.
    control
        Its control socket.
    """

    def __init__(self, port: int, control: Path, log: Path) -> None:
        self.port, self.log = port, log
        self._control = control

    def ask(self, command: str) -> str:
        """Give a command to the control socket."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(PATIENCE)
            line.connect(str(self._control))
            line.sendall(f"{command}\n".encode())
            answer = b""
            while piece := line.recv(65536):
                answer += piece
        return answer.decode()

    def servers(self) -> dict[str, dict[str, str]]:
        """Give what is known of each server."""
        rows = csv.DictReader(self.ask("show stat").removeprefix("# ").splitlines())
        return {row["svname"]: row for row in rows if row["svname"] in ("one", "two")}

    def wait(self, **wanted: str) -> None:
        """Wait until the servers are as wanted, for instance ``one="DOWN"``."""
        end = time.monotonic() + PATIENCE
        while True:
            rows = self.servers()
            # "no check" before the first one, "UP 1/2" between
            if all(
                rows[name]["status"] == state and rows[name]["check_status"]
                for name, state in wanted.items()
            ):
                return
            assert time.monotonic() < end, (wanted, rows, self.log.read_text())
            time.sleep(0.02)  # it tells nobody by itself


@contextmanager
def balancing(
    folder: Path, pki: TestPki, one: int, two: int, config: str = "haproxy.cfg", **changes: str
) -> Iterator[Balancer]:
    """Run HAProxy; `changes` are made in the text of the configuration."""
    port, control = free_port(), folder / "control"
    text = (EXAMPLES / config).read_text()
    for old, new in {"inter 2s": "inter 50ms", "maxconn 4000": "maxconn 200", **changes}.items():
        assert old in text
        text = text.replace(old, new)
    text = text.replace("\nglobal\n", f"\nglobal\n    stats socket {control} level admin\n")
    (folder / "haproxy.cfg").write_text(text)
    variables = {
        "DICOM_BIND": f"{LOOPBACK}:{port}",
        "DICOM_ONE": f"{LOOPBACK}:{one}",
        "DICOM_TWO": f"{LOOPBACK}:{two}",
        "DICOM_CA": pki.ca_file,
        "DICOM_CHECK": str(folder / "check.pem"),
    }
    identity = pki.client
    both = Path(identity.combined_file).read_text()
    if "PRIVATE KEY" not in both:
        both += Path(identity.key_file).read_text()
    (folder / "check.pem").write_text(both)
    command = ["env", *(f"{name}={value}" for name, value in variables.items())]
    log = folder / "haproxy.log"
    with served([*command, "haproxy", "-db", "-f", folder / "haproxy.cfg"], log, port):
        balancer = Balancer(port, control, log)
        yield balancer


def talk(pki: TestPki, port: int, own: str = LOOPBACK, stores: int = 0) -> None:
    """Make an association from an address of our own, through the balancer."""
    with calling(pki, port, own) as scu:
        assert scu.echo().good
        for number in range(stores):
            with dataset(f"1.2.3.{number}") as data:
                assert scu.store(scu.context(CT), CT, f"1.2.3.{number}", data).good
        scu.release()


@contextmanager
def calling(pki: TestPki, port: int, own: str = LOOPBACK) -> Iterator[Client]:
    with client(pki, port) as scu:
        connect = scu.Connect
        scu.Connect = lambda _host, _port, *rest: connect(own, 0, *rest)  # type: ignore[method-assign]
        scu.open()
        scu.associate([Context(VERIFICATION), Context(CT)])
        yield scu


def dataset(instance: str) -> Any:
    from pydicom.dataset import Dataset

    from leadtools_compat.dicom import DicomDataSet

    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID, made.PatientName = CT, instance, "Doe^Jane"
    return DicomDataSet.from_pydicom(made)


@contextmanager
def farm(folder: Path, pki: TestPki, **options: Any) -> Iterator[tuple[Balancer, Run, Run]]:
    """Run two listening processes and a balancer in front of them."""
    with ExitStack() as stack:
        one, two = (
            stack.enter_context(processes(pki, "--behind", LOOPBACK, "--grace", 5, processes=1))
            for _ in range(2)
        )
        balancer = stack.enter_context(
            balancing(folder, pki, port_of(one), port_of(two), **options)
        )
        balancer.wait(one="UP", two="UP")
        yield balancer, one, two


def checks_done(balancer: Balancer) -> None:
    """Wait for a few more checks of each server."""
    end = time.monotonic() + 0.3
    while time.monotonic() < end:
        rows = balancer.servers()
        assert all(row["status"].startswith("UP") for row in rows.values())
        time.sleep(0.02)


def lines_of(run: Run) -> list[str]:
    return [line for line in run.lines if "listening on port" not in line]


def first_line(*runs: Run) -> str:
    """Wait until one of them says something."""
    end = time.monotonic() + PATIENCE
    while not (told := [line for run in runs for line in lines_of(run)]):
        assert time.monotonic() < end, "nobody says anything"
        time.sleep(0.02)
    return told[0]


def pid_of(run: Run) -> int:
    return int(run.wait(r"^(\d+): listening")[-1][1])


@pytest.mark.parametrize(
    "send",
    ["send-proxy-v2", "send-proxy-v2 proxy-v2-options crc32c,unique-id", "send-proxy"],
    ids=["version 2", "with values and a checksum", "version 1"],
)
def test_both_listeners_serve_and_know_the_client(tmp_path: Path, pki: TestPki, send: str) -> None:
    unique = {"option tcplog": "option tcplog\n    unique-id-format %{+X}o%ci:%cp"}
    with farm(tmp_path, pki, **{"send-proxy-v2": send, **unique}) as (balancer, one, two):
        checks_done(balancer)
        addresses = [f"127.0.0.{last}" for last in range(2, 22)]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda own: talk(pki, balancer.port, own, stores=1), addresses))
        served = one.wait("1 stored, ok") + two.wait("1 stored, ok")
        end = time.monotonic() + PATIENCE
        while len(served) < len(addresses):
            assert time.monotonic() < end, (one.lines, two.lines)
            time.sleep(0.02)
            served = one.wait("1 stored, ok") + two.wait("1 stored, ok")
        seen = sorted(match.string.partition(": ")[2] for match in served)
        assert seen == sorted(f"{own} through {LOOPBACK}, 1 stored, ok" for own in addresses)
        # Not a word about the health checks.
        assert len(lines_of(one) + lines_of(two)) == len(addresses)
        assert (one.end(), two.end()) == (0, 0)


def test_certificates_are_judged_end_to_end(tmp_path: Path, pki: TestPki) -> None:
    stranger = TestPki(tmp_path / "other", seed="stranger", key="ec")
    with farm(tmp_path, pki) as (balancer, one, two):
        with pytest.raises(NodeError) as refused, client(stranger, balancer.port) as scu:
            scu.open()
        assert refused.value.failure is not None
        assert refused.value.failure.stage == "certificate"
        assert refused.value.failure.side == "local"  # the listener's own certificate is what comes
        told = first_line(one, two)
        assert f"peer {LOOPBACK} port" in told
        assert f"through the proxy {LOOPBACK}" in told


def kill(pid: int) -> None:
    """Kill it, and wait until the kernel has taken away its sockets."""
    watched = os.pidfd_open(pid)
    try:
        os.kill(pid, signal.SIGKILL)
        assert select.select([watched], [], [], PATIENCE)[0]
    finally:
        os.close(watched)


def test_listener_that_dies_is_left_out_and_taken_in_again(tmp_path: Path, pki: TestPki) -> None:
    with farm(tmp_path, pki) as (balancer, one, two):
        os.kill(one.process.pid, signal.SIGSTOP)  # or it would start another one at once
        kill(pid_of(one))
        for _ in range(6):
            talk(pki, balancer.port)  # from the first moment: it tries the other one
        balancer.wait(one="DOWN", two="UP")
        assert len(two.wait("0 stored, ok", 6)) == 6
        os.kill(one.process.pid, signal.SIGCONT)
        balancer.wait(one="UP", two="UP")
        for _ in range(6):
            talk(pki, balancer.port)
        assert one.wait("0 stored, ok")
        assert (one.end(), two.end()) == (0, 0)


def test_association_lives_on_while_its_listener_ends_in_good_order(
    tmp_path: Path, pki: TestPki
) -> None:
    with farm(tmp_path, pki) as (balancer, one, two), calling(pki, balancer.port) as scu:
        assert scu.echo().good
        for run in (one, two):
            run.process.send_signal(signal.SIGTERM)
        balancer.wait(one="DOWN", two="DOWN")
        assert scu.echo().good
        scu.release()
        assert one.process.wait(PATIENCE) == 0
        assert two.process.wait(PATIENCE) == 0


def test_check_with_an_association_finds_a_listener_that_hangs(
    tmp_path: Path, pki: TestPki
) -> None:
    quick = {"timeout check 5s": "timeout check 2s"}
    with farm(tmp_path, pki, config="haproxy_echo_check.cfg", **quick) as (balancer, one, two):
        checks_done(balancer)
        assert "L7OK" in balancer.servers()["one"]["check_status"]  # "* L7OK" during the next one
        pid = pid_of(one)
        os.kill(pid, signal.SIGSTOP)
        try:
            balancer.wait(one="DOWN", two="UP")
            talk(pki, balancer.port)
            assert two.wait(f"{LOOPBACK} through {LOOPBACK}, 0 stored, ok")
        finally:
            os.kill(pid, signal.SIGCONT)
        balancer.wait(one="UP", two="UP")


def test_listener_that_does_not_expect_the_header_says_what_it_is(
    tmp_path: Path,
    pki: TestPki,
    listen: Callable[..., Listener],
) -> None:
    listener = listen(tls_child(pki))
    with balancing(tmp_path, pki, listener.HostPort, listener.HostPort) as balancer:
        with pytest.raises(NodeError), client(pki, balancer.port) as scu:
            scu.open()
        failed = [child for child in listener.children if child.log.wait("OnClose")]
        messages = [child.failure.message for child in failed if child.failure is not None]
        assert any("PROXY protocol" in message for message in messages)


def test_listener_that_expects_the_header_says_when_it_does_not_come(
    tmp_path: Path, pki: TestPki
) -> None:
    with farm(tmp_path, pki, **{"send-proxy-v2 ": ""}) as (balancer, one, two):
        with pytest.raises(NodeError) as refused, client(pki, balancer.port) as scu:
            scu.open()
        assert refused.value.failure is not None
        assert refused.value.failure.code == DicomExceptionCode.NetConnectionAborted
        told = first_line(one, two)
        assert f"connection from {LOOPBACK}:" in told
        assert "it began with TLS, without a PROXY header" in told
