"""Styles kept by name: what may be a name, what is kept, and how a damaged file is refused."""

import json
import threading
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st

from impasto_daemon.engine.feed_forward_shapes import TENSORS
from impasto_daemon.files import write_file
from impasto_daemon.presets.baked_network import BakedNetwork, write_network
from impasto_daemon.presets.preset_file import (
    PICTURE_PX,
    STATISTICS_BYTES,
    Preset,
    check_name,
    pack,
    unpack,
)
from impasto_daemon.presets.starter_presets import STARTER_STYLES, starter_presets
from impasto_daemon.presets.statistics import packed_bytes
from impasto_daemon.presets.store import PresetStore
from impasto_protocol.codec import Picture
from impasto_protocol.errors import DiskFull, PresetExists, PresetInvalid, UnknownPreset
from impasto_protocol.settings import Settings

DOT = Picture(1, 1, 3, "uint8", b"dot")
SMALL = Preset("x", Settings(), DOT, DOT, "net", "0f", {})


@pytest.fixture
def store(tmp_path):
    return PresetStore(tmp_path / "presets")


@pytest.fixture
def preset(picture):
    def make(name="Starry", **fields):
        root = np.random.default_rng(0).random((65, 65), np.float32)
        return Preset(**{
            "name": name, "settings": Settings(strength=0.7), "picture": picture(20, 30),
            "thumbnail": picture(4, 6), "network": "vgg19-max-abc", "style": "0f",
            "statistics": {(64, "relu1_1"): root @ root.T}, **fields,
        })  # fmt: skip

    return make


def test_preset_comes_back_whole(store, preset):
    saved = preset()
    info = store.save(saved)
    assert (info.name, info.width, info.height, info.sizes) == ("Starry", 30, 20, (64,))
    assert info.settings == Settings(strength=0.7)
    found = store.get("Starry")
    assert found.picture == saved.picture and found.settings == saved.settings
    np.testing.assert_array_equal(found.statistics[64, "relu1_1"], saved.statistics[64, "relu1_1"])
    assert list(store.list_all()) == [("Starry", info)]


def test_file_of_the_first_version_is_read_and_known_for_its_age(store, preset, tmp_path):
    store.save(preset())
    path = tmp_path / "presets" / "Starry.safetensors"
    path.write_bytes(damage(path, "first version"))
    assert (store.info("Starry").state, store.info("Starry").folder) == ("older_version", "")
    assert store.info("Starry").sizes == (64,)
    assert (store.get("Starry").settings.strength, store.get("Starry").statistics) == (0.7, {})


@pytest.mark.parametrize("how", ["newer version", "unknown setting"])
def test_file_of_a_newer_version_asks_for_an_update(store, preset, tmp_path, how):
    store.save(preset())
    path = tmp_path / "presets" / "Starry.safetensors"
    path.write_bytes(damage(path, how))
    for call in (store.info, store.get):
        with pytest.raises(PresetInvalid, match="newer Impasto") as caught:
            call("Starry")
        assert "Update" in caught.value.next_step
    assert list(store.list_all()) == [("Starry", None)]


def test_preset_without_statistics_is_unmeasured(store, preset):
    assert store.save(preset(statistics={}, network="")).state == "unmeasured"
    assert store.get("Starry").statistics == {}


def test_folder_and_tags_stay_until_they_are_changed(store, preset):
    store.save(preset())
    assert store.sort("starry", "Sky", ("blue", "night", "blue")).tags == ("blue", "night")
    assert store.sort("starry", None, ()).folder == "Sky"
    info = store.sort("starry", "", None)
    assert (info.folder, info.tags, info.sizes) == ("", (), (64,))
    store.sort("starry", "Sky", ("blue",))
    assert store.folder_and_tags("STARRY") == ("Sky", ("blue",)) and store.folder_and_tags(
        "none"
    ) == ("", ())
    assert store.rename("Starry", "Night").folder == "Sky"


@pytest.mark.parametrize(("folder", "tags"), [("../x", None), ("a/b", None), (None, ("a\nb",)),
                                              (None, ("",)), ("con", None)])  # fmt: skip
def test_folder_or_tag_that_could_do_harm_is_refused(store, preset, folder, tags):
    store.save(preset())
    with pytest.raises(PresetInvalid):
        store.sort("Starry", folder, tags)
    assert store.folder_and_tags("Starry") == ("", ())


