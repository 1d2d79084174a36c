"""What the plug-in uses of GIMP's widgets."""

from collections.abc import Sequence

from gi.repository import Gimp, GObject, Gtk

class Dialog(Gtk.Dialog): ...

class ProcedureDialog(Dialog):
    @classmethod
    def new(  # type: ignore[override]
        cls, procedure: Gimp.Procedure, config: Gimp.ProcedureConfig, title: str | None
    ) -> ProcedureDialog: ...
    def fill(self, properties: Sequence[str] | None) -> None: ...
    def fill_box(self, container_id: str, properties: Sequence[str] | None) -> Gtk.Box: ...
    def fill_expander(
        self,
        container_id: str,
        title_id: str | None,
        invert_title: bool,
        contents_id: str | None,
    ) -> Gtk.Expander: ...
    def fill_frame(
        self,
        container_id: str,
        title_id: str | None,
        invert_title: bool,
        contents_id: str | None,
    ) -> Gtk.Frame: ...
    def get_label(
        self, label_id: str, text: str, is_markup: bool, with_mnemonic: bool
    ) -> Gtk.Label: ...
    def get_spin_scale(self, property: str, factor: float) -> Gtk.Widget: ...
    def get_widget(self, property: str, widget_type: GObject.GType) -> Gtk.Widget: ...
    def run(self) -> bool: ...
    def set_ok_label(self, ok_label: str) -> None: ...
    def set_sensitive_if_in(
        self,
        property: str,
        config: GObject.Object | None,
        config_property: str,
        values: Gimp.ValueArray,
        in_values: bool,
    ) -> None: ...

def init(prog_name: str) -> None: ...
