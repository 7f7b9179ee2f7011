"""DicomAssociate: values, refusals, life, and PDUs that pynetdicom reads and writes."""

from __future__ import annotations

import copy
import gc
import pickle
import threading
from typing import Any

import pytest

import leadtools_compat.dicom
from leadtools_compat._binding import associates, lib
from leadtools_compat.dicom import (
    DicomAssociate,
    DicomException,
    DicomExceptionCode,
    UserIdentity,
)
from leadtools_compat.dicom._associate_state import lend
from leadtools_compat.dicom.dicom_associate import adopt
from tests.dicom.associates import (
    CT,
    EXPLICIT,
    IMPLICIT,
    MR,
    NO,
    PARAMETER,
    RESULT,
    VERIFICATION,
    check_full,
)
from tests.support import refused


@pytest.mark.parametrize("kind", [True, False])
def test_new_object_has_the_documented_values(kind: bool) -> None:
    associate = DicomAssociate(kind)
    assert associate.IsRequest is kind
    assert associate.Version == 1
    assert (associate.Called, associate.Calling) == ("", "")
    assert associate.ApplicationContextName == "1.2.840.10008.3.1.1.1"
    assert associate.MaxLength == 262144
    assert associate.ImplementClass == "2.25.205397698531593080814153206773410395633"
    assert associate.ImplementationVersionName.startswith("LTCOMPAT_")
    assert len(associate.ImplementationVersionName) <= 16
    assert associate.PresentationContextCount == 0
    assert associate.IsAsynchronousOperations is False
    assert (associate.InvokedOperationsCount, associate.PerformedOperationsCount) == (0, 0)
    assert associate.common_extended == []
    assert associate.user_identity is None
    assert associate.user_identity_response is None
    assert associate.UserInformationCount == 0


def test_everything_set_is_read_back(request_: DicomAssociate) -> None:
    check_full(request_)


def test_copies_are_equal_and_independent(request_: DicomAssociate) -> None:
    for made in (request_.clone(), copy.copy(request_), copy.deepcopy(request_)):
        check_full(made)
        made.Called = "OTHER"
        made.DeletePresentation(1)
        made.Dispose()
    check_full(request_)


def test_default_and_reset(request_: DicomAssociate) -> None:
    request_.Version = 3
    accept = request_.clone()
    accept.Reset()
    assert accept.IsRequest is False
    assert (accept.Called, accept.Calling, accept.Version) == ("ARCHIVE", "SCU", 3)
    assert accept.PresentationContextCount == 0
    assert accept.MaxLength == 262144
    assert accept.user_identity is None
    accept.Reset(True)
    assert (accept.Called, accept.Version) == ("", 1)
    request_.Default()
    assert request_.IsRequest is True
    assert (request_.Called, request_.PresentationContextCount) == ("", 0)


def test_none_counts_as_empty() -> None:
    associate = DicomAssociate(True)
    associate.Called = None
    associate.ImplementClass = None
    associate.ImplementationVersionName = ""
    assert (associate.Called, associate.ImplementClass) == ("", "")
    assert associate.ImplementationVersionName == ""
    assert associate.FindAbstract(None) == 0


def test_titles_are_trimmed_and_kept_whole_until_they_are_sent(request_: DicomAssociate) -> None:
    request_.Called = "  MY AE "
    assert request_.Called == "MY AE"
    request_.Called = long = "X" * 5000
    assert request_.Called == long
    with refused(PARAMETER, "called AE title", "5000 characters", "16"):
        request_.to_bytes()
    request_.Called = "ÄE"
    assert request_.Called == "ÄE"
    with refused(PARAMETER, "called AE title", "position 1"):
        request_.to_bytes()
    request_.Called = "A\\E"
    with refused(PARAMETER, "backslash"):
        request_.to_bytes()
    request_.Called = ""
    with refused(PARAMETER, "called AE title is empty"):
        request_.to_bytes()


