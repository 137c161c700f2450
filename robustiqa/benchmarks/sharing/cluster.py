"""What is asked of a Ray cluster; nothing here imports Ray."""

from dataclasses import dataclass, replace
from typing import Final

from robustiqa.core.errors import InvalidInput
from robustiqa.core.parameters import build, split_named

GIGABYTE: Final = 10**9


@dataclass(frozen=True)
class Needs:
    """What each worker has for itself.

    Attributes:
        cpus: cores; as many threads share a batch.
        gpus: 0 for the CPU; less than 1 where several workers share a device.
        memory: gigabytes that the cluster sets aside; 0 for no account of it.
    """

    cpus: int = 1
    gpus: float = 0.0
    memory: float = 0.0

    def __post_init__(self) -> None:
        if self.cpus < 1 or self.gpus < 0 or self.memory < 0 or (self.gpus > 1 and self.gpus % 1):
            raise InvalidInput(
                f"a worker of {self.cpus} cpus, {self.gpus:g} gpus, {self.memory:g} GB: cpus are at least 1, gpus "
                "whole or a part of one, memory in GB; write it as cpus=2,gpus=1,memory=8."
            )

    @property
    def resources(self) -> dict[str, float]:
        """As Ray calls them."""
        named = {"CPU": float(self.cpus), "GPU": self.gpus, "memory": float(int(self.memory * GIGABYTE))}
        return {name: amount for name, amount in named.items() if amount}


@dataclass(frozen=True)
class Cluster:
    """A Ray cluster and how it is used.

    Attributes:
        address: ``HOST:PORT``; None for ``RAY_ADDRESS``, else for a cluster of this machine, which is started.
        needs: of each worker.
        workers: how many; None for as many as fit on the nodes that there are.
    """

    address: str | None = None
    needs: Needs = Needs()
    workers: int | None = None

    def using(self, text: str) -> "Cluster":
        """With workers as ``text`` spells them, such as ``cpus=2,gpus=0.5,memory=8``.

        Raises:
            InvalidInput: no such resource, or no such amount.
        """
        return replace(self, needs=build(Needs, split_named(f"worker:{text}")[1]))
