"""The mirror of ``Leadtools.Dicom``: ``from leadtools_compat.dicom import *``.

.NET names letter by letter; what .NET does not have is in snake_case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leadtools_compat.dicom.dicom_associate import CommonExtended, DicomAssociate, UserIdentity
from leadtools_compat.dicom.dicom_engine import DicomEngine
from leadtools_compat.dicom.dicom_exception import DicomException, DicomSecurityCertificateException
from leadtools_compat.dicom.dicom_failure import DicomFailure, ReceivedCertificate
from leadtools_compat.dicom.dicom_net import DicomNet
from leadtools_compat.dicom.dicom_open_ssl_context_creation_settings import (
    DicomOpenSslContextCreationSettings,
)
from leadtools_compat.dicom.dicom_open_ssl_version import DicomOpenSslVersion
from leadtools_compat.dicom.dicom_socket_options import DicomSocketOptions
from leadtools_compat.dicom.dicom_tag import DicomTag, DicomTagType
from leadtools_compat.dicom.dicom_uid_type import DicomUidType
from leadtools_compat.dicom.enums_codes import (
    DicomExceptionCode,
    DicomSecurityCertificateExceptionCode,
)
from leadtools_compat.dicom.enums_dimse import (
    ClientPortUsageType,
    DicomAbortReasonType,
    DicomAbortSourceType,
    DicomAssociateAcceptResultType,
    DicomAssociateRejectReasonType,
    DicomAssociateRejectResultType,
    DicomAssociateRejectSourceType,
    DicomCommandPriorityType,
    DicomCommandStatusType,
    DicomCommandType,
    DicomDataSetCommandType,
    DicomNetFlags,
    DicomNetIpTypeFlags,
    DicomPduType,
    DicomRoleSupport,
    RoleSelectionFlags,
)
from leadtools_compat.dicom.enums_tls import (
    DicomNetSecurityeMode,
    DicomNetSecurityMode,
    DicomOpenSslOptionsFlags,
    DicomOpenSslVerificationFlags,
    DicomSslMethodType,
    DicomTlsAuthenticationMethodType,
    DicomTlsCertificateType,
    DicomTlsCipherSuiteType,
    DicomTlsEncryptionMethodType,
    DicomTlsIntegrityMethodType,
    DicomTlsKeyExchangeMethodType,
)

if TYPE_CHECKING:  # the rest is imported when it is asked for
    from leadtools_compat.dicom._dataset_generic import BeforeAddTagDelegate
    from leadtools_compat.dicom.dicom_data_set import DicomDataSet
    from leadtools_compat.dicom.dicom_date_values import (
        DicomAgeValue,
        DicomDateRangeValue,
        DicomDateTimeRangeValue,
        DicomDateTimeValue,
        DicomDateValue,
        DicomTimeRangeValue,
        DicomTimeValue,
    )
    from leadtools_compat.dicom.dicom_dir import DicomDir, DicomDirOptions
    from leadtools_compat.dicom.dicom_element import DicomElement
    from leadtools_compat.dicom.dicom_iod_table import DicomIod, DicomIodTable
    from leadtools_compat.dicom.dicom_module import DicomModule
    from leadtools_compat.dicom.dicom_print_scu import DicomPrintScu
    from leadtools_compat.dicom.dicom_tag_table import DicomTagTable
    from leadtools_compat.dicom.dicom_tls_library import DicomTlsLibrary
    from leadtools_compat.dicom.dicom_tls_profile import DicomTlsProfile, DicomTlsProfileCheck
    from leadtools_compat.dicom.dicom_uid_table import DicomUid, DicomUIDCategory, DicomUidTable
    from leadtools_compat.dicom.dicom_vr_table import DicomVR, DicomVRRestriction, DicomVRTable
    from leadtools_compat.dicom.element_attributes import Element, Instance
    from leadtools_compat.dicom.enums_class import DicomClassType
    from leadtools_compat.dicom.enums_dataset import (
        ChangeTransferSyntaxFlags,
        DicomCharacterSetType,
        DicomDataSetFlags,
        DicomDataSetInitializeFlags,
        DicomDataSetInitializeType,
        DicomDataSetLoadFlags,
        DicomDataSetSaveFlags,
        DicomRangeType,
    )
    from leadtools_compat.dicom.enums_image import (
        DicomGetImageFlags,
        DicomImageCompressionType,
        DicomImageInformation,
        DicomImagePhotometricInterpretationType,
        DicomOverlayAttributes,
    )
    from leadtools_compat.dicom.enums_module import (
        DicomIodType,
        DicomIodUsageType,
        DicomModuleType,
    )
    from leadtools_compat.dicom.enums_vr import DicomVRType

__all__ = [
    # classes
    "BeforeAddTagDelegate",
    "CommonExtended",
    "DicomAssociate",
    "DicomAgeValue",
    "DicomDataSet",
    "DicomDateRangeValue",
    "DicomDateTimeRangeValue",
    "DicomDateTimeValue",
    "DicomDateValue",
    "DicomDir",
    "DicomDirOptions",
    "DicomElement",
    "DicomEngine",
    "DicomException",
    "DicomFailure",
    "DicomImageInformation",
    "DicomIod",
    "DicomIodTable",
    "DicomModule",
    "DicomNet",
    "DicomOpenSslContextCreationSettings",
    "DicomOpenSslVersion",
    "DicomSecurityCertificateException",
    "DicomOverlayAttributes",
    "DicomPrintScu",
    "DicomSocketOptions",
    "DicomTagTable",
    "DicomTimeRangeValue",
    "DicomTimeValue",
    "DicomUid",
    "DicomUidTable",
    "DicomVR",
    "DicomVRTable",
    "Element",
    "Instance",
    "ReceivedCertificate",
    "UserIdentity",
    # enums: codes
    "DicomExceptionCode",
    "DicomSecurityCertificateExceptionCode",
    # enums: TLS
    "DicomNetSecurityMode",
    "DicomNetSecurityeMode",
    "DicomOpenSslOptionsFlags",
    "DicomOpenSslVerificationFlags",
    "DicomSslMethodType",
    "DicomTlsAuthenticationMethodType",
    "DicomTlsCertificateType",
    "DicomTlsCipherSuiteType",
    "DicomTlsEncryptionMethodType",
    "DicomTlsIntegrityMethodType",
    "DicomTlsKeyExchangeMethodType",
    "DicomTlsLibrary",
    "DicomTlsProfile",
    "DicomTlsProfileCheck",
    # constants
    "DicomTag",
    "DicomTagType",
    "DicomUidType",
    # enums: data sets
    "ChangeTransferSyntaxFlags",
    "DicomCharacterSetType",
    "DicomClassType",
    "DicomDataSetFlags",
    "DicomDataSetInitializeFlags",
    "DicomDataSetInitializeType",
    "DicomDataSetLoadFlags",
    "DicomDataSetSaveFlags",
    "DicomGetImageFlags",
    "DicomImageCompressionType",
    "DicomImagePhotometricInterpretationType",
    "DicomIodType",
    "DicomIodUsageType",
    "DicomModuleType",
    "DicomRangeType",
    "DicomUIDCategory",
    "DicomVRRestriction",
    "DicomVRType",
    # enums: networking and messages
    "ClientPortUsageType",
    "DicomAbortReasonType",
    "DicomAbortSourceType",
    "DicomAssociateAcceptResultType",
    "DicomAssociateRejectReasonType",
    "DicomAssociateRejectResultType",
    "DicomAssociateRejectSourceType",
    "DicomCommandPriorityType",
    "DicomCommandStatusType",
    "DicomCommandType",
    "DicomDataSetCommandType",
    "DicomNetFlags",
    "DicomNetIpTypeFlags",
    "DicomPduType",
    "DicomRoleSupport",
    "RoleSelectionFlags",
]

_LATER = {
    "BeforeAddTagDelegate": "_dataset_generic",
    "DicomDataSet": "dicom_data_set",
    "DicomElement": "dicom_element",
    "Element": "element_attributes",
    "Instance": "element_attributes",
    "DicomVRType": "enums_vr",
    "DicomTlsLibrary": "dicom_tls_library",
    "DicomTlsProfile": "dicom_tls_profile",
    "DicomTlsProfileCheck": "dicom_tls_profile",
    "DicomAgeValue": "dicom_date_values",
    "DicomDateRangeValue": "dicom_date_values",
    "DicomDateTimeRangeValue": "dicom_date_values",
    "DicomDateTimeValue": "dicom_date_values",
    "DicomDateValue": "dicom_date_values",
    "DicomTimeRangeValue": "dicom_date_values",
    "DicomTimeValue": "dicom_date_values",
    "ChangeTransferSyntaxFlags": "enums_dataset",
    "DicomCharacterSetType": "enums_dataset",
    "DicomDataSetFlags": "enums_dataset",
    "DicomDataSetInitializeFlags": "enums_dataset",
    "DicomDataSetInitializeType": "enums_dataset",
    "DicomDataSetLoadFlags": "enums_dataset",
    "DicomDataSetSaveFlags": "enums_dataset",
    "DicomRangeType": "enums_dataset",
    "DicomDir": "dicom_dir",
    "DicomDirOptions": "dicom_dir",
    "DicomIod": "dicom_iod_table",
    "DicomIodTable": "dicom_iod_table",
    "DicomModule": "dicom_module",
    "DicomPrintScu": "dicom_print_scu",
    "DicomTagTable": "dicom_tag_table",
    "DicomUid": "dicom_uid_table",
    "DicomUIDCategory": "dicom_uid_table",
    "DicomUidTable": "dicom_uid_table",
    "DicomVR": "dicom_vr_table",
    "DicomVRRestriction": "dicom_vr_table",
    "DicomVRTable": "dicom_vr_table",
    "DicomClassType": "enums_class",
    "DicomGetImageFlags": "enums_image",
    "DicomImageCompressionType": "enums_image",
    "DicomImageInformation": "enums_image",
    "DicomImagePhotometricInterpretationType": "enums_image",
    "DicomOverlayAttributes": "enums_image",
    "DicomIodType": "enums_module",
    "DicomIodUsageType": "enums_module",
    "DicomModuleType": "enums_module",
}
"""Names that not every program uses, and their modules: who only associates needs no data sets."""


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    module = importlib.import_module(f"{__name__}.{_LATER[name]}")
    found = globals()[name] = getattr(module, name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
