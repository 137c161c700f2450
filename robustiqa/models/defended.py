"""Checkpoints of training defenses: where each is looked for, and the sha256 of those that ship with the package.

A checkpoint of ``robustiqa train --recipe RECIPE --model MODEL`` goes by the name MODEL-RECIPE.safetensors: in the
package of its model, in ``$ROBUSTIQA_WEIGHTS``, in the cache. To ship one, put it there and its sha256 here.
"""

from pathlib import Path
from typing import Final

from robustiqa.core.cache import cache_folder
from robustiqa.core.errors import MissingWeights
from robustiqa.models.weights import VARIABLE, WeightFile, found

RECIPES: Final = ("r", "at", "nt", "aat")
SHA256: Final = {  # by MODEL-RECIPE
    "birqa-at": "abd19968f8d8834c1f615181985f0b7090bc1b9e2f87d231b3de134eda17a6e7",
    "birqa-aat": "6d9f16260d2e37dddfa0e300aed9ef7c87d025e2973e8f6ddec62d432496fdf5",
}
PACKAGES: Final = {"birqa": "robustiqa.models.birqa", "topiq-squeeze": "robustiqa.models.topiq"}


def defended_file(model: str, recipe: str) -> WeightFile:
    """The checkpoint of ``recipe`` for the trainable model called ``model``; it need not exist."""
    name = f"{model}-{recipe}"
    return WeightFile(
        f"{name}.safetensors",
        f"{name}.safetensors",
        _command(model, recipe),
        name_sha256=SHA256.get(name, ""),
        package=PACKAGES.get(model, ""),
    )


def find_defended(model: str, recipe: str) -> Path:
    """Where that checkpoint is.

    Raises:
        MissingWeights: nowhere (with the command that makes it, and where to put it then).
    """
    file = defended_file(model, recipe)
    path = found(file)
    if path is None:
        raise MissingWeights(
            f"{recipe} of {model} needs {file.name}, which was found nowhere. Make it with: {file.source}; then name "
            f"it as {recipe}:weights=FILE, or put it into a folder that ${VARIABLE} names, or into "
            f"{cache_folder('weights')}."
        )
    return path


def _command(model: str, recipe: str) -> str:
    out = f"{model}-{recipe}.safetensors"
    return f"robustiqa train --model {model} --recipe {recipe} --dataset kadid-style=FOLDER --out {out}"
