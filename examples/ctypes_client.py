"""A TLS client in plain ctypes over libltdic: python ctypes_client.py HOST PORT CA_FILE."""

import ctypes as c
import sys
import threading

import leadtools_compat

lib = c.CDLL(leadtools_compat.library_path())
TLS, ALL_MEMBERS, PEER, NET, TEXT, INT = 1, 0x1F, 1, c.c_void_p, c.c_char_p, c.c_int
VERIFY = c.CFUNCTYPE(INT, NET, INT, TEXT, INT, TEXT)  # VERIFYCALLBACK
NEWS = c.CFUNCTYPE(None, NET, INT, c.c_void_p)  # CONNECTCALLBACK, SECURELINKREADYCALLBACK


def structure(*kinds: type) -> type:  # members m0, m1, ... in the order of ltdic.h
    fields = [(f"m{number}", kind) for number, kind in enumerate(kinds)]
    return type("Struct", (c.Structure,), {"_fields_": fields})


Settings = structure(*[INT] * 3, TEXT, *[INT] * 6)  # L_SSL_CTX_CREATE
Callbacks = structure(INT, NET, NEWS, NET, NET, NEWS, *[NET] * 34)  # DICOMNETCALLBACK
Gates = structure(INT, VERIFY, NET)  # DICOMNETCALLBACKEXT
Failure = structure(*[INT] * 8, c.c_double, c.c_uint64, *[TEXT] * 4)  # DICOMFAILURE
lib.L_DicomCreateNetExt.restype = NET
for name in ("GetLastErrorText", "GetCipherNameTLS", "GetErrorText"):
    getattr(lib, f"L_Dicom{name}").restype = TEXT
steps = threading.Semaphore(0)  # TCP, then TLS


def verify(net: int, ok: int, certificate: bytes, code: int, message: bytes) -> int:
    print(f"{certificate.decode()}\nVerdict: ok {ok}, code {code}, {message.decode()}\n")
    return ok  # exactly 1 goes on


def news(net: int, error: int, user: int) -> None:
    print("Connected:" if not error else "Failed:", lib.L_DicomGetErrorText(error).decode())
    steps.release(2 if error else 1)


def main(host: str, port: int, ca_file: str) -> int:
    settings = Settings(c.sizeof(Settings), ALL_MEMBERS, 0, ca_file.encode(), PEER, 9)
    callbacks = Callbacks(c.sizeof(Callbacks), None, NEWS(news), None, None, NEWS(news))
    gates, failure = Gates(c.sizeof(Gates), VERIFY(verify)), Failure(c.sizeof(Failure))
    net = NET(lib.L_DicomCreateNetExt(None, TLS, c.byref(settings)))
    failed = not net or lib.L_DicomSetCallback(net, c.byref(callbacks))
    failed = failed or lib.L_DicomSetCallbackExt(net, c.byref(gates))
    if failed or lib.L_DicomConnect(net, None, 0, host.encode(), port):
        print(lib.L_DicomGetLastErrorText().decode())
    else:
        print("" if steps.acquire(timeout=30) and steps.acquire(timeout=30) else "Nothing came.")
    suite = lib.L_DicomGetCiphersuiteTLS(net)
    lib.L_DicomGetFailure(net, c.byref(failure))
    print("Cipher suite:", lib.L_DicomGetCipherNameTLS(suite).decode() or "none")
    print("Failure:", *[text.decode() for text in (failure.m10, failure.m13) if text])
    lib.L_DicomFreeNet(net)
    return 0 if suite else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
