"""The TLS members of `DicomNet`."""

from __future__ import annotations

from typing import Any

from leadtools_compat._binding import ffi, lib, reads
from leadtools_compat._binding.lifetime import ended
from leadtools_compat._binding.text import Contents, StrPath, text_to_c
from leadtools_compat.dicom._arguments import integer, member
from leadtools_compat.dicom._net_own_certificate import call_that_asks, own_certificate
from leadtools_compat.dicom._net_state import call, live, state_of
from leadtools_compat.dicom.dicom_exception import DicomException
from leadtools_compat.dicom.dicom_tls_profile import DicomTlsProfileCheck
from leadtools_compat.dicom.enums_codes import (
    DicomExceptionCode,
    DicomSecurityCertificateExceptionCode,
)
from leadtools_compat.dicom.enums_tls import (
    DicomTlsAuthenticationMethodType,
    DicomTlsCertificateType,
    DicomTlsCipherSuiteType,
    DicomTlsEncryptionMethodType,
    DicomTlsIntegrityMethodType,
    DicomTlsKeyExchangeMethodType,
)

__all__ = ["NetTls"]

SLOTS = 64
Suite = DicomTlsCipherSuiteType | int


def _suite(value: Suite) -> int:
    return integer(value, "cipherSuite", 0, 2**32 - 1)


def _info(net: Any, what: int) -> str:
    return reads.tls_info(live(net).handle, what)


