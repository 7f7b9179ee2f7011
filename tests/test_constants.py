"""The constants of C and Python agree, and the generated files are those of tools/constants.py."""

from __future__ import annotations

import re
import shutil
import ssl
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from leadtools_compat.dicom import _texts, enums_codes, enums_dataset, enums_dimse, enums_tls
from leadtools_compat.dicom.enums_codes import (
    DicomExceptionCode,
    DicomSecurityCertificateExceptionCode,
)
from leadtools_compat.dicom.enums_tls import DicomTlsCipherSuiteType

ROOT = Path(__file__).resolve().parent.parent
GENERATED = [
    "csrc/ltdic.h",
    "csrc/ldc_tables.c",
    "leadtools_compat/dicom/_texts.py",
    "leadtools_compat/dicom/enums_codes.py",
    "leadtools_compat/dicom/enums_dimse.py",
    "leadtools_compat/dicom/enums_tls.py",
]
# Prefix in C, enum in Python. The rest of a C name is the member's name, apart from capitals and underscores.
ENUMS = {
    "DICOM_ERROR_": DicomExceptionCode,
    "L_X509_V_ERR_": DicomSecurityCertificateExceptionCode,
    "DS_": enums_dataset.DicomDataSetSaveFlags,
    "DICOM_SECURE_": enums_tls.DicomNetSecurityMode,
    "DICOM_TLS_CERTIFICATE_": enums_tls.DicomTlsCertificateType,
    "TYPE_": enums_tls.DicomSslMethodType,
    "L_SSL_VERIFY_": enums_tls.DicomOpenSslVerificationFlags,
    "DICOM_SSL_VERIFY_": enums_tls.DicomOpenSslVerificationFlags,
    "DICOM_SSL_OP_": enums_tls.DicomOpenSslOptionsFlags,
    "DICOM_TLS_ENCRYPTION_": enums_tls.DicomTlsEncryptionMethodType,
    "DICOM_TLS_AUTHENTICATION_": enums_tls.DicomTlsAuthenticationMethodType,
    "DICOM_TLS_INTEGRITY_": enums_tls.DicomTlsIntegrityMethodType,
    "DICOM_TLS_KEY_EXCHANGE_": enums_tls.DicomTlsKeyExchangeMethodType,
    "DICOM_NET_FLAG_": enums_dimse.DicomNetFlags,
    "DICOM_IPTYPE_": enums_dimse.DicomNetIpTypeFlags,
    "PDU_REJECT_RESULT_": enums_dimse.DicomAssociateRejectResultType,
    "PDU_REJECT_SOURCE_": enums_dimse.DicomAssociateRejectSourceType,
    "PDU_REJECT_REASON_": enums_dimse.DicomAssociateRejectReasonType,
    "PDU_ABORT_SOURCE_": enums_dimse.DicomAbortSourceType,
    "PDU_ABORT_REASON_": enums_dimse.DicomAbortReasonType,
    "PDU_ACCEPT_RESULT_": enums_dimse.DicomAssociateAcceptResultType,
    "PDU_": enums_dimse.DicomPduType,
    "COMMAND_DATASET_": enums_dimse.DicomDataSetCommandType,
    "COMMAND_PRIORITY_": enums_dimse.DicomCommandPriorityType,
    "COMMAND_STATUS_": enums_dimse.DicomCommandStatusType,
    "COMMAND_": enums_dimse.DicomCommandType,
}
SHORTENED = {
    "TYPE_SSLV2_METHOD": "SslV2",
    "TYPE_SSLV3_METHOD": "SslV3",
    "TYPE_SSLV23_METHOD": "SslV23",
    "TYPE_TLSV1_METHOD": "TlsV1",
    "TYPE_TLSV1_2_METHOD": "TlsV1_2",
    "TYPE_TLSV1_3_METHOD": "TlsV1_3",
    "L_SSL_VERIFY_FAIL_IF_NO_PEER_CERT": "FailIfNoPeerCertificate",
    "DICOM_SSL_VERIFY_FAIL_IF_NO_PEER_CERT": "FailIfNoPeerCertificate",
    "DICOM_NET_FLAG_SEND_DATA_WITH_GROUP_LENGTH": "SendDataWithGroupLengthStandardDataElements",
    "PDU_ABORT_REASON_UNRECOGNIZED_PARAM": "UnrecognizedParameter",
    "PDU_ABORT_REASON_UNEXPECTED_PARAM": "UnexpectedParameter",
    "PDU_ABORT_REASON_INVALID_PARAM": "InvalidParameter",
}
ONLY_IN_C = re.compile(
    r"FLAG_SSL_CTX_CREATE_|DICOM_(VERIFY|STAGE|SIDE|SINK|CHUNK|AUTO_RESPOND|LOG|LIMIT|OCSP|TLS_INFO|TLS_LIBRARY|TLS_PROFILE_SUITE|TLS_PIN|TLS_NAME|TLS_PURPOSE|TLS_POLICY|TLS_ALPN)_|COMMAND_(REQUEST|RESPONSE)$"
)


