"""Scenes of the connection to the daemon: what is told of it, and how it begins and ends."""

import gc
import os
import threading
from dataclasses import replace
from unittest.mock import Mock, patch

import zmq
from impasto import daemon_client
from krita import Document, Krita
from painter import declining
from painting import LONG, begin, end, words_of

from impasto_protocol.client import Client, stop_daemon
from impasto_protocol.codec import Picture
from impasto_protocol.errors import DaemonLost
from impasto_protocol.settings import Settings


def state(docker):
    return docker.state_words.text()


def status(painter, photo):
    docker = painter.docker
    begin(painter, photo, Settings(iterations=2, working_px=64))
    painter.until("the end", lambda: docker.painting is None)
    told = [painter.until("the device", lambda: " · " in state(docker) and state(docker))]
    begin(painter, photo, LONG)
    with Client.connect(start=False) as other:
        job = other.stylise(Picture(1, 1, 3, "uint8", bytes(3)), "Dusk")
        painter.until("a waiting job", lambda: "1 waiting" in state(docker))
        told.append(state(docker))
        questions = []

        def decline(dialog):
            questions.append(dialog.text())
            declining(dialog)

        with painter.answering("whether to restart", decline):
            painter.press("Restart")
        job.cancel()
    painter.until("no waiting job", lambda: "waiting" not in state(docker))
    end(painter, "Cancel")
    return [*told, *questions, words_of(painter)]


def baking(painter):
    """What another bakes is asked about before a restart; without the daemon nothing is known."""
    docker, saver, told = painter.docker, painter.docker.styles._saver, []
    with Client.connect(start=False) as other:
        job = other.bake("Bark")
        painter.until("what is baked", lambda: saver.names)
        with painter.answering("whether to restart", lambda asked: (told.append(asked.text()),
                                                                    declining(asked))):  # fmt: skip
            painter.press("Restart")
        docker._daemon._lose(DaemonLost("The daemon has ended."))
        told += [saver.names, docker.styles.is_busy]
        job.cancel()
        list(job.events())  # so that it is not baked while the next test deletes it
    return told


def restart(painter):
    docker, told = painter.docker, []

    def restarted(button):
        painter.until("all answers", lambda: not docker._daemon._asked)
        painter.press(button)
        told.append([state(docker), docker._start.isEnabled(), words_of(painter)])
        painter.until("Restart", lambda: docker._start.text() == "Restart")
        assert docker._start.isEnabled()

    painter.until("the daemon", lambda: docker._start.text() == "Restart")
    restarted("Restart")
    stop_daemon()
    painter.until("Start", lambda: docker._start.text() == "Start")
    told.append([state(docker), words_of(painter)])
    restarted("Start")
    return told


def restarts(painter):
    """What is done where the daemon is to be restarted, or was lost and answers or does not."""
    daemon, done = painter.docker._daemon, []
    named, silent = {"IMPASTO_CONNECTION": "/nowhere"}, DaemonLost("It is silent.")
    answers = iter((Mock(), Mock(), silent, Mock(), Mock(), Mock()))

    def connect(name):
        answer = next(answers)
        done[-1].append("lost" if answer is silent else "connected")
        if answer is silent:
            raise silent
        return answer

    with (
        patch.object(Client, "connect", connect),
        patch.object(daemon_client, "stop_daemon", lambda: done[-1].append("stopped")),
    ):
        for is_lost, environment in ((False, {}), (True, {}), (True, {}), (False, named),
                                     (True, named)):  # fmt: skip
            done.append([])
            with patch.dict(os.environ, environment):
                daemon._connect(True, is_lost)
    daemon._arriving = None
    return done


def estimate(painter, photo):
    """What is told beside the button: of a layer, by an older daemon, and without one."""
    docker, told = painter.docker, []
    Krita.document = Document(photo)
    line = docker.estimate
    told.append(painter.until("an estimate", line.text))
    client = docker._daemon.client
    known, client.welcome = client.welcome, replace(client.welcome, capabilities=())
    painter.until("no estimate of an older daemon", lambda: not line.text())
    client.welcome = known
    told.append(painter.until("an estimate", line.text))
    Krita.document = None
    painter.until("no estimate without a document", lambda: not line.text())
    Krita.document = Document(photo)
    painter.until("an estimate", line.text)
    docker._daemon._lose(DaemonLost("The daemon has ended."))
    painter.until("no estimate without a daemon", lambda: not line.text())
    return [*told, docker._daemon.state]


def leave_while_connecting(painter):
    """How many sockets are open afterwards."""
    painter.leave()
    painter.until("the end of all threads", lambda: threading.active_count() == 1)
    gc.collect()
    sockets = (found for found in gc.get_objects() if isinstance(found, zmq.Socket))
    return sum(not socket.closed for socket in sockets)
