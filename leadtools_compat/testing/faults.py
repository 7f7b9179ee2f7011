"""How peers misbehave: the faults of `FaultyScp` and `FaultyScu`, by name.

The one rule: a fault is a function of the wire; it does its one wrong thing and returns, and what
comes after (closing) is done for it.
"""

from __future__ import annotations

import difflib
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass

from leadtools_compat.testing.wire import (
    ABORT,
    ACCEPT,
    CT,
    DATA,
    REJECT,
    RELEASE,
    RELEASED,
    REQUEST,
    VERIFICATION,
    Wire,
    accept_pdu,
    command,
    command_of,
    data_pdu,
    pdu,
    request_pdu,
)

__all__ = ["SCP_FAULTS", "SCU_FAULTS", "Fault", "find_fault"]

# A ServerHello that announces more than will ever come, and the beginning of a ClientHello.
_HALF_SERVER_HELLO = b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03" + bytes(20)
_HALF_CLIENT_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(30)
_HANDSHAKE_FAILURE = b"\x15\x03\x03\x00\x02\x02\x28"
_PAUSE = 0.05


@dataclass(frozen=True)
class Fault:
    """One way to misbehave.

    Attributes
    ----------
    name, description
        What it is called, and one line about it.
    secured
        Whether the handshake is made first, where TLS is on.
    act
        Does it.
    """

    name: str
    description: str
    secured: bool
    act: Callable[[Wire], None]


SCP_FAULTS: dict[str, Fault] = {}
SCU_FAULTS: dict[str, Fault] = {}
Act = Callable[[Wire], None]


def _fault(table: dict[str, Fault], description: str, secured: bool) -> Callable[[Act], Act]:
    def register(act: Act) -> Act:
        name = act.__name__.removeprefix("scp_").removeprefix("scu_")
        table[name] = Fault(name, description, secured, act)
        return act

    return register


def find_fault(table: dict[str, Fault], name: str) -> Fault:
    """Find a fault.

    Raises
    ------
    ValueError
        There is none of that name; the text has the nearest one.
    """
    if name in table:
        return table[name]
    near = difflib.get_close_matches(name, table, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(table)}"
    raise ValueError(f"there is no fault {name!r}; {hint}")


# ---- both, before TLS


def _both(description: str) -> Callable[[Act], Act]:
    def register(act: Act) -> Act:
        for table in (SCP_FAULTS, SCU_FAULTS):
            _fault(table, description, secured=False)(act)
        return act

    return register


@_both("opens the connection and never says a word")
def silent(wire: Wire) -> None:
    wire.hold()


@_both("closes at once")
def closes(wire: Wire) -> None:
    pass


@_both("resets at once")
def resets(wire: Wire) -> None:
    wire.reset()


@_both("sends bytes that mean nothing")
def garbage(wire: Wire) -> None:
    wire.send(bytes(range(255, 0, -1)))
    wire.hold()


@_both("speaks HTTP")
def http(wire: Wire) -> None:
    wire.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    wire.hold()


# ---- SCP, around TLS


@_fault(SCP_FAULTS, "sends half of a ServerHello and stops", secured=False)
def scp_half_hello(wire: Wire) -> None:
    wire.exactly(5)
    wire.send(_HALF_SERVER_HELLO)
    wire.hold()


@_fault(SCP_FAULTS, "sends the alert handshake_failure and resets", secured=False)
def scp_reset_after_alert(wire: Wire) -> None:
    wire.exactly(5)
    wire.send(_HANDSHAKE_FAILURE)
    wire.reset()


@_fault(SCP_FAULTS, "answers after 2 seconds, then in good order", secured=False)
def scp_late(wire: Wire) -> None:
    wire.stop.wait(2)


@_fault(SCP_FAULTS, "makes the handshake, then resets", secured=True)
def scp_reset_after_handshake(wire: Wire) -> None:
    wire.exactly(1)
    wire.reset()


# ---- SCP, association


@_fault(SCP_FAULTS, "never answers the association request", secured=True)
def scp_no_accept(wire: Wire) -> None:
    wire.read()
    wire.hold()


@_fault(SCP_FAULTS, "rejects the association: called AE title not recognized", secured=True)
def scp_rejects(wire: Wire) -> None:
    wire.read()
    wire.send(pdu(REJECT, b"\0\x01\x01\x07"))
    wire.hold()


@_fault(SCP_FAULTS, "aborts in place of an answer", secured=True)
def scp_aborts(wire: Wire) -> None:
    wire.read()
    wire.send(pdu(ABORT, b"\0\0\x02\x00"))
    wire.hold()


@_fault(SCP_FAULTS, "accepts the association, and none of the contexts", secured=True)
def scp_accepts_nothing(wire: Wire) -> None:
    _, request = wire.read()
    wire.send(accept_pdu(request, accept=False))
    _answer_release(wire)


