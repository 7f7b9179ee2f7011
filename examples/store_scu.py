"""C-STORE: sends files to a DICOM node, plain or with TLS.

    python store_scu.py localhost 11112 image.dcm more.dcm
    python store_scu.py localhost 2762 *.dcm --ca ca.pem --certificate client.pem

The files are streamed, not read into memory; on a terminal a line shows how far they are. Exit status 0 if the
node has taken all of them.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from pydicom import dcmread

from leadtools_compat.dicom import *


@dataclass
class Item:
    """One file to send."""

    path: Path
    sop_class: str
    instance: str
    syntax: str


def look(path: Path) -> Item:
    """Find out what has to be said about a file; its pixels are not read."""
    data = dcmread(path, stop_before_pixels=True, specific_tags=["SOPClassUID", "SOPInstanceUID"])
    return Item(path, data.SOPClassUID, data.SOPInstanceUID, data.file_meta.TransferSyntaxUID)


class Progress:
    """Bytes that have left, of about how many, and how fast."""

    def __init__(self, total: int) -> None:
        self.total = max(total, 1)
        self.bytes, self.began, self.shown = 0, time.monotonic(), 0.0

    def add(self, length: int) -> None:
        self.bytes += length
        now = time.monotonic()
        if sys.stdout.isatty() and now - self.shown >= 0.1:
            self.shown = now
            print(
                f" {min(99, 100 * self.bytes // self.total):3} %, {self}   ", end="\r", flush=True
            )

    def __str__(self) -> str:
        seconds = max(time.monotonic() - self.began, 1e-6)
        return f"{size(self.bytes)}, {size(self.bytes / seconds)}/s"


def size(count: float) -> str:
    """Write a number of bytes for people."""
    return f"{count / 1024:.1f} KiB" if count < 1024 * 1024 else f"{count / 1024 / 1024:.1f} MiB"


class StoreScu(DicomNet):
    """Sends one file after the other; `closed` is set at the end, `failed` counts."""

    def __init__(self, options: argparse.Namespace, items: list[Item]) -> None:
        tls = options.ca is not None
        mode = DicomNetSecurityMode.Tls if tls else DicomNetSecurityMode.None_
        super().__init__(None, mode, False)
        self.tls = tls
        self.called, self.calling = options.called, options.calling
        self.items = items
        # One presentation context for each pair of SOP class and transfer syntax, at most 128.
        pairs = sorted({(item.sop_class, item.syntax) for item in items})[:128]
        self.contexts = {pair: 2 * number + 1 for number, pair in enumerate(pairs)}
        self.next = 0
        self.failed = 0
        self.one = Progress(0)
        self.sent = 0
        self.closed = threading.Event()
        if tls:
            settings = DicomOpenSslContextCreationSettings(
                DicomSslMethodType.SslV23,
                options.ca,
                DicomOpenSslVerificationFlags.Peer,
                9,
                DicomOpenSslOptionsFlags.NoSslV2,
            )
            self.Initialize(None, mode, settings)
            if options.certificate is not None:
                self.SetTlsClientCertificate(
                    options.certificate, DicomTlsCertificateType.Pem, options.key
                )

    def OnConnect(self, error: DicomExceptionCode) -> None:
        if error == DicomExceptionCode.Success and not self.tls:
            self.associate()

    def OnSecureLinkReady(self, error: DicomExceptionCode) -> None:
        if error == DicomExceptionCode.Success:
            self.associate()

    def associate(self) -> None:
        with DicomAssociate(True) as request:
            request.Called, request.Calling = self.called, self.calling
            for (sop_class, syntax), number in self.contexts.items():
                request.AddPresentationContext(number, 0, sop_class)
                request.AddTransfer(number, syntax)
            self.SendAssociateRequest(request)

    def OnReceiveAssociateAccept(self, association: DicomAssociate) -> None:
        self.send_next()

    def OnReceiveAssociateReject(
        self,
        result: DicomAssociateRejectResultType,
        source: DicomAssociateRejectSourceType,
        reason: DicomAssociateRejectReasonType,
    ) -> None:
        print(f"rejected: {result}, {source}, {reason}", file=sys.stderr)
        self.Close()

    def send_next(self) -> None:
        """Send the next file that can be sent; after the last one, release."""
        while self.next < len(self.items):
            item = self.items[self.next]
            self.next += 1
            self.one = Progress(item.path.stat().st_size)
            try:
                with DicomDataSet() as data:
                    data.Load(item.path, DicomDataSetLoadFlags.None_)
                    self.SendCStoreRequest(
                        self.contexts.get((item.sop_class, item.syntax), 0),
                        self.next % 65536,
                        item.sop_class,
                        item.instance,
                        DicomCommandPriorityType.Medium,
                        "",
                        0,
                        data,
                    )
            except DicomException as error:
                self.failed += 1
                print(f"{item.path}: {error}", file=sys.stderr)
            else:
                return
        self.SendReleaseRequest()

    def OnSend(self, error: DicomExceptionCode, type: DicomPduType, length: int) -> None:
        if type == DicomPduType.DataTransfer:
            self.one.add(length)
            self.sent += length

    def OnReceiveCStoreResponse(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        status: DicomCommandStatusType,
    ) -> None:
        print(f"{self.items[self.next - 1].path}: {status}, {self.one}", flush=True)
        if status != DicomCommandStatusType.Success and int(status) >> 12 != 0xB:  # a warning
            self.failed += 1
        self.send_next()

    def OnReceiveReleaseResponse(self) -> None:
        self.Close()

    def OnClose(self, error: DicomExceptionCode, net: DicomNet) -> None:
        if self.failure is not None:
            print(self.failure, file=sys.stderr)
        if error != DicomExceptionCode.Success or self.next < len(self.items):
            self.failed += 1
        self.closed.set()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("file", nargs="+", type=Path)
    parser.add_argument("--called", default="ANY-SCP", help="AE title of the node")
    parser.add_argument("--calling", default="STORE-SCU", help="own AE title")
    parser.add_argument("--ca", help="PEM file of trusted CAs; turns TLS on")
    parser.add_argument("--certificate", help="PEM file of the own certificate, and its chain")
    parser.add_argument("--key", help="PEM file of its key, if that is not in the same file")
    options = parser.parse_args()
    items = [look(path) for path in options.file]
    with StoreScu(options, items) as net:
        try:
            net.Connect(None, 0, options.host, options.port)
        except DicomException as error:
            print(error, file=sys.stderr)
            return 1
        net.closed.wait()
        print(f"{len(items) - net.failed} of {len(items)} sent, {size(net.sent)}")
        return 0 if net.failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
