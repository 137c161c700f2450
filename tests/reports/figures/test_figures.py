"""The paper's figures as layouts: what each shows, the same bytes again, and what is missing named."""

import json
import xml.etree.ElementTree as ET

import pytest

from robustiqa.core.errors import InvalidInput, UnknownName
from robustiqa.reports.figures import FIGURES, make_figures
from robustiqa.reports.lab import pareto_figure, read_trials
from robustiqa.reports.layouts.run import Run
from robustiqa.training.log import CsvLog
from robustiqa.training.trial import Timing, Trial
from tests.command import robustiqa
from tests.reports.runs import Made, model


def _speed(folder, plcc):
    correlations = {"n": 9, "plcc": plcc, "plcc_lo": plcc and 0.7, "plcc_hi": plcc and 0.95}
    models = [{"model": name, "forward_s": s, "flags": flags, **correlations} for name, s, flags in [("birqa", 0.5, []), ("topiq:$x^{", 2, ["random-weights"])]]
    (folder / "speed.json").write_text(json.dumps({"size": "64x48", "device": "cpu", "dataset": "pdap-hdds", "models": models}))


def _search(folder):
    for i, (features, srocc) in enumerate([(("ssim",), 0.8), (("lbp",), 0.7), (("ssim", "lbp"), 0.9)]):
        timings = {"64x48": Timing(forward=0.1 + i / 10, yardstick=0.2, runs=1)}
        trial = Trial(model="birqa", features=features, parameters=1, steps=1, references=1, srocc=srocc, plcc=0.5, within_type=0.5, timings=timings)
        (folder / f"birqa_{i}.json").write_text(trial.model_dump_json())


def test_the_front_of_figure_5_falls_with_speed(tmp_path):
    """Points stand where the ratio to the shipped architecture puts them, whatever the machine did meanwhile."""
    _search(tmp_path)
    trials = read_trials([tmp_path], "search-features")
    slow = trials[0].model_copy(update={"timings": {"64x48": Timing(forward=1.0, yardstick=2.0, runs=1)}})  # 10 times as busy
    places = [[tuple(map(tuple, c.get_offsets())) for c in pareto_figure(some, "64x48").axes[0].collections] for some in (trials, [slow, *trials[1:]])]
    assert places[0] == places[1]
    line = pareto_figure(trials, "64x48").axes[0].lines[0]
    assert (list(line.get_xdata()), list(line.get_ydata())) == (sorted(line.get_xdata()), sorted(line.get_ydata(), reverse=True))


def _training(folder):
    anchored, clean = CsvLog(folder / "birqa-aat.csv"), CsvLog(folder / "clean.csv")
    for step in range(1, 6):
        anchored(step, {"loss": 0.2, "anchored_loss": 0.1 / step, "anchored_average": 0.1, "max_error": 1.0, "bound_paper": 2.0, "bound_corrected": 3.0})
        clean(step, {"loss": 0.2})
    (folder / "other.csv").write_bytes(b"a,b\n1,\xff\n")


def _cells(folder):
    for eps in (2 / 255, 8 / 255):
        Made(folder).add(model("birqa"), attacks=["fgsm"], move=4 * eps, eps=(eps,))


MADE = {
    "figure3": (lambda folder: _speed(folder, 0.9), {"figure3.svg"}, ["birqa", "topiq:$x^{ *", "PLCC, 9 pairs of pdap-hdds", "64x48 on cpu"]),
    "figure5": (_search, {"figure5-64x48.svg"}, ["Pareto front", "ssim+lbp", "1 feature", "2 features"]),
    "figure6": (_training, {"figure6-birqa-aat.svg"}, ["bound of Theorem 1 as printed", "bound, corrected", "observed", "moving average of 20"]),
    "figure7": (_cells, {"figure7.svg"}, ["fgsm", "birqa", "SROCC"]),
}  # fmt: skip


@pytest.mark.parametrize("name", FIGURES)
def test_each_figure_is_drawn_of_what_its_command_leaves(name, tmp_path):
    """The files by name, their words as text, well-formed, and the same bytes a second time."""
    make, files, words = MADE[name]
    make(tmp_path)
    drawn = make_figures(name, Run((tmp_path,)))
    assert set(drawn) == files
    for text in drawn.values():
        written = "".join(ET.fromstring(text).itertext())
        assert [word for word in words if word not in written] == []
    assert drawn == make_figures(name, Run((tmp_path,)))


@pytest.mark.parametrize(("name", "command"), [("figure3", "robustiqa speed"), ("figure5", "robustiqa search-features"), ("figure6", "robustiqa train")])
def test_a_folder_without_it_is_told_the_command(name, command, tmp_path):
    """Nothing to draw: which command makes it."""
    with pytest.raises(InvalidInput, match=command):
        make_figures(name, Run((tmp_path,)))


def test_trials_without_a_common_size_and_speeds_without_quality_are_refused(tmp_path):
    """Points that do not belong on one axis are not drawn."""
    _speed(tmp_path, None)
    with pytest.raises(InvalidInput, match="no model has a defined PLCC on pdap-hdds"):
        make_figures("figure3", Run((tmp_path,)))
    for text in ("", "[]", '{"models": [{}]}', (tmp_path / "speed.json").read_text().replace("0.5", "0.0")):
        (tmp_path / "speed.json").write_text(text)
        with pytest.raises(InvalidInput, match=r"speed\.json is not what robustiqa speed"):
            make_figures("figure3", Run((tmp_path,)))
    _search(tmp_path)
    path = tmp_path / "birqa_0.json"
    path.write_text(path.read_text().replace("64x48", "32x32"))
    with pytest.raises(InvalidInput, match="no common image size"):
        make_figures("figure5", Run((tmp_path,)))
    with pytest.raises(UnknownName, match="figure4"):
        make_figures("figure4", Run((tmp_path,)))


def test_trainings_of_the_same_name_in_two_folders_are_both_drawn(tmp_path):
    """Seeds are often kept in folders of their own."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        _training(tmp_path / name)
    drawn = make_figures("figure6", Run((tmp_path / "a", tmp_path / "b")))
    assert set(drawn) == {"figure6-birqa-aat-1.svg", "figure6-birqa-aat-2.svg"}


def test_the_command_writes_figures_beside_tables(tmp_path):
    """--figure and --table in one go; a picture needs a folder."""
    _cells(tmp_path)
    result = robustiqa("report", tmp_path, "--figure", "figure7", "--table", "table3", "--out", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["figure7.svg", "table3.md"]
    refused = robustiqa("report", tmp_path, "--figure", "figure7")
    assert (refused.returncode, "add --out" in refused.stderr) == (2, True)
    wrong = robustiqa("report", tmp_path, "--figure", "figure7", "--format", "html", "--out", tmp_path / "wrong")
    assert (wrong.returncode, "drawn as SVG" in wrong.stderr, (tmp_path / "wrong").exists()) == (2, True, False)
