"""Square: a black-box search, query by query."""

import pytest
import torch

from robustiqa.attacks.budget import L2, Linf
from robustiqa.attacks.square import Square, square_side
from robustiqa.attacks.square_l2 import Bumps, bumps, window_at
from robustiqa.core.objective import Objective
from robustiqa.core.random import RandomStreams
from tests.attacks.cases import EPS, Watched, attack, images
from tests.toys import Cliff, Linear, Wavy


class Stepped(Linear):
    """No gradient anywhere: the image is rounded first."""

    def compare(self, reference, dist):
        return super().compare(reference, (dist * 50).round())


def queries(model, count, batch=2):
    """What the search tried: without the clean image before it and the harness's passes after it."""
    ref, dist = images(batch, 12)
    watched = Watched(model)
    result = attack(f"square:queries={count}", watched, ref, dist)
    return ref, dist, watched.seen[1 : 1 + count], result


def by_copies(model, ref, dist, count, norm, seed, paper):
    """The search with a new image for every query and sample, and nothing put back: its queries, and its last image.

    Where ``paper``, without what we do otherwise in the L-infinity ball.
    """
    ball = {"linf": Linf, "l2": L2}[norm].around(dist, EPS)
    everyone, generators = torch.arange(len(dist)), RandomStreams(seed, "square", [str(i) for i in range(len(dist))]).generators()

    def corners(low):
        return torch.where(low, ball.low, ball.high)

    if norm == "linf":
        first = corners(torch.stack([torch.rand((3, 1, dist.shape[-1]), generator=one) < 0.5 for one in generators]))
    else:
        first = torch.stack([Bumps().first(ball, i, one) for i, one in enumerate(generators)])
    current = ball.project(first)
    numbers = 5 if norm == "linf" else 8
    tried, objective = [current], Objective(model, ref)
    best_j = objective.value(current, everyone)
    if norm == "linf" and not paper:
        tried.append(dist)
        clean_j = objective.value(dist, everyone)
        current = torch.where((best_j > clean_j)[:, None, None, None], current, dist)
        best_j = torch.where(best_j > clean_j, best_j, clean_j)
    draws = [iter(torch.rand((count - len(tried), numbers), generator=one, dtype=torch.float64)) for one in generators]
    failed = [None] * len(dist)  # side and draw of new squares that did not help
    for query in range(len(tried) - 1, count - 1):
        side = square_side(query / count, 0.8 if paper else 0.4, *dist.shape[-2:], 1 if norm == "linf" else 3)
        candidate, new = current.clone(), [None] * len(dist)
        for i in everyone.tolist():
            if norm == "l2":
                candidate[i] = Bumps().next(current[i], ball, i, side, next(draws[i]))
                continue
            if failed[i] is None or paper:
                new[i] = side, next(draws[i])
            length, draw = new[i] or failed[i]
            low = (draw[2:, None, None] < 0.5) == (new[i] is not None)
            window = window_at(draw[:2], length, dist.shape)
            candidate[i][window] = torch.where(low, ball.low[i], ball.high[i])[window]
        candidate = ball.project(candidate)
        tried.append(candidate)
        j = objective.value(candidate, everyone)
        rose = j > best_j
        failed = [None if up else one for up, one in zip(rose, new, strict=True)]
        current = torch.where(rose[:, None, None, None], candidate, current)
        best_j = torch.where(rose, j, best_j)
    return tried, current


