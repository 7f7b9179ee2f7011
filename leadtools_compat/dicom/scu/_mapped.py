"""Objects with `Element` members on their way into a data set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from leadtools_compat.dicom.dicom_data_set import DicomDataSet
from leadtools_compat.dicom.dicom_exception import DicomException
from leadtools_compat.dicom.enums_codes import DicomExceptionCode

__all__ = ["fill"]


def fill(data: DicomDataSet, value: Any, before: Callable[[int], bool] | None = None) -> None:
    """Set the elements of an object; a data set whose character set has no room for them gets UTF-8."""
    arguments = (value,) if before is None else (before, value)
    try:
        data.Set(*arguments)
    except DicomException as error:
        if error.Code != DicomExceptionCode.CharacterSet:
            raise
        data.to_pydicom().SpecificCharacterSet = "ISO_IR 192"
        data.Set(*arguments)
