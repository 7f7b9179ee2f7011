"""The part of `DicomAssociate` that user information holds, and the values it has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from leadtools_compat._binding import lib
from leadtools_compat._binding.associates import Association
from leadtools_compat._binding.text import text_to_c
from leadtools_compat.dicom._arguments import INT_MAX, integer, member
from leadtools_compat.dicom._associate_state import Bytes, association, data_to_c, identifier
from leadtools_compat.dicom.enums_dimse import DicomRoleSupport

__all__ = ["AssociateItems", "CommonExtended", "UserIdentity"]

_IDENTITY_TYPES = {
    1: "user name",
    2: "user name and passcode",
    3: "Kerberos",
    4: "SAML",
    5: "JSON web token",
}


class UserIdentity:
    """Who asks for an association (PS3.7 D.3.3.7).

    Attributes
    ----------
    type
        1 user name, 2 user name and passcode, 3 Kerberos ticket, 4 SAML assertion, 5 JSON web token.
    primary
        User name in UTF-8, ticket, assertion or token. A str is encoded.
    secondary
        The passcode of type 2, else empty. A str is encoded.
    response_wanted
        Whether the acceptor is asked for a positive answer.

    Notes
    -----
    Ours. The ``repr`` shows the user name, and of secrets the length only.
    """

    __slots__ = ("primary", "response_wanted", "secondary", "type")

    type: int
    primary: bytes
    secondary: bytes
    response_wanted: bool

    def __init__(
        self,
        type: int,
        primary: Bytes | str,
        secondary: Bytes | str = b"",
        response_wanted: bool = False,
    ) -> None:
        def encoded(value: Bytes | str, name: str) -> bytes:
            return value.encode() if isinstance(value, str) else data_to_c(value, name)

        # Past __setattr__: an object does not change once it is made.
        object.__setattr__(self, "type", type)
        object.__setattr__(self, "primary", encoded(primary, "primary"))
        object.__setattr__(self, "secondary", encoded(secondary, "secondary"))
        object.__setattr__(self, "response_wanted", response_wanted)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"cannot assign to {name!r}: a UserIdentity does not change")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"cannot delete {name!r}: a UserIdentity does not change")

    def _values(self) -> tuple[int, bytes, bytes, bool]:
        return self.type, self.primary, self.secondary, self.response_wanted

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UserIdentity) and self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __reduce__(self) -> tuple[object, ...]:
        return UserIdentity, self._values()

    def __repr__(self) -> str:
        kind = _IDENTITY_TYPES.get(self.type, f"type {self.type}")
        named = self.type in (1, 2)
        who = (
            repr(self.primary.decode("utf-8", "replace")) if named else f"{len(self.primary)} bytes"
        )
        secret = f", {len(self.secondary)} bytes secret" if self.secondary else ""
        return f"<UserIdentity {kind}: {who}{secret}>"


class CommonExtended(NamedTuple):
    """SOP class common extended negotiation (PS3.7 D.3.3.6). Ours."""

    sop_class: str
    service_class: str
    related: tuple[str, ...] = ()


class AssociateItems:
    """Roles, extended negotiation, operations window, user identity, other user information."""

    # ---- role selection and extended negotiation ----

    def IsRoleSelect(self, id: int) -> bool:
        """Tell whether the SOP class of a context has a role selection (PS3.7 D.3.3.4).

        Notes
        -----
        Mirrors ``DicomAssociate.IsRoleSelect``. The item is one for each SOP class: all contexts of
        the class agree.
        """
        return _roles(self, id) is not None

    def GetUserRole(self, id: int) -> DicomRoleSupport:
        """Tell whether the requestor's SCU role is supported; without a selection ``Unsupported``.

        Notes
        -----
        Mirrors ``DicomAssociate.GetUserRole``.
        """
        return DicomRoleSupport((_roles(self, id) or (0, 0))[0])

    def GetProviderRole(self, id: int) -> DicomRoleSupport:
        """Tell whether the requestor's SCP role is supported; without a selection ``Unsupported``.

        Notes
        -----
        Mirrors ``DicomAssociate.GetProviderRole``.
        """
        return DicomRoleSupport((_roles(self, id) or (0, 0))[1])

    def SetRoleSelect(
        self,
        id: int,
        enabled: bool,
        user: DicomRoleSupport | int = DicomRoleSupport.Unsupported,
        provider: DicomRoleSupport | int = DicomRoleSupport.Unsupported,
    ) -> None:
        """Set or take out the role selection of a context's SOP class.

        Notes
        -----
        Mirrors ``DicomAssociate.SetRoleSelect``; the defaults are ours.
        """
        association(self).tell(
            lib.L_DicomSetRoleSelect,
            identifier(id),
            bool(enabled),
            member(user, "user", DicomRoleSupport),
            member(provider, "provider", DicomRoleSupport),
        )

    def SetExtendedData(self, id: int, data: Bytes | None) -> None:
        """Set the extended negotiation of a context's SOP class (PS3.7 D.3.3.5); None takes it out.

        Notes
        -----
        Mirrors ``DicomAssociate.SetExtendedData``.
        """
        content = b"" if data is None else data_to_c(data, "data")
        association(self).tell(
            lib.L_DicomSetExtendedData, identifier(id), data is not None, content, len(content)
        )

    def GetExtendedData(self, id: int) -> bytes | None:
        """Give the extended negotiation of a context's SOP class; None when there is none.

        Notes
        -----
        Mirrors ``DicomAssociate.GetExtendedData``.
        """
        return association(self).block(lib.L_DicomGetExtendedData, identifier(id))

    @property
    def common_extended(self) -> list[CommonExtended]:
        """Common extended negotiations (PS3.7 D.3.3.6); sent in a request only. Ours."""
        return [CommonExtended(*one) for one in association(self).common_extended()]

    @common_extended.setter
    def common_extended(self, value: Iterable[CommonExtended | tuple[Any, ...]]) -> None:
        wanted = [CommonExtended(*one) for one in value]
        state = association(self)
        with state.lend():
            before = state.common_extended()
            try:
                _put_common(state, wanted)
            except BaseException:
                _put_common(state, [CommonExtended(*one) for one in before])
                raise

    # ---- asynchronous operations ----

    @property
    def IsAsynchronousOperations(self) -> bool:
        """Whether there is an asynchronous operations window (PS3.7 D.3.3.3)."""
        return _operations(self) is not None

    @property
    def InvokedOperationsCount(self) -> int:
        """How many operations the requestor may invoke before an answer; 0 = no limit, or no window."""
        return (_operations(self) or (0, 0))[0]

    @property
    def PerformedOperationsCount(self) -> int:
        """How many operations the requestor may be asked to perform at once; 0 as above."""
        return (_operations(self) or (0, 0))[1]

    def SetAsynchronousOperations(
        self, enabled: bool, invoked: int = 1, performed: int = 1
    ) -> None:
        """Set or take out the asynchronous operations window.

        Notes
        -----
        Mirrors ``DicomAssociate.SetAsynchronousOperations``; the defaults are ours.
        """
        association(self).tell(
            lib.L_DicomSetAsyncOperations,
            bool(enabled),
            integer(invoked, "invoked", 0, 0xFFFF),
            integer(performed, "performed", 0, 0xFFFF),
        )

    # ---- user identity ----

    @property
    def user_identity(self) -> UserIdentity | None:
        """Who asks (PS3.7 D.3.3.7), in a request; None: not said. Ours."""
        found = association(self).identity()
        if found is None:
            return None
        kind, wanted, primary, secondary = found
        return UserIdentity(kind, primary, secondary, wanted)

    @user_identity.setter
    def user_identity(self, value: UserIdentity | tuple[Any, ...] | None) -> None:
        if value is None:
            arguments = (False, 0, False, b"", 0, b"", 0)
        else:
            who = value if isinstance(value, UserIdentity) else UserIdentity(*value)
            arguments = (
                True,
                integer(who.type, "type", 1, 5),
                bool(who.response_wanted),
                *(who.primary, len(who.primary)),
                *(who.secondary, len(who.secondary)),
            )
        association(self).tell(lib.L_DicomSetUserIdentity, *arguments)

    @property
    def user_identity_response(self) -> bytes | None:
        """The positive answer to the user identity, in an acceptance; None: none. Ours."""
        return association(self).block(lib.L_DicomGetUserIdentityResponse)

    @user_identity_response.setter
    def user_identity_response(self, value: Bytes | None) -> None:
        content = b"" if value is None else data_to_c(value, "user_identity_response")
        association(self).tell(
            lib.L_DicomSetUserIdentityResponse, value is not None, content, len(content)
        )

    # ---- other user information ----

    @property
    def UserInformationCount(self) -> int:
        """How many user-information sub-items there are that have no members of their own."""
        return association(self).ask(lib.L_DicomGetUserInformationCount)

    def GetUserInformationData(self, index: int) -> bytes:
        """Give the bytes of such a sub-item, without type and length.

        Notes
        -----
        Mirrors ``DicomAssociate.GetUserInformationData``. ``Parameter``: there is no such index.
        """
        return _user_information(self, index)[1]

    def GetUserInformationDataLength(self, index: int) -> int:
        """Give the number of its bytes.

        Notes
        -----
        Mirrors ``DicomAssociate.GetUserInformationDataLength``.
        """
        return len(_user_information(self, index)[1])

    def GetUserInformationType(self, index: int) -> int:
        """Give its type (ours)."""
        return _user_information(self, index)[0]

    def AddUserInformation(self, type: int, data: Bytes) -> None:
        """Add such a sub-item at the end (ours).

        Raises
        ------
        DicomException
            ``Parameter``: types 0x51 to 0x59 have members of their own.
        """
        content = data_to_c(data, "data")
        association(self).tell(
            lib.L_DicomAddUserInformation, integer(type, "type", 0, 255), content, len(content)
        )


def _roles(associate: AssociateItems, id: int) -> tuple[int, int] | None:
    return association(associate).pair(lib.L_DicomGetRoleSelect, "L_UCHAR", identifier(id))


def _operations(associate: AssociateItems) -> tuple[int, int] | None:
    return association(associate).pair(lib.L_DicomGetAsyncOperations, "L_UINT16")


def _user_information(associate: AssociateItems, index: int) -> tuple[int, bytes]:
    return association(associate).user_information(integer(index, "index", 0, INT_MAX))


def _put_common(state: Association, wanted: Iterable[CommonExtended]) -> None:
    state.tell(lib.L_DicomClearCommonExtended)
    for sop_class, service_class, related in wanted:
        sop = text_to_c(sop_class, "sop_class")
        service = text_to_c(service_class, "service_class")
        state.tell(lib.L_DicomAddCommonExtended, sop, service)
        for uid in related:
            general = text_to_c(uid, "related")
            state.tell(lib.L_DicomAddCommonExtendedRelated, sop, general)
