"""A store client in the shape that many LEADTOOLS programs have: Base, Scu, CStore on `DicomNet`.

    python -m examples.store_client localhost 2762 *.dcm --ca ca.pem --certificate client.pem

`Base` waits and tells, `Scu` connects and associates, `CStore` stores; each service runs on a
thread of its own and tells its progress in an event. New programs do better with `StoreScu`, which
does the same in one call; this one shows that the old shape works unchanged. To be run in the
folder above `examples`.
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from leadtools_compat import RasterSupport
from leadtools_compat.dicom import *
from leadtools_compat.dicom.scu import Event


class StatusType(Enum):
    """What `Base.Status` tells."""

    Error = 0
    ConnectFailed = 1
    ConnectSucceeded = 2
    SecureLinkReady = 3
    AssociationAccepted = 4
    AssociationRejected = 5
    StoreResponse = 6
    Released = 7
    ProcessTerminated = 8


@dataclass
class StatusEventArgs:
    """One piece of progress."""

    Type: StatusType
    Text: str


@dataclass
class DicomServer:
    """Where to store."""

    Address: str
    Port: int
    AETitle: str
    Timeout: float = 30.0


class Base(DicomNet):
    """Waits for callbacks, and tells what happens."""

    Status = Event[StatusEventArgs]()

    def __init__(self, mode: DicomNetSecurityMode) -> None:
        super().__init__(None, mode, False)
        self.waitEvent = threading.Event()
        self.Failed = False
        self.Terminated = False

    def InvokeStatus(self, type: StatusType, text: str) -> None:
        self.Status(self, StatusEventArgs(type, text))

    def Wait(self, timeout: float) -> bool:
        """Wait until a callback has set the event. No message pump is needed: callbacks run anyway."""
        done = self.waitEvent.wait(timeout)
        self.waitEvent.clear()
        return done and not self.Failed

    def Fail(self, type: StatusType, text: str) -> None:
        self.Failed = True
        self.InvokeStatus(type, text)
        self.waitEvent.set()

    def Terminate(self) -> None:
        """End the service from outside."""
        self.Terminated = True
        if self.IsConnected():
            self.CloseForced(True)
        self.waitEvent.set()

    def OnClose(self, error: DicomExceptionCode, net: DicomNet) -> None:
        if error != DicomExceptionCode.Success:
            why = str(error) if self.failure is None else str(self.failure)
            self.Fail(StatusType.Error, why)
        self.waitEvent.set()


class Scu(Base):
    """Connects, with TLS or without, associates and releases."""

    def __init__(self, options: argparse.Namespace) -> None:
        tls = options.ca is not None
        mode = DicomNetSecurityMode.Tls if tls else DicomNetSecurityMode.None_
        super().__init__(mode)
        self.Tls = tls
        self.ClientAE: str = options.calling
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

    def ConnectTo(self, server: DicomServer) -> bool:
        self.Connect(None, 0, server.Address, server.Port)
        return self.Wait(server.Timeout)

    def Associate(self, server: DicomServer, contexts: list[tuple[str, str]]) -> bool:
        association = DicomAssociate(True)
        association.Called, association.Calling = server.AETitle, self.ClientAE
        association.MaxLength = 46726
        for index, (uid, syntax) in enumerate(contexts):
            association.AddPresentationContext(2 * index + 1, 0, uid)
            association.AddTransfer(2 * index + 1, syntax)
        self.SendAssociateRequest(association)
        association.Dispose()
        return self.Wait(server.Timeout) and self.IsAssociated()

    def Release(self, server: DicomServer) -> None:
        if self.IsAssociated():
            self.SendReleaseRequest()
            self.Wait(server.Timeout)
        if self.IsConnected():
            self.Close()

    def OnConnect(self, error: DicomExceptionCode) -> None:
        if error != DicomExceptionCode.Success:
            self.Fail(StatusType.ConnectFailed, DicomException.GetCodeMessage(error))
            return
        self.InvokeStatus(StatusType.ConnectSucceeded, f"{self.PeerAddress}:{self.PeerPort}")
        if not self.Tls:
            self.waitEvent.set()

    def OnSecureLinkReady(self, error: DicomExceptionCode) -> None:
        if error != DicomExceptionCode.Success:
            self.Fail(StatusType.ConnectFailed, DicomException.GetCodeMessage(error))
            return
        suite = self.GetTlsCipherSuite().GetCipherFriendlyName()
        self.InvokeStatus(StatusType.SecureLinkReady, suite)
        self.waitEvent.set()

    def OnReceiveAssociateAccept(self, association: DicomAssociate) -> None:
        self.InvokeStatus(StatusType.AssociationAccepted, association.Called)
        self.waitEvent.set()

    def OnReceiveAssociateReject(
        self,
        result: DicomAssociateRejectResultType,
        source: DicomAssociateRejectSourceType,
        reason: DicomAssociateRejectReasonType,
    ) -> None:
        self.Fail(StatusType.AssociationRejected, f"{result}, {source}, {reason}")

    def OnReceiveReleaseResponse(self) -> None:
        self.InvokeStatus(StatusType.Released, "")
        self.waitEvent.set()


class CStore(Scu):
    """Stores files, on a thread of its own."""

    def __init__(self, options: argparse.Namespace) -> None:
        super().__init__(options)
        self.Stored = 0
        self._thread: threading.Thread | None = None

    def Store(self, server: DicomServer, files: list[Path]) -> None:
        """Begin; `Join` waits for the end."""
        self._thread = threading.Thread(target=self._run, args=(server, files))
        self._thread.start()

    def Join(self) -> None:
        assert self._thread is not None
        self._thread.join()

    def _run(self, server: DicomServer, files: list[Path]) -> None:
        try:
            self._store(server, files)
        except DicomException as error:
            self.Fail(StatusType.Error, str(error))
        finally:
            self.InvokeStatus(StatusType.ProcessTerminated, f"{self.Stored} of {len(files)} stored")

    def _store(self, server: DicomServer, files: list[Path]) -> None:
        items = [self._look(path) for path in files]
        contexts = sorted({(item[0], item[2]) for item in items})
        if not self.ConnectTo(server) or not self.Associate(server, contexts):
            return
        for number, (path, item) in enumerate(zip(files, items, strict=True), 1):
            if self.Terminated or not self._store_one(server, number, path, item):
                return
        self.Release(server)

    def _look(self, path: Path) -> tuple[str, str, str]:
        """Read class, instance and transfer syntax, with LEADTOOLS's element functions."""
        with DicomDataSet() as ds:
            ds.Load(path, DicomDataSetLoadFlags.None_)
            uids = []
            for tag in (DicomTag.SOPClassUID, DicomTag.SOPInstanceUID):
                element = ds.FindFirstElement(None, tag, True)
                if element is None or ds.GetElementValueCount(element) == 0:
                    raise DicomException(
                        DicomExceptionCode.ElementNotFound, f"{path} does not say what it is"
                    )
                uids.append(ds.GetConvertValue(element))
            return uids[0], uids[1], ds.transfer_syntax

    def _store_one(
        self, server: DicomServer, number: int, path: Path, item: tuple[str, str, str]
    ) -> bool:
        association = self.Association
        assert association is not None
        context = association.FindAbstract(item[0])
        while context and (
            association.GetResult(context) != DicomAssociateAcceptResultType.Success
            or association.GetTransfer(context, 0) != item[2]
        ):
            context = association.FindNextAbstract(context, item[0])
        if context == 0:
            self.InvokeStatus(StatusType.Error, f"{path}: no context for it")
            return True
        with DicomDataSet() as ds:
            ds.Load(path, DicomDataSetLoadFlags.None_)
            priority = DicomCommandPriorityType.Medium
            self.SendCStoreRequest(context, number, item[0], item[1], priority, "", 0, ds)
        return self.Wait(server.Timeout)

    def OnReceiveCStoreResponse(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        status: DicomCommandStatusType,
    ) -> None:
        if status == DicomCommandStatusType.Success:
            self.Stored += 1
        self.InvokeStatus(StatusType.StoreResponse, f"{instance}: {status}")
        self.waitEvent.set()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("file", nargs="+", type=Path)
    parser.add_argument("--called", default="ANY-SCP", help="AE title of the node")
    parser.add_argument("--calling", default="OURS", help="own AE title")
    parser.add_argument("--ca", help="PEM file of trusted CAs; turns TLS on")
    parser.add_argument("--certificate", help="PEM file of the own certificate, and its chain")
    parser.add_argument("--key", help="PEM file of its key, if that is not in the same file")
    options = parser.parse_args()
    RasterSupport.SetLicense("license.lic", "key")  # may stay: it does nothing
    DicomEngine.Startup()
    DicomNet.Startup()
    show: Callable[[Any, StatusEventArgs], object] = lambda sender, e: print(  # noqa: E731
        f"{e.Type.name}: {e.Text}", flush=True
    )
    with CStore(options) as client:
        client.Status += show
        client.Store(DicomServer(options.host, options.port, options.called), options.file)
        try:
            client.Join()
        except KeyboardInterrupt:
            client.Terminate()
            client.Join()
        good = client.Stored == len(options.file)
    DicomNet.Shutdown()
    DicomEngine.Shutdown()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