class NetTls:
    """The part of `DicomNet` that is about TLS."""

    # ---- cipher suites ----

    def SetTlsCipherSuiteByIndex(self, index: int, cipherSuite: Suite) -> None:
        """Replace one entry of the list of cipher suites that this net offers or takes.

        The list begins as the default list, and the other entries stay. A client's order is its
        preference. Suites that the installed OpenSSL lacks are skipped with a warning.

        Parameters
        ----------
        index
            0..63.
        cipherSuite
            The suite. ``None_`` (0) clears this entry and all after it, so ``(0, None_)`` empties
            the list. Without a TLS 1.3 suite in it, TLS 1.3 is off.

        Raises
        ------
        DicomException
            ``Parameter``: no such index. ``InvalidState``: connecting, connected or listening.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.SetTlsCipherSuiteByIndex``; values are IANA's numbers.
        """
        state = live(self)
        slot = integer(index, "index", 0, SLOTS - 1)
        call(state, lib.L_DicomSetCipherToIndexTLS(state.handle, slot, _suite(cipherSuite)))

    def GetTlsCipherSuiteByIndex(self, index: int) -> DicomTlsCipherSuiteType:
        """Give one entry of the list; ``None_`` past its end.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.GetTlsCipherSuiteByIndex``.
        """
        slot = integer(index, "index", 0, SLOTS - 1)
        return DicomTlsCipherSuiteType(lib.L_DicomGetCipherFromIndexTLS(live(self).handle, slot))

    def GetTlsCipherSuite(self) -> DicomTlsCipherSuiteType:
        """Give the suite that was negotiated.

        Returns
        -------
        DicomTlsCipherSuiteType
            ``None_`` on a plain link, before the handshake, after a failed one, after `Dispose`:
            this never raises, as handlers call it with an error in hand.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.GetTlsCipherSuite``.
        """
        state = state_of(self)
        if ended(state.life):
            return DicomTlsCipherSuiteType.None_
        return DicomTlsCipherSuiteType(lib.L_DicomGetCiphersuiteTLS(state.handle))

    def GetTlsEncryptionAlgorithm(self, cipherSuite: Suite) -> DicomTlsEncryptionMethodType:
        """Look up how a suite encrypts; ``None_`` for an unknown one.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.GetTlsEncryptionAlgorithm``.
        """
        number = lib.L_DicomGetEncryptionAlgorithmTLS(live(self).handle, _suite(cipherSuite))
        return DicomTlsEncryptionMethodType(number)

    def GetTlsAuthenticationAlgorithm(self, cipherSuite: Suite) -> DicomTlsAuthenticationMethodType:
        """Look up how the peers of a suite prove who they are; ``None_`` for an unknown one.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.GetTlsAuthenticationAlgorithm``.
        """
        number = lib.L_DicomGetAuthenticationAlgorithmTLS(live(self).handle, _suite(cipherSuite))
        return DicomTlsAuthenticationMethodType(number)

    def GetTlsIntegrityAlgorithm(self, cipherSuite: Suite) -> DicomTlsIntegrityMethodType:
        """Look up how a suite guards against changes; ``None_`` for an unknown one.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.GetTlsIntegrityAlgorithm``.
        """
        number = lib.L_DicomGetIntegrityAlgorithmTLS(live(self).handle, _suite(cipherSuite))
        return DicomTlsIntegrityMethodType(number)

    def GetTlsKeyExchangeAlgorithm(self, cipherSuite: Suite) -> DicomTlsKeyExchangeMethodType:
        """Look up how a suite agrees on keys; ``None_`` for an unknown one.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.GetTlsKeyExchangeAlgorithm``.
        """
        number = lib.L_DicomGetKeyExchangeAlgorithmTLS(live(self).handle, _suite(cipherSuite))
        return DicomTlsKeyExchangeMethodType(number)

    def GetTlsEncryptionKeyLength(self, cipherSuite: Suite) -> int:
        """Look up the bits of a suite's key; 0 for an unknown one.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.GetTlsEncryptionKeyLength``; the unit is ours.
        """
        handle = live(self).handle
        return int(lib.L_DicomGetEncryptKeyLengthTLS(handle, _suite(cipherSuite)))

    def GetTlsMutualAuthenticationKeyLength(self, cipherSuite: Suite) -> int:
        """Give the bits of the peer's certificate key, else of our own.

        Returns
        -------
        int
            0 if `cipherSuite` is not the one of the live link.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.GetTlsMutualAuthenticationKeyLength``; the meaning is ours.
        """
        handle = live(self).handle
        return int(lib.L_DicomGetMutualAuthKeyLengthTLS(handle, _suite(cipherSuite)))

    # ---- own certificate ----

    def SetTlsClientCertificate(
        self,
        certFile: StrPath | Contents,
        type: DicomTlsCertificateType | int,
        keyFile: StrPath | Contents | None = None,
    ) -> None:
        """Load the own certificate and private key; for servers too.

        Parameters
        ----------
        certFile
            ``Pem``: the own certificate first, then its chain. ``Pkcs12``: all of it in one file
            (ours). Bytes are contents, not a path (ours). A URI of a loaded provider, as
            ``pkcs11:object=node;type=cert``, is read from there (ours).
        type
            Format of both files.
        keyFile
            The key, or its URI. None or "": it is in `certFile`, which ``Asn1`` cannot do and
            ``Pkcs12`` must. Bytes if `certFile` is bytes.

        Raises
        ------
        DicomException
            ``TlsCertificateFile``, ``TlsPrivateKeyFile``, ``TlsPrivateKeyPassword``,
            ``TlsKeyMismatch``; ``InvalidState`` while connecting, connected or listening.
        Exception
            What `OnPrivateKeyPassword` raised.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.SetTlsClientCertificate``. An encrypted key, and a token
        that wants its PIN, call `OnPrivateKeyPassword` inside this call, once.
        """
        state = live(self)
        kind = member(type, "type", DicomTlsCertificateType)
        in_memory, arguments = own_certificate(certFile, kind, keyFile)
        if arguments[0] == ffi.NULL:
            raise DicomException(
                DicomExceptionCode.TlsCertificateFile,
                f"certFile is {certFile!r}: it must name the file with the own certificate",
            )
        function = (
            lib.L_DicomSetCertificateBytesTLS if in_memory else lib.L_DicomSetClientCertificateTLS
        )
        call_that_asks(self, state, function, *arguments)

    # ---- what is ours ----

    @property
    def expected_host(self) -> str | None:
        """DNS name or IP address that the peer's certificate must carry; None: not checked (ours).

        A mismatch goes through `OnVerify` as ``HostnameMismatch`` or ``IpAddressMismatch``. A DNS
        name is sent as server name (SNI) too, unless `server_name` is set. A server with ``Peer``
        that expects one insists on a certificate. Names in the certificate's subject do not count.

        Raises
        ------
        DicomException
            ``Parameter``: neither an address nor a DNS name in ASCII. ``InvalidState``: connecting,
            connected or listening. Later, `Connect` and `Accept` raise ``Parameter`` where the
            verification flags are without ``Peer``.

        Notes
        -----
        Source: RFC 9525, 2 and 6.
        """
        return live(self).expected_host

    @expected_host.setter
    def expected_host(self, value: str | None) -> None:
        state = live(self)
        host = ffi.NULL if value is None else text_to_c(value, "expected_host")
        call(state, lib.L_DicomSetExpectedHostTLS(state.handle, host))
        state.expected_host = value or None

    @property
    def send_ca_names(self) -> bool:
        """Whether a server names its CAs when it asks for a certificate; default True (ours)."""
        return live(self).send_ca_names

    @send_ca_names.setter
    def send_ca_names(self, value: bool) -> None:
        state = live(self)
        call(state, lib.L_DicomSetSendCANamesTLS(state.handle, bool(value)))
        state.send_ca_names = bool(value)

    def apply_tls_profile(self, name: str | None) -> None:
        """Set versions, cipher list, groups, signature algorithms and key minima by name (ours).

        A server does so on the net that it hands to `Accept`. The list may be changed afterwards,
        within the profile. Beside a profile only the methods ``TlsV1_2`` and ``TlsV1_3`` count;
        options that switch a version off win. The peer's keys and hashes that are too weak for it
        go through `OnVerify` with codes 66 to 68.

        Parameters
        ----------
        name
            ``B.12``, ``B.13``, ``ihe_stx12``; ``bcp195``, ``bcp195_nd``, ``bcp195_extended``,
            ``aes``, ``basic`` are retired and warn. Neither case nor punctuation count. None: no
            profile, and the default list again. `DicomTlsProfile.all` gives the table.

        Raises
        ------
        DicomException
            ``Parameter``: unknown name. ``TlsProfile``: the linked OpenSSL or its security level
            cannot do it; the message names what is missing. ``InvalidState``: connecting,
            connected or listening. Later, `Connect` and `Accept` raise ``TlsProfile`` for a suite
            outside of it and ``TlsWeakKey`` for an own certificate that is too weak.

        Notes
        -----
        Sources: PS3.15 annex B, IHE ITI TF-2 3.19.
        """
        state = live(self)
        text = ffi.NULL if name is None else text_to_c(name, "name")
        call(state, lib.L_DicomApplyProfileTLS(state.handle, text))

    def check_tls_profiles(self) -> list[DicomTlsProfileCheck]:
        """Judge the live or last TLS link by each profile, applied or not (ours).

        Raises
        ------
        DicomException
            ``InvalidState``: there is no TLS link.
        """
        state = live(self)
        checks = []
        for profile in reads.tls_profiles():
            code, reasons = reads.tls_profile_reasons(state.handle, profile.name)
            if code != lib.DICOM_ERROR_TLS_PROFILE:
                call(state, code)
            checks.append(
                DicomTlsProfileCheck(profile.name, code == 0, tuple(reasons), profile.retired)
            )
        return checks

    @property
    def tls_resumption(self) -> bool:
        """Whether TLS sessions are resumed; default False (ours).

        A resumed session saves the exchange and the verification of certificates: the verdict of
        the full handshake holds on. It is taken only with ``Peer``, after a chain without a fault,
        for the same settings, certificate and peer, while certificates and CRLs are in date, for
        an hour; otherwise the handshake is a full one. Off by default, because whoever looks at
        `tls_peer_certificates` of each link, or revokes a certificate by other means than
        `crl_paths`, wants full handshakes.

        Never while user code judges: with an `OnVerify` of its own a class has full handshakes
        only, whatever is set here. Both sides need it; `tls_resumed` tells what happened.
        """
        return live(self).tls_resumption

    @tls_resumption.setter
    def tls_resumption(self, value: bool) -> None:
        state = live(self)
        call(state, lib.L_DicomSetSessionResumptionTLS(state.handle, bool(value)))
        state.tls_resumption = bool(value)

    @property
    def tls_version(self) -> str:
        """Version of the link, as ``TLSv1.3``; "" without one (ours)."""
        return _info(self, lib.DICOM_TLS_INFO_VERSION)

    @property
    def tls_group(self) -> str:
        """Group of the key exchange, as ``X25519``; "" without one (ours)."""
        return _info(self, lib.DICOM_TLS_INFO_GROUP)

    @property
    def tls_resumed(self) -> bool:
        """Whether the link resumed an earlier session (ours)."""
        return _info(self, lib.DICOM_TLS_INFO_RESUMED) == "1"

    @property
    def tls_verified(self) -> bool:
        """Whether the peer's chain was judged, found good, and nothing was overruled (ours)."""
        return _info(self, lib.DICOM_TLS_INFO_VERIFIED) == "1"

    @property
    def tls_verify_code(self) -> DicomSecurityCertificateExceptionCode:
        """What was found about the peer's chain, overruled or not (ours)."""
        text = _info(self, lib.DICOM_TLS_INFO_VERIFY_CODE)
        return DicomSecurityCertificateExceptionCode(int(text) if text.isdecimal() else 0)

    @property
    def tls_peer_certificates(self) -> list[bytes]:
        """Certificates that the peer sent, its own first, in DER (ours)."""
        return [der for der, _ in reads.peer_certificates(live(self).handle)]

    def GetLastIsclOrTlsError(self) -> int:
        """Give OpenSSL's packed code of this net's last TLS failure; 0 = none.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.GetLastIsclOrTlsError``.
        """
        return int(lib.L_DicomGetErrorSecure(live(self).handle))
