"""What portcheck finds: uses of members, and what is to be said of them."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

__all__ = ["Finding", "Hint", "Ref", "Report", "Status", "Unread"]


class Status(enum.Enum):
    """Whether a port may use a member."""

    DONE = "done"
    DIFFERS = "differs"
    ABSENT = "absent"


@dataclass(frozen=True)
class Ref:
    """A type as a program names it: ``List<DicomScp>`` is ``Ref("List", (Ref("DicomScp"),))``."""

    name: str
    arguments: tuple[Ref, ...] = ()
    static: bool = False
    """The type itself, not an object of it."""


@dataclass(frozen=True)
class Finding:
    """One use of a member of LEADTOOLS in a source file.

    Attributes
    ----------
    owner, member
        ``DicomNet`` and ``Connect``; the member is "" where the type itself is meant.
    note, anchor
        What differs, or why it is absent; the place in the porting guide.
    """

    file: str
    line: int
    owner: str
    member: str
    status: Status
    note: str = ""
    anchor: str = ""

    @property
    def name(self) -> str:
        """``DicomNet.Connect``."""
        return f"{self.owner}.{self.member}" if self.member else self.owner


@dataclass(frozen=True)
class Hint:
    """Something in the source that the porting guide has a word about: a message pump, a licence."""

    file: str
    line: int
    what: str
    anchor: str


@dataclass(frozen=True)
class Unread:
    """A file that was passed over."""

    file: str
    why: str


@dataclass
class Report:
    """All that was found."""

    files: int = 0
    findings: list[Finding] = field(default_factory=list)
    hints: list[Hint] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)

    def members(self) -> dict[str, Status]:
        """Give each member once, with the worst that was said of it."""
        found: dict[str, Status] = {}
        for one in self.findings:
            found.setdefault(one.name, one.status)
        return found

    def percentage(self) -> int:
        """How many of the members are there, differently or not; 100 only if all are."""
        members = self.members()
        if not members:
            return 100
        there = sum(status != Status.ABSENT for status in members.values())
        return there * 100 // len(members)
