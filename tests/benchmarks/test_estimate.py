"""What a bench would cost: counted, measured, and less what is there."""

from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
import torch

from robustiqa.attacks import load_attack
from robustiqa.attacks.fgsm import FGSM
from robustiqa.attacks.limits import Limits
from robustiqa.benchmarks.attacking import run_batch
from robustiqa.benchmarks.calibration import HALVINGS, calibration
from robustiqa.benchmarks.estimate import Estimator, kept_by_a_gradient, passes_per_sample, total
from robustiqa.benchmarks.folder.store import Store
from robustiqa.benchmarks.images import Images
from robustiqa.benchmarks.plan import Request, plan
from robustiqa.benchmarks.running import run
from robustiqa.core.draws import REPORTED_DRAWS
from robustiqa.core.model import ModelInfo, QualityModel
from tests.benchmarks.test_running import Crash
from tests.toys import Jittered, Linear, memory

pytestmark = pytest.mark.usefixtures("toy_calibration")
CPU = torch.device("cpu")
BASE = Request((Linear(),), (load_attack("bim:steps=3"), load_attack("square:queries=7")), (memory(6),), directions=("up",))


def estimates(jobs, folder):
    estimator = Estimator(Store(folder), run_batch, 1, CPU)
    return [estimator.estimate(job) for job in jobs]


def test_only_what_is_left_to_do_is_counted(tmp_path):
    """First all, after a part the rest, then nothing; and nothing is written by asking."""
    jobs = plan(BASE)
    found = estimates(jobs, tmp_path)
    assert [(one.samples, one.forwards, one.backwards) for one in found] == [(12, 12, 0), (6, 18, 18), (6, 42, 0)]
    assert not list(tmp_path.iterdir())
    run(plan(replace(BASE, limit=2)), tmp_path)
    assert [(one.samples, one.forwards) for one in estimates(jobs, tmp_path)] == [(0, 0), (4, 12), (4, 28)]
    run(jobs, tmp_path)
    whole = total(estimates(jobs, tmp_path), 8, 1)
    assert (whole.samples, whole.forwards, whole.backwards, whole.seconds) == (0, 0, 0, 0)


def test_sums_are_shared_by_processes_and_memory_is_not(tmp_path):
    """Half the time with two of them, twice the memory; a larger batch keeps more."""
    found = estimates(plan(BASE), tmp_path)
    one, two, wide = total(found, 8, 1), total(found, 8, 2), total(found, 80, 1)
    assert (one.samples, one.forwards, one.backwards) == (24, 72, 18)
    assert 0 < two.seconds == pytest.approx(one.seconds / 2)
    assert two.bytes == pytest.approx(2 * one.bytes, rel=0.1)
    assert wide.bytes > one.bytes


def per_sample(**changes):
    return passes_per_sample(plan(replace(BASE, **changes))[-1])


def test_draws_limits_and_calibration_change_the_passes():
    """A random model's values are means over draws; a limit cuts; each halving of a calibration may attack again."""
    assert per_sample() == (7, 0)
    assert per_sample(models=(Jittered(),)) == (7 * Jittered.info.eot, 0)
    assert per_sample(models=(Jittered(),), eot=1) == (7, 0)
    assert per_sample(limits=Limits(max_queries=5)) == (5, 0)
    assert per_sample(calibration=calibration("ssim=0.95")) == (7 * HALVINGS, 0)
    clean = plan(replace(BASE, models=(Jittered(),)))[0]
    assert passes_per_sample(clean) == (REPORTED_DRAWS, 0)


@dataclass(frozen=True)
class Silent(FGSM):
    """Does not say what it asks."""

    name: ClassVar[str] = "silent"

    @property
    def calls(self):
        return None


def test_what_an_attack_does_not_say_is_unknown_and_so_are_the_sums(tmp_path):
    """Not nothing."""
    found = estimates(plan(replace(BASE, attacks=(Silent(),))), tmp_path)
    assert (found[-1].samples, found[-1].forwards, found[-1].seconds) == (6, None, None)
    whole = total(found, 8, 1)
    assert (whole.samples, whole.forwards, whole.seconds) == (18, None, None)


def test_a_model_that_cannot_be_measured_is_named_and_harms_no_other(tmp_path):
    """Its passes are still counted."""
    found = estimates(plan(replace(BASE, models=(Crash(), Linear()))), tmp_path)
    assert [bool(one.problem) for one in found] == [True] * 3 + [False] * 3
    assert all("out of memory" in one.problem for one in found[:3])
    assert found[1].forwards == 18
    assert found[1].seconds is None


class Hoarder(QualityModel):
    """Keeps ``count`` squares of the image for its gradient, and owns a tensor that is not counted."""

    info = ModelInfo("hoarder", lower_better=False, paper="toy")

    def __init__(self, count):
        super().__init__()
        self.count = count
        self.register_buffer("own", torch.ones(3, 24, 24))

    def compare(self, reference, dist):
        x = dist * self.own
        for _ in range(self.count):
            x = x * x
        return x.flatten(1).sum(1)


@pytest.mark.parametrize("count", [2, 5])
def test_memory_is_what_a_gradient_keeps(count):
    """Each product keeps the image that it squares; float32, 3 x 24 x 24."""
    job = plan(replace(BASE, models=(Hoarder(count),)))[-1]
    batch = next(Images().batches(job.dataset, job.pairs[:2], None, 2, CPU))
    assert kept_by_a_gradient(job, batch) == pytest.approx(count * 3 * 24 * 24 * 4, abs=4 * 3 * 24 * 24)
