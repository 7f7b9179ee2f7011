"""What is sent in many pieces arrives whole: small socket buffers, a reader that begins late."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from pydicom.dataset import Dataset

from leadtools_compat.dicom import DicomDataSet, DicomNet, DicomSocketOptions
from tests.dicom.nodes import CT, EXPLICIT, Link, request

PIXELS = 0x7FE00010
SMALL_BUFFERS = DicomSocketOptions(so_sndbuf=4608, so_rcvbuf=20000)
SIZES = (2, 1000, 1012, 1024, 16_348, 16_372, 49_000, 65_536, 200_000, 3_000_000)
"""Around what is copied, a record of TLS, and what goes out in one call of the system."""


def value(size: int) -> bytes:
    """Make bytes that tell their place."""
    return bytes((at * 31 + at // 251) & 0xFF for at in range(size))


def data_set(size: int) -> DicomDataSet:
    elements = Dataset()
    elements.add_new(PIXELS, "OB", value(size))
    return DicomDataSet.from_pydicom(elements)


@pytest.mark.sanitize
@pytest.mark.parametrize("options", [DicomSocketOptions(), SMALL_BUFFERS], ids=["system", "small"])
def test_objects_of_all_sizes_arrive_whole_through_buffers_of_any_size(
    link: Link, options: DicomSocketOptions
) -> None:
    received: dict[str, bytes] = {}
    may_read = threading.Event()

    def store(net: DicomNet, p: int, m: int, c: str, i: str, *rest: Any) -> None:
        may_read.wait(20)
        received[i] = rest[-1].to_pydicom()[PIXELS].value
        net.SendCStoreResponse(p, m, c, i, 0)

    def accept(net: DicomNet, asked: Any) -> None:
        asked.Reset(False)
        asked.AddPresentationContext(1, 0, CT)
        asked.AddTransfer(1, EXPLICIT)
        asked.SetAsynchronousOperations(True, 0, 1)
        net.SendAssociateAccept(asked)

    listener = link.scp(OnReceiveCStoreRequest=store, OnReceiveAssociateRequest=accept)
    make: Callable[[], Any] = listener.make_child

    def child() -> Any:
        made = make()
        made.socket_options = options
        return made

    listener.make_child = child
    scu = link.scu()
    scu.socket_options = options
    scu.Connect(None, 0, "127.0.0.1", listener.HostPort)
    scu.log.wait("OnConnect" if link.kind == "plain" else "OnSecureLinkReady")
    with request((CT, EXPLICIT)) as asked:
        asked.SetAsynchronousOperations(True, 0, 1)
        scu.SendAssociateRequest(asked)
    scu.log.wait("OnReceiveAssociateAccept")
    for number, size in enumerate(SIZES):
        with data_set(size) as data:
            scu.SendCStoreRequest(1, number + 1, CT, f"1.2.{size}", 0, "", 0, data)
    may_read.set()
    scu.log.wait("OnReceiveCStoreResponse", len(SIZES))
    for size in SIZES:
        assert received[f"1.2.{size}"] == value(size)
    scu.SendReleaseRequest()
    scu.log.wait("OnClose")
    assert scu.failure is None
