"""What the attacks of every library share: parameters by version, one image per call, random numbers of their own."""

import random as python_random
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from importlib.util import find_spec
from threading import Lock
from typing import ClassVar, Final

import numpy as np
import torch
from torch import Tensor

from robustiqa.attacks.base import Access, Attack, Calls, check_bound
from robustiqa.attacks.budget import Ball
from robustiqa.attacks.search import Search
from robustiqa.core.errors import MissingExtra, UnknownName
from robustiqa.core.random import RandomStreams

Parameter = int | float | bool
_GLOBAL_GENERATORS: Final = Lock()  # the libraries draw from the process's generators: one call at a time


@dataclass(frozen=True)
class Recipe:
    """A library's class with its parameters, in our names, and their defaults."""

    builds: str
    defaults: Mapping[str, Parameter]
    access: Access = "white-box"


@dataclass(frozen=True)
class Engine(Attack):
    """An attack of another library; ``version``, a field of each subclass, names it.

    A parameter that is not given takes the version's default; one that the version has not got is refused.
    ``queries`` is the number of model passes per sample, whatever the library counts. The library draws from the stream
    of our attack of the same name, so that a comparison is of implementations and not of luck.
    """

    library: ClassVar[str]
    package: ClassVar[str]
    recipes: ClassVar[Mapping[str, Recipe]]

    steps: int | None = None
    alpha: float | None = None
    random_start: bool | None = None
    restarts: int | None = None
    decay: float | None = None
    lr: float | None = None
    c: float | None = None
    queries: int | None = None
    p_init: float | None = None

    def __post_init__(self) -> None:
        version = self.chosen
        if version not in self.recipes:
            raise UnknownName(f"version of {self.name}", version, self.recipes)
        if find_spec(self.package) is None:
            raise MissingExtra(
                f"attack {self.name}:{version} needs {self.library}, which is not installed; "
                "write: pip install 'robustiqa[engines]'"
            )
        self._resolve()
        object.__setattr__(self, "access", self.recipe.access)  # a class variable where there is one version only

    @property
    @abstractmethod
    def chosen(self) -> str:
        """The version."""

    @property
    def recipe(self) -> Recipe:
        return self.recipes[self.chosen]

    @property
    def parameters(self) -> dict[str, Parameter]:
        """Those that the version has, in our names."""
        return {name: getattr(self, name) for name in self.recipe.defaults}

    @abstractmethod
    def _attack_one(
        self, search: Search, x: Tensor, ball: Ball, sample: int, random: RandomStreams, seed: int
    ) -> Tensor:
        """What the library returns [1, 3, H, W] for the image ``x`` [1, 3, H, W] of one sample."""

    @property
    def calls(self) -> Calls:
        return Calls(gradients=self.steps or 1) if self.queries is None else Calls(values=self.queries)

    def _search(self, search: Search, x: Tensor, ball: Ball, random: RandomStreams) -> Tensor:
        last, theirs = x.clone(), x.to(torch.promote_types(x.dtype, torch.float32))  # they know no half precision
        for sample, seed in enumerate(random.of(self.chosen).seeds()):
            with lent_generators(seed, x.device), torch.enable_grad():
                one = self._attack_one(search, theirs[sample : sample + 1], ball, sample, random, seed)
            last[sample] = one[0].detach()
        return last

    def _resolve(self) -> None:
        defaults = self.recipe.defaults
        for name in (field.name for field in fields(Engine)):
            if name not in defaults and getattr(self, name) is not None:
                raise UnknownName(f"parameter of {self.name}:{self.chosen}", name, (*defaults, "version"))
        for name, default in defaults.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, default)
            if not isinstance(default, bool):
                whole = isinstance(default, int)
                check_bound(self, name, LEAST.get(name, 1) if whole else 0, whole=whole)


LEAST: Final = {"queries": 10}  # some of which go into the libraries' own checks


@contextmanager
def lent_generators(seed: int, device: torch.device) -> Iterator[None]:
    """Seed the global generators of torch, numpy and Python, and give them back as they were."""
    forked = [device] if device.type == "cuda" else []
    with _GLOBAL_GENERATORS, torch.random.fork_rng(devices=forked):
        numpy_state, python_state = np.random.get_state(), python_random.getstate()  # noqa: NPY002 (what they use)
        torch.default_generator.manual_seed(seed)
        if forked:
            torch.cuda.manual_seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002
        python_random.seed(seed)
        try:
            yield
        finally:
            np.random.set_state(numpy_state)  # noqa: NPY002
            python_random.setstate(python_state)
