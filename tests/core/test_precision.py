"""Searches in bfloat16 or compiled: the model's own scores are what is reported."""

import shutil
from pathlib import Path

import pytest
import torch

from robustiqa.attacks import load_attack
from robustiqa.core import precision
from robustiqa.core.errors import InvalidInput
from robustiqa.core.objective import Objective
from robustiqa.core.precision import Haste, has_bf16, hastened
from robustiqa.models import load_model
from tests.attacks.cases import images
from tests.toys import Linear, Net

ALL = torch.arange(4)
BF16 = Haste("bf16")


def test_the_search_is_hasty_and_the_harness_exact():
    """Values of the search are in bfloat16, those that are reported are the model's own, to the bit."""
    model = Net().frozen()
    ref, dist = images(4)
    exact, hasty = Objective(model, ref), Objective(model, ref, haste=BF16)
    model.dtypes.clear()
    j, gradient = hasty.value_and_grad(dist, ALL)
    assert model.dtypes == [torch.bfloat16]
    assert (j.dtype, gradient.dtype) == (torch.float32, torch.float32)
    assert not torch.equal(j, exact.value(dist, ALL))
    assert torch.allclose(j, exact.value(dist, ALL), rtol=0.02)
    with hasty.as_harness():
        assert torch.equal(hasty.value(dist, ALL), exact.value(dist, ALL))
    with hasty.as_harness(exact=False):
        assert torch.equal(hasty.value(dist, ALL), j)
    assert hasty.cost.forwards.tolist() == [1] * 4
    assert hasty.nearness_and_grad(dist, ALL)[1].dtype == torch.float32


@pytest.mark.parametrize("attack", ["pgd:steps=4", "apgd:steps=4,loss=features", "square:queries=8"])
def test_every_score_of_a_result_is_the_models_own(attack):
    """Clean, attacked, rounded and last scores are those of the images in fp32; J never falls below clean."""
    model = Net().frozen()
    ref, dist = images(4)
    result = load_attack(attack).run(Objective(model, ref, "down", haste=BF16), dist, eps=8 / 255)
    assert torch.equal(result.clean_score, model(ref, dist))
    assert torch.equal(result.attacked_score, model(ref, result.adversarial))
    assert torch.equal(result.attacked_score_8bit, model(ref, result.adversarial_8bit))
    assert bool((result.attacked_score >= result.clean_score).all())


def test_models_without_a_network_stay_as_they_are():
    """There is nothing to gain from rounding a formula's pixels."""
    assert BF16.on(Linear()) == Haste()
    assert BF16.on(Net()) == BF16
    model = Linear()
    assert hastened(model, Haste()) is model


def test_what_the_machine_lacks_is_refused_with_the_fix(monkeypatch):
    """No bfloat16 instructions, no compiler, no such precision: one line each."""
    cpu = torch.device("cpu")
    monkeypatch.setattr(precision, "has_bf16", lambda _device: False)
    with pytest.raises(InvalidInput, match="bf16: cpu has no bfloat16 instructions.*leave out --precision"):
        BF16.check(cpu)
    with pytest.raises(InvalidInput, match="'fp8' is not one of fp32, bf16"):
        Haste("fp8").check(cpu)

    def broken(function):
        raise RuntimeError("\nno g++\nmore")

    monkeypatch.setattr(precision, "_compiled", broken)
    with pytest.raises(InvalidInput, match="--compile does not work on cpu here .no g...; torch.compile needs"):
        precision._check_compiler.__wrapped__("cpu")
    Haste().check(cpu)


def test_only_a_cpu_or_gpu_that_has_it_counts():
    """Emulated bfloat16 is slower than fp32."""
    assert not has_bf16(torch.device("meta"))
    flags = precision_flags()
    if flags is None:
        pytest.skip("needs the CPU's flags: no /proc/cpuinfo here")
    assert has_bf16(torch.device("cpu")) == bool(flags & {"avx512_bf16", "amx_tile", "bf16"})


def precision_flags():
    """What Linux says of the CPU."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return None
    lines = [line for line in text.splitlines() if line.lower().startswith(("flags", "features"))]
    return set(lines[0].split(":")[1].split()) if lines else None


@pytest.mark.slow
def test_a_compiled_search_agrees_to_rounding():
    """Values and gradients are the plain ones; the harness does not call the compiled model."""
    try:
        Haste(compiled=True).check(torch.device("cpu"))
    except InvalidInput as error:
        pytest.skip(str(error))
    model = Net().frozen()
    ref, dist = images(4)
    plain, compiled = Objective(model, ref), Objective(model, ref, haste=Haste(compiled=True))
    for index in (ALL, torch.tensor([2, 0])):
        for ours, theirs in zip(
            plain.value_and_grad(dist[index], index), compiled.value_and_grad(dist[index], index), strict=True
        ):
            assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-7)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="needs a C++ compiler")
def test_a_compiled_search_sees_the_same_scores_and_gradients():
    """Of a network with convolutions and its steps' own backward passes, up to rounding."""
    model = load_model("lpips-alex", weights="random")
    ref, dist = images(2, size=32)
    exact, compiled = (Objective(model, ref, haste=haste) for haste in (Haste(), Haste(compiled=True)))
    (j, gradient), (found_j, found) = (objective.value_and_grad(dist, torch.arange(2)) for objective in (exact, compiled))
    assert torch.allclose(found_j, j, rtol=1e-4)
    assert torch.allclose(found, gradient, rtol=1e-2, atol=1e-4 * float(gradient.abs().max()))
