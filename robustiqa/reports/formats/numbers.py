"""How figures are spelled in every format."""

import math
from typing import Final

from robustiqa.reports.table import Number

DASH: Final = "—"


def figure(value: float, digits: int = 3) -> str:
    """``0.912``, or a dash for what does not exist."""
    return f"{value:.{digits}f}" if math.isfinite(value) else DASH


def spread(number: Number) -> str:
    """``[0.874, 0.941]`` or ``± 0.003``; nothing where there is no interval."""
    if not (math.isfinite(number.lo) and math.isfinite(number.hi)):
        return ""
    if number.half:
        return f"± {(number.hi - number.lo) / 2:.{number.digits}f}"
    return f"[{figure(number.lo, number.digits)}, {figure(number.hi, number.digits)}]"


def eps_text(eps: float) -> str:
    """``8/255`` where ε is a whole number of levels, else the decimal."""
    levels = eps * 255
    return f"{round(levels)}/255" if math.isclose(levels, round(levels), abs_tol=1e-9) else f"{eps:.4g}"


def one_line(text: str) -> str:
    """Without line breaks of any kind."""
    return " ".join(text.splitlines())
