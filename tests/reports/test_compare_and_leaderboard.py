"""Two runs side by side, and models ranked: pairing, differences, ties, and what is said of both."""

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

import robustiqa as rq
from robustiqa.benchmarks.cell import SourceRecord
from robustiqa.core.errors import InvalidInput
from robustiqa.core.model import ModelInfo, QualityModel
from robustiqa.datasets.base import Pair
from robustiqa.reports.compare import compare, comparison_text, environments
from robustiqa.reports.leaderboard import leaderboard, leaderboard_text
from robustiqa.reports.results import load_results
from tests.toys import Linear, Memory, memory

pytestmark = pytest.mark.usefixtures("toy_calibration")


class Scaled(QualityModel):
    """A share of the image's brightness; the rest follows from the reference alone, so that no attack moves it."""

    def __init__(self, share, name=None):
        super().__init__()
        self.share, self.info = share, ModelInfo(name or f"scaled-{share}", lower_better=False, paper="toy")

    def compare(self, reference, dist):
        brighter = (dist - reference.image).flatten(1).mean(1)
        return self.share * brighter + (1 - self.share) * reference.image[:, 0, 0, 0]


def many(references=24):
    """Pairs of 24 references, enough to claim something."""
    pairs = tuple(Pair(str(i), f"r{i % references}", "t", 5.0 - (i % 4) - i / 100, i % 4) for i in range(2 * references))
    return Memory("many", pairs, higher_better=True, human_score="toy", labels="toy")


def bench(folder, models, attacks=("fgsm",), data=None, **options):
    options = {"judges": (), **options}
    outcome = rq.bench(list(models), list(attacks), data or many(), out=folder, **options)
    assert outcome.failures == ()
    return load_results(folder)


def test_a_run_does_not_differ_from_itself(tmp_path):
    """Every row is paired, every difference is 0 with an interval of 0, and nothing is said to differ."""
    results = bench(tmp_path, [Scaled(1.0), Scaled(0.5)], data=memory(8))
    found = compare(results.rows(), results.rows())
    assert len(found.differences) == len(results.rows())
    for one in found.differences:
        for _, _, difference in (one.gain, one.srocc_attacked, one.srocc_clean):
            assert difference.value == 0 or np.isnan(difference.value)
        assert one.gain[2].clustered.lo == one.gain[2].clustered.hi == 0
        assert one.differs == ()
    assert environments(results.cells, results.cells) == []
    assert "nothing differs" in comparison_text(found, [], "md")


def test_two_models_are_paired_on_their_common_samples(tmp_path):
    """Both names are said; the difference is that of the means by hand; a weaker model is below, significantly."""
    a = bench(tmp_path / "a", [Scaled(1.0)])
    b = bench(tmp_path / "b", [Scaled(0.25)], limit=40)
    found = compare(a.rows(["up"]), b.rows(["up"]))
    (one,) = found.differences
    assert one.n == 40
    assert "model: scaled-1.0 → scaled-0.25" in one.differs
    ids = {row.id for row in b.rows(["up"])[0].view.rows}
    means = [
        np.mean([gain for i, gain in view.gains().items() if i in ids]) / view.width
        for view in (a.rows(["up"])[0].view, b.rows(["up"])[0].view)
    ]
    assert (one.gain[0].value, one.gain[1].value) == pytest.approx(tuple(means))
    assert one.gain[2].value == pytest.approx(means[1] - means[0])
    assert one.gain[2].clustered.verdict == "below"
    for form, word in (("md", "below"), ("csv", "gain_difference_lo"), ("json", '"gain_verdict": "below"')):
        assert word in comparison_text(found, ["torch: 1 → 2"], form)
    assert "differs: torch: 1 → 2" in comparison_text(found, ["torch: 1 → 2"], "md")


def test_what_only_one_run_has_is_listed_and_what_nobody_shares_is_refused(tmp_path):
    """Rows are paired by all that both runs have several of; other datasets cannot be compared."""
    a = bench(tmp_path / "a", [Scaled(1.0), Scaled(0.5)], ["fgsm", "bim:steps=2"], memory(8))
    b = bench(tmp_path / "b", [Scaled(0.5), Scaled(0.25)], ["fgsm"], memory(8))
    found = compare(a.rows(["up"]), b.rows(["up"]))
    assert [one.setting["model"] for one in found.differences] == ["scaled-0.5"]
    assert {(one["model"], one["attack"]) for one in found.only_a} == {
        ("scaled-1.0", "fgsm"), ("scaled-1.0", "bim:steps=2"), ("scaled-0.5", "bim:steps=2"),
    }  # fmt: skip
    assert [one["model"] for one in found.only_b] == ["scaled-0.25"]
    assert "only in B: memory, scaled-0.25" in comparison_text(found, [], "md")
    other = bench(tmp_path / "c", [Scaled(0.5)], ["fgsm"], memory(9))
    with pytest.raises(InvalidInput, match="no row"):
        compare(other.rows(), b.rows())


