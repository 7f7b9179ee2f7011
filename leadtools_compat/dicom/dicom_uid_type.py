"""`DicomUidType`: a constant for each UID of PS3.6."""

from __future__ import annotations

from typing import ClassVar

from leadtools_compat.dicom._lazy_names import LazyNames

__all__ = ["DicomUidType"]


class _UidNames(LazyNames):
    def _look_up(cls, name: str) -> str | None:
        from leadtools_compat.dicom._uid_rows import uid_of_keyword

        return uid_of_keyword(name)

    def _all_names(cls) -> list[str]:
        from leadtools_compat.dicom._uid_rows import keywords

        return keywords()


class DicomUidType(metaclass=_UidNames):
    """The UIDs of PS3.6 table A-1 as ``str``: SOP classes, transfer syntaxes and the rest.

    Names that differ from PS3.6's keywords are written down here; the keywords themselves, as
    ``DicomUidType.CTImageStorage``, are all there too.

    Notes
    -----
    Mirrors ``Leadtools.Dicom.DicomUidType``.
    """

    __slots__ = ()

    VerificationClass: ClassVar[str] = "1.2.840.10008.1.1"
    ApplicationContextName: ClassVar[str] = "1.2.840.10008.3.1.1.1"
    # transfer syntaxes
    ImplicitVRLittleEndian: ClassVar[str] = "1.2.840.10008.1.2"
    ExplicitVRLittleEndian: ClassVar[str] = "1.2.840.10008.1.2.1"
    DeflatedExplicitVRLittleEndian: ClassVar[str] = "1.2.840.10008.1.2.1.99"
    ExplicitVRBigEndian: ClassVar[str] = "1.2.840.10008.1.2.2"
    JPEGBaseline1: ClassVar[str] = "1.2.840.10008.1.2.4.50"
    JPEGExtended2_4: ClassVar[str] = "1.2.840.10008.1.2.4.51"
    JPEGLosslessNonhier14: ClassVar[str] = "1.2.840.10008.1.2.4.57"
    JPEGLosslessNonhier14B: ClassVar[str] = "1.2.840.10008.1.2.4.70"
    JPEG2000LosslessOnly: ClassVar[str] = "1.2.840.10008.1.2.4.90"
    JPEG2000: ClassVar[str] = "1.2.840.10008.1.2.4.91"
    RLELossless: ClassVar[str] = "1.2.840.10008.1.2.5"
    # queries
    PatientRootQueryFind: ClassVar[str] = "1.2.840.10008.5.1.4.1.2.1.1"
    PatientRootQueryMove: ClassVar[str] = "1.2.840.10008.5.1.4.1.2.1.2"
    PatientRootQueryGet: ClassVar[str] = "1.2.840.10008.5.1.4.1.2.1.3"
    StudyRootQueryFind: ClassVar[str] = "1.2.840.10008.5.1.4.1.2.2.1"
    StudyRootQueryMove: ClassVar[str] = "1.2.840.10008.5.1.4.1.2.2.2"
    StudyRootQueryGet: ClassVar[str] = "1.2.840.10008.5.1.4.1.2.2.3"
    ModalityWorklistFind: ClassVar[str] = "1.2.840.10008.5.1.4.31"
    ModalityPerformedClass: ClassVar[str] = "1.2.840.10008.3.1.2.3.3"
    StorageCommitmentPushModelClass: ClassVar[str] = "1.2.840.10008.1.20.1"
    # storage
    SCImageStorage: ClassVar[str] = "1.2.840.10008.5.1.4.1.1.7"
    EncapsulatedPdfStorage: ClassVar[str] = "1.2.840.10008.5.1.4.1.1.104.1"
    TwleveLeadECGWaveformStorage: ClassVar[str] = "1.2.840.10008.5.1.4.1.1.9.1.1"
    """Misspelt in public programs, beside ``TwelveLeadECGWaveformStorage``."""
