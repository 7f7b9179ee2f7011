"""What a `DicomDataSet` keeps for itself: C's data set, and the pydicom one if somebody asked for it.

One rule: C's bytes are what counts until somebody has changed the elements. The members of
`DicomDataSet` say so when they change one (`DataSetState.touch`); once the pydicom data set is in
the user's hands, it is found out by comparing, when the bytes are needed (`DataSetState.settled`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any

from leadtools_compat._binding.datasets import DataSet
from leadtools_compat._binding.text import StrPath
from leadtools_compat.dicom import _data_set_codec as codec
from leadtools_compat.dicom._data_set_head import Head, header
from leadtools_compat.dicom._data_set_records import Records, is_directory
from leadtools_compat.dicom._dataset_tree import Tree
from leadtools_compat.dicom.dicom_exception import DicomException
from leadtools_compat.dicom.enums_codes import DicomExceptionCode

if TYPE_CHECKING:
    from pydicom.dataset import Dataset
    from typing_extensions import Self

__all__ = ["STATE", "DataSetState", "state_of", "state_of_argument"]

STATE = "_DicomDataSet__state"


class DataSetState:
    """The private state of one data set; entered, it is this thread's alone and not disposed."""

    __slots__ = (
        "_bytes_known",
        "_dirty",
        "_elements",
        "_exposed",
        "_lock",
        "_read_as",
        "_tree",
        "data",
        "disposed",
        "folder",
        "head",
        "headless",
        "kind",
        "records",
    )

    def __init__(self, data: DataSet, folder: StrPath | None) -> None:
        self.data = data
        self.folder = folder
        self.disposed = False
        self._lock = threading.RLock()
        self._elements: Dataset | None = None
        self._bytes_known = True
        """Whether C has bytes that the elements can be compared with."""
        self._read_as = ""
        """The syntax in whose byte order the elements keep their unread values."""
        self._dirty = False
        """Whether a member of DicomDataSet has changed an element since the bytes were made."""
        self._exposed = False
        """Whether the user has the pydicom data set and may change it behind our back."""
        self._tree: Tree | None = None
        self.head: Head = Head()
        """Group 0002 of the file, or where to find it."""
        self.headless = True
        """Whether `file_meta` is there for pydicom only."""
        self.kind = 0
        """The `DicomClassType` that `Initialize` was called with."""
        self.records: Records | None = None
        """The tree of directory records, once somebody has asked for it."""

    def __enter__(self) -> Self:
        self._lock.acquire()
        if self.disposed:
            self._lock.release()
            raise DicomException(
                DicomExceptionCode.ObjectDisposed,
                "The DicomDataSet has been disposed; make a new one",
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._lock.release()

    def untouched(self) -> DataSet | None:
        """Get C's data set if nobody has asked for its elements; else None, and look closer."""
        return self.data if self._elements is None and not self.disposed else None

    # ---- the lock is held in all that follows, but in dispose ----

    def dispose(self) -> None:
        with self._lock:
            self.disposed = True
            self.forget(DicomExceptionCode.ObjectDisposed)
            self.data.free()

    def forget(self, why: DicomExceptionCode = DicomExceptionCode.ElementNotFound) -> None:
        """Let go of the elements; `why` is what the users' `DicomElement`s say from now on."""
        if self._tree is not None:
            self._tree.end(why)
        self._tree = None
        self._elements = None
        self._bytes_known = True
        self._read_as = ""
        self._dirty = self._exposed = False
        self.head = Head()
        self.headless = True
        self.kind = 0
        self.records = None

    def start(self, syntax: str) -> None:
        """Become an empty data set with a transfer syntax."""
        self.data.reset()
        self.forget()
        self._elements = codec.empty(syntax)
        self._bytes_known = False
        self._read_as = syntax

    def take(self, data: DataSet, head: Head | None = None) -> None:
        """Have other content."""
        self.data.free()
        self.data = data
        self.forget()
        if head is not None:
            self.head = head
            self.headless = not head

    def _parse(self) -> Dataset:
        with codec.reading(self.data.syntax):
            return codec.parse(self.data.view(), self.data.syntax)

    def _own(self) -> Dataset:
        """Get the elements, parsed now if nobody has asked before."""
        if self._elements is None:
            parsed = self._parse()
            self.head.add_to(parsed)
            self._elements = parsed
            self._read_as = self.data.syntax
        return self._elements

    def elements(self) -> Dataset:
        """Get the elements for the user, who may change what he likes."""
        self._exposed = True
        return self._own()

    def tree(self) -> Tree:
        """Get the elements as the nodes that `DicomElement` stands for."""
        if self._tree is None:
            root = self._own()
            self._tree = Tree(root, self._lock, self.headless)
        self._tree.shared = self._exposed
        form = self.syntax() or codec.EXPLICIT
        if codec.BIG in (form, self._read_as) and form != self._read_as:
            form = codec.EXPLICIT if form == codec.BIG else codec.BIG
        self._tree.syntax = form
        return self._tree

    def directory(self) -> Records:
        """Get the tree of directory records."""
        if self.records is None:
            self.records = Records(self._own(), self.head.length)
        return self.records

    def written_directory(self, syntax: str) -> tuple[DataSet, bytes] | None:
        """Make a data set with right offsets, and its header; None: it is no changed directory."""
        if self._elements is None or not (self._dirty or self._exposed):
            return None
        if not is_directory(self._elements):
            return None
        group: Any = getattr(self._elements, "file_meta", None)
        records = self.directory()
        with self.writing(syntax):
            before = header(self._elements, group, syntax, self.head.preamble())
            content = records.link(self._elements, syntax, self._read_as or syntax, len(before))
        made = DataSet.create(self.folder)
        made.set(content, syntax)
        return made, before

    def touch(self) -> None:
        """Hear that an element has been changed."""
        self._dirty = True

    def adopt_elements(self, elements: Dataset) -> None:
        """Have elements that are not in C yet."""
        self.forget()
        self._elements = elements
        self._bytes_known = False
        self._exposed = True
        self.headless = False
        self._read_as = self.syntax()
        encoding = getattr(elements, "original_encoding", (None, None))
        if encoding[1] is not None:
            implicit, little = encoding
            self._read_as = (
                codec.BIG if not little else codec.IMPLICIT if implicit else codec.EXPLICIT
            )

    def copied_head(self) -> Head:
        """Get group 0002 for a copy."""
        group: Any = getattr(self._elements, "file_meta", None)
        return self.head.copied(group)

    def syntax(self) -> str:
        """The transfer syntax: what the elements' file_meta says goes before what C knows."""
        meta: Any = getattr(self._elements, "file_meta", None)
        named = str(getattr(meta, "TransferSyntaxUID", None) or "")
        return named or (self.data.syntax if self._bytes_known else self._read_as)

    def _changed(self) -> bool:
        if self._elements is None:
            return False
        if not self._bytes_known or self.syntax() != self.data.syntax:
            return True
        return self._dirty or (self._exposed and bool(self._elements != self._parse()))

    def _encoded(self, syntax: str) -> bytes:
        with self.writing(syntax):
            return codec.encode(self._own(), syntax, self._read_as)

    def settled(self, otherwise: str = codec.EXPLICIT) -> DataSet:
        """Get C's data set with the present content; `otherwise`: its syntax if it has none."""
        if self._changed():
            syntax = self.syntax() or otherwise
            self.data.set(self._encoded(syntax), syntax)
            self._bytes_known = True
            self._dirty = False
            if getattr(self._elements, "file_meta", None) is None:
                self._remember(syntax)
        return self.data

    def _remember(self, syntax: str) -> None:
        """Settle the syntax of elements that came without one, without writing into them."""
        self._read_as = self._read_as or syntax

    def converted(self, syntax: str, lossless: bool = False) -> DataSet | None:
        """Make a data set in another syntax; None: that would take a codec.

        `lossless`: codecs may be used that keep every bit of what is there.
        """
        own = self.syntax()
        elements = self._elements if self._elements is not None else self._parse()
        order = self._read_as if self._elements is not None else own
        if {uid for uid in (own, syntax) if uid} - codec.NATIVE and codec.has_pixels(elements):
            from leadtools_compat.dicom import _data_set_pixels as pixels

            if not lossless or not (syntax in codec.NATIVE or syntax in pixels.LOSSLESS):
                return None
            elements = _with(elements, pixels.transcoded(elements, own or order, order, syntax))
            if order == codec.BIG:
                order = codec.EXPLICIT
        return self._made(elements, syntax, order or codec.EXPLICIT)

    def _made(self, elements: Dataset, syntax: str, order: str, *options: bool) -> DataSet:
        with self.writing(syntax):
            encoded = codec.encode(elements, syntax, order, *options)
        made = DataSet.create(self.folder)
        made.set(encoded, syntax)
        return made

    def written(self, syntax: str, group_lengths: bool, explicit_lengths: bool) -> DataSet:
        """Make a data set with the retired group lengths, and without delimiters."""
        elements = self._elements if self._elements is not None else self._parse()
        order = self._read_as if self._elements is not None else self.syntax()
        order = order or codec.EXPLICIT
        return self._made(elements, syntax, order, group_lengths, explicit_lengths)

    def without_group_lengths(self) -> DataSet:
        """Get C's data set without the retired group lengths (PS3.5 7.2)."""
        data = self.settled()
        elements = self._elements if self._elements is not None else self._parse()
        if not any(tag.element == 0 for tag in elements.keys()):  # noqa: SIM118
            return data
        order = self._read_as if self._elements is not None else data.syntax
        return self._made(elements, data.syntax, order or codec.EXPLICIT)

    def change_syntax(self, syntax: str, quality: int) -> None:
        """Have another transfer syntax."""
        from leadtools_compat.dicom import _data_set_pixels as pixels

        own = self.syntax()
        elements = self._own()
        if syntax == own:
            return
        if pixels.needs_codec(elements, own, syntax):
            made = pixels.transcoded(elements, own or self._read_as, self._read_as, syntax, quality)
            if self._read_as == codec.BIG:
                self._turn(elements)
            for element in made:
                elements.add(element)
            if self._tree is not None:
                self._tree.changed(elements)
        from pydicom.dataset import FileMetaDataset
        from pydicom.uid import UID

        if getattr(elements, "file_meta", None) is None:
            elements.file_meta = FileMetaDataset()
        elements.file_meta.TransferSyntaxUID = UID(syntax)
        self._dirty = True

    def order(self) -> str:
        """The syntax in whose byte order the elements have their values."""
        return self._read_as or self.syntax() or codec.EXPLICIT

    def drop_pixels(self, syntax: str) -> None:
        """Have a syntax that is not compressed, as the pixels are about to be replaced."""
        from pydicom.uid import UID

        self._own().file_meta.TransferSyntaxUID = UID(syntax)
        self._dirty = True

    def _turn(self, elements: Dataset) -> None:
        """Have the values in little endian."""
        codec.turn(elements, False)
        self._read_as = codec.EXPLICIT

    def header(self, syntax: str) -> bytes:
        """Write preamble and group 0002 if the user has put something into it; else nothing."""
        group: Any = getattr(self._elements, "file_meta", None)
        if group is None or not any(tag > 0x00020013 for tag in group.keys()):  # noqa: SIM118
            return b""
        if self.head.says(group):
            return b""
        with self.writing(syntax):
            return header(self._own(), group, syntax, self.head.preamble())

    def command(self) -> bytes | None:
        """Write the elements as a command set; None: the bytes are one, and unchanged."""
        if self.data.syntax == codec.IMPLICIT and not self._changed():
            return None
        return codec.encode_command(self._own())

    @staticmethod
    @contextmanager
    def writing(form: str) -> Iterator[None]:
        """Turn what pydicom raises about values into a DicomException."""
        try:
            yield
        except (DicomException, MemoryError):
            raise
        except Exception as error:
            raise DicomException(
                DicomExceptionCode.ValueInvalid,
                f"The data set cannot be written in {form}: {error}",
            ) from error

    def describe(self) -> str:
        syntax = self.syntax() or "no transfer syntax"
        if not self._bytes_known:
            return f"{syntax}, from pydicom"
        file = self.data.file
        where = "in memory" if file is None else f"in {file}"
        touched = "" if self._elements is None else ", parsed"
        return f"{syntax}, {self.data.length} bytes {where}{touched}"


def _with(elements: Dataset, others: Dataset) -> Dataset:
    """Make a data set of elements, some of which others replace; no value is copied."""
    made: Any = elements[:]
    for element in others:
        made.add(element)
    return made  # type: ignore[no-any-return]


def state_of(data_set: Any) -> DataSetState:
    """Find the state; InvalidState when the constructor of DicomDataSet did not run."""
    state: DataSetState | None = data_set.__dict__.get(STATE)
    if state is None:
        raise DicomException(
            DicomExceptionCode.InvalidState,
            f"The constructor of DicomDataSet did not run for this {type(data_set).__name__}: call "
            "super().__init__() first in its __init__",
        )
    return state


def state_of_argument(value: object, name: str) -> DataSetState:
    """Check an argument that has to be a `DicomDataSet`, and find its state."""
    from leadtools_compat.dicom.dicom_data_set import DicomDataSet

    if not isinstance(value, DicomDataSet):
        raise TypeError(f"{name} must be a DicomDataSet, not {type(value).__name__}")
    return state_of(value)
