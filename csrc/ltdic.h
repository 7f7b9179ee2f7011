/*
 * ltdic.h - DICOM over TCP and TLS, the C API of leadtools_compat.
 *
 * Rules that hold for every function:
 *   - L_INT results: DICOM_SUCCESS (0) or a DICOM_ERROR_... code. The sentence that goes with the last error of the
 *     calling thread is L_DicomGetLastErrorText().
 *   - Handles are numbers in disguise, checked at every call: a stale or foreign handle gives
 *     DICOM_ERROR_OBJECT_DISPOSED (or the neutral answer), never a crash.
 *   - Strings are UTF-8. Strings passed in are copied. Strings passed to a callback live during the callback only.
 *   - Every function may be called from any thread and from inside any callback. No lock is held in a callback.
 *   - Callbacks of one net never overlap (csrc/README.md, "Callback contract").
 *
 * Not affiliated with LEAD Technologies; written from public documentation and standards.
 */
#ifndef LTDIC_H
#define LTDIC_H

#ifndef L_LTDIC_API
#if defined(__GNUC__)
#define L_LTDIC_API __attribute__((visibility("default")))
#else
#define L_LTDIC_API
#endif
#endif
#ifndef EXT_CALLBACK
#define EXT_CALLBACK
#define pEXT_CALLBACK
#endif

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/* ---- fence: everything to the end of the fence is also the cdef of the Python binding ---- */

typedef void L_VOID;
typedef char L_CHAR;
typedef char L_TCHAR;
typedef unsigned char L_UCHAR;
typedef int L_BOOL;
typedef int L_INT;
typedef unsigned int L_UINT;
typedef short L_INT16;
typedef unsigned short L_UINT16;
typedef int L_INT32;
typedef unsigned int L_UINT32;
typedef long long L_INT64;
typedef unsigned long long L_UINT64;
typedef double L_DOUBLE;

typedef struct ldc_net *HDICOMNET;
typedef struct ldc_dataset *HDICOMDS; /* a number in disguise, as HDICOMNET */
typedef struct ldc_associate *HDICOMPDU;
typedef L_UINT32 L_CIPHERSUITE; /* IANA number of a cipher suite, 0 = none */

/* ---- generated constants: tools/generate_constants.py ---- */
/* Results and error codes */
#define DICOM_SUCCESS                               0
#define DICOM_ERROR_INTERNAL                        1
#define DICOM_ERROR_MEMORY                          2
#define DICOM_ERROR_PARAMETER                       3
#define DICOM_ERROR_INVALID_STATE                   4
#define DICOM_ERROR_OBJECT_DISPOSED                 5
#define DICOM_ERROR_FEATURE_NOT_SUPPORTED           6
#define DICOM_ERROR_CANCELED                        7
#define DICOM_ERROR_CALLBACK                        8
#define DICOM_ERROR_FILE_NOT_FOUND                  100
#define DICOM_ERROR_FILE_ACCESS                     101
#define DICOM_ERROR_FILE_READ                       102
#define DICOM_ERROR_FILE_WRITE                      103
#define DICOM_ERROR_FILE_FORMAT                     104
#define DICOM_ERROR_ELEMENT_NOT_FOUND               105
#define DICOM_ERROR_ELEMENT_EXISTS                  106
#define DICOM_ERROR_VR_INVALID                      107
#define DICOM_ERROR_VALUE_INVALID                   108
#define DICOM_ERROR_SEQUENCE_DEPTH                  109
#define DICOM_ERROR_TRANSFER_SYNTAX_NOT_SUPPORTED   110
#define DICOM_ERROR_CODEC_NOT_AVAILABLE             111
#define DICOM_ERROR_DATA_SET_TOO_LARGE              112
#define DICOM_ERROR_CHARACTER_SET                   113
#define DICOM_ERROR_XML_FORMAT                      114
#define DICOM_ERROR_NET_FAILURE                     200
#define DICOM_ERROR_NET_CONNECTION_ABORTED          201
#define DICOM_ERROR_NET_CONNECTION_REFUSED          202
#define DICOM_ERROR_NET_TIMEOUT                     203
#define DICOM_ERROR_NET_HOST_NOT_FOUND              204
#define DICOM_ERROR_NET_HOST_UNREACHABLE            205
#define DICOM_ERROR_NET_ADDRESS_IN_USE              206
#define DICOM_ERROR_NET_ADDRESS_NOT_AVAILABLE       207
#define DICOM_ERROR_NET_ACCESS_DENIED               208
#define DICOM_ERROR_NET_NOT_CONNECTED               209
#define DICOM_ERROR_NET_ALREADY_CONNECTED           210
#define DICOM_ERROR_NET_NO_PENDING_CONNECTION       211
#define DICOM_ERROR_NET_TOO_MANY_CONNECTIONS        212
#define DICOM_ERROR_NET_PROTOCOL                    213
#define DICOM_ERROR_NET_PEER_SPEAKS_TLS             214
#define DICOM_ERROR_NET_QUEUE_FULL                  215
#define DICOM_ERROR_TLS_FAILURE                     300
#define DICOM_ERROR_TLS_HANDSHAKE_TIMEOUT           301
#define DICOM_ERROR_TLS_NO_CIPHER_SUITE             302
#define DICOM_ERROR_TLS_NO_SHARED_CIPHER_SUITE      303
#define DICOM_ERROR_TLS_NO_SHARED_VERSION           304
#define DICOM_ERROR_TLS_PEER_NOT_TLS                305
#define DICOM_ERROR_TLS_CERTIFICATE_REQUIRED        306
#define DICOM_ERROR_TLS_CERTIFICATE_REJECTED        307
#define DICOM_ERROR_TLS_PEER_REJECTED_CERTIFICATE   308
#define DICOM_ERROR_TLS_PEER_REQUIRES_CERTIFICATE   309
#define DICOM_ERROR_TLS_ALERT_RECEIVED              310
#define DICOM_ERROR_TLS_CERTIFICATE_FILE            311
#define DICOM_ERROR_TLS_PRIVATE_KEY_FILE            312
#define DICOM_ERROR_TLS_PRIVATE_KEY_PASSWORD        313
#define DICOM_ERROR_TLS_KEY_MISMATCH                314
#define DICOM_ERROR_TLS_CERTIFICATE_MISSING         315
#define DICOM_ERROR_TLS_CA_FILE                     316
#define DICOM_ERROR_TLS_WEAK_KEY                    317
#define DICOM_ERROR_TLS_PROFILE                     318
#define DICOM_ERROR_TLS_RECORD                      319
#define DICOM_ERROR_TLS_VERIFY_CALLBACK             320
#define DICOM_ERROR_ASSOCIATION_REJECTED            400
#define DICOM_ERROR_ASSOCIATION_ABORTED             401
#define DICOM_ERROR_ASSOCIATION_TIMEOUT             402
#define DICOM_ERROR_ASSOCIATION_NOT_ESTABLISHED     403
#define DICOM_ERROR_ASSOCIATION_ALREADY_ESTABLISHED 404
#define DICOM_ERROR_PDU_INVALID                     405
#define DICOM_ERROR_PDU_UNEXPECTED                  406
#define DICOM_ERROR_PDU_TOO_LONG                    407
#define DICOM_ERROR_PRESENTATION_CONTEXT_INVALID    408
#define DICOM_ERROR_ABSTRACT_SYNTAX_NOT_SUPPORTED   409
#define DICOM_ERROR_COMMAND_INVALID                 500
#define DICOM_ERROR_COMMAND_UNEXPECTED              501
#define DICOM_ERROR_MESSAGE_TIMEOUT                 502
#define DICOM_ERROR_STATUS_FAILURE                  503
#define DICOM_ERROR_DATA_SET_MISSING                504

/* Certificate verification codes: OpenSSL 1.1.1's numbers; 24 and 79 are exchanged in OpenSSL 3 */
#define L_X509_V_OK                                       0
#define L_X509_V_ERR_UNSPECIFIED                          1
#define L_X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT            2
#define L_X509_V_ERR_UNABLE_TO_GET_CRL                    3
#define L_X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE     4
#define L_X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE      5
#define L_X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY   6
#define L_X509_V_ERR_CERT_SIGNATURE_FAILURE               7
#define L_X509_V_ERR_CRL_SIGNATURE_FAILURE                8
#define L_X509_V_ERR_CERT_NOT_YET_VALID                   9
#define L_X509_V_ERR_CERT_HAS_EXPIRED                     10
#define L_X509_V_ERR_CRL_NOT_YET_VALID                    11
#define L_X509_V_ERR_CRL_HAS_EXPIRED                      12
#define L_X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD       13
#define L_X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD        14
#define L_X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD       15
#define L_X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD       16
#define L_X509_V_ERR_OUT_OF_MEM                           17
#define L_X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT          18
#define L_X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN            19
#define L_X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY    20
#define L_X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE      21
#define L_X509_V_ERR_CERT_CHAIN_TOO_LONG                  22
#define L_X509_V_ERR_CERT_REVOKED                         23
#define L_X509_V_ERR_INVALID_CA                           24
#define L_X509_V_ERR_PATH_LENGTH_EXCEEDED                 25
#define L_X509_V_ERR_INVALID_PURPOSE                      26
#define L_X509_V_ERR_CERT_UNTRUSTED                       27
#define L_X509_V_ERR_CERT_REJECTED                        28
#define L_X509_V_ERR_SUBJECT_ISSUER_MISMATCH              29
#define L_X509_V_ERR_AKID_SKID_MISMATCH                   30
#define L_X509_V_ERR_AKID_ISSUER_SERIAL_MISMATCH          31
#define L_X509_V_ERR_KEYUSAGE_NO_CERTSIGN                 32
#define L_X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER             33
#define L_X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION         34
#define L_X509_V_ERR_KEYUSAGE_NO_CRL_SIGN                 35
#define L_X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION     36
#define L_X509_V_ERR_INVALID_NON_CA                       37
#define L_X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED           38
#define L_X509_V_ERR_KEYUSAGE_NO_DIGITAL_SIGNATURE        39
#define L_X509_V_ERR_PROXY_CERTIFICATES_NOT_ALLOWED       40
#define L_X509_V_ERR_INVALID_EXTENSION                    41
#define L_X509_V_ERR_INVALID_POLICY_EXTENSION             42
#define L_X509_V_ERR_NO_EXPLICIT_POLICY                   43
#define L_X509_V_ERR_DIFFERENT_CRL_SCOPE                  44
#define L_X509_V_ERR_UNSUPPORTED_EXTENSION_FEATURE        45
#define L_X509_V_ERR_UNNESTED_RESOURCE                    46
#define L_X509_V_ERR_PERMITTED_VIOLATION                  47
#define L_X509_V_ERR_EXCLUDED_VIOLATION                   48
#define L_X509_V_ERR_SUBTREE_MINMAX                       49
#define L_X509_V_ERR_APPLICATION_VERIFICATION             50
#define L_X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE          51
#define L_X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX        52
#define L_X509_V_ERR_UNSUPPORTED_NAME_SYNTAX              53
#define L_X509_V_ERR_CRL_PATH_VALIDATION_ERROR            54
#define L_X509_V_ERR_PATH_LOOP                            55
#define L_X509_V_ERR_SUITE_B_INVALID_VERSION              56
#define L_X509_V_ERR_SUITE_B_INVALID_ALGORITHM            57
#define L_X509_V_ERR_SUITE_B_INVALID_CURVE                58
#define L_X509_V_ERR_SUITE_B_INVALID_SIGNATURE_ALGORITHM  59
#define L_X509_V_ERR_SUITE_B_LOS_NOT_ALLOWED              60
#define L_X509_V_ERR_SUITE_B_CANNOT_SIGN_P_384_WITH_P_256 61
#define L_X509_V_ERR_HOSTNAME_MISMATCH                    62
#define L_X509_V_ERR_EMAIL_MISMATCH                       63
#define L_X509_V_ERR_IP_ADDRESS_MISMATCH                  64
#define L_X509_V_ERR_DANE_NO_MATCH                        65
#define L_X509_V_ERR_EE_KEY_TOO_SMALL                     66
#define L_X509_V_ERR_CA_KEY_TOO_SMALL                     67
#define L_X509_V_ERR_CA_MD_TOO_WEAK                       68
#define L_X509_V_ERR_INVALID_CALL                         69
#define L_X509_V_ERR_STORE_LOOKUP                         70
#define L_X509_V_ERR_NO_VALID_SCTS                        71
#define L_X509_V_ERR_PROXY_SUBJECT_NAME_VIOLATION         72
#define L_X509_V_ERR_OCSP_VERIFY_NEEDED                   73
#define L_X509_V_ERR_OCSP_VERIFY_FAILED                   74
#define L_X509_V_ERR_OCSP_CERT_UNKNOWN                    75
#define L_X509_V_ERR_UNSUPPORTED_SIGNATURE_ALGORITHM      76
#define L_X509_V_ERR_SIGNATURE_ALGORITHM_MISMATCH         77
#define L_X509_V_ERR_SIGNATURE_ALGORITHM_INCONSISTENCY    78
#define L_X509_V_ERR_NO_ISSUER_PUBLIC_KEY                 79
#define L_X509_V_ERR_PATHLEN_INVALID_FOR_NON_CA           80
#define L_X509_V_ERR_PATHLEN_WITHOUT_KU_KEY_CERT_SIGN     81
#define L_X509_V_ERR_KU_KEY_CERT_SIGN_INVALID_FOR_NON_CA  82
#define L_X509_V_ERR_ISSUER_NAME_EMPTY                    83
#define L_X509_V_ERR_SUBJECT_NAME_EMPTY                   84
#define L_X509_V_ERR_MISSING_AUTHORITY_KEY_IDENTIFIER     85
#define L_X509_V_ERR_MISSING_SUBJECT_KEY_IDENTIFIER       86
#define L_X509_V_ERR_EMPTY_SUBJECT_ALT_NAME               87
#define L_X509_V_ERR_EMPTY_SUBJECT_SAN_NOT_CRITICAL       88
#define L_X509_V_ERR_CA_BCONS_NOT_CRITICAL                89
#define L_X509_V_ERR_AUTHORITY_KEY_IDENTIFIER_CRITICAL    90
#define L_X509_V_ERR_SUBJECT_KEY_IDENTIFIER_CRITICAL      91
#define L_X509_V_ERR_CA_CERT_MISSING_KEY_USAGE            92
#define L_X509_V_ERR_EXTENSIONS_REQUIRE_VERSION_3         93
#define L_X509_V_ERR_EC_KEY_EXPLICIT_PARAMS               94

