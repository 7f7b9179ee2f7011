"""What the benchmark programs in Python share: options, the talk with the runner, latencies.

The talk is that of `bench.h`. Nothing here may be slow to import: start-up is measured too.
"""

import json
import sys
import time

__all__ = ["Options", "now", "ready", "result", "until_end", "wait_for_go"]


class Options:
    """The words ``name=value`` of the command line."""

    def __init__(self) -> None:
        self._words = dict(word.split("=", 1) for word in sys.argv[1:])

    def text(self, name: str, otherwise: str = "") -> str:
        return self._words.get(name, otherwise)

    def number(self, name: str, otherwise: int = 0) -> int:
        return int(self._words.get(name) or otherwise)

    def seconds(self) -> float:
        return float(self._words.get("seconds") or 1)

    def files(self) -> list[str]:
        return self.text("files").split(",")

    def tls(self, name: str) -> str:
        """Give the path of a file of the PKI."""
        return f"{self.text('tls')}/{name}"


def ready(port: int = 0) -> None:
    print(f"ready {port}", flush=True)


def wait_for_go() -> None:
    ready()
    if not sys.stdin.readline():
        sys.exit(0)


def until_end() -> None:
    while sys.stdin.readline():
        pass


def result(count: int, size: int, seconds: float, latencies: list[float] | None = None) -> None:
    """Print the result; `latencies` in seconds."""
    latencies = sorted(latencies or [])

    def at(part: float) -> float:
        return latencies[int(len(latencies) * part)] * 1e6 if latencies else 0.0

    values = {"count": count, "bytes": size, "seconds": seconds, "p50": at(0.5), "p99": at(0.99)}
    print(json.dumps(values), flush=True)


now = time.perf_counter
