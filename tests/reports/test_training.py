"""The picture of a training run."""

import pytest
from PIL import Image

from robustiqa.core.errors import InvalidInput
from robustiqa.reports.training import draw_training
from robustiqa.training.log import CsvLog

AAT = {"loss": 0.3, "mse": 0.2, "anchored_loss": 0.1, "anchored_average": 0.1, "max_error": 0.5, "bound_paper": 2.0}


def test_a_panel_for_each_group_that_was_logged(tmp_path):
    """AAT has Figure 6's two panels; a clean run has its loss alone, and is half as wide and less."""
    aat, clean = CsvLog(tmp_path / "aat.csv"), CsvLog(tmp_path / "clean.csv")
    for step in range(1, 6):
        bound = float("inf") if step == 2 else 3.0
        aat(step, {**AAT, "bound_corrected": bound, **({"validation_srocc": 0.9} if step == 5 else {})})
        clean(step, {"loss": 0.3 / step})
    widths = {}
    for name in ("aat", "clean"):
        draw_training(tmp_path / f"{name}.csv", tmp_path / f"{name}.png")
        widths[name] = Image.open(tmp_path / f"{name}.png").width
    assert widths["aat"] == 4 * widths["clean"]
    draw_training(tmp_path / "aat.csv", tmp_path / "aat.svg")
    words = (tmp_path / "aat.svg").read_text()
    assert all(word in words for word in ("bound of Theorem 1 as printed", "moving average of 20", "anchored ranking loss, eq. (3)"))


def test_a_log_that_was_tampered_with_is_refused(tmp_path):
    """A word where a number should be is named, not a traceback."""
    CsvLog(tmp_path / "odd.csv")(1, {"loss": 0.3})
    text = (tmp_path / "odd.csv").read_text()
    (tmp_path / "odd.csv").write_bytes(text.replace("0.3", "a\xff").encode("latin-1"))
    with pytest.raises(InvalidInput, match="column loss of the training log"):
        draw_training(tmp_path / "odd.csv", tmp_path / "odd.svg")


def test_nothing_to_draw_is_said(tmp_path):
    """An empty log is no picture."""
    with pytest.raises(InvalidInput, match=r"none\.csv holds no step"):
        draw_training(tmp_path / "none.csv", tmp_path / "none.svg")
    assert not (tmp_path / "none.svg").exists()
