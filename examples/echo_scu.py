"""C-ECHO: asks a DICOM node for a sign of life, plain or with TLS.

    python echo_scu.py localhost 11112
    python echo_scu.py localhost 2762 --ca ca.pem --certificate client.pem

Exit status 0 if the node has answered Success.
"""

from __future__ import annotations

import argparse
import sys
import threading

from leadtools_compat.dicom import *

VERIFICATION = "1.2.840.10008.1.1"
IMPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2"


class EchoScu(DicomNet):
    """Associates, sends one C-ECHO, releases; `closed` is set at the end, `status` has the answer."""

    def __init__(self, options: argparse.Namespace) -> None:
        tls = options.ca is not None
        mode = DicomNetSecurityMode.Tls if tls else DicomNetSecurityMode.None_
        super().__init__(None, mode, False)
        self.tls = tls
        self.called, self.calling = options.called, options.calling
        self.closed = threading.Event()
        self.status: DicomCommandStatusType | None = None
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
            request.AddPresentationContext(1, DicomAssociateAcceptResultType.Success, VERIFICATION)
            request.AddTransfer(1, IMPLICIT_LITTLE_ENDIAN)
            self.SendAssociateRequest(request)

    def OnReceiveAssociateAccept(self, association: DicomAssociate) -> None:
        if association.GetResult(1) == DicomAssociateAcceptResultType.Success:
            self.SendCEchoRequest(1, 1, VERIFICATION)
        else:
            print(f"the node does not take C-ECHO: {association.GetResult(1)}", file=sys.stderr)
            self.SendReleaseRequest()

    def OnReceiveAssociateReject(
        self,
        result: DicomAssociateRejectResultType,
        source: DicomAssociateRejectSourceType,
        reason: DicomAssociateRejectReasonType,
    ) -> None:
        print(f"rejected: {result}, {source}, {reason}", file=sys.stderr)
        self.Close()

    def OnReceiveCEchoResponse(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        status: DicomCommandStatusType,
    ) -> None:
        self.status = status
        self.SendReleaseRequest()

    def OnReceiveReleaseResponse(self) -> None:
        self.Close()

    def OnClose(self, error: DicomExceptionCode, net: DicomNet) -> None:
        if self.failure is not None:
            print(self.failure, file=sys.stderr)
        self.closed.set()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--called", default="ANY-SCP", help="AE title of the node")
    parser.add_argument("--calling", default="ECHO-SCU", help="own AE title")
    parser.add_argument("--ca", help="PEM file of trusted CAs; turns TLS on")
    parser.add_argument("--certificate", help="PEM file of the own certificate, and its chain")
    parser.add_argument("--key", help="PEM file of its key, if that is not in the same file")
    parser.add_argument("--timeout", type=float, default=30.0, help="seconds for all of it")
    options = parser.parse_args()
    with EchoScu(options) as net:
        try:
            net.Connect(None, 0, options.host, options.port)
        except DicomException as error:
            print(error, file=sys.stderr)
            return 1
        if not net.closed.wait(options.timeout):
            print(f"no answer within {options.timeout:g} seconds", file=sys.stderr)
            return 1
        print(f"C-ECHO {options.host}:{options.port}: {net.status}")
        return 0 if net.status == DicomCommandStatusType.Success else 1


if __name__ == "__main__":
    sys.exit(main())
