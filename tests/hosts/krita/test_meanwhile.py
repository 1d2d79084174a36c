"""What a painter does while a layer is painted, and what is left of it in the end."""

import time

import pytest
from tests.hosts.krita.conftest import await_cancelled, state_of
from tests.hosts.krita.pieces import BEFORE, BEGUN, LONG

PREPARED = {
    "as it is": "",
    "sixteen bits": """
document.setColorSpace("RGBA", "U16", "sRGB-elle-V2-srgbtrc.icc")
""",
    "selection": """
from krita import Selection
soft = Selection()
soft.select(50, 40, 60, 50, 255)
document.setSelection(soft)
""",
}


@pytest.fixture(scope="module", autouse=True)
def style(saved_style):
    """There is a style to paint in."""


@pytest.mark.parametrize("prepared", PREPARED)
def test_cancel_leaves_the_document_as_it_was(krita, pictures, krita_daemon, prepared):
    before, after, clean, undo, words, job, unlocked = krita.run(
        BEGUN
        + """
def main():
    document, before = yield from begun(prepared, states=3)
    painting = docker.painting
    krita.action("impasto_cancel").trigger()
    yield from ended(painting)
    yield 500
    after, clean = tree(document.rootNode()), not document.modified()
    words, undo = docker.words.text(), krita.action("edit_undo").text()
    yield from trigger("edit_redo")
    unlocked = not any(node.locked() for node in document.topLevelNodes())
    yield from closed(document)
    return [before, after, clean, undo, words, painting.job, unlocked]
""",
        prepared=PREPARED[prepared],
        **pictures,
    )
    assert after == before and clean and words == "The job was cancelled."
    assert "Add" not in undo and unlocked
    assert state_of(krita_daemon, job) == "cancelled"


@pytest.mark.parametrize("prepared", ["sixteen bits", "selection"])
def test_cancel_keeps_what_the_painter_did_meanwhile(krita, pictures, prepared):
    names, clean, words = krita.run(
        BEGUN
        + """
def main():
    document, before = yield from begun(prepared)
    own = document.createNode("My own", "paintlayer")
    document.rootNode().addChildNode(own, None)
    yield 500
    painting = docker.painting
    docker.cancel()
    yield from ended(painting)
    names = [node.name() for node in document.topLevelNodes() if node.type() == "paintlayer"]
    clean, words = not document.modified(), docker.words.text()
    yield from closed(document)
    return [names, clean, words]
""",
        prepared=PREPARED[prepared],
        **pictures,
    )
    assert names == ["Background", "My own"] and words == "The job was cancelled."
    assert not clean


def test_cancel_does_not_call_saved_what_was_done_before_the_first_preview(krita, pictures):
    names, clean = krita.run(
        BEFORE
        + f"""
def main():
    document = yield from opened(photo)
    begin({LONG})
    own = document.createNode("My own", "paintlayer")
    document.rootNode().addChildNode(own, None)
    painting = docker.painting
    yield from until(lambda: painting.canvas and painting._step is not None)
    docker.cancel()
    yield from ended(painting)
    told = [[node.name() for node in document.topLevelNodes()], not document.modified()]
    yield from closed(document)
    return told
""",
        **pictures,
    )
    assert names == ["Background", "My own"] and not clean


REMOVED = ("docker.painting.canvas.remove()", "The layer that was being painted was removed.")
ENDS = {
    "document": ("yield from closed(document)", "The document was closed."),
    "canvas": REMOVED,
    "canvas at once": REMOVED,
    "undo": ("yield from trigger('edit_undo')", "The layer that was being painted was removed."),
    "size": (
        "document.resizeImage(0, 0, 200, 150)",
        "The image got another size while it was being painted.",
    ),
}


@pytest.mark.parametrize("what", ENDS)
def test_what_is_painted_going_away_ends_the_job_quietly(krita, pictures, krita_daemon, what):
    doing, said = ENDS[what]
    words, names, job = krita.run(
        BEGUN
        + f"""
def main():
    document, before = yield from begun(states=0 if "at once" in what else 2)
    painting, names = docker.painting, None
    job = painting.job
    {doing}
    yield from ended(painting)
    yield 500
    if what != "document":
        names = [node.name() for node in document.topLevelNodes()]
        yield from closed(document)
    return [docker.words.text(), names, job]
""",
        what=what,
        **pictures,
    )
    assert words == said and names in (None, ["Background"])
    await_cancelled(krita_daemon, job)


@pytest.mark.parametrize("how", ["conclude", "cancel"])
def test_what_comes_while_krita_converts_waits_for_it(krita, pictures, how):
    """Krita may run its event loop in a conversion; what came then crashed it."""
    names, words, waited = krita.run(
        BEGUN
        + """
def main():
    document, before = yield from begun(prepared, states=0)
    painting, clock, waited = docker.painting, QtCore.QElapsedTimer(), []
    make = painting._converter._open
    def slowly():
        made = make()
        if not clock.isValid():
            getattr(docker, how)()
            clock.start()
            while clock.elapsed() < 800 or not painting._over:
                QtWidgets.QApplication.processEvents()
                assert clock.elapsed() < 100_000
            waited.append(docker.painting is painting)
        return made
    painting._converter._open = slowly
    yield from until(lambda: waited and docker.painting is None)
    yield from done(document, painting) if how == "conclude" else ended(painting)
    names, words = [node.name() for node in document.topLevelNodes()], docker.words.text()
    yield from closed(document)
    return [names, words, waited]
""",
        how=how,
        prepared=PREPARED["sixteen bits"],
        **pictures,
    )
    assert waited == [True]
    if how == "cancel":
        assert names == ["Background"] and words == "The job was cancelled."
    else:
        assert names == ["Background", "Dusk 50%"] and words.startswith("Done")