def test_two_versions_in_one_folder_are_not_guessed_at(tmp_path):
    """Rows of one setting that differ in detail are named, not silently overwritten."""
    results = bench(tmp_path, [Scaled(1.0)], data=memory(8), directions=["up"])
    (row,) = results.rows()
    old = replace(row, view=replace(row.view, spec=row.view.spec.model_copy(update={"version": "0.0"})))
    with pytest.raises(InvalidInput, match=r"first run has 2 rows .* robustiqa 0\.0"):
        compare([row, old], [row])


def test_ranks_follow_what_can_be_told_apart(tmp_path):
    """Of four models the two that are one under two names share a rank; the next rank counts both."""
    models = [Scaled(1.0), Scaled(0.5), Scaled(0.5, "twin"), Scaled(0.1)]
    entries = leaderboard(bench(tmp_path, models, ["fgsm", "bim:steps=2"]).rows(), "gain")
    assert [(one.subject, one.rank, one.tied) for one in entries] == [
        ("scaled-0.1", 1, False), ("scaled-0.5", 2, True), ("twin", 2, True), ("scaled-1.0", 4, False),
    ]  # fmt: skip
    gains = [one.gain.estimate.value for one in entries]
    assert all(a <= b for a, b in pairwise(gains))
    text = leaderboard_text(entries, "gain", "md")
    assert "| 2=" in text
    assert "| 4 " in text
    records = json.loads(leaderboard_text(entries, "gain", "json"))
    assert [record["rank"] for record in records] == [1, 2, 2, 4]
    assert leaderboard_text(entries, "gain", "csv").startswith("dataset,")


def test_with_few_references_all_are_tied(tmp_path):
    """No claim is made, and the flag says why."""
    entries = leaderboard(bench(tmp_path, [Scaled(1.0), Scaled(0.1)], data=memory(8)).rows(), "gain")
    assert [(one.rank, one.tied) for one in entries] == [(1, True), (1, True)]
    assert all("few-clusters" in one.flags for one in entries)


def test_the_worst_attack_and_threat_count(tmp_path):
    """Of an oblivious and an adaptive attack on a defended model the one that gains more; SROCC by the least left."""
    defense = rq.load_defense("bit-depth:bits=4")
    for threat in ("oblivious", "adaptive"):
        rq.bench([Scaled(1.0)], ["fgsm", "bim:steps=1,alpha=1/255"], many(), [None, defense], threat=threat, judges=(), out=tmp_path)
    rows = load_results(tmp_path).rows()
    entries = {one.subject: one for one in leaderboard(rows, "gain")}
    defended = [row for row in rows if row.view.spec.defense is not None]
    assert {row.view.spec.threat for row in defended} == {"oblivious", "adaptive"}
    for entry in entries.values():
        own = [row for row in rows if row.view.spec.subject == entry.subject]
        assert entry.gain.estimate.value == max(row.gain.value for row in own if row.view.direction == "up")
        assert entry.srocc.estimate.value == min(row.srocc_attacked.value for row in own if row.view.direction == "tomean")
        assert entry.gain.row.view.spec.attack.label == "fgsm"
        assert entry.attacks == 2


def test_what_was_carried_over_is_no_attack_that_others_missed(tmp_path):
    """It counts as a threat, not as one of the attacks made on the model."""
    rows = bench(tmp_path, [Scaled(1.0), Scaled(0.5)], data=memory(8), directions=["up"]).rows()
    source = SourceRecord(model=rows[0].view.spec.model, defense=None, threat="white-box", randomised=False, eot=1)
    carried = rows[1].view.spec.model_copy(update={"source": source, "threat": "transfer"})
    moved = replace(rows[1], view=replace(rows[1].view, spec=carried))
    entries = leaderboard([*rows, moved], "gain")
    assert {(one.attacks, "attacks-missing" in one.flags) for one in entries} == {(1, False)}
    (alone,) = leaderboard([moved], "gain")
    assert (alone.attacks, alone.gain.words) == (0, "fgsm, transfer from scaled-0.5")


def test_an_entry_that_met_fewer_attacks_is_flagged(tmp_path):
    """Its rank may be flattery."""
    bench(tmp_path, [Scaled(1.0)], ["fgsm", "bim:steps=2"], memory(8))
    bench(tmp_path, [Scaled(0.5)], ["fgsm"], memory(8))
    flags = {one.subject: one.flags for one in leaderboard(load_results(tmp_path).rows())}
    assert "attacks-missing" in flags["scaled-0.5"]
    assert "attacks-missing" not in flags["scaled-1.0"]


class Trained(Linear):
    info = replace(Linear.info, name="trained", trained_on=("toy",))


def test_models_that_saw_the_labels_have_a_table_of_their_own(tmp_path):
    """They are not ranked against those that did not."""
    entries = leaderboard(bench(tmp_path, [Trained(), Scaled(1.0)], data=memory(8)).rows())
    settings = {one.subject: one.setting[-1] for one in entries}
    assert settings == {"trained": "labels seen in training", "scaled-1.0": "labels not seen"}
    assert leaderboard_text(entries, "srocc", "md").count("| rank") == 2
