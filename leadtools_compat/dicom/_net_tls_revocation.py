"""The members of `DicomNet` about revocation: lists (CRL) and stapled answers (OCSP); all are ours."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from leadtools_compat._binding import ffi, lib, reads
from leadtools_compat._binding.errors import parameter_error
from leadtools_compat._binding.text import StrPath, path_to_c
from leadtools_compat.dicom._net_state import call, live

__all__ = ["NetRevocation", "paths_to_c"]

_CHECKS = ("chain", "leaf")
_OCSP = {
    "off": lib.DICOM_OCSP_OFF,
    "check": lib.DICOM_OCSP_CHECK,
    "require": lib.DICOM_OCSP_REQUIRE,
}


def paths_to_c(paths: Iterable[StrPath], name: str) -> tuple[Any, int, Any]:
    """Make ``const char *const *`` of paths: the pointer (NULL for none), their number, what keeps it."""
    kept = [ffi.new("char[]", _some(path, name)) for path in paths]
    array = ffi.new("const L_TCHAR *[]", kept) if kept else ffi.NULL
    return array, len(kept), kept


def _some(path: StrPath, name: str) -> bytes:
    encoded = path_to_c(path, name)
    if encoded == ffi.NULL:
        raise parameter_error(f"{name} has an empty path in it")
    return bytes(encoded)


def _member(value: str, allowed: Iterable[str], name: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not {type(value).__name__}")
    if value not in allowed:
        raise parameter_error(
            f"{name} is {value!r}, but must be one of {', '.join(map(repr, allowed))}"
        )
    return value


class NetRevocation:
    """The part of `DicomNet` that finds out whether a certificate has been revoked.

    Nothing is ever fetched over the network: lists and staples are files that somebody renews.
    """

    # ---- lists

    @property
    def crl_paths(self) -> tuple[StrPath, ...]:
        """Files and folders of certificate revocation lists; empty: no list is checked (ours).

        A file is PEM, with any number of lists, or DER. Of a folder all lists are taken; what is
        no list is passed over with a warning, hidden files and folders inside silently. Whoever is
        checked needs a list of its issuer that is in date: codes ``UnableToGetCrl``,
        ``CrlHasExpired``, ``CrlNotYetValid``; ``CertRevoked`` if the list names it. The files are
        read here, and again by `reload_tls`.

        Setting it takes one path or several.

        Raises
        ------
        DicomException
            ``FileAccess``: a file cannot be read, holds no list or a damaged one, or a folder has
            none; nothing has changed then. ``InvalidState``: connecting, connected or listening.

        Notes
        -----
        RFC 5280 section 6.3.
        """
        return live(self).crl_paths

    @crl_paths.setter
    def crl_paths(self, value: StrPath | Iterable[StrPath] | None) -> None:
        state = live(self)
        if value is None:
            value = ()
        paths = (value,) if isinstance(value, (str, os.PathLike)) else tuple(value)
        array, count, kept = paths_to_c(paths, "crl_paths")
        call(state, lib.L_DicomSetCrlPathsTLS(state.handle, array, count))
        del kept
        state.crl_paths = paths

    @property
    def crl_file(self) -> StrPath | None:
        """The file of revocation lists, if there is just one; None: none is checked (ours).

        As `crl_paths` with one path.
        """
        paths = live(self).crl_paths
        return paths[0] if len(paths) == 1 else None

    @crl_file.setter
    def crl_file(self, value: StrPath | None) -> None:
        state = live(self)
        call(state, lib.L_DicomSetCrlFileTLS(state.handle, path_to_c(value, "crl_file")))
        state.crl_paths = (value,) if value else ()

    @property
    def crl_check(self) -> str:
        """``"chain"``: every certificate of the chain needs a list; ``"leaf"``: only the peer's (ours).

        The default is ``"chain"``. It counts with `crl_paths`.

        Raises
        ------
        DicomException
            ``Parameter``: another word. ``InvalidState``: connecting, connected or listening.
        """
        return live(self).crl_check

    @crl_check.setter
    def crl_check(self, value: str) -> None:
        state = live(self)
        check = _member(value, _CHECKS, "crl_check")
        soft = state.revocation_soft_fail
        call(state, lib.L_DicomSetRevocationTLS(state.handle, check == "leaf", soft))
        state.crl_check = check

    @property
    def revocation_soft_fail(self) -> bool:
        """Whether a list that is missing or out of date is no reason to refuse; default False (ours).

        Such a link says so: `tls_revocation` is ``"unknown"``, and the log has a warning. It makes
        no session to resume. A certificate that a list names, be the list out of date, is refused
        in any case; so is a list whose signature is wrong. OCSP has `ocsp_check` instead.
        """
        return live(self).revocation_soft_fail

    @revocation_soft_fail.setter
    def revocation_soft_fail(self, value: bool) -> None:
        state = live(self)
        leaf = state.crl_check == "leaf"
        call(state, lib.L_DicomSetRevocationTLS(state.handle, leaf, bool(value)))
        state.revocation_soft_fail = bool(value)

    # ---- OCSP

    @property
    def ocsp_check(self) -> str:
        """What a client does about the OCSP answer that a server staples to its certificate (ours).

        ``"off"``
            It is not asked for. The default.
        ``"check"``
            It is asked for, and judged if it comes. One that is missing will do, unless the
            certificate says that it is only good with one (must-staple, RFC 7633).
        ``"require"``
            It must be there. A server cannot require one: clients send none.

        Judged are signature, who may sign (the issuer, or a responder with OCSPSigning from the
        issuer itself), dates (5 minutes of grace), and what it says. Complaints go through
        `OnVerify` about the server's certificate, after the calls of its chain: ``CertRevoked``,
        ``OcspVerifyNeeded`` (there is none), ``OcspVerifyFailed`` (it proves nothing),
        ``OcspCertUnknown``.

        Raises
        ------
        DicomException
            ``Parameter``: another word. ``InvalidState``: connecting, connected or listening.
            Later, `Accept` raises ``FeatureNotSupported`` for ``"require"``.

        Notes
        -----
        RFC 6960, RFC 6066 section 8, RFC 8446 section 4.4.2.1, RFC 7633.
        """
        return live(self).ocsp_check

    @ocsp_check.setter
    def ocsp_check(self, value: str) -> None:
        state = live(self)
        mode = _member(value, _OCSP, "ocsp_check")
        call(state, lib.L_DicomSetOcspTLS(state.handle, _OCSP[mode]))
        state.ocsp_check = mode

    @property
    def ocsp_staple_file(self) -> StrPath | None:
        """The OCSP response, DER, that a server sends to clients that ask for it; None: none (ours).

        Somebody renews the file (``openssl ocsp -respout``); a new one is taken without a call, and
        one that is bad is passed over with a warning. What has ended is no longer sent.

        Raises
        ------
        DicomException
            ``FileAccess``: it cannot be read, is for another certificate, is not signed by its
            issuer, or is out of date. Without an own certificate yet, that is found out by `Accept`,
            or by `Listen` with `children_inherit_tls`. ``InvalidState``: connecting, connected or
            listening.
        """
        path: StrPath | None = live(self).ocsp_staple_file
        return path

    @ocsp_staple_file.setter
    def ocsp_staple_file(self, value: StrPath | None) -> None:
        state = live(self)
        file = path_to_c(value, "ocsp_staple_file")
        call(state, lib.L_DicomSetOcspStapleTLS(state.handle, file))
        state.ocsp_staple_file = value or None

    # ---- the link

    @property
    def tls_revocation(self) -> str:
        """What is known about revocation on the live or last link (ours).

        Returns
        -------
        str
            ``"off"``: nobody asked. ``"good"``: lists or staple say that the peer's certificate is
            not revoked. ``"unknown"``: that could not be found out, and soft fail or
            ``ocsp_check = "check"`` let it pass, or the link failed before. ``"failed"``: there was
            a complaint about it, overruled or not. ``""``: no link.
        """
        return reads.tls_info(live(self).handle, lib.DICOM_TLS_INFO_REVOCATION)

    @property
    def tls_ocsp_status(self) -> str:
        """What the server's OCSP staple said (ours).

        Returns
        -------
        str
            ``"good"``, ``"revoked"``, ``"unknown"``, ``"missing"``, ``"bad"``; ``""``: not asked for.
        """
        return reads.tls_info(live(self).handle, lib.DICOM_TLS_INFO_OCSP)
