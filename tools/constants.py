"""The numbers and texts that C and Python share: the only place where they are written.

``tools/generate_constants.py`` turns them into a region of ``csrc/ltdic.h``, into ``csrc/ldc_tables.c`` and
into ``enums_codes.py``, ``enums_tls.py``, ``enums_dimse.py`` and ``_texts.py`` of ``leadtools_compat/dicom``.
After a change here run it and commit its output too. Names of .NET members are what users port against: they
may be added, never renamed; a documented or standard number never changes.
"""

from __future__ import annotations

from tools.constants_model import CGroup, Member, Suite, codes, enum, group, numbered, suites

__all__ = ["ALERTS", "C_GROUPS", "ENUMS", "ERRORS", "STAGES", "SUITES", "VERIFY"]

# DicomExceptionCode, DICOM_ERROR_...: 100 files and data sets, 200 network, 300 TLS, 400 association, 500
# messages. Programs compare two texts, those of NetConnectionRefused and AbstractSyntaxNotSupported.
ERRORS = codes("""
    0   Success                       Success
    1   Internal                      Internal error of the library
    2   Memory                        Not enough memory
    3   Parameter                     Invalid parameter
    4   InvalidState                  Not possible in the present state
    5   ObjectDisposed                The object has been disposed
    6   FeatureNotSupported           This feature is not supported
    7   Canceled                      The operation was canceled
    8   Callback                      User code raised an exception in a callback
    100 FileNotFound                  File not found
    101 FileAccess                    The file cannot be opened
    102 FileRead                      The file cannot be read
    103 FileWrite                     The file cannot be written
    104 FileFormat                    Not a DICOM file or data set
    105 ElementNotFound               The element is not in the data set
    106 ElementExists                 The element is already there
    107 VRInvalid                     The value representation does not fit
    108 ValueInvalid                  The value does not fit the value representation
    109 SequenceDepth                 Sequences are nested too deeply
    110 TransferSyntaxNotSupported    The transfer syntax is not supported
    111 CodecNotAvailable             No decoder or encoder for this compression
    112 DataSetTooLarge               The data set is larger than the limit
    113 CharacterSet                  Text cannot be converted to the character set
    114 XmlFormat                     Invalid XML or JSON model
    200 NetFailure                    Network failure
    201 NetConnectionAborted          The connection was aborted
    202 NetConnectionRefused          The attempt to connect was forcefully rejected
    203 NetTimeout                    The network operation timed out
    204 NetHostNotFound               The host name is not known
    205 NetHostUnreachable            The host cannot be reached
    206 NetAddressInUse               The local address and port are in use
    207 NetAddressNotAvailable        The local address does not exist here
    208 NetAccessDenied               No permission to use this address or port
    209 NetNotConnected               Not connected
    210 NetAlreadyConnected           Already connected or listening
    211 NetNoPendingConnection        No connection is waiting to be accepted
    212 NetTooManyConnections         The limit of connections is reached
    213 NetProtocol                   The peer does not speak DICOM
    214 NetPeerSpeaksTls              The peer speaks TLS, this connection is plain
    215 NetQueueFull                  Too much data is waiting to be sent
    300 TlsFailure                    TLS failure
    301 TlsHandshakeTimeout           The TLS handshake timed out
    302 TlsNoCipherSuite              No cipher suite of the list can be used
    303 TlsNoSharedCipherSuite        No cipher suite in common
    304 TlsNoSharedVersion            No TLS version in common
    305 TlsPeerNotTls                 The peer does not speak TLS
    306 TlsCertificateRequired        The peer sent no certificate
    307 TlsCertificateRejected        The peer's certificate was rejected
    308 TlsPeerRejectedCertificate    The peer rejected our certificate
    309 TlsPeerRequiresCertificate    The peer requires a certificate and got none
    310 TlsAlertReceived              The peer sent a fatal TLS alert
    311 TlsCertificateFile            The certificate file cannot be used
    312 TlsPrivateKeyFile             The private key file cannot be used
    313 TlsPrivateKeyPassword         The password of the private key is missing or wrong
    314 TlsKeyMismatch                The private key does not belong to the certificate
    315 TlsCertificateMissing         A server needs a certificate and has none
    316 TlsCAFile                     The file of certification authorities cannot be used
    317 TlsWeakKey                    A key or digest is too weak for the security level
    318 TlsProfile                    The TLS profile cannot be applied
    319 TlsRecord                     A TLS record is damaged or truncated
    320 TlsVerifyCallback             The certificate callback gave no valid answer
    400 AssociationRejected           The association was rejected
    401 AssociationAborted            The association was aborted
    402 AssociationTimeout            The association negotiation timed out
    403 AssociationNotEstablished     There is no association
    404 AssociationAlreadyEstablished There is an association already
    405 PduInvalid                    A PDU is malformed
    406 PduUnexpected                 A PDU is not allowed in this state
    407 PduTooLong                    A PDU is longer than allowed
    408 PresentationContextInvalid    The presentation context is unknown or not accepted
    409 AbstractSyntaxNotSupported    Abstract Syntax Not Supported
    500 CommandInvalid                A command set is malformed
    501 CommandUnexpected             A message does not fit any open operation
    502 MessageTimeout                No answer to the message in time
    503 StatusFailure                 The peer answered with a failure status
    504 DataSetMissing                The message needs a data set
""")

