"""`PresentationContext` and `InstanceAttribute`: what an association is to be good for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["InstanceAttribute", "PresentationContext"]


class PresentationContext:
    """A SOP class and the transfer syntaxes in which it is offered.

    Parameters
    ----------
    abstractSyntax
        UID of the SOP class.
    transferSyntaxes
        Their UIDs, best first; none: the native little endian ones (ours).

    Attributes
    ----------
    scp_role
        Whether the role of the SCP is asked for, too, as C-GET needs it (ours).

    Notes
    -----
    Mirrors ``Leadtools.Dicom.Scu.PresentationContext``.
    """

    def __init__(
        self, abstractSyntax: str = "", transferSyntaxes: Iterable[str] = (), scp_role: bool = False
    ) -> None:
        self.AbstractSyntax = abstractSyntax
        self.TransferSyntaxes: list[str] = list(transferSyntaxes)
        self.scp_role = scp_role

    def __repr__(self) -> str:
        return f"<PresentationContext {self.AbstractSyntax} in {self.TransferSyntaxes or 'native'}>"


class InstanceAttribute:
    """The kind of thing that a query class or a data set is, as `DicomConnection._CurrentInstance`.

    Attributes
    ----------
    ClassType
        The ``DicomClassType``, or None.
    AbstractSyntax
        UID of the SOP class.

    Notes
    -----
    Mirrors ``Leadtools.Dicom.Scu.InstanceAttribute``.
    """

    def __init__(self, ClassType: Any = None, AbstractSyntax: str = "") -> None:
        self.ClassType = ClassType
        self.AbstractSyntax = AbstractSyntax

    def __repr__(self) -> str:
        return f"<InstanceAttribute {self.AbstractSyntax}>"
