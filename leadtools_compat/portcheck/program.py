"""The classes that a program declares itself, and the resolution of what it names.

Both languages use it. Classes of all files are declared first, uses are looked up afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from leadtools_compat.portcheck.api import Api
from leadtools_compat.portcheck.model import Finding, Hint, Ref
from leadtools_compat.portcheck.notes import CONSTRUCTS

__all__ = ["OwnClass", "Program", "Uses"]

COLLECTIONS = frozenset({"List", "IList", "IEnumerable", "ICollection", "Queue", "Stack", "list"})


@dataclass
class OwnClass:
    """A class of the program."""

    name: str
    bases: list[Ref] = field(default_factory=list)
    members: dict[str, Ref | None] = field(default_factory=dict)
    """What it declares, with the type if that is known."""


class Program:
    """The classes of all files of one language."""

    def __init__(self, api: Api, any_case: bool) -> None:
        self.api = api
        self.any_case = any_case
        self._classes: dict[str, OwnClass] = {}

    def key(self, name: str) -> str:
        """Normalise a name as the language does."""
        return name.lower() if self.any_case else name

    def own(self, name: str) -> OwnClass | None:
        """Find a class of the program."""
        return self._classes.get(self.key(name))

    def declare(self, name: str) -> OwnClass:
        """Add a class, or find its other parts."""
        return self._classes.setdefault(self.key(name), OwnClass(name))

    def foreign(self, name: str) -> str | None:
        """Find the LEADTOOLS class that a class is, or is derived from."""
        seen: set[str] = set()
        waiting = [name]
        while waiting:
            one = waiting.pop(0)
            if one in seen:
                continue
            seen.add(one)
            own = self.own(one)
            if own is not None:
                waiting += [base.name for base in own.bases]
                continue
            known = self.api.type_name(one, self.any_case)
            if known is not None:
                return known
        return None

    def declared(self, name: str, member: str) -> OwnClass | None:
        """Find the class of the program that declares a member of a class."""
        seen: set[str] = set()
        waiting = [name]
        while waiting:
            one = waiting.pop(0)
            own = self.own(one)
            if own is None or one in seen:
                continue
            seen.add(one)
            if self.key(member) in own.members:
                return own
            waiting += [base.name for base in own.bases]
        return None


class Uses:
    """Collects the uses in one file."""

    def __init__(self, program: Program, file: str, imports_leadtools: bool) -> None:
        self.program = program
        self.file = file
        self.imports_leadtools = imports_leadtools
        self.findings: list[Finding] = []
        self.hints: list[Hint] = []

    def type_used(self, name: str, line: int) -> None:
        """Note that a type is named."""
        known = self.program.api.type_name(name, self.program.any_case)
        if known is not None and self.imports_leadtools and self.program.own(name) is None:
            self._judge(known, "", line)

    def member_used(self, ref: Ref | None, member: str, line: int) -> Ref | None:
        """Note that a member of something is used, and tell its type."""
        program = self.program
        if ref is None:
            self._guess(member, line)
            return None
        own = program.declared(ref.name, member)
        if own is not None:
            return own.members[program.key(member)]
        foreign = program.foreign(ref.name)
        if foreign is None:
            return None
        self._judge(foreign, member, line)
        spelt = program.api.member_name(foreign, member, program.any_case) or member
        return program.api.member_type(Ref(foreign, ref.arguments), spelt)

    def inherited_used(self, class_name: str, member: str, line: int) -> Ref | None:
        """Note the use of a name that a class of the program may have from LEADTOOLS."""
        program = self.program
        foreign = program.foreign(class_name)
        if foreign is None or program.declared(class_name, member) is not None:
            return None
        spelt = program.api.member_name(foreign, member, program.any_case)
        if spelt is None:
            return None
        self._judge(foreign, spelt, line)
        return program.api.member_type(Ref(foreign), spelt)

    def overridden(self, class_name: str, member: str, line: int) -> None:
        """Note that a class of the program overrides something."""
        own = self.program.own(class_name)
        for base in own.bases if own is not None else ():
            foreign = self.program.foreign(base.name)
            # A base of the program's own may be the one that declares it.
            if foreign is not None and self.program.declared(base.name, member) is None:
                self._judge(foreign, member, line)

    def word(self, text: str, line: int) -> None:
        """Look at a word that the guide may have a chapter about."""
        if text in CONSTRUCTS and self.imports_leadtools:
            what, anchor = CONSTRUCTS[text]
            self.hints.append(Hint(self.file, line, f"{text}: {what}", anchor))

    def _guess(self, member: str, line: int) -> None:
        """Note a member of something unknown, if its name says what it is."""
        owner = self.program.api.distinctive.get(member)
        if owner is not None and self.imports_leadtools:
            self._judge(owner, member, line)

    def _judge(self, type_name: str, member: str, line: int) -> None:
        if not self.imports_leadtools:
            return
        verdict = self.program.api.judge(type_name, member, self.program.any_case)
        if verdict is not None:
            self.findings.append(Finding(self.file, line, *verdict))
