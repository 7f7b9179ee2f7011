"""The mirror of ``Leadtools.Dicom.Scu``: ``from leadtools_compat.dicom.scu import *``."""

from __future__ import annotations

from leadtools_compat.dicom.scu import event_args
from leadtools_compat.dicom.scu._conversation import DicomEventResponse
from leadtools_compat.dicom.scu._events import Event, EventHandlers
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
from leadtools_compat.dicom.scu.presentation_context import InstanceAttribute, PresentationContext
from leadtools_compat.dicom.scu.store_scu import StoreScu

__all__ = [
    "ClientAssociationException",
    "ClientCommunicationException",
    "ClientConnectionException",
    "Compression",
    "DicomConnection",
    "DicomEventResponse",
    "DicomScp",
    "Event",
    "EventHandlers",
    "InstanceAttribute",
    "InstanceLevel",
    "PresentationContext",
    "QueryLevel",
    "SkipMethod",
    "StorageCommitOptions",
    "StoreScu",
    *event_args.__all__,
]
