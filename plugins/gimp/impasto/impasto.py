#!/usr/bin/env python3
"""Impasto for GIMP 3: its menu entries, and what happens when one is chosen.

GIMP imports this file to ask what is in it, so nothing but GIMP's own Python and the words are
imported here; everything else comes when a procedure runs. One run is two processes: the procedure
that was called keeps the image in order, and `plug-in-impasto-work`, which it calls, talks to the
daemon. GIMP kills the process whose progress bar is cancelled, and that is only ever the second.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import gi

gi.require_version("Gimp", "3.0")
from gi.repository import Gimp, Gio, GLib, GObject  # noqa: E402

_HERE = Path(__file__).parent
sys.path.insert(0, str(_HERE / "vendor"))

import arguments  # noqa: E402
from words import _  # noqa: E402

STYLIZE, AGAIN = "plug-in-impasto-stylize", "plug-in-impasto-again"
APPLY, SAVE = "plug-in-impasto-apply-preset", "plug-in-impasto-save-preset"
WORK = "plug-in-impasto-work"
_MENU = "<Image>/Filters/Artistic"


class Impasto(Gimp.PlugIn):
    """Five procedures: four in the menu, and the one that does their work."""

    def do_set_i18n(self, _name: str) -> bool:
        """No translations."""
        return False

    def do_query_procedures(self) -> list[str]:
        """The names of all five; where their help is has to be said here as well."""
        self.set_help_domain("impasto", Gio.File.new_for_path(str(_HERE / "help")))
        return [STYLIZE, AGAIN, APPLY, SAVE, WORK]

    def do_create_procedure(self, name: str) -> Gimp.Procedure:
        """One of them, with its place in the menu and its arguments."""
        if name == WORK:
            return self._create_work()
        labels = {
            STYLIZE: (_("Impasto _Style Transfer…"), _("Paint the layer in the style of a picture"),
                      _(
                          "Paints the layer, or what is selected of it, as a picture of your "
                          "choice is painted. The result is a new layer above it, which takes "
                          "its mode and opacity and hides it, unless you say otherwise. Several"
                          " layers are painted one after the other; a script is given the "
                          "painting of the first."
                      )),
            AGAIN: (_("Impasto: A_gain"), _("Paint with the last settings, without a dialog"),
                    _(
                        "Uses the style and settings of the active layer if Impasto painted it,"
                        " else those of the last run."
                    )),
            APPLY: (_("Impasto: Apply _Preset…"), _("Paint the layer in a saved style"),
                    _("Paints with a style that was saved, and with the settings saved with it.")),
            SAVE: (_("Impasto: Save Style as Prese_t…"), _("Keep a picture's style under a name"),
                   _(
                       "Studies the style of the layer, or of a picture, and keeps it under a "
                       "name."
                   )),
        }  # fmt: skip
        label, blurb, help_text = labels[name]
        procedure = Gimp.ImageProcedure.new(self, name, Gimp.PDBProcType.PLUGIN, self._run, None)
        procedure.set_image_types("*")
        # What cannot be done with several layers is told in words.
        one_or_more = (
            Gimp.ProcedureSensitivityMask.DRAWABLE | Gimp.ProcedureSensitivityMask.DRAWABLES
        )
        procedure.set_sensitivity_mask(one_or_more)
        procedure.set_menu_label(label)
        procedure.add_menu_path(_MENU)
        procedure.set_documentation(blurb, help_text, name)
        procedure.set_attribution("Impasto", "Impasto, MIT licence", "2026")
        arguments.ADD[name](procedure)
        if name != SAVE:
            procedure.add_layer_return_value(
                "layer", _("Layer"), _("The painted layer"), True, GObject.ParamFlags.READWRITE
            )
        return procedure

    def _create_work(self) -> Gimp.Procedure:
        procedure = Gimp.Procedure.new(self, WORK, Gimp.PDBProcType.PLUGIN, self._work, None)
        procedure.set_documentation(
            "Does the work of the other procedures of Impasto", "For their use only.", WORK
        )
        procedure.set_attribution("Impasto", "Impasto, MIT licence", "2026")
        arguments.add_work(procedure)
        return procedure

    def _run(
        self,
        procedure: Gimp.Procedure,
        run_mode: Gimp.RunMode,
        image: Gimp.Image,
        drawables: Sequence[Gimp.Drawable],
        config: Gimp.ProcedureConfig,
        _data: object,
    ) -> Gimp.ValueArray:
        """Any of the four. This is the border where errors become a painter's words."""
        interactive = run_mode != Gimp.RunMode.NONINTERACTIVE
        self.set_pdb_error_handler(Gimp.PDBErrorHandler.PLUGIN)  # GIMP would show its own words
        try:
            import procedures

            run = {
                STYLIZE: procedures.stylize,
                AGAIN: procedures.again,
                APPLY: procedures.apply,
                SAVE: procedures.save,
            }
            layer = run[procedure.get_name()](procedure, run_mode, image, drawables, config)
        except Exception as error:
            failed = _failure(procedure, error, interactive=interactive)
            chosen = procedure.get_name() != AGAIN and not getattr(error, "nothing_chosen", False)
            # GIMP keeps what was chosen in a dialog for the next only where it is told of success.
            if run_mode != Gimp.RunMode.INTERACTIVE or not chosen:
                return failed
        values = procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, None)
        # To a script alone: GIMP 3.0.4 keeps it after an image that was closed meanwhile, and then
        # reads what is no longer there.
        if procedure.get_name() != SAVE and not interactive:
            values.remove(1)
            values.insert(1, GObject.Value(Gimp.Layer.__gtype__, layer))
        return values

    def _work(
        self, procedure: Gimp.Procedure, config: Gimp.ProcedureConfig, _data: object
    ) -> Gimp.ValueArray:
        self.set_pdb_error_handler(Gimp.PDBErrorHandler.PLUGIN)
        try:
            import job_process

            told = job_process.run(config)
        except Exception as error:
            return _failure(procedure, error, interactive=config.get_property("interactive"))
        values = procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, None)
        values.remove(1)
        values.insert(1, GObject.Value(GObject.TYPE_STRING, told))
        return values


def _failure(procedure: Gimp.Procedure, error: Exception, *, interactive: bool) -> Gimp.ValueArray:
    """What GIMP is told of an error; in a window the painter is told by a dialog of our own."""
    code = getattr(error, "code", "")
    if code == "CANCELLED":
        return procedure.new_return_values(Gimp.PDBStatusType.CANCEL, GLib.Error(str(error)))
    if isinstance(error, ModuleNotFoundError):
        words = _("Impasto's own files are not complete: {name} is missing.").format(
            name=error.name
        )
        next_step = _("Install Impasto again; your styles and settings stay.")
    elif code:
        words, next_step = _(str(error)), _(getattr(error, "next_step", ""))
    else:
        import traceback

        traceback.print_exception(error)
        words = _("Something went wrong inside Impasto ({name}: {error}).").format(
            name=type(error).__name__, error=error
        )
        next_step = _("Nothing was changed. Try once more; if it happens again, report it.")
    if interactive:
        import error_window

        error_window.show_error(words, next_step, error)
        return procedure.new_return_values(Gimp.PDBStatusType.CANCEL, GLib.Error(words))
    told = f"{code + ': ' if code else ''}{words} {next_step}"
    return procedure.new_return_values(Gimp.PDBStatusType.EXECUTION_ERROR, GLib.Error(told))


if __name__ == "__main__":
    Gimp.main(Impasto.__gtype__, sys.argv)
