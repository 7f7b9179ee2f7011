"""The queue between C's workers and the thread that is in a call."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from leadtools_compat.dicom.scu import DicomConnection
from leadtools_compat.dicom.scu._connection_state import connection_of
from leadtools_compat.dicom.scu._conversation import Conversation
from tests.support import PATIENCE


@pytest.fixture
def scu(nets: Callable[[Any], Any]) -> DicomConnection:
    made = DicomConnection()
    nets(made)
    return made


def worker(scu: DicomConnection, function: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    """Call back on another thread, as C does; wait until it has got that far."""
    results: list[Any] = []
    conversation = connection_of(scu).conversation

    def run() -> None:
        try:
            results.append(conversation.run(scu, "OnVerify", function))
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            results.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    deadline = time.monotonic() + PATIENCE
    while not conversation.is_waited_for and thread.is_alive():
        assert time.monotonic() < deadline
    return thread, results


def note(ran: list[int], answer: int) -> int:
    ran.append(threading.get_ident())
    return answer


def test_outside_a_call_the_worker_runs_it(scu: DicomConnection) -> None:
    ran: list[int] = []
    thread, results = worker(scu, lambda: note(ran, 5))
    thread.join(PATIENCE)
    assert results == [5]
    assert ran == [thread.ident]


def test_in_a_call_its_thread_runs_it_and_the_answer_goes_back(scu: DicomConnection) -> None:
    conversation = connection_of(scu).conversation
    conversation.begin("test")
    ran: list[int] = []
    thread, results = worker(scu, lambda: note(ran, 1))
    assert not results
    assert conversation.wait(PATIENCE, lambda: bool(ran))
    thread.join(PATIENCE)
    conversation.end()
    assert results == [1]
    assert ran == [threading.get_ident()]


def test_an_exception_goes_back_to_the_worker(scu: DicomConnection) -> None:
    conversation = connection_of(scu).conversation
    conversation.begin("test")
    seen: list[int] = []

    def fail() -> None:
        seen.append(1)
        raise LookupError("mine")

    thread, results = worker(scu, fail)
    assert conversation.wait(PATIENCE, lambda: bool(seen))
    thread.join(PATIENCE)
    conversation.end()
    assert isinstance(results[0], LookupError)


def test_what_the_call_did_not_come_to_the_worker_runs(scu: DicomConnection) -> None:
    conversation = connection_of(scu).conversation
    conversation.begin("test")
    ran: list[int] = []
    thread, results = worker(scu, lambda: note(ran, 7))
    conversation.end()
    thread.join(PATIENCE)
    assert results == [7]
    assert ran == [thread.ident]


def test_after_dispose_nothing_is_called_and_the_answer_is_no(scu: DicomConnection) -> None:
    conversation = connection_of(scu).conversation
    conversation.begin("test")
    ran: list[int] = []
    thread, results = worker(scu, lambda: ran.append(1))
    scu.Dispose()
    conversation.end()
    thread.join(PATIENCE)
    assert ran == []
    assert results == [0]


def test_exceptions_are_taken_only_during_a_call() -> None:
    conversation = Conversation()
    assert not conversation.take(LookupError("nobody waits"))
    conversation.begin("test")
    assert conversation.take(LookupError("first"))
    assert conversation.take(LookupError("second"))
    with pytest.raises(LookupError, match="first"):
        conversation.wait(PATIENCE)
    conversation.end()
