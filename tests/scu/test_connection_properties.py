"""DicomConnection: properties, log, repr, addresses, times; many calls leave nothing over."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat._binding.lifetime import all_lives
from leadtools_compat.dicom import (
    DicomAssociate,
    DicomExceptionCode,
    DicomNet,
    DicomNetSecurityMode,
)
from leadtools_compat.dicom.scu import (
    ClientConnectionException,
    DicomConnection,
    DicomScp,
)
from leadtools_compat.testing import TestPki
from tests.dicom.nodes import Scp, accept_all
from tests.scu.conftest import Site
from tests.scu.connection_tools import tls_scu
from tests.support import MUTUAL, PATIENCE, PEER, Listener, refused, secure


def test_properties(plain: Site, tmp_path: Path) -> None:
    with DicomConnection(str(tmp_path)) as scu:
        assert scu.TemporaryDirectory == str(tmp_path)
        assert scu.SecurityMode == DicomNetSecurityMode.None_
        scu.HostAddress, scu.HostPort, scu.Tag = "127.0.0.1", 104, [1]
        assert (scu.HostAddress, scu.HostPort, scu.Tag) == ("127.0.0.1", 104, [1])
        assert scu.MaxLength == 262144
        assert scu.ProtocolVersion == 1
        assert scu.CurrentScp is None
        assert not scu.Rejected
        with refused(DicomExceptionCode.Parameter, "HostPort"):
            scu.HostPort = 65536
        with pytest.raises(TypeError, match="AETitle"):
            scu.AETitle = 5  # type: ignore[assignment]
        with pytest.raises(TypeError, match="event"):
            scu.AfterClose = 5  # type: ignore[assignment]
        with pytest.raises(TypeError, match="callable"):
            scu.AfterClose += 5  # type: ignore[arg-type]


def test_the_debug_log_says_what_goes_on(site: Site, tmp_path: Path) -> None:
    _, scp = site.node()
    scu = site.scu(DicomConnection)
    scu.DebugLogFilename = str(tmp_path / "log.txt")
    scu.EnableDebugLog = True
    assert scu.Verify(scp)
    text = (tmp_path / "log.txt").read_text()
    for words in (
        "CEchoRequest",
        "PDU AssociateRequest",
        "PDU AssociateAccept",
        "Status=0",
        "Close",
    ):
        assert words in text
    assert ("TLS" in text) == site.tls
    scu.EnableDebugLog = False
    assert scu.Verify(scp)
    assert (tmp_path / "log.txt").read_text() == text


def test_the_repr_says_who_and_how(plain: Site) -> None:
    _, scp = plain.node()
    scu = plain.scu(DicomConnection)
    assert repr(scu) == "<DicomConnection not connected>"
    scu.Verify(scp)
    assert repr(scu) == f"<DicomConnection not connected, NODE@127.0.0.1:{scp.Port}>"


class Answering(DicomNet):
    """A node without an `OnVerify`, so that it may resume sessions."""

    def OnReceiveAssociateRequest(self, association: DicomAssociate) -> None:
        accept_all(self, association)

    def OnReceiveCEchoRequest(self, presentationID: int, messageID: int, uid: str) -> None:
        self.SendCEchoResponse(presentationID, messageID, uid, 0)

    def OnReceiveReleaseRequest(self) -> None:
        self.SendReleaseResponse()


def test_sessions_are_resumed_only_while_nobody_judges(
    secure_site: Site, pki: TestPki, nets: Any, listen: Any
) -> None:
    def child() -> Answering:
        made = Answering(None, DicomNetSecurityMode.Tls)
        made.tls_resumption = True
        secure(made, pki.server, pki.ca_file, MUTUAL)
        return made

    scp = secure_site.way(listen(child).HostPort)
    scu = tls_scu(pki, nets, PEER)
    scu.tls_resumption = True
    resumed: list[bool] = []
    scu.AfterAssociateRequest += lambda sender, e: resumed.append(sender.tls_resumed)
    assert scu.Verify(scp)
    assert scu.Verify(scp)
    heard: list[str] = []

    def late(sender: Any, e: Any) -> None:
        scu.VerifyCertificate += lambda sender, e: heard.append(e.CertificateString)

    scu.AfterConnect += late  # too late for this link, which would have been resumed
    with pytest.raises(ClientConnectionException):
        scu.Verify(scp)
    assert scu.failure is not None
    assert "session was resumed" in scu.failure.remedy
    scu.AfterConnect -= late
    assert scu.Verify(scp)
    assert resumed == [False, True, False]
    assert heard


# ---- more ---------------------------------------------------------------------------------------


def test_waiting_for_the_response_by_hand(plain: Site) -> None:
    scu = plain.scu(DicomConnection)
    assert not scu.dicomEventResponse.WaitOne(0)
    scu.dicomEventResponse.Set()
    assert scu.dicomEventResponse.WaitOne(0)
    assert not scu.dicomEventResponse.WaitOne(1)  # it was an auto-reset event
    timer = threading.Timer(0.2, scu.dicomEventResponse.Set)
    timer.start()
    assert scu.dicomEventResponse.WaitOne(int(PATIENCE * 1000))  # though nothing came for long
    scu.dicomEventResponse.Set()
    scu.dicomEventResponse.Reset()
    assert not scu.dicomEventResponse.WaitOne(1)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_names_and_addresses_of_either_family(plain: Site, nets: Any, host: str) -> None:
    listener = nets(Listener(Scp))
    listener.Listen("::1" if host == "::1" else "127.0.0.1", 0, 5)
    scp = DicomScp(host, "NODE", listener.HostPort)
    assert plain.scu(DicomConnection).Verify(scp)
    assert str(scp.PeerAddress) == host


def test_no_time_limit_is_none(plain: Site) -> None:
    _, scp = plain.node()
    scp.Timeout = 0
    assert plain.scu(DicomConnection).Verify(scp)


def test_times_that_the_user_has_set_are_kept(plain: Site) -> None:
    _, scp = plain.node()
    scu = plain.scu(DicomConnection)
    scu.handshake_timeout = 7.0
    assert scu.Verify(scp)
    scu.association_timeout = 9.0
    scp.Timeout = 11.0
    assert scu.Verify(scp)
    assert (scu.handshake_timeout, scu.association_timeout, scu.connect_timeout) == (7.0, 9.0, 11.0)


def own_threads() -> int:
    """Count the threads of Python; a thread of the library that logs has a dummy there."""
    return sum(not one.name.startswith("Dummy-") for one in threading.enumerate())


def many_calls(site: Site, count: int) -> None:
    """Talk often, well and badly; nothing may be left over."""
    _, scp = site.node()
    nowhere = DicomScp("127.0.0.1", "NODE", 1)
    scu = site.scu(DicomConnection)
    scu.AfterAssociateRequest += lambda sender, e: None
    before = own_threads()
    for _ in range(count):
        assert scu.Verify(scp)
        with pytest.raises(ClientConnectionException):
            scu.Verify(nowhere)
        with DicomConnection() as other:
            other.AETitle = "OTHER"
            with contextlib.suppress(ClientConnectionException):
                other.Verify(nowhere)
    assert own_threads() <= before + 2
    assert len([one for one in all_lives() if one.kind == "DicomConnection"]) == 1


def test_many_calls_leave_nothing_over(site: Site) -> None:
    many_calls(site, 20)


@pytest.mark.soak
def test_a_thousand_calls_leave_nothing_over(site: Site) -> None:
    many_calls(site, 1000)
