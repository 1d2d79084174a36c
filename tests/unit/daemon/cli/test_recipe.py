"""The recipe in a PNG, read back."""

import errno
import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from impasto_daemon.cli.recipe import MAPS, FileSource, Recipe, StyleSource, read_recipe
from impasto_daemon.cli.style_choice import StyleChoice
from impasto_protocol.chosen_style import ChosenStyle
from impasto_protocol.client import new_job_id
from impasto_protocol.codec import digest_of
from impasto_protocol.errors import PictureRejected, StyleUnreadable
from impasto_protocol.messages import Result, StyleUse
from impasto_protocol.settings import Settings

RESULT = Result(
    job=new_job_id(), steps=1, seconds=1, device="cpu", weights="w", style="s", styles=("t", "u")
)
READ = """
import sys
from pathlib import Path
from impasto_daemon.cli.recipe import read_recipe
print(read_recipe(Path(sys.argv[1])).settings.iterations)
"""


def read_again(recipe, file, without=()):
    """The recipe of a painting; of an older version, without what that did not write."""
    told = json.loads(recipe.text(RESULT)["impasto"])
    for name in without:
        for place in (told, *told["styles"]):
            place.pop(name, None)
    return read_told(told, file)


def read_told(told, file):
    info = PngInfo()
    info.add_text("impasto", json.dumps(told))
    Image.new("1", (8, 8)).save(file, pnginfo=info)
    return read_recipe(file)


def written(file, content):
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content)
    return FileSource(file.name, digest_of(content).hex())


def test_files_of_a_recipe_are_known_by_what_is_in_them(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    style = written(one / "s.png", b"style")
    masks = [written(folder / "m.png", folder.name.encode()) for folder in (one, other)]
    maps = {option: written(one / f"{option}.png", b"map") for option in MAPS}
    styles = tuple(StyleSource(StyleUse(), style.name, style.hash, mask) for mask in (*masks, None))
    recipe = Recipe(Settings(), styles, maps, size_px=20)
    assert read_again(recipe, tmp_path / "x.png") == recipe
    found = recipe.options([one, other], {})
    assert found["masks_of"] == (str(one / "m.png"), str(other / "m.png"), "none")
    assert [found[option] for option in MAPS] == [one / f"{option}.png" for option in MAPS]
    for option, words in {"m": "--mask-of", **MAPS}.items():
        (one / f"{option}.png").rename(one / "kept")
        (one / f"{option}.png").write_bytes(b"changed")
        with pytest.raises(StyleUnreadable, match="another picture") as caught:
            recipe.options([one, other], {})
        assert words in caught.value.next_step
        (one / "kept").replace(one / f"{option}.png")


def test_file_of_a_recipe_that_cannot_be_read_is_sought_in_the_next_folder(tmp_path, monkeypatch):
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        start = written(folder / "start.png", b"start")
    recipe, read = Recipe(Settings(), (), {"start_file": start}), Path.read_bytes

    def refuse(path):
        if path.parent == one:
            raise PermissionError(errno.EACCES, "Permission denied")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert recipe.options([one, other], {})["start_file"] == other / "start.png"
    with pytest.raises(StyleUnreadable, match="cannot be read") as caught:
        recipe.options([one], {})
    assert "--start none" in caught.value.next_step


def test_style_that_goes_while_its_painting_is_prepared_is_told(tmp_path):
    choice = StyleChoice((tmp_path / "s.png",), (), (), (), (), (), None, None, None)
    with pytest.raises(StyleUnreadable, match="cannot be read any more: No such file"):
        choice.recipe(Settings(), [ChosenStyle("s")], None, 0)


def test_start_from_standard_input_is_not_in_the_recipe(tmp_path):
    choice = StyleChoice((), ("Dusk",), (), (), (), (), None, None, None)
    assert choice.recipe(Settings(), [ChosenStyle("Dusk")], Path("-"), 0).maps == {}


def test_recipe_of_an_older_version_takes_files_by_their_names(tmp_path):
    mask, start = (written(tmp_path / f"{name}.png", b"old") for name in ("mask", "start"))
    style = StyleSource(StyleUse(preset="Dusk"), hash="0f", mask=mask)
    recipe = Recipe(Settings(), (style,), {"start_file": start}, size_px=20)
    older = read_again(recipe, tmp_path / "x.png", ["mask_hash", "map_hashes", "size_px"])
    for file in (mask, start):
        (tmp_path / file.name).write_bytes(b"changed")
    found = older.options([tmp_path], {})
    assert found["masks_of"] == (str(tmp_path / "mask.png"),)
    assert (found["start_file"], older.size_px) == (tmp_path / "start.png", 0)


@pytest.mark.parametrize("where", ["settings", "styles", "maps"])
def test_recipe_with_what_is_not_known_asks_for_an_update(tmp_path, where):
    told = json.loads(Recipe(Settings(), (StyleSource(StyleUse()),), {}).text(RESULT)["impasto"])
    (told["styles"][0] if where == "styles" else told[where])["later"] = ""
    with pytest.raises(PictureRejected, match="newer Impasto") as caught:
        read_told(told, tmp_path / "x.png")
    assert "Update" in caught.value.next_step


def test_recipe_of_a_painting_of_180_megapixels_is_read(tmp_path):
    """In a process of its own, as Pillow's limit is set by what reads pictures."""
    info = PngInfo()
    for key, text in Recipe(Settings(iterations=7), (), {}).text(RESULT).items():
        info.add_text(key, text)
    file = tmp_path / "large.png"
    Image.new("1", (20_000, 9_000)).save(file, pnginfo=info)
    done = subprocess.run([sys.executable, "-c", READ, str(file)], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("7\n", "")
