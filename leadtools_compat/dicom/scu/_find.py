"""C-FIND: the queries of `QueryRetrieveScu`, and what becomes of the answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from leadtools_compat.dicom._class_uids import CLASS_UIDS
from leadtools_compat.dicom.dicom_data_set import DicomDataSet
from leadtools_compat.dicom.dicom_exception import DicomException
from leadtools_compat.dicom.element_attributes import elements_of, instance_of
from leadtools_compat.dicom.enums_class import DicomClassType
from leadtools_compat.dicom.enums_codes import DicomExceptionCode
from leadtools_compat.dicom.enums_dataset import DicomDataSetInitializeFlags
from leadtools_compat.dicom.enums_dimse import DicomCommandPriorityType, DicomCommandStatusType
from leadtools_compat.dicom.scu import _steps
from leadtools_compat.dicom.scu._connection_state import ConnectionState, connection_of, fire
from leadtools_compat.dicom.scu._mapped import fill
from leadtools_compat.dicom.scu.dicom_scp import DicomScp
from leadtools_compat.dicom.scu.enums import QueryLevel
from leadtools_compat.dicom.scu.event_args import (
    AfterCFindEventArgs,
    BeforeCFindEventArgs,
    MatchEventArgs,
)
from leadtools_compat.dicom.scu.presentation_context import InstanceAttribute, PresentationContext
from leadtools_compat.dicom.scu.results import CompositeObjectInstance, Patient, Series, Study

__all__ = [
    "LEVELS",
    "PATIENT_ROOT",
    "STUDY_ROOT",
    "find",
    "kind_of_data_set",
    "mapped_query",
    "match",
]

PATIENT_ROOT = "1.2.840.10008.5.1.4.1.2.1."
"""Prefix: 1 is Find, 2 Move, 3 Get."""
STUDY_ROOT = "1.2.840.10008.5.1.4.1.2.2."

LEVELS = {
    "PATIENT": QueryLevel.Patient,
    "STUDY": QueryLevel.Study,
    "SERIES": QueryLevel.Series,
    "IMAGE": QueryLevel.Image,
}

Match = Callable[[DicomDataSet], object]


def level_of(data: DicomDataSet) -> QueryLevel | None:
    """Read the level of a query."""
    return LEVELS.get(str(data.to_pydicom().get("QueryRetrieveLevel", "") or "").strip())


def kind_of_data_set(data: DicomDataSet) -> tuple[DicomClassType, str]:
    """Find out what a data set asks: the kind, and the SOP class of C-FIND.

    Raises
    ------
    DicomException
        ``ElementNotFound``: it does not say.
    """
    kind, uid = instance_of(type(data))
    if uid:
        return kind, uid
    kind = data.InformationClass
    uid = CLASS_UIDS.get(int(kind), "")
    if uid.startswith((PATIENT_ROOT, STUDY_ROOT)) or kind == DicomClassType.ModalityWorklist:
        return kind, uid
    level = level_of(data)
    if level is not None:
        root = PATIENT_ROOT if level == QueryLevel.Patient else STUDY_ROOT
        return DicomClassType.Undefined, f"{root}1"
    if "ScheduledProcedureStepSequence" in data.to_pydicom():
        worklist = DicomClassType.ModalityWorklist
        return worklist, CLASS_UIDS[int(worklist)]
    raise DicomException(
        DicomExceptionCode.ElementNotFound,
        "The query does not say what it asks: Initialize it with a class of queries, or set "
        "QueryRetrieveLevel",
    )


def mapped_query(
    query: Any, before: Callable[[int], bool] | None, template: DicomDataSet | None
) -> tuple[DicomDataSet, DicomClassType, str]:
    """Make the data set of an object with `Element` members, or take a `DicomDataSet`."""
    if isinstance(query, DicomDataSet):
        data = query
        kind, uid = kind_of_data_set(query)
    else:
        kind, uid = instance_of(type(query))
        if not uid or not elements_of(type(query)):
            raise TypeError(
                f"query must be a FindQuery, a DicomDataSet or an object of a class with @Instance "
                f"and Element members, not {type(query).__name__}"
            )
        data = DicomDataSet()
        if template is None:
            data.Initialize(kind, DicomDataSetInitializeFlags.None_)
        else:
            data.Copy(template, None, None)
            level = _level_of_kind(kind)
            if level is not None:
                data.to_pydicom().QueryRetrieveLevel = level
        fill(data, query, before)
        template = None
    if template is not None:
        elements = data.to_pydicom()
        for element in template.to_pydicom():
            elements.setdefault(element.tag, element)
    return data, kind, uid


def _level_of_kind(kind: DicomClassType) -> str | None:
    name = str(kind)
    if "RootQuery" not in name:
        return None
    return name.rpartition("Query")[2].upper()


def find(
    net: Any, scp: DicomScp, data: DicomDataSet, kind: DicomClassType, uid: str, told: Match
) -> None:
    """Ask, and hand each match to `told`."""
    with _steps.talking(net, scp, [PresentationContext(uid)]) as state:
        context = _steps.need_context(net, state, uid)
        message = state.next_message()
        state.instance = InstanceAttribute(kind, uid)
        before = fire(
            net,
            "BeforeCFind",
            BeforeCFindEventArgs(
                level_of(data) or QueryLevel.Study,
                DicomCommandPriorityType.Medium,
                message,
                context,
                uid,
                data,
            ),
        )
        count = 0

        def one_more(found: DicomDataSet) -> None:
            nonlocal count
            count += 1
            told(found)

        state.matching = one_more
        state.parameters.Status = DicomCommandStatusType.Success
        state.conversation.forget_answer()
        try:
            _steps.send(
                net,
                state,
                "SendCFindRequest",
                context,
                message,
                uid,
                before.Priority,
                before.Dataset,
            )
            state.running = message
            _steps.exchange(net, state)
        finally:
            state.running = 0
            state.matching = None
        fire(net, "AfterCFind", AfterCFindEventArgs(state.parameters.Status, count))


def match(net: Any, level: QueryLevel, found: DicomDataSet) -> None:
    """Raise the event of a match."""
    data = found.to_pydicom()
    infos: dict[QueryLevel, tuple[str, Callable[[], Any]]] = {
        QueryLevel.Patient: ("MatchPatient", lambda: Patient(data)),
        QueryLevel.Study: ("MatchStudy", lambda: Study(data)),
        QueryLevel.Series: ("MatchSeries", lambda: Series(data)),
        QueryLevel.Image: ("MatchInstance", lambda: CompositeObjectInstance(found)),
    }
    name, info = infos[level]
    availability = str(data.get("InstanceAvailability", "") or "")
    title = data.get("RetrieveAETitle", "") or ""
    titles = title if isinstance(title, str) else "\\".join(map(str, title))
    fire(net, name, MatchEventArgs(level, availability, titles, info(), found))


def response(
    net: Any, state: ConnectionState, status: DicomCommandStatusType, ds: DicomDataSet | None
) -> None:
    """Take one C-FIND response."""
    if int(status) & 0xFF00 == 0xFF00:  # pending
        matching = connection_of(net).matching
        if matching is not None and ds is not None:
            matching(ds)
        return
    state.parameters.Status, state.parameters.Dataset = status, ds
    state.conversation.answer()
