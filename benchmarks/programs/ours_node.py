"""This library from Python, both roles: what a program for it looks like, and nothing more.

Verbs: serve, handshakes, echo, store, first. One request in flight: the main thread sends and waits
(`store_and_wait`, `echo_and_wait`). All else is done from inside the callbacks. `DISCARD` is the one
switch for how received data sets are dropped.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from itertools import cycle
from typing import TYPE_CHECKING

from talk import Options, now, ready, result, until_end, wait_for_go

from leadtools_compat.dicom import (
    DicomAssociate,
    DicomAssociateAcceptResultType,
    DicomCommandPriorityType,
    DicomCommandStatusType,
    DicomExceptionCode,
    DicomNet,
    DicomNetSecurityMode,
    DicomOpenSslContextCreationSettings,
    DicomOpenSslOptionsFlags,
    DicomOpenSslVerificationFlags,
    DicomSslMethodType,
    DicomTlsCertificateType,
)

if TYPE_CHECKING:
    from leadtools_compat.dicom import DicomDataSet

VERIFICATION = "1.2.840.10008.1.1"
SECONDARY = "1.2.840.10008.5.1.4.1.1.7"
IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
SUCCESS = DicomCommandStatusType.Success
MEDIUM = DicomCommandPriorityType.Medium

options = Options()
secure = bool(options.text("tls"))
resume = options.number("resume") != 0
mode = DicomNetSecurityMode.Tls if secure else DicomNetSecurityMode.None_
# Where the library can be told to drop data sets as they come, that is used; else they are taken
# whole and let go of by the callback.
DISCARD = hasattr(DicomNet, "receive_sink")
ANSWERS = hasattr(DicomNet, "auto_respond")
"""The library answers release requests: there is nothing to decide."""
INHERIT = secure and hasattr(DicomNet, "children_inherit_tls")
"""Children take over their listener's TLS, and need no set-up of their own."""
WORK = options.number("python_us") / 1e6
"""Seconds of Python that the server has for each C-ECHO."""


settings = DicomOpenSslContextCreationSettings(
    DicomSslMethodType.SslV23,
    options.tls("ca.pem"),
    DicomOpenSslVerificationFlags.Peer | DicomOpenSslVerificationFlags.FailIfNoPeerCertificate,
    9,
    DicomOpenSslOptionsFlags.NoSslV2,
)


def set_up(net: DicomNet, identity: str) -> None:
    if secure:
        net.Initialize(None, mode, settings)
        if resume:
            setattr(net, "tls_resumption", True)  # noqa: B010 - older trees have no such member
        net.SetTlsClientCertificate(options.tls(identity), DicomTlsCertificateType.Pem, None)


# ---- server -------------------------------------------------------------------------------------


class Association(DicomNet):
    """One client of the server."""

    def __init__(self) -> None:
        super().__init__(None, mode, False)
        if not INHERIT:
            set_up(self, "server-combined.pem")
        if DISCARD:
            setattr(self, "receive_sink", "discard")  # noqa: B010 - older trees have no such member
        if ANSWERS:
            setattr(self, "auto_respond", ("release",))  # noqa: B010 - as above

    def OnReceiveAssociateRequest(self, association: DicomAssociate) -> None:
        with DicomAssociate(False) as answer:  # what it has to repeat is repeated
            answer.MaxLength = options.number("pdu", 131072)
            for index in range(association.PresentationContextCount):
                number = association.GetPresentationContextID(index)
                answer.AddPresentationContext(number, DicomAssociateAcceptResultType.Success, None)
                answer.AddTransfer(number, association.GetTransfer(number, 0))
            if association.IsAsynchronousOperations:
                answer.SetAsynchronousOperations(True, association.InvokedOperationsCount, 1)
            self.SendAssociateAccept(answer)

    def OnReceiveCEchoRequest(
        self, presentationID: int, messageID: int, affectedClass: str
    ) -> None:
        end = time.thread_time() + WORK
        while WORK and time.thread_time() < end:
            pass
        self.SendCEchoResponse(presentationID, messageID, affectedClass, SUCCESS)

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
        self.SendCStoreResponse(presentationID, messageID, affectedClass, instance, SUCCESS)

    if not ANSWERS:

        def OnReceiveReleaseRequest(self) -> None:
            self.SendReleaseResponse()


