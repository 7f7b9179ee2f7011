"""`DicomElement`: one element of a data set, or one item of a sequence."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from leadtools_compat.dicom.dicom_exception import DicomException
from leadtools_compat.dicom.enums_codes import DicomExceptionCode
from leadtools_compat.dicom.enums_vr import DicomVRType

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from leadtools_compat.dicom._dataset_tree import Tree

__all__ = ["DicomElement", "gone"]

_ITEM = 0xFFFEE000


def gone(why: DicomExceptionCode, tag: int) -> DicomException:
    """Make the exception for an element that is not in a data set any more."""
    if why == DicomExceptionCode.ObjectDisposed:
        return DicomException(why, "The element's DicomDataSet has been disposed")
    from leadtools_compat.dicom._dataset_tree import tag_text

    return DicomException(
        why,
        f"{tag_text(tag)} is not in the data set any more: it has been deleted, or the data set has "
        "other content now. Find it again",
    )


class DicomElement:
    """One element of a `DicomDataSet`; an item of a sequence is one too, with tag ``DicomTag.Item``.

    The same element is the same object as long as its data set lives, so it may be compared and
    used as a key. Values are read and written through the data set: `DicomDataSet.GetConvertValue`
    and its kin. Elements are made by the data set; there is no constructor to call.

    Attributes
    ----------
    UserTag
        Anything that the program wants to remember with the element; None at first.

    Raises
    ------
    DicomException
        From `Tag`, `Length` and `VR`: ``ElementNotFound`` after the element was deleted or its data
        set got other content, ``ObjectDisposed`` after the data set was disposed.

    Notes
    -----
    Mirrors ``Leadtools.Dicom.DicomElement``.
    """

    __slots__ = (
        "UserTag",
        "__weakref__",
        "_gone",
        "_holder",
        "_index",
        "_item",
        "_key",
        "_parent",
        "_tag",
        "_where",
    )

    UserTag: Any
    _where: weakref.ref[Tree]
    """Weak: the tree refers to its elements, and a data set should go when the last user goes."""
    _gone: DicomExceptionCode | None
    """Why the tree has ended."""
    _key: tuple[int, int]
    _tag: int
    _parent: DicomElement | None
    _holder: Dataset
    """The pydicom data set that it is in; of an item, the item itself."""
    _item: Dataset | None
    _index: int

    def __init__(self) -> None:
        raise TypeError(
            "A DicomElement is made by its data set: use DicomDataSet.InsertElement or "
            "FindFirstElement"
        )

    @classmethod
    def _make(
        cls,
        tree: Tree,
        key: tuple[int, int],
        tag: int,
        parent: DicomElement | None,
        holder: Dataset,
        item: Dataset | None,
    ) -> DicomElement:
        made = object.__new__(cls)
        made.UserTag = made._gone = None
        made._where, made._key, made._tag = weakref.ref(tree), key, tag
        made._parent, made._holder, made._item, made._index = parent, holder, item, 0
        return made

    @property
    def _tree(self) -> Tree:
        tree = self._where()
        if tree is None and self._gone is not None:
            raise gone(self._gone, self._tag)
        if tree is None:
            raise DicomException(
                DicomExceptionCode.ObjectDisposed,
                "The element's DicomDataSet is gone; keep it as long as its elements are used",
            )
        return tree

    def _depth(self) -> int:
        """Count the levels above it: an element at the top has none."""
        depth, above = 0, self._parent
        while above is not None:
            depth, above = depth + 1, above._parent
        return depth

    def _below(self, other: DicomElement) -> bool:
        above = self._parent
        while above is not None and above is not other:
            above = above._parent
        return above is not None

    @property
    def Tag(self) -> int:
        """Group times 65536 plus element; compare it with the constants of `DicomTag`."""
        tree = self._tree
        with tree.lock:
            tree.alive(self)
            return self._tag

    @property
    def VR(self) -> DicomVRType:
        """The value representation; ``SQ`` for an item, ``UN`` for what the dictionary does not know."""
        from leadtools_compat.dicom._dataset_bytes import vr_of

        tree = self._tree
        with tree.lock:
            tree.alive(self)
            return DicomVRType.SQ if self._item is not None else vr_of(self)

    @property
    def Length(self) -> int:
        """Bytes of the value as it is encoded; -1 for a sequence or item of undefined length."""
        from leadtools_compat.dicom._dataset_bytes import length_of

        tree = self._tree
        with tree.lock:
            tree.alive(self)
            return length_of(self)

    def __repr__(self) -> str:
        from leadtools_compat.dicom._dataset_bytes import summary

        try:
            tree = self._tree
            with tree.lock:
                tree.alive(self)
                return f"<DicomElement {summary(self)}>"
        except DicomException:
            name = "Item" if self._tag == _ITEM else f"{self._tag:08X}"
            return f"<DicomElement {name}, not in a data set any more>"
