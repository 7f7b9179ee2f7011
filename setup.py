"""Builds libltdic.so, then the cffi module that links it; the rest is in pyproject.toml.

The library is compiled here and not as a setuptools extension, because it is a plain C library: own
flags, own exports, a name without Python's suffix. Its objects lie in ``build/ltdic/<flags>/``, so
that builds with other flags do not disturb each other and an unchanged file is not compiled again.
"""

from __future__ import annotations

import fcntl
import filecmp
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

from setuptools import setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))  # build front ends do not

import build_ffi  # noqa: E402

FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
LIBRARY = Path("leadtools_compat/_binding") / build_ffi.LIBRARY
PUBLIC_HEADER = Path("leadtools_compat/include/ltdic.h")

# What is tried before compiling, so that the first thing missing is named and not the hundredth
# error of the compiler.
_PROBES = (
    (
        "#include <stdio.h>\n",
        "The C library's headers are missing. On Debian and Ubuntu: apt-get install libc6-dev.",
    ),
    (
        "#include <openssl/ssl.h>\n",
        "The headers of OpenSSL are missing. On Debian and Ubuntu: apt-get install libssl-dev; "
        "elsewhere the package openssl-devel, or point CPPFLAGS and LDFLAGS to them.",
    ),
    (
        "#include <openssl/opensslv.h>\n#if OPENSSL_VERSION_NUMBER < 0x30000000L\n#error\n#endif\n",
        "OpenSSL is older than 3.0. Use a system that has OpenSSL 3 (Debian 12, Ubuntu 22.04, "
        "RHEL 9 or newer), or point CPPFLAGS and LDFLAGS to one.",
    ),
)


def refuse(text: str) -> NoReturn:
    """End the build with words instead of a traceback."""
    raise SystemExit(f"\nleadtools_compat cannot be built. {text}\n")


def newest(files: Iterable[Path]) -> float:
    """Time of the file changed last; 0 for none."""
    return max((file.stat().st_mtime for file in files), default=0.0)


def install_file(source: Path, target: Path) -> None:
    """Copy by replacing: a process that has the old file mapped keeps it."""
    if target.exists() and filecmp.cmp(source, target, shallow=False):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f"{target.name}.{os.getpid()}")
    shutil.copyfile(source, fresh)
    shutil.copymode(source, fresh)
    fresh.replace(target)


def run(command: list[str], what: str) -> None:
    """Run one compiler command; its messages are shown, its failure ends the build."""
    if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
        refuse(f"{what} failed; the compiler's messages are above.")


def check_tools(build: build_ffi.LibraryBuild) -> None:
    """Name what is missing, and the Debian package that has it."""
    if shutil.which(build.compiler[0]) is None:
        refuse(
            f"The C compiler {build.compiler[0]!r} is missing. "
            "On Debian and Ubuntu: apt-get install gcc libc6-dev; or set CC."
        )
    for source, text in _PROBES:
        probe = [*build.compiler, *build.cflags, "-E", "-o", os.devnull, "-x", "c", "-"]
        done = subprocess.run(
            probe, input=source, text=True, capture_output=True, check=False, cwd=ROOT
        )
        if done.returncode != 0:
            refuse(text)
    include = Path(sysconfig.get_path("include"))
    if not (include / "Python.h").exists():
        refuse("Python.h is missing. On Debian and Ubuntu: apt-get install python3-dev.")


def build_library() -> Path:
    """Compile and link what has changed; return the library."""
    try:
        build = build_ffi.library_build()
    except ValueError as error:
        refuse(str(error))
    sources = sorted(Path("csrc").glob("*.c"))
    link_words = repr([build, sources]).encode()
    # Without the place: paths are mapped, so a copy of the project may bring its objects along.
    key = hashlib.sha256(repr(build).replace(f"{ROOT}=", "=").encode()).hexdigest()[:12]
    folder = ROOT / "build/ltdic" / f"{platform.machine()}-{key}"
    folder.mkdir(parents=True, exist_ok=True)
    library = folder / build_ffi.LIBRARY
    linked = folder / "linked"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        headers = newest((ROOT / "csrc").glob("*.h"))
        objects = {source: folder / f"{source.stem}.o" for source in sources}
        stale = [
            source
            for source, compiled in objects.items()
            if not compiled.exists()
            or compiled.stat().st_mtime <= max(headers, newest([ROOT / source]))
        ]

        if stale:
            check_tools(build)

        def compile_one(source: Path) -> None:
            output = objects[source]
            unfinished = output.with_suffix(".new")
            run(
                [*build.compiler, *build.cflags, "-c", str(source), "-o", str(unfinished)],
                f"Compiling {source}",
            )
            unfinished.replace(output)

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(compile_one, stale))
        inputs = [*objects.values(), ROOT / build_ffi.EXPORTS]
        if (
            not library.exists()
            or not linked.exists()
            or linked.read_bytes() != link_words
            or library.stat().st_mtime <= newest(inputs)
        ):
            command = [*build.compiler, *map(str, objects.values()), *build.ldflags]
            fresh = folder / "libltdic.new"
            run([*command, *build.libraries, "-o", str(fresh)], f"Linking {build_ffi.LIBRARY}")
            fresh.replace(library)
            linked.write_bytes(link_words)
    return library


class BuildNative(build_ext):
    """The library first, then the module over it, then both (and the header) where they belong."""

    def run(self) -> None:
        reason = build_ffi.unsupported(sys.platform, FREE_THREADED)
        if reason is not None:
            refuse(reason)
        library = build_library()
        for extension in self.extensions:
            extension.library_dirs.insert(0, str(library.parent))
        placed = {LIBRARY: library, PUBLIC_HEADER: ROOT / build_ffi.HEADER}
        for target, source in placed.items():
            install_file(source, Path(self.build_lib) / target)
            if self.inplace:
                install_file(source, ROOT / target)
        super().run()

    def build_extensions(self) -> None:
        # A Python that was built with a shared libpython hands its own -rpath on; ours is $ORIGIN only.
        compiler = self.compiler
        compiler.linker_so = [
            word for word in compiler.linker_so if not word.startswith(("-Wl,-rpath", "-Wl,-R"))
        ]
        super().build_extensions()

    def get_outputs(self) -> list[str]:
        return [*super().get_outputs(), *self._ours()]

    def get_output_mapping(self) -> dict[str, str]:
        return {**super().get_output_mapping(), **(self._ours() if self.inplace else {})}

    def _ours(self) -> dict[str, str]:
        return {str(Path(self.build_lib) / file): str(file) for file in (LIBRARY, PUBLIC_HEADER)}


setup(
    cffi_modules=["build_ffi.py:ffibuilder"],
    cmdclass={"build_ext": BuildNative},
    # cffi's module keeps to the stable ABI, so one wheel serves every later Python; without the
    # GIL there is no such ABI.
    options={} if FREE_THREADED else {"bdist_wheel": {"py_limited_api": "cp310"}},
)
