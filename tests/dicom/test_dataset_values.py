"""`DicomDataSet`: values as LEADTOOLS's text, as DICOM's, as bytes, numbers, dates."""

from __future__ import annotations

import datetime
import io
from collections.abc import Callable
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from leadtools_compat.dicom import (
    DicomAgeValue,
    DicomCharacterSetType,
    DicomDataSet,
    DicomDateRangeValue,
    DicomDateTimeValue,
    DicomDateValue,
    DicomElement,
    DicomExceptionCode,
    DicomRangeType,
    DicomTag,
    DicomTimeValue,
    DicomVRType,
)
from tests.support import refused

VRS = {
    "AE": DicomTag.StationAETitle if hasattr(DicomTag, "StationAETitle") else 0x00080054,
    "AS": DicomTag.PatientAge,
    "AT": DicomTag.FrameIncrementPointer,
    "CS": DicomTag.Modality,
    "DA": DicomTag.StudyDate,
    "DS": DicomTag.PixelSpacing,
    "DT": DicomTag.AcquisitionDateTime,
    "FD": DicomTag.RecommendedDisplayFrameRateInFloat,
    "FL": DicomTag.ExaminedBodyThickness,
    "IS": DicomTag.InstanceNumber,
    "LO": DicomTag.PatientID,
    "LT": DicomTag.PatientComments,
    "OB": DicomTag.EncapsulatedDocument,
    "OW": DicomTag.RedPaletteColorLookupTableData,
    "PN": DicomTag.PatientName,
    "SH": DicomTag.AccessionNumber,
    "SL": DicomTag.ReferencePixelX0,
    "SS": DicomTag.TagAngleSecondAxis,
    "ST": DicomTag.InstitutionAddress,
    "TM": DicomTag.StudyTime,
    "UI": DicomTag.SOPInstanceUID,
    "UL": DicomTag.ReferencedSamplePositions,
    "US": DicomTag.Rows,
    "UT": DicomTag.TextValue,
}


def one(vr: str, value: str | None = None) -> tuple[DicomDataSet, DicomElement]:
    """A data set with one element of this VR."""
    data = DicomDataSet()
    element = data.InsertElement(None, False, VRS[vr], DicomVRType[vr], False, -1)
    if value is not None:
        data.SetConvertValue(element, value, value.count("\\") + 1)
    return data, element


def again(data: DicomDataSet, tag: int) -> tuple[DicomDataSet, DicomElement]:
    """The data set once more, saved and loaded."""
    stream = io.BytesIO()
    data.Save(stream)
    loaded = DicomDataSet()
    loaded.Load(stream.getvalue())
    element = loaded.FindFirstElement(None, tag, True)
    assert element is not None
    return loaded, element


# ---- LEADTOOLS's text ----


