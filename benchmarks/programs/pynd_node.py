"""pynetdicom, both roles. Verbs: serve, handshakes, echo, store, first.

``tuned=1``: the best settings found: chunks straight from and to a file instead of decoded data
sets; the runner gives 128 KiB PDUs then.
"""

from __future__ import annotations

import os
import ssl
import sys
import time
from pathlib import Path
from typing import Any

from pydicom import dcmread
from pynetdicom import AE, _config, evt
from talk import Options, now, ready, result, until_end, wait_for_go

VERIFICATION = "1.2.840.10008.1.1"
SECONDARY = "1.2.840.10008.5.1.4.1.1.7"
EXPLICIT = "1.2.840.10008.1.2.1"

options = Options()
tuned = options.number("tuned") != 0
_config.STORE_SEND_CHUNKED_DATASET = tuned
_config.STORE_RECV_CHUNKED_DATASET = tuned


def context(server: bool) -> ssl.SSLContext | None:
    if not options.text("tls"):
        return None
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    made.check_hostname = False
    made.verify_mode = ssl.CERT_REQUIRED
    made.load_verify_locations(options.tls("ca.pem"))
    made.load_cert_chain(options.tls(f"{'server' if server else 'client'}-combined.pem"))
    return made


def entity() -> AE:
    ae = AE(ae_title="BENCH-PYND")
    ae.maximum_pdu_size = options.number("pdu", 16382)
    ae.acse_timeout = ae.network_timeout = 60
    ae.dimse_timeout = 3 if options.text("verb") in {"echo", "handshakes"} else 60
    return ae


def serve() -> None:
    ae = entity()
    ae.maximum_associations = options.number("associations", 1000)
    ae.add_supported_context(VERIFICATION)
    ae.add_supported_context(SECONDARY, EXPLICIT)

    def store(event: Any) -> int:
        return 0x0000

    server: Any = ae.start_server(
        ("127.0.0.1", 0),
        block=False,
        ssl_context=context(True),
        evt_handlers=[(evt.EVT_C_STORE, store)],
    )
    ready(server.socket.getsockname()[1])
    until_end()
    os._exit(0)


def requestor() -> AE:
    ae = entity()
    ae.add_requested_context(VERIFICATION)
    ae.add_requested_context(SECONDARY, EXPLICIT)
    return ae


def associate(ae: Any, tls: ssl.SSLContext | None) -> Any:
    association = ae.associate(
        "127.0.0.1",
        options.number("port"),
        ae_title=options.text("called", "BENCH"),
        max_pdu=options.number("pdu", 16382),
        tls_args=None if tls is None else (tls, None),
    )
    if not association.is_established:
        print("no association", file=sys.stderr, flush=True)
        os._exit(1)
    return association


def check(status: Any, what: str) -> None:
    if "Status" not in status or status.Status != 0:
        print(f"{what}: {status}", file=sys.stderr, flush=True)
        os._exit(1)


def echoed(association: Any) -> bool:
    """Send a C-ECHO. False: its own reactor took the response for an unexpected message.

    That is a race of pynetdicom's, when the peer answers within some 50 microseconds; it waits for
    its time-out then, and aborts.
    """
    status = association.send_c_echo()
    if len(status) == 0 and association.is_aborted:
        return False
    check(status, "C-ECHO")
    return True


def handshakes() -> None:
    ae, tls = requestor(), context(False)
    wait_for_go()
    count, lost = 0, 0.0
    began = now()
    while now() - began - lost < options.seconds() or count == 0:
        before = now()
        association = associate(ae, tls)
        if echoed(association):
            association.release()
            count += 1
        else:
            lost += now() - before
    result(count, 0, now() - began - lost)


def echo() -> None:
    ae, tls = requestor(), context(False)
    association = associate(ae, tls)
    while not echoed(association):
        association = associate(ae, tls)
    latencies: list[float] = []
    wait_for_go()
    while sum(latencies) < options.seconds():
        before = now()
        if echoed(association):
            latencies.append(now() - before)
        else:
            association = associate(ae, tls)
    result(len(latencies), 0, sum(latencies), latencies)
    association.release()


def store() -> None:
    association = associate(requestor(), context(False))
    objects: list[Any] = [Path(name) if tuned else dcmread(name) for name in options.files()]
    count = 0
    wait_for_go()
    began = now()
    while now() - began < options.seconds() or count == 0:
        check(association.send_c_store(objects[count % len(objects)]), "C-STORE")
        count += 1
    result(count, count * options.number("size"), now() - began)
    association.release()


def first() -> None:
    associate(requestor(), context(False))
    print(f"{time.clock_gettime(time.CLOCK_MONOTONIC):.6f}", flush=True)
    os._exit(0)


def main() -> None:
    verb = options.text("verb")
    if verb == "serve":
        serve()
    elif verb == "first":
        first()
    else:
        {"handshakes": handshakes, "echo": echo, "store": store}[verb]()
        until_end()
        os._exit(0)


if __name__ == "__main__":
    main()
