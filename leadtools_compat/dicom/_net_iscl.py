"""The ISCL members of `DicomNet`, which only say that ISCL is gone."""

from __future__ import annotations

from typing import Any, NoReturn

from leadtools_compat.dicom.dicom_exception import DicomException
from leadtools_compat.dicom.enums_codes import DicomExceptionCode

__all__ = ["NetIscl", "iscl_error"]


def iscl_error(what: str) -> DicomException:
    """Make the exception of everything that is ISCL."""
    return DicomException(
        DicomExceptionCode.FeatureNotSupported,
        f"{what}: ISCL is retired and not supported, use TLS (DicomNetSecurityMode.Tls)",
    )


class NetIscl:
    """Each raises ``DicomException(FeatureNotSupported)``.

    Notes
    -----
    Mirrors the ISCL members of ``Leadtools.Dicom.DicomNet``, so that ports load.
    """

    def SetIsclMutualAuthenticationAlgorithm(self, *args: Any) -> NoReturn:
        """Not supported."""
        raise iscl_error("SetIsclMutualAuthenticationAlgorithm")

    def SetIsclAuthenticationData(self, *args: Any) -> NoReturn:
        """Not supported."""
        raise iscl_error("SetIsclAuthenticationData")

    def SetIsclMutualAuthenticationKey(self, *args: Any) -> NoReturn:
        """Not supported."""
        raise iscl_error("SetIsclMutualAuthenticationKey")

    def SetIsclIndexForMutualAuthentication(self, *args: Any) -> NoReturn:
        """Not supported."""
        raise iscl_error("SetIsclIndexForMutualAuthentication")

    def GetIsclIndexForMutualAuthentication(self, *args: Any) -> NoReturn:
        """Not supported."""
        raise iscl_error("GetIsclIndexForMutualAuthentication")

    def SetIsclMaxMessageLength(self, *args: Any) -> NoReturn:
        """Not supported."""
        raise iscl_error("SetIsclMaxMessageLength")

    def SendNonSecureIscl(self, *args: Any) -> NoReturn:
        """Not supported."""
        raise iscl_error("SendNonSecureIscl")

    def GetIsclPeerAuthenticationData(self, *args: Any) -> NoReturn:
        """Not supported."""
        raise iscl_error("GetIsclPeerAuthenticationData")

    def GetIsclPeerEncryption(self, *args: Any) -> NoReturn:
        """Not supported."""
        raise iscl_error("GetIsclPeerEncryption")

    def GetIsclPeerMac(self, *args: Any) -> NoReturn:
        """Not supported."""
        raise iscl_error("GetIsclPeerMac")

    def GetIsclPeerRequestedMessageLength(self, *args: Any) -> NoReturn:
        """Not supported."""
        raise iscl_error("GetIsclPeerRequestedMessageLength")

    def GetIsclStatus(self, *args: Any) -> NoReturn:
        """Not supported."""
        raise iscl_error("GetIsclStatus")
