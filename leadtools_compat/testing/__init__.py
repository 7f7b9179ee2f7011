"""Test kit: a PKI in one call, secure nodes, misbehaving peers, and words about refusals.

Needs the extra ``testing``: ``pip install leadtools_compat[testing]``.
"""

from __future__ import annotations

try:
    import cryptography  # noqa: F401
except ImportError as error:
    raise ImportError(
        "leadtools_compat.testing needs the package 'cryptography': pip install leadtools_compat[testing]"
    ) from error

from leadtools_compat.testing.faulty import FaultyScp, FaultyScu
from leadtools_compat.testing.model import Authority, Complaint, Identity, Kind
from leadtools_compat.testing.nodes import (
    Link,
    NodeError,
    SecureScp,
    SecureScu,
    VerifyCall,
    VerifyRecorder,
)
from leadtools_compat.testing.pacs import Pacs
from leadtools_compat.testing.pki import TestPki
from leadtools_compat.testing.refusal import Refusal, expect_refused

__all__ = [
    "Authority",
    "Complaint",
    "FaultyScp",
    "FaultyScu",
    "Identity",
    "Kind",
    "Link",
    "NodeError",
    "Pacs",
    "Refusal",
    "SecureScp",
    "SecureScu",
    "TestPki",
    "VerifyCall",
    "VerifyRecorder",
    "expect_refused",
]
