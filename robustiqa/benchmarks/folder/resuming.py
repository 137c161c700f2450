"""Before a folder is continued: is what it holds of the same data, weights, code and version?"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from robustiqa.benchmarks.cell import Cell
from robustiqa.benchmarks.folder.sameness import differing, in_words, strangers
from robustiqa.benchmarks.folder.store import Store
from robustiqa.benchmarks.job import Job
from robustiqa.core.errors import InvalidInput
from robustiqa.datasets.base import Pair

SHOWN: Final = 5
Watch = Callable[[str, int, int], None]


def check_resumable(jobs: Sequence[Job], store: Store, watch: Watch = lambda _label, _done, _total: None) -> None:
    """Refuse to continue a folder that holds something else under the names of ``jobs``.

    Args:
        watch: hears of the images that are compared with those of finished rows: a label, how many, of how many.

    Raises:
        InvalidInput: names each cell, and whether data, images, weights, plug-in code or version are others.
    """
    if not store.holds_cells():
        return
    folder, cells = store.folder.parent, store.cells()
    others = [
        f"{in_words(spec)}: {differing(cell.spec, spec)} (cell {cell.spec.key})"
        for cell, spec in strangers([job.spec for job in jobs], cells)
        if not _came_to_nothing(cell)
    ]
    if others:
        raise InvalidInput(
            f"{folder} holds results of the same names that were made with something else; give another --out, or "
            f"delete these cells:\n{_listed(others)}"
        )
    changed = list(_changed(jobs, cells, watch))
    if changed:
        raise InvalidInput(
            f"{folder} holds results on other images than those that are there now; restore them, or give another "
            f"--out:\n{_listed(changed)}"
        )


def drop_failed(jobs: Sequence[Job], store: Store) -> None:
    """Drop cells that failed before their first row where ``jobs`` do the same with something else.

    A plug-in that was mended has other code, so its cells have other keys; what it never got to would be in every
    report as failed for good.
    """
    if not store.holds_cells():
        return
    for cell, _ in strangers([job.spec for job in jobs], store.cells()):
        if _came_to_nothing(cell):
            with store.held({cell.spec.key: in_words(cell.spec)}):
                store.drop(cell.spec)


def _came_to_nothing(cell: Cell) -> bool:
    return bool(cell.error) and not cell.samples


def _changed(jobs: Sequence[Job], cells: Sequence[Cell], watch: Watch) -> Iterator[str]:
    """Finished rows whose images are others now, cell by cell."""
    rows = {cell.spec.key: {row.id: row.data for row in cell.samples if row.data} for cell in cells}
    done = [(job, rows.get(job.spec.key, {})) for job in jobs]
    seen, total = 0, sum(len(known) for _, known in done)
    for job, known in done:
        names = [pair.id for pair in job.pairs if pair.id in known and _fingerprint(job, pair) != known[pair.id]]
        seen += len(known)
        watch("comparing images", seen, total)
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            yield f"{in_words(job.spec)}: {names[0]}{more}"


def _fingerprint(job: Job, pair: Pair) -> str:
    """Of a file that is gone, none: that is a change too."""
    try:
        return job.dataset.fingerprint(pair)
    except OSError:
        return ""


def _listed(lines: Sequence[str]) -> str:
    more = [f"... and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
    return "\n".join([*lines[:SHOWN], *more])
