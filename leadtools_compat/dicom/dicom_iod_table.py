"""`DicomIodTable`: classes, their modules, and the elements of those."""

from __future__ import annotations

from typing import Any, ClassVar

from leadtools_compat.dicom._table import Instance
from leadtools_compat.dicom.enums_class import DicomClassType
from leadtools_compat.dicom.enums_module import DicomIodType, DicomIodUsageType, DicomModuleType

__all__ = ["DicomIod", "DicomIodTable"]


class DicomIod:
    """A node of `DicomIodTable`: a class, a module of it, or an element.

    Attributes
    ----------
    Type
        Which of the three.
    Name
        Its name.
    ClassCode
        The class that it is below, or is.
    ModuleCode
        The module that it is below, or is; None for a class and for elements of a query.
    TagCode
        The tag of an element; else 0.
    Usage
        Whether it has to be there.
    Description
        A few words.

    Notes
    -----
    Mirrors ``Leadtools.Dicom.DicomIod``.
    """

    __slots__ = (
        "ClassCode",
        "Description",
        "ModuleCode",
        "Name",
        "TagCode",
        "Type",
        "Usage",
        "_children",
        "_parent",
    )

    def __init__(
        self,
        type: DicomIodType,
        name: str,
        classCode: DicomClassType,
        moduleCode: DicomModuleType | None,
        tagCode: int,
        usage: DicomIodUsageType,
        parent: DicomIod | None,
    ) -> None:
        self.Type = type
        self.Name = name
        self.ClassCode = classCode
        self.ModuleCode = moduleCode
        self.TagCode = tagCode
        self.Usage = usage
        self.Description = f"{type} {name}" if parent is None else f"{type} {name} of {parent.Name}"
        self._parent = parent
        self._children: list[DicomIod] = []

    def __repr__(self) -> str:
        return f"<DicomIod {self.Description}>"


def _add(parent: DicomIod, lines: Any, module: DicomModuleType | None) -> None:
    from leadtools_compat.dicom._tag_rows import tag_of_keyword

    for line in lines:
        usage = DicomIodUsageType.Optional if line.optional else DicomIodUsageType.Mandatory
        tag = tag_of_keyword(line.keyword) or 0
        made = DicomIod(
            DicomIodType.Element, line.keyword, parent.ClassCode, module, tag, usage, parent
        )
        parent._children.append(made)
        _add(made, line.below, module)


def _built() -> list[DicomIod]:
    from leadtools_compat.dicom import _dataset_templates as templates

    found = []
    for kind in DicomClassType:
        if kind == DicomClassType.Undefined:
            continue
        top = DicomIod(
            DicomIodType.Class, str(kind), kind, None, 0, DicomIodUsageType.Mandatory, None
        )
        modules = templates.modules_of(kind)
        for one in modules:
            below = DicomIod(
                DicomIodType.Module, str(one), kind, one, 0, DicomIodUsageType.Mandatory, top
            )
            top._children.append(below)
            _add(below, templates._parsed(templates.MODULES[one]), one)
        if not modules:
            _add(top, templates.template_of(kind), None)
        found.append(top)
    return found


class DicomIodTable:
    """The classes that `DicomDataSet.Initialize` knows, as a tree; use `Instance`.

    Below a storage class are its modules and below those their elements; below other classes are
    the elements. Only what has to be there is in it (types 1 and 2), and the keys of queries.
    ``tree`` True is one level, False the whole table as one list.

    Attributes
    ----------
    Instance
        The one table.

    Notes
    -----
    Mirrors ``Leadtools.Dicom.DicomIodTable``.
    """

    Instance: ClassVar[Instance[DicomIodTable]] = Instance()

    def __init__(self) -> None:
        self._made: list[DicomIod] | None = None

    @property
    def _top(self) -> list[DicomIod]:
        if self._made is None:
            self._made = _built()
        return self._made

    def FindClass(self, classCode: DicomClassType | int) -> DicomIod | None:
        """Find a class; None: it is not in the table."""
        return next((one for one in self._top if one.ClassCode == classCode), None)

    def FindModule(
        self, classCode: DicomClassType | int, moduleCode: DicomModuleType | int
    ) -> DicomIod | None:
        """Find a module of a class; None: the class has no such one."""
        top = self.FindClass(classCode)
        below = [] if top is None else top._children
        return next((one for one in below if one.ModuleCode == moduleCode), None)

    def Find(self, iod: DicomIod | None, tag: int, tree: bool = False) -> DicomIod | None:
        """Find the first element with a tag below `iod`; None as `iod`: in the whole table.

        With `tree` True only the children of `iod` are looked at.
        """
        nodes = self._top if iod is None else iod._children
        for one in nodes:
            if one.Type == DicomIodType.Element and one.TagCode == tag:
                return one
            found = None if tree else self.Find(one, tag)
            if found is not None:
                return found
        return None

    def _level(self, iod: DicomIod | None) -> list[DicomIod]:
        return self._top if iod is None or iod._parent is None else iod._parent._children

    def GetFirst(self, iod: DicomIod | None, tree: bool) -> DicomIod | None:
        """Get the first node of the level of `iod`, or of the table."""
        level = self._level(iod) if tree else self._top
        return level[0] if level else None

    def GetLast(self, iod: DicomIod | None, tree: bool) -> DicomIod | None:
        """Get the last node of the level of `iod`, or of the table."""
        level = self._level(iod) if tree else self._top
        last = level[-1] if level else None
        while last is not None and not tree and last._children:
            last = last._children[-1]
        return last

    def GetNext(self, iod: DicomIod, tree: bool) -> DicomIod | None:
        """Get the node after another one; None: there is none."""
        if not tree and iod._children:
            return iod._children[0]
        node: DicomIod | None = iod
        while node is not None:
            level = self._level(node)
            place = level.index(node) + 1
            if place < len(level):
                return level[place]
            if tree:
                return None
            node = node._parent
        return None

    def GetPrevious(self, iod: DicomIod, tree: bool) -> DicomIod | None:
        """Get the node before another one; None: there is none."""
        level = self._level(iod)
        place = level.index(iod)
        if place == 0:
            return None if tree else iod._parent
        found = level[place - 1]
        while not tree and found._children:
            found = found._children[-1]
        return found

    def GetChild(self, iod: DicomIod) -> DicomIod | None:
        """Get the first node below another one; None: there is none."""
        return iod._children[0] if iod._children else None

    def GetParent(self, iod: DicomIod) -> DicomIod | None:
        """Get the node above another one; None: it is a class."""
        return iod._parent

    def GetRoot(self, iod: DicomIod) -> DicomIod:
        """Get the class that a node is below, or is."""
        while iod._parent is not None:
            iod = iod._parent
        return iod

    def GetCount(self, iod: DicomIod | None = None) -> int:
        """How many nodes are below one; None: how many classes there are."""
        return len(self._top if iod is None else iod._children)

    def Exists(self, iod: DicomIod) -> bool:
        """Tell whether a node is in the table."""
        return self.GetRoot(iod) in self._top
