"""An archive of ours for tests: answers C-FIND, C-MOVE and C-GET (PS3.4 C) from files, as ported programs do."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset

from leadtools_compat.dicom import (
    DicomAssociate,
    DicomCommandStatusType,
    DicomDataSet,
    DicomNet,
    DicomRoleSupport,
)
from tests.dicom.nodes import Scp, request
from tests.support import Hook, Log

PATIENT_FIND = "1.2.840.10008.5.1.4.1.2.1.1"
PATIENT_MOVE = "1.2.840.10008.5.1.4.1.2.1.2"
PATIENT_GET = "1.2.840.10008.5.1.4.1.2.1.3"
STUDY_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
STUDY_MOVE = "1.2.840.10008.5.1.4.1.2.2.2"
STUDY_GET = "1.2.840.10008.5.1.4.1.2.2.3"
WORKLIST = "1.2.840.10008.5.1.4.31"
IMPLICIT = "1.2.840.10008.1.2"
NO_KEYS = ("QueryRetrieveLevel", "SpecificCharacterSet", "RetrieveAETitle")
STATUS = DicomCommandStatusType


class File(NamedTuple):
    """A file and what identifies it."""

    path: Path
    data: Dataset

    @property
    def sop_class(self) -> str:
        return str(self.data.SOPClassUID)

    @property
    def instance(self) -> str:
        return str(self.data.SOPInstanceUID)

    @property
    def syntax(self) -> str:
        return str(self.data.file_meta.TransferSyntaxUID)


def files(*names: str) -> list[File]:
    """Give files of pydicom's own."""
    paths = [Path(str(get_testdata_file(name, download=False))) for name in names]
    return [File(path, dcmread(path)) for path in paths]


OF_ALL_SYNTAXES = files(
    "CT_small.dcm",  # explicit VR little endian
    "rtplan.dcm",  # implicit VR little endian
    "SC_rgb_small_odd_big_endian.dcm",
    "SC_rgb_small_odd_jpeg.dcm",  # JPEG baseline
    "JPEG-lossy.dcm",  # JPEG extended, 12 bit
    "SC_rgb_jpeg_gdcm.dcm",  # JPEG lossless
    "JPEG2000.dcm",
    "examples_jpeg2k.dcm",  # JPEG 2000 lossless
    "MR_small_RLE.dcm",
)
"""Each in another transfer syntax, each another instance, and all with the identifiers of an archive."""


def identifier(level: str, **keys: Any) -> Dataset:
    """Make a query."""
    made = Dataset()
    made.QueryRetrieveLevel = level
    for name, value in keys.items():
        setattr(made, name, value)
    return made


def _fits(query: Dataset, data: Dataset) -> bool:
    for element in query:
        if element.keyword in NO_KEYS or element.is_empty:
            continue
        own = str(data.get(element.tag).value) if element.tag in data else ""
        wanted = element.value if element.VM > 1 else [element.value]
        if not any(fnmatch.fnmatchcase(own, str(one)) for one in wanted):
            return False
    return True


def accept_with_roles(net: DicomNet, asked: DicomAssociate) -> None:
    """Accept every context with its first transfer syntax, and the roles that were proposed."""
    with DicomAssociate(False) as answer:
        answer.Version = 1
        answer.Called, answer.Calling = asked.Called, asked.Calling
        answer.ApplicationContextName = asked.ApplicationContextName
        for index in range(asked.PresentationContextCount):
            number = asked.GetPresentationContextID(index)
            answer.AddPresentationContext(number, 0, asked.GetAbstract(number))
            answer.AddTransfer(number, asked.GetTransfer(number, 0))
            if asked.IsRoleSelect(number):
                roles = (asked.GetUserRole(number), asked.GetProviderRole(number))
                answer.SetRoleSelect(number, True, *roles)
        net.SendAssociateAccept(answer)


def store(scu: Any, sent: Sequence[File], syntax: str = "") -> None:
    """Send files on an association that has contexts for them, in their transfer syntax or `syntax`."""
    contexts = {}
    for index in range(scu.Association.PresentationContextCount):
        number = scu.Association.GetPresentationContextID(index)
        pair = (scu.Association.GetAbstract(number), scu.Association.GetTransfer(number, 0))
        contexts[pair] = number
    for count, file in enumerate(sent, 1):
        number = contexts[file.sop_class, syntax or file.syntax]
        with DicomDataSet() as data:
            data.Load(file.path)
            scu.SendCStoreRequest(number, count, file.sop_class, file.instance, 0, "", 0, data)
        assert scu.log.wait("OnReceiveCStoreResponse", count).arguments[4] == STATUS.Success


def with_get(link: Any, port: int, called: str, wanted: Sequence[File]) -> Any:
    """Associate for a C-GET of such files: we offer to be SCP of their classes."""

    def keep(net: DicomNet, p: int, m: int, c: str, instance: str, *rest: Any) -> None:
        net.SendCStoreResponse(p, m, c, instance, STATUS.Success)

    scu = link.dial(port, OnReceiveCStoreRequest=keep)
    classes = sorted({file.sop_class for file in wanted})
    offered = [(PATIENT_GET, IMPLICIT), *((one, IMPLICIT) for one in classes)]
    no, yes = DicomRoleSupport.Unsupported, DicomRoleSupport.Supported
    with request(*offered, called=called) as asked:
        for number in range(3, 2 * len(offered) + 1, 2):
            asked.SetRoleSelect(number, True, no, yes)
        scu.SendAssociateRequest(asked)
    scu.log.wait("OnReceiveAssociateAccept")
    return scu


