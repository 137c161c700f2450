"""Shards of a run, and what merging makes of them: the run in one piece, or a refusal that names what disagrees."""

import shutil
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import robustiqa as rq
from robustiqa.attacks import load_attack
from robustiqa.benchmarks.bench import prepared
from robustiqa.benchmarks.estimate import passes_per_sample
from robustiqa.benchmarks.folder.merging import merge
from robustiqa.benchmarks.folder.store import Store
from robustiqa.benchmarks.plan import Request, plan
from robustiqa.benchmarks.running import run
from robustiqa.benchmarks.shards import Shard, parse_shard, shard_jobs
from robustiqa.core.errors import InvalidInput
from tests.benchmarks.test_running import rows_of
from tests.command import robustiqa
from tests.toys import Linear, Wavy, memory

pytestmark = pytest.mark.usefixtures("toy_calibration")
ATTACKS = ("fgsm", "pgd:steps=4", "square:queries=9")


def jobs_of(models=(Linear, Wavy), attacks=ATTACKS, count=21):
    return plan(Request(tuple(model() for model in models), tuple(map(load_attack, attacks)), (memory(count),), directions=("up", "tomean"), crop=16))


JOBS = jobs_of(attacks=("fgsm", "square:queries=9"), count=13)


def samples(jobs):
    return Counter((job.spec.key, pair.id) for job in jobs for pair in job.pairs)


def bench(folder, shard=None, models=(Linear, Wavy), **more):
    options = {"directions": ["up", "tomean"], "crop": 16, "batch_size": 4, "judges": ["psnr"], "save_images": True}
    return rq.bench([m() for m in models], ["fgsm", "pgd:steps=2"], memory(11), shard=shard, out=folder, **{**options, **more})


@settings(max_examples=10)
@given(n=st.integers(1, 9), size=st.integers(1, 9))
def test_every_sample_is_in_exactly_one_shard_in_the_batches_of_the_whole_run(n, size):
    """However many shards; and the order in which cells were asked for does not matter."""
    jobs = JOBS
    whole = samples(jobs)
    batches = {(job.spec.key, job.pairs[i : i + size]) for job in jobs for i in range(0, len(job.pairs), size)}
    total, own = Counter(), set()
    for index in range(1, n + 1):
        mine = shard_jobs(jobs, Shard(index, n), size)
        total += samples(mine)
        own |= {(job.spec.key, job.pairs[i : i + size]) for job in mine for i in range(0, len(job.pairs), size)}
        assert samples(shard_jobs(jobs[::-1], Shard(index, n), size)) == samples(mine)
        assert all(job.pairs for job in mine)
    assert total == whole
    assert own == batches


@pytest.mark.parametrize("n", [2, 3, 7])
def test_declared_cost_is_balanced(n):
    """No shard has more than an equal share and one batch of the dearest attack."""
    jobs = jobs_of(count=100)

    def cost(some):
        return sum(len(job.pairs) * (passes_per_sample(job)[0] + 2 * passes_per_sample(job)[1]) for job in some)

    dearest = max(4 * cost([job]) / len(job.pairs) for job in jobs)
    loads = [cost(shard_jobs(jobs, Shard(i, n), 4)) for i in range(1, n + 1)]
    assert max(loads) <= cost(jobs) / n + dearest


@pytest.mark.parametrize("text", ["", "1", "0/3", "4/3", "1/0", "-1/2", "1/2/3", "a/b", "1 / 2", "١/٢", "1/9999999"])
def test_whatever_is_no_shard_is_refused(text):
    """One line that says how it is written."""
    with pytest.raises(InvalidInput, match="write it as 2/8"):
        parse_shard(text)


def test_merged_shards_report_the_same_bytes_as_one_process(tmp_path):
    """Rows, pictures and texts; merging again changes nothing."""
    bench(tmp_path / "whole", models=(Wavy,))
    parts = [tmp_path / str(i) for i in (1, 2, 3)]
    for i, part in enumerate(parts, start=1):
        assert bench(part, shard=f"{i}/3", models=(Wavy,)).failures == ()
    for _ in range(2):
        found = merge(parts[::-1], tmp_path / "merged")
        assert (found.unfinished, found.absent) == ((), ())
    assert len(rq.load_results(tmp_path / "whole").cells) == found.cells
    for form in ("md", "csv"):
        arguments = ["report", "--format", form, "--without-seconds"]
        one, other = (robustiqa(*arguments, tmp_path / name) for name in ("whole", "merged"))
        assert one[:2] == other[:2]
        assert one.returncode == 0
        assert "nan" not in one.stdout.lower()
    names = [{p.name for p in (tmp_path / name / "images").iterdir()} for name in ("whole", "merged")]
    assert names[0] == names[1] != set()


