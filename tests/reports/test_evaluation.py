"""Models side by side on clean images: common samples, paired differences, verdicts."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import kendalltau, spearmanr

from robustiqa.benchmarks.cell import Cell
from robustiqa.benchmarks.plan import Request, clean_jobs
from robustiqa.benchmarks.running import run
from robustiqa.core.errors import InvalidInput
from robustiqa.reports.evaluation import evaluation_markdown, evaluations
from robustiqa.reports.results import load_results
from tests.toys import Linear, memory

RNG_QUALITY = np.random.default_rng(0).permutation(120) / 10.0


@pytest.fixture
def cell(tmp_path):
    """A real clean cell of 120 pairs of 24 references, whose scores the tests replace."""
    data = memory(120)
    pairs = tuple(
        replace(p, id=f"{i:03}", reference=f"r{i % 24}", human=float(q))
        for i, (p, q) in enumerate(zip(data.pairs, RNG_QUALITY, strict=True))
    )
    run(clean_jobs(Request((Linear(),), (), (replace(data, pairs=pairs),))), tmp_path)
    return load_results(tmp_path).cells[0]


def scored(cell: Cell, name: str, scores, lower_better=False) -> Cell:
    """The cell as another model would have scored it; NaN for a score that is not finite."""
    rows = tuple(
        row.model_copy(update={"clean": None if np.isnan(s) else float(s), "status": "non-finite" if np.isnan(s) else "ok"})
        for row, s in zip(cell.samples, scores, strict=True)
    )
    model = cell.spec.model.model_copy(update={"name": name, "lower_better": lower_better})
    return cell.model_copy(update={"samples": rows, "spec": cell.spec.model_copy(update={"model": model})})


def noisy(cell, scale, seed=1):
    quality = np.array([row.quality for row in cell.samples])
    return quality + scale * np.random.default_rng(seed).standard_normal(len(quality))


def test_a_better_model_is_above_and_a_copy_is_not_separable(cell):
    """The verdict follows the paired interval, in either direction of score; a distance is as good as its negative."""
    good, bad = noisy(cell, 1), noisy(cell, 30)
    table = evaluations([scored(cell, "bad", bad), scored(cell, "good", -good, lower_better=True), scored(cell, "copy", bad)])
    assert [e.difference and e.difference.verdict for e in table] == [None, "above", "not separable"]
    assert table[1].srocc.estimate == pytest.approx(spearmanr([r.quality for r in cell.samples], good).statistic)
    assert table[1].krocc == pytest.approx(kendalltau([r.quality for r in cell.samples], good).statistic)
    assert table[1].difference.estimate == pytest.approx(table[1].srocc.estimate - table[0].srocc.estimate)
    assert table[1].difference.lo > 0
    assert (table[2].difference.lo, table[2].difference.hi) == (0, 0)
    assert table[1].srocc.flags == ()
    assert evaluations([scored(cell, "good", good), scored(cell, "bad", bad)])[1].difference.verdict == "below"


def test_models_are_compared_on_samples_that_all_could_score(cell):
    """A model's missing score removes the sample for the others, and each counts what it lost."""
    holes = noisy(cell, 1)
    holes[:7] = np.nan
    full = noisy(cell, 5)
    first, second = evaluations([scored(cell, "full", full), scored(cell, "holes", holes)])
    assert (first.n, first.n_excluded, second.n, second.n_excluded) == (113, 7, 113, 7)
    quality = [r.quality for r in cell.samples]
    assert first.srocc.estimate == pytest.approx(spearmanr(quality[7:], full[7:]).statistic)
    assert "113 (−7)" in evaluation_markdown([first, second])


def test_flags_of_the_model_its_labels_and_its_scores_show(cell):
    """Untrained weights, labels that were trained on, expected scores, missing scores, a plug-in: none gets lost."""
    spec = cell.spec
    model = spec.model.model_copy(update={"flags": ("random-weights",), "trained_on": ("toy",), "code": "built-in"})
    dataset = spec.dataset.model_copy(update={"human_score": "expected"})
    marked = cell.model_copy(update={"spec": spec.model_copy(update={"model": model, "dataset": dataset})})
    holes = cell.samples[0].model_copy(update={"status": "non-finite", "clean": None})
    marked = marked.model_copy(update={"samples": (holes, *cell.samples[1:])})
    expected = ("expected-scores", "labels-seen-in-training", "non-finite-scores", "random-weights")
    assert evaluations([marked])[0].flags == expected
    assert " ".join(expected) in evaluation_markdown(evaluations([marked]))
    assert evaluations([cell])[0].flags == ("plug-in",)


def test_several_datasets_or_no_common_sample_are_refused(cell):
    """Such a table would compare nothing."""
    other = cell.spec.dataset.model_copy(update={"manifest": "0" * 64})
    with pytest.raises(InvalidInput, match="one dataset"):
        evaluations([cell, cell.model_copy(update={"spec": cell.spec.model_copy(update={"dataset": other})})])
    with pytest.raises(InvalidInput, match="no sample"):
        evaluations([cell, scored(cell, "none", np.full(120, np.nan))])
