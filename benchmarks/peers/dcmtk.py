"""DCMTK: its command-line tools, and a program on its classes (programs/dcmtk_scu.cc).

`tuned`: ``TCP_NODELAY=1`` and 128 KiB PDUs, without which DCMTK waits for delayed acknowledgements.
"""

from __future__ import annotations

import sys

from benchmarks.core.build import PROGRAMS
from benchmarks.core.model import Command, Settings, Spec
from benchmarks.core.processes import free_port
from benchmarks.peers.base import client_words

__all__ = ["DcmtkClasses", "Storescp", "Storescu"]

PDU = 131072
BYTES_EACH_SECOND = {65536: 120e6, 524288: 350e6}
"""What storescu is expected to send, so that a run takes about as long as it should."""


def _environment(tuned: bool) -> dict[str, str]:
    return {"TCP_NODELAY": "1"} if tuned else {}


def _tool_words(tuned: bool, spec: Spec, settings: Settings, side: str) -> tuple[str, ...]:
    words: tuple[str, ...] = ("-pdu", str(PDU)) if tuned else ()
    if spec.tls:
        tls = settings.materials.tls
        words += ("+tls", f"{tls}/{side}.key", f"{tls}/{side}.pem")
        words += ("+cf", f"{tls}/ca.pem", "+cf", f"{tls}/intermediate.pem")
    return words


class Storescp:
    """The server: data sets are received and dropped."""

    def __init__(self, tuned: bool = True, fork: bool = False) -> None:
        self.name = f"storescp{' --fork' if fork else ''}{'' if tuned else ' (default)'}"
        self._tuned, self._fork = tuned, fork

    def serve(self, spec: Spec, settings: Settings) -> Command:
        port = free_port()
        words = _tool_words(self._tuned, spec, settings, "server")
        fork = ("--fork",) if self._fork else ()
        argv = ("storescp", "--ignore", *fork, *words, str(port))
        return Command(argv, _environment(self._tuned), port)

    def client(self, spec: Spec, settings: Settings, port: int) -> Command:
        raise NotImplementedError("storescp is a server")


class Storescu:
    """The command-line client."""

    def __init__(self, tuned: bool = True) -> None:
        self.name = f"storescu{'' if tuned else ' (default)'}"
        self._tuned = tuned

    def serve(self, spec: Spec, settings: Settings) -> Command:
        raise NotImplementedError("storescu is a client")

    def client(self, spec: Spec, settings: Settings, port: int) -> Command:
        each_second = BYTES_EACH_SECOND.get(spec.size, 700e6) * (1.0 if self._tuned else 0.02)
        count = max(1, int(each_second * settings.seconds / spec.size))
        words = client_words(spec, settings, port)
        tools = _tool_words(self._tuned, spec, settings, "client")
        argv = (sys.executable, str(PROGRAMS / "tools_node.py"), *words, f"count={count}", "--")
        return Command((*argv, *tools), _environment(self._tuned))


class DcmtkClasses:
    """The client on DCMTK's classes."""

    def __init__(self, tuned: bool = True) -> None:
        self.name = f"dcmtk classes{'' if tuned else ' (default)'}"
        self._tuned = tuned

    def serve(self, spec: Spec, settings: Settings) -> Command:
        raise NotImplementedError("dcmtk_scu.cc is a client")

    def client(self, spec: Spec, settings: Settings, port: int) -> Command:
        words = client_words(spec, settings, port)
        pdu = (f"pdu={PDU}",) if self._tuned else ()
        argv = (settings.programs.dcmtk_scu(), *words, *pdu)
        return Command(argv, _environment(self._tuned))