# DicomSecurityCertificateExceptionCode, L_X509_V_...: numbers of OpenSSL 1.1.1. OpenSSL 3 has 24 and 79 the
# other way round; they are exchanged where they come in.
VERIFY = codes("""
    0  Success                         ok
    1  Unspecified                     unspecified certificate verification error
    2  UnableToGetIssuerCert           unable to get issuer certificate
    3  UnableToGetCrl                  unable to get certificate CRL
    4  UnableToDecryptCertSignature    unable to decrypt certificate's signature
    5  UnableToDecryptCrlSignature     unable to decrypt CRL's signature
    6  UnableToDecodeIssuerPublicKey   unable to decode issuer public key
    7  CertSignatureFailure            certificate signature failure
    8  CrlSignatureFailure             CRL signature failure
    9  CertNotYetValid                 certificate is not yet valid
    10 CertHasExpired                  certificate has expired
    11 CrlNotYetValid                  CRL is not yet valid
    12 CrlHasExpired                   CRL has expired
    13 ErrorInCertNotBeforeField       format error in certificate's notBefore field
    14 ErrorInCertNotAfterField        format error in certificate's notAfter field
    15 ErrorInCrlLastUpdateField       format error in CRL's lastUpdate field
    16 ErrorInCrlNextUpdateField       format error in CRL's nextUpdate field
    17 OutOfMem                        out of memory
    18 DepthZeroSelfSignedCert         self-signed certificate
    19 SelfSignedCertInChain           self-signed certificate in certificate chain
    20 UnableToGetIssuerCertLocally    unable to get local issuer certificate
    21 UnableToVerifyLeafSignature     unable to verify the first certificate
    22 CertChainTooLong                certificate chain too long
    23 CertRevoked                     certificate revoked
    24 InvalidCa                       invalid CA certificate
    25 PathLengthExceeded              path length constraint exceeded
    26 InvalidPurpose                  unsuitable certificate purpose
    27 CertUntrusted                   certificate not trusted
    28 CertRejected                    certificate rejected
    29 SubjectIssuerMismatch           subject issuer mismatch
    30 AkidSkidMismatch                authority and subject key identifier mismatch
    31 AkidIssuerSerialMismatch        authority and issuer serial number mismatch
    32 KeyusageNoCertsign              key usage does not include certificate signing
    33 UnableToGetCrlIssuer            unable to get CRL issuer certificate
    34 UnhandledCriticalExtension      unhandled critical extension
    35 KeyusageNoCrlSign               key usage does not include CRL signing
    36 UnhandledCriticalCrlExtension   unhandled critical CRL extension
    37 InvalidNonCa                    invalid non-CA certificate (has CA markings)
    38 ProxyPathLengthExceeded         proxy path length constraint exceeded
    39 KeyusageNoDigitalSignature      key usage does not include digital signature
    40 ProxyCertificatesNotAllowed     proxy certificates not allowed, please set the appropriate flag
    41 InvalidExtension                invalid or inconsistent certificate extension
    42 InvalidPolicyExtension          invalid or inconsistent certificate policy extension
    43 NoExplicitPolicy                no explicit policy
    44 DifferentCrlScope               different CRL scope
    45 UnsupportedExtensionFeature     unsupported extension feature
    46 UnnestedResource                RFC 3779 resource not subset of parent's resources
    47 PermittedViolation              permitted subtree violation
    48 ExcludedViolation               excluded subtree violation
    49 SubtreeMinmax                   name constraints minimum and maximum not supported
    50 ApplicationVerification         application verification failure
    51 UnsupportedConstraintType       unsupported name constraint type
    52 UnsupportedConstraintSyntax     unsupported or invalid name constraint syntax
    53 UnsupportedNameSyntax           unsupported or invalid name syntax
    54 CrlPathValidationError          CRL path validation error
    55 PathLoop                        path loop
    56 SuiteBInvalidVersion            Suite B: certificate version invalid
    57 SuiteBInvalidAlgorithm          Suite B: invalid public key algorithm
    58 SuiteBInvalidCurve              Suite B: invalid ECC curve
    59 SuiteBInvalidSignatureAlgorithm Suite B: invalid signature algorithm
    60 SuiteBLosNotAllowed             Suite B: curve not allowed for this LOS
    61 SuiteBCannotSignP384WithP256    Suite B: cannot sign P-384 with P-256
    62 HostnameMismatch                hostname mismatch
    63 EmailMismatch                   email address mismatch
    64 IpAddressMismatch               IP address mismatch
    65 DaneNoMatch                     no matching DANE TLSA records
    66 EeKeyTooSmall                   EE certificate key too weak
    67 CaKeyTooSmall                   CA certificate key too weak
    68 CaMdTooWeak                     CA signature digest algorithm too weak
    69 InvalidCall                     invalid certificate verification context
    70 StoreLookup                     issuer certificate lookup error
    71 NoValidScts                     Certificate Transparency required, but no valid SCTs found
    72 ProxySubjectNameViolation       proxy subject name violation
    73 OcspVerifyNeeded                OCSP verification needed
    74 OcspVerifyFailed                OCSP verification failed
    75 OcspCertUnknown                 OCSP unknown cert
    76 UnsupportedSignatureAlgorithm   Cannot find certificate signature algorithm
    77 SignatureAlgorithmMismatch      subject signature algorithm and issuer public key algorithm mismatch
    78 SignatureAlgorithmInconsistency cert info signature and signature algorithm mismatch
    79 NoIssuerPublicKey               issuer certificate doesn't have a public key
    80 PathlenInvalidForNonCa          Path length invalid for non-CA cert
    81 PathlenWithoutKuKeyCertSign     Path length given without key usage keyCertSign
    82 KuKeyCertSignInvalidForNonCa    Key usage keyCertSign invalid for non-CA cert
    83 IssuerNameEmpty                 Issuer name empty
    84 SubjectNameEmpty                Subject name empty
    85 MissingAuthorityKeyIdentifier   Missing Authority Key Identifier
    86 MissingSubjectKeyIdentifier     Missing Subject Key Identifier
    87 EmptySubjectAltName             Empty Subject Alternative Name extension
    88 EmptySubjectSanNotCritical      Subject empty and Subject Alt Name extension not critical
    89 CaBconsNotCritical              Basic Constraints of CA cert not marked critical
    90 AuthorityKeyIdentifierCritical  Authority Key Identifier marked critical
    91 SubjectKeyIdentifierCritical    Subject Key Identifier marked critical
    92 CaCertMissingKeyUsage           CA cert does not include key usage extension
    93 ExtensionsRequireVersion3       Using cert extension requires at least X509v3
    94 EcKeyExplicitParams             Certificate public key has explicit ECC parameters
""")

