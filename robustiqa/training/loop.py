"""The training loop: one process, batches that depend on the step alone, a log, checkpoints that resume."""

import copy
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import torch

from robustiqa.core.model import QualityModel
from robustiqa.training.batches import Batches
from robustiqa.training.checkpoint import State
from robustiqa.training.lesson import Learner, Lesson
from robustiqa.training.losses import plcc
from robustiqa.training.recipe import Recipe

Report = Callable[[int, dict[str, float]], None]
Validate = Callable[[QualityModel], dict[str, float]]
Constrain = Callable[[torch.nn.Module], None]
WINDOW: Final = 20  # steps of the moving average in the paper's Figure 6


def train(
    model: QualityModel,
    sampler: Batches,
    lesson: Lesson,
    recipe: Recipe,
    checkpoint: Path,
    validate: Validate,
    report: Report,
    scale: torch.nn.Module | None = None,
    constrain: Constrain | None = None,
    subject: str = "",
) -> QualityModel:
    """Train ``model`` for ``recipe.steps`` steps and return the average of its weights, in evaluation mode.

    A run that was stopped continues from ``checkpoint`` with the batches that it would have drawn.

    Args:
        lesson: the loss of a step; what is random in it follows from the step, as the batches do.
        report: called with (step, figures) after every step.
        validate: figures of a model on the validation references, every ``recipe.validate_every`` steps.
        scale: maps scores to labels for the loss, and learns too; by default scores are compared as they are.
        constrain: called with the model after every step, to restore in place what its weights must keep to.
        subject: names the run; the checkpoint of one with another name is refused.

    Raises:
        InvalidInput: ``checkpoint`` is of another run.
    """
    scale = torch.nn.Identity() if scale is None else scale
    learning = [p for p in (*model.parameters(), *scale.parameters()) if p.requires_grad]
    optimizer = torch.optim.Adam(learning, lr=recipe.learning_rate, betas=recipe.betas)
    state = State(model, copy.deepcopy(model), optimizer, scale=scale, subject=subject)
    state.resume(checkpoint)
    model.train()
    while state.step < recipe.steps:
        figures = _step(state, Learner(model, scale), sampler, lesson, recipe, constrain)
        if state.step % recipe.validate_every == 0 or state.step == recipe.steps:
            figures |= validate(state.average.eval())  # type: ignore[arg-type]
        report(state.step, figures)
        if state.step % recipe.save_every == 0 or state.step == recipe.steps:
            state.save(checkpoint)
    average = state.average
    if not isinstance(average, QualityModel):
        raise TypeError(type(average))
    return average.eval()


def _step(
    state: State, learner: Learner, sampler: Batches, lesson: Lesson, recipe: Recipe, constrain: Constrain | None
) -> dict[str, float]:
    start = time.perf_counter()
    rate = learning_rate(state.step, recipe)
    for group in state.optimizer.param_groups:
        group["lr"] = rate
    taught = lesson(learner, sampler.batch(state.step), state.step)
    state.optimizer.zero_grad()
    taught.loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(state.model.parameters(), 5.0)
    state.optimizer.step()
    if constrain is not None:
        constrain(state.model)
    state.step += 1
    state.update_average(recipe.ema)
    with torch.no_grad():
        mse, correlation = torch.mean((taught.prediction - taught.label) ** 2), plcc(taught.prediction, taught.label)
    figures = {"loss": float(taught.loss.detach()), "mse": float(mse), "plcc": float(correlation), **taught.figures}
    if "anchored_loss" in figures:
        figures["anchored_average"] = state.smooth("anchored_average", figures["anchored_loss"], WINDOW)
    seconds = time.perf_counter() - start
    totals = {"passes": state.add("passes", taught.passes), "total_seconds": state.add("total_seconds", seconds)}
    return {**figures, **totals, "learning_rate": rate, "seconds": seconds}


def learning_rate(step: int, recipe: Recipe) -> float:
    """Linear warm-up, then half a cosine down to the final rate."""
    if step < recipe.warmup:
        return recipe.learning_rate * (step + 1) / recipe.warmup
    progress = (step - recipe.warmup) / max(1, recipe.steps - recipe.warmup)
    height = 0.5 * (1 + math.cos(math.pi * progress))
    return recipe.final_learning_rate + (recipe.learning_rate - recipe.final_learning_rate) * height
