"""`DicomDataSet`: files, and the transfer syntax."""

from __future__ import annotations

import builtins
import os
from pathlib import Path
from typing import IO

from leadtools_compat._binding import lib
from leadtools_compat._binding.datasets import DataSet
from leadtools_compat._binding.errors import parameter_error
from leadtools_compat._binding.text import Contents, StrPath, is_bytes
from leadtools_compat.dicom import _data_set_codec as codec
from leadtools_compat.dicom._arguments import flags as check_flags
from leadtools_compat.dicom._arguments import integer
from leadtools_compat.dicom._data_set_head import Head
from leadtools_compat.dicom._data_set_state import DataSetState, state_of
from leadtools_compat.dicom.enums_dataset import (
    ChangeTransferSyntaxFlags,
    DicomDataSetLoadFlags,
    DicomDataSetSaveFlags,
)

__all__ = ["DataSetFiles"]

Flags = DicomDataSetSaveFlags

_META: int = lib.DS_METAHEADER_PRESENT | lib.DS_METAHEADER_ABSENT
_EXCLUSIVE = (
    Flags.LittleEndian | Flags.BigEndian,
    Flags.ImplicitVR | Flags.ExplicitVR,
    Flags.ImplicitVR | Flags.BigEndian,
    Flags.MetaHeaderPresent | Flags.MetaHeaderAbsent,
)


def _target(own: str, number: int) -> str | None:
    """Find the syntax that Save's flags ask for; None: C is to judge, it needs a codec."""
    big = number & Flags.BigEndian
    little = number & Flags.LittleEndian
    implicit = number & Flags.ImplicitVR
    explicit = number & Flags.ExplicitVR
    if own and own not in codec.NATIVE:
        return None
    if not (big or little or implicit or explicit):
        return own or codec.EXPLICIT
    if big or (own == codec.BIG and not little and not implicit):
        return codec.BIG
    if implicit or (own == codec.IMPLICIT and not explicit):
        return codec.IMPLICIT
    return codec.DEFLATED if own == codec.DEFLATED else codec.EXPLICIT


def _to_save(state: DataSetState, number: int) -> tuple[DataSet, int, bytes]:
    """Find what is to be written: the data set, the flags left for C, a header of its own."""
    directory = state.written_directory(_target(state.syntax(), number) or codec.EXPLICIT)
    if directory is not None:
        absent = number & Flags.MetaHeaderAbsent
        return directory[0], number & _META, b"" if absent else directory[1]
    data = state.settled()
    target = _target(data.syntax, number)
    rest = number & ~int(Flags.GroupLengths | Flags.LengthExplicit)
    if target is not None:
        rest &= _META
    if number & (Flags.GroupLengths | Flags.LengthExplicit):
        own = target or data.syntax
        if target is None and rest & ~_META:
            return DataSet.retain(data.handle), rest, b""  # C says what is wrong
        data = state.written(
            own, bool(number & Flags.GroupLengths), bool(number & Flags.LengthExplicit)
        )
    elif target is not None and target != data.syntax:
        data = state.converted(target) or data
    header = b"" if rest & Flags.MetaHeaderAbsent else state.header(data.syntax)
    return DataSet.retain(data.handle), rest, header  # others may use the object meanwhile


def _write(data: DataSet, header: bytes, path: StrPath) -> None:
    """Write a file with a header of our own; C does it, which takes all of it for a data set."""
    whole = DataSet.create(None)
    whole.set(b"".join((header, data.view())), data.syntax)
    whole.save(path, lib.DS_METAHEADER_ABSENT)
    whole.free()