# In order of preference. Left out on purpose: NULL, anonymous, export, RC4, PSK, DSS, Camellia and ARIA.
SUITES = suites("""
    Aes256GcmSha384                      0x1302 TLS_AES_256_GCM_SHA384                        =                             Any   Any   AesGcm           256 Aead   0
    Aes128GcmSha256                      0x1301 TLS_AES_128_GCM_SHA256                        =                             Any   Any   AesGcm           128 Aead   1
    Chacha20Poly1305Sha256               0x1303 TLS_CHACHA20_POLY1305_SHA256                  =                             Any   Any   Chacha20Poly1305 256 Aead   2
    Aes128CcmSha256                      0x1304 TLS_AES_128_CCM_SHA256                        =                             Any   Any   AesCcm           128 Aead   -1
    Aes128Ccm8Sha256                     0x1305 TLS_AES_128_CCM_8_SHA256                      =                             Any   Any   AesCcm8          128 Aead   -1
    EcdheEcdsaWithAes256GcmSha384        0xC02C TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384       ECDHE-ECDSA-AES256-GCM-SHA384 Ecdhe Ecdsa AesGcm           256 Aead   3
    EcdheRsaWithAes256GcmSha384          0xC030 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384         ECDHE-RSA-AES256-GCM-SHA384   Ecdhe Rsa   AesGcm           256 Aead   4
    EcdheEcdsaWithAes128GcmSha256        0xC02B TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256       ECDHE-ECDSA-AES128-GCM-SHA256 Ecdhe Ecdsa AesGcm           128 Aead   5
    EcdheRsaWithAes128GcmSha256          0xC02F TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256         ECDHE-RSA-AES128-GCM-SHA256   Ecdhe Rsa   AesGcm           128 Aead   6
    EcdheEcdsaWithChacha20Poly1305Sha256 0xCCA9 TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 ECDHE-ECDSA-CHACHA20-POLY1305 Ecdhe Ecdsa Chacha20Poly1305 256 Aead   7
    EcdheRsaWithChacha20Poly1305Sha256   0xCCA8 TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256   ECDHE-RSA-CHACHA20-POLY1305   Ecdhe Rsa   Chacha20Poly1305 256 Aead   8
    DheRsaWithAes256GcmSha384            0x009F TLS_DHE_RSA_WITH_AES_256_GCM_SHA384           DHE-RSA-AES256-GCM-SHA384     Dhe   Rsa   AesGcm           256 Aead   9
    DheRsaWithAes128GcmSha256            0x009E TLS_DHE_RSA_WITH_AES_128_GCM_SHA256           DHE-RSA-AES128-GCM-SHA256     Dhe   Rsa   AesGcm           128 Aead   10
    DheRsaWithChacha20Poly1305Sha256     0xCCAA TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256     DHE-RSA-CHACHA20-POLY1305     Dhe   Rsa   Chacha20Poly1305 256 Aead   -1
    EcdheEcdsaWithAes256Ccm              0xC0AD TLS_ECDHE_ECDSA_WITH_AES_256_CCM              ECDHE-ECDSA-AES256-CCM        Ecdhe Ecdsa AesCcm           256 Aead   -1
    EcdheEcdsaWithAes128Ccm              0xC0AC TLS_ECDHE_ECDSA_WITH_AES_128_CCM              ECDHE-ECDSA-AES128-CCM        Ecdhe Ecdsa AesCcm           128 Aead   -1
    EcdheEcdsaWithAes256Ccm8             0xC0AF TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8            ECDHE-ECDSA-AES256-CCM8       Ecdhe Ecdsa AesCcm8          256 Aead   -1
    EcdheEcdsaWithAes128Ccm8             0xC0AE TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8            ECDHE-ECDSA-AES128-CCM8       Ecdhe Ecdsa AesCcm8          128 Aead   -1
    EcdheEcdsaWithAes256CbcSha384        0xC024 TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384       ECDHE-ECDSA-AES256-SHA384     Ecdhe Ecdsa Aes              256 Sha384 -1
    EcdheRsaWithAes256CbcSha384          0xC028 TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384         ECDHE-RSA-AES256-SHA384       Ecdhe Rsa   Aes              256 Sha384 -1
    EcdheEcdsaWithAes128CbcSha256        0xC023 TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256       ECDHE-ECDSA-AES128-SHA256     Ecdhe Ecdsa Aes              128 Sha256 -1
    EcdheRsaWithAes128CbcSha256          0xC027 TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256         ECDHE-RSA-AES128-SHA256       Ecdhe Rsa   Aes              128 Sha256 -1
    DheRsaWithAes256CbcSha256            0x006B TLS_DHE_RSA_WITH_AES_256_CBC_SHA256           DHE-RSA-AES256-SHA256         Dhe   Rsa   Aes              256 Sha256 -1
    DheRsaWithAes128CbcSha256            0x0067 TLS_DHE_RSA_WITH_AES_128_CBC_SHA256           DHE-RSA-AES128-SHA256         Dhe   Rsa   Aes              128 Sha256 -1
    EcdheEcdsaWithAes256CbcSha           0xC00A TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA          ECDHE-ECDSA-AES256-SHA        Ecdhe Ecdsa Aes              256 Sha    -1
    EcdheRsaWithAes256CbcSha             0xC014 TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA            ECDHE-RSA-AES256-SHA          Ecdhe Rsa   Aes              256 Sha    -1
    EcdheEcdsaWithAes128CbcSha           0xC009 TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA          ECDHE-ECDSA-AES128-SHA        Ecdhe Ecdsa Aes              128 Sha    -1
    EcdheRsaWithAes128CbcSha             0xC013 TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA            ECDHE-RSA-AES128-SHA          Ecdhe Rsa   Aes              128 Sha    -1
    DheRsaAes256Sha                      0x0039 TLS_DHE_RSA_WITH_AES_256_CBC_SHA              DHE-RSA-AES256-SHA            Dhe   Rsa   Aes              256 Sha    -1
    DheRsaWithAes128CbcSha               0x0033 TLS_DHE_RSA_WITH_AES_128_CBC_SHA              DHE-RSA-AES128-SHA            Dhe   Rsa   Aes              128 Sha    -1
    RsaWithAes256GcmSha384               0x009D TLS_RSA_WITH_AES_256_GCM_SHA384               AES256-GCM-SHA384             Rsa   Rsa   AesGcm           256 Aead   -1
    RsaWithAes128GcmSha256               0x009C TLS_RSA_WITH_AES_128_GCM_SHA256               AES128-GCM-SHA256             Rsa   Rsa   AesGcm           128 Aead   -1
    RsaWithAes256CbcSha256               0x003D TLS_RSA_WITH_AES_256_CBC_SHA256               AES256-SHA256                 Rsa   Rsa   Aes              256 Sha256 -1
    RsaWithAes128CbcSha256               0x003C TLS_RSA_WITH_AES_128_CBC_SHA256               AES128-SHA256                 Rsa   Rsa   Aes              128 Sha256 -1
    RsaWithAes256CbcSha                  0x0035 TLS_RSA_WITH_AES_256_CBC_SHA                  AES256-SHA                    Rsa   Rsa   Aes              256 Sha    -1
    RsaWithAes128CbcSha                  0x002F TLS_RSA_WITH_AES_128_CBC_SHA                  AES128-SHA                    Rsa   Rsa   Aes              128 Sha    -1
    DheRsaWith3DesEdeCbcSha              0x0016 TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA             DHE-RSA-DES-CBC3-SHA          Dhe   Rsa   TripleDes        168 Sha    -1
    RsaWith3DesEdeCbcSha                 0x000A TLS_RSA_WITH_3DES_EDE_CBC_SHA                 DES-CBC3-SHA                  Rsa   Rsa   TripleDes        168 Sha    -1
    DheRsaWithDesCbcSha                  0x0015 TLS_DHE_RSA_WITH_DES_CBC_SHA                  EDH-RSA-DES-CBC-SHA           Dhe   Rsa   Des              56  Sha    -1
""")

