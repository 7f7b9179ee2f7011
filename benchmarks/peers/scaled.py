"""This library as a server of several processes."""

from __future__ import annotations

import sys

from benchmarks.core.build import PROGRAMS
from benchmarks.core.model import Command, Settings, Spec
from benchmarks.peers.base import server_words
from benchmarks.peers.ours import HERE

__all__ = ["Scaled"]


class Scaled:
    """Processes that share a port, or behind HAProxy."""

    def __init__(self, processes: int, balanced: bool = False) -> None:
        self._words = (f"processes={processes}", f"balanced={int(balanced)}")
        many = f"{processes} processes" if processes > 1 else "1 process"
        self.name = f"HAProxy, {many}" if balanced else many

    def serve(self, spec: Spec, settings: Settings) -> Command:
        words = (*server_words(spec, settings), f"python_us={spec.python_us}", *self._words)
        command = (sys.executable, str(PROGRAMS / "many_node.py"), *words)
        return Command(command, {"PYTHONPATH": str(HERE)})
