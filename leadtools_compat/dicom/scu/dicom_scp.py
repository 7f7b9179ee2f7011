"""`DicomScp`: whom a Scu object talks to."""

from __future__ import annotations

import ipaddress
from typing import Any

from leadtools_compat._binding.errors import parameter_error
from leadtools_compat.dicom import _arguments

__all__ = ["DicomScp"]

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

TIMEOUT = 30.0
DAY = 86_400.0


class DicomScp:
    """Address, port and title of a DICOM node.

    Parameters
    ----------
    address
        Host name, or address as text or ``ipaddress`` object.
    aeTitle
        The node's application entity title.
    port
        Its TCP port, 1..65535.

    Attributes
    ----------
    Tag
        The user's, any object.

    Notes
    -----
    Mirrors ``Leadtools.Dicom.Scu.DicomScp``. ``DicomScp()`` is filled in later.
    """

    def __init__(
        self, address: str | IPAddress | None = None, aeTitle: str = "", port: int = 0
    ) -> None:
        self._secure = self._relational = False
        self._timeout: float = TIMEOUT
        self.Tag: Any = None
        self.PeerAddress = address
        self.AETitle = aeTitle
        self.Port = port

    @property
    def AETitle(self) -> str:
        """Title of the node: at most 16 characters of ASCII, no backslash (PS3.5 6.2, AE)."""
        return self._ae_title

    @AETitle.setter
    def AETitle(self, value: str) -> None:
        if not isinstance(value, str):
            raise TypeError(f"AETitle must be a str, not {type(value).__name__}")
        self._ae_title = value.strip(" ")

    @property
    def PeerAddress(self) -> Any:
        """An ``ipaddress`` object; a host name as it was given; None."""
        return self._address

    @PeerAddress.setter
    def PeerAddress(self, value: str | IPAddress | None) -> None:
        if value is not None and not isinstance(value, (str, *IPAddress.__args__)):
            raise TypeError(
                f"PeerAddress must be a str or an ipaddress object, not {type(value).__name__}"
            )
        self._address: str | IPAddress | None = value or None
        if isinstance(value, str):
            try:
                self._address = ipaddress.ip_address(value.strip("[] "))
            except ValueError:
                self._address = value.strip() or None

    @property
    def Port(self) -> int:
        """TCP port; 0: not set yet."""
        return self._port

    @Port.setter
    def Port(self, value: int) -> None:
        self._port = _arguments.port(value, "Port")

    @property
    def Timeout(self) -> float:
        """Seconds, one limit each for connect, TLS, association, and between two messages.

        Default 30; 0 is no limit. The time during which data moves does not count.
        """
        return self._timeout

    @Timeout.setter
    def Timeout(self, value: float) -> None:
        _arguments.seconds(value, "Timeout", 0.0, DAY)
        self._timeout = value

    @property
    def Secure(self) -> bool:
        """Whether the node must be spoken to with TLS; an object without TLS then refuses to."""
        return self._secure

    @Secure.setter
    def Secure(self, value: bool) -> None:
        self._secure = bool(value)

    @property
    def Relational(self) -> bool:
        """Whether relational queries and retrievals are negotiated (PS3.4 C.5.1.1)."""
        return self._relational

    @Relational.setter
    def Relational(self, value: bool) -> None:
        self._relational = bool(value)

    def ToString(self) -> str:
        """Give title, address and port in one line.

        Notes
        -----
        Mirrors ``DicomScp.ToString``; the form is ours.
        """
        host = "" if self._address is None else str(self._address)
        return f"{self._ae_title}@{f'[{host}]' if ':' in host else host}:{self._port}"

    def __str__(self) -> str:
        return self.ToString()

    def __repr__(self) -> str:
        return f"<DicomScp {self}{', TLS' if self._secure else ''}>"

    def checked(self) -> DicomScp:
        """Refuse to be connected to while something is missing (ours)."""
        if not self._address:
            raise parameter_error("scp.PeerAddress is empty: set the node's name or address")
        if not self._port:
            raise parameter_error("scp.Port is 0: set the node's port")
        if not self._ae_title:
            raise parameter_error("scp.AETitle is empty: set the node's application entity title")
        return self
