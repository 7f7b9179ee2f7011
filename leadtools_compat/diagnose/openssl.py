"""What only a whole handshake of another client shows: ALPN, resumption, a stapled response.

Our own client does not ask for these; Python's ``ssl`` and the program ``openssl`` do.

The one rule: nothing of the verdict hangs on these; what cannot be tried is reported as untested.
"""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import warnings
from pathlib import Path

from leadtools_compat._nodes.tls import TlsOptions

__all__ = ["UntestedError", "alpn", "resumption", "stapling"]

_TICKET_WAIT = 0.5


class UntestedError(Exception):
    """A probe could not be made; the text says why."""


def _context(tls: TlsOptions) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # judged elsewhere; nothing is sent over these links
    if tls.certificate is not None:
        if not tls.pem_files:
            raise UntestedError("the own certificate is not PEM, and Python's ssl takes no other")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                context.load_cert_chain(
                    tls.certificate, tls.key, lambda: (tls.password and tls.password()) or ""
                )
        except (ssl.SSLError, OSError) as error:
            raise UntestedError(f"the own certificate cannot be loaded: {error}") from error
    return context


def _connect(
    context: ssl.SSLContext,
    address: tuple[str, int],
    host: str,
    timeout: float,
    session: ssl.SSLSession | None = None,
) -> ssl.SSLSocket:
    try:
        plain = socket.create_connection(address, timeout)
        return context.wrap_socket(plain, server_hostname=host or None, session=session)
    except (OSError, ValueError) as error:
        raise UntestedError(f"no handshake: {error}") from error


def alpn(address: tuple[str, int], host: str, tls: TlsOptions, timeout: float) -> str:
    """Offer ``dicom`` (IANA); give what the server chose, "" for nothing."""
    context = _context(tls)
    context.set_alpn_protocols(["dicom"])
    with _connect(context, address, host, timeout) as link:
        return link.selected_alpn_protocol() or ""


def resumption(address: tuple[str, int], host: str, tls: TlsOptions, timeout: float) -> str:
    """Try to resume a session; give ``resumed``, ``ticket not taken`` or ``none offered``."""
    context = _context(tls)
    with _connect(context, address, host, timeout) as first:
        first.settimeout(min(timeout, _TICKET_WAIT))
        try:
            first.recv(1)  # TLS 1.3 tickets come after the handshake
        except (OSError, ValueError):
            pass
        session = first.session
        offered = session is not None and (session.has_ticket or bool(session.id))
    if session is None or not offered:
        return "none offered"
    with _connect(context, address, host, timeout, session) as second:
        return "resumed" if second.session_reused else "ticket not taken"


def stapling(address: tuple[str, int], host: str, tls: TlsOptions, timeout: float) -> str:
    """Ask for an OCSP response by ``openssl s_client``; give ``none`` or its status."""
    program = shutil.which("openssl")
    if program is None:
        raise UntestedError("the program 'openssl' is not installed")
    target = f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"
    command = [program, "s_client", "-connect", target, "-status"]
    command += ["-servername", host] if host else ["-noservername"]
    if tls.certificate is not None and tls.pem_files:
        command += ["-cert", tls.certificate, "-key", tls.key or tls.certificate]
        if tls.password is not None and _encrypted(tls.key or tls.certificate):
            raise UntestedError("the key has a password, which is not given to other programs")
    try:
        done = subprocess.run(
            command,
            input=b"Q\n",
            capture_output=True,
            timeout=timeout,
            check=False,
            env={**os.environ, "OPENSSL_CONF": os.devnull, "LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UntestedError(f"openssl s_client: {error}") from error
    printed = done.stdout.decode("utf-8", "replace")
    if "OCSP response: no response sent" in printed:
        return "none"
    for line in printed.splitlines():
        if "Cert Status:" in line:
            return line.partition(":")[2].strip()
    if "OCSP Response Status: successful" in printed:
        return "successful"
    raise UntestedError("openssl s_client made no handshake")


def _encrypted(file: str) -> bool:
    try:
        return b"ENCRYPTED" in Path(file).read_bytes()
    except OSError:
        return False
