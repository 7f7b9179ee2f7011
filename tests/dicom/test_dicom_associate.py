"""DicomAssociate: values, refusals, life, and PDUs that pynetdicom reads and writes."""

from __future__ import annotations

import copy
import gc
import pickle
import random
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import leadtools_compat.dicom
from leadtools_compat._binding import associates, lib
from leadtools_compat.dicom import (
    CommonExtended,
    DicomAssociate,
    DicomAssociateAcceptResultType,
    DicomException,
    DicomExceptionCode,
    DicomRoleSupport,
    UserIdentity,
)
from leadtools_compat.dicom._associate_state import lend
from leadtools_compat.dicom.dicom_associate import adopt
from tests.support import refused

VERIFICATION = "1.2.840.10008.1.1"
CT = "1.2.840.10008.5.1.4.1.1.2"
MR = "1.2.840.10008.5.1.4.1.1.4"
IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
RESULT = DicomAssociateAcceptResultType
PARAMETER = DicomExceptionCode.Parameter
YES, NO = DicomRoleSupport.Supported, DicomRoleSupport.Unsupported


@pytest.fixture
def request_() -> Iterator[DicomAssociate]:
    """A request with something in every member."""
    with DicomAssociate(True) as made:
        made.Called = "ARCHIVE"
        made.Calling = "SCU"
        made.AddPresentationContext(1, 0, VERIFICATION)
        made.AddTransfer(1, IMPLICIT)
        made.AddTransfer(1, EXPLICIT)
        made.AddPresentationContext(3, 0, CT)
        made.AddTransfer(3, IMPLICIT)
        made.MaxLength = 16384
        made.ImplementClass = "1.2.3"
        made.ImplementationVersionName = "V_1"
        made.SetAsynchronousOperations(True, 5, 6)
        made.SetRoleSelect(3, True, NO, YES)
        made.SetExtendedData(3, b"\1\2\3")
        made.common_extended = [CommonExtended(CT, "1.2.840.10008.4.2", (VERIFICATION,))]
        made.user_identity = UserIdentity(2, b"user", b"pass", True)
        made.AddUserInformation(0x5A, b"\xaa\xbb")
        yield made


def check_full(associate: DicomAssociate) -> None:
    assert associate.IsRequest is True
    assert (associate.Called, associate.Calling) == ("ARCHIVE", "SCU")
    assert associate.MaxLength == 16384
    assert associate.ImplementClass == "1.2.3"
    assert associate.ImplementationVersionName == "V_1"
    assert associate.PresentationContextCount == 2
    assert [associate.GetPresentationContextID(i) for i in range(2)] == [1, 3]
    assert [associate.GetAbstract(i) for i in (1, 3)] == [VERIFICATION, CT]
    assert associate.GetTransferCount(1) == 2
    assert [associate.GetTransfer(1, i) for i in range(2)] == [IMPLICIT, EXPLICIT]
    assert associate.IsAsynchronousOperations is True
    assert (associate.InvokedOperationsCount, associate.PerformedOperationsCount) == (5, 6)
    assert associate.IsRoleSelect(3) is True
    assert (associate.GetUserRole(3), associate.GetProviderRole(3)) == (NO, YES)
    assert associate.GetExtendedData(3) == b"\1\2\3"
    assert associate.common_extended == [(CT, "1.2.840.10008.4.2", (VERIFICATION,))]
    assert associate.user_identity == UserIdentity(2, b"user", b"pass", True)
    assert associate.UserInformationCount == 1
    assert associate.GetUserInformationType(0) == 0x5A
    assert associate.GetUserInformationData(0) == b"\xaa\xbb"
    assert associate.GetUserInformationDataLength(0) == 2


# ---- values ----


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


