"""What every member of `DicomDataSet` does first: checks of elements and tags."""

from __future__ import annotations

from typing import SupportsIndex

from leadtools_compat._binding.errors import parameter_error
from leadtools_compat.dicom._arguments import integer
from leadtools_compat.dicom._dataset_tree import ITEM, Tree, tag_text
from leadtools_compat.dicom.dicom_element import DicomElement

__all__ = ["check_element", "check_tag", "check_valued"]

_DELIMITERS = (0xFFFEE00D, 0xFFFEE0DD)


def check_element(tree: Tree, element: DicomElement | None, name: str = "element") -> DicomElement:
    """Check an argument that has to be an element of this data set."""
    if element is None:
        raise parameter_error(
            f"{name} is None: the data set has no such element. Test what the Find and Get methods "
            "give before it is used"
        )
    if not isinstance(element, DicomElement):
        raise TypeError(f"{name} must be a DicomElement or None, not {type(element).__name__}")
    if element._tree is not tree and element._tree.why_ended is None:
        raise parameter_error(
            f"{name}, {tag_text(element._tag)}, belongs to another DicomDataSet; use Copy to take "
            "elements over"
        )
    element._tree.alive(element)
    return element


def check_start(tree: Tree, element: DicomElement | None, name: str = "element") -> None:
    """Check an argument that has to be an element of this data set or None."""
    if element is not None:
        check_element(tree, element, name)


def check_valued(tree: Tree, element: DicomElement | None) -> DicomElement:
    """Check an element that has to have a value of its own: no item."""
    checked = check_element(tree, element)
    if checked._item is not None:
        raise parameter_error("element is an item of a sequence; its elements have the values")
    return checked


def check_tag(tag: SupportsIndex, name: str = "tag") -> int:
    """Check a tag: 32 bits, and no delimiter."""
    number = integer(tag, name, 0, 0xFFFFFFFF)
    if number in _DELIMITERS:
        raise parameter_error(f"{name} is {tag_text(number)}, which the library writes by itself")
    return number


assert ITEM not in _DELIMITERS
