"""What a query finds: `Patient`, `Study`, `Series`, `CompositeObjectInstance`.

They read hostile data: what is absent, or no date or number, is None or "", and nothing raises.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from leadtools_compat.dicom.scu.enums import InstanceLevel

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from leadtools_compat.dicom.dicom_data_set import DicomDataSet

__all__ = ["CompositeObjectInstance", "Patient", "PersonName", "Series", "Study"]


def _text(data: Dataset, name: str) -> str:
    value = data.get(name)
    if value is None:
        return ""
    if isinstance(value, (list, tuple)) or type(value).__name__ == "MultiValue":
        return "\\".join(str(one) for one in value)
    return str(value).strip()


def _number(data: Dataset, name: str) -> int | None:
    try:
        return int(_text(data, name))
    except ValueError:
        return None


def _real(data: Dataset, name: str) -> float | None:
    try:
        return float(_text(data, name))
    except ValueError:
        return None


def _date(text: str) -> datetime.datetime | None:
    for form in ("%Y%m%d", "%Y.%m.%d"):
        try:
            return datetime.datetime.strptime(text, form)
        except ValueError:  # noqa: PERF203 - two forms
            continue
    return None


def _time(text: str, day: datetime.datetime | None) -> datetime.datetime | None:
    digits = text.replace(":", "")
    for form in ("%H%M%S.%f", "%H%M%S", "%H%M", "%H"):
        try:
            clock = datetime.datetime.strptime(digits, form).time()
        except ValueError:
            continue
        return datetime.datetime.combine((day or datetime.datetime.min).date(), clock)
    return None


class PersonName:
    """A person's name in its parts (PS3.5 6.2.1).

    Attributes
    ----------
    Family, Given, Middle, Prefix, Suffix
        The parts; "" if absent.
    Full
        The parts in the order in which one says them.
    FullDicomEncoded
        The name as DICOM writes it.
    """

    def __init__(self, encoded: str = "") -> None:
        self.FullDicomEncoded = encoded
        parts = [part.strip() for part in encoded.split("=")[0].split("^")]
        parts += [""] * (5 - len(parts))
        self.Family, self.Given, self.Middle, self.Prefix, self.Suffix = parts[:5]

    @property
    def Full(self) -> str:
        """The whole name for people."""
        parts = (self.Prefix, self.Given, self.Middle, self.Family, self.Suffix)
        return " ".join(part for part in parts if part)

    def __str__(self) -> str:
        return self.Full

    def __repr__(self) -> str:
        return f"<PersonName {self.FullDicomEncoded}>"


class Patient:
    """A patient. `BirthDate` is a ``datetime`` or None."""

    def __init__(self, data: Dataset) -> None:
        self.Id = _text(data, "PatientID")
        self.Name = PersonName(_text(data, "PatientName"))
        self.Sex = _text(data, "PatientSex")
        self.BirthDate = _date(_text(data, "PatientBirthDate"))

    def __repr__(self) -> str:
        return f"<Patient {self.Id} {self.Name.FullDicomEncoded}>"


class Study:
    """A study. `Date` and `Time` are ``datetime`` or None, numbers None if absent."""

    def __init__(self, data: Dataset) -> None:
        self.InstanceUID = _text(data, "StudyInstanceUID")
        self.Id = _text(data, "StudyID")
        self.AccessionNumber = _text(data, "AccessionNumber")
        self.Date = _date(_text(data, "StudyDate"))
        self.Time = _time(_text(data, "StudyTime"), self.Date)
        self.Description = _text(data, "StudyDescription")
        modalities = _text(data, "ModalitiesInStudy")
        self.ModalitiesInStudy = [one for one in modalities.split("\\") if one]
        self.NumberOfRelatedInstances = _number(data, "NumberOfStudyRelatedInstances")
        self.NumberOfRelatedSeries = _number(data, "NumberOfStudyRelatedSeries")
        self.ReferringPhysiciansName = PersonName(_text(data, "ReferringPhysicianName"))
        self.Patient = Patient(data)
        self.Age = _text(data, "PatientAge")
        self.Size = _real(data, "PatientSize")
        self.Weight = _real(data, "PatientWeight")
        self.AdmitDiagDescrp = _text(data, "AdmittingDiagnosesDescription")

    @property
    def NumberofRelatedSeries(self) -> int | None:
        """`NumberOfRelatedSeries`, in the public spelling."""
        return self.NumberOfRelatedSeries

    def __repr__(self) -> str:
        return f"<Study {self.InstanceUID} {self.Description}>"


class Series:
    """A series. `Date` and `Time` are ``datetime`` or None, numbers None if absent."""

    def __init__(self, data: Dataset) -> None:
        self.InstanceUID = _text(data, "SeriesInstanceUID")
        self.Modality = _text(data, "Modality")
        self.Number = _number(data, "SeriesNumber")
        self.Description = _text(data, "SeriesDescription")
        self.Date = _date(_text(data, "SeriesDate"))
        self.Time = _time(_text(data, "SeriesTime"), self.Date)
        self.NumberOfRelatedInstances = _number(data, "NumberOfSeriesRelatedInstances")

    def __repr__(self) -> str:
        return f"<Series {self.InstanceUID} {self.Modality}>"


class CompositeObjectInstance:
    """An instance. What was not asked for or told is read from the data set when it is needed."""

    InstanceType = InstanceLevel.Image

    def __init__(
        self, data: DicomDataSet, SOPClassUID: str | None = None, SOPInstanceUID: str | None = None
    ) -> None:
        self._data = data
        self._sop_class = SOPClassUID
        self._instance = SOPInstanceUID

    def _read(self, name: str) -> Any:
        return _text(self._data.to_pydicom(), name)

    @property
    def InstanceNumber(self) -> int | None:
        """Its number in the series."""
        return _number(self._data.to_pydicom(), "InstanceNumber")

    @property
    def SeriesInstanceUID(self) -> str:
        """The series that it is of."""
        return str(self._read("SeriesInstanceUID"))

    @property
    def SOPClassUID(self) -> str:
        """What it is."""
        return str(self._read("SOPClassUID")) if self._sop_class is None else self._sop_class

    @property
    def SOPInstanceUID(self) -> str:
        """Its UID."""
        return str(self._read("SOPInstanceUID")) if self._instance is None else self._instance

    def __repr__(self) -> str:
        return f"<CompositeObjectInstance {self.SOPInstanceUID}>"
