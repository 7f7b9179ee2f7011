"""Events: ``obj.Event += handler``, as in .NET.

An event is a descriptor on the class; its handlers are kept in the private state of the object.
One rule: handlers run in the order added, on the thread that raises the event, and what one of
them raises is not swallowed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Event", "EventHandlers", "events_of"]

EVENTS = "_DicomConnection__events"
"""Where an object keeps the handlers of all its events."""

A = TypeVar("A")


class EventHandlers(Generic[A]):
    """The handlers of one event of one object; each is called with (sender, e)."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._handlers: tuple[Callable[[Any, A], object], ...] = ()

    def __iadd__(self, handler: Callable[[Any, A], object]) -> Self:
        if not callable(handler):
            raise TypeError(f"a handler of {self._name} must be callable, not {handler!r}")
        with self._lock:
            self._handlers = (*self._handlers, handler)
        return self

    def __isub__(self, handler: Callable[[Any, A], object]) -> Self:
        """Take off the handler added last, of those that are equal; none is fine, as in .NET."""
        with self._lock:
            handlers = list(self._handlers)
            for index in reversed(range(len(handlers))):
                if handlers[index] == handler:
                    del handlers[index]
                    break
            self._handlers = tuple(handlers)
        return self

    def __call__(self, sender: Any, e: A) -> None:
        """Raise the event."""
        for handler in self._handlers:
            handler(sender, e)

    def __iter__(self) -> Iterator[Callable[[Any, A], object]]:
        return iter(self._handlers)

    def __len__(self) -> int:
        return len(self._handlers)

    def __repr__(self) -> str:
        return f"<event {self._name}, {len(self._handlers)} handlers>"


def events_of(owner: Any) -> dict[str, EventHandlers[Any]]:
    """Find the handlers of an object, before its constructor has run too."""
    events: dict[str, EventHandlers[Any]] = owner.__dict__.setdefault(EVENTS, {})
    return events


class Event(Generic[A]):
    """An event of a class (ours to declare; .NET has a keyword for it).

    A port declares its own events so: ``Progress = Event[ProgressEventArgs]()`` in the class body,
    ``self.Progress(self, ProgressEventArgs(...))`` to raise it.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> EventHandlers[A]: ...
    def __get__(self, instance: object | None, owner: type) -> Self | EventHandlers[A]:
        if instance is None:
            return self
        # setdefault is atomic: two threads get the same handlers.
        return events_of(instance).setdefault(self._name, EventHandlers(self._name))

    def __set__(self, instance: object, value: EventHandlers[A]) -> None:
        if value is not self.__get__(instance, type(instance)):
            raise TypeError(f"{self._name} is an event: use += or -=")
