"""The compiled module: it belongs to this package, and the stub for type checkers is complete."""

from __future__ import annotations

import re
import subprocess
import textwrap
from pathlib import Path

import pytest

import leadtools_compat
from leadtools_compat import _binding
from leadtools_compat._binding import ffi, lib, reads
from leadtools_compat.testing import TestPki
from tests.support import python

STUB = Path(_binding.__file__).with_name("_native.pyi")


def test_stub_names_every_function_and_nothing_else() -> None:
    text = STUB.read_text(encoding="utf-8")
    named = set(re.findall(r"def (L_Dicom\w+)\(", text)) | set(re.findall(r"(ldc_py_\w+):", text))
    constants = {name for name in dir(lib) if isinstance(getattr(lib, name), int)}
    assert named == set(dir(lib)) - constants


def test_library_and_package_have_one_version() -> None:
    version = ffi.string(lib.L_DicomGetLibraryVersion()).decode()
    assert version == leadtools_compat.__version__


def test_library_of_another_version_is_refused_in_words() -> None:
    with pytest.raises(ImportError, match=r"1\.0 found libltdic 2\.0.*install"):
        _binding._check_version("2.0", "1.0")


def run(program: str) -> subprocess.CompletedProcess[str]:
    return python("-c", textwrap.dedent(program))


def test_free_threaded_python_is_refused_in_words() -> None:
    done = run(
        """
        import sysconfig
        sysconfig.get_config_vars()["Py_GIL_DISABLED"] = 1
        import leadtools_compat.dicom
        """
    )
    assert done.returncode == 1
    assert "ImportError: leadtools_compat does not support free-threaded Python" in done.stderr


def test_missing_module_is_named_with_a_remedy() -> None:
    done = run(
        """
        import sys
        sys.modules["leadtools_compat._binding._native"] = None
        import leadtools_compat.dicom
        """
    )
    assert done.returncode == 1
    assert "ImportError: the compiled part of leadtools_compat cannot be loaded" in done.stderr
    assert "pip install" in done.stderr


@pytest.mark.parametrize(
    "module",
    [
        "associates",
        "callbacks",
        "datasets",
        "errors",
        "lifetime",
        "messages",
        "pump",
        "reads",
        "text",
    ],
)
def test_every_part_of_the_border_can_be_imported_first(module: str) -> None:
    done = run(f"import leadtools_compat._binding.{module}")
    assert (done.returncode, done.stderr) == (0, "")


def test_certificate_text_is_that_of_onverify(pki: TestPki) -> None:
    der = Path(pki.client.der_file).read_bytes()
    pem = Path(pki.client.certificate_file).read_bytes()
    text = reads.certificate_text(der, lib.DICOM_TLS_CERTIFICATE_ASN1)
    assert text.startswith("Subject Name: ")
    assert text == reads.certificate_text(pem, lib.DICOM_TLS_CERTIFICATE_PEM)
