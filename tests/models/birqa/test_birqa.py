"""BiRQA: sizes, switches, what it reports of itself, and where its gradient comes from."""

import hashlib
from importlib.resources import files

import pytest
import torch

from robustiqa.core.errors import InvalidInput, MissingWeights, UnknownName
from robustiqa.models import load_model, model_info
from robustiqa.models.birqa.entry import SHA256, SHIPPED
from robustiqa.models.birqa.features import FEATURES
from robustiqa.models.birqa.features.edges import gradient_magnitude
from robustiqa.models.birqa.features.half import Half, pyramid
from robustiqa.models.birqa.features.pixels import to_ycbcr
from robustiqa.models.birqa.lbp import bits
from robustiqa.models.birqa.model import BiRQANetwork, Settings


def pair(height=64, width=64, count=2):
    generator = torch.Generator().manual_seed(0)
    ref = torch.rand(count, 3, height, width, generator=generator)
    return ref, (ref + 0.1 * torch.randn(ref.shape, generator=generator)).clamp(0, 1)


@pytest.fixture(scope="module")
def birqa():
    return load_model("birqa")


def test_the_shipped_checkpoint_is_the_one_that_was_recorded():
    """Its sha256 stands in the source and in the model's facts."""
    data = files("robustiqa.models.birqa").joinpath(SHIPPED).read_bytes()
    assert hashlib.sha256(data).hexdigest() == SHA256
    assert len(data) <= 2_000_000
    assert model_info("birqa").weights == ((SHIPPED, SHA256),)


