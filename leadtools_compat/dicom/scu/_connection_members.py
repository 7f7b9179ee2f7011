"""The properties of `DicomConnection`."""

from __future__ import annotations

from typing import Any

from leadtools_compat.dicom import _arguments
from leadtools_compat.dicom.dicom_net import DicomNet
from leadtools_compat.dicom.enums_dimse import (
    DicomAssociateRejectReasonType,
    DicomCommandStatusType,
)
from leadtools_compat.dicom.scu._connection_state import Parameters, connection_of
from leadtools_compat.dicom.scu._conversation import DicomEventResponse
from leadtools_compat.dicom.scu._debug_log import switch_log
from leadtools_compat.dicom.scu.dicom_scp import DicomScp
from leadtools_compat.dicom.scu.presentation_context import InstanceAttribute

__all__ = ["ConnectionMembers"]


def _text(value: str | None, name: str) -> str:
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{name} must be a str or None, not {type(value).__name__}")
    return value or ""


class ConnectionMembers(DicomNet):
    """What one can read and set."""

    # ---- what is said to the peer ----

    @property
    def AETitle(self) -> str:
        """Own title, the calling one: at most 16 characters of ASCII, no backslash."""
        return connection_of(self).ae_title

    @AETitle.setter
    def AETitle(self, value: str) -> None:
        connection_of(self).ae_title = _text(value, "AETitle").strip(" ")

    @property
    def ImplementationClass(self) -> str:
        """Implementation class UID; "": this library's."""
        return connection_of(self).implementation_class

    @ImplementationClass.setter
    def ImplementationClass(self, value: str | None) -> None:
        connection_of(self).implementation_class = _text(value, "ImplementationClass")

    @property
    def ImplementationVersionName(self) -> str:
        """At most 16 characters; "": this library's."""
        return connection_of(self).implementation_version_name

    @ImplementationVersionName.setter
    def ImplementationVersionName(self, value: str | None) -> None:
        text = _text(value, "ImplementationVersionName")
        connection_of(self).implementation_version_name = text

    @property
    def ProtocolVersion(self) -> int:
        """Version of the upper layer protocol, a bit field (PS3.8 Table 9-11); 1."""
        return connection_of(self).protocol_version

    @ProtocolVersion.setter
    def ProtocolVersion(self, value: int) -> None:
        number = _arguments.integer(value, "ProtocolVersion", 0, 0xFFFF)
        connection_of(self).protocol_version = number

    @property
    def MaxLength(self) -> int:
        """The longest P-DATA-TF PDU that this side takes, in bytes; 0: no limit. Default 262144."""
        length = connection_of(self).max_length
        return 262144 if length is None else length

    @MaxLength.setter
    def MaxLength(self, value: int) -> None:
        number = _arguments.integer(value, "MaxLength", 0, 2**32 - 1)
        connection_of(self).max_length = number

    # ---- the inner listener, and the own end ----

    @property
    def HostAddress(self) -> str:
        """Own address, for the inner listener and for the connection; "": the system chooses."""
        return connection_of(self).host_address or super().HostAddress

    @HostAddress.setter
    def HostAddress(self, value: Any) -> None:
        connection_of(self).host_address = "" if value is None else str(value)

    @property
    def HostPort(self) -> int:
        """Port of the inner listener (C-MOVE, storage commitment); 0: a free one.

        The connection to the node has a local port of the system's choice.
        """
        return connection_of(self).host_port or super().HostPort

    @HostPort.setter
    def HostPort(self, value: int) -> None:
        connection_of(self).host_port = _arguments.port(value, "HostPort")

    @property
    def TemporaryDirectory(self) -> str:
        """The folder given to the constructor; "": the system's."""
        return connection_of(self).temporary_directory

    # ---- how things went ----

    @property
    def CurrentScp(self) -> DicomScp | None:
        """The node of the call that is running, else of the last one."""
        return connection_of(self).scp

    @property
    def ActiveScp(self) -> DicomScp | None:
        """The same as `CurrentScp`."""
        return connection_of(self).scp

    @property
    def Rejected(self) -> bool:
        """Whether the last association was rejected."""
        return connection_of(self).rejected

    @property
    def Reason(self) -> DicomAssociateRejectReasonType | None:
        """Why; None: it was not."""
        reason: DicomAssociateRejectReasonType | None = connection_of(self).reason
        return reason

    @property
    def RejectReason(self) -> DicomAssociateRejectReasonType | None:
        """The same as `Reason`."""
        reason: DicomAssociateRejectReasonType | None = connection_of(self).reason
        return reason

    @property
    def Status(self) -> DicomCommandStatusType:
        """Status of the last final response."""
        return connection_of(self).parameters.Status

    @property
    def Tag(self) -> Any:
        """The user's, any object."""
        return connection_of(self).tag

    @Tag.setter
    def Tag(self, value: Any) -> None:
        connection_of(self).tag = value

    # ---- debug log ----

    @property
    def EnableDebugLog(self) -> bool:
        """Whether every PDU, command set and event of TLS is written as text; default False.

        Into `DebugLogFilename`; without one, to the logger ``leadtools_compat.scu``. Data sets are
        not written, only their sizes.
        """
        return connection_of(self).log_enabled

    @EnableDebugLog.setter
    def EnableDebugLog(self, value: bool) -> None:
        connection_of(self).log_enabled = bool(value)
        switch_log(self, connection_of(self))

    @property
    def DebugLogFilename(self) -> str:
        """File that the debug log is appended to; "": the logger."""
        return connection_of(self).log_file

    @DebugLogFilename.setter
    def DebugLogFilename(self, value: Any) -> None:
        connection_of(self).log_file = "" if value is None else str(value)
        switch_log(self, connection_of(self))

    # ---- protected ----

    @property
    def CurrentPid(self) -> int:
        """Presentation context of the request that is going on; protected."""
        return connection_of(self).presentation_id

    @CurrentPid.setter
    def CurrentPid(self, value: int) -> None:
        connection_of(self).presentation_id = _arguments.integer(value, "CurrentPid", 0, 255)

    @property
    def CurrentMessageId(self) -> int:
        """Message id of the last request; protected."""
        return connection_of(self).message_id

    @CurrentMessageId.setter
    def CurrentMessageId(self, value: int) -> None:
        number = _arguments.integer(value, "CurrentMessageId", 0, 0xFFFF)
        connection_of(self).message_id = number

    @property
    def parameters(self) -> Parameters:
        """What the peer's last answer said; protected."""
        return connection_of(self).parameters

    @property
    def dicomEventResponse(self) -> DicomEventResponse:
        """What a blocking call waits for; protected."""
        return connection_of(self).response

    @property
    def _Status(self) -> DicomCommandStatusType:
        return connection_of(self).parameters.Status

    @_Status.setter
    def _Status(self, value: DicomCommandStatusType | int) -> None:
        connection_of(self).parameters.Status = DicomCommandStatusType(value)

    @property
    def _CurrentInstance(self) -> InstanceAttribute:
        return connection_of(self).instance

    @_CurrentInstance.setter
    def _CurrentInstance(self, value: InstanceAttribute) -> None:
        connection_of(self).instance = value
