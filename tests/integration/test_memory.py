"""Budgets kept, estimates told, and a budget that lies, with the real daemon."""

import json
import re
import resource
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from PIL import Image
from tests.integration.conftest import make_daemon

from impasto_daemon.worker.rates import RATES_FILE
from impasto_protocol.client import new_job_id
from impasto_protocol.errors import TooBig
from impasto_protocol.messages import PresetSave
from impasto_protocol.settings import QUALITIES, Settings

# Down to a layer from which a tile needs to see no further than 28 px.
WHOLE = Settings(
    iterations=2, scales=1, tolerance=0,
    style_layers=("relu1_1", "relu2_1", "relu3_1"), content_layers=("relu3_1",),
)  # fmt: skip


A_LOT = {"IMPASTO_MEMORY_MIB": "100000"}


@pytest.fixture(scope="module")
def generous(tmp_path_factory):
    """A daemon that is told that there is a lot of memory."""
    made = make_daemon(tmp_path_factory.mktemp("h"), **A_LOT).start()
    yield made
    made.end()


@pytest.fixture(scope="module")
def large_photo(tmp_path_factory):
    file = tmp_path_factory.mktemp("large") / "photo.png"
    Image.new("RGB", (2000, 3000), "teal").save(file)
    return file


def worker_of(daemon):
    children = psutil.Process(daemon.process.pid).children()
    return max(children, key=lambda child: child.memory_info().rss)


def test_budget_that_lies_ends_with_smaller_tiles_and_a_painting(own_daemon, picture):
    """Memory runs out on purpose, by the system's own limit."""
    # In bfloat16 it takes so much less than is told that a limit between is narrow.
    daemon = own_daemon(**A_LOT, IMPASTO_PRECISION="float32")
    content, style = picture(700, 700), picture(64, 64, seed=1)
    with daemon.connect() as client:
        # Large enough for every thread to be there, each of which keeps addresses to itself.
        client.stylise(picture(256, 256), style, WHOLE).result()
        worker = worker_of(daemon)
        told = client.estimate((700, 700), WHOLE)
        most = worker.memory_info().vms + (told.memory_mib << 20) * 2 // 3
        worker.rlimit(resource.RLIMIT_AS, (most, most))
        result, (painted,) = client.stylise(content, style, WHOLE).result()
        assert worker_of(daemon).pid == worker.pid
    assert (painted.height, painted.width) == (700, 700) and result.steps == 2
    assert 0 < result.memory_mib < told.memory_mib
    assert "out of memory; trying once more with less" in daemon.log()


def test_repetition_with_the_memory_that_was_told_gives_the_same_bytes(generous, picture):
    content, style = picture(500, 400), picture(64, 64, seed=1)
    with generous.connect() as client:
        tiled = replace(WHOLE, memory_mib=560, iterations=3)
        result, (first,) = client.stylise(content, style, tiled).result()
        assert result.memory_mib == 560
        again = replace(tiled, memory_mib=result.memory_mib)
        _, (second,) = client.stylise(content, style, again).result()
        _, (whole,) = client.stylise(content, style, replace(tiled, memory_mib=0)).result()
    assert first == second != whole


def test_command_line_tells_beforehand_what_it_would_take(generous, tmp_path, picture):
    from impasto_daemon.images.pictures import write_picture

    photo, style = tmp_path / "photo.png", tmp_path / "style.png"
    write_picture(photo, picture(400, 300))
    write_picture(style, picture(64, 64, seed=1))
    (generous.home / "data" / RATES_FILE).unlink(missing_ok=True)
    arguments = ("apply", photo, "--style", style, "--estimate")
    words = generous.impasto(*arguments, "--quality", "draft").stdout
    assert re.fullmatch(
        r"It takes [\d.]+ GiB of memory; how long is known after the first .*\n", words
    )
    write_picture(tmp_path / "map.png", picture(400, 300, seed=2))
    maps = ("--map", tmp_path / "map.png", "--style-map", style)
    plain, by_map, by_mask = (
        json.loads(generous.impasto(*arguments, "--json", *more).stdout)["memory_mib"]
        for more in ((), maps, ("--strength-map", tmp_path / "map.png"))
    )
    assert by_map - plain >= 8 * (by_mask - plain) > 0
    assert not list(tmp_path.glob("*-painted.png"))


def test_nothing_is_sent_that_cannot_fit(generous, picture):
    with generous.connect() as client:
        told = client.estimate((3000, 4000), Settings(**QUALITIES["good"], memory_mib=300))
        assert told.memory_mib > told.free_mib == 300
        for mib, told in ((64, "not even the smallest picture fits"), (700, "megapixels fit")):
            settings = replace(WHOLE, memory_mib=mib)
            with pytest.raises(TooBig, match=told):
                client.stylise(picture(1500, 1500), picture(16, 16), settings).result()


@pytest.mark.parametrize("options, saved, quality", [
    ((), {}, "good"),
    (("--quality", "draft"), {}, "draft"),
    ((), {"working_px": 384, "refinement": 6, "iterations": 100}, "draft"),
    (("--quality", "best"), {"working_px": 384, "refinement": 6}, "best"),
])  # fmt: skip
def test_quality_is_good_unless_the_style_or_the_painter_says_otherwise(
    generous, large_photo, picture, options, saved, quality
):
    with generous.connect() as client:
        expected = client.estimate((3000, 2000), Settings(**QUALITIES[quality]))
        settings = Settings(**saved)
        save = PresetSave(job=new_job_id(), name="Kept", settings=settings, replace=True)
        client.submit(save, {"style": picture(64, 64)}).result()
    told = generous.impasto(
        "apply", large_photo, "--preset", "Kept", *options, "--estimate", "--json"
    )
    assert json.loads(told.stdout)["evaluations"] == expected.evaluations


def test_style_that_is_too_large_is_refused_and_the_largest_that_fits_takes_no_more(
    own_daemon, picture
):
    daemon, content = own_daemon(IMPASTO_MEMORY_MIB="500"), picture(64, 64)
    with daemon.connect() as client:
        client.stylise(content, picture(64, 64), WHOLE).result()
        worker = worker_of(daemon)
        for channels, colours in ((3, "style"), (4, "style"), (3, "luminance")):
            settings = replace(WHOLE, colours=colours)
            before = worker.memory_info().rss
            Path(f"/proc/{worker.pid}/clear_refs").write_text("5")
            with pytest.raises(TooBig, match="The style picture takes") as refused:
                client.stylise(content, picture(6000, 6000, channels), settings).result()
            width, height = map(int, re.findall(r"such as (\d+) x (\d+)", str(refused.value))[0])
            style = picture(height, width, channels)
            result, _ = client.stylise(content, style, settings).result()
            assert result.memory_mib == 500
            assert len(style.data) * 4 < peak_bytes(worker.pid) - before < 500 << 20
        assert worker_of(daemon).pid == worker.pid
    assert "out of memory" not in daemon.log()


def peak_bytes(pid):
    (line,) = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(line) << 10
