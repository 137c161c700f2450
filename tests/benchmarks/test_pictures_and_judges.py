"""Pictures beside the cells, what judges say of them, and what a resumed run does about either."""

import cloudpickle
import numpy as np
import pytest
import torch
from PIL import Image

import robustiqa as rq
from robustiqa.benchmarks.cell import SavedImages
from robustiqa.benchmarks.observer import named_judges, usual_judges
from robustiqa.benchmarks.pictures import Pictures
from robustiqa.core.errors import InvalidInput, UnreadableImage
from robustiqa.models import load_model
from tests.toys import Wavy, memory

pytestmark = pytest.mark.usefixtures("toy_calibration")


def attack_rows(folder):
    cells = [cell for cell in rq.load_results(folder).cells if cell.spec.purpose == "attack"]
    return [row for cell in cells for row in cell.samples]


def run(folder, model=None, **options):
    options = {"judges": (), "directions": ["up"], "out": folder, **options}
    return rq.bench([model or Wavy()], ["bim:steps=2"], memory(4), **options)


def test_saved_pictures_are_what_was_attacked_and_what_came_out(tmp_path):
    """On the 8-bit grid, within ε; the model gives them the scores of the row."""
    run(tmp_path, save_images=True)
    rows, pictures, data = attack_rows(tmp_path), Pictures(tmp_path), memory(4)
    for row in rows:
        pair = next(pair for pair in data.pairs if pair.id == row.id)
        ref, dist, adversarial = (pictures.read(getattr(row.images, name)) for name in SavedImages.model_fields)
        assert all(torch.equal(saved, own) for saved, own in zip((ref, dist), data.images(pair), strict=True))
        assert 0 < float((adversarial - dist).abs().max()) <= 8 / 255 + 1e-6
        assert float(Wavy()(ref[None], adversarial[None])) == pytest.approx(row.attacked_8bit, rel=1e-6)
    names = {name for row in rows for name in row.images.model_dump().values()}
    assert {path.stem for path in (tmp_path / "images").iterdir()} == names
    assert len(names) == 3 * len(rows) - 1  # the first pair's distortion is none: its two pictures are one file


def test_equal_pictures_share_a_file_and_another_content_under_a_name_is_refused(tmp_path):
    """Names are of size and pixels: whoever writes the file first is right, and a changed one is noticed."""
    levels = torch.randint(0, 255, (3, 8, 6), generator=torch.Generator().manual_seed(0))
    pictures, image = Pictures(tmp_path), levels / 255
    name = pictures.keep(image)
    before = pictures.path(name).stat().st_mtime_ns
    assert pictures.keep(image + 0.0001) == name
    assert pictures.path(name).stat().st_mtime_ns == before
    assert pictures.keep(image.transpose(1, 2)) != name
    Image.fromarray(np.zeros((8, 6, 3), np.uint8)).save(pictures.path(name))
    with pytest.raises(InvalidInput, match="not the picture"):
        pictures.read(name)
    pictures.path(name).unlink()
    with pytest.raises(UnreadableImage, match=name):
        pictures.read(name)


@pytest.mark.parametrize("name", ["../../etc/passwd", "a" * 31, "A" * 32, "a" * 32 + "\n"])
def test_a_picture_is_named_by_hexadecimal_digits_alone(name):
    """A hostile cell cannot name files elsewhere."""
    with pytest.raises(ValueError, match="reference"):
        SavedImages(reference=name, distorted="a" * 32, adversarial="a" * 32)


def test_a_resumed_run_makes_the_missing_pictures_only(tmp_path):
    """Of a run without them all, of one with them those whose file is gone; then nothing."""
    run(tmp_path, limit=2)
    assert all(row.images is None for row in attack_rows(tmp_path))
    run(tmp_path, save_images=True)
    rows = attack_rows(tmp_path)
    assert len(rows) == 4
    assert all(Pictures(tmp_path).holds(row.images) for row in rows)
    Pictures(tmp_path).path(rows[1].images.adversarial).unlink()
    model = Counted()
    run(tmp_path / "other", model, save_images=True)
    calls = model.compared
    assert calls > 0
    run(tmp_path / "other", model, save_images=True)
    assert model.compared == calls
    (gone, *_) = attack_rows(tmp_path / "other")
    Pictures(tmp_path / "other").path(gone.images.adversarial).unlink()
    run(tmp_path / "other", model, save_images=True)
    assert 0 < model.compared - calls < calls / 2
    assert all(Pictures(tmp_path / "other").holds(row.images) for row in attack_rows(tmp_path / "other"))


