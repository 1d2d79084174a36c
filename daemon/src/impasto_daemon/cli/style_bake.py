"""`impasto style bake`: a style that is to paint at once."""

from __future__ import annotations

from pathlib import Path

import click

from impasto_daemon.cli.job_progress import await_result
from impasto_daemon.cli.options import given, options_of
from impasto_daemon.cli.output import json_option, print_result
from impasto_daemon.cli.style_files import connect
from impasto_daemon.engine.feed_forward_shapes import BAKED_PX
from impasto_protocol.codec import Picture
from impasto_protocol.errors import NotWritten
from impasto_protocol.limits import PARTS
from impasto_protocol.messages import JobMessage, PresetBake

_PATH = click.Path(path_type=Path)
_MOST = PARTS - 1
_SAMPLE_PX = BAKED_PX // 2


@click.command()
@click.argument("name")
@click.argument("photographs", nargs=-1, type=_PATH)
@options_of(PresetBake, only=("minutes",))
@click.option("--anew", is_flag=True, help="Not on from what was baked before.")
@click.option("--sample", type=_PATH, help="Write to this file how it paints the first photograph, "
              "again and again as it learns.")  # fmt: skip
@json_option
def bake(
    name: str,
    photographs: tuple[Path, ...],
    minutes: float | None,
    anew: bool,
    sample: Path | None,
    as_json: bool,
) -> None:
    """Bake the style NAME, so that quality instant paints in it at once.

    It is learnt from PHOTOGRAPHS, up to 23 that look like what you paint, or from those that
    come with Impasto and what you painted last. Paintings come before it. What was baked already is
    baked further. The first Ctrl-C ends it with what there is, and so it can be gone on with at any
    time. It goes on when the terminal is closed, until `impasto daemon cancel` or an editor ends
    it.
    """
    from impasto_daemon.images.output import check_output
    from impasto_daemon.images.pictures import read_picture, write_picture

    if len(photographs) > _MOST:
        raise click.UsageError(f"Name {_MOST} photographs at most.")
    if sample:
        check_output(sample, _SAMPLE_PX, _SAMPLE_PX, pixel_bytes=3)
    pictures = [read_picture(path, longest_px=2 * BAKED_PX) for path in photographs]

    not_written = ""

    def take(message: JobMessage, previews: list[Picture]) -> None:
        nonlocal not_written
        if sample and previews:
            try:
                write_picture(sample, previews[0])
                not_written = ""
            except NotWritten as error:  # the style is what it is about
                not_written = str(error)

    with connect() as client:
        job = client.bake(
            name, pictures, **given({"minutes": minutes}), anew=anew,
            preview_px=_SAMPLE_PX if sample else 0,
        )  # fmt: skip
        result, _ = await_result(
            job, shown=not as_json, on_event=take, kept="what is baked; Ctrl-C again leaves it too"
        )
    notes = [*result.notes, *filter(None, [not_written])]
    data = {
        "name": name, "steps": result.steps, "seconds": result.seconds, "losses": result.losses,
        "notes": notes,
    }  # fmt: skip
    text = [f"Note: {note}" for note in notes]
    text.append(f"Baked. Use it with `impasto apply PICTURE --preset '{name}' --quality instant`.")
    print_result(as_json, data, "\n".join(text))
