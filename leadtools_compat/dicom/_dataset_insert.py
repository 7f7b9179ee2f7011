"""What inserting, deleting and copying elements does to the pydicom data set."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from leadtools_compat._binding.datasets import DataSet
from leadtools_compat._binding.errors import parameter_error
from leadtools_compat.dicom._arguments import integer
from leadtools_compat.dicom._dataset_access import check_tag
from leadtools_compat.dicom._dataset_bytes import put, vr_letters
from leadtools_compat.dicom._dataset_tree import DEPTH_LIMIT, ITEM, Tree, read_element, tag_text
from leadtools_compat.dicom.dicom_element import DicomElement
from leadtools_compat.dicom.dicom_exception import DicomException
from leadtools_compat.dicom.enums_codes import DicomExceptionCode
from leadtools_compat.dicom.enums_vr import DicomVRType

if TYPE_CHECKING:
    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset

    from leadtools_compat.dicom._data_set_state import DataSetState

__all__ = ["clear", "copy_all", "delete", "give", "insert", "put_sequence", "take"]

_ITEM_VRS = ("SQ", "UN", "OB")


def dictionary_vr(tag: int, holder: Dataset) -> str | None:
    """Look a tag's VR up: the first of several; None: the dictionaries do not have it."""
    from leadtools_compat.dicom._tag_rows import vr_of_tag

    known = vr_of_tag(tag)
    if known is not None:
        return known
    if tag >> 16 & 1:
        if 0x10 <= tag & 0xFFFF <= 0xFF:
            return "LO"  # a private creator (PS3.5 7.8.1)
        from pydicom.datadict import private_dictionary_VR

        creator = tag & 0xFFFF0000 | (tag & 0xFF00) >> 8
        if creator in holder:
            try:
                found = private_dictionary_VR(tag, str(read_element(holder, creator).value))
            except KeyError:
                return None
            return found if len(found) == 2 else found[:2]
    return None


def _vr(tag: int, vr: DicomVRType | int, sequence: bool, holder: Dataset) -> str:
    letters = vr_letters(vr)
    known = dictionary_vr(tag, holder)
    if letters == "UN":
        letters = "SQ" if sequence else known or "UN"
    elif sequence:
        letters = "SQ"
    public = not tag >> 16 & 1
    if public and known not in (None, "UN") and (letters == "SQ") != (known == "SQ"):
        raise DicomException(
            DicomExceptionCode.VRInvalid,
            f"{tag_text(tag)} has VR {known}, not {letters}; UN takes the dictionary's",
        )
    return letters


def insert(
    tree: Tree,
    neighbor: DicomElement | None,
    child: bool,
    tag: int,
    vr: DicomVRType | int,
    sequence: bool,
    index: int,
) -> tuple[DicomElement, bool]:
    """Insert an element; also tells whether it is new."""
    number = check_tag(tag)
    place = integer(index, "index", -1, 2**31 - 1)
    parent = neighbor if child or neighbor is None else neighbor._parent
    if number == ITEM:
        if parent is None or not tree.is_sequence(parent):
            raise parameter_error(
                "an item can only be inserted into a sequence: give the sequence as neighbor and "
                "child True"
            )
        if vr_letters(vr) not in _ITEM_VRS:
            raise DicomException(DicomExceptionCode.VRInvalid, "an item has VR SQ or UN")
        return _insert_item(tree, parent, place), True
    if parent is not None and parent._item is None:
        what = "a sequence" if tree.is_sequence(parent) else f"no item, but {tag_text(parent._tag)}"
        raise parameter_error(
            f"{tag_text(number)} cannot be inserted below neighbor, which is {what}: elements go "
            "into items; insert one with DicomTag.Item first"
        )
    if number == 0 and parent is not None:
        raise parameter_error("tag is (0000,0000), which stands only at the top of a command set")
    holder = _holder(tree, number, parent)
    if number in holder:
        return tree.node(holder, number, parent), False
    letters = _vr(number, vr, sequence, holder)
    if letters == "SQ" and parent is not None and parent._depth() + 1 >= 2 * DEPTH_LIMIT:
        raise DicomException(
            DicomExceptionCode.SequenceDepth, f"{DEPTH_LIMIT} levels of sequences are the most"
        )
    made = tree.node(holder, number, parent)
    try:
        put(made, letters, [] if letters == "SQ" else None)
    except DicomException:
        tree.drop(made)
        raise
    tree.changed(holder)
    return made, True


