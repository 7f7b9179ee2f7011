"""`DicomDataSet`'s elements: identity, finding, walking, inserting, deleting, copying."""

from __future__ import annotations

import gc
import io
import warnings
import weakref
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_files
from pydicom.dataset import Dataset

from leadtools_compat.dicom import (
    DicomDataSet,
    DicomElement,
    DicomExceptionCode,
    DicomTag,
    DicomVRType,
)
from tests.support import refused

ALL_FILES = sorted(
    path
    for path in map(Path, get_testdata_files())
    if path.is_file() and path.suffix not in {".txt", ".json", ".dump", ".gz", ".icc"}
    if path.name != "README"
)


def inserted(
    data: DicomDataSet, tag: int, value: str | None = None, under: DicomElement | None = None
) -> DicomElement:
    element = data.InsertElement(under, under is not None, tag, DicomVRType.UN, False, -1)
    if value is not None:
        data.SetStringValue(element, value)
    return element


def nested() -> tuple[DicomDataSet, dict[str, DicomElement]]:
    """A small tree: a name, a sequence of two items with two elements each, a modality."""
    data = DicomDataSet()
    named = {"name": inserted(data, DicomTag.PatientName, "Doe^John")}
    named["modality"] = inserted(data, DicomTag.Modality, "CT")
    named["sequence"] = inserted(data, DicomTag.ScheduledProcedureStepSequence)
    for number in (1, 2):
        item = inserted(data, DicomTag.Item, under=named["sequence"])
        named[f"item {number}"] = item
        named[f"modality {number}"] = inserted(data, DicomTag.Modality, f"M{number}", item)
        named[f"station {number}"] = inserted(
            data, DicomTag.ScheduledStationAETitle, f"S{number}", item
        )
    return data, named


def walk(data: DicomDataSet, tree: bool = False, volatile: bool = True) -> list[DicomElement]:
    found = []
    element = data.GetFirstElement(None, tree, volatile)
    while element is not None:
        found.append(element)
        element = data.GetNextElement(element, tree, volatile)
    return found


ORDER = [
    "modality",
    "name",
    "sequence",
    "item 1",
    "modality 1",
    "station 1",
    "item 2",
    "modality 2",
    "station 2",
]


# ---- real files ----


def _readable(path: Path) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dcmread(path)
    except Exception:  # noqa: BLE001 - whatever pydicom says
        return False
    return True


def _describe(path: Path) -> str:
    return "/".join(path.parts[-2:])


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("path", ALL_FILES, ids=_describe)
def test_every_file_of_pydicom_goes_through_load_walk_save(path: Path) -> None:
    force = not _readable(path)
    expected = dcmread(path, force=force)
    data = DicomDataSet()
    if force and path.name == "no_meta.dcm":
        with refused(DicomExceptionCode.FileFormat):  # one damaged element, no data set
            data.Load(path)
        return
    data.Load(path)
    elements = walk(data)
    assert len({id(one) for one in elements}) == len(elements)
    assert walk(data) == elements
    backwards = []
    last = data.GetLastElement(None, False, True)
    while last is not None:
        backwards.append(last)
        last = data.GetPreviousElement(last, False, True)
    assert backwards[::-1] == elements
    count = 0

    def counted(holder: Dataset) -> None:
        nonlocal count
        for element in holder:
            count += 1
            if element.VR == "SQ":
                for item in element.value:
                    count += 1
                    counted(item)

    counted(expected)
    assert len([one for one in elements if one.Tag >> 16 != 2]) == count
    for element in elements:
        assert element.VR is not None
        assert repr(element)
    stream = io.BytesIO()
    data.Save(stream)
    stream.seek(0)
    assert dcmread(stream) == expected


# ---- identity ----


def test_the_same_element_is_the_same_object() -> None:
    data, named = nested()
    assert data.FindFirstElement(None, DicomTag.PatientName, True) is named["name"]
    assert data.FindFirstElement(None, DicomTag.PatientName, False) is named["name"]
    assert data.GetChildElement(named["item 1"], True) is named["modality 1"]
    named["name"].UserTag = "mine"
    found = data.FindFirstElement(None, DicomTag.PatientName, True)
    assert found is not None
    assert found.UserTag == "mine"
    assert len(set(named.values())) == len(named)
    data.SetStringValue(named["name"], "Other")
    assert data.FindFirstElement(None, DicomTag.PatientName, True) is named["name"]


