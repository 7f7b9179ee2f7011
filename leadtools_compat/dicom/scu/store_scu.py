"""`StoreScu`: sends instances to a node, and asks it to commit itself to them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, overload

from leadtools_compat._binding.text import StrPath
from leadtools_compat.dicom import _arguments
from leadtools_compat.dicom.dicom_associate import DicomAssociate
from leadtools_compat.dicom.dicom_data_set import DicomDataSet
from leadtools_compat.dicom.dicom_exception import DicomException
from leadtools_compat.dicom.enums_codes import DicomExceptionCode
from leadtools_compat.dicom.enums_dataset import ChangeTransferSyntaxFlags, DicomDataSetLoadFlags
from leadtools_compat.dicom.enums_dimse import DicomCommandPriorityType, DicomCommandStatusType
from leadtools_compat.dicom.scu import _base as base
from leadtools_compat.dicom.scu import _steps
from leadtools_compat.dicom.scu import enums as _enums
from leadtools_compat.dicom.scu._commitment import Commitment
from leadtools_compat.dicom.scu._connection_state import ConnectionState, connection_of, fire
from leadtools_compat.dicom.scu._events import Event
from leadtools_compat.dicom.scu._store_items import (
    Item,
    batches,
    choose,
    contexts_for,
    find_files,
    look_at_data_set,
    look_at_file,
)
from leadtools_compat.dicom.scu.dicom_scp import DicomScp
from leadtools_compat.dicom.scu.enums import Compression, SkipMethod
from leadtools_compat.dicom.scu.event_args import AfterCStoreEventArgs, BeforeCStoreEventArgs

__all__ = ["StoreScu"]

COMPRESSION = "_StoreScu__compression"
ORIGINATOR = "_StoreScu__originator"

QUALITY = 2
"""Of a compression with loss; LEADTOOLS's qFactor, 2 is the best."""


class StoreScu(Commitment):
    """Stores instances in a node (C-STORE).

    Notes
    -----
    Mirrors ``Leadtools.Dicom.Scu.StoreScu``.
    """

    StorageCommitOptions = _enums.StorageCommitOptions

    BeforeCStore = Event[BeforeCStoreEventArgs]()
    AfterCStore = Event[AfterCStoreEventArgs]()

    @property
    def Compression(self) -> _enums.Compression:
        """How pixels are sent; default ``Native``."""
        kind: _enums.Compression = self.__dict__.get(COMPRESSION, _enums.Compression.Native)
        return kind

    @Compression.setter
    def Compression(self, value: _enums.Compression | int) -> None:
        number = _arguments.member(value, "Compression", _enums.Compression)
        self.__dict__[COMPRESSION] = _enums.Compression(number)

    @property
    def move_originator(self) -> tuple[str, int]:
        """Whose C-MOVE is being served: AE title and message id (ours); ("", 0): nobody's.

        Goes into each C-STORE request (PS3.7 9.3.1.1).
        """
        title: tuple[str, int] = self.__dict__.get(ORIGINATOR, ("", 0))
        return title

    @move_originator.setter
    def move_originator(self, value: tuple[str, int]) -> None:
        title, message = value
        self.__dict__[ORIGINATOR] = (str(title), _arguments.integer(message, "message", 0, 0xFFFF))

    @overload
    def Store(self, scp: DicomScp, file: StrPath | DicomDataSet) -> None: ...
    @overload
    def Store(self, scp: DicomScp, file: DicomDataSet, mask: bool) -> None: ...
    @overload
    def Store(self, scp: DicomScp, file: StrPath, mask: str, recursive: bool = False) -> None: ...
    @overload
    def Store(
        self, scp: DicomScp, *, directory: StrPath, mask: str = "", recursive: bool = False
    ) -> None: ...
    @overload
    def Store(
        self, scp: DicomScp, *, dataset: DicomDataSet, stayConnected: bool = False
    ) -> None: ...
    def Store(
        self,
        scp: DicomScp,
        file: Any = None,
        mask: Any = None,
        recursive: bool = False,
        *,
        dataset: DicomDataSet | None = None,
        directory: StrPath | None = None,
        stayConnected: bool = False,
    ) -> None:
        """Store one file or data set, or the files of a folder, over one association.

        Parameters
        ----------
        file
            A file or a `DicomDataSet` (``dataset=``); with `mask`, a folder (``directory=``).
        mask
            Of a folder: which files, as ``*.dcm``; "" and ``*.*`` are all. Of a data set:
            ``stayConnected``.
        recursive
            Whether folders in the folder count.
        stayConnected
            Leave the association open for the next call.

        Raises
        ------
        ClientConnectionException, ClientAssociationException, ClientCommunicationException
            Connecting, the association or the exchange failed.
        DicomException
            A single file or data set cannot be read or is no instance. Of a folder such files are
            told in `AfterCStore`, and the loop goes on, as it does after a refusal by the node.

        Notes
        -----
        Mirrors ``StoreScu.Store``; PS3.4 B. A status that is not Success is in `Status` and in
        `AfterCStore`.
        """
        given = next((one for one in (dataset, directory) if one is not None), file)
        stay = stayConnected
        if isinstance(given, DicomDataSet):
            stay = bool(mask) if isinstance(mask, bool) else stay
            items = [look_at_data_set(given)]
        elif mask is None and directory is None:
            items = [look_at_file(given)]
            if items[0].error is not None:
                raise items[0].error
        else:
            items = [look_at_file(path) for path in find_files(given, mask or "", bool(recursive))]
        self.__store(scp, items, stay)

    def store_files(self, scp: DicomScp, files: Sequence[StrPath]) -> None:
        """Store a list of files over one association (ours); as `Store` of a folder."""
        self.__store(scp, [look_at_file(path) for path in files], False)

    def __store(self, scp: DicomScp, items: list[Item], stay: bool) -> None:
        kind = self.__dict__.get(COMPRESSION, _enums.Compression.Native)
        state = connection_of(self)
        for batch in batches(items, kind):
            if not any(item.error is None for item in batch):
                for item in batch:
                    after(self, item, 0, 0, DicomCommandStatusType.ProcessingFailure)
                continue

            def fits(association: DicomAssociate, batch: list[Item] = batch) -> bool:
                return all(one.error or choose(association, one, kind) for one in batch)

            with _steps.talking(self, scp, contexts_for(batch, kind), stay, fits):
                association = base.association(self)
                assert association is not None
                for item in batch:
                    skip = store_one(self, state, association, item, kind)
                    if skip == SkipMethod.AllFiles or state.canceled:
                        return

    def OnReceiveCStoreResponse(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        status: DicomCommandStatusType,
    ) -> None:
        """Keep the status, and wake `Store`."""
        state = connection_of(self)
        answer = state.parameters
        answer.PresentationID, answer.MessageID = presentationID, messageID
        answer.AffectedClass, answer.Status = affectedClass, status
        state.conversation.answer()


