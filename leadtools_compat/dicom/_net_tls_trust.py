"""The members of `DicomNet` about whom it trusts and how strictly (all ours)."""

from __future__ import annotations

from collections.abc import Iterable

from leadtools_compat._binding import lib, reads
from leadtools_compat._binding.errors import parameter_error
from leadtools_compat._binding.text import Contents, StrPath, is_bytes, path_to_c, text_to_c
from leadtools_compat.dicom._arguments import integer
from leadtools_compat.dicom._net_state import call, live
from leadtools_compat.dicom._tls_rules import PURPOSE_CHECKS, PurposeCheck, TlsPins, choice

__all__ = ["NetTlsTrust"]


class NetTlsTrust:
    """The part of `DicomNet` that is about pins, purposes, keys, and more CA certificates."""

    # ---- pins ----

    @staticmethod
    def tls_pins_of(certificate: Contents) -> TlsPins:
        """Compute the pins of a certificate (ours).

        Parameters
        ----------
        certificate
            PEM or DER, as `tls_peer_certificates` gives it. Of several in PEM, the first.

        Raises
        ------
        DicomException
            ``TlsCertificateFile``: it is no certificate.
        TypeError
            It is not bytes.
        """
        if not is_bytes(certificate):
            raise TypeError(f"certificate must be bytes, not {type(certificate).__name__}")
        content = bytes(certificate)
        return TlsPins(
            reads.tls_pin(content, lib.DICOM_TLS_PIN_CERTIFICATE),
            reads.tls_pin(content, lib.DICOM_TLS_PIN_KEY),
        )

    def set_tls_pins(self, pins: str | Iterable[str] | None, only: bool = False) -> None:
        """Say which certificates or keys the peer may have (ours).

        One of them must be that of the peer's own certificate. A peer with another one goes through
        `OnVerify` as ``CertUntrusted``, before its chain is looked at; the failure record has its
        pin. A server with pins insists on a certificate.

        Parameters
        ----------
        pins
            Up to 64; ``cert:`` and the SHA-256 of the certificate, or ``key:`` and that of its
            public key (SubjectPublicKeyInfo), in hexadecimal, with colons or not, or in base64.
            `tls_pins_of` and ``leadtools-compat cert`` give them. None or none: no pins.
        only
            True: the pins are the only trust. No CA is needed and none counts, as for self-signed
            certificates of devices; date, purpose, names and strength are checked all the same.
            False: the pins are demanded besides.

        Raises
        ------
        DicomException
            ``Parameter``: a text that is no pin or empty, more than 64, or none to be the only trust.
            ``InvalidState``: connecting, connected or listening. Later, `Connect` and `Accept`
            raise ``Parameter`` where the verification flags are without ``Peer``.
        """
        state = live(self)
        wanted = (pins,) if isinstance(pins, str) else tuple(pins or ())
        for one in wanted:
            if isinstance(one, str) and not one.strip():
                raise parameter_error(
                    f"pins is {pins!r}, which has an empty pin in it. None stands for no pins"
                )
        text = text_to_c(" ".join(wanted), "pins")
        call(state, lib.L_DicomSetPinsTLS(state.handle, text, bool(only)))
        state.rules.pins, state.rules.pins_only = wanted, bool(only and wanted)

    @property
    def tls_pins(self) -> tuple[str, ...]:
        """The pins, as they were given to `set_tls_pins` (ours)."""
        return live(self).rules.pins

    @property
    def tls_pins_only(self) -> bool:
        """Whether the pins are the only trust (ours)."""
        return live(self).rules.pins_only

    # ---- purposes, keys, chains ----

    @property
    def tls_purpose_check(self) -> PurposeCheck:
        """How strictly the extended key usage of the peer's certificate is judged (ours).

        A server wants ``clientAuth``, a client ``serverAuth``. ``default``: where the certificate
        has the extension. ``strict``: it must have it. ``any``: no check, with a warning; for old
        devices whose certificates were issued for the wrong purpose. A fault is ``InvalidPurpose``.

        Raises
        ------
        DicomException
            ``Parameter``: another word. ``InvalidState``: connecting, connected or listening.

        Notes
        -----
        Source: RFC 5280, 4.2.1.12.
        """
        return live(self).rules.purpose_check

    @tls_purpose_check.setter
    def tls_purpose_check(self, value: PurposeCheck) -> None:
        state = live(self)
        number = choice(value, "tls_purpose_check", PURPOSE_CHECKS)
        call(state, lib.L_DicomSetPurposeCheckTLS(state.handle, number))
        state.rules.purpose_check = value

    def set_tls_minimum_strength(
        self, rsa_bits: int = 0, ec_bits: int = 0, hash_bits: int = 0
    ) -> None:
        """Say how strong certificates must at least be, the peer's and the own one (ours).

        It only adds to the security level (RSA 2048, EC 224, SHA-224) and to the profile. What is
        too weak in the peer's chain goes through `OnVerify` with codes 66 to 68; an own certificate
        that is too weak is ``TlsWeakKey`` at `Connect` and `Accept`.

        Parameters
        ----------
        rsa_bits, ec_bits
            Of keys, up to 16384 and 521; Ed25519 counts as EC 256, Ed448 as EC 448. 0: no rule.
        hash_bits
            Of the hash in signatures of certificates, up to 512. 0: no rule.

        Raises
        ------
        DicomException
            ``Parameter``: too large. ``InvalidState``: connecting, connected or listening.
        """
        state = live(self)
        least = (
            integer(rsa_bits, "rsa_bits", 0, 16384),
            integer(ec_bits, "ec_bits", 0, 521),
            integer(hash_bits, "hash_bits", 0, 512),
        )
        call(state, lib.L_DicomSetMinimumStrengthTLS(state.handle, *least))
        state.rules.minimum_strength = least

    @property
    def tls_minimum_strength(self) -> tuple[int, int, int]:
        """Bits of RSA keys, EC keys and hashes, as `set_tls_minimum_strength` took them (ours)."""
        return live(self).rules.minimum_strength

    @property
    def tls_partial_chain(self) -> bool:
        """Whether any certificate of the CA file ends a chain (default), or only a root (ours).

        True: an intermediate, or a peer's own certificate, in the CA file is trusted by itself.
        False: a chain must end in a self-signed certificate that is trusted.
        """
        return live(self).rules.partial_chain

    @tls_partial_chain.setter
    def tls_partial_chain(self, value: bool) -> None:
        state = live(self)
        call(state, lib.L_DicomSetPartialChainTLS(state.handle, bool(value)))
        state.rules.partial_chain = bool(value)

    # ---- more CA certificates ----

    def add_tls_ca_file(self, file: StrPath) -> None:
        """Trust the certificates of one more file, PEM or DER, until the next `Initialize` (ours).

        Raises
        ------
        DicomException
            ``TlsCAFile``: it cannot be read or holds no certificate. ``InvalidState``: not TLS,
            connecting, connected or listening.
        """
        state = live(self)
        call(state, lib.L_DicomAddCAFileTLS(state.handle, path_to_c(file, "file")))

    def add_tls_ca_folder(self, folder: StrPath) -> None:
        """Trust all certificates in a folder, until the next `Initialize` (ours).

        Every file counts, PEM or DER, whatever its name; subfolders and names with a dot in front
        do not. What cannot be read is told in the log, and left out.

        Raises
        ------
        DicomException
            ``TlsCAFile``: it cannot be read, holds no certificate, or has more than 4096 entries.
            ``InvalidState``: not TLS, connecting, connected or listening.
        """
        state = live(self)
        call(state, lib.L_DicomAddCAFolderTLS(state.handle, path_to_c(folder, "folder")))

    def add_tls_system_trust(self) -> None:
        """Trust the authorities that this computer trusts, until the next `Initialize` (ours).

        Those are the public ones of the web, besides what the hospital has installed: think twice
        at a server, where anybody can buy a certificate of theirs. ``SSL_CERT_FILE`` and
        ``SSL_CERT_DIR`` count, as for OpenSSL's programs. Without this call nothing of the computer
        is trusted.

        Raises
        ------
        DicomException
            ``TlsCAFile``: there is no such store. ``InvalidState``: not TLS, connecting, connected
            or listening.
        """
        state = live(self)
        call(state, lib.L_DicomAddSystemTrustTLS(state.handle))
