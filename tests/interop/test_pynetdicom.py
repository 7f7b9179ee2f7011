"""pynetdicom as the other side, in both roles, plain and with TLS.

It is an independent implementation in pure Python, with OpenSSL through ``ssl``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pynetdicom import AE, build_context, build_role, evt

from leadtools_compat.dicom import DicomCommandStatusType, DicomDataSet, DicomNet
from leadtools_compat.testing import TestPki
from tests.dicom.nodes import IMPLICIT
from tests.interop.archive import PATIENT_GET, Archive, answers, same, with_get
from tests.interop.archive import files as archived
from tests.interop.wires import Wire, context, released
from tests.support import PATIENCE, Listener

VERIFICATION = "1.2.840.10008.1.1"
CT = "1.2.840.10008.5.1.4.1.1.2"
FIND = "1.2.840.10008.5.1.4.1.2.1.1"
MOVE = "1.2.840.10008.5.1.4.1.2.1.2"
MPPS = "1.2.840.10008.3.1.2.3.3"
FILM_SESSION = "1.2.840.10008.5.1.1.1"
PRINTER = "1.2.840.10008.5.1.1.16"
FILES = (
    "CT_small.dcm",
    "MR_small.dcm",
    "MR_small_bigendian.dcm",
    "MR_small_implicit.dcm",
    "image_dfl.dcm",
    "JPEG2000.dcm",
    "rtplan.dcm",
    "SC_rgb_rle.dcm",
    "test-SR.dcm",
)
"""Of every kind of transfer syntax: pydicom's own."""


def ae() -> Any:
    made: Any = AE(ae_title="PYNETDICOM")
    made.acse_timeout = made.dimse_timeout = made.network_timeout = PATIENCE
    return made


def associated(link: Wire, pki: TestPki, listener: Listener, entity: Any, **options: Any) -> Any:
    tls = None if link.tls is None else (context(link.tls, pki, server=False), None)
    association = entity.associate("127.0.0.1", listener.HostPort, tls_args=tls, **options)
    assert association.is_established
    link.check(listener.child())
    return association


def identifier(**elements: Any) -> Dataset:
    made = Dataset()
    for name, value in elements.items():
        setattr(made, name, value)
    return made


def files() -> list[Path]:
    return [Path(str(get_testdata_file(name, download=False))) for name in FILES]


Serve = Callable[..., int]


@pytest.fixture
def serve(link: Wire, pki: TestPki) -> Iterator[Serve]:
    """Start a server of theirs; gives the port."""
    servers = []

    def start(handlers: list[Any], *contexts: tuple[Any, ...]) -> int:
        entity = ae()
        for one in contexts:
            entity.add_supported_context(*one)
        tls = None if link.tls is None else context(link.tls, pki, server=True)
        server = entity.start_server(
            ("127.0.0.1", 0), block=False, evt_handlers=handlers, ssl_context=tls
        )
        servers.append(server)
        port: int = server.socket.getsockname()[1]
        return port

    yield start
    for server in servers:
        server.shutdown()


# ---- pynetdicom asks, we answer ----


def test_their_echo(link: Wire, pki: TestPki) -> None:
    listener = link.scp()
    entity = ae()
    entity.add_requested_context(VERIFICATION)
    association = associated(link, pki, listener, entity)
    assert association.send_c_echo().Status == 0
    association.release()
    assert association.is_released
    assert listener.child().log.wait("OnClose").code == 0


def test_their_store_of_real_files(link: Wire, pki: TestPki) -> None:
    listener = link.scp()
    entity = ae()
    data = [dcmread(path) for path in files()]
    for one in data:
        entity.add_requested_context(one.SOPClassUID, one.file_meta.TransferSyntaxUID)
    association = associated(link, pki, listener, entity)
    for count, (path, one) in enumerate(zip(files(), data, strict=True), 1):
        assert association.send_c_store(one).Status == 0
        event = listener.child().log.wait("OnReceiveCStoreRequest", count)
        assert event.arguments[2:4] == (one.SOPClassUID, one.SOPInstanceUID)
        got: DicomDataSet = event.arguments[-1]
        assert got.transfer_syntax == one.file_meta.TransferSyntaxUID
        assert got.to_pydicom() == dcmread(path)
    association.release()


