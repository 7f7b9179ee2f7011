"""A Locust user that speaks DICOM over TLS: load tests of a PACS, from one machine or many.

Needs the extra ``load``: ``pip install leadtools_compat[load]``. See docs/scaling.md and
examples/locustfile.py; ``python -m leadtools_compat.testing.load`` lists the options.

The one rule: whatever calls the library runs on a native thread of gevent's pool, one for each
request that is under way. A call of ours waits in C without Python's lock, which gevent cannot see;
on the thread of the greenlets it would stop them all. So each latency is measured on its own
thread too, and a busy event loop does not add to it.
"""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, TypeVar

try:
    from gevent import GreenletExit, get_hub, monkey
    from gevent.threadpool import ThreadPool
    from locust import User, events
    from locust.exception import RescheduleTask
except ImportError as error:
    raise ImportError(
        "leadtools_compat.testing.load needs the package 'locust': pip install leadtools_compat[load]"
    ) from error

from leadtools_compat._nodes.client import VERIFICATION, Answer, Client, Context, Node, NodeError
from leadtools_compat._nodes.tls import TlsOptions
from leadtools_compat.dicom import DicomDataSet, DicomException
from leadtools_compat.dicom.dicom_failure import alert_name
from leadtools_compat.testing._load_end import wait_for_tables, wait_for_workers

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

__all__ = [
    "PATIENT_ROOT_FIND",
    "STUDY_ROOT_FIND",
    "Context",
    "DicomUser",
    "LoadError",
    "TlsOptions",
    "cause_of",
]

PATIENT_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.1.1"
STUDY_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
T = TypeVar("T")


class LoadError(RescheduleTask):
    """A request failed, and has been counted. Not caught, it ends the task without a traceback.

    Attributes
    ----------
    cause
        What it was counted as; equal for equal causes, whichever connection it was.
    error
        The whole of it, with the failure record.
    """

    def __init__(self, cause: str, error: NodeError | None = None) -> None:
        super().__init__(cause)
        self.cause = cause
        self.error = error

    def __repr__(self) -> str:  # what Locust tells failures apart by
        return self.cause


def cause_of(error: NodeError) -> str:
    """Say why, without what differs between two connections that failed for the same reason."""
    failure = error.failure
    if failure is None:
        return f"{error.reason}: {error.message}"
    who = "by us" if failure.side == "local" else "by the peer"
    parts = [f"{failure.stage}, {who}: {failure.code}"]
    if failure.certificate_code is not None:
        parts.append(str(failure.certificate_code))
    if failure.alert_received is not None:
        parts.append(f"alert {alert_name(failure.alert_received)}")
    if failure.stage == "association":
        parts.append(failure.message)
    return ", ".join(parts)


class _Outcome(NamedTuple, Generic[T]):
    result: T | None
    milliseconds: float
    moved: int
    error: NodeError | None


class _Client(Client):
    def __init__(self, node: Node, tls: TlsOptions | None, timeout: float) -> None:
        super().__init__(node, tls, timeout)
        # gevent's stand-in wakes greenlets of one thread; here native threads wait and wake.
        self._events = monkey.get_original("queue", "SimpleQueue")()


class _Threads:
    """The native threads of this process, made when they are first needed."""

    def __init__(self) -> None:
        self._pool: Any = None
        self._hub: Any = None

    def run(self, work: Callable[[], T], most: int) -> tuple[T, BaseException | None]:
        """Run `work` on a native thread while the other greenlets go on.

        What has begun is waited for when this greenlet is killed meanwhile, so that what the peer
        has counted is counted here; gives the kill, to be raised afterwards.
        """
        if self._hub is not get_hub():
            self._hub = get_hub()
            self._pool = ThreadPool(most, hub=self._hub)
        begun = self._pool.spawn(work)
        killed: BaseException | None = None
        while True:
            try:
                return begun.get(), killed
            except GreenletExit as kill:  # noqa: PERF203 - once or twice
                killed = kill


_threads = _Threads()
_templates: dict[Path, Dataset] = {}
_templates_lock = threading.Lock()


