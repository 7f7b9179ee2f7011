"""One port, several listening processes: for work in Python that one process's lock would hold up.

    python many_processes.py 2762 --processes 4 --ca ca.pem --certificate server.pem
    python many_processes.py 2762 --processes 4 --ca ca.pem --certificate server.pem --behind 10.0.0.5

Answers C-ECHO and C-STORE; what is stored is dropped, put your own work there. The processes are
forked from one that has made a net, so that a TLS session begun with one is resumed by the others.
One that dies is started anew. SIGTERM and Ctrl-C: no more is accepted, open associations have
`--grace` seconds to end. `--behind` names load balancers that send a PROXY header.
"""

from __future__ import annotations

import argparse
import os
import select
import signal
import socket
import sys
import threading
import time
import traceback
from types import FrameType

from leadtools_compat.dicom import *

AGAIN = 1.0
"""Seconds between two starts of a process that dies."""
UNUSABLE = 3
"""Exit code of a process that would fail again: all end."""
SIGNALS = (signal.SIGTERM, signal.SIGINT)


def say(text: str) -> None:
    """Print a line in one piece: the processes share the output."""
    print(f"{os.getpid()}: {text}\n", end="", flush=True)


class Association(DicomNet):
    """One client."""

    def __init__(self, options: argparse.Namespace) -> None:
        tls = options.certificate is not None
        mode = DicomNetSecurityMode.Tls if tls else DicomNetSecurityMode.None_
        super().__init__(None, mode, False)
        self.stored = 0
        self.receive_sink = "discard"
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
            self.Initialize(None, mode, settings)
            self.SetTlsClientCertificate(
                options.certificate, DicomTlsCertificateType.Pem, options.key
            )
            self.tls_resumption = options.ca is not None

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
        self.stored += 1
        self.SendCStoreResponse(
            presentationID, messageID, affectedClass, instance, DicomCommandStatusType.Success
        )

    def OnReceiveReleaseRequest(self) -> None:
        self.SendReleaseResponse()


class Server(DicomNet):
    """The listener of one process; says a line for every client that leaves."""

    def __init__(self, options: argparse.Namespace) -> None:
        super().__init__(None, DicomNetSecurityMode.None_)
        self.options = options
        self.left = threading.Event()
        self.reuse_port = True
        self.trusted_proxies = options.behind

    def OnAccept(self, error: DicomExceptionCode) -> None:
        self.Accept(Association(self.options))

    def OnClose(self, error: DicomExceptionCode, net: DicomNet) -> None:
        if isinstance(net, Association):
            through = f" through {net.proxy_address}" if net.proxy_address else ""
            end = "ok" if net.failure is None else str(net.failure)
            resumed = ", resumed" if net.tls_resumed else ""
            say(f"{net.PeerAddress}{through}, {net.stored} stored{resumed}, {end}")
            net.Dispose()
        self.left.set()


def serve(options: argparse.Namespace, port: int, parent: int) -> int:
    """Be one of the processes, until SIGTERM or the end of the parent."""
    stopped, stop = os.pipe()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent passes it on
    signal.signal(signal.SIGTERM, lambda number, frame: os.write(stop, b"x"))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    with Server(options) as server:
        try:
            server.Listen(options.address, port, 128)
        except DicomException as error:
            print(error, file=sys.stderr, flush=True)
            return UNUSABLE
        say(f"listening on port {port}")
        select.select([stopped, parent], [], [])
        server.Close()  # the associations live on
        end = time.monotonic() + options.grace
        while server.GetClientCount() > 0 and time.monotonic() < end:
            server.left.clear()
            server.left.wait(min(0.2, max(0.0, end - time.monotonic())))
    return 0


class Processes:
    """The parent: starts, watches and ends the others; it never touches a connection."""

    def __init__(self, options: argparse.Namespace, port: int) -> None:
        self.options, self.port = options, port
        self.pids: set[int] = set()
        self.ending = False
        self.alive, self.mine = os.pipe()  # at its end the children see that this process has gone
        self.secret = Association(options)  # tickets: its secret is theirs

    def start(self) -> None:
        """Fork one more."""
        sys.stdout.flush()
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        pid = os.fork()
        if pid:
            self.pids.add(pid)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            return
        code = 1
        try:
            os.close(self.mine)
            code = serve(self.options, self.port, self.alive)
        except Exception:  # noqa: BLE001 - the process ends with it
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(code)

    def end(self, number: int, frame: FrameType | None) -> None:
        self.ending = True
        for pid in self.pids:
            os.kill(pid, signal.SIGTERM)

    def run(self) -> int:
        """Stay until all have ended."""
        for number in SIGNALS:
            signal.signal(number, self.end)
        worst = 0
        for _ in range(self.options.processes):
            self.start()
        while self.pids:
            pid, status = os.wait()
            self.pids.discard(pid)
            code = os.waitstatus_to_exitcode(status)
            if code == UNUSABLE and not self.ending:
                self.end(0, None)
            if self.ending:
                worst = worst or code
                continue
            print(f"{pid}: ended with {code}, another one starts", file=sys.stderr, flush=True)
            time.sleep(AGAIN)
            if not self.ending:
                self.start()
        return worst


def reserve(address: str, port: int) -> socket.socket:
    """Hold the port without listening, so that 0 stands for the same one in all processes."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    holder.bind(("" if address == "*" else address, port))
    return holder


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("port", type=int, help="0: a free one, which is printed")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 2)
    parser.add_argument("--address", default="*", help="own address (IPv4); *: all")
    parser.add_argument("--certificate", help="PEM file of the own certificate; turns TLS on")
    parser.add_argument("--key", help="PEM file of its key, if that is not in the same file")
    parser.add_argument("--ca", help="PEM file of CAs; clients must have a certificate then")
    parser.add_argument(
        "--behind", action="append", default=[], help="address or network of a load balancer"
    )
    parser.add_argument("--grace", type=float, default=30.0, help="seconds for open associations")
    options = parser.parse_args()
    try:
        holder = reserve(options.address, options.port)
    except OSError as error:
        print(f"port {options.port}: {error.strerror}", file=sys.stderr)
        return 1
    with holder:
        return Processes(options, holder.getsockname()[1]).run()


if __name__ == "__main__":
    sys.exit(main())