class Server(DicomNet):
    """Makes a child for every client."""

    def OnAccept(self, error: DicomExceptionCode) -> None:
        self.Accept(Association())

    def OnClose(self, error: DicomExceptionCode, net: DicomNet) -> None:
        net.Dispose()


def serve() -> None:
    with Server(None, mode if INHERIT else DicomNetSecurityMode.None_) as server:
        server.limits["connections"] = 20000
        if INHERIT:
            set_up(server, "server-combined.pem")
            setattr(server, "children_inherit_tls", True)  # noqa: B010 - older trees lack it
        Association().Dispose()  # what the first one loads is not that one's
        if options.number("reuse"):
            server.reuse_port = True
        if options.number("behind"):
            server.trusted_proxies = "127.0.0.1"
        server.Listen("127.0.0.1", options.number("listen"), 1024)
        ready(server.HostPort)
        until_end()
        os._exit(0)  # thousands may be open: their end is not what is measured


# ---- client -------------------------------------------------------------------------------------


class Client(DicomNet):
    """Does one verb; `done` is set when the main thread is to go on."""

    def __init__(self, verb: str) -> None:
        super().__init__(None, mode, False)
        set_up(self, "client-combined.pem")
        self.verb = verb
        self.done = threading.Event()
        self.seconds = options.seconds()
        self.window = options.number("window", 1)
        self.began = self.before = 0.0
        self.count = self.sent = 0
        self.bytes = 0
        self.latencies: list[float] = []
        self.objects: list[tuple[str, DicomDataSet]] = []
        self.size = options.number("size")
        self.lock = threading.Lock()
        self.request = self.make_request()

    def start(self) -> None:
        self.done.clear()
        self.Connect(None, 0, "127.0.0.1", options.number("port"))

    def wait(self) -> None:
        self.done.wait()
        self.done.clear()

    def OnConnect(self, error: DicomExceptionCode) -> None:
        if error != DicomExceptionCode.Success:
            self.give_up(f"connect: {error}")
        elif not secure:
            self.SendAssociateRequest(self.request)

    def OnSecureLinkReady(self, error: DicomExceptionCode) -> None:
        if error != DicomExceptionCode.Success:
            self.give_up(f"TLS: {self.failure}")
        else:
            self.SendAssociateRequest(self.request)

    def give_up(self, why: str) -> None:
        print(why, file=sys.stderr, flush=True)
        os._exit(1)

    def make_request(self) -> DicomAssociate:
        request = DicomAssociate(True)
        request.Called, request.Calling = options.text("called", "BENCH"), "BENCH-PY"
        request.MaxLength = options.number("pdu", 131072)
        for number, sop_class, syntax in (
            (1, VERIFICATION, IMPLICIT),
            (3, SECONDARY, EXPLICIT),
        ):
            request.AddPresentationContext(
                number, DicomAssociateAcceptResultType.Success, sop_class
            )
            request.AddTransfer(number, syntax)
        if self.window > 1:
            request.SetAsynchronousOperations(True, self.window, 1)
        return request

    def OnReceiveAssociateAccept(self, association: DicomAssociate) -> None:
        if association.GetResult(1) != DicomAssociateAcceptResultType.Success:
            self.give_up("verification was not accepted")
        if self.verb == "handshakes":
            self.SendCEchoRequest(1, 1, VERIFICATION)
        else:
            self.done.set()

    def OnReceiveCEchoResponse(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        status: DicomCommandStatusType,
    ) -> None:
        if status != SUCCESS:
            self.give_up(f"C-ECHO: {status}")
        if self.verb == "handshakes":
            self.SendReleaseRequest()
            return
        moment = now()
        self.latencies.append(moment - self.before)
        self.before = moment
        if moment - self.began < self.seconds:
            self.SendCEchoRequest(1, 1, VERIFICATION)
        else:
            self.done.set()

    def next_object(self) -> tuple[int, str, DicomDataSet]:
        with self.lock:  # the first window is sent by the main thread
            self.sent += 1
            number = self.sent
        instance, data = self.objects[number % len(self.objects)]
        return number % 65536, instance, data

    def send_object(self) -> None:
        number, instance, data = self.next_object()
        self.SendCStoreRequest(3, number, SECONDARY, instance, MEDIUM, "", 0, data)

    def one_by_one(self) -> None:
        """One request after the other, on this thread."""
        latencies, end = self.latencies, self.began + self.seconds
        echo, numbers, objects = self.verb == "echo", cycle(range(65536)), cycle(self.objects)
        while self.before < end:
            if echo:
                status = self.echo_and_wait(1, 1, VERIFICATION)
            else:
                instance, data = next(objects)
                status = self.store_and_wait(3, next(numbers), SECONDARY, instance, data)
            if status != SUCCESS:
                self.give_up(f"{self.verb}: {status}")
            moment = now()
            latencies.append(moment - self.before)
            self.before = moment
        self.count = len(latencies)

    def OnReceiveCStoreResponse(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        status: DicomCommandStatusType,
    ) -> None:
        if status != SUCCESS:
            self.give_up(f"C-STORE: {status}")
        self.before = now()
        self.count += 1
        if self.before - self.began < self.seconds:
            self.send_object()
        elif self.count == self.sent:
            self.done.set()

    def OnReceiveReleaseResponse(self) -> None:
        self.Close()

    def OnClose(self, error: DicomExceptionCode, net: DicomNet) -> None:
        if error != DicomExceptionCode.Success:
            self.give_up(f"closed: {error}, {self.failure}")
        self.done.set()


