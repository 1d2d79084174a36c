"""A painting's recipe: kept on its layer with the style's picture; whose it is that is taken."""

import shutil

import pytest
from PIL import Image
from tests.hosts.gimp.test_meanwhile import conclude

from impasto_protocol.client import new_job_id
from impasto_protocol.codec import Picture
from impasto_protocol.messages import PresetDelete, PresetRename, PresetSave
from impasto_protocol.settings import Settings

SETUP = """
def photograph():
    image = load(photo)
    layer = image.get_layers()[0]
    layer.scale(40, 30, False)
    return image, layer

def again(layer):
    image = layer.get_image()
    status, painted, error = call("again", image, [layer])
    if not painted:
        return error
    found = tree([painted])[0]["pixels"]
    image.remove_layer(painted)
    return found

def reopened(image, file):
    file = Gio.File.new_for_path(str(file))
    Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, image, file)
    image.delete()
    return Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, file)
"""
PAINT = """
image, layer = photograph()
call("save-preset", image, [layer], style_from="file", style_file=style, name="Eddies")
other = load(style)
kinds = {
    "preset": {"style_from": "preset", "style_preset": "Eddies"},
    "file": {},
    "layer": {"style_from": "layer", "style_layer": other.get_layers()[0]},
}
answer = {}
for kind, arguments in kinds.items():
    image, layer = photograph()
    _, painted, error = stylize(image, layer, style, strength=0.9, seed=3, **arguments)
    assert painted, error
    first = tree([painted])[0]["pixels"]
    answer[kind] = [again(painted), first]
    reopened(image, folder / f"{kind}.xcf")
"""
REPEAT = """
answer = {"last": again(photograph()[1])}
for kind in kinds:
    image = load(folder / f"{kind}.xcf")
    answer[kind] = again(image.get_layers()[0])
"""


def said(host):
    host.log()  # writes what is there
    lines = (host.folder / "host.log").read_text().splitlines()
    return [line.partition("Impasto: ")[2] for line in lines if "Impasto: " in line]


def test_recipe_carries_its_style_over_a_restart(
    own_gimp, changed_profile, gimp_daemon, pictures, tmp_path
):
    """A style that was an open layer was another one then: whichever had its number."""
    profile, _ = changed_profile
    style = tmp_path / "swirls.png"
    with Image.open(pictures["style"]) as other:  # no other test keeps this one
        other.rotate(180).save(style)
    values = {"photo": pictures["photo"], "style": style, "folder": tmp_path}
    environment = {"IMPASTO_HOME": str(gimp_daemon.home)}
    first = own_gimp(profile=profile, **environment)
    painted = first.run(SETUP + PAINT, **values)
    first.close()
    shutil.copy(pictures["photo"], style)  # another picture under the name of the style's
    with gimp_daemon.connect() as client:
        client.ask(PresetRename(name="Eddies", new_name="Whorls"))
        second = own_gimp(profile=profile, **environment)
        repeated = second.run(SETUP + REPEAT, kinds=["preset", "file", "layer"], **values)
        assert repeated == {**{kind: again for kind, (again, _) in painted.items()},
                            "last": painted["layer"][1]}  # fmt: skip
        client.ask(PresetDelete(name="Whorls"))
        style.unlink()
        without = second.run(SETUP + REPEAT, kinds=["preset", "file"], **values)
    assert without["file"] == repeated["file"] and len(without["preset"]) == 64
    words = "\n".join(said(second))
    assert "By the recipe of “swirls 90%”." in words and "By the recipe of “Eddies 90%”." in words
    assert "By the last recipe, “Background 90%”: “Background” has none of its own." in words
    assert "“swirls” is another picture now than the one that was used." in words
    assert "There is no picture file swirls.png." in words
    assert "The style “Eddies” is gone. The picture that is kept with the painting" in words


