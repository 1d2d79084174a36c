"""Styles kept by name: what may be a name, what is kept, and how a damaged file is refused."""

import json

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st

from impasto_daemon.presets import Preset, PresetStore, check_name
from impasto_protocol.errors import PresetExists, PresetInvalid, UnknownPreset
from impasto_protocol.settings import Settings


@pytest.fixture
def store(tmp_path):
    return PresetStore(tmp_path / "presets")


@pytest.fixture
def preset(picture):
    def make(name="Starry", **fields):
        root = np.random.default_rng(0).random((64, 64), np.float32)
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
    assert store.list() == [info]


def test_statistics_take_half_their_square(store, preset):
    assert store.save(preset(picture=preset().thumbnail)).size_bytes < 64 * 64 * 4


def test_names_differ_by_more_than_case(store, preset):
    store.save(preset("Starry"))
    with pytest.raises(PresetExists):
        store.save(preset("STARRY"))
    store.save(preset("STARRY", settings=Settings(strength=0.1)), replace=True)
    assert [info.settings.strength for info in store.list()] == [0.1]
    assert store.get("sTaRrY").settings.strength == 0.1


def test_rename_and_delete(store, preset):
    store.save(preset("a"))
    store.save(preset("b"))
    with pytest.raises(PresetExists):
        store.rename("a", "B")
    assert store.rename("a", "A").name == "A"
    assert store.rename("A", "Été 夜").name == "Été 夜"
    store.delete("b")
    assert [info.name for info in store.list()] == ["Été 夜"]
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
    assert store.list() == []


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
    if how == "unknown setting":
        about["settings"]["colour"] = 1
    elif how == "negative weight":
        about["settings"]["content_weight"] = -1.0
    elif how == "unknown layer":
        about["settings"]["style_layers"] = ["conv9_9"]
    elif how == "infinite statistics":
        tensors["gram/64/relu1_1"][0] = np.inf
    elif how == "statistics of another size":
        tensors["gram/64/relu1_1"] = np.zeros(10, np.float32)
    elif how == "picture of floats":
        tensors["picture"] = tensors["picture"].astype(np.float32)
    elif how == "no picture":
        del tensors["picture"]
    elif how == "strange tensor":
        tensors["__class__"] = np.zeros(3, np.float32)
    return safetensors.numpy.save(tensors, metadata={"impasto": json.dumps(about)})


@pytest.mark.parametrize("how", [
    "empty", "truncated", "no safetensors", "header that lies", "unknown setting",
    "negative weight", "unknown layer", "infinite statistics", "statistics of another size",
    "picture of floats", "no picture", "strange tensor",
])  # fmt: skip
def test_damaged_file_is_refused_by_name_and_the_others_load(store, preset, tmp_path, how):
    store.save(preset("good"))
    store.save(preset("bad"))
    path = tmp_path / "presets" / "bad.safetensors"
    path.write_bytes(damage(path, how))
    with pytest.raises(PresetInvalid, match=r"bad\.safetensors") as caught:
        store.get("bad")
    if how == "unknown setting":
        assert "colour" in str(caught.value)
    assert "good" in [info.name for info in store.list()]
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
