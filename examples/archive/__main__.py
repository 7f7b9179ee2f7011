"""A DICOM archive over TLS: storage, query, retrieve, worklist, commitment, performed steps.

    python -m examples.archive 2762 archive --ca ca.pem --certificate server.pem \\
        --node OURS=127.0.0.1:11112 --worklist worklist

Objects lie in the folder, with an SQLite index beside them. Clients have to show a certificate of
the CA. Without --certificate it speaks plain DICOM. Ends with Ctrl-C. To be run in the folder
above `examples`.
"""

from __future__ import annotations

import argparse
import sys
import threading
from pathlib import Path

from examples.archive.server import Server
from leadtools_compat.dicom import *
from leadtools_compat.dicom.scu import *


def node(text: str) -> tuple[str, DicomScp]:
    """Read TITLE=host:port or, for TLS, TITLE=host:port,tls."""
    title, _, rest = text.partition("=")
    address, _, mode = rest.partition(",")
    host, _, port = address.rpartition(":")
    if not title or not host or not port.isdecimal() or mode not in ("", "tls"):
        raise argparse.ArgumentTypeError(f"{text!r} is not TITLE=host:port[,tls]")
    scp = DicomScp(host, title, int(port))
    scp.Secure = mode == "tls"
    return title, scp


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("port", type=int, help="0: a free one, which is printed")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--address", default="*", help="own address; *: all")
    parser.add_argument("--title", default="", help="own AE title; without it, any is taken")
    parser.add_argument(
        "--allow", action="append", help="a calling title; without it, all may call"
    )
    parser.add_argument(
        "--node", action="append", type=node, help="TITLE=host:port[,tls] for C-MOVE"
    )
    parser.add_argument("--worklist", type=Path, help="folder of worklist files")
    parser.add_argument("--certificate", help="PEM file of the own certificate; turns TLS on")
    parser.add_argument("--key", help="PEM file of its key, if that is not in the same file")
    parser.add_argument("--ca", help="PEM file of the CAs of clients and nodes")
    parser.add_argument("--clients", type=int, default=50, help="at most so many at once")
    parser.add_argument("--threads", type=int, default=8, help="for queries and retrievals")
    given = parser.parse_args(arguments)
    if given.certificate is not None and given.ca is None:
        parser.error("--certificate needs --ca: clients are judged by it")
    if given.certificate is None and any(scp.Secure for _, scp in given.node or ()):
        parser.error("a node with TLS needs --certificate and --ca")
    return given


def main() -> int:
    given = options()
    with Server(given) as server:
        try:
            server.Listen(given.address, given.port, 64)
        except DicomException as error:
            print(error, file=sys.stderr)
            return 1
        print(f"listening on port {server.HostPort}", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print("end")
    return 0


if __name__ == "__main__":
    sys.exit(main())