# Names of the failure stages; the index is the value of DICOM_STAGE_...
# TLS alerts: RFC 8446 section 6 and RFC 5246 section 7.2.
ALERTS = numbered("""
    0   close_notify
    10  unexpected_message
    20  bad_record_mac
    21  decryption_failed
    22  record_overflow
    30  decompression_failure
    40  handshake_failure
    41  no_certificate
    42  bad_certificate
    43  unsupported_certificate
    44  certificate_revoked
    45  certificate_expired
    46  certificate_unknown
    47  illegal_parameter
    48  unknown_ca
    49  access_denied
    50  decode_error
    51  decrypt_error
    60  export_restriction
    70  protocol_version
    71  insufficient_security
    80  internal_error
    86  inappropriate_fallback
    90  user_canceled
    100 no_renegotiation
    109 missing_extension
    110 unsupported_extension
    111 certificate_unobtainable
    112 unrecognized_name
    113 bad_certificate_status_response
    114 bad_certificate_hash_value
    115 unknown_psk_identity
    116 certificate_required
    120 no_application_protocol
""")

STAGES = ("none", "resolve", "tcp", "tls", "certificate", "association", "dimse", "close")

# OpenSSL's spelling where it is not the member's name in UPPER_SNAKE.
_OPENSSL_SPELLING = {
    "Success": "=L_X509_V_OK",
    "SuiteBCannotSignP384WithP256": "SUITE_B_CANNOT_SIGN_P_384_WITH_P_256",
    "ExtensionsRequireVersion3": "EXTENSIONS_REQUIRE_VERSION_3",
}


def _suite_member(suite: Suite) -> Member:
    alias = "DheRsaWithAes256CbcSha" if suite.name == "DheRsaAes256Sha" else ""
    place = f"; place {suite.rank} of the default list" if suite.rank >= 0 else ""
    return Member(suite.name, alias, suite.value, 0, (suite.iana[4:],), f"{suite.iana}{place}.")