class DicomUser(User):  # type: ignore[misc, unused-ignore]
    """A user that echoes, stores and finds; derive from it and write tasks.

    Every step is a request of type ``DICOM`` for Locust: ``TLS connect`` (``TCP connect`` without
    TLS), ``A-ASSOCIATE``, ``C-ECHO``, ``C-STORE``, ``C-FIND`` and ``A-RELEASE``, with its latency,
    the bytes of PDUs that it moved in both directions, and, if it failed, the cause (`cause_of`).
    A failed step ends the association, and the task with a `LoadError`; the next one makes a new
    association. A status that says failure is counted as one and given back; the association lives.

    The host is ``NAME:PORT`` (Locust's ``--host`` or its page). The options ``--dicom-...`` are on
    Locust's command line and page, and go from the master to its workers; files are read where the
    worker runs.

    Attributes
    ----------
    sop_classes
        What `store` is going to send: SOP class UIDs, or `Context` with transfer syntaxes of their
        own (compressed objects are sent as they are).
    models
        Query models for `find`; default study root and patient root.
    most_threads
        Requests at a time in one process, each a native thread; more wait for one.
    """

    abstract = True
    sop_classes: ClassVar[Sequence[str | Context]] = ()
    models: ClassVar[Sequence[str]] = (STUDY_ROOT_FIND, PATIENT_ROOT_FIND)
    most_threads: ClassVar[int] = 1000

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self._client: _Client | None = None

    # ---- settings ----

    def option(self, name: str, default: Any = None) -> Any:
        """Give a ``--dicom-...`` option; `default` where Locust runs as a library without them."""
        return getattr(self.environment.parsed_options, f"dicom_{name}", default)

    def node(self) -> Node:
        """Say whom to call, and as whom; override it for titles of your own."""
        host, port = split_host(self.host)
        called, calling = self.option("called", "ANY-SCP"), self.option("calling", "LOCUST")
        return Node(host, port, called, calling)

    def tls_options(self) -> TlsOptions | None:
        """Say how TLS is to be; None: plain. Override it, for a certificate for each user say."""
        if self.option("plain", False):
            return None
        if self.option("ca") is None:
            raise ValueError(
                "there is no authority to check the peer with: give --dicom-ca FILE, or "
                "--dicom-plain for a connection without TLS"
            )
        version = self.option("tls_version", "any")
        return TlsOptions(
            ca=self.option("ca"),
            certificate=self.option("certificate"),
            key=self.option("key"),
            check_host=not self.option("no_host_check", False),
            version=None if version == "any" else version,
        )

    def contexts(self) -> list[Context]:
        """Say what to propose."""
        known = [VERIFICATION, *self.models, *self.sop_classes]
        return [one if isinstance(one, Context) else Context(one) for one in known]

    # ---- associations ----

    @property
    def associated(self) -> bool:
        """Whether there is an association."""
        return self._client is not None

    def open(self) -> None:
        """Connect and associate, unless that is done: two requests."""
        if self._client is not None:
            return
        timeout = float(self.option("timeout", 30.0))
        resume, wanted = bool(self.option("resume", False)), self.contexts()
        tls: TlsOptions | None = None
        unusable: NodeError | None = None
        try:
            node, tls = self.node(), self.tls_options()
        except ValueError as error:  # counted: on its page Locust shows failures, not tracebacks
            unusable = NodeError(str(error), "local")

        def connect() -> None:
            if unusable is not None:
                raise unusable
            made = _Client(node, tls, timeout)
            try:
                made.tls_resumption = resume and tls is not None
                made.open()
            except BaseException:
                made.Dispose()
                raise
            self._client = made  # here: a user that is killed meanwhile closes it in on_stop

        what = "TCP connect" if tls is None and unusable is None else "TLS connect"
        self._request(what, connect, None)
        self._step("A-ASSOCIATE", lambda client: client.associate(wanted))

    def close(self) -> None:
        """Release the association, if there is one: a request."""
        if self._client is None:
            return
        client, self._client = self._client, None
        try:
            self._request("A-RELEASE", client.release, client)
        finally:
            client.Dispose()

    @contextmanager
    def association(self) -> Iterator[None]:
        """Have an association of its own for what is inside; without it, one lasts till `close`."""
        self.close()
        self.open()
        yield
        self.close()

    def on_stop(self) -> None:
        """Release what is open. Call it when you override it."""
        self.close()

    # ---- requests ----

    def echo(self, name: str = "C-ECHO") -> Answer:
        """Send a C-ECHO; opens an association if there is none.

        Raises
        ------
        LoadError
            No answer came.
        """
        return self._answer(name, lambda client: client.echo())

    def store(
        self, data: Dataset | Path | str, name: str = "C-STORE", *, fresh: bool = True
    ) -> Answer:
        """Send a C-STORE.

        Parameters
        ----------
        data
            A pydicom data set, or a file, which is read once for all users of the process.
        name
            What Locust counts it as.
        fresh
            Whether it gets an instance UID of its own; else a PACS has it only once. What was given
            is not changed.

        Raises
        ------
        LoadError
            No answer came, or the peer did not accept its SOP class.
        """
        source = data

        def send(client: _Client) -> Answer:
            made = _template(source)
            if fresh:
                made = _with_uid_of_its_own(made)
            number = client.context(made.SOPClassUID)
            body = DicomDataSet.from_pydicom(made)
            return client.store(number, made.SOPClassUID, made.SOPInstanceUID, body)

        return self._answer(name, send)

    def find(
        self, query: Dataset, model: str = STUDY_ROOT_FIND, name: str = "C-FIND"
    ) -> list[Dataset]:
        """Send a C-FIND; its latency is that of the last answer.

        Returns
        -------
        list[Dataset]
            The matches.

        Raises
        ------
        LoadError
            The last answer did not come.
        """
        matches: list[Dataset] = []

        def ask(client: _Client) -> Answer:
            last = None
            with DicomDataSet.from_pydicom(query) as body:
                for last in client.find(model, body):
                    if last.pending and last.data is not None:
                        matches.append(last.data.to_pydicom())
            assert last is not None
            return last

        self._answer(name, ask)
        return matches

    def request(self, name: str, work: Callable[[Client], T]) -> T:
        """Make a request of your own of several calls of the client; it is counted as one.

        Parameters
        ----------
        name
            What Locust counts it as.
        work
            Runs on a native thread: it must not use anything of gevent's or Locust's.
        """
        return self._step(name, work)

    # ---- counting ----

    def _answer(self, name: str, work: Callable[[_Client], Answer]) -> Answer:
        return self._step(name, work, check=True)

    def _step(self, name: str, work: Callable[[_Client], T], *, check: bool = False) -> T:
        self.open()
        client = self._client
        assert client is not None
        try:
            return self._request(name, lambda: work(client), client, check=check)
        except LoadError:
            self._client = None
            client.Dispose()
            raise

    def _request(
        self, name: str, work: Callable[[], T], client: _Client | None, *, check: bool = False
    ) -> T:
        began = time.time()
        outcome, killed = _threads.run(lambda: _timed(work, client), self.most_threads)
        failed: LoadError | None = None
        if outcome.error is not None:
            failed = LoadError(cause_of(outcome.error), outcome.error)
        elif check and isinstance(outcome.result, Answer) and not outcome.result.good:
            failed = LoadError(f"status {int(outcome.result.status):#06x} {outcome.result.status}")
        self.environment.events.request.fire(
            request_type="DICOM",
            name=name,
            start_time=began,
            response_time=outcome.milliseconds,
            response_length=outcome.moved,
            response=outcome.result,
            exception=failed,
            context=self.context(),
        )
        if killed is not None:
            raise killed
        if outcome.error is not None and failed is not None:
            raise failed
        return outcome.result  # type: ignore[return-value]