@pytest.mark.parametrize(
    ("vr", "given", "dicom", "shown"),
    [
        ("DA", "12/31/2020", "20201231", "12/31/2020"),
        ("DA", "1/2/2020", "20200102", "01/02/2020"),
        ("DA", "20201231", "20201231", "12/31/2020"),
        ("DA", "01/02/2020-12/31/2020", "20200102-20201231", "01/02/2020-12/31/2020"),
        ("DA", "20200102-", "20200102-", "01/02/2020-"),
        ("DA", "-1/2/2020", "-20200102", "-01/02/2020"),
        ("TM", "07:27:30", "072730", "07:27:30"),
        ("TM", "07:27:30.123456", "072730.123456", "07:27:30.123456"),
        ("TM", "072730.12", "072730.12", "07:27:30.12"),
        ("TM", "7:05", "0705", "07:05"),
        ("TM", "07", "07", "07"),
        ("TM", "0700-0800", "0700-0800", "07:00-08:00"),
        ("DT", "12/31/2020 07:27:30.5+0100", "20201231072730.5+0100", "12/31/2020 07:27:30.5+0100"),
        ("DT", "12/31/2020", "20201231", "12/31/2020"),
        ("DT", "12/2020", "202012", "12/2020"),
        ("DT", "2020", "2020", "2020"),
        ("DT", "20201231072730-0500", "20201231072730-0500", "12/31/2020 07:27:30-0500"),
        ("DT", "20201231-20210101", "20201231-20210101", "12/31/2020-01/01/2021"),
        ("US", "512", "512", "512"),
        ("SS", "-5", "-5", "-5"),
        ("SL", "-70000", "-70000", "-70000"),
        ("UL", "4000000000", "4000000000", "4000000000"),
        ("FL", "0.1", "0.1", "0.1"),
        ("FD", "0.1", "0.1", "0.1"),
        ("IS", "-12", "-12", "-12"),
        ("DS", "0.5\\1.25", "0.5\\1.25", "0.5\\1.25"),
        ("AT", "0028:0010", "0028:0010", "0028:0010"),
        ("AS", "045Y", "045Y", "045Y"),
        ("CS", "CT", "CT", "CT"),
        ("CS", "CT\\MR", "CT\\MR", "CT\\MR"),
        ("PN", "Doe^John", "Doe^John", "Doe^John"),
        ("UI", "1.2.3", "1.2.3", "1.2.3"),
        ("UI", "1.2.3\\1.2.4", "1.2.3\\1.2.4", "1.2.3\\1.2.4"),
        ("LO", "a*b?", "a*b?", "a*b?"),
        ("OB", "0A\\1F\\FF", "0A\\1F\\FF", "0A\\1F\\FF"),
        ("LO", "", "", ""),
    ],
)
def test_convert_values_both_ways(vr: str, given: str, dicom: str, shown: str) -> None:
    data, element = one(vr, given)
    for now, it in ((data, element), again(data, VRS[vr]) if vr != "OB" else (data, element)):
        assert now.GetConvertValue(it) == shown
        count = now.GetElementValueCount(it)
        assert count == (dicom.count("\\") + 1 if dicom else 0)
        texts = [now.GetStringValue(it, index) for index in range(count)]
        assert "\\".join(map(str, texts)) == dicom
        assert now.GetStringValue(it, count) is None
        assert DicomVRType[vr] == it.VR


@pytest.mark.parametrize(
    ("vr", "value"),
    [
        ("DA", "02/30/2020"),
        ("DA", "yesterday"),
        ("DA", "2020"),
        ("TM", "25:00"),
        ("DT", "13/01/2020"),
        ("US", "-1"),
        ("US", "65536"),
        ("US", "many"),
        ("SS", "40000"),
        ("UL", "1.5"),
        ("FL", "x"),
        ("FL", "1e99"),
        ("IS", "1.5"),
        ("IS", "9999999999999"),
        ("DS", "abc"),
        ("UI", "1.2.x"),
        ("UI", "1." * 40),
        ("AT", "0028"),
        ("AS", "45"),
        ("OB", "0A\\1FF"),
        ("OB", "xx"),
    ],
)
def test_wrong_text_is_refused_and_changes_nothing(vr: str, value: str) -> None:
    good = {"DA": "20200101", "TM": "0705", "DT": "2020", "UI": "1.2", "AT": "0028:0010"}
    data, element = one(vr, good.get(vr, "045Y" if vr == "AS" else "1"))
    before = data.GetConvertValue(element)
    with refused(DicomExceptionCode.ValueInvalid, f"({VRS[vr] >> 16:04X}"):
        data.SetConvertValue(element, value, 1)
    assert data.GetConvertValue(element) == before


def test_count_takes_the_first_values() -> None:
    data, element = one("CS")
    data.SetConvertValue(element, "A\\B\\C", 2)
    assert data.GetConvertValue(element) == "A\\B"
    data.SetConvertValue(element, "", 1)
    assert data.GetElementValueCount(element) == 0
    with refused(DicomExceptionCode.Parameter, "count"):
        data.SetConvertValue(element, "A", 0)
    with pytest.raises(TypeError, match="str"):
        data.SetConvertValue(element, 5, 1)  # type: ignore[arg-type]


