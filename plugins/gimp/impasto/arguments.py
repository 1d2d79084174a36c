"""Every argument of the procedures: name, label, range, default. Imports words alone.

The names of the settings are those of `impasto_protocol.settings.Settings` with dashes, and a
test holds their ranges and defaults to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import gi

gi.require_version("Gimp", "3.0")
from gi.repository import Gimp, GObject  # noqa: E402
from words import _  # noqa: E402

Argument = tuple[Any, ...]
"""Kind, name, label, blurb; then range and default, or a choice's values and default."""

_FLAGS = GObject.ParamFlags.READWRITE

STYLE_FROM = {
    "file": _("A picture file"),
    "layer": _("An open layer"),
    "pattern": _("A pattern"),
    "preset": _("A saved style"),
}
STYLE_LABELS = {"file": _("_Picture file"), "layer": _("La_yer"), "pattern": _("P_attern")}
SAVED_FROM = {kind: STYLE_FROM[kind] for kind in ("layer", "file", "pattern")}
"""What a saved style can be made of."""
QUALITY = {
    "instant": _("Instant: painted at once, by a style that is baked"),
    "draft": _("Draft: to try a style out: broad strokes, in the least time"),
    "good": _("Good: sharp at the picture's own size"),
    "best": _("Best: finer detail, in four to eight times as long"),
    "custom": _("Custom: with the steps and sizes under Advanced"),
}
COLOURS = {
    "style": _("The style's"),
    "matched": _("Matched to the picture's"),
    "cholesky": _("Matched, red first"),
    "luminance": _("Light and dark only"),
}
UNCOVERED = {
    "style": _("Is painted in the first style"),
    "photograph": _("Stays as it is"),
}
SELECTION = {
    "alpha": _("The layer's transparency"),
    "mask": _("A layer mask"),
}

LOOK: tuple[Argument, ...] = (
    ("double", "strength", _("Stren_gth"), _("0 keeps the picture, 1 keeps little of it"),
     0, 1, 0.5),
    ("double", "style-scale", _("Stroke si_ze"),
     _("Size of the brush strokes: the style picture's size over the layer's"), 0.1, 4, 1),
    ("choice", "quality", _("_Quality"), _("How long to paint, and at which size"),
     QUALITY, "good"),
    ("int", "seed", _("S_eed"), _("Another seed, another painting of the same kind"),
     0, 2_147_483_647, 0),
    ("bool", "keep-colours", _("_Keep the picture's colours"),
     _("Keep the layer's colours; only light and dark are painted"), False),
)  # fmt: skip

VARIATIONS: tuple[Argument, ...] = (
    ("int", "variations", _("_Variations"),
     _("So many paintings, with a seed each, in a group of which the first is seen"), 1, 8, 1),
)  # fmt: skip

RESULT: tuple[Argument, ...] = (
    ("int", "context-margin", _("Conte_xt margin"),
     _("How many pixels around the selection are looked at as well"), 0, 4096, 64),
    ("choice", "selection-as", _("Selection _becomes"),
     _("How the selection cuts the painting out"),
     SELECTION, "alpha"),
    ("bool", "as-source", _("Take the layer's _mode and opacity, and hide it"),
     _(
         "The painting looks as its layer did, with its mode, opacity and colour tag, and takes"
         " its place; otherwise it is Normal at 100 %"
     ), True),
    ("bool", "preview", _("Wa_tch it being painted"),
     _("Show the painting in the image as it grows"),
     True),
)  # fmt: skip