def _timed(work: Callable[[], T], client: Client | None) -> _Outcome[T]:
    """Run on a native thread; what a node can do to us is an outcome, all else is a bug and raised."""
    before = sum(client.traffic) if client is not None else 0
    result: T | None = None
    failed: NodeError | None = None
    began = time.perf_counter()
    try:
        result = work()
    except NodeError as error:
        failed = error
    except DicomException as error:
        failed = NodeError.local(error)
    elapsed = (time.perf_counter() - began) * 1000.0
    after = sum(client.traffic) if client is not None else 0
    return _Outcome(result, elapsed, max(0, after - before), failed)


def _template(data: Dataset | Path | str) -> Dataset:
    """Give the data set; files are read once."""
    if not isinstance(data, (str, Path)):
        return data
    from pydicom import dcmread

    path = Path(data)
    with _templates_lock:
        if path not in _templates:
            _templates[path] = dcmread(path)
        return _templates[path]


def _with_uid_of_its_own(source: Dataset) -> Dataset:
    """Copy as much as changes: pydicom's own shallow copies share their elements with the original."""
    from pydicom.uid import generate_uid

    made = source[:]
    made.add_new(0x00080018, "UI", generate_uid())
    if hasattr(source, "file_meta"):
        made.file_meta = copy.deepcopy(source.file_meta)
        made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    return made


def split_host(host: str | None) -> tuple[str, int]:
    """Take ``NAME:PORT`` apart; ``[::1]:2762`` too, and with a scheme in front of it."""
    text = (host or "").rpartition("://")[2].rstrip("/")
    name, _, port = text.rpartition(":")
    name = name.removeprefix("[").removesuffix("]")
    if not name or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(
            f"the host must be NAME:PORT, for instance pacs.example:2762, not {host!r}"
        )
    return name, int(port)


def _add_options(parser: Any) -> None:
    group = parser.add_argument_group("DICOM")

    def add(name: str, text: str, **more: Any) -> None:
        variable = f"LOCUST_DICOM_{name.upper().replace('-', '_')}"
        group.add_argument(f"--dicom-{name}", env_var=variable, help=text, **more)

    add("called", "AE title of the node", default="ANY-SCP")
    add("calling", "own AE title", default="LOCUST")
    add("ca", "PEM file of the authorities that the node's certificate is checked with")
    add("certificate", "PEM file of the own certificate, with its chain")
    add("key", "PEM file of its key, if that is not in the same file")
    add("tls-version", "only this version", choices=["any", "1.2", "1.3"], default="any")
    add("no-host-check", "take any name in the node's certificate", action="store_true")
    add("resume", "resume TLS sessions", action="store_true")
    add("plain", "no TLS", action="store_true")
    add("timeout", "seconds for each step", type=float, default=30.0)


def _watch_end(environment: Any, **_: Any) -> None:
    environment.events.test_stopping.add_listener(wait_for_workers)
    environment.events.quitting.add_listener(wait_for_tables)


events.init_command_line_parser.add_listener(_add_options)  # type: ignore[no-untyped-call]
events.init.add_listener(_watch_end)  # type: ignore[no-untyped-call]

if __name__ == "__main__":  # Locust's own --help does not know what a locustfile adds
    from locust.argument_parser import get_empty_argument_parser

    _parser = get_empty_argument_parser(default_config_files=[])
    _add_options(_parser)
    _parser.print_help()
