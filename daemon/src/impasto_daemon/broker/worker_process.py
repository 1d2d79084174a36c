"""The worker process as the broker sees it: started, spoken to without waiting, and killed."""

from __future__ import annotations

import logging
import multiprocessing
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from pathlib import Path

from impasto_daemon.config import Config
from impasto_daemon.logs import log_to
from impasto_daemon.worker.orders import Order, Quit, WorkerMessage
from impasto_daemon.worker.pipe import receive, send

log = logging.getLogger(__name__)

OnMessage = Callable[["WorkerProcess", WorkerMessage | None], None]
"""Called with each message, and with None once the process is gone."""


_TUNABLES = ":".join(
    f"glibc.malloc.{name}={value}"
    for name, value in (("hugetlb", 1), ("mmap_threshold", 2**25), ("trim_threshold", 2**33))
)
"""Large pages, and feature maps' memory kept for the next evaluation: a third less time.

Otherwise every map is asked of the system anew and filled with zeros. Between the stages of a
painting and after it the worker gives back what it does not use.
"""


class WorkerProcess:
    """A worker on its way up. `on_message` is called from another thread.

    Raises OSError or RuntimeError where the system gives no process or thread.
    """

    def __init__(self, config: Config, data_dir: Path, log: Path, on_message: OnMessage) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._on_message = on_message
        self._orders: queue.SimpleQueue[Order] = queue.SimpleQueue()
        self._process = context.Process(
            target=_worker_main, args=(theirs, config, data_dir, log), daemon=True
        )
        # From the folder that the daemon was started in it imports nothing.
        os.environ["PYTHONSAFEPATH"] = "1"
        # Read once each, when a process begins and when it first uses a GPU.
        os.environ.setdefault("GLIBC_TUNABLES", _TUNABLES)
        if sys.platform == "linux":
            os.environ.setdefault("PYTORCH_ALLOC_CONF", "expandable_segments:True")
        self._process.start()
        theirs.close()
        try:
            for task in (self._read_pipe, self._write_pipe):
                threading.Thread(target=task, daemon=True).start()
        except RuntimeError:  # no more threads
            self._process.kill()
            raise

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid or 0

    def send(self, order: Order) -> None:
        """Send an order as soon as the pipe takes it; never waits, never fails."""
        self._orders.put(order)

    def kill(self) -> None:
        """End the process at once; `on_message` is told when it is gone."""
        self._process.kill()

    def _read_pipe(self) -> None:
        try:
            while True:
                self._on_message(self, receive(self._pipe))
        except (EOFError, OSError):
            pass
        except Exception:  # as no memory for it: where the next one begins is not known
            self._process.kill()
            log.exception("what a worker said could not be read")
        finally:
            self._process.join()
            self.send(Quit())
            self._on_message(self, None)

    def _write_pipe(self) -> None:
        try:
            while True:
                order = self._orders.get()
                send(self._pipe, order)
                if isinstance(order, Quit):
                    return
        except OSError:
            return
        except Exception:
            self._process.kill()
            log.exception("an order could not be sent to a worker")


def _worker_main(pipe: Connection, config: Config, data_dir: Path, log: Path) -> None:
    """Where the new process begins."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    log_to(log, config.log_level)
    from impasto_daemon.worker.worker import serve

    try:
        serve(pipe, config, data_dir)
    except (EOFError, OSError):
        logging.getLogger(__name__).info("the broker is gone")


def _end_with_parent() -> None:
    """A worker without a broker would hold the GPU for nobody."""
    parent = multiprocessing.parent_process()
    if parent:
        wait([parent.sentinel])
        os._exit(1)
