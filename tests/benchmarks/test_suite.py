"""Suites: what is refused with which line, what the shipped ones hold, and what options replace."""

import tomllib
from pathlib import Path

import pytest

from robustiqa.attacks import ATTACKS
from robustiqa.benchmarks.requests import on_datasets
from robustiqa.benchmarks.suite import Run, load_suite
from robustiqa.core.errors import InvalidInput
from robustiqa.core.parameters import split_named
from robustiqa.datasets import DATASETS
from robustiqa.defenses import DEFENSES

FOLDER = Path(__file__).parents[2] / "benchmarks"
SCRIPTS = {FOLDER / "attack-strength.toml", *FOLDER.glob("training-variations*.toml")}  # read by scripts of their own
SUITES = sorted(set(FOLDER.glob("*.toml")) - SCRIPTS)
TRAINED = {"r", "at", "nt", "aat"}

GOOD = """title = "x"

[[run]]
models = ["psnr"]
datasets = ["demo"]
attacks = ["fgsm"]
"""
BAD = {
    'models = ["pnsr"]': (4, "run 1, models", "pnsr", "psnr"),
    'models = ["psnr",\n  "lpips-alx"]': (4, "run 1, models", "lpips-alx", "lpips-alex"),
    "models = []": (4, "run 1, models", "at least 1"),
    'models = "psnr"': (4, "run 1, models", "list"),
    'datasets = ["kadid"]': (7, "run 1, datasets", "kadid", "kadid10k"),
    'attacks = ["pgd:stps=3"]': (7, "run 1, attacks", "stps", "steps"),
    'defenses = ["jpg"]': (7, "run 1, defenses", "jpg", "jpeg"),
    'eps = ["8"]': (7, "run 1, eps", "'8'", "8/255"),
    "eps = [8]": (7, "run 1, eps", "string", "8"),
    'directions = ["tomen"]': (7, "run 1, directions", "tomen", "tomean", "random"),
    'threat = "adaptve"': (7, "run 1, threat", "adaptve", "adaptive", "oblivious"),
    "limit = 0": (7, "run 1, limit", "0"),
    'limit = "5"': (7, "run 1, limit", "'5'", "integer"),
    "limit = true": (7, "run 1, limit", "True"),
    "seed = -1": (7, "run 1, seed", "-1"),
    "max_seconds = inf": (7, "run 1, max_seconds", "finite"),
    'calibrate = "ssim"': (7, "run 1, calibrate", "ssim=0.95"),
    'calibrate = "ssim=7"': (7, "run 1, calibrate", "1.0"),
    'dirctions = ["up"]': (7, "run 1, dirctions", "directions", "calibrate"),
    '[[run]]\ndatasets = ["demo"]': (7, "run 2, models", "missing"),
    "[extra]": (7, "extra", "save_images"),
}


@pytest.mark.parametrize("line", BAD)
def test_an_error_names_file_line_key_and_what_is_allowed(tmp_path, line):
    """One line, at the place of the fault."""
    file = tmp_path / "suite.toml"
    key = line.split(" ")[0]
    text = "".join(row for row in GOOD.splitlines(keepends=True) if not row.startswith(f"{key} "))
    place, *words = BAD[line]
    if place == 4:
        text = text.replace('datasets', f'{line}\ndatasets', 1)
    else:
        text += "\n" * (place - 1 - text.count("\n")) + line + "\n"
    file.write_text(text)
    with pytest.raises(InvalidInput) as error:
        load_suite(file)
    first = str(error.value).splitlines()[0]
    assert first.startswith(f"{file}:{place}: ")
    for word in words:
        assert word in first


def test_all_faults_are_told_in_the_order_of_their_lines(tmp_path):
    """One line each."""
    file = tmp_path / "suite.toml"
    file.write_text(GOOD.replace("psnr", "x").replace("demo", "y").replace("fgsm", "z"))
    with pytest.raises(InvalidInput) as error:
        load_suite(file)
    assert [line.split(":")[1] for line in str(error.value).splitlines()] == ["4", "5", "6"]


@pytest.mark.parametrize("content", [b"title = ", b"\xff\xfe", b"title = 'x'\ntitle = 'y'", b"run = 3\ntitle = 'x'"])
def test_whatever_is_no_suite_is_refused_with_its_name(tmp_path, content):
    """Broken TOML, another encoding, a double key, a run that is no table."""
    file = tmp_path / "odd.toml"
    file.write_bytes(content)
    with pytest.raises(InvalidInput, match=r"odd\.toml"):
        load_suite(file)
    with pytest.raises(InvalidInput, match=r"absent\.toml"):
        load_suite(tmp_path / "absent.toml")


def test_nothing_in_a_suite_is_run(tmp_path):
    """A model file is named, not executed, until the suite is run; it is a text like any other here."""
    (tmp_path / "evil.py").write_text("raise SystemExit('ran')")
    file = tmp_path / "suite.toml"
    file.write_text(GOOD.replace("psnr", str(tmp_path / "evil.py") + ":Model"))
    assert load_suite(file).run[0].models == [f"{tmp_path / 'evil.py'}:Model"]


@pytest.mark.parametrize("file", SUITES, ids=lambda file: file.stem)
def test_shipped_suites_are_sound(file):
    """Every name and parameter is known. Trained defenses may be a plug-in's, and then the error names just them."""
    named = {name for run in tomllib.loads(file.read_text())["run"] for name in run.get("defenses", [])}
    missing = (named & TRAINED) - set(DEFENSES.names())
    if missing:
        with pytest.raises(InvalidInput) as error:
            load_suite(file)
        assert {line.split("'")[1] for line in str(error.value).splitlines()} == missing
    assert load_suite(file, {"defenses": sorted(named - missing) or ["none"]}).title


def test_there_is_a_suite_for_every_table_that_needs_a_bench():
    """And the three of growing size; the full one holds every attack that needs no training, and every purifier."""
    wanted = {"quick", "standard", "full", "reference", "training-defenses", "figure3", "figure7", *(f"table{i}" for i in range(2, 9))}
    assert {file.stem for file in SUITES} == wanted
    runs = tomllib.loads((FOLDER / "full.toml").read_text())["run"]
    attacks = {split_named(name)[0] for run in runs for name in run["attacks"]}
    assert attacks == set(ATTACKS.builtins) - {"art", "torchattacks", "cw-min", "uap", "facpa"}
    purifiers = {name for run in runs for name in run.get("defenses", ["none"])} - {"none"} - TRAINED
    assert purifiers == set(DEFENSES.builtins) - TRAINED
    assert {name for run in runs for name in run["datasets"]} <= set(DATASETS.builtins)


def run(*datasets):
    return Run(models=["psnr"], datasets=list(datasets))


def test_given_datasets_bring_paths_and_leave_the_others_out():
    """A run keeps those of its own that are given; one without any is left out; where none fits, all are replaced."""
    runs = [run("live", "csiq"), run("bapps"), run("live")]
    chosen = on_datasets(runs, ["live=/a", "tid2013=/b"])
    assert [one.datasets for one in chosen] == [["live=/a"], ["live=/a"]]
    assert [one.datasets for one in on_datasets(runs, ["demo"])] == [["demo"]] * 3
    assert on_datasets([run("pieapp:labels=scores")], ["pieapp:labels=scores=/p"])[0].datasets == ["pieapp:labels=scores=/p"]
    with pytest.raises(InvalidInput, match="twice"):
        on_datasets(runs, ["live=/a", "live=/b"])