def test_an_element_says_what_it_is() -> None:
    data, named = nested()
    assert named["name"].Tag == DicomTag.PatientName == 0x00100010
    assert named["name"].VR == DicomVRType.PN
    assert named["name"].Length == 8
    assert named["sequence"].VR == DicomVRType.SQ
    assert named["item 1"].Tag == DicomTag.Item
    assert "PatientName PN 'Doe^John'" in repr(named["name"])
    assert "2 items" in repr(named["sequence"])
    assert "2 elements" in repr(named["item 1"])
    assert named["item 1"].Length == 8 + 2 + 8 + 2
    assert named["sequence"].Length == 2 * (8 + named["item 1"].Length)
    with pytest.raises(TypeError, match="InsertElement"):
        DicomElement()
    data.Dispose()


def test_a_deleted_element_is_not_found_and_one_put_in_its_place_is_another() -> None:
    data, named = nested()
    data.DeleteElement(named["name"])
    assert data.FindFirstElement(None, DicomTag.PatientName, False) is None
    uses: list[Any] = [
        lambda: named["name"].Tag,
        lambda: named["name"].VR,
        lambda: named["name"].Length,
        lambda: data.GetConvertValue(named["name"]),
        lambda: data.DeleteElement(named["name"]),
        lambda: data.GetNextElement(named["name"], True, True),
    ]
    for use in uses:
        with refused(DicomExceptionCode.ElementNotFound, "PatientName"):
            use()
    assert not data.ExistsElement(named["name"])
    assert inserted(data, DicomTag.PatientName) is not named["name"]
    with refused(DicomExceptionCode.ElementNotFound):
        assert named["name"].Tag
    assert "not in a data set" in repr(named["name"])


def test_what_is_below_a_deleted_element_goes_with_it() -> None:
    data, named = nested()
    data.DeleteElement(named["item 1"])
    with refused(DicomExceptionCode.ElementNotFound):
        data.GetStringValue(named["modality 1"], 0)
    assert data.GetElementValueCount(named["sequence"]) == 1
    assert data.GetChildElement(named["sequence"], True) is named["item 2"]
    assert data.ExistsElement(named["modality 2"])
    data.FreeElementValue(named["sequence"])
    assert data.GetChildElement(named["sequence"], True) is None
    assert not data.ExistsElement(named["modality 2"])


def test_elements_end_with_their_data_set() -> None:
    data, named = nested()
    data.Reset()
    with refused(DicomExceptionCode.ElementNotFound):
        assert named["name"].Tag
    element = inserted(data, DicomTag.PatientName)
    data.Dispose()
    with refused(DicomExceptionCode.ObjectDisposed):
        assert element.Tag
    with refused(DicomExceptionCode.ObjectDisposed):
        data.GetConvertValue(element)


def test_a_data_set_goes_with_its_last_user() -> None:
    data, named = nested()
    walk(data)
    state = data.__dict__["_DicomDataSet__state"]
    watched = weakref.ref(state.tree())
    kept = named["name"]
    named.clear()
    gc.disable()
    try:
        del data, state
        assert watched() is None
    finally:
        gc.enable()
    with refused(DicomExceptionCode.ObjectDisposed, "keep it"):
        assert kept.Tag
    assert "not in a data set" in repr(kept)


def test_an_element_of_another_data_set_is_refused() -> None:
    data, _ = nested()
    other, named = nested()
    for use in (
        lambda: data.GetConvertValue(named["name"]),
        lambda: data.DeleteElement(named["name"]),
        lambda: data.InsertElement(
            named["item 1"], True, DicomTag.PatientID, DicomVRType.LO, False, 0
        ),
        lambda: data.FindFirstElement(named["name"], DicomTag.PatientID, True),
    ):
        with refused(DicomExceptionCode.Parameter, "another DicomDataSet"):
            use()
    with refused(DicomExceptionCode.Parameter, "None"):
        data.GetConvertValue(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="DicomElement"):
        data.GetConvertValue("PatientName")  # type: ignore[arg-type]
    assert other.GetConvertValue(named["name"]) == "Doe^John"


