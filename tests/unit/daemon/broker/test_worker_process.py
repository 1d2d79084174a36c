"""A real worker process, and a broker that runs out of memory."""

import queue

import pytest

from impasto_daemon.broker import worker_process
from impasto_daemon.broker.worker_process import WorkerProcess
from impasto_daemon.config import Config
from impasto_daemon.worker.orders import Interrupt


def fail(*_):
    raise MemoryError


@pytest.mark.parametrize("fails", ["receive", "send"])
def test_worker_whose_messages_there_is_no_memory_for_is_ended_and_told_as_gone(
    tmp_path, monkeypatch, fails
):
    monkeypatch.setattr(worker_process, fails, fail)
    told = queue.SimpleQueue()
    worker = WorkerProcess(
        Config(), tmp_path, tmp_path / "log", lambda _, message: told.put(message)
    )
    try:
        worker.send(Interrupt("a"))
        while told.get(timeout=60) is not None:
            pass
    finally:
        worker.kill()
    assert not worker._process.is_alive()


def test_worker_imports_nothing_from_the_folder_that_the_daemon_was_started_in(
    tmp_path, monkeypatch
):
    (tmp_path / "multiprocessing.py").write_text('raise SystemExit("a painter\'s own")')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONSAFEPATH", "")
    told = queue.SimpleQueue()
    worker = WorkerProcess(
        Config(), tmp_path, tmp_path / "log", lambda _, message: told.put(message)
    )
    try:
        assert told.get(timeout=60) is not None
    finally:
        worker.kill()
