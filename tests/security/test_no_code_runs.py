"""Files of strangers run no code: each would leave a marker if it did."""

import io
import json
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

import robustiqa as rq
from robustiqa.attacks.learned import write_learned
from robustiqa.benchmarks.folder.store import Store
from robustiqa.benchmarks.suite import load_suite
from robustiqa.core.errors import InvalidInput
from robustiqa.core.images import read_rgb
from robustiqa.models.weights import read_tensors
from robustiqa.training.perturbations import Recipe, learn
from tests.command import robustiqa
from tests.datasets.trees import bapps
from tests.toys import Wavy, memory


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


@pytest.fixture
def marker(tmp_path):
    """Where a trap leaves its mark; the test fails if it did."""
    path = tmp_path / "owned"
    yield path
    assert not path.exists(), "code of the file was run"


def pickled(trap):
    return pickle.dumps({"weight": trap}, protocol=2)


def torch_zip(trap):
    buffer = io.BytesIO()
    torch.save({"weight": trap}, buffer)
    return buffer.getvalue()


def torch_zip_forged(trap):
    """An archive of torch whose pickle was replaced."""
    buffer = io.BytesIO()
    torch.save({"weight": torch.zeros(3)}, buffer)
    old, new = zipfile.ZipFile(buffer), io.BytesIO()
    with zipfile.ZipFile(new, "w") as file:
        for name in old.namelist():
            file.writestr(name, pickled(trap) if name.endswith("data.pkl") else old.read(name))
    return new.getvalue()


def npy(trap):
    buffer = io.BytesIO()
    np.save(buffer, np.array([trap], dtype=object), allow_pickle=True)
    return buffer.getvalue()


def npz(trap):
    buffer = io.BytesIO()
    np.savez(buffer, weight=np.array([trap], dtype=object))
    return buffer.getvalue()


MAKERS = (pickled, torch_zip, torch_zip_forged, npy, npz)


def test_the_traps_are_traps(tmp_path):
    """Read without care each of them does leave its mark."""
    readers = {npy: lambda data: np.load(data, allow_pickle=True), npz: lambda data: np.load(data, allow_pickle=True)["weight"],
               pickled: pickle.load}  # fmt: skip
    for number, make in enumerate(MAKERS):
        marker = tmp_path / str(number)
        content = io.BytesIO(make(Trap(marker)))
        readers.get(make, lambda data: torch.load(data, weights_only=False))(content)
        assert marker.is_dir(), make.__name__


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".safetensors", ".npz", ".npy", ".bin", ""])
@pytest.mark.parametrize("make", MAKERS)
def test_weights(tmp_path, marker, make, suffix):
    """Whatever the name says the file is."""
    path = tmp_path / f"weights{suffix}"
    path.write_bytes(make(Trap(marker)))
    with pytest.raises(InvalidInput, match="cannot be read safely|no weights file"):
        read_tensors(path)
    with pytest.raises(InvalidInput):
        rq.load_model("birqa", weights=path)


@pytest.mark.parametrize("make", MAKERS)
def test_a_checkpoint_to_resume(tmp_path, marker, make):
    """Training continues from a file that somebody else may have put there."""
    from robustiqa.training.checkpoint import State

    path = tmp_path / "run.pt"
    path.write_bytes(make(Trap(marker)))
    with pytest.raises((pickle.UnpicklingError, ValueError, RuntimeError)):
        State.resume(object.__new__(State), path)


@pytest.mark.parametrize("make", [npy, npz, pickled])
def test_a_dataset(tmp_path, marker, make):
    """BAPPS' judgements are NumPy's files, which may hold pickles."""
    root = bapps(tmp_path, [0.5, 1.0])
    (root / "2afc" / "val" / "cnn" / "judge" / "000000.npy").write_bytes(make(Trap(marker)))
    with pytest.raises(InvalidInput):
        rq.load_dataset("bapps", root)


@pytest.mark.parametrize("make", MAKERS)
def test_results_suites_and_images(tmp_path, marker, make):
    """Cells, journals, shards, suites and pictures are data: other bytes are named and refused."""
    content = make(Trap(marker))
    (tmp_path / "cells").mkdir()
    (tmp_path / "cells" / "a.json").write_bytes(content)
    with pytest.raises(InvalidInput, match="not a cell"):
        Store(tmp_path).cells()
    (tmp_path / "cells" / "a.json").rename(tmp_path / "cells" / "a.jsonl")
    assert Store(tmp_path).cells() == []
    for name, read in (("s.toml", load_suite), ("i.png", read_rgb)):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InvalidInput):
            read(tmp_path / name)
    done = robustiqa("merge", tmp_path, "--out", tmp_path / "out")
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)


@pytest.mark.parametrize("make", MAKERS)
def test_what_an_attack_learned(tmp_path, marker, make):
    """A learned file is safetensors with its sha256 beside it, also where that was forged to match."""
    import hashlib

    path = tmp_path / "uap.safetensors"
    record = learn("uap", Wavy(), 1, memory(4), Recipe(steps=1, crop=16), path, lambda *_: None)
    assert record
    facts = json.loads(path.with_suffix(".json").read_text())
    content = make(Trap(marker))
    path.write_bytes(content)
    path.with_suffix(".json").write_text(json.dumps({**facts, "sha256": hashlib.sha256(content).hexdigest()}))
    with pytest.raises(InvalidInput):
        rq.load_attack(f"uap:weights={path}").learned(Wavy(), 1)
    assert write_learned.__module__ == "robustiqa.attacks.learned"


def test_names_in_results_run_no_file(tmp_path, marker, monkeypatch):
    """A report shows what a cell says; it does not load the model file that the cell names."""
    monkeypatch.setattr("robustiqa.benchmarks.plan.CALIBRATION_PAIRS", 7)
    evil = tmp_path / "evil.py"
    evil.write_text(f"import os; os.mkdir({str(marker)!r})")
    rq.bench(["psnr"], ["fgsm"], "demo", directions=["up"], limit=2, crop=24, judges=[], out=tmp_path / "run")
    for path in (tmp_path / "run" / "cells").glob("*.json"):
        path.write_text(path.read_text().replace('"name": "psnr"', f'"name": "{evil}:M"').replace('"name":"psnr"', f'"name":"{evil}:M"'))
    assert str(evil) in next((tmp_path / "run" / "cells").glob("*.json")).read_text()
    for form in ("md", "html"):
        assert robustiqa("report", tmp_path / "run", "--format", form).returncode == 0
    assert Path(evil).exists()
