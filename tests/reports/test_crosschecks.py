"""Numbers of one run that contradict each other are flagged, and those that agree are not."""

from dataclasses import replace
from pathlib import Path

import pytest

from robustiqa.attacks import load_attack
from robustiqa.benchmarks.bench import bench
from robustiqa.benchmarks.records import attack_record
from robustiqa.core.model import ModelInfo, QualityModel
from robustiqa.reports.compose import views
from robustiqa.reports.crosschecks import cross_flags
from robustiqa.reports.results import load_results
from tests.toys import Linear, Wavy, memory

pytestmark = pytest.mark.usefixtures("toy_calibration")
DOCS = Path(__file__).parents[2] / "docs" / "flags.md"


@pytest.fixture
def view(tmp_path):
    """PGD in steps of three, up."""
    bench([Wavy()], ["pgd:steps=3"], memory(), directions=["up"], out=tmp_path)
    return next(views(load_results(tmp_path).cells))


def variant(view, text, share=1.0, backwards=None, **spec):
    """The same view as if another attack had gained ``share`` times as much."""
    sign = view.orientation
    rows = tuple(
        row.model_copy(
            update={
                "attacked": row.clean + share * (row.attacked - row.clean),
                "backwards": row.backwards if backwards is None else backwards,
            }
        )
        for row in view.rows
    )
    assert sign == -1
    attack = attack_record(load_attack(text))
    return replace(view, rows=rows, spec=view.spec.model_copy(update={"attack": attack, **spec}))


CASES = {
    "a black box beats the white box": (
        [("pgd:steps=3", 1.0, None, {}), ("square", 1.2, 0, {"threat": "black-box"})],
        [{"black-box-stronger"}, set()],
    ),
    "a black box beats the weaker of two white boxes only": (
        [("fgsm", 0.5, None, {}), ("pgd:steps=3", 1.0, None, {}), ("square", 0.8, 0, {"threat": "black-box"})],
        [set(), set(), set()],
    ),
    "a larger eps gains less": (
        [("pgd:steps=3", 1.0, None, {"eps": 0.01}), ("pgd:steps=3", 0.9, None, {"eps": 0.02})],
        [set(), {"eps-not-monotone"}],
    ),
    "a larger eps gains as much, to a rounding": (
        [("pgd:steps=3", 1.0, None, {"eps": 0.01}), ("pgd:steps=3", 0.995, None, {"eps": 0.02})],
        [set(), set()],
    ),
    "more steps gain less": (
        [("pgd:steps=3", 1.0, None, {}), ("pgd:steps=30", 0.9, None, {})],
        [set(), {"steps-not-monotone"}],
    ),
    "more queries gain less": (
        [("square:queries=50", 1.0, 0, {}), ("square:queries=500", 0.9, 0, {})],
        [set(), {"steps-not-monotone"}],
    ),
    "more steps of another step size gain less": (
        [("pgd:steps=3", 1.0, None, {}), ("pgd:steps=30,alpha=1/255", 0.9, None, {})],
        [set(), set()],
    ),
    "restarts still improve": (
        [("pgd:steps=3", 1.0, None, {}), ("pgd:steps=3,restarts=5", 1.1, None, {}),
         ("pgd:steps=3,restarts=9", 1.2, None, {})],
        [set(), set(), {"restarts-improving"}],
    ),
    "restarts have converged": (
        [("pgd:steps=3", 1.0, None, {}), ("pgd:steps=3,restarts=5", 1.001, None, {})],
        [set(), set()],
    ),
    "cells of different seeds are not compared": (
        [("pgd:steps=3", 1.0, None, {"seed": 1}), ("pgd:steps=30", 0.9, None, {"seed": 2})],
        [set(), set()],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_each_contradiction_raises_its_flag_on_the_right_cell(view, case):
    """And near-contradictions raise none."""
    variants, wanted = CASES[case]
    assert cross_flags([variant(view, text, share, back, **spec) for text, share, back, spec in variants]) == wanted


def test_directions_are_compared_with_themselves_only(view):
    """A metric may be harder to lower than to raise."""
    up, down = variant(view, "pgd:steps=3"), replace(variant(view, "pgd:steps=30", 0.5), direction="down")
    assert cross_flags([up, down]) == [set(), set()]


class Masked(QualityModel):
    """A linear score whose gradient points the wrong way."""

    info = ModelInfo("masked", lower_better=False, paper="toy")

    def compare(self, reference, dist):
        scores = Linear().compare(reference, dist)
        return 2 * scores.detach() - scores


def test_a_hidden_gradient_is_caught_in_a_run(tmp_path):
    """Square beats FGSM on a model that lies about its slope; on the honest one it does not."""
    bench([Masked(), Linear()], ["fgsm", "square:queries=60"], memory(4), directions=["up"], out=tmp_path)
    flagged = {(r.view.spec.model.name, r.view.spec.attack.name) for r in load_results(tmp_path).rows() if "black-box-stronger" in r.flags}
    assert flagged == {("masked", "fgsm")}


class Pooled(QualityModel):
    """A score that looks at the mean of its batch."""

    info = ModelInfo("pooled", lower_better=False, paper="toy")

    def compare(self, reference, dist):
        return dist.flatten(1).mean(1) - 0.5 * dist.mean()


def test_a_score_that_depends_on_its_batch_is_caught_while_calibrating(tmp_path):
    """One sample of each batch is scored again alone; honest models keep their numbers at any batch size."""
    bench([Pooled(), Linear()], ["fgsm"], memory(4), directions=["up"], out=tmp_path)
    assert {r.view.spec.model.name: "batch-dependent" in r.flags for r in load_results(tmp_path).rows()} == {
        "pooled": True,
        "linear": False,
    }


def test_the_share_of_dead_gradients_stands_in_the_table_and_beside_the_flag(view):
    """One of the eight samples lost one of its three."""
    from robustiqa.reports.flags import dead_share
    from robustiqa.reports.render import flags_text, to_frame
    from robustiqa.reports.rows import _row

    rows = (view.rows[0].model_copy(update={"dead_gradients": 1}), *view.rows[1:])
    row = _row(replace(view, rows=rows), set(), seed=0)
    assert dead_share(row.view) == row.dead_share == pytest.approx(1 / 24)
    assert "dead-gradients(4%)" in flags_text(row)
    assert to_frame([row])["dead_gradient_share"].item() == pytest.approx(1 / 24)


@pytest.mark.parametrize(
    "flag",
    ["8bit-loss", "batch-dependent", "black-box-stronger", "dead-gradients", "eps-not-monotone", "restarts-improving",
     "saturated", "steps-not-monotone", "transfer-stronger", "calibration-missed", "attacks-missing"],
)  # fmt: skip
def test_every_self_check_has_its_row_in_the_docs(flag):
    """Name, meaning and what to do."""
    (line,) = [line for line in DOCS.read_text(encoding="utf-8").splitlines() if line.startswith(f"| `{flag}` |")]
    assert len([cell for cell in line.split("|") if cell.strip()]) == 3
