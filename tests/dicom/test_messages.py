"""Messages between two nets of ours: every parameter arrives, in order, with its data set."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset

from leadtools_compat.dicom import (
    DicomCommandPriorityType,
    DicomCommandStatusType,
    DicomDataSet,
    DicomException,
    DicomExceptionCode,
    DicomNet,
    DicomPduType,
)
from tests.dicom.nodes import BIG, CT, EXPLICIT, FIND, IMPLICIT, JPEG, VERIFICATION, Link, dataset
from tests.dicom.nodes import request as association_request
from tests.robustness import robust_tools
from tests.support import PATIENCE, refused

High, Low = DicomCommandPriorityType.High, DicomCommandPriorityType.Low
Pending, Success = DicomCommandStatusType.Pending, DicomCommandStatusType.Success
ONE = dataset(AccessionNumber="request")
TWO = dataset(AccessionNumber="response")
INSTANCE = "1.2.3.4.5"

# name: what follows the first three parameters, in request and response
PAIRS: dict[str, tuple[list[Any], list[Any]]] = {
    "CStore": ([INSTANCE, High, "MOVER", 77, ONE], [INSTANCE, DicomCommandStatusType.Warning]),
    "CFind": ([Low, ONE], [Pending, TWO]),
    "CMove": ([High, "STORE_AE", ONE], [Pending, 1, 2, 3, 4, TWO]),
    "CGet": ([Low, ONE], [DicomCommandStatusType.Cancel, 65535, 0, 7, 65534, None]),
    "CEcho": ([], [DicomCommandStatusType.NotAuthorized]),
    "NReport": ([INSTANCE, 5, ONE], [INSTANCE, Success, 5, TWO]),
    "NGet": ([INSTANCE, [0x00100010, 0x7FE00010, 0xFFFEE000]], [INSTANCE, Success, TWO]),
    "NSet": ([INSTANCE, ONE], [INSTANCE, DicomCommandStatusType.AttributeListError, TWO]),
    "NAction": ([INSTANCE, 65535, ONE], [INSTANCE, Success, 65535, TWO]),
    "NCreate": ([INSTANCE, ONE], [INSTANCE, DicomCommandStatusType(0x0FED), TWO]),
    "NDelete": ([INSTANCE], [INSTANCE, DicomCommandStatusType.NoSuchObjectInstance]),
}


def sent(values: list[Any]) -> list[Any]:
    """Turn the pydicom data sets of a table row into what is sent."""
    return [DicomDataSet.from_pydicom(one) if isinstance(one, Dataset) else one for one in values]


def seen(arguments: Any) -> list[Any]:
    """Turn what has arrived back into the form of the table."""
    return [one.to_pydicom() if isinstance(one, DicomDataSet) else one for one in arguments]


def test_every_pair_arrives_with_all_its_parameters(delivery: str, link: Link) -> None:
    def answer(name: str) -> Any:
        def respond(net: Any, context: int, message: int, sop_class: str, *rest: Any) -> None:
            send = getattr(net, f"Send{name}Response")
            send(context, message, sop_class, *sent(PAIRS[name][1]))
            if PAIRS[name][1][:1] == [Pending]:  # one operation at a time: this one has to end
                counts = [0] * (len(PAIRS[name][1]) - 2)
                send(context, message, sop_class, Success, *counts, None)

        return respond

    listener = link.scp(**{f"OnReceive{name}Request": answer(name) for name in PAIRS})
    scu = link.associated(listener, (VERIFICATION, IMPLICIT), (CT, EXPLICIT))
    for number, (name, (asked, answered)) in enumerate(PAIRS.items()):
        message = 65535 - number
        getattr(scu, f"Send{name}Request")(3, message, CT, *sent(asked))
        got = scu.log.wait(f"OnReceive{name}Response")
        assert seen(got.arguments) == [3, message, CT, *answered], name
        # The message was served before its answer was there; what was served is written down later.
        served = listener.child().log.wait(f"OnReceive{name}Request")
        assert seen(served.arguments) == [3, message, CT, *asked], name
        for given, expected in zip(served.arguments[3:], asked, strict=True):
            if not isinstance(expected, (Dataset, list)):
                assert type(given) is type(expected)
    scu.SendReleaseRequest()
    assert scu.log.wait("OnClose").code == DicomExceptionCode.Success


def test_failed_comes_before_warning(plain: Link) -> None:
    """The count of failed sub-operations is (0000,1022), that of warnings (0000,1023)."""
    counts: list[list[int]] = []

    def look(net: Any, context: int, command: DicomDataSet, data: Any) -> None:
        elements = command.to_pydicom()
        counts.append([elements[0x00001020 + i].value for i in range(4)])

    listener = plain.scp(
        OnReceiveCMoveRequest=lambda net, p, m, c, *rest: net.SendCMoveResponse(
            p, m, c, Pending, 10, 20, 30, 40, None
        )
    )
    scu = plain.associated(listener, (CT, EXPLICIT), OnReceiveData=look)
    scu.SendCMoveRequest(1, 1, CT, 0, "AE", DicomDataSet.from_pydicom(ONE))
    assert scu.log.wait("OnReceiveCMoveResponse").arguments[3:8] == (Pending, 10, 20, 30, 40)
    assert counts == [[10, 20, 30, 40]]


def test_absent_counts_are_zero_and_none_is_no_data_set(plain: Link) -> None:
    listener = plain.scp(
        OnReceiveCMoveRequest=lambda net, p, m, c, *rest: net.SendCMoveResponse(
            p, m, c, Success, 0, 0, 0, 0, None
        )
    )
    scu = plain.associated(listener, (CT, EXPLICIT))
    scu.SendCMoveRequest(1, 1, CT, 0, "AE", DicomDataSet.from_pydicom(ONE))
    assert scu.log.wait("OnReceiveCMoveResponse").arguments[4:] == (0, 0, 0, 0, None)


def test_cancel_arrives_while_the_find_is_served(link: Link) -> None:
    cancelled = threading.Event()

    def find(net: Any, context: int, message: int, sop_class: str, *rest: Any) -> None:
        net.SendCFindResponse(context, message, sop_class, Pending, DicomDataSet.from_pydicom(TWO))
        assert cancelled.wait(PATIENCE)
        net.SendCFindResponse(context, message, sop_class, DicomCommandStatusType.Cancel, None)

    listener = link.scp(
        OnReceiveCFindRequest=find,
        OnReceiveCCancelRequest=lambda net, context, message: cancelled.set(),
    )
    scu = link.associated(listener, (FIND, EXPLICIT))
    scu.SendCFindRequest(1, 9, FIND, 0, DicomDataSet.from_pydicom(ONE))
    scu.log.wait("OnReceiveCFindResponse")
    scu.SendCCancelRequest(1, 9)
    last = scu.log.wait("OnReceiveCFindResponse", 2)
    assert last.arguments[3:] == (DicomCommandStatusType.Cancel, None)
    assert listener.child().log.wait("OnReceiveCCancelRequest").arguments == (1, 9)


def test_cancel_arrives_in_a_pumped_find_that_breathes(pumped: None, plain: Link) -> None:
    """In pumped mode everything is on one thread: the handler looks for the cancel itself."""
    seen_inside: list[bool] = []

    def find(net: Any, context: int, message: int, sop_class: str, *rest: Any) -> None:
        net.SendCFindResponse(context, message, sop_class, Pending, DicomDataSet.from_pydicom(TWO))
        until(net.log, "OnReceiveCCancelRequest")
        seen_inside.append(True)
        net.SendCFindResponse(context, message, sop_class, DicomCommandStatusType.Cancel, None)

    def until(log: Any, name: str, count: int = 1) -> None:
        for _ in range(1000):
            if len(log.all(name)) >= count:
                return
            DicomNet.Breathe(PATIENCE / 1000)
        pytest.fail(f"{name} did not come")

    listener = plain.scp(OnReceiveCFindRequest=find)
    scu = plain.scu(
        OnReceiveCFindResponse=lambda net, p, m, c, status, ds: (
            net.SendCCancelRequest(p, m) if status == Pending else None
        )
    )
    scu.Connect(None, 0, "127.0.0.1", listener.HostPort)
    until(scu.log, "OnConnect")
    scu.SendAssociateRequest(association_request((FIND, EXPLICIT)))
    until(scu.log, "OnReceiveAssociateAccept")
    scu.SendCFindRequest(1, 9, FIND, 0, DicomDataSet.from_pydicom(ONE))
    until(scu.log, "OnReceiveCFindResponse", 2)
    assert seen_inside == [True]


def test_pdus_that_have_left_keep_no_other_net_from_the_pump(pumped: None, plain: Link) -> None:
    """They are joined to one that was there first, and the others were not."""
    count = 500
    other = plain.scu()

    def find(net: Any, context: int, message: int, sop_class: str, *rest: Any) -> None:
        before = net.traffic[0]
        for number in range(count):
            net.SendCFindResponse(
                context, message, sop_class, Pending, DicomDataSet.from_pydicom(ONE)
            )
            if number == 0:  # its event is there, then that of the other net, then the rest
                robust_tools.until(lambda: net.traffic[0] > before, "one has left")
                other.Connect(None, 0, "127.0.0.1", listener.HostPort)
                robust_tools.until(other.IsConnected, "connected")
        robust_tools.until(lambda: net.traffic[0] > before + count * 80, "all have left")

    def until(done: Callable[[], bool]) -> int:
        turns = 0
        end = time.monotonic() + PATIENCE
        while not done():
            turns += DicomNet.Breathe(PATIENCE / 1000)
            assert time.monotonic() < end
        return turns

    listener = plain.scp(OnReceiveCFindRequest=find, OnSend=lambda *arguments: None)
    scu = plain.scu()
    scu.Connect(None, 0, "127.0.0.1", listener.HostPort)
    until(lambda: bool(scu.log.all("OnConnect")))
    scu.SendAssociateRequest(association_request((FIND, EXPLICIT)))
    until(lambda: bool(scu.log.all("OnReceiveAssociateAccept")))
    child = listener.child()
    scu.SendCFindRequest(1, 9, FIND, 0, DicomDataSet.from_pydicom(ONE))
    until(lambda: bool(child.log.all("OnReceiveCFindRequest")))
    turns = until(lambda: bool(other.log.all("OnConnect")))
    assert turns < count / 2
    until(lambda: len(child.log.all("OnSend")) == count + 1)


def test_data_comes_before_its_message_and_they_do_not_share_an_object(
    delivery: str, plain: Link
) -> None:
    listener = plain.scp(OnReceiveData=lambda net, context, command, data: data.Dispose())
    scu = plain.associated(listener)
    scu.SendCStoreRequest(3, 1, CT, INSTANCE, 0, "", 0, DicomDataSet.from_pydicom(ONE))
    scu.log.wait("OnReceiveCStoreResponse")
    child = listener.child()
    stored = child.log.wait("OnReceiveCStoreRequest")
    names = child.log.names()
    assert names.index("OnReceiveData") + 1 == names.index("OnReceiveCStoreRequest")
    assert stored.arguments[-1].to_pydicom() == ONE
    command = child.log.wait("OnReceiveData").arguments[1].to_pydicom()
    assert (command.CommandField, command.MessageID) == (1, 1)


def test_pdus_are_shown_before_messages_and_after_sending(plain: Link) -> None:
    kept: list[memoryview] = []

    def received(net: Any, error: Any, kind: Any, buffer: memoryview, count: int) -> None:
        assert buffer.readonly
        assert (len(buffer), buffer[0]) == (count, int(kind))
        kept.append(buffer)

    listener = plain.scp(OnReceive=received, OnSend=lambda *arguments: None)
    scu = plain.associated(listener)
    scu.SendCEchoRequest(1, 1, VERIFICATION)
    scu.log.wait("OnReceiveCEchoResponse")
    log = listener.child().log
    log.wait("OnSend", 2)
    names = log.names()
    assert names[:2] == ["OnReceive", "OnReceiveAssociateRequest"]
    kinds = [event.arguments[1] for event in log.all("OnSend")]
    assert kinds == [DicomPduType.AssociateAccept, DicomPduType.DataTransfer]
    with pytest.raises(ValueError, match="released"):
        kept[0].tobytes()


def test_responses_get_elements_on_their_way_out(plain: Link) -> None:
    def before(net: Any, command: DicomDataSet) -> None:
        command.to_pydicom().ErrorComment = "more than nothing"

    comments: list[str] = []
    listener = plain.scp(OnBeforeSendCommandSet=before)
    scu = plain.associated(
        listener,
        OnReceiveData=lambda net, p, command, data: comments.append(
            command.to_pydicom().ErrorComment
        ),
    )
    scu.SendCEchoRequest(1, 1, VERIFICATION)
    scu.log.wait("OnReceiveCEchoResponse")
    assert comments == ["more than nothing"]


def test_command_set_of_ones_own(plain: Link) -> None:
    listener = plain.scp()
    scu = plain.associated(listener)
    command = Dataset()
    command.AffectedSOPClassUID = VERIFICATION
    command.CommandField = 0x30
    command.MessageID = 12
    command.CommandDataSetType = 0x0101
    scu.SendData(1, DicomDataSet.from_pydicom(command), None)
    assert scu.log.wait("OnReceiveCEchoResponse").arguments == (1, 12, VERIFICATION, Success)


# ---- data sets ----


@pytest.mark.parametrize("size", [0, 1 << 10, 1 << 20, 40 << 20])
def test_data_sets_of_all_sizes(link: Link, tmp_path: Path, size: int) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()

    def in_folder() -> list[str]:
        found = [os.path.realpath(one) for one in Path("/proc/self/fd").iterdir()]
        return [one for one in found if one.startswith(str(folder))]

    listener = link.scp()
    make, made = listener.make_child, []

    def make_child() -> Any:
        child: Any = make()
        if link.kind == "plain":
            child.Initialize(folder, 0)
        made.append(child)
        return child

    listener.make_child = make_child
    scu = link.associated(listener)
    data = DicomDataSet() if size == 0 else DicomDataSet.from_pydicom(dataset(size))
    scu.SendCStoreRequest(3, 1, CT, INSTANCE, 0, "", 0, data)
    assert scu.log.wait("OnReceiveCStoreResponse").arguments[-1] == Success
    event = listener.child().log.wait("OnReceiveCStoreRequest")
    got = event.arguments[-1]
    if size == 0:
        assert got is None or len(got.to_pydicom()) == 0
        return
    spilled = size > 16 << 20
    assert ("in memory" in repr(got)) != spilled
    if link.kind == "plain":
        assert bool(in_folder()) == spilled
    assert got.transfer_syntax == EXPLICIT
    assert got.to_pydicom() == dataset(size)
    scu.SendReleaseRequest()
    scu.log.wait("OnClose")
    got.Dispose()
    listener.child().log.wait("OnClose")
    assert in_folder() == []
    assert list(folder.iterdir()) == []


def test_files_are_sent_as_they_are_and_received_ones_saved(plain: Link, tmp_path: Path) -> None:
    source, target = tmp_path / "a.dcm", tmp_path / "b.dcm"
    DicomDataSet.from_pydicom(dataset(300_000)).Save(source)
    listener = plain.scp()
    scu = plain.associated(listener)
    with DicomDataSet() as data:
        data.Load(source)
        assert str(source) in repr(data)
        scu.SendCStoreRequest(3, 1, CT, "1.2.3.4", 0, "", 0, data)
    scu.log.wait("OnReceiveCStoreResponse")
    listener.child().log.wait("OnReceiveCStoreRequest").arguments[-1].Save(target)
    assert target.read_bytes() == source.read_bytes()


@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT, BIG, "1.2.840.10008.1.2.1.99"])
def test_native_data_sets_are_converted_for_their_context(plain: Link, syntax: str) -> None:
    listener = plain.scp()
    scu = plain.associated(listener, (CT, syntax))
    given = dataset(AccessionNumber="7")
    given.BitsAllocated, given.PixelRepresentation = 16, 0
    given.add_new(0x7FE00010, "OW", b"\1\2\3\4")
    inner = Dataset()
    inner.CodeValue = "x"
    given.ProcedureCodeSequence = [inner]
    scu.SendCStoreRequest(1, 1, CT, INSTANCE, 0, "", 0, DicomDataSet.from_pydicom(given))
    scu.log.wait("OnReceiveCStoreResponse")
    got = listener.child().log.wait("OnReceiveCStoreRequest").arguments[-1]
    assert got.transfer_syntax == syntax
    elements = got.to_pydicom()
    assert elements.ProcedureCodeSequence[0].CodeValue == "x"
    assert bytes(elements.PixelData) == (b"\2\1\4\3" if syntax == BIG else b"\1\2\3\4")


def test_what_needs_a_codec_is_refused_before_anything_is_sent(plain: Link) -> None:
    listener = plain.scp()
    scu = plain.associated(listener, (CT, JPEG), (CT, EXPLICIT))
    with refused(DicomExceptionCode.TransferSyntaxNotSupported, "ChangeTransferSyntax", JPEG):
        data = DicomDataSet.from_pydicom(dataset(100))
        scu.SendCStoreRequest(1, 1, CT, INSTANCE, 0, "", 0, data)
    scu.SendCStoreRequest(3, 2, CT, INSTANCE, 0, "", 0, data)  # the association is as it was
    assert scu.log.wait("OnReceiveCStoreResponse").arguments[1] == 2


def test_what_was_changed_is_sent_changed_and_what_was_read_as_it_is(plain: Link) -> None:
    listener = plain.scp()
    scu = plain.associated(listener)
    data = DicomDataSet.from_pydicom(dataset())
    for name in ("A^B", "C^D"):
        data.to_pydicom().PatientName = name
        scu.SendCStoreRequest(3, 1, CT, INSTANCE, 0, "", 0, data)
    scu.log.wait("OnReceiveCStoreResponse", 2)
    events = [
        listener.child().log.wait("OnReceiveCStoreRequest", count).arguments[-1] for count in (1, 2)
    ]
    assert [str(one.to_pydicom().PatientName) for one in events] == ["A^B", "C^D"]


# ---- arguments ----


@pytest.mark.parametrize(
    ("method", "arguments", "words"),
    [
        ("SendCEchoRequest", (1, 65536, VERIFICATION), ("messageID", "65536", "65535")),
        ("SendCEchoRequest", (1, -1, VERIFICATION), ("messageID", "-1")),
        ("SendCEchoRequest", (256, 1, VERIFICATION), ("presentationID", "256")),
        ("SendCEchoResponse", (1, 1, VERIFICATION, -1), ("status", "-1")),
        ("SendCFindRequest", (1, 1, CT, 3, None), ("priority", "3", "Medium")),
        ("SendCMoveResponse", (1, 1, CT, 0, 0, 0, 65536, 0, None), ("failed", "65536")),
        ("SendNGetRequest", (1, 1, CT, "1", [1 << 32]), ("attributes[0]", str(1 << 32))),
        ("SendNActionRequest", (1, 1, CT, "1", 70000, None), ("action", "70000")),
        ("SendAbort", (1, 0), ("source", "1", "Provider")),
        ("SendAssociateReject", (0, 1, 1), ("result", "0", "Permanent")),
    ],
)
def test_values_out_of_range_are_named(
    plain: Link, method: str, arguments: tuple[Any, ...], words: tuple[str, ...]
) -> None:
    net: DicomNet = plain.scu()
    with refused(DicomExceptionCode.Parameter, *words):
        getattr(net, method)(*arguments)


def test_sending_without_an_association(plain: Link) -> None:
    listener = plain.scp()
    scu = plain.connected(listener)
    with refused(DicomExceptionCode.AssociationNotEstablished):
        scu.SendCEchoRequest(1, 1, VERIFICATION)
    assert not scu.IsAssociated()
    assert scu.Association is None


def test_context_that_was_not_accepted(plain: Link) -> None:
    scu = plain.associated(plain.scp())
    with refused(DicomExceptionCode.PresentationContextInvalid, "9"):
        scu.SendCEchoRequest(9, 1, VERIFICATION)


def test_data_set_that_was_disposed(plain: Link) -> None:
    scu = plain.associated(plain.scp())
    data = DicomDataSet()
    data.Dispose()
    with pytest.raises(DicomException) as caught:
        scu.SendCStoreRequest(3, 1, CT, INSTANCE, 0, "", 0, data)
    assert caught.value.Code == DicomExceptionCode.ObjectDisposed
