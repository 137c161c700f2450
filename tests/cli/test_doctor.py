"""``robustiqa doctor``: what is there, what is missing, what is broken, and the fix of each."""

import json
from importlib.metadata import EntryPoint
from unittest import mock

from robustiqa.models import MODELS
from tests.command import robustiqa


def findings(*arguments):
    done = robustiqa("doctor", "--json", *arguments)
    return done.returncode, {(one["kind"], one["name"]): one for one in json.loads(done.stdout)}


def test_a_sound_installation_is_ok_and_missing_weights_say_how_to_get_them(tmp_path, monkeypatch):
    """Missing weights are no fault; those that ship are found and have their sha256."""
    monkeypatch.setenv("ROBUSTIQA_WEIGHTS", str(tmp_path))
    monkeypatch.setattr("robustiqa.models.defended.PACKAGES", {})
    (tmp_path / "topiq_fr_kadid.safetensors").write_bytes(b"own")
    code, found = findings()
    assert code == 0
    assert "(the published file)" in found["weights", "birqa"]["detail"]
    topiq = found["weights", "topiq"]
    assert (topiq["state"], str(tmp_path) in topiq["detail"]) == ("ok", True)
    aat = found["weights", "birqa, defense aat"]
    assert (aat["state"], "robustiqa train --model birqa --recipe aat" in aat["fix"]) == ("missing", True)
    assert found["weights", "e-lpips"]["state"] == "missing"
    assert found["environment", "torch"]["state"] == "ok"
    assert found["dataset", "demo"]["state"] == "ok"
    text = robustiqa("doctor").stdout
    assert "missing weights" in text


def test_what_is_broken_is_named_with_its_fix(tmp_path, monkeypatch):
    """A plug-in that cannot be imported, a folder that is no dataset, weights that are nowhere: exit code 1."""
    monkeypatch.setenv("ROBUSTIQA_WEIGHTS", str(tmp_path / "nowhere"))
    points = {MODELS.group: [EntryPoint("gone", f"{__name__}_gone:X", MODELS.group), EntryPoint("odd", "json:dumps", MODELS.group)]}
    with mock.patch("robustiqa.core.registry.entry_points", lambda group: points.get(group, [])):
        code, found = findings("--dataset", f"live={tmp_path}")
    assert code == 1
    assert found["weights", "$ROBUSTIQA_WEIGHTS"]["fix"] == "correct or unset it"
    assert "ModuleNotFoundError" in found["plug-in", "model gone"]["detail"]
    assert "wanted a ModelEntry" in found["plug-in", "model odd"]["detail"]
    live = found["dataset", f"live={tmp_path}"]
    assert (live["state"], "datasets check" in live["fix"]) == ("broken", True)