def test_a_date_that_is_none_is_given_as_it_is() -> None:
    source = Dataset()
    source.StudyDate = "20201231"
    source["StudyDate"]._value = "SOMEDAY"
    data = DicomDataSet.from_pydicom(source)
    element = data.FindFirstElement(None, DicomTag.StudyDate, True)
    assert element is not None
    assert data.GetConvertValue(element) == "SOMEDAY"
    with refused(DicomExceptionCode.ValueInvalid):
        data.GetDateValue(element, 0, 1)


def test_long_text_keeps_its_backslashes() -> None:
    data, element = one("LT", "C:\\new\\file")
    assert data.GetElementValueCount(element) == 1
    assert data.GetStringValue(element, 0) == "C:\\new\\file"
    saved, found = again(data, VRS["LT"])
    assert saved.GetConvertValue(found) == "C:\\new\\file"


def test_sequences_and_items_have_no_value_of_their_own() -> None:
    data = DicomDataSet()
    sequence = data.InsertElement(None, False, DicomTag.ReferencedStudySequence)
    item = data.InsertElement(sequence, True, DicomTag.Item)
    assert data.GetConvertValue(sequence) == ""
    assert data.GetStringValue(sequence, 0) is None
    assert data.GetElementValueCount(sequence) == 1
    uses: list[Callable[[], None]] = [
        lambda: data.SetConvertValue(sequence, "x", 1),
        lambda: data.SetStringValue(sequence, "x"),
        lambda: data.SetBinaryValue(sequence, b"xx", 2),
    ]
    for use in uses:
        with refused(DicomExceptionCode.VRInvalid, "sequence"):
            use()
    with refused(DicomExceptionCode.Parameter, "item"):
        data.GetConvertValue(item)


# ---- bytes ----


def test_binary_values() -> None:
    data, element = one("OB")
    data.SetBinaryValue(element, b"\1\2\3\4\5", 5)
    assert data.GetBinaryValue(element, 0) == b"\1\2\3\4\5"
    assert data.GetBinaryValue(element, 2) == b"\1\2"
    saved, found = again(data, VRS["OB"])
    assert saved.GetBinaryValue(found) == b"\1\2\3\4\5\0"
    assert saved.GetConvertValue(found) == "01\\02\\03\\04\\05\\00"
    data.SetBinaryValue(element, bytearray(b"\1\2\3"), 2)
    assert element.Length == 2
    with refused(DicomExceptionCode.Parameter, "length is 9"):
        data.SetBinaryValue(element, b"\1", 9)
    with pytest.raises(TypeError, match="bytes-like"):
        data.SetBinaryValue(element, "text")  # type: ignore[arg-type]


def test_date_ranges_are_set_as_bytes() -> None:
    data, element = one("DA")
    data.SetBinaryValue(element, b"20200101-20201231", 17)
    assert data.GetStringValue(element, 0) == "20200101-20201231"
    assert data.GetConvertValue(element) == "01/01/2020-12/31/2020"
    assert data.GetBinaryValue(element) == b"20200101-20201231 "


def test_numbers_as_bytes() -> None:
    data, element = one("US")
    data.SetBinaryValue(element, b"\0\2\1\0", 4)
    assert data.GetConvertValue(element) == "512\\1"
    assert data.GetBinaryValue(element) == b"\0\2\1\0"
    with refused(DicomExceptionCode.ValueInvalid, "3 bytes"):
        data.SetBinaryValue(element, b"\0\2\1", 3)
    data.SetBinaryValue(element, b"", 0)
    assert data.GetElementValueCount(element) == 0


def test_padding_of_what_was_read_is_shown() -> None:
    data, _ = one("LO", "abc")
    saved, found = again(data, VRS["LO"])
    assert saved.GetBinaryValue(found) == b"abc "
    assert saved.GetStringValue(found, 0) == "abc"


# ---- character sets ----


