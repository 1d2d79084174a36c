"""A saved style known again by its picture's hash."""

import pytest

from impasto_protocol.errors import UnknownPreset
from impasto_protocol.messages import PresetInfo
from impasto_protocol.settings import Settings
from impasto_protocol.style_names import name_now


def presets(**hashes):
    return [
        PresetInfo(name, Settings(), width=1, height=1, sizes=(), network="", style=style,
                   size_bytes=0)
        for name, style in hashes.items()
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("there", "name"),
    [
        ({"Dawn": "1", "Dusk": "2"}, "Dusk"),
        ({"Dawn": "2", "Dusk": "2"}, "Dusk"),
        ({"Dawn": "1", "Night": "2"}, "Night"),
        ({"Dusk": "1", "Night": "2"}, "Night"),
    ],
    ids=["as it was", "twice", "renamed", "renamed, and another has its name"],
)
def test_style_is_found_under_the_name_that_it_has_now(there, name):
    assert name_now("Dusk", "2", presets(**there)) == name


def test_any_of_the_name_will_do_where_the_picture_is_not_known():
    assert name_now("Dusk", "", presets(Dusk="1")) == "Dusk"


@pytest.mark.parametrize(
    ("there", "words"), [({}, "is gone"), ({"Dusk": "1"}, "is another style now")]
)
def test_style_that_is_gone_or_another_one_now_is_said_to_be(there, words):
    with pytest.raises(UnknownPreset, match=words):
        name_now("Dusk", "2", presets(**there))
