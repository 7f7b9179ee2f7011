"""What OpenSSL itself asks about a chain: every call of a verify callback, with the certificate.

One rule: it talks to ``libcrypto`` alone (``X509_verify_cert`` as a TLS peer runs it: purpose of the
peer's role, level 2, ``PARTIAL_CHAIN``, ``TRUSTED_FIRST``), never to our code.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import ipaddress
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from leadtools_compat.testing import Identity
from leadtools_compat.testing.codes import name_of
from leadtools_compat.testing.files import unpem

TRUSTED_FIRST = 0x8000
PARTIAL_CHAIN = 0x80000
CRL_CHECK_WHOLE_CHAIN = 0x4 | 0x8
DEPTH = 9
NEVER_CHECK_SUBJECT = 0x20
LEVEL = 2

_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p)


class OpenSslCall(NamedTuple):
    """One call of OpenSSL's verify callback; `code` is Success when `ok` is 1."""

    ok: int
    code: str
    depth: int
    der: bytes


def asked(identity: Identity, answer: Callable[[int], int] = lambda ok: ok) -> list[OpenSslCall]:
    """List the calls that a judge of `identity` gets who gives these answers; default: the default."""
    lib = _libcrypto()
    calls: list[OpenSslCall] = []

    def listen(ok: int, context: int) -> int:
        certificate = lib.X509_STORE_CTX_get_current_cert(context)
        code = "Success" if ok == 1 else name_of(lib.X509_STORE_CTX_get_error(context))
        depth = lib.X509_STORE_CTX_get_error_depth(context)
        calls.append(OpenSslCall(ok, code, depth, _der_of(lib, certificate)))
        return answer(ok)

    callback = _CALLBACK(listen)
    store = lib.X509_STORE_new()
    context = lib.X509_STORE_CTX_new()
    chain = lib.OPENSSL_sk_new_null()
    held = [_parsed(lib, encoded) for encoded in identity.chain_der]
    try:
        for certificate in held:
            lib.OPENSSL_sk_push(chain, certificate)
        for encoded in unpem(Path(identity.ca_file).read_bytes()):
            anchor = _parsed(lib, encoded)
            lib.X509_STORE_add_cert(store, anchor)
            lib.X509_free(anchor)
        if identity.crl_file is not None:
            loader = lib.X509_STORE_add_lookup(store, lib.X509_LOOKUP_file())
            assert lib.X509_load_crl_file(loader, identity.crl_file.encode(), 1) >= 1
        assert lib.X509_STORE_CTX_init(context, store, held[0], chain) == 1
        lib.X509_STORE_CTX_set_default(context, f"ssl_{identity.role}".encode())
        _set_rules(lib, lib.X509_STORE_CTX_get0_param(context), identity)
        lib.X509_STORE_CTX_set_verify_cb(context, callback)
        lib.X509_verify_cert(context)
    finally:
        lib.X509_STORE_CTX_free(context)
        lib.OPENSSL_sk_free(chain)
        for certificate in held:
            lib.X509_free(certificate)
        lib.X509_STORE_free(store)
        lib.ERR_clear_error()
    return calls


def _set_rules(lib: ctypes.CDLL, rules: int, identity: Identity) -> None:
    crl = CRL_CHECK_WHOLE_CHAIN if identity.crl_file else 0
    lib.X509_VERIFY_PARAM_set_flags(rules, PARTIAL_CHAIN | TRUSTED_FIRST | crl)
    lib.X509_VERIFY_PARAM_set_auth_level(rules, LEVEL)
    depth = DEPTH if identity.verify_depth is None else identity.verify_depth
    lib.X509_VERIFY_PARAM_set_depth(rules, depth)
    if identity.host is None:
        return
    host = identity.host.encode("ascii")
    try:
        ipaddress.ip_address(identity.host)
    except ValueError:
        lib.X509_VERIFY_PARAM_set_hostflags(rules, NEVER_CHECK_SUBJECT)
        lib.X509_VERIFY_PARAM_set1_host(rules, host, len(host))
    else:
        lib.X509_VERIFY_PARAM_set1_ip_asc(rules, host)


def _parsed(lib: ctypes.CDLL, encoded: bytes) -> int:
    position = ctypes.c_char_p(encoded)
    certificate = lib.d2i_X509(None, ctypes.byref(position), len(encoded))
    assert certificate, "OpenSSL cannot parse a certificate of the chain"
    return int(certificate)


def _der_of(lib: ctypes.CDLL, certificate: int) -> bytes:
    size = lib.i2d_X509(certificate, None)
    buffer = ctypes.create_string_buffer(size)
    position = ctypes.c_void_p(ctypes.addressof(buffer))
    lib.i2d_X509(certificate, ctypes.byref(position))
    return buffer.raw


@lru_cache(maxsize=1)
def _libcrypto() -> ctypes.CDLL:
    lib = ctypes.CDLL(ctypes.util.find_library("crypto") or "libcrypto.so.3")
    pointer, text, number, size = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_size_t
    signatures: dict[str, tuple[object, list[object]]] = {
        "ERR_clear_error": (None, []),
        "d2i_X509": (pointer, [pointer, pointer, ctypes.c_long]),
        "i2d_X509": (number, [pointer, pointer]),
        "X509_free": (None, [pointer]),
        "OPENSSL_sk_new_null": (pointer, []),
        "OPENSSL_sk_push": (number, [pointer, pointer]),
        "OPENSSL_sk_free": (None, [pointer]),
        "X509_STORE_new": (pointer, []),
        "X509_STORE_free": (None, [pointer]),
        "X509_STORE_add_cert": (number, [pointer, pointer]),
        "X509_STORE_add_lookup": (pointer, [pointer, pointer]),
        "X509_LOOKUP_file": (pointer, []),
        "X509_load_crl_file": (number, [pointer, text, number]),
        "X509_STORE_CTX_new": (pointer, []),
        "X509_STORE_CTX_free": (None, [pointer]),
        "X509_STORE_CTX_init": (number, [pointer, pointer, pointer, pointer]),
        "X509_STORE_CTX_set_default": (number, [pointer, text]),
        "X509_STORE_CTX_set_verify_cb": (None, [pointer, _CALLBACK]),
        "X509_STORE_CTX_get0_param": (pointer, [pointer]),
        "X509_STORE_CTX_get_error": (number, [pointer]),
        "X509_STORE_CTX_get_error_depth": (number, [pointer]),
        "X509_STORE_CTX_get_current_cert": (pointer, [pointer]),
        "X509_VERIFY_PARAM_set_flags": (number, [pointer, ctypes.c_ulong]),
        "X509_VERIFY_PARAM_set_auth_level": (None, [pointer, number]),
        "X509_VERIFY_PARAM_set_depth": (None, [pointer, number]),
        "X509_VERIFY_PARAM_set_hostflags": (None, [pointer, ctypes.c_uint]),
        "X509_VERIFY_PARAM_set1_host": (number, [pointer, text, size]),
        "X509_VERIFY_PARAM_set1_ip_asc": (number, [pointer, text]),
        "X509_verify_cert": (number, [pointer]),
    }
    for name, (result, parameters) in signatures.items():
        function = getattr(lib, name)
        function.restype = result
        function.argtypes = parameters
    return lib
