"""What attacks say they will ask is what they ask."""

import pytest

from robustiqa.attacks import ATTACKS, load_attack
from robustiqa.attacks.base import Calls
from robustiqa.benchmarks.estimate import passes_per_sample
from robustiqa.benchmarks.plan import Request, plan
from robustiqa.core.objective import Objective
from tests.attacks.cases import EPS, images
from tests.attacks.engines.test_engines import COSTS
from tests.toys import Jittered, Wavy, memory

SMALL = (
    "fgsm", "bim:steps=3", "pgd:steps=3,restarts=2", "mifgsm:steps=3", "apgd:steps=5,restarts=2", "pgd-adam:steps=3", "cw:steps=3",
    "cw-min:searches=2,steps=3", "korhonen:steps=3", "perceptual:steps=2,bisections=2", "nes:queries=7,pairs=2",
    "parsimonious:queries=9", "square:queries=9", "autoattack:quick", *COSTS,
)  # fmt: skip
EXACT = set(SMALL) - {"parsimonious:queries=9"}
LEARNED = {"uap", "facpa"}


def test_every_attack_is_looked_at():
    """A new attack must say what it asks, or be listed here as one that asks nothing."""
    assert {text.partition(":")[0] for text in SMALL} | LEARNED == set(ATTACKS.builtins)
    assert all(load_attack(name).calls == Calls() for name in LEARNED)


@pytest.mark.parametrize("text", SMALL)
@pytest.mark.parametrize("model", [Wavy(), Jittered()], ids=["deterministic", "random"])
def test_passes_that_were_promised_are_spent(text, model):
    """To the pass; draws of a random model count each. Parsimonious may need fewer."""
    if text.startswith("art:square"):
        text += ",p_init=0.3"
    ref, dist = images(2, size=24 if text.startswith("perceptual") else 10)
    attack = load_attack(text)
    job = plan(Request((model,), (attack,), (memory(2),), directions=("up",), eps=(EPS,)))[-1]
    forwards, backwards = passes_per_sample(job)
    cost = attack.run(Objective(model, ref), dist, EPS).cost
    assert cost.backwards.tolist() == [backwards] * 2
    assert (cost.forwards.tolist() == [forwards] * 2) if text in EXACT else max(cost.forwards.tolist()) <= forwards