def _holder(tree: Tree, tag: int, parent: DicomElement | None) -> Dataset:
    holder = tree.holder_of(tag, parent)
    if holder is None:
        from pydicom.dataset import FileMetaDataset

        tree.headless = False
        holder = getattr(tree.root, "file_meta", None)
        if holder is None:
            holder = tree.root.file_meta = FileMetaDataset()
    return holder


def _insert_item(tree: Tree, sequence: DicomElement, place: int) -> DicomElement:
    from pydicom.dataset import Dataset

    if sequence._depth() >= 2 * DEPTH_LIMIT:
        raise DicomException(
            DicomExceptionCode.SequenceDepth, f"{DEPTH_LIMIT} levels of sequences are the most"
        )
    items: Any = _items_to_change(sequence)
    if place > len(items):
        raise parameter_error(f"index is {place}, and the sequence has {len(items)} items")
    place = len(items) if place < 0 else place
    items.insert(place, Dataset())
    # pydicom keeps what was inserted, and tells it its parent
    return tree.item(sequence, items[place], place)


def _items_to_change(sequence: DicomElement) -> Any:
    element = read_element(sequence._holder, sequence._tag)
    if element.value is None:
        put(sequence, "SQ", [])
        element = read_element(sequence._holder, sequence._tag)
    return element.value


def delete(tree: Tree, element: DicomElement) -> None:
    """Take an element out."""
    if element._item is not None:
        if element._parent is None:
            return
        index = tree.index_of(element)
        del read_element(element._parent._holder, element._parent._tag).value[index]
    else:
        del element._holder[element._tag]
        tree.changed(element._holder)
    tree.drop(element)


def _drop_items(tree: Tree, sequence: DicomElement) -> None:
    for index, item in enumerate(tree.items(sequence)):
        tree.drop(tree.item(sequence, item, index))


def clear(tree: Tree, element: DicomElement) -> None:
    """Empty an element."""
    if tree.is_sequence(element):
        _drop_items(tree, element)
        put(element, "SQ", [])
    else:
        put(element, read_element(element._holder, element._tag).VR[:2], None)


def put_sequence(tree: Tree, element: DicomElement, items: list[Dataset]) -> None:
    """Replace the items of a sequence."""
    _drop_items(tree, element)
    put(element, "SQ", items)


# ---- copying ----


def copy_all(source: DataSetState, target: DataSetState) -> None:
    """Have the content of another data set."""
    with source:
        copied = DataSet.retain(source.settled().handle)
        head, kind = source.copied_head(), source.kind
    with target:
        target.take(copied, head)
        target.kind = kind


Taken = tuple["list[DataElement]", "Dataset | None"]


def take(tree: Tree, element: DicomElement | None) -> Taken:
    """Copy elements; the second part is the item, if an item is meant."""
    if element is not None and element._item is None:
        return [_copied(element._holder, element._tag)], None
    holder = tree.root if element is None else element._holder
    return [_copied(holder, tag) for tag in tree.tags(holder)], holder


def _copied(holder: Dataset, tag: int) -> DataElement:
    return copy.deepcopy(read_element(holder, tag))


def give(tree: Tree, destination: DicomElement | None, taken: Taken) -> None:
    """Put copied elements where they belong."""
    elements, item = taken
    if destination is not None and tree.is_sequence(destination):
        if item is None:
            if len(elements) == 1 and elements[0].VR == "SQ":
                for one in elements[0].value or ():
                    _add_item(destination, list(one))
                return
            raise parameter_error(
                "destination is a sequence; only an item or the items of a sequence can go into it"
            )
        _add_item(destination, elements)
        return
    if destination is not None and destination._item is None:
        if len(elements) != 1:
            raise parameter_error(
                "destination is a single element; sourceElement has to be one too"
            )
        vr = read_element(destination._holder, destination._tag).VR[:2]
        put(destination, vr, elements[0].value)
        return
    for element in elements:
        holder = _holder(tree, int(element.tag), destination)
        if element.tag in holder:
            delete(tree, tree.node(holder, int(element.tag), destination))
        holder.add(element)
        tree.changed(holder)


def _add_item(sequence: DicomElement, elements: list[DataElement]) -> None:
    from pydicom.dataset import Dataset

    made = Dataset()
    for element in elements:
        made.add(element)
    _items_to_change(sequence).append(made)