@_fault(SCP_FAULTS, "answers the request with a release", secured=True)
def scp_wrong_pdu(wire: Wire) -> None:
    wire.read()
    wire.send(pdu(RELEASED, bytes(4)))
    wire.hold()


@_fault(SCP_FAULTS, "answers with a PDU of a type that does not exist", secured=True)
def scp_unknown_pdu(wire: Wire) -> None:
    wire.read()
    wire.send(pdu(0x2A, b"what is this"))
    wire.hold()


@_fault(SCP_FAULTS, "announces an answer of 4 GiB", secured=True)
def scp_huge_length(wire: Wire) -> None:
    wire.read()
    wire.send(pdu(ACCEPT, bytes(64), 0xFFFFFFFF))
    wire.hold()


@_fault(SCP_FAULTS, "sends an acceptance whose items are longer than it is", secured=True)
def scp_lies_about_lengths(wire: Wire) -> None:
    _, request = wire.read()
    accept = bytearray(accept_pdu(request))
    accept[6 + 68 + 2 : 6 + 68 + 4] = b"\xff\xff"  # of the application context
    wire.send(bytes(accept))
    wire.hold()


@_fault(SCP_FAULTS, "sends the acceptance byte by byte", secured=True)
def scp_slow(wire: Wire) -> None:
    _, request = wire.read()
    wire.slowly(accept_pdu(request), _PAUSE)
    wire.hold()


