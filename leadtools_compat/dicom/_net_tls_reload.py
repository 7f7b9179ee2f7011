"""The members of `DicomNet` for certificates that change while a node runs; all are ours."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from leadtools_compat._binding import ffi, lib
from leadtools_compat._binding.errors import parameter_error
from leadtools_compat._binding.text import Contents, StrPath, is_bytes, path_to_c
from leadtools_compat.dicom._arguments import member
from leadtools_compat.dicom._net_own_certificate import call_that_asks
from leadtools_compat.dicom._net_state import call, live
from leadtools_compat.dicom._net_tls_revocation import paths_to_c
from leadtools_compat.dicom.enums_tls import DicomTlsCertificateType

__all__ = ["NetReload"]


def _empty(name: str) -> Exception:
    return parameter_error(f"{name} is empty: give what is new, or None to read the old anew")


class NetReload:
    """The part of `DicomNet` that reads certificates, keys and lists anew."""

    @property
    def children_inherit_tls(self) -> bool:
        """Whether a listener's children use its TLS instead of their own; default False (ours).

        Then the settings, certificate, key, lists, staple, cipher list and profile of the listener
        count, whatever the children have; their ``mode`` must be ``Tls`` all the same, and their
        `OnVerify` judges as ever. `Listen` raises what `Accept` would have raised, files are read
        once, and `reload_tls` works; while it does in another thread, `Listen` is ``InvalidState``.

        Raises
        ------
        DicomException
            ``InvalidState``: connecting, connected or listening.
        """
        return live(self).children_inherit_tls

    @children_inherit_tls.setter
    def children_inherit_tls(self, value: bool) -> None:
        state = live(self)
        call(state, lib.L_DicomSetChildrenInheritTLS(state.handle, bool(value)))
        state.children_inherit_tls = bool(value)

    def reload_tls(
        self,
        certFile: StrPath | Contents | None = None,
        type: DicomTlsCertificateType | int = DicomTlsCertificateType.Pem,
        keyFile: StrPath | Contents | None = None,
        *,
        ca: StrPath | Contents | None = None,
        crl_paths: StrPath | Iterable[StrPath] | None = None,
        ocsp_staple_file: StrPath | None = None,
    ) -> None:
        """Read certificate, key, CA file, revocation lists and staple anew (ours).

        For a net that listens, with `children_inherit_tls`: the next handshakes use what has been
        read, connections that are open live on with what they began with. For one that is connected
        or idle: the next `Connect` does. All or nothing: after an exception what was there before
        stays in force.

        Parameters
        ----------
        certFile, type, keyFile
            A new certificate and key, as in `SetTlsClientCertificate`. None: the files that were
            given before; what came as bytes stays.
        ca
            A new CA file, or PEM text as bytes.
        crl_paths
            New files and folders of revocation lists.
        ocsp_staple_file
            A new file with the OCSP response.

        Raises
        ------
        DicomException
            ``TlsCertificateFile``, ``TlsPrivateKeyFile``, ``TlsPrivateKeyPassword``,
            ``TlsKeyMismatch``, ``TlsCAFile``, ``FileAccess`` and others: the message names the
            file. ``InvalidState``: the net is not TLS, its children have settings of their own, or
            another thread is reloading or just connecting it. ``Parameter``: something is empty.
        Exception
            What `OnPrivateKeyPassword` raised, which is asked again for an encrypted key.
        """
        state = live(self)
        given = ffi.new("DICOMTLSRELOAD *")
        given.uStructSize = ffi.sizeof("DICOMTLSRELOAD")
        given.nCertType = member(type, "type", DicomTlsCertificateType)
        kept: list[Any] = []

        def put(value: StrPath | Contents | None, name: str, file: str, data: str) -> None:
            if value is None:
                return
            if data and is_bytes(value):
                content = ffi.from_buffer("L_UCHAR[]", bytes(value))
                kept.append(content)
                setattr(given, data, content)
                setattr(given, "n" + data[1:], len(content))
                return
            path = path_to_c(value, name)  # type: ignore[arg-type]
            if path != ffi.NULL:
                kept.append(ffi.new("char[]", path))
                setattr(given, file, kept[-1])
            elif name != "keyFile":
                raise _empty(name)

        if keyFile is not None and is_bytes(keyFile) != is_bytes(certFile):
            raise TypeError("certFile and keyFile must both be paths, or both be bytes")
        put(certFile, "certFile", "pszCertFile", "pCert")
        put(keyFile, "keyFile", "pszKeyFile", "pKey")
        put(ca, "ca", "pszCAFile", "pCA")
        paths: tuple[StrPath, ...] = ()
        if crl_paths is not None:
            one = isinstance(crl_paths, (str, os.PathLike))
            paths = (crl_paths,) if one else tuple(crl_paths)  # type: ignore[assignment,arg-type]
            if not paths:
                raise _empty("crl_paths")
            array, given.nCrlPaths, keep = paths_to_c(paths, "crl_paths")
            kept += [array, keep]
            given.ppszCrlPaths = array
        put(ocsp_staple_file, "ocsp_staple_file", "pszStapleFile", "")
        call_that_asks(self, state, lib.L_DicomReloadTLS, given)
        state.crl_paths = paths or state.crl_paths
        state.ocsp_staple_file = ocsp_staple_file or state.ocsp_staple_file
