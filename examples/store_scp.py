"""C-STORE: takes what other nodes send, and keeps it as files, plain or with TLS.

    python store_scp.py 11112 received
    python store_scp.py 2762 received --ca ca.pem --certificate server.pem

Success is answered when the object is safe: written under a temporary name, on the disk, renamed.
Ends with Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import threading
from pathlib import Path

from leadtools_compat.dicom import *

UID = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*")  # PS3.5 9.1


def is_uid(text: str) -> bool:
    """Tell whether a name from the wire may become the name of a file."""
    return len(text) <= 64 and UID.fullmatch(text) is not None


def store(data: DicomDataSet, folder: Path, instance: str) -> Path:
    """Write an object so that it is there whole or not at all, after a power cut too."""
    target = folder / f"{instance}.dcm"
    temporary = folder / f".{instance}.{threading.get_ident()}.part"
    try:
        data.Save(temporary, DicomDataSetSaveFlags.None_)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.rename(target)
        directory = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(directory)  # the name too
        finally:
            os.close(directory)
    finally:
        temporary.unlink(missing_ok=True)
    return target


class Association(DicomNet):
    """One client of the server."""

    def __init__(self, options: argparse.Namespace) -> None:
        tls = options.certificate is not None
        mode = DicomNetSecurityMode.Tls if tls else DicomNetSecurityMode.None_
        super().__init__(str(options.folder), mode, False)
        self.folder: Path = options.folder
        if tls:
            flags = DicomOpenSslVerificationFlags.None_
            if options.ca is not None:
                flags = (
                    DicomOpenSslVerificationFlags.Peer
                    | DicomOpenSslVerificationFlags.FailIfNoPeerCertificate
                )
            settings = DicomOpenSslContextCreationSettings(
                DicomSslMethodType.SslV23, options.ca, flags, 9, DicomOpenSslOptionsFlags.NoSslV2
            )
            self.Initialize(str(options.folder), mode, settings)
            self.SetTlsClientCertificate(
                options.certificate, DicomTlsCertificateType.Pem, options.key
            )

    def OnReceiveAssociateRequest(self, association: DicomAssociate) -> None:
        with DicomAssociate(False) as answer:
            answer.Version = 1
            answer.Called, answer.Calling = association.Called, association.Calling
            answer.ApplicationContextName = association.ApplicationContextName
            for index in range(association.PresentationContextCount):
                number = association.GetPresentationContextID(index)
                answer.AddPresentationContext(
                    number, DicomAssociateAcceptResultType.Success, association.GetAbstract(number)
                )
                answer.AddTransfer(number, association.GetTransfer(number, 0))
            self.SendAssociateAccept(answer)

    def OnReceiveCEchoRequest(
        self, presentationID: int, messageID: int, affectedClass: str
    ) -> None:
        self.SendCEchoResponse(
            presentationID, messageID, affectedClass, DicomCommandStatusType.Success
        )

    def OnReceiveCStoreRequest(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        priority: DicomCommandPriorityType,
        moveAE: str,
        moveMessageID: int,
        ds: DicomDataSet | None,
    ) -> None:
        status = DicomCommandStatusType.Success
        if not is_uid(instance) or ds is None:
            status = DicomCommandStatusType.InvalidObjectInstance
        else:
            try:
                print(store(ds, self.folder, instance), flush=True)
            except (DicomException, OSError) as error:
                print(f"{instance}: {error}", file=sys.stderr, flush=True)
                status = DicomCommandStatusType.RefusedOutOfResources
        self.SendCStoreResponse(presentationID, messageID, affectedClass, instance, status)

    def OnReceiveReleaseRequest(self) -> None:
        self.SendReleaseResponse()


class Server(DicomNet):
    """Makes a child for every client."""

    def __init__(self, options: argparse.Namespace) -> None:
        super().__init__(None, DicomNetSecurityMode.None_)
        self.options = options

    def OnAccept(self, error: DicomExceptionCode) -> None:
        self.Accept(Association(self.options))

    def OnClose(self, error: DicomExceptionCode, net: DicomNet) -> None:
        if net.failure is not None:
            print(f"{net.PeerAddress}: {net.failure}", file=sys.stderr, flush=True)
        net.Dispose()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("port", type=int, help="0: a free one, which is printed")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--address", default="*", help="own address; *: all")
    parser.add_argument("--certificate", help="PEM file of the own certificate; turns TLS on")
    parser.add_argument("--key", help="PEM file of its key, if that is not in the same file")
    parser.add_argument("--ca", help="PEM file of CAs; clients must have a certificate then")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with Server(options) as server:
        try:
            server.Listen(options.address, options.port, 64)
        except DicomException as error:
            print(error, file=sys.stderr)
            return 1
        print(f"listening on port {server.HostPort}", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print("end")
    return 0


if __name__ == "__main__":
    sys.exit(main())
