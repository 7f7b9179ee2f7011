"""What the archive has: an SQLite database of patients, studies, series and instances.

It knows nothing of networking. One connection, one lock: SQLite writes one at a time anyway.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

# Table by level, with the keywords that are its columns; the first one is the key.
COLUMNS = {
    "PATIENT": (
        "PatientID",
        "PatientName",
        "PatientBirthDate",
        "PatientSex",
        "PatientComments",
        "EthnicGroup",
    ),
    "STUDY": (
        "StudyInstanceUID",
        "StudyDate",
        "StudyTime",
        "StudyID",
        "AccessionNumber",
        "StudyDescription",
        "ReferringPhysicianName",
        "PatientAge",
        "PatientSize",
        "PatientWeight",
    ),
    "SERIES": (
        "SeriesInstanceUID",
        "Modality",
        "SeriesNumber",
        "SeriesDate",
        "SeriesTime",
        "SeriesDescription",
        "BodyPartExamined",
    ),
    "IMAGE": ("SOPInstanceUID", "SOPClassUID", "InstanceNumber", "TransferSyntax", "Path"),
}
LEVELS = tuple(COLUMNS)
PARENT = {"STUDY": "PATIENT", "SERIES": "STUDY", "IMAGE": "SERIES"}

# What is counted or gathered when somebody asks for it.
COMPUTED = {
    "PATIENT": {
        "NumberOfPatientRelatedStudies": "(SELECT count(*) FROM STUDY s WHERE s.parent = PATIENT.PatientID)",
        "NumberOfPatientRelatedSeries": (
            "(SELECT count(*) FROM SERIES e JOIN STUDY s ON e.parent = s.StudyInstanceUID "
            "WHERE s.parent = PATIENT.PatientID)"
        ),
        "NumberOfPatientRelatedInstances": (
            "(SELECT count(*) FROM IMAGE i JOIN SERIES e ON i.parent = e.SeriesInstanceUID "
            "JOIN STUDY s ON e.parent = s.StudyInstanceUID WHERE s.parent = PATIENT.PatientID)"
        ),
    },
    "STUDY": {
        "ModalitiesInStudy": (
            "(SELECT group_concat(DISTINCT e.Modality) FROM SERIES e "
            "WHERE e.parent = STUDY.StudyInstanceUID)"
        ),
        "NumberOfStudyRelatedSeries": (
            "(SELECT count(*) FROM SERIES e WHERE e.parent = STUDY.StudyInstanceUID)"
        ),
        "NumberOfStudyRelatedInstances": (
            "(SELECT count(*) FROM IMAGE i JOIN SERIES e ON i.parent = e.SeriesInstanceUID "
            "WHERE e.parent = STUDY.StudyInstanceUID)"
        ),
    },
    "SERIES": {
        "NumberOfSeriesRelatedInstances": (
            "(SELECT count(*) FROM IMAGE i WHERE i.parent = SERIES.SeriesInstanceUID)"
        ),
    },
    "IMAGE": {},
}

DATES = {"StudyDate", "StudyTime", "SeriesDate", "SeriesTime", "PatientBirthDate"}
NAMES = {"PatientName", "ReferringPhysicianName"}


@dataclass(frozen=True)
class StoredInstance:
    """One object that is stored."""

    sop_class: str
    instance: str
    syntax: str
    path: Path


def text(data: Dataset, keyword: str) -> str:
    """Read an element as text; "" if it is absent or strange."""
    value = data.get(keyword)
    if value is None:
        return ""
    if isinstance(value, (list, tuple, MultiValue)):
        return "\\".join(str(one) for one in value)
    return str(value).strip()


class Index:
    """The database."""

    def __init__(self, file: Path) -> None:
        self._lock = threading.Lock()
        self._database = sqlite3.connect(file, check_same_thread=False)
        with self._lock, self._database as database:
            database.execute("PRAGMA journal_mode = WAL")
            for level, columns in COLUMNS.items():
                parent = ", parent TEXT NOT NULL" if level in PARENT else ""
                rest = ", ".join(f"{name} TEXT NOT NULL DEFAULT ''" for name in columns[1:])
                database.execute(
                    f"CREATE TABLE IF NOT EXISTS {level} ({columns[0]} TEXT PRIMARY KEY, {rest}{parent})"
                )
                if level in PARENT:
                    database.execute(
                        f"CREATE INDEX IF NOT EXISTS {level}_parent ON {level} (parent)"
                    )
            database.execute(
                "CREATE TABLE IF NOT EXISTS STEP (uid TEXT PRIMARY KEY, status TEXT, attributes TEXT)"
            )

    def close(self) -> None:
        with self._lock:
            self._database.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._database as database:  # commits, or rolls back
            yield database

    def add(self, data: Dataset, syntax: str, path: Path) -> None:
        """Add an instance, or put it in the place of the one with its UID."""
        with self._writing() as database:
            parent = ""
            for level, columns in COLUMNS.items():
                values = [text(data, name) for name in columns]
                if level == "IMAGE":
                    values[-2:] = [syntax, str(path)]
                names = list(columns)
                if level in PARENT:
                    names.append("parent")
                    values.append(parent)
                marks = ", ".join("?" * len(names))
                database.execute(
                    f"INSERT OR REPLACE INTO {level} ({', '.join(names)}) VALUES ({marks})", values
                )
                parent = values[0]

    def find(self, level: str, keys: Dataset) -> Iterator[dict[str, str]]:
        """List what matches the keys of a query, level by level upwards (PS3.4 C.2.2.2)."""
        chain = LEVELS[: LEVELS.index(level) + 1]
        joins = "".join(
            f" JOIN {PARENT[one]} ON {one}.parent = {PARENT[one]}.{COLUMNS[PARENT[one]][0]}"
            for one in reversed(chain)
            if one in PARENT
        )
        fields = {name: f"{one}.{name}" for one in chain for name in COLUMNS[one]}
        fields.update({name: sql for one in chain for name, sql in COMPUTED[one].items()})
        conditions: list[str] = []
        values: list[Any] = []
        for element in keys:
            if element.keyword in fields and text(keys, element.keyword):
                condition, more = _condition(
                    element.keyword, fields[element.keyword], text(keys, element.keyword)
                )
                conditions.append(condition)
                values += more
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        wanted = [name for name in fields if name in keys or name == COLUMNS[level][0]]
        wanted += [name for name in ("TransferSyntax", "Path") if level == "IMAGE"]
        selected = ", ".join(f"{fields[name]} AS {name}" for name in wanted)
        with self._lock:
            rows = self._database.execute(
                f"SELECT {selected} FROM {level}{joins}{where} ORDER BY {COLUMNS[level][0]}", values
            ).fetchall()
        for row in rows:
            yield dict(zip(wanted, ("" if one is None else str(one) for one in row), strict=True))

    def instances(self, keys: Dataset) -> list[StoredInstance]:
        """List the instances that a retrieval means."""
        asked = Dataset()
        for keyword in ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
            if text(keys, keyword):
                setattr(asked, keyword, text(keys, keyword).split("\\"))
        if not len(asked):
            return []  # everything is not an answer to nothing
        asked.SOPClassUID = asked.InstanceNumber = None
        if "SOPInstanceUID" not in asked:
            asked.SOPInstanceUID = None
        found = self.find("IMAGE", asked)
        return [
            StoredInstance(
                row["SOPClassUID"], row["SOPInstanceUID"], row["TransferSyntax"], Path(row["Path"])
            )
            for row in found
        ]

    def has(self, sop_class: str, instance: str) -> bool:
        """Tell whether an instance is there, for storage commitment."""
        with self._lock:
            row = self._database.execute(
                "SELECT 1 FROM IMAGE WHERE SOPInstanceUID = ? AND SOPClassUID = ?",
                (instance, sop_class),
            ).fetchone()
        return row is not None

    # ---- performed procedure steps ----

    def step(self, uid: str) -> tuple[str, str] | None:
        """Read status and attributes (DICOM JSON) of a step."""
        with self._lock:
            row = self._database.execute(
                "SELECT status, attributes FROM STEP WHERE uid = ?", (uid,)
            ).fetchone()
        return None if row is None else (str(row[0]), str(row[1]))

    def set_step(self, uid: str, status: str, attributes: str) -> None:
        with self._writing() as database:
            database.execute(
                "INSERT OR REPLACE INTO STEP (uid, status, attributes) VALUES (?, ?, ?)",
                (uid, status, attributes),
            )


def _condition(keyword: str, field: str, value: str) -> tuple[str, list[str]]:
    """Write one condition: single value, list, range or wildcards (PS3.4 C.2.2.2.1 to .5)."""
    if keyword == "ModalitiesInStudy":
        marks = ", ".join("?" * len(value.split("\\")))
        return (
            "EXISTS (SELECT 1 FROM SERIES e WHERE e.parent = STUDY.StudyInstanceUID "
            f"AND e.Modality IN ({marks}))",
            value.split("\\"),
        )
    if keyword in DATES and "-" in value:
        start, _, end = value.partition("-")
        conditions = [f"{field} <> ''"]
        values = []
        if start:
            conditions.append(f"{field} >= ?")
            values.append(start.strip())
        if end:
            conditions.append(f"substr({field}, 1, ?) <= ?")
            values += [str(len(end.strip())), end.strip()]
        return " AND ".join(conditions), values
    if keyword in NAMES:
        field, value = f"upper({field})", value.upper()
    if "*" in value or "?" in value:
        return f"{field} GLOB ?", [value.replace("[", "[[]")]
    values = value.split("\\")
    marks = ", ".join("?" * len(values))
    return f"{field} IN ({marks})", values
