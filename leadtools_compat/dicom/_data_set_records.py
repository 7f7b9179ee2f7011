"""The records of a DICOMDIR as a tree, and the offsets by which it is written (PS3.3 F.3).

One rule: offsets are read once and written when the file is; in between the tree is what counts.
A directory whose offsets are wrong is read by the types of its records, in their order.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from leadtools_compat.dicom import _data_set_codec as codec

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

__all__ = ["RECORDS", "Records", "is_directory"]

RECORDS = 0x00041220
FIRST, LAST, NEXT, LOWER = 0x00041200, 0x00041202, 0x00041400, 0x00041420
_TYPE = 0x00041430
_LEVELS = {"PATIENT": 0, "STUDY": 1, "SERIES": 2}


def is_directory(data: Dataset) -> bool:
    return RECORDS in data


def record_type(record: Dataset) -> str:
    """Give a record's type; "" if it has none."""
    return str(record[_TYPE].value or "") if _TYPE in record else ""


def _offset(data: Dataset, tag: int) -> int:
    value: Any = data[tag].value if tag in data else 0
    return value if isinstance(value, int) else 0


class Records:
    """Which record is below which."""

    def __init__(self, data: Dataset, before: int) -> None:
        """Read the tree; `before`: what stands before the data set in its file, in bytes."""
        self.top: list[Dataset] = []
        self._below: dict[int, list[Dataset]] = {}
        self._above: dict[int, Dataset | None] = {}
        records: list[Dataset] = list(data[RECORDS].value or []) if RECORDS in data else []
        if not self._by_offsets(data, records, before):
            self.top, self._below, self._above = [], {}, {}
            self._by_types(records)
        self._all = records  # keeps them alive, as their numbers are keys here

    def _by_offsets(self, data: Dataset, records: list[Dataset], before: int) -> bool:
        places: dict[int, Dataset] = {}
        for record in records:
            tell = getattr(record, "seq_item_tell", None)
            if tell is None:
                return False
            places[tell + before] = record
        seen: set[int] = set()
        todo: list[tuple[int, Dataset | None]] = [(_offset(data, FIRST), None)]
        while todo:
            offset, above = todo.pop()
            while offset:
                found = places.get(offset)
                if found is None or offset in seen:
                    return False
                seen.add(offset)
                self._append(found, above)
                lower = _offset(found, LOWER)
                if lower:
                    todo.append((lower, found))
                offset = _offset(found, NEXT)
        return len(seen) == len(records)

    def _by_types(self, records: list[Dataset]) -> None:
        path: list[tuple[int, Dataset]] = []
        for record in records:
            level = _LEVELS.get(record_type(record), 3)
            while path and path[-1][0] >= level:
                path.pop()
            self._append(record, path[-1][1] if path else None)
            if level < 3:
                path.append((level, record))

    def _append(self, record: Dataset, above: Dataset | None) -> None:
        self.children(above).append(record)
        self._above[id(record)] = above

    # ---- asking ----

    def children(self, record: Dataset | None) -> list[Dataset]:
        """List the records below one; None: those at the top."""
        return self.top if record is None else self._below.setdefault(id(record), [])

    def above(self, record: Dataset) -> Dataset | None:
        return self._above.get(id(record))

    def knows(self, record: Dataset) -> bool:
        return id(record) in self._above

    def ordered(self, start: Dataset | None = None) -> list[Dataset]:
        """List the records below one, each followed by what is below it."""
        found = []
        for record in self.children(start):
            found.append(record)
            found.extend(self.ordered(record))
        return found

    # ---- changing ----

    def insert(self, record: Dataset, above: Dataset | None, place: int) -> None:
        siblings = self.children(above)
        siblings.insert(len(siblings) if place < 0 else place, record)
        self._above[id(record)] = above
        self._all.append(record)

    def remove(self, record: Dataset) -> list[Dataset]:
        """Take a record out with all below it; what has gone is given back."""
        gone = [record, *self.ordered(record)]
        siblings = self.children(self.above(record))
        siblings[:] = [one for one in siblings if one is not record]
        for one in gone:
            self._above.pop(id(one), None)
            self._below.pop(id(one), None)
        return gone

    # ---- writing ----

    def link(self, data: Dataset, syntax: str, order: str, before: int) -> bytes:
        """Put the records in order, give them their offsets, and encode the data set."""
        from pydicom.sequence import Sequence

        ordered = self.ordered()
        for record in ordered:
            for tag in (NEXT, LOWER):
                record.add_new(tag, "UL", 0)
            record.add_new(0x00041410, "US", 0xFFFF)
        data.add_new(RECORDS, "SQ", Sequence(ordered))
        for tag in (FIRST, LAST):
            data.add_new(tag, "UL", 0)
        encoded = codec.encode(data, syntax, order)
        places = self._places(encoded, syntax, before)
        for siblings in [self.top, *(self.children(one) for one in ordered)]:
            for one, following in itertools.pairwise(siblings):
                one[NEXT].value = places[id(following)]
        for record in ordered:
            below = self.children(record)
            if below:
                record[LOWER].value = places[id(below[0])]
        if self.top:
            data[FIRST].value = places[id(self.top[0])]
            data[LAST].value = places[id(self.top[-1])]
        return codec.encode(data, syntax, order)

    def _places(self, encoded: bytes, syntax: str, before: int) -> dict[int, int]:
        """Find where each record begins: an offset has always the same length."""
        again = codec.parse(memoryview(encoded), syntax)
        tells = [item.seq_item_tell + before for item in again[RECORDS].value or ()]
        return {id(one): tell for one, tell in zip(self.ordered(), tells, strict=True)}
