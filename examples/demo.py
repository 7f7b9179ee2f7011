"""Three TLS connections that show what ``DicomNet.OnVerify`` sees and decides, and a fourth with real files.

``make demo`` runs it. A small PKI is made in a temporary folder, then a listener and a client on
this computer connect three times:

1. both have good certificates;
2. the client's certificate was made without SSL purposes: the server refuses it, and both sides
   say so by name;
3. the same certificate, and a server whose override of OnVerify returns 1: the link is made.

4. At last the example programs ``store_scp.py`` and ``store_scu.py``, two processes, send real DICOM
   files (pydicom's own, and a large one that is made) over TLS, and what arrived is compared.

Exit status 0 only if all four end as expected.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import pydicom
from pydicom.data import get_testdata_file

from leadtools_compat.dicom import *
from leadtools_compat.dicom.dicom_failure import alert_name
from leadtools_compat.testing import Identity, TestPki

LIMIT = 10.0  # seconds to wait for anything


@dataclass
class Call:
    """One call of OnVerify."""

    ok: int
    text: str
    code: DicomSecurityCertificateExceptionCode
    message: str
    answer: int


class Node(DicomNet):
    """One end of a connection; it writes down what happens."""

    role = "node"

    def __init__(self, identity: Identity, ca_file: str, always_yes: bool = False) -> None:
        super().__init__(None, DicomNetSecurityMode.Tls, False)
        self.calls: list[Call] = []
        self.ready = threading.Event()
        self.closed = threading.Event()
        self.result: DicomExceptionCode | None = None
        self.always_yes = always_yes
        settings = DicomOpenSslContextCreationSettings(
            DicomSslMethodType.SslV23,
            ca_file,
            DicomOpenSslVerificationFlags.Peer
            | DicomOpenSslVerificationFlags.FailIfNoPeerCertificate,
            9,
            DicomOpenSslOptionsFlags.NoSslV2 | DicomOpenSslOptionsFlags.AllBugWorkarounds,
        )
        self.Initialize(None, DicomNetSecurityMode.Tls, settings)
        self.SetTlsClientCertificate(identity.combined_file, DicomTlsCertificateType.Pem, None)

    def OnVerify(
        self, ok: int, certificateString: str, error: DicomSecurityCertificateException
    ) -> int:
        answer = 1 if self.always_yes else ok
        self.calls.append(Call(ok, certificateString, error.Code, error.Message, answer))
        return answer

    def OnSecureLinkReady(self, error: DicomExceptionCode) -> None:
        self.result = error
        self.ready.set()

    def OnClose(self, error: DicomExceptionCode, net: DicomNet) -> None:
        self.closed.set()


class Client(Node):
    role = "client"


class ServerConnection(Node):
    role = "server"


class Server(DicomNet):
    """The listener: makes a ServerConnection for each client."""

    def __init__(self, identity: Identity, ca_file: str, always_yes: bool) -> None:
        super().__init__(None, DicomNetSecurityMode.None_)
        self.identity, self.ca_file, self.always_yes = identity, ca_file, always_yes
        self.connection: ServerConnection | None = None
        self.accepted = threading.Event()

    def OnAccept(self, error: DicomExceptionCode) -> None:
        self.connection = ServerConnection(self.identity, self.ca_file, self.always_yes)
        self.Accept(self.connection)
        self.accepted.set()


@dataclass
class Book:
    """Certificates that were printed already, by text; and what went wrong with the demo."""

    known: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def expect(self, condition: bool, what: str) -> None:
        if not condition:
            self.faults.append(what)


def show_calls(node: Node, book: Book) -> None:
    other = "client" if node.role == "server" else "server"
    print(f"  The {node.role} judges the {other}'s certificates:")
    if not node.calls:
        print("    OnVerify was not called")
    for number, call in enumerate(node.calls, 1):
        if call.text in book.known:
            print(f"    call {number}: certificate [{book.known[call.text]}], printed above")
        else:
            book.known[call.text] = len(book.known) + 1
            print(f"    call {number}: certificate [{book.known[call.text]}]")
            print(textwrap.indent(call.text, "      | "))
        verdict = "goes on" if call.answer == 1 else "stops"
        overruled = " (overruled)" if call.answer == 1 and not call.ok else ""
        print(
            f"      ok={call.ok}, {call.code}: {call.message} -> {call.answer}, {verdict}{overruled}"
        )


def show_link(client: Client) -> None:
    suite = client.GetTlsCipherSuite()
    print(f"  The link: {client.tls_version}, {suite.GetCipherFriendlyName()}")
    for label, value in (
        ("Encryption algorithm", client.GetTlsEncryptionAlgorithm(suite)),
        ("Authentication algorithm", client.GetTlsAuthenticationAlgorithm(suite)),
        ("Integrity algorithm", client.GetTlsIntegrityAlgorithm(suite)),
        ("Key exchange algorithm", client.GetTlsKeyExchangeAlgorithm(suite)),
        ("Encryption key length", client.GetTlsEncryptionKeyLength(suite)),
        ("Mutual authentication key length", client.GetTlsMutualAuthenticationKeyLength(suite)),
    ):
        print(f"    {label:<33}: {value}")


def show_end(node: Node) -> None:
    print(f"  The {node.role}: OnSecureLinkReady({node.result})")
    failure = node.failure
    if failure is None:
        state = "verified" if node.tls_verified else f"NOT verified ({node.tls_verify_code})"
        print(f"    peer's certificate {state}")
        return
    print(f"    failure     : {failure.code} ({int(failure.code)}), {failure.message}")
    print(f"    where       : stage {failure.stage}, found by the {failure.side} side")
    if failure.certificate_code is not None:
        print(f"    certificate : {failure.certificate_code}, {failure.certificate_subject}")
    for what, alert in (
        ("alert sent", failure.alert_sent),
        ("alert got", failure.alert_received),
    ):
        if alert is not None:
            print(f"    {what:<12}: {alert_name(alert)} ({alert})")
    print(f"    remedy      : {failure.remedy}")


def connect(
    title: str, pki: TestPki, identity: Identity, always_yes: bool, refused: bool, book: Book
) -> tuple[Client, ServerConnection]:
    """Make one connection, wait for both ends, print what happened."""
    print(f"\n{title}\n{'=' * len(title)}")
    with (
        Server(pki.server, pki.ca_file, always_yes) as server,
        Client(identity, pki.ca_file) as client,
    ):
        server.Listen("127.0.0.1", 0, 5)
        client.Connect(None, 0, "127.0.0.1", server.HostPort)
        done = server.accepted.wait(LIMIT) and client.ready.wait(LIMIT)
        connection = server.connection
        if connection is None:
            raise SystemExit("demo: no connection came in")
        done = done and connection.ready.wait(LIMIT)
        if refused:
            done = done and connection.closed.wait(LIMIT) and client.closed.wait(LIMIT)
        book.expect(done, f"{title}: the callbacks came within {LIMIT:g} s")
        show_calls(client, book)
        show_calls(connection, book)
        if not refused:
            show_link(client)
        show_end(client)
        show_end(connection)
        check(title, client, connection, refused, always_yes, book)
        connection.Dispose()
    return client, connection


def check(
    title: str,
    client: Client,
    connection: ServerConnection,
    refused: bool,
    overruled: bool,
    book: Book,
) -> None:
    """Compare with what was to be expected."""
    codes = DicomExceptionCode
    purpose = DicomSecurityCertificateExceptionCode.InvalidPurpose
    book.expect(all(call.ok for call in client.calls), f"{title}: the server's certificate is good")
    if refused:
        ours, theirs = connection.failure, client.failure
        book.expect(
            connection.result == codes.TlsCertificateRejected
            and ours is not None
            and ours.certificate_code == purpose,
            f"{title}: the server refuses with InvalidPurpose",
        )
        book.expect(
            client.result == codes.TlsPeerRejectedCertificate
            and theirs is not None
            and theirs.code == codes.TlsPeerRejectedCertificate,
            f"{title}: the client learns that its certificate was rejected",
        )
        return
    for node in (client, connection):
        book.expect(node.result == codes.Success, f"{title}: the {node.role} is ready")
        book.expect(node.failure is None, f"{title}: the {node.role} has no failure")
        book.expect(
            node.GetTlsCipherSuite() != DicomTlsCipherSuiteType.None_,
            f"{title}: the {node.role} has a cipher suite",
        )
    complaints = {call.code for call in connection.calls if not call.ok}
    book.expect(
        complaints == ({purpose} if overruled else set()),
        f"{title}: the server hears {'of InvalidPurpose' if overruled else 'no complaint'}",
    )
    book.expect(
        connection.tls_verified != overruled, f"{title}: the link says whether it is verified"
    )


def real_files(folder: Path) -> list[str]:
    """Copy pydicom's files: one for each kind of object and transfer syntax, all of other instances."""
    chosen: dict[tuple[str, str], Path] = {}
    instances = set()
    for path in sorted((Path(pydicom.__file__).parent / "data" / "test_files").glob("*.dcm")):
        try:
            data = pydicom.dcmread(path, stop_before_pixels=True)
            kind = (data.SOPClassUID, data.file_meta.TransferSyntaxUID)
            instance = data.SOPInstanceUID
        except (AttributeError, pydicom.errors.InvalidDicomError):
            continue  # made to be broken
        if kind not in chosen and instance not in instances:
            chosen[kind] = path
            instances.add(instance)
            shutil.copy(path, folder)
    return [path.name for path in chosen.values()]


