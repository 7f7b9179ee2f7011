"""`DicomDir`: the DICOMDIR of a folder of DICOM files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadtools_compat._binding.errors import parameter_error
from leadtools_compat._binding.text import StrPath
from leadtools_compat.dicom._data_set_records import RECORDS
from leadtools_compat.dicom.dicom_data_set import DicomDataSet
from leadtools_compat.dicom.dicom_exception import DicomException
from leadtools_compat.dicom.enums_class import DicomClassType
from leadtools_compat.dicom.enums_codes import DicomExceptionCode
from leadtools_compat.dicom.enums_dataset import DicomDataSetLoadFlags

if TYPE_CHECKING:
    from pydicom.dataset import Dataset
    from typing_extensions import Self

    from leadtools_compat.dicom.dicom_element import DicomElement

__all__ = ["DicomDir", "DicomDirOptions"]

_NAME = "DICOMDIR"
_UNIQUE = {"PATIENT": 0x00100020, "STUDY": 0x0020000D, "SERIES": 0x0020000E}


class DicomDirOptions:
    """How a `DicomDir` takes files.

    Attributes
    ----------
    IncludeSubfolders
        Whether ``InsertFile(None)`` looks into folders below; False at first.
    InsertIconImageSequence
        Accepted; icons are not made.
    RejectInvalidFileId
        Whether a file is refused whose name is not as PS3.10 8.2 demands: at most 8 folders and
        names of at most 8 of A-Z, 0-9 and _; False at first.

    Notes
    -----
    Mirrors ``Leadtools.Dicom.DicomDirOptions``.
    """

    __slots__ = ("IncludeSubfolders", "InsertIconImageSequence", "RejectInvalidFileId")

    def __init__(self) -> None:
        self.IncludeSubfolders = False
        self.InsertIconImageSequence = False
        self.RejectInvalidFileId = False

    def __repr__(self) -> str:
        named = ", ".join(f"{name}={getattr(self, name)}" for name in self.__slots__)
        return f"DicomDirOptions({named})"


class DicomDir:
    """Makes and changes the file ``DICOMDIR`` of a folder. The files themselves stay as they are.

    Parameters
    ----------
    destinationFolder
        The folder; files that are inserted have to be below it. None: `Reset` or `Load` comes.

    Attributes
    ----------
    DataSet
        The directory; its keys are the records (`DicomDataSet.GetFirstKey` and its kin).
    Options
        How files are taken.

    Notes
    -----
    Mirrors ``Leadtools.Dicom.DicomDir``. Nothing is written before `Save`.
    """

    DataSet: DicomDataSet
    Options: DicomDirOptions

    def __init__(self, destinationFolder: StrPath | None = None) -> None:
        self.Options = DicomDirOptions()
        self.DataSet = DicomDataSet()
        self._folder: Path | None = None
        self._added = 0
        self.Reset(destinationFolder)

    def Reset(self, destinationFolder: StrPath | None) -> None:
        """Begin an empty directory for a folder.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDir.Reset``.
        """
        self._folder = None
        if destinationFolder is not None and os.fspath(destinationFolder):
            folder = Path(os.fsdecode(destinationFolder))
            if not folder.is_dir():
                raise DicomException(
                    DicomExceptionCode.FileNotFound, f'"{folder}" is no folder that exists'
                )
            self._folder = folder.resolve()
        self._added = 0
        self.DataSet.Initialize(DicomClassType.BasicDirectory)

    def ResetOptions(self) -> None:
        """Have the options of a new object.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDir.ResetOptions``.
        """
        self.Options = DicomDirOptions()

    def Load(
        self, file: StrPath, flags: DicomDataSetLoadFlags | int = DicomDataSetLoadFlags.None_
    ) -> None:
        """Read a DICOMDIR; its folder is the destination from now on.

        Raises
        ------
        DicomException
            As from `DicomDataSet.Load`; ``FileFormat``: it is no directory.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDir.Load``.
        """
        loaded = DicomDataSet()
        loaded.Load(file, int(flags) | DicomDataSetLoadFlags.LoadAndClose)
        if loaded.FindFirstElement(None, RECORDS, True) is None:
            raise DicomException(
                DicomExceptionCode.FileFormat, f'"{os.fsdecode(file)}" is no DICOMDIR'
            )
        self.DataSet.Copy(loaded, None, None)
        self._folder = Path(os.fsdecode(file)).resolve().parent
        self._added = 0

    def Save(self) -> None:
        """Write the file ``DICOMDIR`` into the folder, in the place of the one that is there.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDir.Save``.
        """
        self.DataSet.Save(self._destination() / _NAME)

    def _destination(self) -> Path:
        if self._folder is None:
            raise DicomException(
                DicomExceptionCode.InvalidState,
                "The DicomDir has no folder; give one to its constructor or to Reset",
            )
        return self._folder

    # ---- files ----

    def InsertFile(self, file: StrPath | None) -> None:
        """Add a file, or all DICOM files of the folder.

        Parameters
        ----------
        file
            A file below the folder, by its whole path or from the folder. None: all, those that
            are no DICOM files are passed over.

        Raises
        ------
        DicomException
            ``Parameter``: the file is not below the folder, or its name is not allowed; what
            `DicomDataSet.Load` raises; ``ValueInvalid``: an identifier is missing in it;
            ``Canceled``: `OnInsertFile` has said so.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDir.InsertFile``.
        """
        folder = self._destination()
        if file is None or not os.fspath(file):
            for path in sorted(
                folder.rglob("*") if self.Options.IncludeSubfolders else folder.iterdir()
            ):
                if path.is_file() and path.name != _NAME:
                    self._insert(path, True)
            return
        self._insert(folder / os.fsdecode(file), False)

    def _insert(self, path: Path, lenient: bool) -> None:
        self._file_id(path)
        with DicomDataSet() as data:
            code = DicomExceptionCode.Success
            try:
                data.Load(path)
            except DicomException as error:
                if not lenient:
                    raise
                code = error.Code
            answer = self.OnInsertFile(str(path), data, code)
            if answer is not None and int(answer) != DicomExceptionCode.Success:
                raise DicomException(
                    DicomExceptionCode.Canceled, f'OnInsertFile has refused "{path}"'
                )
            if code == DicomExceptionCode.Success:
                self.InsertDataSet(data, path)

    def InsertDataSet(self, ds: DicomDataSet, fileName: StrPath) -> None:
        """Add a file whose data set is at hand.

        Parameters
        ----------
        ds
            What is in the file.
        fileName
            Its path, below the folder.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDir.InsertDataSet``.
        """
        if not isinstance(ds, DicomDataSet):
            raise TypeError(f"ds must be a DicomDataSet, not {type(ds).__name__}")
        parts = self._file_id(self._destination() / os.fsdecode(fileName))
        records = _records(ds, parts)
        above: DicomElement | None = None
        for kind, record in records[:-1]:
            above = self._upper(above, kind, record)
        self._leaf(above, *records[-1])
        self._added += 1

    def OnInsertFile(
        self, fileName: str, ds: DicomDataSet, code: DicomExceptionCode, *more: Any
    ) -> DicomExceptionCode | int | None:
        """Hear of each file before it is added; may be overridden.

        Parameters
        ----------
        fileName
            Its path.
        ds
            What is in it; empty if it is no DICOM file.
        code
            ``Success``, or why it cannot be read, in which case it is passed over.

        Returns
        -------
        int
            ``Success`` goes on; anything else ends the call with ``Canceled``.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDir.OnInsertFile``.
        """
        return DicomExceptionCode.Success

    def GetAddedDicomFilesCount(self) -> int:
        """How many files have been added since the last `Reset` or `Load`.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDir.GetAddedDicomFilesCount``.
        """
        return self._added

    def SetFileSetId(self, id: str) -> None:
        """Name the set of files: at most 16 of A-Z, 0-9, _ and blanks.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDir.SetFileSetId``.
        """
        self.DataSet.InsertElementAndSetValue(0x00041130, id)

    def SetDescriptorFile(self, file: str, charset: str = "") -> None:
        """Name the file that describes the set, and its character set.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDir.SetDescriptorFile``.
        """
        parts = self._file_id(self._destination() / file)
        self.DataSet.InsertElementAndSetValue(0x00041141, parts)
        if charset:
            self.DataSet.InsertElementAndSetValue(0x00041142, charset)

    def _file_id(self, path: Path) -> list[str]:
        """Make the parts of a file's identifier (PS3.10 8.2)."""
        try:
            parts = list(path.resolve().relative_to(self._destination()).parts)
        except ValueError:
            raise parameter_error(
                f'"{path}" is not below the folder "{self._folder}" of the DicomDir'
            ) from None
        good = len(parts) <= 8 and all(
            0 < len(one) <= 8
            and all(c.isascii() and (c.isupper() or c.isdigit() or c == "_") for c in one)
            for one in parts
        )
        if not good and self.Options.RejectInvalidFileId:
            raise parameter_error(
                f'"{path}" has a name that media do not allow: at most 8 parts of at most 8 of '
                "A-Z, 0-9 and _"
            )
        return parts

    # ---- records ----

    def _upper(self, above: DicomElement | None, kind: str, record: Dataset) -> DicomElement:
        """Find the record of a patient, study or series, or make it."""
        data, tag = self.DataSet, _UNIQUE[kind]
        wanted = str(record[tag].value)
        key = data.GetChildKey(above)
        while key is not None:
            below = data.GetChildElement(key, True)
            found = None if below is None else data.FindFirstElement(below, tag, True)
            same = found is not None and data.GetStringValue(found, 0) == wanted
            if same and data.GetKeyValueString(key) == kind:
                return key
            key = data.GetNextKey(key, True)
        return self._made(above, kind, record)

    def _made(self, above: DicomElement | None, kind: str, record: Dataset) -> DicomElement:
        data = self.DataSet
        key = data.InsertKey(above, True, kind)
        given = DicomDataSet.from_pydicom(record)
        data.Copy(given, key, None)
        return key

    def _leaf(self, above: DicomElement | None, kind: str, record: Dataset) -> None:
        """Make the record of a file, in the place of one that the file has already."""
        data = self.DataSet
        wanted = (
            list(record.ReferencedFileID)
            if record["ReferencedFileID"].VM > 1
            else [record.ReferencedFileID]
        )
        key = data.GetFirstKey(None, False)
        while key is not None:
            following = data.GetNextKey(key, False)
            below = data.GetChildElement(key, True)
            found = None if below is None else data.FindFirstElement(below, 0x00041500, True)
            if found is not None and data.GetConvertValue(found) == "\\".join(wanted):
                data.DeleteKey(key)
                break
            key = following
        self._made(above, kind, record)

    # ---- life ----

    def Dispose(self) -> None:
        """Free the data set."""
        self.DataSet.Dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.Dispose()

    def __repr__(self) -> str:
        return f"<DicomDir {self._folder}, {self._added} files added>"


