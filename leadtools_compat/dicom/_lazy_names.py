"""A metaclass for classes of thousands of constants: each is looked up when it is asked for.

One rule: importing the class costs nothing. What a program uses becomes an attribute of the class.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = ["LazyNames"]


class LazyNames(type):
    """A class whose `_look_up` finds the constants that it has no attribute for."""

    def _look_up(cls, name: str) -> Any:
        """Give the constant; None: there is none of this name."""
        raise NotImplementedError

    def _all_names(cls) -> list[str]:
        raise NotImplementedError

    def _constant(cls, name: str) -> Any:
        if name.startswith("_"):  # not worth loading a dictionary
            raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")
        found = cls._look_up(name)
        if found is None:
            raise AttributeError(
                f"{cls.__name__} has no constant {name!r}{_suggestion(name, cls._all_names())}"
            )
        setattr(cls, name, found)
        return found

    if not TYPE_CHECKING:  # the stubs know every name, so a wrong one is seen by type checkers
        __getattr__ = _constant

    def __dir__(cls) -> list[str]:
        return sorted({*super().__dir__(), *cls._all_names()})


def _suggestion(name: str, names: list[str]) -> str:
    import difflib

    lower = {one.lower(): one for one in names}
    close = difflib.get_close_matches(name.lower(), lower, 1, 0.8)
    return f"; do you mean {lower[close[0]]}?" if close else ""
