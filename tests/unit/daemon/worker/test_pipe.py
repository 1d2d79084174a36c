"""The pipe between broker and worker."""

import multiprocessing
import threading

import pytest

from impasto_daemon.worker.orders import Interrupt, JobUpdate, Run
from impasto_daemon.worker.pipe import receive, send
from impasto_protocol import messages
from impasto_protocol.client import new_job_id


def through(message):
    ours, theirs = multiprocessing.Pipe()
    thread = threading.Thread(target=send, args=(ours, message))
    thread.start()
    try:
        return receive(theirs)
    finally:
        thread.join()


@pytest.mark.parametrize("sizes", [(1,), (5 << 20, 0, 17), (4 << 20,)])
def test_frames_arrive_as_they_were_sent(sizes):
    frames = tuple(memoryview(bytes(range(256)) * (size // 256 + 1))[:size] for size in sizes)
    sent = JobUpdate(messages.Cancelled(job=new_job_id()), frames)
    got = through(sent)
    assert got == sent
    assert not any(frame.readonly for frame in got.frames)


def test_message_without_frames():
    assert through(Interrupt("a", keep=True)) == Interrupt("a", keep=True)


def test_pixels_are_not_in_the_pickle():
    class Spy:
        def __init__(self):
            self.pickled, self.pieces = [], []

        def send(self, value):
            self.pickled.append(value)

        def send_bytes(self, piece):
            self.pieces.append(piece)

    spy, frame = Spy(), bytearray(b"x" * 100)
    send(spy, Run(messages.Ping(), (memoryview(frame),)))
    frame[0] = 0
    assert spy.pieces[0][0] == 0 and b"xxxx" not in spy.pickled[0][0]


def test_other_end_gone():
    ours, theirs = multiprocessing.Pipe()
    ours.close()
    with pytest.raises(EOFError):
        receive(theirs)
