"""The demo ends with 0, and says what happened."""

from __future__ import annotations

import time
from pathlib import Path

from tests.support import PATIENCE, python

DEMO = Path(__file__).resolve().parents[2] / "examples" / "demo.py"


def test_demo_shows_the_four_cases_and_ends_as_expected() -> None:
    began = time.monotonic()
    done = python(DEMO)
    assert done.returncode == 0, done.stdout + done.stderr
    assert time.monotonic() - began < PATIENCE * 2
    text = done.stdout
    for words in (
        "ok=1, Success: ok -> 1, goes on",
        "ok=0, InvalidPurpose: unsuitable certificate purpose -> 0, stops",
        "ok=0, InvalidPurpose: unsuitable certificate purpose -> 1, goes on (overruled)",
        "TLS_AES_256_GCM_SHA384",
        "Key exchange algorithm",
        "TlsPeerRejectedCertificate (308)",
        "TlsCertificateRejected (307)",
        "alert sent  : unsupported_certificate (43)",
        "alert got   : unsupported_certificate (43)",
        "NOT verified (InvalidPurpose)",
        "      | \tSSL client : No",
        "are on the disk of the server, the same as here",
    ):
        assert words in text
    assert text.count("as expected") == 4
    assert text.count(": Success, ") >= 20  # each file, and how fast it went
    assert "64.0 MiB, " in text
    assert text.count("remedy") == 2
