"""The docker: styles, settings, progress, the last results, and the daemon's state."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

from krita import DockWidget, Krita

from impasto_protocol.descriptions import describe_error, diagnostics
from impasto_protocol.errors import BadField, DaemonLost, UnknownPreset, VersionSkew
from impasto_protocol.messages import PresetInfo, Report, Result, Status
from impasto_protocol.more_styles import Places
from impasto_protocol.settings import Settings, variations_of
from impasto_protocol.translations import _, ngettext

from . import layer_recipes, layers, masks, recipe
from .controls import Controls
from .daemon_client import DaemonClient
from .document_settings import Choice, DocumentSettings
from .estimate_line import EstimateLine
from .painting import Painting, PaintingListener
from .places import PlacesDialog
from .preview import PreviewWindow
from .qt import QtCore, QtGui, QtWidgets, guarded
from .recent_styles import remember_style
from .recipe import Recipe
from .results import ResultStrip
from .series import Series
from .status_bar import StatusBarProgress, show_share
from .styles import StyleBrowser
from .widgets import Section, button, column, label, row

_REPORT_MS = 2000
_SETTLING_MS = 100


def _active() -> tuple[Any, Any]:
    """The document in front, and its layer; None where there is none."""
    document = Krita.instance().activeDocument()
    return document, layers.active_node(document) if document else None


class Docker(DockWidget):
    """One for each of Krita's windows."""

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle("Impasto")
        self.painting: Painting | None = None
        self._error: Exception | None = None
        self._says_error = False
        self._unfinished = 0
        self._further: list[Recipe] = []
        self._was_shown = False
        self._places = Places()
        self._daemon = DaemonClient()
        self._daemon.listeners.append(self._show_state)
        self._build()
        self._by_document = DocumentSettings(
            self._to_be_chosen, self._choose, lambda: self._take_places(Places())
        )
        # Of the docker, so that it does not go on without it when Krita ends.
        self._follower = QtCore.QTimer(self)
        self._follower.setSingleShot(True)
        self._follower.timeout.connect(guarded(self.fail, self._by_document.follow))
        self._show_state()
        self._reporter = QtCore.QTimer()
        self._reporter.timeout.connect(self._ask_report)
        self._reporter.start(_REPORT_MS)
        with contextlib.suppress(BadField, VersionSkew):
            self._choose(Choice.of(recipe.last())._replace(places=Places()))
        QtWidgets.QApplication.instance().aboutToQuit.connect(self._daemon.close)
        # Not a method, which Qt would forget before the docker is gone.
        self.destroyed.connect(lambda: self._let_go())

    def _let_go(self) -> None:
        if self.painting:
            self.painting.abandon()
        self._daemon.close()

    def canvasChanged(self, canvas: object) -> None:
        """Krita calls this when another view comes to the front."""
        # By then it says which document that shows.
        self._follower.start(0)

    def showEvent(self, event: object) -> None:
        """The styles are fetched when somebody can see them."""
        if self._daemon.state == "away":
            self.styles.fetch()
        if not self._was_shown:
            self._was_shown = True
            self._see_before.setChecked(self.preview.open_if_remembered())

    # What actions and buttons do --------------------------------------------------------------

    def choose(self) -> None:
        """Let the keyboard choose a style, and go on to the settings from there."""
        self.styles.setFocus()
        self.styles.choose_first()

    def stylise(self) -> None:
        """Paint the active layer in the chosen style."""
        self._paint_with_styles(self._first_variation)

    def _first_variation(self) -> Recipe:
        """What is to be painted; where there are to be variations, the first, and then others."""
        chosen, count = self._chosen().recipe(), self.controls.variations.value()
        if count == 1:
            return chosen
        varied = variations_of(chosen.settings, count)
        first, *self._further = (replace(chosen, settings=settings) for settings in varied)
        return first

    def _paintings(self) -> int:
        """How many there are to be."""
        return len(variations_of(self.settings(), self.controls.variations.value()))

    def again(self) -> None:
        """Paint the active layer by the recipe kept on it, or as the last one was painted."""
        guarded(self.fail, self._repeat)()

    def edit(self) -> None:
        """Have the controls say what the active layer was painted from."""
        document, layer = _active()
        found = layer_recipes.to_edit(document, layer)

        def show() -> None:
            self._choose(Choice.of(found))
            # Or it is said that a style is gone.
            self._take_places(found.named_now(self.styles.infos).places)
            self._tell(_("This is the recipe of “{name}”.").format(name=layer.name()), None)

        self.styles.when_there(guarded(self.fail, show))

    def _repeat(self) -> None:
        found, whose = layer_recipes.to_repeat(*_active())
        self._paint_with_styles(lambda: found.named_now(self.styles.infos), whose)

    def _paint_with_styles(self, make: Callable[[], Recipe], note: str = "") -> None:
        document, layer = _active()
        layer_id = layer and layer.uniqueId()

        def paint() -> None:
            now, active = _active()
            if now == document and (active and active.uniqueId()) == layer_id:
                self._paint(make, note)
            else:
                self._tell(_("The styles are here now. Press it again to paint this one."), None)

        self.styles.when_there(guarded(self.fail, paint))

    def apply_preset(self) -> None:
        """Have the painter choose a style from a menu; its own settings count."""

        def ask() -> None:
            menu = QtWidgets.QMenu(self)
            menu.aboutToHide.connect(menu.deleteLater)
            self.styles.fill_menu(menu, guarded(self.fail, self.apply))
            menu.popup(self.cursor().pos())

        self.styles.when_there(guarded(self.fail, ask))

    def apply(self, name: str) -> None:
        """Paint the active layer in a saved style, with its own settings at the quality chosen."""
        self.styles.choose(name)
        if not (self.styles.chosen and self.styles.chosen.name == name):
            raise UnknownPreset(
                _("The style “{name}” is gone.").format(name=name),
                next_step=_("Choose another one."),
            )
        self._take_settings_of_style()
        self.stylise()

    def cancel(self) -> None:
        """End the painting and leave the document as it was; without one, end what is added."""
        self._further = []
        if self.painting:
            self._tell(_("Ending"), None)
            self.painting.cancel()
        elif self.styles.is_busy:
            self.styles.cancel()

    def conclude(self) -> None:
        """End the painting as it stands."""
        self._further = []
        if self.painting:
            self._tell(_("Ending"), None)
            self.painting.conclude()

    def restart(self) -> None:
        """Start the daemon, or start it anew; what it is doing for others only if they agree."""
        running = self._daemon.state == "ready"
        if running and (self.painting or self._unfinished) and not self._agrees_to_end():
            return
        self._error = None
        self._tell("", None)
        # One that does not answer any more may still be there.
        self._daemon.open(restart=running or isinstance(self._daemon.error, DaemonLost))
        self.styles.fetch()

    def _agrees_to_end(self) -> bool:
        question = _("The daemon is at work. End that, and start it anew?")
        asked = QtWidgets.QMessageBox.question(self, "Impasto", question)
        return asked == QtWidgets.QMessageBox.StandardButton.Yes

    def settings(self) -> Settings:
        """What the controls say, and of all else what was saved with the chosen style."""
        return self.controls.settings()

    # A painting's life ------------------------------------------------------------------------

    def _paint(
        self, make: Callable[[], Recipe], note: str = "", series: Series | None = None
    ) -> None:
        """series: that it is the next one of; without it the first of one of its own."""
        if self.painting:
            self._tell(_("A layer is being painted already."), None)
            return
        self._error = None
        try:
            listener = PaintingListener(self._tell, guarded(self.fail, self._done), self._failed)
            made = make()
            series = series or Series(1 + len(self._further), made.settings.snapshots)
            self._set_painting(Painting(self._daemon, made, listener, series))
            self.painting.notes.extend(filter(None, [note]))
            begun = _("Waiting for the daemon") if self._daemon.state != "ready" else _("Starting")
            self._tell(" ".join(filter(None, [note, begun])), None)
            self.painting.begin()
        except Exception as error:
            self._further = []
            self.fail(error)

    def _done(self, painting: Painting, result: Result) -> None:
        self._set_painting(None)
        remember_style(painting.recipe.style)
        words = ngettext(
            "Done in {seconds:.0f} s, {steps} step.",
            "Done in {seconds:.0f} s, {steps} steps.",
            result.steps,
        ).format(seconds=result.seconds, steps=result.steps)
        self._tell(" ".join([words, *painting.notes, *result.notes]), None)
        self.results.add(painting)
        self._paint_further(painting)

    def _paint_further(self, before: Painting) -> None:
        """Paint the next variation, as long as the painter has not turned to something else."""
        if not before.is_settled:
            QtCore.QTimer.singleShot(
                _SETTLING_MS, guarded(self.fail, lambda: self._paint_further(before))
            )
            return
        if self._further and not self.painting:
            if before.layer and before.is_of(*_active()):
                made = self._further.pop(0)
                left = len(self._further)
                note = ngettext(
                    "One more variation to come.", "{number} more variations to come.", left
                ).format(number=left)
                self._paint(lambda: made, note if left else "", before.series)
            else:
                self._further = []
                self._tell(_("No more variations: another layer is the active one now."), None)
        if not (self.painting and self.painting.series is before.series):
            before.end_series()
            self.results.choose_of(before)

    def _failed(self, painting: Painting, error: Exception) -> None:
        if painting is self.painting:  # or it could not be taken out after it had ended
            self._further = []
            self._set_painting(None)
        if getattr(error, "code", "") == "CANCELLED":
            self._tell(str(error), None)
        else:
            self.fail(error)

    def _chosen(self) -> Choice:
        chosen = self.styles.chosen
        name = chosen.name if chosen else ""
        return Choice(name, self.settings(), self._as_source.isChecked(), self._places)

    def _to_be_chosen(self) -> Choice:
        """The same once the styles have come, whichever of them are seen."""
        name, style_hash = self.styles.to_be_chosen
        return self._chosen()._replace(style=name, style_hash=style_hash)

    def _choose(self, choice: Choice) -> None:
        """Have the controls say what a painting was made from; no style where that one is gone."""
        self.styles.choose(choice.style, choice.style_hash)
        self.controls.show_settings(choice.settings)
        self._as_source.setChecked(choice.as_source)
        self._take_places(choice.places)

    def _take_again(self, choice: Choice) -> None:
        """Of the document in front, which may have come there just now."""
        self._by_document.follow()
        self._choose(choice)

    def _take_places(self, places: Places) -> None:
        self._places = places
        count = len(places.more) + len(places.keys) + bool(places.picture_map)
        words = _("Styles and Masks…")
        self._ask_places_button.setText(f"{words} ({count})" if count else words)

    def ask_places(self) -> None:
        """Have the painter choose other styles, and where each goes."""
        document, chosen = Krita.instance().activeDocument(), self._chosen()
        names = [info.name for info in self.styles.infos]
        dialog = PlacesDialog(
            self, self._places, chosen.settings.uncovered, chosen.style, names,
            masks.offered(document), self.fail,
        )  # fmt: skip
        if dialog.exec():
            self._take_places(dialog.places)
            self.controls.show_settings(replace(chosen.settings, uncovered=dialog.uncovered))
        dialog.deleteLater()

    def _set_painting(self, painting: Painting | None) -> None:
        self.painting = painting
        self.preview.pause(painting is not None)
        self._show_what_can_be_pressed()

    def _show_what_can_be_pressed(self) -> None:
        painting = self.painting is not None
        buttons = self._stylise, self._conclude, self._cancel
        pressed = any(button.hasFocus() for button in buttons)
        self._stylise.setVisible(not painting)
        self.estimate.setVisible(not painting)
        self._conclude.setVisible(painting)
        self._cancel.setVisible(painting or self.styles.is_busy)
        self._bar.setVisible(painting or self.styles.is_busy)
        if painting:
            self._in_status_bar.put_into(self.parent())
        self._in_status_bar.setVisible(painting)
        if pressed:
            # Qt would give it to the seed, which takes Ctrl+Z for itself.
            (self._conclude if painting else self._stylise).setFocus()

    # Words ------------------------------------------------------------------------------------

    def _tell(self, words: str, share: float | None) -> None:
        self._says_error = False
        self._say(words)
        show_share(self._bar, share)
        self._in_status_bar.tell(words, share)

    def _tell_progress(self, words: str, share: float | None) -> None:
        """Of what goes on beside: what went wrong stays to be read until something is done."""
        if self._says_error:
            show_share(self._bar, share)
        else:
            self._tell(words, share)

    def _say(self, words: str) -> None:
        self.words.setText(words)
        self.words.setVisible(bool(words))

    def fail(self, error: Exception) -> None:
        """Show what went wrong and what to do."""
        self._error, self._says_error = error, True
        self._copy.setText(_("Copy Diagnostics"))
        # It is kept, for a report, but not the pictures that it came across.
        traceback.clear_frames(error.__traceback__)
        if getattr(error, "code", ""):
            self._say(describe_error(error))
        else:
            self._say(
                _(
                    "Something went wrong inside Impasto ({name}: {error}). Nothing was changed. "
                    "Try once more; if it happens again, report it."
                ).format(name=type(error).__name__, error=error)
            )

    def _show_state(self) -> None:
        state = self._daemon.state
        self._start.setText(_("Restart") if state == "ready" else _("Start"))
        self._start.setEnabled(state != "connecting")
        if state == "connecting":
            self.state_words.setText(_("Waiting for the daemon to start"))
        elif state == "away":
            self.state_words.setText(_("The daemon is not connected."))
            if self._daemon.error:
                self.fail(self._daemon.error)
        else:
            self._ask_report()

    def _ask_report(self) -> None:
        if self._daemon.state == "ready" and (self.isVisible() or self.preview.isVisible()):
            self._daemon.ask(Status(), lambda report, _: self._show_report(report), lambda _: None)

    def _show_report(self, report: Report) -> None:
        self._unfinished = report.before_drafts + len(report.baking)
        self.preview.hear(report)
        self.styles.hear(report)
        waiting = sum(job.state == "queued" for job in report.jobs)
        parts = [report.device or _("No job has been done yet"),
                 report.weights,
                 _("{number} waiting").format(number=waiting) if waiting else ""]  # fmt: skip
        self.state_words.setText(" · ".join(filter(None, parts)))

    def _copy_diagnostics(self) -> None:
        words = diagnostics(f"Krita {Krita.instance().version()}", self._error)
        QtWidgets.QApplication.clipboard().setText(words)
        # What went wrong stays to be read.
        self._copy.setText(_("Diagnostics Copied"))

    # Widgets ----------------------------------------------------------------------------------

    def _build(self) -> None:
        self.controls = Controls(self.fail)
        self.styles = StyleBrowser(
            self._daemon, self._tell, self._tell_progress, self.fail, self.settings
        )
        self.styles.listeners.append(self._show_what_can_be_pressed)
        self.styles.picked.connect(guarded(self.fail, self._take_settings_of_style))
        self._as_source = QtWidgets.QCheckBox(_("As the layer"))
        self._as_source.setToolTip(_("Take the layer's mode and opacity, and hide it"))
        self._as_source.setChecked(True)
        self._stylise = self._button(
            _("Stylise"), _("Paint the layer, or the selection"), self.stylise
        )
        self._cancel = self._button(_("Cancel"), _("End it and leave all as it was"), self.cancel)
        self._conclude = self._button(
            _("Finish Now"), _("End now, and keep what has been painted so far"), self.conclude
        )
        self.preview = PreviewWindow(self, self._daemon, self._previewed, self.fail)
        self.preview.places = lambda: self._places
        self._see_before = self._button(
            _("Preview"), _("See what comes of it before it is painted"), self._toggle_preview
        )
        self._see_before.setCheckable(True)
        self._see_before.setFlat(True)
        self.preview.closed.connect(lambda: self._see_before.setChecked(False))
        self._in_status_bar = StatusBarProgress(self.conclude, self.cancel, self.fail)
        self._bar = QtWidgets.QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(_("Progress of the painting"))
        self.words, self.state_words = label(), label()
        self.words.hide()
        self.results = ResultStrip(
            self._take_again, lambda words: self._tell(words, None), self.fail
        )
        self.estimate = EstimateLine(
            self._daemon,
            self.settings,
            self.controls.quality.currentData,
            lambda: self._places.planes,
            self._paintings,
            self.controls.show_times,
            self.fail,
        )
        # However low the docker is, what starts and ends a painting is in sight. The estimate is
        # beside the button, so that it takes no height from the settings.
        buttons = row(self._stylise, self.estimate, self._conclude, self._cancel)
        for place, stretch in enumerate((1, 2, 1, 1)):
            buttons.setStretch(place, stretch)
        self.setWidget(column(self._scrolled(), self._bar, self.words, buttons))
        self._set_tab_order()
        self._set_painting(None)

    def _scrolled(self) -> QtWidgets.QScrollArea:
        """What is scrolled where the docker is too low for all of it."""
        self._start = self._button(
            _("Start"), _("Start the daemon, or start it anew"), self.restart
        )
        self._copy = self._button(
            _("Copy Diagnostics"),
            _("Copy what a bug report needs: no pictures, no names"),
            self._copy_diagnostics,
        )
        self._copy.setFlat(True)
        self._ask_places_button = self._button(
            _("Styles and Masks…"),
            _("Other styles in the same painting, where each goes, and how much is painted where"),
            self.ask_places,
        )
        more = column(
            self.controls.more,
            self._ask_places_button,
            self._as_source,
            self.state_words,
            row(self._start, self._copy),
        )  # fmt: skip
        self.more = Section(_("More"), more, beside=self._see_before)
        styles = column(self.styles, row(self.styles.folders, self.styles.sought, self.styles.add))
        scroll = QtWidgets.QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # What is in it can be reached by the keyboard, and moves into sight then.
        scroll.setFocusPolicy(QtCore.Qt.FocusPolicy.NoFocus)
        scroll.setWidget(column(styles, self.controls, self.results, self.more))
        return scroll

    def _set_tab_order(self) -> None:
        """From the styles to the button, as they stand, and not as they were made."""
        styles, controls = self.styles, self.controls
        order = [
            styles, styles.folders, styles.sought, styles.add,
            controls.strength.bar, controls.strength.box, controls.scale.bar, controls.scale.box,
            controls.quality, self.results, self.more.heading, self._see_before, self._stylise,
            self._conclude, self._cancel,
        ]  # fmt: skip
        for widget, following in pairwise(order):
            QtWidgets.QWidget.setTabOrder(widget, following)

    def _button(self, text: str, tip: str, pressed: Any) -> QtWidgets.QPushButton:
        return button(text, tip, pressed, self.fail)

    def _toggle_preview(self) -> None:
        self.preview.set_shown(self._see_before.isChecked())

    def _previewed(self) -> tuple[PresetInfo | None, QtGui.QIcon, Settings]:
        chosen = self.styles.chosen
        icon = self.styles.currentItem().icon() if chosen else QtGui.QIcon()
        return chosen, icon, self.settings()

    def _take_settings_of_style(self) -> None:
        if chosen := self.styles.chosen:
            self.controls.show_style(chosen.settings)
