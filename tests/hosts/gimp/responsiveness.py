"""How long GIMP's own loop is held up while a layer of 12 megapixels is painted.

    uv run pytest tests/hosts/gimp/responsiveness.py -n0 -s

GIMP answers the smallest of PDB calls in its main loop; a call that takes long found it busy.
Not part of the test run, as it measures the machine too.
"""

from tests.hosts.gimp.test_window import begin

OPEN = """
image = Gimp.Image.new(4000, 3000, Gimp.ImageBaseType.RGB)
photo = Gimp.file_load_layer(Gimp.RunMode.NONINTERACTIVE, image, Gio.File.new_for_path(str(photo)))
image.insert_layer(photo, None, 0)
photo.scale(4000, 3000, False)
Gimp.Display.new(image)
keep = True
"""
PROBE = """
import time
began, calls = time.monotonic(), []
while time.monotonic() - began < seconds:
    asked = time.monotonic()
    Gimp.get_images()
    calls.append((time.monotonic() - asked, asked - began))
    time.sleep(0.005)
longest = sorted(calls, reverse=True)[:8]
answer = {
    "calls": len(calls),
    "median_ms": sorted(calls)[len(calls) // 2][0] * 1000,
    "longest": [[round(taken * 1000), round(at, 1)] for taken, at in longest],
    "over_100_ms": sum(taken > 0.1 for taken, _ in calls),
    "layers": [layer.get_name() for layer in Gimp.get_images()[0].get_layers()],
}
keep = True
"""


OWN_CALLS = """
import time
image = Gimp.get_images()[0]
layer = image.get_layers()[0]
width, height = layer.get_width(), layer.get_height()
rectangle = Gegl.Rectangle.new(0, 0, width, height)
buffer = layer.get_buffer()
pixels = buffer.get(rectangle, 1.0, "R'G'B'A u8", Gegl.AbyssPolicy.NONE)
answer = {}
def after(name, call):
    began = time.monotonic()
    call()
    took, held = time.monotonic() - began, []
    while time.monotonic() - began < took + 2:
        asked = time.monotonic()
        Gimp.get_images()
        held.append(time.monotonic() - asked)
        time.sleep(0.005)
    known = answer.setdefault(name, {"call_ms": 0, "held_up_ms": 0})
    known["call_ms"] = max(known["call_ms"], round(took * 1000))
    known["held_up_ms"] = max(known["held_up_ms"], round(max(held) * 1000))
for _ in range(5):
    after("Buffer.get", lambda: buffer.get(rectangle, 1.0, "R'G'B'A u8", Gegl.AbyssPolicy.NONE))
    copies = []
    after("Layer.copy", lambda: copies.append(layer.copy()))
    after("insert_layer", lambda: image.insert_layer(copies[0], None, 0))
    after("remove_layer", lambda: image.remove_layer(copies[0]))
    after("Buffer.set", lambda: buffer.set(rectangle, "R'G'B'A u8", pixels))
    after("Buffer.flush", buffer.flush)
    after("Drawable.update", lambda: layer.update(0, 0, width, height))
    after("displays_flush", Gimp.displays_flush)
keep = True
"""


def test_how_long_gimp_is_held_up(window, pictures):
    window.run(OPEN, **pictures)
    window.await_window("GIMP$")
    idle = window.run(PROBE, seconds=10)
    own = window.run(OWN_CALLS)
    begin(window, "alt+w", "ctrl+a", "2", "5", "6", "Tab")
    painting = window.end(window.begin(PROBE, seconds=45), timeout_s=90)
    print(f"\nnothing going on: {idle}\na job of 12 megapixels: {painting}")
    print("without a job, how long GIMP is held up by its own calls for the whole layer:", own)
