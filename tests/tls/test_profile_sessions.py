"""Named profiles and sessions: resumed on request where the profile lets it be, never where not; no renegotiation."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from leadtools_compat.dicom import DicomTlsProfile
from leadtools_compat.testing import TestPki
from tests.support import PATIENCE, PEER
from tests.tls.peers import CLEAN, openssl_server, own
from tests.tls.profiles import Row, linked, with_each_possible
from tests.tls.resuming import Nets, Scene
from tests.tls.tls_tools import TLS, LibraryLog, Unjudged, calls_of, rules_for

BEFORE_BCP195 = {"aes", "basic"}


def by_profile(name: str) -> type[Unjudged]:
    """Make nets that have a profile."""

    class Profiled(Unjudged):
        def Initialize(self, *arguments: Any) -> None:
            super().Initialize(*arguments)
            self.apply_tls_profile(name)

    return Profiled


def version_of(row: Row) -> str:
    return row.versions[-1]


def test_table_says_which_profiles_resume() -> None:
    resumes = {one.name: one.resumption for one in DicomTlsProfile.all()}
    assert {name for name, resumed in resumes.items() if not resumed} == BEFORE_BCP195
    assert not any(one.renegotiation for one in DicomTlsProfile.all())


@with_each_possible
def test_sessions_are_resumed_as_the_profile_says(
    rsa_pki: TestPki, nets: Nets, library_log: LibraryLog, row: Row
) -> None:
    scene = Scene(rsa_pki, nets, version_of(row))
    scene.kind = dict.fromkeys(scene.kind, by_profile(row.name))
    allowed = row.name not in BEFORE_BCP195
    assert [scene.link() for _ in range(3)] == [False, allowed, allowed]
    said = library_log.about_settings("resumption stays off")
    assert len(said) == (0 if allowed else 2)  # a context for each role
    assert all(row.name in line for line in said)


@pytest.mark.parametrize("side", ["server", "client"])
def test_one_side_with_such_a_profile_is_enough(rsa_pki: TestPki, nets: Nets, side: Any) -> None:
    scene = Scene(rsa_pki, nets, "TLSv1.2")
    scene.change("client", suites=[0x002F])
    scene.change("server", suites=[0x002F])
    assert [scene.link(), scene.link()] == [False, True]
    scene.rules[side] = rules_for(rsa_pki, side)
    scene.kind[side] = by_profile("aes")
    assert [scene.link(), scene.link()] == [False, False]


@with_each_possible
def test_openssl_s_client_that_renegotiates_is_refused(
    rsa_pki: TestPki, listen: Callable[..., Any], nets: Nets, row: Row
) -> None:
    rules = rules_for(rsa_pki, "server", flags=PEER)
    listener = listen(lambda: nets(rules.apply(by_profile(row.name)(TLS))))
    options = (*own(rsa_pki.client), "-CAfile", rsa_pki.ca_file, "-tls1_2", "-cipher")
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{listener.HostPort}", *options]
    with subprocess.Popen(
        [*command, "ALL:@SECLEVEL=0"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=CLEAN,
    ) as process:
        assert process.stdin is not None
        assert linked(listener.child())
        process.stdin.write("R\n")
        process.stdin.flush()
        printed, _ = process.communicate(timeout=PATIENCE)
    assert "RENEGOTIATING" in printed
    assert "no renegotiation" in printed


def test_our_client_does_not_renegotiate_with_openssl_s_server(
    rsa_pki: TestPki, nets: Nets
) -> None:
    with openssl_server(*own(rsa_pki.server), "-tls1_2") as server:
        rules = rules_for(rsa_pki, "client", flags=PEER)
        client = nets(rules.apply(by_profile("B.12")(TLS)))
        client.Connect(None, 0, "127.0.0.1", server.port)
        assert linked(client)
        judged = len(calls_of(client))
        server.type("r\n")
        server.wait_for("no renegotiation")
        assert len(calls_of(client)) == judged
