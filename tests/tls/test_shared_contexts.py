"""Files are read and parsed once, contexts are built once; and nobody notices but by the clock.

Nobody must notice: every error comes at the call where it came without all this, a changed file
counts at once, and a key is gone with its last net.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key

from leadtools_compat._binding import reads
from leadtools_compat.testing import TestPki
from tests.support import PATIENCE, python, refused
from tests.tls.tls_tools import (
    CODES,
    PEM,
    SIDES,
    LibraryLog,
    Meeting,
    Rules,
    rules_for,
    set_suites,
)

Nets = Callable[[Any], Any]
Meet = Callable[..., Meeting]

SETTLED = 3.1
"""Seconds after which the library takes a file for unchanged when its times are."""


def files_read() -> int:
    """Give how many files the library has read."""
    return reads.statistics()["files_read"]


def settled(*files: str | Path) -> None:
    """Wait until the last change of the files is so long ago that a next one must show."""
    for file in files:
        while (age := time.time() - Path(file).stat().st_ctime) < SETTLED:
            threading.Event().wait(SETTLED - age)


@pytest.fixture
def settled_pki(pki: TestPki) -> TestPki:
    """The PKI of the run, whose files may be remembered."""
    settled(pki.ca_file, pki.server.combined_file, pki.client.combined_file)
    return pki


# ---- files


def test_second_connection_reads_no_file(settled_pki: TestPki, nets: Nets, meet: Meet) -> None:
    rules = [rules_for(settled_pki, side) for side in SIDES]
    kept = [nets(one.net()) for one in rules]
    before = files_read()
    assert meet(*rules).linked
    assert files_read() == before
    del kept


def test_next_child_reads_no_file_though_the_one_before_is_gone_and_the_listener_has_no_key(
    settled_pki: TestPki, nets: Nets, listen: Any
) -> None:
    rules = rules_for(settled_pki, "server")
    listener = listen(lambda: rules.net())
    client = nets(rules_for(settled_pki, "client").net())
    counts = []
    for turn in (1, 2, 3):
        client.Connect(None, 0, "127.0.0.1", listener.HostPort)
        assert client.log.wait("OnSecureLinkReady", turn).code == CODES.Success
        child = listener.child(turn)
        client.Close()
        client.log.wait("OnClose", turn)
        listener.log.wait("OnClose", turn)
        child.Dispose()
        counts.append(files_read())
    assert counts[1] == counts[0]
    assert counts[2] == counts[0]


def test_a_young_file_is_read_each_time(pki: TestPki, nets: Nets, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_bytes(Path(pki.ca_file).read_bytes())
    before = files_read()
    for _ in range(2):
        nets(Rules(ca=str(file)).net())
    assert files_read() == before + 2
    settled(file)
    for _ in range(3):
        nets(Rules(ca=str(file)).net())
    assert files_read() == before + 3


def test_young_file_that_changes_within_one_tick_of_the_clock_counts_at_once(
    pki: TestPki, nets: Nets, tmp_path: Path, meet: Meet
) -> None:
    good = Path(pki.ca_file).read_bytes()
    other = Path(pki.make("self_signed", "server").certificate_file).read_bytes()
    size = max(len(good), len(other))
    file = tmp_path / "ca.pem"
    for content, linked in [(good, True), (other, False)] * 2:
        file.write_bytes(content.ljust(size, b"\n"))
        os.utime(file, ns=(1, 1))
        meeting = meet(rules_for(pki, "server"), rules_for(pki, "client", ca=str(file)))
        assert meeting.linked == linked


def test_settled_file_that_is_replaced_counts_at_once(
    pki: TestPki, meet: Meet, tmp_path: Path
) -> None:
    good = Path(pki.ca_file).read_bytes()
    other = Path(pki.make("self_signed", "server").certificate_file).read_bytes()
    size = max(len(good), len(other))
    file = tmp_path / "ca.pem"
    file.write_bytes(good.ljust(size, b"\n"))
    times = (file.stat().st_atime_ns, file.stat().st_mtime_ns)
    settled(file)
    rules = rules_for(pki, "server"), rules_for(pki, "client", ca=str(file))
    assert meet(*rules).linked
    file.write_bytes(other.ljust(size, b"\n"))
    os.utime(file, ns=times)  # as cp -p and rsync do
    assert not meet(*rules).linked
    fresh = tmp_path / "fresh.pem"
    fresh.write_bytes(good.ljust(size, b"\n"))
    fresh.replace(file)
    assert meet(*rules).linked


def test_file_that_is_gone_or_forbidden_is_an_error_though_its_content_is_known(
    pki: TestPki, nets: Nets, tmp_path: Path
) -> None:
    file = tmp_path / "both.pem"
    file.write_bytes(Path(pki.client.combined_file).read_bytes())
    ca = tmp_path / "ca.pem"
    ca.write_bytes(Path(pki.ca_file).read_bytes())
    settled(file, ca)
    for _ in range(2):
        net = nets(Rules(ca=str(ca)).net())
        net.SetTlsClientCertificate(str(file), PEM, None)
    file.unlink()
    ca.unlink()
    with refused(CODES.TlsCertificateFile, "No such file"):
        net.SetTlsClientCertificate(str(file), PEM, None)
    with refused(CODES.TlsCAFile, "No such file"):
        Rules(ca=str(ca)).apply(net)


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to become somebody else")
def test_file_that_this_user_may_not_read_any_more_is_an_error(
    pki: TestPki, tmp_path: Path
) -> None:
    file = tmp_path / "both.pem"
    file.write_bytes(Path(pki.client.combined_file).read_bytes())
    file.chmod(0o600)
    program = textwrap.dedent(
        f"""
        import os, time
        from leadtools_compat.dicom import *
        net = DicomNet(None, DicomNetSecurityMode.Tls)
        while time.time() - os.stat({str(file)!r}).st_ctime < {SETTLED}:
            time.sleep(0.1)
        for _ in range(2):
            net.SetTlsClientCertificate({str(file)!r}, DicomTlsCertificateType.Pem, None)
        os.setresuid(65534, 65534, 65534)
        try:
            net.SetTlsClientCertificate({str(file)!r}, DicomTlsCertificateType.Pem, None)
        except DicomException as error:
            print(error.Code)
        """
    )
    done = python("-c", program)
    assert (done.stdout, done.stderr) == ("TlsCertificateFile\n", "")


def test_same_bytes_from_memory_and_from_a_file_are_one(
    settled_pki: TestPki, nets: Nets, meet: Meet
) -> None:
    content = Path(settled_pki.client.combined_file).read_bytes()
    net = nets(rules_for(settled_pki, "client", identity=None).net())
    net.SetTlsClientCertificate(content, PEM)
    other = nets(rules_for(settled_pki, "client").net())
    assert meet(rules_for(settled_pki, "server"), rules_for(settled_pki, "client")).linked
    del net, other


# ---- keys


@pytest.mark.parametrize("form", ["file", "bytes"])
def test_password_is_asked_for_and_checked_each_time(pki: TestPki, nets: Nets, form: str) -> None:
    file = pki.client.encrypted_file
    settled(file)
    source: Any = file if form == "file" else Path(file).read_bytes()

    def load(password: str | None) -> Any:
        net = nets(
            rules_for(pki, "client", identity=None).net(
                OnPrivateKeyPassword=lambda net, encryption: password
            )
        )
        try:
            net.SetTlsClientCertificate(source, PEM)
        finally:
            assert len(net.log.all("OnPrivateKeyPassword")) == 1
        return net

    first = load("test")
    for wrong in ("wrong", "Test", "test ", "x" * 1025, "", None):
        with refused(CODES.TlsPrivateKeyPassword):
            load(wrong)
    before = files_read()
    assert load("test") is not None
    assert files_read() == before
    del first


def test_exception_in_onprivatekeypassword_comes_out_though_the_key_is_known(
    pki: TestPki, nets: Nets
) -> None:
    nets(rules_for(pki, "client", identity=None).net()).SetTlsClientCertificate(
        pki.client.encrypted_file, PEM
    )

    def fail(net: Any, encryption: bool) -> str:
        raise LookupError("no password here")

    net = nets(rules_for(pki, "client", identity=None).net(OnPrivateKeyPassword=fail))
    with pytest.raises(LookupError, match="no password here"):
        net.SetTlsClientCertificate(pki.client.encrypted_file, PEM)


def test_key_that_fits_the_certificate_only_by_name_is_another_key(
    pki: TestPki, nets: Nets, tmp_path: Path
) -> None:
    good = nets(rules_for(pki, "client").net())
    mixed = tmp_path / "mixed.pem"
    mixed.write_text(
        Path(pki.client.certificate_file).read_text() + Path(pki.server.key_file).read_text()
    )
    with refused(CODES.TlsKeyMismatch):
        good.SetTlsClientCertificate(str(mixed), PEM)
    with refused(CODES.TlsKeyMismatch):
        good.SetTlsClientCertificate(pki.client.certificate_file, PEM, pki.server.key_file)


LAST_NET = """
import sys
from leadtools_compat.dicom import *

