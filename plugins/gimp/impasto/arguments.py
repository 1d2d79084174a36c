"""Every argument of the procedures: name, label, range, default. Imports GIMP's own Python alone.

The names of the settings are those of `impasto_protocol.settings.Settings` with dashes, and a
test holds their ranges and defaults to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import gi

gi.require_version("Gimp", "3.0")
from gi.repository import Gimp, GObject  # noqa: E402

Argument = tuple[Any, ...]
"""Kind, name, label, blurb; then range and default, or a choice's values and default."""

_FLAGS = GObject.ParamFlags.READWRITE

STYLE_FROM = {
    "file": "A picture file",
    "layer": "An open layer",
    "pattern": "A pattern",
    "preset": "A saved style",
}
QUALITY = {
    "draft": "Draft: to try a style out: broad strokes, in the least time",
    "good": "Good: sharp at the picture's own size",
    "best": "Best: finer detail, in four to eight times as long",
    "custom": "As set below",
}
SELECTION = {
    "alpha": "The layer's transparency",
    "mask": "A layer mask",
}

LOOK: tuple[Argument, ...] = (
    ("double", "strength", "Stren_gth", "0 keeps the photograph, 1 keeps little of it",
     0, 1, 0.5),
    ("double", "style-scale", "Stroke si_ze",
     "Size of the brush strokes: the style picture's size over the layer's", 0.1, 4, 1),
    ("choice", "quality", "_Quality", "How long to paint, and at which size", QUALITY, "good"),
    ("int", "iterations", "_Iterations", "Steps of the painting, if the quality is as set here",
     1, 100_000, 300),
    ("int", "working-px", "_Working size",
     "Long edge at which it is painted, in pixels, if the quality is as set here; 0: as it is",
     0, 131_072, 0),
    ("int", "refinement", "Refi_nement",
     "Steps at each doubling from the working size to the layer's own, if the quality is as set "
     "here; 0: enlarged only", 0, 1000, 0),
    ("bool", "keep-colours", "_Keep colours",
     "Keep the layer's colours; only light and dark are painted", False),
    ("int", "seed", "S_eed", "Seed of the noise", 0, 2_147_483_647, 0),
)  # fmt: skip

RESULT: tuple[Argument, ...] = (
    ("int", "context-margin", "Conte_xt margin",
     "How many pixels around the selection are looked at as well", 0, 4096, 64),
    ("choice", "selection-as", "Selection _becomes", "How the selection cuts the painting out",
     SELECTION, "alpha"),
    ("bool", "as-source", "Take the layer's _mode and opacity, and hide it",
     "The painting looks as its layer did, with its mode, opacity and colour tag, and takes its "
     "place; otherwise it is Normal at 100 %", True),
    ("bool", "preview", "Wa_tch it being painted", "Show the painting in the image as it grows",
     True),
)  # fmt: skip

ADVANCED: tuple[Argument, ...] = (
    ("int", "scales", "Scales", "Coarse-to-fine steps; 0 chooses by size", 0, 8, 0),
    ("double", "start-noise", "Start from noise",
     "0 starts from the layer, 1 from noise, between them a blend", 0, 1, 0),
    ("choice", "optimiser", "Optimiser", "What lowers the loss",
     {"lbfgs": "L-BFGS", "adam": "Adam"}, "lbfgs"),
    ("double", "learning-rate", "Learning rate", "Step size of Adam", 0.00001, 1, 0.02),
    ("int", "history", "History", "Pairs of steps that L-BFGS remembers", 1, 100, 10),
    ("double", "averaging", "Averaging", "Decay of the average of Adam's iterates; 0: none",
     0, 0.9999, 0.99),
    ("double", "tolerance", "Tolerance", "Stop when so small a share of the loss is gained; "
     "0 never stops", 0, 0.5, 0.002),
    ("bool", "box", "Keep within range", "Keep every pixel within black and white", True),
    ("double", "total-variation", "Smoothing", "Weight of the total variation", 0, 1000, 1),
    ("choice", "normalisation", "Loss", "How the terms of the loss are measured",
     {"relative": "Relative", "gatys": "As in the paper"}, "relative"),
    ("double", "content-weight", "Content weight (α)", "-1 takes it from the strength",
     -1, 1e12, -1),
    ("double", "style-weight", "Style weight (β)", "-1 takes it from the strength", -1, 1e12, -1),
    ("choice", "pooling", "Pooling", "Pooling of VGG-19",
     {"max": "Maximum", "average": "Average"}, "max"),
    ("int", "memory-mib", "Memory (MiB)", "Most memory that it may take; 0: what is free",
     0, 16_777_216, 0),
    ("string", "content-layers", "Content layers", "Separated by commas", "relu4_2"),
    ("string", "content-layer-weights", "Their weights", "Separated by commas; empty: equal", ""),
    ("string", "style-layers", "Style layers", "Separated by commas",
     "relu1_1,relu2_1,relu3_1,relu4_1,relu5_1"),
    ("string", "style-layer-weights", "Their weights", "Separated by commas; empty: equal", ""),
)  # fmt: skip

