"""What all of the benchmark talks about: a work, a case, a sample. No code runs here."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.core.build import Programs
    from benchmarks.core.materials import Materials

__all__ = ["MIB", "Case", "Command", "Sample", "Settings", "Spec"]

MIB = 1024 * 1024
GIB = 1024 * MIB


@dataclass(frozen=True)
class Spec:
    """What is to be done: one table of the report. Peers make command lines of it.

    Attributes
    ----------
    work
        Name of the module in `works`.
    title
        Heading of the table.
    verb
        What the client program is told: ``handshakes``, ``echo``, ``store``, ``first``.
    tls
        TLS 1.3 with both sides' certificates, or plain TCP.
    clients
        Client processes at once.
    size
        Bytes of one data set (C-STORE).
    window
        Requests in flight (asynchronous operations window, PS3.7 D.3.3.3).
    resume
        The client offers the session of its last link.
    pinned
        Both ends on one CPU: work only, no wake-up between two.
    count
        Associations held (idle).
    python_us
        Microseconds of work in Python that the server has for each request (scaling).
    """

    work: str
    title: str
    verb: str
    tls: bool = True
    clients: int = 1
    size: int = 0
    window: int = 1
    resume: bool = False
    pinned: bool = False
    count: int = 0
    python_us: int = 0


@dataclass(frozen=True)
class Settings:
    """What is the same for a whole run."""

    seconds: float
    folder: Path
    materials: Materials
    programs: Programs


@dataclass(frozen=True)
class Command:
    """A process to start: `port` is set when it listens there and does not say so itself."""

    argv: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    port: int = 0


@dataclass(frozen=True)
class Case:
    """A spec done by a pair of peers; `name` is the row of the table."""

    spec: Spec
    name: str
    scu: Any
    scp: Any
    reference: bool = False
    """The row to which the others are compared."""


@dataclass
class Sample:
    """What one run of a case has given.

    ``value`` is in the unit of the work; the two CPU figures are milliseconds for each unit of
    work (association, C-ECHO) or seconds for each GiB; memory is RssAnon + RssShmem in MiB, the
    peak and what it is above the idle process.
    """

    value: float | None = None
    p99: float | None = None
    client_cpu: float | None = None
    server_cpu: float | None = None
    client_peak: float | None = None
    server_peak: float | None = None
    client_above: float | None = None
    server_above: float | None = None
    threads: int | None = None
    extra: dict[str, float] = field(default_factory=dict)
    foreign: float = 0.0
    """CPUs that others kept busy meanwhile."""
    error: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if value not in (None, "", {})}
