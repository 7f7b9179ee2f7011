"""The sample of LEADTOOLS' help page on ``DicomNet.OnVerify``, ported line by line.

A listener and a client in one program check each other's certificate. ::

    python onverify_sample.py FOLDER

FOLDER holds ``ca.pem``, ``server.pem`` and ``client.pem`` (certificate, its chain and the private
key; an encrypted key has the password "test"). ``leadtools_compat.testing.TestPki`` makes such
files.

What differs from the C# original:

- ports come from arguments, and the defaults need no privilege (the original has 104 and 1000);
- ``PeekMessage``, ``TranslateMessage`` and ``DispatchMessage`` are one call of ``DicomNet.Breathe``,
  which runs the callbacks of *pumped* delivery. The sample waits on one auto-reset event twice, for
  OnConnect and for OnSecureLinkReady, and that needs a pump between the two;
- ``--worker`` takes the usual delivery, on worker threads, and one event for each callback.
"""

from __future__ import annotations

import argparse
import enum
import threading
import time
from pathlib import Path

from leadtools_compat.dicom import *


class LEAD_VARS:
    ImagesDir = Path()
    ServerPort = 2762
    ClientPort = 0
    Worker = False


class Debug:
    """``System.Diagnostics.Debug``: WriteLine prints, the others end the program."""

    @staticmethod
    def WriteLine(text: str, *args: object) -> None:
        print(text.format(*args) if args else text)

    @staticmethod
    def Fail(message: str) -> None:
        raise SystemExit(f"FAIL: {message}")

    @staticmethod
    def Assert(condition: bool, message: str) -> None:
        if not condition:
            Debug.Fail(message)


class AutoResetEvent:
    """``System.Threading.AutoResetEvent``: each Set lets one WaitOne through."""

    def __init__(self, initialState: bool) -> None:
        self._condition = threading.Condition()
        self._set = initialState

    def Set(self) -> None:
        with self._condition:
            self._set = True
            self._condition.notify()

    def WaitOne(self, seconds: float) -> bool:
        with self._condition:
            if not self._condition.wait_for(lambda: self._set, seconds):
                return False
            self._set = False
            return True


class WaitReturn(enum.Enum):
    Complete = 0
    Timeout = 1


class Utils:
    @staticmethod
    def WaitForComplete(mill: float, wh: AutoResetEvent) -> WaitReturn:
        goal = time.monotonic() + mill / 1000

        while True:
            DicomNet.Breathe(0.01)

            if wh.WaitOne(0):
                return WaitReturn.Complete

            if goal < time.monotonic():
                return WaitReturn.Timeout

    @staticmethod
    def SetupTlsContext(net: DicomNet | None, certName: Path) -> None:
        serverCA = LEAD_VARS.ImagesDir / "ca.pem"

        if net is not None:
            settings = DicomOpenSslContextCreationSettings(
                DicomSslMethodType.SslV23,
                serverCA,
                DicomOpenSslVerificationFlags.Peer
                | DicomOpenSslVerificationFlags.FailIfNoPeerCertificate,
                2,
                DicomOpenSslOptionsFlags.NoSslV2 | DicomOpenSslOptionsFlags.AllBugWorkarounds,
            )

            net.Initialize(None, DicomNetSecurityMode.Tls, settings)
            net.SetTlsClientCertificate(certName, DicomTlsCertificateType.Pem, None)


#
# Secure client (TLS)
#
class Client(DicomNet):
    def __init__(self) -> None:
        self.waitEvent = AutoResetEvent(False)
        # Worker delivery runs both callbacks without waiting for anybody: one event for each.
        self.connectEvent = AutoResetEvent(False) if LEAD_VARS.Worker else self.waitEvent
        self.clientPEM = LEAD_VARS.ImagesDir / "client.pem"

        super().__init__(None, DicomNetSecurityMode.Tls)
        self.SetTlsCipherSuiteByIndex(0, DicomTlsCipherSuiteType.DheRsaWithDesCbcSha)
        Utils.SetupTlsContext(self, self.clientPEM)

    def Wait(self, event: AutoResetEvent) -> bool:
        ret = Utils.WaitForComplete((5 * 60) * 1000, event)
        return ret == WaitReturn.Complete

    def OnConnect(self, error: DicomExceptionCode) -> None:
        self.connectEvent.Set()

    def OnPrivateKeyPassword(self, encryption: bool) -> str:
        return "test"

    def OnSecureLinkReady(self, error: DicomExceptionCode) -> None:
        self.waitEvent.Set()