def _records(ds: DicomDataSet, parts: list[str]) -> list[tuple[str, Dataset]]:
    """Make the records of one file, from the patient's down to its own."""
    from pydicom import fileset

    source = ds.to_pydicom()
    syntax = ds.transfer_syntax
    try:
        alone = fileset._single_level_record_type(source)
        leaf = fileset._four_level_record_type(source) if alone == "PATIENT" else alone
        kinds = [leaf] if alone != "PATIENT" else ["PATIENT", "STUDY", "SERIES", leaf]
        made = [(kind, fileset.DIRECTORY_RECORDERS[kind](source)) for kind in kinds]
    except (KeyError, ValueError, AttributeError) as error:
        raise DicomException(
            DicomExceptionCode.ValueInvalid,
            f"The data set cannot be in a DICOMDIR: {error}",
        ) from error
    record = made[-1][1]
    record.ReferencedFileID = parts
    record.ReferencedSOPClassUIDInFile = source.get("SOPClassUID", "")
    record.ReferencedSOPInstanceUIDInFile = source.get("SOPInstanceUID", "")
    record.ReferencedTransferSyntaxUIDInFile = syntax
    for _, one in made:
        if "SpecificCharacterSet" in source:
            one.SpecificCharacterSet = source.SpecificCharacterSet
    return made
