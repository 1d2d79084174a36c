"""The docker and the daemon: what is told of it, one that is killed, one of another version."""

import re
import time

import pytest
from tests.hosts.conftest import IMPASTO
from tests.hosts.krita.conftest import save_style
from tests.hosts.krita.pieces import BEFORE, BEGUN

from impasto_protocol.descriptions import describe_estimate
from impasto_protocol.messages import PresetDelete
from impasto_protocol.settings import QUALITIES, Settings


@pytest.fixture(scope="module", autouse=True)
def style(saved_style):
    """There is a style to paint in."""


def test_what_is_baked_for_another_program_is_told_and_can_be_stopped(
    krita, krita_daemon, pictures
):
    with krita_daemon.connect() as client:
        client.bake("Dusk")
        stopped, baked = krita.run(
            BEFORE
            + """
def main():
    document = yield from opened(photo)
    yield from until(lambda: docker.words.text().startswith("Dusk: Baking, "))
    assert docker._cancel.isVisible() and docker._bar.isVisible()
    docker.cancel()
    told = [docker.words.text()]
    yield from until(lambda: docker.words.text() == "“Dusk” is baked.")
    yield from until(lambda: docker.styles.infos and docker.styles.infos[0].is_baked)
    told.append(not docker.styles.is_busy and not docker._cancel.isVisible())
    yield from closed(document)
    return told
""",
            **pictures,
        )
        assert stopped == "Cancelled." and baked
        client.ask(PresetDelete(name="Dusk"))
    save_style(krita_daemon, pictures)


def test_killed_daemon_is_noticed_and_the_next_painting_starts_another(
    own_krita, own_daemon, pictures
):
    daemon = own_daemon()
    save_style(daemon, pictures)
    host = own_krita(IMPASTO_HOME=str(daemon.home), IMPASTO_COMMAND=IMPASTO)
    number = host.begin(
        BEGUN
        + """
def main():
    document, before = yield from begun()
    (folder / "begun").touch()
    yield from until(lambda: docker.painting is None)
    yield from until(lambda: len(document.topLevelNodes()) == 1)
    yield 100
    assert docker._start.text() == "Start"
    first = [docker.words.text(), docker.state_words.text(), tree(document.rootNode()) == before]
    begin()
    assert docker._daemon.state == "connecting"
    docker.cancel()
    yield from until(lambda: docker.painting is None)
    first.append(docker.words.text())
    yield from painted(document)
    first.append(docker.words.text())
    docker._ask_report()
    yield from until(lambda: "oxford" in docker.state_words.text())
    lost = docker._daemon.client
    begin(iterations=90_000)
    yield from answered(docker._start.click, disagree)
    assert docker.painting and docker._start.text() == "Restart"
    yield from answered(docker._start.click, agree)
    yield from until(lambda: docker.painting is None)
    first.append(docker.words.text())
    yield from until(lambda: docker._daemon.state == "ready")
    assert docker._daemon.client is not lost
    return [*first, layers(document)]
""",
        folder=host.folder,
        **pictures,
    )
    deadline = time.monotonic() + 150
    while not (host.folder / "begun").exists():
        assert time.monotonic() < deadline, host.log()
        time.sleep(0.1)
    daemon.process.kill()
    words, state, unchanged, cancelled, again, restarted, names = host.end(number)
    assert words.startswith("The daemon has") and "not connected" in state and unchanged
    assert cancelled == "The job was cancelled."  # pressed while the other daemon was starting
    assert restarted.startswith("The daemon was started anew")
    assert names == ["Background", "Dusk 50%"]
    assert again.startswith("Done"), again
    assert daemon.impasto("daemon", "stop").returncode == 0


def test_other_version_of_the_protocol_says_which_side_to_update(
    own_krita, changed_data, krita_daemon, pictures
):
    data, plug_in = changed_data
    limits = plug_in / "vendor/impasto_protocol/limits.py"
    limits.write_text(limits.read_text().replace("PROTOCOL_MAJOR = 1", "PROTOCOL_MAJOR = 0"))
    words = own_krita(data=data, IMPASTO_HOME=str(krita_daemon.home)).run(
        BEFORE + "main = failed",
        **pictures,
    )
    assert "Update the plug-in" in words


def say_alike(one, other):
    """Whether two lines are the same but for 0.1 GiB: the memory is told at two moments."""
    told = [float(re.search(r"(\d+\.\d) GiB", line)[1]) for line in (one, other)]
    words = [re.sub(r"\d+\.\d GiB", "", line) for line in (one, other)]
    return words[0] == words[1] and abs(told[0] - told[1]) < 0.15


def test_what_a_painting_would_take_follows_controls_layer_and_selection(
    krita, krita_daemon, pictures
):
    """Beside the button, and as the daemon tells it for the pixels that would be sent."""
    told = krita.run(
        BEFORE
        + """
from krita import Selection
from impasto import estimate_line

def told(before):
    yield from until(lambda: line.text() not in ("", before), 20)
    return line.text()

def main():
    global line
    line = docker.estimate
    document = yield from opened(photo)
    # A quick one, after which it is known how long others take.
    yield from painted(document, iterations=24)
    yield from closed(document)
    docker.controls.quality.setCurrentIndex(0)
    docker.styles.choose("Dusk")
    answers = [line.text()]
    document = yield from opened(large)
    # Of all qualities it is known by the first answer.
    renew_ms, estimate_line._RENEW_MS = estimate_line._RENEW_MS, 10**9
    for index in range(4):
        docker.controls.quality.setCurrentIndex(index)
        answers.append((yield from told(answers[-1])))
    estimate_line._RENEW_MS = renew_ms
    part = Selection()
    part.select(300, 200, 90, 80, 255)
    document.setSelection(part)
    answers.append((yield from told(answers[-1])))
    begin(iterations=90_000, working_px=256)
    answers.append(line.isVisible())
    painting = docker.painting
    docker.cancel()
    yield from ended(painting)
    document.setSelection(None)
    group = document.createGroupLayer("Empty")
    document.rootNode().addChildNode(group, None)
    yield 300
    document.setActiveNode(group)
    yield from until(lambda: not line.text(), 20)
    yield from closed(document)
    return answers[1:]
""",
        **pictures,
    )
    *qualities, selected, visible = told
    with krita_daemon.connect() as client:

        def expected(quality, *size):
            settings = Settings(**QUALITIES[quality])
            return describe_estimate(client.estimate(size, settings), quality)

        for quality, line in zip(QUALITIES, qualities, strict=True):
            assert say_alike(line, expected(quality, 600, 800))
        assert say_alike(selected, expected("best", 80 + 2 * 64, 90 + 2 * 64))
    words = r"It takes (about \d+ (s|min)|\d+\.\d h) and \d+\.\d GiB"
    assert all(re.match(words, each) for each in qualities)
    assert not visible
