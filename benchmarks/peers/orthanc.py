"""Orthanc as SCP, tuned: TCP_NODELAY, 128 KiB PDUs, storing into memory (/dev/shm)."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

from benchmarks.core.model import Command, Settings, Spec
from benchmarks.core.processes import free_port

__all__ = ["Orthanc"]


class Orthanc:
    name = "orthanc"

    def __init__(self) -> None:
        self._last: Path | None = None

    def serve(self, spec: Spec, settings: Settings) -> Command:
        port = free_port()
        self.clean()
        store = Path(tempfile.mkdtemp(prefix="bench-orthanc-", dir="/dev/shm"))
        self._last = store
        tls = settings.materials.tls
        chain = store / "trusted.pem"
        chain.write_text(
            Path(f"{tls}/ca.pem").read_text() + Path(f"{tls}/intermediate.pem").read_text()
        )
        values = {
            "Name": "bench",
            "StorageDirectory": str(store),
            "IndexDirectory": str(store),
            "HttpServerEnabled": False,
            "DicomAet": "BENCH",
            "DicomPort": port,
            "DicomCheckCalledAet": False,
            "DicomAlwaysAllowEcho": True,
            "DicomAlwaysAllowStore": True,
            "DicomThreadsCount": max(8, spec.count + 10),
            "MaximumPduLength": 131072,
            "OverwriteInstances": True,
            "SaveJobs": False,
            "Plugins": [],
            "DicomTlsEnabled": spec.tls,
            "DicomTlsCertificate": f"{tls}/server.pem",
            "DicomTlsPrivateKey": f"{tls}/server.key",
            "DicomTlsTrustedCertificates": str(chain),
            "DicomTlsRemoteCertificateRequired": True,
        }
        configuration = store / "orthanc.json"
        configuration.write_text(json.dumps(values))
        return Command(("Orthanc", str(configuration)), {"TCP_NODELAY": "1"}, port)

    def client(self, spec: Spec, settings: Settings, port: int) -> Command:
        raise NotImplementedError("Orthanc is measured as a server")

    def clean(self) -> None:
        """Remove what the last one has stored."""
        if self._last is not None:
            shutil.rmtree(self._last, ignore_errors=True)
