"""Workers on a Ray cluster that share batches; the parent alone writes cells, pictures and all.

Each worker is an actor that has its share of the cluster for itself and one batch at a time, so that no more is under
way than there are workers, and whoever loses its worker is known. A batch that lost one is given to another, up to so
many times; nodes may come and go. The dearest cells are begun first, so that at the end nobody waits for a long one.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Final

import ray
import torch
from pydantic import JsonValue
from ray.exceptions import RayError, RayTaskError

from robustiqa.benchmarks.folder.store import Store
from robustiqa.benchmarks.job import Job
from robustiqa.benchmarks.pictures import Pictures
from robustiqa.benchmarks.provenance import environment
from robustiqa.benchmarks.shards import cost_per_sample
from robustiqa.benchmarks.sharing.cluster import Cluster
from robustiqa.benchmarks.sharing.ledger import Advance, Ledger, Task
from robustiqa.benchmarks.sharing.packing import Packed, Packer
from robustiqa.benchmarks.sharing.ray_worker import Made, Worker
from robustiqa.core.errors import InvalidInput

TRIES: Final = 3  # of a batch that loses its worker: nodes are lost for reasons of their own
STARTS: Final = 3  # workers that do not start, one after the other, before the run is given up
LOOK: Final = 0.5  # seconds between looks at whether a batch hangs
COUNT: Final = 5.0  # seconds between looks at which nodes there are
PATIENCE: Final = 600.0  # seconds without any worker before the run is given up
OWN: Final = frozenset({"created", "platform", "processor", "device", "threads"})  # that may differ from node to node
Say = Callable[[str], None]
Event = Future[Any]


@dataclass(eq=False)
class _Hand:
    """A worker, and the batch that it has had since a moment of :func:`time.monotonic`."""

    actor: Any
    node: object = None
    task: Task | None = None
    since: float = 0.0


class _Sharing:
    """One call of :func:`share`."""

    def __init__(
        self, jobs: Sequence[Job], store: Store, size: int, advance: Advance, say: Say, cluster: Cluster, *,
        fail_fast: bool,
    ) -> None:  # fmt: skip
        self._jobs, self._size, self._say, self._cluster, self._fail_fast = jobs, size, say, cluster, fail_fast
        self.ledger = Ledger(jobs, store, size, advance, self._open, self._close)
        self._pictures = Pictures(store.folder.parent)
        self._packer: Packer[ray.ObjectRef[bytes]] = Packer(ray.put)
        self._packed: dict[int, Packed[ray.ObjectRef[bytes]]] = {}
        self._waiting: deque[Task] = deque()
        self._tries: Counter[Task] = Counter()
        self._hands: set[_Hand] = set()
        self._idle: list[_Hand] = []
        self._events: SimpleQueue[tuple[_Hand, Event]] = SimpleQueue()
        self._batches = sum(-(-len(job.pairs) // size) for job in jobs)
        self._unstarted, self._counted, self._served = 0, 0.0, time.monotonic()

    def run(self) -> None:
        """Until everything that was given out came back.

        Raises:
            InvalidInput: workers do not start, or have other versions than this process.
        """
        while self._refill() or any(hand.task for hand in self._hands):
            self._recruit()
            self._give()
            with suppress(Empty):
                self._take(*self._events.get(timeout=LOOK))
            self._end_hanging()

    def stop(self) -> None:
        for hand in list(self._hands):
            self._dismiss(hand)

    def _refill(self) -> bool:
        """Whether a batch is waiting; the next fresh one is, if there are any left."""
        while self._waiting and self.ledger.has_failed(self._waiting[0]):
            self.ledger.finished(self._waiting.popleft())
        if self._fail_fast and self.ledger.failures:
            return False
        if not self._waiting:
            self._waiting.extend(filter(None, [self.ledger.next()]))
        return bool(self._waiting)

    def _recruit(self) -> None:
        """Start workers on what nodes there are; a new one may wait until the cluster has room for it."""
        now = time.monotonic()
        if any(hand.node for hand in self._hands):
            self._served = now
        elif now - self._served > PATIENCE:
            raise InvalidInput(self._nobody(f"none came within {PATIENCE:.0f} s"))
        if now - self._counted < COUNT:
            return
        self._counted = now
        wanted = self._cluster.workers or _fitting(self._cluster.needs.resources)
        for _ in range(len(self._hands), min(wanted, self._batches)):
            self._hire()

    def _hire(self) -> None:
        needs = self._cluster.needs
        actor = (
            ray.remote(Worker)
            .options(num_cpus=needs.cpus, num_gpus=needs.gpus, memory=needs.resources.get("memory"), max_restarts=0)
            .remote("cuda" if needs.gpus else "cpu", 1 if needs.gpus else needs.cpus)
        )
        hand = _Hand(actor)
        self._hands.add(hand)
        self._await(hand, actor.about.remote())

    def _await(self, hand: _Hand, reference: "ray.ObjectRef[Any]") -> None:
        reference.future().add_done_callback(lambda future: self._events.put((hand, future)))

    def _give(self) -> None:
        while self._idle and self._refill():
            hand, task = self._idle.pop(), self._waiting.popleft()
            hand.task, hand.since = task, time.monotonic()
            self._await(hand, hand.actor.compute.remote(self._packed[task.job], task.pairs, self._size))

    def _take(self, hand: _Hand, future: Event) -> None:
        """What came of a batch, or of starting a worker; of workers that were dismissed meanwhile, nothing."""
        if hand not in self._hands:
            return
        error = future.exception()
        if hand.node is None:
            self._welcome(hand, future.result()) if error is None else self._missed(hand, error)
            return
        task, hand.task = hand.task, None
        if task is None:
            return
        if error is None:
            self._idle.append(hand)
            self._keep(task, future.result())
        elif isinstance(error, RayError) and not isinstance(error, RayTaskError):
            self._lose(hand, task)
        else:
            self._idle.append(hand)
            self.ledger.fail(task, error if isinstance(error, Exception) else RuntimeError(str(error)))

    def _keep(self, task: Task, result: Made | Exception) -> None:
        if isinstance(result, Made):
            for name, data in result.pictures.items():
                if not self._pictures.path(name).is_file():
                    self._pictures.put(name, data)
        self.ledger.keep(task, result.rows if isinstance(result, Made) else result)

    def _welcome(self, hand: _Hand, about: Mapping[str, JsonValue]) -> None:
        """Let a worker begin, if its rows will be what ours would be."""
        ours, theirs = environment(torch.device("cpu")), dict(about)
        node = theirs.pop("node")
        others = [name for name in sorted(ours.keys() - OWN) if theirs.get(name) != ours[name]]
        if others:
            found = ", ".join(f"{name} {theirs.get(name)} in place of {ours[name]}" for name in others)
            raise InvalidInput(f"workers of the cluster have {found}; install the same on all nodes.")
        self.ledger.environment = self.ledger.environment or theirs
        self._unstarted, hand.node = 0, node
        self._idle.append(hand)
        self._tell()

    def _missed(self, hand: _Hand, error: BaseException) -> None:
        self._dismiss(hand)
        self._unstarted += 1
        if self._unstarted >= STARTS:
            raise InvalidInput(self._nobody(f"starting one fails: {str(error).strip().splitlines()[-1]}")) from error

    def _lose(self, hand: _Hand, task: Task) -> None:
        self._dismiss(hand)
        self._tries[task] += 1
        if self._tries[task] < TRIES:
            self._waiting.append(task)
        else:
            self.ledger.lost(task, "a worker", f"{TRIES} times")
        self._tell()

    def _end_hanging(self) -> None:
        """Dismiss the workers of batches that are far beyond their limit."""
        for hand in list(self._hands):
            limit = None if hand.task is None else self.ledger.longest(hand.task)
            if hand.task is not None and limit is not None and time.monotonic() - hand.since > limit:
                self._dismiss(hand)
                self.ledger.hung(hand.task)

    def _dismiss(self, hand: _Hand) -> None:
        self._hands.discard(hand)
        self._counted = 0.0  # another one may have room now
        with suppress(RayError):
            ray.kill(hand.actor)

    def _tell(self) -> None:
        nodes = Counter(hand.node for hand in self._hands if hand.node)
        self._say(f"{nodes.total()} workers on {len(nodes)} nodes")

    def _nobody(self, why: str) -> str:
        needs = self._cluster.needs
        return (
            f"no worker of {needs.cpus} cpus, {needs.gpus:g} gpus and {needs.memory:g} GB on the Ray cluster: {why}. "
            "See ray status; ask for less with --ray-worker, and install robustiqa on every node."
        )

    def _open(self, job: int) -> None:
        self._packed[job] = self._packer.pack(self._jobs[job])

    def _close(self, job: int) -> None:
        self._packed.pop(job, None)


def share(
    jobs: Sequence[Job], store: Store, size: int, advance: Advance, say: Say, cluster: Cluster, *,
    fail_fast: bool = False,
) -> list[tuple[Job, Exception]]:  # fmt: skip
    """Run ``jobs`` on a cluster, in batches of ``size``; the jobs that failed, each once.

    Args:
        advance: hears of how many samples were done.
        say: hears of how many workers there are.
        fail_fast: give out nothing more after the first failure; otherwise the other jobs go on.

    Raises:
        InvalidInput: no worker starts, or its versions are not ours.
        CannotWrite: the folder cannot be written into.
    """
    dearest = sorted(jobs, key=lambda job: (-cost_per_sample(job), job.spec.key))
    sharing = _Sharing(dearest, store, size, advance, say, cluster, fail_fast=fail_fast)
    try:
        sharing.run()
    finally:
        sharing.stop()
    return sharing.ledger.failures


def _fitting(needs: Mapping[str, float]) -> int:
    """Workers that fit on the nodes that live, were they empty."""
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    return sum(int(min(node.get(name, 0.0) / amount for name, amount in needs.items())) for node in nodes)
