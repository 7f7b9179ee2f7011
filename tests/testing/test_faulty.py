"""Peers that misbehave: each does what it says, ends when told to, and our nodes outlive all of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydicom.data import get_testdata_file

from leadtools_compat.testing import (
    FaultyScp,
    FaultyScu,
    NodeError,
    SecureScp,
    SecureScu,
    TestPki,
)
from tests.support import PATIENCE

# What a client of ours says to each: stage, and words of the record or its remedy.
TOLD: dict[str, tuple[str, str]] = {
    "silent": ("tls", "sent nothing"),
    "closes": ("tls", "aborted"),
    "resets": ("", "aborted"),  # before or after the client sees itself connected
    "garbage": ("tls", "not TLS|does not speak TLS|unknown"),
    "http": ("tls", "HTTP"),
    "half_hello": ("tls", "began the handshake"),
    "reset_after_alert": ("tls", "cipher suite"),
    "reset_after_handshake": ("", "aborted"),
    "no_accept": ("association", "timed out"),
    "rejects": ("association", "called AE title"),
    "aborts": ("association", "aborted"),
    "accepts_nothing": ("", "does not accept"),
    "wrong_pdu": ("association", "PDU"),
    "unknown_pdu": ("", "does not speak DICOM"),
    "huge_length": ("association", "PDU"),
    "lies_about_lengths": ("association", "PDU|item"),
    "slow": ("association", "timed out"),
    "half_accept": ("association", "closed"),
    "no_response": ("", "no answer"),
    "failure_status": ("", "RefusedOutOfResources"),
    "wrong_message": ("", "which was not sent"),
    "drops_in_data": ("close", "aborted|closed"),
    "aborts_in_data": ("association", "aborted"),
    "wrong_context": ("", "context"),
    "long_pdv": ("", "PDU|PDV"),
}


def impatient(pki: TestPki) -> SecureScu:
    return SecureScu(pki.client, pki.ca_file, timeout=0.7)


def test_all_faults_of_servers_are_told_by_our_client_or_known_to_end_well() -> None:
    assert set(TOLD) | {"late"} == set(FaultyScp.faults())
    assert all(FaultyScp.faults().values())
    assert all(FaultyScu.faults().values())


@pytest.mark.parametrize("fault", TOLD)
def test_our_client_names_what_a_faulty_server_does(pki: TestPki, fault: str) -> None:
    stage, words = TOLD[fault]
    with FaultyScp(fault, pki.server, pki.ca_file) as scp:
        # The slow sender of bytes comes to an end only by the client's patience.
        with pytest.raises(NodeError) as caught:
            impatient(pki).echo(scp.port)
        assert scp.visits == 1
    record = caught.value.failure
    told = f"{caught.value} {caught.value.remedy} {record or ''}"
    assert any(word.lower() in told.lower() for word in words.split("|")), told
    if stage:
        assert record is not None, told
        assert record.stage == stage, told
    assert caught.value.remedy or record is None, told


def test_server_that_is_late_is_waited_for(pki: TestPki) -> None:
    with FaultyScp("late", pki.server, pki.ca_file) as scp:
        began = time.monotonic()
        assert SecureScu(pki.client, pki.ca_file).echo(scp.port).verified
        assert time.monotonic() - began >= 1.9


@pytest.mark.parametrize("fault", FaultyScu.faults())
@pytest.mark.parametrize("tls", [True, False], ids=["tls", "plain"])
def test_faulty_client_disturbs_neither_our_server_nor_others(
    pki: TestPki, tmp_path: Path, fault: str, tls: bool, make_secure_scp: Callable[..., SecureScp]
) -> None:
    from leadtools_compat._nodes.client import VERIFICATION, Client, Context, Node
    from leadtools_compat._nodes.receiver import Receiver

    server: Any
    if tls:
        server = make_secure_scp(pki.server, ca_file=pki.ca_file)
        port = server.port
    else:
        server = Receiver(tmp_path)
        port = server.start("127.0.0.1", 0)

    def echo() -> None:
        if tls:
            assert SecureScu(pki.client, pki.ca_file).echo(port).verified
            return
        with Client(Node("127.0.0.1", port), None, PATIENCE) as client:
            client.open().associate([Context(VERIFICATION)])
            assert client.echo().good
            client.release()

    with server:
        with FaultyScu(fault, port, identity=pki.client if tls else None):
            echo()
        echo()
        # Noise is kept as it is, under its own name; nothing else may be there.
        kept = [path.name for path in server.folder.iterdir()]
        assert [name for name in kept if name not in ("1.2.3.6.dcm",)] == []
    assert not Path("/tmp/faulty").exists()


def test_misspelt_fault_is_refused_with_the_nearest_one(pki: TestPki) -> None:
    with pytest.raises(ValueError, match="did you mean 'half_hello'"):
        FaultyScp("half_helo", pki.server)


def test_objects_are_stored_by_the_secure_nodes(
    secure_scp: SecureScp, secure_scu: SecureScu
) -> None:
    file = get_testdata_file("CT_small.dcm")
    assert isinstance(file, str)
    secure_scu.store(secure_scp.port, file)
    assert [path.suffix for path in secure_scp.files] == [".dcm"]
