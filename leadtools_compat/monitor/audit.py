"""Audit messages about refused nodes: DICOM PS3.15 A.5.3.11, IHE ITI-20, over syslog.

A TLS connection that fails is a *Security Alert* of type *Node Authentication*. It goes to the audit
repository by RFC 5424, over UDP (RFC 5426), TCP or TLS (RFC 5425). `audit_to` reports all of a process.

The one rule: the audit's own troubles are logged and never audited, or they would audit themselves
for ever; what cannot be sent waits, up to a bound, oldest first out.
"""

from __future__ import annotations

import atexit
import base64
import collections
import contextlib
import logging
import os
import re
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Callable
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit
from xml.etree import ElementTree as Xml

if TYPE_CHECKING:
    from typing_extensions import Self

    from leadtools_compat.dicom import DicomFailure

__all__ = ["AuditTrail", "audit_to", "security_alert"]

logger = logging.getLogger("leadtools_compat")

PRIORITY = 10 * 8 + 4
"""Facility 10 (security), severity 4 (warning): RFC 5424 6.2.1, IHE ITI-20."""
MESSAGE_ID = "IHE+RFC-3881"
PORTS = {"udp": 514, "tcp": 601, "tls": 6514}
LIMIT = 10_000
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Direction = Literal["inbound", "outbound"]


def _code(parent: Xml.Element, tag: str, code: str, text: str) -> None:
    Xml.SubElement(parent, tag, {"csd-code": code, "codeSystemName": "DCM", "originalText": text})


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)


def security_alert(
    failure: DicomFailure,
    peer: str,
    direction: Direction,
    *,
    source: str,
    host: str,
    now: datetime | None = None,
) -> bytes:
    """Write the audit message about a connection that failed in TLS.

    Parameters
    ----------
    failure
        Its record.
    peer
        Address of the other node.
    direction
        Who called whom.
    source
        Who reports: the AuditSourceID.
    host
        Own address or name.
    now
        When; None: now.

    Returns
    -------
    bytes
        XML in UTF-8 by the schema of PS3.15 A.5.1.
    """
    moment = (now or datetime.now(timezone.utc)).isoformat(timespec="milliseconds")
    message = Xml.Element("AuditMessage")
    event = Xml.SubElement(
        message,
        "EventIdentification",
        {
            "EventActionCode": "E",
            "EventDateTime": moment,
            "EventOutcomeIndicator": "4" if direction == "inbound" else "8",
        },
    )
    _code(event, "EventID", "110113", "Security Alert")
    _code(event, "EventTypeCode", "110126", "Node Authentication")
    reporter = {"UserID": _clean(source), "AlternativeUserID": str(os.getpid())}
    reporter |= {"UserIsRequestor": "true" if direction == "outbound" else "false"}
    Xml.SubElement(message, "ActiveParticipant", reporter | _access(host))
    # A certificate that the peer has refused is ours; above depth 0 it is an authority's.
    known = failure.side == "local" and not failure.certificate_depth
    other = {"UserID": _clean((known and failure.certificate_subject) or peer)}
    other |= {"UserIsRequestor": "true" if direction == "inbound" else "false"}
    Xml.SubElement(message, "ActiveParticipant", other | _access(peer))
    Xml.SubElement(message, "AuditSourceIdentification", {"AuditSourceID": _clean(source)})
    subject = Xml.SubElement(
        message,
        "ParticipantObjectIdentification",
        {"ParticipantObjectID": _clean(peer), "ParticipantObjectTypeCode": "2"},
    )
    _code(subject, "ParticipantObjectIDTypeCode", "110182", "Node ID")
    text = base64.b64encode(str(failure).encode("utf-8", "replace")).decode("ascii")
    Xml.SubElement(subject, "ParticipantObjectDetail", {"type": "Alert Description", "value": text})
    made: bytes = Xml.tostring(message, encoding="UTF-8", xml_declaration=True)
    return made


def _access(address: str) -> dict[str, str]:
    """NetworkAccessPointTypeCode: 1 is a name, 2 an address."""
    import ipaddress

    try:
        ipaddress.ip_address(address)
    except ValueError:
        kind = "1"
    else:
        kind = "2"
    return {"NetworkAccessPointID": _clean(address), "NetworkAccessPointTypeCode": kind}