def answers(scu: Any, name: str) -> list[Any]:
    """Wait for the final answer to a C-FIND, C-MOVE or C-GET; gives the arguments of all."""
    while True:
        events = scu.log.all(name)
        if events and int(events[-1].arguments[3]) not in (0xFF00, 0xFF01):
            return [event.arguments for event in events]
        scu.log.wait(name, len(events) + 1)


def same(found: Iterable[Dataset], wanted: Sequence[File]) -> None:
    """Compare data sets, maybe in another transfer syntax that needs no codec, with files."""
    got = {str(one.SOPInstanceUID): one for one in found}
    assert got.keys() == {file.instance for file in wanted}
    for file in wanted:
        one = got[file.instance]
        assert one.PatientName == file.data.PatientName
        assert len(one.get("PixelData", b"")) == len(file.data.get("PixelData", b""))
        meta = getattr(one, "file_meta", None)
        if meta is not None and meta.TransferSyntaxUID == file.syntax:
            assert one.get("PixelData") == file.data.get("PixelData")


def identical(got: Dataset, wanted: File) -> None:
    """Compare element by element, but for group lengths and padding, which programs may change.

    VRs are not compared: DCMTK corrects that of compressed pixels.
    """

    def kept(data: Dataset) -> list[tuple[int, Any]]:
        return [
            (int(one.tag), one.value)
            for one in data
            if one.tag.element != 0 and one.tag != 0xFFFCFFFC
        ]

    assert kept(got) == kept(wanted.data)


class Archive:
    """Serves files; `hooks` makes an `Scp` do it.

    Parameters
    ----------
    stored
        What it has.
    link
        How it connects to where a C-MOVE goes.
    destinations
        Port by AE title.
    """

    def __init__(
        self, stored: Sequence[File], link: Any, destinations: dict[str, int] | None = None
    ) -> None:
        self.stored = list(stored)
        self.destinations = {} if destinations is None else destinations
        self.log = Log()
        """Of its sub-associations: each that has ended."""
        self._link = link
        self._gets: dict[DicomNet, Iterator[None]] = {}

    @property
    def hooks(self) -> dict[str, Hook]:
        return {
            "OnReceiveAssociateRequest": accept_with_roles,
            "OnReceiveCFindRequest": self._find,
            "OnReceiveCMoveRequest": self._move,
            "OnReceiveCGetRequest": self._get,
            "OnReceiveCStoreResponse": self._got,
        }

    def matches(self, query: Dataset) -> list[File]:
        return [file for file in self.stored if _fits(query, file.data)]

    def _find(self, net: Scp, p: int, m: int, c: str, priority: Any, ds: DicomDataSet) -> None:
        query = ds.to_pydicom()
        told = set()
        for file in self.matches(query):
            answer = Dataset()
            for element in query:
                if element.keyword == "QueryRetrieveLevel" or element.tag not in file.data:
                    answer[element.tag] = element
                else:
                    answer[element.tag] = file.data[element.tag]
            if str(answer) not in told:
                told.add(str(answer))
                data = DicomDataSet.from_pydicom(answer)
                net.SendCFindResponse(p, m, c, STATUS.Pending, data)
        net.SendCFindResponse(p, m, c, STATUS.Success, None)

    def _move(
        self, net: Scp, p: int, m: int, c: str, priority: Any, to: str, ds: DicomDataSet
    ) -> None:
        if to not in self.destinations:
            unknown = STATUS.RefusedMoveDestinationUnknown
            net.SendCMoveResponse(p, m, c, unknown, 0, 0, 0, 0, None)
            return
        found = self.matches(ds.to_pydicom())
        contexts = sorted({(file.sop_class, file.syntax) for file in found})
        association = net.Association
        assert association is not None
        scu = self._link.associated_to(self.destinations[to], *contexts, called=to)
        failed = 0
        for done, file in enumerate(found, 1):
            number = 2 * contexts.index((file.sop_class, file.syntax)) + 1
            with DicomDataSet() as data:
                data.Load(file.path)
                scu.SendCStoreRequest(
                    number, done, file.sop_class, file.instance, 0, association.Calling, m, data
                )
            failed += scu.log.wait("OnReceiveCStoreResponse", done).arguments[4] != STATUS.Success
            left = len(found) - done
            net.SendCMoveResponse(p, m, c, STATUS.Pending, left, done - failed, failed, 0, None)
        scu.SendReleaseRequest()
        self.log.add("OnClose", scu.log.wait("OnClose").code)
        status = STATUS.Success if not failed else STATUS.Warning
        net.SendCMoveResponse(p, m, c, status, 0, len(found) - failed, failed, 0, None)

    # A C-GET goes on in the callbacks of its sub-operations: they cannot come while one is waited in.

    def _get(self, net: Scp, p: int, m: int, c: str, priority: Any, ds: DicomDataSet) -> None:
        self._gets[net] = self._steps(net, p, m, c, self.matches(ds.to_pydicom()))
        next(self._gets[net], None)

    def _got(self, net: Scp, *arguments: Any) -> None:
        next(self._gets[net], None)

    def _steps(self, net: Scp, p: int, m: int, c: str, found: list[File]) -> Iterator[None]:
        association = net.Association
        assert association is not None
        for done, file in enumerate(found, 1):
            with DicomDataSet() as data:
                data.Load(file.path)
                number = association.FindAbstract(file.sop_class)
                net.SendCStoreRequest(number, done, file.sop_class, file.instance, 0, "", 0, data)
            yield
            left = len(found) - done
            net.SendCGetResponse(p, m, c, STATUS.Pending, left, done, 0, 0, None)
        net.SendCGetResponse(p, m, c, STATUS.Success, 0, len(found), 0, 0, None)