ca, file = sys.argv[1:]
nets = []
for _ in range(3):
    net = DicomNet(None, DicomNetSecurityMode.Tls)
    net.Initialize(None, DicomNetSecurityMode.Tls, DicomOpenSslContextCreationSettings(
        DicomSslMethodType.SslV23, ca, DicomOpenSslVerificationFlags.Peer))
    net.SetTlsClientCertificate(file, DicomTlsCertificateType.Pem, None)
    net.Connect(None, 0, "127.0.0.1", 1)
    nets.append(net)
print("loaded", flush=True)
input()
for net in nets:
    net.Dispose()
print("disposed", flush=True)
input()
"""


def is_in_memory(process: int, needle: bytes) -> bool:
    """Look through the writable memory of another process."""
    for line in Path(f"/proc/{process}/maps").read_text().splitlines():
        span, rights, *_ = line.split()
        start, end = (int(one, 16) for one in span.split("-"))
        if rights.startswith("rw"):
            try:
                with Path(f"/proc/{process}/mem").open("rb", 0) as memory:
                    memory.seek(start)
                    if needle in memory.read(end - start):
                        return True
            except OSError:  # unmapped meanwhile, or the kernel's own
                continue
    return False


def test_no_key_outlives_its_last_net(tmp_path: Path) -> None:
    pki = TestPki(tmp_path, seed="last net", key="rsa")
    key = load_der_private_key(Path(pki.client.key_der_file).read_bytes(), None)
    assert isinstance(key, RSAPrivateKey)
    # A piece of the private exponent as OpenSSL holds it: in limbs, the low end first.
    needle = key.private_numbers().d.to_bytes(256, "little")[32:96]
    command = [sys.executable, "-c", LAST_NET, pki.ca_file, pki.client.combined_file]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            assert child.stdout.readline() == "loaded\n"
            assert is_in_memory(child.pid, needle)
            child.stdin.write("\n")
            child.stdin.flush()
            assert child.stdout.readline() == "disposed\n"
            end = time.monotonic() + PATIENCE  # the workers let go within moments
            while is_in_memory(child.pid, needle):
                assert time.monotonic() < end, "the key is still there"
        finally:
            child.kill()


# ---- contexts


def test_nets_with_different_settings_do_not_get_each_others_context(
    pki: TestPki, nets: Nets, meet: Meet
) -> None:
    server = rules_for(pki, "server")
    for suite in (0x1301, 0x1302, 0x1303, 0x1301):
        meeting = meet(server, rules_for(pki, "client", suites=[suite]))
        assert meeting.linked
        assert meeting.client.GetTlsCipherSuite() == suite
    for ca, linked in [(pki.ca_file, True), (None, False), (pki.ca_file, True)]:
        assert meet(server, rules_for(pki, "client", ca=ca)).linked == linked
    for host, linked in [("localhost", True), ("elsewhere.example", False), (None, True)]:
        assert meet(server, rules_for(pki, "client", host=host)).linked == linked
    for names in (True, False, True):
        meeting = meet(rules_for(pki, "server", send_ca_names=names), rules_for(pki, "client"))
        assert bool(reads.tls_info(meeting.client._DicomNet__state.handle, 9)) == names


def test_setting_that_changes_between_two_connections_of_one_net_counts(
    pki: TestPki, nets: Nets, listen: Any
) -> None:
    listener = listen(lambda: nets(rules_for(pki, "server").net()))
    client = nets(rules_for(pki, "client").net())
    for turn, suite in enumerate((0x1301, 0x1302, 0x1301), 1):
        set_suites(client, [suite])
        client.Connect(None, 0, "127.0.0.1", listener.HostPort)
        assert client.log.wait("OnSecureLinkReady", turn).code == CODES.Success
        assert client.GetTlsCipherSuite() == suite
        client.Close()
        client.log.wait("OnClose", turn)


def test_new_certificate_of_a_net_is_the_one_that_it_shows(
    pki: TestPki, nets: Nets, listen: Any
) -> None:
    children: list[Any] = []

    def child() -> Any:
        children.append(nets(rules_for(pki, "server").net()))
        return children[-1]

    listener = listen(child)
    client = nets(rules_for(pki, "client").net())
    other = pki.issue("Another Client")
    for turn, identity in enumerate((pki.client, other, pki.client), 1):
        client.SetTlsClientCertificate(identity.combined_file, PEM, None)
        client.Connect(None, 0, "127.0.0.1", listener.HostPort)
        assert client.log.wait("OnSecureLinkReady", turn).code == CODES.Success
        listener.child(turn).log.wait("OnSecureLinkReady")
        assert children[-1].tls_peer_certificates[0] == identity.chain_der[0]
        client.Close()
        client.log.wait("OnClose", turn)


def test_warning_is_said_once_for_all_nets_that_share_and_again_when_they_are_gone(
    pki: TestPki, nets: Nets, library_log: LibraryLog
) -> None:
    def net() -> Any:
        one = nets(rules_for(pki, "client", suites=[0x1234, 0x1301]).net())
        one.Connect(None, 0, "127.0.0.1", 1)
        return one

    first = net()
    library_log.wait("0x1234", "unknown and skipped")
    count = len(library_log.about_settings("unknown and skipped"))
    second = net()
    assert len(library_log.about_settings("unknown and skipped")) == count
    first.Dispose()
    second.Dispose()
    net()
    assert len(library_log.about_settings("unknown and skipped")) == count + 1


def test_context_that_cannot_be_built_is_an_error_each_time(pki: TestPki, nets: Nets) -> None:
    for _ in range(2):
        client = nets(
            rules_for(pki, "client", identity=pki.make("weak_key_rsa1024", "client")).net()
        )
        for _ in range(2):
            with refused(CODES.TlsWeakKey):
                client.Connect(None, 0, "127.0.0.1", 1)


def test_many_threads_with_the_same_and_other_settings(
    pki: TestPki, nets: Nets, listen: Any
) -> None:
    listener = listen(lambda: nets(rules_for(pki, "server").net()))
    problems: list[BaseException] = []

    def run(number: int) -> None:
        try:
            for turn in range(4):
                suite = (0x1301, 0x1302, 0x1303)[(number + turn) % 3]
                with rules_for(pki, "client", suites=[suite]).net() as net:
                    net.Connect(None, 0, "127.0.0.1", listener.HostPort)
                    assert net.log.wait("OnSecureLinkReady").code == CODES.Success
                    assert net.GetTlsCipherSuite() == suite
        except BaseException as error:  # noqa: BLE001 - for the main thread
            problems.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE * 2)
    assert problems == []


FORKS = """
import os, sys, threading
from leadtools_compat.dicom import *
from tests.support import Listener, RecordingNet, tls_net, tls_child
from leadtools_compat.testing import TestPki

pki = TestPki(sys.argv[1], seed="fork", key="ec")

def link():
    listener = Listener(tls_child(pki))
    listener.Listen("127.0.0.1", 0, 4)
    client = tls_net(pki)
    client.Connect(None, 0, "127.0.0.1", listener.HostPort)
    good = client.log.wait("OnSecureLinkReady").code == 0
    client.Dispose()
    listener.Dispose()
    return good

assert link()
kept = tls_net(pki)
stop = threading.Event()

def load():
    while not stop.is_set():
        tls_net(pki).Dispose()

threads = [threading.Thread(target=load) for _ in range(3)]
for thread in threads:
    thread.start()
failed = 0
for _ in range(10):
    child = os.fork()
    if child == 0:
        os._exit(0 if link() else 1)
    failed += os.waitpid(child, 0)[1] != 0
stop.set()
for thread in threads:
    thread.join()
print(failed, link())
"""


def test_forked_child_begins_anew_whatever_other_threads_were_loading(tmp_path: Path) -> None:
    done = python("-W", "ignore::DeprecationWarning", "-c", FORKS, tmp_path)
    assert (done.stdout, done.stderr) == ("0 True\n", "")
