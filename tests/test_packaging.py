"""What is built, exported and packed."""

from __future__ import annotations

import ctypes
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

import leadtools_compat
from leadtools_compat import _version

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path(leadtools_compat.__file__).parent
LIBRARY = PACKAGE / "_binding" / "libltdic.so"
MODULE = PACKAGE / "_binding" / "_native.abi3.so"
BUILT = {".so", ".pyc", ".o", ".a"}


def load(name: str) -> ModuleType:
    """Import a script of the project that is in no package."""
    spec = importlib.util.spec_from_file_location(Path(name).stem, ROOT / name)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def run(*command: str | Path, cwd: Path = ROOT, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a tool: its text in English, and not on a sanitizer that this process runs on."""
    left_out = ("LD_PRELOAD", "CC", "CFLAGS", "CPPFLAGS", "LDFLAGS", "PYTHONPATH")
    env = {name: value for name, value in os.environ.items() if name not in left_out}
    env.update(environ, LC_ALL="C.UTF-8")
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)


def output(*command: str | Path, cwd: Path = ROOT) -> str:
    """Run a tool that must succeed."""
    done = run(*command, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def dynamic_section(file: Path) -> dict[str, list[str]]:
    """Values of the dynamic section by tag: NEEDED, SONAME, RUNPATH, RPATH."""
    found: dict[str, list[str]] = {}
    for tag, value in re.findall(r"\((\w+)\).*\[(.*)\]", output("readelf", "-dW", file)):
        found.setdefault(tag, []).append(value)
    return found


def declared_functions() -> set[str]:
    """The functions that the public header declares."""
    header = (ROOT / "csrc/ltdic.h").read_text(encoding="utf-8")
    code = re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)
    return set(re.findall(r"\b(L_Dicom\w+)\(", code))


def test_library_exports_the_functions_of_its_header_and_nothing_else() -> None:
    lines = output("nm", "-D", "--defined-only", LIBRARY).splitlines()
    exported = {line.split()[-1].partition("@")[0] for line in lines}
    assert exported == declared_functions()


def test_module_exports_its_initialiser_only() -> None:
    lines = output("nm", "-D", "--defined-only", MODULE).splitlines()
    assert [line.split()[-1] for line in lines] == ["PyInit__native"]


def test_module_looks_for_the_library_beside_itself_and_nowhere_else() -> None:
    section = dynamic_section(MODULE)
    assert section["RUNPATH"] == ["$ORIGIN"]
    assert "RPATH" not in section
    assert "libltdic.so" in section["NEEDED"]
    assert not [name for name in section["NEEDED"] if name.startswith("libpython")]


def test_library_names_itself_and_searches_no_folder_of_its_own() -> None:
    section = dynamic_section(LIBRARY)
    assert section["SONAME"] == ["libltdic.so"]
    assert not section.keys() & {"RUNPATH", "RPATH"}


@pytest.mark.parametrize("file", [LIBRARY, MODULE], ids=lambda file: file.name)
def test_tables_of_addresses_are_read_only_after_loading(file: Path) -> None:
    assert "GNU_RELRO" in output("readelf", "-lW", file)
    assert "NOW" in output("readelf", "-dW", file)
    assert "RWE" not in output("readelf", "-lW", file)


def test_version_is_the_same_everywhere() -> None:
    library = ctypes.CDLL(str(LIBRARY))
    library.L_DicomGetLibraryVersion.restype = ctypes.c_char_p
    assert library.L_DicomGetLibraryVersion().decode() == _version.__version__
    assert importlib.metadata.version("leadtools_compat") == _version.__version__
    assert leadtools_compat.__version__ == _version.__version__


def test_header_in_the_package_is_the_public_header() -> None:
    assert (PACKAGE / "include/ltdic.h").read_bytes() == (ROOT / "csrc/ltdic.h").read_bytes()


def test_sdist_has_every_file_and_nothing_that_was_built(tmp_path: Path) -> None:
    output(sys.executable, "setup.py", "-q", "egg_info", "--egg-base", tmp_path)
    listing = (tmp_path / "leadtools_compat.egg-info/SOURCES.txt").read_text().splitlines()
    packed = {name for name in map(Path, listing) if not name.is_absolute()}
    wanted = {Path(name) for name in ("setup.py", "build_ffi.py", "pyproject.toml", "MANIFEST.in")}
    wanted |= {Path(name) for name in ("LICENSE", "README.md", "CHANGELOG.md", "Makefile")}
    for folder in ("csrc", "leadtools_compat", "tests", "tools", "examples"):
        for path in (ROOT / folder).rglob("*"):
            name = path.relative_to(ROOT)
            hidden = any(part.startswith((".", "__pycache__")) for part in name.parts)
            if path.is_file() and not hidden and path.suffix not in BUILT:
                wanted.add(name)
    wanted.discard(Path("leadtools_compat/include/ltdic.h"))
    assert sorted(wanted - packed) == []
    assert [name for name in packed if name.suffix in BUILT or "include" in name.parts] == []


def test_other_platforms_are_told_the_remedy() -> None:
    build_ffi = load("build_ffi.py")
    assert "WSL2" in build_ffi.unsupported("win32", False)
    assert "container" in build_ffi.unsupported("darwin", False)
    assert "python3.13" in build_ffi.unsupported("linux", True)
    assert build_ffi.unsupported("linux", False) is None


@pytest.fixture
def build_tree(tmp_path: Path) -> Path:
    """Only what the build itself reads."""
    tree = tmp_path / "tree"
    (tree / "leadtools_compat/_binding").mkdir(parents=True)
    shutil.copytree(ROOT / "csrc", tree / "csrc")
    for name in (
        *("setup.py", "build_ffi.py", "pyproject.toml", "README.md", "LICENSE"),
        *("leadtools_compat/_version.py", "leadtools_compat/_binding/_callbacks.cdef"),
    ):
        shutil.copyfile(ROOT / name, tree / name)
    (tree / "leadtools_compat/__init__.py").touch()
    (tree / "leadtools_compat/_binding/__init__.py").touch()
    return tree


def build_in(tree: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Build in place in a copy."""
    return run(sys.executable, "setup.py", "-q", "build_ext", "--inplace", cwd=tree, **environ)


def test_missing_compiler_is_named_with_the_package_that_has_it(build_tree: Path) -> None:
    done = build_in(build_tree, CC="gcc-that-is-not-there")
    assert done.returncode == 1
    assert "'gcc-that-is-not-there' is missing" in done.stderr
    assert "apt-get install gcc" in done.stderr
    assert "Traceback" not in done.stderr


def test_missing_openssl_headers_are_named_with_the_package_that_has_them(
    build_tree: Path, tmp_path: Path
) -> None:
    (tmp_path / "openssl").mkdir()
    (tmp_path / "openssl/ssl.h").write_text("#error not here\n")
    done = build_in(build_tree, CPPFLAGS=f"-I{tmp_path}")
    assert done.returncode == 1
    assert "apt-get install libssl-dev" in done.stderr
    assert "Traceback" not in done.stderr


def test_old_openssl_is_refused_with_the_version_that_is_needed(
    build_tree: Path, tmp_path: Path
) -> None:
    (tmp_path / "openssl").mkdir()
    (tmp_path / "openssl/ssl.h").touch()
    (tmp_path / "openssl/opensslv.h").write_text("#define OPENSSL_VERSION_NUMBER 0x10101000L\n")
    done = build_in(build_tree, CPPFLAGS=f"-I{tmp_path}")
    assert done.returncode == 1
    assert "OpenSSL is older than 3.0" in done.stderr


def test_unknown_poller_is_refused(build_tree: Path) -> None:
    done = build_in(build_tree, LTDIC_POLLER="select")
    assert done.returncode == 1
    assert "LTDIC_POLLER is 'epoll' or 'poll', not 'select'" in done.stderr


@pytest.mark.soak
def test_only_what_changed_is_built_again(build_tree: Path) -> None:
    library = build_tree / "leadtools_compat/_binding/libltdic.so"
    module = build_tree / "leadtools_compat/_binding/_native.abi3.so"

    def built() -> tuple[set[Path], int]:
        done = build_in(build_tree)
        assert done.returncode == 0, done.stderr
        objects = (build_tree / "build/ltdic").rglob("*.o")
        new = {path for path in objects if path.stat().st_mtime_ns > mark.stat().st_mtime_ns}
        mark.touch()
        return new, module.stat().st_mtime_ns

    mark = build_tree / "mark"
    mark.touch()
    everything, _ = built()
    assert {path.stem for path in everything} == {
        path.stem for path in (build_tree / "csrc").glob("*.c")
    }
    untouched = library.stat().st_ino
    assert built()[0] == set()
    assert library.stat().st_ino == untouched
    (build_tree / "csrc/ldc_error.c").touch()
    assert {path.stem for path in built()[0]} == {"ldc_error"}
    header = build_tree / "csrc/ltdic.h"
    text = header.read_text(encoding="utf-8")
    header.write_text(
        text.replace("/* ---- end of fence", "#define DICOM_NEW 1\n/* ---- end of fence")
    )
    assert built()[0] == everything
    names = "from leadtools_compat._binding._native import lib; print(lib.DICOM_NEW)"
    assert output(sys.executable, "-c", names, cwd=build_tree) == "1\n"


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_wheel_from_the_sdist_is_complete_and_stable_abi(tmp_path: Path) -> None:
    tree, out, place = tmp_path / "tree", tmp_path / "out", tmp_path / "place"
    tree.mkdir()
    load("tools/mirror_tree.py").main(tree)
    output(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ".", cwd=tree)
    (wheel,) = out.glob("*.whl")
    assert re.fullmatch(
        rf"leadtools_compat-{re.escape(_version.__version__)}-cp310-abi3-linux_\w+\.whl", wheel.name
    )
    with zipfile.ZipFile(wheel) as archive:
        packed = {Path(name) for name in archive.namelist() if not name.endswith("/")}
        archive.extractall(place)
    sources = (tree / "leadtools_compat").rglob("*")
    wanted = {path.relative_to(tree) for path in sources if path.is_file()}
    wanted = {name for name in wanted if name.suffix != ".cdef" and "__pycache__" not in name.parts}
    wanted |= {
        Path("leadtools_compat") / name
        for name in ("_binding/libltdic.so", "_binding/_native.abi3.so", "include/ltdic.h")
    }
    inside = {name for name in packed if name.parts[0] == "leadtools_compat"}
    assert inside == wanted
    assert dynamic_section(place / MODULE.relative_to(PACKAGE.parent))["RUNPATH"] == ["$ORIGIN"]
    where = "import leadtools_compat; print(leadtools_compat.__file__)"
    assert output(sys.executable, "-c", where, cwd=place).startswith(str(place))
