"""This library, from Python and from C; of any tree that is built."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.core.build import PROGRAMS, compile_python
from benchmarks.core.model import Command, Settings, Spec
from benchmarks.peers.base import client_words, server_words

__all__ = ["OursC", "OursPython"]

HERE = Path(__file__).resolve().parent.parent.parent


class OursPython:
    def __init__(self, tree: Path = HERE, label: str = "", from_memory: bool = False) -> None:
        self.name = f"ours Python{', from memory' if from_memory else ''}{label}"
        self._from_memory = from_memory
        self.environment = {"PYTHONPATH": str(tree)}
        self._tree = tree

    def _command(self, words: tuple[str, ...]) -> Command:
        compile_python(self._tree)
        return Command((sys.executable, str(PROGRAMS / "ours_node.py"), *words), self.environment)

    def serve(self, spec: Spec, settings: Settings) -> Command:
        return self._command(server_words(spec, settings))

    def client(self, spec: Spec, settings: Settings, port: int) -> Command:
        return self._command(client_words(spec, settings, port, self._from_memory))


class OursC:
    def __init__(self, tree: Path = HERE, label: str = "", from_memory: bool = False) -> None:
        self.name = f"ours C{', from memory' if from_memory else ''}{label}"
        self._from_memory = from_memory
        self._tree = tree

    def serve(self, spec: Spec, settings: Settings) -> Command:
        return Command((settings.programs.ltdic_node(self._tree), *server_words(spec, settings)))

    def client(self, spec: Spec, settings: Settings, port: int) -> Command:
        words = client_words(spec, settings, port, self._from_memory)
        return Command((settings.programs.ltdic_node(self._tree), *words))
