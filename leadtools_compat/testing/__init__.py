"""Test kit: a PKI in one call, with good identities and every kind of bad one.

Needs the extra ``testing``: ``pip install leadtools_compat[testing]``.
"""

from __future__ import annotations

try:
    import cryptography  # noqa: F401
except ImportError as error:
    raise ImportError(
        "leadtools_compat.testing needs the package 'cryptography': pip install leadtools_compat[testing]"
    ) from error

from leadtools_compat.testing.model import Authority, Complaint, Identity, Kind
from leadtools_compat.testing.pki import TestPki

__all__ = ["Authority", "Complaint", "Identity", "Kind", "TestPki"]
