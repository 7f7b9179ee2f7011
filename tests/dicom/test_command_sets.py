"""The vectors of tests/csrc/command_vectors.h are what pynetdicom sends for the same messages.

The C unit compares the library with the vectors, this compares the vectors with another implementation.
"""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pynetdicom import dimse_messages, dimse_primitives

SOURCE = Path(__file__).resolve().parents[1] / "csrc" / "command_vectors.h"
CT = "1.2.840.10008.5.1.4.1.1.2"
FIND = "1.2.840.10008.5.1.4.1.2.2.1"
ECHO = "1.2.840.10008.1.1"

AFFECTED = {"AffectedSOPClassUID": "1.2.3", "AffectedSOPInstanceUID": "1.2.3.4"}
REQUESTED = {"RequestedSOPClassUID": "1.2.3", "RequestedSOPInstanceUID": "1.2.3.4"}
COUNTS = {
    "NumberOfCompletedSuboperations": 2,
    "NumberOfFailedSuboperations": 3,
    "NumberOfWarningSuboperations": 4,
}
DATA = BytesIO(b"\x08\x00\x18\x00\x02\x00\x00\x001\x00")

# Name of the vector (that of the message but for case and what follows the message): attributes of the primitive.
# "data" is the data set, under the name that the primitive has for it.
MESSAGES: dict[str, dict[str, Any]] = {
    "c_store_rq": {
        "MessageID": 7,
        "AffectedSOPClassUID": CT,
        "AffectedSOPInstanceUID": "1.2.3.4",
        "Priority": 2,
        "DataSet": DATA,
    },
    "c_store_rq_moved": {
        "MessageID": 7,
        "AffectedSOPClassUID": CT,
        "AffectedSOPInstanceUID": "1.2.3.4",
        "Priority": 0,
        "MoveOriginatorApplicationEntityTitle": "MOVER",
        "MoveOriginatorMessageID": 65535,
        "DataSet": DATA,
    },
    "c_store_rsp": {
        "MessageIDBeingRespondedTo": 7,
        "AffectedSOPClassUID": CT,
        "AffectedSOPInstanceUID": "1.2.3.4",
        "Status": 0xA700,
    },
    "c_find_rq": {
        "MessageID": 258,
        "AffectedSOPClassUID": FIND,
        "Priority": 1,
        "Identifier": DATA,
    },
    "c_find_rsp": {
        "MessageIDBeingRespondedTo": 258,
        "AffectedSOPClassUID": FIND,
        "Status": 0xFF00,
        "Identifier": DATA,
    },
    "c_get_rq": {
        "MessageID": 7,
        "AffectedSOPClassUID": "1.2.3",
        "Priority": 0,
        "Identifier": DATA,
    },
    "c_get_rsp": {
        "MessageIDBeingRespondedTo": 7,
        "AffectedSOPClassUID": "1.2.3",
        "Status": 0xFF00,
        "NumberOfRemainingSuboperations": 1,
        **COUNTS,
    },
    "c_move_rq": {
        "MessageID": 7,
        "AffectedSOPClassUID": "1.2.3",
        "Priority": 0,
        "MoveDestination": "DEST",
        "Identifier": DATA,
    },
    "c_move_rsp": {
        "MessageIDBeingRespondedTo": 7,
        "AffectedSOPClassUID": "1.2.3",
        "Status": 0,
        **COUNTS,
    },
    "c_cancel_rq": {"MessageIDBeingRespondedTo": 7},
    "c_echo_rq": {"MessageID": 7, "AffectedSOPClassUID": ECHO},
    "c_echo_rsp": {"MessageIDBeingRespondedTo": 7, "AffectedSOPClassUID": ECHO, "Status": 0},
    "n_event_report_rq": {
        "MessageID": 7,
        **AFFECTED,
        "EventTypeID": 2,
        "EventInformation": DATA,
    },
    "n_event_report_rsp": {
        "MessageIDBeingRespondedTo": 7,
        **AFFECTED,
        "Status": 0x0110,
        "EventTypeID": 2,
    },
    "n_get_rq": {
        "MessageID": 7,
        **REQUESTED,
        "AttributeIdentifierList": [0x00100010, 0x7FE10010],
    },
    "n_get_rsp": {
        "MessageIDBeingRespondedTo": 7,
        **AFFECTED,
        "Status": 0,
        "AttributeList": DATA,
    },
    "n_set_rq": {"MessageID": 7, **REQUESTED, "ModificationList": DATA},
    "n_set_rsp": {"MessageIDBeingRespondedTo": 7, **AFFECTED, "Status": 0x0106},
    "n_action_rq": {
        "MessageID": 7,
        **REQUESTED,
        "ActionTypeID": 1,
        "ActionInformation": DATA,
    },
    "n_action_rsp": {
        "MessageIDBeingRespondedTo": 7,
        **AFFECTED,
        "Status": 0,
        "ActionTypeID": 1,
    },
    "n_create_rq": {"MessageID": 7, "AffectedSOPClassUID": "1.2.3", "AttributeList": DATA},
    "n_create_rsp": {
        "MessageIDBeingRespondedTo": 7,
        **AFFECTED,
        "Status": 0,
        "AttributeList": DATA,
    },
    "n_delete_rq": {"MessageID": 7, **REQUESTED},
    "n_delete_rsp": {"MessageIDBeingRespondedTo": 7, **AFFECTED, "Status": 0x0112},
}


def read_vectors() -> dict[str, bytes]:
    """Read the VECTOR(name, "hex and 'text'"...) lines of the C unit."""
    source = SOURCE.read_text(encoding="utf-8")
    vectors: dict[str, bytes] = {}
    for name, literals in re.findall(r'^VECTOR\((\w+),\s*((?:"[^"]*"\s*)+)\);', source, re.M):
        text = "".join(re.findall(r'"([^"]*)"', literals))
        parts = re.findall(r"'[^']*'|[0-9A-F]{2}", text)
        vectors[name] = b"".join(
            part.strip("'").encode() if part.startswith("'") else bytes.fromhex(part)
            for part in parts
        )
    return vectors


VECTORS = read_vectors()


def pynetdicom_bytes(name: str, attributes: dict[str, Any]) -> bytes:
    """Let pynetdicom encode the command set of a message."""
    found = re.match(r"(\w+)_(rq|rsp)", name)
    assert found is not None
    primitive = getattr(dimse_primitives, found[1].upper())()
    for attribute, value in attributes.items():
        setattr(primitive, attribute, value)
    message = getattr(dimse_messages, found[0].upper())()
    message.primitive_to_message(primitive)
    command = b""
    for data in message.encode_msg(1, 65536):
        for _, fragment in data.presentation_data_value_list:
            if fragment[0] & 1:
                command += fragment[1:]
    return command


def test_every_message_has_a_vector() -> None:
    assert set(VECTORS) == {*MESSAGES, "everything_else"}


@pytest.mark.parametrize("name", MESSAGES)
def test_the_vector_is_what_pynetdicom_sends(name: str) -> None:
    assert pynetdicom_bytes(name, MESSAGES[name]).hex(" ") == VECTORS[name].hex(" ")
