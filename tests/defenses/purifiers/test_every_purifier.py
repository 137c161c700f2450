"""What every purifier promises, whatever it does to the picture."""

import pytest
import torch

from robustiqa.core.draws import sample_seeds
from robustiqa.core.objective import Objective
from robustiqa.defenses import DEFENSES, load_defense
from robustiqa.models import load_model
from robustiqa.models.psnr import PSNR
from tests.attacks.cases import Quadratic, images
from tests.toys import Linear

WITHOUT_WEIGHTS = ["bilateral", "bit-depth", "crop:size=8", "flip", "flip:axis=both", "gaussian", "jpeg",
                   "jpeg:gradient=identity", "median", "noise", "resize", "resize:back=true", "rotate", "tv"]  # fmt: skip
NETWORKS = ["diffpure:steps=2", "dncnn", "ffdnet"]
EVERY = WITHOUT_WEIGHTS + NETWORKS


@pytest.fixture(params=EVERY)
def purifier(request):
    """Each purifier in turn; those with networks where their genuine weights are at hand."""
    if request.param in NETWORKS:
        request.getfixturevalue("genuine_weights")
    return load_defense(request.param)


def test_the_list_is_complete():
    """A new purifier must join the list of this file."""
    names = {name for name, target in DEFENSES.builtins.items() if ".purifiers." in target}
    assert {text.split(":")[0] for text in EVERY} == names


def purify(purifier, x, seeds):
    return purifier.purify(x, [torch.Generator().manual_seed(seed) for seed in seeds])


def test_images_stay_images(purifier):
    """In [0, 1], of the dtype they had, finite; odd sizes too; the input is left alone."""
    for height, width in ((16, 16), (13, 22)):
        generator = torch.Generator().manual_seed(height)
        x = torch.rand(2, 3, height, width, generator=generator).round(decimals=0)  # corners of the cube: the extremes
        before = x.clone()
        purified = purify(purifier, x, (1, 2))
        assert purified.dtype == x.dtype
        assert 0 <= float(purified.min()) <= float(purified.max()) <= 1
        assert torch.equal(x, before)


def test_rows_do_not_meet(purifier):
    """Row i follows from image i and generator i alone; the same seed repeats; the global generator is not used."""
    x, _ = images(3, 16)
    state = torch.get_rng_state()
    together = purify(purifier, x, (1, 2, 3))
    for i in range(3):
        assert torch.allclose(purify(purifier, x[i : i + 1], (i + 1,))[0], together[i], atol=1e-4)  # convolutions round by batch
    assert torch.equal(torch.get_rng_state(), state)


def test_randomised_is_declared(purifier):
    """Other seeds give other pictures where, and only where, the purifier says so."""
    x, _ = images(1, 16)
    pictures = [purify(purifier, x, (seed,)) for seed in range(8)]
    assert any(not torch.equal(pictures[0], other) for other in pictures) == purifier.randomised


def test_a_gradient_comes_through(purifier):
    """An adaptive attacker has something to follow: finite, and not zero everywhere."""
    x, _ = images(2, 16)
    x.requires_grad_()
    (gradient,) = torch.autograd.grad((purify(purifier, x, (1, 2)) ** 2).sum(), x)
    assert gradient.isfinite().all()
    assert (gradient.flatten(1) != 0).any(1).all()


def test_the_defended_model_is_a_model(purifier):
    """Same name, one score per sample, batch of 3 = 3 batches of 1, the undefended model left alone."""
    ref, dist = images(3, 24)
    defended = purifier.apply(PSNR())
    assert defended.info.name == "psnr"
    assert defended.info.deterministic is not purifier.randomised
    together = defended(ref, dist)
    assert together.shape == (3,)
    for i in range(3):
        assert torch.allclose(defended(ref[i : i + 1], dist[i : i + 1])[0], together[i], rtol=1e-5)
    reported = Objective(purifier.apply(Linear()), ref).reported(dist).score
    assert not torch.allclose(reported, Linear()(ref, dist))


@pytest.mark.parametrize("text", ["flip", "rotate", "crop:size=8", "resize"])
def test_geometric_purifiers_move_both_images_alike(text):
    """Two identical images stay identical, whatever is drawn: no distance comes from the flip itself."""
    ref, _ = images(3, 24)
    defended = load_defense(text).apply(Quadratic())
    objective = Objective(defended, ref, "up")
    for _ in range(4):
        assert objective.value(ref, torch.arange(3)).tolist() == [0, 0, 0]


@pytest.mark.parametrize("text", ["noise:apply_to=both", "noise"])
def test_other_randomised_purifiers_draw_for_each_image_by_itself(text):
    """Noise on both images does not cancel, and the model behind draws its own numbers."""
    ref, _ = images(2, 24)
    assert (load_defense(text).apply(Quadratic())(ref, ref) > 0).all()


def test_the_reference_is_purified_once_where_it_can_be():
    """Deterministic purification of the reference belongs to prepare."""
    ref, dist = images(2, 24)
    seen = []

    class Watching(Quadratic):
        def prepare(self, ref):
            seen.append(ref)
            return super().prepare(ref)

    both, dist_only = (load_defense(f"gaussian:apply_to={to}").apply(Watching()) for to in ("both", "dist"))
    reference = both.prepare(ref)
    both.compare(reference, dist)
    both.compare(reference, dist)
    assert len(seen) == 1
    assert not torch.allclose(seen[0], ref)
    dist_only.prepare(ref)
    assert torch.equal(seen[1], ref)


def test_the_smallest_image_is_passed_on():
    """Halving asks for twice the model's minimum; a crop below it is refused."""
    ssim = load_model("ssim")
    assert load_defense("resize").apply(ssim).info.min_size == 22
    assert load_defense("resize:back=true").apply(ssim).info.min_size == 11
    with pytest.raises(ValueError, match="size=8 is below the 11 pixels that ssim needs"):
        load_defense("crop:size=8").apply(ssim)


@pytest.mark.parametrize(
    ("text", "said"),
    [("jpeg:quality=0", "1..100"), ("jpeg:gradient=none", "soft, identity"), ("bit-depth:bits=9", "1..8"),
     ("median:size=4", "odd"), ("noise:sigma=0", r"\(0, 1\]"), ("resize:scale=0", r"\(0, 4\]"), ("flip:axis=z", "random"),
     ("rotate:degrees=0", r"\(0, 180\]"), ("crop:size=0", "at least 1"), ("tv:weight=0", "weight"), ("gaussian:sigma=0", "sigma"),
     ("bilateral:sigma_color=0", "above 0"), ("ffdnet:sigma=1", "75/255"), ("diffpure:t=0.5", "0.16"), ("jpeg:apply_to=ref", "dist, both")],
)  # fmt: skip
def test_parameters_out_of_range_are_refused(text, said):
    """The message names the value and what is allowed."""
    with pytest.raises(ValueError, match=said):
        load_defense(text)


def test_draws_of_the_harness_are_common_to_clean_and_attacked():
    """A randomised defense's clean and attacked scores differ by the attack alone: the same draws for both."""
    ref, dist = images(2, 24)
    objective = Objective(load_defense("noise").apply(PSNR()), ref)
    objective.seed_draws(sample_seeds(0, ["a", "b"]))
    first, second = objective.reported(dist), objective.reported(dist)
    assert torch.equal(first.score, second.score)
    assert (first.spread > 0).all()
