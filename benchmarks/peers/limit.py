"""The limit: a bare OpenSSL program, no DICOM (programs/limit.c)."""

from __future__ import annotations

from benchmarks.core.model import Command, Settings, Spec
from benchmarks.peers.base import client_words, server_words

__all__ = ["Limit"]


class Limit:
    """It sends the same 64 KiB again and again, or what it reads from the file that others send."""

    def __init__(self, from_file: bool = False) -> None:
        self.name = "limit, from the file" if from_file else "limit"
        self._words = ("from_file=1",) if from_file else ()

    def serve(self, spec: Spec, settings: Settings) -> Command:
        return Command((settings.programs.limit(), *server_words(spec, settings)))

    def client(self, spec: Spec, settings: Settings, port: int) -> Command:
        words = (*client_words(spec, settings, port), *self._words)
        return Command((settings.programs.limit(), *words))
