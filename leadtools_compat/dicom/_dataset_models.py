"""`DicomDataSet`: as JSON (PS3.18 F) and XML (PS3.19 A)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, Any

from leadtools_compat._binding.errors import parameter_error
from leadtools_compat._binding.text import Contents, StrPath, is_bytes
from leadtools_compat.dicom import _data_set_codec as codec
from leadtools_compat.dicom._arguments import integer
from leadtools_compat.dicom._data_set_state import state_of
from leadtools_compat.dicom.dicom_exception import DicomException
from leadtools_compat.dicom.enums_codes import DicomExceptionCode

__all__ = ["DataSetModels"]

Source = StrPath | Contents | IO[bytes]


def _read(file: Source) -> bytes:
    if is_bytes(file):
        return bytes(file)
    if isinstance(file, (str, os.PathLike)):
        path = Path(os.fsdecode(file))
        try:
            return path.read_bytes()
        except FileNotFoundError as error:
            raise DicomException(
                DicomExceptionCode.FileNotFound, f'"{path}" does not exist'
            ) from error
        except OSError as error:
            raise DicomException(
                DicomExceptionCode.FileAccess, f'"{path}" cannot be read: {error.strerror}'
            ) from error
    read: Any = getattr(file, "read", None)
    if read is None:
        raise TypeError(
            f"file must be a path, a binary stream or bytes-like, not {type(file).__name__}"
        )
    return bytes(read())


def _write(file: StrPath | IO[bytes], content: bytes) -> None:
    if not isinstance(file, (str, os.PathLike)):
        file.write(content)
        return
    path = Path(os.fsdecode(file))
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise DicomException(
            DicomExceptionCode.FileWrite, f'"{path}" cannot be written: {error.strerror}'
        ) from error


def _no_flags(flags: int) -> None:
    if integer(flags, "flags", 0, 2**31 - 1) != 0:
        raise parameter_error(f"flags is {int(flags)}; there are none yet, give 0")


def _invalid(what: str, error: Exception) -> DicomException:
    return DicomException(DicomExceptionCode.XmlFormat, f"The {what} is no data set: {error}")


class DataSetModels:
    """Members about the two models of data sets as text.

    A file is a path or a binary stream, for loading the bytes themselves too. Loading replaces the
    content; what cannot be read is ``XmlFormat``, and nothing has changed then. Group 0002 is not a
    part of either model. The transfer syntax becomes explicit VR little endian.
    """

    def _adopt(self, elements: Any) -> None:
        with state_of(self) as state:
            state.start(codec.EXPLICIT)
            tree = state.tree()
            for element in elements:
                tree.root.add(element)
            state.touch()

    def SaveJson(self, file: StrPath | IO[bytes], flags: int = 0) -> None:
        """Write the DICOM JSON model; bytes are in it as base64.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.SaveJson``; the form is PS3.18 F.2.
        """
        import json

        _no_flags(flags)
        with state_of(self) as state, state.writing("JSON"):
            model = state.tree().root.to_json_dict(1 << 40)
        _write(file, json.dumps(model, ensure_ascii=False, indent=1).encode())

    def LoadJson(self, file: Source, flags: int = 0) -> None:
        """Read the DICOM JSON model.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.LoadJson``.
        """
        import json

        from pydicom.dataset import Dataset

        _no_flags(flags)
        content = _read(file)
        try:
            model = json.loads(content)
            if isinstance(model, list) and len(model) == 1:
                model = model[0]
            elements = Dataset.from_json(model)
            codec.encode(elements, codec.EXPLICIT, codec.EXPLICIT)
        except (MemoryError, DicomException):
            raise
        except Exception as error:
            raise _invalid("JSON", error) from error
        self._adopt(elements)

    def SaveXml(self, file: StrPath | IO[bytes], flags: int = 0) -> None:
        """Write the native DICOM model; bytes are in it as base64.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.SaveXml``; the form is PS3.19 A.1.
        """
        from leadtools_compat.dicom._data_set_xml import write

        _no_flags(flags)
        with state_of(self) as state, state.writing("XML"):
            content = write(state.tree().root)
        _write(file, content)

    def LoadXml(self, file: Source, flags: int = 0) -> None:
        """Read the native DICOM model; entities and document types are refused.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.LoadXml``.
        """
        from leadtools_compat.dicom._data_set_xml import read

        _no_flags(flags)
        content = _read(file)
        try:
            elements = read(content)
            codec.encode(elements, codec.EXPLICIT, codec.EXPLICIT)
        except (MemoryError, DicomException):
            raise
        except Exception as error:
            raise _invalid("XML", error) from error
        self._adopt(elements)
