"""The members of `DicomNet` about names in TLS: what is sent, expected, and served (all ours)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leadtools_compat._binding import ffi, lib, reads
from leadtools_compat._binding.errors import parameter_error
from leadtools_compat._binding.text import Contents, StrPath, path_to_c, text_to_c
from leadtools_compat.dicom._arguments import member
from leadtools_compat.dicom._net_own_certificate import call_that_asks, own_certificate
from leadtools_compat.dicom._net_state import call, live
from leadtools_compat.dicom._tls_rules import ALPN_MODES, Alpn, choice
from leadtools_compat.dicom.enums_tls import DicomTlsCertificateType

__all__ = ["NetTlsNames"]


def _optional(value: str | None, name: str) -> Any:
    return ffi.NULL if value is None else text_to_c(value, name)


def _expect(net: Any, kind: int, value: str | None, name: str) -> None:
    state = live(net)
    text = _optional(value, name)
    call(state, lib.L_DicomSetExpectedNameTLS(state.handle, kind, text))
    setattr(state.rules, name, value or None)


class NetTlsNames:
    """The part of `DicomNet` that is about names in TLS."""

    @property
    def server_name(self) -> str | None:
        """The name that a client sends, so that a server can choose its certificate (SNI, ours).

        None, the default: `expected_host`, else the host that `Connect` is given, unless that is an
        address. "": none is sent.

        Raises
        ------
        DicomException
            ``Parameter``: an address, or no DNS name in ASCII. ``InvalidState``: connecting,
            connected or listening.

        Notes
        -----
        Source: RFC 6066, 3.
        """
        return live(self).rules.server_name

    @server_name.setter
    def server_name(self, value: str | None) -> None:
        state = live(self)
        call(state, lib.L_DicomSetServerNameTLS(state.handle, _optional(value, "server_name")))
        state.rules.server_name = value

    @property
    def tls_server_name(self) -> str:
        """The server name of the live or last link: sent, or asked for by the client (ours).

        "" if there was none. At a server it is what the client said, also when it was refused:
        control characters are escaped, and it may be no name that exists.
        """
        return reads.tls_info(live(self).handle, lib.DICOM_TLS_INFO_SERVER_NAME)

    @property
    def expected_email(self) -> str | None:
        """E-mail address that the peer's certificate must carry; None: not checked (ours).

        A mismatch goes through `OnVerify` as ``EmailMismatch``. A server that expects one insists
        on a certificate. Both `expected_host` and this must fit where both are set.

        Raises
        ------
        DicomException
            ``Parameter``: not an address, or longer than 1024 bytes. ``InvalidState``: connecting,
            connected or listening. Later, `Connect` and `Accept` raise ``Parameter`` where the
            verification flags are without ``Peer``.
        """
        return live(self).rules.expected_email

    @expected_email.setter
    def expected_email(self, value: str | None) -> None:
        _expect(self, lib.DICOM_TLS_NAME_EMAIL, value, "expected_email")

    @property
    def expected_uri(self) -> str | None:
        """URI that the peer's certificate must carry, byte for byte; None: not checked (ours).

        A mismatch goes through `OnVerify` as ``HostnameMismatch``, and the failure record names the
        URI. Otherwise as `expected_email`.
        """
        return live(self).rules.expected_uri

    @expected_uri.setter
    def expected_uri(self, value: str | None) -> None:
        _expect(self, lib.DICOM_TLS_NAME_URI, value, "expected_uri")

    # ---- certificates by name ----

    def add_tls_certificate(
        self,
        certFile: StrPath | Contents,
        type: DicomTlsCertificateType | int,
        keyFile: StrPath | Contents | None = None,
        names: str | Sequence[str] | None = None,
        ocsp_staple_file: StrPath | None = None,
    ) -> None:
        """Load one more certificate, for clients that ask for certain names (ours).

        A server does so on the net that it hands to `Accept`, after `SetTlsClientCertificate`,
        whose certificate stays the default one. The exact name is looked for first, then a pattern,
        each in the order of these calls. Loading files that others have in use costs little.

        Parameters
        ----------
        certFile, type, keyFile
            As for `SetTlsClientCertificate`: certificate and chain, format, key.
        names
            DNS names; the first label may be ``*`` and stands for one label. None: the DNS names
            that the certificate carries.
        ocsp_staple_file
            The OCSP response for this certificate, DER, as `ocsp_staple_file` is for the default
            one; None: it is sent without one.

        Raises
        ------
        DicomException
            As `SetTlsClientCertificate`; ``Parameter``: no name is left, one is none, or there are
            64 certificates already; ``FileAccess``: the staple is not for this certificate, out of
            date, or unreadable. Nothing has been added then. Later, `Accept` raises ``TlsWeakKey``
            and the like, and says which certificate it is about.
        Exception
            What `OnPrivateKeyPassword` raised.

        Notes
        -----
        Sources: RFC 6066, 3; RFC 6125, 6.4.3.
        """
        state = live(self)
        kind = member(type, "type", DicomTlsCertificateType)
        wanted = names if names is None or isinstance(names, str) else " ".join(names)
        if wanted is not None and not wanted.strip(" ,"):
            raise parameter_error(f"names is {names!r}: give at least one DNS name, or None")
        for_names = _optional(wanted, "names")
        given = ffi.new("DICOMTLSCERTIFICATE *")
        given.uStructSize, given.nCertType = ffi.sizeof("DICOMTLSCERTIFICATE"), kind
        in_memory, arguments = own_certificate(certFile, kind, keyFile)
        staple = path_to_c(ocsp_staple_file, "ocsp_staple_file")
        texts = {"pszNames": for_names, "pszStapleFile": staple}
        contents = {}
        if in_memory:
            contents["pCert"], given.nCert, _, contents["pKey"], given.nKey = arguments
        else:
            texts["pszCertFile"], _, texts["pszKeyFile"] = arguments
        kept = {
            **{name: ffi.new("char[]", text) for name, text in texts.items() if text},
            **{
                name: ffi.from_buffer("L_UCHAR[]", content)
                for name, content in contents.items()
                if content != ffi.NULL
            },
        }
        for name, value in kept.items():
            setattr(given, name, value)
        call_that_asks(self, state, lib.L_DicomAddCertificateExTLS, given)

    def clear_tls_certificates(self) -> None:
        """Forget what `add_tls_certificate` has added (ours).

        Raises
        ------
        DicomException
            ``InvalidState``: connecting, connected or listening.
        """
        state = live(self)
        call(state, lib.L_DicomClearCertificatesTLS(state.handle))

    @property
    def tls_refuse_unknown_names(self) -> bool:
        """Whether a server refuses a client that asks for a name it has no certificate for (ours).

        Default False: such a client gets the default certificate, and can judge it. True: alert
        ``unrecognized_name``. The names of the default certificate are known ones; a client that
        asks for no name gets the default certificate.
        """
        return live(self).rules.refuse_unknown_names

    @tls_refuse_unknown_names.setter
    def tls_refuse_unknown_names(self, value: bool) -> None:
        state = live(self)
        call(state, lib.L_DicomSetRefuseUnknownNamesTLS(state.handle, bool(value)))
        state.rules.refuse_unknown_names = bool(value)

    # ---- ALPN ----

    @property
    def tls_alpn(self) -> Alpn:
        """What becomes of the application protocol ``dicom`` (ALPN, ours).

        ``off``, the default: it is neither offered nor answered. ``offer``: a client offers it, a
        server takes it, and any other outcome is no matter. ``refuse``: besides, a server refuses
        clients that offer others only, as browsers do (alert ``no_application_protocol``).
        ``require``: no link without it, on either side.

        Raises
        ------
        DicomException
            ``Parameter``: another word. ``InvalidState``: connecting, connected or listening.

        Notes
        -----
        Source: RFC 7301, and IANA's list of its names.
        """
        return live(self).rules.alpn

    @tls_alpn.setter
    def tls_alpn(self, value: Alpn) -> None:
        state = live(self)
        number = choice(value, "tls_alpn", ALPN_MODES)
        call(state, lib.L_DicomSetAlpnTLS(state.handle, number))
        state.rules.alpn = value

    @property
    def tls_application_protocol(self) -> str:
        """The application protocol of the link, ``dicom``; "" if none was agreed (ours)."""
        return reads.tls_info(live(self).handle, lib.DICOM_TLS_INFO_APPLICATION)
