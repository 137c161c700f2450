"""What is asked of a cluster, and what is sent to it; without one."""

import sys

import pytest

import robustiqa as rq
from robustiqa.attacks import load_attack
from robustiqa.benchmarks.attacking import run_batch
from robustiqa.benchmarks.images import Images
from robustiqa.benchmarks.job import computed
from robustiqa.benchmarks.plan import Request, plan
from robustiqa.benchmarks.sharing.cluster import Cluster, Needs
from robustiqa.benchmarks.sharing.packing import Packer, Unpacker
from robustiqa.benchmarks.sharing.workers import CPU
from robustiqa.core.errors import InvalidInput, UnknownName
from robustiqa.defenses import load_defense
from tests.command import robustiqa
from tests.toys import Linear, Net, memory

pytestmark = pytest.mark.usefixtures("toy_calibration")


def test_needs_are_spelled_like_parameters():
    """Whole devices, or a part of one; memory in GB."""
    needs = Cluster().using("cpus=2,gpus=0.5,memory=1.5").needs
    assert needs == Needs(2, 0.5, 1.5)
    assert needs.resources == {"CPU": 2.0, "GPU": 0.5, "memory": 1.5e9}
    assert Needs().resources == {"CPU": 1.0}


@pytest.mark.parametrize("text", ["cpus=0", "cpus=1.5", "gpus=1.5", "gpus=-1", "memory=-1", "memory=1e400", "cpus"])
def test_amounts_that_no_cluster_gives_are_refused(text):
    """One line."""
    with pytest.raises(InvalidInput):
        Cluster().using(text)
    with pytest.raises(UnknownName, match="tpus"):
        Cluster().using("tpus=1")


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--ray-address", "1.2.3.4:5"], "--engine ray"),
        (["--ray-worker", "cpus=2"], "--engine ray"),
        (["--engine", "ray", "--threads", "2"], "cpus=N"),
    ],
)
def test_options_that_contradict_each_other_are_refused(options, word, tmp_path):
    """Before anything is loaded."""
    run = robustiqa("bench", "--out", tmp_path, *options)
    assert (run.returncode, word in run.stderr) == (2, True)


def test_without_ray_the_message_says_how_to_get_it(tmp_path, monkeypatch):
    """Exit code 2."""
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InvalidInput, match=r"pip install 'robustiqa\[ray\]'"):
        rq.bench([Linear()], ["fgsm"], memory(2), out=tmp_path, cluster=Cluster())


def test_models_and_data_of_several_jobs_are_sent_once_and_loaded_once():
    """Also the undefended model within the defended one; rows are those of the job that was packed."""
    defenses = (None, load_defense("jpeg:quality=50"))
    request = Request((Net(),), tuple(map(load_attack, ("fgsm", "pgd:steps=2"))), (memory(3),), defenses, directions=("up",))
    jobs = [job for job in plan(request) if job.attack is not None]
    sent = []

    def put(data):
        sent.append(data)
        return len(sent) - 1

    packer, loaded = Packer(put), []
    packed = [packer.pack(job) for job in jobs]
    models = {id(model) for job in jobs for model in (job.attacked, job.evaluated)}
    assert len(jobs) == 4
    assert len(sent) == len(jobs) + len(models) + 1
    unpacker = Unpacker(lambda part: loaded.append(part) or part, keep=8)
    for job, what in zip(jobs, packed, strict=True):
        other = unpacker.unpack(sent[what.job], lambda name, what=what: sent[what.parts[name]])
        assert timeless(other) == timeless(job)
    assert len(loaded) == len(models) + 1


def test_models_that_were_not_needed_lately_are_let_go():
    """Memory of a worker does not grow with the suite."""
    sent, loaded = [], []
    packer = Packer(lambda data: sent.append(data) or len(sent) - 1)
    jobs = [job for job in plan(Request((Linear(), Net()), (load_attack("fgsm"),), (memory(2),), directions=("up",))) if job.attack]
    unpacker = Unpacker(lambda part: loaded.append(part) or part, keep=1)
    for packed in map(packer.pack, jobs * 2):
        unpacker.unpack(sent[packed.job], lambda name, packed=packed: sent[packed.parts[name]])
    assert len(loaded) > 3
    assert len(unpacker._kept) == 1


def timeless(job):
    """The rows of a job without their times."""
    (batch,) = Images().batches(job.dataset, job.pairs, job.spec.crop, 8, CPU)
    return [replace_seconds(row) for row in computed(job, batch, run_batch)]


def replace_seconds(row):
    return row.model_copy(update={"seconds": 0.0})
