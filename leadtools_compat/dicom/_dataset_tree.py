"""The elements of one data set as a tree of nodes, each with one `DicomElement` that stands for it.

One rule: the tree adds nothing to the pydicom data set. A node is found by what it is (a tag in a
data set, an item of a sequence), so it stays the same object however often it is asked for and
whoever changes the data set; only what nobody looked at is still as it was read.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from leadtools_compat.dicom._data_set_codec import reading
from leadtools_compat.dicom.dicom_element import DicomElement, gone
from leadtools_compat.dicom.dicom_exception import DicomException
from leadtools_compat.dicom.enums_codes import DicomExceptionCode

if TYPE_CHECKING:
    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset

__all__ = ["DEPTH_LIMIT", "ITEM", "Tree", "read_element", "tag_text"]

ITEM = 0xFFFEE000
DEPTH_LIMIT = 64
"""Levels of sequences within sequences that are walked (docs: limits)."""
_UNDEFINED = 0xFFFFFFFF

Accepts = Callable[[DicomElement], bool]


def tag_text(tag: int) -> str:
    """Write a tag as ``(0010,0010) PatientName``."""
    from pydicom.datadict import keyword_for_tag

    return f"({tag >> 16:04X},{tag & 0xFFFF:04X}) {keyword_for_tag(tag)}".rstrip()


def _is_sequence(raw: Any, holder: Dataset) -> bool:
    """Tell whether an element is a sequence, without converting anything else."""
    if raw.VR not in (None, "UN"):
        return bool(raw.VR == "SQ")
    if not raw.is_raw:
        return False
    return bool(read_element(holder, raw.tag).VR == "SQ")


def read_element(holder: Dataset, tag: int) -> DataElement:
    """Get an element with its value; a sequence is converted in place, others stay as they are."""
    from pydicom.dataelem import RawDataElement, convert_raw_data_element

    raw: Any = holder.get_item(tag)
    if raw is None:
        raise DicomException(
            DicomExceptionCode.ElementNotFound, f"{tag_text(tag)} is not in the data set any more"
        )
    if not isinstance(raw, RawDataElement):
        return raw  # type: ignore[no-any-return]
    with reading(f"{raw.VR or 'implicit VR'} of {tag_text(tag)}"):
        if raw.VR == "SQ":
            return holder[tag]
        charset = "iso8859" if tag == 0x00080005 else holder.original_character_set or "iso8859"
        element = convert_raw_data_element(raw, encoding=charset, ds=holder)
        if element.VR == "SQ" or len(element.VR) != 2:  # "US or SS" and the like
            return holder[tag]
    return element


class Tree:
    """All nodes of a data set. Its owner holds the lock in every call but `DicomElement`'s own."""

    __slots__ = (
        "__weakref__",
        "_known",
        "_sorted",
        "headless",
        "lock",
        "root",
        "shared",
        "syntax",
        "why_ended",
    )

    def __init__(self, root: Dataset, lock: Any, headless: bool) -> None:
        self.root = root
        self.headless = headless
        """Whether `file_meta` is there for pydicom only, and there was no group 0002."""
        self.lock = lock
        self.shared = False
        """Whether others may change the pydicom data set."""
        self.syntax = ""
        self.why_ended: DicomExceptionCode | None = None
        self._known: dict[tuple[int, int], DicomElement] = {}
        self._sorted: dict[int, tuple[list[int], list[int]]] = {}

    # ---- life ----

    def end(self, why: DicomExceptionCode) -> None:
        self.why_ended = why
        for element in self._known.values():
            element._gone = why
        self._known.clear()
        self._sorted.clear()

    def alive(self, element: DicomElement) -> None:
        """Raise unless the element is in the data set."""
        if self.why_ended is not None:
            raise gone(self.why_ended, element._tag)
        if not self.holds(element):
            raise gone(DicomExceptionCode.ElementNotFound, element._tag)

    def holds(self, element: DicomElement | None) -> bool:
        """Tell whether an element is a part of this data set as it is now."""
        if element is None or element._where() is not self or self.why_ended is not None:
            return False
        if self._known.get(element._key) is not element:
            return False
        while element is not None:
            if element._item is not None:
                if element._parent is None or self.index_of(element) < 0:
                    return False
            elif element._tag not in element._holder:
                return False
            element = element._parent
        return True

    # ---- nodes ----

    def node(self, holder: Dataset, tag: int, parent: DicomElement | None) -> DicomElement:
        """Get the element of a tag in a data set."""
        key = (id(holder), int(tag))
        found = self._known.get(key)
        if found is None:
            found = DicomElement._make(self, key, int(tag), parent, holder, None)
            self._known[key] = found
        return found

    def item(self, sequence: DicomElement, item: Dataset, index: int) -> DicomElement:
        """Get the element of an item of a sequence."""
        key = (id(item), ITEM)
        found = self._known.get(key)
        if found is None:
            found = DicomElement._make(self, key, ITEM, sequence, item, item)
            self._known[key] = found
        found._index = index
        return found

    def drop(self, element: DicomElement) -> None:
        """Let go of an element that has left the data set, and of what was below it."""
        for one in [key for key, it in self._known.items() if it is element or it._below(element)]:
            self._known.pop(one)._gone = DicomExceptionCode.ElementNotFound
            self._sorted.pop(one[0], None)  # another data set may get this number

    def head(self) -> Dataset | None:
        """Get group 0002, if there is one."""
        found: Dataset | None = None if self.headless else getattr(self.root, "file_meta", None)
        return found

    def holder_of(self, tag: int, parent: DicomElement | None) -> Dataset | None:
        """Get the pydicom data set that an element with this tag belongs to; None: no group 0002."""
        if parent is not None:
            return parent._holder
        return self.head() if tag >> 16 == 2 else self.root

    def element(self, holder: Dataset, tag: int) -> DataElement:
        return read_element(holder, tag)

    def value(self, element: DicomElement) -> DataElement:
        """Get an element's pydicom element."""
        return read_element(element._holder, element._tag)

    # ---- children ----

    def tags(self, holder: Dataset) -> list[int]:
        """List the tags of a data set in order."""
        keys = holder.keys()
        known = self._sorted.get(id(holder))
        if known is not None and len(known[1]) == len(keys) and not self.shared:
            return known[1]
        now = [int(key) for key in keys]
        if known is None or known[0] != now:
            known = (now, sorted(now))
            self._sorted[id(holder)] = known
        return known[1]

    def changed(self, holder: Dataset) -> None:
        """Hear that an element has come or gone."""
        self._sorted.pop(id(holder), None)

    def items(self, sequence: DicomElement) -> list[Dataset]:
        """List the items of a sequence element; [] if it is none."""
        if sequence._item is not None:
            return []
        raw: Any = sequence._holder.get_item(sequence._tag)
        if raw is None or not _is_sequence(raw, sequence._holder):
            return []
        value: Any = read_element(sequence._holder, sequence._tag).value
        if value is None:
            return []
        if sequence._depth() >= 2 * DEPTH_LIMIT and len(value):
            raise DicomException(
                DicomExceptionCode.SequenceDepth,
                f"{tag_text(sequence._tag)} is nested deeper than {DEPTH_LIMIT} levels, which is "
                "the most that is read",
            )
        return value  # type: ignore[no-any-return]

    def is_sequence(self, element: DicomElement) -> bool:
        if element._item is not None:
            return False
        raw: Any = element._holder.get_item(element._tag)
        return raw is not None and _is_sequence(raw, element._holder)

    def index_of(self, item: DicomElement) -> int:
        """Find an item's place in its sequence; -1: it is not there any more."""
        if item._parent is None:
            return -1
        all_items = self.items(item._parent)
        if item._index < len(all_items) and all_items[item._index] is item._item:
            return item._index
        for index, one in enumerate(all_items):
            if one is item._item:
                item._index = index
                return index
        return -1

    def _level(self, parent: DicomElement | None) -> list[tuple[Dataset, list[int]]]:
        """List the data sets that make up one level, with their tags."""
        if parent is not None:
            return [(parent._holder, self.tags(parent._holder))]
        head = self.head()
        level = [(self.root, self.tags(self.root))]
        if head is not None and len(head):
            level.insert(0, (head, self.tags(head)))
        return level

    def first(self, parent: DicomElement | None) -> DicomElement | None:
        """Get the first child; None as parent: of the top level."""
        if parent is not None and parent._item is None:
            items = self.items(parent)
            return self.item(parent, items[0], 0) if items else None
        for holder, tags in self._level(parent):
            if tags:
                return self.node(holder, tags[0], parent)
        return None

    def last(self, parent: DicomElement | None) -> DicomElement | None:
        """Get the last child; None as parent: of the top level."""
        if parent is not None and parent._item is None:
            items = self.items(parent)
            return self.item(parent, items[-1], len(items) - 1) if items else None
        for holder, tags in reversed(self._level(parent)):
            if tags:
                return self.node(holder, tags[-1], parent)
        return None

    def sibling(self, element: DicomElement, step: int) -> DicomElement | None:
        """Get the element after (1) or before (-1) another one with the same parent."""
        parent = element._parent
        if element._item is not None:
            if parent is None:
                return None
            items, index = self.items(parent), self.index_of(element) + step
            return self.item(parent, items[index], index) if 0 <= index < len(items) else None
        level = self._level(parent)
        place = next((i for i, one in enumerate(level) if one[0] is element._holder), 0)
        tags = level[place][1]
        index = (
            bisect_right(tags, element._tag) if step > 0 else bisect_left(tags, element._tag) - 1
        )
        if 0 <= index < len(tags):
            return self.node(element._holder, tags[index], parent)
        place += step
        if 0 <= place < len(level) and level[place][1]:
            holder, tags = level[place]
            return self.node(holder, tags[0 if step > 0 else -1], parent)
        return None

    # ---- the whole data set as one list ----

    def after(self, element: DicomElement) -> DicomElement | None:
        """Get the next element in the order of the file, nested ones too."""
        below = self.first(element)
        if below is not None:
            return below
        up: DicomElement | None = element
        while up is not None:
            beside = self.sibling(up, 1)
            if beside is not None:
                return beside
            up = up._parent
        return None

    def before(self, element: DicomElement) -> DicomElement | None:
        """Get the element before another one in the order of the file, nested ones too."""
        beside = self.sibling(element, -1)
        return element._parent if beside is None else self.deepest(beside)

    def deepest(self, element: DicomElement) -> DicomElement:
        """Get the last of all that is below an element; itself if there is nothing."""
        while True:
            below = self.last(element)
            if below is None:
                return element
            element = below

    def all(self) -> Iterator[DicomElement]:
        """List every element in the order of the file."""
        element = self.first(None)
        while element is not None:
            yield element
            element = self.after(element)