/* Security modes of a net */
#define DICOM_SECURE_NONE 0
#define DICOM_SECURE_TLS  1
#define DICOM_SECURE_ISCL 2

/* Formats of certificate and key files */
#define DICOM_TLS_CERTIFICATE_PEM           1
#define DICOM_TLS_CERTIFICATE_ASN1          2
#define DICOM_TLS_CERTIFICATE_PKCS12        3
#define DICOM_TLS_CERTIFICATE_PKCS12_LEGACY 4

/* TLS versions of a context */
#define TYPE_SSLV23_METHOD  0x0000
#define TYPE_SSLV2_METHOD   0x0002
#define TYPE_SSLV3_METHOD   0x0300
#define TYPE_TLSV1_METHOD   0x0301
#define TYPE_TLSV1_2_METHOD 0x0303
#define TYPE_TLSV1_3_METHOD 0x0304

/* Verification flags, both spellings */
#define L_SSL_VERIFY_NONE                 0
#define L_SSL_VERIFY_PEER                 1
#define L_SSL_VERIFY_FAIL_IF_NO_PEER_CERT 2
#define L_SSL_VERIFY_CLIENT_ONCE          4
#define DICOM_SSL_VERIFY_NONE                 0
#define DICOM_SSL_VERIFY_PEER                 1
#define DICOM_SSL_VERIFY_FAIL_IF_NO_PEER_CERT 2
#define DICOM_SSL_VERIFY_CLIENT_ONCE          4

/* Options of a TLS context */
#define DICOM_SSL_OP_ALL_BUG_WORKAROUNDS 0x00000FFF
#define DICOM_SSL_OP_ALLOW_TLS_V1        0x00100000
#define DICOM_SSL_OP_ALLOW_TLS_V1_1      0x00200000
#define DICOM_SSL_OP_NO_SSL_V2           0x01000000
#define DICOM_SSL_OP_NO_SSL_V3           0x02000000
#define DICOM_SSL_OP_NO_TLS_V1           0x04000000
#define DICOM_SSL_OP_NO_TLS_V1_2         0x08000000
#define DICOM_SSL_OP_NO_TLS_V1_1         0x10000000
#define DICOM_SSL_OP_NO_TLS_V1_3         0x20000000

/* Cipher suites: IANA's numbers and names */
#define DICOM_TLS_NONE                                      0x0000
#define DICOM_TLS_AES_256_GCM_SHA384                        0x1302
#define DICOM_TLS_AES_128_GCM_SHA256                        0x1301
#define DICOM_TLS_CHACHA20_POLY1305_SHA256                  0x1303
#define DICOM_TLS_AES_128_CCM_SHA256                        0x1304
#define DICOM_TLS_AES_128_CCM_8_SHA256                      0x1305
#define DICOM_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384       0xC02C
#define DICOM_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384         0xC030
#define DICOM_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256       0xC02B
#define DICOM_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256         0xC02F
#define DICOM_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 0xCCA9
#define DICOM_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256   0xCCA8
#define DICOM_TLS_DHE_RSA_WITH_AES_256_GCM_SHA384           0x009F
#define DICOM_TLS_DHE_RSA_WITH_AES_128_GCM_SHA256           0x009E
#define DICOM_TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256     0xCCAA
#define DICOM_TLS_ECDHE_ECDSA_WITH_AES_256_CCM              0xC0AD
#define DICOM_TLS_ECDHE_ECDSA_WITH_AES_128_CCM              0xC0AC
#define DICOM_TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8            0xC0AF
#define DICOM_TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8            0xC0AE
#define DICOM_TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384       0xC024
#define DICOM_TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384         0xC028
#define DICOM_TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256       0xC023
#define DICOM_TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256         0xC027
#define DICOM_TLS_DHE_RSA_WITH_AES_256_CBC_SHA256           0x006B
#define DICOM_TLS_DHE_RSA_WITH_AES_128_CBC_SHA256           0x0067
#define DICOM_TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA          0xC00A
#define DICOM_TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA            0xC014
#define DICOM_TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA          0xC009
#define DICOM_TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA            0xC013
#define DICOM_TLS_DHE_RSA_WITH_AES_256_CBC_SHA              0x0039
#define DICOM_TLS_DHE_RSA_WITH_AES_128_CBC_SHA              0x0033
#define DICOM_TLS_RSA_WITH_AES_256_GCM_SHA384               0x009D
#define DICOM_TLS_RSA_WITH_AES_128_GCM_SHA256               0x009C
#define DICOM_TLS_RSA_WITH_AES_256_CBC_SHA256               0x003D
#define DICOM_TLS_RSA_WITH_AES_128_CBC_SHA256               0x003C
#define DICOM_TLS_RSA_WITH_AES_256_CBC_SHA                  0x0035
#define DICOM_TLS_RSA_WITH_AES_128_CBC_SHA                  0x002F
#define DICOM_TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA             0x0016
#define DICOM_TLS_RSA_WITH_3DES_EDE_CBC_SHA                 0x000A
#define DICOM_TLS_DHE_RSA_WITH_DES_CBC_SHA                  0x0015

/* Encryption of a suite */
#define DICOM_TLS_ENCRYPTION_NONE              0
#define DICOM_TLS_ENCRYPTION_DES               1
#define DICOM_TLS_ENCRYPTION_TRIPLE_DES        2
#define DICOM_TLS_ENCRYPTION_AES               3
#define DICOM_TLS_ENCRYPTION_AES_GCM           4
#define DICOM_TLS_ENCRYPTION_AES_CCM           5
#define DICOM_TLS_ENCRYPTION_AES_CCM8          6
#define DICOM_TLS_ENCRYPTION_CHACHA20_POLY1305 7

/* Authentication of a suite */
#define DICOM_TLS_AUTHENTICATION_NONE  0
#define DICOM_TLS_AUTHENTICATION_RSA   1
#define DICOM_TLS_AUTHENTICATION_ECDSA 2
#define DICOM_TLS_AUTHENTICATION_ANY   3

/* Integrity protection of a suite */
#define DICOM_TLS_INTEGRITY_NONE   0
#define DICOM_TLS_INTEGRITY_SHA    1
#define DICOM_TLS_INTEGRITY_SHA256 2
#define DICOM_TLS_INTEGRITY_SHA384 3
#define DICOM_TLS_INTEGRITY_AEAD   4

/* Key exchange of a suite */
#define DICOM_TLS_KEY_EXCHANGE_NONE  0
#define DICOM_TLS_KEY_EXCHANGE_RSA   1
#define DICOM_TLS_KEY_EXCHANGE_DHE   2
#define DICOM_TLS_KEY_EXCHANGE_ECDHE 3
#define DICOM_TLS_KEY_EXCHANGE_ANY   4

/* Flags of a net */
#define DICOM_NET_FLAG_SEND_DATA_WITH_GROUP_LENGTH 1

/* Address families */
#define DICOM_IPTYPE_NONE         0
#define DICOM_IPTYPE_IPV4         1
#define DICOM_IPTYPE_IPV6         2
#define DICOM_IPTYPE_IPV4_OR_IPV6 3

/* PDU types, PS3.8 9.3 */
#define PDU_UNKNOWN           0
#define PDU_ASSOCIATE_REQUEST 1
#define PDU_ASSOCIATE_ACCEPT  2
#define PDU_ASSOCIATE_REJECT  3
#define PDU_DATA_TRANSFER     4
#define PDU_RELEASE_REQUEST   5
#define PDU_RELEASE_RESPONSE  6
#define PDU_ABORT             7

/* A-ASSOCIATE-RJ, PS3.8 Table 9-21 */
#define PDU_REJECT_RESULT_PERMANENT 1
#define PDU_REJECT_RESULT_TRANSIENT 2
#define PDU_REJECT_SOURCE_USER      1
#define PDU_REJECT_SOURCE_PROVIDER1 2
#define PDU_REJECT_SOURCE_PROVIDER2 3

/* ... reasons: of source USER the first four, PROVIDER1 VERSION, PROVIDER2 CONGESTION and LIMIT */
#define PDU_REJECT_REASON_UNKNOWN     1
#define PDU_REJECT_REASON_APPLICATION 2
#define PDU_REJECT_REASON_CALLING     3
#define PDU_REJECT_REASON_CALLED      7
#define PDU_REJECT_REASON_VERSION     2
#define PDU_REJECT_REASON_CONGESTION  1
#define PDU_REJECT_REASON_LIMIT       2

/* A-ABORT, PS3.8 Table 9-26; reasons mean something only from PROVIDER */
#define PDU_ABORT_SOURCE_USER     0
#define PDU_ABORT_SOURCE_PROVIDER 2
#define PDU_ABORT_REASON_UNKNOWN            0
#define PDU_ABORT_REASON_UNRECOGNIZED       1
#define PDU_ABORT_REASON_UNEXPECTED         2
#define PDU_ABORT_REASON_UNRECOGNIZED_PARAM 4
#define PDU_ABORT_REASON_UNEXPECTED_PARAM   5
#define PDU_ABORT_REASON_INVALID_PARAM      6

/* Answer to a presentation context, PS3.8 Table 9-18 */
#define PDU_ACCEPT_RESULT_SUCCESS         0
#define PDU_ACCEPT_RESULT_USER_REJECT     1
#define PDU_ACCEPT_RESULT_PROVIDER_REJECT 2
#define PDU_ACCEPT_RESULT_ABSTRACT_SYNTAX 3
#define PDU_ACCEPT_RESULT_TRANSFER_SYNTAX 4

/* Command fields, PS3.7 E.1, both spellings */
#define COMMAND_UNDEFINED 0x0000
#define COMMAND_C_STORE   0x0001
#define COMMAND_CSTORE    0x0001
#define COMMAND_C_GET     0x0010
#define COMMAND_CGET      0x0010
#define COMMAND_C_FIND    0x0020
#define COMMAND_CFIND     0x0020
#define COMMAND_C_MOVE    0x0021
#define COMMAND_CMOVE     0x0021
#define COMMAND_C_ECHO    0x0030
#define COMMAND_CECHO     0x0030
#define COMMAND_N_REPORT  0x0100
#define COMMAND_NREPORT   0x0100
#define COMMAND_N_GET     0x0110
#define COMMAND_NGET      0x0110
#define COMMAND_N_SET     0x0120
#define COMMAND_NSET      0x0120
#define COMMAND_N_ACTION  0x0130
#define COMMAND_NACTION   0x0130
#define COMMAND_N_CREATE  0x0140
#define COMMAND_NCREATE   0x0140
#define COMMAND_N_DELETE  0x0150
#define COMMAND_NDELETE   0x0150
#define COMMAND_C_CANCEL  0x0FFF
#define COMMAND_CCANCEL   0x0FFF

/* Command data set types */
#define COMMAND_DATASET_PRESENT    0x0001
#define COMMAND_DATASET_ABSENT     0x0101
#define COMMAND_DATASET_IDENTIFIER 0x0102

/* Priorities; PRIORTY is the older, misspelt name */
#define COMMAND_PRIORITY_MEDIUM 0
#define COMMAND_PRIORITY_HIGH   1
#define COMMAND_PRIORTY_HIGH    1
#define COMMAND_PRIORITY_LOW    2

