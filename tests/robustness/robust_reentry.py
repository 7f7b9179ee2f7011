"""One connection, and one call made inside one callback of one of its nets: what follows?

Used in process for worker delivery, and as a program for pumped delivery (which is a choice for the whole
process)::

    python robust_reentry.py FOLDER CALLBACK [worker]

FOLDER holds ``ca.pem``, ``server-combined.pem`` and ``client-combined.pem``. All actions are tried; the
program prints one line of JSON for each, and its exit code is 0 if every story was as it must be.
"""

from __future__ import annotations

import gc
import json
import re
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from leadtools_compat._binding import reads
from leadtools_compat.dicom import (
    DicomException,
    DicomExceptionCode,
    DicomNet,
    DicomNetSecurityMode,
    DicomOpenSslContextCreationSettings,
    DicomOpenSslOptionsFlags,
    DicomOpenSslVerificationFlags,
    DicomSecurityCertificateException,
    DicomSslMethodType,
    DicomTlsCertificateType,
)

PATIENCE = 20.0
CODES = DicomExceptionCode

CALLBACKS = (
    "client.OnConnect",
    "client.OnVerify",
    "client.OnSecureLinkReady",
    "client.OnClose",
    "child.OnVerify",
    "child.OnSecureLinkReady",
    "child.OnClose",
    "listener.OnAccept before Accept",
    "listener.OnAccept after Accept",
    "listener.OnClose",
)
ACTIONS = (
    "Close",
    "CloseForced(True)",
    "CloseForced(False)",
    "Dispose",
    "Connect",
    "Close, then Connect",
    "Initialize",
    "SetTlsCipherSuiteByIndex",
    "Breathe",
)
LOUD = ("Close", "CloseForced(True)")
SILENT = ("CloseForced(False)", "Dispose")


class Net(DicomNet):
    """Writes down each callback as it begins, then runs the hook for it."""

    def __init__(self, stage: Stage, role: str, pem: str) -> None:
        self.stage = stage
        self.role = role
        self.events: list[str] = []
        self.inside: list[str] = []
        super().__init__(None, DicomNetSecurityMode.Tls)
        self.Initialize(None, DicomNetSecurityMode.Tls, stage.settings)
        self.SetTlsClientCertificate(pem, DicomTlsCertificateType.Pem, None)

    def enter(self, name: str, code: DicomExceptionCode | None = None) -> None:
        """Write it down; two calls for one net at a time are a fault."""
        if self.inside:
            self.stage.faults.append(f"{self.role}: {name} inside {self.inside}")
        text = name if code is None else f"{name} {code}"
        with self.stage.changed:
            if not (name == "OnVerify" and self.events[-1:] == ["OnVerify"]):
                self.events.append(text)
            self.stage.changed.notify_all()
        self.inside.append(name)
        try:
            self.stage.reached(self, f"{self.role}.{name}")
        finally:
            self.inside.pop()

    def OnConnect(self, error: DicomExceptionCode) -> None:
        self.enter("OnConnect", error)

    def OnSecureLinkReady(self, error: DicomExceptionCode) -> None:
        self.enter("OnSecureLinkReady", error)

    def OnVerify(
        self, ok: int, certificateString: str, error: DicomSecurityCertificateException
    ) -> int:
        self.enter("OnVerify")
        return ok

    def OnClose(self, error: DicomExceptionCode, net: DicomNet) -> None:
        self.enter("OnClose", error)


class ListeningNet(Net):
    """Makes a child for each connection."""

    def OnAccept(self, error: DicomExceptionCode) -> None:
        if self.inside:
            self.stage.faults.append(f"OnAccept inside {self.inside}")
        with self.stage.changed:
            self.events.append(f"OnAccept {error}")
            self.stage.changed.notify_all()
        self.inside.append("OnAccept")
        try:
            self.stage.reached(self, "listener.OnAccept before Accept")
            child = Net(self.stage, "child", self.stage.server_pem)
            self.stage.children.append(child)
            try:
                self.Accept(child)
            except DicomException:  # nothing waits any more
                pass
            self.stage.reached(self, "listener.OnAccept after Accept")
        finally:
            self.inside.pop()


@dataclass
class Story:
    """What happened; `faults` are what must not."""

    callback: str
    action: str
    pumped: bool
    result: str = ""
    seconds: float = 0.0
    client: list[str] = field(default_factory=list)
    children: list[list[str]] = field(default_factory=list)
    listener: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Plan:
    """What must follow: how often each net hears OnClose, and who closes the link that is made."""

    results: tuple[str, ...]
    client: int = 1
    children: tuple[int, ...] = (1,)
    listener: int = 1
    closer: str = ""


