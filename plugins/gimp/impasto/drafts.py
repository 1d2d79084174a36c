"""Small drafts of a painting, painted by a daemon that runs and has nothing else to do."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from impasto_protocol.chosen_style import ChosenStyle, in_message
from impasto_protocol.client import new_job_id, result_in
from impasto_protocol.codec import Picture
from impasto_protocol.descriptions import describe_progress
from impasto_protocol.errors import ImpastoError
from impasto_protocol.messages import Report, Status, Stylise
from impasto_protocol.settings import DRAFT_PX, Settings, draft_of
from impasto_protocol.translations import _

if TYPE_CHECKING:
    from impasto_protocol.client import Client, Job

_SETTLED_S = 0.4
_STATUS_S = 1.0
_LEAVE_S = 0.3


@dataclass(frozen=True)
class Draft:
    """What a draft is painted from.

    share: how much of the long edge of what would be painted the content shows. others: how much is
    painted where, and maps, by their roles in the message.
    """

    content: Picture
    styles: tuple[ChosenStyle, ...]
    settings: Settings
    share: float = 1.0
    others: Mapping[str, Picture] = field(default_factory=dict)

    @property
    def at_once(self) -> bool:
        """Whether it is there as soon as it is begun."""
        return not self.settings.iterations

    def stylise(self) -> tuple[Stylise, dict[str, list[Picture]]]:
        """The job, and its pictures."""
        named, pictures = in_message(self.styles)
        message = Stylise(
            job=new_job_id(),
            settings=draft_of(self.settings, self.share),
            preview_px=DRAFT_PX,
            preview_every_s=0.3,
            draft=True,
            **named,
        )
        others = {role: [picture] for role, picture in self.others.items()}
        return message, {**pictures, **others, "content": [self.content]}


class Drafts:
    """Paints the draft that was asked for last. show: told words, and a picture if there is one.

    Any job that is no draft goes first: a draft is cancelled as soon as one is known, and painted
    when there is none any more.
    """

    def __init__(
        self,
        show: Callable[[str, Picture | None], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._show, self._clock = show, clock
        self._wanted: Draft | None = None
        self._wanted_since = 0.0
        self._done: Draft | None = None
        self._painted: Draft | None = None
        self._job: Job | None = None
        self._status: int | None = None
        self._asked_at = float("-inf")
        self._idle = False

    def ask(self, draft: Draft | None) -> None:
        """Have this painted instead of what was asked for before; None: nothing."""
        if draft != self._wanted:
            self._wanted, self._wanted_since = draft, self._clock()
        if not draft:
            self._done = None  # it is no longer seen

    def exchange(self, client: Client) -> None:
        """Follow the draft that is being painted, end it, or begin the next."""
        self._look_who_is_there(client)
        if self._job and (self._is_outdated() or not self._idle):
            self._job.cancel()
            self._job = None
        if self._job:
            self._follow(self._job)
        elif (due := self._due) and self._may_begin():
            self._painted, self._done = due, None
            self._show(_("Beginning a draft"), None)
            try:
                self._job = client.submit(*due.stylise())
            except ImpastoError as error:
                self._fail(error)

    @property
    def _due(self) -> Draft | None:
        """What is wanted and not done."""
        return self._wanted if self._wanted != self._done else None

    def _may_begin(self) -> bool:
        settled = self._clock() - self._wanted_since >= _SETTLED_S
        return self._idle and (settled or (self._wanted is not None and self._wanted.at_once))

    def _is_outdated(self) -> bool:
        """Whether another draft is wanted now, and the one at work is worth nothing.

        What is painted at once is painted to its end, so that something is seen while a control
        is being moved.
        """
        if self._painted == self._wanted:
            return False
        both = self._painted and self._painted.at_once and self._wanted and self._wanted.at_once
        return not both

    def _look_who_is_there(self, client: Client) -> None:
        if self._status is not None and (answered := client.answer(self._status)):
            self._status = None
            if isinstance(report := answered[0], Report):
                self._idle = not report.before_drafts
                if self._due and not self._idle:
                    self._show(_("A painting goes first"), None)
        if self._due and self._status is None and self._clock() - self._asked_at >= _STATUS_S:
            self._asked_at = self._clock()
            self._status = client.request(Status())

    def _follow(self, job: Job) -> None:
        try:
            for message, pictures in job.poll():
                ended = result_in(message)
                if ended:
                    self._job, self._done = None, self._painted
                words, share = describe_progress(message)
                if ended:
                    words = _("A draft of the result")
                elif share is not None:
                    words = _("A draft, {share:.0%}").format(share=share)
                self._show(words, pictures[0] if pictures else None)
        except ImpastoError as error:
            self._fail(error)

    def _fail(self, error: ImpastoError) -> None:
        """The draft that was begun cannot be painted, and is not begun again."""
        self._job, self._done = None, self._painted
        self._show(_("No preview. {error}").format(error=error), None)

    def lose(self) -> None:
        """There is no daemon; the next one paints it anew."""
        self._job = self._status = self._done = None
        self._asked_at, self._idle = float("-inf"), False

    def leave(self, client: Client) -> None:
        """End what is being painted, and see that it is known."""
        if self._job and not self._job.ended:
            self._job.cancel()
            deadline = self._clock() + _LEAVE_S
            while not self._job.ended and self._clock() < deadline:
                client.wait(0.05)
                client.pump()
