"""docs/state-table.md is what tools/draw_fsm.py draws from csrc/ldc_fsm.c."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools import draw_fsm  # noqa: E402


@pytest.fixture(scope="module")
def source() -> str:
    return (ROOT / draw_fsm.SOURCE).read_text(encoding="utf-8")


def test_the_page_is_fresh(source: str) -> None:
    page = (ROOT / draw_fsm.PAGE).read_text(encoding="utf-8")
    assert page == draw_fsm.page(draw_fsm.read(source)), "run tools/draw_fsm.py"


def test_the_table_agrees_with_pynetdicom_cell_by_cell(source: str) -> None:
    from pynetdicom.fsm import ACTIONS, TRANSITION_TABLE

    table = draw_fsm.read(source)
    ours = {
        (event, state): action
        for event, names in table.cells.items()
        for state, action in zip(table.states, names, strict=True)
        if action != "-"
    }
    assert ours == TRANSITION_TABLE
    for name, action in table.actions.items():
        if name != "-":
            following = ACTIONS[name][2]
            assert set(action.targets) == set(
                [following] if isinstance(following, str) else following
            ), name


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("DT_1, NONE, AR_7", "DT_1, NONE, AR_77"),
        ("[LDC_EVT18] = ROW(", "[LDC_EVT17] = ROW("),
        ('    [LDC_STA13] = {"Sta13"', '    [LDC_STA13] = {"Sta14"'),
        ('[LDC_AE_7] = {"AE-7", ', '[LDC_AE_7] = {"AE-7" '),
        ("cells[", "squares["),
    ],
)
def test_a_damaged_table_is_refused(source: str, before: str, after: str) -> None:
    assert before in source
    with pytest.raises(ValueError, match=r"csrc/ldc_fsm\.c"):
        draw_fsm.read(source.replace(before, after))