@_fault(SCP_FAULTS, "sends half of the acceptance and closes", secured=True)
def scp_half_accept(wire: Wire) -> None:
    _, request = wire.read()
    accept = accept_pdu(request)
    wire.send(accept[: len(accept) // 2])


# ---- SCP, messages


def _open(wire: Wire) -> bytes:
    """Accept everything; give the first PDU after that."""
    _, request = wire.read()
    wire.send(accept_pdu(request))
    return wire.read()[1]


def _answer_release(wire: Wire) -> None:
    kind, _ = wire.read()
    if kind == RELEASE:
        wire.send(pdu(RELEASED, bytes(4)))
        wire.hold()


def _reply(wire: Wire, first: bytes, status: int, message: int | None = None) -> None:
    asked = command_of(first[6:])
    field = int.from_bytes(asked[0x0100], "little") | 0x8000
    number = int.from_bytes(asked[0x0110], "little") if message is None else message
    uid = asked[0x0002].rstrip(b"\0").decode("ascii")
    instance = asked.get(0x1000, b"").rstrip(b"\0").decode("ascii")
    answer = command(field, uid, message=number, status=status, instance=instance)
    wire.send(data_pdu(first[10], answer, is_command=True))


@_fault(SCP_FAULTS, "takes the request and never answers it", secured=True)
def scp_no_response(wire: Wire) -> None:
    _open(wire)
    wire.hold()


@_fault(SCP_FAULTS, "answers with status 0xA700, out of resources", secured=True)
def scp_failure_status(wire: Wire) -> None:
    _reply(wire, _open(wire), 0xA700)
    wire.hold()


@_fault(SCP_FAULTS, "answers a message that nobody sent", secured=True)
def scp_wrong_message(wire: Wire) -> None:
    _reply(wire, _open(wire), 0, message=0x4711)
    wire.hold()


@_fault(SCP_FAULTS, "closes as soon as the first message comes", secured=True)
def scp_drops_in_data(wire: Wire) -> None:
    _open(wire)


@_fault(SCP_FAULTS, "aborts as soon as the first message comes", secured=True)
def scp_aborts_in_data(wire: Wire) -> None:
    _open(wire)
    wire.send(pdu(ABORT, b"\0\0\x00\x00"))
    wire.hold()


@_fault(SCP_FAULTS, "answers over a context that was never proposed", secured=True)
def scp_wrong_context(wire: Wire) -> None:
    first = _open(wire)
    answer = command(0x8030, VERIFICATION, message=1, status=0)
    wire.send(data_pdu(first[10] ^ 0x80, answer, is_command=True))
    wire.hold()


@_fault(SCP_FAULTS, "sends a PDV that is longer than its PDU", secured=True)
def scp_long_pdv(wire: Wire) -> None:
    _open(wire)
    wire.send(pdu(DATA, struct.pack(">IBB", 0x7FFFFFFF, 1, 3) + bytes(32)))
    wire.hold()


# ---- SCU, around TLS


@_fault(SCU_FAULTS, "sends half of a ClientHello and stops", secured=False)
def scu_half_hello(wire: Wire) -> None:
    wire.send(_HALF_CLIENT_HELLO)
    wire.hold()


@_fault(SCU_FAULTS, "sends one byte of a ClientHello after the other", secured=False)
def scu_slow_hello(wire: Wire) -> None:
    wire.slowly(_HALF_CLIENT_HELLO, _PAUSE)
    wire.hold()


@_fault(SCU_FAULTS, "speaks plain DICOM, whatever the port is for", secured=False)
def scu_plain(wire: Wire) -> None:
    wire.send(request_pdu())
    wire.hold()


@_fault(SCU_FAULTS, "makes the handshake, then says nothing", secured=True)
def scu_no_request(wire: Wire) -> None:
    wire.hold()


@_fault(SCU_FAULTS, "makes the handshake, then resets", secured=True)
def scu_reset_after_handshake(wire: Wire) -> None:
    wire.reset()


# ---- SCU, association and messages


@_fault(SCU_FAULTS, "sends data before there is an association", secured=True)
def scu_wrong_pdu(wire: Wire) -> None:
    wire.send(data_pdu(1, command(0x0030, VERIFICATION), is_command=True))
    wire.hold()


@_fault(SCU_FAULTS, "sends a PDU of a type that does not exist", secured=True)
def scu_unknown_pdu(wire: Wire) -> None:
    wire.send(pdu(0x2A, b"what is this"))
    wire.hold()


@_fault(SCU_FAULTS, "announces a request of 4 GiB, and sends a little of it", secured=True)
def scu_huge_length(wire: Wire) -> None:
    wire.send(pdu(REQUEST, bytes(1024), 0xFFFFFFFF))
    wire.hold()


@_fault(SCU_FAULTS, "sends a request whose items are longer than it is", secured=True)
def scu_lies_about_lengths(wire: Wire) -> None:
    request = bytearray(request_pdu())
    request[6 + 68 + 2 : 6 + 68 + 4] = b"\xff\xff"
    wire.send(bytes(request))
    wire.hold()


@_fault(SCU_FAULTS, "sends the request byte by byte", secured=True)
def scu_slow(wire: Wire) -> None:
    wire.slowly(request_pdu(), _PAUSE)
    wire.hold()


@_fault(SCU_FAULTS, "sends half of the request and closes", secured=True)
def scu_half_request(wire: Wire) -> None:
    request = request_pdu()
    wire.send(request[: len(request) // 2])


@_fault(SCU_FAULTS, "calls itself by a path, as attackers do", secured=True)
def scu_path_as_title(wire: Wire) -> None:
    request = bytearray(request_pdu())
    request[6 + 4 + 16 : 6 + 4 + 32] = b"../../../etc/x  "
    wire.send(bytes(request))
    wire.hold()


def _store(wire: Wire, instance: str) -> bool:
    """Associate for CT images and send the command of a C-STORE; False if that was refused."""
    wire.send(request_pdu((CT,)))
    kind, _ = wire.read()
    if kind != ACCEPT:
        return False
    wire.send(data_pdu(1, command(1, CT, data=True, instance=instance), is_command=True))
    return True


@_fault(SCU_FAULTS, "ends in the middle of a data set", secured=True)
def scu_drops_in_data(wire: Wire) -> None:
    if _store(wire, "1.2.3.4"):
        wire.send(data_pdu(1, bytes(8192), is_command=False, last=False))


@_fault(SCU_FAULTS, "stays silent in the middle of a data set", secured=True)
def scu_silent_in_data(wire: Wire) -> None:
    if _store(wire, "1.2.3.5"):
        wire.send(data_pdu(1, bytes(8192), is_command=False, last=False))
        wire.hold()


@_fault(SCU_FAULTS, "stores an object that is named like a file elsewhere", secured=True)
def scu_path_as_name(wire: Wire) -> None:
    if _store(wire, "../../../tmp/faulty"):
        wire.send(data_pdu(1, bytes(64), is_command=False))
        wire.hold()


@_fault(SCU_FAULTS, "stores a data set that is noise", secured=True)
def scu_noise(wire: Wire) -> None:
    if _store(wire, "1.2.3.6"):
        wire.send(data_pdu(1, os.urandom(4096), is_command=False))
        wire.hold()


@_fault(SCU_FAULTS, "sends a command set that is cut short", secured=True)
def scu_cut_command(wire: Wire) -> None:
    wire.send(request_pdu())
    if wire.read()[0] == ACCEPT:
        wire.send(data_pdu(1, command(0x0030, VERIFICATION)[:-5], is_command=True))
        wire.hold()


@_fault(SCU_FAULTS, "asks for an echo and never reads the answer", secured=True)
def scu_does_not_read(wire: Wire) -> None:
    wire.send(request_pdu())
    if wire.read()[0] == ACCEPT:
        for number in range(1, 200):
            echo = command(0x0030, VERIFICATION, message=number)
            wire.send(data_pdu(1, echo, is_command=True))
        wire.stop.wait(wire.timeout)
