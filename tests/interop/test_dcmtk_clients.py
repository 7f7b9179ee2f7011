"""DCMTK's clients and our servers. Those that have no TLS get it from stunnel, as in hospitals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from leadtools_compat.dicom import DicomAssociate, DicomExceptionCode, DicomNet
from leadtools_compat.testing import TestPki
from tests.interop.archive import Archive, files
from tests.interop.programs import Tunnels, client_options, free_port, listens, run
from tests.interop.wires import Wire
from tests.robustness.robust_tools import until
from tests.support import Listener

STORED = files("CT_small.dcm", "MR_small_bigendian.dcm", "rtplan.dcm")


def over(link: Wire, listener: Listener) -> Any:
    """Wait for the end of the association, and see that all of it was as it should be."""
    child = listener.child()
    assert child.log.wait("OnClose").code == 0, child.failure
    link.check(child)
    return child


def accept_who_they_are(net: DicomNet, asked: DicomAssociate) -> None:
    """Accept every context, and the user."""
    with DicomAssociate(False) as answer:
        answer.Called, answer.Calling = asked.Called, asked.Calling
        for index in range(asked.PresentationContextCount):
            number = asked.GetPresentationContextID(index)
            answer.AddPresentationContext(number, 0, asked.GetAbstract(number))
            answer.AddTransfer(number, asked.GetTransfer(number, 0))
        answer.user_identity_response = b""
        net.SendAssociateAccept(answer)


def test_echoscu_echoes_us(link: Wire, pki: TestPki) -> None:
    listener = link.scp()
    said = run("echoscu", "-v", *client_options(link.tls, pki), "127.0.0.1", listener.HostPort)
    assert "Received Echo Response (Success)" in said
    over(link, listener)


@pytest.mark.parametrize("link", ["tls12", "tls13"], indirect=True)
def test_echoscu_without_the_certificate_that_is_asked_for_is_refused(
    link: Wire, pki: TestPki
) -> None:
    listener = link.scp()
    options = ["+tla", "+cf", pki.ca_file]
    run("echoscu", *options, "127.0.0.1", listener.HostPort, code=1)
    child = listener.child()
    assert child.log.wait("OnSecureLinkReady").code == DicomExceptionCode.TlsCertificateRequired
    assert child.failure.alert_sent in (40, 116)  # handshake_failure, certificate_required
    child.log.wait("OnClose")
    assert "OnReceiveAssociateRequest" not in child.log.names()


@pytest.mark.parametrize("link", ["tls12", "tls13"], indirect=True)
def test_echoscu_with_an_expired_certificate_is_refused(link: Wire, pki: TestPki) -> None:
    listener = link.scp()
    bad = pki.make("expired", role="client")
    options = ["+tls", bad.key_file, bad.combined_file, "+cf", pki.ca_file]
    run("echoscu", *options, "127.0.0.1", listener.HostPort, code=1)
    child = listener.child()
    assert child.log.wait("OnSecureLinkReady").code == DicomExceptionCode.TlsCertificateRejected
    assert child.failure.alert_sent == 45  # certificate_expired
    child.log.wait("OnClose")


@pytest.mark.parametrize("link", ["plain", "tls13"], indirect=True)
def test_echoscu_with_128_contexts_of_38_transfer_syntaxes_echoes_us(
    link: Wire, pki: TestPki
) -> None:
    listener = link.scp()
    options = ["--propose-pc", 128, "--propose-ts", 38, "--repeat", 3]
    run("echoscu", *client_options(link.tls, pki), *options, "127.0.0.1", listener.HostPort)
    child = over(link, listener)
    (asked,) = child.log.wait("OnReceiveAssociateRequest").arguments
    assert (asked.PresentationContextCount, asked.GetTransferCount(255)) == (128, 38)
    assert len(child.log.all("OnReceiveCEchoRequest")) == 3


@pytest.mark.parametrize("link", ["plain"], indirect=True)
def test_echoscu_that_aborts_is_told(link: Wire) -> None:
    listener = link.scp()
    run("echoscu", "--abort", "127.0.0.1", listener.HostPort)
    child = listener.child()
    child.log.wait("OnReceiveAbort")
    assert child.log.wait("OnClose").code == DicomExceptionCode.NetConnectionAborted


@pytest.mark.parametrize("link", ["plain", "tls13"], indirect=True)
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["-usr", "doe"], (1, b"doe", b"")),
        (["-usr", "doe", "-pwd", "secret"], (2, b"doe", b"secret")),
        (["-kt", "FILE"], (3, b"a ticket", b"")),
        (["--saml", "FILE"], (4, b"a ticket", b"")),
        (["--jwt", "FILE"], (5, b"a ticket", b"")),
    ],
    ids=["user", "password", "kerberos", "saml", "jwt"],
)
def test_storescu_shows_us_who_its_user_is(
    link: Wire, pki: TestPki, tmp_path: Path, options: list[str], expected: tuple[int, bytes, bytes]
) -> None:
    """With -rsp it insists on our positive answer."""
    (tmp_path / "ticket").write_bytes(b"a ticket")
    shown = [str(tmp_path / "ticket") if one == "FILE" else one for one in options]
    listener = link.scp(OnReceiveAssociateRequest=accept_who_they_are)
    own = [*client_options(link.tls, pki), *shown, "-rsp"]
    run("storescu", *own, "127.0.0.1", listener.HostPort, STORED[0].path)
    child = over(link, listener)
    (asked,) = child.log.wait("OnReceiveAssociateRequest").arguments
    told = asked.user_identity
    assert (told.type, told.primary, told.secondary) == expected
    assert told.response_wanted


@pytest.mark.parametrize("link", ["plain"], indirect=True)
def test_storescu_does_not_go_on_when_we_say_nothing_of_its_user(link: Wire) -> None:
    listener = link.scp()
    options = ["-usr", "doe", "-rsp"]
    run("storescu", *options, "127.0.0.1", listener.HostPort, STORED[0].path, code=1)
    listener.child().log.wait("OnClose")
    assert listener.child().log.all("OnReceiveCStoreRequest") == []


def test_storescu_stores_to_us(link: Wire, pki: TestPki) -> None:
    listener = link.scp()
    options = client_options(link.tls, pki)
    run("storescu", *options, "127.0.0.1", listener.HostPort, *(file.path for file in STORED))
    child = over(link, listener)
    events = child.log.all("OnReceiveCStoreRequest")
    for event, file in zip(events, STORED, strict=True):
        assert event.arguments[2:4] == (file.sop_class, file.instance)
        got = event.arguments[-1].to_pydicom()
        assert got.PatientName == file.data.PatientName
        assert got.get("Rows") == file.data.get("Rows")


def test_dcmsend_stores_to_us(link: Wire, tunnels: Tunnels) -> None:
    listener = link.scp()
    paths = [file.path for file in STORED]
    said = run("dcmsend", "-v", "127.0.0.1", tunnels.to_ours(listener.HostPort), *paths)
    assert "with status SUCCESS  : 3" in said
    child = over(link, listener)
    got = [event.arguments[3] for event in child.log.all("OnReceiveCStoreRequest")]
    assert sorted(got) == sorted(file.instance for file in STORED)


def test_findscu_finds_in_our_archive(link: Wire, pki: TestPki, tmp_path: Path) -> None:
    listener = link.scp(**Archive(STORED, link).hooks)
    keys = ["QueryRetrieveLevel=STUDY", "PatientName=*", "PatientID", "StudyInstanceUID"]
    options = [*client_options(link.tls, pki), "-S", "-X", "-od", tmp_path]
    wanted = [part for key in keys for part in ("-k", key)]
    run("findscu", *options, *wanted, "127.0.0.1", listener.HostPort)
    over(link, listener)
    found = [dcmread(path, force=True) for path in sorted(tmp_path.glob("rsp*.dcm"))]
    assert {one.StudyInstanceUID for one in found} == {f.data.StudyInstanceUID for f in STORED}
    assert {str(one.PatientName) for one in found} == {str(f.data.PatientName) for f in STORED}


def test_findscu_cancels_its_query_to_us(link: Wire, pki: TestPki) -> None:
    """It sends C-CANCEL after two matches; our handler, which still runs, is told."""
    cancelled: dict[DicomNet, int] = {}

    def cancel(net: DicomNet, p: int, message: int) -> None:
        cancelled[net] = message

    def find(net: DicomNet, p: int, m: int, c: str, priority: Any, ds: Any) -> None:
        for _ in range(1_000_000):
            if cancelled.get(net) == m:
                net.SendCFindResponse(p, m, c, 0xFE00, None)
                return
            net.SendCFindResponse(p, m, c, 0xFF00, ds)

    listener = link.scp(OnReceiveCFindRequest=find, OnReceiveCCancelRequest=cancel)
    keys = ["-k", "QueryRetrieveLevel=STUDY", "-k", "PatientName=X"]
    options = [*client_options(link.tls, pki), "-v", "-S", "--cancel", 2]
    said = run("findscu", *options, *keys, "127.0.0.1", listener.HostPort)
    assert "Cancel" in said
    over(link, listener)


def test_movescu_moves_from_our_archive(link: Wire, tunnels: Tunnels, tmp_path: Path) -> None:
    folder = tmp_path / "moved"
    folder.mkdir()
    port = free_port()
    archive = Archive(STORED, link, {"MOVER": tunnels.from_ours(port)})
    listener = link.scp(**archive.hooks)
    to = tunnels.to_ours(listener.HostPort)
    keys = ["-k", "QueryRetrieveLevel=PATIENT", "-k", "PatientID=*"]
    options = ["-v", "-P", "-aet", "MOVER", "-aem", "MOVER", "+P", port, "+xa", "-od", folder]
    said = run("movescu", *options, *keys, "127.0.0.1", to)
    assert "Received Final Move Response (Success)" in said
    over(link, listener)
    assert archive.log.wait("OnClose").code == 0
    moved = {str(one.SOPInstanceUID): one for one in map(dcmread, folder.iterdir())}
    assert moved.keys() == {file.instance for file in STORED}
    for file in STORED:
        assert moved[file.instance].PatientName == file.data.PatientName
    until(lambda: not listens(port), "movescu has ended")


def test_movescu_hears_of_an_unknown_destination(plain: Wire) -> None:
    listener = plain.scp(**Archive(STORED, plain).hooks)
    keys = ["-k", "QueryRetrieveLevel=PATIENT", "-k", "PatientID=*"]
    said = run(
        "movescu", "-v", "-P", "-aem", "NOWHERE", *keys, "127.0.0.1", listener.HostPort, code=69
    )
    assert "MoveDestinationUnknown" in said
    over(plain, listener)


def test_getscu_gets_from_our_archive(link: Wire, tunnels: Tunnels, tmp_path: Path) -> None:
    folder = tmp_path / "got"
    folder.mkdir()
    listener = link.scp(**Archive(STORED, link).hooks)
    to = tunnels.to_ours(listener.HostPort)
    keys = ["-k", "QueryRetrieveLevel=PATIENT", "-k", "PatientID=*"]
    said = run("getscu", "-v", "-P", "-od", folder, *keys, "127.0.0.1", to)
    assert "Final status report from last C-GET message:" in said
    over(link, listener)
    got = {str(one.SOPInstanceUID): one for one in map(dcmread, folder.iterdir())}
    assert got.keys() == {file.instance for file in STORED}
    for file in STORED:
        assert got[file.instance].PatientName == file.data.PatientName
