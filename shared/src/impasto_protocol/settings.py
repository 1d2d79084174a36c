"""Everything that can be set about one painting, with ranges and defaults. Standard library only.

The engine, the wire, the command line, presets and the editors' dialogs all use this one class.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from impasto_protocol.errors import BadField, VersionSkew
from impasto_protocol.fields import from_dict, spec_field, unknown_names, validate
from impasto_protocol.networks import LAYERS, NETWORKS
from impasto_protocol.translations import _

VGG19 = "vgg19"
STYLE_LAYERS = NETWORKS[VGG19].style_layers
CONTENT_LAYERS = NETWORKS[VGG19].content_layers
LAYER = tuple(LAYERS)

QUALITIES = {
    "instant": {"iterations": 0, "working_px": 768, "refinement": 1},
    "draft": {"iterations": 100, "working_px": 384, "refinement": 6},
    "good": {"iterations": 300, "working_px": 768, "refinement": 10},
    "best": {"iterations": 600, "working_px": 1536, "refinement": 16},
}
"""What a quality is: how long to paint, at which size, and how much at each larger one."""

QUALITY_WORDS = {
    "instant": _("painted at once, by a style that is baked"),
    "draft": _("to try a style out: broad strokes, in the least time"),
    "good": _("sharp at the picture's own size"),
    "best": _("finer detail, in four to eight times as long"),
}
"""A quality in a painter's words."""

MAP_COLOURS = 16
"""Most colours of a map."""

VARIATION_NOISE = 0.4
"""The noise to start from where seeds are to differ and none was asked for."""

_ONCE = {"style_loss": "gram"}
"""What was so for all before it could be chosen, and is not the default."""

DRAFT_PX = 256
"""The long edge of a draft, which shows in small what would be painted."""
DRAFT_ITERATIONS = 60
_LARGEST_STYLE_SCALE = 4.0


