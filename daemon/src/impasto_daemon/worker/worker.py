"""The worker process: takes jobs from the broker's pipe, paints, and tells how it goes.

One thread. It listens to the pipe between evaluations, which is where a job can be interrupted.
"""

from __future__ import annotations

import dataclasses
import logging
import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import torch
from torch import Tensor

from impasto_daemon.config import Config
from impasto_daemon.engine import semantic_map
from impasto_daemon.engine.budget import peak_mib, plan_painting
from impasto_daemon.engine.events import Event, Finished, Iteration, ScaleStarted, Snapshot
from impasto_daemon.engine.guidance import Guided, guides_of
from impasto_daemon.engine.network import FeatureNetwork
from impasto_daemon.engine.resizing import resize
from impasto_daemon.engine.sizes import fit
from impasto_daemon.engine.style import Style, preset_sizes_px
from impasto_daemon.engine.stylise import stylise
from impasto_daemon.images.pictures import shrink
from impasto_daemon.presets.preset_file import (
    PICTURE_PX,
    STATISTICS_BYTES,
    THUMBNAIL_PX,
    Preset,
    check_name,
)
from impasto_daemon.presets.statistics import Statistics, packed_bytes
from impasto_daemon.presets.store import PresetStore
from impasto_daemon.worker.baking_job import Baker, as_tensors
from impasto_daemon.worker.colours import painting_space
from impasto_daemon.worker.job_channel import JobChannel
from impasto_daemon.worker.memory import allowed_mib, content_size, kept_mib, least_mib
from impasto_daemon.worker.models import ModelCache, describe, trim_heap
from impasto_daemon.worker.orders import Idle, Quit, Ready, Run, WeightsLoaded
from impasto_daemon.worker.pipe import receive, send
from impasto_daemon.worker.rates import RATES_FILE, Rates
from impasto_daemon.worker.tensors import to_picture, to_preview, to_tensor
from impasto_protocol import messages
from impasto_protocol.codec import Picture, digest_of
from impasto_protocol.colour_space import SRGB, ColourSpace
from impasto_protocol.errors import (
    BadImage,
    Cancelled,
    GpuFailed,
    ImpastoError,
    NoDevice,
    NotBaked,
    NotWritten,
    OutOfMemory,
    WorkerFailed,
)
from impasto_protocol.messages import PresetInfo
from impasto_protocol.settings import Settings

log = logging.getLogger(__name__)

_ATTEMPTS = 4
_NO_MEMORY = re.compile("out of memory|allocate memory|ALLOC_FAILED|ALLOCATION_FAILED")
_GPU = re.compile("CUDA|cuDNN|HIP|MIOpen|MPS")
"""What a RuntimeError says of those that failed."""
_DIVERGED = (
    "The painting left the range of numbers; this is the last good picture. Lower the strength or "
    "the learning rate, or use the L-BFGS optimiser."
)


def serve(pipe: Connection, config: Config, data_dir: Path) -> None:
    """Work for the broker until it says to quit or is gone; without a device, say so each time."""
    try:
        worker = Worker(pipe, config, data_dir)
    except NoDevice as error:
        send(pipe, Ready("", 0))
        while isinstance(order := receive(pipe), Run):
            JobChannel(order, pipe, config.stall_s).fail(error)
            send(pipe, Idle())
    else:
        worker.serve()


