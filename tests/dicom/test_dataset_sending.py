"""Data sets that were built or changed in Python, on the wire."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

from leadtools_compat.dicom import (
    DicomClassType,
    DicomDataSet,
    DicomDataSetSaveFlags,
    DicomExceptionCode,
    DicomNetFlags,
    DicomTag,
    DicomUidType,
)
from tests.dicom.nodes import BIG, CT, EXPLICIT, FIND, IMPLICIT, JPEG, Link
from tests.support import refused

INSTANCE = "1.2.3.4"
RLE = "1.2.840.10008.1.2.5"
J2K = "1.2.840.10008.1.2.4.90"


def real(name: str) -> Path:
    return Path(str(get_testdata_file(name, download=False)))


def loaded(name: str) -> DicomDataSet:
    made = DicomDataSet()
    made.Load(real(name))
    return made


def tags(data: DicomDataSet) -> list[int]:
    found, element = [], data.GetFirstElement(None, False, True)
    while element is not None:
        found.append(element.Tag)
        element = data.GetNextElement(element, False, True)
    return found


def stored(link: Link, data: DicomDataSet, syntax: str) -> DicomDataSet:
    """Send a data set over a context with this syntax, and get what arrived."""
    listener = link.scp()
    scu = link.associated(listener, (CT, syntax))
    scu.SendCStoreRequest(1, 1, CT, INSTANCE, 0, "", 0, data)
    scu.log.wait("OnReceiveCStoreResponse")
    got: DicomDataSet = listener.child().log.wait("OnReceiveCStoreRequest").arguments[-1]
    assert got.transfer_syntax == syntax
    return got


@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT, BIG])
@pytest.mark.parametrize(
    "kind", [DicomClassType.StudyRootQueryStudy, DicomClassType.ModalityWorklist]
)
def test_the_elements_of_a_template_travel_as_keys(
    plain: Link, kind: DicomClassType, syntax: str
) -> None:
    listener = plain.scp()
    scu = plain.associated(listener, (FIND, syntax))
    keys = DicomDataSet()
    keys.Initialize(kind, 0)
    keys.InsertElementAndSetValue(DicomTag.PatientName, "Doe*")
    keys.InsertElement(None, False, 0x00100000)  # a group length
    keys.InsertElementAndSetValue(DicomTag.SourceApplicationEntityTitle, "ME")  # group 0002
    expected = [tag for tag in tags(keys) if tag >> 16 != 2 and tag & 0xFFFF]
    scu.SendCFindRequest(1, 1, FIND, 0, keys)
    got: Any = listener.child().log.wait("OnReceiveCFindRequest").arguments[-1]
    assert tags(got) == expected
    assert got.GetValue(DicomTag.PatientName, "") == "Doe*"


@pytest.mark.parametrize("keep", [False, True])
def test_group_lengths_of_a_file_are_no_keys_unless_the_flags_say_so(
    plain: Link, keep: bool, tmp_path: Path
) -> None:
    keys = DicomDataSet()
    keys.InsertElementAndSetValue(DicomTag.PatientID, "1")
    keys.Save(tmp_path / "keys", DicomDataSetSaveFlags.GroupLengths)
    keys.Load(tmp_path / "keys")
    listener = plain.scp()
    scu = plain.associated(listener, (FIND, EXPLICIT))
    if keep:
        scu.Flags = DicomNetFlags.SendDataWithGroupLengthStandardDataElements
    scu.SendCFindRequest(1, 1, FIND, 0, keys)
    got: Any = listener.child().log.wait("OnReceiveCFindRequest").arguments[-1]
    assert tags(got) == ([0x00100000] if keep else []) + [DicomTag.PatientID]


def test_an_element_that_was_changed_is_sent_changed(plain: Link) -> None:
    data = loaded("CT_small.dcm")
    element = data.FindFirstElement(None, DicomTag.PatientID, True)
    assert element is not None
    data.SetStringValue(element, "CHANGED")
    got = stored(plain, data, IMPLICIT)
    assert got.GetValue(DicomTag.PatientID, "") == "CHANGED"
    assert (got.GetImage(None, 0) == dcmread(real("CT_small.dcm")).pixel_array).all()


@pytest.mark.parametrize(
    ("name", "syntax"),
    [
        ("MR_small_RLE.dcm", IMPLICIT),
        ("MR_small_RLE.dcm", BIG),
        ("MR_small_jp2klossless.dcm", EXPLICIT),
        ("CT_small.dcm", RLE),
        ("MR_small_bigendian.dcm", RLE),
        ("CT_small.dcm", J2K),
        ("MR_small_RLE.dcm", J2K),
    ],
)
def test_pixels_are_brought_to_the_syntax_of_the_context(
    plain: Link, name: str, syntax: str
) -> None:
    data = loaded(name)
    before = data.transfer_syntax
    got = stored(plain, data, syntax)
    assert (got.GetImage(None, 0) == dcmread(real(name)).pixel_array).all()
    assert data.transfer_syntax == before  # itself as it was


@pytest.mark.parametrize("syntax", [JPEG, DicomUidType.JPEG2000])
def test_nothing_is_compressed_with_losses_without_being_asked(plain: Link, syntax: str) -> None:
    listener = plain.scp()
    scu = plain.associated(listener, (CT, syntax), (CT, EXPLICIT))
    data = loaded("CT_small.dcm")
    with refused(DicomExceptionCode.TransferSyntaxNotSupported, "ChangeTransferSyntax"):
        scu.SendCStoreRequest(1, 1, CT, INSTANCE, 0, "", 0, data)
    scu.SendCStoreRequest(3, 2, CT, INSTANCE, 0, "", 0, data)  # nothing of the first has gone out
    assert scu.log.wait("OnReceiveCStoreResponse").arguments[1] == 2


def test_a_codec_that_is_missing_is_named_before_anything_is_sent(plain: Link) -> None:
    listener = plain.scp()
    scu = plain.associated(listener, (CT, EXPLICIT))
    with refused(DicomExceptionCode.TransferSyntaxNotSupported, "leadtools_compat[pixels]"):
        scu.SendCStoreRequest(1, 1, CT, INSTANCE, 0, "", 0, loaded("JPEGLSNearLossless_08.dcm"))
    scu.SendCStoreRequest(1, 2, CT, INSTANCE, 0, "", 0, loaded("CT_small.dcm"))
    assert scu.log.wait("OnReceiveCStoreResponse").arguments[1] == 2


def test_a_value_that_cannot_be_written_is_named_before_anything_is_sent(plain: Link) -> None:
    listener = plain.scp()
    scu = plain.associated(listener, (CT, EXPLICIT))
    data = loaded("CT_small.dcm")
    data.to_pydicom()["Rows"]._value = "many"
    with refused(DicomExceptionCode.ValueInvalid):
        scu.SendCStoreRequest(1, 1, CT, INSTANCE, 0, "", 0, data)
    scu.SendCStoreRequest(1, 2, CT, INSTANCE, 0, "", 0, loaded("CT_small.dcm"))
    assert scu.log.wait("OnReceiveCStoreResponse").arguments[1] == 2
