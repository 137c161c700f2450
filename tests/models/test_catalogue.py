"""Models by name: the table, plug-ins good and broken, and what is known without loading."""

import subprocess
import sys
import textwrap

import pooch
import pytest
import torch

from robustiqa.core.errors import BrokenPlugin, InvalidInput, UnknownName
from robustiqa.core.model import ModelInfo, QualityModel
from robustiqa.models import MODELS, load_model, model_info

CLASSICAL = ("fsim", "gmsd", "haarpsi", "mdsi", "psnr", "sr-sim", "ssim", "vif", "vsi")
BUILT_IN = (
    "birqa", "dists", "e-lpips", "lpips-alex", "lpips-squeeze", "lpips-vgg", "ms-ssim", "st-lpips", "topiq", "topiq-squeeze",
    *CLASSICAL,
)  # fmt: skip
DISTANCES = {"dists", "e-lpips", "gmsd", "mdsi", "st-lpips", "lpips-alex", "lpips-squeeze", "lpips-vgg"}

PLUGIN = '''
    from dataclasses import dataclass
    import torch
    from robustiqa.core.model import ModelInfo, QualityModel
    from robustiqa.models.entry import ModelEntry

    class MAE(QualityModel):
        """Mean absolute error."""
        info = ModelInfo("mae", lower_better=True, paper="none")
        def compare(self, reference, dist):
            return (reference.image - dist).abs().mean((1, 2, 3))

    @dataclass(frozen=True)
    class Power:
        p: float = 2.0

    class Minkowski(QualityModel):
        def __init__(self, settings, info):
            super().__init__()
            self.p, self.info = settings.p, info
            self.unused = torch.nn.Linear(2, 2)
        def compare(self, reference, dist):
            return ((reference.image - dist).abs() ** self.p).mean((1, 2, 3)) ** (1 / self.p)

    MINKOWSKI = ModelEntry(
        ModelInfo("minkowski", lower_better=True, paper="none"), Power, lambda s, w, info: Minkowski(s, info)
    )
    JUNK = 42
'''
ENTRY_POINTS = """
    [robustiqa.models]
    mae = toymodels:MAE
    minkowski = toymodels:MINKOWSKI
    junk = toymodels:JUNK
    absent = toymodels:NOT_THERE
    crash = toymodels_crash:Model
    psnr = toymodels_crash:Model
"""


@pytest.fixture
def plugins(tmp_path, monkeypatch):
    """An installed distribution that brings good and broken models."""
    info = tmp_path / "toymodels-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toymodels\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(textwrap.dedent(ENTRY_POINTS))
    (tmp_path / "toymodels.py").write_text(textwrap.dedent(PLUGIN))
    (tmp_path / "toymodels_crash.py").write_text("raise RuntimeError('boom at import')")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("toymodels", None)


def test_a_plug_in_is_listed_in_its_own_words(plugins):
    """The first line of its docstring, before direction and paper; one without has no other's."""
    from robustiqa.cli.catalogue import describe

    assert describe("models", MODELS, "mae")["summary"] == "Mean absolute error; lower is better; none"
    assert describe("models", MODELS, "minkowski")["summary"] == "lower is better; none"
    assert describe("models", MODELS, "ssim")["summary"].startswith("higher is better")


def test_listing_names_imports_no_torch():
    """The names are known in an interpreter that never imported torch."""
    code = "import sys; from robustiqa.models import MODELS; print(*MODELS.names()); assert 'torch' not in sys.modules"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert set(BUILT_IN) <= set(run.stdout.split())


@pytest.mark.parametrize("name", BUILT_IN)
def test_info_is_readable_without_weights(name, tmp_path, monkeypatch):
    """Facts need no file: nothing is searched, read or downloaded."""
    monkeypatch.setenv("ROBUSTIQA_WEIGHTS", str(tmp_path / "missing"))
    monkeypatch.setattr(pooch, "retrieve", lambda *_a, **_k: pytest.fail("downloaded"))
    info = model_info(name)
    assert isinstance(info, ModelInfo)
    assert info.name == name
    assert info.lower_better == (name in DISTANCES)
    assert info.orientation == (-1 if name in DISTANCES else 1)
    assert info.paper
    assert info.licence
    assert info.flags == ()
    assert all(len(digest) in {0, 64} for _, digest in info.weights)


