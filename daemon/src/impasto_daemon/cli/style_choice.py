"""The options of `impasto apply` that say in which styles is painted, and what of each where."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from impasto_daemon.cli.recipe import MAPS, NO_FILE, FileSource, Recipe, StyleSource
from impasto_daemon.cli.standard_streams import input_file, is_input
from impasto_protocol.chosen_style import ChosenStyle
from impasto_protocol.codec import digest_of
from impasto_protocol.errors import StyleUnreadable
from impasto_protocol.fields import field_spec, type_hints
from impasto_protocol.messages import STYLES, StyleUse
from impasto_protocol.networks import LAYER_GROUPS
from impasto_protocol.settings import LAYER, Settings

if TYPE_CHECKING:
    from impasto_protocol.codec import Picture

F = TypeVar("F", bound=Callable[..., Any])

_PATH = click.Path(path_type=Path)


@dataclass(frozen=True)
class StyleChoice:
    """Files of styles, names of presets, and in turn what is said of each.

    Raises UsageError where they do not go together.
    """

    files: tuple[Path, ...]
    presets: tuple[str, ...]
    masks_of: tuple[str, ...]
    weights_of: tuple[float, ...]
    scales_of: tuple[float, ...]
    layers_of: tuple[tuple[str, ...], ...]
    strength_map: Path | None
    picture_map: Path | None
    style_map: Path | None

    def __post_init__(self) -> None:
        count = len(self.files) + len(self.presets)
        if not 1 <= count <= STYLES:
            raise click.UsageError(
                f"Give --style FILE or --preset NAME; up to {STYLES} of them, each once."
            )
        if max(map(len, (self.masks_of, self.weights_of, self.scales_of, self.layers_of))) > count:
            raise click.UsageError("There are more masks, weights, scales or layers than styles.")
        if (self.picture_map is None) != (self.style_map is None):
            raise click.UsageError("--map and --style-map go together.")
        if self.picture_map and (count > 1 or {*self.masks_of} - {NO_FILE}):
            raise click.UsageError("Maps go with one style and no mask.")

    @property
    def inputs(self) -> Iterator[Path]:
        """Every file of it."""
        yield from self.files
        yield from (Path(mask) for mask in self.masks_of if mask != NO_FILE)
        yield from filter(None, (self.strength_map, self.picture_map, self.style_map))

    def recipe(
        self, settings: Settings, chosen: Sequence[ChosenStyle], start: Path | None, size_px: int
    ) -> Recipe:
        """What is kept of it in a painting. chosen: what `read` has made of it."""
        files = [*self.files, *[None] * len(self.presets)]
        masks = _in_turn(self.masks_of, NO_FILE)
        sources = tuple(
            StyleSource(
                choice.use,
                file.name if file else "",
                _source(file).hash if file else "",
                None if mask == NO_FILE else _source(Path(mask)),
            )
            for file, mask, choice in zip(files, masks, chosen, strict=False)
        )
        if is_input(start):  # which is not there any more when the recipe is used
            start = None
        named = {option: start if option == "start_file" else getattr(self, option)
                 for option in MAPS}  # fmt: skip
        maps = {option: _source(file) for option, file in named.items() if file}
        return Recipe(settings, sources, maps, size_px)

    @property
    def first_preset(self) -> str:
        """The preset whose settings are taken; empty: none."""
        return "" if self.files else self.presets[0]

    def read(
        self, content: Picture, profile: bytes, streams: ExitStack
    ) -> tuple[list[ChosenStyle], dict[str, Picture], list[str]]:
        """The styles, the pictures of other roles, and notes for the painter.

        profile: of the photograph, which the styles' colours are brought to.
        """
        from impasto_daemon.images.pictures import read_mask, read_picture, read_style

        def opened(path: Path) -> Path:
            return streams.enter_context(input_file(path))

        size = (content.height, content.width)
        styles, notes = list["Picture | str"](), list[str]()
        for file in self.files:
            picture, told = read_style(opened(file), profile=profile)
            styles.append(picture)
            notes += told
        chosen = [
            ChosenStyle(
                style,
                None if mask == NO_FILE else read_mask(opened(Path(mask)), size),
                weight,
                scale,
                layers,
            )
            for style, mask, weight, scale, layers in zip(
                [*styles, *self.presets],
                _in_turn(self.masks_of, NO_FILE),
                _in_turn(self.weights_of, 1.0),
                _in_turn(self.scales_of, 1.0),
                _in_turn(self.layers_of, ()),
                strict=False,
            )
        ]
        others = {}
        if self.strength_map:
            others["strength"] = read_mask(opened(self.strength_map), size)
        if self.picture_map and self.style_map:
            others["map"] = read_picture(opened(self.picture_map), size=size)
            others["style_map"] = read_picture(opened(self.style_map))
        return chosen, others, notes


def style_options(function: F) -> F:
    """The options of a StyleChoice; `choice_from` takes them out again."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def given_of_styles(options: dict[str, Any]) -> dict[str, Any]:
    """Those of `style_options` that were given."""
    return {name: options[name] for name in StyleChoice.__annotations__ if options[name]}


