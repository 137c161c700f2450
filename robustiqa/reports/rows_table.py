"""The rows of a report as a table: one line per cell and direction."""

import math
from collections.abc import Sequence

from robustiqa.reports.conditions import budget_text, threat_text
from robustiqa.reports.draws import Estimate
from robustiqa.reports.formats.numbers import DASH, eps_text, figure
from robustiqa.reports.ir import IRResult
from robustiqa.reports.rows import Row
from robustiqa.reports.table import Column, Content, Line, Number, Table

IDENTITY = ("dataset", "model", "defense", "attack", "direction", "threat")
COLUMNS = (
    *(Column(name, name) for name in IDENTITY),
    Column("eps", "ε"),
    Column("n", "n"),
    Column("srocc_clean", "SROCC clean", better="higher"),
    Column("srocc_attacked", "SROCC attacked", better="higher"),
    Column("gain", "gain", better="lower"),
    Column("ir_score", "IR-Score", better="higher"),
    Column("srocc_whole", "SROCC whole images", better="higher"),
    Column("ssim", "SSIM"),
    Column("judges", "judges"),
    Column("cost", "F / B / s"),
    Column("flags", "flags"),
)

JUDGES = "Judges: what other metrics say, on average, of the 8-bit adversarial against the un-attacked image."


def rows_table(rows: Sequence[Row]) -> Table:
    """Every row with its intervals; the columns of IR-Scores and judges are there where one of the rows has one."""
    defended, judged = any(row.ir is not None for row in rows), any(row.judged for row in rows)
    labels = sorted({f"{row.view.spec.dataset.name}: {row.view.spec.dataset.human_score}" for row in rows})
    notes = (
        f"Human scores: {'; '.join(labels)}.",
        "Brackets: 95 % CI, paired bootstrap clustered by reference, 1000 resamples; the CSV has the i.i.d. ones too.",
        "Gain: mean change of quality in the attacked direction over the model's q01-q99 range of clean demo scores.",
        *((ir_note([row.ir for row in rows if row.ir is not None]),) if defended else ()),
        "SROCC whole images: clean, uncropped; the human scores belong to those. SSIM: attacked against un-attacked.",
        *((JUDGES,) if judged else ()),
    )
    shown = {"ir_score": defended, "judges": judged}
    columns = tuple(column for column in COLUMNS if shown.get(column.key, True))
    return Table("report", "", columns, tuple(Line(_cells(row)) for row in rows), notes)


def identity(row: Row) -> dict[str, str]:
    """What a row is about, as text."""
    spec = row.view.spec
    return {
        "dataset": spec.dataset.name,
        "model": spec.model.name,
        "defense": "none" if spec.defense is None else spec.defense.label,
        "attack": "none" if spec.attack is None else spec.attack.label,
        "direction": row.view.direction,
        "threat": spec.threat,
    }


def flags_text(row: Row) -> str:
    """The flags of a row, with the share of dead gradients where there are any."""
    return " ".join(f"{flag}({row.dead_share:.0%})" if flag == "dead-gradients" else flag for flag in row.flags)


def judges_text(row: Row) -> str:
    """Mean scores of the judges, or a dash."""
    return ", ".join(f"{name} {figure(value)}" for name, value in row.judged.items()) or DASH


def ir_note(results: Sequence[IRResult]) -> str:
    """What an IR-Score is, over which ε and in which domain."""
    radii = sorted({", ".join(map(eps_text, result.base.eps)) for result in results})
    kinds = sorted({kind for result in results for kind in result.kinds})
    return (
        "IR-Score: G of the undefended minus G of the defended model; above 0 the defense helps. G: mean change in the "
        f"attacked direction over ε = {'; '.join(radii)}, in a common domain ({', '.join(kinds)})."
    )


def _cells(row: Row) -> dict[str, Content]:
    seconds = DASH if math.isnan(row.seconds) else f"{row.seconds:.2g}"
    cost = f"{row.forwards:.0f} / {row.backwards:.0f} / {seconds}" if row.n else DASH
    return {
        **identity(row),
        "threat": threat_text(row.view.spec),
        "eps": budget_text(row.view.spec),
        "n": f"{row.n} (−{row.n_excluded})" if row.n_excluded else row.n,
        "srocc_clean": number_of(row.srocc_clean),
        "srocc_attacked": number_of(row.srocc_attacked),
        "gain": number_of(row.gain),
        "ir_score": None if row.ir is None else number_of(row.ir.score),
        "srocc_whole": number_of(row.srocc_whole),
        "ssim": Number(row.ssim),
        "judges": judges_text(row),
        "cost": cost,
        "flags": flags_text(row),
    }


def number_of(estimate: Estimate | None) -> Number | None:
    """An estimate with its clustered interval."""
    if estimate is None:
        return None
    interval = estimate.clustered
    return Number(interval.estimate, interval.lo, interval.hi)
