"""Options about whole chains, policies, resumption, optional certificates and staples by name."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from pathlib import Path

import pytest

from leadtools_compat._nodes.tls_demands import TlsDemands
from leadtools_compat.testing import TestPki
from tests.cli.conftest import Run, Serve
from tests.cli.test_demands import scp
from tests.support import PATIENCE
from tests.tls.issued import issue
from tests.tls.peers import CLEAN, openssl_client, own


def test_full_chain_takes_no_intermediate_for_its_end(run: Run, serve: Serve, pki: TestPki) -> None:
    port = serve(pki.server).HostPort
    own_one = ("--cert", pki.client.combined_file)
    intermediate = ("--ca", pki.intermediate.certificate_file)
    assert run("echo", "localhost", port, *own_one, *intermediate).code == 0
    told = run("echo", "localhost", port, *own_one, *intermediate, "--full-chain")
    assert told.code == 4
    assert "UnableToGetIssuerCert" in told.err
    assert run("echo", "localhost", port, *own_one, "--ca", pki.ca_file, "--full-chain").code == 0


def test_policy_that_the_peer_lacks_refuses_it(
    run: Run, serve: Serve, pki: TestPki, mutual: list[str]
) -> None:
    port = serve(pki.server).HostPort
    told = run("echo", "localhost", port, *mutual, "--policy", "1.2.3.4")
    assert told.code == 4
    assert "NoExplicitPolicy" in told.err
    assert run("echo", "localhost", port, *mutual, "--policy", "policy").code == 6


@pytest.mark.parametrize(
    "options",
    [
        ("--policy", "1.2.3.4", "--no-verify"),
        ("--cert-optional", "--no-verify"),
        ("--cert-optional", "--pin", "cert:" + "00" * 32),
        ("--also-staple", "OWN"),
    ],
)
def test_contradictions_at_a_server_are_refused(
    run: Run, pki: TestPki, mutual: list[str], tmp_path: Path, options: tuple[str, ...]
) -> None:
    given = [pki.server.certificate_file if one == "OWN" else one for one in options]
    assert run("scp", 0, tmp_path / "kept", *mutual, *given).code == 2


def test_scp_lets_the_oldest_unfinished_handshake_of_an_address_go(
    run: Run, pki: TestPki, mutual: list[str], tmp_path: Path
) -> None:
    options = ("--cert", pki.server.combined_file, "--ca", pki.ca_file, "--handshakes", 2)
    with scp(tmp_path / "kept", *options) as port, contextlib.ExitStack() as stack:
        silent = []
        for _ in range(3):
            peer = socket.create_connection(("127.0.0.1", port), PATIENCE)
            silent.append(stack.enter_context(peer))
        assert silent[0].recv(1) == b""
        assert run("echo", "localhost", port, *mutual).code == 0
        assert silent[1].recv(1) == b""
        silent[2].setblocking(False)
        with pytest.raises(BlockingIOError):
            silent[2].recv(1)


def reconnected(port: int, pki: TestPki) -> str:
    """Let ``s_client`` come back five times with its session, as TLS 1.2 has it."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-reconnect", "-tls1_2"]
    done = subprocess.run(
        [*command, *own(pki.client), "-CAfile", pki.ca_file],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=CLEAN,
        timeout=PATIENCE,
        check=False,
    )
    return done.stdout


def test_scp_resumes_where_it_is_told_to(serve: Serve, pki: TestPki, tmp_path: Path) -> None:
    options = ("--cert", pki.server.combined_file, "--ca", pki.ca_file, "--address", "127.0.0.1")
    with scp(tmp_path / "one", *options, "--resume") as port:
        assert reconnected(port, pki).count("\nReused, TLSv1.2") == 5
    assert reconnected(serve(pki.server).HostPort, pki).count("\nReused, TLSv1.2") == 0


def test_client_resumes_where_it_is_told_to(
    run: Run, serve: Serve, pki: TestPki, mutual: list[str]
) -> None:
    port = serve(pki.server, demands=TlsDemands(resume=True)).HostPort

    def resumed(*more: str) -> bool:
        told = run("echo", "127.0.0.1", port, *mutual, "--no-host-check", "--json", *more)
        answer: bool = told.document["link"]["resumed"]
        return answer

    client = ("--resume", "--ocsp", "off")
    resumed(*client)
    assert [resumed(*client) for _ in range(2)] == [True, True]
    assert not resumed("--ocsp", "off")
    # A staple that was asked for and does not come leaves nothing to go by.
    assert [resumed("--resume") for _ in range(2)] == [False, False]


def test_scp_may_take_clients_without_a_certificate_but_none_with_a_bad_one(
    run: Run, serve: Serve, pki: TestPki, tmp_path: Path
) -> None:
    options = ("--cert", pki.server.combined_file, "--ca", pki.ca_file, "--cert-optional")
    bad = pki.make("expired", role="client").combined_file
    with scp(tmp_path / "kept", *options) as port:
        client = ("echo", "localhost", port, "--ca", pki.ca_file)
        assert run(*client).code == 0
        assert run(*client, "--cert", pki.client.combined_file).code == 0
        assert run(*client, "--cert", bad).code == 4
    port = serve(pki.server).HostPort
    assert run("echo", "localhost", port, "--ca", pki.ca_file).code == 4


def test_scp_serves_staples_by_name_and_names_authorities_unless_told_not_to(
    serve: Serve, pki: TestPki, tmp_path: Path
) -> None:
    second = issue(pki, tmp_path, "second", names=["second.test"])
    third = issue(pki, tmp_path, "third", names=["third.test"])
    options = ("--cert", pki.server.combined_file, "--ca", pki.ca_file, "--address", "127.0.0.1")
    more = ("--also-cert", second.combined_file, "--also-cert", third.combined_file)
    staple = ("--also-staple", pki.ocsp(second, "revoked", name="cli-second"))
    with scp(tmp_path / "kept", *options, *more, *staple, "--no-ca-names") as port:
        asked = (*own(pki.client), "-status", "-servername")
        printed = openssl_client(port, *asked, "second.test")
        assert "Cert Status: revoked" in printed
        assert "No client certificate CA names sent" in printed
        for name in ("third.test", "localhost"):
            assert "no response sent" in openssl_client(port, *asked, name)
    printed = openssl_client(serve(pki.server).HostPort, *own(pki.client))
    assert "Acceptable client certificate CA names" in printed
