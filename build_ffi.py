"""What is built: libltdic's files and flags, and the cffi module over it.

One rule: nothing is declared twice. The fenced region of ``csrc/ltdic.h`` is the cdef; only the
callbacks into Python (``leadtools_compat/_binding/_callbacks.cdef``) are added to it.
``setup.py`` does the building.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from cffi import FFI

ROOT = Path(__file__).resolve().parent
HEADER = "csrc/ltdic.h"
EXPORTS = "csrc/ltdic.map"
CALLBACKS = "leadtools_compat/_binding/_callbacks.cdef"
MODULE = "leadtools_compat._binding._native"
LIBRARY = "libltdic.so"

_FENCE_BEGINS = "/* ---- fence:"
_FENCE_ENDS = "/* ---- end of fence ---- */"


class LibraryBuild(NamedTuple):
    """The commands that make libltdic.so, without the names of files."""

    compiler: list[str]
    cflags: list[str]
    ldflags: list[str]
    libraries: list[str]


def unsupported(platform: str, free_threaded: bool) -> str | None:
    """Say why `platform` (a ``sys.platform``) cannot have leadtools_compat, or None."""
    if not platform.startswith("linux"):
        return (
            "leadtools_compat runs on Linux (glibc, x86-64 and aarch64) only, "
            f"and this is {platform!r}. On Windows use WSL2, elsewhere a Linux container, "
            "for example python:3.12-bookworm."
        )
    if free_threaded:
        return (
            "leadtools_compat does not support free-threaded Python ('t' builds, without the GIL). "
            "Use the ordinary build of the same version, for example python3.13, not python3.13t."
        )
    return None


def version() -> str:
    """Read the version from its only place."""
    text = (ROOT / "leadtools_compat/_version.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    if found is None:
        raise ValueError('leadtools_compat/_version.py has no line __version__ = "..."')
    return found[1]


def cdef() -> str:
    """Join the fence of the public header and the callbacks into Python."""
    header = (ROOT / HEADER).read_text(encoding="utf-8")
    _, begins, rest = header.partition(_FENCE_BEGINS)
    fence, ends, _ = rest.partition(_FENCE_ENDS)
    if not begins or not ends:
        raise ValueError(f"{HEADER}: no region between '{_FENCE_BEGINS}' and '{_FENCE_ENDS}'")
    callbacks = (ROOT / CALLBACKS).read_text(encoding="utf-8")
    return f"{_FENCE_BEGINS}{fence}\n{callbacks}"


def library_build(environ: Mapping[str, str] = os.environ) -> LibraryBuild:
    """Compose the compiler's and linker's words for libltdic.so.

    CC, CPPFLAGS, CFLAGS and LDFLAGS count as everywhere. LTDIC_CFLAGS and LTDIC_LDFLAGS come last
    and count for the library only (sanitizers). LTDIC_POLLER=poll takes the poll() back end in
    place of epoll. LTDIC_OPENSSL is the folder of an OpenSSL of one's own (its ``include`` and
    ``lib``), which the library then finds by itself.
    """

    def words(name: str) -> list[str]:
        return shlex.split(environ.get(name, ""))

    poller = environ.get("LTDIC_POLLER", "") or "epoll"
    if poller not in ("epoll", "poll"):
        raise ValueError(f"LTDIC_POLLER is 'epoll' or 'poll', not {poller!r}")
    own = words("LTDIC_CFLAGS")
    openssl = environ.get("LTDIC_OPENSSL", "")
    if openssl and not (Path(openssl) / "include/openssl/ssl.h").exists():
        raise ValueError(f"LTDIC_OPENSSL is {openssl!r}, which has no include/openssl/ssl.h")
    openssl = str(Path(openssl).resolve()) if openssl else ""
    cflags = [
        *("-std=c11", "-O2", "-g", "-fPIC", "-pthread", "-D_GNU_SOURCE"),
        *("-fvisibility=hidden", "-fstack-protector-strong"),
        *("-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2"),
        f"-ffile-prefix-map={ROOT}=.",  # the same bytes wherever it is built
        f'-DLTDIC_VERSION="{version()}"',
        *(["-DLTDIC_POLLER_POLL"] if poller == "poll" else []),
        *([f"-I{openssl}/include"] if openssl else []),
        *words("CPPFLAGS"),
        *words("CFLAGS"),
        *own,
    ]
    compiler = shlex.split(environ.get("CC", "")) or ["gcc"]
    # clang puts the sanitizers' runtime into the program: there the library alone is never complete.
    sanitized = any(word.startswith("-fsanitize") for word in own)
    complete = [] if sanitized and "clang" in compiler[0] else ["-Wl,-z,defs"]
    ldflags = [
        *("-shared", "-pthread", f"-Wl,-soname,{LIBRARY}", f"-Wl,--version-script={EXPORTS}"),
        *("-Wl,-z,relro,-z,now", *complete),
        *([f"-L{openssl}/lib", f"-Wl,-rpath,{openssl}/lib"] if openssl else []),
        *words("LDFLAGS"),
        *words("LTDIC_LDFLAGS"),
    ]
    return LibraryBuild(compiler, cflags, ldflags, ["-lssl", "-lcrypto"])


def make_ffi() -> FFI:
    """Build the cffi description; the generated module finds the library beside itself."""
    ffi = FFI()
    ffi.cdef(cdef())
    ffi.set_source(
        MODULE,
        '#include "ltdic.h"\n',
        include_dirs=["csrc"],
        libraries=["ltdic"],
        depends=[HEADER, CALLBACKS, "build_ffi.py"],
        extra_compile_args=["-fvisibility=hidden"],
        extra_link_args=[
            "-Wl,-z,relro,-z,now",
            "-Wl,--enable-new-dtags,-rpath,$ORIGIN",
        ],
    )
    return ffi


# cffi's name for it: setup.py says cffi_modules=["build_ffi.py:ffibuilder"].
ffibuilder = make_ffi
