"""Rows to text: CSV for machines, Markdown for people. What is undefined is an empty field or a dash, never NaN."""

import json
import math
from collections.abc import Callable, Sequence
from typing import Final, Literal, get_args

import pandas as pd

from robustiqa.benchmarks.cell import CellSpec
from robustiqa.reports.rows import Estimate, Row

Format = Literal["csv", "md"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)
DASH: Final = "—"


def render(rows: Sequence[Row], form: Format) -> str:
    """``rows`` in one of ``FORMATS``."""
    return _RENDERERS[form](rows)


def to_frame(rows: Sequence[Row]) -> pd.DataFrame:
    """One record per row, with ``_lo`` and ``_hi`` (clustered) and ``_iid_lo``, ``_iid_hi`` beside each estimate."""
    return pd.DataFrame([_record(row) for row in rows])


def _record(row: Row) -> dict[str, object]:
    spec = row.view.spec
    return {
        **_identity(row),
        "calibrate": None if spec.calibrate is None else budget_text(spec),
        "source": None if spec.source is None else spec.source.label,
        "crop": spec.crop,
        "seed": spec.seed,
        "n": row.n,
        "n_excluded": row.n_excluded,
        **_fields("srocc_clean", row.srocc_clean),
        **_fields("srocc_attacked", row.srocc_attacked),
        **_fields("gain", row.gain),
        "gain_raw": row.gain_raw,
        "gain_8bit": row.gain_8bit,
        **_fields("srocc_whole", row.srocc_whole),
        "srocc_within_type": row.srocc_within_type,
        "ssim_perturbation": row.ssim,
        **{f"judge_{name}": value for name, value in row.judged.items()},
        "forwards": row.forwards,
        "backwards": row.backwards,
        "seconds": row.seconds,
        "dead_gradient_share": row.dead_share,
        "human_score": spec.dataset.human_score,
        "flags": " ".join(row.flags),
    }


def _identity(row: Row) -> dict[str, object]:
    spec = row.view.spec
    return {
        "dataset": spec.dataset.name,
        "model": spec.model.name,
        "defense": "none" if spec.defense is None else spec.defense.label,
        "attack": "none" if spec.attack is None else spec.attack.label,
        "eps": row.eps,
        "direction": row.view.direction,
        "threat": spec.threat,
    }


def _fields(name: str, estimate: Estimate | None) -> dict[str, float | None]:
    if estimate is None:
        return dict.fromkeys((name, f"{name}_lo", f"{name}_hi", f"{name}_iid_lo", f"{name}_iid_hi"))
    clustered, iid = estimate.clustered, estimate.iid
    return {
        name: clustered.estimate,
        f"{name}_lo": clustered.lo,
        f"{name}_hi": clustered.hi,
        f"{name}_iid_lo": iid.lo,
        f"{name}_iid_hi": iid.hi,
    }


def _csv(rows: Sequence[Row]) -> str:
    return frame_csv(to_frame(rows))


def frame_csv(frame: pd.DataFrame) -> str:
    """Any table as CSV that no spreadsheet takes for formulas; undefined numbers are empty fields."""
    frame = frame.copy()
    for column in frame.select_dtypes(include=["object", "string"]):
        frame[column] = frame[column].map(_defuse)
    return frame.to_csv(index=False, float_format="%.6g", lineterminator="\n")


def _defuse(value: object) -> object:
    """Text that a spreadsheet would run as a formula gets a leading apostrophe (plug-ins choose their own names)."""
    if not isinstance(value, str):
        return value
    return _one_line(f"'{value}" if value[:1] in set("=+-@\t\r") else value)


def frame_json(frame: pd.DataFrame) -> str:
    """Any table as a JSON list of objects; undefined numbers are null."""
    records = [
        {
            key: None if isinstance(value, float) and not math.isfinite(value) else value
            for key, value in record.items()
        }
        for record in frame.to_dict("records")
    ]
    return json.dumps(records, indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def _markdown(rows: Sequence[Row]) -> str:
    records = [
        {
            **{name: escape(str(value)) for name, value in _identity(row).items() if name != "eps"},
            "threat": escape(threat_text(row.view.spec)),
            "ε": escape(budget_text(row.view.spec)),
            "n": f"{row.n} (−{row.n_excluded})" if row.n_excluded else str(row.n),
            "SROCC clean ↑ [95 % CI]": interval_text(row.srocc_clean),
            "SROCC attacked ↑ [95 % CI]": interval_text(row.srocc_attacked),
            "gain ↓ [95 % CI]": interval_text(row.gain),
            "SROCC whole images ↑": interval_text(row.srocc_whole),
            "SSIM": number(row.ssim),
            "judges": escape(judges_text(row)),
            "F / B / s": f"{row.forwards:.0f} / {row.backwards:.0f} / {row.seconds:.2g}" if row.n else DASH,
            "flags": escape(flags_text(row)),
        }
        for row in rows
    ]
    labels = sorted({f"{row.view.spec.dataset.name}: {row.view.spec.dataset.human_score}" for row in rows})
    notes = [
        f"Human scores: {'; '.join(labels)}.",
        "Intervals: paired bootstrap clustered by reference, 1000 resamples; the CSV has the i.i.d. ones beside them.",
        "Gain: mean change of quality in the attacked direction over the model's q01-q99 range of clean demo scores.",
        "SROCC whole images: clean, uncropped; the human scores belong to those. SSIM: attacked against un-attacked.",
        "Judges: what other metrics say, on average, of the 8-bit adversarial against the un-attacked image.",
    ]
    table = pd.DataFrame(records).to_markdown(index=False, disable_numparse=True)
    return f"{table}\n\n" + "\n".join(notes) + "\n"


def interval_text(estimate: Estimate | None) -> str:
    """``0.912 [0.874, 0.941]``, or a dash."""
    if estimate is None or not math.isfinite(estimate.value):
        return DASH
    interval = estimate.clustered
    return f"{number(interval.estimate)} [{number(interval.lo)}, {number(interval.hi)}]"


def flags_text(row: Row) -> str:
    """The flags of a row, with the share of dead gradients where there are any."""
    return " ".join(f"{flag}({row.dead_share:.0%})" if flag == "dead-gradients" else flag for flag in row.flags)


def number(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else DASH


def eps_text(eps: float) -> str:
    """``8/255`` where ε is a whole number of levels, else the decimal."""
    levels = eps * 255
    return f"{round(levels)}/255" if math.isclose(levels, round(levels), abs_tol=1e-9) else f"{eps:.4g}"


def budget_text(spec: CellSpec) -> str:
    """ε, or what every sample's ε was chosen to reach."""
    wanted = spec.calibrate
    return eps_text(spec.eps) if wanted is None else f"{wanted.metric}={wanted.target:g}"


def threat_text(spec: CellSpec) -> str:
    """The threat, and for a transfer where the images come from."""
    return spec.threat if spec.source is None else f"{spec.threat} from {spec.source.label}"


def judges_text(row: Row) -> str:
    """Mean scores of the judges, or a dash."""
    return ", ".join(f"{name} {number(value)}" for name, value in row.judged.items()) or DASH


def escape(text: str) -> str:
    """Text that stays inside its Markdown table cell."""
    return _one_line(text).replace("\\", "\\\\").replace("|", "\\|").replace("`", "\\`").replace("<", "&lt;")


def _one_line(text: str) -> str:
    return " ".join(text.splitlines())


_RENDERERS: Final[dict[Format, Callable[[Sequence[Row]], str]]] = {"csv": _csv, "md": _markdown}
