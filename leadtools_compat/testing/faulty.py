"""`FaultyScp` and `FaultyScu`: peers that misbehave, plain and over real TLS.

The one rule: they end when they are told to, whatever they are in the middle of.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from typing import TYPE_CHECKING

from leadtools_compat.testing.faults import SCP_FAULTS, SCU_FAULTS, Fault, find_fault
from leadtools_compat.testing.model import Identity
from leadtools_compat.testing.wire import (
    DATA,
    RELEASE,
    RELEASED,
    Wire,
    accept_pdu,
    command,
    command_of,
    data_pdu,
    pdu,
)

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["FaultyScp", "FaultyScu"]


def _context(identity: Identity | None, ca_file: str | None, server: bool) -> ssl.SSLContext | None:
    if identity is None and ca_file is None:
        return None
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    made.set_ciphers("DEFAULT:@SECLEVEL=0")
    if identity is not None:
        made.load_cert_chain(identity.combined_file)
    if ca_file is not None and server:
        made.load_verify_locations(ca_file)
        made.verify_mode = ssl.CERT_REQUIRED
    return made


class FaultyScp:
    """A server that misbehaves, on a free port of 127.0.0.1; use it in a ``with`` statement.

    Parameters
    ----------
    fault
        One of `faults`.
    identity
        Its certificate; None: plain.
    ca_file
        Whom its clients must come from; None: it asks for no certificate.
    timeout
        Seconds after which it gives up waiting for anything.

    Attributes
    ----------
    port
        Where it listens.
    visits
        How many clients have come.

    Examples
    --------
    >>> with FaultyScp("drops_in_data", pki.server) as scp:      # doctest: +SKIP
    ...     my_client.store("127.0.0.1", scp.port, file)
    """

    def __init__(
        self,
        fault: str,
        identity: Identity | None = None,
        ca_file: str | None = None,
        timeout: float = 30.0,
    ) -> None:
        self.fault = find_fault(SCP_FAULTS, fault)
        self._tls = _context(identity, ca_file, server=True)
        self._timeout = timeout
        self._stop = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.1)
        self.port: int = self._listener.getsockname()[1]
        self.visits = 0
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept, name=f"FaultyScp {fault}")
        self._accepting.start()

    @staticmethod
    def faults() -> dict[str, str]:
        """Give all faults: name to description."""
        return {fault.name: fault.description for fault in SCP_FAULTS.values()}

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            self.visits += 1
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        wire = Wire(connection, self._stop, self._timeout)
        try:
            if self.fault.secured and self._tls is not None:
                wire.secure(self._tls, server=True)
            self.fault.act(wire)
            if self.fault.name == "late":
                if self._tls is not None:
                    wire.secure(self._tls, server=True)
                _behave(wire)
        except (OSError, EOFError):
            pass  # the client has gone, or would not have it
        finally:
            wire.close()

    def close(self) -> None:
        """End it, and every connection."""
        self._stop.set()
        self._accepting.join()
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        how = "plain" if self._tls is None else "TLS"
        return f"<FaultyScp {self.fault.name} on port {self.port}, {how}>"


def _behave(wire: Wire) -> None:
    """Serve one association as a good peer: C-ECHO and release."""
    _, request = wire.read()
    wire.send(accept_pdu(request))
    while True:
        kind, content = wire.read()
        if kind == RELEASE:
            wire.send(pdu(RELEASED, bytes(4)))
            wire.hold()
            return
        if kind == DATA:
            asked = command_of(content[6:])
            number = int.from_bytes(asked[0x0110], "little")
            uid = asked[0x0002].rstrip(b"\0").decode("ascii")
            answer = command(0x8030, uid, message=number, status=0)
            wire.send(data_pdu(content[10], answer, is_command=True))


class FaultyScu:
    """A client that misbehaves towards a server; use it in a ``with`` statement.

    Parameters
    ----------
    fault
        One of `faults`.
    port, host
        The server.
    identity
        Its certificate; with it, or with ``tls=True``, TLS is used.
    tls
        Whether to use TLS without a certificate.
    timeout
        Seconds after which it gives up waiting for anything.

    Examples
    --------
    >>> with FaultyScu("half_hello", 2762):                      # doctest: +SKIP
    ...     assert my_client.echo("localhost", 2762)             # others are still served
    """

    def __init__(
        self,
        fault: str,
        port: int,
        host: str = "127.0.0.1",
        identity: Identity | None = None,
        tls: bool = False,
        timeout: float = 30.0,
    ) -> None:
        self.fault: Fault = find_fault(SCU_FAULTS, fault)
        self._tls = _context(identity, "" if tls and identity is None else None, server=False)
        self._stop = threading.Event()
        self.ended = threading.Event()
        connection = socket.create_connection((host, port), timeout)
        self._wire = Wire(connection, self._stop, timeout)
        self._host = host
        self._thread = threading.Thread(target=self._act, name=f"FaultyScu {fault}")
        self._thread.start()

    @staticmethod
    def faults() -> dict[str, str]:
        """Give all faults: name to description."""
        return {fault.name: fault.description for fault in SCU_FAULTS.values()}

    def _act(self) -> None:
        try:
            if self.fault.secured and self._tls is not None:
                self._wire.secure(self._tls, server=False, host=self._host)
            self.fault.act(self._wire)
        except (OSError, EOFError):
            pass  # the server would not have it: that is its right
        finally:
            self._wire.close()
            self.ended.set()

    def wait(self, timeout: float) -> bool:
        """Wait until it has ended by itself, or the server has ended it; False: it goes on."""
        return self.ended.wait(timeout)

    def close(self) -> None:
        """End it."""
        self._stop.set()
        with contextlib.suppress(OSError):
            self._wire.socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<FaultyScu {self.fault.name}>"
