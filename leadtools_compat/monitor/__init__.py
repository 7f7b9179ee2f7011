"""Watching a node that runs: certificates that end, numbers for Prometheus, audit messages.

The one rule: watching never stops what is watched: what fails here is logged, counted and tried
again, and is no reason to refuse a connection.
"""

from __future__ import annotations

from leadtools_compat._binding.log import CertificateEnding
from leadtools_compat.monitor.audit import AuditTrail, audit_to, security_alert
from leadtools_compat.monitor.expiry import Ending, ExpiryWatch

__all__ = [
    "AuditTrail",
    "CertificateEnding",
    "Ending",
    "ExpiryWatch",
    "audit_to",
    "security_alert",
]
