"""pynetdicom, as it comes and tuned (programs/pynd_node.py)."""

from __future__ import annotations

import sys

from benchmarks.core.build import PROGRAMS
from benchmarks.core.model import Command, Settings, Spec
from benchmarks.peers.base import client_words, server_words

__all__ = ["Pynetdicom"]


class Pynetdicom:
    def __init__(self, tuned: bool = True) -> None:
        self.name = f"pynetdicom{'' if tuned else ' (default)'}"
        self._words = ("tuned=1", "pdu=131072") if tuned else ()

    def _command(self, words: tuple[str, ...]) -> Command:
        return Command((sys.executable, str(PROGRAMS / "pynd_node.py"), *words, *self._words))

    def serve(self, spec: Spec, settings: Settings) -> Command:
        return self._command(server_words(spec, settings))

    def client(self, spec: Spec, settings: Settings, port: int) -> Command:
        return self._command(client_words(spec, settings, port))