ENUMS = (
    enum(
        "codes",
        "DicomExceptionCode",
        "DICOM_ERROR_",
        "Results and error codes",
        """Why something failed; `DicomException.Code`, and ``error`` of the callbacks.

        Names: public programs for Success, Parameter, NetFailure, NetConnectionAborted,
        NetConnectionRefused and NetTimeout; the other names and all numbers but 0 are this library's.
        """,
        tuple(
            Member(c.name, "", c.value, 0, ("*" if c.value else "=DICOM_SUCCESS",), c.text)
            for c in ERRORS
        ),
    ),
    enum(
        "codes",
        "DicomSecurityCertificateExceptionCode",
        "L_X509_V_ERR_",
        "Certificate verification codes: OpenSSL 1.1.1's numbers; 24 and 79 are exchanged in OpenSSL 3",
        """What is wrong with a certificate; `DicomSecurityCertificateException.Code`.

        Names: LEADTOOLS help for Success and InvalidPurpose, the others after OpenSSL's X509_V_ERR_
        names. Values: OpenSSL 1.1.1, so 24 is InvalidCa whatever OpenSSL is linked (OpenSSL 3 has 24
        and 79 the other way round).
        """,
        tuple(
            Member(c.name, "", c.value, 0, (_OPENSSL_SPELLING.get(c.name, "*"),), c.text)
            for c in VERIFY
        ),
    ),
    enum(
        "tls",
        "DicomNetSecurityMode",
        "DICOM_SECURE_",
        "Security modes of a net",
        """How a `DicomNet` protects its connections.

        Names: LEADTOOLS help; values: this library's.
        """,
        """
        None_ 0 | Plain TCP.
        Tls   1 | TLS 1.2 or 1.3; older versions only when asked for.
        Iscl  2 | Not supported: a net made with it raises FeatureNotSupported.
        """,
        alias="DicomNetSecurityeMode",
    ),
    enum(
        "tls",
        "DicomTlsCertificateType",
        "DICOM_TLS_CERTIFICATE_",
        "Formats of certificate and key files",
        """Format of a certificate or key file.

        Names: LEADTOOLS help, Pkcs12 and Pkcs12Legacy are this library's; values: OpenSSL's file types.
        """,
        """
        Pem          1 | PEM: leaf first, then its chain.
        Asn1         2 | DER: one certificate or key.
        Pkcs12       3 PKCS12        | PKCS #12 (.p12, .pfx): certificate, chain and key in one.
        Pkcs12Legacy 4 PKCS12_LEGACY | The same, also if encrypted with RC2, which needs OpenSSL's legacy provider.
        """,
    ),
    enum(
        "tls",
        "DicomSslMethodType",
        "TYPE_",
        "TLS versions of a context",
        """TLS versions that a context negotiates.

        Names: LEADTOOLS help, TlsV1_2 and TlsV1_3 are this library's; values: the protocol's version
        numbers.
        """,
        """
        SslV23  0x0000 SSLV23_METHOD  | The best of TLS 1.2 and 1.3 that both sides have.
        SslV2   0x0002 SSLV2_METHOD   | The protocol is gone: as SslV23, with a warning.
        SslV3   0x0300 SSLV3_METHOD   | The protocol is gone: as SslV23, with a warning.
        TlsV1   0x0301 TLSV1_METHOD   | As SslV23, and TLS 1.0 and 1.1 too, at security level 0.
        TlsV1_2 0x0303 TLSV1_2_METHOD | TLS 1.2 only (RFC 5246).
        TlsV1_3 0x0304 TLSV1_3_METHOD | TLS 1.3 only (RFC 8446).
        """,
        digits=4,
    ),
    enum(
        "tls",
        "DicomOpenSslVerificationFlags",
        "L_SSL_VERIFY_ DICOM_SSL_VERIFY_",
        "Verification flags, both spellings",
        """Whether the peer's certificate is asked for, and what a bad one does.

        Names and values: LEADTOOLS help (OpenSSL's SSL_VERIFY_); All: public programs.
        """,
        """
        None_                   0 | Server: asks for none. Client: a bad chain does not end the link.
        Peer                    1 | A bad certificate ends the link; the client may send none.
        FailIfNoPeerCertificate 2 FAIL_IF_NO_PEER_CERT | Server: none ends the link too; taken as with Peer.
        ClientOnce              4 | No effect of its own; taken as with Peer.
        All                     7 - | The three together.
        """,
        base="DotNetFlags",
    ),
    enum(
        "tls",
        "DicomOpenSslOptionsFlags",
        "DICOM_SSL_OP_",
        "Options of a TLS context",
        """Options of a TLS context.

        Names: LEADTOOLS help for NoSslV2, NoSslV3 and AllBugWorkarounds, the others are this library's.
        Values of the No... members: OpenSSL's SSL_OP_.
        """,
        """
        None_             0x00000000 -
        AllBugWorkarounds 0x00000FFF   | Becomes the linked OpenSSL's SSL_OP_ALL.
        AllowTlsV1        0x00100000   | Switches TLS 1.0 on: security level 0, with a warning.
        AllowTlsV1_1      0x00200000   | Switches TLS 1.1 on: security level 0, with a warning.
        NoSslV2           0x01000000   | Always so.
        NoSslV3           0x02000000   | Always so.
        NoTlsV1           0x04000000   | Wins over method and profile, as the three below.
        NoTlsV1_2         0x08000000
        NoTlsV1_1         0x10000000
        NoTlsV1_3         0x20000000
        """,
        base="DotNetFlags",
        digits=8,
    ),
    enum(
        "tls",
        "DicomTlsCipherSuiteType",
        "DICOM_TLS_",
        "Cipher suites: IANA's numbers and names",
        """Cipher suites.

        Names: LEADTOOLS help and public programs, the later ones in the same style; values: IANA's
        registry of TLS cipher suites. NULL, anonymous, export, RC4, PSK, DSS, Camellia and ARIA suites
        have no member, on purpose.
        """,
        (
            Member(
                "None_",
                "",
                0,
                0,
                ("*",),
                "No suite: a plain link, a failed handshake, the end of a list.",
            ),
            *map(_suite_member, SUITES),
        ),
        base="CipherSuiteEnum",
        digits=4,
    ),
    enum(
        "tls",
        "DicomTlsEncryptionMethodType",
        "DICOM_TLS_ENCRYPTION_",
        "Encryption of a suite",
        """Encryption of a cipher suite; `DicomNet.GetTlsEncryptionAlgorithm`.

        Names and values: this library's.
        """,
        """
        None_            0 | Unknown suite, or none.
        Des              1
        TripleDes        2
        Aes              3 | AES in CBC mode.
        AesGcm           4
        AesCcm           5
        AesCcm8          6 | AES in CCM mode with a tag of 8 bytes.
        Chacha20Poly1305 7
        """,
    ),
    enum(
        "tls",
        "DicomTlsAuthenticationMethodType",
        "DICOM_TLS_AUTHENTICATION_",
        "Authentication of a suite",
        """Authentication of a cipher suite; `DicomNet.GetTlsAuthenticationAlgorithm`.

        Names and values: this library's.
        """,
        """
        None_ 0 | Unknown suite, or none.
        Rsa   1
        Ecdsa 2
        Any   3 | TLS 1.3: not part of the suite.
        """,
    ),
    enum(
        "tls",
        "DicomTlsIntegrityMethodType",
        "DICOM_TLS_INTEGRITY_",
        "Integrity protection of a suite",
        """Integrity protection of a cipher suite; `DicomNet.GetTlsIntegrityAlgorithm`.

        Names and values: this library's.
        """,
        """
        None_  0 | Unknown suite, or none.
        Sha    1 | HMAC with SHA-1.
        Sha256 2
        Sha384 3
        Aead   4 | Part of the encryption.
        """,
    ),
    enum(
        "tls",
        "DicomTlsKeyExchangeMethodType",
        "DICOM_TLS_KEY_EXCHANGE_",
        "Key exchange of a suite",
        """Key exchange of a cipher suite; `DicomNet.GetTlsKeyExchangeAlgorithm`.

        Names and values: this library's.
        """,
        """
        None_ 0 | Unknown suite, or none.
        Rsa   1 | No forward secrecy.
        Dhe   2
        Ecdhe 3
        Any   4 | TLS 1.3: ephemeral, the group is in `tls_group`.
        """,
    ),
    enum(
        "dimse",
        "DicomNetFlags",
        "DICOM_NET_FLAG_",
        "Flags of a net",
        """Flags of a `DicomNet`.

        Names: public programs; values: this library's.
        """,
        """
        None_                                       0 -
        SendDataWithGroupLengthStandardDataElements 1 SEND_DATA_WITH_GROUP_LENGTH | Sends group lengths.
        """,
        base="DotNetFlags",
    ),
    enum(
        "dimse",
        "DicomNetIpTypeFlags",
        "DICOM_IPTYPE_",
        "Address families",
        """Address families for Connect and Listen.

        Names and values: LEADTOOLS help.
        """,
        """
        None_      0 | Taken as Ipv4.
        Ipv4       1
        Ipv6       2
        Ipv4OrIpv6 3
        """,
        base="DotNetFlags",
    ),
    enum(
        "dimse",
        "DicomPduType",
        "PDU_",
        "PDU types, PS3.8 9.3",
        """PDU types.

        Names: LEADTOOLS help (C API) in .NET spelling; values: PS3.8 9.3.
        """,
        """
        Unknown          0
        AssociateRequest 1
        AssociateAccept  2
        AssociateReject  3
        DataTransfer     4
        ReleaseRequest   5
        ReleaseResponse  6
        Abort            7
        """,
    ),
    enum(
        "dimse",
        "DicomAssociateRejectResultType",
        "PDU_REJECT_RESULT_",
        "A-ASSOCIATE-RJ, PS3.8 Table 9-21",
        """Whether an A-ASSOCIATE-RJ is for good.

        Names: LEADTOOLS help; values: PS3.8 Table 9-21.
        """,
        """
        Permanent 1
        Transient 2
        """,
    ),
    enum(
        "dimse",
        "DicomAssociateRejectSourceType",
        "PDU_REJECT_SOURCE_",
        "",
        """Who sent an A-ASSOCIATE-RJ.

        Names: LEADTOOLS help; values: PS3.8 Table 9-21.
        """,
        """
        User      1 | The service user: the application.
        Provider1 2 | The service provider, ACSE.
        Provider2 3 | The service provider, presentation.
        """,
    ),
    enum(
        "dimse",
        "DicomAssociateRejectReasonType",
        "PDU_REJECT_REASON_",
        "... reasons: of source USER the first four, PROVIDER1 VERSION, PROVIDER2 CONGESTION and LIMIT",
        """Why an association was rejected; means something only together with the source.

        The reasons 1 and 2 of the three sources are different members that equal the same number, as in
        .NET. The number written here is source * 256 + reason; ``int()`` and ``value`` give the reason,
        ``from_wire(source, reason)`` the member. From a bare number comes the member of the source
        User.

        Names: LEADTOOLS help; values: PS3.8 Table 9-21.
        """,
        """
        Unknown     1:1 | No reason given.
        Application 1:2 | Application context name not supported.
        Calling     1:3 | Calling AE title not recognized.
        Called      1:7 | Called AE title not recognized.
        Version     2:2 | Protocol version not supported.
        Congestion  3:1 | Temporary congestion.
        Limit       3:2 | Local limit exceeded.
        """,
        base="RejectReasonEnum",
        digits=4,
    ),
    enum(
        "dimse",
        "DicomAbortSourceType",
        "PDU_ABORT_SOURCE_",
        "A-ABORT, PS3.8 Table 9-26; reasons mean something only from PROVIDER",
        """Who sent an A-ABORT.

        Names: LEADTOOLS help; values: PS3.8 Table 9-26.
        """,
        """
        User     0
        Provider 2
        """,
    ),
    enum(
        "dimse",
        "DicomAbortReasonType",
        "PDU_ABORT_REASON_",
        "",
        """Why an association was aborted; means something only if the source is Provider.

        Names: LEADTOOLS help; values: PS3.8 Table 9-26.
        """,
        """
        Unknown               0
        Unrecognized          1 | Unrecognized PDU.
        Unexpected            2 | Unexpected PDU.
        UnrecognizedParameter 4 UNRECOGNIZED_PARAM
        UnexpectedParameter   5 UNEXPECTED_PARAM
        InvalidParameter      6 INVALID_PARAM
        """,
    ),
    enum(
        "dimse",
        "DicomAssociateAcceptResultType",
        "PDU_ACCEPT_RESULT_",
        "Answer to a presentation context, PS3.8 Table 9-18",
        """Answer to one presentation context.

        Names: public programs; values: PS3.8 Table 9-18.
        """,
        """
        Success        0 | Accepted.
        UserReject     1
        ProviderReject 2 | No reason given.
        AbstractSyntax 3 | The abstract syntax is not supported.
        TransferSyntax 4 | None of the transfer syntaxes is supported.
        """,
    ),
    enum(
        "dimse",
        "DicomRoleSupport",
        "",
        "",
        """One side of an SCP/SCU role selection.

        Names: public programs; values: PS3.7 D.3.3.4.
        """,
        """
        Unsupported 0
        Supported   1
        """,
    ),
    enum(
        "dimse",
        "ClientPortUsageType",
        "",
        "",
        """Which port of a client a server connects back to.

        Names and values: LEADTOOLS help.
        """,
        """
        None_        0
        Unsecure     1
        Secure       2
        SameAsServer 3
        """,
    ),
    enum(
        "dimse",
        "RoleSelectionFlags",
        "",
        "",
        """How a server answers role selections.

        Names and values: LEADTOOLS help.
        """,
        """
        None_                      0
        Disabled                   1
        Enabled                    2
        AcceptUserRoleProposed     4
        AcceptProviderRoleProposed 8
        AcceptAllProposed          12 | The two above.
        """,
        base="DotNetFlags",
    ),
    enum(
        "dimse",
        "DicomCommandType",
        "COMMAND_",
        "Command fields, PS3.7 E.1, both spellings",
        """Command Field (0000,0100) of a request; a response has 0x8000 added.

        Names: LEADTOOLS help; values: PS3.7 E.1.
        """,
        """
        Undefined 0x0000
        CStore    0x0001 C_STORE CSTORE
        CGet      0x0010 C_GET CGET
        CFind     0x0020 C_FIND CFIND
        CMove     0x0021 C_MOVE CMOVE
        CEcho     0x0030 C_ECHO CECHO
        NReport   0x0100 N_REPORT NREPORT | N-EVENT-REPORT.
        NGet      0x0110 N_GET NGET
        NSet      0x0120 N_SET NSET
        NAction   0x0130 N_ACTION NACTION
        NCreate   0x0140 N_CREATE NCREATE
        NDelete   0x0150 N_DELETE NDELETE
        CCancel   0x0FFF C_CANCEL CCANCEL
        """,
        digits=4,
    ),
    enum(
        "dimse",
        "DicomDataSetCommandType",
        "COMMAND_DATASET_",
        "Command data set types",
        """Command Data Set Type (0000,0800); received, anything but 0x0101 means that a data set follows.

        Names: LEADTOOLS help (C API); values: PS3.7 E.1.
        """,
        """
        Present    0x0001
        Absent     0x0101
        Identifier 0x0102 | A data set follows: queries and their answers.
        """,
        digits=4,
    ),
    enum(
        "dimse",
        "DicomCommandPriorityType",
        "COMMAND_PRIORITY_",
        "Priorities; PRIORTY is the older, misspelt name",
        """Priority (0000,0700).

        Names: LEADTOOLS help; values: PS3.7 E.1.
        """,
        """
        Medium 0
        High   1 HIGH =COMMAND_PRIORTY_HIGH
        Low    2
        """,
    ),
    enum(
        "dimse",
        "DicomCommandStatusType",
        "COMMAND_STATUS_",
        "Statuses, PS3.7 Annex C and PS3.4",
        """Status (0000,0900) of a response. Any other number a peer sends is a member ``Value_0xNNNN``.

        Names: LEADTOOLS help and public programs, NoSuchActionType and NotAuthorized are this
        library's. Values: PS3.7 Annex C, PS3.4 for 0xA700 and above; Warning, Failure and Reserved2..4
        are this library's.
        """,
        """
        Success                              0x0000
        NoSuchAttribute                      0x0105
        InvalidAttributeValue                0x0106
        AttributeListError                   0x0107 | A warning: some attributes were not taken.
        ProcessingFailure                    0x0110
        DuplicateInstance                    0x0111
        NoSuchObjectInstance                 0x0112
        NoSuchEventType                      0x0113
        NoSuchArgument                       0x0114
        InvalidArgumentValue                 0x0115
        AttributeOutOfRange                  0x0116 | A warning.
        InvalidObjectInstance                0x0117
        NoSuchClass                          0x0118
        ClaseInstanceConflict/ClassInstanceConflict 0x0119 CLASS_INSTANCE_CONFLICT CLASE_INSTANCE_CONFLICT
        MissingAttribute                     0x0120
        MissingAttributeValue                0x0121
        ClassNotSupported                    0x0122
        NoSuchActionType                     0x0123
        NotAuthorized                        0x0124
        DuplicateTransactionUid              0x0131
        DuplicateInvocation                  0x0210
        UnrecognizedOperation                0x0211
        MistypedArgument                     0x0212
        ResourceLimitation                   0x0213
        RefusedOutOfResources                0xA700
        RefusedUnableToCalculateMatches      0xA701
        RefusedUnableToPerformSuboperations  0xA702
        RefusedMoveDestinationUnknown        0xA801
        Warning                              0xB000 | Some sub-operations failed, elements were coerced.
        Failure                              0xC001 | Unable to process.
        Reserved2                            0xC002
        Reserved3                            0xC003
        Reserved4                            0xC004
        Cancel                               0xFE00
        Pending                              0xFF00
        PendingWarning                       0xFF01 | C-FIND: an optional key is not supported.
        """,
        digits=4,
    ),
)

