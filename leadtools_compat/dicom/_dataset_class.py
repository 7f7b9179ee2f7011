"""`DicomDataSet`: what kind of data set it is, and its modules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leadtools_compat._binding.errors import parameter_error
from leadtools_compat.dicom import _data_set_codec as codec
from leadtools_compat.dicom._arguments import flags as check_flags
from leadtools_compat.dicom._arguments import integer, member
from leadtools_compat.dicom._data_set_state import state_of
from leadtools_compat.dicom.enums_dataset import (
    DicomDataSetFlags,
    DicomDataSetInitializeFlags,
    DicomDataSetInitializeType,
)
from leadtools_compat.dicom.enums_dimse import DicomCommandType

if TYPE_CHECKING:
    from leadtools_compat.dicom._dataset_templates import Line
    from leadtools_compat.dicom.dicom_element import DicomElement
    from leadtools_compat.dicom.dicom_module import DicomModule
    from leadtools_compat.dicom.enums_class import DicomClassType
    from leadtools_compat.dicom.enums_module import DicomModuleType

__all__ = ["DataSetClass"]

Flags = DicomDataSetInitializeFlags

_TYPES = (codec.EXPLICIT, codec.IMPLICIT, codec.BIG)
_EXCLUSIVE = (
    Flags.LittleEndian | Flags.BigEndian,
    Flags.ImplicitVR | Flags.ExplicitVR,
    Flags.ImplicitVR | Flags.BigEndian,
)


def _syntax(flags: Any) -> tuple[str, bool]:
    """Find the syntax, and whether only what is mandatory is wanted."""
    if isinstance(flags, DicomDataSetInitializeType):
        return _TYPES[member(flags, "type", DicomDataSetInitializeType)], False
    number = check_flags(flags, "flags", Flags)
    for pair in _EXCLUSIVE:
        if number & pair == pair:
            raise parameter_error(f"flags has {pair}, which exclude each other")
    syntax = codec.EXPLICIT
    if number & Flags.BigEndian:
        syntax = codec.BIG
    elif number & Flags.ImplicitVR:
        syntax = codec.IMPLICIT
    return syntax, bool(number & Flags.AddMandatoryElementsOnly)


def _add(data: Any, item: DicomElement | None, lines: tuple[Line, ...], mandatory: bool) -> None:
    from leadtools_compat.dicom._tag_rows import tag_of_keyword

    for line in lines:
        if mandatory and line.optional:
            continue
        tag = tag_of_keyword(line.keyword)
        assert tag is not None, line.keyword
        element = data.InsertElement(item, item is not None, tag)
        if line.value:
            data.SetConvertValue(element, line.value, 1)
        if line.below and data.GetElementValueCount(element) == 0:
            _add(data, data.InsertElement(element, True, 0xFFFEE000), line.below, mandatory)


class DataSetClass:
    """Members about the class of a data set."""

    def Initialize(
        self,
        classType: DicomClassType | int,
        flags: DicomDataSetInitializeFlags | DicomDataSetInitializeType | int = Flags.None_,
    ) -> None:
        """Empty it and create the elements that its class has, empty.

        Parameters
        ----------
        classType
            The class. Of a query all elements are return keys, and the level is set; of a storage
            class the SOP class is set; ``Undefined`` creates nothing.
        flags
            Transfer syntax and extent; or a `DicomDataSetInitializeType`. 0 is explicit VR little
            endian, all elements.

        Raises
        ------
        DicomException
            ``Parameter``: a class or flags that do not exist. Nothing has changed then.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.Initialize``.
        """
        from leadtools_compat.dicom._class_uids import CLASS_UIDS
        from leadtools_compat.dicom._dataset_templates import template_of
        from leadtools_compat.dicom.enums_class import DicomClassType

        kind = DicomClassType(classType)
        if kind not in DicomClassType:
            raise parameter_error(f"classType is {int(kind)}, which is no DicomClassType")
        syntax, mandatory = _syntax(flags)
        data: Any = self
        with state_of(self) as state:
            state.start(syntax)
            lines = template_of(kind)
            _add(data, None, lines, mandatory)
            if any(line.keyword == "SOPClassUID" and not line.optional for line in lines):
                sop_class = data.FindFirstElement(None, 0x00080016, True)
                if int(kind) < int(DicomClassType.BasicDirectory):
                    data.SetStringValue(sop_class, CLASS_UIDS[int(kind)])
            state.kind = int(kind)

    @property
    def InformationClass(self) -> DicomClassType:
        """The class: as `Initialize` has made it, or from the SOP class; ``Undefined`` else.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.InformationClass``.
        """
        from leadtools_compat.dicom._class_uids import CLASS_UIDS
        from leadtools_compat.dicom.enums_class import DicomClassType

        data: Any = self
        with state_of(self) as state:
            if state.kind:
                return DicomClassType(state.kind)
            for tag in (0x00080016, 0x00020002):
                element = data.FindFirstElement(None, tag, True)
                uid = None if element is None else data.GetStringValue(element, 0)
                for number, known in CLASS_UIDS.items():
                    if uid == known:
                        return DicomClassType(number)
            if data.FindFirstElement(None, 0x00041220, True) is not None:
                return DicomClassType.BasicDirectory
            return DicomClassType.Undefined

    @property
    def InformationFlags(self) -> DicomDataSetFlags:
        """Byte order and VR form of its transfer syntax, and whether it had a group 0002.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.InformationFlags``.
        """
        with state_of(self) as state:
            syntax = state.syntax()
            form = {
                "": DicomDataSetFlags.None_,
                codec.IMPLICIT: DicomDataSetFlags.LittleEndian | DicomDataSetFlags.ImplicitVR,
                codec.BIG: DicomDataSetFlags.BigEndian | DicomDataSetFlags.ExplicitVR,
            }.get(syntax, DicomDataSetFlags.LittleEndian | DicomDataSetFlags.ExplicitVR)
            meta = DicomDataSetFlags
            return form | (meta.MetaHeaderPresent if state.head else meta.MetaHeaderAbsent)

    @property
    def InformationCommand(self) -> DicomCommandType:
        """The command, if it is a command set; ``Undefined`` else.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.InformationCommand``.
        """
        data: Any = self
        with state_of(self):
            element = data.FindFirstElement(None, 0x00000100, True)
            numbers = [] if element is None else data.GetIntValue(element)
            return DicomCommandType(numbers[0] if numbers else 0)

    # ---- modules ----

    def _modules(self) -> list[DicomModuleType]:
        from leadtools_compat.dicom._dataset_templates import modules_of

        return list(modules_of(self.InformationClass))

    @property
    def ModuleCount(self) -> int:
        """How many modules of its class are there, with at least one element.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.ModuleCount``.
        """
        with state_of(self):
            return sum(self.FindModule(one) is not None for one in self._modules())

    def FindModule(self, type: DicomModuleType | int) -> DicomModule | None:
        """Find a module and its elements; None: it has none of them.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.FindModule``.
        """
        from leadtools_compat.dicom.dicom_module import DicomModule, module_tags
        from leadtools_compat.dicom.enums_module import DicomModuleType

        kind = DicomModuleType(member(type, "type", DicomModuleType))
        data: Any = self
        with state_of(self):
            found = [data.FindFirstElement(None, tag, True) for tag in module_tags(kind)]
            elements = [one for one in found if one is not None]
            return DicomModule(kind, elements) if elements else None

    def FindModuleByIndex(self, index: int) -> DicomModule | None:
        """Find a module of its class by its place, from 0; None past the last one.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.FindModuleByIndex``.
        """
        place = integer(index, "index", 0, 2**31 - 1)
        with state_of(self):
            found = [self.FindModule(one) for one in self._modules()]
            present = [one for one in found if one is not None]
            return present[place] if place < len(present) else None

    def InsertModule(self, type: DicomModuleType | int, optional: bool = False) -> DicomModule:
        """Insert the elements of a module that are missing, empty.

        Parameters
        ----------
        type
            Which.
        optional
            Accepted; optional elements are not known here.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.InsertModule``.
        """
        from leadtools_compat.dicom.dicom_module import module_tags
        from leadtools_compat.dicom.enums_module import DicomModuleType

        kind = DicomModuleType(member(type, "type", DicomModuleType))
        data: Any = self
        with state_of(self):
            for tag in module_tags(kind):
                data.InsertElement(None, False, tag)
            found = self.FindModule(kind)
            assert found is not None
            return found

    def DeleteModule(self, type: DicomModuleType | int) -> None:
        """Delete the elements of a module.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomDataSet.DeleteModule``.
        """
        data: Any = self
        with state_of(self):
            module = self.FindModule(type)
            for element in () if module is None else module.Elements:
                data.DeleteElement(element)
