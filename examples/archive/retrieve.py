"""C-MOVE and C-GET of the archive."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from pydicom.dataset import Dataset

from examples.archive.index import StoredInstance
from leadtools_compat.dicom import *
from leadtools_compat.dicom.scu import *

if TYPE_CHECKING:
    from examples.archive.association import Association

MOVES = (DicomUidType.PatientRootQueryMove, DicomUidType.StudyRootQueryMove)
GETS = (DicomUidType.PatientRootQueryGet, DicomUidType.StudyRootQueryGet)

PATIENCE = 60.0
"""Seconds to wait for the answer to a sub-operation."""


class Progress:
    """The counts of a retrieval, and its responses."""

    def __init__(self, net: Association, send: Any, arguments: tuple[Any, ...], count: int) -> None:
        self.net, self.send, self.arguments = net, send, arguments
        self.remaining = count
        self.completed = self.failed = self.warning = 0
        self.bad: list[str] = []

    def one(self, instance: str, status: int) -> None:
        """Count a sub-operation, and tell the client."""
        self.remaining -= 1
        if status == 0:
            self.completed += 1
        elif status >> 12 == 0xB:
            self.warning += 1
        else:
            self.failed += 1
            self.bad.append(instance)
        if self.remaining:
            self.tell(DicomCommandStatusType.Pending, None)

    def tell(self, status: DicomCommandStatusType, data: DicomDataSet | None) -> None:
        counts = (self.remaining, self.completed, self.failed, self.warning)
        self.send(*self.arguments, status, *counts, data)

    def end(self, canceled: bool) -> None:
        """Send the last response (PS3.4 C.4.2.1.5)."""
        if canceled:
            self.tell(DicomCommandStatusType.Cancel, self.list_of_bad())
            return
        self.remaining = 0
        if self.bad and not self.completed and not self.warning:
            refused = DicomCommandStatusType.RefusedUnableToPerformSuboperations
            self.tell(refused, self.list_of_bad())
        elif self.bad or self.warning:
            self.tell(DicomCommandStatusType.Warning, self.list_of_bad())
        else:
            self.tell(DicomCommandStatusType.Success, None)

    def list_of_bad(self) -> DicomDataSet | None:
        if not self.bad:
            return None
        data = Dataset()
        data.FailedSOPInstanceUIDList = self.bad
        return DicomDataSet.from_pydicom(data)


def _instances(net: Association, ds: DicomDataSet | None) -> list[StoredInstance]:
    return [] if ds is None else net.server.index.instances(ds.to_pydicom())


def move(
    net: Association,
    context: int,
    message: int,
    uid: str,
    title: str,
    ds: DicomDataSet | None,
    stop: threading.Event,
) -> None:
    """Send what was asked for to another node, over an association of its own."""
    arguments = (context, message, uid)
    destination = net.server.nodes.get(title)
    if destination is None:
        unknown = DicomCommandStatusType.RefusedMoveDestinationUnknown
        net.SendCMoveResponse(*arguments, unknown, 0, 0, 0, 0, None)
        return
    instances = _instances(net, ds)
    progress = Progress(net, net.SendCMoveResponse, arguments, len(instances))
    if instances:
        with net.server.client(destination) as scu:
            scu.move_originator = (net.calling, message)

            def after(sender: StoreScu, e: AfterCStoreEventArgs) -> None:
                progress.one(e.Instance, int(e.Status))
                if stop.is_set():
                    sender.CancelRequest()

            scu.AfterCStore += after
            try:
                scu.store_files(destination, [one.path for one in instances])
            except (
                ClientConnectionException,
                ClientAssociationException,
                ClientCommunicationException,
            ) as error:
                net.server.log(f"to {destination}: {error}")
                done = progress.completed + progress.failed + progress.warning
                for one in instances[done:]:
                    progress.one(one.instance, int(DicomCommandStatusType.ProcessingFailure))
    progress.end(stop.is_set() and progress.remaining > 0)


def get(
    net: Association,
    context: int,
    message: int,
    uid: str,
    ds: DicomDataSet | None,
    stop: threading.Event,
) -> None:
    """Send what was asked for over the client's own association."""
    instances = _instances(net, ds)
    progress = Progress(net, net.SendCGetResponse, (context, message, uid), len(instances))
    for number, one in enumerate(instances, 1):
        if stop.is_set():
            break
        progress.one(one.instance, int(_give(net, one, number)))
    progress.end(stop.is_set() and progress.remaining > 0)


def _give(net: Association, one: StoredInstance, number: int) -> DicomCommandStatusType:
    """Store one object at the client, in a context that it accepts objects in."""
    for context in _contexts(net, one.sop_class):
        with DicomDataSet(str(net.server.folder)) as data:
            try:
                data.Load(one.path, DicomDataSetLoadFlags.None_)
                net.SendCStoreRequest(
                    context,
                    number,
                    one.sop_class,
                    one.instance,
                    DicomCommandPriorityType.Medium,
                    "",
                    0,
                    data,
                )
            except DicomException as error:
                if not net.IsAssociated():
                    raise
                net.server.log(f"{one.instance}: {error}")
                continue
        with net.stored:
            if not net.stored.wait_for(lambda: net.over or number in net.answers, PATIENCE):
                return DicomCommandStatusType.ProcessingFailure
            return net.answers.pop(number, DicomCommandStatusType.ProcessingFailure)
    return DicomCommandStatusType.ClassNotSupported


def _contexts(net: DicomNet, uid: str) -> list[int]:
    """List the accepted contexts of a class in which the client is a storage provider."""
    found: list[int] = []
    association = net.Association
    if association is None:
        return found
    number = association.FindAbstract(uid)
    while number:
        accepted = association.GetResult(number) == DicomAssociateAcceptResultType.Success
        provider = association.GetProviderRole(number) == DicomRoleSupport.Supported
        if accepted and provider:
            found.append(number)
        number = association.FindNextAbstract(number, uid)
    return found
