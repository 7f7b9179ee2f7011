"""Several listening processes (ours_node.py), on one port or behind HAProxy, as one server.

Words beside those of ours_node.py: `processes`; `balanced=1`: each on a port of its own, HAProxy in
front of them, TLS passed through, with a PROXY header.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from talk import Options, ready, until_end

from leadtools_compat.dicom import DicomNet

HERE = Path(__file__).resolve().parent
CONFIG = """
global
    maxconn 2000
    stats socket {control}
defaults
    mode tcp
    timeout connect 5s
    timeout client 1m
    timeout server 1m
frontend dicom
    bind 127.0.0.1:{port}
    default_backend listeners
backend listeners
    balance leastconn
    default-server send-proxy-v2
{servers}
"""
options = Options()


def node(*more: str) -> subprocess.Popen[str]:
    words = [
        word for word in sys.argv[1:] if word.partition("=")[0] not in ("processes", "balanced")
    ]
    return subprocess.Popen(
        [sys.executable, str(HERE / "ours_node.py"), *words, *more],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def port_of(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline().split()[1])


def free_port() -> int:
    """Let the library choose one that nobody has now."""
    with DicomNet(None, 0) as net:
        net.Listen("127.0.0.1", 0, 1)
        return net.HostPort


def balanced(folder: Path, ports: list[int]) -> int:
    port, control = free_port(), folder / "control"
    servers = "\n".join(f"    server s{one} 127.0.0.1:{one}" for one in ports)
    (folder / "haproxy.cfg").write_text(CONFIG.format(control=control, port=port, servers=servers))
    path = f"{os.environ['PATH']}:/usr/sbin"
    process = subprocess.Popen(
        ["haproxy", "-db", "-f", str(folder / "haproxy.cfg")],
        env={**os.environ, "PATH": path},
        stdout=sys.stderr,
    )
    while not control.exists():  # made before it accepts
        if process.poll() is not None:
            sys.exit(1)
        time.sleep(0.01)
    return port


def main() -> None:
    count, behind = options.number("processes", 1), options.number("balanced") != 0
    with tempfile.TemporaryDirectory() as folder:
        if behind:
            nodes = [node("behind=1") for _ in range(count)]
            port = balanced(Path(folder), [port_of(one) for one in nodes])
        else:
            port = free_port()
            nodes = [node("reuse=1", f"listen={port}") for _ in range(count)]
            for one in nodes:
                port_of(one)
        ready(port)
        until_end()
    os._exit(0)  # the runner ends the session


if __name__ == "__main__":
    main()