/* Statuses, PS3.7 Annex C and PS3.4 */
#define COMMAND_STATUS_SUCCESS                                 0x0000
#define COMMAND_STATUS_NO_SUCH_ATTRIBUTE                       0x0105
#define COMMAND_STATUS_INVALID_ATTRIBUTE_VALUE                 0x0106
#define COMMAND_STATUS_ATTRIBUTE_LIST_ERROR                    0x0107
#define COMMAND_STATUS_PROCESSING_FAILURE                      0x0110
#define COMMAND_STATUS_DUPLICATE_INSTANCE                      0x0111
#define COMMAND_STATUS_NO_SUCH_OBJECT_INSTANCE                 0x0112
#define COMMAND_STATUS_NO_SUCH_EVENT_TYPE                      0x0113
#define COMMAND_STATUS_NO_SUCH_ARGUMENT                        0x0114
#define COMMAND_STATUS_INVALID_ARGUMENT_VALUE                  0x0115
#define COMMAND_STATUS_ATTRIBUTE_OUT_OF_RANGE                  0x0116
#define COMMAND_STATUS_INVALID_OBJECT_INSTANCE                 0x0117
#define COMMAND_STATUS_NO_SUCH_CLASS                           0x0118
#define COMMAND_STATUS_CLASS_INSTANCE_CONFLICT                 0x0119
#define COMMAND_STATUS_CLASE_INSTANCE_CONFLICT                 0x0119
#define COMMAND_STATUS_MISSING_ATTRIBUTE                       0x0120
#define COMMAND_STATUS_MISSING_ATTRIBUTE_VALUE                 0x0121
#define COMMAND_STATUS_CLASS_NOT_SUPPORTED                     0x0122
#define COMMAND_STATUS_NO_SUCH_ACTION_TYPE                     0x0123
#define COMMAND_STATUS_NOT_AUTHORIZED                          0x0124
#define COMMAND_STATUS_DUPLICATE_TRANSACTION_UID               0x0131
#define COMMAND_STATUS_DUPLICATE_INVOCATION                    0x0210
#define COMMAND_STATUS_UNRECOGNIZED_OPERATION                  0x0211
#define COMMAND_STATUS_MISTYPED_ARGUMENT                       0x0212
#define COMMAND_STATUS_RESOURCE_LIMITATION                     0x0213
#define COMMAND_STATUS_REFUSED_OUT_OF_RESOURCES                0xA700
#define COMMAND_STATUS_REFUSED_UNABLE_TO_CALCULATE_MATCHES     0xA701
#define COMMAND_STATUS_REFUSED_UNABLE_TO_PERFORM_SUBOPERATIONS 0xA702
#define COMMAND_STATUS_REFUSED_MOVE_DESTINATION_UNKNOWN        0xA801
#define COMMAND_STATUS_WARNING                                 0xB000
#define COMMAND_STATUS_FAILURE                                 0xC001
#define COMMAND_STATUS_RESERVED2                               0xC002
#define COMMAND_STATUS_RESERVED3                               0xC003
#define COMMAND_STATUS_RESERVED4                               0xC004
#define COMMAND_STATUS_CANCEL                                  0xFE00
#define COMMAND_STATUS_PENDING                                 0xFF00
#define COMMAND_STATUS_PENDING_WARNING                         0xFF01

/* L_SSL_CTX_CREATE.uFlags: which members count */
#define FLAG_SSL_CTX_CREATE_METHOD_TYPE  0x01
#define FLAG_SSL_CTX_CREATE_VERIFY_DEPTH 0x02
#define FLAG_SSL_CTX_CREATE_VERIFY_MODE  0x04
#define FLAG_SSL_CTX_CREATE_CAFILE       0x08
#define FLAG_SSL_CTX_CREATE_OPTIONS      0x10
#define FLAG_SSL_CTX_CREATE_ALL          0x1F

/* VERIFYCALLBACK: there was nobody to answer */
#define DICOM_VERIFY_NO_ANSWER -2147483647

/* DICOMFAILURE.nStage */
#define DICOM_STAGE_NONE        0
#define DICOM_STAGE_RESOLVE     1
#define DICOM_STAGE_TCP         2
#define DICOM_STAGE_TLS         3
#define DICOM_STAGE_CERTIFICATE 4
#define DICOM_STAGE_ASSOCIATION 5
#define DICOM_STAGE_DIMSE       6
#define DICOM_STAGE_CLOSE       7

/* DICOMFAILURE.nSide */
#define DICOM_SIDE_LOCAL 0
#define DICOM_SIDE_PEER  1

/* LOGCALLBACK levels */
#define DICOM_LOG_DEBUG   10
#define DICOM_LOG_INFO    20
#define DICOM_LOG_WARNING 30
#define DICOM_LOG_ERROR   40

/* L_DicomSetLimit: from 1 times in milliseconds, from 20 counts, from 30 switches */
#define DICOM_LIMIT_HANDSHAKE_TIMEOUT      1
#define DICOM_LIMIT_LATE_REFUSAL_WAIT      2
#define DICOM_LIMIT_CONNECT_TIMEOUT        3
#define DICOM_LIMIT_LINGER_TIMEOUT         4
#define DICOM_LIMIT_CONNECTIONS            20
#define DICOM_LIMIT_HANDSHAKES_PER_ADDRESS 21
#define DICOM_LIMIT_HANDSHAKES_TOTAL       22
#define DICOM_LIMIT_ALLOW_PLAIN_CHILDREN   30
#define DICOM_LIMIT_ARTIM_TIMEOUT          5
#define DICOM_LIMIT_ASSOCIATION_TIMEOUT    6
#define DICOM_LIMIT_IDLE_TIMEOUT           7
#define DICOM_LIMIT_SEND_TIMEOUT           8
#define DICOM_LIMIT_PROGRESS_TIMEOUT       9
#define DICOM_LIMIT_DATA_SET_MEMORY        23
#define DICOM_LIMIT_DATA_SET_TOTAL         24
#define DICOM_LIMIT_SEND_QUEUE             25
#define DICOM_LIMIT_SPILL_QUOTA            26

/* L_DicomSetReceiveSink: where the data sets of C-STORE requests go */
#define DICOM_SINK_MEMORY  0
#define DICOM_SINK_FILE    1
#define DICOM_SINK_DISCARD 2
#define DICOM_SINK_CHUNKS  3

/* RECEIVECHUNKCALLBACK */
#define DICOM_CHUNK_FIRST 1
#define DICOM_CHUNK_LAST  2

/* L_DicomSetAutoRespond */
#define DICOM_AUTO_RESPOND_ECHO    1
#define DICOM_AUTO_RESPOND_RELEASE 2

/* L_DicomGetProfileTLS: the suite must be there; is used if OpenSSL has it; is listed only when it is added */
#define DICOM_TLS_PROFILE_SUITE_REQUIRED   0
#define DICOM_TLS_PROFILE_SUITE_IF_THERE   1
#define DICOM_TLS_PROFILE_SUITE_ON_REQUEST 2

/* L_DicomGetInfoTLS */
#define DICOM_TLS_INFO_VERSION               1
#define DICOM_TLS_INFO_GROUP                 2
#define DICOM_TLS_INFO_VERIFIED              3
#define DICOM_TLS_INFO_VERIFY_CODE           4
#define DICOM_TLS_INFO_RESUMED               5
#define DICOM_TLS_INFO_PEER_SUBJECT          6
#define DICOM_TLS_INFO_CIPHER_NAME           7
#define DICOM_TLS_INFO_CERTIFICATE_REQUESTED 8
#define DICOM_TLS_INFO_CA_NAMES              9
#define DICOM_TLS_INFO_SERVER_NAME           20
#define DICOM_TLS_INFO_APPLICATION           21
#define DICOM_TLS_INFO_REVOCATION            22
#define DICOM_TLS_INFO_OCSP                  23

/* L_DicomGetPinTLS */
#define DICOM_TLS_PIN_CERTIFICATE 0
#define DICOM_TLS_PIN_KEY         1

/* L_DicomSetExpectedNameTLS */
#define DICOM_TLS_NAME_EMAIL 1
#define DICOM_TLS_NAME_URI   2

/* L_DicomSetPurposeCheckTLS: as OpenSSL has it; an extended key usage must be there; no check */
#define DICOM_TLS_PURPOSE_DEFAULT 0
#define DICOM_TLS_PURPOSE_STRICT  1
#define DICOM_TLS_PURPOSE_ANY     2

/* L_DicomSetPoliciesTLS: look at them; one of them must be left; no anyPolicy; no mapping */
#define DICOM_TLS_POLICY_CHECK           1
#define DICOM_TLS_POLICY_EXPLICIT        2
#define DICOM_TLS_POLICY_INHIBIT_ANY     4
#define DICOM_TLS_POLICY_INHIBIT_MAPPING 8

/* L_DicomSetAlpnTLS */
#define DICOM_TLS_ALPN_OFF     0
#define DICOM_TLS_ALPN_OFFER   1
#define DICOM_TLS_ALPN_REFUSE  2
#define DICOM_TLS_ALPN_REQUIRE 3

/* L_DicomSetOcspTLS: a server's staple is not asked for; is asked for and judged; must be there */
#define DICOM_OCSP_OFF     0
#define DICOM_OCSP_CHECK   1
#define DICOM_OCSP_REQUIRE 2

/* L_DicomGetLibraryTLS */
#define DICOM_TLS_LIBRARY_VERSION       1
#define DICOM_TLS_LIBRARY_GROUPS        2
#define DICOM_TLS_LIBRARY_HYBRID_GROUPS 3
#define DICOM_TLS_LIBRARY_PROVIDERS     4

/* L_DicomSaveDS */
#define DS_LITTLE_ENDIAN      1
#define DS_BIG_ENDIAN         2
#define DS_IMPLICIT_VR        4
#define DS_EXPLICIT_VR        8
#define DS_GROUP_LENGTHS      16
#define DS_METAHEADER_PRESENT 32
#define DS_METAHEADER_ABSENT  64
#define DS_LENGTH_EXPLICIT    128

/* In a command field */
#define COMMAND_REQUEST  0x0000
#define COMMAND_RESPONSE 0x8000
/* ---- end of generated constants ---- */

/* ---- library ------------------------------------------------------------------------------------------------ */

/* Starts the library, or counts one more user of it. Calling any other function first starts it implicitly. */
L_INT L_DicomStartUp(void);
/* Counts one user less. Open nets go on; worker threads end with the last net. */
L_VOID L_DicomShutDown(void);
/* Pumped mode: callbacks are queued and run by L_DicomBreathe. DICOM_ERROR_INVALID_STATE when it would change the mode
 * while a net exists. */
L_INT L_DicomSetPumpMode(L_BOOL bPumped);
L_BOOL L_DicomGetPumpMode(void);
/* Pumped mode: runs at most one queued callback on the calling thread, waiting up to nTimeoutMs for one. Otherwise
 * sleeps. 1 = a callback ran, 0 = none. */
L_INT L_DicomBreathe(L_UINT nTimeoutMs);
/* For hosts that end while nets live (an interpreter's exit): from now on no callback is called, verifications are
 * refused; waits up to nTimeoutMs for those that are running. 1 = none is running any more. */
L_INT L_DicomMuteCallbacks(L_UINT nTimeoutMs);

/* Code of the last failing call of this thread, and its sentence (names the file or value, and the remedy). Successful
 * calls and L_DicomFreeNet leave both alone. The text lives until the thread's next failing call. */
L_INT L_DicomGetLastError(void);
const L_TCHAR *L_DicomGetLastErrorText(void);
/* The fixed text of a DICOM_ERROR_... code, and of an L_X509_V_ERR_... code. Never NULL. */
const L_TCHAR *L_DicomGetErrorText(L_INT nError);
const L_TCHAR *L_DicomGetVerifyErrorText(L_INT nError);
const L_TCHAR *L_DicomGetOpenSslVersion(void);
const L_TCHAR *L_DicomGetLibraryVersion(void);

/* Receives the library's warnings and messages, from any thread. nLevel is DICOM_LOG_...; hNet may be NULL. NULL as
 * callback: warnings go to stderr. See L_DicomSetLogCallbackExt. */
typedef L_VOID (*LOGCALLBACK)(L_INT nLevel, HDICOMNET hNet, const L_TCHAR *pszText, L_VOID *pUserData);
L_INT L_DicomSetLogCallback(LOGCALLBACK pfnLog, L_VOID *pUserData);

/* Numbers of the running library, for tests and monitoring: nets, connections, worker threads. */
typedef struct tagDICOMSTATISTICS {
    L_UINT uStructSize;
    L_UINT nNets;           /* not yet freed, those in callbacks included */
    L_UINT nConnections;    /* sockets of the library: connecting, connected, pending, lingering */
    L_UINT nThreads;        /* worker threads */
    L_UINT nHandshakes;     /* TLS handshakes that are not finished */
    L_UINT64 nAccepted;     /* accepted TCP connections since the start */
    L_UINT64 nLinks;        /* TLS handshakes that ended well since the start */
    L_UINT64 nLinkFailures; /* TLS handshakes that failed since the start */
    L_UINT64 nResumed;      /* of nLinks: those that resumed a session */
    L_UINT64 nFilesRead;    /* certificate, key, CA and CRL files read since the start */
} DICOMSTATISTICS, *pDICOMSTATISTICS;
L_INT L_DicomGetStatistics(pDICOMSTATISTICS pStatistics);

/* ---- settings of a TLS context ------------------------------------------------------------------------------- */

typedef struct tagSSL_CTX_CREATE {
    L_UINT uStructSize;    /* sizeof(L_SSL_CTX_CREATE), else DICOM_ERROR_PARAMETER */
    L_UINT32 uFlags;       /* FLAG_SSL_CTX_CREATE_...: which members count */
    L_INT nMethodTypeSSL;  /* TYPE_..._METHOD */
    L_TCHAR *pszCAfile;    /* PEM, one or more certificates; each is a trust anchor, self-signed or not */
    L_UINT uVerifyMode;    /* L_SSL_VERIFY_... */
    L_INT nVerifyDepth;    /* certificates allowed between leaf and anchor */
    L_INT nOptions;        /* DICOM_SSL_OP_... */
    L_INT nSuccess;        /* written by the call: DICOM_SUCCESS or the error */
    L_INT nReserved1;      /* 0 */
    L_INT nReserved2;      /* 0 */
} L_SSL_CTX_CREATE, *pL_SSL_CTX_CREATE;

