"""Square: a black-box search, query by query."""

import pytest
import torch

from robustiqa.attacks.budget import Linf
from robustiqa.attacks.square import Square, square_side
from robustiqa.core.objective import Objective
from tests.attacks.cases import EPS, Watched, attack, images
from tests.toys import Linear, Wavy


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


@pytest.mark.parametrize("count", [1, 2, 50])
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
        side = square_side(query / 80, 0.8, 12, 12)
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
