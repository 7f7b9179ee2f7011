"""DicomAssociate on the wire: what is sent comes back, damage is refused, pynetdicom reads and writes the same."""

from __future__ import annotations

import random
from typing import Any

import pytest

from leadtools_compat.dicom import (
    DicomAssociate,
    DicomException,
    DicomExceptionCode,
    UserIdentity,
)
from tests.dicom.associates import (
    CT,
    EXPLICIT,
    IMPLICIT,
    MR,
    NO,
    PARAMETER,
    RESULT,
    VERIFICATION,
    YES,
    check_full,
)
from tests.support import refused


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