@pytest.fixture(scope="module")
def header() -> dict[str, int]:
    """Names and numbers of the header's region, each line as plain as cffi needs it."""
    text = (ROOT / "csrc/ltdic.h").read_text("utf-8")
    region = text.split("/* ---- generated constants:")[1].split(
        "/* ---- end of generated constants"
    )[0]
    values: dict[str, int] = {}
    for line in region.splitlines()[1:]:
        if line and not line.startswith("/*"):
            match = re.fullmatch(r"#define ([A-Z][A-Z0-9_]*) +(0x[0-9A-F]+|-?[0-9]+)", line)
            assert match, f"not a plain number: {line}"
            assert match[1] not in values, f"defined twice: {match[1]}"
            values[match[1]] = int(match[2], 0)
    return values


@pytest.fixture(scope="module")
def tables() -> str:
    return (ROOT / "csrc/ldc_tables.c").read_text("utf-8")


def generator(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(root / "tools/generate_constants.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_generated_files_are_fresh() -> None:
    done = generator(ROOT, "--check")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", GENERATED)
def test_check_names_a_stale_file_and_writing_repairs_it(name: str, tmp_path: Path) -> None:
    for path in [
        *GENERATED,
        "tools/constants.py",
        "tools/constants_model.py",
        "tools/generate_constants.py",
    ]:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    stale = tmp_path / name
    good = stale.read_text("utf-8")
    stale.write_text(re.sub("#define DICOM_SUCCESS|Generated", r"\g<0>X", good, count=1), "utf-8")

    checked = generator(tmp_path, "--check")
    assert checked.returncode == 1
    assert checked.stderr == f"{name} is stale: run tools/generate_constants.py\n"

    assert generator(tmp_path).stdout == f"wrote {name}\n"
    assert stale.read_text("utf-8") == good
    assert generator(tmp_path, "--check").returncode == 0


def test_the_rest_of_the_header_survives_generation(tmp_path: Path) -> None:
    for path in ["tools/constants.py", "tools/constants_model.py", "tools/generate_constants.py"]:
        (tmp_path / path).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    (tmp_path / "csrc").mkdir()
    (tmp_path / "leadtools_compat/dicom").mkdir(parents=True)
    begin = "/* ---- generated constants: tools/generate_constants.py ---- */\n"
    end = "/* ---- end of generated constants ---- */\n"
    header = tmp_path / "csrc/ltdic.h"
    header.write_text(f"before\n{begin}#define OLD 1\n{end}after\n", "utf-8")
    assert generator(tmp_path).returncode == 0
    text = header.read_text("utf-8")
    assert text.startswith(f"before\n{begin}/* ")
    assert text.endswith(f"\n{end}after\n")
    assert "OLD" not in text

    header.write_text("no markers", "utf-8")
    assert generator(tmp_path).returncode != 0
    assert header.read_text("utf-8") == "no markers"


def member_of(name: str) -> tuple[type, str] | None:
    prefix = max((p for p in ENUMS if name.startswith(p)), key=len, default=None)
    return None if prefix is None else (ENUMS[prefix], SHORTENED.get(name, name[len(prefix) :]))


def folded(name: str) -> str:
    return name.replace("_", "").lower()


def test_every_constant_of_c_has_the_value_of_its_enum_member(header: dict[str, int]) -> None:
    suites = {f"DICOM_{iana}": number for number, (iana, _) in _texts.CIPHER_NAMES.items()}
    rest = dict(header)
    assert rest.pop("DICOM_SUCCESS") == DicomExceptionCode.Success
    assert rest.pop("L_X509_V_OK") == DicomSecurityCertificateExceptionCode.Success
    assert rest.pop("DICOM_TLS_NONE") == DicomTlsCipherSuiteType.None_
    assert rest.pop("COMMAND_PRIORTY_HIGH") == enums_dimse.DicomCommandPriorityType.High
    for name, value in rest.items():
        if ONLY_IN_C.match(name):
            continue
        if name in suites:
            assert value == suites[name], name
            continue
        found = member_of(name)
        assert found, f"no enum for {name}"
        enum, rest_of_name = found
        members = {folded(n): member for n, member in enum.__members__.items()}  # type: ignore[attr-defined]
        assert int(members[folded(rest_of_name)]) == value, name


@pytest.mark.parametrize(("prefix", "enum"), ENUMS.items(), ids=ENUMS)
def test_every_enum_member_has_its_constant_in_c(
    prefix: str, enum: type, header: dict[str, int]
) -> None:
    not_in_c = {
        "L_X509_V_ERR_": {"Success"},
        "DICOM_ERROR_": {"Success"},
        "DICOM_NET_FLAG_": {"None_"},
        "DS_": {"None_"},
    }
    not_in_c |= {"L_SSL_VERIFY_": {"All"}, "DICOM_SSL_VERIFY_": {"All"}, "DICOM_SSL_OP_": {"None_"}}
    wanted = {folded(n) for n in enum.__members__ if n not in not_in_c.get(prefix, ())}  # type: ignore[attr-defined]
    found = (member_of(name) for name in header if name.startswith(prefix))
    assert wanted <= {folded(pair[1]) for pair in found if pair and pair[0] is enum}


def test_suites_have_the_same_constant_member_and_name(header: dict[str, int]) -> None:
    members = {int(suite) for suite in DicomTlsCipherSuiteType} - {0}
    assert members == set(_texts.CIPHER_NAMES)
    for suite in DicomTlsCipherSuiteType:
        if suite:
            assert header[f"DICOM_{suite.iana_name}"] == suite


@pytest.mark.parametrize(
    ("table", "texts", "enum", "success"),
    [
        ("error_texts", _texts.EXCEPTION_TEXTS, DicomExceptionCode, "DICOM_SUCCESS"),
        ("verify_texts", _texts.VERIFY_TEXTS, DicomSecurityCertificateExceptionCode, "L_X509_V_OK"),
    ],
)
def test_codes_have_the_same_text_in_c_and_python(
    table: str, texts: dict[int, str], enum: type, success: str, tables: str, header: dict[str, int]
) -> None:
    rows = re.findall(r'^    \{([A-Z0-9_]+), "([^"]*)"\},$', array_of(tables, table), re.M)
    assert rows[0][0] == success
    assert {header[name]: text for name, text in rows} == texts
    assert list(texts) == [int(code) for code in enum]  # type: ignore[attr-defined]


def array_of(tables: str, name: str) -> str:
    return tables.split(f" {name}[] = {{\n")[1].split("\n};\n")[0]


def test_stages_have_the_same_name_in_c_and_python(tables: str, header: dict[str, int]) -> None:
    assert re.findall(r'"(\w+)"', array_of(tables, "stage_names")) == list(_texts.STAGE_NAMES)
    for value, name in enumerate(_texts.STAGE_NAMES):
        assert header[f"DICOM_STAGE_{name.upper()}"] == value


def suites_of(tables: str) -> list[list[str]]:
    rows = re.findall(r"\{([^{}]*)\}", array_of(tables, "ldc_suites"))
    return [[column.strip().strip('"') for column in row.split(",")] for row in rows]


def test_suites_have_the_same_names_in_c_and_python(tables: str, header: dict[str, int]) -> None:
    rows = {header[row[0]]: (row[1], row[2]) for row in suites_of(tables)}
    assert rows == _texts.CIPHER_NAMES


def test_the_default_list_is_ordered_and_has_only_forward_secrecy_with_aead(tables: str) -> None:
    ranked = sorted((int(row[9]), row) for row in suites_of(tables) if row[9] != "-1")
    assert [rank for rank, _ in ranked] == list(range(11))
    for _, row in ranked:
        assert row[4] != "DICOM_TLS_KEY_EXCHANGE_RSA"
        assert row[7] == "DICOM_TLS_INTEGRITY_AEAD"
    assert [row[1] for _, row in ranked][:4] == [
        "TLS_AES_256_GCM_SHA384",
        "TLS_AES_128_GCM_SHA256",
        "TLS_CHACHA20_POLY1305_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    ]


def test_parts_of_a_suite_agree_with_its_iana_name(tables: str) -> None:
    for row in suites_of(tables):
        _, iana, openssl, tls13, exchange, authentication, encryption, integrity, bits, _ = row
        assert (tls13 == "true") == ("_WITH_" not in iana) == (openssl == iana)
        cipher = iana.removeprefix("TLS_").rpartition("WITH_")[2]
        if tls13 == "true":
            assert exchange.endswith("EXCHANGE_ANY")
            assert authentication.endswith("AUTHENTICATION_ANY")
        else:
            words = iana.removeprefix("TLS_").split("_WITH_")[0].split("_")
            assert exchange == f"DICOM_TLS_KEY_EXCHANGE_{words[0]}"
            assert authentication == f"DICOM_TLS_AUTHENTICATION_{words[-1]}"
        assert encryption.removeprefix("DICOM_TLS_ENCRYPTION_") == encryption_in(cipher), iana
        aead = "GCM" in cipher or "CCM" in cipher or "POLY1305" in cipher
        assert integrity == f"DICOM_TLS_INTEGRITY_{'AEAD' if aead else cipher.rpartition('_')[2]}"
        assert int(bits) == bits_in(cipher), iana


def encryption_in(cipher: str) -> str:
    for words, name in {
        "3DES": "TRIPLE_DES",
        "DES": "DES",
        "CHACHA20": "CHACHA20_POLY1305",
        "GCM": "AES_GCM",
        "CCM_8": "AES_CCM8",
        "CCM": "AES_CCM",
    }.items():
        if words in cipher:
            return name
    return "AES"


def bits_in(cipher: str) -> int:
    if "DES" in cipher:
        return 168 if "3DES" in cipher else 56
    return 128 if "AES_128" in cipher else 256


def test_openssl_knows_the_suites_by_these_names_and_numbers() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    theirs = {cipher["id"] & 0xFFFF: cipher["name"] for cipher in context.get_ciphers()}
    ours = {number: names[1] for number, names in _texts.CIPHER_NAMES.items()}
    common = theirs.keys() & ours.keys()
    assert len(common) >= 20
    assert {number: ours[number] for number in common} == {
        number: theirs[number] for number in common
    }


def test_verification_codes_are_openssls_but_for_the_exchanged_pair(header: dict[str, int]) -> None:
    theirs = openssl_verification_codes()
    ours = {name[2:]: value for name, value in header.items() if name.startswith("L_X509_V_")}
    if theirs["X509_V_ERR_INVALID_CA"] == 79:  # OpenSSL 3
        theirs |= {"X509_V_ERR_INVALID_CA": 24, "X509_V_ERR_NO_ISSUER_PUBLIC_KEY": 79}
    assert {name: value for name, value in theirs.items() if value <= 94} == ours


def openssl_verification_codes() -> dict[str, int]:
    pkg_config = shutil.which("pkg-config")
    if pkg_config is None:
        pytest.skip("pkg-config is not installed")
    command = [pkg_config, "--variable=includedir", "openssl"]
    folder = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    header = Path(folder or "missing") / "openssl/x509_vfy.h"
    if not header.is_file():
        pytest.skip("OpenSSL's headers are not installed")
    text = header.read_text("utf-8", "replace")
    # Without the RFC 3779 and DANE conditions: the numbers are there in every build.
    return {
        name: int(value)
        for name, value in re.findall(r"#\s*define\s+(X509_V_(?:OK|ERR_\w+))\s+(\d+)\s", text)
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DICOM_SUCCESS", 0),
        ("DICOM_ERROR_NET_CONNECTION_REFUSED", 202),
        ("DICOM_ERROR_VR_INVALID", 107),
        ("DICOM_ERROR_TLS_PEER_NOT_TLS", 305),
        ("DICOM_ERROR_TLS_CA_FILE", 316),
        ("DICOM_ERROR_PDU_TOO_LONG", 407),
        ("L_X509_V_ERR_INVALID_CA", 24),
        ("L_X509_V_ERR_INVALID_PURPOSE", 26),
        ("L_X509_V_ERR_NO_ISSUER_PUBLIC_KEY", 79),
        ("FLAG_SSL_CTX_CREATE_VERIFY_DEPTH", 2),
        ("FLAG_SSL_CTX_CREATE_ALL", 31),
        ("TYPE_SSLV23_METHOD", 0),
        ("DICOM_SSL_OP_ALL_BUG_WORKAROUNDS", 0xFFF),
        ("DICOM_SSL_OP_NO_TLS_V1_2", 0x08000000),
        ("DICOM_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", 0xC030),
        ("DICOM_TLS_DHE_RSA_WITH_DES_CBC_SHA", 0x0015),
        ("DICOM_VERIFY_NO_ANSWER", -2147483647),
        ("DICOM_STAGE_CLOSE", 7),
        ("DICOM_LIMIT_ALLOW_PLAIN_CHILDREN", 30),
        ("DICOM_TLS_INFO_CA_NAMES", 9),
        ("PDU_REJECT_REASON_CALLED", 7),
        ("COMMAND_RESPONSE", 0x8000),
        ("COMMAND_C_CANCEL", 0x0FFF),
        ("COMMAND_DATASET_ABSENT", 0x0101),
        ("COMMAND_STATUS_PENDING_WARNING", 0xFF01),
    ],
)
def test_numbers_that_others_rely_on_stay(name: str, value: int, header: dict[str, int]) -> None:
    assert header[name] == value


def test_texts_that_programs_compare_stay() -> None:
    texts = _texts.EXCEPTION_TEXTS
    refused = texts[DicomExceptionCode.NetConnectionRefused]
    assert refused == "The attempt to connect was forcefully rejected"
    assert texts[DicomExceptionCode.AbstractSyntaxNotSupported] == "Abstract Syntax Not Supported"


@pytest.mark.parametrize("module", [enums_codes, enums_tls, enums_dimse])
def test_every_class_is_exported_and_says_where_it_comes_from(module: ModuleType) -> None:
    values = vars(module).items()
    classes = {n: c for n, c in values if isinstance(c, type) and c.__module__ == module.__name__}
    assert set(classes) == set(module.__all__)
    for name, enum in classes.items():
        assert "Names" in (enum.__doc__ or ""), name
