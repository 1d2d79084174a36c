"""`impasto apply` and `impasto demo`: a picture goes to the daemon and comes back painted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import click

from impasto_daemon.cli.job_progress import Interrupts, await_result
from impasto_daemon.cli.options import options_of, settings_from
from impasto_daemon.cli.output import answer_as_dict, json_option, print_result
from impasto_daemon.cli.painting_run import (
    OutputFiles,
    PaintingRun,
    describe_result,
)
from impasto_daemon.cli.recipe import NO_FILE, Recipe, read_recipe
from impasto_daemon.cli.standard_streams import input_file, is_input, is_output, output_file
from impasto_daemon.cli.style_choice import choice_from, given_of_styles, style_options
from impasto_daemon.files import check_apart, check_place, make_folder
from impasto_protocol.client import Client
from impasto_protocol.descriptions import describe_estimate
from impasto_protocol.errors import BadMessage, VersionSkew
from impasto_protocol.fields import to_dict
from impasto_protocol.messages import PresetGet, Presets, count_planes
from impasto_protocol.settings import QUALITIES, QUALITY_WORDS, Settings

_PATH = click.Path(path_type=Path)

_QUALITIES_HELP = (
    "; ".join(f"{name}: {words}" for name, words in QUALITY_WORDS.items())
    + " [default: good, or what the saved style has]"
)

_BY_QUALITY = dict.fromkeys(QUALITIES["good"], "by --quality")
_DEMO_PX, _DEMO_ITERATIONS = 320, 75


def size_option(default: str = "its own") -> Callable[[Any], Any]:
    """The option for the size of a picture."""
    return click.option(
        "--size", "size_px", type=click.IntRange(0),
        help="Scale the picture down to this long edge first; a smaller one stays. "
        f"[default: {default}]",
    )  # fmt: skip


@click.command()
@click.argument("picture", type=_PATH)
@style_options
@click.option("--recipe", "recipe_file", type=_PATH,
              help="A PNG that was painted: its settings and size, and its styles, masks and "
              "start unless styles are named; files are sought beside it and PICTURE.")  # fmt: skip
@click.option(
    "--start",
    "start_file",
    type=_PATH,
    help="A picture to begin with instead. `none`: not that of the recipe.",
)
@click.option(
    "-o",
    "--output",
    type=_PATH,
    help="Where to put it, as .png, .jpg, .webp, .tiff, .bmp or .gif "
    "[default: NAME-painted.png beside the picture, in the place of one of that name].",
)
@click.option("--mkdir", is_flag=True, help="Make the output's folder if need be.")
@click.option("--quality", type=click.Choice(list(QUALITIES)), help=_QUALITIES_HELP)
@click.option("--estimate", is_flag=True,
              help="Only say how much memory and time it would take.")  # fmt: skip
@click.option("--variations", type=click.IntRange(2, 64), metavar="N",
              help="Paint it N times, with seeds from --seed on, and make a contact sheet; "
              "implies --start-noise 0.4. [2 to 64]")  # fmt: skip
@size_option("its own, or the recipe's; 0: its own")
@json_option
@options_of(Settings, defaults=_BY_QUALITY)
def apply(
    picture: Path,
    recipe_file: Path | None,
    start_file: Path | None,
    output: Path | None,
    mkdir: bool,
    quality: str | None,
    estimate: bool,
    variations: int | None,
    size_px: int | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Paint PICTURE in the style of another picture, or of a saved style, or in several.

    `-` stands for standard input, and as the output for standard output. What is not given is as
    the saved style or the recipe has it, or else as said below.

    The painting has the photograph's size, transparency, colour profile, resolution, EXIF and XMP
    data, and its 16 bits a channel where the output is PNG or TIFF. --snapshots leaves a contact
    sheet and a loss curve as well. Ctrl-C ends it with the picture as it stands, a second Ctrl-C
    without one.
    """
    recipe = read_recipe(recipe_file) if recipe_file else None
    given = given_of_styles(options)
    if start_file:
        start_file = None if str(start_file) == NO_FILE else start_file
        given["start_file"] = start_file
    styled = "files" in given or "presets" in given
    if recipe and recipe_file and not styled:
        options |= recipe.options([recipe_file.parent, picture.parent], given)
        start_file = options.pop("start_file", None)
    if size_px is None:
        size_px = recipe.size_px if recipe else 0
    choice = choice_from(options)
    if variations and options["snapshots"]:
        raise click.UsageError("Give either --variations or --snapshots.")
    if variations and options["start_noise"] == 0:
        raise click.UsageError("With --start-noise 0 all variations would be the same.")
    alone = is_output(output)
    if alone and (as_json or variations or options["snapshots"]):
        raise click.UsageError("Standard output can hold one painting and nothing else.")
    if is_input(picture) and not output:
        raise click.UsageError("With the photo from standard input, name the output.")
    inputs = [*filter(None, (picture, start_file)), *choice.inputs]
    if [*map(is_input, [*inputs, recipe_file])].count(True) > 1:
        raise click.UsageError("Standard input can hold one picture only.")
    from impasto_daemon.images.output import check_output
    from impasto_daemon.images.pictures import read_photograph, read_picture

    streams = click.get_current_context()
    interrupts = streams.with_resource(Interrupts(shown=not as_json))
    if not output:
        output = picture.parent / f"{picture.stem}-painted.png"
        if not variations:
            check_apart(output, inputs)
    output = streams.with_resource(output_file(output)).absolute()
    picture = streams.with_resource(input_file(picture))
    start = start_file and streams.with_resource(input_file(start_file))
    if mkdir:
        make_folder(output.parent)
    check_place(output, "Correct its name, or add --mkdir to have it made.")
    content, kept = read_photograph(picture, longest_px=size_px)
    pixel_bytes = len(content.data) // (content.width * content.height)
    check_output(output, content.height, content.width, pixel_bytes)
    styles, others, notes = choice.read(content, kept.icc, streams.with_resource(ExitStack()))
    kept = replace(kept, notes=(*kept.notes, *notes))
    if start:
        others["start"] = read_picture(start, profile=kept.icc)
    with Client.connect(name="impasto apply") as client:
        if recipe:
            if not styled:
                styles = recipe.under_names_now(styles, client.presets())
            base = to_dict(recipe.settings) | (QUALITIES[quality] if quality else {})
            settings = settings_from(options, base)
        else:
            base = _preset_settings(client, preset) if (preset := choice.first_preset) else {}
            settings = settings_from(options, base | _quality(quality, base))
        if alone or variations:  # has no place for those that a recipe or a saved style has
            settings = replace(settings, snapshots=())
        if estimate or not as_json:
            planes = count_planes([*("mask" for style in styles if style.mask), *others])
            told = client.estimate((content.height, content.width), settings, planes=planes)
            if told:
                paintings = variations or 1
                in_all = None if told.seconds is None else told.seconds * paintings
                words = describe_estimate(told, quality or "good", paintings)
                data = answer_as_dict(told) | {"paintings": paintings, "seconds_in_all": in_all}
                print_result(as_json, data, words)
            elif estimate:
                raise VersionSkew(
                    "The daemon is older and cannot tell.",
                    next_step="End it with `impasto daemon stop`, then try again.",
                )
        if estimate:
            return
        if variations and not settings.iterations:
            raise click.UsageError("Painted at once, all variations would be the same.")
        run = PaintingRun(
            partial(client.stylise, content, styles, others=others),
            choice.recipe(settings, styles, start_file, size_px),
            output,
            kept,
            as_json,
            interrupts,
            inputs,
        )
        if variations:
            run.paint_variations(variations)
        else:
            run.paint()


