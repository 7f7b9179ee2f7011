"""The certificate's text: what OnVerify really gets, and what is outside of a handshake, line by line.

``golden/KIND.txt`` has the text that is right, for a PKI whose seed and time are fixed, so that
every byte of its certificates is too. Each golden text was held against the ``openssl`` program,
and is again in every run. To write them anew: ``python -m tests.tls.test_certificate_text``.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat._binding import ffi, lib, reads
from leadtools_compat.dicom._net_state import state_of
from leadtools_compat.testing import TestPki
from leadtools_compat.testing.files import unpem
from tests.support import PATIENCE
from tests.tls.tls_tools import (
    CODES,
    DER,
    METHODS,
    PEM,
    SIDES,
    VERSIONS,
    Meeting,
    Side,
    calls_of,
    certificate_text,
    judging,
    other_side,
    rules_for,
)

GOLDEN = Path(__file__).parent / "golden"
NOW = datetime(2026, 6, 1, 12, 30, 5, tzinfo=timezone.utc)

KINDS = (
    *(
        "good_ec",
        "no_purpose",
        "any_eku",
        "no_eku",
        "email_only",
        "own_purpose_only",
        "key_usage_no_signature",
    ),
    *(
        "broken_extension",
        "duplicate_extension",
        "leaf_is_ca",
        "v1_certificate",
        "documented_example",
    ),
    *(
        "name_with_quotes",
        "name_with_commas",
        "name_with_blanks",
        "name_with_newline",
        "name_with_nul",
        "name_utf8",
    ),
    *(
        "name_bmp_string",
        "name_latin1",
        "name_bit_string",
        "many_rdns",
        "multi_valued_rdn",
        "unknown_attribute",
    ),
    *("empty_subject", "negative_serial", "huge_serial", "over_long_serial", "zero_serial"),
    *("endless_validity", "broken_not_after", "broken_not_before"),
)
AUTHORITIES = ("root", "intermediate")

# The text of the seed page. What it prints as one run is cut into lines here, and its HTML has
# folded the blanks, in dates only.
PAGE = """\
Subject Name: CN = Test Client, C = US, ST = Nebraska, L = Omaha, O = Test Client Organization
Issuer Name: CN = LEAD CA, L = Charlotte, ST = North Carolina, C = US, emailAddress = \
[email protected], O = "LEAD Technologies, Inc."
Valid From: Jun 1 21:31:35 2020 GMT
Valid To: May 30 21:31:35 2030 GMT
Serial Number: ae:8a:75:37:56:03:c4:45
Basic Constraints:
Not a CA (Certificate Authority)
Certificate purposes:
SSL client : No
SSL client CA : No
SSL server : No
SSL server CA : No
Netscape SSL server : No
Netscape SSL server CA : No
S/MIME signing : No
S/MIME signing CA : No
S/MIME encryption : No
S/MIME encryption CA : No
CRL signing : No
CRL signing CA : No
Any Purpose : Yes
Any Purpose CA : Yes
OCSP helper : Yes
OCSP helper CA : Yes
Time Stamp signing : No"""
KNOWN_DIFFERENCE = {"OCSP helper CA : Yes": "OCSP helper CA : No"}  # OpenSSL 3 says so


def fixed_pki(folder: Path) -> TestPki:
    """Make the PKI of the golden texts."""
    return TestPki(folder, seed="golden texts", key="ec", now=NOW)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> TestPki:
    """The PKI of the golden texts, instead of the one of the run."""
    return fixed_pki(tmp_path_factory.mktemp("golden"))


def golden(name: str) -> str:
    """Read a golden text; the file has a newline at its end, the text has none."""
    text = (GOLDEN / f"{name}.txt").read_bytes().decode()
    assert text.endswith("\n")
    return text[:-1]


def der_of(pki: TestPki, name: str) -> bytes:
    """Give the certificate of a golden text."""
    if name in AUTHORITIES:
        authority = pki.root if name == "root" else pki.intermediate
        return authority.certificate_der
    return pki.make(name, "client").chain_der[0]


# ---- in a handshake


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_onverify_of_a_server_gets_the_golden_text(
    nets: Callable[[Any], Any], pki: TestPki, kind: str, version: str
) -> None:
    identity = pki.make(kind, "client")
    server = judging(rules_for(pki, "server", method=VERSIONS[version]), identity)
    client = rules_for(pki, "client", identity=identity, method=METHODS.TlsV1)
    always = {"OnVerify": lambda *arguments: 1}  # the PKI may be expired by now
    meeting = Meeting(server.but(hooks=always), client.but(hooks=always), nets).settle()
    assert meeting.linked, (meeting.child.failure, meeting.client.failure)
    texts = [call.text for call in calls_of(meeting.child)]
    assert texts[-1] == golden(kind)
    known = {golden(kind), *map(golden, AUTHORITIES)}
    if kind == "documented_example":  # it has a root of its own
        known.add(certificate_text(authority_of(identity.ca_file)))
    assert set(texts) <= known
    received = reads.peer_certificates(state_of(meeting.child).handle)
    assert [text for _, text in received] == [certificate_text(der) for der in identity.chain_der]
    assert received[0][1] == golden(kind)


def authority_of(file: str) -> bytes:
    return unpem(Path(file).read_bytes())[0]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("judge", SIDES)
def test_good_chain_brings_the_golden_texts_root_first(
    nets: Callable[[Any], Any], pki: TestPki, judge: Side, version: str
) -> None:
    always = {"OnVerify": lambda *arguments: 1}
    rules = {
        judge: rules_for(pki, judge, method=VERSIONS[version], hooks=always),
        other_side(judge): rules_for(pki, other_side(judge), hooks=always),
    }
    meeting = Meeting(rules["server"], rules["client"], nets).settle()
    leaf = golden("good_ec")
    if judge == "client":
        serial = re.compile("^Serial Number: .*$", re.MULTILINE)
        text = calls_of(meeting.client)[-1].text
        leaf = serial.sub(serial.findall(text)[0], leaf.replace("Test Client", "Test Server"))
    texts = [call.text for call in calls_of(meeting.of(judge)) if call.ok]
    assert texts == [golden("root"), golden("intermediate"), leaf]


@pytest.mark.parametrize("kind", ["no_purpose", "broken_extension", "broken_not_after"])
def test_failure_record_has_the_golden_text(
    nets: Callable[[Any], Any], pki: TestPki, kind: str
) -> None:
    identity = pki.make(kind, "client")
    meeting = Meeting(
        rules_for(pki, "server"), rules_for(pki, "client", identity=identity), nets
    ).settle()
    chain = meeting.child.failure.chain
    assert [one.text for one in chain] == [golden(kind), golden("intermediate")]
    for one in chain:
        assert one.text.startswith(f"Subject Name: {one.subject}\n")


# ---- outside of a handshake


@pytest.mark.parametrize("name", [*AUTHORITIES, *KINDS])
def test_c_function_gives_the_golden_text(pki: TestPki, name: str) -> None:
    assert certificate_text(der_of(pki, name)) == golden(name)


@pytest.mark.parametrize("name", ["good_ec", "name_utf8", "many_rdns"])
def test_c_function_takes_the_first_certificate_of_pem_text(pki: TestPki, name: str) -> None:
    pem = Path(pki.make(name, "client").certificate_file).read_bytes()
    assert pem.count(b"BEGIN CERTIFICATE") == 2
    assert reads.certificate_text(pem, PEM) == golden(name)


@pytest.mark.parametrize("name", ["good_ec", "name_utf8"])
def test_c_function_says_the_size_and_refuses_a_buffer_that_is_too_small(
    pki: TestPki, name: str
) -> None:
    der = der_of(pki, name)
    expected = golden(name).encode()
    size = ffi.new("L_UINT *")
    assert lib.L_DicomGetCertificateText(der, len(der), DER, ffi.NULL, size) == 0
    assert size[0] == len(expected) + 1
    size[0] = len(expected)
    small = ffi.new("L_TCHAR[]", len(expected) + 1)
    assert lib.L_DicomGetCertificateText(der, len(der), DER, small, size) == CODES.Parameter
    assert size[0] == len(expected) + 1
    assert lib.L_DicomGetCertificateText(der, len(der), DER, small, size) == 0
    assert ffi.string(small) == expected


@pytest.mark.parametrize(
    "content", [b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\n", b"\x30\x80"]
)
@pytest.mark.parametrize("kind", [PEM, DER])
def test_c_function_refuses_what_is_no_certificate(content: bytes, kind: Any) -> None:
    size = ffi.new("L_UINT *")
    code = lib.L_DicomGetCertificateText(content, len(content), kind, ffi.NULL, size)
    assert code == CODES.TlsCertificateFile


# ---- the form


def test_documented_example_is_that_of_the_page_line_by_line(pki: TestPki) -> None:
    page = [KNOWN_DIFFERENCE.get(line, line) for line in PAGE.split("\n")]
    ours = [" ".join(line.split()) for line in golden("documented_example").split("\n")]
    assert ours == page
    assert len(page) == 25
    raw = golden("documented_example").split("\n")
    assert raw[2] == "Valid From: Jun  1 21:31:35 2020 GMT"  # the day is padded with a blank
    assert [at for at, line in enumerate(raw) if line.startswith("\t")] == [6, *range(8, 25)]


@pytest.mark.parametrize("name", [*AUTHORITIES, *KINDS])
def test_golden_texts_have_the_form_of_the_page(name: str) -> None:
    lines = golden(name).split("\n")
    assert len(lines) == 25
    labels = ("Subject Name: ", "Issuer Name: ", "Valid From: ", "Valid To: ", "Serial Number: ")
    assert all(line.startswith(label) for line, label in zip(lines, labels, strict=False))
    assert re.fullmatch(r"Serial Number: -?[0-9a-f]{2}(:[0-9a-f]{2})*", lines[4])
    assert lines[5] == "Basic Constraints:"
    assert re.fullmatch(
        r"\t(Not a CA \(Certificate Authority\)|CA \(Certificate Authority\)(, path length: \d+)?)",
        lines[6],
    )
    assert lines[7] == "Certificate purposes:"
    names = [line.split(" : ")[0] for line in PAGE.split("\n")[8:]]
    assert [line.split(" : ")[0] for line in lines[8:]] == [f"\t{one}" for one in names]
    assert {line.split(" : ")[1] for line in lines[8:]} <= {"Yes", "No"}
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", golden(name))


def test_golden_texts_are_the_files_in_the_folder() -> None:
    assert {path.stem for path in GOLDEN.glob("*")} - {"pkits"} == {*KINDS, *AUTHORITIES}
    assert len(KINDS) >= 12


# ---- held against the openssl program


@pytest.mark.parametrize("name", [*AUTHORITIES, *KINDS])
def test_openssl_program_says_the_same(pki: TestPki, tmp_path: Path, name: str) -> None:
    file = tmp_path / "one.der"
    file.write_bytes(der_of(pki, name))
    options = ["-noout", "-subject", "-issuer", "-dates", "-serial", "-purpose"]
    said = subprocess.run(
        ["openssl", "x509", "-in", file, *options, "-nameopt", "oneline,utf8,-esc_msb"],
        capture_output=True,
        env={**os.environ, "LC_ALL": "C", "OPENSSL_CONF": os.devnull},
        timeout=PATIENCE,
        check=False,
    ).stdout.decode()
    said = said.replace("\\\n", "")  # it breaks long serial numbers
    values = dict(re.findall(r"^(subject|issuer|notBefore|notAfter|serial)=(.*)$", said, re.M))
    lines = golden(name).split("\n")
    subject = values["subject"].replace("\u202e", r"\E2\80\AE")  # no direction from a certificate
    assert lines[0] == f"Subject Name: {subject}"
    assert lines[1] == f"Issuer Name: {values['issuer']}"
    assert lines[2] == f"Valid From: {values['notBefore']}"
    assert lines[3] == f"Valid To: {values['notAfter']}"
    sign, digits = re.fullmatch("(-?)([0-9A-F]+)", values["serial"]).groups()  # type: ignore[union-attr]
    assert lines[4] == f"Serial Number: {sign}{bytes.fromhex(digits).hex(':')}"
    purposes = re.findall(r"^(.*) : (Yes|No)(.*)$", said, re.M)
    known = {line.split(" : ")[0] for line in PAGE.split("\n")[8:]}
    # It prints "Yes (WARNING code=-1)" for a certificate whose extensions are broken.
    answers = [
        f"\t{label} : {'No' if 'code=-1' in rest else answer}"
        for label, answer, rest in purposes
        if label in known
    ]
    assert lines[8:] == answers


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        made = fixed_pki(Path(folder))
        GOLDEN.mkdir(exist_ok=True)
        for one in [*AUTHORITIES, *KINDS]:
            written = certificate_text(der_of(made, one)) + "\n"
            (GOLDEN / f"{one}.txt").write_bytes(written.encode())
