"""Runs the callbacks of an object on the thread that is in one of its calls.

The calls of the Scu classes block; their events and overridables run on the calling thread, while
it waits. C calls on a worker: that one leaves the callback here and waits until it has been run.
Outside a call the worker runs it itself.

One rule: a callback is run exactly once, by whoever takes it first; no lock is held meanwhile.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from leadtools_compat._binding import lib, pump
from leadtools_compat._binding.lifetime import STATE as NET
from leadtools_compat._binding.lifetime import ended
from leadtools_compat.dicom.dicom_exception import DicomException
from leadtools_compat.dicom.enums_codes import DicomExceptionCode

__all__ = ["CONNECTION", "Conversation", "DicomEventResponse"]

CONNECTION = "_DicomConnection__connection"
"""Where a `DicomConnection` keeps its `ConnectionState`."""

SLICE = 0.25
"""Seconds between two looks at whether data moves."""


class _Job:
    """One callback, and what has become of it."""

    __slots__ = ("done", "error", "function", "result", "started")

    def __init__(self, function: Callable[[], Any]) -> None:
        self.function = function
        self.started = False
        self.done = False
        self.result: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self.result = self.function()
        except BaseException as error:  # noqa: BLE001 - goes to the worker that waits for it
            self.error = error


class Conversation:
    """The queue between C's workers and the thread that is in a call; a `Runner`."""

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._thread: int | None = None
        self._jobs: deque[_Job] = deque()
        self._error: BaseException | None = None
        self._answered = False
        self._last_sign = 0.0
        self._with_sender: set[str] = set()
        """Callbacks that have the connection as first argument."""
        self._inside: set[int] = set()
        """Threads that are in a callback of the object."""

    # ---- for the workers ----

    def run(self, owner: Any, name: str, function: Callable[[], Any]) -> Any:
        """Run a callback on the thread that is in a call, else here.

        One whose object was disposed while it waited is not run: the answer is 0, which is no.
        """
        if name == "OnClose":
            function = self._ending(owner, function)

        def wanted() -> Any:
            return 0 if ended(owner.__dict__[NET].life) else function()

        me = threading.get_ident()
        with self._changed:
            job = self._leave(wanted) if self._thread not in (None, me) else None
        if job is None:
            return self._run_here(wanted, me)
        if job.error is None:
            return job.result
        try:
            raise job.error
        finally:
            job.error = None  # exception -> traceback -> this frame -> job would be a cycle

    def _leave(self, function: Callable[[], Any]) -> _Job | None:
        """Leave a callback to the thread that is in a call, and wait; None: that call ended first."""
        job = _Job(function)
        self._jobs.append(job)
        self._changed.notify_all()
        self._changed.wait_for(lambda: job.done or not (job.started or self._thread))
        if job.done:
            return job
        if job in self._jobs:
            self._jobs.remove(job)
        return None

    def _ending(self, owner: Any, function: Callable[[], Any]) -> Callable[[], Any]:
        """Note that the end of a connection was told, whatever an override does."""

        def told() -> None:
            try:
                function()
            finally:
                state = owner.__dict__[CONNECTION]
                state.open = False
                state.conversation.answer()  # not always this one: an inner listener's child

        return told

    def _run_here(self, function: Callable[[], Any], me: int) -> Any:
        nested = me in self._inside
        self._inside.add(me)
        try:
            return function()
        finally:
            if not nested:
                self._inside.discard(me)
            self._last_sign = time.monotonic()

    def put_in_front(self, name: str) -> None:
        """Have a callback get the connection as its first argument."""
        self._with_sender.add(name)

    def arguments(self, owner: Any, name: str, given: tuple[Any, ...]) -> tuple[Any, ...]:
        """Put the connection in front, where a Scu class wants that."""
        own = owner.__dict__[CONNECTION].conversation is self  # not an inner listener's child
        return (owner, *given) if own and name in self._with_sender else given

    def take(self, error: BaseException) -> bool:
        """Keep what a callback has raised for the call that is going on."""
        with self._changed:
            if self._thread is None:
                return False
            if self._error is None:
                self._error = error
            self._changed.notify_all()
            return True

    # ---- for the thread in a call ----

    @property
    def is_waited_for(self) -> bool:
        """Whether a callback waits to be run."""
        return bool(self._jobs)

    @property
    def going_on(self) -> bool:
        """Whether a call is going on."""
        return self._thread is not None

    def begin(self, kind: str, keep_answer: bool = False) -> None:
        """Begin a call on this thread."""
        me = threading.get_ident()
        with self._changed:
            if me in self._inside:
                raise DicomException(
                    DicomExceptionCode.InvalidState,
                    f"A blocking call of a {kind} was made inside one of its own callbacks: it would "
                    "wait for itself. Use another object, or call after the callback",
                )
            if self._thread is not None:
                raise DicomException(
                    DicomExceptionCode.InvalidState,
                    f"This {kind} is in a call already: wait for its end, or use one object for "
                    "each thread",
                )
            self._thread = me
            self._error = None
            self._answered = self._answered and keep_answer
            self._last_sign = time.monotonic()

    def end(self) -> None:
        """End the call; what is still queued is run by the workers."""
        with self._changed:
            self._thread = None
            self._answered = False
            error, self._error = self._error, None
            self._changed.notify_all()
        del error

    def answer(self) -> None:
        """Wake the thread in a call: what it waits for is there."""
        with self._changed:
            self._answered = True
            self._changed.notify_all()

    def forget_answer(self) -> None:
        """Begin to wait for something new."""
        with self._changed:
            self._answered = False
            self._last_sign = time.monotonic()

    def raise_error(self) -> None:
        """Raise what a callback has raised, once."""
        with self._changed:
            error, self._error = self._error, None
        if error is not None:
            try:
                raise error
            finally:
                del error

    def wait(
        self,
        limit: float,
        over: Callable[[], bool] | None = None,
        traffic: Callable[[], object] | None = None,
        quiet: bool = False,
    ) -> bool:
        """Run callbacks until `answer` was called or `over` is true.

        Parameters
        ----------
        limit
            Seconds without any callback or `traffic`; 0: none.
        over
            Looked at after each callback.
        traffic
            Gives something that changes while data moves.
        quiet
            What callbacks raise is dropped: the call is ending with an exception already.

        Returns
        -------
        bool
            False: the time is over.
        """
        seen = None if traffic is None else traffic()
        began = time.monotonic()  # what came before, nobody was waiting for
        while True:
            if quiet:
                with self._changed:
                    self._error = None
            else:
                self.raise_error()
            with self._changed:
                if self._answered:
                    self._answered = False
                    return True
            if over is not None and over():
                return True
            job = None
            with self._changed:
                if self._jobs:
                    job = self._jobs.popleft()
                else:
                    rest = self._rest(began, limit)
                    if rest > 0 and self._error is None and not lib.L_DicomGetPumpMode():
                        self._changed.wait(min(rest, SLICE))
                        rest = self._rest(began, limit)
                    idle = not self._jobs and not self._answered and self._error is None
            if job is not None:
                self._serve(job)
                continue
            if idle and lib.L_DicomGetPumpMode():
                pump.breathe(min(max(rest, 0.001), 0.05))
            if traffic is not None and (now := traffic()) != seen:
                seen = now
                self._last_sign = time.monotonic()
            elif idle and rest <= 0:
                return False

    def _rest(self, began: float, limit: float) -> float:
        """Count the seconds until the time is over."""
        return max(self._last_sign, began) + limit - time.monotonic() if limit else SLICE

    def _serve(self, job: _Job) -> None:
        me = threading.get_ident()
        nested = me in self._inside
        job.started = True
        try:
            self._inside.add(me)
            job.run()
        finally:
            if not nested:
                self._inside.discard(me)
            with self._changed:
                job.done = True
                self._last_sign = time.monotonic()
                self._changed.notify_all()


class DicomEventResponse:
    """What a blocking call waits for: an auto-reset event.

    The Scu classes' own overridables set it. An override that leaves out the base has to do so, or
    the call waits until its time limit.
    """

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation

    def Set(self) -> bool:
        """Wake the call."""
        self._conversation.answer()
        return True

    def Reset(self) -> bool:
        """Forget an earlier `Set`."""
        self._conversation.forget_answer()
        return True

    def WaitOne(self, millisecondsTimeout: int = -1) -> bool:
        """Wait for `Set`, and run callbacks meanwhile; -1: without limit. False: the time is over."""
        if millisecondsTimeout < 0:
            return self._conversation.wait(0.0)
        end = time.monotonic() + millisecondsTimeout / 1000
        late = False

        def over() -> bool:
            nonlocal late
            late = time.monotonic() >= end
            return late

        return self._conversation.wait(max(millisecondsTimeout / 1000, 0.001), over) and not late