def large_file(folder: Path) -> str:
    """Write an image of 64 MiB."""
    data = pydicom.dcmread(str(get_testdata_file("CT_small.dcm", download=False)))
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
    data.Rows = data.Columns = 4096
    data.NumberOfFrames = 2
    data.PixelData = bytes(range(256)) * (64 * 1024 * 4)
    data.save_as(folder / "large.dcm")
    return "large.dcm"


def store(title: str, folder: Path, pki: TestPki, book: Book) -> None:
    """Send real files from one process to another, and compare what has arrived."""
    print(f"\n{title}\n{'=' * len(title)}")
    here = Path(__file__).parent
    received, sent = folder / "received", folder / "sent"
    sent.mkdir()
    tls = ["--ca", pki.ca_file, "--certificate"]
    files = [*real_files(sent), large_file(sent)]
    scp = [here / "store_scp.py", "0", received, "--address", "127.0.0.1", *tls]
    with subprocess.Popen(
        [sys.executable, *map(str, scp), pki.server.combined_file],
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            assert server.stdout is not None
            port = server.stdout.readline().split()[-1]
            scu = [here / "store_scu.py", "127.0.0.1", port, *files, *tls]
            client = [sys.executable, *map(str, scu), pki.client.combined_file]
            print(
                "  python examples/store_scp.py ...",
                "  python examples/store_scu.py ...",
                sep="\n",
                flush=True,
            )
            began = time.monotonic()
            done = subprocess.run(client, cwd=sent, check=False, timeout=12 * LIMIT)
            print(f"  in {time.monotonic() - began:.1f} s")
        finally:
            server.send_signal(signal.SIGINT)  # as Ctrl-C
            server.communicate(timeout=LIMIT)
    book.expect(done.returncode == 0, f"{title}: all files were taken")
    whole = 0
    for name in files:
        data = pydicom.dcmread(sent / name)
        copy = received / f"{data.SOPInstanceUID}.dcm"
        whole += copy.exists() and pydicom.dcmread(copy) == data
    print(f"  {whole} of {len(files)} are on the disk of the server, the same as here")
    book.expect(whole == len(files), f"{title}: what arrived is what was sent")


def main() -> int:
    DicomEngine.Startup()
    DicomNet.Startup()
    print(f"{DicomNet.GetOpenSslVersion().version_text}", flush=True)
    book = Book()
    with tempfile.TemporaryDirectory() as folder:
        pki = TestPki(folder)
        bad = pki.make("no_purpose", role="client")
        parts = (
            ("1. Good certificates", pki.client, False, False),
            ("2. A client certificate without SSL purposes", bad, False, True),
            ("3. The same, and an OnVerify that returns 1", bad, True, False),
        )
        summary = []
        for title, identity, always_yes, refused in parts:
            before = len(book.faults)
            client, connection = connect(title, pki, identity, always_yes, refused, book)
            fine = len(book.faults) == before
            summary.append(
                f"{'as expected' if fine else 'NOT AS EXPECTED':<16} {title}: "
                f"client {client.result}, server {connection.result}"
            )
        before = len(book.faults)
        title = "4. Real DICOM files between two processes"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some of pydicom's files are strange
            store(title, Path(folder), pki, book)
        fine = len(book.faults) == before
        summary.append(f"{'as expected' if fine else 'NOT AS EXPECTED':<16} {title}")
    DicomEngine.Shutdown()
    DicomNet.Shutdown()
    print("\nSummary\n=======")
    print("\n".join(summary))
    for fault in book.faults:
        print(f"  did not hold: {fault}")
    return 1 if book.faults else 0


if __name__ == "__main__":
    sys.exit(main())
