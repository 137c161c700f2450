"""The table of training defenses: images beside seeds."""

from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

import robustiqa as rq
from tests.scripts import loaded

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def script():
    return loaded(ROOT / "benchmarks" / "defenses_report.py")


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """An AAT whose seed 0 is the undefended model, another seed of it, and a purifier under both threats."""
    folder = tmp_path_factory.mktemp("defenses")
    tensors = load_file(ROOT / "robustiqa" / "models" / "birqa" / "birqa.safetensors")
    save_file(tensors, folder / "birqa-aat.safetensors")
    save_file({name: 0.5 * tensor for name, tensor in tensors.items()}, folder / "seed1.safetensors")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROBUSTIQA_WEIGHTS", str(folder))
        patch.setattr("robustiqa.models.defended.PACKAGES", {})
        for defenses, threat, attack in (
            (["none", "aat", f"aat:weights={folder / 'seed1.safetensors'}"], "adaptive", "fgsm"),
            (["jpeg"], "adaptive", "apgd:steps=25"),
            (["jpeg"], "oblivious", "apgd:steps=25"),
        ):
            rq.bench(models=["birqa"], defenses=defenses, attacks=[attack], threat=threat, dataset="demo", limit=4,
                     crop=32, directions=["tomean"], out=folder / "run")  # fmt: skip
    return rq.load_results(folder / "run").rows()


def line(text, start):
    (found,) = (line for line in text.splitlines() if line.startswith(f"| {start} "))
    return [cell.strip() for cell in found.split("|")[1:-1]]


def test_the_named_checkpoint_comes_first_and_the_spread_of_all_seeds_after_it(script, rows):
    """Seed 0 has the interval; without other seeds there is no spread, and without a row a dash."""
    text = script.trained(rows)
    undefended, aat, missing = line(text, "none"), line(text, "aat"), line(text, "nt")
    assert "seeds" not in "".join(undefended)
    assert aat[2].startswith(undefended[2] + "; ")
    assert aat[2].endswith("of 2 seeds")
    assert missing[1:] == ["-", "-"]


def test_purifiers_stand_apart_with_both_threats(script, rows):
    """And no trained defense is among them."""
    text = script.purifiers(rows)
    assert len(text.splitlines()) == 3
    threats = {row.view.spec.threat: row for row in rows if row.view.spec.defense and row.view.spec.defense.name == "jpeg"}
    expected = [f"{threats[one].srocc_attacked.clustered.estimate:.2f}" for one in ("adaptive", "oblivious")]
    assert [cell.split()[0] for cell in line(text, "jpeg")[2:]] == expected


def test_the_page_says_how_many_pairs_it_is_of(script, rows):
    """They differ from those of the suite where a run was made smaller."""
    assert "saw:\n4 pairs" in script.page(rows)