def test_their_find_with_pending_answers(link: Wire, pki: TestPki) -> None:
    def find(net: DicomNet, p: int, m: int, c: str, priority: Any, ds: DicomDataSet) -> None:
        assert ds.to_pydicom().PatientName == "D*"
        for number in range(5):
            match = identifier(PatientName=f"Doe^{number}", QueryRetrieveLevel="PATIENT")
            net.SendCFindResponse(
                p, m, c, DicomCommandStatusType.Pending, DicomDataSet.from_pydicom(match)
            )
        net.SendCFindResponse(p, m, c, DicomCommandStatusType.Success, None)

    listener = link.scp(OnReceiveCFindRequest=find)
    entity = ae()
    entity.add_requested_context(FIND)
    association = associated(link, pki, listener, entity)
    query = identifier(PatientName="D*", QueryRetrieveLevel="PATIENT")
    answers = list(association.send_c_find(query, FIND))
    assert [status.Status for status, _ in answers] == [0xFF00] * 5 + [0]
    names = [str(one.PatientName) for _, one in answers[:-1]]
    assert names == [f"Doe^{number}" for number in range(5)]
    association.release()


def test_their_move_sees_our_counts(link: Wire, pki: TestPki) -> None:
    def move(net: DicomNet, p: int, m: int, c: str, *rest: Any) -> None:
        net.SendCMoveResponse(p, m, c, DicomCommandStatusType.Pending, 3, 2, 1, 4, None)
        net.SendCMoveResponse(
            p, m, c, DicomCommandStatusType.RefusedMoveDestinationUnknown, 0, 0, 0, 0, None
        )

    listener = link.scp(OnReceiveCMoveRequest=move)
    entity = ae()
    entity.add_requested_context(MOVE)
    association = associated(link, pki, listener, entity)
    query = identifier(PatientID="1", QueryRetrieveLevel="PATIENT")
    first, last = [status for status, _ in association.send_c_move(query, "NOWHERE", MOVE)]
    assert first.NumberOfRemainingSuboperations == 3
    assert first.NumberOfCompletedSuboperations == 2
    assert first.NumberOfFailedSuboperations == 1
    assert first.NumberOfWarningSuboperations == 4
    assert last.Status == 0xA801
    assert listener.child().log.wait("OnReceiveCMoveRequest").arguments[4] == "NOWHERE"
    association.release()


def test_their_move_brings_files_of_our_archive(link: Wire, pki: TestPki, serve: Serve) -> None:
    got: list[Dataset] = []

    def keep(event: Any) -> int:
        assert event.request.MoveOriginatorApplicationEntityTitle == "PYNETDICOM"
        got.append(event.dataset)
        return 0

    stored = archived("CT_small.dcm", "rtplan.dcm")
    supported = [(file.sop_class, [file.syntax]) for file in stored]
    port = serve([(evt.EVT_C_STORE, keep)], *supported)
    archive = Archive(stored, link, {"THEIRS": port})
    entity = ae()
    entity.add_requested_context(MOVE)
    association = associated(link, pki, link.scp(**archive.hooks), entity)
    query = identifier(PatientID="*", QueryRetrieveLevel="PATIENT")
    *_, last = [status for status, _ in association.send_c_move(query, "THEIRS", MOVE)]
    assert (last.Status, last.NumberOfCompletedSuboperations) == (0, 2)
    same(got, stored)
    association.release()
    assert archive.log.wait("OnClose").code == 0


