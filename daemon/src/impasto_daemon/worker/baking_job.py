"""The third kind of job: a style is baked into a network, for as long as nothing else is to do."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from impasto_daemon.engine.baking import CROP_PX, Baked, bake
from impasto_daemon.engine.feed_forward_shapes import BAKED_PX, STRIDE_PX
from impasto_daemon.engine.network import FeatureNetwork
from impasto_daemon.engine.resizing import resize
from impasto_daemon.engine.sizes import fit
from impasto_daemon.engine.style import Style
from impasto_daemon.images.arrays import from_array, to_array
from impasto_daemon.images.pictures import shrink
from impasto_daemon.presets.baked_network import BakedNetwork
from impasto_daemon.presets.starter_presets import baking_photographs, starter_network
from impasto_daemon.presets.store import PresetStore
from impasto_daemon.worker.job_channel import JobChannel
from impasto_daemon.worker.tensors import LARGEST, to_preview, to_tensor
from impasto_protocol import messages
from impasto_protocol.codec import Picture, digest_of
from impasto_protocol.colour_space import SRGB
from impasto_protocol.errors import UnknownPreset, WorkerFailed
from impasto_protocol.messages import PresetInfo

_STORE_EVERY_S = 60.0
_PREVIEW_EVERY_S = 5.0
_FIRST_BAKED = "swirls"
_REMEMBERED = 3


@dataclass
class _Batch:
    """A preset in the oven. before: minutes that its network had been baked for.

    rest: what was asked for when it made way; where another device has gone on with it, that asks
    for something else.
    """

    job: str
    info: PresetInfo
    minutes: float
    before: float
    steps: Iterator[Baked]
    sample: Tensor
    last: Baked | None = None
    rest: messages.PresetBake | None = None

    @property
    def spent_minutes(self) -> float:
        """How long it has been baked in this job."""
        return self.last.spent_s / 60 if self.last else 0.0


class Baker:
    """Bakes presets. The one that has made way is held, to go on with exactly where it was."""

    def __init__(self, presets: PresetStore) -> None:
        self._presets = presets
        self._held: _Batch | None = None
        self._painted: dict[bytes, Picture] = {}

    def remember(self, photograph: Picture) -> None:
        """What the painter paints is what their styles are baked from, while the worker runs."""
        # A network is baked from pictures in sRGB, of which nothing is hidden.
        if photograph.space != SRGB or _is_transparent(photograph):
            return
        small = from_array(to_array(shrink(photograph, BAKED_PX))[..., :3])
        if min(small.height, small.width) >= CROP_PX:
            digest = digest_of(small.data)
            self._painted.pop(digest, None)
            self._painted[digest] = small
            if len(self._painted) > _REMEMBERED:
                del self._painted[next(iter(self._painted))]

    def bake(
        self, job: JobChannel, info: PresetInfo, style: Style, network: FeatureNetwork
    ) -> Baked | None:
        """Bake until the time is over or the owner has had enough; None: it has made way.

        What was baked is stored now and then and at every end, be it a cancel. Raises Cancelled,
        and UnknownPreset when the preset is there no more.
        """
        message = job.message
        assert isinstance(message, messages.PresetBake)
        batch, self._held = self._held, None
        if batch is None or batch.rest != message:
            batch = self._begin(job, message, info, style, network)
        try:
            self._go_on(job, message, batch)
        finally:
            self._store(job, message, batch)
        if job.making_way and not job.concluding:
            self._held, batch.rest = batch, _rest(message, batch)
            job.put_by(batch.rest)
            return None
        assert batch.last
        return batch.last

    def _begin(
        self,
        job: JobChannel,
        message: messages.PresetBake,
        info: PresetInfo,
        style: Style,
        network: FeatureNetwork,
    ) -> _Batch:
        pictures = job.pictures()["photograph"] or [*baking_photographs(), *self._painted.values()]
        photographs = [to_tensor(picture, SRGB)[:3] for picture in pictures]
        known = None if message.anew else self._presets.get(info.name).baked
        # Whatever the style, what another has learnt of photographs is a good beginning.
        start = known or starter_network(_FIRST_BAKED)
        steps = bake(
            style, photographs, info.settings, network,
            seconds=message.minutes * 60, start=as_tensors(start.tensors) if start else None,
        )  # fmt: skip
        sample, longest_px = photographs[0], message.preview_px or STRIDE_PX
        height, width = fit(sample.shape[-2], sample.shape[-1], longest_px)
        sample = resize(sample, _whole_strides(height), _whole_strides(width))
        before = known.minutes if known else 0.0
        return _Batch(message.job, info, message.minutes, before, steps, sample)

    def _go_on(self, job: JobChannel, message: messages.PresetBake, batch: _Batch) -> None:
        stored, shown = time.monotonic(), float("-inf")
        for event in batch.steps:
            batch.last = event
            job.poll()
            if job.concluding or job.making_way:
                break
            now = time.monotonic()
            if job.due:
                with_preview = bool(message.preview_px) and now - shown > _PREVIEW_EVERY_S
                shown = now if with_preview else shown
                self._report(job, batch, event, with_preview=with_preview)
            if now - stored > _STORE_EVERY_S:
                stored = now
                self._store(job, message, batch)

    def _report(self, job: JobChannel, batch: _Batch, at: Baked, *, with_preview: bool) -> None:
        seconds = batch.minutes * 60
        progress = messages.Progress(
            job=batch.job,
            phase="baking",
            step=at.step,
            of=0,
            seconds_left=max(0.0, seconds - at.spent_s),
            share=min(1.0, at.spent_s / seconds),
        )
        preview = {}
        if with_preview:
            painted = at.preview(batch.sample, batch.info.settings.strength)
            preview["preview"] = to_preview(painted, SRGB)
        job.send(progress, preview)

    def _store(self, job: JobChannel, message: messages.PresetBake, batch: _Batch) -> None:
        """Raises UnknownPreset, WorkerFailed."""
        if batch.last is None:
            return
        tensors = {name: _rounded(tensor) for name, tensor in batch.last.weights().items()}
        if not all(np.isfinite(tensor).all() for tensor in tensors.values()):
            raise WorkerFailed(
                "The baking left the range of numbers; "
                "the style is as it was up to a minute before.",
                next_step="Bake it anew, from other photographs if it happens again.",
            )
        baked = BakedNetwork(batch.before + batch.spent_minutes, tensors)
        if not self._presets.bake(batch.info, baked):
            raise UnknownPreset(f"The style {batch.info.name!r} is gone, or is another one now.")
        job.stored(_rest(message, batch))


def _rest(message: messages.PresetBake, batch: _Batch) -> messages.PresetBake:
    """What is left to be done once what there is has been stored."""
    left = max(0.01, batch.minutes - batch.spent_minutes)
    return replace(message, minutes=left, anew=False)


def as_tensors(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Tensor]:
    """The tensors of a baked network, float32."""
    return {name: torch.from_numpy(array.astype(np.float32)) for name, array in arrays.items()}


def _is_transparent(picture: Picture) -> bool:
    has_alpha = picture.channels % 2 == 0
    return has_alpha and bool((to_array(picture)[..., -1] < LARGEST[picture.dtype]).any())


def _whole_strides(side: int) -> int:
    return max(STRIDE_PX, side // STRIDE_PX * STRIDE_PX)


def _rounded(tensor: Tensor) -> NDArray[np.float16]:
    largest = float(np.finfo(np.float16).max)
    return tensor.clamp(-largest, largest).numpy().astype(np.float16)
