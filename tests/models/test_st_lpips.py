"""ST-LPIPS against the authors' package."""

import pytest
import torch
from torch.nn import functional as F

from robustiqa.core.errors import InvalidInput
from robustiqa.models import load_model
from robustiqa.models.st_lpips import FILES, BlurPool

FP16 = 10  # the golden scores are of fp32 weights, the shared ones are fp16: 1e-4 for their tolerance of 1e-5


def test_equals_the_golden_scores(deviations, loaded):
    """All eleven pairs."""
    errors = deviations(loaded("st-lpips"), "stlpips_alex")
    assert max(errors.values()) <= FP16, errors


def test_tolerates_a_shift_better_than_lpips(loaded, golden):
    """The point of the paper: one pixel to the right costs less of what a blur costs."""
    row = next(row for row in golden("stlpips_alex") if row.pair == "own_blur")
    ref, blurred = row.ref[..., :128, 1:129], row.dist[..., :128, 1:129]
    shifted = row.ref[..., :128, :128]
    share = {n: float(loaded(n)(ref, shifted) / loaded(n)(ref, blurred)) for n in ("st-lpips", "lpips-alex")}
    assert share["st-lpips"] < 0.5 * share["lpips-alex"], share


def test_blur_pool_is_a_binomial_average():
    """A constant stays, and an inner impulse is spread as [1 2 1] x [1 2 1] / 16, of which every second is kept."""
    pool = BlurPool(2)
    torch.testing.assert_close(pool(torch.ones(1, 2, 7, 7)), torch.ones(1, 2, 5, 5))
    impulse = F.pad(torch.ones(1, 2, 1, 1), (4, 4, 4, 4))
    assert float(pool(impulse).max()) in {4 / 16, 1 / 16}
    assert float(pool(impulse).sum()) == pytest.approx(0.5)


def test_gradient_batch_and_size(random_pairs):
    """Finite gradient, samples apart, and the smallest size that the layers can see."""
    model = load_model("st-lpips", weights="random")
    ref, dist = random_pairs(2, 21, 40)
    x = dist.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(model(ref, x).sum(), x)
    assert gradient.isfinite().all()
    assert gradient.abs().max() > 0
    torch.testing.assert_close(model(ref, dist)[1:], model(ref[1:], dist[1:]), rtol=1e-5, atol=1e-7)
    with pytest.raises(RuntimeError):
        model.trunk(ref[..., :20, :])
    with pytest.raises(InvalidInput, match="minimum of 21"):
        model(ref[..., :20, :], dist[..., :20, :])


def test_reads_the_names_of_the_authors_package():
    """``net.sliceN`` counts from one, its heads have four dimensions, blur windows are left out."""
    tensors = {"net.slice2.5.weight": torch.ones(1), "net.slice1.1.filt": torch.ones(1), "lin3.model.1.weight": torch.ones(1, 4, 1, 1)}
    assert set(FILES["trunk"].select(tensors)) == {"features.5.weight"}
    assert {name: t.shape for name, t in FILES["heads"].select(tensors).items()} == {"3": (4,)}
