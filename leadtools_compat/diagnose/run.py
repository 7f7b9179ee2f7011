"""The diagnosis of one peer, step by step.

The one rule: each probe stands alone; one that cannot be made is reported as untested, and the next
one goes on.
"""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any

from leadtools_compat import __version__
from leadtools_compat._binding import lib, reads
from leadtools_compat._nodes.client import VERIFICATION, Client, Context, Node, NodeError
from leadtools_compat._nodes.tls import TlsOptions, configure
from leadtools_compat.diagnose import certificates, hello, judgement, openssl
from leadtools_compat.diagnose.model import Event, Level, Offer, Report, Verdict
from leadtools_compat.dicom import (
    DicomExceptionCode,
    DicomFailure,
    DicomNet,
    DicomOpenSslVerificationFlags,
    DicomSecurityCertificateException,
    DicomSecurityCertificateExceptionCode,
)
from leadtools_compat.dicom._net_state import state_of
from leadtools_compat.dicom.dicom_failure import alert_name

__all__ = ["diagnose"]

_NOT_TLS = (DicomExceptionCode.TlsPeerNotTls, DicomExceptionCode.TlsHandshakeTimeout)


def diagnose(
    host: str,
    port: int,
    tls: TlsOptions | None = None,
    *,
    called: str = "ANY-SCP",
    calling: str = "LT-COMPAT",
    timeout: float = 10.0,
    probes: bool = True,
    dicom: bool = True,
    told: Callable[[str], None] = lambda what: None,
) -> Report:
    """Find out what a peer can do, and what is wrong.

    Parameters
    ----------
    host, port
        The peer.
    tls
        Own certificate and whom to trust; None: look at a plain port.
    called, calling
        AE titles for the association.
    timeout
        Seconds for each step.
    probes
        False: only the one connection, without the further questions (versions, suites, groups,
        resumption, ALPN, stapling), about 40 short connections.
    dicom
        False: no association and no C-ECHO.
    told
        Called with the name of each step.

    Returns
    -------
    Report
        Never raises for what the peer does.

    Raises
    ------
    NodeError
        Own files cannot be used (reason ``local``).
    """
    report = Report(host, port, called, calling, with_tls=tls is not None)
    report.tls.authorities_given = tls is None or tls.ca is not None or tls.demands.trusts
    report.library = f"leadtools_compat {__version__}, {DicomNet.GetOpenSslVersion().version_text}"
    node = Node(host, port, called, calling)
    began = time.perf_counter()
    told("connection")
    address = _tcp(report, timeout)
    if address is not None:
        told("handshake")
        failure = _link(report, node, tls, timeout, dicom)
        speaks_tls = failure is None or failure.code not in _NOT_TLS
        if tls is not None and probes and speaks_tls:
            _hellos(report, tls.server_name(report.host), address, timeout, told)
            _others(report, address, tls, timeout, told)
        if failure is not None:
            report.failure = failure.as_dict()
    report.seconds = time.perf_counter() - began
    judgement.judge(report)
    return report


# ---- TCP