def test_what_is_not_there_has_neutral_answers() -> None:
    associate = DicomAssociate(True)
    assert associate.GetAbstract(7) == ""
    assert associate.GetTransferCount(7) == 0
    assert associate.GetTransfer(7, 0) == ""
    assert associate.GetResult(7) is RESULT.ProviderReject
    assert associate.IsRoleSelect(7) is False
    assert associate.GetUserRole(7) is NO
    assert associate.GetExtendedData(7) is None
    assert associate.FindAbstract(CT) == 0
    assert associate.FindNextAbstract(7, CT) == 0


def test_finding_loops_over_the_contexts_of_a_class_until_one_is_accepted() -> None:
    associate = DicomAssociate(False)
    associate.AddPresentationContext(9, RESULT.TransferSyntax, CT)
    associate.AddPresentationContext(5, 0, VERIFICATION)
    associate.AddPresentationContext(3, RESULT.Success, CT)
    found = associate.FindAbstract(CT)
    assert found == 9
    while found and associate.GetResult(found) != RESULT.Success:
        found = associate.FindNextAbstract(found, CT)
    assert found == 3
    assert associate.FindNextAbstract(3, CT) == 0


def test_optional_items_can_be_taken_out(request_: DicomAssociate) -> None:
    request_.SetRoleSelect(3, False)
    request_.SetExtendedData(3, None)
    request_.SetAsynchronousOperations(False)
    request_.common_extended = []
    request_.user_identity = None
    assert request_.IsRoleSelect(3) is False
    assert request_.GetExtendedData(3) is None
    assert request_.IsAsynchronousOperations is False
    assert request_.common_extended == []
    assert request_.user_identity is None
    request_.SetExtendedData(3, b"")
    assert request_.GetExtendedData(3) == b""


def test_user_identity_takes_text_and_tuples_and_keeps_secrets() -> None:
    associate = DicomAssociate(True)
    associate.user_identity = (2, "jörg", "geheim", True)
    identity = associate.user_identity
    assert identity == UserIdentity(2, "jörg".encode(), b"geheim", True)
    assert repr(identity) == "<UserIdentity user name and passcode: 'jörg', 6 bytes secret>"
    assert repr(UserIdentity(4, b"<saml/>")) == "<UserIdentity SAML: 7 bytes>"
    assert repr(UserIdentity(9, b"")) == "<UserIdentity type 9: 0 bytes>"
    associate.user_identity = UserIdentity(5, memoryview(b"e30."))
    assert associate.user_identity.primary == b"e30."
    with pytest.raises(TypeError, match="primary"):
        UserIdentity(1, 5)  # type: ignore[arg-type]


def test_common_extended_stays_as_it_was_when_the_new_one_is_refused(
    request_: DicomAssociate,
) -> None:
    before = request_.common_extended
    with refused(PARAMETER, "nonsense"):
        request_.common_extended = [(MR, VERIFICATION), (CT, "nonsense")]
    assert request_.common_extended == before


# ---- refusals ----

BAD_CALLS: list[tuple[str, tuple[Any, ...], tuple[str, ...]]] = [
    ("GetPresentationContextID", (2,), ("index is 2", "2 presentation contexts")),
    ("GetPresentationContextID", (-1,), ("index", "-1")),
    ("AddPresentationContext", (0, 0, CT), ("id is 0", "odd")),
    ("AddPresentationContext", (2, 0, CT), ("id is 2", "odd")),
    ("AddPresentationContext", (256, 0, CT), ("id", "256", "0..255")),
    ("AddPresentationContext", (3, 0, CT), ("presentation context 3 already",)),
    ("AddPresentationContext", (5, 7, CT), ("result is 7", "Success (0)")),
    ("AddPresentationContext", (5, 0, ""), ("abstract syntax",)),
    ("AddPresentationContext", (5, 0, "1.2/3"), ("1.2/3", "digits")),
    ("AddPresentationContext", (5, 0, "1.2\0"), ("abstractSyntax", "NUL")),
    ("AddTransfer", (7, IMPLICIT), ("no presentation context 7",)),
    ("AddTransfer", (1, "../x"), ("../x",)),
    ("AddTransfer", (1, "1" * 65), ("64",)),
    ("DeletePresentation", (7,), ("no presentation context 7",)),
    ("SetResult", (7, 0), ("no presentation context 7",)),
    ("SetResult", (1, 5), ("result is 5",)),
    ("SetRoleSelect", (7, True, 1, 1), ("no presentation context 7",)),
    ("SetRoleSelect", (1, True, 2, 1), ("user is 2",)),
    ("SetExtendedData", (7, b""), ("no presentation context 7",)),
    ("SetExtendedData", (1, bytes(65536)), ("65536 bytes",)),
    ("SetAsynchronousOperations", (True, 65536, 1), ("invoked", "65536")),
    ("GetUserInformationData", (1,), ("index is 1",)),
    ("AddUserInformation", (0x51, b""), ("51H",)),
    ("AddUserInformation", (256, b""), ("type", "256")),
    ("AddUserInformation", (0x60, bytes(65536)), ("65536 bytes",)),
]


