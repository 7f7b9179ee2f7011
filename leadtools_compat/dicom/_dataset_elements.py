"""`DicomDataSet`: finding, walking, inserting and deleting elements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadtools_compat.dicom import _dataset_insert as insertion
from leadtools_compat.dicom._data_set_state import state_of, state_of_argument
from leadtools_compat.dicom._dataset_access import (
    check_element,
    check_start,
    check_tag,
    check_valued,
)
from leadtools_compat.dicom._dataset_tree import ITEM, Tree
from leadtools_compat.dicom.dicom_element import DicomElement
from leadtools_compat.dicom.enums_vr import DicomVRType

if TYPE_CHECKING:
    from leadtools_compat.dicom.dicom_data_set import DicomDataSet

__all__ = ["DataSetElements"]

_VOLATILE = frozenset(
    {
        0x00280002,  # SamplesPerPixel
        0x00280004,  # PhotometricInterpretation
        0x00280006,  # PlanarConfiguration
        0x00280008,  # NumberOfFrames
        0x00280009,  # FrameIncrementPointer
        *range(0x00280010, 0x00280012),  # Rows, Columns
        *range(0x00280100, 0x00280104),  # BitsAllocated to PixelRepresentation
        *range(0x00280106, 0x00280112),  # SmallestImagePixelValue and its kin
        *range(0x00281101, 0x00281104),  # descriptors of the palette
        *range(0x00281201, 0x00281204),  # data of the palette
        0x7FE00008,
        0x7FE00009,
        0x7FE00010,  # PixelData
    }
)


def _volatile(element: DicomElement) -> bool:
    return element._parent is None and element._tag in _VOLATILE


def _passing(
    tree: Tree, element: DicomElement | None, tree_flag: bool, back: bool, volatile: bool
) -> DicomElement | None:
    """Go on from `element` until one is met that the caller wants."""
    while element is not None and not volatile and _volatile(element):
        element = _step(tree, element, tree_flag, back)
    return element


def _step(tree: Tree, element: DicomElement, tree_flag: bool, back: bool) -> DicomElement | None:
    if tree_flag:
        return tree.sibling(element, -1 if back else 1)
    return tree.before(element) if back else tree.after(element)


class DataSetElements:
    """Members about elements as such.

    In all of them ``tree`` True means only the elements on the level of `element`, with the same
    parent (None: the top level); False means the whole data set, nested elements too, as one list
    in the order of the file. ``includeVolatile`` False leaves out what inserting an image would
    rewrite: image attributes of group 0028 and the pixel data. What is not there is None, never an
    exception. An element that has been deleted, or is not of this data set, is a
    `DicomException`: ``ElementNotFound``, ``Parameter``.
    """

    # ---- finding ----

    def FindFirstElement(
        self, element: DicomElement | None, tag: int, tree: bool
    ) -> DicomElement | None:
        """Find the first element with a tag.

        Parameters
        ----------
        element
            With `tree` True: one of the level to search, None for the top level. Else ignored.
        tag
            What to find, for example ``DicomTag.PatientName``.
        tree
            True: one level. False: the whole data set.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.FindFirstElement``.
        """
        number = check_tag(tag)
        with state_of(self) as state:
            nodes = state.tree()
            check_start(nodes, element)
            if tree and number != ITEM:
                parent = None if element is None else element._parent
                holder = nodes.holder_of(number, parent)
                found = holder is not None and number in holder
                return nodes.node(holder, number, parent) if found and holder is not None else None
            start = nodes.first(element._parent if tree and element is not None else None)
            return _search(nodes, start, number, tree)

    def FindNextElement(self, element: DicomElement, tree: bool) -> DicomElement | None:
        """Find the next element with the tag of `element`.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.FindNextElement``.
        """
        with state_of(self) as state:
            nodes = state.tree()
            checked = check_element(nodes, element)
            return _search(nodes, _step(nodes, checked, tree, False), checked._tag, tree)

    # ---- walking ----

    def GetFirstElement(
        self, element: DicomElement | None, tree: bool, includeVolatile: bool
    ) -> DicomElement | None:
        """Get the first element of a level, or of the data set.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.GetFirstElement``.
        """
        with state_of(self) as state:
            nodes = state.tree()
            check_start(nodes, element)
            level = element._parent if tree and element is not None else None
            return _passing(nodes, nodes.first(level), tree, False, includeVolatile)

    def GetLastElement(
        self, element: DicomElement | None, tree: bool, includeVolatile: bool
    ) -> DicomElement | None:
        """Get the last element of a level, or of the data set.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.GetLastElement``.
        """
        with state_of(self) as state:
            nodes = state.tree()
            check_start(nodes, element)
            found = nodes.last(element._parent if tree and element is not None else None)
            if found is not None and not tree:
                found = nodes.deepest(found)
            return _passing(nodes, found, tree, True, includeVolatile)

    def GetNextElement(
        self, element: DicomElement, tree: bool, includeVolatile: bool
    ) -> DicomElement | None:
        """Get the element after another one; None at the end.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.GetNextElement``.
        """
        with state_of(self) as state:
            nodes = state.tree()
            found = _step(nodes, check_element(nodes, element), tree, False)
            return _passing(nodes, found, tree, False, includeVolatile)

    def GetPreviousElement(
        self, element: DicomElement, tree: bool, includeVolatile: bool
    ) -> DicomElement | None:
        """Get the element before another one; None at the beginning.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.GetPreviousElement``.
        """
        with state_of(self) as state:
            nodes = state.tree()
            found = _step(nodes, check_element(nodes, element), tree, True)
            return _passing(nodes, found, tree, True, includeVolatile)

    def GetChildElement(
        self, element: DicomElement | None, includeVolatile: bool
    ) -> DicomElement | None:
        """Get the first item of a sequence, the first element of an item; None: of the top level.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.GetChildElement``.
        """
        with state_of(self) as state:
            nodes = state.tree()
            check_start(nodes, element)
            return _passing(nodes, nodes.first(element), True, False, includeVolatile)

    def GetParentElement(self, element: DicomElement) -> DicomElement | None:
        """Get the sequence of an item, the item of an element; None at the top level.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.GetParentElement``.
        """
        with state_of(self) as state:
            return check_element(state.tree(), element)._parent

    def GetRootElement(self, element: DicomElement) -> DicomElement:
        """Get the element of the top level that `element` is below, or is.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.GetRootElement``; details are ours.
        """
        with state_of(self) as state:
            found = check_element(state.tree(), element)
            while found._parent is not None:
                found = found._parent
            return found

    def ExistsElement(self, element: DicomElement | None) -> bool:
        """Tell whether an element is in this data set.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.ExistsElement``.
        """
        if element is not None and not isinstance(element, DicomElement):
            raise TypeError(f"element must be a DicomElement, not {type(element).__name__}")
        with state_of(self) as state:
            return state.tree().holds(element)

    def IsVolatileElement(self, element: DicomElement) -> bool:
        """Tell whether inserting an image would rewrite an element.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.IsVolatileElement``.
        """
        with state_of(self) as state:
            return _volatile(check_element(state.tree(), element))

    # ---- changing ----

    def InsertElement(
        self,
        neighbor: DicomElement | None,
        child: bool,
        tag: int,
        vr: DicomVRType | int = DicomVRType.UN,
        sequence: bool = False,
        index: int = -1,
    ) -> DicomElement:
        """Insert an empty element, or an item into a sequence.

        Parameters
        ----------
        neighbor
            Where: below it if `child` is True, beside it if not. None: at the top level.
        child
            An item becomes a child of its sequence, an element a child of its item.
        tag
            ``DicomTag.Item`` for an item.
        vr
            ``UN``: as the dictionary says; ignored for an item.
        sequence
            True: it is a sequence, whatever the dictionary says of it.
        index
            For an item: its place, counted from 0; -1 is the end. Else ignored: elements stand in
            the order of their tags.

        Returns
        -------
        DicomElement
            The new element; one with this tag that is there already is returned unchanged.

        Raises
        ------
        DicomException
            ``Parameter``: tag, neighbor or index do not fit; ``VRInvalid``: no VR, or a sequence
            where the dictionary has none and the other way round.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.InsertElement``.
        """
        with state_of(self) as state:
            nodes = state.tree()
            check_start(nodes, neighbor, "neighbor")
            made, new = insertion.insert(nodes, neighbor, child, tag, vr, sequence, index)
            if new:
                state.touch()
            return made

    def DeleteElement(self, element: DicomElement) -> None:
        """Take an element out, with everything below it.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.DeleteElement``.
        """
        with state_of(self) as state:
            nodes = state.tree()
            insertion.delete(nodes, check_element(nodes, element))
            state.touch()

    def FreeElementValue(self, element: DicomElement) -> None:
        """Make an element empty; of a sequence all items go.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.FreeElementValue``.
        """
        with state_of(self) as state:
            nodes = state.tree()
            insertion.clear(nodes, check_valued(nodes, element))
            state.touch()

    def Copy(
        self,
        source: DicomDataSet,
        destination: DicomElement | None,
        sourceElement: DicomElement | None,
    ) -> None:
        """Copy elements, with everything below them; an element already there is replaced.

        Parameters
        ----------
        source
            Where from; this data set itself is fine.
        destination
            An item: the elements are put into it. A sequence: items are added to it. None: the top
            level.
        sourceElement
            What to copy: an element; an item, which means its elements or, into a sequence, the
            item; None: all elements of the top level. With None and None this data set becomes a
            copy of `source`, whose bytes the two share until one is changed.

        Raises
        ------
        DicomException
            ``Parameter``: the elements are of other data sets, or something that is no item should
            go into a sequence.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.Copy``.
        """
        given = state_of_argument(source, "source")
        if destination is None and sourceElement is None:
            insertion.copy_all(given, state_of(self))
            return
        with given:
            theirs = given.tree()
            check_start(theirs, sourceElement, "sourceElement")
            taken = insertion.take(theirs, sourceElement)
        with state_of(self) as state:
            nodes = state.tree()
            check_start(nodes, destination, "destination")
            insertion.give(nodes, destination, taken)
            state.touch()


def _search(
    nodes: Tree, element: DicomElement | None, tag: int, tree_flag: bool
) -> DicomElement | None:
    while element is not None and element._tag != tag:
        element = _step(nodes, element, tree_flag, False)
    return element
