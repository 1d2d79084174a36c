"""Runs inside GIMP: does the pieces of a test that are put into a folder, one after the other.

Each NUMBER.py is run with the helpers below; what it leaves in `answer` goes to NUMBER.json.
A second server is given another folder within the test's as FOLDER.
"""

import hashlib
import json
import os
import time
import traceback
from pathlib import Path

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")
from gi.repository import Gegl, Gimp, Gio  # noqa: E402


def load(path):
    """An image from a file."""
    return Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path(str(path)))


def call(entry, image, layers, **arguments):
    """A procedure of Impasto: its status, the layer it gave, and its words if it failed."""
    procedure = Gimp.get_pdb().lookup_procedure(f"plug-in-impasto-{entry}")
    config = procedure.create_config()
    config.set_property("run-mode", Gimp.RunMode.NONINTERACTIVE)
    config.set_property("image", image)
    config.set_core_object_array("drawables", layers)
    for argument, value in arguments.items():
        if isinstance(value, Path):
            value = Gio.File.new_for_path(str(value))
        config.set_property(argument.replace("_", "-"), value)
    values = procedure.run(config)
    status = values.index(0).value_nick
    good = status == "success" and values.length() > 1
    error = None if status == "success" else Gimp.get_pdb().get_last_error()
    return status, values.index(1) if good else None, error


GRAM = {"style_loss": "gram", "normalisation": "relative"}
"""Takes least, and makes little of rounding."""


def stylize(image, layer, style, **arguments):
    """`call` of the main procedure, quickly painted."""
    quick = {
        "quality": "custom", "iterations": 4, "tolerance": 0.0, "style_file": Path(style), **GRAM
    }  # fmt: skip
    return call("stylize", image, [layer], **{**quick, **arguments})


def tree(items):
    """What the layers of an image are, as plain values, down to every pixel."""
    found = []
    for layer in items:
        rectangle = Gegl.Rectangle.new(0, 0, layer.get_width(), layer.get_height())
        data = layer.get_buffer().get(rectangle, 1.0, None, Gegl.AbyssPolicy.NONE)
        mask = layer.get_mask()
        found.append({
            "name": layer.get_name(), "size": [layer.get_width(), layer.get_height()],
            "offsets": list(layer.get_offsets())[1:], "pixels": hashlib.sha256(data).hexdigest(),
            "mask": bool(mask), "opacity": layer.get_opacity(),
            "children": tree(layer.get_children()) if layer.is_group() else [],
        })  # fmt: skip
    return found


def dump(drawable, path, form, box=None):
    """The pixels of a drawable, raw, in a babl format."""
    x, y, width, height = box or (0, 0, drawable.get_width(), drawable.get_height())
    data = drawable.get_buffer().get(
        Gegl.Rectangle.new(x, y, width, height), 1.0, form, Gegl.AbyssPolicy.NONE
    )
    Path(path).write_bytes(data)


def _serve(folder):
    helpers = {name: value for name, value in globals().items() if not name.startswith("_")}
    while not (folder / "end").exists():
        for piece in sorted(folder.glob("*.py")):
            scope = {**helpers, "answer": None}
            try:
                exec(compile(piece.read_text(encoding="utf-8"), str(piece), "exec"), scope)
                told = {"answer": scope["answer"]}
            except Exception:
                told = {"error": traceback.format_exc()}
            if not scope.get("keep"):
                for image in Gimp.get_images():
                    image.delete()
            piece.unlink()
            unfinished = piece.with_suffix(".part")
            unfinished.write_text(json.dumps(told))
            unfinished.replace(piece.with_suffix(".json"))
        time.sleep(0.02)


Gimp.get_plug_in().set_pdb_error_handler(Gimp.PDBErrorHandler.PLUGIN)  # no messages on the screen
_serve(Path(os.environ["IMPASTO_TEST_FOLDER"]) / globals().get("FOLDER", ""))
