"""What runs on the nodes of a cluster: a worker that keeps models, and sends back rows and pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import ray
import torch
from pydantic import JsonValue

from robustiqa.benchmarks.cell import SampleRow
from robustiqa.benchmarks.images import Images
from robustiqa.benchmarks.job import Job, computed
from robustiqa.benchmarks.pictures import Pictures
from robustiqa.benchmarks.provenance import environment
from robustiqa.benchmarks.sharing.crew import Crew
from robustiqa.benchmarks.sharing.halving import halving
from robustiqa.benchmarks.sharing.ledger import sendable
from robustiqa.benchmarks.sharing.packing import Packed, Unpacker
from robustiqa.core.memory import keep_freed_memory
from robustiqa.core.model import QualityModel
from robustiqa.datasets.base import Pair

KEPT: Final = 16  # models and datasets that stay loaded


@dataclass(frozen=True)
class Made:
    """The rows of a batch, and PNG files that they name."""

    rows: list[SampleRow]
    pictures: Mapping[str, bytes]


class _Posted(Pictures):
    """Pictures that are sent rather than written: the folder of the run is not on this machine."""

    def __init__(self) -> None:
        super().__init__(Path())
        self.files: dict[str, bytes] = {}

    def put(self, name: str, data: bytes) -> None:
        self.files[name] = data


class Worker:
    """Computes batches, one at a time.

    Args:
        device: of all its models.
        threads: how many share a batch.
    """

    def __init__(self, device: str, threads: int) -> None:
        keep_freed_memory()
        torch.set_num_threads(1)
        self._device, self._threads = torch.device(device), threads
        self._crew, self._images = Crew(threads), Images()
        self._unpacker = Unpacker(self._placed, KEPT)
        self._job: tuple[object, Job] | None = None

    def about(self) -> dict[str, JsonValue]:
        """What it computes with; and its ``node``."""
        node = ray.get_runtime_context().get_node_id()
        return {**environment(self._device), "threads": self._threads, "node": node}

    def compute(self, packed: "Packed[ray.ObjectRef[bytes]]", pairs: Sequence[Pair], size: int) -> Made | Exception:
        """The rows of a batch, or what was raised."""
        try:
            posted = _Posted()
            job = self._unpacked(packed)
            job = replace(job, observer=replace(job.observer, pictures=posted))
            ready = self._images.batches(job.dataset, pairs, job.spec.crop, size, self._device)
            rows = [row for batch in ready for row in computed(job, batch, halving(self._crew.run))]
            return Made(rows, posted.files)
        except Exception as error:  # noqa: BLE001 (whatever a plug-in raises fails its own job only)
            return sendable(error)

    def _unpacked(self, packed: "Packed[ray.ObjectRef[bytes]]") -> Job:
        if self._job is None or self._job[0] != packed.job:
            data = ray.get(packed.job)
            self._job = packed.job, self._unpacker.unpack(data, lambda name: ray.get(packed.parts[name]))
        return self._job[1]

    def _placed(self, part: Any) -> Any:  # noqa: ANN401 (a model or a dataset)
        return part.to(self._device) if isinstance(part, QualityModel) else part
