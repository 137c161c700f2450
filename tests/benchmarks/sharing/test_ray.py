"""A real Ray cluster on this machine, of two nodes with a core each: what it computes is what one process computes.

One cluster serves all tests, since starting it takes longer than what they do on it. It speaks over 127.0.0.1 alone.
"""

import importlib.util
import os
import signal
from dataclasses import replace

import pytest

import robustiqa as rq
from robustiqa.benchmarks.sharing.cluster import Cluster, Needs
from robustiqa.core.errors import InvalidInput
from tests.benchmarks.test_running import rows_of
from tests.command import robustiqa
from tests.toys import Linear, Wavy, memory

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("toy_calibration"),
    pytest.mark.skipif(not importlib.util.find_spec("ray"), reason="needs Ray: pip install 'robustiqa[ray]'"),
]
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # which makes a machine's own address 127.0.0.1
    "RAY_worker_niceness": "0",  # workers are as polite as the test itself
}
NOTICED_SOON = {"health_check_period_ms": 500, "health_check_timeout_ms": 2000, "health_check_failure_threshold": 3}
NODE = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "include_dashboard": False, "node_ip_address": "127.0.0.1"}


class Deadly(Linear):
    """Kills whatever process scores with it, but for this one."""

    info = replace(Linear.info, name="deadly")

    def __init__(self):
        super().__init__()
        self._parent = os.getpid()

    def compare(self, reference, dist):
        if os.getpid() != self._parent:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().compare(reference, dist)


class Faulty(Linear):
    """Raises."""

    info = replace(Linear.info, name="faulty")

    def compare(self, reference, dist):
        raise ArithmeticError("as it was told to")


@pytest.fixture(scope="module")
def head():
    """The first node of a cluster, and a connection to it for all tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        import ray
        from ray.cluster_utils import Cluster as Nodes

        nodes = Nodes(initialize_head=True, head_node_args={**NODE, "_system_config": NOTICED_SOON})
        ray.init(nodes.address, log_to_driver=False)
        yield nodes
        ray.shutdown()
        nodes.shutdown()


def bench(folder, models, **more):
    options = {"directions": ["up", "tomean"], "batch_size": 2, "crop": 20, "judges": ["psnr"], "save_images": True}
    return rq.bench(models, ["pgd:steps=9", "square:queries=9"], memory(9), out=folder, **{**options, **more})


def test_a_node_that_is_killed_in_the_middle_changes_nothing(tmp_path, head):
    """Table, rows and pictures are those of one process, byte for byte; the other node went on."""
    second, said = head.add_node(**NODE), []

    def watch(label, done, _total):
        if label == "2 workers on 2 nodes" and done >= 20 and label not in said[-1:]:
            head.remove_node(second, allow_graceful=False)
            said.append(label)
        elif said and label != said[-1]:
            said.append(label)

    models = ["psnr", "ssim", Wavy()]
    assert bench(tmp_path / "ray", models, cluster=Cluster(), progress=watch).failures == ()
    assert said == ["2 workers on 2 nodes", "1 workers on 1 nodes"]
    bench(tmp_path / "one", models)
    assert rows_of(tmp_path / "ray") == rows_of(tmp_path / "one")
    texts = [robustiqa("report", tmp_path / name, "--without-seconds", "--format", "csv") for name in ("ray", "one")]
    assert texts[0].stdout.encode() == texts[1].stdout.encode()
    assert texts[0].stdout.count("\n") > 6
    pictures = [{p.name: p.read_bytes() for p in (tmp_path / name / "images").iterdir()} for name in ("ray", "one")]
    assert pictures[0] == pictures[1]
    assert bench(tmp_path / "ray", models, cluster=Cluster("never asked")).failures == ()  # nothing is left to do


def test_what_kills_its_workers_or_raises_fails_its_own_cells(tmp_path, head, monkeypatch):
    """With the worker's traceback; the others go on with another worker."""
    from robustiqa.benchmarks.sharing import ray_engine

    monkeypatch.setattr(ray_engine, "TRIES", 1)
    models = [Deadly(), Faulty(), Linear()]
    outcome = rq.bench(models, ["fgsm"], memory(3), directions=["up"], judges=[], out=tmp_path, cluster=Cluster())
    assert {job.spec.model.name for job, _ in outcome.failures} == {"deadly", "faulty"}
    errors = {cell.spec.model.name: cell.error for cell in rq.load_results(tmp_path).cells}
    assert "WorkerLost: a worker died on '0' and its batch" in errors["deadly"]
    assert 'raise ArithmeticError("as it was told to")' in errors["faulty"]
    assert errors["linear"] == ""


def test_the_command_line_on_a_cluster(tmp_path, head):
    """A table, as without."""
    options = ["--model", "psnr", "--attack", "fgsm", "--limit", 2, "--crop", 32, "--judges", "none", "--out", tmp_path]
    run = robustiqa("bench", "--engine", "ray", "--jobs", 1, "--ray-worker", "cpus=1,memory=0.1", *options)
    assert (run.returncode, "fgsm" in run.stdout) == (0, True), run.stderr


def test_a_cluster_without_what_workers_need_is_told_from_a_slow_one(tmp_path, head, monkeypatch):
    """After a while the run is given up, with a line that says what was asked for."""
    from robustiqa.benchmarks.sharing import ray_engine

    monkeypatch.setattr(ray_engine, "PATIENCE", 1.0)
    with pytest.raises(InvalidInput, match=r"no worker of 1 cpus, 1 gpus and 0 GB .* none came within 1 s"):
        bench(tmp_path, [Linear()], cluster=Cluster(needs=Needs(gpus=1)))
