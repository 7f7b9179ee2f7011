"""`DicomDataSet`: the keys of a DICOMDIR, which are its directory records as a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leadtools_compat._binding.errors import parameter_error
from leadtools_compat.dicom._arguments import integer
from leadtools_compat.dicom._data_set_records import RECORDS, Records, record_type
from leadtools_compat.dicom._data_set_state import DataSetState, state_of
from leadtools_compat.dicom._dataset_access import check_element
from leadtools_compat.dicom._dataset_bytes import put
from leadtools_compat.dicom._dataset_insert import delete

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from leadtools_compat.dicom.dicom_element import DicomElement

__all__ = ["DataSetKeys"]


class _Keys:
    """The records of one data set and the elements that stand for them."""

    def __init__(self, state: DataSetState) -> None:
        self.tree = state.tree()
        self.records: Records = state.directory()
        self._index: dict[int, int] | None = None

    def element(self, record: Dataset | None) -> DicomElement | None:
        if record is None:
            return None
        sequence = self.tree.node(self.tree.root, RECORDS, None)
        if self._index is None:
            self._index = {id(one): at for at, one in enumerate(self.tree.items(sequence))}
        return self.tree.item(sequence, record, self._index[id(record)])

    def record(self, key: DicomElement | None, name: str = "element") -> Dataset:
        """Check that an element is a key, or is below one."""
        found: DicomElement | None = check_element(self.tree, key, name)
        while found is not None:
            if found._item is not None and self.records.knows(found._item):
                return found._item
            found = found._parent
        raise parameter_error(f"{name} is no key: it is not a record of a DICOMDIR, nor below one")

    def level(self, key: DicomElement | None, tree: bool) -> list[Dataset]:
        """List the keys that are meant: one level, or all of them."""
        if not tree:
            return self.records.ordered()
        above = None if key is None else self.records.above(self.record(key))
        return self.records.children(above)

    def beside(
        self, key: DicomElement, tree: bool, step: int, text: str | None
    ) -> DicomElement | None:
        record = self.record(key)
        level = self.level(key, tree)
        place = next(at for at, one in enumerate(level) if one is record) + step
        while 0 <= place < len(level):
            if text is None or record_type(level[place]) == text:
                return self.element(level[place])
            place += step
        return None


class DataSetKeys:
    """Members about keys.

    A key is a directory record: an element with tag ``DicomTag.Item``, whose text is the type of
    the record (``PATIENT``, ``STUDY``, ``SERIES``, ``IMAGE``). ``tree`` True means the level of
    `element` (None: the top), False all keys as one list. A data set without records has no keys.
    """

    def GetRootKey(self, element: DicomElement) -> DicomElement | None:
        """Get the key at the top that a key is below, or is.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.GetRootKey``.
        """
        with state_of(self) as state:
            keys = _Keys(state)
            record = keys.record(element)
            above = keys.records.above(record)
            while above is not None:
                record, above = above, keys.records.above(above)
            return keys.element(record)

    def GetParentKey(self, element: DicomElement) -> DicomElement | None:
        """Get the key above; None at the top. Of an element in a record: the record.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.GetParentKey``.
        """
        with state_of(self) as state:
            keys = _Keys(state)
            record = keys.record(element)
            if element._item is not record:
                return keys.element(record)
            return keys.element(keys.records.above(record))

    def GetChildKey(self, element: DicomElement | None) -> DicomElement | None:
        """Get the first key below; None as `element`: the first at the top.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.GetChildKey``.
        """
        with state_of(self) as state:
            keys = _Keys(state)
            below = keys.records.children(None if element is None else keys.record(element))
            return keys.element(below[0]) if below else None

    def GetFirstKey(self, element: DicomElement | None, tree: bool) -> DicomElement | None:
        """Get the first key.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.GetFirstKey``.
        """
        with state_of(self) as state:
            keys = _Keys(state)
            level = keys.level(element, tree)
            return keys.element(level[0]) if level else None

    def GetLastKey(self, element: DicomElement | None, tree: bool) -> DicomElement | None:
        """Get the last key.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.GetLastKey``.
        """
        with state_of(self) as state:
            keys = _Keys(state)
            level = keys.level(element, tree)
            return keys.element(level[-1]) if level else None

    def GetNextKey(self, element: DicomElement, tree: bool) -> DicomElement | None:
        """Get the key after another one; None at the end.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.GetNextKey``.
        """
        with state_of(self) as state:
            return _Keys(state).beside(element, tree, 1, None)

    def GetPreviousKey(self, element: DicomElement, tree: bool) -> DicomElement | None:
        """Get the key before another one; None at the beginning.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.GetPreviousKey``.
        """
        with state_of(self) as state:
            return _Keys(state).beside(element, tree, -1, None)

    def _find_key(
        self, element: DicomElement | None, key: str, tree: bool, last: bool
    ) -> DicomElement | None:
        with state_of(self) as state:
            keys = _Keys(state)
            found = [one for one in keys.level(element, tree) if record_type(one) == key]
            return keys.element(found[-1 if last else 0]) if found else None

    def FindFirstKey(
        self, element: DicomElement | None, key: str, tree: bool
    ) -> DicomElement | None:
        """Find the first key of a type.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.FindFirstKey``.
        """
        return self._find_key(element, key, tree, False)

    def FindLastKey(
        self, element: DicomElement | None, key: str, tree: bool
    ) -> DicomElement | None:
        """Find the last key of a type.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.FindLastKey``.
        """
        return self._find_key(element, key, tree, True)

    def FindNextKey(self, element: DicomElement, key: str, tree: bool) -> DicomElement | None:
        """Find the next key of a type.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.FindNextKey``.
        """
        with state_of(self) as state:
            return _Keys(state).beside(element, tree, 1, key)

    def FindPreviousKey(self, element: DicomElement, key: str, tree: bool) -> DicomElement | None:
        """Find the key of a type before another one.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.FindPreviousKey``.
        """
        with state_of(self) as state:
            return _Keys(state).beside(element, tree, -1, key)

    def InsertKey(
        self, neighbor: DicomElement | None, child: bool, key: str, index: int = -1
    ) -> DicomElement:
        """Insert a directory record.

        Parameters
        ----------
        neighbor
            A key: the new one goes below it if `child` is True, else beside it. None: to the top.
        child
            Below or beside.
        key
            The type of the record.
        index
            Its place on its level, from 0; -1 is the end.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.InsertKey``.
        """
        from leadtools_compat.dicom._dataset_insert import insert

        place = integer(index, "index", -1, 2**31 - 1)
        with state_of(self) as state:
            data: Any = self
            if RECORDS not in state.tree().root:
                data.InsertElement(None, False, RECORDS)
            keys = _Keys(state)
            beside = None if neighbor is None else keys.record(neighbor, "neighbor")
            above = beside if child or beside is None else keys.records.above(beside)
            if place > len(keys.records.children(above)):
                raise parameter_error(
                    f"index is {place}, and the level has {len(keys.records.children(above))} keys"
                )
            sequence = keys.tree.node(keys.tree.root, RECORDS, None)
            made, _ = insert(keys.tree, sequence, True, 0xFFFEE000, 0x5351, False, -1)
            kind, _ = insert(keys.tree, made, True, 0x00041430, 0x4353, False, -1)
            put(kind, "CS", key)
            assert made._item is not None
            keys.records.insert(made._item, above, place)
            state.touch()
            return made

    def DeleteKey(self, element: DicomElement) -> None:
        """Delete a directory record, with all records below it.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.DeleteKey``.
        """
        with state_of(self) as state:
            keys = _Keys(state)
            for record in keys.records.remove(keys.record(element)):
                sequence = keys.tree.node(keys.tree.root, RECORDS, None)
                items = keys.tree.items(sequence)
                place = next(at for at, one in enumerate(items) if one is record)
                delete(keys.tree, keys.tree.item(sequence, record, place))
            state.touch()

    def GetKeyValueString(self, element: DicomElement) -> str:
        """Get the type of a directory record.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.GetKeyValueString``.
        """
        with state_of(self) as state:
            return record_type(_Keys(state).record(element))

    def GetKeyValue(self, element: DicomElement) -> bytes:
        """Get the type of a directory record as bytes.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.GetKeyValue``.
        """
        return self.GetKeyValueString(element).encode("ascii", "replace")
