"""Attacks at equal visibility."""

from dataclasses import replace

import pytest
import torch

import robustiqa as rq
from robustiqa.attacks import load_attack
from robustiqa.benchmarks.calibration import HALVINGS, LARGEST, SMALLEST, calibration
from robustiqa.benchmarks.plan import Request, plan
from robustiqa.core.errors import InvalidInput
from tests.toys import Constant, Linear, Wavy, memory

pytestmark = pytest.mark.usefixtures("toy_calibration")
OPTIONS = {"directions": ["up"], "judges": ()}


def rows_of(folder):
    (cell,) = [cell for cell in rq.load_results(folder).cells if cell.spec.purpose == "attack"]
    return cell.samples


@pytest.mark.parametrize(("text", "field"), [("ssim=0.95", "ssim"), ("psnr=30", "psnr")])
@pytest.mark.parametrize("attack", ["fgsm", "pgd:steps=2"])
def test_every_sample_is_as_visible_as_asked_for(tmp_path, text, field, attack):
    """Never more; at most one last step of ε less; the radius is the sample's own and differs between them."""
    rq.bench([Linear()], [attack], memory(6), calibrate=text, out=tmp_path, **OPTIONS)
    rows, target = rows_of(tmp_path), float(text.partition("=")[2])
    for row in rows:
        assert getattr(row, field) >= target
        assert row.linf == pytest.approx(row.eps, rel=0.01)
        assert getattr(row, field) - target < 0.02 * target
        assert not row.eps_missed
    assert len({row.eps for row in rows}) > 1
    (table,) = rq.load_results(tmp_path).rows(["up"])
    assert min(row.eps for row in rows) <= table.eps <= max(row.eps for row in rows)
    assert text in rq.load_results(tmp_path).report("md")
    assert rq.load_results(tmp_path).to_dataframe()["calibrate"].item() == text


def test_a_sample_is_found_alike_alone_and_in_any_batch(tmp_path):
    """Bisection follows from its own results."""
    for size in (1, 4, 8):
        rq.bench([Wavy()], ["pgd:steps=2"], memory(8), calibrate="ssim=0.9", batch_size=size, out=tmp_path / str(size), **OPTIONS)
    rows = {size: [row.model_dump(exclude={"seconds"}) for row in rows_of(tmp_path / str(size))] for size in (1, 4, 8)}
    assert [row["eps"] for row in rows[1]] == [row["eps"] for row in rows[4]] == [row["eps"] for row in rows[8]]
    assert rows[4] == rows[8]


def test_the_cost_of_all_radii_is_counted(tmp_path):
    """A sample pays for every ε that was tried, at most one for each halving."""
    rq.bench([Wavy()], ["bim:steps=3"], memory(4), calibrate="ssim=0.95", out=tmp_path, **OPTIONS)
    for row in rows_of(tmp_path):
        assert row.forwards == row.backwards
        assert row.forwards % 3 == 0
        assert 3 <= row.forwards <= 3 * HALVINGS


def test_a_target_that_is_not_met_is_flagged(tmp_path):
    """An attack that moves nothing is not seen at any ε; a quarter of a level may already be too much."""
    rq.bench([Constant()], ["fgsm"], memory(2), calibrate="ssim=0.95", out=tmp_path / "still", **OPTIONS)
    rq.bench([Linear()], ["fgsm"], memory(2), calibrate="ssim=0.9999999", out=tmp_path / "strict", **OPTIONS)
    rq.bench([Linear()], ["fgsm"], memory(2), calibrate="ssim=0.95", out=tmp_path / "met", **OPTIONS)
    for name, missed in (("still", True), ("strict", True), ("met", False)):
        assert {row.eps_missed for row in rows_of(tmp_path / name)} == {missed}
        (table,) = rq.load_results(tmp_path / name).rows(["up"])
        assert ("calibration-missed" in table.flags) is missed
    assert all(row.eps < SMALLEST * 1.1 and row.linf == 0 for row in rows_of(tmp_path / "still"))
    assert all(row.eps < SMALLEST * 1.1 for row in rows_of(tmp_path / "strict"))


def test_an_attack_that_overshoots_is_given_a_smaller_radius(tmp_path):
    """One long step gains nothing in a narrow valley and leaves the image as it is, which is not what was asked for."""
    rq.bench([Wavy()], ["fgsm"], memory(6), eps=[0.5 / 255], out=tmp_path / "short", **OPTIONS)
    rq.bench([Wavy()], ["fgsm"], memory(6), calibrate="ssim=0.9", out=tmp_path / "found", **OPTIONS)
    short, found = ({row.id: row for row in rows_of(tmp_path / name)} for name in ("short", "found"))
    gained = [name for name, row in short.items() if row.attacked < row.clean]
    assert gained
    for name in gained:
        assert found[name].attacked < found[name].clean
        assert SMALLEST < found[name].eps < LARGEST / 2


def test_target_metric_and_largest_radius_are_in_the_key_of_attacks_alone():
    """And a cell without calibration keeps the key that it had."""
    base = Request((Linear(),), (load_attack("fgsm"),), (memory(2),), directions=("up",))
    variants = [base, *(replace(base, calibration=calibration(text)) for text in ("ssim=0.95", "ssim=0.9", "psnr=35"))]
    variants.append(replace(variants[1], eps=(16 / 255,)))
    attacks = [job.spec.key for one in variants for job in plan(one) if job.spec.purpose == "attack"]
    assert len(set(attacks)) == len(variants)
    others = {job.spec.key for one in variants for job in plan(one) if job.spec.purpose != "attack"}
    assert len(others) == 1


def test_an_unchanged_image_exceeds_any_target():
    """Whether higher or lower scores of the metric are better."""
    wanted = calibration("ssim=0.95")
    image = torch.rand(3, 24, 24, generator=torch.Generator().manual_seed(0))
    assert wanted.excess(image, image) == pytest.approx(0.05)
    assert calibration("gmsd=0.05").excess(image, image) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("text", "word"),
    [("ssim", "ssim=0.95"), ("=0.9", "ssim=0.95"), ("ssim=", "ssim=0.95"), ("ssim=x", "ssim=0.95"), ("ssim=nan", "ssim=0.95"),
     ("ssim=2", "1.0"), ("smis=0.9", "ssim")],
)  # fmt: skip
def test_what_cannot_be_a_target_is_refused(text, word):
    """With how to write it, or what the metric's range is."""
    with pytest.raises(InvalidInput, match=word):
        calibration(text)
