"""A layer of 12 megapixels painted in the real GIMP: sharp, in a memory that is bounded.

    uv run pytest tests/hosts/gimp/large_layer.py -n0 -s

Ten minutes on two cores; not part of the test run. IMPASTO_ARTEFACTS keeps the painting.
"""

import pytest
from tests.hosts.large_layer import report

pytestmark = pytest.mark.timeout(3000)

PIECE = """
image = Gimp.Image.new(4000, 3000, Gimp.ImageBaseType.RGB)
photo = Gimp.file_load_layer(Gimp.RunMode.NONINTERACTIVE, image, Gio.File.new_for_path(str(large)))
image.insert_layer(photo, None, 0)
photo.scale(4000, 3000, False)
status, painted, error = call(
    "stylize", image, [photo], style_file=Path(style), memory_mib=4096
)
size = [painted.get_width(), painted.get_height()] if painted else None
Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, image, Gio.File.new_for_path(str(saved)), None)
answer = status, error, size
"""


def test_large_layer_comes_out_sharp_and_within_its_memory(gimp, gimp_daemon, pictures, tmp_path):
    saved = tmp_path / "painted.png"
    with report(gimp_daemon, "gimp") as host:
        host.follow("gimp-console")
        number = gimp.begin(PIECE, saved=saved, **pictures)
        status, error, size = gimp.end(number, timeout_s=2400)
        assert (status, error, size) == ("success", None, [4000, 3000])
        host.keep(saved)
