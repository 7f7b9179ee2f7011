"""The mirrored enums behave as .NET's, and alike on every version of Python."""

from __future__ import annotations

import copy
import enum
import json
import pickle
import subprocess
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from leadtools_compat.dicom import enums_codes, enums_dimse, enums_tls
from leadtools_compat.dicom._enum import DotNetEnum, DotNetFlags
from leadtools_compat.dicom.enums_codes import DicomExceptionCode
from leadtools_compat.dicom.enums_dimse import (
    DicomAssociateRejectReasonType,
    DicomAssociateRejectSourceType,
    DicomCommandStatusType,
    RoleSelectionFlags,
)
from leadtools_compat.dicom.enums_tls import (
    DicomNetSecurityeMode,
    DicomNetSecurityMode,
    DicomOpenSslOptionsFlags,
    DicomOpenSslVerificationFlags,
    DicomTlsCipherSuiteType,
)

ROOT = Path(__file__).resolve().parent.parent.parent


def classes_of(*modules: ModuleType) -> list[Any]:
    return [vars(module)[name] for module in modules for name in module.__all__]


EVERY_ENUM = classes_of(enums_codes, enums_tls, enums_dimse)
SOME_NUMBERS = [0, 1, 2, 3, 5, 8, 0x11, 0xFF, 0x102, 0x1234, 0xFF00, 0xABCDEF, 0x7FFFFFFF, -1, -2]


class Colour(DotNetEnum):
    None_ = 0
    Red = 1
    Crimson = 1
    Blue = 300


class Right(DotNetFlags):
    None_ = 0
    Read = 1
    Write = 2
    Remove = 8
    Change = 10


@pytest.mark.parametrize("cls", EVERY_ENUM)
@pytest.mark.parametrize("number", SOME_NUMBERS)
def test_no_number_raises_and_each_survives_text_copy_and_pickle(cls: Any, number: int) -> None:
    member = cls(number)
    assert type(member) is cls
    assert cls[str(member)] == member
    assert cls(member) is member
    assert copy.copy(member) is member
    assert copy.deepcopy([member])[0] is member
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(member, protocol))
        assert type(again) is cls
        assert again == member
        assert str(again) == str(member)


@pytest.mark.parametrize("cls", EVERY_ENUM)
def test_members_equal_their_numbers_and_are_found_by_them(cls: Any) -> None:
    for member in cls:
        assert member == int(member)
        assert hash(member) == hash(int(member))
        assert member.value == int(member)
        assert {member: "found"}[int(member)] == "found"
        assert cls(int(member)) == member
        assert isinstance(member, int)


@pytest.mark.parametrize("cls", EVERY_ENUM)
def test_named_members_pickle_to_the_same_object(cls: Any) -> None:
    for member in cls:
        assert pickle.loads(pickle.dumps(member)) is member


@pytest.mark.parametrize("cls", EVERY_ENUM)
def test_names_in_text_have_no_python_underscore(cls: Any) -> None:
    for member in cls:
        assert not str(member).endswith("_")
        assert cls[str(member)] is member
        assert cls[member.name] is member
        assert getattr(cls, member.name) is member
        assert f"{member}" == format(member) == str(member)


def test_none_is_printed_and_looked_up_as_in_dotnet() -> None:
    assert str(DicomNetSecurityMode.None_) == "None"
    assert DicomNetSecurityMode["None"] is DicomNetSecurityMode.None_
    assert DicomNetSecurityMode["None_"] is DicomNetSecurityMode.None_
    assert DicomNetSecurityMode.None_.name == "None_"
    assert f"mode {DicomNetSecurityMode.None_}, code {DicomExceptionCode.TlsCAFile}" == (
        "mode None, code TlsCAFile"
    )


def test_format_gives_numbers_when_asked_for_numbers() -> None:
    status = DicomCommandStatusType.Pending
    assert f"{status:04X}" == "FF00"
    assert f"{status:d}" == "65280"
    assert f"{status:>10}" == "   Pending"
    assert f"{Colour(-1):d} {Colour(-1):s}" == "-1 Value_-1"
    assert "%d %s" % (status, status) == "65280 Pending"  # noqa: UP031 - ports do this


def test_json_gets_the_number() -> None:
    assert json.dumps([Colour.Blue, Right.Read | Right.Write, Colour(7)]) == "[300, 3, 7]"


def test_repr_shows_class_name_and_number() -> None:
    assert repr(Colour.None_) == "<Colour.None: 0>"
    assert repr(Colour.Blue) == "<Colour.Blue: 300 = 0x012C>"
    assert repr(Colour(0x1234)) == "<Colour.Value_0x1234: 4660 = 0x1234>"
    assert repr(Right.Read | Right.Write) == "<Right.Read, Write: 3>"
    assert repr(DicomAssociateRejectReasonType.Limit) == "<DicomAssociateRejectReasonType.Limit: 2>"


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (5, "Value_0x0005"),
        (0xABCD, "Value_0xABCD"),
        (0x12345, "Value_0x12345"),
        (-1, "Value_-1"),
        (-70000, "Value_-70000"),
    ],
)
def test_unknown_numbers_are_members_with_a_telling_name(number: int, name: str) -> None:
    member = Colour(number)
    assert isinstance(member, Colour)
    assert str(member) == member.name == name
    assert member.value == member == number
    assert Colour[name] == number
    assert member not in list(Colour)