/* ---- callbacks ----------------------------------------------------------------------------------------------- */

/* One certificate of the peer's chain. ok 1: no fault (nError 0); ok 0: nError is L_X509_V_ERR_..., pszErrorString its
 * text. Exactly 1 goes on, any other answer stops. DICOM_VERIFY_NO_ANSWER says that there was nobody to answer: the
 * handshake ends, whatever the verification flags are. */
typedef L_INT (*VERIFYCALLBACK)(HDICOMNET hNet, L_INT ok, L_TCHAR *pszCertificateString, L_INT nError,
                                L_TCHAR *pszErrorString);
/* The password of an encrypted key: fills pszPassword (nSize bytes), returns its length; 0 or less: none. A length
 * above nSize: too long, the load fails. */
typedef L_INT (*PRIVATEKEYPASSWORDCALLBACK)(HDICOMNET hNet, L_TCHAR *pszPassword, L_INT nSize, L_BOOL bEncryption);
typedef L_VOID (*CONNECTCALLBACK)(HDICOMNET hNet, L_INT nError, L_VOID *pUserData);
typedef L_VOID (*ACCEPTCALLBACK)(HDICOMNET hNet, L_INT nError, L_VOID *pUserData);
typedef L_VOID (*SECURELINKREADYCALLBACK)(HDICOMNET hNet, L_INT nError, L_VOID *pUserData);
/* hPeer: the net that was closed. For a connection hNet itself; a listener is told of each child. */
typedef L_VOID (*CLOSECALLBACK)(HDICOMNET hNet, L_INT nError, HDICOMNET hPeer, L_VOID *pUserData);

/* A queued PDU has left: nType is PDU_..., nBytes the length of its field (header not counted). */
typedef L_VOID (*SENDCALLBACK)(HDICOMNET hNet, L_INT nError, L_UCHAR nType, L_UINT32 nBytes, L_VOID *pUserData);
/* A PDU was received, before all else is told about it; the whole of it, header included. */
typedef L_VOID (*RECEIVECALLBACK)(HDICOMNET hNet, L_INT nError, L_UCHAR nType, L_UCHAR *pBuffer, L_UINT32 nBytes,
                                  L_VOID *pUserData);
/* DICOM_SINK_CHUNKS: the next piece of the data set of the C-STORE request nMessageID, which itself is told after the last
 * one. uFlags: DICOM_CHUNK_FIRST, DICOM_CHUNK_LAST, both come once for a data set; nBytes may be 0 with the last. No
 * message after them: the association ended in between. */
typedef L_VOID (*RECEIVECHUNKCALLBACK)(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                                       const L_UCHAR *pData, L_UINT32 nBytes, L_UINT32 uFlags, L_VOID *pUserData);
/* A DIMSE response is about to go out: its command set may be given more elements. */
typedef L_VOID (*BEFORESENDCOMMANDSETCALLBACK)(HDICOMNET hNet, HDICOMDS hCS, L_VOID *pUserData);
/* What was received. Strings, PDUs and data sets are lent for the call (L_DicomRetainDS keeps a data set; hDS may be
 * NULL: none). */
typedef L_VOID (*RECEIVEASSOCIATEREQUESTCALLBACK)(HDICOMNET hNet, HDICOMPDU hPDU, L_VOID *pUserData);
typedef L_VOID (*RECEIVEASSOCIATEACCEPTCALLBACK)(HDICOMNET hNet, HDICOMPDU hPDU, L_VOID *pUserData);
typedef L_VOID (*RECEIVEASSOCIATEREJECTCALLBACK)(HDICOMNET hNet, L_UCHAR nResult, L_UCHAR nSource, L_UCHAR nReason,
                L_VOID *pUserData);
typedef L_VOID (*RECEIVERELEASEREQUESTCALLBACK)(HDICOMNET hNet, L_VOID *pUserData);
typedef L_VOID (*RECEIVERELEASERESPONSECALLBACK)(HDICOMNET hNet, L_VOID *pUserData);
typedef L_VOID (*RECEIVEABORTCALLBACK)(HDICOMNET hNet, L_UCHAR nSource, L_UCHAR nReason, L_VOID *pUserData);
typedef L_VOID (*RECEIVEDATACALLBACK)(HDICOMNET hNet, L_UCHAR nPresentationID, HDICOMDS hCS, HDICOMDS hDS,
                L_VOID *pUserData);
typedef L_VOID (*RECEIVECSTOREREQUESTCALLBACK)(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                L_TCHAR *pszClass, L_TCHAR *pszInstance, L_UINT16 nPriority, L_TCHAR *pszMoveAE,
                L_UINT16 nMoveMessageID, HDICOMDS hDS, L_VOID *pUserData);
typedef L_VOID (*RECEIVECSTORERESPONSECALLBACK)(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                L_TCHAR *pszClass, L_TCHAR *pszInstance, L_UINT16 nStatus, L_VOID *pUserData);
typedef L_VOID (*RECEIVECFINDREQUESTCALLBACK)(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                L_TCHAR *pszClass, L_UINT16 nPriority, HDICOMDS hDS, L_VOID *pUserData);
typedef L_VOID (*RECEIVECFINDRESPONSECALLBACK)(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                L_TCHAR *pszClass, L_UINT16 nStatus, HDICOMDS hDS, L_VOID *pUserData);
typedef L_VOID (*RECEIVECMOVEREQUESTCALLBACK)(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                L_TCHAR *pszClass, L_UINT16 nPriority, L_TCHAR *pszMoveAE, HDICOMDS hDS, L_VOID *pUserData);
typedef L_VOID (*RECEIVECMOVERESPONSECALLBACK)(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                L_TCHAR *pszClass, L_UINT16 nStatus, L_UINT16 nRemaining, L_UINT16 nCompleted, L_UINT16 nFailed,
                L_UINT16 nWarning, HDICOMDS hDS, L_VOID *pUserData);
typedef L_VOID (*RECEIVECGETREQUESTCALLBACK)(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                L_TCHAR *pszClass, L_UINT16 nPriority, HDICOMDS hDS, L_VOID *pUserData);
typedef L_VOID (*RECEIVECGETRESPONSECALLBACK)(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                L_TCHAR *pszClass, L_UINT16 nStatus, L_UINT16 nRemaining, L_UINT16 nCompleted, L_UINT16 nFailed,
                L_UINT16 nWarning, HDICOMDS hDS, L_VOID *pUserData);
typedef L_VOID (*RECEIVECCANCELREQUESTCALLBACK)(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                L_VOID *pUserData);
typedef L_VOID (*RECEIVECECHOREQUESTCALLBACK)(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                L_TCHAR *pszClass, L_VOID *pUserData);
typedef L_VOID (*RECEIVECECHORESPONSECALLBACK)(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                L_TCHAR *pszClass, L_UINT16 nStatus, L_VOID *pUserData);
typedef L_VOID (*RECEIVENREPORTREQUESTCALLBACK)(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                L_TCHAR *pszClass, L_TCHAR *pszInstance, L_UINT16 nEvent, HDICOMDS hDS, L_VOID *pUserData);
typedef L_VOID (*RECEIVENREPORTRESPONSECALLBACK)(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                L_TCHAR *pszClass, L_TCHAR *pszInstance, L_UINT16 nStatus, L_UINT16 nEvent, HDICOMDS hDS,
                L_VOID *pUserData);
typedef L_VOID (*RECEIVENGETREQUESTCALLBACK)(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                L_TCHAR *pszClass, L_TCHAR *pszInstance, L_UINT32 *pnAttribute, L_UINT16 nCount, L_VOID *pUserData);
typedef L_VOID (*RECEIVENGETRESPONSECALLBACK)(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                L_TCHAR *pszClass, L_TCHAR *pszInstance, L_UINT16 nStatus, HDICOMDS hDS, L_VOID *pUserData);
typedef L_VOID (*RECEIVENSETREQUESTCALLBACK)(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                L_TCHAR *pszClass, L_TCHAR *pszInstance, HDICOMDS hDS, L_VOID *pUserData);
typedef L_VOID (*RECEIVENSETRESPONSECALLBACK)(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                L_TCHAR *pszClass, L_TCHAR *pszInstance, L_UINT16 nStatus, HDICOMDS hDS, L_VOID *pUserData);
typedef L_VOID (*RECEIVENACTIONREQUESTCALLBACK)(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                L_TCHAR *pszClass, L_TCHAR *pszInstance, L_UINT16 nAction, HDICOMDS hDS, L_VOID *pUserData);
typedef L_VOID (*RECEIVENACTIONRESPONSECALLBACK)(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                L_TCHAR *pszClass, L_TCHAR *pszInstance, L_UINT16 nStatus, L_UINT16 nAction, HDICOMDS hDS,
                L_VOID *pUserData);
typedef L_VOID (*RECEIVENCREATEREQUESTCALLBACK)(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                L_TCHAR *pszClass, L_TCHAR *pszInstance, HDICOMDS hDS, L_VOID *pUserData);
typedef L_VOID (*RECEIVENCREATERESPONSECALLBACK)(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                L_TCHAR *pszClass, L_TCHAR *pszInstance, L_UINT16 nStatus, HDICOMDS hDS, L_VOID *pUserData);
typedef L_VOID (*RECEIVENDELETEREQUESTCALLBACK)(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                L_TCHAR *pszClass, L_TCHAR *pszInstance, L_VOID *pUserData);
typedef L_VOID (*RECEIVENDELETERESPONSECALLBACK)(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                L_TCHAR *pszClass, L_TCHAR *pszInstance, L_UINT16 nStatus, L_VOID *pUserData);

typedef struct tagDICOMNETCALLBACK {
    L_UINT uStructSize; /* sizeof(DICOMNETCALLBACK): newer members come at the end */
    L_VOID *pUserData;
    CONNECTCALLBACK pfnConnect;
    ACCEPTCALLBACK pfnAccept;
    CLOSECALLBACK pfnClose;
    SECURELINKREADYCALLBACK pfnSecureLinkReady;
    SENDCALLBACK pfnSend;
    RECEIVECALLBACK pfnReceive;
    RECEIVECALLBACK pfnReceiveUnknown; /* the header of a PDU of unknown type, before the abort */
    BEFORESENDCOMMANDSETCALLBACK pfnBeforeSendCommandSet;
    RECEIVEASSOCIATEREQUESTCALLBACK pfnReceiveAssociateRequest;
    RECEIVEASSOCIATEACCEPTCALLBACK pfnReceiveAssociateAccept;
    RECEIVEASSOCIATEREJECTCALLBACK pfnReceiveAssociateReject;
    RECEIVERELEASEREQUESTCALLBACK pfnReceiveReleaseRequest;
    RECEIVERELEASERESPONSECALLBACK pfnReceiveReleaseResponse;
    RECEIVEABORTCALLBACK pfnReceiveAbort;
    RECEIVEDATACALLBACK pfnReceiveData;
    RECEIVECSTOREREQUESTCALLBACK pfnReceiveCStoreRequest;
    RECEIVECSTORERESPONSECALLBACK pfnReceiveCStoreResponse;
    RECEIVECFINDREQUESTCALLBACK pfnReceiveCFindRequest;
    RECEIVECFINDRESPONSECALLBACK pfnReceiveCFindResponse;
    RECEIVECMOVEREQUESTCALLBACK pfnReceiveCMoveRequest;
    RECEIVECMOVERESPONSECALLBACK pfnReceiveCMoveResponse;
    RECEIVECGETREQUESTCALLBACK pfnReceiveCGetRequest;
    RECEIVECGETRESPONSECALLBACK pfnReceiveCGetResponse;
    RECEIVECCANCELREQUESTCALLBACK pfnReceiveCCancelRequest;
    RECEIVECECHOREQUESTCALLBACK pfnReceiveCEchoRequest;
    RECEIVECECHORESPONSECALLBACK pfnReceiveCEchoResponse;
    RECEIVENREPORTREQUESTCALLBACK pfnReceiveNReportRequest;
    RECEIVENREPORTRESPONSECALLBACK pfnReceiveNReportResponse;
    RECEIVENGETREQUESTCALLBACK pfnReceiveNGetRequest;
    RECEIVENGETRESPONSECALLBACK pfnReceiveNGetResponse;
    RECEIVENSETREQUESTCALLBACK pfnReceiveNSetRequest;
    RECEIVENSETRESPONSECALLBACK pfnReceiveNSetResponse;
    RECEIVENACTIONREQUESTCALLBACK pfnReceiveNActionRequest;
    RECEIVENACTIONRESPONSECALLBACK pfnReceiveNActionResponse;
    RECEIVENCREATEREQUESTCALLBACK pfnReceiveNCreateRequest;
    RECEIVENCREATERESPONSECALLBACK pfnReceiveNCreateResponse;
    RECEIVENDELETEREQUESTCALLBACK pfnReceiveNDeleteRequest;
    RECEIVENDELETERESPONSECALLBACK pfnReceiveNDeleteResponse;
    RECEIVECHUNKCALLBACK pfnReceiveChunk;
} DICOMNETCALLBACK, *pDICOMNETCALLBACK;

