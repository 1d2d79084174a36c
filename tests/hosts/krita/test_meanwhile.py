"""What a painter does while a layer is painted, and what is left of it in the end."""

import time

import numpy as np
import pytest
from PIL import Image
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


def test_document_closed_ends_the_job_quietly(krita, pictures, krita_daemon):
    words, job = krita.run(
        BEGUN
        + """
def main():
    document, before = yield from begun()
    painting = docker.painting
    yield from closed(document)
    yield from ended(painting)
    return [docker.words.text(), painting.job]
""",
        **pictures,
    )
    assert words == "The document was closed."
    await_cancelled(krita_daemon, job)


TAKEN_OUT = {
    "undone": "yield from trigger('edit_undo')",
    "removed": "painting.canvas.remove()",
}


@pytest.mark.parametrize("how", TAKEN_OUT)
@pytest.mark.parametrize("states", [0, 2])
def test_redo_of_what_was_undone_meanwhile_brings_a_finished_layer_back(
    krita, pictures, krita_daemon, how, states
):
    words, names, job, back, kept = krita.run(
        BEGUN
        + f"""
from impasto import layer_recipes
def main():
    document, before = yield from begun(states=states)
    painting = docker.painting
    {TAKEN_OUT[how]}
    yield from ended(painting)
    told = [docker.words.text(), layers(document), painting.job]
    yield from until(lambda: painting._source is None)
    yield from trigger("edit_redo" if undone else "edit_undo")
    yield 200
    back = [[node.name(), node.locked()] for node in document.topLevelNodes()]
    kept = layer_recipes.find(document, document.topLevelNodes()[-1])
    yield from closed(document)
    return [*told, back, kept and kept.style]
""",
        states=states,
        undone=how == "undone",
        **pictures,
    )
    assert words == "The layer that was being painted was removed." and names == ["Background"]
    assert back == [["Background", False], ["Dusk 50%", False]] and kept == "Dusk"
    assert state_of(krita_daemon, job) == "done"


UNLIKE, GONE = "is in an image of its own", "is the topmost layer"
MERGE = "yield from trigger('select_all_layers'); yield from trigger('merge_layer')"
MEANWHILE = {
    "turned by 180°": ("yield from trigger('rotateImage180')", None, UNLIKE),
    "turned by 90° before": ("yield from trigger('rotateImageCW90')", None, UNLIKE),
    "mirrored after": ("yield from trigger('mirrorImageHorizontal')", None, UNLIKE),
    "scaled before": ("document.scaleImage(80, 60, 72, 72, 'Bilinear')", None, UNLIKE),
    "sheared after": ("document.shearImage(10, 0)", None, UNLIKE),
    "cropped": ("document.crop(5, 6, 100, 90)", (-5, -6), ""),
    "canvas resized": ("document.resizeImage(-10, -20, 200, 200)", (10, 20), ""),
    "another colour space": (
        "document.setColorSpace('RGBA', 'U16', 'sRGB-elle-V2-srgbtrc.icc')", (0, 0), "",
    ),
    "layer moved": ("source.move(7, 8)", (7, 8), ""),
    "layer grouped": ("yield from trigger('create_quick_group')", (0, 0), ""),
    "layer locked and hidden": ("source.setLocked(True); source.setVisible(False)", (0, 0), ""),
    "layer duplicated": ("yield from trigger('duplicatelayer')", (0, 0), ""),
    "layer turned before": ("source.rotateNode(math.pi)", None, UNLIKE),
    "layer turned after": ("source.rotateNode(math.pi)", (0, 0), ""),
    "layer removed before": ("source.remove()", (0, 0), GONE),
    "layer removed after": ("source.remove()", (0, 0), ""),
    "flattened": ("document.flatten()", (0, 0), GONE),
    "merged down after": (
        "document.setActiveNode(painting.canvas); yield 200; yield from trigger('merge_layer')",
        (0, 0), "",
    ),
    "all merged after": (MERGE, (0, 0), ""),
    "all merged, the layer itself too, after": (MERGE, (0, 0), GONE),
    "another image in front": ("other = yield from opened(photo)", (0, 0), ""),
}  # fmt: skip


CASES = [
    (what, when)
    for what in MEANWHILE
    for when in ("before", "after")
    if what.endswith(when) or not what.endswith(("before", "after"))
]


