"""The registry of cipher suites, written down again, so that a wrong row in the library cannot hide."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from leadtools_compat.dicom import (
    DicomTlsAuthenticationMethodType,
    DicomTlsCipherSuiteType,
    DicomTlsEncryptionMethodType,
    DicomTlsIntegrityMethodType,
    DicomTlsKeyExchangeMethodType,
)
from tests.tls.peers import available_suites
from tests.tls.tls_tools import METHODS


class Row(NamedTuple):
    """One suite, as the registry and OpenSSL name it."""

    member: str
    value: int
    iana: str
    openssl: str
    key_exchange: str
    authentication: str
    encryption: str
    bits: int
    integrity: str

    @property
    def suite(self) -> DicomTlsCipherSuiteType:
        return DicomTlsCipherSuiteType[self.member]

    @property
    def tls13(self) -> bool:
        return self.value >> 8 == 0x13

    @property
    def needs_level_zero(self) -> bool:
        return self.encryption == "AesCcm8"  # a tag of 64 bits; OpenSSL 3.0 does not mind it yet


# Member, value, IANA's name less TLS_, OpenSSL's name, kx / auth / enc / bits / mac.
TABLE = """
Aes256GcmSha384 1302 AES_256_GCM_SHA384 TLS_AES_256_GCM_SHA384 Any Any AesGcm 256 Aead
Aes128GcmSha256 1301 AES_128_GCM_SHA256 TLS_AES_128_GCM_SHA256 Any Any AesGcm 128 Aead
Chacha20Poly1305Sha256 1303 CHACHA20_POLY1305_SHA256 TLS_CHACHA20_POLY1305_SHA256 Any Any Chacha20Poly1305 256 Aead
Aes128CcmSha256 1304 AES_128_CCM_SHA256 TLS_AES_128_CCM_SHA256 Any Any AesCcm 128 Aead
Aes128Ccm8Sha256 1305 AES_128_CCM_8_SHA256 TLS_AES_128_CCM_8_SHA256 Any Any AesCcm8 128 Aead
EcdheEcdsaWithAes256GcmSha384 C02C ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
    ECDHE-ECDSA-AES256-GCM-SHA384 Ecdhe Ecdsa AesGcm 256 Aead
EcdheRsaWithAes256GcmSha384 C030 ECDHE_RSA_WITH_AES_256_GCM_SHA384
    ECDHE-RSA-AES256-GCM-SHA384 Ecdhe Rsa AesGcm 256 Aead
EcdheEcdsaWithAes128GcmSha256 C02B ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
    ECDHE-ECDSA-AES128-GCM-SHA256 Ecdhe Ecdsa AesGcm 128 Aead
EcdheRsaWithAes128GcmSha256 C02F ECDHE_RSA_WITH_AES_128_GCM_SHA256
    ECDHE-RSA-AES128-GCM-SHA256 Ecdhe Rsa AesGcm 128 Aead
EcdheEcdsaWithChacha20Poly1305Sha256 CCA9 ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
    ECDHE-ECDSA-CHACHA20-POLY1305 Ecdhe Ecdsa Chacha20Poly1305 256 Aead
EcdheRsaWithChacha20Poly1305Sha256 CCA8 ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
    ECDHE-RSA-CHACHA20-POLY1305 Ecdhe Rsa Chacha20Poly1305 256 Aead
DheRsaWithAes256GcmSha384 009F DHE_RSA_WITH_AES_256_GCM_SHA384 DHE-RSA-AES256-GCM-SHA384 Dhe Rsa AesGcm 256 Aead
DheRsaWithAes128GcmSha256 009E DHE_RSA_WITH_AES_128_GCM_SHA256 DHE-RSA-AES128-GCM-SHA256 Dhe Rsa AesGcm 128 Aead
DheRsaWithChacha20Poly1305Sha256 CCAA DHE_RSA_WITH_CHACHA20_POLY1305_SHA256
    DHE-RSA-CHACHA20-POLY1305 Dhe Rsa Chacha20Poly1305 256 Aead
EcdheEcdsaWithAes256Ccm C0AD ECDHE_ECDSA_WITH_AES_256_CCM ECDHE-ECDSA-AES256-CCM Ecdhe Ecdsa AesCcm 256 Aead
EcdheEcdsaWithAes128Ccm C0AC ECDHE_ECDSA_WITH_AES_128_CCM ECDHE-ECDSA-AES128-CCM Ecdhe Ecdsa AesCcm 128 Aead
EcdheEcdsaWithAes256Ccm8 C0AF ECDHE_ECDSA_WITH_AES_256_CCM_8 ECDHE-ECDSA-AES256-CCM8 Ecdhe Ecdsa AesCcm8 256 Aead
EcdheEcdsaWithAes128Ccm8 C0AE ECDHE_ECDSA_WITH_AES_128_CCM_8 ECDHE-ECDSA-AES128-CCM8 Ecdhe Ecdsa AesCcm8 128 Aead
EcdheEcdsaWithAes256CbcSha384 C024 ECDHE_ECDSA_WITH_AES_256_CBC_SHA384
    ECDHE-ECDSA-AES256-SHA384 Ecdhe Ecdsa Aes 256 Sha384
EcdheRsaWithAes256CbcSha384 C028 ECDHE_RSA_WITH_AES_256_CBC_SHA384 ECDHE-RSA-AES256-SHA384 Ecdhe Rsa Aes 256 Sha384
EcdheEcdsaWithAes128CbcSha256 C023 ECDHE_ECDSA_WITH_AES_128_CBC_SHA256
    ECDHE-ECDSA-AES128-SHA256 Ecdhe Ecdsa Aes 128 Sha256
