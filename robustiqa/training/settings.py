"""What every table of a recipe is: checked field by field, and immutable."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from robustiqa.core.parameters import parse_eps

Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Radius = Annotated[float, BeforeValidator(lambda value: parse_eps(value) if isinstance(value, str) else value),
                   Field(gt=0, le=1)]  # in [0, 1] units; TOML may write "8/255"  # fmt: skip


class Strict(BaseModel):
    """A table of a recipe; unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)
