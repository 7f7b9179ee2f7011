"""Traffic recorded by a relay, as a capture file: capturing itself needs rights that a test may not have."""

from __future__ import annotations

import functools
import socket
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support import PATIENCE

if TYPE_CHECKING:
    from typing_extensions import Self

MAGIC = 0xA1B2C3D4
RAW_IP = 101
PSH_ACK = 0x18
SYN, SYN_ACK = 0x02, 0x12
LONGEST = 60_000
Segment = tuple[bool, bytes]


class Relay:
    """Passes connections on to a port of this computer and writes down what goes through.

    Attributes
    ----------
    connections
        Of each connection the pieces in the order in which they came; True: from the client.
    """

    def __init__(self, target: int) -> None:
        self.connections: list[list[Segment]] = []
        self._target = target
        self._server = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    @property
    def port(self) -> int:
        port: int = self._server.getsockname()[1]
        return port

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)
        self._server.close()

    def _start(self, function: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=function, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:  # shut down
                return
            server = socket.create_connection(("127.0.0.1", self._target))
            pieces: list[Segment] = []
            self.connections.append(pieces)
            ends = threading.Barrier(2, functools.partial(self._close, client, server))
            self._start(self._pass, client, server, True, pieces, ends)
            self._start(self._pass, server, client, False, pieces, ends)

    @staticmethod
    def _close(*ends: socket.socket) -> None:
        for end in ends:
            end.close()

    def _pass(
        self,
        source: socket.socket,
        target: socket.socket,
        from_client: bool,
        pieces: list[Segment],
        ends: threading.Barrier,
    ) -> None:
        try:
            while data := source.recv(LONGEST):
                with self._lock:
                    pieces.append((from_client, data))
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:  # reset
            pass
        ends.wait(PATIENCE)


def write_capture(path: Path, connections: list[list[Segment]], port: int) -> None:
    """Write a capture file (libpcap's format) in which the server has `port`."""
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", MAGIC, 2, 4, 0, 0, 65535, RAW_IP))
        moment = int(time.time() * 1_000_000)
        for number, pieces in enumerate(connections):
            client = 40_000 + number
            sequence = {True: 1000, False: 5000}  # the next byte of each direction
            segments = [(True, b"", SYN), (False, b"", SYN_ACK)]
            segments += [(who, data, PSH_ACK) for who, data in pieces]
            for from_client, data, flags in segments:
                ports = (client, port) if from_client else (port, client)
                seen = 0 if flags == SYN else sequence[not from_client]
                numbers = (sequence[from_client], seen)
                tcp = struct.pack("!HHIIBBHHH", *ports, *numbers, 5 << 4, flags, 65535, 0, 0)
                address = socket.inet_aton("127.0.0.1")
                ip = struct.pack(
                    "!BBHHHBBH4s4s", 0x45, 0, 40 + len(data), 0, 0, 64, 6, 0, address, address
                )
                packet = ip + tcp + data
                moment += 10
                stamp = (moment // 1_000_000, moment % 1_000_000)
                file.write(struct.pack("<IIII", *stamp, len(packet), len(packet)))
                file.write(packet)
                sequence[from_client] += len(data) + (flags != PSH_ACK)
