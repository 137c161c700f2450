"""The command line as a user meets it: what it prints, what it refuses, how it exits."""

import json
import os
import pty
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from robustiqa.cli.main import cli
from robustiqa.models import load_model
from tests.command import robustiqa

ENTRY = "from robustiqa.cli.main import main; main()"


@pytest.fixture
def pictures(tmp_path):
    """A reference, a distorted copy, a smaller image, a truncated file and a text."""
    rng = np.random.default_rng(0)
    ref = rng.integers(0, 256, (64, 80, 3), dtype=np.uint8)
    dist = np.clip(ref.astype(int) + rng.integers(-20, 20, ref.shape), 0, 255).astype(np.uint8)
    for name, pixels in {"ref": ref, "dist": dist, "small": ref[:40]}.items():
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "ref.png").read_bytes()[:200])
    (tmp_path / "text.png").write_text("not an image")
    return tmp_path


def test_help_does_not_import_torch():
    """Help is instant: no heavy library is imported for it."""
    code = f"import sys; sys.argv = ['robustiqa', '--help']\ntry:\n    {ENTRY}\nfinally:\n    print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "Measure how far" in result.stdout
    assert result.stdout.strip().endswith("False")


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_command_has_help_that_reads_well(name):
    """It teaches: more than a title, and click's marks are not shown."""
    result = robustiqa(name, "--help")
    assert result.returncode == 0
    assert len(result.stdout.splitlines()) > 5
    assert "\\b" not in result.stdout


def test_the_command_line_starts_where_parameter_types_take_no_type():
    """As before click 8.4: an alias that is written out at run time would stop every command."""
    script = (
        "import click\n"
        "def refuse(cls, item): raise TypeError('not subscriptable')\n"
        "click.ParamType.__class_getitem__ = classmethod(refuse)\n"
        "import robustiqa.cli.main"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_bench_alone_says_what_to_choose_and_runs_nothing(tmp_path):
    """Examples, and every name; a script that forgot its options fails."""
    result = robustiqa("bench", cwd=tmp_path)
    assert result.returncode == 2
    for word in ("--model birqa --attack autoattack", "lpips-alex", "square", "jpeg", "kadid10k", "robustiqa bench --help"):
        assert word in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 110
    assert not list(tmp_path.iterdir())


def test_score_prints_what_the_model_says(pictures):
    """As text and as JSON."""
    result = robustiqa("score", pictures / "ref.png", pictures / "dist.png", "--model", "psnr", "--json")
    record = json.loads(result.stdout)
    ref, dist = (
        torch.from_numpy(np.asarray(Image.open(pictures / f"{n}.png")).copy()).permute(2, 0, 1)[None] / 255
        for n in ("ref", "dist")
    )
    assert record == {
        "model": "psnr",
        "score": pytest.approx(float(load_model("psnr")(ref, dist))),
        "lower_better": False,
    }
    assert "higher is better" in robustiqa("score", pictures / "ref.png", pictures / "dist.png").stdout
    random = robustiqa("score", pictures / "ref.png", pictures / "dist.png", "--weights", "random", "--json")
    assert json.loads(random.stdout)["flags"] == ["random-weights"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["score", "ref.png", "dist.png", "--model", "lpisp-alex"], ["lpisp-alex", "lpips-alex"]),
        (["score", "ref.png", "small.png", "--model", "psnr"], ["80x64", "80x40"]),
        (["score", "ref.png", "cut.png", "--model", "psnr"], ["cut.png"]),
        (["score", "ref.png", "text.png", "--model", "psnr"], ["text.png", "PNG"]),
        (["score", "ref.png", "absent.png", "--model", "psnr"], ["absent.png", "no such file"]),
        (["score", "ref.png", "dist.png", "--model", "dists", "--weights", "."], ["vgg16", "dists_alpha_beta"]),
        (["bench", "--eps", "8"], ["8", "8/255"]),
        (["bench", "--eps", "eight"], ["eight", "8/255"]),
        (["bench", "--attack", "autoatack"], ["autoatack", "autoattack"]),
        (["bench", "--attack", "pgd:steps=0"], ["steps", "0"]),
        (["bench", "--dataset", "liv=."], ["liv", "live"]),
        (["bench", "--dataset", "live=."], ["refimgs"]),
        (["bench", "--dataset", "live=nowhere"], ["nowhere"]),
        (["bench", "--model", "birqa:lbp=soft"], ["lbp", "smooth"]),
        (["bench", "--device", "abacus"], ["abacus"]),
        (["report", "empty"], ["empty", "robustiqa bench"]),
        (["report", ".", "--format", "docx"], ["docx", "csv"]),
        (["train", "--dataset", "kadid-style=nowhere", "--out", "x.safetensors"], ["nowhere"]),
        (["models", "brqa"], ["brqa", "birqa"]),
    ],
)  # fmt: skip
def test_bad_input_gets_one_clear_line_and_exit_code_2(pictures, arguments, words):
    """The line names the value and what would do; there is no traceback."""
    result = robustiqa(*arguments, cwd=pictures)
    assert result.returncode == 2, result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    for word in words:
        assert word in result.stderr


