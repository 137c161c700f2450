"""The ball is exact, and so is its 8-bit grid."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from robustiqa.attacks.budget import L2, Linf
from robustiqa.core.errors import InvalidInput
from robustiqa.core.random import RandomStreams
from tests.attacks.cases import EPS, images

SEEDS = st.integers(0, 10_000)


def uniform(seed, dtype=torch.float32):
    return torch.rand((2, 3, 5, 7), generator=torch.Generator().manual_seed(seed), dtype=dtype)


@given(eps=st.floats(1e-3, 1), seed=SEEDS, dtype=st.sampled_from([torch.float16, torch.float32, torch.float64]))
def test_corners_are_within_eps_and_the_unit_range_off_the_grid_too(eps, seed, dtype):
    """As Python and float64 compare and as the tensor's own type does; at most rounding is lost of the radius."""
    center = uniform(seed, dtype)
    ball, rounding = Linf.around(center, eps), 2 * torch.finfo(dtype).eps
    for corner in (ball.low, ball.high):
        assert float((corner - center).abs().max()) <= eps
        assert bool(((corner - center).abs() <= torch.tensor(eps, dtype=center.dtype)).all())
        assert bool(((corner.double() - center.double()).abs() <= eps).all())
        assert float(corner.min()) >= 0
        assert float(corner.max()) <= 1
    assert bool((ball.high >= (center + eps).clamp_max(1) - rounding).all())
    assert bool((ball.low <= (center - eps).clamp_min(0) + rounding).all())


@given(eps=st.floats(1e-3, 1), seed=SEEDS, reach=st.floats(0.01, 10))
def test_projection_is_the_nearest_point_and_repeats_nothing(eps, seed, reach):
    """Points inside stay, points outside land on the ball, twice is once, and rows pick their own ball."""
    center = uniform(seed)
    ball = Linf.around(center, eps)
    x = center + reach * (2 * uniform(seed + 1) - 1)
    projected = ball.project(x)
    assert float((projected - center).abs().max()) <= eps
    assert torch.equal(ball.project(projected), projected)
    inside = (x >= ball.low) & (x <= ball.high)
    assert torch.equal(projected[inside], x[inside])
    index = torch.tensor([1, 0, 1])
    assert torch.equal(ball.project(x[index], index), projected[index])


def test_containment_is_exact_to_one_float_and_refuses_nan():
    """The corners are in, the next float is out, one bad pixel is enough."""
    _, center = images(3)
    ball, everyone = Linf.around(center, EPS), torch.arange(3)
    assert ball.contains(ball.high, everyone).tolist() == [True] * 3
    outside, nan = ball.high.clone(), ball.high.clone()
    outside[1, 2, 3, 4] = torch.nextafter(outside[1, 2, 3, 4], torch.tensor(2.0))
    nan[2, 0, 0, 0] = torch.nan
    assert ball.contains(outside, everyone).tolist() == [True, False, True]
    assert ball.contains(nan, everyone).tolist() == [True, True, False]
    assert ball.contains(center[[2, 0]], torch.tensor([2, 1])).tolist() == [True, False]


@given(levels=st.integers(1, 255), seed=SEEDS)
def test_rounding_stays_within_eps_and_on_the_grid(levels, seed):
    """A clean image on the grid and ε = k/255: the rounded image is an 8-bit image within ε of it."""
    _, center = images(1, 8, seed)
    ball = Linf.around(center, levels / 255)
    x = ball.low + (ball.high - ball.low) * torch.rand(center.shape, generator=torch.Generator().manual_seed(seed))
    for point in (ball.low, ball.high, ball.project(x)):
        rounded = ball.round_8bit(point)
        assert float((rounded - center).abs().max()) <= levels / 255 + 1e-6
        assert torch.equal(rounded, (rounded * 255).round() / 255)
        assert float((rounded - point).abs().max()) <= 0.5 / 255 + 1e-6


@given(eps=st.floats(1e-3, 0.5), seed=SEEDS)
def test_rounding_off_the_grid_stays_in_the_ball_where_a_level_lies_in_it(eps, seed):
    """Otherwise it takes the level nearest to the centre."""
    center = uniform(seed)
    ball = Linf.around(center, eps)
    rounded = ball.round_8bit(ball.high)
    nearest = (center * 255).round() / 255
    reachable = (nearest - center).abs() <= eps
    assert bool(((rounded - center).abs()[reachable] <= eps + 1e-6).all())
    assert torch.equal(rounded[~reachable], nearest[~reachable])


