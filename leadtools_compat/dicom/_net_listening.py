"""How a listener shares its port, and proxies in front of it; all of it ours."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from leadtools_compat._binding import lib, reads
from leadtools_compat._binding.text import text_to_c
from leadtools_compat.dicom._net_queries import read_address, read_port
from leadtools_compat.dicom._net_state import call, live

__all__ = ["NetListening", "Network"]

Network = str | IPv4Address | IPv6Address | IPv4Network | IPv6Network


class NetListening:
    """The part of `DicomNet` that is about several processes on one port, and load balancers."""

    @property
    def reuse_port(self) -> bool:
        """Whether other processes may listen on the same address and port (ours); default False.

        Each of them sets it before `Listen`, and all run as the same user; the system spreads new
        connections over them. Processes that were started apart do not know each other's TLS
        tickets, so a client that comes to another one makes a full handshake; those that were
        forked from one that had made a net do.

        Raises
        ------
        DicomException
            When set: ``InvalidState`` while connecting, connected or listening. From `Listen`:
            ``NetAddressInUse`` when the port belongs to a socket without it.

        Notes
        -----
        ``SO_REUSEPORT``, socket(7).
        """
        return bool(lib.L_DicomGetReusePort(live(self).handle))

    @reuse_port.setter
    def reuse_port(self, value: bool) -> None:
        state = live(self)
        call(state, lib.L_DicomSetReusePort(state.handle, 1 if value else 0))

    @property
    def trusted_proxies(self) -> tuple[str, ...]:
        """Addresses and networks of load balancers that send a PROXY header (ours); default none.

        A text with commas, or an iterable of texts and ``ipaddress`` objects: ``"192.0.2.7"``,
        ``"10.1.0.0/16"``, ``"fd00::/8"``. At most 256; names are not looked up.

        A listener reads the header (version 2, or 1) of every connection from there, before TLS and
        before `OnAccept`, within `handshake_timeout`. `PeerAddress` and `PeerPort` of the child are
        the client's then, and `proxy_address` is the load balancer's. A connection from there
        without a header is closed, with a line in the log; a header from anywhere else is refused
        as the garbage that it is there. Health checks that only connect are not told of.

        Raises
        ------
        DicomException
            When set: ``Parameter`` for what is not an address; ``InvalidState`` while connecting,
            connected or listening.

        Notes
        -----
        doc/proxy-protocol.txt of HAProxy.
        """
        return tuple(reads.trusted_proxies(live(self).handle).replace(",", " ").split())

    @trusted_proxies.setter
    def trusted_proxies(self, value: Network | Iterable[Network] | None) -> None:
        state = live(self)
        if value is None:
            words: list[Network] = []
        elif isinstance(value, (str, IPv4Address, IPv6Address, IPv4Network, IPv6Network)):
            words = [value]
        else:
            words = list(value)
        for word in words:
            if not isinstance(word, (str, IPv4Address, IPv6Address, IPv4Network, IPv6Network)):
                raise TypeError(
                    f"trusted_proxies must be texts or ipaddress objects, not {type(word).__name__}"
                )
        text = text_to_c(", ".join(map(str, words)), "trusted_proxies")
        call(state, lib.L_DicomSetTrustedProxies(state.handle, text))

    @property
    def proxy_address(self) -> str:
        """Address of the load balancer between the client and this child; "" without one (ours).

        Still there after the close and after `Dispose`.
        """
        return read_address(self, lib.L_DicomGetProxyAddress, "proxy_address")

    @property
    def proxy_port(self) -> int:
        """Port of the load balancer's end of the connection; 0 without one (ours)."""
        return read_port(self, lib.L_DicomGetProxyPort, "proxy_port")
