"""The table of TLS profiles as the standards have it, and nets that connect by one.

`TABLE` is that of docs/tls.md, written down again, so that a wrong row in the library cannot hide.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest

from tests.tls.peers import (
    VERSION_OPTIONS,
)
from tests.tls.tls_tools import (
    CODES,
    SUITES,
    Rules,
    set_suites,
)


class Row(NamedTuple):
    """One line of the table; suites in hex, ``?``: if OpenSSL has it, ``*``: on request only."""

    name: str
    lowest: str
    highest: str
    suites: str
    retired: bool = True
    minima: tuple[int, int, int, int] = (2048, 256, 2048, 256)

    def numbers(self, without: str = "") -> list[int]:
        return [
            int(one.strip("?*"), 16)
            for one in self.suites.split()
            if one[-1] not in (without or " ")
        ]

    @property
    def usable(self) -> list[int]:
        return [one for one in self.numbers("*") if SUITES(one).is_available]

    @property
    def versions(self) -> list[str]:
        names = list(VERSION_OPTIONS)
        return names[names.index(self.lowest) : names.index(self.highest) + 1]


TABLE = [
    Row("B.12", "TLSv1.2", "TLSv1.3", "1302 1301 1303 C02C C030 C02B C02F", False),
    Row(
        *("B.13", "TLSv1.2", "TLSv1.3"),
        "1302 1303 1301 1304 1305* C02C C030 C0AD C0AF* CCA9 CCA8 C02B C02F C0AC C0AE*",
        False,
    ),
    Row("ihe_stx12", "TLSv1.2", "TLSv1.3", "1302 1301 1303 C030 C02F 009F 009E", False),
    Row("bcp195", "TLSv1", "TLSv1.2", "C02F 009E C030 009F 002F 000A?"),
    Row("bcp195_nd", "TLSv1.2", "TLSv1.3", "C02F 009E C030 009F 1302 1301 1303"),
    Row("bcp195_extended", "TLSv1.2", "TLSv1.2", "C02F 009E C030 009F C02C C02B"),
    Row("aes", "TLSv1", "TLSv1.2", "002F 000A?", minima=(0, 0, 0, 0)),
    Row("basic", "TLSv1", "TLSv1.2", "000A", minima=(0, 0, 0, 0)),
]
TRIPLE_DES = SUITES.RsaWith3DesEdeCbcSha.is_available
POSSIBLE = [row for row in TABLE if row.name != "basic" or TRIPLE_DES]
NOTHING_SHARED = (CODES.TlsNoSharedVersion, CODES.TlsNoSharedCipherSuite)
BY_NAME = {row.name: row for row in TABLE}

with_each_profile = pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
with_each_possible = pytest.mark.parametrize("row", POSSIBLE, ids=lambda row: row.name)


def applied(net: Any, name: str | None) -> Any:
    net.apply_tls_profile(name)
    return net


def dialled(net: Any, port: int) -> Any:
    """Connect, and wait until the link is there or has failed."""
    net.Connect(None, 0, "127.0.0.1", port)
    net.log.wait("OnSecureLinkReady")
    return net


@contextmanager
def dialling(rules: Rules, name: str | None, port: int, *suites: int) -> Iterator[Any]:
    """Connect by a profile, and be gone at the end: ``s_server`` takes one after the other."""
    with rules.net() as net:
        net.apply_tls_profile(name)
        if suites:
            set_suites(net, suites)
        yield dialled(net, port)


def linked(net: Any) -> bool:
    return bool(net.log.wait("OnSecureLinkReady").code == CODES.Success)


def listed(net: Any) -> list[int]:
    return [int(suite) for i in range(64) if (suite := net.GetTlsCipherSuiteByIndex(i))]


def checked(net: Any, name: str) -> Any:
    return next(one for one in net.check_tls_profiles() if one.name == name)