ADVANCED_GROUPS: dict[str, tuple[Argument, ...]] = {
    _("Scales and steps"): (
        ("int", "iterations", _("_Iterations"),
         _("Steps of the painting, if the quality is custom; 0: a baked style paints at once"),
         0, 100_000, 300),
        ("int", "working-px", _("Working size"),
         _(
             "Long edge at which it is painted, in pixels, if the quality is custom; "
             "0: as it is"
         ),
         0, 131_072, 0),
        ("int", "refinement", _("Refinement"),
         _(
             "Steps at each doubling from the working size to the layer's own, if the quality "
             "is custom; 0: enlarged only"
         ), 0, 1000, 0),
        ("int", "scales", _("Scales"), _("Coarse-to-fine steps; 0 chooses by size"), 0, 8, 0),
        ("string", "snapshots", _("Snapshots"),
         _("Steps after which the painting so far is kept as well, as hidden layers; separated by "
           "commas"), ""),
        ("double", "start-noise", _("Start from noise"),
         _(
             "0 starts from the layer, or with a seed from a little noise; 1 from noise, "
             "between them a blend"
         ), 0, 1, 0),
    ),
    _("Colours"): (
        ("choice", "colours", _("Colours"),
         _("Whose colours the painting has, where it does not keep the picture's"), COLOURS,
         "style"),
        ("double", "colour-strength", _("Strength of colour"),
         _("0 keeps the layer's colours under the painting's light and dark, 1 has the painting's"),
         0, 1, 1),
        ("choice", "colour-mixing", _("Mixed in"), _("What colours are matched and mixed in"),
         {"encoded": _("Their numbers"), "linear": _("Linear light"), "oklab": "Oklab"},
         "encoded"),
    ),
    _("Optimiser"): (
        ("choice", "optimiser", _("Optimiser"), _("What lowers the loss"),
         {"lbfgs": "L-BFGS", "adam": "Adam"}, "lbfgs"),
        ("double", "learning-rate", _("Learning rate"), _("Step size of Adam"), 0.00001, 1, 0.02),
        ("int", "history", _("History"), _("Pairs of steps that L-BFGS remembers"), 1, 100, 10),
        ("double", "averaging", _("Averaging"),
         _("Decay of the average of Adam's iterates; 0: none"),
         0, 0.9999, 0.99),
        ("double", "tolerance", _("Tolerance"),
         _("Stop when so small a share of the loss is gained; 0 never stops"), 0, 0.5, 0.002),
        ("bool", "box", _("Keep within range"), _("Keep every pixel within black and white"), True),
    ),
    _("Loss"): (
        ("choice", "normalisation", _("Loss"), _("How the terms of the loss are measured"),
         {"relative": _("Relative"), "even": _("Every layer alike"),
          "gatys": _("As in the paper")}, "even"),
        ("choice", "style-loss", _("Match"), _("What of the style is matched"),
         {"gram": _("Gram matrices"), "wasserstein": _("Mean and covariance"),
          "histogram": _("Gram matrices and histograms"),
          "shifted": _("Gram matrices of neighbours")}, "wasserstein"),
        ("double", "content-weight", _("Content weight (α)"), _("-1 takes it from the strength"),
         -1, 1e12, -1),
        ("double", "style-weight", _("Style weight (β)"), _("-1 takes it from the strength"),
         -1, 1e12, -1),
        ("double", "total-variation", _("Smoothing"), _("Weight of the total variation"),
         0, 1000, 1),
    ),
    _("Brush strokes"): (
        ("double", "style-rotation", _("Turned to the left (°)"), _("By how much, in degrees"),
         -180, 180, 0),
        ("int", "style-rotations", _("Directions"),
         _("In how many directions the style is seen at once"), 1, 16, 1),
        ("int", "style-sizes", _("Sizes"), _("At how many sizes the style is seen at once"),
         1, 4, 1),
    ),
    _("Network"): (
        ("choice", "network", _("Network"), _("Which trained network looks at the pictures"),
         {"vgg19": "VGG-19", "vgg16": "VGG-16", "googlenet": "GoogLeNet",
          "resnet50": "ResNet-50"}, "vgg19"),
        ("choice", "pooling", _("Pooling"), _("Pooling of the network"),
         {"max": _("Maximum"), "average": _("Average")}, "max"),
        ("string", "content-layers", _("Content layers"), _("Separated by commas"), "relu4_2"),
        ("string", "content-layer-weights", _("Their weights"),
         _("Separated by commas; empty: equal"), ""),
        ("string", "style-layers", _("Style layers"), _("Separated by commas"),
         "relu1_1,relu2_1,relu3_1,relu4_1,relu5_1"),
        ("string", "style-layer-weights", _("Their weights"),
         _("Separated by commas; empty: equal"), ""),
    ),
    _("Memory"): (
        ("int", "memory-mib", _("Memory (MiB)"), _("Most memory that it may take; 0: what is free"),
         0, 16_777_216, 0),
    ),
}  # fmt: skip
"""By headings."""