def load(paths: list[str], preload: bool) -> list[tuple[str, DicomDataSet]]:
    """Open files as data sets; small ones are read before the clock runs, as DCMTK's best does."""
    from leadtools_compat.dicom import DicomDataSet, DicomDataSetLoadFlags

    flags = DicomDataSetLoadFlags.LoadAndClose if preload else DicomDataSetLoadFlags.None_
    objects = []
    for number, path in enumerate(paths):
        data = DicomDataSet()
        data.Load(path, flags)
        objects.append((f"2.25.{options.number('size') * 1000 + number}", data))
    return objects


def handshakes() -> None:
    client = Client("handshakes")
    if resume and not hasattr(client, "tls_resumption"):
        client.give_up("not offered: resumption")
    client.start()  # a first one, outside of the measurement
    client.wait()
    wait_for_go()
    count = 0
    began = now()
    while now() - began < client.seconds or count == 0:
        client.start()
        client.wait()
        count += 1
        if client.tls_resumed != resume:
            client.give_up(f"resumed: {client.tls_resumed}, wanted: {resume}")
    result(count, 0, now() - began)
    until_end()


def start_callbacks(client: Client) -> None:
    """Send what is in flight at once; the callbacks go on."""
    if client.verb == "echo":
        client.SendCEchoRequest(1, 1, VERIFICATION)
        return
    for _ in range(client.window):
        client.send_object()


def on_one_association(verb: str) -> None:
    client = Client(verb)
    if verb == "store":
        client.objects = load(options.files(), options.number("preload", 1) != 0)
    client.start()
    client.wait()
    wait_for_go()
    client.began = client.before = now()
    if client.window == 1 and hasattr(DicomNet, "store_and_wait"):
        client.one_by_one()
    else:
        start_callbacks(client)
        client.wait()
    size = client.size
    count = client.count or len(client.latencies)
    result(count, client.count * size, client.before - client.began, client.latencies)
    until_end()
    os._exit(0)


def first() -> None:
    """Associate once, and say when that was: CLOCK_MONOTONIC, which all processes share."""
    client = Client("first")
    client.start()
    client.wait()
    print(f"{time.clock_gettime(time.CLOCK_MONOTONIC):.6f}", flush=True)
    os._exit(0)


def main() -> None:
    verb = options.text("verb")
    if verb == "serve":
        serve()
    elif verb == "handshakes":
        handshakes()
    elif verb == "first":
        first()
    else:
        on_one_association(verb)


if __name__ == "__main__":
    main()
