"""Queries: keys as people type them, made into identifiers for C-FIND, C-MOVE and C-GET.

The one rule: a key that does not exist is refused with the nearest one that does.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from leadtools_compat._nodes.model import EXPLICIT, IMPLICIT, Context

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

__all__ = ["LEVELS", "MODELS", "Level", "Model", "build_query", "get_contexts", "row", "sop_class"]

Level = Literal["patient", "study", "series", "image"]
Model = Literal["study", "patient", "worklist"]
LEVELS: tuple[Level, ...] = ("patient", "study", "series", "image")
MODELS: tuple[Model, ...] = ("study", "patient", "worklist")

_ROOTS = {"patient": "1.2.840.10008.5.1.4.1.2.1", "study": "1.2.840.10008.5.1.4.1.2.2"}
_WORKLIST = "1.2.840.10008.5.1.4.31"
_SERVICES = {"find": 1, "move": 2, "get": 3}

# PS3.4 C.6: the keys that are worth a column when nobody asked for others.
_WANTED = {
    "patient": ("PatientName", "PatientID", "PatientBirthDate", "PatientSex"),
    "study": (
        *("PatientName", "PatientID", "StudyDate", "StudyTime", "AccessionNumber"),
        *("StudyDescription", "ModalitiesInStudy", "StudyInstanceUID"),
    ),
    "series": (
        *("Modality", "SeriesNumber", "SeriesDescription", "StudyInstanceUID"),
        "SeriesInstanceUID",
    ),
    "image": (
        *("InstanceNumber", "SOPClassUID", "StudyInstanceUID", "SeriesInstanceUID"),
        "SOPInstanceUID",
    ),
    "worklist": ("PatientName", "PatientID", "AccessionNumber", "RequestedProcedureDescription"),
}
_STEP = ("ScheduledStationAETitle", "ScheduledProcedureStepStartDate", "Modality")

# What a C-GET may bring: 120 of the 128 contexts there are, the rare classes last.
_COMPRESSED = (
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.51",
    "1.2.840.10008.1.2.4.70",
    "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.81",
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.91",
    "1.2.840.10008.1.2.5",
)
_GET_CLASSES = 120
_RARE = (
    *("Ophthalm", "Lensometry", "refraction", "Keratometry", "Visual", "Spectacle", "Intraocular"),
    *("Macular", "Implant", "Palette", "Hanging", "Waveform", "Beams Delivery", "Inventory"),
    *("Photoacoustic", "Confocal", "Template", "Brachy", "Tractography", "Robotic", "Radiation"),
)


def sop_class(model: Model, service: Literal["find", "move", "get"]) -> str:
    """Give the UID of a service class.

    Raises
    ------
    ValueError
        The worklist can only be searched.
    """
    if model == "worklist":
        if service != "find":
            raise ValueError("the worklist can only be searched: use find, or --model study")
        return _WORKLIST
    return f"{_ROOTS[model]}.{_SERVICES[service]}"


def build_query(model: Model, level: Level, keys: Sequence[str], wanted: bool = True) -> Dataset:
    """Make the identifier.

    Parameters
    ----------
    model, level
        The level is ignored for the worklist.
    keys
        ``Keyword=value``, ``gggg,eeee=value``, or without ``=value``: wanted in the answer.
    wanted
        Whether to ask for the usual elements of the level too.

    Raises
    ------
    ValueError
        For a key that does not exist; the text names the nearest one.
    """
    from pydicom.dataset import Dataset

    query = Dataset()
    step = Dataset()
    if model == "worklist":
        for keyword in _STEP:
            setattr(step, keyword, "")
    else:
        query.QueryRetrieveLevel = level.upper()
    if wanted:
        for keyword in _WANTED["worklist" if model == "worklist" else level]:
            setattr(query, keyword, None if keyword.endswith("Name") else "")
    for key in keys:
        name, _, value = key.partition("=")
        tag = _tag(name.strip())
        target = step if model == "worklist" and _keyword(tag) in _STEP else query
        _set(target, tag, value)
    if model == "worklist":
        query.ScheduledProcedureStepSequence = [step]
    if any(not text.isascii() for text in keys):
        query.SpecificCharacterSet = "ISO_IR 192"
    return query


def _keyword(tag: int) -> str:
    from pydicom.datadict import keyword_for_tag

    return keyword_for_tag(tag)


def _tag(name: str) -> int:
    from pydicom.datadict import tag_for_keyword

    number = re.fullmatch(r"\(?([0-9A-Fa-f]{4}),?\s*([0-9A-Fa-f]{4})\)?", name)
    if number:
        return int(number[1] + number[2], 16)
    tag = tag_for_keyword(name)
    if tag is None:
        raise ValueError(f"there is no key {name!r}{_near(name)}")
    return tag


def _near(name: str) -> str:
    from pydicom.datadict import keyword_dict

    words = {keyword.lower(): keyword for keyword in keyword_dict}
    near = difflib.get_close_matches(name.lower(), words, n=1)
    return f"; did you mean {words[near[0]]}?" if near else "; keys are keywords or gggg,eeee"


def _set(target: Dataset, tag: int, value: str) -> None:
    from pydicom.datadict import dictionary_VR
    from pydicom.dataelem import DataElement

    try:
        vr = dictionary_VR(tag)
    except KeyError:
        vr = "UN" if tag >> 16 & 1 else "LO"
    if vr == "SQ":
        raise ValueError(f"{_keyword(tag)} is a sequence, which cannot be a key here")
    content: Any = value
    if vr in ("US", "SS", "UL", "SL", "IS") and value:
        if not re.fullmatch(r"[+-]?\d+", value):
            raise ValueError(f"{_keyword(tag)} takes a number, not {value!r}")
        content = int(value)
    elif vr in ("UN", "OB"):
        content = value.encode()
    try:
        target.add(DataElement(tag, vr.partition(" ")[0], content))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{_keyword(tag)}={value}: {error}") from error


def get_contexts(model: Model, classes: Iterable[str] = ()) -> list[Context]:
    """Give the contexts of a C-GET: the service, and the storage classes as provider.

    Parameters
    ----------
    classes
        UIDs to take; none: the usual ones.
    """
    from pydicom.uid import UID

    chosen = list(classes) or _usual_classes()
    for uid in chosen:
        if not UID(uid).is_valid:
            raise ValueError(f"{uid!r} is not a UID")
    syntaxes = (EXPLICIT, IMPLICIT, *_COMPRESSED)
    return [
        Context(sop_class(model, "get")),
        *(Context(uid, syntaxes, provider=True) for uid in chosen[:_GET_CLASSES]),
    ]


def _usual_classes() -> list[str]:
    from pydicom import uid as names

    first = ("CTImageStorage", "MRImageStorage", "DigitalXRayImageStorageForPresentation")
    found = {
        str(value)
        for name, value in vars(names).items()
        if name.endswith("Storage") or "StorageFor" in name
        if isinstance(value, names.UID) and "1.2.840.10008.5.1.4.1.1." in value
    }
    head = [str(getattr(names, name)) for name in first]
    rest = sorted(found - set(head), key=lambda uid: [int(part) for part in uid.split(".")])
    rest.sort(key=lambda uid: any(word in names.UID(uid).name for word in _RARE))
    return [*head, *rest]


def row(data: Dataset) -> dict[str, str]:
    """Give the elements of a match as texts, one level of a sequence unfolded."""
    made: dict[str, str] = {}
    for element in data:
        if element.VR == "SQ":
            for item in element.value:
                made.update(row(item))
        elif element.keyword not in ("SpecificCharacterSet", "QueryRetrieveLevel"):
            value = element.value
            text = "\\".join(map(str, value)) if element.VM > 1 else str(value or "")
            made[element.keyword or str(element.tag)] = text
    return made
