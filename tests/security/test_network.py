"""No network unless weights with a known sha256 are asked for; nothing at import."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import robustiqa as rq
from robustiqa.benchmarks import plan as planning
from robustiqa.core.errors import MissingWeights
from robustiqa.models import MODELS
from robustiqa.models.entry import as_entry
from robustiqa.models.weights import _download
from tests.command import robustiqa


@pytest.fixture
def few_calibrate(monkeypatch):
    """Calibrate on a few photographs."""
    monkeypatch.setattr(planning, "CALIBRATION_PAIRS", 7)


IMPORT_ALL = """
import importlib, pkgutil, socket
def refuse(*_arguments, **_keywords):
    raise SystemExit("the network was asked for at import")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = socket.create_connection = refuse
import robustiqa
for module in pkgutil.walk_packages(robustiqa.__path__, "robustiqa."):
    try:
        importlib.import_module(module.name)
    except ModuleNotFoundError as error:
        if error.name != "ray":  # an extra that takes long to install
            raise
print("imported")
"""


def test_importing_every_module_asks_for_no_network():
    """Models, attacks, engines, commands and all."""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", IMPORT_ALL], cwd=root, capture_output=True, text=True, check=False,
                          env=os.environ | {"PYTHONPATH": str(root)})  # fmt: skip
    assert (done.returncode, done.stdout.strip()) == (0, "imported"), done.stderr


@pytest.mark.usefixtures("socket_disabled", "few_calibrate")
def test_a_bench_its_reports_and_the_doctor_ask_for_no_network(tmp_path):
    """From images to the HTML page, with a model whose weights ship."""
    out = tmp_path / "run"
    done = robustiqa("bench", "--model", "birqa", "--defense", "none", "--attack", "fgsm", "--limit", "2", "--crop", "32", "--direction", "up",
                     "--threads", "1", "--out", out)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert robustiqa("report", out, "--format", "html", "--pictures", "1", "--out", tmp_path / "report").returncode == 0
    assert robustiqa("doctor").returncode == 0
    assert robustiqa("models").returncode == 0


@pytest.mark.usefixtures("socket_disabled")
def test_weights_without_a_known_sha256_are_never_downloaded(tmp_path, monkeypatch):
    """An address alone is not enough: the error says to fetch it oneself."""
    monkeypatch.setenv("ROBUSTIQA_WEIGHTS", str(tmp_path))
    files = {file for name in MODELS.builtins for file in as_entry(name, MODELS.get(name)).files}
    unverified = [file for file in files if not (file.url and file.sha256)]
    assert unverified
    for file in unverified:
        with pytest.raises(MissingWeights, match="Ways to get them"):
            _download(file)
    with pytest.raises(MissingWeights, match="fetch it yourself"):
        rq.load_model("topiq")
