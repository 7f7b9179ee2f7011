"""The mirror of ``Leadtools.Dicom.Scu``: ``from leadtools_compat.dicom.scu import *``."""

# ruff: noqa: F405 - the names of event_args, listed once more for type checkers

from __future__ import annotations

from leadtools_compat.dicom.scu._conversation import DicomEventResponse
from leadtools_compat.dicom.scu._events import Event, EventHandlers
from leadtools_compat.dicom.scu._query_forms import DicomMatchDelegate
from leadtools_compat.dicom.scu.absent import MediaCreationManagementScu, PatientUpdaterScu
from leadtools_compat.dicom.scu.dicom_connection import DicomConnection
from leadtools_compat.dicom.scu.dicom_scp import DicomScp
from leadtools_compat.dicom.scu.enums import (
    Compression,
    InstanceLevel,
    QueryLevel,
    SkipMethod,
    StorageCommitOptions,
)
from leadtools_compat.dicom.scu.event_args import *
from leadtools_compat.dicom.scu.exceptions import (
    ClientAssociationException,
    ClientCommunicationException,
    ClientConnectionException,
)
from leadtools_compat.dicom.scu.find_query import DateRange, FindQuery, TimeRange
from leadtools_compat.dicom.scu.performed_procedure_step_scu import PerformedProcedureStepScu
from leadtools_compat.dicom.scu.presentation_context import InstanceAttribute, PresentationContext
from leadtools_compat.dicom.scu.query_retrieve_scu import QueryRetrieveScu
from leadtools_compat.dicom.scu.results import (
    CompositeObjectInstance,
    Patient,
    PersonName,
    Series,
    Study,
)
from leadtools_compat.dicom.scu.store_scu import StoreScu

__all__ = [
    # classes
    "DicomConnection",
    "DicomScp",
    "PerformedProcedureStepScu",
    "QueryRetrieveScu",
    "StoreScu",
    "MediaCreationManagementScu",
    "PatientUpdaterScu",
    # exceptions
    "ClientAssociationException",
    "ClientCommunicationException",
    "ClientConnectionException",
    # queries and what they find
    "CompositeObjectInstance",
    "DateRange",
    "DicomMatchDelegate",
    "FindQuery",
    "Patient",
    "PersonName",
    "Series",
    "Study",
    "TimeRange",
    # values
    "Compression",
    "DicomEventResponse",
    "Event",
    "EventHandlers",
    "InstanceAttribute",
    "InstanceLevel",
    "PresentationContext",
    "QueryLevel",
    "SkipMethod",
    "StorageCommitOptions",
    # arguments of events, and delegates
    "AfterAssociateRequestDelegate",
    "AfterAssociateRequestEventArgs",
    "AfterCFindDelegate",
    "AfterCFindEventArgs",
    "AfterCGetDelegate",
    "AfterCGetEventArgs",
    "AfterCMoveDelegate",
    "AfterCMoveEventArgs",
    "AfterCStoreDelegate",
    "AfterCStoreEventArgs",
    "AfterConnectDelegate",
    "AfterConnectEventArgs",
    "AfterNActionEventArgs",
    "AfterSecureLinkReadyDelegate",
    "AfterSecureLinkReadyEventArgs",
    "BaseEventArgs",
    "BeforeAssociateAcceptDelegate",
    "BeforeAssociateAcceptEventArgs",
    "BeforeAssociateRequestDelegate",
    "BeforeAssociateRequestEventArgs",
    "BeforeAssociationRequestDelegate",
    "BeforeCFindDelegate",
    "BeforeCFindEventArgs",
    "BeforeCGetDelegate",
    "BeforeCGetEventArgs",
    "BeforeCMoveDelegate",
    "BeforeCMoveEventArgs",
    "BeforeCStoreDelegate",
    "BeforeCStoreEventArgs",
    "BeforeConnectDelegate",
    "BeforeConnectEventArgs",
    "BeforeNActionEventArgs",
    "EventArgs",
    "HostReadyDelegate",
    "HostReadyEventArgs",
    "MatchDelegate",
    "MatchEventArgs",
    "MovedDelegate",
    "MovedEventArgs",
    "PrivateKeyPasswordDelegate",
    "PrivateKeyPasswordEventArgs",
    "ReceivedStoreRequestDelegate",
    "ReceivedStoreRequestEventArgs",
    "StatusCommonEventArgs",
    "StorageCommitmentResultData",
    "StorageCommitmentResultDelegate",
    "StorageCommitmentResultEventArgs",
    "StorageCommitmentWaitDelegate",
    "StorageCommitmentWaitEventArgs",
    "VerifyCertificateDelegate",
    "VerifyCertificateEventArgs",
]
