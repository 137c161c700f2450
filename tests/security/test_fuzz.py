"""Whatever text or bytes a stranger gives: an answer, or one of our own errors; nothing else and nothing endless."""

import csv
import io
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

import robustiqa as rq
from robustiqa.benchmarks.shards import parse_shard
from robustiqa.benchmarks.suite import load_suite
from robustiqa.core.errors import InvalidInput, RobustIQAError
from robustiqa.core.parameters import parse_eps, split_named, split_path
from robustiqa.datasets.files import inside
from robustiqa.models import model_info
from tests.security.cases import answered, cases, fuzzing
from tests.security.readers import cell_texts, image_files, read_an_image, read_results
from tests.toys import memory

HOSTILE = st.sampled_from(
    ["../up.png", "/etc/passwd", "..\\up.png", "C:\\a.png", "a\0b.png", "./a.png", "a/../../b.png", "//x/y.png", "link.png", "loop",
     "a.png", "b.png", "", " ", "nan", "inf", "1e999", "-1", "0x10", "=1+1", "'", '"', "\ufeff", "\u202egnp.a", "💥", "a" * 300]
)  # fmt: skip
TEXTS = st.one_of(HOSTILE, st.text(max_size=20), st.floats().map(repr))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@cases
def test_eps(count):
    """A number in (0, 1], or InvalidInput; at once, however large the exponent."""
    digits = st.text("0123456789eE+-./_ ", max_size=30)

    @fuzzing(count)
    @given(st.one_of(digits, st.text(max_size=20), st.from_regex(r"\A\d{1,4}/\d{1,4}\Z")))
    @example("1e999999999")
    @example("1e-999999999")
    @example("9" * 5000)
    @example("1/0")
    @example("٣/٤")
    def run(text):
        with answered(InvalidInput):
            assert 0 < parse_eps(text) <= 1

    run()


@cases
def test_names(count):
    """Names, parameters and paths of the command line; a file that is named but not there runs nothing."""
    words = st.sampled_from(["psnr", "fgsm", "pgd", "jpeg", "cw", "square", "autoattack", "quick", "steps", "quality", "weights", "none",
                             "x.py", "apply_to", "both", "derived", "csv", "demo"])  # fmt: skip
    signs = st.sampled_from([":", "=", ",", "+", "/", "1e999999999", "-1", "nan", "0", "3", " ", "\0", "::", "=="])

    @fuzzing(count)
    @given(st.one_of(st.lists(words | signs, max_size=7).map("".join), st.text(max_size=25)))
    @example("pgd:alpha=1e999999999")
    @example("jpeg:quality=" + "9" * 4000)
    def run(text):
        for load in (split_named, split_path, parse_shard, rq.load_attack, rq.load_defense, model_info):
            with answered(RobustIQAError):
                load(text)
        if text.endswith(".py") or ".py:" in text:
            with pytest.raises(RobustIQAError):
                rq.load_model(text)

    run()


def _table(rows):
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8", "surrogatepass")


@cases
def test_manifest(count, tmp_path):
    """A table of pairs: a dataset whose files all lie in its folder, or our error; images too."""
    for name in ("a.png", "b.png"):
        Image.new("RGB", (8, 8), (9, 9, 9)).save(tmp_path / name)
    Image.new("RGB", (8, 8)).save(tmp_path.parent / "up.png")
    (tmp_path / "link.png").symlink_to(tmp_path.parent / "up.png")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    header = st.just(["reference", "distorted", "mos"]) | st.lists(st.sampled_from(["ref", "dist", "mos", "dmos", "x", ""]), max_size=4)
    tables = st.builds(lambda head, rows: _table([head, *rows]), header, st.lists(st.lists(TEXTS, min_size=3, max_size=3), max_size=4))

    @fuzzing(count)
    @given(st.one_of(tables, st.binary(max_size=80)))
    @example(_table([["reference", "distorted", "mos"], ["a" * 300, "a.png", "1"]]))  # was an OSError
    def run(content):
        (tmp_path / "pairs.csv").write_bytes(content)
        with answered(InvalidInput):
            data = rq.load_dataset("csv:lower_better=false", tmp_path)
            for names in data.paths.values():
                assert all(inside(tmp_path, name).is_relative_to(tmp_path.resolve()) for name in names)
            for pair in data.pairs[:1]:
                data.images(pair)

    run()


