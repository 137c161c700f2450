"""Data frames as CSV and JSON. What is undefined is an empty field or null, never NaN."""

import json
import math

import pandas as pd

from robustiqa.reports.formats.csv_text import defused


def frame_csv(frame: pd.DataFrame) -> str:
    """Any frame as CSV that no spreadsheet takes for formulas; undefined numbers are empty fields."""
    frame = frame.copy()
    for column in frame.select_dtypes(include=["object", "string"]):
        frame[column] = frame[column].map(lambda value: defused(value) if isinstance(value, str) else value)
    return frame.to_csv(index=False, float_format="%.6g", lineterminator="\n")


def frame_json(frame: pd.DataFrame) -> str:
    """Any frame as a JSON list of objects; undefined numbers are null."""
    records = [
        {name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in
        record.items()} for record in frame.astype(object).to_dict("records")
    ]
    return json.dumps(records, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
