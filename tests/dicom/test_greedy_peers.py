"""Peers and programs that ask for too much: nobody else waits for them, and memory stays bounded."""

from __future__ import annotations

import select
import socket
import threading
from pathlib import Path
from typing import Any

from leadtools_compat.dicom import (
    DicomAbortReasonType,
    DicomAbortSourceType,
    DicomCommandStatusType,
    DicomDataSet,
)
from tests.dicom.bare import (
    InBackground,
    bare_acceptor,
    bare_requestor,
    command,
    p_data,
    pdu,
)
from tests.dicom.nodes import EXPLICIT, FIND, VERIFICATION, Link, dataset, request
from tests.support import PATIENCE

Pending = DicomCommandStatusType.Pending
WORKERS = 64
"""The most threads of the library, one of which is never in user code."""


def cancel_request(number: int) -> bytes:
    from pydicom.dataset import Dataset
    from pydicom.filebase import DicomBytesIO
    from pydicom.filewriter import write_dataset

    made = Dataset()
    made.CommandField, made.MessageIDBeingRespondedTo = 0x0FFF, number
    made.CommandDataSetType = 0x0101
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, True
    write_dataset(buffer, made)
    encoded = buffer.getvalue()
    head = b"\0\0\0\0\4\0\0\0" + len(encoded).to_bytes(4, "little")
    return p_data((1, 3, head + encoded))


