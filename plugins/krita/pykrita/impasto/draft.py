"""A small painting that shows what a large one would look like: a job that gives way to any other.

Imports nothing of what is seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from impasto_protocol.chosen_style import ChosenStyle, in_message
from impasto_protocol.client import new_job_id, result_in
from impasto_protocol.codec import Picture
from impasto_protocol.messages import JobMessage, Stylise
from impasto_protocol.settings import DRAFT_PX, Settings, draft_of

from .daemon_client import DaemonClient, OnError
from .layers import to_picture
from .qt import QtGui


class Part(NamedTuple):
    """A part of a picture, in shares of its width and height from 0 to 1."""

    x: float
    y: float
    width: float
    height: float


WHOLE = Part(0.0, 0.0, 1.0, 1.0)


class Draft:
    """One at a time. show: gets each picture of it, and whether it is the last. fail: an error."""

    def __init__(
        self, daemon: DaemonClient, show: Callable[[Picture, bool], None], fail: OnError
    ) -> None:
        self._daemon, self._show, self._fail = daemon, show, fail
        self._job, self._settings = "", Settings()

    @property
    def is_at_once(self) -> bool:
        """Whether one is under way that is there as soon as it is begun."""
        return bool(self._job) and not self._settings.iterations

    @property
    def is_painted(self) -> bool:
        """Whether one is under way."""
        return bool(self._job)

    def begin(
        self, content: QtGui.QImage, styles: Sequence[ChosenStyle],
        others: Mapping[str, Picture], settings: Settings, part: Part,
    ) -> None:  # fmt: skip
        """Paint a small picture as the large one of which it is a part would be.

        content: of DRAFT_PX at most. others: how much of it is painted where, and maps, by their
        roles in the message.
        """
        self.cancel()
        self._job, self._settings = new_job_id(), settings
        job = self._job

        def hear(message: JobMessage, pictures: list[Picture]) -> None:
            if job == self._job:
                ended = result_in(message) is not None
                self._job = "" if ended else job
                if pictures:
                    self._show(pictures[0], ended)

        def give_up(error: Exception) -> None:
            if job == self._job:
                self._job = ""
                self._fail(error)

        named, pictures = in_message(styles)
        message = Stylise(
            job=job, settings=of_draft(settings, part), preview_px=DRAFT_PX, draft=True, **named
        )
        sent = {**pictures, **others, "content": to_picture(content)}
        self._daemon.submit(message, sent, hear, give_up)

    def cancel(self) -> None:
        """End it, and hear of it no more."""
        job, self._job = self._job, ""
        if job:
            self._daemon.cancel(job)


def of_draft(settings: Settings, part: Part) -> Settings:
    """Settings that paint a part as small as a draft, in whatever memory is free."""
    return replace(draft_of(settings, max(part.width, part.height)), memory_mib=0)