@pytest.mark.parametrize("size", [(453, 67), (67, 123), (32, 32), (33, 47)])
def test_odd_sizes_work_at_every_level(birqa, size):
    """Levels halve rounding up; scores and gradients are finite."""
    ref, dist = pair(*size)
    dist.requires_grad_()
    scores = birqa(ref, dist)
    scores.sum().backward()
    assert scores.isfinite().all()
    assert dist.grad.isfinite().all()
    heights = [level.shape[-2] for level in pyramid(ref, 4)]
    assert heights == [size[0], -(-size[0] // 2), -(-size[0] // 4), -(-size[0] // 8)]


def test_score_is_the_convex_sum_of_contributions(birqa):
    """Weights of the head sum to one; strength is nonnegative, confidence and mask lie in (0, 1)."""
    ref, dist = pair()
    verdict, injections = birqa.explain(birqa.prepare(ref), dist)
    assert torch.allclose((verdict.contributions * verdict.reliabilities).sum(1), verdict.score)
    assert torch.allclose(verdict.reliabilities.sum(1), torch.ones(2))
    assert len(injections) == 3
    for injection in injections:
        assert (injection.strength >= 0).all()
        for gate in (injection.confidence, injection.mask):
            assert ((gate > 0) & (gate < 1)).all()


def test_samples_of_a_batch_do_not_meet(birqa):
    """The batch's scores equal those one by one."""
    ref, dist = pair(count=5)
    alone = torch.cat([birqa(ref[i : i + 1], dist[i : i + 1]) for i in range(5)])
    assert torch.allclose(birqa(ref, dist), alone, atol=1e-5)


def test_more_distortion_scores_lower(birqa):
    """On photograph-like noise levels of one image the order is right."""
    ref = torch.nn.functional.interpolate(torch.rand(1, 3, 12, 12, generator=torch.Generator().manual_seed(3)), (96, 96), mode="bicubic").clamp(0, 1)  # fmt: skip
    noise = torch.randn(ref.shape, generator=torch.Generator().manual_seed(1))
    scores = [float(birqa(ref, (ref + s * noise).clamp(0, 1))) for s in (0.02, 0.05, 0.1, 0.3)]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize(
    "switches", ["csram=false", "csram=cross-attention", "scgb=false", "scgb=product", "rah=false", "features=ssim", "features=color+lbp,width=8", "levels=2"]
)
def test_every_part_can_be_switched(switches):
    """The ablation needs each architecture to run and learn."""
    model = load_model(f"birqa:{switches}", weights="random").requires_grad_()
    assert "random-weights" in model.info.flags
    ref, dist = pair()
    model(ref, dist).sum().backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())
    with pytest.raises(MissingWeights, match="train"):
        load_model(f"birqa:{switches}")


def test_gradient_magnitude_is_that_of_a_plane():
    """A ramp of known slope, inside: Scharr's kernel divided by 16 sees two pixels' difference; none on flat areas."""
    rows, columns = torch.meshgrid(torch.arange(9.0), torch.arange(9.0), indexing="ij")
    ramp = ((3 * rows + 4 * columns) / 100)[None, None]
    assert torch.allclose(gradient_magnitude(ramp)[..., 1:-1, 1:-1], torch.tensor(0.1), atol=1e-4)
    flat = torch.full((1, 1, 5, 5), 0.5, requires_grad=True)
    gradient_magnitude(flat).sum().backward()
    assert flat.grad.isfinite().all()


def test_the_gradient_map_tells_blur_from_added_detail():
    """Similarity is 1 for equal images and symmetric; the signed part is antisymmetric and negative under blur."""
    image = torch.rand(1, 3, 40, 40, generator=torch.Generator().manual_seed(0))
    blurred = torch.nn.functional.avg_pool2d(image, 3, 1, 1, count_include_pad=False)
    sharp, soft = (Half.of(to_ycbcr(x), "smooth", ()) for x in (image, blurred))
    compute = FEATURES["gradient"].compute
    same, lost, gained = compute(sharp, sharp), compute(sharp, soft), compute(soft, sharp)
    assert torch.allclose(same[:, 0], torch.ones(1))
    assert torch.allclose(same[:, 1], torch.zeros(1))
    assert torch.allclose(lost[:, 0], gained[:, 0])
    assert torch.allclose(lost[:, 1], -gained[:, 1])
    assert lost[:, 1].mean() < -0.3
    assert lost[:, 0].mean() < 0.9


def test_unknown_features_and_foreign_checkpoints_are_refused(tmp_path):
    """With the nearest name, or what does not fit."""
    with pytest.raises(UnknownName, match="lbp"):
        load_model("birqa:features=lpb", weights="random")
    (tmp_path / "x.safetensors").write_bytes(b"no tensors")
    with pytest.raises(InvalidInput, match="x.safetensors"):
        load_model("birqa", weights=tmp_path / "x.safetensors")


def test_hard_lbp_scores_the_step_and_lends_the_smooth_gradient():
    """Forward values are 0 or 1; the backward pass is the sigmoid's (BPDA), not zero."""
    y = torch.rand(1, 1, 9, 9, generator=torch.Generator().manual_seed(0))
    hard, smooth = (y.clone().requires_grad_() for _ in range(2))
    out = bits(hard, "hard")
    weights = torch.rand(out.shape, generator=torch.Generator().manual_seed(1))
    (out * weights).sum().backward()
    (bits(smooth, "smooth") * weights).sum().backward()
    assert torch.isin(out.detach().round(decimals=5), torch.tensor([0.0, 1.0])).all()
    assert torch.allclose(hard.grad, smooth.grad)
    assert hard.grad.abs().sum() > 0


def test_smooth_score_has_the_gradient_of_its_own_finite_differences():
    """What is scored is what is differentiated."""
    with torch.random.fork_rng():
        torch.manual_seed(0)  # with some weights the step crosses a kink of a ReLU
        model = BiRQANetwork(Settings(), model_info("birqa")).double()
    ref, dist = (x.double() for x in pair(32, 32, 1))
    direction = torch.randn(dist.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    x = dist.clamp(0.1, 0.9).requires_grad_()
    (slope,) = torch.autograd.grad(model.compare(model.prepare(ref), x).sum(), x)
    h = 1e-6
    plus, minus = (model.compare(model.prepare(ref), x + s * h * direction).sum() for s in (1, -1))
    assert (slope * direction).sum().item() == pytest.approx((plus - minus).item() / (2 * h), rel=1e-3)


def test_prepare_saves_the_references_work(birqa):
    """Comparing with a prepared reference equals preparing anew."""
    ref, dist = pair()
    prepared = birqa.prepare(ref)
    index = torch.tensor([1, 0, 1])
    assert torch.allclose(birqa.compare(prepared.select(index), dist[index]), birqa(ref, dist)[index], atol=1e-5)
