"""`DicomAssociate`: what an association request or its acceptance says."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any

from leadtools_compat._binding import lib
from leadtools_compat._binding.associates import Association
from leadtools_compat._binding.text import text_to_c
from leadtools_compat.dicom._arguments import INT_MAX, integer, member
from leadtools_compat.dicom._associate_items import AssociateItems, CommonExtended, UserIdentity
from leadtools_compat.dicom._associate_state import (
    STATE,
    Bytes,
    associate_of,
    association,
    data_to_c,
    describe,
    identifier,
    optional_text,
)
from leadtools_compat.dicom.dicom_exception import DicomException
from leadtools_compat.dicom.enums_dimse import DicomAssociateAcceptResultType

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["CommonExtended", "DicomAssociate", "UserIdentity", "adopt"]


class DicomAssociate(AssociateItems):
    """What an A-ASSOCIATE-RQ or A-ASSOCIATE-AC says: titles, contexts, user information.

    Parameters
    ----------
    request
        True: a request. False: an acceptance.

    Raises
    ------
    DicomException
        ``Memory``.
    TypeError
        `request` is not a bool.

    Notes
    -----
    Mirrors ``Leadtools.Dicom.DicomAssociate``. A new object has version 1, DICOM's application
    context, a maximum length of 262144, this library's class UID and version name, no contexts and
    empty titles. End it with `Dispose` or a ``with`` statement, or leave it to the collector; after
    that every use raises ``ObjectDisposed``. It may be used from any thread.

    A presentation context goes by its `id`, an odd number of 1 to 255.
    """

    __state: Association

    def __init__(self, request: bool) -> None:
        if not isinstance(request, int):
            raise TypeError(f"request must be a bool, not {type(request).__name__}")
        # Past any __setattr__ of a subclass, which is not ready for calls yet.
        object.__setattr__(self, STATE, Association.create(bool(request)))

    @classmethod
    def from_bytes(cls, data: Bytes, request: DicomAssociate | None = None) -> DicomAssociate:
        """Read a whole A-ASSOCIATE-RQ or -AC PDU, its header included.

        Parameters
        ----------
        data
            The PDU.
        request
            For an acceptance: the request that it answers, where its abstract syntaxes are.

        Raises
        ------
        DicomException
            ``PduInvalid``, ``PduTooLong``, ``PduUnexpected``; the message says offset and item.

        Notes
        -----
        Ours.
        """
        asked = None if request is None else associate_of(request, "request")
        made = DicomAssociate.__new__(DicomAssociate)
        made.__dict__[STATE] = Association.decode(data_to_c(data, "data"), asked)
        return made

    def to_bytes(self, request: DicomAssociate | None = None) -> bytes:
        """Write the PDU as it goes over the wire.

        Parameters
        ----------
        request
            For an acceptance: the request that it answers. What has to be repeated is taken from
            there, and contexts without an answer are rejected.

        Raises
        ------
        DicomException
            ``Parameter``: something is missing, or the wire has no room for it.

        Notes
        -----
        Ours.
        """
        return association(self).encode(
            None if request is None else associate_of(request, "request")
        )

    # ---- life ----

    def Dispose(self) -> None:
        """Free the object; again is fine.

        Notes
        -----
        Mirrors ``DicomAssociate.Dispose``.
        """
        association(self).free()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.Dispose()

    def clone(self) -> DicomAssociate:
        """Make an independent copy (ours)."""
        made = DicomAssociate.__new__(DicomAssociate)
        made.__dict__[STATE] = association(self).clone()
        return made

    def __copy__(self) -> DicomAssociate:
        return self.clone()

    def __deepcopy__(self, memo: object) -> DicomAssociate:
        return self.clone()

    def __reduce__(self) -> Any:
        raise TypeError("a DicomAssociate cannot be pickled; its to_bytes() can")

    def Default(self) -> None:
        """Go back to the values of a new object of the same kind.

        Notes
        -----
        Mirrors ``DicomAssociate.Default``.
        """
        association(self).tell(lib.L_DicomDefaultAssociate)

    def Reset(self, request: bool = False) -> None:
        """Empty the object, and make it a request or an acceptance.

        A request that becomes an acceptance keeps what its answer has to repeat: version, titles,
        application context.

        Notes
        -----
        Mirrors ``DicomAssociate.Reset``; what is kept is ours.
        """
        association(self).tell(lib.L_DicomResetAssociate, bool(request))

    # ---- fixed fields ----

    @property
    def IsRequest(self) -> bool:
        """Whether it is a request, not an acceptance."""
        return bool(association(self).ask(lib.L_DicomIsAssociateRequest))

    @property
    def Version(self) -> int:
        """Protocol version, a bit field (PS3.8 Table 9-11); 1."""
        return association(self).ask(lib.L_DicomGetVersion)

    @Version.setter
    def Version(self, value: int) -> None:
        association(self).tell(lib.L_DicomSetVersion, integer(value, "Version", 0, 0xFFFF))

    @property
    def Called(self) -> str:
        """Application entity title of the called side, without spaces around.

        Any text can be set. On sending one that is longer than 16 characters, empty, or has a
        backslash or others than printable ASCII raises ``Parameter``.
        """
        return association(self).text(lib.L_DicomGetCalled)

    @Called.setter
    def Called(self, value: str | None) -> None:
        association(self).tell(lib.L_DicomSetCalled, optional_text(value, "Called"))

    @property
    def Calling(self) -> str:
        """Application entity title of the calling side; as `Called`."""
        return association(self).text(lib.L_DicomGetCalling)

    @Calling.setter
    def Calling(self, value: str | None) -> None:
        association(self).tell(lib.L_DicomSetCalling, optional_text(value, "Calling"))

    @property
    def ApplicationContextName(self) -> str:
        """UID of the application context; DICOM's is 1.2.840.10008.3.1.1.1."""
        return association(self).text(lib.L_DicomGetApplication)

    @ApplicationContextName.setter
    def ApplicationContextName(self, value: str | None) -> None:
        uid = optional_text(value, "ApplicationContextName")
        association(self).tell(lib.L_DicomSetApplication, uid)

    @property
    def MaxLength(self) -> int:
        """The longest P-DATA-TF PDU that this side takes, in bytes; 0 = no limit.

        In a received object it is the peer's.
        """
        return association(self).ask(lib.L_DicomGetMaxLength)

    @MaxLength.setter
    def MaxLength(self, value: int) -> None:
        length = integer(value, "MaxLength", 0, 2**32 - 1)
        association(self).tell(lib.L_DicomSetMaxLength, True, length)

    @property
    def ImplementClass(self) -> str:
        """Implementation class UID; None or "" sends this library's."""
        return association(self).text(lib.L_DicomGetImplementClass)

    @ImplementClass.setter
    def ImplementClass(self, value: str | None) -> None:
        uid = optional_text(value, "ImplementClass")
        association(self).tell(lib.L_DicomSetImplementClass, True, uid)

    @property
    def ImplementationVersionName(self) -> str:
        """At most 16 characters; None or "" is not sent."""
        return association(self).text(lib.L_DicomGetImplementVersion)

    @ImplementationVersionName.setter
    def ImplementationVersionName(self, value: str | None) -> None:
        name = optional_text(value, "ImplementationVersionName")
        association(self).tell(lib.L_DicomSetImplementVersion, True, name)

    # ---- presentation contexts ----

    @property
    def PresentationContextCount(self) -> int:
        """How many presentation contexts there are."""
        return association(self).ask(lib.L_DicomGetPresentationCount)

    def GetPresentationContextID(self, index: int) -> int:
        """Give the id of a context by its index, from 0.

        Raises
        ------
        DicomException
            ``Parameter``: there is no such index.

        Notes
        -----
        Mirrors ``DicomAssociate.GetPresentationContextID``.
        """
        return association(self).context_id(integer(index, "index", 0, INT_MAX))

    def AddPresentationContext(
        self, id: int, result: DicomAssociateAcceptResultType | int, abstractSyntax: str | None
    ) -> None:
        """Add a context at the end.

        Parameters
        ----------
        id
            Odd, 1 to 255, not used yet.
        result
            The answer; a request ignores it, 0 is usual there.
        abstractSyntax
            UID of the SOP class; an acceptance may leave it out.

        Raises
        ------
        DicomException
            ``Parameter``, when one of these is something else.

        Notes
        -----
        Mirrors ``DicomAssociate.AddPresentationContext``.
        """
        association(self).tell(
            lib.L_DicomAddPresentation,
            identifier(id),
            member(result, "result", DicomAssociateAcceptResultType),
            optional_text(abstractSyntax, "abstractSyntax"),
        )

    def DeletePresentation(self, id: int) -> None:
        """Delete a context; with the last one of its SOP class go role and extended negotiation.

        Notes
        -----
        Mirrors ``DicomAssociate.DeletePresentation``. ``Parameter``: there is no such context.
        """
        association(self).tell(lib.L_DicomDeletePresentation, identifier(id))

    def AddTransfer(self, id: int, uid: str) -> None:
        """Add a transfer syntax to a context, at the end.

        Of an accepted context the first one is sent.

        Notes
        -----
        Mirrors ``DicomAssociate.AddTransfer``. ``Parameter``: no such context, or no UID.
        """
        association(self).tell(lib.L_DicomAddTransfer, identifier(id), text_to_c(uid, "uid"))

    def GetAbstract(self, id: int) -> str:
        """Give the SOP class of a context; "" when there is no such context.

        Notes
        -----
        Mirrors ``DicomAssociate.GetAbstract``. In a received acceptance it is what was asked for.
        """
        return association(self).text(lib.L_DicomGetAbstract, identifier(id))

    def GetTransferCount(self, id: int) -> int:
        """Count the transfer syntaxes of a context; 0 when there is no such context.

        Notes
        -----
        Mirrors ``DicomAssociate.GetTransferCount``.
        """
        return association(self).ask(lib.L_DicomGetTransferCount, identifier(id))

    def GetTransfer(self, id: int, index: int) -> str:
        """Give a transfer syntax of a context; "" when there is none.

        Notes
        -----
        Mirrors ``DicomAssociate.GetTransfer``.
        """
        place = integer(index, "index", 0, INT_MAX)
        return association(self).text(lib.L_DicomGetTransfer, identifier(id), place)

    def GetResult(self, id: int) -> DicomAssociateAcceptResultType:
        """Give the answer to a context; ``ProviderReject`` when there is no such context.

        Notes
        -----
        Mirrors ``DicomAssociate.GetResult``.
        """
        result = association(self).ask(lib.L_DicomGetResult, identifier(id))
        return DicomAssociateAcceptResultType(result)

    def SetResult(self, id: int, result: DicomAssociateAcceptResultType | int) -> None:
        """Set the answer to a context.

        Notes
        -----
        Mirrors ``DicomAssociate.SetResult``. ``Parameter``: there is no such context.
        """
        association(self).tell(
            lib.L_DicomSetResult,
            identifier(id),
            member(result, "result", DicomAssociateAcceptResultType),
        )

    def FindAbstract(self, uid: str | None) -> int:
        """Find the first context of a SOP class; 0 when there is none.

        Notes
        -----
        Mirrors ``DicomAssociate.FindAbstract``.
        """
        return association(self).ask(lib.L_DicomFindAbstract, optional_text(uid, "uid"))

    def FindNextAbstract(self, id: int, uid: str | None) -> int:
        """Find the next context of a SOP class after `id`; 0 when there is none.

        Notes
        -----
        Mirrors ``DicomAssociate.FindNextAbstract``.
        """
        return association(self).ask(
            lib.L_DicomFindNextAbstract, identifier(id), optional_text(uid, "uid")
        )

    def __repr__(self) -> str:
        name = self.__class__.__name__
        state: Association | None = self.__dict__.get(STATE)
        if state is None:
            return f"<{name} without constructor>"
        try:
            with state.lend():
                return f"<{name} {describe(state)}>"
        except DicomException:
            return f"<{name} disposed>"


def adopt(handle: Any) -> DicomAssociate:
    """Make the object for a C association that it owns from now on; NULL raises."""
    made = DicomAssociate.__new__(DicomAssociate)
    made.__dict__[STATE] = Association(handle)
    return made
