"""To a Ray cluster and back."""

import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from robustiqa.core.errors import InvalidInput


@contextmanager
def connected(address: str | None) -> Iterator[None]:
    """Be connected to a cluster; a connection that the caller already has is used, and left.

    Args:
        address: None for ``RAY_ADDRESS``, else for a cluster of this machine, which is started where there is none.

    Raises:
        InvalidInput: Ray is not installed, or there is no such cluster.
    """
    try:
        import ray  # noqa: PLC0415 (an extra)
    except ImportError as error:
        raise InvalidInput("--engine ray needs Ray; install it with: pip install 'robustiqa[ray]'.") from error
    if ray.is_initialized():
        yield
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent anywhere unasked
    handler = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, ValueError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise InvalidInput(f"no Ray cluster at {address or 'RAY_ADDRESS'}: {reason}") from error
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handler)  # Ray has put its own there
    try:
        yield
    finally:
        ray.shutdown()
