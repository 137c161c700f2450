"""Defenses side by side: both threats, the worst of them, and what a defense costs on clean images."""

from dataclasses import replace
from io import StringIO

import numpy as np
import pandas as pd
import pytest

import robustiqa as rq
from robustiqa.benchmarks import plan as planning
from robustiqa.benchmarks.cell import SourceRecord
from robustiqa.reports.defenses import clean_costs, defense_lines
from robustiqa.reports.formats import write
from robustiqa.reports.layouts import make_tables
from robustiqa.reports.layouts.options import LayoutOptions
from robustiqa.reports.layouts.run import Run
from robustiqa.statistics import srocc
from tests.command import robustiqa
from tests.toys import Wavy, memory


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model without and behind two purifiers, attacked knowing them and not; another defense attacked knowing it alone."""
    folder = tmp_path_factory.mktemp("defenses")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning, "load_demo", lambda: replace(memory(12), name="calibration"))
        for threat, defenses in (
            ("adaptive", (None, "bit-depth:bits=2", "gaussian:sigma=2", "median")),
            ("oblivious", ("bit-depth:bits=2", "gaussian:sigma=2")),
        ):
            outcome = rq.bench([Wavy()], ["pgd:steps=3"], memory(12), defenses, threat=threat, crop=16, out=folder)
            assert outcome.failures == ()
    return folder


@pytest.fixture(scope="module")
def rows(folder):
    return rq.load_results(folder).rows()


@pytest.fixture(scope="module")
def tables(folder):
    return make_tables("defenses", Run((folder,)), LayoutOptions())


@pytest.fixture(scope="module")
def frame(tables):
    return pd.read_csv(StringIO(write(tables, "csv"))).set_index("defense")


def test_each_defense_has_one_line_with_both_threats_and_the_worst_of_them(rows, frame):
    """Taken from the rows of the report: the lowest SROCC, the highest gain; a dash for what was not run."""
    lines = {line.spec.defense.label if line.spec.defense else "none": line for line in defense_lines(rows)}
    assert lines.keys() == {"none", "bit-depth:bits=2", "gaussian:sigma=2", "median"}
    for name, line in lines.items():
        own = {(r.view.spec.threat, r.view.direction): r for r in rows if ((r.view.spec.defense and r.view.spec.defense.label) or "none") == name}
        sroccs = [r.srocc_attacked.value for (_, direction), r in own.items() if direction == "tomean"]
        gains = [r.gain.value for (_, direction), r in own.items() if direction == "up"]
        assert len(sroccs) == (2 if "=" in name else 1)
        assert frame.loc[name, "srocc_worst"] == pytest.approx(min(sroccs), abs=1e-5)
        assert frame.loc[name, "gain_worst"] == pytest.approx(max(gains), abs=1e-5)
        assert pd.isna(frame.loc[name, "srocc_oblivious"]) == ("=" not in name)
        assert line.flags == tuple(flag for flag in line.flags if flag != "non-adaptive")
    assert [line.worst for line in defense_lines(rows)] == sorted((line.worst for line in lines.values()), reverse=True)


def test_the_clean_cost_is_that_of_whole_images_without_and_with_the_defense(rows, frame):
    """SROCC by hand, before and after; an undefended model has none."""
    data = memory(12)
    human = [pair.human for pair in data.pairs]
    assert pd.isna(frame.loc["none", "srocc_clean_before"])
    for name in ("bit-depth:bits=2", "gaussian:sigma=2", "median"):
        scores = {}
        for key, model in (("before", Wavy()), ("after", rq.load_defense(name).apply(Wavy()))):
            images = [data.images(pair) for pair in data.pairs]
            scores[key] = srocc(human, [-float(model(ref[None], dist[None])) for ref, dist in images])
            assert frame.loc[name, f"srocc_clean_{key}"] == pytest.approx(scores[key], abs=1e-5)
        assert frame.loc[name, "srocc_clean_change"] == pytest.approx(scores["after"] - scores["before"], abs=1e-5)
        assert frame.loc[name, "srocc_clean_change_lo"] <= frame.loc[name, "srocc_clean_change_hi"]
    assert len(clean_costs(rows)) == 3


def test_only_oblivious_numbers_keep_their_flag(folder):
    """Nothing else was run: the worst is what there is, and it says non-adaptive."""
    cells = [c for c in rq.load_results(folder).cells if c.spec.threat in {"oblivious", "none"}]
    lines = defense_lines(type(rq.load_results(folder))(tuple(cells)).rows())
    assert lines
    assert all("non-adaptive" in line.flags for line in lines)
    assert all(np.isfinite(line.worst) for line in lines)


def test_the_command_prints_it_in_markdown_and_csv(folder, tables):
    """From the shell; another table is refused with the names."""
    done = robustiqa("report", folder, "--table", "defenses")
    assert done.stdout == write(tables, "md")
    assert "clean SROCC" in done.stdout
    csv = robustiqa("report", folder, "--table", "defenses", "--format", "csv")
    assert len(csv.stdout.strip().splitlines()) == 1 + 4
    wrong = robustiqa("report", folder, "--table", "defences")
    assert wrong.returncode == 2
    assert "Did you mean 'defenses'" in wrong.stderr


def test_of_two_searches_with_other_draws_the_worse_counts_and_what_was_carried_over_does_not(rows):
    """Neither hides the other; images that were made against another model know no defense."""
    own = [row for row in rows if row.view.spec.threat == "adaptive" and row.view.spec.defense.label == "median"]
    harder = [with_spec(replace(row, srocc_attacked=rows[0].srocc_attacked), eot=4) for row in own]
    carried = [with_spec(row, source=SourceRecord(model=row.view.spec.model, defense=None, threat="white-box",
                                                  randomised=False, eot=1), threat="transfer") for row in own]  # fmt: skip
    (line,) = defense_lines([*own, *harder, *carried])
    turned = [row.srocc_attacked.value for row in (*own, *harder) if row.view.direction == "tomean"]
    assert len(turned) == 2
    assert line.srocc("adaptive").estimate == min(turned)


def with_spec(row, **changes):
    return replace(row, view=replace(row.view, spec=row.view.spec.model_copy(update=changes)))
