"""`DicomDataSet`: bytes in a transfer syntax; elements when somebody asks for them."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any

from leadtools_compat._binding.datasets import DataSet, replace_lent
from leadtools_compat._binding.text import StrPath
from leadtools_compat.dicom import _data_set_codec as codec
from leadtools_compat.dicom._data_set_state import STATE, DataSetState, state_of
from leadtools_compat.dicom._dataset_class import DataSetClass
from leadtools_compat.dicom._dataset_elements import DataSetElements
from leadtools_compat.dicom._dataset_files import DataSetFiles
from leadtools_compat.dicom._dataset_generic import DataSetGeneric
from leadtools_compat.dicom._dataset_images import DataSetImages
from leadtools_compat.dicom._dataset_keys import DataSetKeys
from leadtools_compat.dicom._dataset_models import DataSetModels
from leadtools_compat.dicom._dataset_out import DataSetOut
from leadtools_compat.dicom._dataset_typed import DataSetTyped

if TYPE_CHECKING:
    from pydicom.dataset import Dataset
    from typing_extensions import Self

__all__ = ["DicomDataSet", "give_back", "keep"]


class DicomDataSet(
    DataSetFiles,
    DataSetElements,
    DataSetTyped,
    DataSetGeneric,
    DataSetClass,
    DataSetModels,
    DataSetKeys,
    DataSetImages,
    DataSetOut,
):
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

    def __repr__(self) -> str:
        name = type(self).__name__
        try:
            with state_of(self) as state:
                return f"<{name} {state.describe()}>"
        except Exception:  # noqa: BLE001 - a repr must not hide what it was wanted for
            return f"<{name} disposed>"


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