def _tcp(report: Report, timeout: float) -> tuple[str, int] | None:
    connection = report.connection
    began = time.perf_counter()
    try:
        found = socket.getaddrinfo(report.host, report.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        connection.failed.append(f"{report.host}: {getattr(error, 'strerror', None) or error}")
        report.events.append(Event(0.0, "us", f"look up {report.host}", False))
        return None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    connection.addresses = addresses
    for one in addresses:
        try:
            with socket.create_connection((one, report.port), timeout):
                connection.connected = one
                connection.seconds = time.perf_counter() - began
                return one, report.port
        except OSError as error:  # noqa: PERF203
            connection.failed.append(f"{one}: {error.strerror or error}")
    report.events.append(Event(time.perf_counter() - began, "us", "TCP connect", False))
    return None


# ---- the connection that is judged


class _Prober(Client):
    """Overrules complaints and writes them down; `stop_at` ends it at one, for its remedy."""

    def __init__(
        self, node: Node, tls: TlsOptions | None, timeout: float, stop_at: str | None = None
    ) -> None:
        self.calls: list[tuple[str, str, str]] = []
        self.stop_at = stop_at
        super().__init__(node, tls, timeout)

    def set_up(self, tls: TlsOptions) -> None:
        """Judge as a client that insists, whatever the options say about that."""
        peer = DicomOpenSslVerificationFlags.Peer
        name = (tls.host_name or self.node.host) if tls.check_host else None
        configure(self, tls, name, flags=peer)

    def OnVerify(
        self, ok: int, certificateString: str, error: DicomSecurityCertificateException
    ) -> int:
        code = str(error.Code)
        if not self.calls:
            self._note("certificates")
        self.calls.append((certificateString, code, error.Message))
        subject = certificateString.partition("\n")[0].removeprefix("Subject Name: ")
        self._note(f"verify\t{code}\t{subject}")
        return 0 if code == self.stop_at else 1


def _link(
    report: Report, node: Node, tls: TlsOptions | None, timeout: float, dicom: bool
) -> DicomFailure | None:
    failure: DicomFailure | None = None
    refused: str | None = None
    with _Prober(node, tls, timeout) as client:
        try:
            client.open()
            if tls is not None:
                _read_link(report, client)
                if tls.verify:
                    refused = next(iter(report.tls.complaints), None)
            unknown = tls is not None and tls.verify and not report.tls.authorities_given
            if unknown and refused is None:
                report.untested.append("association and C-ECHO: nobody is trusted without --ca")
            elif refused is None and dicom:
                _dicom(report, client)
            client.release()
        except NodeError as error:
            failure = error.failure
            if error.failure is None:
                report.add(Level.error, "dicom", f"{error.message.rstrip('.')}.", error.remedy)
            if tls is not None and not report.tls.chain:
                _read_link(report, client)
        _events(report, client)
    if refused is not None and tls is not None:
        # After the first one has ended: some peers serve one connection at a time.
        report.untested.append("association and C-ECHO: the peer's certificate is refused")
        failure = _refusal(node, tls, timeout, refused)
    return failure


def _read_link(report: Report, client: _Prober) -> None:
    tls = report.tls
    handle = state_of(client).handle
    tls.version, tls.group = client.tls_version, client.tls_group
    tls.suite = client.GetTlsCipherSuite().GetCipherFriendlyName()
    tls.expected_host = client.expected_host
    sent = reads.peer_certificates(handle)
    tls.chain = [certificates.describe(der) for der, _ in sent]
    depths: dict[str, int] = {}
    for depth, (_, text) in enumerate(sent):  # some send one twice
        depths.setdefault(text, depth)
    for text, code, message in client.calls:
        subject = text.partition("\n")[0].removeprefix("Subject Name: ")
        remedy = reads.verify_remedy(int(DicomSecurityCertificateExceptionCode[code]))
        tls.verdicts.append(Verdict(depths.get(text), subject, code, message, remedy))
    tls.verified = bool(tls.verdicts) and all(one.good for one in tls.verdicts)
    if reads.tls_info(handle, lib.DICOM_TLS_INFO_CERTIFICATE_REQUESTED) == "1":
        tls.client_certificate = "requested"
        names = reads.tls_info(handle, lib.DICOM_TLS_INFO_CA_NAMES)
        tls.ca_names = [name for name in names.split("\n") if name]
    elif tls.version:
        tls.client_certificate = "not requested"
    required = DicomExceptionCode.TlsPeerRequiresCertificate
    if client.failure is not None and client.failure.code == required:
        tls.client_certificate = "required"


def _refusal(node: Node, tls: TlsOptions, timeout: float, complaint: str) -> DicomFailure | None:
    """Connect once more as a client that does not overrule: the record of the refusal."""
    with _Prober(node, tls, timeout, complaint) as client:
        try:
            client.open()
        except NodeError as error:
            return error.failure
    return None


def _dicom(report: Report, client: Client) -> None:
    dicom = report.dicom
    dicom.tried = True
    try:
        client.associate([Context(VERIFICATION)])
    except NodeError:
        dicom.associated = False
        raise
    dicom.associated = True
    with client.Association or _nothing() as association:
        dicom.implementation = getattr(association, "ImplementationVersionName", "")
        dicom.max_length = getattr(association, "MaxLength", None)
    began = time.perf_counter()
    answer = client.echo()
    dicom.echo_seconds = time.perf_counter() - began
    dicom.echo = str(answer.status)


def _nothing() -> Any:
    from contextlib import nullcontext

    return nullcontext()


_STEPS = {
    "connect": ("us", "TCP connect"),
    "connected": ("peer", "TCP accepted"),
    "certificates": ("peer", "ServerHello, certificates"),
    "secure": ("both", "TLS is up"),
    "associate": ("us", "A-ASSOCIATE-RQ"),
    "accepted": ("peer", "A-ASSOCIATE-AC"),
    "rejected": ("peer", "A-ASSOCIATE-RJ"),
    "aborted": ("peer", "A-ABORT"),
    "C-ECHO request": ("us", "C-ECHO-RQ"),
    "C-ECHO response": ("peer", "C-ECHO-RSP"),
    "release": ("us", "A-RELEASE-RQ"),
    "released": ("peer", "A-RELEASE-RP"),
    "closed": ("both", "connection closed"),
}


def _events(report: Report, client: Client) -> None:
    """Make the steps of the conversation; where it failed is the last but one."""
    secure = any(step.what == "secure" for step in client.progress)
    failure = client.failure
    for step in client.progress:
        if step.what.startswith("verify\t"):
            _, code, subject = step.what.split("\t", 2)
            text = f"verify {_common_name(subject)}: {code}"
            report.events.append(Event(step.at, "self", text, code == "Success"))
            continue
        who, text = _STEPS.get(step.what, ("both", step.what))
        if step.what == "closed" and failure is not None:
            by = "us" if failure.side == "local" else "peer"
            alert = failure.alert_sent if by == "us" else failure.alert_received
            told = f"alert {alert_name(alert)}" if alert is not None else failure.message
            report.events.append(Event(step.at, by, told, False))
        good = step.what not in ("rejected", "aborted") and (step.what != "closed" or secure)
        report.events.append(Event(step.at, who, text, good))
        if step.what == "connected" and report.with_tls:
            report.events.append(Event(step.at, "us", "ClientHello"))
    refused = any(not one.good for one in report.tls.verdicts)
    if secure and refused and not report.dicom.tried:
        ended = "certificate refused: nothing is sent"
        report.events.append(Event(report.events[-1].at, "self", ended, False))
    if not report.connection.connected and client.PeerAddress:
        report.connection.connected = client.PeerAddress


def _common_name(subject: str) -> str:
    found = re.search(r'CN = ("(?:[^"\\]|\\.)*"|[^,]*)', subject)
    return found[1].strip('"') if found else subject


# ---- versions, suites, groups


def _hellos(
    report: Report,
    sni: str,
    address: tuple[str, int],
    timeout: float,
    told: Callable[[str], None],
) -> None:
    suites = tuple(hello.SUITES_12)
    for name, number in hello.VERSIONS.items():
        told(name)
        pool = tuple(hello.SUITES_13) if number == 0x0304 else suites
        offer = Offer()
        report.tls.versions[name] = offer
        try:
            _suites(offer, address, number, pool, timeout, sni)
        except (OSError, hello.GarbledError) as error:
            report.untested.append(f"{name}: {error}")
            continue
        if offer.accepted and number >= 0x0303 and not report.tls.groups:
            told("groups")
    told("groups")
    try:
        _groups(report, address, timeout, sni)
        _small_dh(report, address, timeout, sni)
    except (OSError, hello.GarbledError) as error:
        report.untested.append(f"groups: {error}")


def _suites(
    offer: Offer,
    address: tuple[str, int],
    version: int,
    pool: tuple[int, ...],
    timeout: float,
    sni: str,
) -> None:
    """Offer all; take away what is chosen; until nothing is: the server's order comes out."""
    left = list(pool)
    names = hello.SUITES_13 if version == 0x0304 else hello.SUITES_12
    chosen: list[int] = []
    while left:
        answer = hello.ask(address, hello.Question(version, left, host=sni), timeout)
        # A server that does not know the version answers with a lower one.
        if not answer.accepted or answer.version != version or answer.suite not in left:
            if not chosen:
                offer.accepted = False
                offer.why = _why(answer, version)
            break
        offer.accepted = True
        chosen.append(answer.suite)
        left.remove(answer.suite)
    offer.suites = [names[suite] for suite in chosen]
    if len(chosen) > 1:
        backwards = list(reversed(chosen))
        answer = hello.ask(address, hello.Question(version, backwards, host=sni), timeout)
        offer.server_order = answer.suite == chosen[0]


def _why(answer: hello.Hello, version: int) -> str:
    if answer.alert is not None:
        return f"alert {alert_name(answer.alert)}"
    if answer.accepted:
        names = {number: name for name, number in hello.VERSIONS.items()}
        return f"answers with {names.get(answer.version or 0, hex(answer.version or 0))}"
    return "closes the connection"


def _groups(report: Report, address: tuple[str, int], timeout: float, sni: str) -> None:
    tls13 = report.tls.versions["TLSv1.3"].accepted
    tls12 = report.tls.versions["TLSv1.2"]
    if tls13:
        version, pool = 0x0304, tuple(hello.SUITES_13)
    elif tls12.accepted and any("_ECDHE_" in suite for suite in tls12.suites):
        version = 0x0303
        pool = tuple(n for n, name in hello.SUITES_12.items() if name in tls12.suites)
        pool = tuple(n for n in pool if "_ECDHE_" in hello.SUITES_12[n])
    else:
        return
    left = list(hello.GROUPS)
    while left:
        question = hello.Question(version, pool, tuple(left), host=sni, status=False)
        answer = hello.ask(address, question, timeout)
        if not answer.accepted or answer.group not in left:
            break
        report.tls.groups.append(hello.GROUPS[answer.group])
        left.remove(answer.group)


def _small_dh(report: Report, address: tuple[str, int], timeout: float, sni: str) -> None:
    """See how long the prime of a DHE suite of TLS 1.2 is, and what TLS 1.2 staples and asks."""
    offer = report.tls.versions["TLSv1.2"]
    pool = [n for n, name in hello.SUITES_12.items() if name in offer.suites]
    finite = [n for n in pool if "_DHE_" in hello.SUITES_12[n]]
    if finite:
        answer = hello.ask(address, hello.Question(0x0303, finite, host=sni), timeout)
        report.tls.dh_bits = answer.dh_bits
    if pool:
        answer = hello.ask(address, hello.Question(0x0303, pool, host=sni), timeout)
        if answer.stapled is not None:
            report.tls.stapling = "stapled" if answer.stapled else "none"
        if report.tls.client_certificate is None and answer.requested is not None:
            asked = "requested" if answer.requested else "not requested"
            report.tls.client_certificate = asked


# ---- what other clients see


def _others(
    report: Report,
    address: tuple[str, int],
    tls: TlsOptions,
    timeout: float,
    told: Callable[[str], None],
) -> None:
    host = tls.server_name(report.host)
    facts = report.tls
    for what in ("ALPN", "resumption", "stapling"):
        told(what)
        try:
            if what == "ALPN":
                facts.alpn = openssl.alpn(address, host, tls, timeout)
            elif what == "resumption":
                facts.resumption = openssl.resumption(address, host, tls, timeout)
            elif facts.stapling is None or facts.stapling == "stapled":
                facts.stapling = openssl.stapling(address, host, tls, timeout)
        except (openssl.UntestedError, OSError, ssl.SSLError) as error:
            report.untested.append(f"{what}: {error}")
    if facts.client_certificate == "requested":
        told("client certificate")
        _required(report, tls, timeout)


def _required(report: Report, tls: TlsOptions, timeout: float) -> None:
    """Connect without a certificate: does the peer insist on one?"""
    import dataclasses

    bare = dataclasses.replace(tls, certificate=None, key=None, verify=False)
    node = Node(report.host, report.port, report.called, report.calling)
    with _Prober(node, bare, timeout) as client:
        try:
            client.open()
        except NodeError as error:
            code = None if error.failure is None else error.failure.code
            if code in (
                DicomExceptionCode.TlsPeerRequiresCertificate,
                DicomExceptionCode.TlsAlertReceived,
                DicomExceptionCode.TlsPeerRejectedCertificate,
            ):
                report.tls.client_certificate = "required"
        else:
            report.tls.client_certificate = "optional"
            client.CloseForced(False)
