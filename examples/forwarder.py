"""Forwards files from a folder to a node, for ever, with TLS; a program without a screen.

    python -m examples.forwarder queue localhost 2762 --ca ca.pem --certificate client.pem

A file that appears in the folder (write it under another name with a dot in front, then rename it)
is sent and moved to `queue/sent`. While the node is away or busy it stays, and is tried again after
a pause that doubles up to five minutes; what the node refuses for good goes to `queue/refused`,
with the reason beside it. Ends after the present file with Ctrl-C or SIGTERM; `--once` ends when
the queue is empty. To be run in the folder above `examples`.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from examples.tls_options import add_options, connection, node
from leadtools_compat.dicom import *
from leadtools_compat.dicom.scu import *

FIRST_PAUSE, LONGEST_PAUSE = 2.0, 300.0
LOOK = 1.0
"""Seconds between two looks into an empty folder."""

FAILURES = (ClientConnectionException, ClientAssociationException, ClientCommunicationException)


def worth_another_try(status: DicomCommandStatusType) -> bool:
    """Tell whether the node may take the same instance later: it was out of resources."""
    return int(status) >> 8 == 0xA7 or status == DicomCommandStatusType.ResourceLimitation


class Forwarder:
    """The queue and its way to the node."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.queue: Path = options.queue
        self.sent, self.refused = self.queue / "sent", self.queue / "refused"
        for folder in (self.queue, self.sent, self.refused):
            folder.mkdir(parents=True, exist_ok=True)
        self.scp = node(options)
        self.scu = connection(StoreScu, options)
        self.scu.AfterCStore += self.after
        self.stop = threading.Event()
        self.again = False

    def waiting(self) -> list[Path]:
        files = (path for path in self.queue.iterdir() if path.is_file())
        return sorted(path for path in files if not path.name.startswith("."))

    def after(self, sender: StoreScu, e: AfterCStoreEventArgs) -> None:
        """Take one file out of the queue, or leave it there."""
        path = e.FileInfo
        assert path is not None
        if e.Status == DicomCommandStatusType.Success or int(e.Status) >> 12 == 0xB:
            path.rename(self.sent / path.name)
        elif worth_another_try(e.Status):
            self.again = True
        else:
            (self.refused / f"{path.name}.reason").write_text(f"{e.Status}\n")
            path.rename(self.refused / path.name)
        print(f"{path.name}: {e.Status}", flush=True)
        if self.stop.is_set():
            sender.CancelRequest()

    def run(self, once: bool) -> int:
        """Forward until somebody says stop."""
        pause = FIRST_PAUSE
        while not self.stop.is_set():
            files = self.waiting()
            if not files:
                if once:
                    return 0
                self.stop.wait(LOOK)
                continue
            self.again = False
            try:
                self.scu.store_files(self.scp, files)
            except FAILURES as error:
                print(f"{self.scp}: {error}", file=sys.stderr, flush=True)
                self.again = True
            if not self.again:
                pause = FIRST_PAUSE
                continue
            if once:
                return 1
            self.stop.wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
        return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("queue", type=Path)
    add_options(parser)
    parser.add_argument("--once", action="store_true", help="end when the queue is empty")
    options = parser.parse_args()
    forwarder = Forwarder(options)

    def end(number: int, frame: FrameType | None) -> None:
        forwarder.stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    with forwarder.scu:
        return forwarder.run(options.once)


if __name__ == "__main__":
    sys.exit(main())
