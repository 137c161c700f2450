"""The training loop: one process, batches that depend on the step alone, a log, checkpoints that resume."""

import copy
import csv
import math
import time
from collections.abc import Callable
from pathlib import Path

import torch

from robustiqa.core.model import QualityModel
from robustiqa.training.batches import Batches
from robustiqa.training.checkpoint import State
from robustiqa.training.losses import plcc, regression_loss
from robustiqa.training.recipe import Recipe

Report = Callable[[int, dict[str, float]], None]
Validate = Callable[[QualityModel], dict[str, float]]
Constrain = Callable[[torch.nn.Module], None]


def train(
    model: QualityModel,
    sampler: Batches,
    recipe: Recipe,
    checkpoint: Path,
    validate: Validate,
    report: Report,
    scale: torch.nn.Module | None = None,
    constrain: Constrain | None = None,
) -> QualityModel:
    """Train ``model`` for ``recipe.steps`` steps and return the average of its weights, in evaluation mode.

    A run that was stopped continues from ``checkpoint`` with the batches that it would have drawn.

    Args:
        report: called with (step, figures) after every step.
        validate: figures of a model on the validation references, every ``recipe.validate_every`` steps.
        scale: maps scores to labels for the loss, and learns too; by default scores are compared as they are.
        constrain: called with the model after every step, to restore in place what its weights must keep to.
    """
    scale = torch.nn.Identity() if scale is None else scale
    learning = [p for p in (*model.parameters(), *scale.parameters()) if p.requires_grad]
    optimizer = torch.optim.Adam(learning, lr=recipe.learning_rate, betas=recipe.betas)
    state = State(model, copy.deepcopy(model), optimizer, scale=scale)
    state.resume(checkpoint)
    model.train()
    while state.step < recipe.steps:
        figures = _step(state, sampler, recipe, constrain)
        if state.step % recipe.validate_every == 0 or state.step == recipe.steps:
            figures |= validate(state.average.eval())  # type: ignore[arg-type]
        if state.step % recipe.save_every == 0 or state.step == recipe.steps:
            state.save(checkpoint)
        report(state.step, figures)
    average = state.average
    if not isinstance(average, QualityModel):
        raise TypeError(type(average))
    return average.eval()


def _step(state: State, sampler: Batches, recipe: Recipe, constrain: Constrain | None) -> dict[str, float]:
    start = time.perf_counter()
    rate = learning_rate(state.step, recipe)
    for group in state.optimizer.param_groups:
        group["lr"] = rate
    batch = sampler.batch(state.step)
    prediction = state.scale(state.model(batch.ref, batch.dist))
    loss = regression_loss(prediction, batch.label, recipe.alpha)
    state.optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(state.model.parameters(), 5.0)
    state.optimizer.step()
    if constrain is not None:
        constrain(state.model)
    state.step += 1
    state.update_average(recipe.ema)
    with torch.no_grad():
        mse, correlation = torch.mean((prediction - batch.label) ** 2), plcc(prediction, batch.label)
    return {
        "loss": float(loss.detach()),
        "mse": float(mse),
        "plcc": float(correlation),
        "learning_rate": rate,
        "seconds": time.perf_counter() - start,
    }


def learning_rate(step: int, recipe: Recipe) -> float:
    """Linear warm-up, then half a cosine down to the final rate."""
    if step < recipe.warmup:
        return recipe.learning_rate * (step + 1) / recipe.warmup
    progress = (step - recipe.warmup) / max(1, recipe.steps - recipe.warmup)
    height = 0.5 * (1 + math.cos(math.pi * progress))
    return recipe.final_learning_rate + (recipe.learning_rate - recipe.final_learning_rate) * height


class CsvLog:
    """A log file with one row per step; columns that a step has not got stay empty."""

    COLUMNS = ("step", "loss", "mse", "plcc", "learning_rate", "seconds", "validation_srocc", "validation_within_type")

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, step: int, figures: dict[str, float]) -> None:
        is_new = not self.path.exists()
        with self.path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self.COLUMNS, restval="", extrasaction="ignore")
            if is_new:
                writer.writeheader()
            writer.writerow({"step": step, **{k: f"{v:.6g}" for k, v in figures.items()}})