typedef struct tagDICOMNETCALLBACKEXT {
    L_UINT uStructSize;
    VERIFYCALLBACK pfnVerify;                         /* NULL: the answer is ok */
    PRIVATEKEYPASSWORDCALLBACK pfnPrivateKeyPassword; /* NULL: no password */
    L_BOOL bVerifyIsOk; /* 1: pfnVerify does nothing but return ok. It is not called, and sessions may be resumed */
} DICOMNETCALLBACKEXT, *pDICOMNETCALLBACKEXT;

/* Copies the table; NULL clears it. A NULL member is not called. */
L_INT L_DicomSetCallback(HDICOMNET hNet, pDICOMNETCALLBACK pCallback);
L_INT L_DicomSetCallbackExt(HDICOMNET hNet, pDICOMNETCALLBACKEXT pCallback);
/* pUserData of L_DicomSetCallback, for VERIFYCALLBACK, which has none. */
L_VOID *L_DicomGetUserData(HDICOMNET hNet);
/* Says that user code failed in a callback: the failure record says so unless it has an earlier cause. */
L_INT L_DicomReportCallbackFailure(HDICOMNET hNet, const L_TCHAR *pszWhat);

/* ---- nets ---------------------------------------------------------------------------------------------------- */

/* pszPath: folder for temporary files, NULL or "" = the system's. nMode: DICOM_SECURE_... NULL = failed. */
HDICOMNET L_DicomCreateNet(const L_TCHAR *pszPath, L_UINT32 nMode);
HDICOMNET L_DicomCreateNetExt(const L_TCHAR *pszPath, L_UINT32 nMode, pL_SSL_CTX_CREATE pSSLCtxCreate);
/* Replaces path, mode and TLS settings; keeps the cipher list and a certificate already loaded. Reads the CA file.
 * DICOM_ERROR_INVALID_STATE while connecting, connected or listening. pSSLCtxCreate NULL = defaults. */
L_INT L_DicomInitializeNet(HDICOMNET hNet, const L_TCHAR *pszPath, L_UINT32 nMode, pL_SSL_CTX_CREATE pSSLCtxCreate);
/* Closes by force and silently, frees; a listener's children are closed by force too. Legal in every callback. Never
 * waits: a callback of this net that has begun on another thread may still be running when it returns, so keep what
 * pUserData points to until that has ended. NULL is fine. */
L_VOID L_DicomFreeNet(HDICOMNET hNet);

/* Returns at once; the result comes in CONNECT. A local address or port that cannot be bound, settings that cannot
 * work: reported here. */
L_INT L_DicomConnect(HDICOMNET hNet, const L_TCHAR *pszHostAddress, L_UINT nHostPort, const L_TCHAR *pszPeerAddress,
                     L_UINT nPeerPort);
L_INT L_DicomConnectExt(HDICOMNET hNet, const L_TCHAR *pszHostAddress, L_UINT nHostPort, const L_TCHAR *pszPeerAddress,
                        L_UINT nPeerPort, L_INT nIpType);
/* pszHostAddress NULL or "": the local computer's address; "*": all. nHostPort 0: a free one (L_DicomGetHostPort).
 * nNbPeers: the backlog of listen(2). */
L_INT L_DicomListen(HDICOMNET hNet, const L_TCHAR *pszHostAddress, L_UINT nHostPort, L_INT nNbPeers);
L_INT L_DicomListenExt(HDICOMNET hNet, const L_TCHAR *pszHostAddress, L_UINT nHostPort, L_INT nNbPeers, L_INT nIpType);
/* Several processes of one user may listen on the same address and port, if each has set this before Listen; the system
 * spreads new connections over them (SO_REUSEPORT). Default 0. */
L_INT L_DicomSetReusePort(HDICOMNET hNet, L_BOOL bReuse);
L_BOOL L_DicomGetReusePort(HDICOMNET hNet);
/* Before Listen: addresses and networks ("192.0.2.7, 10.1.0.0/16, fd00::/8") of load balancers that send a header of the
 * PROXY protocol, version 2 or 1, on every connection. A connection from there without one is closed; from anywhere else
 * a header is taken for what it is there, garbage. NULL or "", the default: nobody sends one. */
L_INT L_DicomSetTrustedProxies(HDICOMNET hNet, const L_TCHAR *pszAddresses);
L_INT L_DicomGetTrustedProxies(HDICOMNET hNet, L_TCHAR *pszText, L_UINT nChars);
/* The load balancer's own end, when L_DicomGetPeerAddress gives the client's as the header told it; "" and 0 when there
 * was none. Still there after the close. */
L_INT L_DicomGetProxyAddress(HDICOMNET hNet, L_TCHAR *pszText, L_UINT nChars);
L_UINT L_DicomGetProxyPort(HDICOMNET hNet);
/* Gives the oldest waiting connection to hChild, whose own mode and settings count. In ACCEPT, or later up to the
 * handshake limit. A plain child of a TLS listener: DICOM_ERROR_INVALID_STATE unless DICOM_LIMIT_ALLOW_PLAIN_CHILDREN
 * is set on the listener. */
L_INT L_DicomAccept(HDICOMNET hNet, HDICOMNET hChild);
/* Ends the connection in good order: queued data, close_notify, FIN, then the linger limit; returns at once. On a
 * listener: no more is accepted, children live on. Not connected: nothing. */
L_INT L_DicomClose(HDICOMNET hNet);
/* Ends it now. bNotify: CLOSE follows. On a listener: the children too. */
L_INT L_DicomCloseForced(HDICOMNET hNet, L_BOOL bNotify);

L_BOOL L_DicomIsConnected(HDICOMNET hNet);
/* Numeric text; still there after the close. DICOM_ERROR_PARAMETER when nChars is too small: 64 is enough. */
L_INT L_DicomGetPeerAddress(HDICOMNET hNet, L_TCHAR *pszText, L_UINT nChars);
L_INT L_DicomGetHostAddress(HDICOMNET hNet, L_TCHAR *pszText, L_UINT nChars);
L_UINT L_DicomGetPeerPort(HDICOMNET hNet);
L_UINT L_DicomGetHostPort(HDICOMNET hNet);
/* Bytes of PDUs sent and received on the present or last connection, to see whether data moves. */
L_INT L_DicomGetTraffic(HDICOMNET hNet, L_UINT64 *pnSent, L_UINT64 *pnReceived);
L_UINT L_DicomGetClientCount(HDICOMNET hNet);
/* Lent: valid until the child is closed and freed by its owner. NULL: no such child. */
HDICOMNET L_DicomGetClient(HDICOMNET hNet, L_UINT nIndex);
L_UINT32 L_DicomGetSecurityMode(HDICOMNET hNet);
L_INT L_DicomSetNetFlags(HDICOMNET hNet, L_UINT32 uFlags);
L_UINT32 L_DicomGetNetFlags(HDICOMNET hNet);
/* DICOM_LIMIT_...: times in milliseconds, sizes in bytes, counts. A connection that is there follows; a wait that has
 * begun keeps its time. DICOM_LIMIT_IDLE_TIMEOUT 0, the default: off. DICOM_LIMIT_SPILL_QUOTA: bytes that the received
 * data sets of all children of a listener (of a client: its own) have in temporary files. */
L_INT L_DicomSetLimit(HDICOMNET hNet, L_INT nLimit, L_UINT64 nValue);
L_UINT64 L_DicomGetLimit(HDICOMNET hNet, L_INT nLimit);
/* Where the data sets of C-STORE requests go from the next one on, DICOM_SINK_...: memory, past DICOM_LIMIT_DATA_SET_MEMORY
 * a file without a name (the default); such a file from the first byte on; nowhere; to pfnReceiveChunk, which has to be
 * set before. With the last two hDS of the request's callback is NULL. Other messages are not concerned. */
L_INT L_DicomSetReceiveSink(HDICOMNET hNet, L_INT nSink);
/* DICOM_AUTO_RESPOND_... bits: C-ECHO requests, release requests that the library answers itself with success, without a
 * call into user code. A bit is ignored while the callback for it is set. 0, the default: nothing is answered. */
L_INT L_DicomSetAutoRespond(HDICOMNET hNet, L_UINT32 uWhat);
/* Used by the next connection; -1 = leave to the system. */
L_INT L_DicomSetSocketOptions(HDICOMNET hNet, L_INT nTcpNoDelay, L_INT nKeepAlive, L_INT nSoSndBuf, L_INT nSoRcvBuf);
/* Accepted, remembered, without effect: sending never copies. */
L_INT L_DicomEnableOptimizedMemorySend(HDICOMNET hNet, L_BOOL bEnable);

/* The record of the first cause of failure of the present or last connection. Code DICOM_SUCCESS: no failure. Texts are
 * owned by the net, valid until its next L_DicomGetFailure or its end; NULL where there is nothing to say. */
typedef struct tagDICOMFAILURE {
    L_UINT uStructSize;
    L_INT nCode;            /* DICOM_ERROR_... */
    L_INT nStage;           /* DICOM_STAGE_...: 0 none, 1 resolve .. 7 close */
    L_INT nSide;            /* who refused or failed: DICOM_SIDE_LOCAL, DICOM_SIDE_PEER */
    L_INT nAlertSent;       /* TLS alert description, -1 = none */
    L_INT nAlertReceived;   /* TLS alert description, -1 = none */
    L_INT nCertificateCode; /* L_X509_V_..., 0 = none */
    L_INT nCertificateDepth;/* 0 = leaf, -1 = none */
    L_DOUBLE dElapsed;      /* seconds since the connection began */
    L_UINT64 uOpenSsl;      /* packed OpenSSL error, 0 = none */
    const L_TCHAR *pszMessage;
    const L_TCHAR *pszOpenSsl;
    const L_TCHAR *pszSubject; /* of the certificate at fault */
    const L_TCHAR *pszRemedy;
} DICOMFAILURE, *pDICOMFAILURE;
L_INT L_DicomGetFailure(HDICOMNET hNet, pDICOMFAILURE pFailure);
/* A record in one sentence, on one line: stage, who, code, message, certificate, alerts, OpenSSL's reason, remedy; the log and
 * Python's DicomFailure have the same. *pnChars: in the room, out the length needed, the end included; pszText NULL: only
 * that. */
L_INT L_DicomFormatFailure(const DICOMFAILURE *pFailure, L_TCHAR *pszText, L_UINT *pnChars);

/* ---- the log, with what its lines are about -------------------------------------------------------------------- */

/* A certificate that ends soon, or has ended: of a listener that is open, or of its children. */
typedef struct tagDICOMENDING {
    L_UINT uStructSize;
    L_BOOL bAuthority;         /* of the CA file; else our own certificate or one of its chain */
    L_INT nDaysLeft;           /* whole days; negative: it has ended */
    L_INT64 nEnds;             /* seconds since 1970 */
    const L_TCHAR *pszSubject;
} DICOMENDING, *pDICOMENDING;

typedef struct tagDICOMLOGRECORD {
    L_UINT uStructSize;
    L_INT nLevel;                 /* DICOM_LOG_... */
    HDICOMNET hNet;               /* may be NULL, or have been freed since */
    const L_TCHAR *pszText;       /* all of it, in one line */
    const DICOMFAILURE *pFailure; /* why a connection failed; NULL: the line is about something else */
    const L_TCHAR *pszPeer;       /* the peer's address, or the name that was not reached; NULL: no peer */
    L_UINT nPeerPort;
    L_BOOL bInbound;              /* the peer called us */
    L_UINT nMore;                 /* more failures of this cause, which have no line of their own */
    const DICOMENDING *pEnding;   /* a certificate that ends; NULL: the line is about something else */
} DICOMLOGRECORD, *pDICOMLOGRECORD;
/* In place of LOGCALLBACK; the one set last counts. All is lent for the call. */
typedef L_VOID (*LOGCALLBACKEXT)(const DICOMLOGRECORD *pRecord, L_VOID *pUserData);
L_INT L_DicomSetLogCallbackExt(LOGCALLBACKEXT pfnLog, L_VOID *pUserData);
/* Each failure of a connection is a warning in the log. Of one cause (stage, side, code, certificate's fault, alerts) nLines
 * within nSeconds have a line of their own, the rest one line for all when the time is over: a port scanner does not fill the
 * log. Begins with 10 within 60 seconds; 0 lines: failures are not logged. */
L_INT L_DicomSetFailureLog(L_UINT nLines, L_UINT nSeconds);
/* Beside the log: told of every failure of a connection, those too that have no line of their own; for audits. nMore is 0,
 * pszText the sentence of the record. It may come a moment after OnClose; at most 1000 wait. NULL: nobody is told. */
L_INT L_DicomSetFailureCallback(LOGCALLBACKEXT pfnFailure, L_VOID *pUserData);
/* Waits until lines and failures that came up so far have been told, at most so long: DICOM_ERROR_NET_TIMEOUT. */
L_INT L_DicomFlushLog(L_UINT nMilliseconds);

/* ---- TLS ----------------------------------------------------------------------------------------------------- */