def test_cancel_pressed_while_the_layer_is_read(krita, pictures):
    """The daemon does not know of the job yet."""
    names, words, sent = krita.run(
        BEFORE
        + """
def main():
    document = yield from opened(photo)
    from impasto import layers as moved
    read, submit, sent = moved.read, docker._daemon.submit, []
    def slowly(*arguments):
        docker.cancel()
        return read(*arguments)
    moved.read, docker._daemon.submit = slowly, lambda *told: sent.append(1)
    begin()
    moved.read, docker._daemon.submit = read, submit
    yield from until(lambda: docker.painting is None)
    yield 500
    told = [layers(document), docker.words.text(), len(sent)]
    yield from closed(document)
    return told
""",
        **pictures,
    )
    assert names == ["Background"] and words == "The job was cancelled." and sent == 0


def test_saved_while_it_is_painted_is_not_called_saved_afterwards(krita, pictures, tmp_path):
    names, modified = krita.run(
        BEGUN
        + """
def main():
    document, before = yield from begun()
    painting = docker.painting
    document.saveAs(str(folder / "half.kra"))
    document.waitForDone()
    yield from until(lambda: not document.modified())
    docker.conclude()
    yield from done(document, painting)
    told = [layers(document), document.modified()]
    yield from closed(document)
    return told
""",
        folder=tmp_path,
        **pictures,
    )
    assert names == ["Background", "Dusk 50%"] and modified


def test_nothing_is_put_in_while_the_pen_is_down(krita, pictures, tmp_path):
    """Krita would wait for the pen to be lifted, and never hear of it."""
    number = krita.begin(
        BEFORE
        + """
def main():
    document = yield from opened(photo)
    (folder / "open").touch()
    yield from until((folder / "down").exists)
    yield 500
    assert not document.tryBarrierLock(), "the pen is not down"
    begin()
    painting = docker.painting
    yield from until(lambda: painting._over)
    yield 1000
    held = [len(document.topLevelNodes()), docker.painting is not None]
    (folder / "held").touch()
    yield from done(document, painting)
    names = [node.name() for node in document.topLevelNodes()]
    words, undo = docker.words.text(), krita.action("edit_undo").text()
    yield from closed(document)
    return [held, names, words, undo]
""",
        folder=tmp_path,
        **pictures,
    )
    deadline = time.monotonic() + 250

    def wait_for(name):
        while not (tmp_path / name).exists():
            assert time.monotonic() < deadline, krita.log()
            time.sleep(0.1)

    wait_for("open")
    krita.xdotool("mousemove", "700", "400", "mousedown", "1", "mousemove_relative", "20", "20")
    try:
        (tmp_path / "down").touch()
        wait_for("held")
    finally:
        krita.xdotool("mouseup", "1")
    held, names, words, undo = krita.end(number)
    assert held == [1, True]
    assert names == ["Background", "Dusk 50%"] and words.startswith("Done")
    assert "Add" in undo


def test_the_view_in_front_says_which_layer(krita, pictures):
    told = krita.run(
        BEFORE
        + """
def main():
    document = yield from opened(photo)
    background, = document.topLevelNodes()
    top = background.duplicate()
    top.setName("Top")
    document.rootNode().addChildNode(top, background)
    yield 500
    document.setActiveNode(background)
    yield 300
    krita.activeWindow().addView(document)
    yield 500
    document.setActiveNode(top)
    yield 300
    first = document.activeNode().name()
    yield from painted(document)
    names = [node.name() for node in document.topLevelNodes()]
    selected = [node.name() for node in krita.activeWindow().activeView().selectedNodes()]
    yield from closed(document)
    return [first, names, selected]
""",
        **pictures,
    )
    assert told == ["Background", ["Background", "Top", "Dusk 50%"], ["Top"]]


def test_closing_the_window_takes_the_canvas_out(krita, pictures, krita_daemon):
    names, undo, job = krita.run(
        BEFORE
        + f"""
def main():
    document = yield from opened(photo)
    window = krita.openWindow()
    yield 1000
    window.addView(document)
    yield 500
    theirs = window.qwindow().findChild(type(docker))
    theirs._paint(lambda: Recipe("Dusk", Settings({LONG})))
    job = theirs.painting.job
    yield from until(lambda: theirs.painting.canvas)
    yield 1000
    document.setModified(False)  # or Krita would ask
    window.qwindow().close()
    yield from until(lambda: len(document.topLevelNodes()) == 1)
    names = [node.name() for node in document.topLevelNodes()]
    undo = krita.action("edit_undo").text()
    yield from closed(document)
    return [names, undo, job]
""",
        **pictures,
    )
    assert names == ["Background"], undo
    await_cancelled(krita_daemon, job)
