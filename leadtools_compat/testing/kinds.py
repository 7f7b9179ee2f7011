"""How a kind is registered: a decorator that takes its description and expected verdict.

The one rule: each ``kinds_*`` file owns one `Register`; `catalogue` puts them together.
"""

from __future__ import annotations

from collections.abc import Callable

from leadtools_compat.testing.chains import Maker
from leadtools_compat.testing.model import Complaint, Draft, Kind, Obstacle

Builder = Callable[[Maker], Draft]

NO_ISSUER = ("UnableToGetIssuerCertLocally", 0)
NO_ISSUER_NOTE = "without PARTIAL_CHAIN UnableToVerifyLeafSignature at depth 0 follows"


class Register(dict[str, Kind]):
    """Kinds by name, in the order in which they are written."""

    def kind(
        self,
        description: str,
        *expected: tuple[str, int],
        never_judged: Obstacle = "",
        note: str = "",
    ) -> Callable[[Builder], Builder]:
        """Register the decorated builder under its own name; see `Kind` for the parameters."""

        def register(build: Builder) -> Builder:
            name = build.__name__
            complaints = tuple(Complaint(code, depth) for code, depth in expected)
            self[name] = Kind(name, description, complaints, never_judged, note, build=build)
            return build

        return register