def test_elements_follow_what_is_done_with_pydicom() -> None:
    data, named = nested()
    inner = data.to_pydicom()
    inner.PatientName = "Changed"
    assert data.GetConvertValue(named["name"]) == "Changed"
    del inner.Modality
    with refused(DicomExceptionCode.ElementNotFound):
        assert named["modality"].Tag
    inner.PatientID = "1"
    assert [one.Tag for one in walk(data, True)] == [
        DicomTag.PatientName,
        DicomTag.PatientID,
        DicomTag.ScheduledProcedureStepSequence,
    ]
    del inner.ScheduledProcedureStepSequence[0]
    assert not data.ExistsElement(named["modality 1"])
    assert data.GetStringValue(named["modality 2"], 0) == "M2"


# ---- finding and walking ----


def test_walking_the_whole_data_set_and_one_level() -> None:
    data, named = nested()
    assert walk(data) == [named[one] for one in ORDER]
    assert walk(data, True) == [named["modality"], named["name"], named["sequence"]]
    assert data.GetFirstElement(named["station 2"], True, True) is named["modality 2"]
    assert data.GetLastElement(named["modality 2"], True, True) is named["station 2"]
    assert data.GetLastElement(None, True, True) is named["sequence"]
    assert data.GetLastElement(None, False, True) is named["station 2"]
    assert data.GetNextElement(named["item 1"], True, True) is named["item 2"]
    assert data.GetNextElement(named["item 2"], True, True) is None
    assert data.GetPreviousElement(named["item 1"], True, True) is None
    assert data.GetPreviousElement(named["item 2"], False, True) is named["station 1"]
    assert data.GetFirstElement(named["station 2"], False, True) is named["modality"]


def test_parents_children_and_roots() -> None:
    data, named = nested()
    assert data.GetParentElement(named["modality 1"]) is named["item 1"]
    assert data.GetParentElement(named["item 1"]) is named["sequence"]
    assert data.GetParentElement(named["sequence"]) is None
    assert data.GetRootElement(named["station 2"]) is named["sequence"]
    assert data.GetChildElement(named["sequence"], True) is named["item 1"]
    assert data.GetChildElement(named["name"], True) is None
    assert data.GetChildElement(None, True) is named["modality"]
    assert data.GetParentElement(named["name"]) is None


def test_finding_by_tag() -> None:
    data, named = nested()
    find, following = data.FindFirstElement, data.FindNextElement
    assert find(None, DicomTag.Modality, True) is named["modality"]
    assert find(None, DicomTag.ScheduledStationAETitle, True) is None
    assert find(None, DicomTag.ScheduledStationAETitle, False) is named["station 1"]
    assert find(named["modality 2"], DicomTag.ScheduledStationAETitle, True) is named["station 2"]
    assert find(named["modality 2"], DicomTag.ScheduledStationAETitle, False) is named["station 1"]
    assert find(None, DicomTag.PatientID, False) is None
    assert find(named["item 2"], DicomTag.Item, True) is named["item 1"]
    assert following(named["modality"], True) is None
    assert following(named["modality"], False) is named["modality 1"]
    assert following(named["modality 1"], False) is named["modality 2"]
    assert following(named["modality 2"], False) is None
    assert following(named["item 1"], True) is named["item 2"]


def test_volatile_elements_are_left_out_on_request() -> None:
    data, named = nested()
    rows = inserted(data, DicomTag.Rows, "4")
    pixels = data.InsertElement(None, False, DicomTag.PixelData, DicomVRType.OW, False, -1)
    assert data.IsVolatileElement(rows)
    assert data.IsVolatileElement(pixels)
    assert not data.IsVolatileElement(named["name"])
    assert walk(data, True, False) == [named["modality"], named["name"], named["sequence"]]
    assert data.GetLastElement(None, True, False) is named["sequence"]
    assert data.GetLastElement(None, False, False) is named["station 2"]
    assert data.GetPreviousElement(pixels, True, False) is named["sequence"]


def test_group_2_of_a_file_is_in_the_tree() -> None:
    data = DicomDataSet()
    data.Load(next(path for path in ALL_FILES if path.name == "CT_small.dcm"))
    syntax = data.FindFirstElement(None, DicomTag.TransferSyntaxUID, True)
    assert syntax is not None
    assert data.GetStringValue(syntax, 0) == "1.2.840.10008.1.2.1"
    first = data.GetFirstElement(None, True, True)
    assert first is not None
    assert first.Tag >> 16 == 2
    levels = walk(data, True)
    assert levels[-1] is data.GetLastElement(None, True, True)
    assert {one.Tag >> 16 for one in levels} >= {2, 8, 16}