def answer_to(received: DicomAssociate) -> DicomAssociate:
    """Do what a ported server does (api: the pattern that must work)."""
    made = DicomAssociate(False)
    made.MaxLength = received.MaxLength
    made.Version = 1
    made.Called = received.Called
    made.Calling = received.Calling
    made.ApplicationContextName = received.ApplicationContextName
    for index in range(received.PresentationContextCount):
        identifier = received.GetPresentationContextID(index)
        abstract = received.GetAbstract(identifier)
        made.AddPresentationContext(identifier, RESULT.Success, abstract)
        if abstract == VERIFICATION:
            made.AddTransfer(identifier, received.GetTransfer(identifier, 0))
        else:
            made.SetResult(identifier, RESULT.AbstractSyntax)
    made.ImplementClass = "1.2.4"
    made.ImplementationVersionName = "V_2"
    return made


def test_pdus_come_back_as_they_went(request_: DicomAssociate) -> None:
    received = DicomAssociate.from_bytes(bytearray(request_.to_bytes()))
    check_full(received)
    assert received.to_bytes() == request_.to_bytes()
    accept = answer_to(received)
    accept.user_identity_response = b"ticket"
    told = DicomAssociate.from_bytes(accept.to_bytes(received), request_)
    assert told.IsRequest is False
    assert (told.Called, told.Calling) == ("ARCHIVE", "SCU")
    assert [told.GetResult(i) for i in (1, 3)] == [RESULT.Success, RESULT.AbstractSyntax]
    assert [told.GetAbstract(i) for i in (1, 3)] == [VERIFICATION, CT]
    assert told.GetTransfer(1, 0) == IMPLICIT
    assert told.user_identity_response == b"ticket"


def test_accept_answers_what_was_asked_and_nothing_else(request_: DicomAssociate) -> None:
    accept = DicomAssociate(False)
    told = DicomAssociate.from_bytes(accept.to_bytes(request_), request_)
    assert [told.GetResult(i) for i in (1, 3)] == [RESULT.ProviderReject] * 2
    assert (told.Called, told.Calling) == ("ARCHIVE", "SCU")
    accept.AddPresentationContext(5, RESULT.UserReject, "")
    with refused(PARAMETER, "context 5 is not in the request"):
        accept.to_bytes(request_)
    with refused(DicomExceptionCode.PduInvalid, "context 5 was not proposed", "at offset"):
        DicomAssociate.from_bytes(accept.to_bytes(), request_)


def test_damaged_pdus_are_refused_by_name(request_: DicomAssociate) -> None:
    whole = request_.to_bytes()
    for length in range(len(whole)):
        with refused(DicomExceptionCode.PduInvalid, "at offset"):
            DicomAssociate.from_bytes(whole[:length])
    with refused(DicomExceptionCode.PduTooLong, "4294967295", "1048576"):
        DicomAssociate.from_bytes(b"\1\0\xff\xff\xff\xff" + whole[6:])
    with refused(DicomExceptionCode.PduUnexpected, "A-RELEASE-RQ"):
        DicomAssociate.from_bytes(b"\5\0\0\0\0\4\0\0\0\0")


def test_random_damage_never_does_more_than_raise(request_: DicomAssociate) -> None:
    whole = request_.to_bytes()
    chance = random.Random(3)
    for _ in range(3000):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        code = None
        try:
            repr(DicomAssociate.from_bytes(damaged))
        except DicomException as error:
            code = error.Code
        assert code in (
            None,
            DicomExceptionCode.PduInvalid,
            DicomExceptionCode.PduTooLong,
            DicomExceptionCode.PduUnexpected,
        )


# ---- pynetdicom on the other side ----


@pytest.fixture(scope="module")
def pdus() -> Any:
    """The module of pynetdicom's PDU classes."""
    return pytest.importorskip("pynetdicom.pdu")