def names(store):
    return [name for name, info in store.list_all() if info]


def test_all_presets_are_saved_or_none(store, preset):
    store.save(preset("b", settings=Settings(strength=0.1)))
    with pytest.raises(PresetExists):
        store.save_all([preset("a"), preset("B"), preset("c")])
    assert names(store) == ["b"]
    store.save_all([preset("a"), preset("B"), preset("c")], replace=True)
    assert names(store) == ["a", "b", "c"] and store.info("b").settings.strength == 0.7


@pytest.mark.parametrize("when", ["a file is written", "a file is put in its place"])
def test_failure_half_way_puts_everything_back(store, preset, monkeypatch, tmp_path, when):
    store.save(preset("b", settings=Settings(strength=0.1)))
    before = {path.name: path.read_bytes() for path in (tmp_path / "presets").iterdir()}
    calls, real = [], Path.replace

    def fail(path, target):
        calls.append(target)
        if len(calls) == (5 if when == "a file is put in its place" else 2):
            raise OSError(28, "No space left on device")
        return real(path, target)

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(DiskFull, match="No space left"):
        store.save_all([preset("a"), preset("b"), preset("c")], replace=True)
    monkeypatch.undo()
    assert {path.name: path.read_bytes() for path in (tmp_path / "presets").iterdir()} == before


def test_what_killed_processes_left_is_cleared_up_and_styles_stay(store, preset, tmp_path):
    store.save(preset("a"))
    folder = tmp_path / "presets"
    (folder / ".incoming-1234").mkdir()
    for left in (".impasto-1234", ".incoming-1234/new-0"):
        (folder / left).touch()
    store.clear()
    assert [path.name for path in folder.iterdir()] == ["a.safetensors"] and names(store) == ["a"]


@pytest.mark.parametrize(
    ("left", "is_new"), [(".incoming-1234/new-0", True), (".impasto-1", False)]
)
def test_folder_is_new_only_where_the_first_styles_were_cut_short(store, tmp_path, left, is_new):
    """Without that it is one of which all styles were deleted."""
    (tmp_path / "presets" / left).parent.mkdir(parents=True)
    (tmp_path / "presets" / left).touch()
    store.clear()
    assert store.is_new is is_new


@pytest.mark.parametrize("links", [True, False])
def test_what_is_held_stays_as_it_was_until_it_is_released(
    store, preset, tmp_path, monkeypatch, links
):
    if not links:  # as on FAT
        monkeypatch.setattr("os.link", fail_to_link)
    for name in ("a", "b", "c"):
        store.save(preset(name))
    held = store.hold("0f", ["A", "b", "a"])
    store.save(preset("a", style="other"), replace=True)
    store.rename("b", "d")
    store.delete("c")
    assert (held.get("a").style, held.get("B").style) == ("0f", "0f")
    assert names(held) == names(store.held("0f")) == ["a", "b"] and names(store) == ["a", "d"]
    store.release("0f")
    assert store.held("0f") is store
    assert sorted(path.name for path in (tmp_path / "presets").iterdir()) == [
        "a.safetensors", "d.safetensors"
    ]  # fmt: skip


def fail_to_link(*_, **__):
    raise OSError(1, "Operation not permitted")


def test_what_cannot_be_held_is_as_it_will_be(store, preset, tmp_path, monkeypatch):
    store.save(preset("a"))
    with pytest.raises(UnknownPreset):
        store.hold("0f", ["a", "nobody"])
    monkeypatch.setattr("os.link", fail_to_link)
    monkeypatch.setattr("shutil.copyfile", fail_to_link)
    assert store.hold("0f", ["a"]) is store and store.get("a").name == "a"
    assert [path.name for path in (tmp_path / "presets").iterdir()] == ["a.safetensors"]


def test_link_that_was_put_among_the_styles_is_held_as_one_and_refused(
    store, preset, tmp_path, monkeypatch
):
    store.save(preset("a"))
    (tmp_path / "presets" / "b.safetensors").symlink_to(tmp_path / "presets" / "a.safetensors")
    for forbid in (lambda: None, lambda: monkeypatch.setattr("os.link", fail_to_link)):
        forbid()
        with pytest.raises(PresetInvalid, match="it is a link"):
            store.hold("0f", ["b"]).info("b")
        store.release("0f")


