"""The overridables of `DicomNet` for N-messages (PS3.7 10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leadtools_compat.dicom.dicom_data_set import DicomDataSet
    from leadtools_compat.dicom.enums_dimse import DicomCommandStatusType

__all__ = ["NetReceiveN"]


class NetReceiveN:
    """Base versions: all do nothing. See `NetReceive`."""

    def OnReceiveNReportRequest(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        dicomEvent: int,
        ds: DicomDataSet | None,
    ) -> None:
        """Take an N-EVENT-REPORT request.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.OnReceiveNReportRequest``; PS3.7 10.3.1.
        """

    def OnReceiveNReportResponse(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        status: DicomCommandStatusType,
        dicomEvent: int,
        ds: DicomDataSet | None,
    ) -> None:
        """Take an answer to an N-EVENT-REPORT request.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.OnReceiveNReportResponse``; PS3.7 10.3.1.
        """

    def OnReceiveNGetRequest(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        attributes: list[int],
    ) -> None:
        """Take an N-GET request.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.OnReceiveNGetRequest``; PS3.7 10.3.2.
        """

    def OnReceiveNGetResponse(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        status: DicomCommandStatusType,
        ds: DicomDataSet | None,
    ) -> None:
        """Take an answer to an N-GET request.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.OnReceiveNGetResponse``; PS3.7 10.3.2.
        """

    def OnReceiveNSetRequest(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        ds: DicomDataSet | None,
    ) -> None:
        """Take an N-SET request.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.OnReceiveNSetRequest``; PS3.7 10.3.3.
        """

    def OnReceiveNSetResponse(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        status: DicomCommandStatusType,
        ds: DicomDataSet | None,
    ) -> None:
        """Take an answer to an N-SET request.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.OnReceiveNSetResponse``; PS3.7 10.3.3.
        """

    def OnReceiveNActionRequest(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        action: int,
        ds: DicomDataSet | None,
    ) -> None:
        """Take an N-ACTION request.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.OnReceiveNActionRequest``; PS3.7 10.3.4.
        """

    def OnReceiveNActionResponse(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        status: DicomCommandStatusType,
        action: int,
        ds: DicomDataSet | None,
    ) -> None:
        """Take an answer to an N-ACTION request.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.OnReceiveNActionResponse``; PS3.7 10.3.4.
        """

    def OnReceiveNCreateRequest(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        ds: DicomDataSet | None,
    ) -> None:
        """Take an N-CREATE request; without an instance the peer chooses one.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.OnReceiveNCreateRequest``; PS3.7 10.3.5.
        """

    def OnReceiveNCreateResponse(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        status: DicomCommandStatusType,
        ds: DicomDataSet | None,
    ) -> None:
        """Take an answer to an N-CREATE request.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.OnReceiveNCreateResponse``; PS3.7 10.3.5.
        """

    def OnReceiveNDeleteRequest(
        self, presentationID: int, messageID: int, affectedClass: str, instance: str
    ) -> None:
        """Take an N-DELETE request.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.OnReceiveNDeleteRequest``; PS3.7 10.3.6.
        """

    def OnReceiveNDeleteResponse(
        self,
        presentationID: int,
        messageID: int,
        affectedClass: str,
        instance: str,
        status: DicomCommandStatusType,
    ) -> None:
        """Take an answer to an N-DELETE request.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.OnReceiveNDeleteResponse``; PS3.7 10.3.6.
        """
