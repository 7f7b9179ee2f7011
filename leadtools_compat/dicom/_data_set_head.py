"""What stands before a data set in its file: preamble and group 0002 (PS3.10 7.1)."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadtools_compat._binding.text import StrPath
from leadtools_compat.dicom._data_set_records import is_directory

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

__all__ = ["Head", "header"]


class Head:
    """What stood before the data set in its file: preamble and group 0002 (PS3.10 7.1)."""

    __slots__ = ("_content", "_group", "length", "path")

    def __init__(self, path: StrPath | None = None, length: int = 0, content: bytes = b"") -> None:
        """Remember the first `length` bytes of a file, or have its beginning here."""
        self.path = path
        self._content = content
        self._group: Any = None
        self.length = length or len(content)

    def copied(self, group: Any) -> Head:
        """Make another one; `group`: the elements of group 0002, if they have been parsed."""
        import copy

        made = Head(self.path, self.length, self._content)
        made._group = self._group if group is None else copy.deepcopy(group)
        return made

    def content(self) -> bytes:
        """Get the bytes; none if the file has gone meanwhile."""
        if self.path is not None and self.length:
            try:
                with Path(os.fsdecode(self.path)).open("rb") as file:
                    self._content = file.read(self.length)
            except OSError:
                self._content = b""
            self.path = None
        return self._content

    def __bool__(self) -> bool:
        return self.length > 0 or self._group is not None

    def preamble(self) -> bytes:
        """Get the 128 bytes before ``DICM``; none if there is no preamble."""
        content = self.content()
        return content[:128] if content[128:132] == b"DICM" else b""

    def _read(self) -> Any:
        """Parse group 0002; None: there is none."""
        content = self.content()
        start = 132 if content[128:132] == b"DICM" else 0
        if len(content) <= start:
            return None
        from pydicom.dataset import FileMetaDataset
        from pydicom.filereader import read_dataset

        try:
            group: Any = read_dataset(io.BytesIO(content[start:]), False, True)
            found = FileMetaDataset()
            for element in group:
                if element.tag.group == 2:
                    found.add(element)
        except Exception:  # noqa: BLE001 - C has found in it what is needed
            return None
        return found

    def says(self, group: Dataset) -> bool:
        """Tell whether this is what the file had, but for the transfer syntax."""
        found = self._read()
        if found is None:
            return False
        ignored = {0x00020000, 0x00020010}

        def rest(one: Any) -> dict[int, Any]:
            return {int(element.tag): element for element in one if element.tag not in ignored}

        return rest(found) == rest(group)

    def add_to(self, data: Dataset) -> None:
        """Complete the `file_meta` of a data set that has been parsed."""
        found = self._read() if self._group is None else self._group
        if found is None:
            return
        for element in getattr(data, "file_meta", ()):
            if self._group is not None:
                found.add(element)
            else:
                found.setdefault(element.tag, element)
        data.file_meta = found


def header(data: Dataset, group: Any, syntax: str, preamble: bytes) -> bytes:
    """Write preamble and group 0002 with everything that is in `group`, and what must be."""
    import copy

    from pydicom.dataset import FileMetaDataset
    from pydicom.filebase import DicomBytesIO
    from pydicom.filewriter import write_file_meta_info
    from pydicom.uid import UID, MediaStorageDirectoryStorage, generate_uid

    from leadtools_compat.dicom.dicom_associate import DicomAssociate

    meta = FileMetaDataset() if group is None else copy.deepcopy(group)
    for keyword, tag in (
        ("MediaStorageSOPClassUID", 0x00080016),
        ("MediaStorageSOPInstanceUID", 0x00080018),
    ):
        if tag in data:
            setattr(meta, keyword, data[tag].value)
        else:
            meta.setdefault(keyword, UID(""))
    if is_directory(data):
        meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
        meta.MediaStorageSOPInstanceUID = meta.get("MediaStorageSOPInstanceUID") or generate_uid()
        if group is not None:  # the same one next time
            group.MediaStorageSOPInstanceUID = meta.MediaStorageSOPInstanceUID
    meta.TransferSyntaxUID = UID(syntax)
    meta.FileMetaInformationVersion = b"\0\1"
    meta.ImplementationClassUID = UID(DicomAssociate(True).ImplementClass)
    stream = DicomBytesIO()
    write_file_meta_info(stream, meta, enforce_standard=False)
    return (preamble or bytes(128)) + b"DICM" + stream.getvalue()
