"""One painting or several at the command line, and the files they leave."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from impasto_daemon.cli.job_progress import Interrupts, await_result
from impasto_daemon.cli.output import answer_as_dict, console, print_result
from impasto_daemon.cli.recipe import Recipe
from impasto_daemon.files import check_apart, check_place
from impasto_daemon.paths import Paths
from impasto_protocol.client import Job
from impasto_protocol.codec import Picture
from impasto_protocol.errors import ImpastoError, NotWritten
from impasto_protocol.messages import JobMessage, Progress, Result, Snapshot
from impasto_protocol.settings import Settings, variations_of

if TYPE_CHECKING:
    from impasto_daemon.images.loss_curve import LossPoint
    from impasto_daemon.images.metadata import KeptMetadata

_SHEET, _LOSS = "sheet", "loss"


@dataclass(frozen=True)
class PaintingRun:
    """What a photograph is painted with at the command line, and where the files go."""

    stylise: Callable[[Settings], Job]
    recipe: Recipe
    output: Path
    kept: KeptMetadata
    as_json: bool
    interrupts: Interrupts
    inputs: Sequence[Path] = ()
    """The files that it is painted from, none of which may be replaced by what goes beside it."""

    def paint(self) -> None:
        """One painting; where snapshots are asked for, a contact sheet and a loss curve as well."""
        from impasto_daemon.images.loss_curve import LossPoint

        snapshots: dict[int, Picture] = {}
        points: list[LossPoint] = []

        def on_event(message: JobMessage, pictures: list[Picture]) -> None:
            if isinstance(message, Snapshot):
                snapshots[message.step] = pictures[0]
            elif isinstance(message, Progress) and message.losses:
                if points and points[-1].step > message.step:  # it was begun anew
                    points[:] = [point for point in points if point.step < message.step]
                points.append(LossPoint(message.step, message.scale, message.losses))

        settings = self.recipe.settings
        if settings.snapshots:
            self._check_places([*map(str, settings.snapshots), _SHEET, _LOSS])
        job = self.stylise(settings)
        result, (painted,) = await_result(
            job, shown=not self.as_json, on_event=on_event, interrupts=self.interrupts
        )
        if result.losses and (not points or points[-1].step < result.steps):
            scale = points[-1].scale if points else 1
            points.append(LossPoint(result.steps, scale, result.losses))
        written = OutputFiles([*result.notes, *self.kept.notes])
        write = partial(written.write, recipe=self.recipe, result=result)
        data: dict[str, Any] = {"output": write(self.output, painted, kept=self.kept)}
        data["snapshots"] = [
            write(self._named(str(step)), snapshot, kept=self.kept)
            for step, snapshot in snapshots.items()
        ]
        if settings.snapshots:
            labelled = {f"after {step}": snapshot for step, snapshot in snapshots.items()}
            labelled[f"painting, after {result.steps}"] = painted
            data["sheet"] = self._write_sheet(write, labelled)
            if points:
                data["loss_curve"] = self._write_losses(write, points)
        data |= {**answer_as_dict(result), "files": written.files, "notes": written.notes}
        print_result(self.as_json, data, lambda: written.print(describe_result(result)))

    def paint_variations(self, count: int) -> None:
        """So many paintings, a seed each, and a contact sheet. Ctrl-C ends with the one at hand."""
        from impasto_daemon.images.contact_sheet import make_thumbnail

        self._check_places([*map(str, range(1, count + 1)), _SHEET])
        written = OutputFiles(list(self.kept.notes))
        variations: list[dict[str, Any]] = []
        labelled: dict[str, Picture] = {}
        for number, varied in enumerate(variations_of(self.recipe.settings, count), 1):
            if not self.as_json:
                console.print(f"Variation {number} of {count}")
            result, (painted,) = await_result(
                self.stylise(varied), shown=not self.as_json, interrupts=self.interrupts
            )
            recipe = dataclasses.replace(self.recipe, settings=varied)
            write = partial(written.write, recipe=recipe, result=result)
            path = write(self._named(str(number)), painted, kept=self.kept)
            variations.append({"output": path, "seed": varied.seed, **answer_as_dict(result)})
            labelled[f"{number}: seed {varied.seed}"] = make_thumbnail(painted)
            written.add_notes(result.notes)
            if self.interrupts.count:
                break
        data = {
            "variations": variations,
            "sheet": self._write_sheet(write, labelled),
            "files": written.files,
            "notes": written.notes,
        }
        print_result(
            self.as_json, data, lambda: written.print(f"Painted {len(variations)} variations.")
        )

    def _write_sheet(self, write: Callable[..., Path], labelled: dict[str, Picture]) -> Path:
        from impasto_daemon.images.contact_sheet import make_contact_sheet
        from impasto_daemon.images.metadata import KeptMetadata

        sheet = make_contact_sheet(list(labelled.values()), list(labelled))
        return write(self._named(_SHEET), sheet, kept=KeptMetadata(self.kept.icc))

    def _write_losses(self, write: Callable[..., Path], points: list[LossPoint]) -> Path:
        from impasto_daemon.images.loss_curve import draw_losses

        return write(self._named(_LOSS), draw_losses(points))

    def _check_places(self, parts: Iterable[str]) -> None:
        """Make sure, before anything is painted, that what goes beside it could be written."""
        for part in parts:
            check_place(self._named(part))
            check_apart(self._named(part), self.inputs)

    def _named(self, part: str) -> Path:
        ending = ".png" if part in (_SHEET, _LOSS) else self.output.suffix
        return self.output.with_name(f"{self.output.stem}-{part}{ending}")


@dataclass
class OutputFiles:
    """What a command tells at its end: what a painter should know, and the files it wrote."""

    notes: list[str] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)

    def add_notes(self, notes: Iterable[str]) -> None:
        """Tell these too, each once."""
        self.notes += [note for note in notes if note not in self.notes]

    def write(
        self,
        path: Path,
        picture: Picture,
        recipe: Recipe,
        result: Result,
        kept: KeptMetadata | None = None,
    ) -> Path:
        """Write a picture with its recipe, and with what is kept of the photograph."""
        from impasto_daemon.images.metadata import KeptMetadata
        from impasto_daemon.images.pictures import write_picture

        info = recipe.text(result)

        def write_png(to: Path) -> None:
            profile = KeptMetadata(kept.icc) if kept else None
            for held in (kept, profile):
                try:
                    write_picture(to, picture, info=info, kept=held)
                    return
                except NotWritten:  # the place is why
                    raise
                except Exception:  # its metadata may be why
                    continue
            write_picture(to, picture, info=info)

        try:
            self.add_notes(write_picture(path, picture, info=info, kept=kept))
        except Exception as error:
            said = error if isinstance(error, ImpastoError) else NotWritten(
                f"{path} could not be written: {error}."
            )  # fmt: skip
            raise kept_elsewhere(said, path.stem, [path.parent], write_png) from error
        self.files.append(path)
        return path

    def print(self, sentence: str) -> None:
        """Tell it at the terminal, after a sentence."""
        console.print(sentence)
        for note in self.notes:
            console.print(f"Note: {note}", style="yellow")
        if console.file is sys.stderr:
            return  # the painting went to standard output and has no name
        for path in self.files:
            console.print(str(path.resolve()), style="bold")


def kept_elsewhere(
    error: ImpastoError, stem: str, folders: Iterable[Path], write: Callable[[Path], object]
) -> ImpastoError:
    """The error for a painting that could not be written, once `write` has put it as PNG elsewhere.

    folders: where to try before Impasto's own and that of temporary files.
    """
    name = f"{stem}-{time.strftime('%Y%m%d-%H%M%S')}.png"
    for folder in (*folders, Paths.of().data / "unsaved", Path(tempfile.gettempdir())):
        with contextlib.suppress(Exception):
            write(folder / name)
            return type(error)(f"{error} The painting is kept as {(folder / name).absolute()}.",
                               next_step="Copy it to where you want it.")  # fmt: skip
    return error


def describe_result(result: Result) -> str:
    """What people are told of a result."""
    why = ", as it no longer changed" if result.converged else ""
    steps = f"{result.steps} step{'' if result.steps == 1 else 's'}{why}"
    return f"Painted in {result.seconds:.0f} s, {steps}, {result.device}."
