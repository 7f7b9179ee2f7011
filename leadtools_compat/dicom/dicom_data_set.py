"""`DicomDataSet`: bytes in a transfer syntax; elements when somebody asks for them."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any

from leadtools_compat._binding import lib
from leadtools_compat._binding.datasets import DataSet, replace_lent
from leadtools_compat._binding.errors import parameter_error
from leadtools_compat._binding.text import Contents, StrPath, is_bytes
from leadtools_compat.dicom import _data_set_codec as codec
from leadtools_compat.dicom._arguments import flags as check_flags
from leadtools_compat.dicom._data_set_state import STATE, DataSetState, state_of
from leadtools_compat.dicom._dataset_class import DataSetClass
from leadtools_compat.dicom._dataset_elements import DataSetElements
from leadtools_compat.dicom._dataset_generic import DataSetGeneric
from leadtools_compat.dicom._dataset_typed import DataSetTyped
from leadtools_compat.dicom.enums_dataset import DicomDataSetLoadFlags, DicomDataSetSaveFlags

if TYPE_CHECKING:
    from pydicom.dataset import Dataset
    from typing_extensions import Self

__all__ = ["DicomDataSet", "give_back", "keep"]

_META: int = lib.DS_METAHEADER_PRESENT | lib.DS_METAHEADER_ABSENT
_AS_IS: int = lib.DS_GROUP_LENGTHS | lib.DS_LENGTH_EXPLICIT
_EXCLUSIVE = (
    DicomDataSetSaveFlags.LittleEndian | DicomDataSetSaveFlags.BigEndian,
    DicomDataSetSaveFlags.ImplicitVR | DicomDataSetSaveFlags.ExplicitVR,
    DicomDataSetSaveFlags.ImplicitVR | DicomDataSetSaveFlags.BigEndian,
    DicomDataSetSaveFlags.MetaHeaderPresent | DicomDataSetSaveFlags.MetaHeaderAbsent,
)


class DicomDataSet(DataSetElements, DataSetTyped, DataSetGeneric, DataSetClass):
    """A DICOM data set.

    It is bytes in a transfer syntax, in memory or in a file, until `to_pydicom` asks for the
    elements. What nobody touched is saved and sent as it is.

    Parameters
    ----------
    temporaryDirectory
        Folder for data sets too large for memory; None or "": the system's.

    Notes
    -----
    Mirrors ``Leadtools.Dicom.DicomDataSet``; may be subclassed. End it with `Dispose` or a ``with``
    statement, or leave it to the collector; after that every use raises ``ObjectDisposed``. It may
    be used from any thread.
    """

    __state: DataSetState

    def __init__(self, temporaryDirectory: StrPath | None = None) -> None:
        made = DataSetState(DataSet.create(temporaryDirectory), temporaryDirectory)
        # Past any __setattr__ of a subclass, which is not ready for calls yet.
        object.__setattr__(self, STATE, made)

    # ---- life ----

    def Dispose(self) -> None:
        """Free the object; again is fine. Copies and messages under way are not touched.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.Dispose``.
        """
        state: DataSetState | None = self.__dict__.get(STATE)
        if state is not None:
            state.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.Dispose()

    def Reset(self) -> None:
        """Empty it.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.Reset``.
        """
        with state_of(self) as state:
            state.data.reset()
            state.forget()

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
                head = codec.Head(file, before)
                if number & DicomDataSetLoadFlags.LoadAndClose:
                    head.content()
                    loaded.set(loaded.view(), loaded.syntax)
                state.take(loaded, head)
            return
        if not is_bytes(file) and not hasattr(file, "read"):
            raise TypeError(
                f"file must be a path, a binary stream or bytes-like, not {type(file).__name__}"
            )
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
        """Write a file: under a temporary name first, then in the place of what was there.

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
            such form; ``Parameter``: flags that exclude each other; ``FeatureNotSupported``:
            ``GroupLengths`` and ``LengthExplicit``.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.Save``.
        """
        number = check_flags(flags, "flags", DicomDataSetSaveFlags)
        for pair in _EXCLUSIVE:
            if number & pair == pair:
                raise parameter_error(f"flags has {pair}, which exclude each other")
        with state_of(self) as state:
            data = state.settled()
            target = _target(data.syntax, number)
            rest = number
            if target is not None:
                rest = number & (_META | _AS_IS)
                if target != data.syntax:
                    data = state.converted(target) or data
            data = DataSet.retain(data.handle)  # others may use the object while this is written
        if isinstance(file, (str, os.PathLike)):
            data.save(file, rest)
            return
        with tempfile.TemporaryDirectory(dir=state.folder or None) as folder:
            path = Path(folder) / "saved"
            data.save(path, rest)
            with path.open("rb") as saved:
                shutil.copyfileobj(saved, file)

    # ---- elements ----

    def to_pydicom(self) -> Dataset:
        """Get the elements as a pydicom data set (ours).

        It is made at the first call and stays the same object: what is changed in it is what is
        saved and sent from now on. Its ``file_meta`` has the transfer syntax.

        Raises
        ------
        DicomException
            ``FileFormat``: the bytes are no data set.
        """
        with state_of(self) as state:
            return state.elements()

    @classmethod
    def from_pydicom(cls, dataset: Dataset) -> Self:
        """Make a data set of a pydicom one, which stays connected as with `to_pydicom` (ours).

        Parameters
        ----------
        dataset
            With its transfer syntax in ``file_meta``, or as it was read; a new one without either
            takes that of the presentation context it is sent with.
        """
        from pydicom.dataset import Dataset

        if not isinstance(dataset, Dataset):
            raise TypeError(f"dataset must be a pydicom Dataset, not {type(dataset).__name__}")
        made = cls()
        with state_of(made) as state:
            state.adopt_elements(dataset)
        return made

    @property
    def transfer_syntax(self) -> str:
        """UID of the transfer syntax; "" if there is none yet (ours)."""
        with state_of(self) as state:
            return state.syntax()

    def __repr__(self) -> str:
        name = type(self).__name__
        try:
            with state_of(self) as state:
                return f"<{name} {state.describe()}>"
        except Exception:  # noqa: BLE001 - a repr must not hide what it was wanted for
            return f"<{name} disposed>"


def _target(own: str, number: int) -> str | None:
    """Find the syntax that Save's flags ask for; None: C is to judge, it needs a codec."""
    big = number & DicomDataSetSaveFlags.BigEndian
    little = number & DicomDataSetSaveFlags.LittleEndian
    implicit = number & DicomDataSetSaveFlags.ImplicitVR
    explicit = number & DicomDataSetSaveFlags.ExplicitVR
    if own and own not in codec.NATIVE:
        return None
    if not (big or little or implicit or explicit):
        return own or codec.EXPLICIT
    if big or (own == codec.BIG and not little and not implicit):
        return codec.BIG
    if implicit or (own == codec.IMPLICIT and not explicit):
        return codec.IMPLICIT
    return codec.DEFLATED if own == codec.DEFLATED else codec.EXPLICIT


def keep(lent: Any) -> DicomDataSet:
    """Make the object for a data set that C lends to a callback."""
    made = DicomDataSet.__new__(DicomDataSet)
    made.__dict__[STATE] = DataSetState(DataSet.retain(lent), None)
    return made


def give_back(changed: DicomDataSet, lent: Any) -> None:
    """Replace the command set that C lends by what has become of its `keep`, if that has changed."""
    state: DataSetState = changed.__dict__[STATE]
    if state.disposed:
        return
    with state_of(changed):
        command = state.command()
        if command is not None:
            replace_lent(lent, command, codec.IMPLICIT)
