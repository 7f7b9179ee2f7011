"""Small programs of two nets that talk to each other, for the tests of forks, exits and signals."""

from __future__ import annotations

import subprocess
import textwrap

from leadtools_compat.testing import TestPki
from tests.robustness.robust_tools import (
    run_program,
)

PRELUDE = """
    import math, os, signal, sys, threading, time
    from leadtools_compat.dicom import *

    class Net(DicomNet):
        def __init__(self, name=None):
            self.connected, self.ready, self.closed = (threading.Event() for _ in range(3))
            self.name = name
            super().__init__(None, 0 if name is None else 1)
            if name is not None:
                flags = DicomOpenSslVerificationFlags
                self.Initialize(None, 1, DicomOpenSslContextCreationSettings(
                    0, sys.argv[1] + "/ca.pem", flags.Peer | flags.FailIfNoPeerCertificate, 9, 0))
                self.SetTlsClientCertificate(f"{sys.argv[1]}/{name}-combined.pem", 1, None)
        def OnConnect(self, error): self.connected.set()
        def OnVerify(self, ok, text, error): return ok
        def OnSecureLinkReady(self, error):
            self.code = error
            self.ready.set()
        def OnClose(self, error, net): self.closed.set()
    class Server(Net):
        def OnAccept(self, error):
            self.child = Net("server")
            self.Accept(self.child)
    def link(wait=True):
        server, client = Server(), Net("client")
        server.Listen("127.0.0.1", 0, 4)
        client.Connect(None, 0, "127.0.0.1", server.HostPort)
        if wait:
            assert client.ready.wait(20)
            assert client.code == 0, client.failure
        return server, client
    def end(server, client):
        client.Close()
        assert client.closed.wait(20)
        assert server.closed.wait(20)
        server.child.Dispose(); server.Dispose(); client.Dispose()
"""
QUIET_FORK = """
    import warnings
    warnings.simplefilter("ignore", DeprecationWarning)  # fork with threads, from 3.12 on
"""


def program(text: str) -> str:
    """Put the prelude before a program."""
    return textwrap.dedent(PRELUDE) + textwrap.dedent(text)


def run(text: str, pki: TestPki) -> subprocess.CompletedProcess[str]:
    return run_program(program(text), str(pki.directory))


def outcome(done: subprocess.CompletedProcess[str]) -> tuple[int, str, str]:
    return done.returncode, done.stdout, done.stderr


def traceback_of(expected: str, stderr: str) -> bool:
    """Tell whether this is the traceback that is expected, and no more than that."""
    lines = stderr.splitlines()
    return (
        bool(lines)
        and lines[0] == "Traceback (most recent call last):"
        and lines[-1] == expected
        and stderr.count("Traceback") == 1
        and "Fatal" not in stderr
    )
