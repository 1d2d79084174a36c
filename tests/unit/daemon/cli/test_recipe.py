"""The recipe in a PNG, read back."""

import subprocess
import sys

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from impasto_daemon.cli.recipe import Recipe
from impasto_protocol.client import new_job_id
from impasto_protocol.messages import Result
from impasto_protocol.settings import Settings

READ = """
import sys
from pathlib import Path
from impasto_daemon.cli.recipe import read_recipe
print(read_recipe(Path(sys.argv[1])).settings.iterations)
"""


def test_recipe_of_a_painting_of_180_megapixels_is_read(tmp_path):
    """In a process of its own, as Pillow's limit is set by what reads pictures."""
    result = Result(job=new_job_id(), steps=1, seconds=1, device="cpu", weights="w", style="s")
    info = PngInfo()
    for key, text in Recipe(Settings(iterations=7), (), {}).text(result).items():
        info.add_text(key, text)
    file = tmp_path / "large.png"
    Image.new("1", (20_000, 9_000)).save(file, pnginfo=info)
    done = subprocess.run([sys.executable, "-c", READ, str(file)], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("7\n", "")