@click.command()
@click.option("--folder", type=_PATH, default="impasto-demo", show_default=True,
              help="Where to put the pictures.")  # fmt: skip
@size_option(f"{_DEMO_PX}")
@json_option
@options_of(
    Settings, only=("strength", "iterations"), defaults={"iterations": f"{_DEMO_ITERATIONS}"}
)
def demo(folder: Path, size_px: int | None, as_json: bool, **options: Any) -> None:
    """Paint the photograph that comes with Impasto, to see that all works."""
    from impasto_daemon.images.contact_sheet import make_sheet
    from impasto_daemon.images.pictures import read_picture

    paths = [folder.absolute() / name for name in ("painted.png", "before-style-after.png")]
    make_folder(folder)
    for path in paths:
        check_place(path)
    pictures = files("impasto_daemon") / "demo"
    with (
        as_file(pictures / "photograph.jpg") as photograph,
        as_file(pictures / "painting.jpg") as painting,
    ):
        content = read_picture(photograph, longest_px=size_px or _DEMO_PX)
        style = read_picture(painting)
    settings = settings_from(options, {"iterations": _DEMO_ITERATIONS})
    interrupts = click.get_current_context().with_resource(Interrupts(shown=not as_json))
    with Client.connect(name="impasto demo") as client:
        result, (painted,) = await_result(
            client.stylise(content, style, settings), shown=not as_json, interrupts=interrupts
        )
    written = OutputFiles(list(result.notes))
    recipe = Recipe(settings, (), {})
    written.write(paths[0], painted, recipe, result)
    written.write(paths[1], make_sheet([content, style, painted]), recipe, result)
    data = {"output": paths[0], "sheet": paths[1], "files": written.files, **answer_as_dict(result)}
    print_result(as_json, data, lambda: written.print(describe_result(result)))


def _quality(chosen: str | None, saved: dict[str, Any]) -> dict[str, int]:
    """What is set by a quality; a style that was saved without a size is painted at its own."""
    if chosen:
        return QUALITIES[chosen]
    if saved.get("working_px") or saved.get("refinement"):
        return {}
    good = QUALITIES["good"]
    return {name: value for name, value in good.items() if name != "iterations" or not saved}


def _preset_settings(client: Client, name: str) -> dict[str, Any]:
    answer, _ = client.ask(PresetGet(name=name))
    if not isinstance(answer, Presets):
        raise BadMessage("The daemon's answer was not a style.")
    return to_dict(answer.presets[0].settings)