def choice_from(options: dict[str, Any]) -> StyleChoice:
    """The choice among a command's options, which it is taken from. Raises UsageError."""
    return StyleChoice(**{name: options.pop(name) for name in StyleChoice.__annotations__})


def _source(file: Path) -> FileSource:
    """What a recipe says of a file. Raises StyleUnreadable."""
    if is_input(file):
        return FileSource(file.name)
    try:
        return FileSource(file.name, digest_of(file.read_bytes()).hex())
    except OSError as error:
        raise StyleUnreadable(
            f"{file} cannot be read any more: {error.strerror}.",
            next_step="Leave it where it is until the painting begins.",
        ) from error


def _in_turn(given: Sequence[Any], otherwise: Any) -> Iterator[Any]:
    return itertools.chain(given, itertools.repeat(otherwise))


def _range(field: str) -> click.FloatRange:
    spec = field_spec(StyleUse.__dataclass_fields__[field])
    assert type_hints(StyleUse)[field] is float
    return click.FloatRange(spec.low, spec.high)


def _layers(context: click.Context, option: click.Parameter, given: Sequence[str]) -> Any:
    """Each as layers; a group of them by its name."""
    found = []
    for text in given:
        layers = LAYER_GROUPS.get(text)
        if layers is None:
            layers = tuple(part.strip() for part in text.split(","))
        if not set(layers) <= set(LAYER):
            raise click.BadParameter(f"{text!r} is none of {', '.join(LAYER_GROUPS)}, nor layers.")
        found.append(layers)
    return tuple(found)


_OPTIONS = (
    click.option(
        "--style", "files", type=_PATH, multiple=True,
        help=f"The picture whose style to paint in. Up to {STYLES} styles, saved ones after these.",
    ),
    click.option(
        "--preset", "presets", multiple=True,
        help="A saved style, with its settings; of several, the first one's; beside --style, "
        "without them.",
    ),
    click.option(
        "--mask-of", "masks_of", metavar="FILE", multiple=True,
        help="Where the first style goes, white on black; again for the next one. `none`: it goes "
        "where no mask is.",
    ),
    click.option(
        "--weight-of", "weights_of", type=_range("weight"), multiple=True,
        help="How much the first style weighs where several meet; again for the next. [default: 1]",
    ),
    click.option(
        "--scale-of", "scales_of", type=_range("scale"), multiple=True,
        help="The size of its strokes, times --style-scale. [default: 1]",
    ),
    click.option(
        "--layers-of", "layers_of", metavar="|".join([*LAYER_GROUPS, "A,B,…"]), multiple=True,
        callback=_layers,
        help="What is taken of it: fine its grain, coarse its shapes, or the layers by name. "
        "[default: all]",
    ),
    click.option(
        "--strength-map", type=_PATH,
        help="A picture in greys: white gets all of the strength, black stays as it is.",
    ),
    click.option(
        "--map", "picture_map", type=_PATH,
        help="Flat colours over the photograph: what has one colour is painted like what has it in "
        "--style-map.",
    ),
    click.option("--style-map", type=_PATH, help="The same colours over the style picture."),
)  # fmt: skip