# ---- inserting ----


def test_inserting_what_is_there_changes_nothing() -> None:
    data, named = nested()
    again = data.InsertElement(None, False, DicomTag.PatientName, DicomVRType.LO, False, -1)
    assert again is named["name"]
    assert again.VR == DicomVRType.PN
    assert data.GetConvertValue(again) == "Doe^John"


def test_inserting_beside_and_below() -> None:
    data, named = nested()
    beside = data.InsertElement(named["modality 1"], False, DicomTag.ScheduledStationName)
    assert data.GetParentElement(beside) is named["item 1"]
    below = data.InsertElement(named["item 2"], True, DicomTag.ScheduledStationName)
    assert data.GetParentElement(below) is named["item 2"]
    item = data.InsertElement(named["item 1"], False, DicomTag.Item, DicomVRType.SQ, False, 0)
    assert data.GetChildElement(named["sequence"], True) is item
    assert data.GetNextElement(item, True, True) is named["item 1"]
    with refused(DicomExceptionCode.Parameter, "index is 9", "3 items"):
        data.InsertElement(named["sequence"], True, DicomTag.Item, DicomVRType.SQ, False, 9)


def test_the_vr_comes_from_the_dictionary_when_it_is_un() -> None:
    data = DicomDataSet()
    for tag, vr in (
        (DicomTag.StudyDate, DicomVRType.DA),
        (DicomTag.Rows, DicomVRType.US),
        (DicomTag.OverlayRows, DicomVRType.US),
        (DicomTag.ReferencedStudySequence, DicomVRType.SQ),
        (0x00290010, DicomVRType.LO),
        (0x00291001, DicomVRType.UN),
        (0x00280106, DicomVRType.US),
        (0x00080000, DicomVRType.UL),
    ):
        assert vr == inserted(data, tag).VR
    assert inserted(data, 0x60023000).VR == DicomVRType.OB


def test_private_elements_know_their_creator() -> None:
    data = DicomDataSet()
    creator = inserted(data, 0x00290010, "SIEMENS CSA HEADER")
    kind = inserted(data, 0x00291008, "IMAGE NUM 4")
    assert kind.VR == DicomVRType.CS
    own = data.InsertElement(None, False, 0x00291077, DicomVRType.OB, False, -1)
    data.SetBinaryValue(own, b"\1\2\3\4", 4)
    stream = io.BytesIO()
    data.Save(stream)
    stream.seek(0)
    saved = dcmread(stream)
    assert saved[0x00290010].value == data.GetStringValue(creator, 0) == "SIEMENS CSA HEADER"
    assert saved[0x00291077].value == b"\1\2\3\4"


def test_insertions_that_cannot_be() -> None:
    data, named = nested()
    insert = data.InsertElement
    for neighbor, child, tag, kind, words in (
        (named["sequence"], True, DicomTag.PatientID, DicomVRType.LO, "DicomTag.Item"),
        (named["name"], True, DicomTag.PatientID, DicomVRType.LO, "no item"),
        (None, False, DicomTag.Item, DicomVRType.SQ, "into a sequence"),
        (named["item 1"], True, DicomTag.Item, DicomVRType.SQ, "into a sequence"),
        (None, False, 0xFFFEE00D, DicomVRType.UN, "by itself"),
        (None, False, -1, DicomVRType.UN, "tag is -1"),
        (None, False, 2**32, DicomVRType.UN, "tag is"),
    ):
        with refused(DicomExceptionCode.Parameter, words):
            insert(neighbor, child, tag, kind, False, -1)
    wrong: list[tuple[int, int, bool]] = [
        (DicomTag.PatientID, DicomVRType.SQ, False),
        (DicomTag.PatientID, DicomVRType.UN, True),
        (DicomTag.ReferencedStudySequence, DicomVRType.LO, False),
        (DicomTag.PatientID, 0x1234, False),
        (DicomTag.PatientID, 0, False),
    ]
    for tag, vr, sequence in wrong:
        with refused(DicomExceptionCode.VRInvalid):
            insert(None, False, tag, vr, sequence, -1)
    assert len(walk(data)) == len(ORDER)
    with pytest.raises(TypeError):
        insert(None, False, "PatientID")  # type: ignore[arg-type]


