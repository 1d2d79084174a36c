"""From OK in the dialog to the first change on the canvas, and to the finished layer, in GIMP.

    uv run pytest tests/hosts/gimp/first_change.py -n0 -s

Seven minutes; not part of the test run, as it measures the machine too. Both processes of the
plug-in say when each of their steps is over.
"""

import json
import shutil

import pytest
from tests.hosts.conftest import IMPASTO
from tests.hosts.first_change import (
    ROUNDS,
    SIZES,
    WAYS,
    daemon_with_styles,
    print_steps,
    stop,
)
from tests.hosts.gimp.conftest import Window, settings_of

pytestmark = pytest.mark.timeout(1800)

TIMELINE = """
import json, time
from pathlib import Path

def mark(name):
    with (Path(__file__).parent / "timeline.jsonl").open("a") as file:
        print(json.dumps([name, time.monotonic()]), file=file)

def watch(owner, name, told, before=False):
    real = getattr(owner, name)
    def watched(*arguments, **options):
        if before:
            mark(told)
        found = real(*arguments, **options)
        if not before:
            mark(told(*arguments) if callable(told) else told)
        return found
    setattr(owner, name, watched)

def watch_dialog():
    import procedures
    watch(procedures, "_paint", "OK", before=True)
    watch(procedures, "_paint", "FINISHED LAYER")
    watch(procedures, "_have_painted", "other process has ended")

def watch_work():
    mark("other process has begun")
    import job_process
    from impasto_protocol.client import Client
    watch(job_process, "_Content", "read from the layer")
    watch(job_process, "_connect", "connected")
    watch(Client, "submit", "sent")
    watch(job_process, "describe_progress", heard)
    watch(job_process._Previews, "show", "FIRST CHANGE")
    watch(job_process.layers, "write", "written")

def heard(message):
    return f"{getattr(message, 'phase', '') or message.type} heard"
"""

PIECE = """
image = Gimp.Image.new(width, height, Gimp.ImageBaseType.RGB)
photo = Gimp.file_load_layer(Gimp.RunMode.NONINTERACTIVE, image, Gio.File.new_for_path(str(large)))
image.insert_layer(photo, None, 0)
photo.scale(width, height, False)
Gimp.Display.new(image)
Gimp.displays_flush()
time.sleep(2)
if settings["iterations"]:
    settings = {"quality": "custom", "style_file": Path(style), **settings}
    status, painted, error = call("stylize", image, [photo], **settings)
else:
    settings = {"quality": "instant", "own_settings": False, "style_preset": "Swirls"}
    status, painted, error = call("apply-preset", image, [photo], **settings)
answer = status, error
for display in [Gimp.Display.get_by_id(number) for number in range(1, 99)]:
    if display and display.is_valid():
        display.delete()
keep = True
"""


@pytest.fixture
def watched(tree, screen, profile, tmp_path):
    """A GIMP whose plug-in tells, and a daemon with the starter styles."""
    shutil.copytree(profile, tmp_path / "profile")
    plug_in = tmp_path / "profile/plug-ins/impasto"
    (plug_in / "timeline.py").write_text(TIMELINE)
    script = plug_in / "impasto.py"
    text = script.read_text()
    for before, call in (
        ("import procedures", "watch_dialog"),
        ("import job_process", "watch_work"),
    ):
        text = text.replace(before, f"{before}; import timeline; timeline.{call}()")
    script.write_text(text)
    (tmp_path / "profile/gimprc").write_text(settings_of(tree))
    (tmp_path / "host").mkdir()
    with daemon_with_styles(tmp_path / "d") as daemon:
        environment = {
            "GIMP3_DIRECTORY": str(tmp_path / "profile"), "IMPASTO_HOME": str(daemon.home),
            "IMPASTO_COMMAND": IMPASTO,
        }  # fmt: skip
        window = Window(tree, tmp_path / "host", environment, screen)
        yield window, daemon, plug_in / "timeline.jsonl"
        window.close()


def test_when_a_change_is_seen(watched, pictures, version):
    window, daemon, timeline = watched
    found = {}
    for size, (width, height) in SIZES.items():
        for way, settings in WAYS.items():
            rounds = found[size, way] = []
            for number in range(ROUNDS):
                if not number:
                    stop(daemon)
                timeline.unlink(missing_ok=True)
                values = {"width": width, "height": height, "settings": settings}
                told = window.end(window.begin(PIECE, **values, **pictures), timeout_s=400)
                assert told == ["success", None]
                lines = [json.loads(line) for line in timeline.read_text().splitlines()]
                marks = dict(reversed(lines))  # the first of each
                began = marks.pop("OK")
                rounds.append(dict(sorted(
                    ((name, at - began) for name, at in marks.items()), key=lambda mark: mark[1]
                )))  # fmt: skip
    print_steps(f"GIMP {version}", found)