/* 64 slots. Replaces entry nIndex; 0 clears it and all after it. DICOM_ERROR_PARAMETER: nIndex above 63. */
L_INT L_DicomSetCipherToIndexTLS(HDICOMNET hNet, L_UINT32 nIndex, L_CIPHERSUITE nCipher);
L_CIPHERSUITE L_DicomGetCipherFromIndexTLS(HDICOMNET hNet, L_UINT32 nIndex);
/* The negotiated suite; 0 on a plain link, before the handshake, after a failed one. */
L_CIPHERSUITE L_DicomGetCiphersuiteTLS(HDICOMNET hNet);
/* Look-ups by suite; unknown suite 0. Lengths in bits. */
L_UINT32 L_DicomGetEncryptionAlgorithmTLS(HDICOMNET hNet, L_CIPHERSUITE nCipher);
L_UINT32 L_DicomGetAuthenticationAlgorithmTLS(HDICOMNET hNet, L_CIPHERSUITE nCipher);
L_UINT32 L_DicomGetIntegrityAlgorithmTLS(HDICOMNET hNet, L_CIPHERSUITE nCipher);
L_UINT32 L_DicomGetKeyExchangeAlgorithmTLS(HDICOMNET hNet, L_CIPHERSUITE nCipher);
L_UINT32 L_DicomGetEncryptKeyLengthTLS(HDICOMNET hNet, L_CIPHERSUITE nCipher);
/* The suite of the live link: bits of the peer's certificate key, else of our own; another suite: 0. */
L_UINT32 L_DicomGetMutualAuthKeyLengthTLS(HDICOMNET hNet, L_CIPHERSUITE nCipher);
/* The IANA name ("TLS_..."), the OpenSSL name; "" for 0 and unknown numbers. */
const L_TCHAR *L_DicomGetCipherNameTLS(L_CIPHERSUITE nCipher);
const L_TCHAR *L_DicomGetCipherOpenSslNameTLS(L_CIPHERSUITE nCipher);
/* Whether the linked OpenSSL has the suite. */
L_BOOL L_DicomIsCipherAvailableTLS(L_CIPHERSUITE nCipher);

/* Own certificate and key, clients and servers alike. PEM: leaf first, then the chain; pszKeyFile NULL or "": the key is
 * in pszCertFile. ASN1: DER, pszKeyFile needed. PKCS12: one file with all of it, pszKeyFile NULL; PKCS12_LEGACY: also one
 * that is encrypted with RC2, as OpenSSL's legacy provider does, which is used for this file only. Either name may be
 * the URI of a provider's store, "pkcs11:..." (RFC 7512), see L_DicomLoadProviderTLS. An encrypted key or PKCS #12 file,
 * and a token without its PIN, call the password callback inside this call, once. */
L_INT L_DicomSetClientCertificateTLS(HDICOMNET hNet, const L_TCHAR *pszCertFile, L_INT nType, const L_TCHAR *pszKeyFile);
L_INT L_DicomSetServerCertificateTLS(HDICOMNET hNet, const L_TCHAR *pszCertFile, L_INT nType, const L_TCHAR *pszKeyFile);
/* The same from memory. pKey NULL: the key is in pCert. */
L_INT L_DicomSetCertificateBytesTLS(HDICOMNET hNet, const L_UCHAR *pCert, L_UINT nCert, L_INT nType, const L_UCHAR *pKey,
                                    L_UINT nKey);
/* Replaces the CA file of the settings by PEM text in memory, until the next L_DicomInitializeNet. */
L_INT L_DicomSetCABytesTLS(HDICOMNET hNet, const L_UCHAR *pPem, L_UINT nPem);
/* Certificate revocation lists: a file, PEM or DER. NULL: no check. As the next one with one path. */
L_INT L_DicomSetCrlFileTLS(HDICOMNET hNet, const L_TCHAR *pszFile);
/* The same with several files, or folders of which all lists are taken. 0 paths: no check. By default each certificate
 * of the chain needs a list that is in date: codes 3, 11, 12, and 23 for a revoked one.
 * DICOM_ERROR_FILE_ACCESS: a file cannot be read or holds no list. */
L_INT L_DicomSetCrlPathsTLS(HDICOMNET hNet, const L_TCHAR *const *ppszPaths, L_UINT nPaths);
/* bLeafOnly: only the peer's own certificate needs a list. bSoftFail: a list that is missing or out of date is no
 * complaint, the link and the log say so (DICOM_TLS_INFO_REVOCATION "unknown"); a revoked certificate always is. */
L_INT L_DicomSetRevocationTLS(HDICOMNET hNet, L_BOOL bLeafOnly, L_BOOL bSoftFail);
/* What a client does about OCSP staples: DICOM_OCSP_... A staple that must be there (REQUIRE, or a certificate that says
 * so, RFC 7633) and is not: code 73; one that proves nothing: 74; 75: the responder does not know the certificate; 23:
 * revoked. The verify callback is asked about the leaf, after the calls of the chain. Nothing is ever fetched. */
L_INT L_DicomSetOcspTLS(HDICOMNET hNet, L_INT nMode);
/* The OCSP response (DER file) that a server sends with its certificate to clients that ask. Refused unless it is for
 * this certificate and in date (DICOM_ERROR_FILE_ACCESS; at the latest when the server's first connection is accepted);
 * a new file is taken without a call. NULL: none. */
L_INT L_DicomSetOcspStapleTLS(HDICOMNET hNet, const L_TCHAR *pszFile);
/* A listener's children use its TLS settings, certificate and lists, whatever their own are (default 0); their mode must
 * be TLS. L_DicomListen then fails where L_DicomAccept would have. */
L_INT L_DicomSetChildrenInheritTLS(HDICOMNET hNet, L_BOOL bInherit);
/* What L_DicomReloadTLS takes instead of what was there; 0 and NULL: the files that were given before. */
typedef struct tagDICOMTLSRELOAD {
    L_UINT uStructSize;
    const L_TCHAR *pszCertFile; /* own certificate and key: files, or memory */
    const L_TCHAR *pszKeyFile;
    const L_UCHAR *pCert;
    L_UINT nCert;
    const L_UCHAR *pKey;
    L_UINT nKey;
    L_INT nCertType;          /* DICOM_TLS_CERTIFICATE_...; counts if one of these was given */
    const L_TCHAR *pszCAFile; /* or memory, PEM */
    const L_UCHAR *pCA;
    L_UINT nCA;
    const L_TCHAR *const *ppszCrlPaths;
    L_UINT nCrlPaths;
    const L_TCHAR *pszStapleFile;
} DICOMTLSRELOAD, *pDICOMTLSRELOAD;
/* Reads certificate, key, CA file, lists and staple anew, of a net that listens (L_DicomSetChildrenInheritTLS), is
 * connected or is idle; pNew may be NULL. The next handshakes use them, connections that are open live on. All or
 * nothing: after an error what was there before stays in force, and L_DicomGetLastErrorText names the file. What came
 * from memory stays. An encrypted key calls the password callback inside this call. DICOM_ERROR_INVALID_STATE: not
 * TLS; the children have settings of their own; another thread is reloading or just connecting. */
L_INT L_DicomReloadTLS(HDICOMNET hNet, const DICOMTLSRELOAD *pNew);
/* DNS name or IP literal that the subjectAltName of the peer's certificate must carry (codes 62, 64); a DNS name is sent
 * as server name, too. A server with PEER then insists on a certificate; without PEER Connect and Accept give
 * DICOM_ERROR_PARAMETER. NULL: not checked. DICOM_ERROR_PARAMETER: neither a DNS name in ASCII nor an address. */
L_INT L_DicomSetExpectedHostTLS(HDICOMNET hNet, const L_TCHAR *pszHost);
/* The server name that a client sends (SNI). NULL (the default): the expected host or else the host that Connect was
 * given, unless that is an address. "": none. DICOM_ERROR_PARAMETER: no DNS name in ASCII. */
L_INT L_DicomSetServerNameTLS(HDICOMNET hNet, const L_TCHAR *pszName);
/* An e-mail address or URI that the peer's certificate must carry (codes 63, 62), beside the expected host. nKind:
 * DICOM_TLS_NAME_...; NULL: not checked. A server then insists on a certificate. */
L_INT L_DicomSetExpectedNameTLS(HDICOMNET hNet, L_INT nKind, const L_TCHAR *pszName);
/* One more certificate of a server, for clients that ask for these names: DNS names with spaces or commas between them,
 * "*.example.org" stands for one label. NULL: the DNS names that it carries. An exact name comes first, then a pattern,
 * then the certificate of L_DicomSetServerCertificateTLS. At most 64. Files as there. */
L_INT L_DicomAddCertificateTLS(HDICOMNET hNet, const L_TCHAR *pszCertFile, L_INT nType, const L_TCHAR *pszKeyFile,
                               const L_TCHAR *pszNames);
L_INT L_DicomAddCertificateBytesTLS(HDICOMNET hNet, const L_UCHAR *pCert, L_UINT nCert, L_INT nType,
                                    const L_UCHAR *pKey, L_UINT nKey, const L_TCHAR *pszNames);
/* One more certificate as above, with all that may come with it. */
typedef struct tagDICOMTLSCERTIFICATE {
    L_UINT uStructSize;
    const L_TCHAR *pszCertFile; /* certificate and key: files, or memory */
    const L_TCHAR *pszKeyFile;
    const L_UCHAR *pCert;
    L_UINT nCert;
    const L_UCHAR *pKey;
    L_UINT nKey;
    L_INT nCertType; /* DICOM_TLS_CERTIFICATE_... */
    const L_TCHAR *pszNames;
    const L_TCHAR *pszStapleFile; /* as L_DicomSetOcspStapleTLS has it for the default certificate; NULL: none */
} DICOMTLSCERTIFICATE, *pDICOMTLSCERTIFICATE;
L_INT L_DicomAddCertificateExTLS(HDICOMNET hNet, const DICOMTLSCERTIFICATE *pCertificate);
L_INT L_DicomClearCertificatesTLS(HDICOMNET hNet);
/* Whether a client that asks for a name for which there is no certificate is refused (alert unrecognized_name), default
 * 0. The DNS names of the default certificate are known ones; who asks for no name gets it. */
L_INT L_DicomSetRefuseUnknownNamesTLS(HDICOMNET hNet, L_BOOL bRefuse);
/* The application protocol "dicom" (ALPN, RFC 7301). OFF (default); OFFER: offered or taken, never insisted on; REFUSE: a
 * server refuses clients that offer others only (alert no_application_protocol); REQUIRE: no link without it. */
L_INT L_DicomSetAlpnTLS(HDICOMNET hNet, L_INT nMode);
/* Pins of the peer's own certificate, with spaces, line ends or commas between them: "cert:" and the SHA-256 of its DER,
 * or "key:" and that of its SubjectPublicKeyInfo, in hexadecimal or base64. At most 64, one has to fit; else code 27.
 * bOnly: they are the only trust, no CA is needed or counts; date, purpose, name and key are checked all the same. NULL
 * or "": no pins. A server then insists on a certificate; with verification flags None Connect and Accept fail. */
L_INT L_DicomSetPinsTLS(HDICOMNET hNet, const L_TCHAR *pszPins, L_BOOL bOnly);
/* The pin (DICOM_TLS_PIN_...) of the first certificate in a PEM or DER text; nChars at least 80. */
L_INT L_DicomGetPinTLS(const L_UCHAR *pCert, L_UINT nCert, L_INT nType, L_INT nKind, L_TCHAR *pszPin, L_UINT nChars);
/* Extended key usage: a server wants clientAuth of a client, a client serverAuth of a server. DEFAULT: where the
 * certificate has the extension; STRICT: it must have it; ANY: no check. Code 26. */
L_INT L_DicomSetPurposeCheckTLS(HDICOMNET hNet, L_INT nMode);
/* The smallest keys and hash in bits that certificates of the peer (codes 66 to 68), and our own, may have; 0 = no rule
 * beyond the security level and the profile. */
L_INT L_DicomSetMinimumStrengthTLS(HDICOMNET hNet, L_UINT nRsaBits, L_UINT nEcBits, L_UINT nHashBits);
/* Certificate policies (RFC 5280, 6.1): DICOM_TLS_POLICY_..., 0 = not looked at (default). Policies: object
 * identifiers with spaces between them, NULL or "" = any. */
L_INT L_DicomSetPoliciesTLS(HDICOMNET hNet, L_UINT uFlags, const L_TCHAR *pszPolicies);
/* Whether every certificate of the CA file is an anchor (default 1), or only self-signed ones. */
L_INT L_DicomSetPartialChainTLS(HDICOMNET hNet, L_BOOL bAllow);
/* More CA certificates, until the next L_DicomInitializeNet: a PEM or DER file; a folder, all certificates in it, what is
 * not readable is logged and left out, none at all is DICOM_ERROR_TLS_CA_FILE; those that the computer trusts. */