def test_what_was_inserted_is_saved_in_order() -> None:
    data, _ = nested()
    inserted(data, DicomTag.SOPClassUID, "1.2.3")
    inserted(data, 0x00080000, "99")
    stream = io.BytesIO()
    data.Save(stream)
    stream.seek(0)
    saved = dcmread(stream)
    assert [element.keyword for element in saved] == [
        "SOPClassUID",
        "Modality",
        "PatientName",
        "ScheduledProcedureStepSequence",
    ]
    assert saved.ScheduledProcedureStepSequence[1].ScheduledStationAETitle == "S2"


# ---- copying ----


def test_copy_of_everything_is_deep() -> None:
    data, named = nested()
    other = DicomDataSet()
    other.Copy(data, None, None)
    data.SetStringValue(named["modality 1"], "XX")
    modality = other.FindFirstElement(None, DicomTag.Modality, False)
    assert modality is not None
    assert [
        other.GetStringValue(one, 0) for one in walk(other) if one.Tag == DicomTag.Modality
    ] == [
        "CT",
        "M1",
        "M2",
    ]


def test_copy_of_single_elements_and_items() -> None:
    data, named = nested()
    other = DicomDataSet()
    other.Copy(data, None, named["sequence"])
    assert [one.Tag for one in walk(other, True)] == [DicomTag.ScheduledProcedureStepSequence]
    assert len(walk(other)) == 7
    sequence = walk(other)[0]
    other.Copy(data, sequence, named["item 2"])  # one more item
    assert other.GetElementValueCount(sequence) == 3
    other.Copy(data, None, named["item 2"])  # its elements
    assert other.GetStringValue(walk(other, True)[0], 0) == "M2"
    item = other.GetChildElement(sequence, True)
    other.Copy(data, item, named["name"])
    assert other.FindFirstElement(None, DicomTag.PatientName, True) is None
    found = other.FindFirstElement(None, DicomTag.PatientName, False)
    assert found is not None
    assert other.GetParentElement(found) is item
    with refused(DicomExceptionCode.Parameter, "only an item"):
        other.Copy(data, sequence, named["name"])
    with refused(DicomExceptionCode.Parameter, "another DicomDataSet"):
        other.Copy(data, None, sequence)


# ---- size ----


def test_ten_thousand_elements_are_walked(request: pytest.FixtureRequest) -> None:
    source = Dataset()
    for number in range(10_000):
        source.add_new(0x00091000 + (number % 0xEFF) + (number // 0xEFF) * 0x00020000, "LO", "x")
    data = DicomDataSet.from_pydicom(source)
    stream = io.BytesIO()
    data.Save(stream)
    loaded = DicomDataSet()
    loaded.Load(stream.getvalue())
    assert len([one for one in walk(loaded, True) if one.Tag >> 16 != 2]) == len(source)


def _nested_levels(levels: int) -> bytes:
    """Sequences of undefined length within each other, implicit VR."""
    head = b"\x40\x00\x00\x01\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    tail = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
    return head * levels + tail * levels


@pytest.mark.parametrize("levels", [1, 64])
def test_64_levels_of_sequences_are_walked(levels: int) -> None:
    data = DicomDataSet()
    data.Load(_nested_levels(levels))
    assert len(walk(data)) == 2 * levels


@pytest.mark.parametrize("levels", [65, 100, 5000])
def test_more_levels_are_refused_in_words(levels: int) -> None:
    data = DicomDataSet()
    data.Load(_nested_levels(levels))
    with refused(DicomExceptionCode.SequenceDepth, "64 levels"):
        walk(data)


def test_sequences_can_be_inserted_64_levels_deep() -> None:
    data = DicomDataSet()
    item: DicomElement | None = None
    for _ in range(64):
        sequence = inserted(data, DicomTag.ReferencedStudySequence, under=item)
        item = inserted(data, DicomTag.Item, under=sequence)
    with refused(DicomExceptionCode.SequenceDepth, "64 levels"):
        inserted(data, DicomTag.ReferencedStudySequence, under=item)
    data.Save(io.BytesIO())
