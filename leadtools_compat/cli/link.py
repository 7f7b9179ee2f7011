"""A connection in words: plain, or which TLS, with whom."""

from __future__ import annotations

from typing import Any

from leadtools_compat.dicom import DicomNet, DicomNetSecurityMode

__all__ = ["describe_link"]


def describe_link(net: DicomNet) -> dict[str, Any]:
    """Give version, suite, group, whether the peer was verified; ``text`` has it in one line."""
    if net.SecurityMode != DicomNetSecurityMode.Tls:
        return {"tls": False, "text": "plain, not encrypted"}
    suite = net.GetTlsCipherSuite().GetCipherFriendlyName()
    verified = net.tls_verified
    words = [net.tls_version, suite, net.tls_group, "peer verified" if verified else "NOT VERIFIED"]
    if not verified:
        words[-1] += f": {net.tls_verify_code}"
    revocation, staple = net.tls_revocation, net.tls_ocsp_status
    if revocation == "good":
        words.append("not revoked")
    elif revocation == "unknown" and staple != "missing":
        words.append("perhaps revoked")
    if net.tls_application_protocol:
        words.append(f"protocol {net.tls_application_protocol}")
    return {
        "tls": True,
        "version": net.tls_version,
        "suite": suite,
        "group": net.tls_group,
        "verified": verified,
        "finding": str(net.tls_verify_code),
        "resumed": net.tls_resumed,
        "revocation": revocation,
        "ocsp": staple,
        "server_name": net.tls_server_name,
        "protocol": net.tls_application_protocol,
        "text": ", ".join(word for word in words if word),
    }
