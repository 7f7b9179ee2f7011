"""`StoreScu`: files, data sets, folders; what the node refuses; commitment."""

from __future__ import annotations

import shutil
import socket
import struct
import threading
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

from leadtools_compat.dicom import (
    DicomAssociate,
    DicomAssociateAcceptResultType,
    DicomCommandPriorityType,
    DicomCommandStatusType,
    DicomDataSet,
    DicomExceptionCode,
    DicomNet,
)
from leadtools_compat.dicom.scu import (
    ClientAssociationException,
    ClientCommunicationException,
    Compression,
    SkipMethod,
    StorageCommitOptions,
    StoreScu,
)
from tests.dicom.nodes import BIG, CT, EXPLICIT, IMPLICIT, dataset
from tests.scu.conftest import Site, names, record
from tests.support import PATIENCE, refused

FILES = ("CT_small.dcm", "MR_small_implicit.dcm", "MR_small_bigendian.dcm", "rtplan.dcm")
JPEG2000 = "1.2.840.10008.1.2.4.90"


def path_of(name: str) -> Path:
    return Path(str(get_testdata_file(name, download=False)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with images, a file that is none, and a folder in it."""
    made = tmp_path / "images"
    (made / "more").mkdir(parents=True)
    for name in FILES[:3]:
        shutil.copy(path_of(name), made / name)
    shutil.copy(path_of(FILES[3]), made / "more" / FILES[3])
    (made / "notes.txt").write_text("nothing DICOM")
    return made


def accept_only(*syntaxes: str) -> Any:
    """Make a node accept contexts that have one of these transfer syntaxes."""

    def accept(net: DicomNet, asked: DicomAssociate) -> None:
        with DicomAssociate(False) as answer:
            answer.Called, answer.Calling = asked.Called, asked.Calling
            for index in range(asked.PresentationContextCount):
                number = asked.GetPresentationContextID(index)
                offered = [
                    asked.GetTransfer(number, i) for i in range(asked.GetTransferCount(number))
                ]
                good = [uid for uid in syntaxes if uid in offered]
                result = DicomAssociateAcceptResultType.TransferSyntax
                if good:
                    result = DicomAssociateAcceptResultType.Success
                answer.AddPresentationContext(number, result, asked.GetAbstract(number))
                answer.AddTransfer(number, good[0] if good else offered[0])
            net.SendAssociateAccept(answer)

    return accept


def stored(node: Any, count: int) -> list[Any]:
    """Wait for instances; gives them as pydicom data sets."""
    child = node.child()
    child.log.wait("OnReceiveCStoreRequest", count)
    return [event.arguments[-1] for event in child.log.all("OnReceiveCStoreRequest")]


@pytest.mark.parametrize("name", FILES)
def test_a_file_arrives_as_it_is(site: Site, name: str) -> None:
    node, scp = site.node()
    scu = site.scu(StoreScu)
    seen = record(scu, "BeforeCStore", "AfterCStore")
    scu.Store(scp, path_of(name))
    expected = dcmread(path_of(name))
    got = stored(node, 1)[0]
    assert got.transfer_syntax == expected.file_meta.TransferSyntaxUID
    assert got.to_pydicom().PatientName == expected.PatientName
    assert scu.Status == DicomCommandStatusType.Success
    assert [one for one in names(seen) if "CStore" in one] == ["BeforeCStore", "AfterCStore"]
    told = dict(seen)
    before, after = told["BeforeCStore"], told["AfterCStore"]
    assert before.Instance == after.Instance == expected.SOPInstanceUID
    assert before.AffectedClass == after.AffectedClass == expected.SOPClassUID
    assert before.FileInfo == after.FileInfo == path_of(name)
    assert before.MessageId == after.MessageId
    assert before.PresentationID == after.PresentationID
    assert before.Error == DicomExceptionCode.Success
    assert before.Priority == DicomCommandPriorityType.Medium
    assert before.Dataset is not None
    assert after.Status == DicomCommandStatusType.Success


def test_a_data_set(site: Site) -> None:
    node, scp = site.node()
    data = DicomDataSet.from_pydicom(dataset(1000))
    scu = site.scu(StoreScu)
    scu.Store(scp, data)
    assert stored(node, 1)[0].to_pydicom() == dataset(1000)
    assert data.to_pydicom().PatientName == "Doe^Jane"  # still the caller's
    assert not scu.IsConnected()


def test_a_data_set_that_does_not_say_what_it_is(plain: Site) -> None:
    _, scp = plain.node()
    data = dataset()
    del data.SOPInstanceUID
    with refused(DicomExceptionCode.ElementNotFound, "SOP instance UID"):
        plain.scu(StoreScu).Store(scp, DicomDataSet.from_pydicom(data))


def test_staying_connected_keeps_one_association(plain: Site) -> None:
    node, scp = plain.node()
    scu = plain.scu(StoreScu)
    for number in range(3):
        data = DicomDataSet.from_pydicom(dataset(SOPInstanceUID=f"1.2.{number}"))
        scu.Store(scp, data, True)
        assert scu.IsAssociated()
    assert scu.Verify(scp)  # has no context there: a new association
    assert not scu.IsConnected()
    first = node.child(1)
    assert len(first.log.all("OnReceiveCStoreRequest")) == 3
    assert first.log.wait("OnReceiveReleaseRequest")
    assert len(node.children) == 2


def test_a_folder(site: Site, folder: Path) -> None:
    node, scp = site.node()
    scu = site.scu(StoreScu)
    seen = record(scu, "BeforeCStore", "AfterCStore")
    scu.Store(scp, folder, "*.dcm", False)
    assert len(stored(node, 3)) == 3
    assert names(seen).count("AfterCStore") == 3
    assert len(node.children) == 1  # one association for all


def test_a_folder_with_all_that_is_in_it(plain: Site, folder: Path) -> None:
    node, scp = plain.node()
    scu = plain.scu(StoreScu)
    seen = record(scu, "BeforeCStore", "AfterCStore")
    scu.Store(scp, directory=folder, mask="*.*", recursive=True)
    assert len(stored(node, 4)) == 4
    bad = [e for name, e in seen if name == "AfterCStore" and e.Status != 0]
    assert [e.FileInfo.name for e in bad] == ["notes.txt"]
    before = [e for name, e in seen if name == "BeforeCStore" and e.Error != 0]
    assert before[0].Error == DicomExceptionCode.FileFormat
    with refused(DicomExceptionCode.FileNotFound, "not a folder"):
        scu.Store(scp, folder / "nowhere", "*.dcm", True)


def test_a_list_of_files_by_our_name(plain: Site) -> None:
    node, scp = plain.node()
    plain.scu(StoreScu).store_files(scp, [path_of(name) for name in FILES])
    assert len(stored(node, 4)) == 4


def test_files_that_cannot_be_sent(plain: Site, tmp_path: Path) -> None:
    node, scp = plain.node()
    scu = plain.scu(StoreScu)
    with refused(DicomExceptionCode.FileNotFound):
        scu.Store(scp, tmp_path / "nothing.dcm")
    (tmp_path / "bad.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\xff" * 9)
    with refused(DicomExceptionCode.FileFormat, "bad.dcm"):
        scu.Store(scp, tmp_path / "bad.dcm")
    (tmp_path / "empty.dcm").write_bytes(b"")
    with refused(DicomExceptionCode.FileFormat):
        scu.Store(scp, tmp_path / "empty.dcm")
    assert not node.children


def test_refusals_of_the_node_do_not_end_the_loop(plain: Site, folder: Path) -> None:
    def answer(net: Any, p: int, m: int, c: str, i: str, *rest: Any) -> None:
        net.SendCStoreResponse(p, m, c, i, 0xA700 if c == CT else 0)

    _, scp = plain.node(OnReceiveCStoreRequest=answer)
    scu = plain.scu(StoreScu)
    seen = record(scu, "AfterCStore")
    scu.Store(scp, folder, "*.dcm", False)
    statuses = [int(e.Status) for name, e in seen if name == "AfterCStore"]
    assert sorted(statuses) == [0, 0, 0xA700]


def test_a_class_that_the_node_does_not_take_is_told_and_the_loop_goes_on(
    plain: Site, folder: Path
) -> None:
    _, scp = plain.node(OnReceiveAssociateRequest=accept_only(IMPLICIT))

    node, scp = plain.node(
        OnReceiveAssociateRequest=lambda net, asked: refuse_class(net, asked, CT)
    )
    scu = plain.scu(StoreScu)
    seen = record(scu, "BeforeCStore", "AfterCStore")
    scu.Store(scp, folder, "*.dcm", False)
    by_file = {e.FileInfo.name: e.Status for name, e in seen if name == "AfterCStore"}
    assert by_file.pop("CT_small.dcm") == DicomCommandStatusType.ClassNotSupported
    assert set(by_file.values()) == {0}
    errors = [e.Error for name, e in seen if name == "BeforeCStore" and e.Error != 0]
    assert errors == [DicomExceptionCode.AbstractSyntaxNotSupported]
    assert len(stored(node, 2)) == 2


def refuse_class(net: DicomNet, asked: DicomAssociate, uid: str) -> None:
    with DicomAssociate(False) as answer:
        answer.Called, answer.Calling = asked.Called, asked.Calling
        for index in range(asked.PresentationContextCount):
            number = asked.GetPresentationContextID(index)
            bad = asked.GetAbstract(number) == uid
            answer.AddPresentationContext(number, 3 if bad else 0, asked.GetAbstract(number))
            answer.AddTransfer(number, asked.GetTransfer(number, 0))
        net.SendAssociateAccept(answer)


@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT, BIG])
def test_native_forms_are_converted_for_a_node_that_takes_one(plain: Site, syntax: str) -> None:
    node, scp = plain.node(OnReceiveAssociateRequest=accept_only(syntax))
    scu = plain.scu(StoreScu)
    sent = [name for name in FILES[:3] if syntax != BIG or "big" in name]
    for name in sent:
        scu.Store(scp, path_of(name))
        assert scu.Status == 0
    for number, name in enumerate(sent, 1):
        event = node.child(number).log.wait("OnReceiveCStoreRequest")
        got = event.arguments[-1]
        assert got.transfer_syntax == syntax
        assert got.to_pydicom().PatientID == dcmread(path_of(name)).PatientID


def test_a_compressed_file_goes_as_it_is(plain: Site) -> None:
    node, scp = plain.node()
    plain.scu(StoreScu).Store(scp, path_of("JPEG2000.dcm"))
    assert stored(node, 1)[0].transfer_syntax.startswith("1.2.840.10008.1.2.4.9")


def test_skipping(plain: Site, folder: Path) -> None:
    _, scp = plain.node()
    scu = plain.scu(StoreScu)
    seen = record(scu, "AfterCStore")

    def skip(sender: Any, e: Any) -> None:
        e.Skip = SkipMethod.File if "CT" in e.FileInfo.name else SkipMethod.None_

    scu.BeforeCStore += skip
    scu.Store(scp, folder, "*.dcm", False)
    assert names(seen).count("AfterCStore") == 2

    def skip_all(sender: Any, e: Any) -> None:
        if "MR" in e.FileInfo.name:
            e.Skip = SkipMethod.AllFiles

    scu.BeforeCStore -= skip
    scu.BeforeCStore += skip_all
    seen.clear()
    scu.Store(scp, folder, "*.dcm", False)
    assert names(seen).count("AfterCStore") == 1


def test_canceling_ends_the_loop_after_the_present_file(plain: Site, folder: Path) -> None:
    node, scp = plain.node()
    scu = plain.scu(StoreScu)
    scu.AfterCStore += lambda sender, e: sender.CancelRequest()
    seen = record(scu, "AfterCStore")
    scu.Store(scp, folder, "*.dcm", False)
    assert names(seen).count("AfterCStore") == 1
    assert not scu.IsConnected()
    assert node.child().log.wait("OnReceiveReleaseRequest")


def test_a_node_that_does_not_answer_costs_the_timeout(plain: Site) -> None:
    _, scp = plain.node(OnReceiveCStoreRequest=lambda *arguments: None)
    scp.Timeout = 0.4
    with pytest.raises(ClientCommunicationException):
        plain.scu(StoreScu).Store(scp, path_of("CT_small.dcm"))


def test_data_that_moves_is_a_sign_of_life(plain: Site) -> None:
    """A node that reads slowly for longer than the time limit."""
    size = 4_000_000
    gate = threading.Event()
    total = 0

    def serve(listener: socket.socket) -> None:
        nonlocal total
        connection, _ = listener.accept()
        with connection:
            head = connection.recv(6, socket.MSG_WAITALL)
            length = struct.unpack(">BBL", head)[2]
            asked = DicomAssociate.from_bytes(head + connection.recv(length, socket.MSG_WAITALL))
            answer = DicomAssociate(False)
            answer.Called, answer.Calling = asked.Called, asked.Calling
            answer.MaxLength = 16384
            answer.AddPresentationContext(1, 0, asked.GetAbstract(1))
            answer.AddTransfer(1, asked.GetTransfer(1, 0))
            connection.sendall(answer.to_bytes(asked))
            while total < size and not gate.wait(0.05):
                total += len(connection.recv(150_000))
            gate.set()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        scp = plain.way(listener.getsockname()[1])
        scp.Timeout = 0.8
        scu = plain.scu(StoreScu)
        with pytest.raises((ClientCommunicationException, ClientAssociationException)):
            scu.Store(scp, DicomDataSet.from_pydicom(dataset(size)))
        gate.set()
        thread.join(PATIENCE)
    assert total >= size  # all of it was read, which took longer than the limit


def test_lossless_compression_if_the_node_takes_it(plain: Site) -> None:
    rle = "1.2.840.10008.1.2.5"
    if not hasattr(DicomDataSet, "ChangeTransferSyntax"):
        pytest.fail("ChangeTransferSyntax is missing")
    node, scp = plain.node(OnReceiveAssociateRequest=accept_only(rle, EXPLICIT))
    scu = plain.scu(StoreScu)
    scu.Compression = Compression.Lossless
    scu.Store(scp, path_of("CT_small.dcm"))
    got = stored(node, 1)[0]
    assert got.transfer_syntax == rle
    data = got.to_pydicom()
    data.decompress()
    assert data.PixelData == dcmread(path_of("CT_small.dcm")).PixelData


def test_lossless_compression_falls_back_to_native(plain: Site) -> None:
    node, scp = plain.node(OnReceiveAssociateRequest=accept_only(EXPLICIT))
    scu = plain.scu(StoreScu)
    scu.Compression = Compression.Lossless
    scu.Store(scp, path_of("CT_small.dcm"))
    assert stored(node, 1)[0].transfer_syntax == EXPLICIT
    with refused(DicomExceptionCode.Parameter, "Compression"):
        scu.Compression = 9


def test_a_compressed_file_is_decompressed_for_a_node_that_wants_that(plain: Site) -> None:
    node, scp = plain.node(OnReceiveAssociateRequest=accept_only(EXPLICIT))
    scu = plain.scu(StoreScu)
    scu.Store(scp, path_of("MR_small_RLE.dcm"))
    got = stored(node, 1)[0]
    assert got.transfer_syntax == EXPLICIT
    assert got.to_pydicom().PixelData == dcmread(path_of("MR_small.dcm")).PixelData


def test_more_kinds_than_one_association_has_room_for(plain: Site, tmp_path: Path) -> None:
    node, scp = plain.node()
    count = 70  # two contexts each
    for number in range(count):
        data = dataset(SOPClassUID=f"1.2.3.{number}", SOPInstanceUID=f"1.2.4.{number}")
        DicomDataSet.from_pydicom(data).Save(tmp_path / f"{number}.dcm")
    scu = plain.scu(StoreScu)
    seen = record(scu, "AfterCStore")
    scu.Store(scp, tmp_path, "*.dcm", False)
    assert [e.Status for name, e in seen if name == "AfterCStore"] == [0] * count
    assert len(node.children) == 2


# ---- storage commitment -------------------------------------------------------------------------


def commitment(request: Any, failed: bool = False) -> DicomDataSet:
    from pydicom.dataset import Dataset

    result = Dataset()
    data = request.to_pydicom()
    result.TransactionUID = data.TransactionUID
    result.RetrieveAETitle = "NODE"
    items = list(data.ReferencedSOPSequence)
    if failed:
        items[0].FailureReason = 0x0112
        result.FailedSOPSequence = items[:1]
        items = items[1:]
    result.ReferencedSOPSequence = items
    return DicomDataSet.from_pydicom(result)


def on_the_same_association(net: Any, p: int, m: int, c: str, i: str, action: int, ds: Any) -> None:
    net.SendNReportRequest(p, 99, c, i, 1, commitment(ds))  # first: a release may follow the other
    net.SendNActionResponse(p, m, c, i, 0, action, None)


@pytest.mark.parametrize("name", ["WaitForResultsThenClose", "NoWaitForResults"])
def test_a_commitment_told_on_the_same_association(site: Site, name: str) -> None:
    node, scp = site.node(OnReceiveNActionRequest=on_the_same_association)
    scu = site.scu(StoreScu)
    scu.HostAddress = "127.0.0.1"
    told = threading.Event()
    scu.StorageCommitmentResult += lambda sender, e: told.set()
    seen = record(
        scu, "BeforeNAction", "AfterNAction", "StorageCommitmentWait", "StorageCommitmentResult"
    )
    scu.StorageCommit(scp, [path_of(one) for one in FILES[:2]], "1.2.3", StorageCommitOptions[name])
    if name == "WaitForResultsThenClose":
        result = dict(seen)["StorageCommitmentResult"].Result
        assert result.TransactionUID == "1.2.3"
        assert result.RetrieveAETitle == "NODE"
        assert len(result.ReferencedSOPSequence) == 2
        assert not result.FailedSOPSequence
        assert node.child().log.wait("OnReceiveNReportResponse").arguments[4] == 0
    services = [one for one in names(seen) if "NAction" in one or one.endswith("Wait")]
    assert services == ["BeforeNAction", "AfterNAction", "StorageCommitmentWait"]
    assert dict(seen)["AfterNAction"].Status == 0
    scu.StopListener()


@pytest.mark.parametrize("kind", ["plain", "tls, plain host", "tls, secure host"])
def test_a_commitment_told_on_a_new_association(plain: Site, secure_site: Site, kind: str) -> None:
    site, secure_host = plain if kind == "plain" else secure_site, kind.endswith("secure host")
    kept: list[Any] = []

    def later(net: Any, p: int, m: int, c: str, i: str, action: int, ds: Any) -> None:
        net.SendNActionResponse(p, m, c, i, 0, action, None)
        kept.append(ds)
        asked.set()

    asked = threading.Event()
    _, scp = site.node(OnReceiveNActionRequest=later)
    scu = site.scu(StoreScu)
    scu.HostAddress = "127.0.0.1"
    scu.UseSecureHost = secure_host
    told = threading.Event()
    results: list[Any] = []

    def result(sender: Any, e: Any) -> None:
        results.append(e.Result)
        told.set()

    scu.StorageCommitmentResult += result
    scu.StorageCommit(scp, [path_of("CT_small.dcm")], None, StorageCommitOptions.NoWaitForResults)
    assert asked.wait(PATIENCE)
    assert not told.is_set()
    report_to(site, scu.HostPort, secure_host, commitment(kept[0], failed=True))
    assert told.wait(PATIENCE)
    assert results[0].FailedSOPSequence[0].FailureReason == 0x0112
    port = scu.HostPort
    scu.StopListener()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), PATIENCE)


def report_to(site: Site, port: int, tls: bool, report: DicomDataSet) -> None:
    """Tell a result as an archive does, which asks for the role of the SCP."""
    from leadtools_compat.dicom import DicomRoleSupport

    peer = site.link.scu()
    if not tls and site.tls:
        from tests.dicom.nodes import Link, Node

        peer = Link("plain", site.pki, site.link._listen, site.link._nets).scu()
        assert isinstance(peer, Node)
    peer.Connect(None, 0, "127.0.0.1", port)
    peer.log.wait("OnSecureLinkReady" if tls else "OnConnect")
    push = "1.2.840.10008.1.20.1"
    with DicomAssociate(True) as request:
        request.Called, request.Calling = "OURS", "NODE"
        request.AddPresentationContext(1, 0, push)
        request.AddTransfer(1, IMPLICIT)
        role = DicomRoleSupport
        request.SetRoleSelect(1, True, role.Unsupported, role.Supported)
        peer.SendAssociateRequest(request)
    accepted = peer.log.wait("OnReceiveAssociateAccept").arguments[0]
    assert accepted.GetProviderRole(1) == DicomRoleSupport.Supported
    peer.SendNReportRequest(1, 1, push, "1.2.840.10008.1.20.1.1", 2, report)
    assert peer.log.wait("OnReceiveNReportResponse").arguments[4] == 0
    peer.SendReleaseRequest()
    peer.log.wait("OnClose")


def test_a_commitment_that_the_node_refuses(plain: Site) -> None:
    _, scp = plain.node(
        OnReceiveNActionRequest=lambda net, p, m, c, i, a, ds: net.SendNActionResponse(
            p, m, c, i, 0x0110, a, None
        )
    )
    scu = plain.scu(StoreScu)
    scu.HostAddress = "127.0.0.1"
    options = StorageCommitOptions.WaitForResultsThenClose
    scu.StorageCommit(scp, [path_of("CT_small.dcm")], "1.2.3", options)
    assert scu.Status == DicomCommandStatusType.ProcessingFailure


def test_a_commitment_whose_result_does_not_come(plain: Site) -> None:
    _, scp = plain.node(
        OnReceiveNActionRequest=lambda net, p, m, c, i, a, ds: net.SendNActionResponse(
            p, m, c, i, 0, a, None
        )
    )
    scp.Timeout = 0.4
    scu = plain.scu(StoreScu)
    scu.HostAddress = "127.0.0.1"
    with pytest.raises(ClientCommunicationException, match="result of the commitment"):
        scu.StorageCommit(
            scp,
            [path_of("CT_small.dcm")],
            "1.2.3",
            StoreScu.StorageCommitOptions.WaitForResultsThenClose,
        )
    assert not scu.IsConnected()