class Worker:
    """One device's worker. pipe: to the broker. data_dir: where weights and styles are."""

    def __init__(self, pipe: Connection, config: Config, data_dir: Path) -> None:
        self._pipe, self._config = pipe, config
        self._presets = PresetStore(data_dir / "presets")
        self._models = ModelCache(config, data_dir)
        self._rates = Rates(data_dir / RATES_FILE)
        self._baker = Baker(self._presets)
        self._quit = False

    def serve(self) -> None:
        """Do jobs until the broker says to quit or is gone."""
        self._rates.begin(self._config.device, self._models.rate)
        send(self._pipe, Ready(describe(self._models.device), self._models.memory_mib))
        while not self._quit:
            order = receive(self._pipe)
            if isinstance(order, Run):
                self._run_job(order)
                send(self._pipe, Idle())
            elif isinstance(order, Quit):
                self._quit = True

    def _run_job(self, order: Run) -> None:
        job = JobChannel(order, self._pipe, self._config.stall_s)
        works: dict[type, Callable[[JobChannel, float], None]] = {
            messages.PresetSave: self._save_preset,
            messages.PresetBake: self._bake_preset,
        }
        work = works.get(type(order.message), self._paint)
        try:
            for attempt in range(_ATTEMPTS):
                if not self._attempt(work, job, 2.0**-attempt):
                    break
                # Not inside an `except`: its traceback would keep the tensors alive.
                log.warning("out of memory; trying once more with less")
                self._models.clear()
            else:
                job.fail(self._out_of_memory(job.message))
        except Cancelled:
            self._quit = self._quit or job.quit
        except ImpastoError as error:
            job.fail(error)
        except Exception:
            log.exception("a job failed unexpectedly")
            job.fail(WorkerFailed("Something went wrong inside Impasto."))
        self._models.forget_large_styles()
        self._models.give_back()

    def _attempt(
        self, work: Callable[[JobChannel, float], None], job: JobChannel, share: float
    ) -> bool:
        """Whether memory ran out. share: of the memory that it would take at first."""
        try:
            work(job, share)
        except (MemoryError, torch.OutOfMemoryError):
            return True
        except ImpastoError:
            raise
        except RuntimeError as error:
            if _NO_MEMORY.search(str(error)):
                return True
            if _GPU.search(str(error)) or isinstance(error, torch.AcceleratorError):
                log.exception("the GPU failed")
                job.fail(GpuFailed("The GPU stopped working in the middle of it."), lost=True)
                return False
            raise
        return False

    def _out_of_memory(self, message: messages.JobMessage) -> OutOfMemory:
        takes, free = "", f"{self._models.free_mib} MiB are free."
        if isinstance(message, messages.Stylise):
            kind = self._rates.get(self._config.device).kind
            least = least_mib(content_size(message), message, kind) + kept_mib(message, kind)
            takes = f"it takes {least} MiB at least, and "
        return OutOfMemory(f"{self._models.device} ran out of memory: {takes}{free}")

    def _paint(self, job: JobChannel, share: float) -> None:
        message = job.message
        assert isinstance(message, messages.Stylise)
        began = time.monotonic()
        pictures = job.pictures()
        settings = message.settings
        job.progress("starting", 0, settings.iterations)
        self._models.follow_load(begin=True)
        self._open_weights(job, settings.network)
        job.progress("style", 0, settings.iterations)
        network = self._models.network(settings)
        memory_mib = self._memory_mib(message, network, share)
        (sent,) = pictures["content"]
        space = painting_space(sent.space)
        styles, keys, notes = self._styles(job, message, pictures)
        known = [len(guided.style.moments) for guided in styles]
        content = to_tensor(sent, space)
        start = to_tensor(pictures["start"][0], space) if pictures["start"] else None
        selection, strength = (
            next(map(_mask, pictures[role]), None) for role in ("selection", "strength")
        )
        cut = selection if message.cut else None
        parts = _mapped(styles, pictures)
        _, given = guides_of(parts, strength, fill=settings.uncovered == "style")
        finish = partial(
            to_picture, like=sent, strength=settings.strength, selection=selection,
            given=given, cut=cut,
        )  # fmt: skip
        alpha = content[3:] if len(content) == 4 else None
        if cut is not None:
            alpha = cut if alpha is None else alpha * cut
        reporter = _ProgressReporter(job, message, sent, alpha, finish)
        tiles_mib = max(0, memory_mib - kept_mib(message, network.kind))
        painting = time.monotonic()
        for event in stylise(
            content, parts, settings, network,
            start=start, selection=selection, strength=strength, memory_mib=tiles_mib,
            conclude=lambda: job.concluding, between=partial(_between_tiles, job),
        ):  # fmt: skip
            job.poll()
            self._models.follow_load()
            if isinstance(event, ScaleStarted):
                self._models.give_back()
            reporter.show(event)
        assert isinstance(event, Finished)
        if settings.iterations:
            self._rates.learn(self._config.device, event.work, time.monotonic() - painting)
        unchanged = not event.steps and cut is None
        notes = [_DIVERGED] * event.diverged + notes
        job.send(
            messages.Result(
                job=message.job,
                steps=event.steps,
                converged=event.converged,
                diverged=event.diverged,
                seconds=time.monotonic() - began,
                losses=_finite(event.losses),
                device=describe(self._models.device),
                weights=network.name,
                style=keys[0],
                styles=tuple(keys[1:]),
                notes=_as_sent(notes),
                memory_mib=memory_mib,
            ),
            {"picture": sent if unchanged else finish(event.picture)},
        )
        try:
            for guided, before in zip(styles, known, strict=True):
                if len(guided.style.moments) > before:
                    self._models.keep(guided.style)
            if not message.draft:
                self._baker.remember(sent)
        except Exception:  # the painting is there
            log.exception("what may be of use later could not be kept")

    def _memory_mib(self, message: messages.Stylise, network: FeatureNetwork, share: float) -> int:
        """What a painting may take, the pictures that come with it included.

        At first what is free, then a share of what it took.
        """
        settings = message.settings
        allowed = allowed_mib(settings, self._models.free_mib)
        self._models.bound(allowed)
        if share == 1:
            return allowed
        kept, size = kept_mib(message, network.kind), content_size(message)
        room = max(0, allowed - kept)
        planned = plan_painting(size, size, settings, network.kind, room << 20, message.planes)
        return kept + int(share * min(room, peak_mib(planned)))

    def _styles(
        self, job: JobChannel, message: messages.Stylise, pictures: Mapping[str, list[Picture]]
    ) -> tuple[list[Guided], list[str], list[str]]:
        """The styles of a job, the hash of each, and notes for the painter."""
        sent, masks = iter(pictures["style"]), iter(pictures["mask"])
        space = painting_space(pictures["content"][0].space)
        styles, keys, notes = [], [], list[str]()
        presets = self._presets.held(message.job)
        for use in message.uses:
            preset = presets.get(use.preset) if use.preset else None
            picture = None if preset else next(sent)
            style, key, told = self._style(job, message, space, preset, picture)
            mask = _mask(next(masks)) if use.masked else None
            baked = None if message.settings.iterations else _network_of(preset)
            styles.append(Guided(style, use.weight, mask, use.scale, use.layers, baked))
            keys.append(key)
            notes += told
        return styles, keys, notes

    def _style(
        self,
        job: JobChannel,
        message: messages.Stylise,
        space: ColourSpace,
        preset: Preset | None,
        picture: Picture | None,
    ) -> tuple[Style, str, list[str]]:
        """A style, its hash, and notes for the painter."""
        network = self._models.network(message.settings)
        if not preset:
            assert picture
            key = digest_of(picture.data).hex()
            return self._models.style(key, picture, network, {}, space), key, []
        # A preset's statistics are of its picture in sRGB, and what paints at once needs none.
        if space != SRGB or not message.settings.iterations:
            key = digest_of(preset.picture.data).hex()
            style = self._models.style(key, preset.picture, network, {}, space)
            return style, preset.style, []
        info = self._presets.held(message.job).info(preset.name)
        return self._preset_style(job, info, preset, network, message.settings)

    def _preset_style(
        self,
        job: JobChannel,
        info: PresetInfo,
        preset: Preset,
        network: FeatureNetwork,
        settings: Settings,
    ) -> tuple[Style, str, list[str]]:
        """A preset's style with the statistics that it keeps; see `_style`."""
        is_known = preset.network in self._models.names(settings) and preset.arithmetic in (
            "", network.arithmetic
        )  # fmt: skip
        key, known = digest_of(preset.picture.data).hex(), preset.statistics if is_known else {}
        style = self._models.style(key, preset.picture, network, known)
        if settings.network != info.settings.network:  # whose statistics the preset keeps
            return style, preset.style, []
        return style, preset.style, self._renew(job, info, style, network)

    def _renew(
        self, job: JobChannel, info: PresetInfo, style: Style, network: FeatureNetwork
    ) -> list[str]:
        """Store a preset that was made with other weights or by an older version as it is now.

        Returns notes for the painter. A preset that cannot be written is still applied.
        """
        names = self._models.names(info.settings)
        if info.state == "good" and info.network in names:
            return []
        notes = []
        if info.network not in ("", *names):
            notes.append(f"The style {info.name!r} was taken anew, with the weights now in use.")
        if network.name in names:  # statistics of another pooling are not its own
            longest_px = max(info.height, info.width)
            found = self._take_statistics(job, style, longest_px, info.settings.style_layers)
            try:
                self._presets.renew(info, network.name, found, network.arithmetic)
            except NotWritten as error:
                why = getattr(error.__cause__, "strerror", None) or error
                notes.append(f"The style {info.name!r} could not be stored: {why}.")
        return notes

    def _take_statistics(
        self, job: JobChannel, style: Style, longest_px: int, layers: Sequence[str]
    ) -> Statistics:
        """The statistics that a preset keeps of a picture of that size."""
        sizes = _kept_sizes_px(longest_px, layers)
        found = {}
        for done, size in enumerate(sizes):
            job.progress("style", done, len(sizes))
            job.poll()
            for layer in style.statistics(size, layers):
                found[size, layer] = style.moments[size, layer].numpy()
        return found

    def _save_preset(self, job: JobChannel, share: float) -> None:
        message = job.message
        assert isinstance(message, messages.PresetSave)
        began = time.monotonic()
        name = check_name(message.name)
        picture = shrink(job.pictures()["style"][0], PICTURE_PX)
        self._open_weights(job, message.settings.network)
        network = self._models.network(message.settings)
        key = digest_of(picture.data).hex()
        style = self._models.style(key, picture, network, {})
        longest_px = max(picture.height, picture.width)
        statistics = self._take_statistics(job, style, longest_px, message.settings.style_layers)
        with self._presets.changing():
            folder, tags = self._presets.folder_and_tags(name)
            before = self._presets.of_style(name, key)
            self._presets.save(
                Preset(
                    name=name,
                    settings=message.settings,
                    picture=picture,
                    # A starter style's is a painting in it.
                    thumbnail=before.thumbnail if before else shrink(picture, THUMBNAIL_PX),
                    network=network.name,
                    arithmetic=network.arithmetic,
                    style=key,
                    statistics=statistics,
                    folder=folder,
                    tags=tags,
                    baked=before.baked if before else None,
                ),
                replace=message.replace,
            )
        job.send(
            messages.Result(
                job=message.job,
                steps=len(_kept_sizes_px(longest_px, message.settings.style_layers)),
                seconds=time.monotonic() - began,
                device=describe(self._models.device),
                weights=network.name,
                style=key,
            )
        )

    def _bake_preset(self, job: JobChannel, share: float) -> None:
        message = job.message
        assert isinstance(message, messages.PresetBake)
        began = time.monotonic()
        info = self._presets.now(self._presets.held(message.job).info(message.name))
        preset = self._presets.get(info.name)
        job.progress("starting", 0, 0)
        self._models.follow_load(begin=True)
        self._open_weights(job, info.settings.network)
        network = self._models.network(info.settings)
        style, key, notes = self._preset_style(job, info, preset, network, info.settings)
        done = self._baker.bake(job, info, style, network)
        if done:
            job.send(
                messages.Result(
                    job=message.job,
                    steps=done.step,
                    seconds=time.monotonic() - began,
                    losses=_finite(done.losses()),
                    device=describe(self._models.device),
                    weights=network.name,
                    style=key,
                    notes=_as_sent(notes),
                )
            )

    def _open_weights(self, job: JobChannel, network: str) -> None:
        job.progress("weights", 0, 0)
        self._models.open_weights(network)
        send(self._pipe, WeightsLoaded(self._models.weights_label(network)))