EcdheRsaWithAes128CbcSha256 C027 ECDHE_RSA_WITH_AES_128_CBC_SHA256 ECDHE-RSA-AES128-SHA256 Ecdhe Rsa Aes 128 Sha256
DheRsaWithAes256CbcSha256 006B DHE_RSA_WITH_AES_256_CBC_SHA256 DHE-RSA-AES256-SHA256 Dhe Rsa Aes 256 Sha256
DheRsaWithAes128CbcSha256 0067 DHE_RSA_WITH_AES_128_CBC_SHA256 DHE-RSA-AES128-SHA256 Dhe Rsa Aes 128 Sha256
EcdheEcdsaWithAes256CbcSha C00A ECDHE_ECDSA_WITH_AES_256_CBC_SHA ECDHE-ECDSA-AES256-SHA Ecdhe Ecdsa Aes 256 Sha
EcdheRsaWithAes256CbcSha C014 ECDHE_RSA_WITH_AES_256_CBC_SHA ECDHE-RSA-AES256-SHA Ecdhe Rsa Aes 256 Sha
EcdheEcdsaWithAes128CbcSha C009 ECDHE_ECDSA_WITH_AES_128_CBC_SHA ECDHE-ECDSA-AES128-SHA Ecdhe Ecdsa Aes 128 Sha
EcdheRsaWithAes128CbcSha C013 ECDHE_RSA_WITH_AES_128_CBC_SHA ECDHE-RSA-AES128-SHA Ecdhe Rsa Aes 128 Sha
DheRsaAes256Sha 0039 DHE_RSA_WITH_AES_256_CBC_SHA DHE-RSA-AES256-SHA Dhe Rsa Aes 256 Sha
DheRsaWithAes128CbcSha 0033 DHE_RSA_WITH_AES_128_CBC_SHA DHE-RSA-AES128-SHA Dhe Rsa Aes 128 Sha
RsaWithAes256GcmSha384 009D RSA_WITH_AES_256_GCM_SHA384 AES256-GCM-SHA384 Rsa Rsa AesGcm 256 Aead
RsaWithAes128GcmSha256 009C RSA_WITH_AES_128_GCM_SHA256 AES128-GCM-SHA256 Rsa Rsa AesGcm 128 Aead
RsaWithAes256CbcSha256 003D RSA_WITH_AES_256_CBC_SHA256 AES256-SHA256 Rsa Rsa Aes 256 Sha256
RsaWithAes128CbcSha256 003C RSA_WITH_AES_128_CBC_SHA256 AES128-SHA256 Rsa Rsa Aes 128 Sha256
RsaWithAes256CbcSha 0035 RSA_WITH_AES_256_CBC_SHA AES256-SHA Rsa Rsa Aes 256 Sha
RsaWithAes128CbcSha 002F RSA_WITH_AES_128_CBC_SHA AES128-SHA Rsa Rsa Aes 128 Sha
DheRsaWith3DesEdeCbcSha 0016 DHE_RSA_WITH_3DES_EDE_CBC_SHA DHE-RSA-DES-CBC3-SHA Dhe Rsa TripleDes 168 Sha
RsaWith3DesEdeCbcSha 000A RSA_WITH_3DES_EDE_CBC_SHA DES-CBC3-SHA Rsa Rsa TripleDes 168 Sha
DheRsaWithDesCbcSha 0015 DHE_RSA_WITH_DES_CBC_SHA EDH-RSA-DES-CBC-SHA Dhe Rsa Des 56 Sha
"""
CELLS = TABLE.split()
ROWS = [
    Row(
        member=CELLS[at],
        value=int(CELLS[at + 1], 16),
        iana=f"TLS_{CELLS[at + 2]}",
        openssl=CELLS[at + 3],
        key_exchange=CELLS[at + 4],
        authentication=CELLS[at + 5],
        encryption=CELLS[at + 6],
        bits=int(CELLS[at + 7]),
        integrity=CELLS[at + 8],
    )
    for at in range(0, len(CELLS), 9)
]
OFFERED = available_suites()
TOO_WEAK = [row.suite for row in ROWS if row.iana in OFFERED.keys() - available_suites(2).keys()]
USABLE = [row for row in ROWS if row.iana in OFFERED]
DEFAULT = [row.suite for row in (ROWS[0], ROWS[1], ROWS[2], *ROWS[5:13])]

with_each_suite = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.member)
with_each_usable_suite = pytest.mark.parametrize("row", USABLE, ids=lambda row: row.member)


def method_for(row: Row) -> Any:
    """Give the method: level 0, by way of TlsV1, for those that need it."""
    return METHODS.TlsV1 if row.needs_level_zero else METHODS.SslV23


def look_ups(net: Any, suite: int) -> tuple[Any, ...]:
    """Ask the five look-ups that need no link."""
    return (
        net.GetTlsKeyExchangeAlgorithm(suite),
        net.GetTlsAuthenticationAlgorithm(suite),
        net.GetTlsEncryptionAlgorithm(suite),
        net.GetTlsEncryptionKeyLength(suite),
        net.GetTlsIntegrityAlgorithm(suite),
    )


def right_look_ups(row: Row) -> tuple[Any, ...]:
    """Give what the table says."""
    return (
        DicomTlsKeyExchangeMethodType[row.key_exchange],
        DicomTlsAuthenticationMethodType[row.authentication],
        DicomTlsEncryptionMethodType[row.encryption],
        row.bits,
        DicomTlsIntegrityMethodType[row.integrity],
    )
