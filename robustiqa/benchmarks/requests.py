"""Runs of a suite, or of the command line, to requests: names are loaded, each once."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar, cast

import torch

from robustiqa.attacks import load_attack
from robustiqa.attacks.limits import Limits
from robustiqa.benchmarks.calibration import LARGEST, calibration
from robustiqa.benchmarks.plan import Direction, Request, Threat
from robustiqa.benchmarks.suite import NONE, Run
from robustiqa.core.errors import InvalidInput, raise_interrupt_behind
from robustiqa.core.model import QualityModel
from robustiqa.core.parameters import parse_eps, split_path
from robustiqa.core.precision import Haste
from robustiqa.datasets import load_dataset
from robustiqa.datasets.base import PairDataset
from robustiqa.defenses import load_defense
from robustiqa.models import load_model

EPS: Final = 8 / 255
T = TypeVar("T")
Broken = Callable[[str, str, Exception], None]


def radii(eps: Sequence[float], calibrated: bool) -> tuple[float, ...]:
    """The given ε, or the usual one."""
    return tuple(eps) or ((LARGEST if calibrated else EPS),)


class Shelf:
    """Models and datasets that were loaded for some runs, on one device.

    Args:
        broken: hears (kind, name, error) of a plug-in that raised while it was loaded.
    """

    def __init__(self, device: torch.device, broken: Broken) -> None:
        self._device, self._broken = device, broken
        self._models: dict[str, QualityModel] = {}
        self._datasets: dict[str, PairDataset] = {}

    def request(self, run: Run) -> Request | None:
        """What a run asks for, without the plug-ins that raised; None where these were all its models, say.

        Raises:
            InvalidInput: a name, folder, value or weights that cannot be used.
        """
        models = self._usable("model", self._model, run.models)
        attacks = self._usable("attack", load_attack, run.attacks)
        defenses = self._usable("defense", lambda name: None if name == NONE else load_defense(name), run.defenses)
        if not models or not defenses or (run.attacks and not attacks):
            return None
        return Request(
            models=models,
            attacks=attacks,
            datasets=tuple(self._dataset(text) for text in run.datasets),
            defenses=defenses,
            eps=radii([parse_eps(text) for text in run.eps], run.calibrate is not None),
            directions=cast(tuple[Direction, ...], tuple(run.directions)),
            threat=cast(Threat, run.threat),
            limit=run.limit,
            crop=run.crop or None,
            seed=run.seed,
            eot=run.eot,
            limits=Limits(run.max_queries, run.max_seconds),
            calibration=None if run.calibrate is None else calibration(run.calibrate),
            haste=self._haste(Haste(run.precision, run.compile)),
        )

    def _usable(self, kind: str, load: Callable[[str], T], names: Iterable[str]) -> tuple[T, ...]:
        loaded = []
        for name in names:
            try:
                loaded.append(load(name))
            except InvalidInput:
                raise
            except Exception as error:  # noqa: BLE001 (a plug-in may raise anything)
                raise_interrupt_behind(error)
                self._broken(kind, name, error)
        return tuple(loaded)

    def _model(self, name: str) -> QualityModel:
        if name not in self._models:
            self._models[name] = load_model(name).to(self._device)
        return self._models[name]

    def _haste(self, haste: Haste) -> Haste:
        haste.check(self._device)
        return haste

    def _dataset(self, text: str) -> PairDataset:
        if text not in self._datasets:
            self._datasets[text] = load_dataset(*split_path(text))
        return self._datasets[text]


def on_datasets(runs: Iterable[Run], given: Sequence[str]) -> list[Run]:
    """The runs on the datasets that are ``given`` as NAME=PATH, and on no others.

    Those that a run names get their paths; a run that names none of them is left out. Where no run names any, all runs
    are for the given ones instead of their own.
    """
    paths: dict[str, str] = {}
    for text in given:
        name = split_path(text)[0]
        if paths.setdefault(name, text) != text:
            raise InvalidInput(f"dataset {name} is given twice, as {paths[name]} and {text}; give it once.")
    runs = list(runs)
    if not any(split_path(text)[0] in paths for run in runs for text in run.datasets):
        return [run.model_copy(update={"datasets": list(given)}) for run in runs]
    narrowed = [[paths[n] for n in (split_path(text)[0] for text in run.datasets) if n in paths] for run in runs]
    return [
        run.model_copy(update={"datasets": datasets}) for run, datasets in zip(runs, narrowed, strict=True) if datasets
    ]
