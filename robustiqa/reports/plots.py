"""Pictures by matplotlib without a display: words stay words, and equal numbers give equal bytes."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def panels(count: int, width: float = 6, height: float = 4) -> "tuple[Figure, list[Axes]]":
    """An empty figure of ``count`` panels side by side, each ``width`` x ``height`` inches."""
    figure = Figure(figsize=(width * count, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, list(figure.subplots(1, count, squeeze=False)[0])


def encoded(figure: Figure, form: str = "svg") -> bytes:
    """The picture as a file of the format ``form``: svg, png or pdf."""
    content = io.BytesIO()
    date = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(form)
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "robustiqa"}):
        figure.savefig(content, format=form, dpi=150, metadata=date)
    return content.getvalue()


def numbered(name: str, texts: Sequence[str]) -> dict[str, str]:
    """SVG texts by file name: ``NAME.svg``, or ``NAME-1.svg`` and so on of several."""
    return {f"{name}.svg": texts[0]} if len(texts) == 1 else {f"{name}-{i}.svg": t for i, t in enumerate(texts, 1)}