def test_files_that_nobody_could_have_saved_are_passed_over(store, preset, tmp_path):
    store.save(preset("a"))
    data = (tmp_path / "presets" / "a.safetensors").read_bytes()
    for name in ("x" * 65, "b\n", "\udcff", ".b"):
        (tmp_path / "presets" / f"{name}.safetensors").write_bytes(data)
    assert [name for name, _ in store.list_all()] == ["a"]


def test_names_that_one_file_system_takes_for_one_are_one(store, preset):
    store.save(preset("\N{LATIN SMALL LETTER E WITH ACUTE}t\N{LATIN SMALL LETTER E WITH ACUTE}"))
    with pytest.raises(PresetExists):
        store.save(preset("E\N{COMBINING ACUTE ACCENT}TE\N{COMBINING ACUTE ACCENT}"))


@given(st.integers(0), st.binary(max_size=200), st.booleans())
def test_any_bytes_in_a_file_are_refused_as_an_invalid_preset(place, noise, cut):
    packed = pack(SMALL)
    place %= len(packed)
    spoilt = packed[:place] + noise + (b"" if cut else packed[place + len(noise) :])
    try:
        found = unpack("x", spoilt)
    except PresetInvalid as error:
        assert "x.safetensors" in str(error)
    else:
        assert found.picture.height and found.settings


def test_statistics_take_half_their_square(store, preset):
    assert store.save(preset(picture=preset().thumbnail)).size_bytes < 64 * 64 * 4


def test_names_differ_by_more_than_case(store, preset):
    store.save(preset("Starry"))
    with pytest.raises(PresetExists):
        store.save(preset("STARRY"))
    store.save(preset("STARRY", settings=Settings(strength=0.1)), replace=True)
    assert [info.settings.strength for _, info in store.list_all()] == [0.1]
    assert store.get("sTaRrY").settings.strength == 0.1


def test_rename_and_delete(store, preset):
    store.save(preset("a"))
    store.save(preset("b"))
    with pytest.raises(PresetExists):
        store.rename("a", "B")
    assert store.rename("a", "A").name == "A"
    assert store.rename("A", "Été 夜").name == "Été 夜"
    store.delete("b")
    assert names(store) == ["Été 夜"]
    for call in (lambda: store.delete("b"), lambda: store.get("b"), lambda: store.rename("b", "c")):
        with pytest.raises(UnknownPreset):
            call()


@pytest.mark.parametrize(
    "name",
    ["", " ", "x" * 65, "夜" * 64 + "夜" * 4, "a\nb", "a\0b", "../x", "a/b", "a\\b", ".hidden",
     "dot.", " x", "x ", "con", "COM1.txt", "a:b", "a‮b", "a​b", "*"],
)  # fmt: skip
def test_name_that_could_do_harm_is_refused(store, preset, name):
    with pytest.raises(PresetInvalid) as caught:
        store.save(preset(name))
    assert caught.value.next_step
    assert list(store.list_all()) == []


@given(st.text(max_size=70))
def test_any_name_is_either_refused_or_stays_in_its_folder(name):
    try:
        kept = check_name(name)
    except PresetInvalid:
        return
    assert kept and "/" not in kept and "\\" not in kept and kept not in (".", "..")
    assert check_name(kept) == kept


