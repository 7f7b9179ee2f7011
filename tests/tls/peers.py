"""The ``openssl`` program as a peer: ``s_server`` and ``s_client``.

One rule: it runs without any configuration of the host, at security level 0, so that what is
refused is refused by us.
"""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from leadtools_compat.testing import Identity
from leadtools_compat.testing.files import pem
from tests.support import PATIENCE

CLEAN = {**os.environ, "OPENSSL_CONF": os.devnull, "LC_ALL": "C"}
ALL_SUITES_13 = (
    "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"
    ":TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256"
)
ALL_SUITES = ("-cipher", "ALL:COMPLEMENTOFALL:@SECLEVEL=0", "-ciphersuites", ALL_SUITES_13)
VERSION_OPTIONS = {
    "TLSv1": "-tls1",
    "TLSv1.1": "-tls1_1",
    "TLSv1.2": "-tls1_2",
    "TLSv1.3": "-tls1_3",
}


def own(identity: Identity, prefix: str = "") -> list[str]:
    """Give the options for an own certificate with its chain; prefix ``d`` for a second one."""
    return [
        *(f"-{prefix}cert", identity.certificate_file, f"-{prefix}key", identity.key_file),
        *(f"-{prefix}cert_chain", identity.certificate_file),
    ]


class OpenSslServer:
    """A running ``openssl s_server``; `port` is where it listens."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._changed = threading.Condition()
        self._lines: list[str] = []
        self._ended = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        accept = self.wait_for(r"ACCEPT \S+:(\d+)")
        self.port = int(accept[1])

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._changed:
                self._lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def type(self, text: str) -> None:
        """Give it a command, as ``r`` to renegotiate."""
        assert self._process.stdin is not None
        self._process.stdin.write(text)
        self._process.stdin.flush()

    def join(self) -> None:
        """Wait until the last line was read: the program has ended."""
        self._reader.join(PATIENCE)

    def wait_for(self, pattern: str, start: int = 0) -> re.Match[str]:
        """Wait for a line with this pattern, from line `start` on."""
        found: list[re.Match[str]] = []

        def look() -> bool:
            found[:] = [one for line in self._lines[start:] if (one := re.search(pattern, line))]
            return bool(found) or self._ended

        with self._changed:
            self._changed.wait_for(look, PATIENCE)
            if not found:
                pytest.fail(f"openssl s_server did not print {pattern!r}:\n" + self.text(start))
            return found[0]

    @property
    def printed(self) -> int:
        """How many lines there are so far."""
        with self._changed:
            return len(self._lines)

    def text(self, start: int = 0) -> str:
        """Give what was printed so far."""
        return "\n".join(self._lines[start:])


@contextmanager
def openssl_server(*options: str) -> Iterator[OpenSslServer]:
    """Run ``openssl s_server`` on a free port; it takes one connection after the other."""
    process = subprocess.Popen(
        ["openssl", "s_server", "-accept", "127.0.0.1:0", *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        env=CLEAN,
    )
    server: OpenSslServer | None = None
    try:
        server = OpenSslServer(process)
        yield server
    finally:
        process.kill()
        process.wait(PATIENCE)
        if server is not None:
            server.join()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()


def openssl_client(port: int, *options: str) -> str:
    """Let ``openssl s_client`` connect and quit; give what it printed."""
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *options],
        input="Q\n",
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        env=CLEAN,
        timeout=PATIENCE,
        check=False,
    )
    return done.stdout + done.stderr


def cipher_of(printed: str) -> str:
    """Read the negotiated suite from what ``s_client`` printed; ``(NONE)`` if there is none."""
    found = re.search(r"^(?:New|Reused), .*, Cipher is (\S+)", printed, re.M)
    assert found, printed
    return found[1]


def available_suites(level: int = 0) -> dict[str, str]:
    """Ask the program for all suites it has at a security level: OpenSSL's names by IANA's."""
    options: Sequence[str] = ("-s", "-stdname", "-ciphersuites", ALL_SUITES_13)
    said = subprocess.run(
        ["openssl", "ciphers", *options, f"ALL:COMPLEMENTOFALL:@SECLEVEL={level}"],
        capture_output=True,
        text=True,
        env=CLEAN,
        timeout=PATIENCE,
        check=True,
    ).stdout
    return dict(re.findall(r"^(\S+) +- +(\S+)", said, re.M))


def write_pem(path: Path, *contents: bytes) -> str:
    """Write PEM blocks of certificates into one file."""
    path.write_bytes(pem("CERTIFICATE", *contents))
    return str(path)


def _best_group() -> str:
    """Give the group that two sides with this OpenSSL agree on."""
    said = subprocess.run(
        ["openssl", "list", "-kem-algorithms"],
        capture_output=True,
        text=True,
        env=CLEAN,
        timeout=PATIENCE,
        check=True,
    ).stdout
    return "x25519mlkem768" if "X25519MLKEM768" in said else "x25519"


BEST_GROUP = _best_group()
