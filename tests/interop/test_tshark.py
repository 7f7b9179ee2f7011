"""Wireshark's DICOM dissector reads our plain traffic: every PDU is there, and none is malformed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from leadtools_compat.dicom import (
    DicomAssociate,
    DicomAssociateRejectReasonType,
    DicomAssociateRejectResultType,
    DicomAssociateRejectSourceType,
    DicomDataSet,
    DicomNet,
    DicomPduType,
    DicomRoleSupport,
)
from tests.dicom.nodes import CT, EXPLICIT, IMPLICIT, VERIFICATION, dataset, request
from tests.interop.archive import (
    PATIENT_FIND,
    PATIENT_GET,
    PATIENT_MOVE,
    STUDY_FIND,
    Archive,
    answers,
    files,
    identifier,
    store,
    with_get,
)
from tests.interop.capture import Relay, Segment, write_capture
from tests.interop.programs import free_port, run, served
from tests.interop.wires import Wire, released

PORT = 11112
STORED = files("CT_small.dcm", "MR_small_bigendian.dcm", "rtplan.dcm")
NATIVE = files("CT_small.dcm", "rtplan.dcm", "SC_rgb_small_odd_big_endian.dcm")
COMPRESSED = files("SC_rgb_small_odd_jpeg.dcm", "SC_rgb_jpeg_gdcm.dcm", "MR_small_RLE.dcm")
MPPS = "1.2.840.10008.3.1.2.3.3"


def tshark(path: Path, *arguments: str) -> str:
    """Let tshark read a capture whose server is a DICOM node."""
    dicom = ("-d", f"tcp.port=={PORT},dicom", "-o", "tcp.desegment_tcp_streams:TRUE")
    return run("tshark", "-n", "-r", path, *dicom, *arguments)


def pdus(connections: list[list[Segment]]) -> Counter[int]:
    """Count the PDUs by type, from the recorded bytes."""
    found: Counter[int] = Counter()
    for pieces in connections:
        for from_client in (True, False):
            data = b"".join(piece for who, piece in pieces if who == from_client)
            while data:
                found[data[0]] += 1
                data = data[6 + int.from_bytes(data[2:6], "big") :]
    return found


def seen(path: Path) -> Counter[int]:
    """Count the PDUs by type, as tshark sees them."""
    fields = tshark(path, "-Y", "dicom", "-T", "fields", "-e", "dicom.pdu.type")
    lines = [line for line in fields.splitlines() if line.startswith("0x")]
    return Counter(int(one, 16) for line in lines for one in line.split(","))


def problems(path: Path) -> list[str]:
    """Give what tshark calls malformed or an error."""
    bad = "_ws.malformed || _ws.expert.severity == error"
    said = tshark(path, "-Y", bad, "-T", "fields", "-e", "frame.number", "-e", "_ws.expert.message")
    return [line for line in said.splitlines() if line[:1].isdigit()]


def read_without_complaint(relay: Relay, folder: Path, *kinds: DicomPduType) -> None:
    path = folder / "traffic.pcap"
    write_capture(path, relay.connections, PORT)
    sent = pdus(relay.connections)
    assert {int(kind) for kind in kinds} <= sent.keys()
    assert seen(path) == sent
    assert problems(path) == []


def test_tshark_reads_echo_and_stores(plain: Wire, tmp_path: Path) -> None:
    listener = plain.scp()
    contexts = [(file.sop_class, file.syntax) for file in NATIVE]
    with Relay(listener.HostPort) as relay:
        scu = plain.associated_to(relay.port, (VERIFICATION, IMPLICIT), *contexts)
        scu.SendCEchoRequest(1, 1, VERIFICATION)
        scu.log.wait("OnReceiveCEchoResponse")
        store(scu, NATIVE)
        released(scu)
        listener.child().log.wait("OnClose")
    read_without_complaint(
        relay,
        tmp_path,
        DicomPduType.AssociateRequest,
        DicomPduType.AssociateAccept,
        DicomPduType.DataTransfer,
        DicomPduType.ReleaseRequest,
        DicomPduType.ReleaseResponse,
    )


def test_tshark_says_of_compressed_files_what_it_says_of_dcmtks(
    plain: Wire, tmp_path: Path
) -> None:
    """Its version 4.0 takes pixels for a command set, whoever has sent them."""
    contexts = [(file.sop_class, file.syntax) for file in COMPRESSED]
    listener = plain.scp()
    with Relay(listener.HostPort) as ours:
        scu = plain.associated_to(ours.port, *contexts)
        store(scu, COMPRESSED)
        released(scu)
        listener.child().log.wait("OnClose")
    write_capture(tmp_path / "ours.pcap", ours.connections, PORT)
    assert seen(tmp_path / "ours.pcap") == pdus(ours.connections)

    port = free_port()
    command = ["storescp", "+xa", "--ignore", port]
    with served(command, tmp_path / "log", port), Relay(port) as theirs:
        for option, file in zip(("-xy", "-xs", "-xr"), COMPRESSED, strict=True):
            run("storescu", "-R", option, "127.0.0.1", theirs.port, file.path)
    write_capture(tmp_path / "theirs.pcap", theirs.connections, PORT)

    def said(name: str) -> list[str]:
        return [line.split("\t", 1)[1] for line in problems(tmp_path / name)]

    assert said("ours.pcap") == said("theirs.pcap")


def test_tshark_reads_a_data_set_of_many_pdus(plain: Wire, tmp_path: Path) -> None:
    listener = plain.scp()
    with Relay(listener.HostPort) as relay:
        scu = plain.associated_to(relay.port, (CT, EXPLICIT))
        with DicomDataSet.from_pydicom(dataset(3_000_000)) as data:
            scu.SendCStoreRequest(1, 1, CT, "1.2.3.4", 0, "", 0, data)
        scu.log.wait("OnReceiveCStoreResponse")
        released(scu)
        listener.child().log.wait("OnClose")
    read_without_complaint(relay, tmp_path, DicomPduType.DataTransfer)
    assert pdus(relay.connections)[DicomPduType.DataTransfer] > 10


def test_tshark_reads_find_get_and_move(plain: Wire, tmp_path: Path) -> None:
    sink = plain.scp()
    with Relay(sink.HostPort) as to_sink:
        archive = Archive(STORED, plain, {"SINK": to_sink.port})
        listener = plain.scp(**archive.hooks)
        everything = DicomDataSet.from_pydicom(identifier("PATIENT", PatientID="*"))
        with Relay(listener.HostPort) as relay:
            scu = with_get(plain, relay.port, "SCP", STORED)
            scu.SendCGetRequest(1, 1, PATIENT_GET, 0, everything)
            answers(scu, "OnReceiveCGetResponse")
            released(scu)
            models = [(one, IMPLICIT) for one in (PATIENT_FIND, STUDY_FIND, PATIENT_MOVE)]
            scu = plain.associated_to(relay.port, *models)
            scu.SendCFindRequest(1, 2, PATIENT_FIND, 0, everything)
            answers(scu, "OnReceiveCFindResponse")
            scu.SendCCancelRequest(1, 2)  # too late, and legal
            scu.SendCMoveRequest(5, 3, PATIENT_MOVE, 0, "SINK", everything)
            answers(scu, "OnReceiveCMoveResponse")
            released(scu)
            for number in (1, 2):
                listener.child(number).log.wait("OnClose")
        archive.log.wait("OnClose")
        sink.child().log.wait("OnClose")
    relay.connections += to_sink.connections
    read_without_complaint(relay, tmp_path, DicomPduType.DataTransfer)


def test_tshark_reads_n_services(plain: Wire, tmp_path: Path) -> None:
    def respond(service: str, *extra: Any) -> Callable[..., None]:
        def handler(net: DicomNet, p: int, m: int, c: str, instance: str, *rest: Any) -> None:
            given = () if service == "NDelete" else (data,)
            getattr(net, f"Send{service}Response")(p, m, c, instance, 0, *extra, *given)

        return handler

    data = DicomDataSet.from_pydicom(identifier("PATIENT", PatientID="1"))
    calls: dict[str, tuple[Any, ...]] = {
        "NCreate": (data,),
        "NSet": (data,),
        "NGet": ([0x00100010, 0x00100020],),
        "NAction": (7, data),
        "NReport": (3, data),
        "NDelete": (),
    }
    extra = {"NAction": (7,), "NReport": (3,)}
    hooks = {f"OnReceive{name}Request": respond(name, *extra.get(name, ())) for name in calls}
    listener = plain.scp(**hooks)
    with Relay(listener.HostPort) as relay:
        scu = plain.associated_to(relay.port, (MPPS, IMPLICIT))
        for number, (name, rest) in enumerate(calls.items()):
            getattr(scu, f"Send{name}Request")(1, number, MPPS, "1.2.3", *rest)
            scu.log.wait(f"OnReceive{name}Response")
        released(scu)
        listener.child().log.wait("OnClose")
    read_without_complaint(relay, tmp_path, DicomPduType.DataTransfer)


def test_tshark_reads_negotiations_rejections_and_aborts(plain: Wire, tmp_path: Path) -> None:
    def answer(net: DicomNet, asked: DicomAssociate) -> None:
        if asked.Called == "NOBODY":
            net.SendAssociateReject(
                DicomAssociateRejectResultType.Permanent,
                DicomAssociateRejectSourceType.User,
                DicomAssociateRejectReasonType.Called,
            )
            return
        accepting(net, asked)

    accepting = Archive([], plain).hooks["OnReceiveAssociateRequest"]
    listener = plain.scp(OnReceiveAssociateRequest=answer)
    with Relay(listener.HostPort) as relay:
        scu = plain.dial(relay.port)
        with request((CT, EXPLICIT), called="NOBODY") as asked:
            scu.SendAssociateRequest(asked)
        scu.log.wait("OnReceiveAssociateReject")
        scu.Close()
        scu.log.wait("OnClose")

        scu = plain.dial(relay.port)
        with request((CT, EXPLICIT), (VERIFICATION, IMPLICIT)) as asked:
            asked.SetRoleSelect(1, True, DicomRoleSupport.Supported, DicomRoleSupport.Supported)
            asked.SetAsynchronousOperations(True, 4, 2)
            asked.SetExtendedData(1, bytes((2, 0, 1)))
            asked.user_identity = (2, b"user", b"secret", True)
            asked.AddTransfer(3, EXPLICIT)
            scu.SendAssociateRequest(asked)
        scu.log.wait("OnReceiveAssociateAccept")
        scu.SendAbort(0, 0)
        scu.log.wait("OnClose")
        for number in (1, 2):
            listener.child(number).log.wait("OnClose")
    read_without_complaint(relay, tmp_path, DicomPduType.AssociateReject, DicomPduType.Abort)


def test_tshark_complains_of_a_damaged_capture(plain: Wire, tmp_path: Path) -> None:
    """So the tests above can fail."""
    listener = plain.scp()
    with Relay(listener.HostPort) as relay:
        scu = plain.associated_to(relay.port, (VERIFICATION, IMPLICIT))
        released(scu)
        listener.child().log.wait("OnClose")
    (pieces,) = relay.connections
    first = bytearray(pieces[0][1])
    assert first[74] == 0x10  # the first item: its length lies now
    first[76:78] = b"\xff\xff"
    write_capture(tmp_path / "bad.pcap", [[(True, bytes(first)), *pieces[1:]]], PORT)
    assert problems(tmp_path / "bad.pcap")
