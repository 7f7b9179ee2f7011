"""Orthanc on free ports, with TLS if wanted; its REST interface tells it what to do and shows what it has."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from leadtools_compat.testing import TestPki
from tests.interop.programs import free_port, served
from tests.interop.wires import Kind
from tests.support import PATIENCE

TITLE = "ORTHANC"


class Orthanc:
    """One that runs.

    Parameters
    ----------
    port
        Of its DICOM server.
    http
        Of its REST interface.
    """

    def __init__(self, port: int, http: int, tls: bool) -> None:
        self.port = port
        self._tls = tls
        self._root = f"http://127.0.0.1:{http}"

    def ask(self, path: str, data: Any = None, method: str | None = None) -> Any:
        """Make a REST call; `data` is sent as JSON, bytes as they are. Gives JSON, else bytes."""
        body = data if data is None or isinstance(data, bytes) else json.dumps(data).encode()
        call = urllib.request.Request(f"{self._root}{path}", data=body, method=method)
        with urllib.request.urlopen(call, timeout=PATIENCE) as answer:
            got: bytes = answer.read()
            kind = answer.headers.get_content_type()
        return json.loads(got) if kind == "application/json" else got

    def empty(self) -> None:
        """Forget everything that was stored."""
        for name in self.ask("/patients"):
            self.ask(f"/patients/{name}", method="DELETE")

    def knows(self, name: str, title: str, port: int) -> None:
        """Tell it of a node."""
        node = {"AET": title, "Host": "127.0.0.1", "Port": port, "UseDicomTls": self._tls}
        self.ask(f"/modalities/{name}", node, "PUT")

    def upload(self, path: Path) -> str:
        """Put a file into it; gives its name of the instance."""
        made: str = self.ask("/instances", path.read_bytes())["ID"]
        return made

    def stored(self) -> Iterator[bytes]:
        """Give the files that it has."""
        for name in self.ask("/instances"):
            yield self.ask(f"/instances/{name}/file")


@contextmanager
def running(folder: Path, tls: Kind | None, pki: TestPki) -> Iterator[Orthanc]:
    """Run it while this is entered."""
    port, http = free_port(), free_port()
    settings: dict[str, Any] = {
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "HttpPort": http,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "SslEnabled": False,
        "DicomPort": port,
        "DicomAet": TITLE,
        "DicomAlwaysAllowEcho": True,
        "DicomAlwaysAllowStore": True,
        "DicomAlwaysAllowFind": True,
        "DicomAlwaysAllowGet": True,
        "DicomAlwaysAllowMove": True,
        "DicomTlsEnabled": tls is not None,
        "DicomTlsCertificate": pki.server.combined_file,
        "DicomTlsPrivateKey": pki.server.key_file,
        "DicomTlsTrustedCertificates": pki.ca_file,
        "DicomTlsRemoteCertificateRequired": tls is None or tls.client_certificate,
        "DicomScuTimeout": int(PATIENCE),
        "SaveJobs": False,
    }
    (folder / "orthanc.json").write_text(json.dumps(settings))
    command = ["Orthanc", "--verbose", folder / "orthanc.json"]
    with served(command, folder / "orthanc.log", port, http):
        yield Orthanc(port, http, tls is not None)