class DataSetFiles:
    """Members about files and transfer syntaxes."""

    # ---- files ----

    def Load(
        self,
        file: StrPath | Contents | IO[bytes],
        flags: DicomDataSetLoadFlags | int = DicomDataSetLoadFlags.None_,
    ) -> None:
        """Read a file, with preamble and group 0002 or without.

        Parameters
        ----------
        file
            A path, a binary stream (read to its end) or the bytes themselves. The data set of a
            path is read when it is needed, and streamed from there when it is sent.
        flags
            ``LoadAndClose`` reads all of it now.

        Raises
        ------
        DicomException
            ``FileNotFound``, ``FileAccess``, ``FileRead``, ``FileFormat``. Nothing has changed then.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.Load``.
        """
        number = check_flags(flags, "flags", DicomDataSetLoadFlags)
        if isinstance(file, (str, os.PathLike)):
            with state_of(self) as state:
                loaded = DataSet.create(state.folder)
                loaded.load(file)
                before = Path(os.fsdecode(file)).stat().st_size - loaded.length
                head = Head(file, before)
                if number & DicomDataSetLoadFlags.LoadAndClose:
                    head.content()
                    loaded.set(loaded.view(), loaded.syntax)
                state.take(loaded, head)
            return
        if not is_bytes(file) and not hasattr(file, "read"):
            raise TypeError(
                f"file must be a path, a binary stream or bytes-like, not {type(file).__name__}"
            )
        import shutil

        with os.fdopen(os.memfd_create("leadtools_compat"), "w+b") as copy:
            if isinstance(file, (bytes, bytearray, memoryview)):
                copy.write(file)
            else:
                shutil.copyfileobj(file, copy)
            copy.flush()
            self.Load(f"/proc/self/fd/{copy.fileno()}", DicomDataSetLoadFlags.LoadAndClose)

    def Save(
        self,
        file: StrPath | IO[bytes],
        flags: DicomDataSetSaveFlags | int = DicomDataSetSaveFlags.None_,
    ) -> None:
        """Write a file, in the place of what was there: whole and on the disk, or not at all.

        A process that is killed meanwhile leaves no part of a new file, where the file system knows
        files without a name (O_TMPFILE).

        Parameters
        ----------
        file
            A path or a binary stream.
        flags
            Byte order and VR form convert a data set whose syntax needs no codec. A data set that
            has no syntax yet becomes explicit VR little endian.

        Raises
        ------
        DicomException
            ``FileAccess``, ``FileWrite``; ``TransferSyntaxNotSupported``: compressed pixels have no
            such form, use `ChangeTransferSyntax`; ``Parameter``: flags that exclude each other;
            ``ValueInvalid``: an element cannot be written.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.Save``.
        """
        number = check_flags(flags, "flags", DicomDataSetSaveFlags)
        for pair in _EXCLUSIVE:
            if number & pair == pair:
                raise parameter_error(f"flags has {pair}, which exclude each other")
        with state_of(self) as state:
            data, rest, header = _to_save(state, number)
        if isinstance(file, (str, os.PathLike)):
            if header:
                _write(data, header, file)
            else:
                data.save(file, rest)
            return
        if header:
            file.write(header)
            file.write(data.view())
            return
        import shutil
        import tempfile

        with tempfile.TemporaryDirectory(dir=state.folder or None) as folder:
            path = Path(folder) / "saved"
            data.save(path, rest)
            with path.open("rb") as saved:
                shutil.copyfileobj(saved, file)

    def GetPreamble(self, bytes: int = 128) -> builtins.bytes:
        """Get the beginning of the file's preamble; nothing if it had none.

        Parameters
        ----------
        bytes
            How many, 0 to 128.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.GetPreamble``.
        """
        number = integer(bytes, "bytes", 0, 128)
        with state_of(self) as state:
            return state.head.preamble()[:number]

    # ---- transfer syntax ----

    def ChangeTransferSyntax(
        self,
        uid: str,
        qFactor: int = 0,
        flags: ChangeTransferSyntaxFlags | int = ChangeTransferSyntaxFlags.None_,
    ) -> None:
        """Have another transfer syntax; pixels are decompressed and compressed as it needs.

        Parameters
        ----------
        uid
            The transfer syntax, for example ``DicomUidType.ExplicitVRLittleEndian``.
        qFactor
            0 to 255. For JPEG 2000 that is not lossless: the ratio of compression; 0 and 1 lose
            nothing. Without effect on others.
        flags
            Accepted, without effect.

        Raises
        ------
        DicomException
            ``TransferSyntaxNotSupported``: no transfer syntax; ``CodecNotAvailable``: what it needs
            is not installed, or pydicom has no encoder for it; ``ValueInvalid``: the pixels are
            damaged or do not fit their description. Nothing has changed then.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.ChangeTransferSyntax``. The syntaxes that are not
        compressed and RLE are always there, others through pydicom's codecs (extra ``pixels``).
        """
        from leadtools_compat.dicom._data_set_pixels import check_syntax

        if not isinstance(uid, str):
            raise TypeError(f"uid must be a str, not {type(uid).__name__}")
        target = check_syntax(uid)
        quality = integer(qFactor, "qFactor", 0, 255)
        check_flags(flags, "flags", ChangeTransferSyntaxFlags)
        with state_of(self) as state:
            state.change_syntax(target, quality)

    @property
    def transfer_syntax(self) -> str:
        """UID of the transfer syntax; "" if there is none yet (ours)."""
        with state_of(self) as state:
            return state.syntax()
