"""What the tables have in common: one object each, and walking through rows in order."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from leadtools_compat.dicom._arguments import integer

__all__ = ["Instance", "Table"]

Row = TypeVar("Row")
T = TypeVar("T")


class Instance(Generic[T]):
    """A class-level property: the one object of the class."""

    __slots__ = ("_made",)

    def __init__(self) -> None:
        self._made: dict[type, T] = {}

    def __get__(self, owner: object, kind: type[T]) -> T:
        made = self._made.get(kind)
        return self._made.setdefault(kind, kind()) if made is None else made


class Table(Generic[Row]):
    """Walking: a row is found again by its code."""

    def _codes(self) -> list[Any]:
        """List the codes of all rows in order."""
        raise NotImplementedError

    def _row(self, code: Any) -> Row | None:
        raise NotImplementedError

    def _code(self, row: Row) -> Any:
        return row.Code  # type: ignore[attr-defined]

    def GetCount(self) -> int:
        """How many rows there are."""
        return len(self._codes())

    def FindByIndex(self, index: int) -> Row | None:
        """Find a row by its place, from 0; None past the end."""
        place = integer(index, "index", 0, 2**31 - 1)
        codes = self._codes()
        return self._row(codes[place]) if place < len(codes) else None

    def GetFirst(self) -> Row | None:
        """Get the first row; None: the table is empty."""
        codes = self._codes()
        return self._row(codes[0]) if codes else None

    def GetLast(self) -> Row | None:
        """Get the last row; None: the table is empty."""
        codes = self._codes()
        return self._row(codes[-1]) if codes else None

    def _beside(self, row: Row, step: int) -> Row | None:
        codes, code = self._codes(), self._code(row)
        if code not in codes:
            return None
        place = codes.index(code) + step
        return self._row(codes[place]) if 0 <= place < len(codes) else None

    def GetNext(self, row: Row) -> Row | None:
        """Get the row after another one; None: there is none, or `row` is not in the table."""
        return self._beside(row, 1)

    def GetPrevious(self, row: Row) -> Row | None:
        """Get the row before another one; None: there is none, or `row` is not in the table."""
        return self._beside(row, -1)

    def Exists(self, row: Row) -> bool:
        """Tell whether a row is in the table."""
        return self._row(self._code(row)) is not None
