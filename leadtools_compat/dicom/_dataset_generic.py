"""`DicomDataSet`: values by type, and objects of classes whose members are elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

from leadtools_compat.dicom import _dataset_objects as objects
from leadtools_compat.dicom._data_set_state import state_of
from leadtools_compat.dicom._dataset_access import check_tag
from leadtools_compat.dicom.dicom_element import DicomElement
from leadtools_compat.dicom.element_attributes import elements_of

__all__ = ["BeforeAddTagDelegate", "DataSetGeneric"]

V = TypeVar("V")

BeforeAddTagDelegate = Callable[[int], bool]
"""Called with each tag before it is added; False leaves it out."""


def _find(data: Any, where: int | DicomElement | None) -> DicomElement | None:
    if where is None or isinstance(where, DicomElement):
        return where
    found: DicomElement | None = data.FindFirstElement(None, check_tag(where), True)
    return found


def _get_value(
    data: Any, where: int | DicomElement | None, default: Any, converter: Any, kind: Any
) -> Any:
    with state_of(data):
        element = _find(data, where)
        if element is None:
            return default
        if converter is not None:
            text = data.GetStringValue(element, 0)
            return default if not text else converter(text)
        if kind is None and default is not None:
            kind = type(default)
        value = objects.read(data, element, kind)
        return default if value is None or value == [] else value


class GetValueOf(Generic[V]):
    """``GetValue[T]``: what it gives is a `T`."""

    __slots__ = ("_data", "_kind")

    def __init__(self, data: Any, kind: Any) -> None:
        self._data = data
        self._kind = kind

    def __call__(
        self,
        tag: int | DicomElement | None,
        default: V | None = None,
        converter: Callable[[str], V] | None = None,
    ) -> V:
        value: V = _get_value(self._data, tag, default, converter, self._kind)
        return value


class GetValueMethod:
    """``GetValue``: with a type in brackets, as ``T=``, or with the type of the default."""

    __slots__ = ("_data",)

    def __init__(self, data: Any) -> None:
        self._data = data

    def __getitem__(self, kind: type[V]) -> GetValueOf[V]:
        return GetValueOf(self._data, kind)

    @overload
    def __call__(
        self,
        tag: int | DicomElement | None,
        default: V,
        converter: Callable[[str], V] | None = None,
        *,
        T: type[V] | None = None,
    ) -> V: ...

    @overload
    def __call__(
        self,
        tag: int | DicomElement | None,
        default: None = None,
        converter: Callable[[str], V] | None = None,
        *,
        T: type[V] | None = None,
    ) -> V | None: ...

    def __call__(
        self, tag: Any, default: Any = None, converter: Any = None, *, T: Any = None
    ) -> Any:
        return _get_value(self._data, tag, default, converter, T)


class GetMethod:
    """``Get``: with a class in brackets or as ``T=``."""

    __slots__ = ("_data",)

    def __init__(self, data: Any) -> None:
        self._data = data

    def __getitem__(self, kind: type[V]) -> Callable[[], V]:
        return lambda: self(T=kind)

    def __call__(self, T: type[V]) -> V:
        if not elements_of(T):
            raise TypeError(f"{T.__name__} has no members made with Element")
        with state_of(self._data):
            made: V = objects.get_object(self._data, None, T)
            return made


class DataSetGeneric:
    """Members whose values have the type that the program asks for."""

    @property
    def GetValue(self) -> GetValueMethod:
        """Get an element's first value as a type.

        ``GetValue[str](tag, default)``, ``GetValue(tag, default, T=str)``, or with the type of the
        default. The first argument is a tag of the top level or an element; `converter`, if there
        is one, is given the text and makes the value.

        Returns
        -------
        object
            The default if the element is absent or empty.

        Raises
        ------
        DicomException
            ``ValueInvalid``: the value is none of the type.

        Notes
        -----
        Mirrors ``GetValue<T>`` of ``Leadtools.Dicom``.
        """
        return GetValueMethod(self)

    def SetValue(self, element: DicomElement | int, value: Any) -> None:
        """Set a value; its type decides how.

        Parameters
        ----------
        element
            An element, or a tag of the top level, which has to be there.
        value
            Text, number, date, time, bytes, an enum's member, a list of these; for a sequence an
            object with `Element` members, a data set, or a list of them. None: no value.

        Raises
        ------
        DicomException
            ``ElementNotFound``: there is no element with that tag; see
            `InsertElementAndSetValue`. ``ValueInvalid``: the value does not fit.

        Notes
        -----
        Mirrors ``SetValue`` of ``Leadtools.Dicom``.
        """
        from leadtools_compat.dicom._dataset_tree import tag_text
        from leadtools_compat.dicom.dicom_exception import DicomException
        from leadtools_compat.dicom.enums_codes import DicomExceptionCode

        data: Any = self
        with state_of(self):
            found = _find(data, element)
            if found is None:
                where = tag_text(element) if isinstance(element, int) else "None"
                raise DicomException(
                    DicomExceptionCode.ElementNotFound,
                    f"{where} is not in the data set; use InsertElementAndSetValue",
                )
            objects.put_object(data, found, value)

    def InsertElementAndSetValue(self, *arguments: Any, **named: Any) -> DicomElement:
        """Insert an element if it is not there, and set its value.

        ``InsertElementAndSetValue(tag, value)`` at the top level,
        ``InsertElementAndSetValue(item, child, tag, value)`` as `InsertElement` does. The value is
        one that `SetValue` takes.

        Returns
        -------
        DicomElement
            The element.

        Notes
        -----
        Mirrors ``InsertElementAndSetValue`` of ``Leadtools.Dicom``.
        """
        names = (
            ("tag", "value")
            if len(arguments) + len(named) == 2
            else ("item", "child", "tag", "value")
        )
        given = dict(zip(names, arguments, strict=False))
        if len(arguments) > len(names) or set(given) & set(named) or {*given, *named} != set(names):
            raise TypeError(
                "InsertElementAndSetValue takes (tag, value) or (item, child, tag, value)"
            )
        given.update(named)
        data: Any = self
        with state_of(self) as state:
            item: DicomElement | None = given.get("item")
            known = len(state.tree().tags(state.tree().root)) if item is None else -1
            element: DicomElement = data.InsertElement(item, bool(given.get("child")), given["tag"])
            try:
                objects.put_object(data, element, given["value"])
            except Exception:
                if known >= 0 and len(state.tree().tags(state.tree().root)) > known:
                    data.DeleteElement(element)  # as it was before
                raise
            return element

    def Set(self, *arguments: Any) -> None:
        """Set the elements that an object has `Element` members for.

        ``Set(value)`` or ``Set(before, value)``: `before` is called with each tag and leaves it out
        by answering False. A member that is None becomes an empty element: a return key of a query.

        Notes
        -----
        Mirrors ``Set`` of ``Leadtools.Dicom``.
        """
        if len(arguments) not in (1, 2):
            raise TypeError("Set takes (value) or (before, value)")
        *before, value = arguments
        if not elements_of(type(value)):
            raise TypeError(f"{type(value).__name__} has no members made with Element")
        data: Any = self
        with state_of(self):
            objects.fill(data, None, value, before[0] if before else None)

    @property
    def Get(self) -> GetMethod:
        """Make an object of a class with `Element` members: ``Get[Class]()`` or ``Get(T=Class)``.

        Notes
        -----
        Mirrors ``Get<T>`` of ``Leadtools.Dicom``.
        """
        return GetMethod(self)