PLACES: tuple[Argument, ...] = (
    ("string", "mask", _("The style goes"),
     _("The channel, layer or layer mask that is white where the style goes, such as channel:Sky"),
     ""),
    ("string", "strength-mask", _("Strength mask"),
     _("The channel, layer or layer mask: what is white gets all of the strength, grey less of it, "
       "and what is black stays as it is"), ""),
    ("string", "more-styles", _("More styles"),
     _("As JSON: a list of styles with kind, name, mask, weight, scale and layers"), ""),
    ("string", "map", _("Map of the layer"),
     _("The layer of flat colours that say what is painted like what of the style, such as "
       "layer:Doodle"), ""),
    ("string", "style-map", _("Map of the style"),
     _("The same colours over the style's picture: a layer, or a file such as file:/home/map.png"),
     ""),
)  # fmt: skip
"""In which styles is painted beside the first, and where."""

LEFT: tuple[Argument, ...] = (
    ("choice", "uncovered", _("What no mask covers"),
     _("Where all styles have a mask: what is left"), UNCOVERED, "style"),
)  # fmt: skip

ADVANCED = tuple(argument for group in ADVANCED_GROUPS.values() for argument in group)

APPLY: tuple[Argument, ...] = (
    ("bool", "own-settings", _("Setti_ngs of the style"),
     _("Use the strength and stroke size saved with the style"), True),
    *LOOK[:2],
    (*LOOK[2][:4], QUALITY | {"custom": _("As saved with the style")}, "good"),
    *RESULT,
)  # fmt: skip

NAME: tuple[Argument, ...] = (("string", "name", _("_Name"), _("The name to keep it under"), ""),)
REPLACE: tuple[Argument, ...] = (
    ("bool", "replace", _("R_eplace"), _("Replace a style of the same name"), False),
)

BY_QUALITY = ("iterations", "working-px", "refinement")
"""What a quality sets."""

SETTINGS = tuple(a[1] for a in LOOK + LEFT + ADVANCED if a[1] != "quality")


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
    return (
        "choice",
        "style-from",
        _("Style _from"),
        _("Where the style is taken from"),
        kinds,
        default,
    )


def _add_style(procedure: Gimp.Procedure, kinds: Mapping[str, str], default: str) -> None:
    _add(procedure, [style_from(kinds, default)])
    procedure.add_file_argument(
        "style-file", STYLE_LABELS["file"], _("A picture in the style you want"),
        Gimp.FileChooserAction.OPEN, True, None, _FLAGS,
    )  # fmt: skip
    procedure.add_drawable_argument(
        "style-layer", STYLE_LABELS["layer"], _("An open layer in the style you want"), True, _FLAGS
    )
    procedure.add_pattern_argument(
        "style-pattern",
        STYLE_LABELS["pattern"],
        _("A pattern in the style you want"),
        True,
        None,
        True,
        _FLAGS,
    )


def _add_preset(procedure: Gimp.Procedure) -> None:
    _add(procedure, [("string", "style-preset", _("Sa_ved style"), _("Name of a saved style"), "")])


def _add_stylize(procedure: Gimp.Procedure) -> None:
    _add_style(procedure, STYLE_FROM, "file")
    _add_preset(procedure)
    _add(procedure, LOOK + VARIATIONS + PLACES + LEFT + RESULT + ADVANCED)


def _add_again(procedure: Gimp.Procedure) -> None:
    pass


def _add_apply(procedure: Gimp.Procedure) -> None:
    _add_preset(procedure)
    _add(procedure, APPLY)


def _add_save(procedure: Gimp.Procedure) -> None:
    _add(procedure, NAME)
    _add_style(procedure, SAVED_FROM, "layer")
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
