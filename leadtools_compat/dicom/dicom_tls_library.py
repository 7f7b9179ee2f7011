"""`DicomTlsLibrary`."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["DicomTlsLibrary"]


class DicomTlsLibrary(NamedTuple):
    """What the linked OpenSSL has; the result of `DicomNet.tls_library` (ours).

    Attributes
    ----------
    version
        OpenSSL's own words.
    groups
        Groups for the key exchange, by OpenSSL's names.
    hybrid_groups
        Those of them that combine a curve with a post-quantum method, as ``X25519MLKEM768``; empty
        before OpenSSL 3.5. Where they are, they are offered and taken first, unless a profile or
        the peer says otherwise.
    providers
        Providers that are loaded: ``default``, and what `DicomNet.load_tls_provider` has added.
    """

    version: str
    groups: tuple[str, ...]
    hybrid_groups: tuple[str, ...]
    providers: tuple[str, ...]