def test_an_unfinished_shard_is_merged_as_such_and_the_bench_finishes_it(tmp_path):
    """Journals of a stopped shard keep their rows; what is missing is named, and nothing done is done again."""
    jobs = jobs_of(models=(Wavy,), attacks=("fgsm",), count=8)
    mine = prepared(jobs, tmp_path / "1", 4, Shard(1, 2))
    rest = prepared(jobs, tmp_path / "2", 4, Shard(2, 2))
    run(mine, tmp_path / "1", 4)
    run(rest, tmp_path / "2", 4)
    store, torn = Store(tmp_path / "2"), next(job for job in rest if job.attack is not None)
    rows = list(store.read(torn.spec).values())
    (store.folder / f"{torn.spec.key}.json").unlink()
    store.append(torn.spec, rows[:1], {})
    found = merge([tmp_path / "1", tmp_path / "2"], tmp_path / "merged")
    assert [cell.spec.key for cell in found.unfinished] == [torn.spec.key]
    done = robustiqa("merge", tmp_path / "1", tmp_path / "2", "--out", tmp_path / "again")
    assert (done.returncode, "not finished" in done.stderr) == (1, True)
    before = {cell.spec.key: cell.samples for cell in Store(tmp_path / "merged").cells()}
    assert run(jobs, tmp_path / "merged", 4).failures == ()
    after = {cell.spec.key: cell for cell in Store(tmp_path / "merged").cells()}
    assert all(cell.finished for cell in after.values())
    assert all(row in after[key].samples for key, rows in before.items() for row in rows)
    run(jobs, tmp_path / "whole", 4)
    assert rows_of(tmp_path / "merged") == rows_of(tmp_path / "whole")


def test_a_shard_that_nobody_merged_is_named(tmp_path):
    """What is there is merged; the exit code says that it is not all."""
    for i in (1, 3):
        bench(tmp_path / str(i), shard=f"{i}/3", save_images=False)
    done = robustiqa("merge", tmp_path / "1", tmp_path / "3", "--out", tmp_path / "merged")
    assert (done.returncode, "missing shards: 2/3" in done.stderr) == (1, True)


def test_rows_that_contradict_each_other_are_named_and_nothing_is_merged(tmp_path):
    """The same sample of the same cell with another number; other times are no contradiction."""
    bench(tmp_path / "a", models=(Linear,))
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    cell = next(cell for cell in Store(tmp_path / "b").cells() if cell.spec.attack)
    rows = [row.model_copy(update={"seconds": 9.0}) for row in cell.samples]
    Store(tmp_path / "b").put(cell.model_copy(update={"samples": tuple(rows)}))
    merge([tmp_path / "a", tmp_path / "b"], tmp_path / "fine")
    rows[2] = rows[2].model_copy(update={"attacked": rows[2].attacked + 1e-6})
    Store(tmp_path / "b").put(cell.model_copy(update={"samples": tuple(rows)}))
    with pytest.raises(InvalidInput, match=rf"(?s)sample '{rows[2].id}'.*other values of attacked.*{cell.spec.key}"):
        merge([tmp_path / "a", tmp_path / "b"], tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


class Heavier(Linear):
    """The same name with other weights."""

    def weights(self, dist):
        return super().weights(dist) * 2


def test_shards_of_other_code_or_weights_are_refused(tmp_path):
    """Cells that a report could not tell apart: the message says what differs."""
    bench(tmp_path / "a", models=(Linear,))
    bench(tmp_path / "b", models=(Heavier,))
    with pytest.raises(InvalidInput, match=r"(?s)linear on memory.*code of the model's plug-in"):
        merge([tmp_path / "a", tmp_path / "b"], tmp_path / "merged")


def test_a_folder_is_of_one_shard(tmp_path):
    """Another shard in the same folder would be lost when it is merged with itself."""
    jobs = jobs_of(models=(Linear,), attacks=("fgsm",))
    prepared(jobs, tmp_path, 4, Shard(1, 2))
    with pytest.raises(InvalidInput, match="holds shard 1/2"):
        prepared(jobs, tmp_path, 4, Shard(2, 2))
    prepared([replace(job, pairs=job.pairs[:4]) for job in jobs], tmp_path, 4, Shard(1, 2))  # another limit
    (tmp_path / "shard.json").write_text('{"index": 1}')
    with pytest.raises(InvalidInput, match="does not say which shard"):
        prepared(jobs, tmp_path, 4, Shard(1, 2))


def test_the_command_line_runs_shards_of_a_suite_and_merges_them(tmp_path):
    """As a Slurm array would: same command but for the number."""
    suite = tmp_path / "suite.toml"
    suite.write_text('title = "t"\n[[run]]\nmodels = ["psnr"]\nattacks = ["fgsm"]\ndatasets = ["csv"]\ndirections = ["up"]\n')
    lines = [f"{i}.png,{i + 1}.png,{i}" for i in range(3)]
    (tmp_path / "pairs.csv").write_text("\n".join(["reference,distorted,mos", *lines]))
    for i in range(4):
        Image.new("RGB", (24, 24), (i, 50 * i, 9)).save(tmp_path / f"{i}.png")
    common = ["bench", suite, "--dataset", f"csv={tmp_path}", "--batch-size", "2", "--judges", "none", "--threads", "1"]
    for i in (1, 2):
        done = robustiqa(*common, "--shard", f"{i}/2", "--out", tmp_path / str(i))
        assert done.returncode == 0
        assert f"Shard {i}/2" in done.stdout
    assert robustiqa("merge", tmp_path / "1", tmp_path / "2", "--out", tmp_path / "merged").returncode == 0
    done = robustiqa(*common, "--out", tmp_path / "merged")  # finds nothing to do, and prints the table
    assert (done.returncode, "fgsm" in done.stdout) == (0, True)
    assert robustiqa(*common, "--shard", "3/2").returncode == 2
    assert robustiqa("merge", tmp_path / "nothing", "--out", tmp_path / "merged").returncode == 2
