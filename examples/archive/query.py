"""C-FIND of the archive: studies and so on from the index, worklists from files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pydicom import config, dcmread
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from examples.archive.index import LEVELS, Index, text
from leadtools_compat.dicom import *

WORKLIST = DicomUidType.ModalityWorklistFind
FINDS = (DicomUidType.PatientRootQueryFind, DicomUidType.StudyRootQueryFind, WORKLIST)


def answers(
    sop_class: str, keys: Dataset, index: Index, worklist: Path | None
) -> Iterator[Dataset]:
    """Find what matches a query.

    Raises
    ------
    ValueError
        The query makes no sense.
    """
    if sop_class == WORKLIST:
        yield from _worklist(keys, worklist)
        return
    level = text(keys, "QueryRetrieveLevel")
    if level not in LEVELS or (level == "PATIENT" and sop_class == FINDS[1]):
        raise ValueError(f"QueryRetrieveLevel is {level!r}")
    for row in index.find(level, keys):
        found = Dataset()
        for element in keys:
            found[element.tag] = _value(element, row.get(element.keyword, ""))
        found.QueryRetrieveLevel = level
        found.SpecificCharacterSet = "ISO_IR 192"
        yield found


def _value(key: DataElement, value: str) -> DataElement:
    """Make an element of an answer; what is asked for and not known comes back empty."""
    if key.VR == "SQ":
        return DataElement(key.tag, "SQ", [])
    if key.keyword == "ModalitiesInStudy":
        value = value.replace(",", "\\")
    content = value.split("\\") if "\\" in value else value or None
    return DataElement(key.tag, key.VR, content, validation_mode=config.IGNORE)


# ---- worklist -----------------------------------------------------------------------------------


def _worklist(keys: Dataset, folder: Path | None) -> Iterator[Dataset]:
    """Look through the files of the worklist: DICOM files, one for each entry."""
    for path in sorted(folder.glob("*")) if folder is not None else ():
        try:
            entry = dcmread(path, force=True)
            fits = _fits(keys, entry)
        except Exception as error:  # noqa: BLE001 - one bad file must not hide the others
            print(f"{path}: {error}", flush=True)
            continue
        if fits:
            found = _pick(keys, entry)
            found.SpecificCharacterSet = entry.get("SpecificCharacterSet", "ISO_IR 100")
            yield found


def _fits(keys: Dataset, entry: Dataset) -> bool:
    """Tell whether an entry meets all conditions."""
    for key in keys:
        if key.VR == "SQ":
            conditions = key.value[0] if key.value else Dataset()
            items = entry.get(key.tag).value if key.tag in entry else []
            if any(text(conditions, one.keyword) for one in conditions) and not any(
                _fits(conditions, item) for item in items
            ):
                return False
        elif not key.keyword or key.keyword == "SpecificCharacterSet":
            continue
        elif text(keys, key.keyword) and not _matches(
            key.keyword, text(keys, key.keyword), text(entry, key.keyword)
        ):
            return False
    return True


def _matches(keyword: str, wanted: str, value: str) -> bool:
    vr = dictionary_VR(keyword)
    if vr in ("DA", "TM") and "-" in wanted:
        start, _, end = wanted.partition("-")
        return (
            bool(value) and (not start or value >= start) and (not end or value[: len(end)] <= end)
        )
    if vr == "PN":
        wanted, value = wanted.upper(), value.upper()
    pattern = "".join({"*": ".*", "?": "."}.get(one, re.escape(one)) for one in wanted)
    return any(re.fullmatch(pattern, one) is not None for one in value.split("\\"))


def _pick(keys: Dataset, entry: Dataset) -> Dataset:
    """Take what was asked for."""
    found = Dataset()
    for key in keys:
        if key.tag not in entry:
            found[key.tag] = DataElement(key.tag, key.VR, [] if key.VR == "SQ" else None)
        elif key.VR == "SQ" and key.value and len(key.value[0]):
            items = [_pick(key.value[0], item) for item in entry[key.tag].value]
            found[key.tag] = DataElement(key.tag, "SQ", items)
        else:
            found[key.tag] = entry[key.tag]
    return found