L_INT L_DicomAddCAFileTLS(HDICOMNET hNet, const L_TCHAR *pszFile);
L_INT L_DicomAddCAFolderTLS(HDICOMNET hNet, const L_TCHAR *pszFolder);
L_INT L_DicomAddSystemTrustTLS(HDICOMNET hNet);
/* Whether a server names its CAs in the certificate request (default 1). */
L_INT L_DicomSetSendCANamesTLS(HDICOMNET hNet, L_BOOL bSend);
/* The named TLS profiles of DICOM and IHE, one by one: nIndex from 0; DICOM_ERROR_PARAMETER: there are not so many. */
typedef struct tagDICOMTLSPROFILE {
    L_UINT uStructSize;
    const L_TCHAR *pszName;    /* static, as all that follows */
    const L_TCHAR *pszAliases; /* other names that are taken, with a space between them */
    const L_TCHAR *pszTitle;   /* where it is defined */
    L_BOOL bRetired;           /* no longer in the standard: applying it warns */
    L_INT nLowest, nHighest;   /* versions: 0x0301 .. 0x0304 */
    L_UINT nSuites;
    const L_CIPHERSUITE *pSuites; /* in order */
    const L_UCHAR *pUses;         /* DICOM_TLS_PROFILE_SUITE_... of each */
    const L_TCHAR *pszGroups, *pszSignatures; /* OpenSSL's names, with ':' between them */
    L_BOOL bHybrid;            /* a post-quantum hybrid group comes first where OpenSSL has it */
    L_UINT nRsaBits, nEcBits, nDhBits, nHashBits; /* the smallest allowed, 0 = no rule */
    L_BOOL bResumption;        /* sessions may be resumed where L_DicomSetSessionResumptionTLS asks for it */
} DICOMTLSPROFILE, *pDICOMTLSPROFILE;
L_INT L_DicomGetProfileTLS(L_UINT nIndex, pDICOMTLSPROFILE pProfile);
/* DICOM_ERROR_TLS_PROFILE: the linked OpenSSL cannot do it; L_DicomGetLastErrorText says what is missing. */
L_INT L_DicomIsProfilePossibleTLS(const L_TCHAR *pszName);
/* Sets versions, cipher list, groups, signature algorithms and the smallest keys; before connecting, listening or
 * accepting. Case and punctuation of the name do not count; NULL or "": no profile, the default list again. Of the
 * method only TYPE_TLSV1_2_METHOD and TYPE_TLSV1_3_METHOD count beside it; options that switch a version off win. The
 * cipher list may be changed afterwards, within the profile. Keys and hashes that are too weak are complaints to the
 * verify callback, codes 66 to 68. DICOM_ERROR_PARAMETER: unknown name; DICOM_ERROR_TLS_PROFILE: as above. */
L_INT L_DicomApplyProfileTLS(HDICOMNET hNet, const L_TCHAR *pszName);
/* Judges the live or last TLS link. DICOM_SUCCESS: the profile is satisfied; DICOM_ERROR_TLS_PROFILE: it is not, and
 * pszWhyNot has the reasons, one a line; DICOM_ERROR_INVALID_STATE: there is no TLS link; DICOM_ERROR_PARAMETER: unknown
 * name, or pszWhyNot is too short. pszWhyNot may be NULL. */
L_INT L_DicomCheckProfileTLS(HDICOMNET hNet, const L_TCHAR *pszName, L_TCHAR *pszWhyNot, L_UINT nChars);
/* Whether TLS sessions are resumed (default 0): no certificates are exchanged then, the verdict of the full handshake
 * holds on. Only with PEER, after a verdict without a fault, with the same settings and peer, while certificates and
 * CRLs are in date, for an hour; never while a verify callback judges (bVerifyIsOk). */
L_INT L_DicomSetSessionResumptionTLS(HDICOMNET hNet, L_BOOL bOn);
/* Loads a provider of OpenSSL for this library, for as long as the process lives, forked children included; nothing is
 * loaded unasked. pszModule: its file, NULL = the one of that name in OpenSSL's folder. pszParameters: lines
 * "name=value" that the provider knows, or NULL; for pkcs11 "pkcs11-module-path=/usr/lib/softhsm/libsofthsm2.so".
 * Loaded already in the same way: DICOM_SUCCESS; in another way: DICOM_ERROR_INVALID_STATE. */
L_INT L_DicomLoadProviderTLS(const L_TCHAR *pszName, const L_TCHAR *pszModule, const L_TCHAR *pszParameters);
/* DICOM_TLS_LIBRARY_... of the linked OpenSSL, as text, with ':' between several: its version; the groups for the key
 * exchange that it has; those of them that are post-quantum hybrids, "" = none; the providers that are loaded. */
L_INT L_DicomGetLibraryTLS(L_INT nWhat, L_TCHAR *pszText, L_UINT nChars);
/* Gives hTo all TLS settings of hFrom: versions, flags, CAs, certificate and key, cipher list, profile, revocation,
 * and what else was set; not its mode, callbacks and limits. For nets that belong together, as a listener and its
 * children, or a client and the listener for the sub-associations of its C-MOVE. Both are TLS nets; hTo is idle. Later
 * changes of hFrom do not count. DICOM_ERROR_INVALID_STATE otherwise. */
L_INT L_DicomCopySettingsTLS(HDICOMNET hFrom, HDICOMNET hTo);
/* DANGER: whoever reads the file can decrypt the recorded traffic of this net's next connections. Appends the secrets of
 * each TLS link in the form of SSLKEYLOGFILE (tshark: tls.keylog_file); a warning goes to the log now and with each
 * link. The file is made with mode 0600; one that others can read is refused (DICOM_ERROR_FILE_ACCESS). NULL or "": off,
 * the default. The environment is never looked at. On an accepting net: set it before L_DicomAccept. */
L_INT L_DicomSetKeyLogFileTLS(HDICOMNET hNet, const L_TCHAR *pszFile);
/* Packed OpenSSL code of the last TLS failure of this net, 0 = none. */
L_UINT64 L_DicomGetErrorSecure(HDICOMNET hNet);
/* DICOM_TLS_INFO_... of the live or last link, as text. */
L_INT L_DicomGetInfoTLS(HDICOMNET hNet, L_INT nWhat, L_TCHAR *pszText, L_UINT nChars);
/* Certificates that the peer sent, leaf first, judged or not: count; DER and the text of the seed's certificateString
 * (either pointer may be NULL). Copies; the needed sizes come back in *pnDer and *pnText (with the NUL). */
L_UINT L_DicomGetPeerCertificateCountTLS(HDICOMNET hNet);
L_INT L_DicomGetPeerCertificateTLS(HDICOMNET hNet, L_UINT nIndex, L_UCHAR *pDer, L_UINT *pnDer, L_TCHAR *pszText,
                                   L_UINT *pnText);
/* The text that VERIFYCALLBACK would get for the first certificate in a PEM or DER file. *pnText as above. */
L_INT L_DicomGetCertificateText(const L_UCHAR *pCert, L_UINT nCert, L_INT nType, L_TCHAR *pszText, L_UINT *pnText);
/* What to do about an L_X509_V_ERR_... code: one sentence, "" for L_X509_V_OK. Never NULL, never to be freed. */
const L_TCHAR *L_DicomGetVerifyRemedy(L_INT nCode);

/* ---- associations -------------------------------------------------------------------------------------------- */

/* What an A-ASSOCIATE-RQ or -AC says. Unlike a net, an association is a plain object that its maker owns and frees:
 *   - one thread at a time; a net copies what it is given to send;
 *   - a handle that was freed, or is of something else, is recognized by a look at the memory it points to:
 *     DICOM_ERROR_OBJECT_DISPOSED (or the neutral answer). That catches mistakes, as far as memory still shows them;
 *     it is no protection as with HDICOMNET;
 *   - pointers that come out of a Get function are lent until the next change of the object.
 * Texts come out into the caller's buffer, always whole: DICOM_ERROR_PARAMETER when nChars is too small; 65 is enough
 * for UIDs. Texts passed in may have spaces around, which are left out; NULL counts as "". bEnabled 0 takes an optional
 * item out. nID is the odd id of a presentation context; a setter refuses one that is not there. */

/* bRequest: A-ASSOCIATE-RQ, else -AC. A new object: version 1, DICOM's application context, maximum length 262144, this
 * library's class UID and version name, no contexts, empty titles. NULL: no memory. */
HDICOMPDU L_DicomCreateAssociate(L_BOOL bRequest);
L_VOID L_DicomFreeAssociate(HDICOMPDU hPDU);
HDICOMPDU L_DicomCloneAssociate(HDICOMPDU hPDU);
/* Back to the values of a new object of the same kind. */
L_INT L_DicomDefaultAssociate(HDICOMPDU hPDU);
/* Empties it, and makes it a request or an accept. A request that becomes an accept keeps what its answer has to repeat:
 * version, titles, application context. */
L_INT L_DicomResetAssociate(HDICOMPDU hPDU, L_BOOL bRequest);
L_BOOL L_DicomIsAssociateRequest(HDICOMPDU hPDU);

L_INT L_DicomSetVersion(HDICOMPDU hPDU, L_UINT16 nVersion);
/* Any text here; one that is longer than 16 characters, or has others than printable ASCII, or in a request is empty or
 * has a backslash, is refused on sending. */
L_INT L_DicomSetCalled(HDICOMPDU hPDU, const L_TCHAR *pszCalled);
L_INT L_DicomSetCalling(HDICOMPDU hPDU, const L_TCHAR *pszCalling);
L_INT L_DicomSetApplication(HDICOMPDU hPDU, const L_TCHAR *pszUID);
/* The longest P-DATA-TF that this side takes; 0 = no limit. */
L_INT L_DicomSetMaxLength(HDICOMPDU hPDU, L_BOOL bEnabled, L_UINT32 nLength);
/* Disabled or "": this library's UID is sent, because the item is mandatory. */
L_INT L_DicomSetImplementClass(HDICOMPDU hPDU, L_BOOL bEnabled, const L_TCHAR *pszUID);
/* At most 16 characters. Disabled or "": not sent. */
L_INT L_DicomSetImplementVersion(HDICOMPDU hPDU, L_BOOL bEnabled, const L_TCHAR *pszVersion);
/* 0 = no limit. */
L_INT L_DicomSetAsyncOperations(HDICOMPDU hPDU, L_BOOL bEnabled, L_UINT16 nInvoked, L_UINT16 nPerformed);
L_UINT16 L_DicomGetVersion(HDICOMPDU hPDU);
L_INT L_DicomGetCalled(HDICOMPDU hPDU, L_TCHAR *pszText, L_UINT nChars);
L_INT L_DicomGetCalling(HDICOMPDU hPDU, L_TCHAR *pszText, L_UINT nChars);
L_INT L_DicomGetApplication(HDICOMPDU hPDU, L_TCHAR *pszText, L_UINT nChars);
L_UINT32 L_DicomGetMaxLength(HDICOMPDU hPDU);
L_INT L_DicomGetImplementClass(HDICOMPDU hPDU, L_TCHAR *pszText, L_UINT nChars);
L_INT L_DicomGetImplementVersion(HDICOMPDU hPDU, L_TCHAR *pszText, L_UINT nChars);
/* 1 = there, 0 = not; the pointers may be NULL. */
L_INT L_DicomGetAsyncOperations(HDICOMPDU hPDU, L_UINT16 *pnInvoked, L_UINT16 *pnPerformed);

/* nID odd and not used yet; nResult PDU_ACCEPT_RESULT_..., which a request ignores. An accept may leave pszAbstract
 * empty. */
L_INT L_DicomAddPresentation(HDICOMPDU hPDU, L_UCHAR nID, L_UCHAR nResult, const L_TCHAR *pszAbstract);
L_INT L_DicomSetPresentation(HDICOMPDU hPDU, L_UCHAR nID, L_UCHAR nResult, const L_TCHAR *pszAbstract);
/* With the last context of a SOP class go its role selection and extended negotiation. */
L_INT L_DicomDeletePresentation(HDICOMPDU hPDU, L_UCHAR nID);
L_UINT L_DicomGetPresentationCount(HDICOMPDU hPDU);
/* The id of context nIndex (from 0); 0 = no such context. */
L_UCHAR L_DicomGetPresentation(HDICOMPDU hPDU, L_UINT nIndex);
L_INT L_DicomAddTransfer(HDICOMPDU hPDU, L_UCHAR nID, const L_TCHAR *pszUID);
/* 0 and "" for what is not there. */
L_UINT L_DicomGetTransferCount(HDICOMPDU hPDU, L_UCHAR nID);
L_INT L_DicomGetTransfer(HDICOMPDU hPDU, L_UCHAR nID, L_UINT nIndex, L_TCHAR *pszUID, L_UINT nChars);
L_INT L_DicomGetAbstract(HDICOMPDU hPDU, L_UCHAR nID, L_TCHAR *pszUID, L_UINT nChars);
/* PDU_ACCEPT_RESULT_PROVIDER_REJECT for a context that is not there. */
L_UCHAR L_DicomGetResult(HDICOMPDU hPDU, L_UCHAR nID);
L_INT L_DicomSetResult(HDICOMPDU hPDU, L_UCHAR nID, L_UCHAR nResult);
/* The first context with this class, and the next one after nID; 0 = none. */
L_UCHAR L_DicomFindAbstract(HDICOMPDU hPDU, const L_TCHAR *pszUID);
L_UCHAR L_DicomFindNextAbstract(HDICOMPDU hPDU, L_UCHAR nID, const L_TCHAR *pszUID);

/* By context, though the item is one for each SOP class: all contexts of the class agree. */
L_INT L_DicomSetRoleSelect(HDICOMPDU hPDU, L_UCHAR nID, L_BOOL bEnabled, L_UCHAR nUser, L_UCHAR nProvider);
/* 1 = there, 0 = not; the pointers may be NULL. */
L_INT L_DicomGetRoleSelect(HDICOMPDU hPDU, L_UCHAR nID, L_UCHAR *pnUser, L_UCHAR *pnProvider);
/* SOP class extended negotiation (PS3.7 D.3.3.5), by context as the roles. Get: 1 = there, 0 = not. */
L_INT L_DicomSetExtendedData(HDICOMPDU hPDU, L_UCHAR nID, L_BOOL bEnabled, const L_UCHAR *pData, L_UINT nLength);
L_INT L_DicomGetExtendedData(HDICOMPDU hPDU, L_UCHAR nID, const L_UCHAR **ppData, L_UINT *pnLength);
/* SOP class common extended negotiation (PS3.7 D.3.3.6), sent in a request only. Add replaces what there is for pszClass,
 * its related classes too. */
