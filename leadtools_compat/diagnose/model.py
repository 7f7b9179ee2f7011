"""What a diagnosis is made of; plain data, ready for JSON.

The one rule: probes fill it, `judgement` reads it, `text` and `html` show it; none of them does the
work of another.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timezone
from enum import Enum
from typing import Any

__all__ = [
    "Certificate",
    "Connection",
    "Dicom",
    "Event",
    "Finding",
    "Level",
    "Offer",
    "Report",
    "Tls",
    "Verdict",
]


class Level(str, Enum):
    """How bad a finding is."""

    good = "good"
    note = "note"
    warning = "warning"
    error = "error"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Finding:
    """One thing that was found out.

    Attributes
    ----------
    level
        How bad it is.
    area
        ``connection``, ``versions``, ``suites``, ``groups``, ``chain``, ``certificate``,
        ``names``, ``client certificate``, ``session``, ``dicom``.
    text
        A sentence.
    remedy
        What to do about it; "" for what needs none.
    """

    level: Level
    area: str
    text: str
    remedy: str = ""


@dataclass(frozen=True)
class Event:
    """One step of the conversation.

    Attributes
    ----------
    at
        Seconds since the beginning.
    who
        ``us``, ``peer``, or ``both``: the side that did it.
    text
        What.
    good
        Whether it went well.
    """

    at: float
    who: str
    text: str
    good: bool = True


@dataclass(frozen=True)
class Verdict:
    """One call of OnVerify about a certificate of the peer."""

    depth: int | None
    subject: str
    code: str
    message: str
    remedy: str = ""

    @property
    def good(self) -> bool:
        """Whether it was no complaint."""
        return self.code == "Success"


@dataclass
class Certificate:
    """A certificate, in words.

    Attributes
    ----------
    text
        As OnVerify gets it.
    purposes
        Those of `text` that are Yes.
    names
        DNS names and addresses it is for.
    days_left
        Whole days until it ends; negative: ended.
    faults
        What could not be read in it.
    """

    subject: str = ""
    issuer: str = ""
    serial: str = ""
    not_before: datetime | None = None
    not_after: datetime | None = None
    days_left: int | None = None
    is_ca: bool = False
    self_issued: bool = False
    key: str = ""
    key_bits: int = 0
    signature: str = ""
    names: list[str] = field(default_factory=list)
    purposes: list[str] = field(default_factory=list)
    sha256: str = ""
    ocsp: list[str] = field(default_factory=list)
    must_staple: bool = False
    text: str = ""
    faults: list[str] = field(default_factory=list)


@dataclass
class Connection:
    """How TCP went: the addresses, which one answered, after how long."""

    addresses: list[str] = field(default_factory=list)
    connected: str = ""
    seconds: float | None = None
    failed: list[str] = field(default_factory=list)


@dataclass
class Offer:
    """What one version of TLS gets from the peer.

    Attributes
    ----------
    accepted
        Whether the peer talks it; None: not known.
    why
        Why not, as the peer said it.
    suites
        Those it takes, in the order in which it prefers them.
    server_order
        Whether the peer's order counts, not the client's; None: not known.
    """

    accepted: bool | None = None
    why: str = ""
    suites: list[str] = field(default_factory=list)
    server_order: bool | None = None


@dataclass(frozen=True)
class Profile:
    """A named TLS profile, held against what the peer can do.

    Attributes
    ----------
    reasons
        Why no link to the peer can meet it; none: one can.
    """

    name: str
    title: str
    retired: bool
    reasons: list[str] = field(default_factory=list)

    @property
    def met(self) -> bool:
        """Whether a link can meet it."""
        return not self.reasons


UNKNOWN_ISSUER = (
    "UnableToGetIssuerCert",
    "UnableToGetIssuerCertLocally",
    "UnableToVerifyLeafSignature",
    "DepthZeroSelfSignedCert",
    "SelfSignedCertInChain",
    "CertUntrusted",
)
"""What OnVerify says of each chain when nobody is trusted."""


@dataclass
class Tls:
    """What the peer can do in TLS. None stands for: not known."""

    versions: dict[str, Offer] = field(default_factory=dict)
    groups: list[str] = field(default_factory=list)
    profiles: list[Profile] = field(default_factory=list)
    dh_bits: int | None = None
    version: str = ""
    suite: str = ""
    group: str = ""
    chain: list[Certificate] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    verified: bool = False
    expected_host: str | None = None
    authorities_given: bool = True
    stapling: str | None = None
    client_certificate: str | None = None
    ca_names: list[str] = field(default_factory=list)
    alpn: str | None = None
    resumption: str | None = None

    @property
    def complaints(self) -> list[str]:
        """Codes of OnVerify that are faults; nobody is at fault for authorities that we do not have."""
        bad = [one.code for one in self.verdicts if not one.good]
        return [one for one in bad if self.authorities_given or one not in UNKNOWN_ISSUER]


@dataclass
class Dicom:
    """How the association and the C-ECHO went."""

    tried: bool = False
    associated: bool | None = None
    echo: str = ""
    echo_seconds: float | None = None
    implementation: str = ""
    max_length: int | None = None


@dataclass
class Report:
    """The whole diagnosis.

    Attributes
    ----------
    verdict
        One sentence.
    level
        The worst level of the findings.
    failure
        The failure record of the connection, as `DicomFailure.as_dict` gives it, or None.
    untested
        What could not be tried, and why.
    """

    host: str
    port: int
    called: str = ""
    calling: str = ""
    with_tls: bool = True
    made: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    seconds: float = 0.0
    library: str = ""
    level: Level = Level.note
    verdict: str = ""
    connection: Connection = field(default_factory=Connection)
    tls: Tls = field(default_factory=Tls)
    dicom: Dicom = field(default_factory=Dicom)
    events: list[Event] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    failure: dict[str, Any] | None = None
    untested: list[str] = field(default_factory=list)

    @property
    def target(self) -> str:
        """Host and port in one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def add(self, level: Level, area: str, text: str, remedy: str = "") -> None:
        """Add a finding; its text becomes a sentence."""
        text = text[:1].upper() + text[1:]
        self.findings.append(Finding(level, area, text, remedy))

    @property
    def shown_level(self) -> Level:
        """What stands before the verdict: a secure link with nothing but notes is good."""
        return Level.good if self.level is Level.note and self.with_tls else self.level

    def as_dict(self) -> dict[str, Any]:
        """Give the report as plain values for JSON: times in ISO 8601, levels by name."""
        made: dict[str, Any] = _plain({one.name: getattr(self, one.name) for one in fields(self)})
        return made


_PARTS = (Finding, Event, Verdict, Certificate, Connection, Offer, Profile, Tls, Dicom)


def _plain(value: Any) -> Any:
    if isinstance(value, _PARTS):
        return _plain(asdict(value))
    if isinstance(value, Level):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value