C_GROUPS = (
    group(
        "L_SSL_CTX_CREATE.uFlags: which members count",
        """
        FLAG_SSL_CTX_CREATE_METHOD_TYPE  0x01
        FLAG_SSL_CTX_CREATE_VERIFY_DEPTH 0x02
        FLAG_SSL_CTX_CREATE_VERIFY_MODE  0x04
        FLAG_SSL_CTX_CREATE_CAFILE       0x08
        FLAG_SSL_CTX_CREATE_OPTIONS      0x10
        FLAG_SSL_CTX_CREATE_ALL          0x1F
        """,
        digits=2,
    ),
    group(
        "VERIFYCALLBACK: there was nobody to answer",
        """
        DICOM_VERIFY_NO_ANSWER -2147483647
        """,
    ),
    CGroup(
        "DICOMFAILURE.nStage",
        0,
        tuple((f"DICOM_STAGE_{name.upper()}", i) for i, name in enumerate(STAGES)),
    ),
    group(
        "DICOMFAILURE.nSide",
        """
        DICOM_SIDE_LOCAL 0
        DICOM_SIDE_PEER  1
        """,
    ),
    group(
        "LOGCALLBACK levels",
        """
        DICOM_LOG_DEBUG   10
        DICOM_LOG_INFO    20
        DICOM_LOG_WARNING 30
        DICOM_LOG_ERROR   40
        """,
    ),
    group(
        "L_DicomSetLimit: from 1 times in milliseconds, from 20 counts, from 30 switches",
        """
        DICOM_LIMIT_HANDSHAKE_TIMEOUT      1
        DICOM_LIMIT_LATE_REFUSAL_WAIT      2
        DICOM_LIMIT_CONNECT_TIMEOUT        3
        DICOM_LIMIT_LINGER_TIMEOUT         4
        DICOM_LIMIT_CONNECTIONS            20
        DICOM_LIMIT_HANDSHAKES_PER_ADDRESS 21
        DICOM_LIMIT_HANDSHAKES_TOTAL       22
        DICOM_LIMIT_ALLOW_PLAIN_CHILDREN   30
        DICOM_LIMIT_ARTIM_TIMEOUT 5
        DICOM_LIMIT_ASSOCIATION_TIMEOUT 6
        DICOM_LIMIT_IDLE_TIMEOUT 7
        DICOM_LIMIT_SEND_TIMEOUT 8
        DICOM_LIMIT_PROGRESS_TIMEOUT 9
        DICOM_LIMIT_DATA_SET_MEMORY 23
        DICOM_LIMIT_DATA_SET_TOTAL 24
        DICOM_LIMIT_SEND_QUEUE 25
        DICOM_LIMIT_SPILL_QUOTA 26
        """,
    ),
    group(
        "L_DicomSetReceiveSink: where the data sets of C-STORE requests go",
        """
        DICOM_SINK_MEMORY  0
        DICOM_SINK_FILE    1
        DICOM_SINK_DISCARD 2
        DICOM_SINK_CHUNKS  3
        """,
    ),
    group(
        "RECEIVECHUNKCALLBACK",
        """
        DICOM_CHUNK_FIRST 1
        DICOM_CHUNK_LAST  2
        """,
    ),
    group(
        "L_DicomSetAutoRespond",
        """
        DICOM_AUTO_RESPOND_ECHO    1
        DICOM_AUTO_RESPOND_RELEASE 2
        """,
    ),
    group(
        "L_DicomGetProfileTLS: the suite must be there; is used if OpenSSL has it; is listed only when it is added",
        """
        DICOM_TLS_PROFILE_SUITE_REQUIRED   0
        DICOM_TLS_PROFILE_SUITE_IF_THERE   1
        DICOM_TLS_PROFILE_SUITE_ON_REQUEST 2
        """,
    ),
    group(
        "L_DicomGetInfoTLS",
        """
        DICOM_TLS_INFO_VERSION               1
        DICOM_TLS_INFO_GROUP                 2
        DICOM_TLS_INFO_VERIFIED              3
        DICOM_TLS_INFO_VERIFY_CODE           4
        DICOM_TLS_INFO_RESUMED               5
        DICOM_TLS_INFO_PEER_SUBJECT          6
        DICOM_TLS_INFO_CIPHER_NAME           7
        DICOM_TLS_INFO_CERTIFICATE_REQUESTED 8
        DICOM_TLS_INFO_CA_NAMES              9
        DICOM_TLS_INFO_SERVER_NAME           20
        DICOM_TLS_INFO_APPLICATION           21
        DICOM_TLS_INFO_REVOCATION            22
        DICOM_TLS_INFO_OCSP                  23
        """,
    ),
    group(
        "L_DicomGetPinTLS",
        """
        DICOM_TLS_PIN_CERTIFICATE 0
        DICOM_TLS_PIN_KEY         1
        """,
    ),
    group(
        "L_DicomSetExpectedNameTLS",
        """
        DICOM_TLS_NAME_EMAIL 1
        DICOM_TLS_NAME_URI   2
        """,
    ),
    group(
        "L_DicomSetPurposeCheckTLS: as OpenSSL has it; an extended key usage must be there; no check",
        """
        DICOM_TLS_PURPOSE_DEFAULT 0
        DICOM_TLS_PURPOSE_STRICT  1
        DICOM_TLS_PURPOSE_ANY     2
        """,
    ),
    group(
        "L_DicomSetPoliciesTLS: look at them; one of them must be left; no anyPolicy; no mapping",
        """
        DICOM_TLS_POLICY_CHECK           1
        DICOM_TLS_POLICY_EXPLICIT        2
        DICOM_TLS_POLICY_INHIBIT_ANY     4
        DICOM_TLS_POLICY_INHIBIT_MAPPING 8
        """,
    ),
    group(
        "L_DicomSetAlpnTLS",
        """
        DICOM_TLS_ALPN_OFF     0
        DICOM_TLS_ALPN_OFFER   1
        DICOM_TLS_ALPN_REFUSE  2
        DICOM_TLS_ALPN_REQUIRE 3
        """,
    ),
    group(
        "L_DicomSetOcspTLS: a server's staple is not asked for; is asked for and judged; must be there",
        """
        DICOM_OCSP_OFF     0
        DICOM_OCSP_CHECK   1
        DICOM_OCSP_REQUIRE 2
        """,
    ),
    group(
        "L_DicomGetLibraryTLS",
        """
        DICOM_TLS_LIBRARY_VERSION       1
        DICOM_TLS_LIBRARY_GROUPS        2
        DICOM_TLS_LIBRARY_HYBRID_GROUPS 3
        DICOM_TLS_LIBRARY_PROVIDERS     4
        """,
    ),
    group(
        "L_DicomSaveDS",
        """
        DS_LITTLE_ENDIAN      1
        DS_BIG_ENDIAN         2
        DS_IMPLICIT_VR        4
        DS_EXPLICIT_VR        8
        DS_GROUP_LENGTHS      16
        DS_METAHEADER_PRESENT 32
        DS_METAHEADER_ABSENT  64
        DS_LENGTH_EXPLICIT    128
        """,
    ),
    group(
        "In a command field",
        """
        COMMAND_REQUEST  0x0000
        COMMAND_RESPONSE 0x8000
        """,
        digits=4,
    ),
)
