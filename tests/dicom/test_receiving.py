"""Where data sets go, what is answered without user code, and limits that change under way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from leadtools_compat.dicom import (
    DicomCommandStatusType,
    DicomDataSet,
    DicomException,
    DicomExceptionCode,
    DicomNet,
    DicomPduType,
)
from tests.conftest import Unraisable
from tests.dicom.bare import (
    RELEASE_REQUEST,
    RELEASE_RESPONSE,
    bare_acceptor,
    bare_requestor,
    command,
    echo_request,
    echo_response,
    p_data,
    pdu,
    store_request,
)
from tests.dicom.nodes import CT, EXPLICIT, FIND, VERIFICATION, Link, dataset
from tests.support import PATIENCE, Listener, refused

Success = DicomExceptionCode.Success
OUT_OF_RESOURCES = DicomCommandStatusType(0xA700)
INSTANCE = "1.2.3.4.5"


def with_child(listener: Listener, prepare: Callable[[Any], None]) -> Listener:
    """Have every child prepared before it is accepted."""
    make = listener.make_child

    def prepared() -> Any:
        child = make()
        prepare(child)
        return child

    listener.make_child = prepared
    return listener


def store(scu: Any, data: DicomDataSet, number: int = 1, context: int = 3) -> None:
    scu.SendCStoreRequest(context, number, CT, INSTANCE, 0, "", 0, data)


def encoded(size: int) -> bytes:
    """The bytes that a data set of nodes.dataset() has on the wire."""
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, False
    write_dataset(buffer, dataset(size))
    written: bytes = buffer.getvalue()
    return written


# ---- receive_sink ----


def test_sink_is_memory_unless_said_and_names_are_checked(plain: Link) -> None:
    net = plain.scu()
    assert net.receive_sink == "memory"
    sinks: list[Any] = ["file", "discard", "memory", [].append]
    for sink in sinks:
        net.receive_sink = sink
        assert net.receive_sink == sink
    for wrong in ("tape", None, 3):
        with refused(DicomExceptionCode.Parameter, "receive_sink", "'discard'"):
            net.receive_sink = wrong
    assert callable(net.receive_sink)


def test_file_sink_has_even_small_data_sets_in_a_file_without_a_name(
    plain: Link, tmp_path: Path
) -> None:
    def prepare(child: Any) -> None:
        child.Initialize(tmp_path, 0)
        child.receive_sink = "file"

    listener = with_child(plain.scp(), prepare)
    scu = plain.associated(listener)
    store(scu, DicomDataSet.from_pydicom(dataset(100)))
    scu.log.wait("OnReceiveCStoreResponse")
    got = listener.child().log.wait("OnReceiveCStoreRequest").arguments[-1]
    assert "/proc/self/fd/" in repr(got)
    assert got.to_pydicom() == dataset(100)
    assert list(tmp_path.iterdir()) == []


def test_discarded_data_sets_are_none_and_other_messages_are_not_concerned(plain: Link) -> None:
    listener = with_child(
        plain.scp(
            OnReceiveCFindRequest=lambda net, p, m, c, *rest: net.SendCFindResponse(
                p, m, c, 0, None
            )
        ),
        lambda child: setattr(child, "receive_sink", "discard"),
    )
    scu = plain.associated(listener, (FIND, EXPLICIT), (CT, EXPLICIT))
    store(scu, DicomDataSet.from_pydicom(dataset(3 << 20)))
    assert scu.log.wait("OnReceiveCStoreResponse").arguments[-1] == Success
    scu.SendCFindRequest(1, 2, FIND, 0, DicomDataSet.from_pydicom(dataset()))
    scu.log.wait("OnReceiveCFindResponse")
    log = listener.child().log
    assert log.wait("OnReceiveCStoreRequest").arguments[-1] is None
    assert log.wait("OnReceiveCFindRequest").arguments[-1].to_pydicom() == dataset()


@pytest.mark.parametrize("size", [0, 100, 256 << 10, 3 << 20])
def test_callable_gets_every_byte_in_order_before_the_request(
    delivery: str, link: Link, size: int
) -> None:
    pieces: list[bytes] = []
    seen: list[int] = []
    see: Callable[[int], Any] = seen.append
    listener = with_child(
        link.scp(
            OnReceiveCStoreRequest=lambda net, p, m, c, i, *rest: (
                see(sum(map(len, pieces))),
                net.SendCStoreResponse(p, m, c, i, 0),
            )
        ),
        lambda child: setattr(child, "receive_sink", pieces.append),
    )
    scu = link.associated(listener)
    data = DicomDataSet.from_pydicom(dataset(size)) if size else DicomDataSet()
    store(scu, data)
    scu.log.wait("OnReceiveCStoreResponse")
    expected = encoded(size) if size else b""
    assert b"".join(pieces) == expected
    assert seen == [len(expected)]
    assert max(map(len, pieces), default=0) <= 256 << 10
    assert listener.child().log.wait("OnReceiveCStoreRequest").arguments[-1] is None


def test_slow_callable_pushes_back_on_the_peer(plain: Link) -> None:
    """Not more than the inbox is read while the first piece is being looked at."""
    go = threading.Event()
    pieces: list[int] = []

    def look(piece: bytes) -> None:
        assert go.wait(PATIENCE)
        pieces.append(len(piece))

    listener = with_child(plain.scp(), lambda child: setattr(child, "receive_sink", look))
    with bare_requestor(listener) as (peer, _):
        head = command(1, 1, CT, data=True, Priority=0, AffectedSOPInstanceUID="1.2")
        peer.sendall(p_data((3, 3, head)))
        piece = p_data((3, 0, bytes(200_000)))
        peer.settimeout(0.5)
        sent = 0
        with pytest.raises(TimeoutError):
            while sent < 400 << 20:
                sent += peer.send(piece[sent % len(piece) :])
        assert sent < 200 << 20
        go.set()
    listener.child().log.wait("OnClose")


def test_callable_that_raises_aborts_before_anything_is_acknowledged(
    plain: Link, unraisable: Unraisable
) -> None:
    def full(piece: bytes) -> None:
        raise OSError(28, "No space left on device")

    listener = with_child(plain.scp(), lambda child: setattr(child, "receive_sink", full))
    scu = plain.associated(listener)
    store(scu, DicomDataSet.from_pydicom(dataset(1000)))
    scu.log.wait("OnReceiveAbort")
    error = unraisable.expect(OSError, "receive_sink")
    unraisable.expect(DicomException, "OnReceiveCStoreRequest")  # its answer comes too late
    child = listener.child()
    child.log.wait("OnClose")
    assert child.failure.exception is error
    assert not scu.log.all("OnReceiveCStoreResponse")


def test_sink_changes_with_the_next_data_set(plain: Link) -> None:
    first: list[bytes] = []
    listener = with_child(plain.scp(), lambda child: setattr(child, "receive_sink", first.append))
    with bare_requestor(listener) as (peer, reader):
        head = command(1, 1, CT, data=True, Priority=0, AffectedSOPInstanceUID="1.2")
        peer.sendall(p_data((3, 3, head)) + 3 * p_data((3, 0, bytes(200_000))))
        child = listener.child()
        deadline = time.monotonic() + PATIENCE
        while not first and time.monotonic() < deadline:
            threading.Event().wait(0.005)
        child.receive_sink = "memory"
        peer.sendall(p_data((3, 2, bytes(10))) + store_request(2, b"\x08\0\x50\0SH\0\0"))
        pdu(reader)
        pdu(reader)
        assert sum(map(len, first)) == 600_010
        requests = [child.log.wait("OnReceiveCStoreRequest", count) for count in (1, 2)]
        assert requests[0].arguments[-1] is None
        assert requests[1].arguments[-1] is not None


# ---- auto_respond ----


def test_nothing_is_answered_unless_asked_for_and_names_are_checked(plain: Link) -> None:
    net = plain.scu()
    assert net.auto_respond == frozenset()
    net.auto_respond = ("echo", "release")
    assert net.auto_respond == {"echo", "release"}
    net.auto_respond = "echo"
    assert net.auto_respond == {"echo"}
    with refused(DicomExceptionCode.Parameter, "'store'", "'release'"):
        net.auto_respond = {"store"}


class Silent(DicomNet):
    """A child that accepts associations and overrides nothing else."""

    def __init__(self, mode: Any = 0) -> None:
        super().__init__(None, mode)
        self.closed = threading.Event()

    def OnReceiveAssociateRequest(self, association: Any) -> None:
        from tests.dicom.nodes import accept_all

        accept_all(self, association)

    def OnClose(self, error: Any, net: Any) -> None:
        self.closed.set()


def test_echo_and_release_are_answered_without_a_call(
    delivery: str, listen: Callable[..., Listener]
) -> None:
    made: list[Silent] = []

    def child() -> Silent:
        net = Silent()
        net.auto_respond = {"echo", "release"}
        made.append(net)
        return net

    listener = listen(child)
    with bare_requestor(listener) as (peer, reader):
        peer.sendall(b"".join(echo_request(number) for number in range(1, 101)))
        for number in range(1, 101):
            assert pdu(reader) == echo_response(number)
        peer.sendall(RELEASE_REQUEST)
        assert pdu(reader) == RELEASE_RESPONSE
    assert made[0].closed.wait(PATIENCE)


def test_override_goes_before_an_automatic_answer(plain: Link) -> None:
    listener = with_child(
        plain.scp(
            OnReceiveCEchoRequest=lambda net, p, m, c: net.SendCEchoResponse(p, m, c, 0x0124)
        ),
        lambda child: setattr(child, "auto_respond", {"echo"}),
    )
    scu = plain.associated(listener)
    scu.SendCEchoRequest(1, 1, VERIFICATION)
    assert scu.log.wait("OnReceiveCEchoResponse").arguments[-1] == 0x0124
    assert len(scu.log.all("OnReceiveCEchoResponse")) == 1


def test_automatic_release_comes_after_what_was_asked_before(plain: Link) -> None:
    """The store is still being served when the release arrives."""
    arrived = threading.Event()

    def serve(net: Any, p: int, m: int, c: str, i: str, *rest: Any) -> None:
        assert arrived.wait(PATIENCE)
        net.SendCStoreResponse(p, m, c, i, 0)

    def prepare(child: Any) -> None:
        child.auto_respond = {"release"}
        del child.OnReceiveReleaseRequest

    listener = with_child(plain.scp(OnReceiveCStoreRequest=serve), prepare)
    with bare_requestor(listener) as (peer, reader):
        peer.sendall(store_request(1, b"\x08\0\x50\0SH\0\0") + RELEASE_REQUEST)
        arrived.set()
        assert pdu(reader)[0] == 4
        assert pdu(reader) == RELEASE_RESPONSE


def test_peer_that_only_asks_and_never_reads_is_ended(listen: Callable[..., Listener]) -> None:
    """Automatic answers cannot wait for it, and must not fill the memory."""
    made: list[Silent] = []

    def child() -> Silent:
        net = Silent()
        net.auto_respond = "echo"
        net.limits["send_queue"] = 100_000
        net.artim_timeout = 0.3
        made.append(net)
        return net

    listener = listen(child)
    with bare_requestor(listener) as (peer, _):
        some = b"".join(echo_request(number) for number in range(1000))
        with pytest.raises(OSError):  # noqa: PT011 - reset or time-out, both are right
            for _ in range(2000):
                peer.sendall(some)
    assert made[0].closed.wait(PATIENCE)
    failure = made[0].failure
    assert failure is not None
    assert failure.code == DicomExceptionCode.NetQueueFull


# ---- limits ----


def test_idle_association_is_ended(delivery: str, plain: Link) -> None:
    scu = plain.scu()
    scu.idle_timeout = 1  # before the association as well: enough for a busy machine
    with bare_acceptor(scu) as (_, reader):
        assert pdu(reader)[0] == 7
        assert scu.log.wait("OnClose").code == DicomExceptionCode.NetTimeout
    assert scu.failure.code == DicomExceptionCode.NetTimeout
    assert "idle_timeout" in scu.failure.message


def test_idle_time_is_off_unless_set_and_does_not_run_while_a_request_is_served(
    plain: Link,
) -> None:
    answer = threading.Event()

    def serve(net: Any, p: int, m: int, c: str) -> None:
        threading.Event().wait(0.6)
        answer.set()
        net.SendCEchoResponse(p, m, c, 0)

    def prepare(child: Any) -> None:
        assert child.idle_timeout == 0
        child.idle_timeout = 0.2

    listener = with_child(plain.scp(OnReceiveCEchoRequest=serve), prepare)
    with bare_requestor(listener) as (peer, reader):
        peer.sendall(echo_request(1))
        assert pdu(reader) == echo_response(1)
        assert answer.is_set()
        assert pdu(reader)[0] == 7  # now it is


def test_limits_that_are_set_while_connected_count_at_once(plain: Link) -> None:
    scu = plain.scu()
    with bare_acceptor(scu) as (_, reader):
        scu.idle_timeout = 0.1
        assert pdu(reader)[0] == 7
        scu.log.wait("OnClose")


def test_answer_to_a_request_is_awaited_as_long_as_is_said_after_connecting(plain: Link) -> None:
    listener = plain.scp(OnReceiveAssociateRequest=lambda net, asked: None)
    scu = plain.connected(listener)
    scu.association_timeout = 0.2
    from tests.dicom.nodes import request

    scu.SendAssociateRequest(request((VERIFICATION, EXPLICIT)))
    assert scu.log.wait("OnClose").code == DicomExceptionCode.AssociationTimeout


def test_memory_limit_set_while_connected_is_for_the_next_data_set(plain: Link) -> None:
    listener = plain.scp()
    scu = plain.associated(listener)
    child = listener.child()
    for number, limit in ((1, 16 << 20), (2, 100)):
        child.limits["data_set_memory"] = limit
        store(scu, DicomDataSet.from_pydicom(dataset(1000)), number)
        scu.log.wait("OnReceiveCStoreResponse", number)
    where = [
        "in memory" in repr(child.log.wait("OnReceiveCStoreRequest", number).arguments[-1])
        for number in (1, 2)
    ]
    assert where == [True, False]


def test_spill_quota_is_shared_by_the_children_of_a_listener(plain: Link) -> None:
    """What does not fit is refused, the association lives, and freed room can be used again."""
    kept: list[Any] = []
    keep: Callable[[Any], Any] = kept.append
    listener = with_child(
        plain.scp(
            OnReceiveCStoreRequest=lambda net, p, m, c, i, pr, ae, mm, ds: (
                keep(ds),
                net.SendCStoreResponse(p, m, c, i, 0),
            )
        ),
        lambda child: child.limits.update(data_set_memory=1),
    )
    assert listener.limits["spill_quota"] == 16 << 30
    listener.limits["spill_quota"] = 150_000
    other = with_child(
        plain.scp(), lambda child: child.limits.update(data_set_memory=1)
    )  # has one of its own
    scus = [plain.associated(one) for one in (listener, listener, other)]
    outcomes = []
    data = DicomDataSet.from_pydicom(dataset(100_000))
    for scu in scus:
        store(scu, data)
        outcomes.append(scu.log.wait("OnReceiveCStoreResponse").arguments[-1])
    assert outcomes == [Success, OUT_OF_RESOURCES, Success]
    for net in listener.children:
        net.log = type(net.log)()  # it has the data set too
    kept.pop().Dispose()
    store(scus[1], data, 2)
    assert scus[1].log.wait("OnReceiveCStoreResponse", 2).arguments[-1] == Success


@pytest.mark.parametrize("name", ["CFind", "CMove", "CGet", "NSet", "NAction", "NCreate"])
def test_no_room_for_any_data_set_is_an_answer_and_not_the_end(plain: Link, name: str) -> None:
    listener = with_child(plain.scp(), lambda child: child.limits.update(data_set_total=1000))
    scu = plain.associated(listener)
    data = DicomDataSet.from_pydicom(dataset(5000))
    more: dict[str, list[Any]] = {
        "CFind": [0],
        "CMove": [0, "AE"],
        "CGet": [0],
        "NAction": [INSTANCE, 1],
    }
    arguments = more.get(name, [INSTANCE])
    getattr(scu, f"Send{name}Request")(3, 1, CT, *arguments, data)
    got = scu.log.wait(f"OnReceive{name}Response").arguments
    status = next(one for one in got if isinstance(one, DicomCommandStatusType))
    assert status == {"C": 0xA700, "N": 0x0213}[name[0]] or (name, status) in (
        ("CMove", 0xA702),
        ("CGet", 0xA702),
    )
    scu.SendCEchoRequest(1, 2, VERIFICATION)
    scu.log.wait("OnReceiveCEchoResponse")
    assert not listener.child().log.all(f"OnReceive{name}Request")


# ---- OnReceive ----


def test_pdu_of_more_than_a_mib_is_shown_whole(plain: Link) -> None:
    sizes: list[tuple[int, int]] = []

    def look(net: Any, error: Any, kind: Any, buffer: memoryview, count: int) -> None:
        if kind == DicomPduType.DataTransfer:
            sizes.append((len(buffer), int.from_bytes(buffer[2:6], "big")))
            assert bytes(buffer[-4:]) == b"tail"

    def accept(net: Any, asked: Any) -> None:
        from leadtools_compat.dicom import DicomAssociate

        with DicomAssociate(False) as answer:
            answer.MaxLength = 8 << 20
            answer.AddPresentationContext(1, 0, asked.GetAbstract(1))
            answer.AddTransfer(1, asked.GetTransfer(1, 0))
            answer.AddPresentationContext(3, 0, asked.GetAbstract(3))
            answer.AddTransfer(3, asked.GetTransfer(3, 0))
            net.SendAssociateAccept(answer)

    listener = plain.scp(OnReceive=look, OnReceiveAssociateRequest=accept)
    with bare_requestor(listener) as (peer, reader):
        whole = store_request(1, bytes(3 << 20) + b"tail")
        peer.sendall(whole)
        assert pdu(reader)[0] == 4
    assert sizes == [(len(whole), len(whole) - 6)]


def test_shown_pdus_count_for_what_may_wait(plain: Link) -> None:
    """A handler that is slow: 64 MiB of PDUs wait, not 64 of the largest PDUs."""
    go = threading.Event()
    listener = plain.scp(OnReceive=lambda *arguments: go.wait(PATIENCE) and None)
    try:
        with bare_requestor_of(listener, go) as peer:
            piece = p_data((3, 0, bytes(250_000)))
            peer.settimeout(0.5)
            head = command(1, 1, CT, data=True, Priority=0, AffectedSOPInstanceUID="1.2")
            peer.sendall(p_data((3, 3, head)))
            sent = 0
            with pytest.raises(TimeoutError):
                while sent < 400 << 20:
                    sent += peer.send(piece[sent % len(piece) :])
            assert sent < 200 << 20
    finally:
        go.set()
    listener.child().log.wait("OnClose")


def bare_requestor_of(listener: Listener, go: threading.Event) -> Any:
    """Associate with a listener whose handler waits, then have it wait again."""
    from contextlib import contextmanager

    @contextmanager
    def associated() -> Any:
        go.set()
        with bare_requestor(listener) as (peer, _):
            go.clear()
            yield peer

    return associated()


def test_descriptors_of_spilled_data_sets_are_given_back(plain: Link) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    listener = with_child(
        plain.scp(
            OnReceiveCStoreRequest=lambda net, p, m, c, i, *rest: (
                rest[-1].Dispose(),
                net.SendCStoreResponse(p, m, c, i, 0),
            )
        ),
        lambda child: setattr(child, "receive_sink", "file"),
    )
    scu = plain.associated(listener)
    data = DicomDataSet.from_pydicom(dataset(1000))
    for number in range(1, 51):
        store(scu, data, number)
    scu.log.wait("OnReceiveCStoreResponse", 50)
    assert len(list(Path("/proc/self/fd").iterdir())) < before + 20
