"""What a peer has to offer, and words that all programs understand."""

from __future__ import annotations

from typing import Protocol

from benchmarks.core.model import MIB, Command, Settings, Spec

__all__ = ["Peer", "client_words", "server_words"]


class Peer(Protocol):
    """One product, in one of its settings."""

    name: str

    def serve(self, spec: Spec, settings: Settings) -> Command:
        """Start it as SCP."""

    def client(self, spec: Spec, settings: Settings, port: int) -> Command:
        """Start it as SCU of whoever listens on `port`."""


def server_words(spec: Spec, settings: Settings) -> tuple[str, ...]:
    tls = f"tls={settings.materials.tls if spec.tls else ''}"
    return ("verb=serve", tls, f"resume={int(spec.resume)}")


def client_words(
    spec: Spec, settings: Settings, port: int, from_memory: bool = False
) -> tuple[str, ...]:
    """Say what a client has to do; small objects always lie in memory before the clock runs."""
    words = [
        f"verb={spec.verb}",
        f"port={port}",
        f"tls={settings.materials.tls if spec.tls else ''}",
        f"seconds={settings.seconds}",
        f"resume={int(spec.resume)}",
        f"window={spec.window}",
        f"size={spec.size}",
    ]
    if spec.size:
        files = settings.materials.objects(spec.size)
        words.append("files=" + ",".join(map(str, files)))
        words.append(f"preload={int(from_memory or spec.size <= MIB)}")
    return tuple(words)