@pytest.mark.parametrize(("method", "arguments", "words"), BAD_CALLS)
def test_bad_value_is_refused_in_words_and_changes_nothing(
    request_: DicomAssociate, method: str, arguments: tuple[Any, ...], words: tuple[str, ...]
) -> None:
    with refused(PARAMETER, *words):
        getattr(request_, method)(*arguments)
    check_full(request_)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("Version", 65536, ("Version", "65536")),
        ("MaxLength", -1, ("MaxLength", "-1")),
        ("MaxLength", 2**32, ("MaxLength", str(2**32))),
        ("Called", "A\0B", ("Called", "NUL")),
        ("ApplicationContextName", "x", ("application context",)),
        ("ImplementClass", "1 2", ("implementation class",)),
        ("ImplementationVersionName", "x" * 17, ("17 characters", "16")),
        ("user_identity", (6, b""), ("type", "6", "1..5")),
        ("user_identity", (1, bytes(65530)), ("65530 bytes",)),
        ("user_identity_response", b"x", ("a request has no response",)),
    ],
)
def test_property_out_of_range_is_refused_and_unchanged(
    request_: DicomAssociate, name: str, value: Any, words: tuple[str, ...]
) -> None:
    with refused(PARAMETER, *words):
        setattr(request_, name, value)
    check_full(request_)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda a: a.AddPresentationContext("1", 0, CT), "id"),
        (lambda a: a.AddPresentationContext(5, 0, 5), "abstractSyntax"),
        (lambda a: a.AddTransfer(1, None), "uid"),
        (lambda a: a.SetExtendedData(1, "text"), "data"),
        (lambda a: setattr(a, "Called", b"A"), "Called"),
        (lambda a: setattr(a, "MaxLength", None), "MaxLength"),
        (lambda a: setattr(a, "user_identity_response", "x"), "user_identity_response"),
        (lambda a: a.to_bytes("request"), "request"),
        (lambda a: a.from_bytes("text"), "data"),
        (lambda a: DicomAssociate(None), "request"),  # type: ignore[arg-type]
    ],
)
def test_wrong_type_is_a_type_error_that_names_the_argument(
    request_: DicomAssociate, call: Any, name: str
) -> None:
    with pytest.raises(TypeError, match=name):
        call(request_)


def test_128_contexts_fit_and_no_more() -> None:
    associate = DicomAssociate(True)
    for identifier in range(1, 256, 2):
        associate.AddPresentationContext(identifier, 0, VERIFICATION)
        associate.AddTransfer(identifier, IMPLICIT)
    assert associate.PresentationContextCount == 128
    with refused(PARAMETER):
        associate.AddPresentationContext(255, 0, VERIFICATION)
    associate.Called, associate.Calling = "A", "B"
    again = DicomAssociate.from_bytes(associate.to_bytes())
    assert again.PresentationContextCount == 128


# ---- life ----