def damage(path, how):
    data = path.read_bytes()
    tensors = safetensors.numpy.load(data)
    length = int.from_bytes(data[:8], "little")
    about = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["impasto"])
    if how == "empty":
        return b""
    if how == "truncated":
        return data[:-10]
    if how == "no safetensors":
        return b"PK\x03\x04" + data
    if how == "header that lies":
        return (2**62).to_bytes(8, "little") + data[8:]
    if how == "first version":
        del about["folder"], about["tags"]
        about["version"] = 1
        tensors["gram/64/relu1_1"] = tensors.pop("moments/64/relu1_1")[: 64 * 65 // 2]
    elif how == "newer version":
        about["version"] = 99
    elif how == "version that is no number":
        about["version"] = "2"
    elif how == "half a letter":
        about["style"] = "\ud800"
    elif how == "tag of many letters":
        about["tags"] = ["x" * 33]
    elif how == "bytes after the end":
        return data + b"PK"
    elif how == "picture over the limit":
        tensors["picture"] = np.zeros((2, 1449, 3), np.uint8)
    elif how == "unknown setting":
        about["settings"]["colour"] = 1
    elif how == "negative weight":
        about["settings"]["content_weight"] = -1.0
    elif how == "unknown layer":
        about["settings"]["style_layers"] = ["conv9_9"]
    elif how == "infinite statistics":
        tensors["moments/64/relu1_1"][0] = np.inf
    elif how == "statistics of another size":
        tensors["moments/64/relu1_1"] = np.zeros(10, np.float32)
    elif how == "picture of floats":
        tensors["picture"] = tensors["picture"].astype(np.float32)
    elif how == "no picture":
        del tensors["picture"]
    elif how == "strange tensor":
        tensors["__class__"] = np.zeros(3, np.float32)
    return safetensors.numpy.save(tensors, metadata={"impasto": json.dumps(about)})


@pytest.mark.parametrize("how", [
    "empty", "truncated", "no safetensors", "header that lies", "negative weight",
    "unknown layer", "infinite statistics", "statistics of another size",
    "picture of floats", "no picture", "strange tensor", "version that is no number",
    "half a letter", "tag of many letters", "bytes after the end", "picture over the limit",
])  # fmt: skip
def test_damaged_file_is_refused_by_name_and_the_others_load(store, preset, tmp_path, how):
    store.save(preset("good"))
    store.save(preset("bad"))
    path = tmp_path / "presets" / "bad.safetensors"
    path.write_bytes(damage(path, how))
    with pytest.raises(PresetInvalid, match=r"bad\.safetensors"):
        store.get("bad")
    assert "good" in names(store)
    assert store.get("good").name == "good"


def test_link_in_the_folder_is_not_followed(store, preset, tmp_path):
    store.save(preset("good"))
    (tmp_path / "presets" / "link.safetensors").symlink_to(tmp_path / "presets/good.safetensors")
    with pytest.raises(PresetInvalid):
        store.get("link")


def test_failed_write_leaves_the_old_preset(store, preset, monkeypatch):
    store.save(preset())
    monkeypatch.setattr("os.fsync", lambda fd: (_ for _ in ()).throw(OSError(28, "No space left")))
    with pytest.raises(Exception, match="No space left"):
        store.save(preset(settings=Settings(strength=0.1)), replace=True)
    assert store.get("Starry").settings.strength == 0.7
    assert len(list((store._folder).iterdir())) == 1


def test_link_in_the_folder_of_styles_is_replaced_and_what_it_leads_to_stays(tmp_path):
    (tmp_path / "own.txt").write_text("mine")
    (tmp_path / "x.safetensors").symlink_to(tmp_path / "own.txt")
    write_file(tmp_path / "x.safetensors", b"style")
    assert (tmp_path / "own.txt").read_text() == "mine"
    assert not (tmp_path / "x.safetensors").is_symlink()


@pytest.fixture
def network():
    numbers = np.random.default_rng(1)
    return BakedNetwork(
        12.5, {name: numbers.random(shape).astype(np.float16) for name, shape in TENSORS.items()}
    )


def test_baked_network_comes_back_and_stays_with_its_style(store, preset, network):
    info = store.save(preset())
    assert not info.is_baked and store.bake(info, network)
    assert store.info("Starry").baked_minutes == 12.5 and store.info("Starry").is_baked
    kept = store.get("Starry").baked
    assert all(np.array_equal(kept.tensors[name], network.tensors[name]) for name in TENSORS)
    store.sort("Starry", "Oils", ("night",))
    store.renew(store.info("Starry"), "vgg19-other", {})
    assert store.rename("Starry", "Night").is_baked
    assert store.of_style("Night", "0f").baked and not store.of_style("Night", "another picture")
    assert not store.of_style("nobody", "0f")


def test_fullest_style_has_room_in_its_file(store, preset, picture, network):
    layers = [f"layer3_{number}" for number in (1, 2, 3, 4)]
    sizes = range(1, 1 + STATISTICS_BYTES // packed_bytes(layers))
    moments = np.zeros((1025, 1025), np.float32)
    full = preset(
        picture=Picture(PICTURE_PX, PICTURE_PX, 4, "uint8", bytes(4 * PICTURE_PX**2)),
        statistics={(size, layer): moments for size in sizes for layer in layers},
        baked=network,
    )
    assert store.save(full).sizes == tuple(sizes) and len(sizes) == 6


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_what_is_no_number_is_not_stored_and_the_style_stays(store, preset, network, number):
    info = store.save(preset())
    spoilt = {name: np.full_like(tensor, number) for name, tensor in network.tensors.items()}
    with pytest.raises(PresetInvalid):
        store.bake(info, BakedNetwork(1.0, spoilt))
    moments = np.full((65, 65), number, np.float32)
    with pytest.raises(PresetInvalid):
        store.renew(info, "vgg19", {(256, "relu1_1"): moments})
    kept = store.get("Starry")
    assert kept.baked is None and kept.style == info.style


def test_network_of_a_style_that_was_renamed_meanwhile_is_stored_with_it(store, preset, network):
    info = store.save(preset(style="0a"))
    for other in (preset("Another"), preset("Of it too", style="0a", settings=Settings())):
        store.save(other)
    store.rename("Starry", "Night")
    assert store.bake(info, network)
    assert [found.is_baked for _, found in store.list_all()] == [False, True, False]


def test_network_of_a_style_that_was_replaced_meanwhile_is_not_stored(store, preset, network):
    info = store.save(preset())
    store.save(preset(style="another"), replace=True)
    assert not store.bake(info, network) and not store.info("Starry").is_baked
    store.delete("Starry")
    assert not store.bake(info, network)


CHANGES = {
    "sorted": lambda store: store.sort("Starry", "Night", ("new",)),
    "renamed": lambda store: store.rename("Starry", "Night"),
    "deleted": lambda store: store.delete("Starry"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_change_by_another_process_while_a_network_is_stored_is_not_undone(
    store, preset, network, tmp_path, monkeypatch, change
):
    info, broker = store.save(preset()), PresetStore(tmp_path / "presets")
    began, get = threading.Event(), store.get

    def get_and_be_slow(name):
        found = get(name)
        other.start()
        began.wait(60)
        other.join(0.2)  # which it is over in, where nothing keeps it out
        return found

    def change_it():
        began.set()
        CHANGES[change](broker)

    other = threading.Thread(target=change_it)
    monkeypatch.setattr(store, "get", get_and_be_slow)
    assert store.bake(info, network)
    other.join(60)
    assert [(found.name, found.folder, found.is_baked) for _, found in store.list_all()] == {
        "sorted": [("Starry", "Night", True)], "renamed": [("Night", "", True)], "deleted": [],
    }[change]  # fmt: skip
    assert sorted(path.name for path in tmp_path.iterdir()) == ["presets", "presets.lock"]


@pytest.mark.parametrize("place", ["a folder", "nowhere"])
def test_styles_are_changed_where_files_cannot_be_locked(
    store, preset, tmp_path, monkeypatch, place
):
    if place == "a folder":
        (tmp_path / "presets.lock").mkdir()
    else:
        monkeypatch.setattr("impasto_daemon.presets.store.lock_file", fail_to_link)
    store.save(preset())
    store.sort("Starry", "Night", None)
    assert store.rename("Starry", "Night").folder == "Night"


@pytest.mark.parametrize("how", ["shape", "type", "number", "left out", "unknown", "not told"])
def test_damaged_network_is_refused(store, preset, network, tmp_path, how):
    store.save(preset(baked=network))
    path = tmp_path / "presets" / "Starry.safetensors"
    tensors = safetensors.numpy.load(path.read_bytes())
    header = path.read_bytes()[8:]
    about = json.JSONDecoder().raw_decode(header.decode("latin-1"))[0]["__metadata__"]["impasto"]
    last = tensors["baked/last.weight"]
    match how:
        case "shape":
            tensors["baked/last.weight"] = last[:2]
        case "type":
            tensors["baked/last.weight"] = last.astype(np.float32)
        case "number":
            last[0, 0, 0, 0] = np.inf
        case "left out":
            del tensors["baked/last.weight"]
        case "unknown":
            tensors["baked/first.weight"] = last
        case "not told":
            about = json.dumps({**json.loads(about), "baked_minutes": 0})
    path.write_bytes(safetensors.numpy.save(tensors, metadata={"impasto": about}))
    with pytest.raises(PresetInvalid):
        store.get("Starry")


def test_starter_styles_are_baked_as_small_networks():
    found = {preset.name.lower(): preset.baked for preset in starter_presets()}
    assert list(found) == list(STARTER_STYLES)
    assert found["swirls"], "what every other begins with"
    there = [*filter(None, found.values())]
    assert len(there) >= 8, "a first click answers at once"
    for baked in there:
        assert baked.minutes > 0 and len(write_network(baked)) < 1 << 20
