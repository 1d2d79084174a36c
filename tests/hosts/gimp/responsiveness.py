"""How long GIMP's own loop is held up while a layer of 12 megapixels is painted.

    uv run pytest tests/hosts/gimp/responsiveness.py -s

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


def test_how_long_gimp_is_held_up(window, pictures):
    window.run(OPEN, **pictures)
    window.await_window("GIMP$")
    idle = window.run(PROBE, seconds=10)
    begin(window, "alt+w", "ctrl+a", "2", "5", "6", "Tab")
    painting = window.end(window.begin(PROBE, seconds=45), timeout_s=90)
    print(f"\nnothing going on: {idle}\na job of 12 megapixels: {painting}")