def test_their_get_from_our_archive(link: Wire, pki: TestPki) -> None:
    got: list[Dataset] = []

    def keep(event: Any) -> int:
        got.append(event.dataset)
        return 0

    stored = archived("CT_small.dcm", "rtplan.dcm")
    listener = link.scp(**Archive(stored, link).hooks)
    entity = ae()
    entity.add_requested_context(PATIENT_GET)
    for file in stored:
        entity.add_requested_context(file.sop_class, file.syntax)
    roles = [build_role(file.sop_class, scp_role=True) for file in stored]
    handlers = [(evt.EVT_C_STORE, keep)]
    association = associated(link, pki, listener, entity, ext_neg=roles, evt_handlers=handlers)
    query = identifier(PatientID="*", QueryRetrieveLevel="PATIENT")
    *_, last = [status for status, _ in association.send_c_get(query, PATIENT_GET)]
    assert (last.Status, last.NumberOfCompletedSuboperations) == (0, 2)
    same(got, stored)
    association.release()


def test_their_n_services(link: Wire, pki: TestPki) -> None:
    answer = identifier(PerformedProcedureStepStatus="IN PROGRESS")

    def respond(service: str, *extra: Any) -> Callable[..., None]:
        def handler(net: DicomNet, p: int, m: int, c: str, instance: str, *rest: Any) -> None:
            data = () if service == "NDelete" else (DicomDataSet.from_pydicom(answer),)
            getattr(net, f"Send{service}Response")(p, m, c, instance, 0, *extra, *data)

        return handler

    listener = link.scp(
        OnReceiveNCreateRequest=respond("NCreate"),
        OnReceiveNSetRequest=respond("NSet"),
        OnReceiveNGetRequest=respond("NGet"),
        OnReceiveNActionRequest=respond("NAction", 7),
        OnReceiveNDeleteRequest=respond("NDelete"),
        OnReceiveNReportRequest=respond("NReport", 3),
    )
    entity = ae()
    entity.add_requested_context(MPPS)
    one = associated(link, pki, listener, entity)
    given = identifier(PatientID="77")
    assert one.send_n_create(given, MPPS, "1.2.3")[0].Status == 0
    assert one.send_n_set(given, MPPS, "1.2.3")[0].Status == 0
    assert one.send_n_action(given, 7, MPPS, "1.2.3")[0].Status == 0
    assert one.send_n_event_report(given, 3, MPPS, "1.2.3")[0].Status == 0
    status, got = one.send_n_get([0x00100010, 0x00100020], MPPS, "1.2.3")
    assert (status.Status, got) == (0, answer)
    assert one.send_n_delete(MPPS, "1.2.3").Status == 0
    log = listener.child().log
    assert log.wait("OnReceiveNGetRequest").arguments[4] == [0x00100010, 0x00100020]
    assert log.wait("OnReceiveNActionRequest").arguments[3:5] == ("1.2.3", 7)
    assert log.wait("OnReceiveNReportRequest").arguments[5].to_pydicom() == given
    one.release()


def test_their_abort(link: Wire, pki: TestPki) -> None:
    listener = link.scp()
    entity = ae()
    entity.add_requested_context(VERIFICATION)
    associated(link, pki, listener, entity).abort()
    listener.child().log.wait("OnReceiveAbort")
    listener.child().log.wait("OnClose")


# ---- we ask, pynetdicom answers ----


def test_our_echo(link: Wire, serve: Serve) -> None:
    scu = link.associated_to(serve([], (VERIFICATION,)), (VERIFICATION, IMPLICIT))
    scu.SendCEchoRequest(1, 5, VERIFICATION)
    assert scu.log.wait("OnReceiveCEchoResponse").arguments == (1, 5, VERIFICATION, 0)
    released(scu)


