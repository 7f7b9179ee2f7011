"""Who owns a C net, and how C's user pointer finds its Python object.

The user pointer is a number that is never used twice, and ``_lives`` is the one table from it to
the object. The usual way, ``ffi.new_handle`` and ``ffi.from_handle``, is not taken on purpose:
``from_handle`` of a handle that is gone ends the *process*, and a net can be freed while a worker
is on its way into a callback. A number that is gone is just not found, and the caller refuses.

The table holds a `Life`, which has a weak reference to the object and nothing else that could lead
to it (no exception, no child): neither the table nor the finaliser keeps a net alive. Single
operations on a dict are atomic; the table is never iterated but through a copy.

A net is freed once, by whoever takes the finaliser first: ``Dispose``, the collector, or the end of
the interpreter. A forked child frees nothing: the connections are the parent's.
"""

from __future__ import annotations

import itertools
import os
import warnings
import weakref
from typing import Any

from leadtools_compat._binding import ffi, lib

__all__ = [
    "STATE",
    "Life",
    "all_lives",
    "begin",
    "end",
    "ended",
    "life_of",
    "number_of",
    "user_pointer",
]

STATE = "_DicomNet__state"
"""Where a `DicomNet` keeps all that is the library's."""

_numbers = itertools.count(1)
_UINTPTR = ffi.typeof("uintptr_t")
_lives: dict[int, Life] = {}


class Life:
    """What outlives the Python object of a net."""

    __slots__ = ("finalizer", "handle", "kind", "listening", "number", "owner", "pid")

    def __init__(self, owner: Any, handle: Any) -> None:
        self.owner: weakref.ref[Any] = weakref.ref(owner)
        self.kind = type(owner).__name__
        self.handle = handle
        self.number = next(_numbers)
        self.pid = os.getpid()
        self.listening = False
        self.finalizer: weakref.finalize[Any, Any] | None = None


def begin(owner: Any, handle: Any) -> Life:
    """Tie a new C net to its Python object."""
    life = Life(owner, handle)
    finalizer = weakref.finalize(owner, _collected, life.number)
    finalizer.atexit = False  # the end of the interpreter has an order of its own: callbacks.py
    life.finalizer = finalizer
    _lives[life.number] = life
    return life


def end(life: Life) -> bool:
    """Free the C net. False: somebody else has done so, or the net is another process's."""
    if life.finalizer is not None:
        life.finalizer.detach()
    if _lives.pop(life.number, None) is None:
        return False
    if life.pid != os.getpid():
        return False
    lib.L_DicomFreeNet(life.handle)
    return True


def _collected(number: int) -> None:
    """Free the net of an object that nobody refers to any more; say so if it was open."""
    life = _lives.get(number)
    if life is None:
        return
    still_open = life.pid == os.getpid() and (life.listening or lib.L_DicomIsConnected(life.handle))
    end(life)
    if still_open:
        warnings.warn(
            f"a {life.kind} was {'listening' if life.listening else 'connected'} when its last "
            "reference went: keep it, and end it with Dispose() or a with statement",
            ResourceWarning,
            stacklevel=2,
        )


def user_pointer(life: Life) -> Any:
    """Give the value for C's ``pUserData``."""
    return ffi.cast("void *", life.number)


def life_of(user: Any) -> Life | None:
    """Find the life of a user pointer; None when it has ended."""
    return _lives.get(int(ffi.cast(_UINTPTR, user)))


def ended(life: Life) -> bool:
    """Tell whether the net has been given up."""
    return life.number not in _lives


def number_of(handle: Any) -> int:
    """Turn a C handle into a key; 0 for NULL."""
    return int(ffi.cast(_UINTPTR, handle))


def all_lives() -> list[Life]:
    """List the nets that are not freed."""
    return list(_lives.values())