def test_disposed_object_says_so_and_disposing_again_is_fine(request_: DicomAssociate) -> None:
    request_.Dispose()
    request_.Dispose()
    assert repr(request_) == "<DicomAssociate disposed>"
    for use in (
        lambda: request_.Called,
        lambda: request_.AddTransfer(1, IMPLICIT),
        lambda: request_.GetResult(1),
        request_.clone,
        request_.to_bytes,
        request_.Reset,
        lambda: DicomAssociate(False).to_bytes(request_),
    ):
        with refused(DicomExceptionCode.ObjectDisposed, "disposed"):
            use()


def test_object_without_constructor_is_refused() -> None:
    class Careless(DicomAssociate):
        def __init__(self) -> None:
            pass

    with refused(DicomExceptionCode.InvalidState, "super().__init__"):
        _ = Careless().Called
    assert "without constructor" in repr(Careless())


def test_subclass_may_have_any_names_of_its_own() -> None:
    class Named(DicomAssociate):
        GetResult = None  # type: ignore[assignment]
        Called = "mine"  # type: ignore[override]
        state = _state = association = handle = 5

    with Named(True) as made:
        made.Calling = "X"
        assert "'X'" in repr(made)
        assert made.clone().Calling == "X"


def test_repr_tells_titles_and_contexts(request_: DicomAssociate) -> None:
    assert repr(request_) == (
        f"<DicomAssociate request 'SCU' to 'ARCHIVE', 2 contexts: 1 {VERIFICATION} "
        f"[{IMPLICIT}, {EXPLICIT}]; 3 {CT} [{IMPLICIT}]>"
    )
    accept = DicomAssociate(False)
    accept.AddPresentationContext(1, RESULT.AbstractSyntax, "")
    assert repr(accept) == "<DicomAssociate accept '' to '', 1 context: 1 ? [] AbstractSyntax>"
    for identifier in range(3, 13, 2):
        accept.AddPresentationContext(identifier, 0, CT)
    assert repr(accept).endswith("; ...>")
    assert "pass" not in repr(request_)


def test_object_cannot_be_pickled_by_mistake(request_: DicomAssociate) -> None:
    with pytest.raises(TypeError, match="to_bytes"):
        pickle.dumps(request_)


def test_c_object_is_freed_by_the_collector_and_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    freed = 0

    class Counting:
        """C's functions, one of them counted."""

        def __getattr__(self, name: str) -> Any:
            return getattr(lib, name)

        @staticmethod
        def L_DicomFreeAssociate(handle: Any) -> None:
            nonlocal freed
            freed += 1
            lib.L_DicomFreeAssociate(handle)

    monkeypatch.setattr(associates, "lib", Counting())
    associate = DicomAssociate(True)
    del associate
    gc.collect()
    assert freed == 1
    with DicomAssociate(True) as disposed:
        disposed.Dispose()
    assert freed == 2
    del disposed
    gc.collect()
    assert freed == 2


def test_lent_and_adopted_handles_are_those_of_c(request_: DicomAssociate) -> None:
    with lend(request_) as handle:
        assert lib.L_DicomGetPresentationCount(handle) == 2
        taken = adopt(lib.L_DicomCloneAssociate(handle))
    check_full(taken)


def test_threads_may_share_an_object_that_is_disposed_meanwhile() -> None:
    shared = DicomAssociate(True)
    shared.AddPresentationContext(1, 0, CT)
    odd: list[BaseException] = []
    ready = threading.Barrier(5)

    def use() -> None:
        ready.wait()
        try:
            for index in range(500):
                shared.AddTransfer(1, f"1.2.{index}")
                shared.Called = "A" * (index % 30)
                shared.GetTransfer(1, index)
                repr(shared)
        except DicomException as error:
            if error.Code != DicomExceptionCode.ObjectDisposed:
                odd.append(error)
        except BaseException as error:  # noqa: BLE001  it is looked at below
            odd.append(error)

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    ready.wait()
    while shared.GetTransferCount(1) < 100 and any(thread.is_alive() for thread in threads):
        pass
    shared.Dispose()
    for thread in threads:
        thread.join()
    assert odd == []


def test_names_are_exported() -> None:
    assert {"DicomAssociate", "UserIdentity", "CommonExtended"} <= set(
        leadtools_compat.dicom.__all__
    )


# ---- the wire ----
