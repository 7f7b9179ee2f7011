"""Settings with a misspelt name: refused, not kept as an attribute that nobody looks at.

The one rule: a program's own attributes stay its own. Refused is only what is nearly a setting, and
neither declared by a class nor there already. Settings are written in words with underscores; names
written as in C# (`serverName`, `SendTimeout`) are a ported program's own, unless they would leave a
peer unchecked.
"""

from __future__ import annotations

from functools import lru_cache

__all__ = ["NetMisspelt"]

_NEAR = 0.87
"""As difflib counts: a letter or two of ten, or another way to write the words."""


_DEMANDS = ("expected_", "crl_", "ocsp_check", "tls_purpose_check", "tls_refuse_unknown_names")
"""What is asked of a peer: these are looked for in every way of writing."""


class NetMisspelt:
    """The part of `DicomNet` that looks at names which are set."""

    def __setattr__(self, name: str, value: object) -> None:
        """Set an attribute.

        Raises
        ------
        AttributeError
            For a name that is nearly one of a setting, as ``expected_hst``: it would change nothing.
            A class that means it declares the name in its body.
        """
        if name not in self.__dict__ and not name.startswith("_") and not hasattr(type(self), name):
            near = _near(type(self), name)  # type: ignore[arg-type] # classes can be hashed
            if near is not None:
                raise AttributeError(
                    f"{type(self).__name__} has no setting {name!r}; did you mean {near}? "
                    "If it is an attribute of your own, declare it in the class",
                    name=name,
                    obj=self,
                )
        super().__setattr__(name, value)


@lru_cache(maxsize=1024)
def _near(kind: type, name: str) -> str | None:
    """Find the setting that a name is nearly; None: it is something else."""
    from difflib import get_close_matches
    from inspect import get_annotations

    declared = any(name in get_annotations(base) for base in kind.__mro__)
    if declared:
        return None
    settings = {
        one.replace("_", "").lower(): one
        for base in kind.__mro__
        for one, what in base.__dict__.items()
        if isinstance(what, property) and what.fset is not None
    }
    plain = name.replace("_", "").lower()
    if "_" not in name or name != name.lower():
        right = settings.get(plain, "")
        return right if right.startswith(_DEMANDS) else None
    found = get_close_matches(plain, settings, n=1, cutoff=_NEAR)
    return settings[found[0]] if found else None