#
# Secure server (TLS)
#
class ServerConnection(DicomNet):
    def __init__(self) -> None:
        self.serverPEM = LEAD_VARS.ImagesDir / "server.pem"

        super().__init__(None, DicomNetSecurityMode.Tls)
        self.SetTlsCipherSuiteByIndex(0, DicomTlsCipherSuiteType.DheRsaWith3DesEdeCbcSha)
        self.SetTlsClientCertificate(self.serverPEM, DicomTlsCertificateType.Pem, None)

    def OnPrivateKeyPassword(self, encryption: bool) -> str:
        return "test"

    # The OnVerify callback gets called once for each certificate in the certificate chain.
    def OnVerify(
        self, ok: int, certificateString: str, ex: DicomSecurityCertificateException
    ) -> int:
        certificateMessageString = "Received Client Certificate:\n" + certificateString

        # Log that the SCP received the Client Certificate
        Debug.WriteLine(certificateMessageString)

        if ex.Code != DicomSecurityCertificateExceptionCode.Success:
            message = f"Error {ex.Code}: {ex.Message}"

            # Log the error with Client Certificate
            Debug.WriteLine(message)
        return ok


class Server(DicomNet):
    def __init__(self) -> None:
        self.serverPEM = LEAD_VARS.ImagesDir / "server.pem"
        self.client: ServerConnection | None = None

        super().__init__(None, DicomNetSecurityMode.Tls)
        self.SetTlsCipherSuiteByIndex(0, DicomTlsCipherSuiteType.DheRsaWith3DesEdeCbcSha)
        Utils.SetupTlsContext(self, self.serverPEM)

    def OnAccept(self, error: DicomExceptionCode) -> None:
        self.client = ServerConnection()
        Utils.SetupTlsContext(self.client, self.serverPEM)
        self.Accept(self.client)

    def OnPrivateKeyPassword(self, encryption: bool) -> str:
        return "test"

    def Dispose(self, __p1: bool) -> None:  # type: ignore[override]  # noqa: PYI063 - as the original has it
        if self.client is not None:  # the original does not ask, and fails without a connection
            self.client.Dispose()
        super().Dispose(__p1)


def TLSSecuritySample() -> None:
    # Assert test to check file exists before running code
    clientPEM = LEAD_VARS.ImagesDir / "ca.pem"
    Debug.Assert(clientPEM.exists(), f"Missing file: {clientPEM}")

    DicomEngine.Startup()
    DicomNet.Startup(pumped=not LEAD_VARS.Worker)

    with Server() as server:
        with Client() as client:
            server.Listen("127.0.0.1", LEAD_VARS.ServerPort, 1)  # start server
            client.Connect(
                None, LEAD_VARS.ClientPort, "127.0.0.1", server.HostPort
            )  # connect to server
            if not client.Wait(client.connectEvent):  # wait for connection to finish
                Debug.Fail("Connection timed out")

            Debug.Assert(client.IsConnected(), "Client not connected")

            #
            # Wait for authenication
            #
            if not client.Wait(client.waitEvent):
                Debug.Fail("Connection timed out waiting for authenication")

            # Once two computers have negotiated the ciphersuite, and have
            # authenticated each other, they can begin transferring
            # messages and data between them.

            #
            # Now we can get detailed information about the Cipher Suite
            #
            cipherSuite = client.GetTlsCipherSuite()  # Can also call GetTlsCipherSuiteByIndex
            Debug.WriteLine(
                "Encryption Algorithm is : {0}", client.GetTlsEncryptionAlgorithm(cipherSuite)
            )
            Debug.WriteLine(
                "Authentication Algorithm is : {0}",
                client.GetTlsAuthenticationAlgorithm(cipherSuite),
            )
            Debug.WriteLine(
                "Integrity Algorithm is : {0}", client.GetTlsIntegrityAlgorithm(cipherSuite)
            )
            Debug.WriteLine(
                "Key Exchange Algorithm is : {0}", client.GetTlsKeyExchangeAlgorithm(cipherSuite)
            )
            Debug.WriteLine(
                "Encryption Key Length is : {0}", client.GetTlsEncryptionKeyLength(cipherSuite)
            )
            Debug.WriteLine(
                "Mutual Authentication Key Length is : {0}",
                client.GetTlsMutualAuthenticationKeyLength(cipherSuite),
            )

            # Continue with normal dicom communication

            client.CloseForced(True)
        server.CloseForced(True)

    DicomEngine.Shutdown()
    DicomNet.Shutdown()


def main() -> None:
    parser = argparse.ArgumentParser(description="LEADTOOLS' sample for DicomNet.OnVerify.")
    parser.add_argument("folder", type=Path, help="folder of ca.pem, server.pem and client.pem")
    parser.add_argument("--port", type=int, default=2762, help="of the server; 0: a free one")
    parser.add_argument("--client-port", type=int, default=0, help="own port of the client; 0: any")
    parser.add_argument("--worker", action="store_true", help="callbacks on worker threads")
    arguments = parser.parse_args()
    LEAD_VARS.ImagesDir = arguments.folder
    LEAD_VARS.ServerPort = arguments.port
    LEAD_VARS.ClientPort = arguments.client_port
    LEAD_VARS.Worker = arguments.worker
    TLSSecuritySample()


if __name__ == "__main__":
    main()
