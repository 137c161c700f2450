"""Choices under attack: composed of single images' cells, they are what attacking the choice itself gives."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from robustiqa.attacks import load_attack
from robustiqa.benchmarks.bench import bench
from robustiqa.core.two_afc import TwoAFC
from robustiqa.datasets.triplets import Triplet, TripletDataset, derived_triplets
from robustiqa.reports.attacked_choices import choices_markdown
from robustiqa.reports.results import load_results
from tests.toys import Cliff, Memory, Wavy, memory

pytestmark = pytest.mark.usefixtures("toy_calibration")
EPS = 0.3 / 255


class Twos(Memory):
    """Two images share a reference, as in BAPPS."""

    def images(self, pair):
        reference, _ = super().images(replace(pair, id=str(int(pair.id) // 2 * 2)))
        generator = torch.Generator().manual_seed(int(pair.id))
        noise = 0.02 * (1 + int(pair.id) % 5) * (torch.rand(3, 24, 24, generator=generator) - 0.5)
        return reference, ((reference + noise).clamp(0, 1) * 255).round() / 255


@pytest.fixture
def data():
    """Twelve comparisons of two images each; every sixth one is a tie."""
    pairs = tuple(replace(pair, reference=f"r{i // 2}") for i, pair in enumerate(memory(24).pairs))
    source = Twos("judged", pairs, higher_better=True, human_score="share", labels="toy")
    shares = [0.5 if i % 6 == 5 else (0.2, 0.9, 0.6)[i % 3] for i in range(12)]
    triplets = tuple(Triplet(f"t{i}", f"r{i}", str(2 * i), str(2 * i + 1), h, "toy") for i, h in enumerate(shares))
    return TripletDataset("judged", pairs, True, "share", "toy", triplets, "asked", source)


def attacked(data, target):
    """The choices themselves under attack, one by one: p1's margin before and after, oriented."""
    before, after = [], []
    for triplet in data.triplets:
        first, second = (next(pair for pair in data.pairs if pair.id == side) for side in (triplet.p0, triplet.p1))
        (ref, p0), p1 = data.images(first), data.images(second)[1]
        human = torch.tensor([triplet.preference])
        objective = TwoAFC(Wavy(), ref[None], p0[None], p1[None], human, target)
        result = load_attack("pgd:steps=3").run(objective, objective.clean, EPS)
        sign = 1 if triplet.preference > 0.5 else -1  # reported is the margin of the preferred image
        before.append(sign * float(result.clean_score))
        after.append(sign * float(result.attacked_score))
    return np.array(before), np.array(after)


@pytest.fixture
def found(data, tmp_path):
    bench([Wavy()], ["pgd:steps=3"], data, eps=[EPS], out=tmp_path)
    return {one.target: one for one in load_results(tmp_path).choices()}


@pytest.mark.parametrize("target", ["preferred", "p0", "p1"])
def test_scores_are_those_of_the_attacked_choices(data, found, target):
    """Soft score, majority accuracy and flips under an attack on one image, by hand from the margins of TwoAFC."""
    before, after = attacked(data, target)
    h = np.array([triplet.preference for triplet in data.triplets])
    decided = h != 0.5
    after = np.where(decided, after, before)  # where people are tied nothing is attacked
    one = found[target]
    assert (one.n, one.n_excluded) == (12, 0)
    for margin, soft, majority in ((before, "soft_clean", "majority_clean"), (after, "soft", "majority")):
        assert one.intervals[soft].estimate == pytest.approx(np.where(margin > 0, h, 1 - h).mean())
        assert one.intervals[majority].estimate == pytest.approx((margin * (h - 0.5) > 0)[decided].mean())
    right, still = (decided & (margin * (h - 0.5) > 0) for margin in (before, after))
    assert 0 < (right & still).sum() < right.sum()
    flips = one.intervals["flips"]
    assert flips.estimate == pytest.approx(1 - (right & still).sum() / right.sum())
    assert flips.lo <= flips.estimate <= flips.hi
    assert "few-clusters" in one.flags


def test_both_images_flip_at_least_what_one_does(data, found):
    """The composed attack on both is as strong as the joint search, and no weaker than on either image."""
    assert set(found) == {"preferred", "p0", "p1", "both"}
    before, joint = attacked(data, "both")
    h = np.array([triplet.preference for triplet in data.triplets])
    right = before * (h - 0.5) > 0
    assert found["both"].intervals["flips"].estimate >= (right & (joint * (h - 0.5) <= 0)).sum() / right.sum()
    for target in ("preferred", "p0", "p1"):
        assert found[target].intervals["flips"].estimate <= found["both"].intervals["flips"].estimate


def test_what_was_not_attacked_is_not_shown(data, tmp_path):
    """Without the direction up nothing raised the image that people did not prefer; of plain datasets nothing is shown."""
    bench([Wavy()], ["fgsm"], data, directions=["down"], limit=4, out=tmp_path / "down")
    (one,) = load_results(tmp_path / "down").choices()
    assert (one.target, one.n) == ("preferred", 4)
    bench([Wavy()], ["fgsm"], memory(), out=tmp_path / "plain")
    results = load_results(tmp_path / "plain")
    assert results.choices() == []
    assert "flip rate" not in results.report("md")


def test_a_limit_that_grows_keeps_earlier_rows_in_the_comparisons(data, tmp_path):
    """Rows say all their comparisons, whatever the limit was when they were computed."""
    bench([Wavy()], ["fgsm"], data, limit=3, out=tmp_path)
    bench([Wavy()], ["fgsm"], data, limit=9, out=tmp_path)
    assert {one.n for one in load_results(tmp_path).choices()} == {9}


def test_derived_choices_come_from_the_scores_within_a_reference(tmp_path):
    """Nothing more is stored: all two images of a reference that differ in score, the preferred one attacked."""
    data = derived_triplets(memory(8))
    bench([Wavy()], ["fgsm"], data, out=tmp_path)
    results = load_results(tmp_path)
    one = next(one for one in results.choices() if one.target == "preferred")
    assert {one.target for one in results.choices()} <= {"preferred", "both"}  # p0 and p1 are no one's choice
    assert one.n == len(data.triplets)
    assert not any(row.rivals for cell in results.cells for row in cell.samples)
    quality = {row.id: row.quality for cell in results.cells for row in cell.samples}
    scores = {row.id: -row.clean for cell in results.cells if cell.spec.purpose == "attack" for row in cell.samples}
    agree = [(scores[t.p1] > scores[t.p0]) == (quality[t.p1] > quality[t.p0]) for t in data.triplets]
    assert one.intervals["soft_clean"].estimate == one.intervals["majority_clean"].estimate == pytest.approx(np.mean(agree))


def test_missing_scores_are_counted_and_tables_show_everything(data, tmp_path):
    """A comparison with a score that is not finite is excluded and counted; intervals, ε, threat and flags show."""
    bench([Cliff(), Wavy()], ["fgsm"], data, directions=["up", "down"], out=tmp_path)
    results = load_results(tmp_path)
    lost = next(one for one in results.choices() if one.spec.model.name == "cliff")
    assert lost.n + lost.n_excluded == 12
    assert 0 < lost.n_excluded < 12
    text = results.report("md")
    assert text.count("| preferred ") == 2
    for words in ("flip rate ↓ [95 % CI]", f"{lost.n} (−{lost.n_excluded})", "8/255", "white-box", "few-clusters", "non-finite-scores"):
        assert words in text
    assert choices_markdown([]) == ""