def after(net: Any, item: Item, message: int, context: int, status: DicomCommandStatusType) -> None:
    """Raise `AfterCStore`."""
    connection_of(net).parameters.Status = status
    fire(
        net,
        "AfterCStore",
        AfterCStoreEventArgs(status, message, context, item.sop_class, item.instance, item.path),
    )


@contextlib.contextmanager
def _data_of(item: Item) -> Iterator[DicomDataSet]:
    """Open the data set of an item; the user's own is not disposed."""
    if item.data is not None:
        yield item.data
        return
    with DicomDataSet() as data:
        data.Load(item.path or Path(), DicomDataSetLoadFlags.None_)
        yield data


def store_one(
    net: Any, state: ConnectionState, association: DicomAssociate, item: Item, kind: Compression
) -> SkipMethod:
    """Send one instance and wait for the answer; what the instance is at fault for goes on."""
    failed = item.error
    ways = [] if failed is not None else choose(association, item, kind)
    message = state.next_message()
    context = ways[0][0] if ways else 0
    no_way = failed is None and not ways
    with contextlib.ExitStack() as stack:
        data = None
        if failed is None:
            try:
                data = stack.enter_context(_data_of(item))
            except DicomException as error:
                failed = error
        error_code = (
            failed.Code
            if failed is not None
            else DicomExceptionCode.AbstractSyntaxNotSupported
            if no_way
            else DicomExceptionCode.Success
        )
        before = fire(
            net,
            "BeforeCStore",
            BeforeCStoreEventArgs(
                message,
                context,
                item.sop_class,
                item.instance,
                DicomCommandPriorityType.Medium,
                data,
                item.path,
                error_code,
            ),
        )
        if before.Skip != SkipMethod.None_:
            return before.Skip
        if failed is not None or data is None or no_way:
            status = (
                DicomCommandStatusType.ClassNotSupported
                if no_way
                else DicomCommandStatusType.ProcessingFailure
            )
            after(net, item, message, context, status)
            return SkipMethod.None_
        given = before.Dataset if before.Dataset is not None else data
        arguments = (
            item.sop_class,
            item.instance,
            before.Priority,
            *net.__dict__.get(ORIGINATOR, ("", 0)),
        )
        sent = _send(net, state, stack, ways, message, arguments, given)
    if sent is None:
        after(net, item, message, context, DicomCommandStatusType.ProcessingFailure)
    else:
        _steps.exchange(net, state)
        after(net, item, message, sent, state.parameters.Status)
    return SkipMethod.None_


def _send(
    net: Any,
    state: ConnectionState,
    stack: contextlib.ExitStack,
    ways: list[tuple[int, str]],
    message: int,
    arguments: tuple[Any, ...],
    data: DicomDataSet,
) -> int | None:
    """Send an instance in the first context that it can be had for; None: in none."""
    for context, syntax in ways:
        try:
            ready = converted(stack, data, syntax)
            state.presentation_id = context
            state.parameters.Status = DicomCommandStatusType.Success
            state.conversation.forget_answer()
            _steps.send(net, state, "SendCStoreRequest", context, message, *arguments, ready)
        except DicomException as error:  # noqa: PERF203 - the next way
            if not base.connected(net) or error.Code == DicomExceptionCode.ObjectDisposed:
                _steps.exchange(net, state)  # raises: it is over
            if state.log is not None:
                state.log.line(f"not in {syntax}: {error}")
        else:
            return context
    return None


def converted(stack: contextlib.ExitStack, data: DicomDataSet, syntax: str) -> DicomDataSet:
    """Give the data set in a syntax; native forms are converted when they are sent.

    Raises
    ------
    DicomException
        There is no codec for it.
    """
    own = data.transfer_syntax or syntax
    native = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99"}
    native.add("1.2.840.10008.1.2.2")
    if own == syntax or {own, syntax} <= native or not has_pixels(data):
        return data
    copy = stack.enter_context(DicomDataSet())
    copy.Copy(data, None, None)
    copy.ChangeTransferSyntax(syntax, QUALITY, ChangeTransferSyntaxFlags.None_)
    return copy


def has_pixels(data: DicomDataSet) -> bool:
    """Tell whether a data set has pixels, which a codec is for."""
    return 0x7FE00010 in data.to_pydicom()
