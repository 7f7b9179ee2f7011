"""`Element` and `Instance`: classes whose members are elements of a data set.

    @Instance(DicomClassType.StudyRootQueryStudy, DicomUidType.StudyRootQueryFind)
    class StudyQuery:
        PatientID = Element(DicomTag.PatientID, str)
        StudyDate = Element(DicomTag.StudyDate, DicomDateRangeValue)

`DicomDataSet.Set` and `DicomDataSet.Get` take and give such objects.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from leadtools_compat.dicom._arguments import integer

if TYPE_CHECKING:
    from leadtools_compat.dicom.enums_class import DicomClassType

__all__ = ["Element", "Instance", "elements_of", "instance_of"]

T = TypeVar("T")
C = TypeVar("C", bound=type)

_INSTANCE = "_dicom_instance"


class Element(Generic[T]):
    """A member of a class that stands for an element of a data set.

    Parameters
    ----------
    tag
        Which element.
    T
        The type of its value: str, int, float, bool, bytes, ``datetime``, ``date``, ``time``, the
        value classes of this package, an enum, a class with members like this one (a sequence's
        first item), or ``list[...]`` of one of these. None: as the value representation suggests.

    Notes
    -----
    Stands for the attribute ``[Element(DicomTag.X)]`` of .NET. On an object the member is the
    value, None until it is set.
    """

    __slots__ = ("Tag", "_name", "kind")

    def __init__(self, tag: int, T: type[T] | None = None) -> None:
        self.Tag = integer(tag, "tag", 0, 0xFFFFFFFF)
        self.kind: Any = T
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, owner: None, kind: type) -> Element[T]: ...

    @overload
    def __get__(self, owner: object, kind: type) -> T | None: ...

    def __get__(self, owner: object | None, kind: type) -> Element[T] | T | None:
        if owner is None:
            return self
        value: T | None = owner.__dict__.get(self._name)
        return value

    def __set__(self, owner: object, value: T | None) -> None:
        owner.__dict__[self._name] = value

    def __repr__(self) -> str:
        kind = "" if self.kind is None else f", {getattr(self.kind, '__name__', self.kind)}"
        return f"Element({self.Tag:#010x}{kind})"


def Instance(classType: DicomClassType | int, uid: str = "") -> Callable[[C], C]:
    """Say of a class what kind of data set its objects are; a class decorator.

    Parameters
    ----------
    classType
        The kind.
    uid
        The SOP class that it is sent with; "": that of the kind.

    Notes
    -----
    Stands for the attribute ``[Instance(DicomClassType.X, uid)]`` of .NET.
    """

    from leadtools_compat.dicom.enums_class import DicomClassType

    def decorate(cls: C) -> C:
        setattr(cls, _INSTANCE, (DicomClassType(classType), uid))
        return cls

    return decorate


def instance_of(cls: type) -> tuple[DicomClassType, str]:
    """Tell what `Instance` has said of a class: the kind and the SOP class, ``Undefined`` and ""."""
    from leadtools_compat.dicom.enums_class import DicomClassType

    kind, uid = getattr(cls, _INSTANCE, (DicomClassType.Undefined, ""))
    if not uid and kind != DicomClassType.Undefined:
        from leadtools_compat.dicom._class_uids import CLASS_UIDS

        uid = CLASS_UIDS.get(int(kind), "")
    return kind, uid


def elements_of(cls: type) -> dict[str, Element[Any]]:
    """List the members that are elements, those of base classes first."""
    found: dict[str, Element[Any]] = {}
    for one in reversed(cls.__mro__):
        for name, value in vars(one).items():
            if isinstance(value, Element):
                found[name] = value
            else:
                found.pop(name, None)
    return found
