"""E-LPIPS: its draws, that both images share them, its network against a second implementation."""

from collections import Counter

import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional as F

from robustiqa.core.draws import reported_scores
from robustiqa.core.errors import InvalidInput
from robustiqa.core.images import read_image
from robustiqa.core.objective import Objective
from robustiqa.models import e_lpips, load_model
from robustiqa.models.e_lpips import Draw


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_draws_follow_the_published_distribution():
    """Scales in proportion to 1 / i^2 up to side // 64, at most 8; offsets up to 7; gains from 0.2; all orders."""
    random = generator()
    draws = [Draw.sample(random, 200) for _ in range(3000)]
    scales = Counter(draw.scale for draw in draws)
    assert set(scales) == {1, 2, 3}
    assert scales[1] / 3000 == pytest.approx(1 / (1 + 1 / 4 + 1 / 9), abs=0.03)
    assert {draw.offset[0] for draw in draws} == set(range(8))
    assert all(max(draw.phase) < draw.scale for draw in draws)
    assert len({draw.order for draw in draws}) == 6
    assert len(Counter((draw.flips, draw.transposed) for draw in draws)) == 8
    gains = torch.tensor([draw.gains for draw in draws])
    assert 0.2 <= gains.min() < 0.21
    assert 0.99 < gains.max() < 1
    assert {Draw.sample(random, 63).scale for _ in range(50)} == {1}
    assert max(Draw.sample(random, 4000).scale for _ in range(3000)) == 8


def test_a_draw_moves_no_pixel_out_and_keeps_the_order_of_channels(random_pairs):
    """Offset, flip, transposition, order and gain are undone by hand; scaling averages whole reflected blocks."""
    image, _ = random_pairs(1, 20, 30)
    draw = Draw(offset=(2, 5), flips=(-2,), transposed=True, order=(2, 0, 1), gains=(0.5, 1.0, 0.25))
    moved = draw.apply(image)
    assert moved.shape == (1, 3, 37, 27)
    back = moved.transpose(-2, -1).flip(-2)[..., 5:25, 2:32] / torch.tensor([0.5, 1.0, 0.25])[:, None, None]
    torch.testing.assert_close(back, image[:, [2, 0, 1]])
    small = Draw(scale=2, phase=(1, 0)).apply(image)[..., 7:, 7:]
    assert small.shape == (1, 3, 11, 16)
    torch.testing.assert_close(small[..., 1, 0], image[..., 1:3, :2].mean((-2, -1)))


def test_the_network_equals_a_second_implementation(loaded, shared, random_pairs):
    """Without dropout: fourteen layers, average pooling, heads of the published file, written out plainly."""
    ref, dist = random_pairs(1, 20, 24)
    vgg = load_file(shared / "weights" / "vgg16_features_fp16.safetensors")
    heads = load_file(shared / "weights" / "elpips_lin.safetensors")

    def layers(x):
        x = F.pad(x, (7, 0, 7, 0), mode="reflect")
        x = (2 * x - 1 - torch.tensor([-0.03, -0.088, -0.188])[:, None, None]) / torch.tensor([0.458, 0.448, 0.45])[:, None, None]
        yield x
        numbers = sorted({int(name.split(".")[1]) for name in vgg})
        for before, number in zip([-2, *numbers], numbers, strict=False):
            x = F.avg_pool2d(x, 2) if number - before == 3 else x
            x = F.conv2d(x, vgg[f"features.{number}.weight"].float(), vgg[f"features.{number}.bias"].float(), padding=1).relu()
            yield x

    wanted = sum(
        float((((F.normalize(a) - F.normalize(b)) ** 2).mean((2, 3)) * heads[f"vgg_full_avg.lin{i}"]).sum())
        for i, (a, b) in enumerate(zip(layers(ref), layers(dist), strict=True))
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(e_lpips, "KEPT", 1.0)
        assert float(loaded("e-lpips").distance(ref, dist, Draw())) == pytest.approx(wanted, rel=1e-4)


def test_both_images_share_the_draw_and_its_dropout(random_pairs):
    """Identical images are at distance zero under every draw, which independent draws would not give."""
    model = load_model("e-lpips", weights="random")
    ref, _ = random_pairs(2, 20, 20)
    for seeds in ((0, 1), (2, 3)):
        assert model.compare(model.prepare(ref).seeded(seeds), ref).tolist() == [0, 0]


def test_is_randomised_as_the_contract_says(random_pairs):
    """Same seeds, same score, in any batch; fresh draws in a search, the reported ones common; global state untouched."""
    model = load_model("e-lpips", weights="random")
    assert not model.info.deterministic
    assert model.info.eot > 1
    ref, dist = random_pairs(2, 20, 20)
    state = torch.random.get_rng_state()
    reference = model.prepare(ref)
    both = model.compare(reference.seeded((5, 6)), dist)
    torch.testing.assert_close(both[1:], model.compare(reference.seeded((5, 6)).select(torch.tensor([1])), dist[1:]))
    assert not torch.equal(both, model.compare(reference.seeded((7, 8)), dist))
    objective = Objective(model, ref, eot=2)
    first, gradient = objective.value_and_grad(dist, torch.arange(2))
    assert gradient.isfinite().all()
    assert gradient.abs().max() > 0
    assert not torch.equal(first, objective.value(dist, torch.arange(2)))
    with objective.as_harness():
        assert torch.equal(objective.value(dist, torch.arange(2)), objective.value(dist, torch.arange(2)))
    assert torch.equal(state, torch.random.get_rng_state())


def test_smallest_size(random_pairs):
    """Nine pixels survive four poolings once seven are reflected around them."""
    model = load_model("e-lpips", weights="random")
    assert model(*random_pairs(1, 9, 9)).isfinite().all()
    with pytest.raises(InvalidInput, match="minimum of 9"):
        model(*random_pairs(1, 8, 20))


def test_orders_the_examples_of_lpips_as_their_authors_do(loaded, golden):
    """By more than three times the spread of the mean over reported draws."""
    rows = {row.pair: row for row in golden("lpips_alex")}
    model = loaded("e-lpips")
    far, near = (reported_scores(model, model.prepare(rows[n].ref), rows[n].dist, (0,)) for n in ("ex_p0", "ex_p1"))
    error = float((far.spread**2 + near.spread**2) / far.draws) ** 0.5
    assert float(far.score - near.score) > 3 * error


@pytest.mark.slow
def test_monte_carlo_mean_is_the_published_one(loaded, shared):
    """E-LPIPS's README: 0.01651 +- 0.00041 (1.96 sigma) between its images adv_anchor and adv_reference."""
    names = [shared / "oracles" / "pairs" / f"adv_{name}.png" for name in ("reference", "anchor")]
    if not all(name.is_file() for name in names):
        pytest.skip("needs inputs/adv_reference.png and adv_anchor.png of the elpips repository beside the oracle pairs")
    ref, dist = (read_image(name)[None] for name in names)
    model = loaded("e-lpips")
    with torch.no_grad():
        scores = torch.cat([model.compare(model.prepare(ref).seeded((seed,)), dist) for seed in range(200)])
    error = 3 * float(scores.std()) / 200**0.5
    assert float(scores.mean()) == pytest.approx(0.01651, abs=error + 0.0006)