class Counted(Wavy):
    """Counts the images that it compares."""

    def __init__(self):
        super().__init__()
        self.compared = 0

    def compare(self, reference, dist):
        self.compared += len(dist)
        return super().compare(reference, dist)


def test_judges_compare_the_rounded_adversarial_with_the_unattacked_image(tmp_path):
    """As a plain call of the metric on the saved pictures says; the report holds their means."""
    run(tmp_path, save_images=True, judges=["fsim", "ssim", "psnr"])
    pictures, rows = Pictures(tmp_path), attack_rows(tmp_path)
    for row in rows:
        before, after = (pictures.read(name)[None] for name in (row.images.distorted, row.images.adversarial))
        assert row.judged == {
            name: pytest.approx(float(load_model(name)(before, after)), rel=1e-5) for name in ("fsim", "ssim", "psnr")
        }
    (table,) = rq.load_results(tmp_path).rows(["up"])
    assert table.judged["ssim"] == pytest.approx(np.mean([row.judged["ssim"] for row in rows]))
    frame = rq.load_results(tmp_path).to_dataframe().query("direction == 'up'")
    assert frame["judge_fsim"].item() == pytest.approx(np.mean([row.judged["fsim"] for row in rows]))
    assert "fsim" in rq.load_results(tmp_path).report("md")


def test_a_metric_is_no_judge_of_an_attack_on_itself(tmp_path):
    """And one that needs larger images says nothing."""
    rq.bench(["ssim"], ["fgsm"], memory(2), directions=["up"], judges=["ssim", "ms-ssim", "psnr"], out=tmp_path)
    for row in attack_rows(tmp_path):
        assert set(row.judged) == {"ms-ssim", "psnr"}
        assert row.judged["ms-ssim"] is None


def test_judges_that_come_later_read_the_saved_pictures_or_attack_again(tmp_path):
    """With pictures the attacked model is not asked again; without, those who insist pay for it, others do not."""
    model = Counted()
    run(tmp_path / "saved", model, save_images=True)
    run(tmp_path / "plain", model)
    calls = model.compared
    run(tmp_path / "saved", model, judges=["psnr"])
    assert model.compared == calls
    assert all(set(row.judged) == {"psnr"} and row.images is not None for row in attack_rows(tmp_path / "saved"))
    run(tmp_path / "plain", model, judges=None)
    assert model.compared == calls
    run(tmp_path / "plain", model, judges=["psnr"])
    assert model.compared > calls
    assert all(set(row.judged) == {"psnr"} for row in attack_rows(tmp_path / "plain"))


def test_neither_pictures_nor_judges_are_in_the_key(tmp_path):
    """They decide no number."""
    run(tmp_path / "a")
    run(tmp_path / "b", save_images=True, judges=["psnr"])
    plain, watched = attack_rows(tmp_path / "a"), attack_rows(tmp_path / "b")
    hidden = {"judged", "images", "seconds"}
    assert [row.model_dump(exclude=hidden) for row in plain] == [row.model_dump(exclude=hidden) for row in watched]
    assert {c.spec.key for c in rq.load_results(tmp_path / "a").cells} == {c.spec.key for c in rq.load_results(tmp_path / "b").cells}


def test_usual_judges_leave_out_what_would_have_to_be_fetched(monkeypatch, tmp_path):
    """DISTS only where its weights are."""
    monkeypatch.delenv("ROBUSTIQA_WEIGHTS", raising=False)
    assert [judge.info.name for judge in usual_judges()()] == ["fsim", "ssim"]


def test_usual_judges_are_sent_with_their_weights(monkeypatch):
    """To workers on machines that have none."""
    monkeypatch.setattr("robustiqa.benchmarks.observer.nearby", lambda _: False)
    sent = cloudpickle.dumps(usual_judges())
    monkeypatch.setattr("robustiqa.benchmarks.observer._judge", None)
    assert [judge.info.name for judge in cloudpickle.loads(sent)()] == ["fsim", "ssim"]


def test_usual_judges_with_weights_at_hand(genuine_weights):
    """All three."""
    assert [judge.info.name for judge in usual_judges()()] == ["dists", "fsim", "ssim"]


def test_a_judge_must_be_reliable(genuine_weights):
    """Random weights, random scores and unknown names are refused before anything runs."""
    for name, word in (("birqa:weights=random", "random-weights"), ("e-lpips", "is random"), ("no-such", "no-such")):
        with pytest.raises(InvalidInput, match=word):
            named_judges([name])
