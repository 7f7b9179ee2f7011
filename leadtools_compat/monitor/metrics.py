"""Numbers for Prometheus: links, failures by cause, associations, objects, bytes, days left.

The one rule: names and labels are an interface; they change only with a line in the changelog.

Needs the extra ``monitor``: ``pip install leadtools_compat[monitor]``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

try:
    from prometheus_client import CollectorRegistry, Counter, start_http_server, write_to_textfile
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
    from prometheus_client.registry import Collector
except ImportError as missing:
    raise ImportError(
        "numbers for Prometheus need the package 'prometheus-client': "
        "pip install leadtools_compat[monitor]"
    ) from missing

from leadtools_compat._binding import reads

if TYPE_CHECKING:
    from leadtools_compat.dicom import DicomFailure
    from leadtools_compat.monitor.expiry import ExpiryWatch

__all__ = ["Metrics"]

PREFIX = "leadtools_compat"


class _Library(Collector):
    """What the library counts for the whole process."""

    def __init__(self, watch: ExpiryWatch | None) -> None:
        self._watch = watch

    def collect(self) -> Iterable[Metric]:
        """Give the numbers as they are now."""
        yield from self._statistics()
        if self._watch is not None:
            left = GaugeMetricFamily(
                f"{PREFIX}_certificate_days_left",
                "Days until a certificate ends; negative: it has ended.",
                labels=("file", "subject"),
            )
            for (file, subject), days in self._watch.days_left().items():
                left.add_metric((str(file), subject), days)
            yield left

    def _statistics(self) -> Iterator[Metric]:
        counts = reads.statistics()
        for name, what in (
            ("accepted", "Connections accepted by listeners."),
            ("links", "TLS links made, on either side."),
            ("link_failures", "TLS handshakes that failed, on either side."),
        ):
            yield CounterMetricFamily(f"{PREFIX}_{name}", what, value=counts[name])
        for name, what in (
            ("connections", "Connections that are open."),
            ("handshakes", "Handshakes that are under way, on listeners."),
            ("threads", "Threads of the library."),
        ):
            yield GaugeMetricFamily(f"{PREFIX}_{name}", what, value=counts[name])


class Metrics:
    """The numbers of a node.

    Parameters
    ----------
    watch
        Whose certificates are shown; None: none.
    """

    def __init__(self, watch: ExpiryWatch | None = None) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(_Library(watch))
        self._failures = Counter(
            f"{PREFIX}_failures",
            "Connections that failed, by stage, side and cause.",
            ("stage", "side", "code", "finding"),
            registry=self.registry,
        )
        self._associations = Counter(
            f"{PREFIX}_associations", "Associations accepted.", registry=self.registry
        )
        self._objects = Counter(
            f"{PREFIX}_objects",
            "Objects received, by result: stored or refused.",
            ("result",),
            registry=self.registry,
        )
        self._bytes = Counter(
            f"{PREFIX}_object_bytes", "Bytes of stored objects.", registry=self.registry
        )

    def failed(self, failure: DicomFailure) -> None:
        """Count a connection that failed."""
        finding = "" if failure.certificate_code is None else str(failure.certificate_code)
        self._failures.labels(failure.stage, failure.side, str(failure.code), finding).inc()

    def associated(self) -> None:
        """Count an association."""
        self._associations.inc()

    def stored(self, size: int) -> None:
        """Count an object of so many bytes that is safe."""
        self._objects.labels("stored").inc()
        self._bytes.inc(size)

    def refused(self) -> None:
        """Count an object that was refused."""
        self._objects.labels("refused").inc()

    def serve(self, port: int, address: str = "127.0.0.1") -> tuple[int, _Server]:
        """Answer Prometheus over HTTP, on a thread of its own.

        Parameters
        ----------
        port
            0: a free one.

        Returns
        -------
        tuple[int, _Server]
            The port, and what `close` ends.

        Raises
        ------
        OSError
            The port cannot be had.
        """
        server, thread = start_http_server(port, address, self.registry)
        return server.server_port, _Server(server, thread)

    def write(self, file: Path | str) -> None:
        """Write the numbers as a text file, for node_exporter; whole or not at all."""
        write_to_textfile(str(file), self.registry)


class _Server:
    """A running endpoint."""

    def __init__(self, server: object, thread: object) -> None:
        self._server = server
        self._thread = thread

    def close(self) -> None:
        """End it."""
        self._server.shutdown()  # type: ignore[attr-defined]
        self._server.server_close()  # type: ignore[attr-defined]
        self._thread.join()  # type: ignore[attr-defined]
