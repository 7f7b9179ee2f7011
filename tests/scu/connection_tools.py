"""What several tests of DicomConnection need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from leadtools_compat.dicom import (
    DicomNetSecurityMode,
)
from leadtools_compat.dicom.scu import (
    DicomConnection,
)
from leadtools_compat.testing import TestPki
from tests.support import settings


def tls_scu(
    pki: TestPki, nets: Callable[[Any], Any], flags: Any, client: bool = True
) -> DicomConnection:
    """Make an object that speaks TLS, with our certificate or without."""
    scu = DicomConnection(None, DicomNetSecurityMode.Tls, settings(pki.ca_file, flags))
    nets(scu)
    scu.AETitle = "OURS"
    if client:
        scu.SetTlsClientCertificate(pki.client.combined_file, 1, None)
    return scu
