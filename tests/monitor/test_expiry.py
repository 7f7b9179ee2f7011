"""The watch over certificates that end."""

from __future__ import annotations

import logging
import shutil
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from leadtools_compat.monitor import Ending, ExpiryWatch
from leadtools_compat.testing import TestPki
from tests.support import PATIENCE


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now = datetime.now(timezone.utc)

    def __call__(self) -> datetime:
        return self.now


def left(endings: list[Ending]) -> list[int]:
    return [ending.days_left for ending in endings]


def test_each_step_is_told_once(pki: TestPki) -> None:
    clock = Clock()
    told: list[Ending] = []
    watch = ExpiryWatch([pki.server.der_file], told.append, clock=clock)
    assert watch.look() == []
    days = next(iter(watch.days_left().values()))
    for before, expected in (
        (40, []),
        (29, [29]),
        (20, []),
        (6, [6]),
        (5, []),
        (0, [0]),
        (-1, [-1]),
    ):
        clock.now += timedelta(days=days - before - 0.5)
        days = before + 0.5
        assert left(watch.look()) == expected, before
    assert left(watch.look()) == []
    assert left(told) == [29, 6, 0, -1]
    assert "renew it" in str(told[0])
    assert "has ended" in str(told[-1])


def test_first_look_late_tells_only_the_nearest_step(pki: TestPki) -> None:
    clock = Clock()
    watch = ExpiryWatch([pki.server.der_file], lambda ending: None, clock=clock)
    clock.now += timedelta(days=next(iter(watch.days_left().values())) - 3.5)
    assert left(watch.look()) == [3]


def test_replaced_file_starts_anew(pki: TestPki, tmp_path: Path) -> None:
    file = tmp_path / "own.pem"
    shutil.copy(pki.make("expired", role="server").certificate_file, file)
    watch = ExpiryWatch([file], lambda ending: None)
    assert len(watch.look()) == 1
    assert watch.look() == []
    shutil.copy(pki.server.certificate_file, file)
    assert watch.look() == []
    shutil.copy(pki.make("expired", role="client").certificate_file, file)
    assert len(watch.look()) == 1


def test_file_that_cannot_be_read_is_logged_once_and_the_others_are_watched(
    pki: TestPki, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    expired = pki.make("expired", role="server").certificate_file
    watch = ExpiryWatch([tmp_path / "none.pem", expired], lambda ending: None)
    with caplog.at_level(logging.WARNING, "leadtools_compat"):
        assert len(watch.look()) == 1
        watch.look()
    assert sum("cannot be watched" in text for text in caplog.messages) == 1


def test_thread_looks_at_once_logs_and_ends(pki: TestPki, caplog: pytest.LogCaptureFixture) -> None:
    seen = threading.Event()
    expired = pki.make("expired", role="server").certificate_file
    with ExpiryWatch([expired], lambda ending: seen.set(), interval=3600) as watch:
        assert seen.wait(PATIENCE)
        assert watch.days_left()
    with caplog.at_level(logging.WARNING, "leadtools_compat"):
        ExpiryWatch([expired]).look()
    assert any("has ended" in text for text in caplog.messages)
