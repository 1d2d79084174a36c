"""Frames to messages and back, and what hostile frames are answered with."""

import contextlib
import dataclasses
import tracemalloc
import typing

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.protocol.samples import JOB, sample

from impasto_daemon.broker.preset_requests import _A_PAGE
from impasto_protocol import errors, fields, limits, messages
from impasto_protocol.codec import Picture, decode, digest_of, encode, subject_of, verify
from impasto_protocol.messages import MESSAGES, FileInfo, FrameInfo, JobInfo, PresetInfo
from impasto_protocol.networks import NETWORKS
from impasto_protocol.settings import Settings


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_every_message_survives_the_wire(name):
    message = sample(MESSAGES[name])
    assert (
        decode(encode(message, [bytes(info.size_bytes) for info in message.described])) == message
    )


def test_message_type_names_are_pinned():
    assert sorted(MESSAGES) == [
        "accepted", "cancel", "cancelled", "collect", "done", "error", "estimate",
        "estimated", "failed", "hello", "ping", "pong", "preset.bake", "preset.delete",
        "preset.export", "preset.file", "preset.get", "preset.import", "preset.list",
        "preset.rename", "preset.save", "preset.sort", "presets", "presets.imported",
        "progress", "report", "result", "snapshot", "status", "stop", "stylise", "welcome",
    ]  # fmt: skip


def test_pixels_travel_beside_the_header(picture):
    content, style = picture(4, 5, 4), picture(3, 2, 3, seed=1)
    message = messages.Stylise(
        job=JOB, settings=Settings(), frames=(content.info("content"), style.info("style"))
    )
    parts = encode(message, [content.data, style.data])
    received = decode(parts)
    assert [len(part) for part in parts[1:]] == [80, 18]
    assert Picture.received(received.frames[0], parts[1]) == content


@pytest.mark.parametrize(
    ("announced", "frames", "error"),
    [
        (5, [], errors.BadImage),
        (5, [b"1234"], errors.BadImage),
        (5, [b"12345", b"12345"], errors.BadImage),
        ((1 << 20) + 1, [b""], errors.TooLarge),
        (-1, [b""], errors.BadField),
        (True, [b"1"], errors.BadField),
    ],
)
def test_file_is_refused_unless_it_is_as_long_as_announced(announced, frames, error):
    sent = header(type="preset.import", name="x", file={"size_bytes": announced})
    with pytest.raises(error):
        decode([sent, *frames], frame_bytes=1 << 20)


def test_damaged_file_is_found_by_its_digest():
    info = FileInfo(3, digest_of(b"abc"))
    verify(info, b"abc")
    with pytest.raises(errors.BadImage, match="file was damaged"):
        verify(info, b"abd")


def test_page_of_the_longest_presets_fits_into_a_header():
    letter = "\N{EARTH GLOBE EUROPE-AFRICA}"
    layers = tuple(NETWORKS["vgg19"].layers)
    settings = Settings(
        content_layers=layers, content_layer_weights=(1 / 3,) * 16,
        style_layers=layers, style_layer_weights=(1 / 3,) * 16, snapshots=(100_000,) * 64,
    )  # fmt: skip
    # A name has 200 bytes at most.
    info = PresetInfo(
        name=letter * 50, settings=settings, width=2**17, height=2**17, sizes=(1024,) * 64,
        network=letter * 128, style=letter * 64, size_bytes=2**40, folder=letter * 50,
        tags=(letter * 32,) * 8, state="other_weights",
    )  # fmt: skip
    damaged = (letter * 50,) * 32
    encode(messages.Presets(presets=(info,) * _A_PAGE, more=True, damaged=damaged))
    names = (letter * 50,) * limits.PACK_PRESETS
    encode(messages.PresetExport(names=names))


@given(st.data())
def test_crop_is_what_a_slice_of_the_array_is(data):
    height, width, channels = (data.draw(st.integers(1, 9)) for _ in range(3))
    channels = min(channels, 4)
    x, y = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    wide, high = data.draw(st.integers(1, width - x)), data.draw(st.integers(1, height - y))
    pixels = np.arange(height * width * channels, dtype=np.uint16).reshape(height, width, channels)
    found = Picture(height, width, channels, "uint16", pixels.tobytes(), "bgr").crop(
        x, y, wide, high
    )
    assert bytes(found.data) == pixels[y : y + high, x : x + wide].tobytes()
    assert (found.height, found.width, found.order) == (high, wide, "bgr")


def test_damaged_pixels_are_found_by_their_digest(picture):
    sent = picture(4, 5)
    with pytest.raises(errors.BadImage):
        Picture.received(sent.info("content", digest=True), bytes(60))


def header(**fields_):
    return msgpack.packb(fields_)


def nested(depth):
    return b"\x81\xa1a" * depth + b"\xc0"


