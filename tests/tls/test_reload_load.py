"""Certificates that change under many associations: none is dropped, and nothing is left."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat.testing import TestPki
from tests.dicom.nodes import IMPLICIT, VERIFICATION, Node, Scp, close_after_release, request
from tests.robustness.robust_leaks import allocated
from tests.robustness.robust_tools import sanitized
from tests.support import PATIENCE, connect
from tests.tls.reload_site import Nets, Site, other
from tests.tls.tls_tools import CODES, TLS, rules_for


@pytest.fixture
def site(pki: TestPki, tmp_path: Path, nets: Nets) -> Site:
    """A listener that listens."""
    return Site(pki, tmp_path, nets).listen()


class Crowd:
    """Associations that send one C-ECHO after the other until they are told to stop."""

    def __init__(self, site: Site, count: int, threads: int) -> None:
        self.site = site
        self.stop = threading.Event()
        self.problems: list[BaseException] = []
        self.echoes = 0
        self.scus = [self._associated() for _ in range(count)]
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._run, args=(self.scus[number::threads],))
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def _associated(self) -> Any:
        net = Node(TLS, OnReceiveReleaseResponse=close_after_release)
        scu = self.site.nets(rules_for(self.site.pki, "client").apply(net))
        connect(scu, self.site.listener)
        assert scu.log.wait("OnSecureLinkReady").code == CODES.Success
        with request((VERIFICATION, IMPLICIT)) as asked:
            scu.SendAssociateRequest(asked)
        scu.log.wait("OnReceiveAssociateAccept")
        return scu

    def _run(self, scus: list[Any]) -> None:
        turn = 0
        try:
            while not self.stop.is_set():
                turn += 1
                for scu in scus:
                    scu.SendCEchoRequest(1, turn, VERIFICATION)
                for scu in scus:
                    scu.log.wait("OnReceiveCEchoResponse", turn)
                with self._lock:
                    self.echoes += len(scus)
        except BaseException as error:  # noqa: BLE001 - for the main thread
            self.problems.append(error)

    def end(self) -> None:
        """Stop; every association must still be there, and end in good order."""
        self.stop.set()
        for thread in self._threads:
            thread.join(PATIENCE * 3)
        assert self.problems == []
        for scu in self.scus:
            assert scu.log.all("OnClose") == []
            scu.SendReleaseRequest()
        for scu in self.scus:
            assert scu.log.wait("OnClose").code == CODES.Success


def reload_under_load(site: Site, reloads: int, associations: int, threads: int) -> None:
    """Reload with another certificate and lists each time; nothing is dropped, nothing is left."""
    pki = site.pki
    site.listener.make_child = lambda: site.nets(Scp(TLS))
    faces = [pki.server, other(pki), pki.make("good_rsa", "server")]
    crowd = Crowd(site, associations, threads)
    memory = []
    began = time.monotonic()
    for turn in range(reloads):
        face = faces[turn % 3]
        site.show(face)
        site.revoke(*faces[: turn % 2])
        site.listener.reload_tls()
        if turn % 5 == 0:
            client = rules_for(pki, "client").net()
            connect(client, site.listener)
            assert client.log.wait("OnSecureLinkReady").code == CODES.Success
            assert client.tls_peer_certificates[0] == face.chain_der[0]
            client.Dispose()
        memory.append(allocated())
    took = time.monotonic() - began
    crowd.end()
    grown = memory[-1] - memory[reloads // 3]
    print(
        f"{reloads} reloads in {took:.1f} s under {associations} associations with {crowd.echoes} "
        f"echoes; {grown} bytes more than after a third of them"
    )
    assert crowd.echoes >= associations
    if not sanitized():
        # A context is 100 KiB and more.
        assert grown < (reloads - reloads // 3) * 32 * 1024


def test_twenty_reloads_under_ten_associations_drop_none_and_leave_nothing(site: Site) -> None:
    reload_under_load(site, 20, 10, 3)


@pytest.mark.soak
def test_two_hundred_reloads_under_fifty_associations_drop_none_and_leave_nothing(
    site: Site,
) -> None:
    reload_under_load(site, 200, 50, 8)