def syslog_line(body: bytes, host: str, program: str, now: datetime | None = None) -> bytes:
    """Write a message of RFC 5424; the body is UTF-8, with its mark in front."""
    moment = (now or datetime.now(timezone.utc)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    name = re.sub(r"[^!-~]", "_", host)[:255] or "-"
    app = re.sub(r"[^!-~]", "_", program)[:48] or "-"
    head = f"<{PRIORITY}>1 {moment} {name} {app} {os.getpid()} {MESSAGE_ID} - "
    return head.encode("ascii") + b"\xef\xbb\xbf" + body


class AuditTrail:
    """Sends audit messages to a repository; use it in a ``with`` statement.

    It sends what `failed` is given; after `watch`, every failure of the process.

    Parameters
    ----------
    target
        ``udp://host:514``, ``tcp://host:601`` or ``tls://host:6514``; the port may be left out.
    ca_file
        For TLS: whom the repository must come from; None: the system's authorities.
    certificate, key
        For TLS: the own certificate, PEM.
    password
        Called when the key is encrypted; nobody is asked at the terminal.
    source
        The AuditSourceID.
    limit
        Messages that may wait; when there are more, the oldest is dropped and counted.
    retry
        Seconds between two attempts to reach the repository.

    Attributes
    ----------
    sent, dropped
        Counts.

    Raises
    ------
    ValueError
        `target` is none of the three.
    OSError
        A file cannot be read.
    """

    def __init__(
        self,
        target: str,
        *,
        ca_file: str | None = None,
        certificate: str | None = None,
        key: str | None = None,
        password: Callable[[], str | None] | None = None,
        source: str = "leadtools_compat",
        limit: int = LIMIT,
        retry: float = 10.0,
    ) -> None:
        parts = urlsplit(target)
        if parts.scheme not in PORTS or not parts.hostname:
            raise ValueError(
                f"the audit repository is {target!r}, but must be udp://HOST[:PORT], tcp://... or "
                "tls://..."
            )
        self.scheme = parts.scheme
        self.address = (parts.hostname, parts.port or PORTS[parts.scheme])
        self.source = source
        self.sent = 0
        self.dropped = 0
        self._tls: ssl.SSLContext | None = None
        if self.scheme == "tls":
            self._tls = ssl.create_default_context(cafile=ca_file)
            if certificate is not None:
                self._tls.load_cert_chain(
                    certificate, key, lambda: ("" if password is None else password()) or ""
                )
        self._retry = retry
        self._limit = limit
        self._host = socket.gethostname()
        self._waiting: collections.deque[bytes] = collections.deque()
        self._changed = threading.Condition()
        self._ending = False
        self._watching = False
        self._link: socket.socket | None = None
        self._thread: threading.Thread | None = self._new_thread()
        _trails.add(self)

    def _new_thread(self) -> threading.Thread:
        thread = threading.Thread(target=self._run, name="audit trail", daemon=True)
        thread.start()
        return thread

    def _begin_again(self) -> None:
        """In a forked child: what waits and the link are the parent's, and the thread is not there."""
        self._waiting.clear()
        self._changed = threading.Condition()
        self._drop_link()
        self._thread = None

    def watch(self) -> Self:
        """Report from now on every TLS connection of this process that fails, made or accepted.

        By whatever class of this package, and those too that the log only counts. `close` ends it.
        """
        from leadtools_compat._binding.log import watch_failures

        if not self._watching:
            self._watching = True
            watch_failures(self._failed)
        return self

    def _failed(self, failure: DicomFailure, peer: str, port: int, inbound: bool) -> None:
        self.failed(failure, peer, "inbound" if inbound else "outbound")

    def failed(self, failure: DicomFailure, peer: str, direction: Direction) -> bool:
        """Report a connection that failed; False if it did not fail in TLS, and nothing is sent."""
        if failure.stage not in ("tls", "certificate"):
            return False
        body = security_alert(failure, peer, direction, source=self.source, host=self._host)
        self._put(syslog_line(body, self._host, self.source))
        return True

    def _put(self, line: bytes) -> None:
        with self._changed:
            if len(self._waiting) >= self._limit:
                self._waiting.popleft()
                self.dropped += 1
            self._waiting.append(line)
            self._changed.notify_all()
            if self._thread is None and not self._ending:
                self._thread = self._new_thread()

    def _run(self) -> None:
        quiet = False
        while True:
            with self._changed:
                while not self._waiting and not self._ending:
                    self._changed.wait()
                if not self._waiting:
                    break
                line = self._waiting[0]
            try:
                self._send(line)
            except (OSError, ValueError) as error:  # ValueError: a name that no look-up takes
                self._drop_link()
                if not quiet:  # once, until it works again
                    logger.warning("the audit repository %s cannot be reached: %s", self, error)
                quiet = True
                with self._changed:
                    if self._ending:
                        break
                    self._changed.wait(self._retry)
                continue
            quiet = False
            with self._changed:
                # It may have been dropped meanwhile.
                if self._waiting and self._waiting[0] is line:
                    self._waiting.popleft()
                self.sent += 1
                self._changed.notify_all()
        self._drop_link()

    def _send(self, line: bytes) -> None:
        if self.scheme == "udp":
            family = socket.getaddrinfo(*self.address, type=socket.SOCK_DGRAM)[0]
            with socket.socket(family[0], socket.SOCK_DGRAM) as link:
                link.sendto(line, family[4])
            return
        if self._link is not None and _has_ended(self._link):
            self._drop_link()
        if self._link is None:
            plain = socket.create_connection(self.address, 10)
            try:
                tls = self._tls
                self._link = (
                    plain
                    if tls is None
                    else tls.wrap_socket(plain, server_hostname=self.address[0])
                )
            except BaseException:
                plain.close()
                raise
        self._link.sendall(b"%d " % len(line) + line)  # RFC 5425 4.3, octet counting

    def _drop_link(self) -> None:
        if self._link is not None:
            with contextlib.suppress(OSError):
                self._link.close()
            self._link = None

    def wait(self, timeout: float) -> bool:
        """Wait until nothing is waiting; False: something still is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting, timeout)

    def close(self, timeout: float = 5.0) -> None:
        """Send what is waiting, for so many seconds, and end."""
        end = time.monotonic() + timeout
        if self._watching:
            from leadtools_compat._binding.log import unwatch_failures

            self._watching = False
            unwatch_failures(self._failed, timeout)
        self.wait(max(0.0, end - time.monotonic()))
        with self._changed:
            self._ending = True
            self.dropped += len(self._waiting)
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __str__(self) -> str:
        host = f"[{self.address[0]}]" if ":" in self.address[0] else self.address[0]
        return f"{self.scheme}://{host}:{self.address[1]}"

    def __repr__(self) -> str:
        return f"<AuditTrail {self}: {self.sent} sent, {self.dropped} dropped>"


_trails: weakref.WeakSet[AuditTrail] = weakref.WeakSet()


def _begin_again_in_child() -> None:
    for trail in list(_trails):
        trail._begin_again()


os.register_at_fork(after_in_child=_begin_again_in_child)


def _has_ended(link: socket.socket) -> bool:
    """Tell whether the other side has closed: syslog has no answers, so nothing else can be read."""
    link.setblocking(False)
    try:
        return link.recv(1) == b""
    except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return False
    except OSError:
        return True
    finally:
        link.settimeout(10)


def audit_to(
    target: str,
    *,
    ca_file: str | None = None,
    certificate: str | None = None,
    key: str | None = None,
    password: Callable[[], str | None] | None = None,
    source: str = "leadtools_compat",
) -> AuditTrail:
    """Report every TLS connection of this process that fails to an audit repository, until it ends.

    Parameters
    ----------
    target, ca_file, certificate, key, password, source
        As for `AuditTrail`.

    Returns
    -------
    AuditTrail
        ``close`` ends it earlier. At the end of the process what waits has two seconds.

    Raises
    ------
    ValueError, OSError
        As from `AuditTrail`.
    """
    trail = AuditTrail(
        target,
        ca_file=ca_file,
        certificate=certificate,
        key=key,
        password=password,
        source=source,
    )
    atexit.register(trail.close, 2.0)
    return trail.watch()
