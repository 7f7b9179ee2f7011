"""C-STORE: takes what other nodes send, and keeps it as files, plain or with TLS.

    python store_scp.py 11112 received
    python store_scp.py 2762 received --ca ca.pem --certificate server.pem

Success is answered when the object is safe: written in a folder for unfinished ones, on the disk, renamed.
What is unfinished when the server is killed goes at its next start. Ends with Ctrl-C.
"""

from __future__ import annotations

import argparse
import fcntl
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


class Store:
    """A folder of objects, for this process alone; `unfinished` is a folder in it.

    Raises BlockingIOError if another process has it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.unfinished = folder / ".unfinished"
        self.unfinished.mkdir(parents=True, exist_ok=True)
        self.lock = os.open(self.unfinished, os.O_RDONLY)
        fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # ends with the process, however
        for left in self.unfinished.iterdir():
            left.unlink()

    def add(self, data: DicomDataSet, instance: str) -> Path:
        """Write an object so that it is there whole or not at all, after a power cut too."""
        target = self.folder / f"{instance}.dcm"
        unfinished = self.unfinished / f"{instance}.{threading.get_ident()}"
        try:
            data.Save(unfinished, DicomDataSetSaveFlags.None_)  # it is on the disk then
            unfinished.rename(target)
        finally:
            unfinished.unlink(missing_ok=True)
        directory = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(directory)  # the new name, too
        finally:
            os.close(directory)
        return target


class Association(DicomNet):
    """One client of the server."""

    def __init__(self, options: argparse.Namespace, objects: Store) -> None:
        tls = options.certificate is not None
        mode = DicomNetSecurityMode.Tls if tls else DicomNetSecurityMode.None_
        large = str(objects.unfinished)  # where large ones go while they come in
        super().__init__(large, mode, False)
        self.objects = objects
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
            self.Initialize(large, mode, settings)
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
                print(self.objects.add(ds, instance), flush=True)
            except (DicomException, OSError) as error:
                print(f"{instance}: {error}", file=sys.stderr, flush=True)
                status = DicomCommandStatusType.RefusedOutOfResources
        self.SendCStoreResponse(presentationID, messageID, affectedClass, instance, status)

    def OnReceiveReleaseRequest(self) -> None:
        self.SendReleaseResponse()


class Server(DicomNet):
    """Makes a child for every client."""

    def __init__(self, options: argparse.Namespace, objects: Store) -> None:
        super().__init__(None, DicomNetSecurityMode.None_)
        self.options = options
        self.objects = objects

    def OnAccept(self, error: DicomExceptionCode) -> None:
        self.Accept(Association(self.options, self.objects))

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
    try:
        objects = Store(options.folder)
    except OSError as error:
        print(f"{options.folder}: {error.strerror}; is another one running?", file=sys.stderr)
        return 1
    with Server(options, objects) as server:
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