def test_text_the_character_set_cannot_hold_is_refused_with_the_remedy() -> None:
    data, element = one("PN", "Doe")
    with refused(DicomExceptionCode.CharacterSet, "'ü'", "UnicodeInUtf8", "SpecificCharacterSet"):
        data.SetConvertValue(element, "Müller", 1)
    assert data.GetConvertValue(element) == "Doe"
    data.InsertElementAndSetValue(DicomTag.SpecificCharacterSet, "ISO_IR 100")
    data.SetConvertValue(element, "Müller", 1)
    assert data.GetBinaryValue(element) == "Müller".encode("latin-1")
    with refused(DicomExceptionCode.CharacterSet):
        data.SetConvertValue(element, "山田", 1)


def test_unicode_converts_what_is_there_already() -> None:
    source = Dataset()
    source.SpecificCharacterSet = "ISO_IR 100"
    source.PatientName = "Müller"
    source.ReferencedStudySequence = [Dataset()]
    source.ReferencedStudySequence[0].StudyDescription = "Übersicht"
    raw, name = again(DicomDataSet.from_pydicom(source), DicomTag.PatientName)
    comments = raw.InsertElement(None, False, DicomTag.PatientComments)
    raw.SetStringValue(comments, "山田", DicomCharacterSetType.UnicodeInUtf8)
    assert raw.GetConvertValue(name) == "Müller"
    saved, _ = again(raw, DicomTag.PatientName)
    inner = saved.to_pydicom()
    assert inner.SpecificCharacterSet == "ISO_IR 192"
    assert inner.PatientName == "Müller"
    assert inner.PatientComments == "山田"
    assert inner.ReferencedStudySequence[0].StudyDescription == "Übersicht"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (DicomCharacterSetType.Latin1, "Müller"),
        (DicomCharacterSetType.Cyrillic, "Иванов"),
        (DicomCharacterSetType.Greek, "Διονυσιος"),
        (DicomCharacterSetType.Korean, "김희중"),
        (DicomCharacterSetType.JapaneseKanji, "山田"),
        (DicomCharacterSetType.Gb18030, "王小东"),
        (DicomCharacterSetType.Hebrew, "שרון"),
    ],
)
def test_other_character_sets(kind: DicomCharacterSetType, text: str) -> None:
    data, element = one("PN")
    data.SetStringValue(element, text, kind)
    saved, found = again(data, VRS["PN"])
    assert saved.GetStringValue(found, 0) == text


# ---- numbers and dates ----


