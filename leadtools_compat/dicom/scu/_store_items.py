"""What `StoreScu` sends: files and data sets, and the contexts that they need.

Of a file only the head is read here; it is streamed when it is sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leadtools_compat._binding.text import StrPath
from leadtools_compat.dicom.dicom_associate import DicomAssociate
from leadtools_compat.dicom.dicom_data_set import DicomDataSet
from leadtools_compat.dicom.dicom_exception import DicomException
from leadtools_compat.dicom.enums_codes import DicomExceptionCode
from leadtools_compat.dicom.enums_dimse import DicomAssociateAcceptResultType
from leadtools_compat.dicom.scu.enums import Compression
from leadtools_compat.dicom.scu.presentation_context import PresentationContext

__all__ = [
    "Item",
    "batches",
    "choose",
    "contexts_for",
    "find_files",
    "look_at_data_set",
    "look_at_file",
]

EXPLICIT = "1.2.840.10008.1.2.1"
IMPLICIT = "1.2.840.10008.1.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
BIG = "1.2.840.10008.1.2.2"
NATIVE = (EXPLICIT, IMPLICIT)
FORMS = frozenset({EXPLICIT, IMPLICIT, DEFLATED, BIG})
"""Syntaxes without a codec: each can be turned into the others."""

# Best first. What cannot be encoded here is passed over when the instance is sent.
LOSSLESS = (
    "1.2.840.10008.1.2.4.80",  # JPEG-LS
    "1.2.840.10008.1.2.4.90",  # JPEG 2000
    "1.2.840.10008.1.2.5",  # RLE
)
LOSSY = (
    "1.2.840.10008.1.2.4.91",  # JPEG 2000
    "1.2.840.10008.1.2.4.81",  # JPEG-LS, near lossless
)

MOST = 128
"""Presentation contexts of an association (PS3.8 9.3.2.2: odd numbers of one byte)."""


@dataclass
class Item:
    """One instance that is to be stored."""

    path: Path | None
    data: DicomDataSet | None
    sop_class: str
    instance: str
    syntax: str
    error: DicomException | None = None


def look_at_file(path: StrPath) -> Item:
    """Find out what has to be said about a file; a bad one has its `error`."""
    from pydicom import dcmread

    file = Path(path)
    try:
        data = dcmread(
            file, stop_before_pixels=True, specific_tags=["SOPClassUID", "SOPInstanceUID"]
        )
        syntax = str(data.file_meta.get("TransferSyntaxUID", "") or IMPLICIT)
        item = Item(
            file,
            None,
            str(data.get("SOPClassUID", "")),
            str(data.get("SOPInstanceUID", "")),
            syntax,
        )
    except FileNotFoundError:
        return _bad(file, DicomExceptionCode.FileNotFound, "it does not exist")
    except OSError as error:
        return _bad(file, DicomExceptionCode.FileAccess, error.strerror or str(error))
    except Exception as error:  # noqa: BLE001 - pydicom raises many kinds about hostile files
        return _bad(file, DicomExceptionCode.FileFormat, str(error))
    if not item.sop_class or not item.instance:
        return _bad(file, DicomExceptionCode.FileFormat, "it has no SOP class or instance UID")
    return item


def _bad(file: Path, code: DicomExceptionCode, why: str) -> Item:
    return Item(file, None, "", "", "", DicomException(code, f"{file} cannot be sent: {why}"))


def look_at_data_set(data: DicomDataSet) -> Item:
    """Find out what has to be said about a data set.

    Raises
    ------
    DicomException
        ``ElementNotFound``: it does not say what it is.
    """
    if not isinstance(data, DicomDataSet):
        raise TypeError(f"a DicomDataSet is needed, not a {type(data).__name__}")
    elements = data.to_pydicom()
    sop_class = str(elements.get("SOPClassUID", "") or "")
    instance = str(elements.get("SOPInstanceUID", "") or "")
    if not sop_class or not instance:
        raise DicomException(
            DicomExceptionCode.ElementNotFound,
            "The data set has no SOP class UID or SOP instance UID: it cannot be stored",
        )
    return Item(None, data, sop_class, instance, data.transfer_syntax or EXPLICIT)


def find_files(directory: StrPath, mask: str, recursive: bool) -> list[Path]:
    """List the files of a folder whose names fit a mask as ``*.dcm``; "" and ``*.*``: all.

    Raises
    ------
    DicomException
        ``FileNotFound``: there is no such folder.
    """
    folder = Path(directory)
    if not folder.is_dir():
        raise DicomException(DicomExceptionCode.FileNotFound, f"{folder} is not a folder")
    pattern = "*" if mask in ("", "*.*") else mask
    found = folder.rglob(pattern) if recursive else folder.glob(pattern)
    return sorted(path for path in found if path.is_file())


# ---- contexts -----------------------------------------------------------------------------------


def _wanted(compression: Compression) -> tuple[str, ...]:
    if compression == Compression.Lossless:
        return LOSSLESS
    return LOSSY if compression == Compression.Lossy else ()


def contexts_for(items: Iterable[Item], compression: Compression) -> list[PresentationContext]:
    """Make the contexts for some instances.

    For each SOP class: one for each syntax that an instance is in, so that it can go as it is, one
    for each compression that is wanted, and one for the native ones, which are the way out.
    """
    syntaxes: dict[str, list[str]] = {}
    for item in items:
        if item.error is None:
            of_class = syntaxes.setdefault(item.sop_class, [])
            if item.syntax not in of_class:
                of_class.append(item.syntax)
    made = []
    for sop_class, own in syntaxes.items():
        singles = [*own, *(uid for uid in _wanted(compression) if uid not in own)]
        made += [PresentationContext(sop_class, [uid]) for uid in singles]
        rest = [uid for uid in NATIVE if uid not in singles]
        if rest:
            made.append(PresentationContext(sop_class, rest))
    return made


def batches(items: list[Item], compression: Compression) -> Iterator[list[Item]]:
    """Divide instances into associations of at most 128 contexts; nearly always that is one."""
    batch: list[Item] = []
    seen: set[tuple[str, str]] = set()
    for item in items:
        key = (item.sop_class, item.syntax)
        if item.error is None and key not in seen:
            if len(contexts_for([*batch, item], compression)) > MOST:
                yield batch
                batch, seen = [], set()
            seen.add(key)
        batch.append(item)
    if batch:
        yield batch


def choose(
    association: DicomAssociate, item: Item, compression: Compression
) -> list[tuple[int, str]]:
    """List the accepted contexts (number, syntax) of an instance in which it may go, best first."""
    accepted: dict[str, int] = {}
    number = association.FindAbstract(item.sop_class)
    while number:
        if association.GetResult(number) == DicomAssociateAcceptResultType.Success:
            accepted.setdefault(association.GetTransfer(number, 0), number)
        number = association.FindNextAbstract(number, item.sop_class)
    order = [item.syntax, *NATIVE, *(FORMS - {item.syntax})]
    if item.syntax in FORMS:
        order = [*_wanted(compression), *order]
    elif compression != Compression.Native and item.syntax not in _wanted(compression):
        order = [item.syntax, *_wanted(compression), *NATIVE]
    unique: dict[str, Any] = dict.fromkeys(order)
    return [(accepted[uid], uid) for uid in unique if uid in accepted]
