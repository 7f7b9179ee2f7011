"""What the tests of large transfers share: processes that are watched from outside, and objects to send.

As a program it sends one file over TLS, when it is told to: ``python robust_transfer.py PORT FILE PKI_FOLDER``.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydicom import dcmread

from leadtools_compat.dicom import DicomAssociate, DicomDataSet, DicomExceptionCode, DicomNet
from tests.dicom.nodes import CT, EXPLICIT, dataset

if TYPE_CHECKING:
    from typing_extensions import Self

    from leadtools_compat.testing import TestPki

MIB = 1024 * 1024
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def resident(pid: int) -> int:
    """Read RssAnon and RssShmem of a process, in bytes; 0 when it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(
        int(line.split()[1]) * 1024 for line in lines if line.startswith(("RssAnon:", "RssShmem:"))
    )


class Watch:
    """The memory of a process, looked at every few milliseconds while this is entered.

    Attributes
    ----------
    idle
        At the beginning.
    peak
        The most so far.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.idle = self.peak = resident(pid)

    def _look(self) -> None:
        while not self._over.wait(0.004):
            self.peak = max(self.peak, resident(self._pid))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def growth(self) -> int:
        return self.peak - self.idle


@contextmanager
def receiver(folder: Path, pki: TestPki) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run ``examples/store_scp.py`` with TLS; gives the process and its port. It is killed at the end."""
    from tests.robustness.robust_tools import environment

    line = [sys.executable, str(EXAMPLES / "store_scp.py"), "0", str(folder)]
    line += ["--address", "127.0.0.1", "--ca", pki.ca_file]
    line += ["--certificate", pki.server.combined_file]
    said = folder.parent / f"{folder.name}.log"
    with (
        said.open("a") as log,
        subprocess.Popen(
            line, stdout=subprocess.PIPE, stderr=log, text=True, env=environment()
        ) as process,
    ):
        assert process.stdout is not None
        # It names every object: somebody has to read that.
        reader = threading.Thread(target=process.stdout.read)
        try:
            first = process.stdout.readline()
            reader.start()
            assert "listening on port" in first, said.read_text()
            yield process, int(first.split()[-1])
        finally:
            process.kill()
            reader.join()


def write_large(path: Path, size: int) -> None:
    """Write an object with `size` bytes of pixels, no two MiB of it the same."""
    made = dataset(0, SOPInstanceUID="1.2.3.4", PatientID="1")
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    made.save_as(path, enforce_file_format=True)
    block = os.urandom(MIB)
    with path.open("ab") as file:
        file.write(bytes.fromhex("e07f1000") + b"OW\0\0" + size.to_bytes(4, "little"))
        for number in range(size // MIB):
            file.write(number.to_bytes(8, "little") + block[8:])


def digest_of_data_set(path: Path) -> str:
    """Hash all that comes after the file's meta information."""
    with path.open("rb") as file:
        file.seek(140)
        file.seek(int.from_bytes(file.read(4), "little"), os.SEEK_CUR)
        return (
            hashlib.file_digest(file, "sha1").hexdigest()
            if hasattr(hashlib, "file_digest")
            else _digest(file)
        )


def _digest(file: Any) -> str:
    digest = hashlib.sha1()
    while block := file.read(MIB):
        digest.update(block)
    return digest.hexdigest()


def whole(path: Path, size: int) -> bool:
    """Tell whether a file has the pixels of `dataset(size)`."""
    return path.exists() and dcmread(path).PixelData == dataset(size).PixelData


class Sender(DicomNet):
    """Sends over TLS; `ready` when associated, `answered` with the status, `closed` at the end."""

    def __init__(self, folder: Path) -> None:
        from tests.support import MUTUAL, settings

        self.ready, self.answered, self.closed = (threading.Event() for _ in range(3))
        self.status = -1
        super().__init__(None, 1)
        self.Initialize(None, 1, settings(str(folder / "ca.pem"), MUTUAL))
        self.SetTlsClientCertificate(folder / "client-combined.pem", 1, None)

    def OnSecureLinkReady(self, error: DicomExceptionCode) -> None:
        if error == DicomExceptionCode.Success:
            with DicomAssociate(True) as asked:
                asked.Called, asked.Calling = "SCP", "SCU"
                asked.AddPresentationContext(1, 0, CT)
                asked.AddTransfer(1, EXPLICIT)
                self.SendAssociateRequest(asked)

    def OnReceiveAssociateAccept(self, association: DicomAssociate) -> None:
        self.ready.set()

    def OnReceiveCStoreResponse(self, p: int, m: int, c: str, instance: str, status: Any) -> None:
        self.status = int(status)
        self.answered.set()

    def OnReceiveReleaseResponse(self) -> None:
        self.Close()

    def OnClose(self, error: DicomExceptionCode, net: DicomNet) -> None:
        self.closed.set()
        self.ready.set()
        self.answered.set()


def main() -> int:
    """Connect, say so, and send when a line comes in."""
    port, path, folder = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
    with Sender(folder) as net:
        net.Connect(None, 0, "127.0.0.1", port)
        assert net.ready.wait(30)
        print("ready", flush=True)
        sys.stdin.readline()
        with DicomDataSet() as data:
            data.Load(path)
            net.SendCStoreRequest(1, 1, CT, "1.2.3.4", 0, "", 0, data)
        net.answered.wait()
        print(net.status, flush=True)
        sys.stdin.readline()
        net.SendReleaseRequest()
        assert net.closed.wait(30)
    return 0


if __name__ == "__main__":
    sys.exit(main())
