"""Randomised models: fresh draws in a search, common ones in a comparison, none of them from global generators."""

import pytest
import torch

from robustiqa.attacks import load_attack
from robustiqa.core.draws import REPORTED_DRAWS, reported_scores, sample_seeds
from robustiqa.core.model import Reference
from robustiqa.core.objective import Objective
from tests.attacks.cases import images
from tests.toys import Jittered, Linear

ALL = torch.arange(4)


def test_a_plain_score_repeats():
    """Without seeds every sample draws from the same fixed one, and the global generator is left alone."""
    ref, dist = images(4)
    before = torch.get_rng_state()
    assert torch.equal(Jittered()(ref, dist), Jittered()(ref, dist))
    assert torch.equal(torch.get_rng_state(), before)


def test_a_search_draws_afresh_and_the_harness_always_the_same():
    """Two values of the same images differ; two reported ones do not, and are means over the reported draws."""
    ref, dist = images(4)
    objective = Objective(Jittered(), ref)
    first, second = objective.value(dist, ALL), objective.value(dist, ALL)
    assert (first != second).all()
    with objective.as_harness():
        once, twice = objective.value(dist, ALL), objective.value(dist, ALL)
    assert torch.equal(once, twice)
    assert objective.harness_cost.forwards.tolist() == [2 * REPORTED_DRAWS] * 4
    noise = (once - Linear()(ref, dist)) / (1 + dist.flatten(1).mean(1))
    assert (noise.abs() < 4 / REPORTED_DRAWS**0.5).all()


def test_eot_is_the_mean_over_so_many_draws_each_counted():
    """The spread of the value falls with the root of the number; forwards and backwards are counted one by one."""
    ref, dist = images(4)
    deviations = {}
    for eot in (1, 64):
        objective = Objective(Jittered(), ref, eot=eot)
        values = torch.stack([objective.value(dist, ALL) for _ in range(30)])
        deviations[eot] = values.std(0).mean()
        assert objective.cost.forwards.tolist() == [30 * eot] * 4
    assert 4 < deviations[1] / deviations[64] < 16
    objective = Objective(Jittered(), ref)
    objective.value_and_grad(dist, ALL)
    assert objective.cost.backwards.tolist() == [Jittered.info.eot] * 4


def test_the_mean_gradient_is_the_gradient_of_the_mean():
    """Value and gradient are averaged over the same draws."""
    ref, dist = images(4)
    objective = Objective(Jittered(), ref, eot=3)
    objective.seed_draws([7] * 4)
    j, gradient = objective.value_and_grad(dist, ALL)
    noise = (j - Linear()(ref, dist)) / (1 + dist.flatten(1).mean(1))
    expected = Linear().weights(dist) + noise[:, None, None, None] / dist[0].numel()
    assert torch.allclose(gradient, expected, atol=1e-5)


def test_rows_of_one_sample_share_a_draw_and_samples_do_not_meet():
    """Candidates of a sample compete under common random numbers; another sample's calls do not move its draws."""
    ref, dist = images(4)
    objective, alone = Objective(Jittered(), ref), Objective(Jittered(), ref)
    rows = torch.tensor([2, 0, 2])
    values = objective.value(dist[rows], rows)
    assert values[0] == values[2]
    alone.value(dist[:2], ALL[:2])
    assert torch.equal(alone.value(dist[2:3], ALL[2:3]), values[:1])


@pytest.mark.parametrize("text", ["pgd:steps=3", "square:queries=10"])
def test_attacks_on_randomised_models_repeat_and_keep_their_promises(text):
    """Batch of 4 = 4 batches of 1; the same seed repeats, another draws otherwise; never below clean."""
    ref, dist = images(4)
    ids = ["a", "b", "c", "d"]

    def run(index, seed=0):
        objective = Objective(Jittered(), ref[index])
        return load_attack(text).run(objective, dist[index], 8 / 255, seed, [ids[i] for i in index])

    together = run([0, 1, 2, 3])
    for i in range(4):
        assert torch.equal(run([i]).adversarial[0], together.adversarial[i])
        assert torch.equal(run([i]).clean_score[0], together.clean_score[i])
    assert torch.equal(run([0, 1, 2, 3]).attacked_score, together.attacked_score)
    assert (run([0, 1, 2, 3], seed=1).clean_score != together.clean_score).all()
    assert (together.attacked_score >= together.clean_score).all()
    assert (together.attacked_spread > 0).all()


def test_reported_scores_of_a_deterministic_model_cost_one_pass():
    """No spread, one draw, the plain score."""
    ref, dist = images(4)
    reported = reported_scores(Linear(), Reference(ref), dist, sample_seeds(0, "abcd"))
    assert torch.equal(reported.score, Linear()(ref, dist))
    assert reported.spread.tolist() == [0] * 4
    assert reported.draws == 1


def test_seeds_follow_the_sample_through_a_selection():
    """Selected references keep their own seeds."""
    reference = Reference(torch.zeros(3, 3, 2, 2), seeds=(5, 6, 7)).select(torch.tensor([2, 0]))
    assert reference.seeds == (7, 5)
