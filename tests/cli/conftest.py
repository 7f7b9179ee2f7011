"""The command line in this process: arguments in; exit code, both outputs and the document out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from leadtools_compat._nodes.receiver import Events, Receiver
from leadtools_compat._nodes.tls import TlsOptions
from leadtools_compat.cli import main
from leadtools_compat.testing import Identity, TestPki


class Outcome(NamedTuple):
    """What a verb did."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """What ``--json`` printed."""
        made: dict[str, Any] = json.loads(self.out)
        return made


Run = Callable[..., Outcome]
Serve = Callable[..., Receiver]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a verb; arguments may be of any type."""

    def call(*arguments: object) -> Outcome:
        capsys.readouterr()
        code = main([str(one) for one in arguments])
        printed = capsys.readouterr()
        return Outcome(code, printed.out, printed.err)

    return call


@pytest.fixture
def serve(pki: TestPki, tmp_path: Path) -> Iterator[Serve]:
    """Start storage nodes on free ports of 127.0.0.1; ``identity`` switches TLS on."""
    made: list[Receiver] = []

    def start(
        identity: Identity | None = None,
        ca: str | None = None,
        title: str | None = None,
        events: Events | None = None,
        **more: Any,
    ) -> Receiver:
        folder = tmp_path / f"received{len(made)}"
        folder.mkdir()
        tls = None
        if identity is not None:
            tls = TlsOptions(ca=ca or pki.ca_file, certificate=identity.combined_file, **more)
        receiver = Receiver(folder, tls, title, events)
        made.append(receiver)
        receiver.start("127.0.0.1", 0)
        return receiver

    yield start
    for receiver in made:
        receiver.CloseForced(False)
        receiver.Dispose()


@pytest.fixture
def mutual(pki: TestPki) -> list[str]:
    """Options of a good client."""
    return ["--ca", pki.ca_file, "--cert", pki.client.combined_file]
