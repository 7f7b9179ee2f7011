"""The members of `DicomNet` around keys: OpenSSL's providers, what OpenSSL has, the key log."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING

from leadtools_compat._binding import lib, reads
from leadtools_compat._binding.errors import check, parameter_error
from leadtools_compat._binding.text import StrPath, path_to_c, text_to_c
from leadtools_compat.dicom._net_state import TLS_VALUES, call, live
from leadtools_compat.dicom.dicom_tls_library import DicomTlsLibrary

if TYPE_CHECKING:
    from leadtools_compat.dicom.dicom_net import DicomNet

__all__ = ["NetTlsKeys"]


def _lines(parameters: Mapping[str, StrPath] | None) -> bytes:
    lines = []
    for name, value in (parameters or {}).items():
        text = path_to_c(value, f"parameter {name}")
        words = text if isinstance(text, bytes) else b""
        if b"\n" in words:
            raise parameter_error(f"parameter {name} is {value!r}, which has a newline in it")
        lines.append(text_to_c(name, "name of a parameter") + b"=" + words)
    return b"\n".join(lines)


def _listed(what: int) -> tuple[str, ...]:
    return tuple(filter(None, reads.tls_library(what).split(":")))


class NetTlsKeys:
    """The part of `DicomNet` that is about where keys come from, and where they may go."""

    @staticmethod
    def load_tls_provider(
        name: str, module: StrPath | None = None, parameters: Mapping[str, StrPath] | None = None
    ) -> None:
        """Load a provider of OpenSSL, so that keys in it can be used (ours).

        Afterwards a URI may stand for a file in `SetTlsClientCertificate`, as
        ``pkcs11:token=site;object=node``. The provider is loaded for this library only, never
        unasked, and stays until the process ends; a forked child loads it again.

        Parameters
        ----------
        name
            As OpenSSL knows it: ``pkcs11``, ``legacy``, ``tpm2``.
        module
            Its file; None: the one of that name in OpenSSL's folder (``openssl version -m``).
        parameters
            What the provider takes; for ``pkcs11`` at least ``pkcs11-module-path``, the library of
            the token.

        Raises
        ------
        DicomException
            ``TlsFailure``: it cannot be loaded; the message says why. ``InvalidState``: it is
            loaded with another module or other parameters. ``Parameter``: a name that cannot be.

        Notes
        -----
        Sources: provider(7), RFC 7512 for the URIs.
        """
        check(
            lib.L_DicomLoadProviderTLS(
                text_to_c(name, "name"), path_to_c(module, "module"), _lines(parameters)
            )
        )

    @staticmethod
    def tls_library() -> DicomTlsLibrary:
        """Tell what the linked OpenSSL has: groups, post-quantum hybrids, providers (ours)."""
        return DicomTlsLibrary(
            reads.tls_library(lib.DICOM_TLS_LIBRARY_VERSION),
            _listed(lib.DICOM_TLS_LIBRARY_GROUPS),
            _listed(lib.DICOM_TLS_LIBRARY_HYBRID_GROUPS),
            _listed(lib.DICOM_TLS_LIBRARY_PROVIDERS),
        )

    def copy_tls_settings(self, source: DicomNet) -> None:
        """Take over all TLS settings of another net (ours).

        Versions, verification flags, authorities, certificate and key, cipher suites, profile,
        revocation, and what else was set, without asking for a password again; not callbacks and
        limits. For nets that belong together: a listener's children, or the listener for the
        sub-associations of a C-MOVE. What is different is set afterwards.

        Parameters
        ----------
        source
            In any state. Later changes of it do not count here.

        Raises
        ------
        DicomException
            ``InvalidState``: one of the two is not TLS, or this one is connecting, connected or
            listening.
        TypeError
            `source` is no net.
        """
        here = live(self)
        if not isinstance(source, NetTlsKeys):
            raise TypeError(f"source must be a DicomNet, not {type(source).__name__}")
        there = live(source)
        call(here, lib.L_DicomCopySettingsTLS(there.handle, here.handle))
        for name in TLS_VALUES:
            setattr(here, name, copy.copy(getattr(there, name)))

    @property
    def tls_keylog_file(self) -> StrPath | None:
        """File for the secrets of TLS links, to decrypt recorded traffic; None: off (ours).

        Danger: who reads the file can decrypt the links. It is appended to in the form of
        SSLKEYLOGFILE, made with mode 0600, and refused (``FileAccess``) when others can read it. A
        warning is logged when it is set and with each link. The environment is never looked at. A
        server sets it on the net that it hands to `Accept`.
        """
        path: StrPath | None = live(self).tls_keylog_file
        return path

    @tls_keylog_file.setter
    def tls_keylog_file(self, value: StrPath | None) -> None:
        state = live(self)
        path = path_to_c(value, "tls_keylog_file")
        call(state, lib.L_DicomSetKeyLogFileTLS(state.handle, path))
        state.tls_keylog_file = value or None