def without_unknown(associate: DicomAssociate) -> DicomAssociate:
    """Leave out the sub-item of the future: pynetdicom raises KeyError for those."""
    data = associate.to_bytes().replace(b"\x5a\0\0\2\xaa\xbb", b"")
    shorter = bytearray(data)
    shorter[2:6] = (len(data) - 6).to_bytes(4, "big")
    at = data.index(b"\x50\0\0", 99 + 73 + 58 - 4)
    shorter[at + 2 : at + 4] = (len(data) - at - 4).to_bytes(2, "big")
    return DicomAssociate.from_bytes(shorter)


def test_pynetdicom_reads_our_request(pdus: Any, request_: DicomAssociate) -> None:
    items = pytest.importorskip("pynetdicom.pdu_items")
    sent = without_unknown(request_).to_bytes()
    theirs = pdus.A_ASSOCIATE_RQ()
    theirs.decode(sent)
    assert theirs.encode() == sent
    assert theirs.called_ae_title.strip() == "ARCHIVE"
    assert theirs.calling_ae_title.strip() == "SCU"
    assert theirs.application_context_name == "1.2.840.10008.3.1.1.1"
    contexts = theirs.presentation_context
    assert [(c.context_id, c.abstract_syntax) for c in contexts] == [(1, VERIFICATION), (3, CT)]
    assert contexts[0].transfer_syntax == [IMPLICIT, EXPLICIT]
    user = theirs.user_information
    assert user.maximum_length == 16384
    assert user.implementation_class_uid == "1.2.3"
    assert user.implementation_version_name == "V_1"
    window = user.async_ops_window
    assert window.maximum_number_operations_invoked == 5
    assert window.maximum_number_operations_performed == 6
    assert (user.role_selection[CT].scu_role, user.role_selection[CT].scp_role) == (0, 1)
    assert user.ext_neg[0].app_info == b"\1\2\3"
    assert user.common_ext_neg[0].service_class_uid == "1.2.840.10008.4.2"
    assert user.common_ext_neg[0].related_general_sop_class_identification == [VERIFICATION]
    identity = user.user_identity
    assert isinstance(identity, items.UserIdentitySubItemRQ)
    assert (identity.primary_field, identity.secondary_field) == (b"user", b"pass")


@pytest.fixture
def primitive() -> Any:
    """A request as pynetdicom's users make it, with all its user information."""
    module = pytest.importorskip("pynetdicom.pdu_primitives")
    presentation = pytest.importorskip("pynetdicom.presentation")
    made = module.A_ASSOCIATE()
    made.application_context_name = "1.2.840.10008.3.1.1.1"
    made.calling_ae_title, made.called_ae_title = "THEM", "US"
    contexts = []
    for identifier, abstract in ((1, VERIFICATION), (3, CT), (5, CT)):
        context = presentation.build_context(abstract, [EXPLICIT, IMPLICIT])
        context.context_id = identifier
        contexts.append(context)
    made.presentation_context_definition_list = contexts
    length = module.MaximumLengthNotification()
    length.maximum_length_received = 32768
    uid = module.ImplementationClassUIDNotification()
    uid.implementation_class_uid = "1.2.826.0.1"
    name = module.ImplementationVersionNameNotification()
    name.implementation_version_name = "THEIRS"
    window = module.AsynchronousOperationsWindowNegotiation()
    window.maximum_number_operations_invoked = 2
    window.maximum_number_operations_performed = 3
    role = module.SCP_SCU_RoleSelectionNegotiation()
    role.sop_class_uid, role.scu_role, role.scp_role = CT, True, True
    extended = module.SOPClassExtendedNegotiation()
    extended.sop_class_uid, extended.service_class_application_information = CT, b"\7\0"
    common = module.SOPClassCommonExtendedNegotiation()
    common.sop_class_uid, common.service_class_uid = CT, "1.2.840.10008.4.2"
    common.related_general_sop_class_identification = [MR, VERIFICATION]
    identity = module.UserIdentityNegotiation()
    identity.user_identity_type, identity.positive_response_requested = 2, True
    identity.primary_field, identity.secondary_field = b"who", b"secret"
    made.user_information = [length, uid, name, window, role, extended, common, identity]
    return made


