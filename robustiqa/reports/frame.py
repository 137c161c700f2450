"""Rows of a report as a data frame: what the CSV and JSON reports hold, and ``load_results(DIR).to_dataframe()``."""

import math
from collections.abc import Sequence

import pandas as pd

from robustiqa.reports.draws import Estimate
from robustiqa.reports.formats.numbers import eps_text
from robustiqa.reports.ir import IRResult
from robustiqa.reports.rows import Row
from robustiqa.reports.rows_table import budget_text, identity
from robustiqa.reports.scores import Scores

Record = dict[str, object]


def to_frame(rows: Sequence[Row]) -> pd.DataFrame:
    """One record per row. ``docs/scores.md`` says what every column is.

    Estimates have ``_lo`` and ``_hi`` (clustered by reference) beside them, and ``_iid_lo``, ``_iid_hi`` further back.
    """
    return pd.DataFrame([_record(row) for row in rows])


def _record(row: Row) -> Record:
    """First the columns that scripts rely on, in this order; new ones are added behind them."""
    who = identity(row)
    spec = row.view.spec
    return {
        **{name: who[name] for name in ("dataset", "model", "defense", "attack")},
        "eps": row.eps,
        "direction": who["direction"],
        "threat": who["threat"],
        "n": row.n,
        "n_excluded": row.n_excluded,
        **_clustered("srocc_clean", row.srocc_clean),
        **_clustered("srocc_attacked", row.srocc_attacked),
        **_clustered("gain", row.gain),
        "ssim_perturbation": row.ssim,
        "forwards": row.forwards,
        "backwards": row.backwards,
        "seconds": row.seconds,
        "flags": " ".join(row.flags),
        "crop": spec.crop,
        "seed": spec.seed,
        "human_score": spec.dataset.human_score,
        "dead_gradient_share": row.dead_share,
        **_iid("srocc_clean", row.srocc_clean),
        **_iid("srocc_attacked", row.srocc_attacked),
        **_iid("gain", row.gain),
        **_both("srocc_drop", row.srocc_drop),
        **_both("srocc_whole", row.srocc_whole),
        "srocc_within_type": row.srocc_within_type,
        "gain_raw": row.gain_raw,
        "gain_8bit": row.gain_8bit,
        **_scores(row.scores),
        **_ir(row.ir),
        "calibrate": None if spec.calibrate is None else budget_text(spec),
        "precision": spec.precision,
        "compiled": bool(spec.compiled),
        "source": None if spec.source is None else spec.source.label,
        **{f"judge_{name}": value for name, value in row.judged.items()},
    }


def _scores(scores: Scores) -> Record:
    gains, drops = scores.gains, scores.drops
    return {
        "gain_absolute": gains.mean_absolute,
        "gain_relative": gains.mean_relative,
        "gain_q95": gains.q95,
        "gain_worst": gains.worst,
        "r_score": scores.r_score,
        "msu_robustness": scores.msu_robustness,
        "wasserstein": scores.wasserstein,
        "energy": scores.energy,
        "unmoved_share": scores.unmoved_share,
        "plcc_clean": drops.plcc.clean,
        "plcc_attacked": drops.plcc.attacked,
        "plcc_drop": drops.plcc.drop,
        "krocc_clean": drops.krocc.clean,
        "krocc_attacked": drops.krocc.attacked,
        "krocc_drop": drops.krocc.drop,
        "srocc_clean_to_attacked": drops.agreement,
        "query_curve_area": scores.query_area,
        "change_curve_area": scores.change_area,
    }


def _ir(result: IRResult | None) -> Record:
    return {
        **_both("ir_score", None if result is None else result.score),
        **_both("ir_g_base", None if result is None else result.g_base),
        **_both("ir_g_defended", None if result is None else result.g_defended),
        **_both("ir_ratio", None if result is None else result.ratio),
        "ir_n": math.nan if result is None else len(result.references),
        "ir_eps": None if result is None else " ".join(map(eps_text, result.base.eps)),
        "ir_maps": None if result is None else " ".join(result.kinds),
        "ir_area_base": math.nan if result is None else result.base.area,
        "ir_area_defended": math.nan if result is None else result.defended.area,
        "ir_outside_base": math.nan if result is None else result.base.outside,
        "ir_outside_defended": math.nan if result is None else result.defended.outside,
    }


def _both(name: str, estimate: Estimate | None) -> Record:
    return _clustered(name, estimate) | _iid(name, estimate)


def _clustered(name: str, estimate: Estimate | None) -> Record:
    if estimate is None:
        return dict.fromkeys((name, f"{name}_lo", f"{name}_hi"), math.nan)
    interval = estimate.clustered
    return {name: interval.estimate, f"{name}_lo": interval.lo, f"{name}_hi": interval.hi}


def _iid(name: str, estimate: Estimate | None) -> Record:
    if estimate is None:
        return dict.fromkeys((f"{name}_iid_lo", f"{name}_iid_hi"), math.nan)
    return {f"{name}_iid_lo": estimate.iid.lo, f"{name}_iid_hi": estimate.iid.hi}
