"""The page of claims: what confirms one, and that every figure is of the cells it speaks of."""

import shutil
from pathlib import Path

import pytest

import robustiqa as rq
from robustiqa.statistics import Interval
from tests.scripts import loaded

ROOT = Path(__file__).parents[2]
PGD = "apgd:steps=25"


@pytest.fixture(scope="module")
def found():
    return loaded(ROOT / "benchmarks" / "found.py")


@pytest.fixture(scope="module")
def evidence(found, tmp_path_factory):
    """A run in which aat has the weights of the undefended model, so that it changes nothing."""
    folder = tmp_path_factory.mktemp("found")
    shutil.copy(ROOT / "robustiqa" / "models" / "birqa" / "birqa.safetensors", folder / "birqa-aat.safetensors")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROBUSTIQA_WEIGHTS", str(folder))
        patch.setattr("robustiqa.models.defended.PACKAGES", {})
        options = {"dataset": "demo", "limit": 4, "crop": 32, "attacks": ["fgsm", PGD], "out": folder / "run"}
        for defenses, threat in ((["none", "aat", "jpeg"], "adaptive"), (["jpeg"], "oblivious")):
            rq.bench(models=["birqa"], defenses=defenses, threat=threat, **options)
        patch.setattr("found_evidence.DATASET", "demo")
        return found.Evidence(rq.load_results(folder / "run").rows())


def interval(estimate, lo):
    return Interval(estimate, lo, 1.0, 1, 1, (), estimate)


@pytest.mark.parametrize(
    ("differences", "expected"),
    [
        ([], "could not be tested here"),
        ([(0.1, 0.05), (0.2, 0.01)], "confirmed"),
        ([(0.1, 0.05), (0.2, -0.01)], "partly confirmed"),
        ([(0.1, 0.05), (0.0, -0.01)], "not confirmed"),
    ],
)
def test_a_claim_is_confirmed_by_intervals_and_partly_by_estimates(found, differences, expected):
    """One difference that is not above zero is enough against it."""
    assert found.verdict([interval(*one) for one in differences]) == expected


def test_a_defense_that_changes_nothing_confirms_nothing(found, evidence):
    """Its differences are zero, attack by attack, and attacks that were not run are left open."""
    judged = found.better_than("none")(evidence)
    assert judged.verdict == "not confirmed"
    (line,) = (line for line in judged.figures.splitlines() if line.startswith("| birqa"))
    assert [cell.strip() for cell in line.split("|")[2:-1]] == ["0.00 [0.00, 0.00]", "-", "-", "-"]
    assert "-0.00" not in found.clean_cost(evidence).figures


def test_purifiers_stand_with_both_threats(found, evidence):
    """One line each, of the rows that the run has."""
    lines = found.above_purifiers(evidence).figures.splitlines()
    (jpeg,) = (line for line in lines if line.startswith("| jpeg"))
    for row in (evidence.row("birqa", "jpeg", PGD), evidence.row("birqa", "jpeg", PGD, "oblivious")):
        assert found.shown(row.srocc_attacked.clustered) in jpeg
    assert "-" not in [cell.strip() for cell in jpeg.split("|")]


def test_only_the_printed_bound_is_broken(found, evidence):
    """Theorem 1 as printed fails on batches on which the corrected one holds."""
    printed, corrected = (line.split("|") for line in found.theorem(evidence).figures.splitlines()[2:])
    assert int(printed[3].replace(",", "")) > 0
    assert int(corrected[3]) == 0


def test_the_page_has_every_claim_with_its_verdict(found, evidence):
    """In the table and as a section, also where a run has nothing to say of it."""
    page = found.page(evidence)
    for claim in found.CLAIMS:
        assert page.count(claim.says) == 2
    assert page.count("**could not be tested here**") >= 2 * 3
