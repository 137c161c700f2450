"""Results at a URL: what goes up, what is fetched, and what a run goes on with elsewhere."""

import fsspec
import pytest

from robustiqa.benchmarks.folder import mirror as mirrors
from robustiqa.benchmarks.folder.mirror import Bucket, Mirror, fetched
from robustiqa.core.errors import CannotWrite, InvalidInput
from tests.benchmarks.test_running import rows_of
from tests.command import robustiqa

pytestmark = pytest.mark.usefixtures("toy_calibration")


@pytest.fixture(params=["file", "memory"])
def url(request, tmp_path):
    """An empty place of each kind."""
    place = f"{request.param}://{tmp_path}/bucket/run"
    yield place
    if request.param == "memory":
        fsspec.filesystem("memory").rm(f"{tmp_path}", recursive=True)


def bench(place, limit, **more):
    options = ["--model", "psnr", "--attack", "fgsm", "--crop", 32, "--direction", "up", "--judges", "none", "--save-images"]
    return robustiqa("bench", *options, "--limit", limit, "--out", place, *(x for pair in more.items() for x in pair))


def test_a_run_at_a_url_is_the_run_in_a_folder(url, tmp_path, monkeypatch):
    """Also where it goes on on another machine: cells are whole objects, no journal stays, and the report reads them."""
    assert bench(url, 2).returncode == 0
    monkeypatch.setenv("ROBUSTIQA_CACHE", str(tmp_path / "another machine"))
    again = bench(url, 4)
    assert again.returncode == 0, again.stderr
    bench(tmp_path / "local", 4)
    with fetched([url]) as (folder,):
        assert rows_of(folder) == rows_of(tmp_path / "local")
    names = Bucket(url).names()
    assert names == {p.relative_to(tmp_path / "local").as_posix() for p in (tmp_path / "local").rglob("*.*") if p.suffix in {".json", ".png"}}
    texts = [robustiqa("report", place, "--without-seconds").stdout for place in (url, tmp_path / "local")]
    assert texts[0] == texts[1]
    assert "fgsm" in texts[0]


def test_journals_of_a_run_under_way_go_up_and_go_when_it_is_finished(url, tmp_path):
    """Whole ones, now and then."""
    mirror = Mirror(url, tmp_path / "own")
    cells = tmp_path / "own" / "cells"
    cells.mkdir(parents=True)
    (cells / f"{'a' * 64}.jsonl").write_text("{}\n")
    (cells / ".lock").touch()
    mirror.push_if_due()
    assert Bucket(url).names() == set()
    mirror.push()
    assert Bucket(url).names() == {f"cells/{'a' * 64}.jsonl"}
    (cells / f"{'a' * 64}.jsonl").rename(cells / f"{'a' * 64}.json")
    mirror.push()
    assert Bucket(url).names() == {f"cells/{'a' * 64}.json"}


def test_what_is_due_is_pushed(url, tmp_path, monkeypatch):
    """By every sign of progress, once the time has come."""
    monkeypatch.setattr(mirrors, "EVERY", 0.0)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "shard.json").write_text("{}")
    Mirror(url, tmp_path / "own").push_if_due()
    assert Bucket(url).names() == {"shard.json"}


def test_names_that_are_none_of_ours_are_let_lie(tmp_path):
    """Whatever else a bucket holds is not fetched."""
    (tmp_path / "cells").mkdir()
    for name in ("cells/x.json", "cells/evil.py", f"cells/{'a' * 64}.json.tmp", "run.sh"):
        (tmp_path / name).touch()
    assert Bucket(f"file://{tmp_path}").names() == set()


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), LookupError("no credentials")])
def test_a_store_that_fails_is_an_error_of_one_line(tmp_path, monkeypatch, error):
    """Whatever it raises: when it is written, and when it is read."""
    bucket = Bucket(f"memory://{tmp_path}")

    def fail(*_arguments, **_options):
        raise error

    monkeypatch.setattr(bucket._files, "pipe_file", fail)
    with pytest.raises(CannotWrite, match="No space left|no credentials"):
        bucket.put("shard.json", b"{}")
    monkeypatch.setattr(bucket._files, "exists", fail)
    with pytest.raises(InvalidInput, match="No space left|no credentials"):
        bucket.names()


@pytest.mark.parametrize("place", ["nosuch://bucket/run", "memory://nothing/here"])
def test_places_without_results_are_refused(place):
    """An unknown protocol, and an empty place: exit code 2."""
    assert robustiqa("report", place).returncode == 2
    if place.startswith("nosuch"):
        with pytest.raises(InvalidInput, match="nosuch"):
            Mirror(place)