def resident() -> int:
    """The memory of this process that is no file's, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(one.split()[1]) for one in lines if one.startswith("RssAnon")) * 1024


def not_empty(peer: socket.socket) -> bool:
    return bool(select.select([peer], [], [], 0)[0])


def test_requests_after_the_end_are_answered_with_one_abort(plain: Link) -> None:
    """PS3.8 table 9-10, Evt6 in Sta13 (AA-7): not one for each, which nobody may ever read."""
    scu = plain.scu()
    scu.artim_timeout = 1.0
    with bare_acceptor(scu) as (peer, reader):
        scu.SendAbort(DicomAbortSourceType.User, DicomAbortReasonType.Unknown)
        assert pdu(reader)[0] == 7
        with request((VERIFICATION, EXPLICIT)) as asking:
            peer.sendall(200 * bytes(asking.to_bytes()))
        answers = reader.read()
    assert answers == b"\7\0\0\0\0\4\0\0\2\2"
    scu.log.wait("OnClose")


def test_cancel_requests_of_one_peer_take_one_thread(plain: Link) -> None:
    lock = threading.Lock()
    running, peak, told = 0, 0, []
    second = threading.Event()

    def cancelled(net: Any, presentation: int, number: int) -> None:
        nonlocal running, peak
        with lock:
            running += 1
            peak = max(peak, running)
            told.append(number)
            if running > 1:
                second.set()
        second.wait(0.5 if number == 0 else 0)
        with lock:
            running -= 1

    listener = plain.scp(OnReceiveCCancelRequest=cancelled)
    with bare_requestor(listener) as (peer, _):
        child = listener.child()
        peer.sendall(b"".join(cancel_request(number) for number in range(40)))
        child.log.wait("OnReceiveCCancelRequest", 40)
    assert peak == 1
    assert told == list(range(40))


def test_cancel_request_is_told_while_another_callback_runs(plain: Link) -> None:
    cancelled = threading.Event()
    heard: list[bool] = []

    def find(net: Any, p: int, m: int, c: str, *rest: Any) -> None:
        heard.append(cancelled.wait(PATIENCE))

    listener = plain.scp(
        OnReceiveCFindRequest=find,
        OnReceiveCCancelRequest=lambda net, p, m: cancelled.set(),
    )
    with bare_requestor(listener, (FIND, EXPLICIT)) as (peer, _):
        asked = command(0x20, 1, FIND, data=True, Priority=0)
        peer.sendall(p_data((1, 3, asked), (1, 2, b"\x08\0\x52\0CS\2\0IM")) + cancel_request(1))
        listener.child().log.wait("OnReceiveCFindRequest")
    assert heard == [True]


def test_peer_that_never_stops_talking_takes_no_thread_for_good(plain: Link) -> None:
    """All threads but one for callbacks are busy; the last two nets take turns."""
    let_go = threading.Event()
    stop = threading.Event()
    seen = threading.Semaphore(0)

    def look(*arguments: Any) -> None:
        stop.wait(0.002)  # slower than the talker
        seen.release()

    listener = plain.scp(OnReceive=look)
    started = threading.Semaphore(0)

    def block(*arguments: Any) -> None:
        started.release()
        let_go.wait(3 * PATIENCE)

    blocked = [plain.scu(OnConnect=block) for _ in range(WORKERS - 2)]
    with bare_requestor(listener) as (talker, _):
        child = listener.child()
        child.log.add = lambda *arguments: None
        with socket.create_server(("127.0.0.1", 0), backlog=2 * WORKERS) as server:
            for one in blocked:
                one.Connect(None, 0, "127.0.0.1", server.getsockname()[1])
            for _ in blocked:
                assert started.acquire(timeout=PATIENCE)
            piece = p_data((1, 1, b""))

            def talk() -> None:
                while not stop.is_set():
                    talker.sendall(1000 * piece)

            talking = InBackground(talk)
            try:
                for _ in range(200):
                    assert seen.acquire(timeout=PATIENCE)
                other = plain.scu()
                other.Connect(None, 0, "127.0.0.1", server.getsockname()[1])
                other.log.wait("OnConnect")
            finally:
                let_go.set()
                stop.set()
        talking.outcome()


def test_calls_that_wait_in_an_override_are_not_held_up_by_what_is_not_told_yet(
    link: Link,
) -> None:
    """What cannot be told before the override returns must not keep the responses out."""
    statuses: list[int] = []

    def echo(net: Any, p: int, m: int, c: str) -> None:
        if m == 1000:
            statuses.extend(
                int(net.echo_and_wait(p, number, VERIFICATION, timeout=5.0))
                for number in range(1, 201)
            )
        net.SendCEchoResponse(p, m, c, 0)

    nothing = lambda *arguments: None  # noqa: E731
    listener = link.scp(OnReceiveCEchoRequest=echo, OnReceive=nothing, OnSend=nothing)
    answer = lambda net, p, m, c: net.SendCEchoResponse(p, m, c, 0)  # noqa: E731
    scu = link.associated(listener, OnReceiveCEchoRequest=answer)
    scu.SendCEchoRequest(1, 1000, VERIFICATION)
    scu.log.wait("OnReceiveCEchoResponse")
    assert statuses == 200 * [0]


def test_pdus_that_onsend_has_not_heard_of_take_little_memory(plain: Link, tmp_path: Path) -> None:
    matches = 10_000
    growth: list[int] = []
    lengths: list[int] = []
    over = threading.Event()
    DicomDataSet.from_pydicom(dataset()).Save(tmp_path / "match.dcm")
    match = DicomDataSet()
    match.Load(tmp_path / "match.dcm")  # encoded already

    def find(net: Any, p: int, m: int, c: str, *rest: Any) -> None:
        before = resident()
        for number in range(matches):
            net.SendCFindResponse(p, 1 + number % 2, c, Pending, match)
        growth.append(resident() - before)
        net.SendCFindResponse(p, m, c, 0, None)

    def told(net: Any, error: Any, kind: Any, length: int) -> None:
        lengths.append(length)
        if len(lengths) == matches + 2:  # the accept, too
            over.set()

    listener = plain.scp(OnReceiveCFindRequest=find, OnSend=told)
    with bare_requestor(listener, (FIND, EXPLICIT)) as (peer, _):
        child = listener.child()
        child.log.add = lambda *arguments: None
        asked = command(0x20, 1, FIND, data=True, Priority=0)
        peer.sendall(p_data((1, 3, asked), (1, 2, b"\x08\0\x52\0CS\2\0IM")))
        came = b""
        while not over.wait(0.02):  # in large pieces: the other thread needs the interpreter
            came += peer.recv(1 << 20, socket.MSG_DONTWAIT) if not_empty(peer) else b""
    assert growth[0] < 4 << 20
    assert lengths[1] == lengths[-2]
    assert lengths[-1] < lengths[1]  # in the order of what was sent
