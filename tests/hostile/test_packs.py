"""Packs that are not what they seem: refused whole, and nothing written anywhere."""

import io
import stat
import struct
import tracemalloc
import warnings
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impasto_daemon.broker.preset_requests import PresetRequests
from impasto_daemon.presets import packs
from impasto_daemon.presets.packs import read_pack, write_pack
from impasto_daemon.presets.preset_file import Preset, pack
from impasto_daemon.presets.store import PresetStore
from impasto_protocol import messages
from impasto_protocol.codec import Picture
from impasto_protocol.errors import BadField, DiskFull, PresetExists, PresetInvalid, UnknownPreset
from impasto_protocol.settings import Settings

DOT = Picture(1, 1, 3, "uint8", b"dot")


def preset(name, **fields):
    return Preset(**{"name": name, "settings": Settings(), "picture": DOT, "thumbnail": DOT,
                     "network": "net", "style": "0f", "statistics": {}, **fields})  # fmt: skip


GOOD = pack(preset("x"))


def zipped(*entries, method=zipfile.ZIP_STORED):
    """A zip of (name or ZipInfo, content) pairs; a content alone is called a.safetensors."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", method) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that stand twice
        for name, content in entries:
            archive.writestr(name, content)
    return written.getvalue()


def entry(name="a.safetensors", **fields):
    info = zipfile.ZipInfo(name)
    for field, value in fields.items():
        setattr(info, field, value)
    return info


def patched(data, old, new):
    assert old in data
    return data.replace(old, new)


def with_flags(bits):
    """A pack whose entry has these flags, in its local and its central header."""
    data = bytearray(zipped(("a.safetensors", GOOD)))
    central = data.index(b"PK\x01\x02")
    data[6:8] = data[central + 8 : central + 10] = struct.pack("<H", bits)
    return bytes(data)


def lying():
    """A bomb that says of itself that it is small."""
    data = bytearray(zipped(("a.safetensors", bytes(80 << 20)), method=zipfile.ZIP_DEFLATED))
    central = data.index(b"PK\x01\x02")
    data[22:26] = data[central + 24 : central + 28] = struct.pack("<I", 1 << 20)
    return bytes(data)


def overlapping():
    """Two entries of the table of contents that share one content."""
    data = zipped(("a.safetensors", GOOD))
    central, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
    one = data[central:end]
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 2, 2, 2 * len(one), central, 0)
    return data[:end] + one.replace(b"a.safe", b"b.safe") + tail


HOSTILE = {
    "path upwards": lambda: zipped(("../a.safetensors", GOOD)),
    "path upwards for Windows": lambda: zipped(("..\\a.safetensors", GOOD)),
    "absolute path": lambda: zipped(("/tmp/a.safetensors", GOOD)),
    "drive": lambda: zipped(("C:a.safetensors", GOOD)),
    "folder": lambda: zipped(("a/", b""), ("a/b.safetensors", GOOD)),
    "folder that looks like a style": lambda: zipped(
        (entry(external_attr=(stat.S_IFDIR | 0o755) << 16), b"")),
    "symbolic link": lambda: zipped((entry(external_attr=(stat.S_IFLNK | 0o777) << 16), b"/etc")),
    "device": lambda: zipped((entry(external_attr=(stat.S_IFCHR | 0o666) << 16), b"")),
    "name cut off by NUL": lambda: patched(
        zipped(("a.safetensors_.safetensors", GOOD)), b"tensors_", b"tensors\0"),
    "name turned round": lambda: zipped(("a\N{RIGHT-TO-LEFT OVERRIDE}b.safetensors", GOOD)),
    "name of a device": lambda: zipped(("nul.safetensors", GOOD)),
    "no name": lambda: zipped((".safetensors", GOOD)),
    "long name": lambda: zipped(("a" * 5000 + ".safetensors", GOOD)),
    "same name twice": lambda: zipped(("a.safetensors", GOOD), ("a.safetensors", GOOD)),
    "same name in capitals": lambda: zipped(("a.safetensors", GOOD), ("A.safetensors", GOOD)),
    "same name composed otherwise": lambda: zipped(
        ("\N{LATIN SMALL LETTER E WITH ACUTE}.safetensors", GOOD),
        ("E\N{COMBINING ACUTE ACCENT}.safetensors", GOOD)),
    "10,000 files": lambda: zipped(*((f"{n}.safetensors", b"") for n in range(10_000))),
    "a million entries that are no files": lambda: b"PK\x03\x04" + b"PK\x01\x02" * 1_000_000,
    "1000 to 1": lambda: zipped(("a.safetensors", bytes(40 << 20)), method=zipfile.ZIP_DEFLATED),
    "more than it says": lying,
    "more than fits, together": lambda: zipped(
        *((f"{n}.safetensors", bytes(11 << 20)) for n in range(10))),
    "one that is too large": lambda: zipped(("a.safetensors", bytes(65 << 20))),
    "one content for two": overlapping,
    "zip in a zip": lambda: zipped(("a.zip", zipped(("a.safetensors", GOOD)))),
    "zip that is called a style": lambda: zipped(
        ("a.safetensors", zipped(("b.safetensors", GOOD)))),
    "folder upwards": lambda: zipped(("a.safetensors", pack(preset("", folder="../x")))),
    "tag that cannot be seen": lambda: zipped(("a.safetensors", pack(preset("", tags=("\0",))))),
    "pickle": lambda: zipped(("a.safetensors", b"\x80\x04cos\nsystem\n(S'touch canary'\ntR.")),
    "program": lambda: zipped(("a.safetensors", GOOD), ("__init__.py", b"raise SystemExit")),
    "encrypted": lambda: with_flags(1),
    "encrypted strongly": lambda: with_flags(0x41),
    "patch": lambda: with_flags(0x20),
    "other compression": lambda: zipped(("a.safetensors", GOOD), method=zipfile.ZIP_LZMA),
    "one that is damaged": lambda: zipped(("a.safetensors", GOOD), ("b.safetensors", GOOD[:-1])),
    "changed byte": lambda: patched(zipped(("a.safetensors", GOOD)), b"dot", b"dat"),
    "truncated": lambda: zipped(("a.safetensors", GOOD))[:-30],
    "nothing": lambda: zipped(),
    "two letters": lambda: b"PK",
}  # fmt: skip


@pytest.fixture
def library(tmp_path):
    """A library with one preset, `x`."""
    store = PresetStore(tmp_path / "presets")
    store.save(preset("x"))
    return PresetRequests(store, lambda pooling: "net")


def bring(library, data, **fields):
    file = messages.FileInfo(len(data))
    answer, _ = library.answer(messages.PresetImport(file=file, **fields), [memoryview(data)])
    return answer.names


def everything(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_pack_is_refused_whole(library, tmp_path, monkeypatch, what):
    data = HOSTILE[what]()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(packs, "_LARGEST_PACK_BYTES", 100 << 20)
    before = everything(tmp_path)
    tracemalloc.start()
    with pytest.raises(PresetInvalid) as caught:
        bring(library, data, replace=True)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(str(caught.value)) < 500 and caught.value.next_step
    assert everything(tmp_path) == before
    assert peak_bytes < 200 << 20


def test_pack_comes_back_whole_and_always_of_the_same_bytes(library):
    presets = [preset("a", folder="Oil"), preset("Été 夜", tags=("x",))]
    data = write_pack(presets)
    assert data == write_pack(presets) and list(read_pack(data)) == presets
    assert bring(library, data) == ("a", "Été 夜")
    asked = messages.PresetExport(names=("A", "été 夜", "a"), pack=True)
    assert library.answer(asked, [])[1] == [data]


def test_pack_that_was_packed_anew_is_taken(library):
    assert bring(library, zipped(("a.safetensors", GOOD), method=zipfile.ZIP_DEFLATED)) == ("a",)


@pytest.mark.parametrize("spoilt", [GOOD[:-1], None])
def test_nothing_is_overwritten_unless_asked_and_nothing_by_half(library, tmp_path, spoilt):
    before = everything(tmp_path)
    newer = pack(preset("", settings=Settings(strength=0.9)))
    data = zipped(
        ("a.safetensors", newer), ("X.safetensors", newer), ("z.safetensors", spoilt or GOOD)
    )
    with pytest.raises(PresetInvalid if spoilt else PresetExists):
        bring(library, data, replace=bool(spoilt))
    assert everything(tmp_path) == before
    if not spoilt:
        assert bring(library, data, replace=True) == ("a", "x", "z")
        assert library._presets.info("x").settings.strength == 0.9


def test_full_disk_leaves_everything_as_it_was(library, tmp_path, monkeypatch):
    before = everything(tmp_path)
    calls = []

    def full(fd):
        calls.append(fd)
        if len(calls) > 1:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DiskFull):
        bring(library, write_pack([preset("a"), preset("b")]))
    assert everything(tmp_path) == before


@pytest.mark.parametrize(("names", "pack", "error"), [
    ((), True, BadField), ((), False, BadField), (("x", "y"), False, BadField),
    (("x", "none"), True, UnknownPreset), (("../x",), True, PresetInvalid),
])  # fmt: skip
def test_what_cannot_be_exported_is_said(library, names, pack, error):
    with pytest.raises(error):
        library.answer(messages.PresetExport(names=names, pack=pack), [])


def test_single_file_needs_a_name_of_its_own(library):
    assert bring(library, GOOD, name="a") == ("a",)
    for name in ("", "../a"):
        with pytest.raises(PresetInvalid):
            bring(library, GOOD, name=name)


def test_style_that_begins_as_a_zip_does_is_no_pack(library):
    """Its header is 0x4B50 bytes long, which is written PK."""
    length = int.from_bytes(GOOD[:8], "little")
    header = GOOD[8 : 8 + length].ljust(0x4B50)
    data = len(header).to_bytes(8, "little") + header + GOOD[8 + length :]
    assert data.startswith(b"PK") and bring(library, data, name="a") == ("a",)


def test_list_goes_on_over_damaged_files(library, tmp_path):
    whole = tmp_path / "presets" / "x.safetensors"
    for number in range(40):
        content = b"" if number % 2 else whole.read_bytes()
        (tmp_path / "presets" / f"{number:02}.safetensors").write_bytes(content)
    names, damaged, more = [], set(), True
    while more:
        page, _ = library.answer(messages.PresetList(after=names[-1] if names else ""), [])
        names += [info.name for info in page.presets]
        damaged |= set(page.damaged)
        more = page.more
    assert names == [*(f"{number:02}" for number in range(0, 40, 2)), "x"]
    assert damaged == {f"{number:02}" for number in range(1, 40, 2)}


TWO = [preset("a"), preset("b")]


@given(st.data())
def test_spoilt_pack_is_refused_or_gives_the_same_presets(data):
    whole = write_pack(TWO)
    place = data.draw(st.integers(0, len(whole)))
    noise = data.draw(st.binary(max_size=40))
    rest = whole[place + data.draw(st.integers(0, 60)) :]
    try:
        found = list(read_pack(whole[:place] + noise + rest))
    except PresetInvalid:
        return
    for each in found:
        assert Preset(**{**vars(each), "name": "a"}) == TWO[0]