class _ProgressReporter:
    """Shows a painting's events to the job's owner, no more often than is useful."""

    def __init__(
        self, channel: JobChannel, message: messages.Stylise, content: Picture,
        alpha: Tensor | None, finish: Callable[[Tensor], Picture],
    ) -> None:  # fmt: skip
        self._channel, self._message, self._content = channel, message, content
        self._alpha, self._finish = alpha, finish
        # What is painted at once is worth seeing at once; of an optimisation it is but a blur.
        self._shown = time.monotonic() if message.settings.iterations else float("-inf")

    def show(self, event: Event) -> None:
        """Send what there is to tell of an event."""
        if isinstance(event, Iteration) and (self._channel.due or event.step in (0, event.of)):
            self._channel.send(self._progress(event), self._preview(event))
        elif isinstance(event, Snapshot):
            message = messages.Snapshot(job=self._message.job, step=event.step)
            self._channel.send(message, {"snapshot": self._finish(event.picture)})

    def _progress(self, event: Iteration) -> messages.Progress:
        return messages.Progress(
            job=self._message.job,
            phase="painting",
            step=event.step,
            of=event.of,
            scale=event.scale,
            scales=event.scales,
            losses=_finite(event.losses),
            seconds_left=event.seconds_left,
            share=event.share,
        )

    def _preview(self, event: Iteration) -> dict[str, Picture]:
        now, longest = time.monotonic(), self._message.preview_px
        if not longest or now - self._shown < self._message.preview_every_s:
            return {}
        if event.step:
            self._shown = now
        size = fit(self._content.height, self._content.width, longest)
        alpha = None if self._alpha is None else resize(self._alpha, *size)
        return {"preview": to_preview(event.preview(*size), self._content.space, alpha)}


