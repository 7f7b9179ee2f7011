"""The matrix of members, held against the real classes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import leadtools_compat.dicom
import leadtools_compat.dicom.scu
import leadtools_compat.dicom.scu.queries
from leadtools_compat import api_matrix
from leadtools_compat.api_matrix import Owner, Row
from tools.api_matrix_members import declared_in_c, members, missing, owner_of

ROOT = Path(__file__).resolve().parents[2]
OWNERS = list(api_matrix.all_owners())
CLASSES = [one for one in OWNERS if one.module != "ltdic.h"]
MODULES: list[ModuleType] = [
    leadtools_compat.dicom,
    leadtools_compat.dicom.scu,
    leadtools_compat.dicom.scu.queries,
]
NOT_YET = {"apply_tls_profile", "check_tls_profiles"}
"""Members that have to come; the matrix says that they are absent, and they have to be."""


def show(owner: Owner) -> str:
    return f"{owner.module.removeprefix('leadtools_compat.')}.{owner.name}"


@pytest.mark.parametrize("owner", CLASSES, ids=show)
def test_members_are_there_as_the_matrix_says(owner: Owner) -> None:
    real = owner_of(owner)
    there = members(real)
    for row in owner.rows:
        refuses = row.name in there and "raises " in row.note
        assert (row.name in there) == (row.state != "absent" or refuses), row


@pytest.mark.parametrize("owner", CLASSES, ids=show)
def test_members_that_are_there_are_in_the_matrix(owner: Owner) -> None:
    assert missing(owner) == set(), "add them with tools/generate_api_matrix.py --add"


def test_every_class_is_in_the_matrix() -> None:
    named = {(one.module, one.name) for one in CLASSES}
    for module in MODULES:
        for name in module.__all__:
            real = getattr(module, name)
            first = getattr(real, "__name__", name)  # an alias is the class under another name
            assert (module.__name__, name) in named or (module.__name__, first) in named, name


def test_functions_of_c_are_there_as_the_matrix_says() -> None:
    declared = declared_in_c()
    (owner,) = (one for one in OWNERS if one.module == "ltdic.h")
    assert {row.name for row in owner.rows if row.state != "absent"} == declared
    assert not {row.name for row in owner.rows if row.state == "absent"} & declared


def rows() -> Iterator[Row]:
    for owner in OWNERS:
        yield from owner.rows


def test_all_that_must_and_should_be_there_is() -> None:
    missing = {
        row.name for row in rows() if row.priority in ("must", "should") and row.state == "absent"
    }
    assert missing == NOT_YET


def test_what_differs_or_is_absent_says_how_and_why() -> None:
    assert [row for row in rows() if row.state != "done" and len(row.note) < 10] == []


def test_nothing_is_named_twice() -> None:
    names = [(one.module, one.name) for one in OWNERS]
    assert len(set(names)) == len(names)
    for owner in OWNERS:
        assert len({row.name for row in owner.rows}) == len(owner.rows), owner.name


def test_a_line_that_does_not_fit_is_named(tmp_path: Path) -> None:
    file = tmp_path / "wrong.txt"
    file.write_text("# Title\n\n@ module Class\nmust done Member\nmaybe done Other\n")
    with pytest.raises(ValueError, match=r"wrong.txt, line 5"):
        api_matrix.read(file)


def test_the_document_is_fresh() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools/generate_api_matrix.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
