"""Each flag stands beside the numbers that need it, and beside no others."""

from dataclasses import replace
from pathlib import Path

import pytest

from robustiqa.attacks import load_attack
from robustiqa.benchmarks.plan import Request, plan
from robustiqa.benchmarks.records import attack_record
from robustiqa.benchmarks.running import run
from robustiqa.models import load_model
from robustiqa.reports.compose import views
from robustiqa.reports.flag_notes import FLAG_NOTES
from robustiqa.reports.flags import flags_of
from robustiqa.reports.results import load_results
from tests.toys import memory

DOCS = Path(__file__).parents[2] / "docs" / "flags.md"


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """A built-in model and attack on 22 references: nothing to warn of."""
    data = memory(22)
    data = replace(data, pairs=tuple(replace(pair, reference=pair.id) for pair in data.pairs))
    out = tmp_path_factory.mktemp("flags")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("robustiqa.benchmarks.plan.load_demo", lambda: replace(memory(12), name="calibration"))
        run(plan(Request((load_model("ssim"),), (load_attack("fgsm"),), (data,), directions=("up",))), out)
    return load_results(out)


@pytest.fixture
def view(cells):
    return next(view for view in views(cells.cells) if view.direction == "up")


def with_spec(view, **changes):
    return replace(view, spec=view.spec.model_copy(update=changes))


def with_row(view, **changes):
    return replace(view, rows=(view.rows[0].model_copy(update=changes), *view.rows[1:]))


def model(view, **changes):
    return {"model": view.spec.model.model_copy(update=changes)}


def dataset(view, **changes):
    return {"dataset": view.spec.dataset.model_copy(update=changes)}


def rounded(row, share):
    """A row of which rounding left ``share`` of the gain."""
    return row.model_copy(update={"attacked_8bit": row.clean + share * (row.attacked - row.clean)})


CASES = {
    "crop-64": lambda v: with_spec(v, crop=64),
    "non-adaptive": lambda v: with_spec(v, threat="oblivious"),
    "labels-seen-in-training": lambda v: with_spec(v, **model(v, trained_on=("other", "toy"))),
    "random-weights": lambda v: with_spec(v, **model(v, flags=("random-weights",))),
    "plug-in": lambda v: with_spec(v, **model(v, code="0" * 64)),
    "expected-scores": lambda v: with_spec(v, **dataset(v, human_score="expected human score of a type and level")),
    "reduced-budget": lambda v: with_spec(v, attack=attack_record(load_attack("autoattack:quick"))),
    "dead-gradients": lambda v: with_row(v, dead_gradients=1),
    "eps-exceeded": lambda v: with_row(v, linf=v.spec.eps + 1e-5),
    "non-finite-scores": lambda v: with_row(v, status="non-finite", attacked=None),
    "saturated": lambda v: with_row(v, saturated_gradients=1),
    "8bit-loss": lambda v: replace(v, rows=tuple(rounded(row, 0.85) for row in v.rows)),
    "batch-dependent": lambda v: replace(v, calibration=(v.calibration[0].model_copy(update={"batch_dependent": True}),)),
    "unfinished": lambda v: replace(v, finished=False),
}


def test_a_built_in_cell_with_enough_references_has_no_flag(cells):
    """Flags mean something because most numbers have none."""
    (row,) = cells.rows(["up"])
    assert row.flags == ()
    assert row.n == 22


@pytest.mark.parametrize("flag", CASES)
def test_each_cause_raises_its_flag_alone(view, flag):
    """One change to a view without flags, one flag."""
    assert flags_of(view) == ()
    assert flags_of(CASES[flag](view)) == (flag,)


@pytest.mark.parametrize(
    "harmless",
    [
        lambda v: with_row(v, linf=v.spec.eps + 1e-9),
        lambda v: with_spec(v, **model(v, trained_on=("toys", "other"))),
        lambda v: with_spec(v, attack=attack_record(load_attack("autoattack:standard"))),
        lambda v: with_spec(v, threat="adaptive"),
        lambda v: replace(v, rows=tuple(rounded(row, 0.95) for row in v.rows)),
    ],
)
def test_what_only_resembles_a_cause_raises_none(view, harmless):
    """Rounding of ε, other labels, the full budget and an adaptive threat are in order."""
    assert flags_of(harmless(view)) == ()


def test_notes_of_the_html_report_are_the_table_of_the_docs():
    """Flag, meaning and remedy, word by word."""
    lines = [line for line in DOCS.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    written = {name.strip("`"): (meaning, remedy) for name, meaning, remedy in cells}
    assert written == FLAG_NOTES
