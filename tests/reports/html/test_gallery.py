"""Which images are shown, and that their pixels are those of the run."""

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from robustiqa.attacks import load_attack
from robustiqa.benchmarks.bench import bench
from robustiqa.core.images import to_rgb
from robustiqa.core.objective import Objective
from robustiqa.datasets import load_dataset
from robustiqa.models import load_model
from robustiqa.reports.html.arena import arenas
from robustiqa.reports.html.gallery import amplification, card, centre, shots
from robustiqa.reports.html.pictures import Pictures, Recomputed
from robustiqa.reports.html.report import html_report
from robustiqa.reports.results import load_results


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """SSIM and PSNR under FGSM on five pairs of demo."""
    out = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("robustiqa.benchmarks.plan.CALIBRATION_PAIRS", 10)
        bench(["ssim", "psnr"], ["fgsm"], "demo", limit=5, crop=48, directions=["up"], out=out)
    return load_results(out)


@pytest.fixture
def chosen(photographs):
    return shots(arenas(photographs.rows()), 4)


@pytest.fixture
def recomputed():
    data = load_dataset("demo")
    return Recomputed({data.manifest(): data})


def tampered(shot, row=None, **spec):
    """The shot as another cell would tell it."""
    view = replace(shot.view, spec=shot.view.spec.model_copy(update=spec))
    return replace(shot, trial=replace(shot.trial, moved=replace(shot.trial.moved, view=view)), row=row or shot.row)


def test_the_most_moved_images_of_every_entrant_are_chosen_in_turn(arena):
    """Half of eight belong to each of two metrics, and no image is shown twice."""
    found = shots([arena], 8)
    assert [s.trial.entrant.label for s in found].count("wavy") == 4
    assert len({s.row.id for s in found}) == len({s.row.reference for s in found}) == 8
    gains = [s.gain for s in found]
    assert gains == sorted(gains, reverse=True)
    for entrant in arena.entrants:
        view = next(s.view for s in found if s.trial.entrant == entrant)
        best = max(view.gains().values()) / view.width
        assert best in {s.gain for s in shots([arena], 2)}


def test_asking_for_more_than_there_are_ends(arena):
    """All images once; none for 0."""
    assert len(shots([arena], 1000)) == 24
    assert shots([arena], 0) == []


def test_pictures_are_computed_again_pixel_by_pixel(chosen, recomputed):
    """Equal to an attack on that pair alone, made here by hand."""
    shot = chosen[0]
    found = recomputed(shot.view, shot.row)
    data = load_dataset("demo")
    pair = next(p for p in data.pairs if p.id == shot.row.id)
    images = data.images(pair)
    top, left = ((side - 48) // 2 for side in images[0].shape[1:])
    ref, dist = (image[None, :, top : top + 48, left : left + 48] for image in images)
    model = load_model(shot.view.spec.model.name)
    result = load_attack("fgsm").run(Objective(model, ref, "up"), dist, eps=8 / 255, ids=[pair.id])
    assert np.array_equal(found.reference, to_rgb(ref[0]))
    assert np.array_equal(found.distorted, to_rgb(dist[0]))
    assert np.array_equal(found.adversarial, to_rgb(result.adversarial_8bit[0]))
    assert np.abs(found.adversarial.astype(int) - found.distorted).max() == 8


def test_the_card_shows_the_pixels_and_the_difference_on_grey(chosen, recomputed):
    """Read back from the data URIs; every picture has a text in its place."""
    shot = chosen[0]
    found = recomputed(shot.view, shot.row)
    pictures = card(shot, found).pictures
    assert [p.caption for p in pictures] == ["reference", "distorted", "adversarial", "difference × 15"]
    assert all(p.alt for p in pictures)
    images = [np.asarray(Image.open(io.BytesIO(base64.b64decode(p.uri.split(",")[1])))) for p in pictures]
    assert np.array_equal(images[2], centre(found.adversarial))
    assert np.array_equal(images[1], centre(found.distorted))
    change = images[2].astype(int) - images[1]
    assert np.abs(images[3].astype(int) - (127.5 + 15 * change).clip(0, 255)).max() <= 0.5


def test_amplification_fills_the_range_from_grey():
    """ε = 8/255 fits 15 times, and nothing is made smaller."""
    assert (amplification(8 / 255), amplification(1 / 255), amplification(0.5), amplification(1.0)) == (15, 127, 1, 1)
    whole = np.zeros((300, 200, 3), dtype=np.uint8)
    assert centre(whole).shape == (128, 128, 3)


def test_without_the_images_the_card_says_how_to_get_them(chosen):
    """And still shows the scores."""
    shot = chosen[0]
    reason = Recomputed({})(shot.view, shot.row)
    shown = card(shot, reason)
    assert "--dataset demo=FOLDER" in shown.missing
    assert shown.pictures == ()
    assert dict(shown.facts)["adversarial to distorted"].startswith("SSIM 0.")


def test_other_scores_than_the_runs_are_not_passed_off_as_its_pictures(chosen, recomputed):
    """A row whose attacked score was another one has no picture."""
    shot = chosen[0]
    row = shot.row.model_copy(update={"attacked": shot.row.attacked + 0.05})
    assert "not that of the run" in recomputed(shot.view, row)


def test_another_version_or_other_weights_are_not_the_run(chosen, recomputed):
    """The cell's hash decides."""
    model = chosen[0].view.spec.model.model_copy(update={"weights": "0" * 64})
    for change in ({"version": "9.9"}, {"model": model}):
        shot = tampered(chosen[0], **change)
        view = replace(shot.view, keys=(shot.view.spec.model_copy(update={"direction": "up"}).key,))
        assert "are not those of the run" in recomputed(view, shot.row)


@pytest.mark.parametrize("part", ["model", "attack"])
def test_a_results_folder_cannot_make_the_report_run_its_code(chosen, recomputed, tmp_path, part):
    """A name that is a file stays a name, whatever the cell says of its code."""
    trap, marker = tmp_path / "trap.py", tmp_path / "ran"
    trap.write_text(f"from pathlib import Path\nPath({str(marker)!r}).touch()\n")
    spec = chosen[0].view.spec
    names = {
        "model": {"model": spec.model.model_copy(update={"name": f"{trap}:Trap"})},
        "attack": {"attack": spec.attack.model_copy(update={"label": f"perceptual:distance={trap}:Trap"})},
    }
    shot = tampered(chosen[0], **names[part])
    assert "run no code of others" in recomputed(shot.view, shot.row)
    assert not marker.exists()


def test_pictures_that_would_take_long_are_left_out_unless_asked_for(photographs, monkeypatch):
    """By the times of the run, so that equal cells give equal pages."""
    from robustiqa.reports.html import report

    monkeypatch.setattr(report, "PATIENCE", 0.0)
    monkeypatch.setattr(report, "PICTURES", 2)
    assert "data:image/png" not in html_report(photographs.cells)
    assert "ask for --pictures 2" in html_report(photographs.cells)
    assert html_report(photographs.cells, pictures=1).count("data:image/png") == 4
    assert 'id="gallery"' not in html_report(photographs.cells, pictures=0)


def test_a_card_can_hold_pictures_of_any_origin(chosen):
    """Such as those that a run has kept."""
    image = np.full((40, 60, 3), 7, dtype=np.uint8)
    pictures = card(chosen[0], Pictures(image, image, image)).pictures
    assert {(p.width, p.height) for p in pictures} == {(60, 40)}