def test_bench_report_and_rerun(tmp_path):
    """A small benchmark prints its table and where everything is; the report has a row per direction."""
    arguments = ["bench", "--model", "ssim", "--attack", "fgsm", "--limit", "4", "--crop", "48", "--out", "runs"]
    first = robustiqa(*arguments, cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    for word in ("ssim", "fgsm", "8/255 white-box", "expected human score", "robustiqa report runs", "crop-48"):
        assert word in first.stdout
    again = robustiqa(*arguments, cwd=tmp_path)
    assert again.stdout == first.stdout
    report = robustiqa("report", "runs", "--format", "csv", cwd=tmp_path)
    assert [line.split(",")[5] for line in report.stdout.splitlines()] == ["direction", "up", "tomean"]
    both = robustiqa("report", "runs", "--format", "md,csv", "--out", "out", cwd=tmp_path)
    assert both.returncode == 0
    assert (tmp_path / "out" / "report.csv").read_text() == report.stdout


def test_bench_as_json_is_the_report_of_the_rows_that_were_asked_for(tmp_path):
    """Nothing else is printed, and cells of earlier runs in the folder are not among them."""
    words = ("bench", "--attack", "fgsm", "--limit", 3, "--crop", 16, "--judges", "none", "--direction", "up", "--out", tmp_path)
    robustiqa(*words, "--model", "ssim")
    result = robustiqa(*words, "--model", "psnr", "--json")
    (row,) = json.loads(result.stdout)
    assert (row["model"], row["n"]) == ("psnr", 3)
    assert row in json.loads(robustiqa("report", tmp_path, "--format", "json").stdout)


def test_quiet_means_no_progress_bar(tmp_path, monkeypatch):
    """What a terminal would see on standard error, with and without; standard output is the same."""
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich then takes the pipe for a terminal
    words = ("bench", "--model", "psnr", "--attack", "fgsm", "--limit", 2, "--crop", 16, "--judges", "none")
    loud, quiet = (robustiqa(*words, *more, "--out", tmp_path / str(more), cwd=tmp_path) for more in ((), ("-q",)))
    assert "━" in loud.stderr  # a bar, whatever it had got to when it was last drawn
    assert quiet.stderr == ""
    assert "psnr" in quiet.stdout


@pytest.mark.parametrize("place", ["robustiqa.cli.bench_run.run_bench", "robustiqa.benchmarks.requests.load_model", "robustiqa.benchmarks.running.run_job"])
def test_an_interrupt_that_a_compiled_module_calls_an_import_error_ends_the_run(monkeypatch, tmp_path, place):
    """While the command is loaded, while a model is, and within a cell, which does not fail of it."""

    def interrupted(*_, **__):
        raise ImportError("initialization failed") from KeyboardInterrupt()

    monkeypatch.setattr(place, interrupted)
    words = ("bench", "--model", "psnr", "--attack", "fgsm", "--limit", 2, "--crop", 16, "--judges", "none", "--threads", 1)
    result = robustiqa(*words, "--out", tmp_path)
    assert result.returncode == 130
    assert "interrupted" in result.stderr
    assert not any("error" in path.read_text() for path in tmp_path.rglob("*.jsonl"))


@pytest.mark.parametrize(
    ("words", "expected"), [("robustiqa be", "plain,bench"), ("robustiqa bench --model lpips-v", "plain,lpips-vgg")]
)
def test_a_shell_completes_names(words, expected):
    """Of commands, and of models behind --model."""
    asked = {"_ROBUSTIQA_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    result = subprocess.run([sys.executable, "-c", ENTRY], capture_output=True, text=True, check=True, env=os.environ | asked)
    assert result.stdout.split() == [expected]


def test_attack_writes_pictures_within_eps_and_the_scores(pictures):
    """The PNG is what was scored, differs by at most ε, and the model reports it as better; one set of files per ε."""
    arguments = ["attack", "ref.png", "dist.png", "--model", "ssim", "--attack", "bim", "--eps", "2/255", "--eps", "8/255"]
    result = robustiqa(*arguments, "--out", "out", cwd=pictures)
    assert result.returncode == 0, result.stderr
    dist = np.asarray(Image.open(pictures / "dist.png")).astype(int)
    scores = []
    for levels in (2, 8):
        adversarial = np.asarray(Image.open(pictures / "out" / f"adversarial-{levels}.png")).astype(int)
        assert 0 < abs(adversarial - dist).max() <= levels
        record = json.loads((pictures / "out" / f"scores-{levels}.json").read_text())
        again = robustiqa("score", "ref.png", f"out/adversarial-{levels}.png", "--model", "ssim", "--json", cwd=pictures)
        assert json.loads(again.stdout)["score"] == pytest.approx(record["attacked_score_8bit"], abs=1e-6)
        assert record["forwards"] == record["backwards"] == 10
        difference = np.asarray(Image.open(pictures / "out" / f"difference-{levels}.png")).astype(int)
        grey = abs(adversarial - dist).sum(-1) == 0
        assert (abs(difference[grey] - 128) <= 1).all()
        scores += [record["clean_score"], record["attacked_score_8bit"]]
    assert scores[0] == scores[2] < scores[1] < scores[3]


def test_an_attack_on_one_pair_stops_at_its_limits_and_says_so(pictures):
    """No more model calls than allowed; the best so far is written, flagged, with the curve of what it cost."""
    arguments = ["attack", "ref.png", "dist.png", "--model", "psnr", "--attack", "square:queries=400", "--out", "out"]
    result = robustiqa(*arguments, "--max-queries", "150", cwd=pictures)
    assert result.returncode == 0, result.stderr
    assert "[budget-cut]" in result.stdout
    record = json.loads((pictures / "out" / "scores-8.json").read_text())
    assert record["forwards"] == 150
    assert record["flags"] == ["budget-cut"]
    ((at, score),) = record["curve"]
    assert at == 100
    assert record["clean_score"] <= score <= record["attacked_score"]
    quick = robustiqa(*arguments, "--max-seconds", "0.02", cwd=pictures)
    assert quick.returncode == 0, quick.stderr
    assert json.loads((pictures / "out" / "scores-8.json").read_text())["forwards"] < 400


def test_a_benchmark_of_which_a_part_failed_ends_with_1(tmp_path):
    """The images are too small for the model, which is found when they are scored: the shell must hear of it."""
    arguments = ["bench", "--model", "ssim", "--attack", "fgsm", "--limit", "2", "--crop", "8", "--out", "runs"]
    result = robustiqa(*arguments, cwd=tmp_path)
    assert result.returncode == 1, result.stderr
    assert "robustiqa: failed" in result.stderr


def test_dry_run_writes_nothing(tmp_path):
    """It says what would run."""
    result = robustiqa("bench", "--model", "psnr", "--attack", "fgsm", "--dry-run", "--out", "runs", cwd=tmp_path)
    assert "35 of     35 pairs to do: psnr demo fgsm up" in result.stdout
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("kind", ["models", "attacks", "defenses", "datasets"])
def test_listings_are_json_objects_with_a_name(kind):
    """What scripts read."""
    records = json.loads(robustiqa(kind, "--json").stdout)
    assert all(record["name"] for record in records)
    assert records


@pytest.mark.parametrize(
    ("command", "lines"),
    [
        (("attacks", "pgd"), ["parameters  steps=10           int", "            alpha=2/255        float", "calls       10 gradients"]),
        (("attacks", "facpa"), ["calls       none"]),
        (("models", "psnr"), ["score range     0.0, 100.0", "lower better    no"]),
        (("models", "birqa"), ["score range     no limit, no limit", "trained on      kadid10k-means, cid22"]),
        (("datasets", "demo"), ["demo (built-in)"]),
    ],
    ids=lambda case: case[1] if isinstance(case, tuple) else None,
)  # fmt: skip
def test_all_that_is_known_of_one_name_is_a_page_for_people(command, lines):
    """Parameters as they are typed, with what they take; no Python syntax, no empty lines of facts."""
    text = robustiqa(*command).stdout
    assert set(lines) <= set(text.splitlines())
    assert not any(sign in text for sign in ("{", "(None", "``", "()"))


def test_a_broken_plugin_is_reported_and_harms_nothing_else(tmp_path):
    """The others are listed; the broken one is named with its distribution and error."""
    info = tmp_path / "broken_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[robustiqa.models]\nbad = no_such_module:Bad\njunk = string:digits\n")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); sys.argv = ['robustiqa', 'models']; {ENTRY}"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "ssim" in result.stdout
    assert "broken-plugin 1.0" in result.stderr
    assert "no_such_module" in result.stderr
    assert "'junk'" in result.stderr
    assert result.returncode == 0