@pytest.mark.parametrize(("norm", "paper"), [("linf", False), ("linf", True), ("l2", True), ("l2", False)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
@pytest.mark.parametrize(("model", "size"), [(Wavy, (12, 12)), (Linear, (31, 17)), (Cliff, (9, 20)), (Wavy, (1, 1))])
def test_windows_put_back_in_place_are_the_search_by_copies_bit_for_bit(model, size, dtype, norm, paper):
    """Every query and the last image, also where some scores are NaN; what was handed in is left as it was."""
    generator = torch.Generator().manual_seed(3)
    ref, dist = (torch.rand((3, 3, *size), generator=generator).to(dtype) for _ in range(2))
    dist[0] = dist[0] * 0.2 + 0.39  # of Cliff, one sample crosses over to NaN
    given, watched = dist.clone(), Watched(model())
    as_printed = {"start": "stripes", "opposite": False, "p_init": 0.8} if paper else {}
    result = Square(queries=40, norm=norm, **as_printed).run(Objective(watched, ref), dist, EPS, seed=7)
    tried, last = by_copies(model(), ref, dist, 40, norm, 7, paper)
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(watched.seen[1:41], tried, strict=True))
    assert torch.equal(watched.seen[41], last)  # settled by the harness
    assert torch.equal(dist, given)
    if size != (1, 1):
        assert not torch.equal(result.adversarial, dist)


class Corner(Linear):
    """Rises with the corner's brightness, and falls with any change: squares can undo neither stripes nor each other."""

    def compare(self, reference, dist):
        change = dist - 0.5
        return 5 * change[..., :10, :10].sum((1, 2, 3)) - change.abs().sum((1, 2, 3))


def test_where_stripes_cost_more_than_squares_win_back_the_search_starts_from_the_image():
    """The paper's start finds nothing there, ours does."""
    ref, dist = images(3, 40)
    ours, papers = (attack(f"square:queries=300{start}", Corner(), ref, dist * 0 + 0.5) for start in ("", ",start=stripes"))
    assert torch.equal(papers.attacked_score, papers.clean_score)
    assert (ours.attacked_score > ours.clean_score).all()


def test_after_a_square_that_did_not_help_comes_its_opposite():
    """On a linear score one of the two helps always, where the search starts from the image and squares do not meet."""
    ref, dist = images(8, 40)
    watched, dist = Watched(Linear()), dist * 0 + 0.5
    attack("square:queries=20,p_init=0.001", watched, ref, dist)
    stripes, *j = (Linear()(ref, tried) for tried in watched.seen[1:21])
    from_image = j[0] > stripes
    rose = (torch.stack(j[1:]) > torch.cummax(torch.stack(j[:-1]), 0).values)[:, from_image]
    assert bool((rose[1:] | rose[:-1]).all())
    assert not bool(rose.all())


@pytest.mark.parametrize("count", [1, 2, 3, 50])
def test_queries_are_exact_and_gradient_free(count):
    """As counted, and as the model saw them."""
    _, _, _, result = queries(Wavy(), count)
    assert result.cost.forwards.tolist() == [count] * 2
    assert result.cost.backwards.tolist() == [0, 0]


def test_first_query_is_vertical_stripes():
    """Every column of a channel moves by the same sign, to a corner of the ball."""
    _, dist, tried, _ = queries(Linear(), 1)
    ball = Linf.around(dist, EPS)
    up = tried[0] == ball.high
    assert bool((up | (tried[0] == ball.low)).all())
    inside = (dist > EPS) & (dist < 1 - EPS)
    for column in range(dist.shape[-1]):
        for sample in range(2):
            for channel in range(3):
                rows = inside[sample, channel, :, column]
                assert len(set(up[sample, channel, rows, column].tolist())) <= 1


def test_each_query_changes_one_square_of_the_best_and_only_rises_are_kept():
    """Replayed from the queries alone: the difference to the best so far fits a square of the scheduled side."""
    ref, dist, tried, result = queries(Linear(), 80)
    best, best_j = tried[0].clone(), Linear()(ref, tried[0])
    for query, candidate in enumerate(tried[1:]):
        changed = (candidate != best).any(1)
        side = square_side(max(0, query - 1) / 80, 0.4, 12, 12) if query else 12  # the second query is the image
        for sample in range(2):
            rows, columns = changed[sample].nonzero(as_tuple=True)
            if len(rows):
                assert int(rows.max() - rows.min()) < side
                assert int(columns.max() - columns.min()) < side
        j = Linear()(ref, candidate)
        rose = j > best_j
        best[rose], best_j[rose] = candidate[rose], j[rose]
    assert torch.equal(result.attacked_score, best_j)
    assert (best_j > Linear()(ref, dist)).all()


def test_score_without_any_gradient_is_attacked():
    """Where FGSM gets nowhere, random search does."""
    ref, dist, _, result = queries(Stepped(), 60)
    assert (result.attacked_score > result.clean_score).all()
    assert torch.equal(attack("fgsm", Stepped(), ref, dist).adversarial, dist)


def test_more_queries_come_nearer_to_the_optimum():
    """A linear score: 2,000 queries get over 90 % of the closed-form gain, and more than 50 do."""
    ref, dist = images(2, 8)
    model, ball = Linear(), Linf.around(dist, EPS)
    best = model(ref, torch.where(model.weights(dist) > 0, ball.high, ball.low))
    few, many = (attack(f"square:queries={n}", model, ref, dist) for n in (50, 2000))
    share = [(r.attacked_score - r.clean_score) / (best - r.clean_score) for r in (few, many)]
    assert (share[1] > share[0]).all()
    assert (share[1] >= 0.9).all()


def test_side_follows_the_papers_schedule():
    """p halves after 10, 50, 200, 500, 1000, 2000, 4000, 6000 and 8000 of 10,000 iterations."""
    halvings = {0: 0, 10: 0, 11: 1, 50: 1, 51: 2, 201: 3, 501: 4, 1001: 5, 2001: 6, 4001: 7, 6001: 8, 8001: 9, 9999: 9}
    for iteration, halved in halvings.items():
        expected = max(1, round((0.8 / 2**halved * 224 * 224) ** 0.5))
        assert square_side(iteration / 10_000, 0.8, 224, 224) == expected


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 200), (200, 3)])
def test_side_fits_every_image(height, width):
    """At least one pixel, at most the shorter side."""
    assert all(1 <= square_side(p / 20, 1.0, height, width) <= min(height, width) for p in range(20))


