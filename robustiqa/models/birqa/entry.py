"""BiRQA by name: the checkpoint that comes with the package, or the user's."""

from dataclasses import replace
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

from robustiqa.core.errors import InvalidInput, MissingWeights
from robustiqa.core.model import ModelInfo
from robustiqa.models.birqa.model import BiRQANetwork, Settings
from robustiqa.models.entry import ModelEntry
from robustiqa.models.trainable import Trainable
from robustiqa.models.weights import RANDOM, WeightFile, Weights, read_tensors

SHIPPED: Final = "birqa.safetensors"
SHA256: Final = "3f2b384da1ddb07595d9cd96673bdd846d0760707f077e3153c98dd4755121aa"


def load(settings: Settings, weights: Weights, info: ModelInfo) -> BiRQANetwork:
    """BiRQA with the shipped checkpoint, with a file of ``robustiqa train``, or with random weights.

    Raises:
        MissingWeights: another architecture than the shipped one, and no weights given.
        InvalidInput: the file does not fit the architecture.
    """
    model = BiRQANetwork(settings, info)
    if weights == RANDOM:
        return model
    if weights is None and replace(settings, lbp="smooth") != Settings():
        raise MissingWeights(
            f"the shipped birqa fits the default architecture only, not {settings}; train one with: "
            "robustiqa train --model birqa:... and give it as weights, or ask for weights=random."
        )
    path = files("robustiqa.models.birqa").joinpath(SHIPPED) if weights is None else Path(weights)
    with as_file(path) as file:
        _fill(model, file)
    return model


def _fill(model: BiRQANetwork, file: Path) -> None:
    if not file.is_file():
        raise MissingWeights(f"{file} is not a file; birqa's weights are one file, as robustiqa train writes it.")
    try:
        model.load_state_dict(read_tensors(file))
    except RuntimeError as error:
        first = str(error).splitlines()[-1].strip()
        raise InvalidInput(f"{file} does not fit {model.settings}: {first}") from error


BIRQA: Final = ModelEntry(
    ModelInfo(
        "birqa",
        lower_better=False,
        paper="BiRQA: Bidirectional Robust Quality Assessment for Images",
        min_size=32,
        weights=((SHIPPED, SHA256),),
        trained_on=("kadid10k-means", "cid22"),
    ),
    Settings,
    load,
    (WeightFile(SHIPPED, SHIPPED, "robustiqa train", name_sha256=SHA256, package="robustiqa.models.birqa"),),
)
TRAINABLE: Final = Trainable(BIRQA, BiRQANetwork, lambda model: model.state_dict())
