"""NIST's PKITS as cases: the chain, the revocation lists and the key of each, out of ``cryptography_vectors``.

Each test of PKITS comes as a signed message that holds its certificates and its lists; the keys of the
signers are in PKCS#12 files.
"""

from __future__ import annotations

import email
import re
import ssl
import subprocess
from functools import cache
from pathlib import Path
from typing import NamedTuple

import cryptography_vectors

from tests.support import PATIENCE
from tests.tls.peers import CLEAN

DATA = Path(cryptography_vectors.__file__).parent / "x509/PKITS_data"
ANCHOR = ssl.DER_cert_to_PEM_cert((DATA / "certs/TrustAnchorRootCertificate.crt").read_bytes())
PASSWORD = "password"

# The sections of PKITS: how many tests each has, and what their titles have in common. The first
# that fits counts.
SECTIONS = {
    "4.5": (8, r"Basic Self-Issued"),
    "4.15": (10, r"delta-?CRL"),
    "4.12": (10, r"inhibitAnyPolicy"),
    "4.11": (11, r"inhibitPolicyMapping"),
    "4.10": (14, r"Policy Mapping|Mapping (From|To)"),
    "4.9": (8, r"[Rr]equireExplicitPolicy"),
    "4.8": (20, r"Polic|Qualifier"),
    "4.13": (38, r"nameConstraints"),
    "4.14": (35, r"istributionPoint|onlyContains|onlySome|IDP with|cRLIssuer"),
    "4.6": (17, r"basicConstraints|cA False|pathLenConstraint"),
    "4.7": (5, r"keyUsage"),
    "4.16": (2, r"Critical Certificate Extension"),
    "4.2": (8, r"Date"),
    "4.3": (11, r"Name Chaining|RFC3280|UTF8String"),
    "4.4": (21, r"CRL|Revoked|Serial Number"),
    "4.1": (6, r"Signature|DSA"),
}
# Those without a verdict in their title that PKITS wants refused (section 4.8: no policy is left).
UNTITLED_BAD = ("4.8.4", "4.8.5", "4.8.7", "4.8.8", "4.8.9", "4.8.12")


class Case(NamedTuple):
    """One test of PKITS, by its number there."""

    number: str
    title: str
    message: Path

    @property
    def section(self) -> str:
        """The section it stands in, such as ``4.13``."""
        return self.number.rpartition(".")[0]

    @property
    def good(self) -> bool:
        """Whether PKITS wants the path to be valid if all it says is heeded."""
        return not (self.title.startswith(("Invalid", "Missing")) or self.number in UNTITLED_BAD)

    def parts(self) -> Parts:
        """Take the message apart."""
        *_, signature = email.message_from_bytes(self.message.read_bytes()).walk()
        der = signature.get_payload(decode=True)
        assert isinstance(der, bytes)
        printed = openssl(der, "pkcs7", "-inform", "DER", "-print_certs")
        certificates = blocks("CERTIFICATE", printed)
        return Parts(tuple(reversed(certificates)), blocks("X509 CRL", printed))


class Parts(NamedTuple):
    """What is in a message, as PEM: the chain, leaf first, and the revocation lists."""

    chain: tuple[str, ...]
    lists: tuple[str, ...]

    @property
    def der(self) -> tuple[bytes, ...]:
        """The chain as DER."""
        return tuple(map(ssl.PEM_cert_to_DER_cert, self.chain))

    def key(self) -> str:
        """Give the leaf's key, which lies in a file called as the certificate's."""
        file = DATA / "pkcs12" / f"{names_of_certificates()[self.der[0]]}.p12"
        options = ("-nocerts", "-noenc", "-legacy", "-passin", f"pass:{PASSWORD}")
        return openssl(b"", "pkcs12", "-in", str(file), *options)


def openssl(given: bytes, *arguments: str) -> str:
    """Run the program and give what it prints."""
    done = subprocess.run(
        ["openssl", *arguments],
        input=given,
        capture_output=True,
        env=CLEAN,
        timeout=PATIENCE,
        check=True,
    )
    return done.stdout.decode()


def blocks(kind: str, printed: str) -> tuple[str, ...]:
    """Take PEM blocks out of a text."""
    return tuple(re.findall(rf"-----BEGIN {kind}-----.*?-----END {kind}-----\n", printed, re.S))


@cache
def names_of_certificates() -> dict[bytes, str]:
    """Name PKITS's certificates by their content."""
    return {file.read_bytes(): file.stem for file in (DATA / "certs").glob("*.crt")}


@cache
def all_cases() -> tuple[Case, ...]:
    """Give all tests of PKITS in its order."""
    cases = []
    for file in (DATA / "smime").glob("*.eml"):
        title = str(email.message_from_bytes(file.read_bytes())["Subject"])
        section = next(one for one, (_, words) in SECTIONS.items() if re.search(words, title))
        title, number = re.fullmatch(r"(.*) Test ?(\d+)", title).groups()  # type: ignore[union-attr]
        cases.append(Case(f"{section}.{number}", title, file))
    return tuple(sorted(cases, key=lambda one: [int(part) for part in one.number.split(".")]))
