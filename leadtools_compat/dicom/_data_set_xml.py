"""A pydicom data set as the native DICOM model of PS3.19 A.1, and back."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree
from xml.parsers import expat

from leadtools_compat.dicom._dataset_bytes import BINARY, TEXT, UNSPLIT
from leadtools_compat.dicom._dataset_texts import values_of

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

__all__ = ["read", "write"]

_DEPTH_LIMIT = 64
_NAME_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")
_NAME_PARTS = ("FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix")
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _text(value: Any) -> str:
    return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", str(value))


def _write_name(parent: ElementTree.Element, number: int, value: Any) -> None:
    person = ElementTree.SubElement(parent, "PersonName", number=str(number))
    for kind, group in zip(_NAME_GROUPS, str(value).split("="), strict=False):
        if not group:
            continue
        below = ElementTree.SubElement(person, kind)
        for part, text in zip(_NAME_PARTS, group.split("^"), strict=False):
            if text:
                ElementTree.SubElement(below, part).text = _text(text)


def _write_set(parent: ElementTree.Element, data: Dataset) -> None:
    for element in data:
        attribute = ElementTree.SubElement(
            parent, "DicomAttribute", {"tag": f"{int(element.tag):08X}", "vr": element.VR[:2]}
        )
        if element.keyword:
            attribute.set("keyword", element.keyword)
        if element.tag.is_private and element.private_creator:
            attribute.set("privateCreator", _text(element.private_creator))
        if element.VR == "SQ":
            for number, item in enumerate(element.value, 1):
                _write_set(ElementTree.SubElement(attribute, "Item", number=str(number)), item)
        elif element.VR in BINARY:
            if element.value:
                content = base64.b64encode(bytes(element.value)).decode()
                ElementTree.SubElement(attribute, "InlineBinary").text = content
        else:
            for number, value in enumerate(values_of(element), 1):
                if element.VR == "PN":
                    _write_name(attribute, number, value)
                    continue
                text = f"{int(value):08X}" if element.VR == "AT" else _text(value)
                ElementTree.SubElement(attribute, "Value", number=str(number)).text = text


def write(data: Dataset) -> bytes:
    """Write the model as UTF-8."""
    root = ElementTree.Element(
        "NativeDicomModel",
        {"xml:space": "preserve", "xmlns": "http://dicom.nema.org/PS3.19/models/NativeDICOM"},
    )
    _write_set(root, data)
    ElementTree.indent(root, " ")
    return bytes(ElementTree.tostring(root, "utf-8", xml_declaration=True))


# ---- reading ----


def _name(node: ElementTree.Element) -> str:
    return node.tag.rpartition("}")[2]


def _parse(content: bytes) -> ElementTree.Element:
    """Parse without document types: they can blow a small file up."""
    builder = ElementTree.TreeBuilder()
    parser = expat.ParserCreate(namespace_separator="}")

    def refuse(*arguments: Any) -> None:
        raise ValueError("it has a document type, which is not accepted")

    depth = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > 2 * _DEPTH_LIMIT + 8:
            raise ValueError(f"sequences are nested deeper than {_DEPTH_LIMIT} levels")
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.Parse(content, True)
    return builder.close()


def _read_name(person: ElementTree.Element) -> str:
    groups = []
    for kind in _NAME_GROUPS:
        node = next((one for one in person if _name(one) == kind), None)
        texts = (
            []
            if node is None
            else [
                next((one.text or "" for one in node if _name(one) == part), "")
                for part in _NAME_PARTS
            ]
        )
        groups.append("^".join(texts).rstrip("^"))
    return "=".join(groups).rstrip("=")


def _convert(vr: str, text: str) -> Any:
    if vr in TEXT:
        return text
    if vr == "AT":
        return int(text, 16)
    return float(text) if vr in ("FL", "FD") else int(text)


def _read_value(attribute: ElementTree.Element, vr: str) -> Any:
    below = sorted(attribute, key=lambda one: int(one.get("number", "1")))
    if vr == "SQ":
        return [_read_set(one) for one in below if _name(one) == "Item"]
    if vr in BINARY:
        node = next((one for one in below if _name(one) == "InlineBinary"), None)
        if node is None and any(_name(one) == "BulkData" for one in below):
            raise ValueError(f"{attribute.get('tag')} is in another file (BulkData)")
        return (
            b""
            if node is None
            else base64.b64decode("".join((node.text or "").split()), validate=True)
        )
    if vr == "PN":
        values: list[Any] = [_read_name(one) for one in below if _name(one) == "PersonName"]
    else:
        values = [_convert(vr, one.text or "") for one in below if _name(one) == "Value"]
    if len(values) > 1:
        return values if vr not in UNSPLIT else "\\".join(values)
    return values[0] if values else None


def _read_set(parent: ElementTree.Element) -> Dataset:
    from pydicom.config import RAISE
    from pydicom.dataelem import DataElement, empty_value_for_VR
    from pydicom.dataset import Dataset

    data = Dataset()
    for attribute in parent:
        if _name(attribute) != "DicomAttribute":
            continue
        tag, vr = int(attribute.get("tag", ""), 16), attribute.get("vr", "")
        if len(vr) != 2 or not 0 <= tag < 2**32:
            raise ValueError(f"an attribute has tag {tag:08X} and VR {vr!r}")
        value = _read_value(attribute, vr)
        if value is None:
            value = empty_value_for_VR(vr)
        data.add(DataElement(tag, vr, value, validation_mode=RAISE))
    return data


def read(content: bytes) -> Dataset:
    """Read the model."""
    root = _parse(content)
    if _name(root) != "NativeDicomModel":
        raise ValueError(f"its root is {_name(root)}, not NativeDicomModel")
    return _read_set(root)