def test_our_store_of_real_files(link: Wire, serve: Serve) -> None:
    got: list[tuple[Any, Dataset]] = []

    def store(event: Any) -> int:
        got.append((event.context.transfer_syntax, event.dataset))
        return 0

    data = [dcmread(path) for path in files()]
    contexts = sorted({(str(d.SOPClassUID), str(d.file_meta.TransferSyntaxUID)) for d in data})
    supported: dict[str, list[str]] = {}
    for sop_class, syntax in contexts:
        supported.setdefault(sop_class, []).append(syntax)
    port = serve([(evt.EVT_C_STORE, store)], *supported.items())
    scu = link.associated_to(port, *contexts)
    for count, (path, one) in enumerate(zip(files(), data, strict=True), 1):
        pair = (str(one.SOPClassUID), str(one.file_meta.TransferSyntaxUID))
        with DicomDataSet() as sent:
            sent.Load(path)
            number = 2 * contexts.index(pair) + 1
            scu.SendCStoreRequest(number, count, pair[0], one.SOPInstanceUID, 0, "", 0, sent)
        assert scu.log.wait("OnReceiveCStoreResponse", count).arguments[4] == 0
        assert got[-1][0] == pair[1]
        assert got[-1][1] == one
    released(scu)


def test_our_find_and_move(link: Wire, serve: Serve) -> None:
    def find(event: Any) -> Iterator[tuple[int, Dataset | None]]:
        for number in range(3):
            yield 0xFF00, identifier(PatientID=f"{event.identifier.PatientID}{number}")

    def move(event: Any) -> Iterator[Any]:
        yield None, None  # an unknown destination

    port = serve([(evt.EVT_C_FIND, find), (evt.EVT_C_MOVE, move)], (FIND,), (MOVE,))
    scu = link.associated_to(port, (FIND, IMPLICIT), (MOVE, IMPLICIT))
    query = DicomDataSet.from_pydicom(identifier(PatientID="7", QueryRetrieveLevel="PATIENT"))
    scu.SendCFindRequest(1, 1, FIND, 0, query)
    scu.log.wait("OnReceiveCFindResponse", 4)
    events = scu.log.all("OnReceiveCFindResponse")
    assert [event.arguments[3] for event in events] == [0xFF00] * 3 + [0]
    found = [event.arguments[4].to_pydicom().PatientID for event in events[:-1]]
    assert found == ["70", "71", "72"]
    assert events[-1].arguments[4] is None
    scu.SendCMoveRequest(3, 2, MOVE, 0, "NOWHERE", query)
    status = scu.log.wait("OnReceiveCMoveResponse").arguments[3]
    assert status == DicomCommandStatusType.RefusedMoveDestinationUnknown
    released(scu)


def test_our_move_of_their_files_to_our_listener(link: Wire, pki: TestPki, serve: Serve) -> None:
    stored = archived("CT_small.dcm", "rtplan.dcm")
    listener = link.scp()
    tls = None if link.tls is None else (context(link.tls, pki, server=False), None)

    def move(event: Any) -> Iterator[Any]:
        assert event.move_destination == "OURS"
        contexts = [build_context(file.sop_class, file.syntax) for file in stored]
        yield "127.0.0.1", listener.HostPort, {"tls_args": tls, "contexts": contexts}
        yield len(stored)
        for file in stored:
            yield 0xFF00, file.data

    port = serve([(evt.EVT_C_MOVE, move)], (MOVE,))
    scu = link.associated_to(port, (MOVE, IMPLICIT))
    query = DicomDataSet.from_pydicom(identifier(PatientID="*", QueryRetrieveLevel="PATIENT"))
    scu.SendCMoveRequest(1, 7, MOVE, 0, "OURS", query)
    assert answers(scu, "OnReceiveCMoveResponse")[-1][3:8] == (0, 0, 2, 0, 0)
    child = listener.child()
    child.log.wait("OnReceiveCStoreRequest", 2)
    events = child.log.all("OnReceiveCStoreRequest")
    assert {event.arguments[6] for event in events} == {7}
    same([event.arguments[-1].to_pydicom() for event in events], stored)
    released(scu)
    assert child.log.wait("OnClose").code == 0


