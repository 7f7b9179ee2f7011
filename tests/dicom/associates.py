"""A request with everything in it, and its check."""

from __future__ import annotations

from collections.abc import Iterator

from leadtools_compat.dicom import (
    CommonExtended,
    DicomAssociate,
    DicomAssociateAcceptResultType,
    DicomExceptionCode,
    DicomRoleSupport,
    UserIdentity,
)

VERIFICATION = "1.2.840.10008.1.1"
CT = "1.2.840.10008.5.1.4.1.1.2"
MR = "1.2.840.10008.5.1.4.1.1.4"
IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
RESULT = DicomAssociateAcceptResultType
PARAMETER = DicomExceptionCode.Parameter
YES, NO = DicomRoleSupport.Supported, DicomRoleSupport.Unsupported


def full_request() -> Iterator[DicomAssociate]:
    """Make a request with something in every member."""
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
