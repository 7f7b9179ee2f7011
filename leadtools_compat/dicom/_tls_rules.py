"""What a net was told about names, pins and purposes, for its properties to give back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from leadtools_compat._binding.errors import parameter_error

__all__ = ["ALPN_MODES", "PURPOSE_CHECKS", "Alpn", "PurposeCheck", "TlsPins", "TlsRules", "choice"]

Alpn = Literal["off", "offer", "refuse", "require"]
PurposeCheck = Literal["default", "strict", "any"]
# In the order of DICOM_TLS_ALPN_... and DICOM_TLS_PURPOSE_...
ALPN_MODES: tuple[Alpn, ...] = get_args(Alpn)
PURPOSE_CHECKS: tuple[PurposeCheck, ...] = get_args(PurposeCheck)


class TlsPins(NamedTuple):
    """The two pins of a certificate.

    Attributes
    ----------
    certificate
        ``cert:`` and the SHA-256 of the certificate, in hexadecimal: good until it is renewed.
    key
        ``key:`` and the SHA-256 of its public key: good as long as the key stays.
    """

    certificate: str
    key: str


@dataclass
class TlsRules:
    """The settings of one net, as they were given."""

    server_name: str | None = None
    expected_email: str | None = None
    expected_uri: str | None = None
    refuse_unknown_names: bool = False
    alpn: Alpn = "off"
    pins: tuple[str, ...] = ()
    pins_only: bool = False
    purpose_check: PurposeCheck = "default"
    minimum_strength: tuple[int, int, int] = (0, 0, 0)
    policies: tuple[str, ...] | None = None
    partial_chain: bool = True


def choice(value: object, name: str, known: tuple[str, ...]) -> int:
    """Give the number of a word.

    Raises
    ------
    DicomException
        ``Parameter``: it is none of them.
    TypeError
        It is no str.
    """
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not {type(value).__name__}")
    if value not in known:
        raise parameter_error(f"{name} is {value!r}; it can be {', '.join(map(repr, known))}")
    return known.index(value)