def test_we_read_pynetdicoms_request(pdus: Any, primitive: Any) -> None:
    theirs = pdus.A_ASSOCIATE_RQ()
    theirs.from_primitive(primitive)
    received = DicomAssociate.from_bytes(theirs.encode())
    assert (received.Calling, received.Called) == ("THEM", "US")
    assert received.MaxLength == 32768
    assert received.ImplementClass == "1.2.826.0.1"
    assert received.ImplementationVersionName == "THEIRS"
    assert [received.GetAbstract(i) for i in (1, 3, 5)] == [VERIFICATION, CT, CT]
    assert [received.GetTransfer(5, i) for i in range(2)] == [EXPLICIT, IMPLICIT]
    assert (received.InvokedOperationsCount, received.PerformedOperationsCount) == (2, 3)
    assert [received.GetUserRole(i) for i in (1, 3, 5)] == [NO, YES, YES]
    assert received.IsRoleSelect(1) is False
    assert received.GetExtendedData(5) == b"\7\0"
    assert received.common_extended == [(CT, "1.2.840.10008.4.2", (MR, VERIFICATION))]
    assert received.user_identity == UserIdentity(2, b"who", b"secret", True)
    again = pdus.A_ASSOCIATE_RQ()
    again.decode(received.to_bytes())
    assert sorted(again.encode()) == sorted(theirs.encode())  # order of items is free


def test_pynetdicom_reads_our_accept(pdus: Any, primitive: Any) -> None:
    theirs = pdus.A_ASSOCIATE_RQ()
    theirs.from_primitive(primitive)
    received = DicomAssociate.from_bytes(theirs.encode())
    accept = answer_to(received)
    accept.SetRoleSelect(3, True, YES, NO)
    accept.SetExtendedData(3, b"\7")
    accept.SetAsynchronousOperations(True, 1, 1)
    accept.user_identity_response = b"ticket"
    told = pdus.A_ASSOCIATE_AC()
    told.decode(accept.to_bytes(received))
    results = [(c.context_id, c.result) for c in told.presentation_context]
    assert results == [(1, 0), (3, 3), (5, 3)]
    assert told.presentation_context[0].transfer_syntax == EXPLICIT
    user = told.user_information
    assert user.implementation_version_name == "V_2"
    assert (user.role_selection[CT].scu_role, user.role_selection[CT].scp_role) == (1, 0)
    assert user.user_identity.server_response == b"ticket"
    assert told.encode() == accept.to_bytes(received)


def test_we_read_pynetdicoms_accept(pdus: Any, primitive: Any, request_: DicomAssociate) -> None:
    ours = pdus.A_ASSOCIATE_RQ()
    ours.decode(without_unknown(request_).to_bytes())
    answer = ours.to_primitive()
    answer.result, answer.result_source = 0, 1
    contexts = answer.presentation_context_definition_list
    for context, result in zip(contexts, (0, 3), strict=True):
        context.result = result
        context.transfer_syntax = [context.transfer_syntax[0]]
    answer.presentation_context_definition_results_list = contexts
    answer.user_information = primitive.user_information[:6]  # no common, no identity
    theirs = pdus.A_ASSOCIATE_AC()
    theirs.from_primitive(answer)
    told = DicomAssociate.from_bytes(theirs.encode(), request_)
    assert told.IsRequest is False
    assert [told.GetResult(i) for i in (1, 3)] == [RESULT.Success, RESULT.AbstractSyntax]
    assert [told.GetAbstract(i) for i in (1, 3)] == [VERIFICATION, CT]
    assert told.GetTransfer(1, 0) == IMPLICIT
    assert told.MaxLength == 32768
    assert (told.GetUserRole(3), told.GetProviderRole(3)) == (YES, YES)
    assert told.to_bytes() == theirs.encode() or sorted(told.to_bytes()) == sorted(theirs.encode())
