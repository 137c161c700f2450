"""Limits, curves and learned files in the cells."""

import json

import pytest

from robustiqa.attacks import load_attack
from robustiqa.attacks.limits import Limits
from robustiqa.benchmarks.bench import bench
from robustiqa.benchmarks.folder.store import Store
from robustiqa.benchmarks.plan import Request, plan
from robustiqa.benchmarks.records import attack_record
from robustiqa.core.errors import InvalidInput
from robustiqa.reports.results import load_results
from robustiqa.training.perturbations import Recipe, learn
from tests.toys import Linear, Wavy, memory

pytestmark = pytest.mark.usefixtures("toy_calibration")


def specs(**changes):
    request = Request((Wavy(),), (load_attack("square:queries=120"),), (memory(4),), directions=("up",), **changes)
    return [job.spec for job in plan(request)]


def test_rows_hold_the_query_curve_and_a_limit_is_flagged(tmp_path):
    """Curves are (queries, score); a limited run is another cell, cut, and says budget-cut."""
    for name, limits in (("free", None), ("cut", Limits(max_queries=110))):
        bench([Wavy()], ["square:queries=120"], memory(4), directions=["up"], out=tmp_path / name, limits=limits)
    (free,), (cut,) = (load_results(tmp_path / name).rows(["up"]) for name in ("free", "cut"))
    for row in free.view.rows:
        ((queries, score),) = row.curve
        assert queries == 100
        assert row.attacked <= score <= row.clean
    assert [a.curve for a in cut.view.rows] == [b.curve for b in free.view.rows]
    assert {row.forwards for row in cut.view.rows} == {110}
    assert "budget-cut" in cut.flags
    assert "budget-cut" not in free.flags
    assert free.view.keys != cut.view.keys


def test_cells_written_before_there_were_curves_and_limits_still_read_and_keep_their_key(tmp_path):
    """A file without the new fields is the same cell, with none of them."""
    bench([Wavy()], ["bim:steps=2"], memory(4), directions=["up"], out=tmp_path)
    new = {path.name: json.loads(path.read_text()) for path in (tmp_path / "cells").glob("*.json")}
    for name, cell in new.items():
        del cell["spec"]["max_queries"], cell["spec"]["max_seconds"]
        for row in cell["samples"]:
            del row["curve"], row["cut"]
        (tmp_path / "cells" / name).write_text(json.dumps(cell))
    cells = Store(tmp_path).cells()
    assert {f"{cell.spec.key}.json" for cell in cells} == set(new)
    assert all(row.curve == () and not row.cut for cell in cells for row in cell.samples)


def test_limits_are_in_the_key_of_attacks_alone():
    """Clean scores are not computed again because a search was limited."""
    plain, limited = specs(), specs(limits=Limits(max_seconds=2.5))
    for a, b in zip(plain, limited, strict=True):
        assert (a.key == b.key) == (a.purpose != "attack")


def test_both_directions_of_a_learned_attack_compose(tmp_path, monkeypatch):
    """up and down hold different files and still make tomean; without files nothing runs, and the command is said."""
    monkeypatch.setenv("ROBUSTIQA_CACHE", str(tmp_path / "cache"))  # other tests learn for the same toys
    with pytest.raises(InvalidInput, match="robustiqa train-attack uap --model linear --direction up"):
        bench([Linear()], ["uap"], memory(), directions=["tomean"], out=tmp_path / "none")
    for sign in (1, -1):
        recipe = Recipe(steps=2, crop=16)
        learn("uap", Wavy(), sign, memory(), recipe, tmp_path / f"{sign}.safetensors", lambda *_: None)
    bench([Wavy()], ["uap"], memory(), directions=["tomean"], out=tmp_path / "out")
    (row,) = load_results(tmp_path / "out").rows(["tomean"])
    assert row.n == 8
    assert "attack-saw-references" in row.flags


def test_an_ensemble_is_recorded_with_its_members():
    """What it holds may change under the same name."""
    members = attack_record(load_attack("autoattack:standard")).parameters["members"]
    assert members == ["apgd:restarts=5", "apgd:loss=features", "cw", "pgd-adam", "square", "pgd-adam:lr=0.3,start=best"]


def test_an_l2_attack_does_not_count_as_leaving_the_linf_ball(tmp_path):
    """Its ε is a root mean square; eps-exceeded looks at that."""
    bench([Wavy()], ["pgd:steps=5,norm=l2"], memory(4), directions=["up"], out=tmp_path)
    (row,) = load_results(tmp_path).rows(["up"])
    assert max(sample.linf for sample in row.view.rows) > 8 / 255
    assert "eps-exceeded" not in row.flags
