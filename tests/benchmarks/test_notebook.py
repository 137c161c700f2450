"""``rq.bench`` as one would use it in a notebook: instances, classes typed into a cell, and the command line's cells."""

import importlib
import sys
import types

import numpy as np
import pytest
from PIL import Image

import robustiqa as rq
from robustiqa.benchmarks.provenance import code_digest
from robustiqa.core.errors import InvalidInput
from robustiqa.core.model import ModelInfo, QualityModel
from tests.benchmarks.test_running import rows_of
from tests.command import robustiqa
from tests.toys import memory

pytestmark = pytest.mark.usefixtures("toy_calibration")

TYPED = """
import robustiqa as rq

class Mine(rq.QualityModel):
    info = rq.ModelInfo("mine", lower_better=True, paper="")
    @staticmethod
    def scale(x, factor=FACTOR):
        return factor * x
    def compare(self, reference, dist):
        return self.scale(dist - reference.image).abs().flatten(1).mean(1)
"""


def typed(monkeypatch, factor, first_line=0):
    """An instance of a class as a notebook's cell makes it: of a module without a file."""
    monkeypatch.setitem(sys.modules, "__main__", types.ModuleType("__main__"))
    cell = {"__name__": "__main__"}
    exec(compile("\n" * first_line + TYPED.replace("FACTOR", str(factor)), f"<cell {first_line}>", "exec"), cell)
    return cell["Mine"]()


def test_a_class_typed_into_a_notebook_is_known_by_what_it_does(monkeypatch, tmp_path):
    """The same text in another cell is the same model; an edited one is another, which joins its folder only beside it."""
    first, again, edited = (typed(monkeypatch, *how) for how in ((1, 0), (1, 7), (2, 0)))
    assert code_digest(first) == code_digest(again) != code_digest(edited)
    assert code_digest(first).startswith("typed:")
    asked = {"attacks": ["fgsm"], "dataset": memory(3), "directions": ["up"], "judges": (), "out": tmp_path}
    for model in (first, again):
        rq.bench([model], **asked)
    with pytest.raises(InvalidInput, match="code of the model's plug-in"):
        rq.bench([edited], **asked)
    rq.bench([first, edited], **asked)
    cells = [cell for cell in rq.load_results(tmp_path).cells if cell.spec.purpose == "attack"]
    assert len(cells) == 2
    assert all("plug-in" in row.flags for row in rq.load_results(tmp_path).rows(["up"]))


def test_a_helper_in_the_package_of_a_plugin_counts_as_its_code(monkeypatch, tmp_path):
    """Changed, added or renamed; what lies beside the package does not count."""
    package = tmp_path / "mine_package"
    (package / "deep").mkdir(parents=True)
    files = {"__init__.py": "", "model.py": "class Mine:\n    pass\n", "deep/helper.py": "FACTOR = 1\n", "../other.py": ""}
    for name, text in files.items():
        (package / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    mine = importlib.import_module("mine_package.model").Mine()
    digests = [code_digest(mine)]
    (package / "../other.py").write_text("changed = True\n")
    assert code_digest(mine) == digests[0]
    (package / "deep/helper.py").write_text("FACTOR = 2\n")
    digests.append(code_digest(mine))
    (package / "deep/helper.py").rename(package / "deep/renamed.py")
    digests.append(code_digest(mine))
    (package / "added.py").write_text("")
    digests.append(code_digest(mine))
    assert len(set(digests)) == 4


class Adjustable(QualityModel):
    """Its setting is neither a weight nor in its name."""

    info = ModelInfo("adjustable", lower_better=True, paper="toy")

    def __init__(self, power):
        super().__init__()
        self.power = power

    def compare(self, reference, dist):
        return ((dist - reference.image).abs() ** self.power).flatten(1).mean(1)


def test_instances_that_a_cell_could_not_tell_apart_are_refused(tmp_path):
    """One would get the other's numbers; the same one twice is no harm."""
    with pytest.raises(InvalidInput, match="'adjustable'.*name of its own"):
        rq.bench([Adjustable(1), Adjustable(2)], ["fgsm"], memory(2), judges=(), out=tmp_path)
    assert rq.bench([Adjustable(1), Adjustable(1)], ["fgsm"], memory(2), judges=(), out=tmp_path).failures == ()


def test_the_command_line_and_the_notebook_make_the_same_cells(tmp_path):
    """Names there, instances here, a defense and an ε as text: keys and rows are equal, and neither computes twice."""
    rng = np.random.default_rng(0)
    lines = ["reference,distorted,mos"]
    for name in ("a", "b", "c"):
        for kind in ("ref", "dist"):
            Image.fromarray(rng.integers(0, 256, (30, 30, 3), dtype=np.uint8)).save(tmp_path / f"{name}-{kind}.png")
        lines.append(f"{name}-ref.png,{name}-dist.png,{len(lines)}")
    (tmp_path / "table.csv").write_text("\n".join(lines))
    shell = robustiqa(
        "bench", "--model", "gmsd", "--defense", "none", "--defense", "bit-depth:bits=5", "--attack", "bim:steps=2",
        "--dataset", f"csv={tmp_path}", "--eps", "4/255", "--judges", "psnr", "--save-images", "--out", tmp_path / "shell",
    )  # fmt: skip
    assert shell.returncode == 0, shell.stderr
    asked = {"eps": ["4/255"], "judges": ["psnr"], "save_images": True}
    named = ("gmsd", "bim:steps=2", f"csv={tmp_path}", ["none", "bit-depth:bits=5"])
    made = (
        rq.load_model("gmsd"), rq.load_attack("bim", steps=2), rq.load_dataset("csv", tmp_path),
        [None, rq.load_defense("bit-depth", bits=5)],
    )  # fmt: skip
    for folder, (model, attack, data, defenses) in (("named", named), ("made", made)):
        rq.bench([model], [attack], data, defenses, out=tmp_path / folder, **asked)
        assert rows_of(tmp_path / folder) == rows_of(tmp_path / "shell")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "shell" / "cells").iterdir()}
    model, attack, data, defenses = made
    rq.bench([model], [attack], data, defenses, out=tmp_path / "shell", **asked)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "shell" / "cells").iterdir()} == before


def test_without_attacks_clean_scores_alone_are_computed(tmp_path):
    """Of whole images, with and without a defense."""
    rq.bench(["psnr"], (), memory(3), [None, rq.load_defense("bit-depth")], out=tmp_path)
    cells = rq.load_results(tmp_path).cells
    assert {(cell.spec.purpose, cell.spec.subject) for cell in cells} == {("clean", "psnr"), ("clean", "psnr + bit-depth")}
    assert all(len(cell.samples) == 3 for cell in cells)
