"""What is told of the styles that there are, a page at a time."""

import pytest

from impasto_daemon.broker import preset_requests
from impasto_daemon.broker.preset_requests import PresetRequests
from impasto_daemon.presets.preset_file import Preset
from impasto_daemon.presets.store import PresetStore
from impasto_protocol.codec import Picture
from impasto_protocol.errors import PictureUnreadable
from impasto_protocol.messages import PresetList
from impasto_protocol.settings import Settings

DOT = Picture(1, 1, 3, "uint8", b"dot")


@pytest.fixture
def told(tmp_path, monkeypatch):
    """told(names): names of the styles and of the damaged ones, page by page; ? is damaged."""
    monkeypatch.setattr(preset_requests, "_A_PAGE", 3)
    monkeypatch.setattr(preset_requests, "_DAMAGED", 2)

    def tell(names):
        store = PresetStore(tmp_path / "presets")
        for number, name in enumerate(names):
            saved = store.save(Preset(f"{number}{name}", Settings(), DOT, DOT, "", "0f", {}))
            if name == "x":
                (tmp_path / "presets" / f"{saved.name}.safetensors").write_bytes(b"")
        requests, after, pages = PresetRequests(store, lambda settings: ()), "", []
        while True:
            page, _ = requests.answer(PresetList(after=after), ())
            pages.append(("".join(info.name[0] for info in page.presets),
                          "".join(name[0] for name in page.damaged)))  # fmt: skip
            if not page.more:
                return pages
            after = page.presets[-1].name

    return tell


@pytest.mark.parametrize(("names", "pages"), [
    ("", [("", "")]),
    ("aaa", [("012", "")]),
    ("aaaa", [("012", ""), ("3", "")]),
    ("xaxaa", [("1", "0"), ("34", "2")]),
    ("aaaxa", [("012", ""), ("4", "3")]),
    ("aaax", [("012", ""), ("", "3")]),
    ("axxax", [("0", ""), ("3", "12"), ("", "4")]),
    ("xxxa", [("3", "01")]),
])  # fmt: skip
def test_damaged_styles_are_told_once_each_on_the_page_that_they_are_on(told, names, pages):
    assert told(names) == pages


@pytest.mark.parametrize("left", ["nothing", "a disk that is full", "a damaged picture", "a kill"])
def test_starter_styles_that_could_not_be_written_come_with_the_next_start(
    tmp_path, monkeypatch, caplog, left
):
    store = PresetStore(tmp_path / "presets")
    requests = PresetRequests(store, lambda settings: ())

    def starter_presets():
        yield Preset("a", Settings(), DOT, DOT, "", "0f", {})
        if left == "a damaged picture":
            raise PictureUnreadable("It is damaged.")

    monkeypatch.setattr("impasto_daemon.presets.starter_presets.starter_presets", starter_presets)
    if left == "a kill":
        (tmp_path / "presets" / ".incoming-x").mkdir(parents=True)
    elif left != "nothing":
        with monkeypatch.context() as failing:
            if left == "a disk that is full":
                failing.setattr(
                    "os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space"))
                )
            requests.open()
        assert "no starter styles" in caplog.text and not (tmp_path / "presets").exists()
        left = ""
    requests.open()
    assert [name for name, _ in store.list_all()] == ["a"]
    store.delete("a")
    requests.open()
    assert [*store.list_all()] == [], "what was deleted does not come back"