APPLY: tuple[Argument, ...] = (
    ("bool", "own-settings", "Setti_ngs of the style", "Use the strength and stroke size saved "
     "with the style", True),
    *LOOK[:2],
    (*LOOK[2][:4], QUALITY | {"custom": "As saved with the style"}, "good"),
    *RESULT,
)  # fmt: skip

BY_QUALITY = ("iterations", "working-px", "refinement")
"""What a quality sets."""

SETTINGS = tuple(a[1] for a in LOOK + ADVANCED if a[1] != "quality")
SHARES = tuple(a[1] for a in LOOK + ADVANCED if a[0] == "double" and a[5] <= 1)
"""What lies between 0 and 1."""


def names(table: Iterable[Argument]) -> list[str]:
    """The names of a table's arguments."""
    return [argument[1] for argument in table]


def _add(procedure: Gimp.Procedure, table: Iterable[Argument]) -> None:
    for kind, name, label, blurb, *rest in table:
        if kind == "choice":
            values, default = rest
            choice = Gimp.Choice.new()
            for number, (value, text) in enumerate(values.items()):
                choice.add(value, number, text, "")
            procedure.add_choice_argument(name, label, blurb, choice, default, _FLAGS)
        else:
            kind = {"bool": "boolean"}.get(kind, kind)
            getattr(procedure, f"add_{kind}_argument")(name, label, blurb, *rest, _FLAGS)


def _add_style(procedure: Gimp.Procedure, default: str) -> None:
    _add(procedure, [
        ("choice", "style-from", "Style _from", "Where the style is taken from",
         STYLE_FROM, default),
    ])  # fmt: skip
    procedure.add_file_argument(
        "style-file", "_Picture file", "A picture in the style you want",
        Gimp.FileChooserAction.OPEN, True, None, _FLAGS,
    )  # fmt: skip
    procedure.add_drawable_argument(
        "style-layer", "La_yer", "An open layer in the style you want", True, _FLAGS
    )
    procedure.add_pattern_argument(
        "style-pattern", "P_attern", "A pattern in the style you want", True, None, True, _FLAGS
    )


def _add_preset(procedure: Gimp.Procedure) -> None:
    _add(procedure, [("string", "style-preset", "Sa_ved style", "Name of a saved style", "")])


def _add_stylize(procedure: Gimp.Procedure) -> None:
    _add_style(procedure, "file")
    _add_preset(procedure)
    _add(procedure, LOOK + RESULT + ADVANCED)


def _add_again(procedure: Gimp.Procedure) -> None:
    pass


def _add_apply(procedure: Gimp.Procedure) -> None:
    _add_preset(procedure)
    _add(procedure, APPLY)


def _add_save(procedure: Gimp.Procedure) -> None:
    _add(procedure, [("string", "name", "_Name", "The name to keep it under", "")])
    _add_style(procedure, "layer")
    _add(procedure, [
        ("bool", "replace", "R_eplace", "Replace a style of the same name", False),
        LOOK[0], LOOK[1],
    ])  # fmt: skip


ADD = {
    "plug-in-impasto-stylize": _add_stylize,
    "plug-in-impasto-again": _add_again,
    "plug-in-impasto-apply-preset": _add_apply,
    "plug-in-impasto-save-preset": _add_save,
}
"""What gives each procedure its arguments."""


def add_work(procedure: Gimp.Procedure) -> None:
    """The arguments of the procedure that does the work."""
    procedure.add_image_argument("image", "Image", "The image", True, _FLAGS)
    procedure.add_drawable_argument("source", "Source", "The layer to be painted", True, _FLAGS)
    procedure.add_layer_argument("canvas", "Canvas", "The layer to paint in", True, _FLAGS)
    procedure.add_string_argument("recipe", "Recipe", "What to do, as JSON", "", _FLAGS)
    procedure.add_boolean_argument("interactive", "Interactive", "Show windows", False, _FLAGS)
    procedure.add_string_return_value("told", "Told", "What came of it, as JSON", "", _FLAGS)