@cases
def test_suite(count, tmp_path):
    """Any TOML, or none: a suite, or an error that names the file."""
    keys = st.sampled_from(["models", "attacks", "datasets", "defenses", "eps", "directions", "threat", "limit", "crop", "seed", "eot",
                            "max_seconds", "max_queries", "calibrate", "evil", "title"])  # fmt: skip
    words = st.sampled_from(["psnr", "pgd", "demo", "none", "8/255", "up", "adaptive", "1e999999999", "../x.py:Y", "ssim=0.9"])
    scalars = st.one_of(words.map(json.dumps), st.integers().map(str), st.sampled_from(["true", "nan", "inf", "1979-05-27", "[]", "{}", '""']))
    values = scalars | st.lists(scalars, max_size=3).map(lambda items: f"[{', '.join(items)}]")
    runs = st.dictionaries(keys, values, max_size=6).map(lambda run: "\n".join(f"{k} = {v}" for k, v in run.items()))
    suites = st.lists(runs, max_size=3).map(lambda some: "\n".join(['title = "t"', *(f"[[run]]\n{one}" for one in some)]))
    path = tmp_path / "suite.toml"

    @fuzzing(count)
    @given(st.one_of(suites.map(str.encode), st.text(max_size=60).map(lambda t: t.encode("utf-8", "ignore")), st.binary(max_size=40)))
    @example(b"[[run]]\nmodels = ['psnr']\ndatasets = ['demo']\nlimit = 1" + b"0" * 5000)
    @example(b"a = " + b"[" * 3000)
    def run(content):
        path.write_bytes(content)
        with answered(InvalidInput, "suite.toml"):
            load_suite(path)

    run()


def _paths(value, path=()):
    """Every place of a JSON value."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from _paths(inner, (*path, key))


def _put(value, path, new):
    if not path:
        return new
    value[path[0]] = _put(value[path[0]], path[1:], new)
    return value


@cases
def test_results(count, tmp_path, monkeypatch):
    """A genuine cell with any part replaced, cut or of other bytes: cells, or an error that names the file."""
    monkeypatch.setattr("robustiqa.benchmarks.plan.load_demo", lambda: memory(3))
    genuine, journal = cell_texts(tmp_path / "run")
    places = list(_paths(json.loads(genuine)))
    (tmp_path / "cells").mkdir()
    names = HOSTILE.filter(lambda name: name.strip(". ") and not {"/", "\0", "\\"} & set(name) and len(name) < 200)

    @fuzzing(count)
    @given(
        st.one_of(
            st.builds(lambda place, new: json.dumps(_put(json.loads(genuine), place, new)), st.sampled_from(places), JSON),
            st.integers(0, len(genuine)).map(lambda cut: genuine[:cut]),
            st.text(max_size=40),
        ),
        st.one_of(
            st.integers(0, len(journal)).map(lambda cut: journal[:cut]),
            st.lists(st.sampled_from(journal.splitlines()) | JSON.map(json.dumps) | st.text(max_size=10), max_size=5).map("\n".join),
        ),
        names,
    )
    @example("[" * 100_000, "", "a")
    @example("{}", '{"spec": 1}\n', "a")
    @example("", "[" * 100_000, "a")
    @example("1" * 5000, "1" * 5000, "a")
    def run(content, lines, name):
        for old in (tmp_path / "cells").iterdir():
            old.unlink()
        for suffix, text in ((".json", content), (".jsonl", lines)):
            (tmp_path / "cells" / f"{name}{suffix}").write_text(text, encoding="utf-8", errors="ignore")
            read_results(tmp_path)

    run()


@cases
def test_images(count, tmp_path):
    """Any damage to a file of any format: pixels, or UnreadableImage; never more memory than the limit allows."""
    edits = st.lists(st.tuples(st.integers(0, 400), st.binary(min_size=1, max_size=4)), min_size=1, max_size=6)
    path = tmp_path / "image"

    @fuzzing(count)
    @given(st.sampled_from(image_files()), edits, st.none() | st.integers(0, 300), st.binary(max_size=8))
    def run(content, changes, cut, tail):
        damaged = bytearray(content)
        for at, new in changes:
            damaged[at % len(damaged) : at % len(damaged) + len(new)] = new
        path.write_bytes(bytes(damaged[:cut]) + tail)
        read_an_image(path)

    run()
