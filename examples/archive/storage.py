"""How the archive keeps objects: files below one folder, written whole or not at all."""

from __future__ import annotations

import hashlib
import os
import re
import threading
from pathlib import Path

from examples.archive.index import Index
from leadtools_compat.dicom import *

UID = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*")  # PS3.5 9.1


def is_uid(name: str) -> bool:
    """Tell whether a name from the wire is a UID; only then it may become part of a path."""
    return len(name) <= 64 and UID.fullmatch(name) is not None


def store(data: DicomDataSet, instance: str, folder: Path, index: Index) -> DicomCommandStatusType:
    """Keep an object: on the disk first, then in the index; only then it is a Success."""
    if not is_uid(instance):
        return DicomCommandStatusType.InvalidObjectInstance
    elements = data.to_pydicom()
    if str(elements.get("SOPInstanceUID", "")) != instance:
        return DicomCommandStatusType.InvalidObjectInstance
    if not is_uid(str(elements.get("StudyInstanceUID", ""))) or not is_uid(
        str(elements.get("SeriesInstanceUID", ""))
    ):
        return DicomCommandStatusType.InvalidAttributeValue
    # A folder of some thousand files is quick, one of a million is not.
    target = folder / hashlib.sha256(instance.encode()).hexdigest()[:2] / f"{instance}.dcm"
    target.parent.mkdir(exist_ok=True)
    temporary = target.with_name(f".{instance}.{threading.get_ident()}.part")
    try:
        data.Save(temporary, DicomDataSetSaveFlags.None_)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.rename(target)
        handle = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        index.add(elements, data.transfer_syntax, target)
    finally:
        temporary.unlink(missing_ok=True)
    return DicomCommandStatusType.Success
