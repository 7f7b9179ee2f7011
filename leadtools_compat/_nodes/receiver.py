"""A storage node: takes what others send, and keeps it as files; answers C-ECHO.

The one rule: Success is answered when the object is on the disk, whole and under its final name. A
name from the wire becomes the name of a file only if it is a UID (PS3.5 9.1).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from leadtools_compat._nodes.client import GONE, MAX_LENGTH, VERIFICATION
from leadtools_compat._nodes.tls import TlsOptions, configure
from leadtools_compat.dicom import (
    DicomAssociate,
    DicomAssociateAcceptResultType,
    DicomAssociateRejectReasonType,
    DicomAssociateRejectResultType,
    DicomAssociateRejectSourceType,
    DicomCommandPriorityType,
    DicomCommandStatusType,
    DicomDataSet,
    DicomException,
    DicomExceptionCode,
    DicomFailure,
    DicomNet,
    DicomNetIpTypeFlags,
    DicomNetSecurityMode,
)

__all__ = ["Association", "Events", "Receiver", "is_uid", "keep_file", "takes_class"]

_UID = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*")


def is_uid(text: str) -> bool:
    """Tell whether a name from the wire may become the name of a file."""
    return len(text) <= 64 and _UID.fullmatch(text) is not None


def keep_file(folder: Path, instance: str, data: DicomDataSet | None) -> Path | str:
    """Write an object into `folder`; give its path, or why it was not written."""
    if not is_uid(instance):
        return f"the SOP instance UID {instance!r} is not valid"
    if data is None:
        return "there is no data set"
    target = folder / f"{instance}.dcm"
    try:
        data.Save(target)  # under a temporary name, to the disk, then renamed
    except (DicomException, OSError) as error:
        return str(error)
    return target


def takes_class(uid: str) -> bool:
    """Tell whether a SOP class is one to store, or C-ECHO; private ones are taken for storage."""
    from pydicom.uid import UID

    if uid == VERIFICATION or not uid.startswith("1.2.840.10008."):
        return True
    images = uid.startswith("1.2.840.10008.5.1.4.1.1.")
    return images or (UID(uid).type == "SOP Class" and "Storage" in UID(uid).name)


@dataclass
class Events:
    """Whom a `Receiver` tells; all are called on worker threads. `failed` gets the peer's address."""

    stored: Callable[[Path, str], None] = lambda path, peer: None
    refused: Callable[[str, str], None] = lambda why, peer: None
    associated: Callable[[str, str], None] = lambda calling, peer: None
    failed: Callable[[str, DicomFailure], None] = lambda peer, failure: None
    linked: Callable[[DicomNet], None] = lambda net: None


class Association(DicomNet):
    """One client of a `Receiver`."""

    def __init__(self, owner: Receiver) -> None:
        self.owner = owner
        mode = DicomNetSecurityMode.None_ if owner.tls is None else DicomNetSecurityMode.Tls
        super().__init__(str(owner.folder), mode, False)  # the rest of TLS is the owner's

    def OnSecureLinkReady(self, error: DicomExceptionCode) -> None:
        if error == DicomExceptionCode.Success:
            self.owner.events.linked(self)

    def _reply(self, function: Callable[..., None], *arguments: Any) -> None:
        """Answer; a client that has gone meanwhile is told of in OnClose."""
        try:
            function(*arguments)
        except DicomException as error:
            if error.Code not in GONE:
                raise

    def OnReceiveAssociateRequest(self, association: DicomAssociate) -> None:
        owner = self.owner
        if owner.title is not None and association.Called != owner.title:
            self._reply(
                self.SendAssociateReject,
                DicomAssociateRejectResultType.Permanent,
                DicomAssociateRejectSourceType.User,
                DicomAssociateRejectReasonType.Called,
            )
            return
        with DicomAssociate(False) as answer:
            answer.Called, answer.Calling = association.Called, association.Calling
            answer.MaxLength = MAX_LENGTH
            for index in range(association.PresentationContextCount):
                number = association.GetPresentationContextID(index)
                abstract = association.GetAbstract(number)
                result = DicomAssociateAcceptResultType.Success
                if not takes_class(abstract):
                    result = DicomAssociateAcceptResultType.AbstractSyntax
                answer.AddPresentationContext(number, result, abstract)
                answer.AddTransfer(number, association.GetTransfer(number, 0))
            self._reply(self.SendAssociateAccept, answer)
        owner.events.associated(association.Calling, self.PeerAddress)

    def OnReceiveCEchoRequest(
        self, presentationID: int, messageID: int, affectedClass: str
    ) -> None:
        success = DicomCommandStatusType.Success
        self._reply(self.SendCEchoResponse, presentationID, messageID, affectedClass, success)

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
        kept = keep_file(self.owner.folder, instance, ds)
        status = DicomCommandStatusType.Success
        if isinstance(kept, str):
            status = DicomCommandStatusType.RefusedOutOfResources
            if ds is None or not is_uid(instance):
                status = DicomCommandStatusType.InvalidObjectInstance
            self.owner.events.refused(kept, self.PeerAddress)
        else:
            self.owner.events.stored(kept, self.PeerAddress)
        self._reply(
            self.SendCStoreResponse, presentationID, messageID, affectedClass, instance, status
        )

    def OnReceiveReleaseRequest(self) -> None:
        self._reply(self.SendReleaseResponse)


class Receiver(DicomNet):
    """Listens, and makes an association of every connection; use it in a ``with`` statement.

    `reload_tls` takes new certificates and lists for the connections that come.

    Parameters
    ----------
    folder
        Where the files go; it must exist.
    tls
        None: plain. The certificate is needed; with ``ca``, clients must have one too.
    title
        The only called AE title to accept; None: any.
    events
        Whom to tell.

    Raises
    ------
    DicomException
        When certificate, key or CA cannot be used: before anything is listened to.
    """

    association: type[Association] = Association
    """What is made of a connection."""

    def __init__(
        self,
        folder: Path,
        tls: TlsOptions | None = None,
        title: str | None = None,
        events: Events | None = None,
    ) -> None:
        self.folder = folder
        self.tls = tls
        self.title = title
        self.events = events or Events()
        self.ended = threading.Event()
        takes_class(
            "1.2.840.10008.1.1.1"
        )  # pydicom's dictionary is read before anybody waits for it
        super().__init__(None, DicomNetSecurityMode.None_)
        if tls is None:
            return
        try:
            configure(self, replace(tls, ocsp="off"))  # clients do not staple
            self.children_inherit_tls = True
        except BaseException:
            self.Dispose()
            raise

    def OnPrivateKeyPassword(self, encryption: bool) -> str | None:
        tls = self.tls
        return tls.password() if tls is not None and tls.password is not None else None

    def start(self, address: str | None, port: int) -> int:
        """Listen; give the port."""
        self.Listen(address, port, 128, DicomNetIpTypeFlags.Ipv4OrIpv6)
        return self.HostPort

    def OnAccept(self, error: DicomExceptionCode) -> None:
        child = self.association(self)
        try:
            self.Accept(child)
        except DicomException as problem:
            child.Dispose()
            if problem.Code not in (
                DicomExceptionCode.NetNoPendingConnection,  # it has gone again, or a limit took it
                DicomExceptionCode.ObjectDisposed,
            ):
                raise

    def OnClose(self, error: DicomExceptionCode, net: DicomNet) -> None:
        if net is self:
            self.ended.set()
            return
        if net.failure is not None:
            self.events.failed(net.PeerAddress, net.failure)
        net.Dispose()