def test_our_get_of_their_files(link: Wire, serve: Serve) -> None:
    stored = archived("CT_small.dcm", "rtplan.dcm")

    def get(event: Any) -> Iterator[Any]:
        yield len(stored)
        for file in stored:
            yield 0xFF00, file.data

    contexts = [(file.sop_class, IMPLICIT, True, True) for file in stored]
    port = serve([(evt.EVT_C_GET, get)], (PATIENT_GET,), *contexts)
    scu = with_get(link, port, "PYNETDICOM", stored)
    query = DicomDataSet.from_pydicom(identifier(PatientID="*", QueryRetrieveLevel="PATIENT"))
    scu.SendCGetRequest(1, 7, PATIENT_GET, 0, query)
    final = answers(scu, "OnReceiveCGetResponse")[-1]
    events = scu.log.all("OnReceiveCStoreRequest")
    got = [event.arguments[-1].to_pydicom() for event in events]
    assert final[3:8] == (0, 0, 2, 0, 0)
    same(got, stored)
    released(scu)


def test_our_cancel_ends_their_find(link: Wire, serve: Serve) -> None:
    def find(event: Any) -> Iterator[tuple[int, Dataset | None]]:
        while not event.is_cancelled:
            yield 0xFF00, identifier(PatientID="7")
        yield 0xFE00, None

    scu = link.associated_to(serve([(evt.EVT_C_FIND, find)], (FIND,)), (FIND, IMPLICIT))
    query = DicomDataSet.from_pydicom(identifier(PatientID="7", QueryRetrieveLevel="PATIENT"))
    scu.SendCFindRequest(1, 1, FIND, 0, query)
    scu.log.wait("OnReceiveCFindResponse", 3)
    scu.SendCCancelRequest(1, 1)
    assert answers(scu, "OnReceiveCFindResponse")[-1][3:] == (0xFE00, None)
    released(scu)


def test_our_n_services(link: Wire, serve: Serve) -> None:
    answer = identifier(PatientID="99")

    def respond(event: Any) -> tuple[int, Dataset]:
        return 0, answer

    def asked_for(event: Any) -> tuple[int, Dataset]:
        assert [int(tag) for tag in event.attribute_identifiers] == [0x00100010, 0x00100020]
        return 0, answer

    port = serve(
        [
            (evt.EVT_N_CREATE, respond),
            (evt.EVT_N_SET, respond),
            (evt.EVT_N_ACTION, respond),
            (evt.EVT_N_EVENT_REPORT, respond),
            (evt.EVT_N_GET, asked_for),
            (evt.EVT_N_DELETE, lambda event: 0),
        ],
        (MPPS,),
        (FILM_SESSION,),
        (PRINTER,),
    )
    scu = link.associated_to(port, (MPPS, IMPLICIT), (FILM_SESSION, IMPLICIT), (PRINTER, IMPLICIT))
    data = DicomDataSet.from_pydicom(identifier(PatientID="1"))
    # pynetdicom serves each SOP class with the services that PS3.4 gives it.
    calls: list[tuple[int, str, str, tuple[Any, ...]]] = [
        (1, MPPS, "NCreate", (data,)),
        (1, MPPS, "NSet", (data,)),
        (3, FILM_SESSION, "NAction", (1, data)),
        (3, FILM_SESSION, "NDelete", ()),
        (5, PRINTER, "NReport", (3, data)),
        (5, PRINTER, "NGet", ([0x00100010, 0x00100020],)),
    ]
    for number, (context_id, sop_class, service, rest) in enumerate(calls):
        getattr(scu, f"Send{service}Request")(context_id, number, sop_class, "1.2.3", *rest)
        got = scu.log.wait(f"OnReceive{service}Response").arguments
        assert got[1:5] == (number, sop_class, "1.2.3", 0), service
        if service != "NDelete":
            assert got[-1].to_pydicom() == answer, service
    released(scu)


def test_our_abort(link: Wire, serve: Serve) -> None:
    aborted: list[Any] = []
    handlers = [(evt.EVT_ABORTED, aborted.append)]
    scu = link.associated_to(serve(handlers, (CT,)), (CT, IMPLICIT))
    scu.SendAbort(0, 0)
    scu.log.wait("OnClose")
