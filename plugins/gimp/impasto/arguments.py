"""Every argument of the procedures: name, label, range, default. Imports GIMP's own Python alone.

The names of the settings are those of `impasto_protocol.settings.Settings` with dashes, and a
test holds their ranges and defaults to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
STYLE_LABELS = {"file": "_Picture file", "layer": "La_yer", "pattern": "P_attern"}
QUALITY = {
    "draft": "Draft: to try a style out: broad strokes, in the least time",
    "good": "Good: sharp at the picture's own size",
    "best": "Best: finer detail, in four to eight times as long",
    "custom": "Custom: with the steps and sizes under Advanced",
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
    ("int", "seed", "S_eed", "Another seed, another painting of the same kind",
     0, 2_147_483_647, 0),
    ("bool", "keep-colours", "_Keep the picture's colours",
     "Keep the layer's colours; only light and dark are painted", False),
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

ADVANCED_GROUPS: dict[str, tuple[Argument, ...]] = {
    "Scales and steps": (
        ("int", "iterations", "_Iterations", "Steps of the painting, if the quality is custom",
         1, 100_000, 300),
        ("int", "working-px", "Working size",
         "Long edge at which it is painted, in pixels, if the quality is custom; 0: as it is",
         0, 131_072, 0),
        ("int", "refinement", "Refinement",
         "Steps at each doubling from the working size to the layer's own, if the quality is "
         "custom; 0: enlarged only", 0, 1000, 0),
        ("int", "scales", "Scales", "Coarse-to-fine steps; 0 chooses by size", 0, 8, 0),
        ("double", "start-noise", "Start from noise",
         "0 starts from the layer, or with a seed from a little noise; 1 from noise, between them "
         "a blend", 0, 1, 0),
    ),
    "Optimiser": (
        ("choice", "optimiser", "Optimiser", "What lowers the loss",
         {"lbfgs": "L-BFGS", "adam": "Adam"}, "lbfgs"),
        ("double", "learning-rate", "Learning rate", "Step size of Adam", 0.00001, 1, 0.02),
        ("int", "history", "History", "Pairs of steps that L-BFGS remembers", 1, 100, 10),
        ("double", "averaging", "Averaging", "Decay of the average of Adam's iterates; 0: none",
         0, 0.9999, 0.99),
        ("double", "tolerance", "Tolerance", "Stop when so small a share of the loss is gained; "
         "0 never stops", 0, 0.5, 0.002),
        ("bool", "box", "Keep within range", "Keep every pixel within black and white", True),
    ),
    "Loss": (
        ("choice", "normalisation", "Loss", "How the terms of the loss are measured",
         {"relative": "Relative", "gatys": "As in the paper"}, "relative"),
        ("double", "content-weight", "Content weight (α)", "-1 takes it from the strength",
         -1, 1e12, -1),
        ("double", "style-weight", "Style weight (β)", "-1 takes it from the strength",
         -1, 1e12, -1),
        ("double", "total-variation", "Smoothing", "Weight of the total variation", 0, 1000, 1),
    ),
    "Network": (
        ("choice", "pooling", "Pooling", "Pooling of VGG-19",
         {"max": "Maximum", "average": "Average"}, "max"),
        ("string", "content-layers", "Content layers", "Separated by commas", "relu4_2"),
        ("string", "content-layer-weights", "Their weights",
         "Separated by commas; empty: equal", ""),
        ("string", "style-layers", "Style layers", "Separated by commas",
         "relu1_1,relu2_1,relu3_1,relu4_1,relu5_1"),
        ("string", "style-layer-weights", "Their weights", "Separated by commas; empty: equal", ""),
    ),
    "Memory": (
        ("int", "memory-mib", "Memory (MiB)", "Most memory that it may take; 0: what is free",
         0, 16_777_216, 0),
    ),
}  # fmt: skip
"""By headings."""

ADVANCED = tuple(argument for group in ADVANCED_GROUPS.values() for argument in group)

APPLY: tuple[Argument, ...] = (
    ("bool", "own-settings", "Setti_ngs of the style", "Use the strength and stroke size saved "
     "with the style", True),
    *LOOK[:2],
    (*LOOK[2][:4], QUALITY | {"custom": "As saved with the style"}, "good"),
    *RESULT,
)  # fmt: skip

NAME: tuple[Argument, ...] = (("string", "name", "_Name", "The name to keep it under", ""),)
REPLACE: tuple[Argument, ...] = (
    ("bool", "replace", "R_eplace", "Replace a style of the same name", False),
)

BY_QUALITY = ("iterations", "working-px", "refinement")
"""What a quality sets."""

SETTINGS = tuple(a[1] for a in LOOK + ADVANCED if a[1] != "quality")


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


def style_from(kinds: Mapping[str, str], default: str = "file") -> Argument:
    """The argument that says which kind of style is taken."""
    return ("choice", "style-from", "Style _from", "Where the style is taken from", kinds, default)


def _add_style(procedure: Gimp.Procedure, default: str) -> None:
    _add(procedure, [style_from(STYLE_FROM, default)])
    procedure.add_file_argument(
        "style-file", STYLE_LABELS["file"], "A picture in the style you want",
        Gimp.FileChooserAction.OPEN, True, None, _FLAGS,
    )  # fmt: skip
    procedure.add_drawable_argument(
        "style-layer", STYLE_LABELS["layer"], "An open layer in the style you want", True, _FLAGS
    )
    procedure.add_pattern_argument(
        "style-pattern",
        STYLE_LABELS["pattern"],
        "A pattern in the style you want",
        True,
        None,
        True,
        _FLAGS,
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
    _add(procedure, NAME)
    _add_style(procedure, "layer")
    _add(procedure, REPLACE + LOOK[:2])


ADD = {
    "plug-in-impasto-stylize": _add_stylize,
    "plug-in-impasto-again": _add_again,
    "plug-in-impasto-apply-preset": _add_apply,
    "plug-in-impasto-save-preset": _add_save,
}
"""What gives each procedure its arguments."""


def add_work(procedure: Gimp.Procedure) -> None:
    """The arguments of the procedure that does the work."""
    procedure.add_string_argument("recipe", "Recipe", "What to do, as JSON", "", _FLAGS)
    procedure.add_boolean_argument("interactive", "Interactive", "Show windows", False, _FLAGS)
    procedure.add_string_return_value("told", "Told", "What came of it, as JSON", "", _FLAGS)
