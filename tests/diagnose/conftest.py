"""The meetings of the TLS tests, here too."""

from __future__ import annotations

from tests.tls.conftest import library_log, meet, present

__all__ = ["library_log", "meet", "present"]