WHOSE = """
import sys
sys.path[:0] = [plug_in, f"{plug_in}/vendor"]
import layer_recipes

image, layer = photograph()
under = layer.copy()
image.insert_layer(under, None, 1)
_, painted, _ = stylize(image, layer, style, strength=0.9)
image = reopened(image, folder / "painted.xcf")
painted, layer, under = image.get_layers()
before = painted.copy()

def whose(change):
    layer = before.copy()
    layer.set_name("painting")
    image.insert_layer(layer, None, 0)
    layer = change(layer) or layer
    told = layer_recipes.find(layer).whose
    image.remove_layer(layer)
    return told

def copy(layer):
    image.insert_layer(again := layer.copy(), None, 0)
    image.remove_layer(layer)
    again.set_name("painting")
    return again

def fill(layer):
    layer.edit_fill(Gimp.FillType.FOREGROUND)

def erase(layer):
    image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 0, 20, 15)
    layer.edit_clear()
    Gimp.Selection.none(image)

def draw(layer):
    image.select_rectangle(Gimp.ChannelOps.REPLACE, 3, 4, 2, 1)
    fill(layer)
    Gimp.Selection.none(image)

def opaque_merged_onto(layer):
    other = layer.copy()
    image.insert_layer(other, None, image.get_item_position(layer))
    fill(other)
    return image.merge_down(other, Gimp.MergeType.EXPAND_AS_NECESSARY)

def merged_onto_another(layer):
    other = under.copy()
    image.insert_layer(other, None, image.get_item_position(layer) + 1)
    return image.merge_down(layer, Gimp.MergeType.EXPAND_AS_NECESSARY)

def move(layer):
    layer.set_offsets(5, 7)
    layer.set_opacity(30)

def mirror(layer):
    layer.transform_flip_simple(Gimp.OrientationType.HORIZONTAL, True, 0.0)

changes = copy, erase, move, draw, fill, mirror, opaque_merged_onto, merged_onto_another
answer = {change.__name__: whose(change) for change in changes}
"""
OWN = "By the recipe of “painting”."
CHANGED = "By the recipe of “painting”, which has been changed since."


def test_whose_recipe_is_taken_is_said_and_whether_the_layer_is_still_as_it_was_painted(
    gimp, profile, pictures, tmp_path
):
    told = gimp.run(
        SETUP + WHOSE, **pictures, folder=tmp_path, plug_in=str(profile / "plug-ins/impasto")
    )
    last = told.pop("merged_onto_another")
    assert told == {
        "copy": OWN, "erase": OWN, "move": OWN, "draw": CHANGED, "fill": CHANGED,
        "mirror": CHANGED, "opaque_merged_onto": CHANGED,
    }  # fmt: skip
    assert last.startswith("By the last recipe, “style 90%”: “Background copy")


TWO_STYLES = """
image, layer = photograph()
for name, file in (("Teal", style), ("Moss", photo)):
    status, _, error = call("save-preset", image, [layer], style_from="file", style_file=file,
                            name=name)
    assert status == "success", error
"""
KEPT = """
image, layer = photograph()
_, painted, error = stylize(image, layer, style, style_from="preset", style_preset="Teal",
                            iterations=100_000)
answer = error, bool(painted and painted.get_parasite("impasto-style"))
"""
MEANWHILE = {
    "renamed": ([PresetRename(name="Teal", new_name="Sea")], True),
    "replaced": ([PresetDelete(name="Teal"), PresetRename(name="Moss", new_name="Teal")], False),
}


@pytest.mark.parametrize("meanwhile", MEANWHILE)
def test_picture_that_is_kept_is_that_of_the_style_that_was_painted_in(
    gimp, gimp_daemon, pictures, running_job, meanwhile, tmp_path
):
    """It was that of the style that had the name when the painting was done."""
    messages, is_kept = MEANWHILE[meanwhile]
    # One that no style of another test has, or its picture is had from there.
    pictures = {**pictures, "style": tmp_path / "teal.png"}
    Image.effect_noise((32, 32), 60).convert("RGB").save(pictures["style"])
    gimp.run(SETUP + TWO_STYLES, **pictures)
    number = gimp.begin(SETUP + KEPT, **pictures)
    job = running_job(gimp_daemon)
    with gimp_daemon.connect() as client:
        for message in messages:
            client.ask(message)
        conclude(gimp_daemon, job)
        told = gimp.end(number)
        for name in {info.name for info in client.presets()} & {"Teal", "Moss", "Sea"}:
            client.ask(PresetDelete(name=name))
    assert told == [None, is_kept]


