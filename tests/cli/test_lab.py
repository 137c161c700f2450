"""``search-features`` and ``ablate`` from the shell, with real training of a few steps."""

import numpy as np
import pytest
from PIL import Image

from robustiqa.training import pairs
from robustiqa.training.teachers import TEACHERS
from tests.command import robustiqa

RECIPE = """
steps = 2
learning_rate = 1e-3
final_learning_rate = 1e-3
split = [3, 1, 1]
beyond = 0
common = 0
composed = 0
transmission = 0
unpublished = 0
pair_size = 80
tile = 80
[[crops]]
size = 32
count = 3
probability = 1
"""


@pytest.fixture
def folder(tmp_path):
    """Five photographs just large enough, and a recipe."""
    rng = np.random.default_rng(0)
    (tmp_path / "photographs").mkdir()
    for i in range(5):
        small = Image.fromarray(rng.integers(0, 256, (10, 10, 3), dtype=np.uint8))
        small.resize((80, 80), Image.Resampling.BICUBIC).save(tmp_path / "photographs" / f"p{i}.png")
    (tmp_path / "tiny.toml").write_text(RECIPE)
    return tmp_path


@pytest.fixture
def quick_teachers(monkeypatch):
    """Labels are not what is tested: all teachers look at the squared error."""

    def scores(ref, dist, *, contrast):
        error = (ref - dist).square().flatten(1).mean(1).double().numpy()
        return -np.repeat(error[:, None], len(TEACHERS), 1)

    monkeypatch.setattr(pairs, "teacher_scores", scores)


@pytest.mark.slow
def test_a_search_and_an_ablation_run_and_resume(folder, quick_teachers):
    """Tables name every set and row; the same command again computes only what is missing."""
    shared = ["--dataset", "kadid-style=photographs", "--recipe", "tiny.toml", "--model", "birqa:width=4,levels=2",
              "--size", "64x48", "--runs", "1", "--jobs", "1"]  # fmt: skip
    search = ["search-features", *shared, "--out", "s", "--sets-of", "2", "--candidates", "color+edge"]
    first = robustiqa(*search, cwd=folder)
    assert first.returncode == 0, first.stderr
    for word in ("4 feature sets, 2 steps each", "color+edge", "raw", "weakness", "1 validation references"):
        assert word in first.stdout
    assert (folder / "s" / "search.md").read_text() == first.stdout
    assert len((folder / "s" / "search.csv").read_text().splitlines()) == 5
    files = {path: path.stat().st_mtime_ns for path in (folder / "s").glob("birqa*.json")}
    assert len(files) == 4
    next(iter(files)).unlink()
    assert robustiqa(*search, cwd=folder).returncode == 0
    changed = [path for path, time in files.items() if path.stat().st_mtime_ns != time]
    assert changed == [next(iter(files))]
    table = robustiqa("ablate", *shared, "--out", "a", cwd=folder)
    assert table.returncode == 0, table.stderr
    assert (folder / "a" / "ablation.md").read_text() == table.stdout
    assert len(table.stdout.splitlines()) == 2 + 2 + 4


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["search-features", "--candidates", "ssim+gabro"], ["gabro", "gabor"]),
        (["search-features", "--size", "large"], ["large", "1920x1080"]),
        (["search-features", "--sets-of", "6"], ["6"]),
        (["ablate", "--model", "ssim"], ["ssim", "birqa"]),
        (["ablate", "--dataset", "live=photographs"], ["live", "kadid-style=FOLDER"]),
        (["ablate", "--recipe", "tyni"], ["tyni", "clean"]),
    ],
)
def test_bad_input_gets_one_clear_line_and_exit_code_2(folder, arguments, words):
    """Before anything is trained."""
    dataset = [] if "--dataset" in arguments else ["--dataset", "kadid-style=photographs"]
    result = robustiqa(*arguments, *dataset, "--out", "runs", cwd=folder)
    assert result.returncode == 2, result.stderr
    assert "Traceback" not in result.stderr
    assert not (folder / "runs").exists()
    for word in words:
        assert word in result.stderr
