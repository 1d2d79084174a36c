"""The four menu entries, from the layer that is selected to the layer that is added.

`plug-in-impasto-work` paints each into a layer that is not inserted yet; at the end all of them are
inserted, in one undo step.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import astuple, dataclass, replace
from typing import Any

import canvas
import copies
import insertion
import layer_recipes
import layers
import placing
import recipe
import sources
from gi.repository import Gimp
from layer_recipes import KeptRecipe

from impasto_protocol.descriptions import describe_error, snapshot_name, variation_name
from impasto_protocol.errors import BadField, Cancelled, WorkerFailed, error_from_code
from impasto_protocol.messages import Estimate
from impasto_protocol.settings import Settings
from impasto_protocol.translations import _

_WORK = "plug-in-impasto-work"


class _ProcessEnded(WorkerFailed):
    """The process that does the work was ended, not by the painter."""


def stylize(
    procedure: Gimp.Procedure,
    run_mode: Gimp.RunMode,
    image: Gimp.Image,
    drawables: Sequence[Gimp.Drawable],
    config: Gimp.ProcedureConfig,
) -> Gimp.Layer:
    """Paint with what the dialog, or the caller, says."""
    found = sources.find(image, drawables)
    if run_mode == Gimp.RunMode.INTERACTIVE:
        import dialogs

        sources.check(found, hide=False)

        def estimate() -> Estimate:
            asked = _estimate(image, found, config, recipe.settings_from_config(config))
            return replace(asked, planes=recipe.planes_from_config(config))

        dialogs.ask_stylize(procedure, config, found, estimate)
    varied = recipe.variations(recipe.from_config(config), config.get_property("variations"))
    each = [source for source in found for _made in varied]
    chosen = [KeptRecipe(made) for made in varied] * len(found)
    return _paint(image, each, chosen, windows=_windows(run_mode), varied=len(varied) > 1)


def again(
    _procedure: Gimp.Procedure,
    run_mode: Gimp.RunMode,
    image: Gimp.Image,
    drawables: Sequence[Gimp.Drawable],
    _config: Gimp.ProcedureConfig,
) -> Gimp.Layer:
    """Paint with the recipe that the layer was painted with, or else with the last one."""
    found, windows = sources.find(image, drawables), _windows(run_mode)
    chosen = [layer_recipes.find(source) for source in found]
    if not windows:
        for made in chosen:
            Gimp.message(f"Impasto: {made.whose}")
    elif changed := [s for s, made in zip(found, chosen, strict=True) if made.changed]:
        import question_window

        question_window.ask(
            "\n".join(
                _("“{name}” has been changed since Impasto painted it.").format(name=s.get_name())
                for s in changed
            ),
            _("The recipe that is kept with it is that of the painting as it was then."),
            _("_Paint by It"),
        )
    return _paint(image, found, chosen, windows=windows)


def apply(
    procedure: Gimp.Procedure,
    run_mode: Gimp.RunMode,
    image: Gimp.Image,
    drawables: Sequence[Gimp.Drawable],
    config: Gimp.ProcedureConfig,
) -> Gimp.Layer:
    """Paint in a saved style."""
    found = sources.find(image, drawables)
    if run_mode == Gimp.RunMode.INTERACTIVE:
        import dialogs

        sources.check(found, hide=False)

        def estimate(own: Settings) -> Estimate:
            return _estimate(image, found, config, recipe.settings_over_preset(config, own))

        dialogs.ask_preset(procedure, config, found, estimate)
    chosen = [KeptRecipe(recipe.from_preset(config))] * len(found)
    return _paint(image, found, chosen, windows=_windows(run_mode))


def save(
    procedure: Gimp.Procedure,
    run_mode: Gimp.RunMode,
    image: Gimp.Image,
    drawables: Sequence[Gimp.Drawable],
    config: Gimp.ProcedureConfig,
) -> None:
    """Keep a style under a name."""
    interactive = run_mode == Gimp.RunMode.INTERACTIVE
    of_layer = interactive or config.get_property("style-from") == "layer"
    if of_layer and not config.get_property("style-layer"):
        config.set_property("style-layer", sources.find_one(image, drawables))
    if interactive:
        import dialogs

        dialogs.ask_save(procedure, config)
    if not config.get_property("name"):
        raise BadField(_("The style needs a name."), next_step=_("Type one and try again."))
    _work({**recipe.to_save(config), "interactive": _windows(run_mode)})


def _estimate(
    image: Gimp.Image,
    found: Sequence[Gimp.Layer],
    config: Gimp.ProcedureConfig,
    settings: Settings,
) -> Estimate:
    """The question what painting the first of some layers would take.

    Raises HostUnsupported, or TooLarge, where one of them cannot be painted as it is set.
    """
    sources.check(found, hide=config.get_property("as-source"))
    source = found[0]
    inner, *_others = [sources.box_to_expect(image, layer) for layer in found]
    margin, selected = config.get_property("context-margin"), not Gimp.Selection.is_empty(image)
    outer = layers.box_to_send(source, inner, margin, selected=selected)
    return Estimate(
        height=outer.height,
        width=outer.width,
        part_height=inner.height,
        part_width=inner.width,
        settings=settings,
    )


def _windows(run_mode: Gimp.RunMode) -> bool:
    """Whether windows may be shown."""
    return run_mode != Gimp.RunMode.NONINTERACTIVE


def _paint(
    image: Gimp.Image,
    found: Sequence[Gimp.Layer],
    chosen: Sequence[KeptRecipe],
    *,
    windows: bool,
    varied: bool = False,
) -> Gimp.Layer:
    """Paint layers one after the other, each by its recipe, and insert all at once.

    varied: what follows each other of one layer are its variations.
    The painting of the first. Raises before any is painted where one of them cannot be. Once there
    is one, a layer that goes before its turn is left out, and an error ends the series; so does the
    painter who finishes one before its time.
    """
    for source, made in zip(found, chosen, strict=True):
        sources.check([source], hide=made.recipe["as-source"])
    painted: list[_Painted] = []
    notes: list[str] = []
    with ExitStack() as cleanup:
        places = {
            source: cleanup.enter_context(placing.place_of(image, source))
            for source in dict.fromkeys(found)
        }
        named = copies.of_recipes(image, [made.recipe for made in chosen])
        numbers = cleanup.enter_context(named)
        for number, (source, made) in enumerate(zip(found, chosen, strict=True), 1):
            place = places[source]
            if not source.is_valid() and not any(one.place is place for one in painted):
                gone = _("The layer “{name}” was gone before its turn, and was not painted.")
                notes.append(gone.format(name=place.name))
                continue
            which = _("variation {number} of {of}") if varied else _("layer {number} of {of}")
            words = which.format(number=number, of=len(found)) if len(found) > 1 else ""
            try:
                several = _paint_layer(image, place, made, words, numbers, windows=windows)
            except Cancelled:
                raise
            except Exception as error:
                if not painted:
                    raise
                notes.append(describe_error(error))
                break
            for one in several:
                cleanup.enter_context(_deleted_on_error(one.layer, image))
                painted.append(one)
            if several[0].concluded:
                break
        spots = [one.place.find() for one in painted]
        paintings = [
            _prepare(one, spot, varied=varied, steps=_is_of_several(one, painted))
            for one, spot in zip(painted, spots, strict=True)
        ]
    names = dict.fromkeys(recipe.layer_name(one.made.recipe) for one in painted)
    insertion.insert(image, paintings, f"Impasto: {', '.join(names)}")
    layer_recipes.keep_last(painted[-1].made)
    notes += [note for one in painted for note in one.notes] + [spot.note for spot in spots]
    for note in dict.fromkeys(filter(None, notes)):
        Gimp.message(f"Impasto: {note}")
    first = paintings[0]
    of_one = all(one.source == first.source for one in paintings)
    if windows and first.group and of_one and len(paintings) > 1:
        import contact_sheet

        contact_sheet.choose(image, [painting.layer for painting in paintings])
    return first.layer


@dataclass(frozen=True)
class _Painted:
    """A layer's painting, in a layer that is not inserted yet.

    notes: what the daemon told. step: after which it is one of several, or 0 at the end.
    concluded: the painter has ended it before its time.
    """

    place: placing.Place
    layer: Gimp.Layer
    made: KeptRecipe
    notes: Sequence[str] = ()
    step: int = 0
    concluded: bool = False


def _paint_layer(
    image: Gimp.Image,
    place: placing.Place,
    made: KeptRecipe,
    which: str,
    numbers: Mapping[str, int],
    *,
    windows: bool,
) -> list[_Painted]:
    """The painting of one layer, and then its snapshots.

    which: of several it is, for people. numbers: those of the copies of what its recipe names.
    """
    with ExitStack() as cleanup:
        found = {step: place.new_painting() for step in (0, *recipe.snapshots(made.recipe))}
        for layer in found.values():
            cleanup.enter_context(_deleted_on_error(layer, image))
        painting = found.pop(0)
        if made.style:
            painting.attach_parasite(made.style)
        order = {
            **made.recipe, **copies.in_order(made.recipe, numbers), "place": which,
            "whose": made.whose, "interactive": windows,
            "box": astuple(place.inner), "cut": place.cut,
            "snapshots": [(step, layer.get_id()) for step, layer in found.items()],
        }  # fmt: skip
        read: dict[str, Gimp.Image | Gimp.Item] = {"image": image, "source": place.seen}
        told = _have_painted(order, place.source, painting, read)
    kept = KeptRecipe(_kept(made.recipe, told), painting.get_parasite(layer_recipes.STYLE))
    for step in found.keys() - set(told["snapshots"]):  # it ended before
        layers.delete(found.pop(step), image)
    snapshots = [_Painted(place, layer, kept, step=step) for step, layer in found.items()]
    first = _Painted(place, painting, kept, told["notes"], concluded=told["concluded"])
    return [first, *snapshots]


def _have_painted(
    order: dict[str, Any],
    source: Gimp.Layer,
    painting: Gimp.Layer,
    read: dict[str, Gimp.Image | Gimp.Item],
) -> dict[str, Any]:
    """Have another process paint what is seen of a layer: what came of it.

    GIMP ends one that writes a preview in the moment that the layer of that is turned, or goes. The
    next one shows none.
    """
    if order["preview"] and layers.can_be_watched(painting) and source.is_valid():
        with canvas.above(source, painting) as shown, suppress(_ProcessEnded):
            return _work(order, **read, painting=painting, canvas=shown)
    return _work(order, **read, painting=painting)


def _kept(made: recipe.Recipe, told: dict[str, Any]) -> recipe.Recipe:
    """What is kept of a recipe when it has been painted."""
    kept = {name: value for name, value in made.items() if name != "over-preset"}
    found = {name: told[name] for name in ("settings", "style-hash", "more-hashes")}
    return {**kept, **found}


@contextmanager
def _deleted_on_error(layer: Gimp.Layer, image: Gimp.Image) -> Iterator[None]:
    try:
        yield
    except Exception:
        layers.delete(layer, image)
        raise


def _is_of_several(one: _Painted, painted: Sequence[_Painted]) -> bool:
    """Whether there are snapshots of that painting."""
    return sum(other.made is one.made for other in painted) > 1


def _prepare(
    painted: _Painted, spot: placing.Spot, *, varied: bool, steps: bool
) -> insertion.Painting:
    """What is inserted at a spot. varied, steps: its name tells its seed, its step."""
    made, cut = painted.made.recipe, painted.place.cut
    layer = painted.place.bring(painted.layer, spot)
    keep_mask = made["selection-as"] == "mask"
    if spot.above:
        with sources.seen(spot.above) as seen:
            prepared = insertion.prepare(
                spot.above, seen, layer, spot.inner, layer.get_mask() if cut else None,
                as_source=made["as-source"], keep_mask=keep_mask,
            )  # fmt: skip
    else:
        prepared = insertion.Painting(None, layer, hides=False, apply_mask=cut and not keep_mask)
    name = group = recipe.layer_name(made)
    if varied:
        name = variation_name(name, made["settings"]["seed"])
    if steps:
        name = snapshot_name(name, painted.step)
    prepared.layer.set_name(name)
    layer_recipes.keep(painted.made, prepared.layer)
    return replace(prepared, group="" if name == group else group)


def _work(order: dict[str, Any], **painted: Gimp.Image | Gimp.Item) -> dict[str, Any]:
    """Have the other process do it: what came of it. Raises what it failed with.

    order: a recipe, and whether to be `interactive`. painted: the `image`, `source` and `painting`
    of a painting, and the `canvas` for its previews.
    """
    procedure = Gimp.get_pdb().lookup_procedure(_WORK)
    assert procedure  # it is registered with the one that calls it
    config = procedure.create_config()
    # By their numbers: GIMP keeps an image that is closed for as long as a call has it as argument.
    numbers = {role: thing.get_id() for role, thing in painted.items()}
    config.set_property("recipe", json.dumps({**order, **numbers}))
    config.set_property("interactive", order["interactive"])
    values = procedure.run(config)
    status = values.index(0)
    if "image" in painted and not painted["image"].is_valid():
        raise Cancelled(_("The image was closed."))
    if status == Gimp.PDBStatusType.CANCEL:
        raise Cancelled(_("Painting was cancelled."))
    if status != Gimp.PDBStatusType.SUCCESS:
        raise _ProcessEnded(_("The process that painted has ended before its time."))
    told: dict[str, Any] = json.loads(values.index(1))
    if "error" in told:
        raise error_from_code(**told["error"])
    return told