SNAPSHOTS = """
image, layer = photograph()
status, painted, error = call("apply-preset", image, [layer], style_preset="Steps",
                              quality="custom")
assert painted, error
kept = json.loads(bytes(painted.get_parasite("impasto-recipe").get_data()))["settings"]
call("again", image, [painted])
answer = [layer.is_group() for layer in image.get_layers()], kept["iterations"]
"""


def test_preset_is_painted_again_as_it_was_painted(gimp, gimp_daemon, pictures):
    """Its snapshots came only then."""
    settings = Settings(iterations=4, tolerance=0.0, snapshots=(2,))
    message = PresetSave(job=new_job_id(), name="Steps", settings=settings)
    grey = Picture(32, 32, 3, "uint8", bytes(32 * 32 * 3))
    with gimp_daemon.connect() as client:
        client.submit(message, {"style": grey}).result()
        told = gimp.run(SETUP + SNAPSHOTS, **pictures)
        client.ask(PresetDelete(name="Steps"))
    assert told == [[False, False, False], 4]


SEVERAL = """
image, layer = photograph()
call("save-preset", image, [layer], style_from="file", style_file=folder / "first.png", name="Fir")
more = json.dumps([{"kind": "preset", "name": "Fir"},
                   {"kind": "file", "name": str(folder / "second.png")}])
status, painted, error = stylize(image, layer, style, more_styles=more)
assert painted, error
painted.set_name("painting")
answer = again(painted)
reopened(image, folder / "several.xcf")
"""
AMONG = """
image = load(folder / "several.xcf")
answer = again(image.get_layers()[0])
"""


NAMED_NOW = """
import sys
sys.path[:0] = [plug_in, f"{plug_in}/vendor"]
import layer_recipes
from impasto_protocol.client import Client
layer = load(folder / "several.xcf").get_layers()[0]
config = Gimp.get_pdb().lookup_procedure("plug-in-impasto-stylize").create_config()
with Client.connect(name="test") as client:
    layer_recipes.show(layer_recipes.find(layer), config, client.presets())
answer = [style["name"] for style in json.loads(config.get_property("more-styles"))]
"""


def test_every_style_of_several_is_known_by_its_picture(
    gimp, gimp_daemon, profile, pictures, tmp_path
):
    """Only the first was."""
    for name in ("first", "second", "third"):
        Image.effect_noise((32, 32), 60).convert("RGB").save(tmp_path / f"{name}.png")
    plug_in = str(profile / "plug-ins/impasto")
    values = {**pictures, "folder": tmp_path, "plug_in": plug_in}
    painted = gimp.run(SETUP + SEVERAL, **values)
    with gimp_daemon.connect() as client:
        client.ask(PresetRename(name="Fir", new_name="Pine"))
        assert gimp.run(SETUP + AMONG, **values) == painted
        second = str(tmp_path / "second.png")
        assert gimp.run(NAMED_NOW, **values) == ["Pine", second]
        shutil.copy(tmp_path / "third.png", tmp_path / "second.png")
        told = gimp.run(SETUP + AMONG, **values)
        client.ask(PresetDelete(name="Pine"))
    assert "“second” is another picture now than the one that was used." in told


NO_RECIPES = [b" ", b"[1]", b"{}", b'{"style": {"from": "file"}, "settings": {}}', b"[" * 100_000]


def test_recipe_that_is_none_is_passed_over(gimp, pictures):
    """Any program may write into an .xcf file."""
    errors = gimp.run(
        SETUP
        + """
answer = []
Gimp.detach_parasite("impasto-last-recipe")
for text in texts:
    image, layer = photograph()
    layer.attach_parasite(Gimp.Parasite.new("impasto-recipe", 1, text))
    answer.append(again(layer))
""",
        texts=NO_RECIPES,
        **pictures,
    )
    assert len(errors) == len(NO_RECIPES)
    assert all("Nothing has been painted yet" in error for error in errors)