def test_numbers_of_every_form() -> None:
    data, element = one("IS", "1\\2\\3")
    assert data.GetIntValue(element, 0, 3) == [1, 2, 3]
    assert data.GetIntValue(element, 1, 1) == [2]
    assert data.GetDoubleValue(element, 0, 2) == [1.0, 2.0]
    with refused(DicomExceptionCode.Parameter, "index is 3", "3 values"):
        data.GetIntValue(element, 3, 1)
    with refused(DicomExceptionCode.Parameter, "index is -1"):
        data.GetStringValue(element, -1)
    data, element = one("DS", "1.5\\2")
    assert data.GetDoubleValue(element, 0, 2) == [1.5, 2.0]
    assert data.GetFloatValue(element) == [1.5, 2.0]
    with refused(DicomExceptionCode.ValueInvalid, "1.5"):
        data.GetIntValue(element, 0, 2)
    data, element = one("OW")
    data.SetShortValue(element, [1, -2, 3])
    assert data.GetShortValue(element, 0, 3) == [1, -2, 3]
    assert data.GetElementValueCount(element) == 3
    assert data.GetByteValue(element, 0, 2) == b"\1\0"
    data, element = one("OB")
    data.SetByteValue(element, [1, 2, 255])
    assert data.GetBinaryValue(element) == b"\1\2\xff"
    data, element = one("US")
    assert data.GetIntValue(element, 0, 1) == []
    data.SetShortValue(element, 7)
    assert data.GetLongValue(element) == [7]
    for wrong in (-1, 65536, 1.5):
        with refused(DicomExceptionCode.ValueInvalid):
            data.SetIntValue(element, wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        data.SetIntValue(element, "7")  # type: ignore[arg-type]
    data, element = one("DS")
    data.SetDoubleValue(element, [1 / 3, 2])
    text = data.GetStringValue(element, 0)
    assert text is not None
    assert len(text) <= 16
    data, element = one("LO", "abc")
    with refused(DicomExceptionCode.ValueInvalid, "abc"):
        data.GetIntValue(element)


def test_dates_times_ages() -> None:
    data, element = one("DA")
    data.SetDateValue(element, [datetime.datetime(2020, 12, 31, 5), DicomDateValue(2021, 1, 2)])
    assert data.GetStringValue(element, 0) == "20201231"
    first, second = data.GetDateValue(element, 0, 2)
    assert (first.Year, first.Month, first.Day) == (2020, 12, 31)
    assert second.ToDateTime() == datetime.datetime(2021, 1, 2)
    data, element = one("TM", "07:27:30.5")
    (time,) = data.GetTimeValue(element, 0, 1)
    assert (time.Hours, time.Minutes, time.Seconds, time.Fractions) == (7, 27, 30, 500000)
    data.SetTimeValue(element, DicomTimeValue(1, 2, 3, 0))
    assert data.GetStringValue(element, 0) == "010203"
    data, element = one("DT")
    moment = datetime.datetime(2020, 1, 2, 3, 4, 5, 6, datetime.timezone.utc)
    data.SetDateTimeValue(element, moment)
    assert data.GetStringValue(element, 0) == "20200102030405.000006+0000"
    assert data.GetDateTimeValue(element)[0].ToDateTime() == moment
    assert data.GetDateValue(element) == [DicomDateValue(2020, 1, 2)]
    data, element = one("AS", "045Y")
    assert data.GetAgeValue(element) == [DicomAgeValue(45, "Y")]
    assert (DicomDateValue.Now.ToDateTime() - datetime.datetime.now()).days in (-1, 0)
    assert DicomTimeValue.Now.dicom
    assert DicomDateTimeValue.Now.Year >= 2024
    with refused(DicomExceptionCode.Parameter, "no date"):
        DicomDateValue(2021, 2, 29)
    with pytest.raises(TypeError, match="DicomDateValue"):
        one("DA")[0].SetDateValue(one("DA")[1], "20200101")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "dates", "text"),
    [
        (
            DicomRangeType.Both,
            (DicomDateValue(2020, 1, 1), DicomDateValue(2020, 2, 1)),
            "20200101-20200201",
        ),
        (DicomRangeType.Lower, (DicomDateValue(2020, 1, 1), None), "20200101-"),
        (DicomRangeType.Upper, (None, datetime.date(2020, 2, 1)), "-20200201"),
        (DicomRangeType.None_, (DicomDateValue(2020, 1, 1), None), "20200101"),
    ],
)
def test_ranges(kind: DicomRangeType, dates: tuple[Any, Any], text: str) -> None:
    data, element = one("DA")
    data.SetDateRangeValue(element, DicomDateRangeValue(kind, *dates))
    assert data.GetStringValue(element, 0) == text
    (found,) = data.GetDateRangeValue(element)
    assert found.Type == kind
    assert found.dicom == text
    assert (found.Date1 is None) == (dates[0] is None)
    assert (found.Date2 is None) == (dates[1] is None)


def test_a_range_needs_its_ends() -> None:
    with refused(DicomExceptionCode.Parameter, "value2"):
        DicomDateRangeValue(DicomRangeType.Both, DicomDateValue(2020, 1, 1), None)


def test_changes_are_saved_and_what_was_not_touched_stays_byte_by_byte() -> None:
    from pydicom.data import get_testdata_file

    path = str(get_testdata_file("CT_small.dcm", download=False))
    data = DicomDataSet()
    data.Load(path)
    before, after = io.BytesIO(), io.BytesIO()
    data.Save(before)
    element = data.FindFirstElement(None, DicomTag.PatientID, True)
    assert element is not None
    for index in range(3):
        data.GetStringValue(element, index)
    data.Save(after)
    assert before.getvalue() == after.getvalue()
    data.SetStringValue(element, "NEW")
    after = io.BytesIO()
    data.Save(after)
    after.seek(0)
    saved, expected = dcmread(after), dcmread(path)
    assert saved.PatientID == "NEW"
    expected.PatientID = "NEW"
    assert saved == expected
