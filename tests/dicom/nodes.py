"""Two ends of an association, for tests: every overridable is recorded, and an SCP that answers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import UID

from leadtools_compat.dicom import DicomAssociate, DicomNet, DicomNetSecurityMode
from leadtools_compat.testing import TestPki
from tests.support import Hook, Listener, RecordingNet, connect, secure

VERIFICATION = "1.2.840.10008.1.1"
CT = "1.2.840.10008.5.1.4.1.1.2"
FIND = "1.2.840.10008.5.1.4.1.2.2.1"
IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
BIG = "1.2.840.10008.1.2.2"
JPEG = "1.2.840.10008.1.2.4.50"

ON_DEMAND = (
    "OnReceive",
    "OnSend",
    "OnReceiveUnknown",
    "OnBeforeSendCommandSet",
    "OnReceiveData",
)
"""Overridden only in nodes that have a hook for them."""

ALWAYS = sorted(
    name for name in dir(DicomNet) if name.startswith("OnReceive") and name not in ON_DEMAND
)


class Node(RecordingNet):
    """A net that records what it is told."""

    def __init__(
        self, mode: DicomNetSecurityMode | int = DicomNetSecurityMode.None_, **hooks: Hook
    ) -> None:
        for name in (*ALWAYS, *ON_DEMAND):
            if name in ALWAYS or name in hooks:
                # Of the instance: found there by the library too.
                setattr(self, name, self._recorder(name))
        super().__init__(mode, **hooks)

    def _recorder(self, name: str) -> Callable[..., None]:
        def record(*arguments: Any) -> None:
            self._run(name, None, *arguments)

        return record


def request(
    *contexts: tuple[str, str], called: str = "SCP", calling: str = "SCU"
) -> DicomAssociate:
    """Make a request: (SOP class, transfer syntax) get the ids 1, 3, 5..."""
    made = DicomAssociate(True)
    made.Called, made.Calling = called, calling
    for number, (sop_class, syntax) in enumerate(contexts):
        made.AddPresentationContext(2 * number + 1, 0, sop_class)
        made.AddTransfer(2 * number + 1, syntax)
    return made


def accept_all(net: DicomNet, asked: DicomAssociate) -> None:
    """Accept every context with its first transfer syntax, as ported programs do."""
    with DicomAssociate(False) as answer:
        answer.Version = 1
        answer.Called, answer.Calling = asked.Called, asked.Calling
        answer.ApplicationContextName = asked.ApplicationContextName
        for index in range(asked.PresentationContextCount):
            number = asked.GetPresentationContextID(index)
            answer.AddPresentationContext(number, 0, asked.GetAbstract(number))
            answer.AddTransfer(number, asked.GetTransfer(number, 0))
        net.SendAssociateAccept(answer)


def close_after_release(net: DicomNet) -> None:
    net.Close()


class Scp(Node):
    """Accepts associations and releases, and answers echo and store; hooks replace that."""

    def __init__(
        self, mode: DicomNetSecurityMode | int = DicomNetSecurityMode.None_, **hooks: Hook
    ) -> None:
        answers: dict[str, Hook] = {
            "OnReceiveAssociateRequest": accept_all,
            "OnReceiveReleaseRequest": DicomNet.SendReleaseResponse,
            "OnReceiveCEchoRequest": lambda net, p, m, c: net.SendCEchoResponse(p, m, c, 0),
            "OnReceiveCStoreRequest": lambda net, p, m, c, i, *rest: net.SendCStoreResponse(
                p, m, c, i, 0
            ),
        }
        super().__init__(mode, **{**answers, **hooks})


class Link:
    """How the two ends of a test are connected: plain or with TLS."""

    def __init__(
        self, kind: str, pki: TestPki, listen: Callable[..., Listener], nets: Callable[[Any], Any]
    ) -> None:
        self.kind = kind
        self._pki, self._listen, self._nets = pki, listen, nets

    def _node(self, cls: type[Node], server: bool, hooks: dict[str, Hook]) -> Any:
        if self.kind == "plain":
            return cls(DicomNetSecurityMode.None_, **hooks)
        net = cls(DicomNetSecurityMode.Tls, **hooks)
        secure(net, self._pki.server if server else self._pki.client, self._pki.ca_file)
        return net

    def scp(self, **hooks: Hook) -> Listener:
        """Start a listener whose children are `Scp`s with these hooks."""
        return self._listen(lambda: self._node(Scp, True, hooks))

    def scu(self, **hooks: Hook) -> Any:
        """Make a client that is not connected."""
        given: dict[str, Hook] = {"OnReceiveReleaseResponse": close_after_release, **hooks}
        return self._nets(self._node(Node, False, given))

    def connected(self, listener: Listener, **hooks: Hook) -> Any:
        """Make a client that is connected, with TLS if that is the kind."""
        scu = self.scu(**hooks)
        connect(scu, listener)
        scu.log.wait("OnConnect" if self.kind == "plain" else "OnSecureLinkReady")
        return scu

    def associated(self, listener: Listener, *contexts: tuple[str, str], **hooks: Hook) -> Any:
        """Make a client with an association."""
        scu = self.connected(listener, **hooks)
        with request(*(contexts or ((VERIFICATION, IMPLICIT), (CT, EXPLICIT)))) as asked:
            scu.SendAssociateRequest(asked)
        scu.log.wait("OnReceiveAssociateAccept")
        return scu


@contextmanager
def pumping() -> Iterator[None]:
    """Run the callbacks of pumped mode on a thread, as a program's message loop does."""
    over = threading.Event()

    def pump() -> None:
        while not over.is_set():
            with suppress(Exception):  # a handler's own; the failure record has it
                DicomNet.Breathe(0.02)

    thread = threading.Thread(target=pump)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def dataset(size: int = 0, **elements: Any) -> Dataset:
    """Make a pydicom data set in explicit VR little endian, with about `size` bytes of pixels."""
    from pydicom.dataset import FileMetaDataset

    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = UID(EXPLICIT)
    made.SOPClassUID = CT
    made.SOPInstanceUID = "1.2.3.4"
    made.PatientName = "Doe^Jane"
    for name, value in elements.items():
        setattr(made, name, value)
    if size:
        pattern = bytes(range(251))
        made.add_new(0x7FE00010, "OB", (pattern * (size // 251 + 1))[: size - size % 2])
    return made