@dataclass(frozen=True)
class Settings:
    """One painting's settings. Raises BadField when a value is out of its range."""

    strength: float = spec_field(
        "how much of the style: 0 keeps the photograph, 1 keeps little of it",
        default=0.5,
        low=0,
        high=1,
    )
    iterations: int = spec_field(
        "evaluations of the loss, shared out equally over the scales; 0: a baked style paints at "
        "once",
        default=300,
        low=0,
        high=100_000,
    )
    scales: int = spec_field(
        "coarse-to-fine steps, each twice the size of the one before; 0 chooses by size",
        default=0,
        low=0,
        high=8,
    )
    working_px: int = spec_field(
        "long edge at which it is painted, then brought to the picture's own size; 0 paints at "
        "that size",
        unit="px",
        default=0,
        low=0,
        high=2**17,
    )
    refinement: int = spec_field(
        "evaluations at each doubling from the working size up to the picture's own, which make "
        "its strokes sharp; 0 only enlarges",
        default=0,
        low=0,
        high=1000,
        since="1.2",
    )
    style_scale: float = spec_field(
        "size of the brush strokes, as the style picture's size over the photograph's",
        default=1.0,
        low=0.1,
        high=_LARGEST_STYLE_SCALE,
    )
    style_rotation: float = spec_field(
        "the brush strokes turned to the left by so much; a baked style's stay",
        unit="degrees",
        default=0.0,
        low=-180,
        high=180,
        since="1.8",
    )
    style_rotations: int = spec_field(
        "directions, spread over the full circle, in which the style picture is seen at once",
        default=1,
        low=1,
        high=16,
        since="1.8",
    )
    style_sizes: int = spec_field(
        "sizes, each half of the one before, at which the style picture is seen at once",
        default=1,
        low=1,
        high=4,
        since="1.8",
    )
    keep_colours: bool = spec_field(
        "keep the photograph's colours; only light and dark are painted", default=False
    )
    colours: str = spec_field(
        "style: those of the style; matched, cholesky: the style's picture gets the mean and "
        "covariance of the photograph's first, by symmetric or triangular square roots; "
        "luminance: light and dark alone are painted, in the photograph's colours",
        default="style",
        choices=("style", "matched", "cholesky", "luminance"),
        since="1.6",
    )
    colour_strength: float = spec_field(
        "how much of the painting's colours: 0 keeps the photograph's under its light and dark",
        default=1.0,
        low=0,
        high=1,
        since="1.6",
    )
    colour_mixing: str = spec_field(
        "what colours are matched and mixed in: encoded: their numbers as they are; linear: linear "
        "light; oklab: hue and lightness as people see them",
        default="encoded",
        choices=("encoded", "linear", "oklab"),
        since="1.8",
    )
    uncovered: str = spec_field(
        "what the masks of all styles leave: style: is painted in the first one; photograph: stays",
        default="style",
        choices=("style", "photograph"),
        since="1.7",
    )
    start_noise: float = spec_field(
        "what the painting starts from: 0 the photograph, 1 noise, between them a blend",
        default=0.0,
        low=0,
        high=1,
    )
    seed: int = spec_field("seed of the noise", default=0, low=0, high=2**53)
    optimiser: str = spec_field("optimiser", default="lbfgs", choices=("lbfgs", "adam"))
    learning_rate: float = spec_field("step size of Adam", default=0.02, low=1e-5, high=1)
    history: int = spec_field(
        "pairs of steps that L-BFGS remembers, 24 bytes per pixel each",
        default=10,
        low=1,
        high=100,
    )
    averaging: float = spec_field(
        "decay of the average of Adam's iterates, which is the picture; 0 takes the last one",
        default=0.99,
        low=0,
        high=0.9999,
    )
    tolerance: float = spec_field(
        "stop a scale when 25 evaluations lower its loss by less than this share; 0 never stops",
        default=0.002,
        low=0,
        high=0.5,
    )
    box: bool = spec_field("keep every pixel within 0 and 1 while optimising", default=True)
    total_variation: float = spec_field(
        "weight of the smoothing term, which is not felt beside the sums of gatys",
        default=1.0,
        low=0,
        high=1000,
    )
    normalisation: str = spec_field(
        "relative: each term over its target's energy; even: the same, with the style layers made "
        "to count alike, by their gradients at the start of each size; gatys: the sums as the "
        "paper prints them, of whose style relu4_1 is nearly all",
        default="even",
        choices=("relative", "even", "gatys"),
    )
    style_loss: str = spec_field(
        "what is matched of a style: gram: the Gram matrices; wasserstein: mean and covariance, by "
        "the Wasserstein-2 distance of two Gaussians; histogram: Gram matrices and the histograms "
        "of relu1_1 and relu4_1, where these are style layers; shifted: Gram matrices also of "
        "neighbours, for longer strokes",
        default="wasserstein",
        choices=("gram", "wasserstein", "histogram", "shifted"),
        since="1.8",
    )
    content_weight: float | None = spec_field(
        "alpha; not given: by the strength", default=None, low=0, high=1e12
    )
    style_weight: float | None = spec_field(
        "beta; not given: by the strength", default=None, low=0, high=1e12
    )
    network: str = spec_field(
        "what looks at the pictures: vgg19, or another trained network, whose own layers are taken "
        "where none are named",
        default=VGG19,
        choices=tuple(NETWORKS),
        since="1.8",
    )
    pooling: str = spec_field("pooling of the network", default="max", choices=("max", "average"))
    content_layers: tuple[str, ...] = spec_field(
        "layers of the content loss", default=CONTENT_LAYERS, choices=LAYER, longest=16
    )
    content_layer_weights: tuple[float, ...] = spec_field(
        "their weights; none: equal", default=(), low=0, high=1e6, longest=16
    )
    style_layers: tuple[str, ...] = spec_field(
        "layers of the style loss", default=STYLE_LAYERS, choices=LAYER, longest=16
    )
    style_layer_weights: tuple[float, ...] = spec_field(
        "their weights; none: equal", default=(), low=0, high=1e6, longest=16
    )
    memory_mib: int = spec_field(
        "most memory that it may take, in tiles if need be; 0: as much as is free. Repeat a "
        "painting with what its result says and it is the same to the byte",
        unit="MiB",
        default=0,
        low=0,
        high=2**24,
        since="1.2",
    )
    snapshots: tuple[int, ...] = spec_field(
        "evaluations after which the picture so far is sent as well",
        default=(),
        low=1,
        high=100_000,
        longest=64,
    )

    def __post_init__(self) -> None:
        validate(self)
        network = NETWORKS[self.network]
        for kind in ("content", "style"):
            layers = getattr(self, f"{kind}_layers")
            usual = [getattr(other, f"{kind}_layers") for other in NETWORKS.values()]
            if layers in usual:
                layers = getattr(network, f"{kind}_layers")
                object.__setattr__(self, f"{kind}_layers", layers)
            weights = getattr(self, f"{kind}_layer_weights")
            name = f"{kind}_layer_weights"
            if not layers or len(set(layers)) != len(layers):
                raise BadField(
                    f"{kind}_layers must name at least one layer, each once.",
                    field=f"{kind}_layers",
                )
            if unknown := [layer for layer in layers if layer not in network.layers]:
                known = ", ".join(network.layers)
                raise BadField(
                    f"{network.label} has no {', '.join(unknown)}, but {known}.",
                    field=f"{kind}_layers",
                )
            if weights and (len(weights) != len(layers) or not any(weights)):
                raise BadField(
                    f"{name} needs one weight for each of {', '.join(layers)}, not all zero.",
                    field=name,
                )


def kept_settings(values: Mapping[str, Any]) -> Settings:
    """The settings that a recipe or a saved style was kept with, by this or an older version.

    Raises BadField, and VersionSkew where there are some that this version does not know.
    """
    if unknown_names(Settings, values):
        raise VersionSkew(
            _("The recipe was made by a newer Impasto."),
            next_step=_("Update Impasto, then try again."),
        )
    return from_dict(Settings, {**_ONCE, **values})


def draft_of(settings: Settings, share: float = 1.0) -> Settings:
    """Settings for a draft of a picture of at most DRAFT_PX: a few steps at its own size.

    share: how much of the long edge of what would be painted the draft shows, above 0 and at most
    1; its strokes are as large as in the whole.
    """
    return replace(
        settings,
        iterations=min(settings.iterations, DRAFT_ITERATIONS),
        working_px=0,
        refinement=0,
        snapshots=(),
        style_scale=min(_LARGEST_STYLE_SCALE, settings.style_scale / share),
    )


def variations_of(settings: Settings, count: int) -> list[Settings]:
    """So many settings, each with a seed of its own from the given one on, that start from noise.

    Without noise every seed gives the same painting; so does a baked style that paints at once, of
    which there is one alone.
    """
    if not settings.iterations:
        return [settings]
    noise = settings.start_noise or VARIATION_NOISE
    return [
        replace(settings, seed=settings.seed + number, start_noise=noise) for number in range(count)
    ]