def _kept_sizes_px(longest_px: int, layers: Sequence[str]) -> tuple[int, ...]:
    """The sizes at which a preset is measured, but the largest that its file has no room for."""
    return preset_sizes_px(longest_px)[: STATISTICS_BYTES // packed_bytes(layers)]


def _network_of(preset: Preset | None) -> dict[str, Tensor]:
    """The network that paints at once. Raises NotBaked: it may have been replaced meanwhile."""
    if preset is None or preset.baked is None:
        raise NotBaked(f"The style {preset.name!r} is not baked." if preset else "It is not baked.")
    return as_tensors(preset.baked.tensors)


def _mask(picture: Picture) -> Tensor:
    """(1, H, W) in [0, 1]."""
    return to_tensor(picture)[:1]


def _mapped(styles: list[Guided], pictures: Mapping[str, list[Picture]]) -> list[Guided]:
    """The parts of the one style that maps name, each with its place; the styles without maps."""
    if not pictures["map"]:
        return styles
    (guided,), (here,), (there,) = styles, pictures["map"], pictures["style_map"]
    try:
        places, parts = semantic_map.regions(to_tensor(here)[:3], to_tensor(there)[:3])
    except semantic_map.NoSuchColour as error:
        raise BadImage(
            f"The map of the style has nothing of the colour {error} of the picture's map.",
            next_step="Paint what it stands for into the map of the style, too.",
        ) from error
    except ValueError as error:
        raise BadImage(
            f"{error}", next_step="Draw the maps with few flat colours, without shades."
        ) from error
    return [
        dataclasses.replace(guided, style=guided.style.of_part(part[None]), mask=place[None])
        for place, part in zip(places, parts, strict=True)
    ]


def _between_tiles(job: JobChannel) -> None:
    job.poll()
    trim_heap()  # or the holes that one tile leaves would add to the next one's


def _as_sent(notes: Sequence[str]) -> tuple[str, ...]:
    """Each once, and no more than a result may have: there is a painting already."""
    return tuple(dict.fromkeys(note[:256] for note in notes))[:16]


def _finite(losses: dict[str, float]) -> dict[str, float] | None:
    return losses if all(map(math.isfinite, losses.values())) else None