HOSTILE = {
    "empty header": ([b""], errors.BadMessage),
    "the byte msgpack never uses": ([b"\xc1"], errors.BadMessage),
    "truncated map": ([header(type="ping")[:-2]], errors.BadMessage),
    "bytes after the map": ([header(type="ping") + b"\x00"], errors.BadMessage),
    "not a map": ([msgpack.packb([1, 2])], errors.BadMessage),
    "lies about its length": ([b"\xdf\xff\xff\xff\xff"], errors.BadMessage),
    "64 KiB and one byte": ([bytes(limits.HEADER_BYTES + 1)], errors.TooLarge),
    "lists in lists, each said to be long": (
        [(b"\xdc\x03\xe8" * 1000).ljust(limits.HEADER_BYTES, b"\xdc")], errors.BadMessage
    ),
    "maps in maps, each said to be long": (
        [(b"\xde\x03\xe8\xa0" * 1000).ljust(limits.HEADER_BYTES, b"\xde")], errors.BadMessage
    ),
    "a list said to be longer than any": ([b"\xdc\xfa\x00"], errors.BadMessage),
    "bytes, text and more that lie about their length": (
        [b"\x84\xa1a\xc6\xff\xff\xff\xff\xa1b\xdb\xff\xff\xff\xff"], errors.BadMessage
    ),
    "nested 20,000 deep": ([nested(20_000)], errors.BadMessage),
    "60 KiB of empty maps": ([b"\xdc\xef\x00" + b"\x80" * 0xEF00], errors.BadMessage),
    "key that is a number": ([msgpack.packb({"type": "ping", 1: 2})], errors.BadField),
    "field that stands twice": ([b"\x82\xa4type\xa4ping\xa4type\xa4ping"], errors.BadField),
    "unknown extension type": ([b"\x81\xa4type\xd4\x05\x00"], errors.BadMessage),
    "timestamp extension": ([msgpack.packb({"type": "ping", "request": msgpack.Timestamp(1)})],
                            errors.BadMessage),
    "no type": ([header(request=1)], errors.UnknownType),
    "unknown type": ([header(type="rm -rf")], errors.UnknownType),
    "type that is a number": ([header(type=3)], errors.UnknownType),
    "bool for a number": ([header(type="ping", request=True)], errors.BadField),
    "negative number": ([header(type="ping", request=-1)], errors.BadField),
    "missing field": ([header(type="cancel")], errors.BadField),
    "job id of another form": ([header(type="cancel", job="../x")], errors.BadField),
    "NaN": ([header(type="stylise", job=JOB, settings={"strength": float("nan")})],
            errors.BadField),
    "infinity": ([header(type="stylise", job=JOB, settings={"content_weight": float("inf")})],
                 errors.BadField),
    "settings that are a list": ([header(type="stylise", job=JOB, settings=[])], errors.BadField),
    "layer that there is not": (
        [header(type="stylise", job=JOB, settings={"style_layers": ["conv9_9"]})], errors.BadField
    ),
    "nine parts": ([header(type="ping")] + [b""] * limits.PARTS, errors.TooManyParts),
    "no part at all": ([], errors.TooManyParts),
    "frame that nobody announced": ([header(type="ping"), b"x"], errors.BadImage),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_message_is_refused(what):
    parts, error = HOSTILE[what]
    with pytest.raises(error):
        decode(parts)
    subject_of(parts)  # which raises nothing


@pytest.mark.parametrize(
    ("names", "subject"),
    [
        ({"request": 7, "job": "0" * 32}, (7, "0" * 32)),
        ({"request": True, "job": "../x"}, (0, "")),
        ({"request": -1, "job": 7}, (0, "")),
    ],
)
def test_message_that_is_refused_says_what_it_is_about(names, subject):
    assert subject_of([header(type="nonsense", **names)]) == subject


def frame(**changes):
    return {
        "role": "content", "height": 2, "width": 2, "channels": 3, "dtype": "uint8",
        "digest": b"", **changes,
    }  # fmt: skip


BAD_FRAMES = {
    "one byte short": (frame(), bytes(11), errors.BadImage),
    "no height": (frame(height=0), b"", errors.BadField),
    "negative width": (frame(width=-2), b"", errors.BadField),
    "2^31 columns": (frame(width=2**31), b"", errors.BadField),
    "five channels": (frame(channels=5), bytes(20), errors.BadField),
    "unknown number type": (frame(dtype="object"), bytes(12), errors.BadField),
    "unknown role": (frame(role="../content"), bytes(12), errors.BadField),
    "larger than the limit": (frame(height=2000, width=2000), b"", errors.TooLarge),
    "digest that is text": (frame(digest="x"), bytes(12), errors.BadField),
}


@pytest.mark.parametrize("what", BAD_FRAMES)
def test_bad_frame_is_refused_before_anything_is_made_of_it(what):
    described, data, error = BAD_FRAMES[what]
    sent = header(type="stylise", job=JOB, settings={}, frames=[described])
    with pytest.raises(error):
        decode([sent, data], frame_bytes=1 << 20)


def test_errors_name_the_field():
    with pytest.raises(errors.BadField) as caught:
        decode([header(type="stylise", job=JOB, settings={"strength": 7.0})])
    assert caught.value.field == "strength"


def test_fields_of_a_newer_minor_version_are_ignored():
    assert decode([header(type="ping", request=4, colour="blue")]) == messages.Ping(request=4)


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_header_costs_little_memory(what):
    tracemalloc.start()
    with pytest.raises(errors.ImpastoError):
        decode(HOSTILE[what][0])
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 10 << 20


@given(st.binary(max_size=300))
def test_random_bytes_raise_nothing_but_our_errors(data):
    with contextlib.suppress(errors.ImpastoError):
        decode([data])


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(max_size=8)
    | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=2)
    | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip


@given(st.sampled_from(sorted(MESSAGES)), st.lists(st.tuples(st.integers(0, 30), values)))
def test_random_fields_raise_nothing_but_our_errors(name, found):
    names = [field.name for field in dataclasses.fields(MESSAGES[name])]
    chosen = {names[number % len(names)]: value for number, value in found}
    with contextlib.suppress(errors.ImpastoError):
        decode([msgpack.packb({**chosen, "type": name})])


def test_every_field_has_a_meaning():
    for cls in [*MESSAGES.values(), Settings, FrameInfo, FileInfo, JobInfo, PresetInfo]:
        for field in dataclasses.fields(cls):
            assert fields.field_spec(field).doc
            assert typing.get_type_hints(cls)[field.name]
