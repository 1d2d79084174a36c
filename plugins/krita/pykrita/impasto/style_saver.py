"""Styles that are being saved or baked: each a job of the daemon's that can be cancelled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from impasto_protocol.client import new_job_id, pictures_in, result_in
from impasto_protocol.codec import Buffer, Picture
from impasto_protocol.descriptions import describe_baking, describe_progress
from impasto_protocol.messages import JobInfo, PresetBake, PresetGet, Presets, PresetSave, Report
from impasto_protocol.settings import Settings
from impasto_protocol.translations import _

from .daemon_client import DaemonClient, OnError
from .style_files import read_style

_BAKED = _("“{name}” is baked.")


class StyleSaver:
    """tell: shows a sentence, and how much is done. progress: the same of what goes on already.
    fail: shows an error. saved: has the name of a style that is new, or none.

    show: what a style of a name paints as far as it is baked, with a long edge of `preview_px`.
    """

    def __init__(
        self,
        daemon: DaemonClient,
        tell: Callable[[str, float | None], None],
        progress: Callable[[str, float | None], None],
        fail: Callable[[Exception], None],
        saved: Callable[[str], None],
        show: Callable[[str, Picture], None],
        preview_px: int,
    ) -> None:
        self._daemon, self._tell, self._fail, self._saved = daemon, tell, fail, saved
        self._progress = progress
        self._show, self._preview_px = show, preview_px
        self._jobs: dict[str, PresetSave | PresetBake] = {}
        self._own: set[str] = set()
        self._elsewhere: dict[str, JobInfo] = {}
        self.listeners: list[Callable[[], None]] = []
        """Called whenever `names` change."""
        daemon.listeners.append(self._follow_daemon)

    @property
    def names(self) -> list[str]:
        """The styles that are being saved or baked."""
        return [*(message.name for message in self._jobs.values()), *self._elsewhere]

    def add(self, name: str, settings: Settings, path: str) -> None:
        """Save the style of a picture file under a name that is free."""

        def get(then: Callable[[Picture], None], otherwise: OnError) -> None:
            self._daemon.in_thread(partial(read_style, path), then, otherwise)

        self._tell(_("Reading {name}").format(name=Path(path).name), None)
        message = PresetSave(job=new_job_id(), name=name, settings=settings, keep=False)
        self._save(message, _("“{name}” was added.").format(name=name), get)

    def change(self, name: str, settings: Settings) -> None:
        """Save other settings with a style that is there."""

        def get(then: Callable[[Picture], None], otherwise: OnError) -> None:
            def take(answer: Presets, frames: Sequence[Buffer]) -> None:
                then(pictures_in(answer, frames)[-1])

            self._daemon.ask(PresetGet(name=name), take, otherwise)

        self._tell(_("Starting"), None)
        message = PresetSave(
            job=new_job_id(), name=name, settings=settings, replace=True, keep=False
        )
        self._save(message, _("“{name}” has these settings now.").format(name=name), get)

    def bake(self, name: str) -> None:
        """Have a style baked, and further than it is; that goes on when Krita is closed."""
        if name in self.names:
            return
        self._tell(_("Starting"), None)
        message = PresetBake(job=new_job_id(), name=name, preview_px=self._preview_px)
        self._follow(message, _BAKED.format(name=name), lambda send, _: send({}))

    def hear(self, report: Report) -> None:
        """Follow what is baked for another window, or for one that was closed meanwhile."""
        # Of what has ended, only what the daemon still tells of may be taken for another's.
        told = {job.job for job in report.baking.values()}
        self._own &= told | self._jobs.keys()
        before, self._elsewhere = self._elsewhere, {
            name: job for name, job in report.baking.items() if job.job not in self._own
        }  # fmt: skip
        for job in self._elsewhere.values():
            if job.state == "running":
                self._progress(*describe_baking(job))
        going_on = {job.job for job in self._elsewhere.values()}
        states = {job.job: job.state for job in report.jobs}
        for name, job in before.items():
            if job.job not in going_on:
                is_baked = states.get(job.job) == "done"
                self._progress(_BAKED.format(name=name) if is_baked else "", None)
                self._saved("")
        if before.keys() != self._elsewhere.keys():
            self._changed()

    def _follow_daemon(self) -> None:
        """What becomes of what is baked for others is not known without it."""
        if self._elsewhere and self._daemon.state != "ready":
            self._elsewhere = {}
            self._changed()

    def cancel(self) -> None:
        """Save none of them; what was baked is kept."""
        jobs = self._jobs
        self._set_jobs({})
        for message in jobs.values():
            self._daemon.cancel(message.job, keep=isinstance(message, PresetBake))
        for job in self._elsewhere.values():
            self._daemon.cancel(job.job, keep=True)

    def _save(
        self,
        message: PresetSave,
        done: str,
        get: Callable[[Callable[[Picture], None], OnError], None],
    ) -> None:
        """get: gives the style's picture to the one function, or an error to the other."""

        def get_all(send: Callable[[dict[str, Picture]], None], otherwise: OnError) -> None:
            get(lambda picture: send({"style": picture}), otherwise)

        self._follow(message, done, get_all)

    def _follow(
        self,
        message: PresetSave | PresetBake,
        done: str,
        get: Callable[[Callable[[dict[str, Picture]], None], OnError], None],
    ) -> None:
        """get: gives the pictures to be sent to the one function, or an error to the other."""

        is_new = isinstance(message, PresetSave) and not message.replace

        def end() -> None:
            self._set_jobs({job: other for job, other in self._jobs.items() if other != message})

        def give_up(error: Exception) -> None:
            end()
            self._fail(error)

        def hear(told: Any, pictures: list[Picture]) -> None:
            if result_in(told):
                end()
                self._tell(done, None)
                self._saved(message.name if is_new else "")
            else:
                self._progress(*describe_progress(told))
                for painted in pictures:
                    self._show(message.name, painted)

        def send(pictures: dict[str, Picture]) -> None:
            if message in self._jobs.values():  # or it was cancelled meanwhile
                self._daemon.submit(message, pictures, hear, give_up)

        self._own.add(message.job)
        self._set_jobs({**self._jobs, message.job: message})
        get(send, give_up)

    def _set_jobs(self, jobs: dict[str, PresetSave | PresetBake]) -> None:
        self._jobs = jobs
        self._changed()

    def _changed(self) -> None:
        for listener in self.listeners:
            listener()