def test_neighbours_and_order_do_not_matter():
    """Eight together are eight alone, bit for bit, when each keeps its id."""
    ref, dist = images(8)
    together = Square(queries=30).run(Objective(Wavy(), ref), dist, EPS, 1)
    for i in range(8):
        alone = Square(queries=30).run(Objective(Wavy(), ref[i : i + 1]), dist[i : i + 1], EPS, 1, [str(i)])
        assert torch.equal(alone.adversarial[0], together.adversarial[i])


def test_bumps_are_the_papers_sums():
    """Of six pixels: 1/16, 1/9, 1/4 and 1 are added up towards each half's middle; the halves have opposite signs."""
    edge, near, middle, top = 1 / 16, 1 / 16 + 1 / 9, 1 / 16 + 1 / 9 + 1 / 4, 1 / 16 + 1 / 9 + 1 / 4 + 1
    flanks = [edge, near, middle, middle, middle, near]
    upper = torch.tensor([flanks, [edge, near, middle, top, middle, near], flanks], dtype=torch.float64)
    assert torch.allclose(bumps(6, 6, across=False), torch.cat((upper, -upper)))
    assert torch.equal(bumps(6, 6, across=True), bumps(6, 6, across=False).T)
    assert bumps(1, 1, across=False).shape == (1, 1)


def test_first_query_in_an_l2_ball_is_a_grid_of_bumps_at_its_surface():
    """Five by five tiles, each with one sign per channel; away from 0 and 1 the change is ε exactly."""
    ref, dist = (0.4 + 0.2 * x for x in images(2, 15))
    watched = Watched(Linear())
    result = attack("square:queries=1,norm=l2", watched, ref, dist)
    assert result.cost.forwards.tolist() == [1, 1]
    change = (watched.seen[1] - dist).double()
    assert torch.allclose(change.square().flatten(1).mean(1).sqrt(), torch.tensor(EPS).double(), rtol=1e-5)
    sizes = [bumps(3, 3, across=across).abs() for across in (False, True)]
    for tile in change.unfold(2, 3, 3).unfold(3, 3, 3).flatten(0, 3).abs():
        assert any(torch.allclose(tile / tile.max(), one / one.max(), atol=1e-4) for one in sizes)


@pytest.mark.parametrize("side", [3, 5, 12])
def test_a_query_in_an_l2_ball_moves_mass_from_one_square_to_another(side):
    """What changes lies in two squares; the distance is ε again; a square that lost all its mass is clean."""
    _, dist = images(1, 12)
    ball, shapes = L2.around(0.4 + 0.2 * dist, EPS), Bumps()
    current = shapes.first(ball, 0, torch.Generator().manual_seed(0)) * 0.5 + ball.center[0] * 0.5  # half of ε is unused
    draw = torch.tensor([0, 0, 0.999, 0.999, 0.2, 0.2, 0.8, 0.2], dtype=torch.float64)  # opposite corners
    moved = shapes.next(current, ball, 0, side, draw)
    assert float((moved - ball.center[0]).double().square().mean().sqrt()) == pytest.approx(EPS, rel=1e-5)
    outside = torch.ones(12, 12, dtype=torch.bool)
    outside[:side, :side] = outside[12 - side :, 12 - side :] = False
    assert torch.equal(moved[:, outside], current[:, outside])
    if side < 12:
        assert torch.allclose(moved[:, 12 - side :, 12 - side :], ball.center[0][:, 12 - side :, 12 - side :], atol=1e-7)
    assert bool((moved[:, :side, :side] != current[:, :side, :side]).any())


def test_a_square_that_a_bump_cancels_is_given_the_bump():
    """Where the window holds the very opposite of the bump, nothing of both is left to scale."""
    center = torch.full((1, 3, 6, 6), 0.5, dtype=torch.float64)
    ball, bump = L2.around(center, EPS), bumps(6, 6, across=True)
    draw = torch.tensor([0, 0, 0, 0, 0.2, 0.8, 0.8, 0.8], dtype=torch.float64)
    moved = Bumps().next(center[0] - 0.01 * bump, ball, 0, 6, draw)
    assert torch.allclose(moved - 0.5, (EPS * 6 * bump / bump.norm()).expand(3, 6, 6))


def test_more_queries_come_nearer_to_the_optimum_of_an_l2_ball():
    """A linear score whose channels have one sign each, the worst case for bumps of both: still over 40 %."""
    ref, dist = (0.4 + 0.2 * x for x in images(2, 8))
    weights = Linear().weights(dist)
    best = EPS * weights.numel() ** 0.5 * weights.norm()
    few, many = (attack(f"square:queries={n},norm=l2", Linear(), ref, dist) for n in (50, 2000))
    share = [(r.attacked_score - r.clean_score) / best for r in (few, many)]
    assert (share[1] > share[0]).all()
    assert (share[1] >= 0.4).all()
    assert (share[1] <= 1).all()