def plan(callback: str, action: str, result: str, pumped: bool) -> Plan:
    """Say what must follow on an action in a callback."""
    role = callback.partition(".")[0]
    own_end = callback in ("client.OnClose", "child.OnClose")
    ending = callback.endswith("OnClose")
    before_accept = callback.endswith("before Accept")
    after_accept = callback.endswith("after Accept")
    normal_closer = "" if ending else "client"

    if action in ("Initialize", "SetTlsCipherSuiteByIndex"):
        return Plan(("None",) if own_end else ("InvalidState",), closer=normal_closer)
    if action == "Breathe":
        return Plan(("True", "False") if pumped else ("False",), closer=normal_closer)
    if action in LOUD:
        if before_accept:
            return Plan(("None",), children=(0,), listener=0)
        lives = after_accept and action == "Close"  # only the listener's own socket is closed
        return Plan(("None",), closer="client" if lives else "")
    if action in SILENT:
        if before_accept:
            return Plan(("None",), children=(0,), listener=0)
        if after_accept:
            return Plan(("None",), children=(1 if action == "Dispose" else 0,), listener=0)
        if ending:
            return Plan(("None",))
        if role == "client":
            return Plan(("None",), client=0)
        return Plan(("None",), children=(0,), listener=0)
    if role == "listener":  # it connects to a port where nobody listens
        if action == "Connect":
            return Plan(("NetAlreadyConnected",), closer=normal_closer)
        if before_accept:
            return Plan(("None",), children=(0,), listener=1)
        return Plan(("None",), listener=2, closer=normal_closer)
    if result == "NetAlreadyConnected" and not own_end:
        # "Close, then Connect": inside OnVerify a worker is the one that would have to close.
        possible = action == "Connect" or (callback.endswith("OnVerify") and not pumped)
        closer = normal_closer if action == "Connect" else ""
        return Plan(("NetAlreadyConnected",) if possible else ("None",), closer=closer)
    possible = own_end or action == "Close, then Connect"
    results = ("None",) if possible else ("NetAlreadyConnected",)
    if role == "client":
        return Plan(results, client=2, children=(1, 1), listener=2, closer="client")
    return Plan(results, children=(2, 1), listener=2, closer="child")


def closes(events: list[str]) -> int:
    """Count the OnClose in what a net was told."""
    return sum(event.startswith("OnClose") for event in events)


def linked(events: list[str]) -> bool:
    """Tell whether the present connection has a link."""
    for event in reversed(events):
        if event == READY:
            return True
        if event.startswith(("OnClose", "OnConnect")):
            return False
    return False


ONE_LINK = r"(OnConnect \w+;)?(OnVerify;)?(OnSecureLinkReady \w+;)?(OnClose \w+;)?"
READY = "OnSecureLinkReady Success"