L_INT L_DicomAddCommonExtended(HDICOMPDU hPDU, const L_TCHAR *pszClass, const L_TCHAR *pszServiceClass);
L_INT L_DicomAddCommonExtendedRelated(HDICOMPDU hPDU, const L_TCHAR *pszClass, const L_TCHAR *pszRelated);
L_INT L_DicomClearCommonExtended(HDICOMPDU hPDU);
L_UINT L_DicomGetCommonExtendedCount(HDICOMPDU hPDU);
L_INT L_DicomGetCommonExtended(HDICOMPDU hPDU, L_UINT nIndex, L_TCHAR *pszClass, L_UINT nClassChars,
                               L_TCHAR *pszServiceClass, L_UINT nServiceClassChars);
L_UINT L_DicomGetCommonExtendedRelatedCount(HDICOMPDU hPDU, L_UINT nIndex);
L_INT L_DicomGetCommonExtendedRelated(HDICOMPDU hPDU, L_UINT nIndex, L_UINT nRelated, L_TCHAR *pszUID, L_UINT nChars);

/* User identity (PS3.7 D.3.3.7), sent in a request. nType: 1 user name, 2 user name and passcode (secondary), 3 Kerberos,
 * 4 SAML, 5 JSON web token. The response is sent in an accept. Get: 1 = there, 0 = not; the pointers may be NULL. */
L_INT L_DicomSetUserIdentity(HDICOMPDU hPDU, L_BOOL bEnabled, L_UCHAR nType, L_BOOL bResponse, const L_UCHAR *pPrimary,
                             L_UINT nPrimary, const L_UCHAR *pSecondary, L_UINT nSecondary);
L_INT L_DicomGetUserIdentity(HDICOMPDU hPDU, L_UCHAR *pnType, L_BOOL *pbResponse, const L_UCHAR **ppPrimary,
                             L_UINT *pnPrimary, const L_UCHAR **ppSecondary, L_UINT *pnSecondary);
L_INT L_DicomSetUserIdentityResponse(HDICOMPDU hPDU, L_BOOL bEnabled, const L_UCHAR *pData, L_UINT nLength);
L_INT L_DicomGetUserIdentityResponse(HDICOMPDU hPDU, const L_UCHAR **ppData, L_UINT *pnLength);

/* The other user-information sub-items, type and bytes, in order. Types 0x51 to 0x59 have the functions above. */
L_UINT L_DicomGetUserInformationCount(HDICOMPDU hPDU);
L_INT L_DicomGetUserInformation(HDICOMPDU hPDU, L_UINT nIndex, L_UCHAR *pnType, const L_UCHAR **ppData,
                                L_UINT *pnLength);
L_INT L_DicomAddUserInformation(HDICOMPDU hPDU, L_UCHAR nType, const L_UCHAR *pData, L_UINT nLength);

/* The PDU as it goes over the wire, header included. hRequest, for an accept: the request that is answered (accepts take
 * their abstract syntaxes from it), or NULL. *pnLength: size of pBuffer in, length out; pBuffer NULL: the length only.
 * DICOM_ERROR_PDU_INVALID, _PDU_TOO_LONG, _PDU_UNEXPECTED: the bytes are none; NULL is returned. */
L_INT L_DicomEncodeAssociate(HDICOMPDU hPDU, HDICOMPDU hRequest, L_UCHAR *pBuffer, L_UINT *pnLength);
HDICOMPDU L_DicomDecodeAssociate(const L_UCHAR *pBuffer, L_UINT nLength, HDICOMPDU hRequest);

/* ---- data sets ----------------------------------------------------------------------------------------------- */

/* Bytes in a transfer syntax, in memory or in a file; elements are the caller's business. pszTempPath: folder for large
 * ones, NULL or "" = the system's. */
HDICOMDS L_DicomCreateDS(const L_TCHAR *pszTempPath);
/* On a data set lent to a callback: gives up the callback's claim, harmless. NULL is fine. */
L_VOID L_DicomFreeDS(HDICOMDS hDS);
/* A Part 10 file, or a bare data set in implicit VR little endian. Its data set is not read before it is needed; changing
 * the file meanwhile makes sending fail. uFlags: 0. */
L_INT L_DicomLoadDS(HDICOMDS hDS, const L_TCHAR *pszFile, L_UINT uFlags);
/* Writes preamble, group 0002 and the bytes as they are, whole or not at all. uFlags: DS_..., 0 = as it is;
 * another transfer syntax: DICOM_ERROR_TRANSFER_SYNTAX_NOT_SUPPORTED. */
L_INT L_DicomSaveDS(HDICOMDS hDS, const L_TCHAR *pszFile, L_UINT uFlags);
L_INT L_DicomResetDS(HDICOMDS hDS);
/* A handle of one's own on the same data set; free it later. NULL: hDS is stale. */
HDICOMDS L_DicomRetainDS(HDICOMDS hDS);
/* Copies. */
L_INT L_DicomSetBufferDS(HDICOMDS hDS, const L_UCHAR *pData, L_UINT64 nBytes, const L_TCHAR *pszTransferSyntax);
/* Lent as long as the handle lives and is not changed; one that lies in a file of the library's is mapped, one loaded from
 * a user's file is read into memory. */
L_INT L_DicomGetBufferDS(HDICOMDS hDS, const L_UCHAR **ppData, L_UINT64 *pnBytes);
L_UINT64 L_DicomGetLengthDS(HDICOMDS hDS);
/* "" = not known. Lent as above. */
const L_TCHAR *L_DicomGetTransferSyntaxDS(HDICOMDS hDS);
/* The file it lies in, NULL while in memory. Lent as above. */
const L_TCHAR *L_DicomGetFileDS(HDICOMDS hDS);

/* ---- association and messages -------------------------------------------------------------------------------- */

/* From the A-ASSOCIATE-AC until release, abort or close. */
L_BOOL L_DicomIsAssociated(HDICOMNET hNet);
/* The request (an acceptor, until it accepts) or the accept of the present or last association: a copy, to be freed. NULL:
 * none yet. */
HDICOMPDU L_DicomGetAssociate(HDICOMNET hNet);

/* All of these queue and return; from any thread and every callback. DICOM_ERROR_ASSOCIATION_NOT_ESTABLISHED,
 * DICOM_ERROR_PRESENTATION_CONTEXT_INVALID, DICOM_ERROR_INVALID_STATE (PS3.8 9.2 forbids it now),
 * DICOM_ERROR_TRANSFER_SYNTAX_NOT_SUPPORTED (a data set in another syntax than the context's). A call blocks while more
 * than the queue's limit waits to be sent; DICOM_ERROR_NET_QUEUE_FULL when that does not end in time. The data set is
 * taken over as it is now; later changes do not matter. */
L_INT L_DicomSendAssociateRequest(HDICOMNET hNet, HDICOMPDU hPDU);
L_INT L_DicomSendAssociateAccept(HDICOMNET hNet, HDICOMPDU hPDU);
L_INT L_DicomSendAssociateReject(HDICOMNET hNet, L_UCHAR nResult, L_UCHAR nSource, L_UCHAR nReason);
L_INT L_DicomSendReleaseRequest(HDICOMNET hNet);
L_INT L_DicomSendReleaseResponse(HDICOMNET hNet);
L_INT L_DicomSendAbort(HDICOMNET hNet, L_UCHAR nSource, L_UCHAR nReason);
L_INT L_DicomSendData(HDICOMNET hNet, L_UCHAR nPresentationID, HDICOMDS hCS, HDICOMDS hDS);
L_INT L_DicomSendCStoreRequest(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID, const L_TCHAR *pszClass,
                               const L_TCHAR *pszInstance, L_UINT16 nPriority, const L_TCHAR *pszMoveAE,
                               L_UINT16 nMoveMessageID, HDICOMDS hDS);
L_INT L_DicomSendCStoreResponse(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                                const L_TCHAR *pszClass, const L_TCHAR *pszInstance, L_UINT16 nStatus);
L_INT L_DicomSendCFindRequest(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID, const L_TCHAR *pszClass,
                              L_UINT16 nPriority, HDICOMDS hDS);
L_INT L_DicomSendCFindResponse(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID, const L_TCHAR *pszClass,
                               L_UINT16 nStatus, HDICOMDS hDS);
L_INT L_DicomSendCMoveRequest(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID, const L_TCHAR *pszClass,
                              L_UINT16 nPriority, const L_TCHAR *pszMoveAE, HDICOMDS hDS);
L_INT L_DicomSendCMoveResponse(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID, const L_TCHAR *pszClass,
                               L_UINT16 nStatus, L_UINT16 nRemaining, L_UINT16 nCompleted, L_UINT16 nFailed,
                               L_UINT16 nWarning, HDICOMDS hDS);
L_INT L_DicomSendCGetRequest(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID, const L_TCHAR *pszClass,
                             L_UINT16 nPriority, HDICOMDS hDS);
L_INT L_DicomSendCGetResponse(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID, const L_TCHAR *pszClass,
                              L_UINT16 nStatus, L_UINT16 nRemaining, L_UINT16 nCompleted, L_UINT16 nFailed,
                              L_UINT16 nWarning, HDICOMDS hDS);
L_INT L_DicomSendCCancelRequest(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID);
L_INT L_DicomSendCEchoRequest(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID, const L_TCHAR *pszClass);
L_INT L_DicomSendCEchoResponse(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID, const L_TCHAR *pszClass,
                               L_UINT16 nStatus);

/* Send a request and wait for its response, up to nTimeoutMs: *pnStatus. On an idle connection the calling thread does
 * the reading and writing itself, which is quickest for one request after the other. The response is not told to the
 * callbacks; all else that comes meanwhile is, on other threads. The message id must not be awaited already.
 * DICOM_ERROR_NET_TIMEOUT: not yet; L_DicomAwaitResponse waits on, after L_DicomForgetResponse the response is told as any
 * other. Another error when the connection ended. Legal in callbacks, as they do not wait for each other. */
L_INT L_DicomCEchoAndWait(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID, const L_TCHAR *pszClass,
                L_UINT nTimeoutMs, L_UINT16 *pnStatus);
L_INT L_DicomCStoreAndWait(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID, const L_TCHAR *pszClass,
                const L_TCHAR *pszInstance, L_UINT16 nPriority, HDICOMDS hDS, L_UINT nTimeoutMs, L_UINT16 *pnStatus);
L_INT L_DicomAwaitResponse(HDICOMNET hNet, L_UINT16 nMessageID, L_UINT nTimeoutMs, L_UINT16 *pnStatus);
L_INT L_DicomForgetResponse(HDICOMNET hNet, L_UINT16 nMessageID);
L_INT L_DicomSendNReportRequest(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                                const L_TCHAR *pszClass, const L_TCHAR *pszInstance, L_UINT16 nEvent, HDICOMDS hDS);
L_INT L_DicomSendNReportResponse(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                                 const L_TCHAR *pszClass, const L_TCHAR *pszInstance, L_UINT16 nStatus,
                                 L_UINT16 nEvent, HDICOMDS hDS);
L_INT L_DicomSendNGetRequest(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID, const L_TCHAR *pszClass,
                             const L_TCHAR *pszInstance, L_UINT32 *pnAttribute, L_UINT16 nCount);
L_INT L_DicomSendNGetResponse(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID, const L_TCHAR *pszClass,
                              const L_TCHAR *pszInstance, L_UINT16 nStatus, HDICOMDS hDS);
L_INT L_DicomSendNSetRequest(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID, const L_TCHAR *pszClass,
                             const L_TCHAR *pszInstance, HDICOMDS hDS);
L_INT L_DicomSendNSetResponse(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID, const L_TCHAR *pszClass,
                              const L_TCHAR *pszInstance, L_UINT16 nStatus, HDICOMDS hDS);
L_INT L_DicomSendNActionRequest(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                                const L_TCHAR *pszClass, const L_TCHAR *pszInstance, L_UINT16 nAction, HDICOMDS hDS);
L_INT L_DicomSendNActionResponse(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                                 const L_TCHAR *pszClass, const L_TCHAR *pszInstance, L_UINT16 nStatus,
                                 L_UINT16 nAction, HDICOMDS hDS);
L_INT L_DicomSendNCreateRequest(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                                const L_TCHAR *pszClass, const L_TCHAR *pszInstance, HDICOMDS hDS);
L_INT L_DicomSendNCreateResponse(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                                 const L_TCHAR *pszClass, const L_TCHAR *pszInstance, L_UINT16 nStatus,
                                 HDICOMDS hDS);
L_INT L_DicomSendNDeleteRequest(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                                const L_TCHAR *pszClass, const L_TCHAR *pszInstance);
L_INT L_DicomSendNDeleteResponse(HDICOMNET hNet, L_UCHAR nPresentationID, L_UINT16 nMessageID,
                                 const L_TCHAR *pszClass, const L_TCHAR *pszInstance, L_UINT16 nStatus);

/* ---- end of fence ---- */

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