def test_user_defined_status_minus_one_is_a_member() -> None:
    status = DicomCommandStatusType(-1)
    assert status == -1
    assert status != DicomCommandStatusType.Success
    assert str(status) == "Value_-1"


def test_unknown_numbers_are_the_same_object_each_time() -> None:
    class Fresh(DotNetEnum):
        A = 1

    assert Fresh(99) is Fresh(99)
    assert copy.deepcopy(Fresh(99)) is Fresh(99)


def test_a_flood_of_unknown_numbers_is_not_kept() -> None:
    class Fresh(DotNetEnum):
        A = 1

    class FreshFlags(DotNetFlags):
        A = 1

    for cls in (Fresh, FreshFlags):
        for number in range(5000):
            assert cls(number) == number
        assert len(cls._unnamed_members) <= 300
        assert len(cls._value2member_map_) == 1
        assert len(cls) == 1
        assert cls(4999) == 4999
        assert isinstance(cls(4999), cls)


def test_threads_that_meet_an_unknown_number_get_one_object() -> None:
    class Fresh(DotNetEnum):
        A = 1

    barrier = threading.Barrier(8)
    found: list[list[Fresh]] = []

    def look_up() -> None:
        barrier.wait(10)
        found.append([Fresh(number) for number in range(2, 200)])

    threads = [threading.Thread(target=look_up) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(found) == 8
    for members in zip(*found, strict=True):
        assert len({id(member) for member in members}) == 1


@pytest.mark.parametrize("value", ["Red", 1.5, None, [], object()])
@pytest.mark.parametrize("cls", [Colour, Right, DicomAssociateRejectReasonType])
def test_what_is_not_a_number_is_refused(cls: Any, value: object) -> None:
    with pytest.raises(ValueError, match="is not a valid"):
        cls(value)


@pytest.mark.parametrize("name", ["red", "None__", "Value_12", "Value_0x12g4", "Red, Blue", "", 1])
def test_unknown_names_raise_key_error(name: Any) -> None:
    with pytest.raises(KeyError):
        Colour[name]


def test_an_object_with_index_is_taken_as_its_number() -> None:
    class Number:
        def __index__(self) -> int:
            return 77

    assert Colour(Number()) == 77  # type: ignore[arg-type]
    assert str(Colour(True)) == "Red"


def test_aliases_are_the_same_object_under_the_public_name() -> None:
    colour: Any = Colour
    assert colour.Crimson is colour.Red
    assert DicomNetSecurityeMode is DicomNetSecurityMode
    status: Any = DicomCommandStatusType
    assert status.ClassInstanceConflict is status.ClaseInstanceConflict
    assert str(status.ClassInstanceConflict) == "ClaseInstanceConflict"
    assert status["ClassInstanceConflict"] is status(0x0119)
    suite: Any = DicomTlsCipherSuiteType
    assert suite.DheRsaWithAes256CbcSha is suite.DheRsaAes256Sha
    assert str(suite.DheRsaWithAes256CbcSha) == "DheRsaAes256Sha"


def test_iteration_gives_every_name_but_aliases_in_order() -> None:
    assert [str(member) for member in Colour] == ["None", "Red", "Blue"]
    assert [str(member) for member in reversed(Colour)] == ["Blue", "Red", "None"]
    assert len(Colour) == 3
    assert [str(member) for member in Right] == ["None", "Read", "Write", "Remove", "Change"]
    assert len(Right) == 5


def test_in_asks_whether_a_number_has_a_name() -> None:
    assert Colour.Red in Colour
    assert 300 in Colour
    assert 299 not in Colour
    assert Colour(299) not in Colour
    assert "Red" not in Colour


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "None"),
        (1, "Read"),
        (3, "Read, Write"),
        (10, "Change"),
        (11, "Read, Change"),
        (9, "Read, Remove"),
        (4, "Value_0x0004"),
        (0x105, "Read, Value_0x0104"),
        (-2, "Value_-2"),
    ],
)
def test_flags_are_joined_by_comma_as_in_dotnet(number: int, text: str) -> None:
    assert str(Right(number)) == f"{Right(number)}" == text
    assert Right[text] is Right(number)


def test_flag_operators_stay_in_the_class_and_take_numbers() -> None:
    both = Right.Read | Right.Write
    assert both is Right(3)
    assert type(both | 0x40) is type(8 | both) is Right
    assert str(both | 0x40) == "Read, Write, Value_0x0040"
    assert both & Right.Write is Right.Write
    assert both & ~Right.Write is Right.Read
    assert both ^ Right.Write is Right.Read
    assert (both | 0x40) & ~Right.Read == 0x42
    assert ~~both == both
    assert both & 4 is Right.None_
    assert not Right.None_
    assert Right.Read