@pytest.mark.parametrize("name", sorted(set(BUILT_IN) - {"birqa", "ms-ssim", "topiq", "topiq-squeeze"}))
def test_quality_falls_as_noise_grows(name, loaded, golden):
    """With the declared direction, more noise is worse for every model."""
    model = load_model(name) if name in CLASSICAL else loaded(name)
    ref = golden("psnr_rgb")[0].ref
    noise = torch.randn(ref.shape, generator=torch.Generator().manual_seed(0))
    levels = torch.cat([(ref + s * noise).clamp(0, 1) for s in (0.0, 0.02, 0.1)])
    quality = model.info.orientation * model(ref.repeat(3, 1, 1, 1), levels)
    assert quality[0] > quality[1] > quality[2]


@pytest.mark.parametrize("name", ["psnr", "ssim", "lpips-squeeze", "dists"])
def test_loaded_models_are_frozen(name):
    """Evaluation mode, and no parameter collects gradients."""
    model = load_model(name) if name in {"psnr", "ssim"} else load_model(name, weights="random")
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())


def test_unknown_names_offer_the_nearest():
    """A typing error is answered with the model that was meant, and the known ones."""
    for look_up in (load_model, model_info):
        with pytest.raises(UnknownName, match=r"'lpips-alx'.*Did you mean 'lpips-alex'\?.*psnr"):
            look_up("lpips-alx")


def test_unknown_parameters_and_needless_weights_are_refused():
    """A parameter or weights that a model has not got are named, not swallowed."""
    with pytest.raises(UnknownName, match="'window'"):
        load_model("ssim:window=7")
    with pytest.raises(UnknownName, match="'lbp'"):
        load_model("lpips-squeeze", weights="random", lbp="hard")
    with pytest.raises(InvalidInput, match="takes none"):
        load_model("psnr", weights="random")


def test_weights_can_be_spelled_in_the_name():
    """``name:weights=random`` serves commands that have no option for it; the keyword wins."""
    assert "random-weights" in load_model("lpips-squeeze:weights=random").info.flags
    assert "random-weights" in load_model("lpips-squeeze:weights=/nowhere", weights="random").info.flags


@pytest.mark.usefixtures("plugins")
def test_plugins_are_models_like_the_built_in_ones():
    """A bare class and an entry with parameters load by name, frozen, with their info."""
    ref, dist = torch.zeros(2, 3, 4, 4), torch.full((2, 3, 4, 4), 0.5)
    mae = load_model("mae")
    assert isinstance(mae, QualityModel)
    assert mae(ref, dist).tolist() == [0.5, 0.5]
    assert MODELS.origin("mae") == "toymodels 1.2"
    cubic = load_model("minkowski:p=3")
    assert cubic.p == 3.0
    assert load_model("minkowski", p=4.0).p == 4.0
    assert not any(parameter.requires_grad for parameter in cubic.parameters())
    assert model_info("minkowski").lower_better


@pytest.mark.usefixtures("plugins")
def test_broken_plugins_harm_nothing_else():
    """A crash at import, a missing attribute and a non-model fail by name alone; built-ins win over namesakes."""
    for name, cause in (("crash", "boom at import"), ("absent", "NOT_THERE"), ("junk", "42")):
        for look_up in (load_model, model_info):
            with pytest.raises(BrokenPlugin, match=cause) as failure:
                look_up(name)
            assert name in str(failure.value)
    assert load_model("psnr").info.name == "psnr"
    assert load_model("mae").info.name == "mae"
    assert {"crash", "mae", "psnr"} <= set(MODELS.names())
