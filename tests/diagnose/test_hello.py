"""Hellos by hand, held against ``openssl s_server``; nonsense is told as nonsense."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadtools_compat.diagnose import hello
from leadtools_compat.diagnose.hello import GarbledError, Hello, Question, ask
from leadtools_compat.testing import TestPki
from tests.support import PATIENCE
from tests.tls.peers import openssl_server, own

ALL_12 = tuple(hello.SUITES_12)
ALL_13 = tuple(hello.SUITES_13)
NUMBERS = {name: number for number, name in (hello.SUITES_12 | hello.SUITES_13).items()}
X25519, P384 = 0x001D, 0x0018


def at(port: int) -> tuple[str, int]:
    return "127.0.0.1", port


@contextmanager
def answering(*parts: bytes, wait: bool = False) -> Iterator[tuple[str, int]]:
    """Serve one connection: read something, say `parts`, close (or stay silent)."""
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)

        def serve() -> None:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer, suppress(OSError):  # the other side may have had enough
                peer.settimeout(PATIENCE)
                peer.recv(65536)
                for part in parts:
                    peer.sendall(part)
                if wait:
                    done.wait(PATIENCE)

        thread = threading.Thread(target=serve)
        thread.start()
        yield at(listener.getsockname()[1])
        done.set()
        thread.join()


@pytest.mark.parametrize(
    ("options", "version", "offered", "suite"),
    [
        (["-tls1_3"], 0x0304, ALL_13, "TLS_AES_256_GCM_SHA384"),
        (["-tls1_2"], 0x0303, ALL_12, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
        (
            ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0"],
            0x0303,
            ALL_12,
            "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
        ),
        (
            ["-tls1", "-cipher", "ALL:@SECLEVEL=0"],
            0x0301,
            ALL_12,
            "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
        ),
    ],
)
def test_version_and_suite_are_those_of_openssl(
    pki: TestPki, options: list[str], version: int, offered: tuple[int, ...], suite: str
) -> None:
    with openssl_server(*own(pki.server), *options) as server:
        answer = ask(at(server.port), Question(version, offered), PATIENCE)
        assert answer.accepted
        assert answer.version == version
        assert answer.suite == NUMBERS[suite]
        assert answer.seconds > 0


@pytest.mark.parametrize(("option", "version"), [("-tls1_3", 0x0304), ("-tls1_2", 0x0303)])
def test_group_is_the_one_that_the_server_takes(pki: TestPki, option: str, version: int) -> None:
    pool = ALL_13 if version == 0x0304 else ALL_12
    # In TLS 1.2 the groups have to suit the key of an ECDSA certificate too.
    identity = pki.make("good_rsa", role="server")
    with openssl_server(*own(identity), option, "-groups", "P-384") as server:
        answer = ask(at(server.port), Question(version, pool, (X25519, P384)), PATIENCE)
        assert answer.group == P384
        refused = ask(at(server.port), Question(version, pool, (X25519,)), PATIENCE)
        assert refused.group != X25519


def test_refusal_is_an_alert(pki: TestPki) -> None:
    with openssl_server(*own(pki.server), "-tls1_3") as server:
        answer = ask(at(server.port), Question(0x0303, ALL_12), PATIENCE)
        assert not answer.accepted
        assert answer.alert == 70


def test_request_for_a_certificate_shows_in_tls_1_2(pki: TestPki) -> None:
    for options, asked in (([], False), (["-Verify", "1"], True)):
        with openssl_server(*own(pki.server), "-tls1_2", *options) as server:
            answer = ask(at(server.port), Question(0x0303, ALL_12), PATIENCE)
            assert answer.requested is asked
            assert answer.stapled is False


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x03\x00\x00\x00\x00\x04\x00\x01\x01\x02",
        b"\x16\x03\x03\x00\x04\x02\xff\xff\xff",
        b"\x16\x03\x03\x00\x08\x02\x00\x00\x04\x03\x03\x00\x00",
    ],
    ids=["HTTP", "SSH", "A-ASSOCIATE-RJ", "long message", "short ServerHello"],
)
def test_nonsense_is_told_as_nonsense(said: bytes) -> None:
    with answering(said) as address, pytest.raises(GarbledError):
        ask(address, Question(0x0304, ALL_13), PATIENCE)


def test_server_that_closes_without_a_word_has_refused() -> None:
    with answering() as address:
        answer = ask(address, Question(0x0304, ALL_13), PATIENCE)
    assert answer.closed
    assert not answer.accepted


def test_silent_server_ends_by_the_time_that_was_given() -> None:
    with answering(wait=True) as address, pytest.raises(TimeoutError):
        ask(address, Question(0x0304, ALL_13), 0.2)


def test_flight_without_an_end_is_cut_off() -> None:
    record = b"\x16\x03\x03\x40\x00" + b"\x0b\x00\x3f\xfc" + bytes(0x3FFC)
    with answering(*[record] * 64) as address, pytest.raises(GarbledError):
        ask(address, Question(0x0303, ALL_12), PATIENCE)


@given(st.integers(0, 255), st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_no_message_of_a_server_is_more_than_nonsense(kind: int, body: bytes) -> None:
    read: Callable[[int, bytes, Hello], None] = hello._message
    answer = Hello(suite=0xC02C if kind % 2 else 0x009E)
    try:
        read(kind, body, answer)
    except GarbledError:
        pass
