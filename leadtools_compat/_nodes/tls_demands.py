"""What a tool was told about names, pins, trust and strictness, applied to a net.

The one rule: a demand that is given counts on top of all else; none takes another one away.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leadtools_compat.dicom import DicomNet
    from leadtools_compat.dicom._tls_rules import Alpn, PurposeCheck

__all__ = ["TlsDemands"]


@dataclass(frozen=True)
class TlsDemands:
    """The less usual settings of TLS; all are off by default.

    Attributes
    ----------
    ca_files, ca_folders, system_trust
        More authorities: files, folders, those of this computer.
    pins, pins_only
        Pins of the peer's certificate or key; whether they are the only trust.
    email, uri
        What the peer's certificate must carry besides a host name.
    purpose_check
        ``default``, ``strict`` or ``any``.
    least_rsa, least_ec, least_hash
        Bits of keys and hashes that certificates must have; 0: no rule.
    whole_chain
        Whether a chain must end at a self-signed root.
    policies
        Object identifiers of certificate policies, one of which the peer's chain must have.
    resume
        Whether sessions are taken up again.
    server_name
        What a client sends as server name; None: the name it connects by; "": none.
    alpn
        What becomes of the application protocol ``dicom``.
    certificates
        More certificates of a server, for the names that they carry: PEM files with their keys, or
        PKCS #12.
    staples
        OCSP responses for the first of `certificates`, in their order.
    refuse_unknown_names
        Whether a server refuses clients that ask for another name than those of its certificates.
    certificate_optional
        Whether a server takes clients without a certificate; one that is sent is verified.
    send_ca_names
        Whether a server tells clients the names of its authorities.
    """

    ca_files: tuple[str, ...] = ()
    ca_folders: tuple[str, ...] = ()
    system_trust: bool = False
    pins: tuple[str, ...] = ()
    pins_only: bool = False
    email: str | None = None
    uri: str | None = None
    purpose_check: PurposeCheck = "default"
    least_rsa: int = 0
    least_ec: int = 0
    least_hash: int = 0
    whole_chain: bool = False
    policies: tuple[str, ...] = ()
    resume: bool = False
    server_name: str | None = None
    alpn: Alpn = "off"
    certificates: tuple[str, ...] = ()
    staples: tuple[str, ...] = ()
    refuse_unknown_names: bool = False
    certificate_optional: bool = False
    send_ca_names: bool = True

    @property
    def given(self) -> bool:
        """Whether anything is set."""
        return self != TlsDemands()

    @property
    def trusts(self) -> bool:
        """Whether somebody is trusted by these settings alone."""
        return bool(self.ca_files or self.ca_folders or self.system_trust or self.pins_only)

    @property
    def demands(self) -> bool:
        """Whether anything is asked of the peer that makes no sense without verification."""
        return bool(self.pins or self.email or self.uri or self.policies)

    def apply(self, net: DicomNet) -> None:
        """Give a net these settings; it has its others already.

        Raises
        ------
        DicomException
            For what cannot be used; the message names it.
        """
        from leadtools_compat._nodes.tls import certificate_type

        if not self.given:
            return
        for file in self.ca_files:
            net.add_tls_ca_file(file)
        for folder in self.ca_folders:
            net.add_tls_ca_folder(folder)
        if self.system_trust:
            net.add_tls_system_trust()
        net.set_tls_pins(self.pins, self.pins_only)
        net.expected_email, net.expected_uri = self.email, self.uri
        if self.purpose_check != "default":
            net.tls_purpose_check = self.purpose_check
        net.set_tls_minimum_strength(self.least_rsa, self.least_ec, self.least_hash)
        net.tls_partial_chain = not self.whole_chain
        if self.policies:
            net.set_tls_policies(self.policies)
        net.tls_resumption = self.resume
        net.send_ca_names = self.send_ca_names
        net.server_name = self.server_name
        net.tls_alpn = self.alpn
        for file, staple in zip_longest(self.certificates, self.staples):
            net.add_tls_certificate(file, certificate_type(file), ocsp_staple_file=staple)
        net.tls_refuse_unknown_names = self.refuse_unknown_names