class Stage:
    """A listener, a client, and the one call that is made inside the one callback."""

    def __init__(self, folder: str, callback: str, action: str, pumped: bool) -> None:
        base = Path(folder)
        flags = DicomOpenSslVerificationFlags
        self.settings = DicomOpenSslContextCreationSettings(
            DicomSslMethodType.SslV23,
            str(base / "ca.pem"),
            flags.Peer | flags.FailIfNoPeerCertificate,
            9,
            DicomOpenSslOptionsFlags.NoSslV2,
        )
        self.server_pem = str(base / "server-combined.pem")
        self.client_pem = str(base / "client-combined.pem")
        self.callback = callback
        self.action = action
        self.pumped = pumped
        self.changed = threading.Condition()
        self.children: list[Net] = []
        self.faults: list[str] = []
        self.fired = False
        self.done = False
        self.result = ""
        self.seconds = 0.0
        self.at_action: list[str] = []
        self.port = 0
        self.deaf = socket.socket()  # bound, never listening: refuses for sure
        self.deaf.bind(("127.0.0.1", 0))

    # ---- inside the callback ----

    def reached(self, net: Net, callback: str) -> None:
        """Make the call, if this is the place, and if it was not made before."""
        if callback != self.callback or self.fired:
            return
        self.fired = True
        self.at_action = list(net.events)
        began = time.monotonic()
        try:
            result = str(self.act(net))
        except DicomException as problem:
            result = str(problem.Code)
        except BaseException as problem:  # noqa: BLE001 - a fault, shown as such
            result = repr(problem)
        with self.changed:
            self.seconds = time.monotonic() - began
            self.result = result
            self.done = True
            self.changed.notify_all()

    def act(self, net: Net) -> object:
        """Make the call."""

        def connect() -> None:
            port = self.deaf.getsockname()[1] if net.role == "listener" else self.port
            net.Connect(None, 0, "127.0.0.1", port)

        def close_and_connect() -> None:
            net.Close()
            connect()

        calls: dict[str, Callable[[], object]] = {
            "Close": net.Close,
            "CloseForced(True)": lambda: net.CloseForced(True),
            "CloseForced(False)": lambda: net.CloseForced(False),
            "Dispose": net.Dispose,
            "Connect": connect,
            "Close, then Connect": close_and_connect,
            "Initialize": lambda: net.Initialize(None, 1, self.settings),
            "SetTlsCipherSuiteByIndex": lambda: net.SetTlsCipherSuiteByIndex(0, 0x1302),
            "Breathe": lambda: DicomNet.Breathe(0.0),
        }
        return calls[self.action]()

    # ---- outside ----

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        """Wait, and pump in pumped mode; what does not come is a fault."""
        end = time.monotonic() + PATIENCE
        while True:
            with self.changed:
                if condition():
                    return
                rest = end - time.monotonic()
                if rest > 0 and not self.pumped:
                    self.changed.wait(min(rest, 0.02))
            if rest <= 0:
                self.faults.append(f"not within {PATIENCE} s: {what}")
                return
            if self.pumped:
                DicomNet.Breathe(0.02)

    def play(self) -> Story:
        """Run all of it."""
        gc.collect()
        self.wait(lambda: reads.statistics()["connections"] == 0, "quiet before")
        before = reads.statistics()["nets"]
        story = self.scene()
        self.children = []
        self.deaf.close()

        def freed() -> bool:
            gc.collect()
            return reads.statistics()["nets"] <= before

        self.wait(freed, "no net is left")
        return story

    def scene(self) -> Story:
        """Make the nets, let them play, and dispose them."""
        listener = ListeningNet(self, "listener", self.server_pem)
        client = Net(self, "client", self.client_pem)
        listener.Listen("127.0.0.1", 0, 8)
        self.port = listener.HostPort
        client.Connect(None, 0, "127.0.0.1", self.port)
        if self.callback.endswith("OnClose"):
            self.close_link(client)
        self.wait(lambda: self.done, f"{self.action} in {self.callback}")

        expected = plan(self.callback, self.action, self.result, self.pumped)
        if self.result not in expected.results:
            self.faults.append(f"the call gave {self.result}, not {expected.results}")
        if expected.closer:
            again = expected.client == 2 or expected.children[0] == 2
            closer = client if expected.closer == "client" else self.children[0]
            self.close_link(closer, len(self.at_action) if again else 0)

        def numbers() -> tuple[int, tuple[int, ...], int]:
            each = tuple(closes(child.events) for child in self.children)
            return closes(client.events), each, closes(listener.events)

        wanted = (expected.client, expected.children, expected.listener)
        self.wait(lambda: numbers() == wanted, f"closes {wanted} (client, children, listener)")
        client.Dispose()
        listener.Dispose()
        for child in list(self.children):
            child.Dispose()
        self.wait(lambda: reads.statistics()["connections"] == 0, "no connection is left")
        if numbers() != wanted:
            self.faults.append(f"in the end closes {numbers()}, not {wanted}")
        self.judge(client.events, *(child.events for child in self.children))

        return Story(
            self.callback,
            self.action,
            self.pumped,
            self.result,
            self.seconds,
            client.events,
            [child.events for child in self.children],
            listener.events,
            self.faults,
        )

    def close_link(self, closer: Net, heard: int = 0) -> None:
        """Wait for a link on both sides, after so many events of the closer, then close it."""
        others = self.children
        self.wait(
            lambda: (
                linked(closer.events[heard:])
                and any(linked(child.events) for child in others if child is not closer)
            ),
            f"a link of the {closer.role}",
        )
        closer.Close()

    def judge(self, *stories: list[str]) -> None:
        """Look at the order, and at what the acting net heard after its own call."""
        for events in stories:
            text = "".join(f"{event};" for event in events)
            if not re.fullmatch(ONE_LINK + ONE_LINK, text):
                self.faults.append(f"out of order: {text}")
        role = self.callback.partition(".")[0]
        if role == "listener" or self.callback.endswith("OnClose"):
            return
        actor = stories[0] if role == "client" else stories[1]
        after = actor[len(self.at_action) :]
        if self.action in LOUD and after != ["OnClose Success"]:
            self.faults.append(f"after its own {self.action} it heard {after}")
        if self.action in SILENT and after:
            self.faults.append(f"after {self.action} it heard {after}")


def main() -> int:
    """Try all actions in one callback."""
    folder, callback = sys.argv[1:3]
    pumped = sys.argv[3:] != ["worker"]
    DicomNet.Startup(pumped=pumped)
    bad = 0
    for action in ACTIONS:
        story = Stage(folder, callback, action, pumped).play()
        bad += bool(story.faults)
        print(json.dumps(asdict(story)), flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
