"""Programs of others: run to their end, or served on free ports and ended by their process id."""

from __future__ import annotations

import os
import random
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from leadtools_compat.testing import TestPki
from tests.interop.wires import Kind
from tests.support import PATIENCE

# DCMTK waits for acknowledgements of small segments unless it is told otherwise; Orthanc is in sbin.
ENVIRONMENT = {**os.environ, "TCP_NODELAY": "1", "PATH": f"{os.environ['PATH']}:/usr/sbin"}
LISTENS = "0A"


def run(program: str, *arguments: object, code: int = 0) -> str:
    """Run a program to its end and give what it said; it must end with `code`."""
    done = subprocess.run(
        [program, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=PATIENCE * 2,
        check=False,
        env=ENVIRONMENT,
    )
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done.stdout + done.stderr


def free_port() -> int:
    """Give a port that nobody listened on a moment ago, out of those that connections do not take by themselves."""
    while True:
        port = random.SystemRandom().randrange(12_000, 32_000)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port


def listens(port: int) -> bool:
    """Look into /proc for a listening socket: a connection would disturb the server."""
    wanted = f":{port:04X} "
    return any(
        wanted in line[:30] and line.split()[3] == LISTENS
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for line in Path(table).read_text().splitlines()[1:]
    )


@contextmanager
def served(command: Sequence[object], log: Path, *ports: int) -> Iterator[None]:
    """Run a server while it is entered; it is there when all ports listen."""
    with log.open("w+") as out:
        process = subprocess.Popen(list(map(str, command)), stdout=out, stderr=out, env=ENVIRONMENT)
        try:
            for _ in range(int(PATIENCE * 100)):
                if all(map(listens, ports)):
                    break
                try:
                    process.wait(0.01)
                except subprocess.TimeoutExpired:
                    continue
                pytest.fail(f"{command[0]} has ended: {log.read_text()}")
            else:
                pytest.fail(f"{command[0]} does not listen: {log.read_text()}")
            yield
        finally:
            process.terminate()
            try:
                process.wait(2)  # stunnel may take its time
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(PATIENCE)


def client_options(tls: Kind | None, pki: TestPki) -> list[str]:
    """Give DCMTK's options for a client; it checks our certificate."""
    if tls is None:
        return []
    if not tls.client_certificate:
        return ["+tla", "+cf", pki.ca_file]
    return ["+tls", pki.client.key_file, pki.client.combined_file, "+cf", pki.ca_file]


def server_options(tls: Kind | None, pki: TestPki) -> list[str]:
    """Give DCMTK's options for a server; it insists on our certificate, or takes us without."""
    if tls is None:
        return []
    own = (pki.server.key_file, pki.server.combined_file)
    return ["+tls", *own, "+cf", pki.ca_file, "-rc" if tls.client_certificate else "-vc"]


@contextmanager
def tunnel(folder: Path, tls: Kind, pki: TestPki, target: int, client: bool) -> Iterator[int]:
    """Run stunnel before a program that has no TLS; gives the port to connect to.

    Parameters
    ----------
    target
        Where it connects to.
    client
        True: it takes plain connections and makes TLS ones of them. False: the other way round.
    """
    port = free_port()
    identity = pki.client if client else pki.server
    lines = [
        "foreground = yes",
        "pid =",
        "syslog = no",
        "socket = l:TCP_NODELAY=1",
        "socket = r:TCP_NODELAY=1",
        "[dicom]",
        f"client = {'yes' if client else 'no'}",
        f"accept = 127.0.0.1:{port}",
        f"connect = 127.0.0.1:{target}",
        f"CAfile = {pki.ca_file}",
        f"sslVersion = {tls.version}",
        "TIMEOUTclose = 1",
    ]
    if not client or tls.client_certificate:
        lines += [f"cert = {identity.combined_file}", f"key = {identity.key_file}"]
    if client or tls.client_certificate:
        lines += ["verifyChain = yes"]
    settings = folder / f"stunnel{port}.conf"
    settings.write_text("\n".join(lines) + "\n")
    with served(["stunnel", settings], folder / f"stunnel{port}.log", port):
        yield port


class Tunnels:
    """Ways to our listeners and from them, for programs that have no TLS."""

    def __init__(self, tls: Kind | None, pki: TestPki, folder: Path, stack: ExitStack) -> None:
        self._tls, self._pki, self._folder, self._stack = tls, pki, folder, stack

    def to_ours(self, port: int) -> int:
        return port if self._tls is None else self._start(port, client=True)

    def from_ours(self, port: int) -> int:
        return port if self._tls is None else self._start(port, client=False)

    def _start(self, port: int, client: bool) -> int:
        assert self._tls is not None
        entered = tunnel(self._folder, self._tls, self._pki, port, client)
        return self._stack.enter_context(entered)
