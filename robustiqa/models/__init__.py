"""Full-reference quality models by name: one file per model."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from robustiqa.core.parameters import split_named
from robustiqa.core.registry import Registry

if TYPE_CHECKING:
    from robustiqa.core.model import ModelInfo, QualityModel
    from robustiqa.models.entry import ModelEntry
    from robustiqa.models.trainable import Trainable

MODELS: Final[Registry["ModelEntry[Any] | type[QualityModel]"]] = Registry(
    "model",
    "robustiqa.models",
    {
        "birqa": "robustiqa.models.birqa.entry:BIRQA",
        "dists": "robustiqa.models.dists:DISTS_VGG",
        "e-lpips": "robustiqa.models.e_lpips:E_LPIPS",
        "fsim": "robustiqa.models.piq_metrics:FSIM",
        "gmsd": "robustiqa.models.piq_metrics:GMSD",
        "haarpsi": "robustiqa.models.piq_metrics:HAARPSI",
        "lpips-alex": "robustiqa.models.lpips:ALEX",
        "lpips-squeeze": "robustiqa.models.lpips:SQUEEZE",
        "lpips-vgg": "robustiqa.models.lpips:VGG",
        "mdsi": "robustiqa.models.piq_metrics:MDSI",
        "ms-ssim": "robustiqa.models.piq_metrics:MS_SSIM",
        "psnr": "robustiqa.models.psnr:PSNR",
        "pyiqa": "robustiqa.models.pyiqa_bridge:PYIQA",
        "sr-sim": "robustiqa.models.piq_metrics:SR_SIM",
        "ssim": "robustiqa.models.ssim:SSIM",
        "st-lpips": "robustiqa.models.st_lpips:ST_LPIPS",
        "topiq": "robustiqa.models.topiq.entry:TOPIQ_FR",
        "topiq-squeeze": "robustiqa.models.topiq.squeeze:TOPIQ_SQUEEZE",
        "vif": "robustiqa.models.piq_metrics:VIF",
        "vsi": "robustiqa.models.piq_metrics:VSI",
    },
)
TRAINABLE: Final[Registry["Trainable[Any]"]] = Registry(
    "trainable model",
    "robustiqa.trainable",
    {
        "birqa": "robustiqa.models.birqa.entry:TRAINABLE",
        "lpips-alex": "robustiqa.models.lpips:TRAINABLE",
        "topiq-squeeze": "robustiqa.models.topiq.squeeze:TRAINABLE",
    },
)


def load_model(text: str, weights: str | Path | None = None, **parameters: float | str) -> "QualityModel":
    """The model spelled ``name`` or ``name:parameter=value,...``, frozen and in evaluation mode.

    Args:
        text: such as ``lpips-alex``, ``birqa:lbp=hard`` or ``lpips-alex:weights=/my/folder``; or
            ``path/to/file.py:Class``, which runs that file.
        weights: a file or folder instead of the usual places; ``"random"`` for an untrained network, the same
            one each time, which carries the flag ``random-weights``.
        parameters: the same by keyword, as in ``load_model("birqa", lbp="hard")``; they win over ``text``.

    Raises:
        UnknownName: no such model or parameter (with the nearest name).
        MissingWeights: weights were found nowhere (with every way to get them).
        BrokenPlugin: the plug-in that brings the model cannot be imported, or is not a model.
    """
    from robustiqa.models.entry import as_entry  # noqa: PLC0415 (imports torch; listing names must not)
    from robustiqa.models.from_file import is_file, load_from_file  # noqa: PLC0415 (as above)

    if is_file(text):
        return load_from_file(text, weights)
    name, spelled = split_named(text)
    spelled_weights = spelled.pop("weights", None)
    return as_entry(name, MODELS.get(name)).build({**spelled, **parameters}, weights or spelled_weights)


def model_info(text: str) -> "ModelInfo":
    """What is known of a model (``name`` or ``name:parameter=value,...``) without loading its weights.

    Raises:
        UnknownName: no such model (with the nearest name).
        BrokenPlugin: the plug-in that brings the model cannot be imported, or is not a model.
    """
    from robustiqa.models.entry import as_entry  # noqa: PLC0415 (as above)

    name, _ = split_named(text)
    return as_entry(name, MODELS.get(name)).info