@pytest.mark.parametrize(("what", "when"), CASES)
def test_painting_is_kept_where_it_belongs_whatever_is_done_meanwhile(krita, pictures, what, when):
    """Before or after a preview was put into the image."""
    doing, shift, said = MEANWHILE[what]
    words, painted, locked, stray, top = krita.run(
        BEGUN
        + f"""
import math
def main():
    document = yield from opened(photo)
    source, = document.topLevelNodes()
    begin(strength=0.1, as_source="too" not in what, {LONG})
    painting = docker.painting
    yield from until(lambda: painting._sent)
    if when == "after":
        yield from until(lambda: painting.canvas and painting._step is not None)
    other = None
    {doing}
    document.waitForDone()
    yield 300
    if docker.painting:
        docker.conclude()
    yield from until(lambda: docker.painting is None)
    yield 500
    canvas, place = painting.canvas, shift or (0, 0)
    canvas.setColorSpace("RGBA", "U8", "sRGB-elle-V2-srgbtrc.icc")
    told = [docker.words.text(), pixels(canvas, (*place, 160, 120)), canvas.locked(),
            [painting.document != document, "Impasto" in layers(document)],
            layers(painting.document)[-1]]
    for each in (other, document, painting.document):
        if each in krita.documents():
            yield from closed(each)
    return told
""",
        what=what,
        when=when,
        shift=shift,
        **pictures,
    )
    assert words.startswith("Done") and (said in words if said else "meanwhile" not in words)
    photo = np.asarray(Image.open(pictures["photo"]).convert("RGB"), float)
    shown = np.frombuffer(bytes.fromhex(painted), np.uint8).reshape(120, 160, 4)[..., 2::-1]
    apart = np.abs(photo - shown).mean()
    assert apart < 12 < np.abs(photo - shown[::-1, ::-1]).mean()
    assert not locked and stray == [shift is None, False]
    assert said != GONE or top == "Dusk 10%"


def test_result_that_overtakes_the_first_preview_stays_in_its_image(krita, pictures):
    words, names, images = krita.run(
        BEFORE
        + """
def main():
    document = yield from opened(photo)
    begin()
    painting, write = docker.painting, docker.painting._write
    # By the time that there is a canvas for the preview the result has come.
    painting._write = lambda *arguments: painting._over and write(*arguments)
    yield from done(document, painting)
    told = [docker.words.text(), layers(document), len(krita.documents())]
    yield from closed(document)
    return told
""",
        **pictures,
    )
    assert words.startswith("Done") and "meanwhile" not in words
    assert names == ["Background", "Dusk 50%"] and images == 1


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
        + f"""
def main():
    document = yield from opened(photo)
    begin({LONG})
    painting = docker.painting
    painting._show = lambda preview: None  # what comes is to be put in at last
    yield from until(lambda: painting._sent)
    (folder / "open").touch()
    yield from until((folder / "down").exists)
    yield 500
    assert not document.tryBarrierLock(), "the pen is not down"
    docker.conclude()
    yield from until(lambda: painting._over)
    yield 1000
    held = [len(document.topLevelNodes()), docker.painting is not None]
    yield from until(lambda: docker.words.text().startswith("Krita is busy"))
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


def test_painting_waits_for_what_the_move_tool_has_begun_and_says_so(krita, pictures, tmp_path):
    """It stays begun until Enter is pressed or another tool is chosen."""
    number = krita.begin(
        BEFORE
        + """
def main():
    document = yield from opened(photo)
    source, = document.topLevelNodes()
    krita.action("KritaTransform/KisToolMove").trigger()
    yield 500
    (folder / "open").touch()
    yield from until((folder / "moved").exists)
    yield 500
    assert not document.tryBarrierLock(), "nothing is moved"
    begin()
    painting = docker.painting
    yield from until(lambda: docker.words.text().startswith("Krita is busy"))
    held = [len(document.topLevelNodes()), painting._sent]
    krita.action("KritaShape/KisToolBrush").trigger()
    yield from done(document, painting)
    there = [source.bounds(), painting.canvas.bounds()]
    within = [box.intersected(document.bounds()).getRect() for box in there]
    words = docker.words.text()
    yield from closed(document)
    return [held, words, within]
""",
        folder=tmp_path,
        **pictures,
    )
    deadline = time.monotonic() + 250
    while not (tmp_path / "open").exists():
        assert time.monotonic() < deadline, krita.log()
        time.sleep(0.1)
    for hands in (("mousemove", "700", "400"), ("mousedown", "1"),
                  ("mousemove_relative", "20", "20"), ("mousemove_relative", "20", "10"),
                  ("mouseup", "1")):  # fmt: skip
        krita.xdotool(*hands)
        time.sleep(0.2)
    (tmp_path / "moved").touch()
    held, words, (source, canvas) = krita.end(number)
    assert held == [1, False] and words.startswith("Done")
    assert source == canvas and source[:2] != [0, 0]


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
    theirs._paint(lambda: Recipe("Dusk", Settings({LONG}, **GRAM)))
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


@pytest.mark.parametrize("when", ["before", "after"])
def test_selection_moves_along_with_its_layer(krita, version, pictures, when):
    place = krita.run(
        BEFORE
        + f"""
from krita import Selection

def main():
    document = yield from opened(photo)
    source, = document.topLevelNodes()
    part = Selection()
    part.select(50, 40, 60, 50, 255)
    document.setSelection(part)
    yield 200
    begin({LONG})
    painting = docker.painting
    yield from until(lambda: painting._sent)
    if when == "after":
        yield from until(lambda: painting.canvas and painting._step is not None)
    source.move(7, 8)
    document.waitForDone()
    docker.conclude()
    yield from done(document, painting)
    canvas = painting.canvas
    shown = QtGui.QImage(bytes(canvas.projectionPixelData(0, 0, 160, 120)), 160, 120,
                         QtGui.QImage.Format_ARGB32)
    seen = [(x, y) for y in range(120) for x in range(160) if shown.pixelColor(x, y).alpha()]
    yield from closed(document)
    return [*map(min, zip(*seen)), *map(max, zip(*seen))]
""",
        when=when,
        **pictures,
    )
    assert place == [57, 48, 116, 97]
