"""What the OpenSSL of this machine says about an identity: every complaint, each one overruled.

The one rule: it asks ``libcrypto`` as a TLS peer would (``X509_verify_cert``, purpose of the peer's role, security
level 2, ``PARTIAL_CHAIN``, no names in subjects) and never our own code, so that it can be held against it.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import ipaddress
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from leadtools_compat.testing import files
from leadtools_compat.testing.codes import name_of
from leadtools_compat.testing.model import Complaint, Identity, Role

_CRL_CHECK = 0x4
_CRL_CHECK_ALL = 0x8
_PARTIAL_CHAIN = 0x80000
_NEVER_CHECK_SUBJECT = 0x20
_SECURITY_LEVEL = 2
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p)


def judge(identity: Identity, library: str | None = None) -> tuple[Complaint, ...]:
    """Return what OpenSSL complains about when `identity` is judged as its documentation says.

    Parameters
    ----------
    library
        File name of a ``libcrypto`` of OpenSSL 3 or newer; None for the one that the system finds.

    Returns
    -------
    tuple[Complaint, ...]
        In the order of the complaints; empty if the identity is accepted. OpenSSL's limit of 100 KiB for a chain
        is one of TLS and plays no part here.

    Raises
    ------
    OSError
        If ``libcrypto`` is not there, or a file of the identity is not.
    ValueError
        If OpenSSL cannot parse one of the certificates.
    """
    return complaints(
        identity.chain_der,
        files.unpem(Path(identity.ca_file).read_bytes()),
        identity.role,
        crl_file=identity.crl_file,
        verify_depth=identity.verify_depth,
        host=identity.host,
        library=library,
    )


def complaints(
    chain_der: Sequence[bytes],
    trusted_der: Iterable[bytes],
    role: Role,
    *,
    crl_file: str | None = None,
    verify_depth: int | None = None,
    host: str | None = None,
    library: str | None = None,
) -> tuple[Complaint, ...]:
    """Return what OpenSSL complains about when a peer presents a chain; see `judge`.

    Parameters
    ----------
    chain_der
        Leaf first.
    trusted_der
        What the judge trusts.
    role
        Of the peer that presents it.
    crl_file, verify_depth, host, library
        As in `Identity` and `judge`.
    """
    lib = _libcrypto(library)
    told: list[Complaint] = []

    def listen(ok: int, context: int) -> int:
        if ok != 1:
            code = lib.X509_STORE_CTX_get_error(context)
            told.append(Complaint(name_of(code), lib.X509_STORE_CTX_get_error_depth(context)))
        return 1

    callback = _CALLBACK(listen)
    store = lib.X509_STORE_new()
    context = lib.X509_STORE_CTX_new()
    chain = lib.OPENSSL_sk_new_null()
    held = []
    try:
        held = [_parsed(lib, encoded) for encoded in chain_der]
        for certificate in held:
            lib.OPENSSL_sk_push(chain, certificate)
        _trust(lib, store, trusted_der, crl_file)
        if not lib.X509_STORE_CTX_init(context, store, held[0], chain):
            raise MemoryError("X509_STORE_CTX_init")
        purpose = b"ssl_client" if role == "client" else b"ssl_server"
        lib.X509_STORE_CTX_set_default(context, purpose)
        rules = lib.X509_STORE_CTX_get0_param(context)
        _set_rules(lib, rules, crl_file is not None, verify_depth, host)
        lib.X509_STORE_CTX_set_verify_cb(context, callback)
        lib.X509_verify_cert(context)
    finally:
        lib.X509_STORE_CTX_free(context)
        lib.OPENSSL_sk_free(chain)
        for certificate in held:
            lib.X509_free(certificate)
        lib.X509_STORE_free(store)
        lib.ERR_clear_error()
    return tuple(told)


def openssl_version(library: str | None = None) -> str:
    """Return the version of the ``libcrypto`` that `judge` asks."""
    return str(_libcrypto(library).OpenSSL_version(0).decode("ascii"))


def _set_rules(
    lib: ctypes.CDLL, rules: int, revocation: bool, depth: int | None, host: str | None
) -> None:
    flags = _PARTIAL_CHAIN | (_CRL_CHECK | _CRL_CHECK_ALL if revocation else 0)
    lib.X509_VERIFY_PARAM_set_flags(rules, flags)
    lib.X509_VERIFY_PARAM_set_auth_level(rules, _SECURITY_LEVEL)
    if depth is not None:
        lib.X509_VERIFY_PARAM_set_depth(rules, depth)
    if host is not None:
        name = host.encode("ascii")
        try:
            ipaddress.ip_address(host)
            lib.X509_VERIFY_PARAM_set1_ip_asc(rules, name)
        except ValueError:
            lib.X509_VERIFY_PARAM_set_hostflags(rules, _NEVER_CHECK_SUBJECT)
            lib.X509_VERIFY_PARAM_set1_host(rules, name, len(name))


def _trust(lib: ctypes.CDLL, store: int, trusted: Iterable[bytes], crl_file: str | None) -> None:
    for encoded in trusted:
        certificate = _parsed(lib, encoded)
        lib.X509_STORE_add_cert(store, certificate)
        lib.X509_free(certificate)
    if crl_file is None:
        return
    loader = lib.X509_STORE_add_lookup(store, lib.X509_LOOKUP_file())
    if lib.X509_load_crl_file(loader, crl_file.encode(), 1) < 1:
        raise OSError(f"OpenSSL cannot read the CRLs in {crl_file}")


def _parsed(lib: ctypes.CDLL, encoded: bytes) -> int:
    position = ctypes.c_char_p(encoded)
    certificate = lib.d2i_X509(None, ctypes.byref(position), len(encoded))
    if not certificate:
        lib.ERR_clear_error()
        raise ValueError("OpenSSL cannot parse a certificate of the chain")
    return int(certificate)


@lru_cache(maxsize=8)
def _libcrypto(library: str | None) -> ctypes.CDLL:
    lib = ctypes.CDLL(library or ctypes.util.find_library("crypto") or "libcrypto.so.3")
    pointer, text, number, size = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_size_t
    signatures: dict[str, tuple[object, list[object]]] = {
        "OpenSSL_version": (text, [number]),
        "ERR_clear_error": (None, []),
        "d2i_X509": (pointer, [pointer, pointer, ctypes.c_long]),
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
