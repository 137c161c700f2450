"""The contract of a defense: it turns a model into a model."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from robustiqa.core.model import QualityModel


@dataclass(frozen=True)
class Defense(ABC):
    """Subclasses are frozen dataclasses whose fields are the defense's parameters."""

    name: ClassVar[str]
    paper: ClassVar[str] = ""

    @abstractmethod
    def apply(self, model: QualityModel) -> QualityModel:
        """The defended model; ``model`` itself stays as it is."""
