"""Nobody sends longer P-DATA-TF PDUs than the other side takes, from 4 KiB to 1 MiB and without a limit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset
from pynetdicom import AE, evt

from leadtools_compat.dicom import DicomAssociate, DicomDataSet, DicomNet, DicomPduType
from leadtools_compat.testing import TestPki
from tests.dicom.nodes import CT, EXPLICIT, dataset
from tests.interop.programs import client_options, free_port, run, served, server_options
from tests.interop.wires import Wire, context, released
from tests.support import PATIENCE

KIB = 1024
OURS = (4 * KIB, 16 * KIB, 128 * KIB, 1024 * KIB, 0)
DCMTKS = (4 * KIB, 16 * KIB, 128 * KIB)
"""All that DCMTK's programs take."""
PYNETDICOMS = (4 * KIB, 16 * KIB, 128 * KIB, 1024 * KIB, 0)
LENGTH = 2_500_001

pytestmark = pytest.mark.parametrize("link", ["plain", "tls13"], indirect=True)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write an object that needs several PDUs of any size."""
    path = tmp_path_factory.mktemp("large") / "large.dcm"
    made = dataset(LENGTH)
    made.StudyInstanceUID, made.SeriesInstanceUID = "1.2.3", "1.2.3.1"
    made.StudyID = made.PatientID = "1"
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    dcmwrite(path, made, enforce_file_format=True)
    return path


def accept(size: int) -> Callable[[DicomNet, DicomAssociate], None]:
    """Accept all contexts and announce that PDUs may have `size` bytes."""

    def answer(net: DicomNet, asked: DicomAssociate) -> None:
        with DicomAssociate(False) as made:
            made.Called, made.Calling = asked.Called, asked.Calling
            made.MaxLength = size
            for index in range(asked.PresentationContextCount):
                number = asked.GetPresentationContextID(index)
                made.AddPresentationContext(number, 0, asked.GetAbstract(number))
                made.AddTransfer(number, asked.GetTransfer(number, 0))
            net.SendAssociateAccept(made)

    return answer


class Sizes:
    """Writes down the lengths of the P-DATA-TF PDUs that we get or send."""

    def __init__(self) -> None:
        self.lengths: list[int] = []

    def received(self, net: Any, error: Any, kind: DicomPduType, buffer: Any, size: int) -> None:
        if kind == DicomPduType.DataTransfer:
            self.lengths.append(int.from_bytes(buffer[2:6], "big"))

    def sent(self, net: Any, error: Any, kind: DicomPduType, length: int) -> None:
        if kind == DicomPduType.DataTransfer:
            self.lengths.append(length)

    def check(self, size: int) -> None:
        assert sum(self.lengths) > LENGTH
        if size:
            assert max(self.lengths) <= size
            # And full ones, as far as the sender fills them at all.
            assert max(self.lengths) > min(size, 128 * KIB) * 0.9


def same_pixels(got: Dataset, path: Path) -> bool:
    return bool(got.PixelData == dcmread(path).PixelData)


@pytest.mark.parametrize("size", OURS)
def test_storescu_sends_no_longer_ones_than_we_announce(
    link: Wire, pki: TestPki, large: Path, size: int
) -> None:
    seen = Sizes()
    listener = link.scp(OnReceiveAssociateRequest=accept(size), OnReceive=seen.received)
    options = [*client_options(link.tls, pki), "-pdu", 128 * KIB]
    run("storescu", *options, "127.0.0.1", listener.HostPort, large)
    stored = listener.child().log.wait("OnReceiveCStoreRequest").arguments[-1]
    assert same_pixels(stored.to_pydicom(), large)
    listener.child().log.wait("OnClose")
    seen.check(size)


@pytest.mark.parametrize("size", OURS)
def test_pynetdicom_sends_no_longer_ones_than_we_announce(
    link: Wire, pki: TestPki, large: Path, size: int
) -> None:
    seen = Sizes()
    listener = link.scp(OnReceiveAssociateRequest=accept(size), OnReceive=seen.received)
    entity: Any = AE()
    entity.add_requested_context(CT, EXPLICIT)
    tls = None if link.tls is None else (context(link.tls, pki, server=False), None)
    association = entity.associate("127.0.0.1", listener.HostPort, tls_args=tls)
    assert association.send_c_store(dcmread(large)).Status == 0
    stored = listener.child().log.wait("OnReceiveCStoreRequest").arguments[-1]
    assert same_pixels(stored.to_pydicom(), large)
    association.release()
    listener.child().log.wait("OnClose")
    seen.check(size)


def send(link: Wire, port: int, path: Path) -> Sizes:
    """Send the file to somebody; gives the lengths that we sent."""
    seen = Sizes()
    scu = link.associated_to(port, (CT, EXPLICIT), OnSend=seen.sent)
    with DicomDataSet() as data:
        data.Load(path)
        scu.SendCStoreRequest(1, 1, CT, "1.2.3.4", 0, "", 0, data)
    assert scu.log.wait("OnReceiveCStoreResponse").arguments[4] == 0
    released(scu)
    return seen


@pytest.mark.parametrize("size", DCMTKS)
def test_we_send_no_longer_ones_than_storescp_announces(
    link: Wire, pki: TestPki, large: Path, size: int, tmp_path: Path
) -> None:
    folder = tmp_path / "stored"
    folder.mkdir()
    port = free_port()
    options = [*server_options(link.tls, pki), "-pdu", size, "+B", "-od", folder]
    with served(["storescp", *options, port], tmp_path / "log", port):
        send(link, port, large).check(size)
    (stored,) = folder.iterdir()
    assert same_pixels(dcmread(stored), large)


@pytest.mark.parametrize("size", PYNETDICOMS)
def test_we_send_no_longer_ones_than_pynetdicom_announces(
    link: Wire, pki: TestPki, large: Path, size: int
) -> None:
    got: list[Dataset] = []

    def keep(event: Any) -> int:
        got.append(event.dataset)
        return 0

    entity: Any = AE()
    entity.maximum_pdu_size = size
    entity.dimse_timeout = entity.network_timeout = PATIENCE
    entity.add_supported_context(CT, EXPLICIT)
    tls = None if link.tls is None else context(link.tls, pki, server=True)
    handlers = [(evt.EVT_C_STORE, keep)]
    server = entity.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=handlers, ssl_context=tls
    )
    try:
        send(link, server.socket.getsockname()[1], large).check(size)
    finally:
        server.shutdown()
    assert same_pixels(got[0], large)
