"""The limit: a program on plain OpenSSL calls, without DICOM (programs/limit.c)."""

from __future__ import annotations

from benchmarks.core.model import Command, Settings, Spec
from benchmarks.peers.base import client_words, server_words

__all__ = ["Limit"]


class Limit:
    name = "limit"

    def serve(self, spec: Spec, settings: Settings) -> Command:
        return Command((settings.programs.limit(), *server_words(spec, settings)))

    def client(self, spec: Spec, settings: Settings, port: int) -> Command:
        return Command((settings.programs.limit(), *client_words(spec, settings, port)))
