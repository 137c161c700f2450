"""Saved adversarials on other models: what is scored, what is stored, and the flag where they beat the white box."""

from dataclasses import replace

import pytest
import torch

import robustiqa as rq
from robustiqa.benchmarks.folder.store import Store
from robustiqa.benchmarks.pictures import Pictures
from robustiqa.benchmarks.plan import Request, calibration_jobs, subjects
from robustiqa.benchmarks.running import run
from robustiqa.benchmarks.transfer import score_transferred, sources, transfer_jobs
from robustiqa.core.errors import InvalidInput
from robustiqa.core.model import ModelInfo, QualityModel
from robustiqa.reports.transfers import transfers, transfers_frame, transfers_text
from tests.toys import Linear, Wavy, memory

pytestmark = pytest.mark.usefixtures("toy_calibration")


class Masked(QualityModel):
    """As Linear, but its gradient leads the other way: the white box finds little, and Linear's images do."""

    info = ModelInfo("masked", lower_better=False, paper="toy")

    def compare(self, reference, dist):
        score = Linear().compare(reference, dist)
        return 2 * score.detach() - score


def carry(folder, *targets, defenses=(None,)):
    request = Request(targets, (), (), defenses)
    pictures = Pictures(folder)
    clean = calibration_jobs(request, None, 0)
    jobs = transfer_jobs(sources(Store(folder).cells(), pictures), subjects(request), pictures)
    assert run(clean, folder).failures == ()
    assert run(jobs, folder, compute=score_transferred).failures == ()
    return jobs


@pytest.fixture
def saved(tmp_path):
    """Two models under PGD, up and tomean, with pictures."""
    rq.bench([Wavy(), Linear()], ["pgd:steps=3"], memory(6), save_images=True, judges=["psnr"], out=tmp_path)
    return tmp_path


def test_a_transferred_row_is_the_target_on_the_saved_pictures(saved):
    """Scores, and L∞ of the rounded image, as computed by hand; judges' words and pictures are the source's."""
    carry(saved, rq.load_model("ssim"))
    cells = [cell for cell in Store(saved).cells() if cell.spec.source is not None]
    assert {(cell.spec.source.model.name, cell.spec.direction) for cell in cells} == {
        (name, sign) for name in ("wavy", "linear") for sign in ("up", "down")
    }
    pictures, model = Pictures(saved), rq.load_model("ssim")
    for cell in cells:
        assert (cell.spec.threat, cell.spec.model.name, cell.spec.attack.label) == ("transfer", "ssim", "pgd:steps=3")
        for row in cell.samples:
            ref, dist, adversarial = (pictures.read(name)[None] for name in row.images.model_dump().values())
            assert row.clean == pytest.approx(float(model(ref, dist)), abs=1e-6)
            assert row.attacked == row.attacked_8bit == pytest.approx(float(model(ref, adversarial)), abs=1e-6)
            assert row.linf == pytest.approx(float((adversarial - dist).abs().max()))
            assert (row.forwards, row.backwards) == (0, 0)
            assert set(row.judged) == {"psnr"}


def test_what_was_carried_over_is_not_computed_again_and_a_model_is_no_target_of_its_own(saved):
    """The cells are found; the diagonal is the attack itself."""
    jobs = carry(saved, Wavy(), Linear())
    assert {(job.spec.source.model.name, job.spec.model.name) for job in jobs} == {("wavy", "linear"), ("linear", "wavy")}
    before = {path: path.stat().st_mtime_ns for path in (saved / "cells").iterdir()}
    carry(saved, Wavy(), Linear())
    assert {path: path.stat().st_mtime_ns for path in (saved / "cells").iterdir()} == before


def test_the_matrix_has_sources_down_and_targets_across(saved):
    """Every pair once for each direction; the diagonal is the 8-bit gain of the own attack, in bold; csv and json agree."""
    carry(saved, Wavy(), Linear(), rq.load_model("psnr"))
    rows = rq.load_results(saved).rows()
    entries = transfers(rows, ("up",))
    pairs = {(one.source, one.target): one for one in entries}
    assert set(pairs) == {(s, t) for s in ("wavy", "linear") for t in ("wavy", "linear", "psnr")}
    assert [one.own for one in pairs.values()].count(True) == 2
    (own,) = [row for row in rows if row.view.direction == "up" and row.view.spec.source is None and row.view.spec.model.name == "wavy"]
    assert pairs["wavy", "wavy"].gain.value == pytest.approx(own.gain_8bit)
    assert pairs["linear", "wavy"].gain.value < pairs["wavy", "wavy"].gain.value
    text = transfers_text(entries, "md")
    assert "| made on" in text
    assert text.count("**") == 4
    frame = transfers_frame(entries)
    assert len(frame) == 6
    assert transfers_text(entries, "csv").count("\n") == 7
    assert transfers_text(entries, "json").count('"source"') == 6
    assert len(transfers(rows, ("up", "tomean"))) == 12


def test_a_defended_target_is_another_one(saved):
    """The defense stands in front of the target alone."""
    carry(saved, Wavy(), defenses=(None, rq.load_defense("bit-depth:bits=3")))
    targets = {(one.source, one.target) for one in transfers(rq.load_results(saved).rows())}
    assert ("wavy", "wavy + bit-depth:bits=3") in targets
    assert ("linear", "wavy + bit-depth:bits=3") in targets


def test_a_transfer_that_beats_the_white_box_is_flagged_on_the_white_box(tmp_path):
    """The gradient of the target is masked; where the white box is strong there is no flag."""
    rq.bench([Linear(), Masked()], ["fgsm"], memory(6), directions=["up"], save_images=True, judges=(), out=tmp_path)
    carry(tmp_path, Linear(), Masked())
    flagged = {(row.view.spec.subject, row.view.spec.threat) for row in rq.load_results(tmp_path).rows() if "transfer-stronger" in row.flags}
    assert flagged == {("masked", "white-box")}
    assert "transfer-stronger" in transfers_text(transfers(rq.load_results(tmp_path).rows()), "md")


def test_without_pictures_there_is_nothing_to_carry(tmp_path):
    """The error says how to get them; a cell of which one is gone does not count."""
    rq.bench([Wavy()], ["fgsm"], memory(3), directions=["up"], judges=(), out=tmp_path)
    with pytest.raises(InvalidInput, match="--save-images"):
        sources(Store(tmp_path).cells(), Pictures(tmp_path))
    rq.bench([Wavy()], ["fgsm"], memory(3), directions=["up"], judges=(), save_images=True, out=tmp_path)
    (cell,) = sources(Store(tmp_path).cells(), Pictures(tmp_path))
    Pictures(tmp_path).path(cell.samples[0].images.adversarial).unlink()
    with pytest.raises(InvalidInput, match="none of 1"):
        sources(Store(tmp_path).cells(), Pictures(tmp_path))


def test_a_target_whose_score_is_not_finite_is_counted_not_averaged(saved):
    """Status and exclusion, as everywhere."""

    class Broken(Linear):
        info = replace(Linear.info, name="broken")

        def compare(self, reference, dist):
            return super().compare(reference, dist) * torch.where(reference.image.flatten(1).mean(1) > 0.5, torch.nan, 1.0)

    carry(saved, Broken())
    rows = [row for row in rq.load_results(saved).rows(["up"]) if row.view.spec.model.name == "broken"]
    assert rows
    assert all(row.n + row.n_excluded == 6 and row.n_excluded and "non-finite-scores" in row.flags for row in rows)