def test_random_points_fill_the_ball_and_follow_the_sample():
    """Uniform up to both faces; a row depends on its own id alone."""
    center = torch.full((2, 3, 40, 40), 0.5)
    ball = Linf.around(center, EPS)
    point = ball.random_point(RandomStreams(0, "pgd", ("a", "b")))
    offset = (point - center) / EPS
    assert float(offset.abs().max()) <= 1
    assert float(offset.min()) < -0.99
    assert float(offset.max()) > 0.99
    assert float(offset.mean()) == pytest.approx(0, abs=0.03)
    assert float(offset.std()) == pytest.approx(3**-0.5, abs=0.02)
    swapped = ball.random_point(RandomStreams(0, "pgd", ("b", "a")))
    assert torch.equal(swapped, point.flip(0))


@pytest.mark.parametrize("eps", [0, -1 / 255, 8, 1.0001, float("nan"), float("inf")])
def test_bad_eps_is_refused_with_its_value(eps):
    """ε lies in (0, 1]; the message says how to write it."""
    with pytest.raises(InvalidInput, match=f"eps {eps!r}.*8/255"):
        Linf.around(images()[1], eps)


def size(change):
    return change.double().square().flatten(1).mean(1).sqrt()


@given(eps=st.floats(1e-6, 1), seed=SEEDS, reach=st.floats(0.01, 10))
def test_l2_projection_never_leaves_the_ball_and_keeps_what_is_inside(eps, seed, reach):
    """Exactly, as float64 measures the float32 images; twice is once; rows pick their own ball."""
    center = uniform(seed)
    ball, everyone = L2.around(center, eps), torch.arange(2)
    x = center + reach * (2 * uniform(seed + 1) - 1)
    projected = ball.project(x)
    assert bool((size(projected.double() - center.double()) <= eps).all())
    assert 0 <= float(projected.min()) <= float(projected.max()) <= 1
    assert ball.contains(projected, everyone).all()
    assert torch.equal(ball.project(projected), projected)
    index = torch.tensor([1, 0, 1])
    assert torch.equal(ball.project(x[index], index), projected[index])


@given(seed=SEEDS, half=st.booleans())
def test_l2_projection_of_an_image_does_not_depend_on_its_neighbours(seed, half):
    """Bit for bit, however often rounding has to be repeated for another one."""
    center = torch.rand((6, 3, 5, 7), generator=torch.Generator().manual_seed(seed)).to(torch.float16 if half else torch.float32)
    x = center + torch.randn(center.shape, generator=torch.Generator().manual_seed(seed + 1)).to(center.dtype)
    together = L2.around(center, EPS).project(x)
    for i in range(6):
        assert torch.equal(L2.around(center[i : i + 1], EPS).project(x[i : i + 1])[0], together[i])


def test_l2_ball_holds_the_linf_ball_and_refuses_what_is_outside():
    """Its own corners, NaN, and images out of [0, 1]."""
    _, center = images(2)
    ball, everyone = L2.around(center, EPS), torch.arange(2)
    assert ball.contains(Linf.around(center, EPS).high, everyone).tolist() == [True, True]
    assert ball.contains(ball.high, everyone).tolist() == [False, False]
    assert ball.contains(center * torch.nan, everyone).tolist() == [False, False]
    outside = center.clone()
    outside[0, 0, 0, 0] = 1 + 1e-6
    assert ball.contains(outside, everyone).tolist() == [False, True]


@given(levels=st.integers(1, 64), seed=SEEDS)
def test_l2_rounding_stays_in_the_ball(levels, seed):
    """On the grid and within ε of an image that is on it."""
    _, center = images(2, 6, seed)
    ball = L2.around(center, levels / 255)
    x = ball.project(center + uniform(seed)[:, :, :1, :1] - 0.5)
    rounded = ball.round_8bit(x)
    assert bool((size(rounded.double() - center.double()) <= levels / 255).all())
    assert torch.equal(rounded, (rounded * 255).round() / 255)


def test_steepest_directions_have_size_one_in_their_norm():
    """The sign; the gradient at a root mean square of 1; 0 for 0."""
    gradient = torch.randn((2, 3, 5, 7), generator=torch.Generator().manual_seed(0))
    gradient[1] = 0
    _, center = images(2)
    assert torch.equal(Linf.around(center, EPS).steepest(gradient), gradient.sign())
    steep = L2.around(center, EPS).steepest(gradient)
    assert float(size(steep)[0]) == pytest.approx(1, abs=1e-6)
    assert not steep[1].any()


@pytest.mark.parametrize("eps", [0, 8, float("nan")])
def test_bad_l2_eps_is_refused_with_its_value(eps):
    """As that of the other ball."""
    with pytest.raises(InvalidInput, match=f"eps {eps!r}.*8/255"):
        L2.around(images()[1], eps)