def test_report_writes_one_html_file_and_its_figures(tmp_path):
    """Several formats at once into a folder, one to standard output, and pictures of demo without being told where it is."""
    bench = ["bench", "--model", "psnr", "--attack", "fgsm", "--limit", "3", "--crop", "32", "--out", tmp_path / "run"]
    assert robustiqa(*bench).returncode == 0
    done = robustiqa("report", tmp_path / "run", "--format", "html,svg,csv", "--out", tmp_path / "report")
    assert done.returncode == 0
    files = [str(path.relative_to(tmp_path / "report")) for path in sorted((tmp_path / "report").rglob("*.*"))]
    assert {"report.html", "report.csv", "figures/1-srocc-over-eps.svg"} <= set(files)
    html = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert html.count("data:image/png") == 4 * 3
    bare = robustiqa("report", tmp_path / "run", "--format", "html", "--pictures", "0")
    assert bare.stdout.startswith("<!DOCTYPE html>")
    assert "data:image/png" not in bare.stdout


def test_report_says_where_several_files_go(tmp_path):
    """Figures cannot be printed one after another."""
    done = robustiqa("report", tmp_path, "--format", "svg")
    assert done.returncode == 2
    assert "--out" in done.stderr


def test_a_page_is_not_printed_into_a_terminal(tmp_path):
    """HTML into a pipe is what was asked for; on a screen it is a mistake, and the error says where to put it."""
    _, terminal = pty.openpty()
    command = [sys.executable, "-c", ENTRY, "report", "run", "--format", "html"]
    result = subprocess.run(command, stdout=terminal, stderr=subprocess.PIPE, text=True, cwd=tmp_path, check=False)
    assert (result.returncode, "add --out FOLDER" in result.stderr) == (2, True)