def test_flags_tell_which_bits_are_set() -> None:
    change = Right.Write | Right.Remove
    assert change is Right.Change
    assert Right.Write in change
    assert Right.Read not in change
    assert Right.Change not in Right.Write
    assert list(change) == [Right.Write, Right.Remove]
    assert len(change) == 2
    assert isinstance(change, enum.IntFlag)


def test_combined_flags_of_the_api_have_their_names() -> None:
    flags = DicomOpenSslVerificationFlags
    assert str(flags.Peer | flags.FailIfNoPeerCertificate) == "Peer, FailIfNoPeerCertificate"
    assert flags.Peer | flags.FailIfNoPeerCertificate | flags.ClientOnce is flags.All
    options = DicomOpenSslOptionsFlags
    mixed = options.NoSslV2 | options.AllBugWorkarounds
    assert str(mixed) == "AllBugWorkarounds, NoSslV2"
    assert options["AllBugWorkarounds, NoSslV2"] is mixed
    assert str(RoleSelectionFlags(0xD)) == "Disabled, AcceptAllProposed"


def test_reject_reasons_of_one_number_are_different_members_that_are_equal() -> None:
    reason: Any = DicomAssociateRejectReasonType
    assert reason.Version is not reason.Application
    assert reason.Version == reason.Application == reason.Limit == 2
    assert hash(reason.Version) == hash(reason.Application) == hash(2)
    assert [str(r) for r in (reason.Version, reason.Application, reason.Limit)] == [
        "Version",
        "Application",
        "Limit",
    ]
    assert int(reason.Congestion) == reason.Congestion.value == 1
    assert len(reason) == 7


@pytest.mark.parametrize(
    ("source", "number", "name"),
    [
        (1, 1, "Unknown"),
        (1, 2, "Application"),
        (1, 3, "Calling"),
        (1, 7, "Called"),
        (2, 1, "Unknown"),
        (2, 2, "Version"),
        (3, 1, "Congestion"),
        (3, 2, "Limit"),
        (1, 4, "Value_0x0004"),
        (3, 7, "Value_0x0007"),
        (9, 2, "Value_0x0002"),
        (0, 2, "Application"),
        (255, 255, "Value_0x00FF"),
    ],
)
def test_source_and_reason_from_the_wire_give_the_member(
    source: int, number: int, name: str
) -> None:
    reason = DicomAssociateRejectReasonType.from_wire(source, number)
    assert reason == number
    assert str(reason) == name
    assert pickle.loads(pickle.dumps(reason)) == number
    assert str(pickle.loads(pickle.dumps(reason))) == name


def test_from_wire_takes_the_source_as_a_member() -> None:
    reason = DicomAssociateRejectReasonType
    source = DicomAssociateRejectSourceType.Provider2
    assert reason.from_wire(source, 2) is reason.Limit
    assert pickle.loads(pickle.dumps(reason.Limit)) is reason.Limit


def test_a_bare_reason_is_that_of_the_user() -> None:
    reason = DicomAssociateRejectReasonType
    assert reason(2) is reason.Application
    assert reason(1) is reason.Unknown
    assert str(reason(9)) == "Value_0x0009"
    assert reason(-1) == -1


def test_a_cipher_suite_tells_its_names() -> None:
    suite = DicomTlsCipherSuiteType.EcdheRsaWithAes256GcmSha384
    assert suite == 0xC030
    assert suite.iana_name == "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"
    assert suite.GetCipherFriendlyName() == suite.iana_name
    assert suite.openssl_name == "ECDHE-RSA-AES256-GCM-SHA384"
    assert DicomTlsCipherSuiteType.Aes128GcmSha256.openssl_name == "TLS_AES_128_GCM_SHA256"
    for nameless in (DicomTlsCipherSuiteType.None_, DicomTlsCipherSuiteType(0xFEFE)):
        assert nameless.iana_name == nameless.openssl_name == ""
        assert nameless.GetCipherFriendlyName() == ""


def test_a_cipher_suite_tells_whether_openssl_has_it() -> None:
    pytest.importorskip("leadtools_compat._binding", exc_type=ImportError)
    assert DicomTlsCipherSuiteType.Aes256GcmSha384.is_available is True
    assert DicomTlsCipherSuiteType.DheRsaWithDesCbcSha.is_available is False
    assert DicomTlsCipherSuiteType.None_.is_available is False
    assert DicomTlsCipherSuiteType(0xFEFE).is_available is False


def test_enums_need_neither_the_c_library_nor_the_rest_of_the_package() -> None:
    program = f"""
import sys, types
for name, path in (("leadtools_compat", ""), ("leadtools_compat.dicom", "/dicom")):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [{str(ROOT / "leadtools_compat")!r} + path]
sys.modules["leadtools_compat._binding"] = None
from leadtools_compat.dicom import enums_codes, enums_dimse, enums_tls
assert enums_tls.DicomTlsCipherSuiteType(0x1302).iana_name == "TLS_AES_256_GCM_SHA384"
print(sorted(name for name in sys.modules if name.startswith("leadtools_compat.dicom.")))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    modules = ["_enum", "_texts", "enums_codes", "enums_dimse", "enums_tls"]
    assert done.stdout.strip() == str([f"leadtools_compat.dicom.{name}" for name in modules])
