"""The command line in a process of its own, with the real daemon behind it."""

import io
import json
import math
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import safetensors.torch
import torch
from PIL import ExifTags, Image, ImageChops, ImageCms
from tests.integration.conftest import make_daemon

from impasto_daemon.cli.main import main
from impasto_daemon.engine.network import tensor_shapes
from impasto_daemon.images.metadata import KeptMetadata
from impasto_daemon.images.pictures import read_photograph, read_picture, write_picture
from impasto_daemon.worker.rates import RATES_FILE, Rate, Rates
from impasto_protocol import messages
from impasto_protocol.client import new_job_id
from impasto_protocol.codec import Picture
from impasto_protocol.errors import PresetExists
from impasto_protocol.messages import PresetSave, Status
from impasto_protocol.settings import VARIATION_NOISE, Settings


@pytest.fixture
def folder(tmp_path):
    for name, size, seed in (("photo.png", (40, 30), 0), ("style.jpg", (48, 48), 1)):
        noise = np.random.default_rng(seed).integers(0, 256, (*size[::-1], 3), np.uint8)
        Image.fromarray(noise).save(tmp_path / name)
    return tmp_path


@pytest.fixture
def here(daemon, monkeypatch, capfd):
    """The command line in the tests' own process, for what paints nothing."""

    def impasto(*arguments, check=True):
        words = [*map(str, arguments)]
        monkeypatch.setattr(sys, "argv", ["impasto", *words])
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = ended.code
        said = subprocess.CompletedProcess(words, code, *capfd.readouterr())
        if check:
            said.check_returncode()
        return said

    for name in [name for name in os.environ if name.startswith("IMPASTO_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("IMPASTO_HOME", str(daemon.home))
    return SimpleNamespace(impasto=impasto)


def test_apply_paints_and_names_the_file(daemon, folder):
    said = daemon.impasto(
        "apply", folder / "photo.png", "--style", folder / "style.jpg", "--iterations", 3
    )
    painted = folder / "photo-painted.png"
    assert str(painted) in said.stdout
    with Image.open(painted) as image:
        assert image.size == (40, 30)
        recipe = json.loads(image.text["impasto"])
    assert recipe["settings"]["iterations"] == 3 and len(recipe["style"]) == 32


def test_apply_tells_scripts_in_json(daemon, folder):
    said = daemon.impasto(
        "apply", folder / "photo.png", "--style", folder / "style.jpg", "--iterations", 2,
        "-o", folder / "out.webp", "--size", 20, "--json",
    )  # fmt: skip
    told = json.loads(said.stdout)
    assert told["output"] == str(folder / "out.webp") and told["steps"] == 2
    with Image.open(folder / "out.webp") as image:
        assert image.size == (20, 15)


def test_apply_paints_in_several_styles_each_where_it_is_to_be(daemon, folder):
    mask = np.zeros((60, 80), np.uint8)
    mask[:, 60:] = 255
    Image.fromarray(mask).save(folder / "right.png")
    strength = Image.new("LA", (40, 30), (255, 255))
    strength.paste((255, 0), (0, 0, 8, 30))  # transparent: nothing of it
    strength.save(folder / "strength.png")
    daemon.impasto("style", "add", "both", folder / "photo.png")
    said = daemon.impasto(
        "apply", folder / "photo.png", "--style", folder / "style.jpg", "--preset", "both",
        "--mask-of", "none", "--mask-of", folder / "right.png", "--weight-of", 1, "--scale-of", 0.5,
        "--layers-of", "all", "--layers-of", "fine", "--strength-map", folder / "strength.png",
        "--iterations", 3, "--json",
    )  # fmt: skip
    daemon.impasto("style", "remove", "both")
    told = json.loads(said.stdout)
    assert len(told["styles"]) == 1 and told["styles"] != [told["style"]]
    with Image.open(folder / "photo.png") as photo, Image.open(told["output"]) as painted:
        before, after = np.asarray(photo), np.asarray(painted)
    assert (before[:, :7] == after[:, :7]).all()
    assert (before[:, 12:] != after[:, 12:]).mean() > 0.5


def test_apply_paints_by_maps_of_colours(daemon, folder):
    for name, size, colours in (("here", (40, 30), ("red", "blue")),
                                ("there", (48, 48), ("blue", "red")),
                                ("less", (48, 48), ("blue", "blue"))):  # fmt: skip
        flat = Image.new("RGB", size, colours[0])
        flat.paste(colours[1], (size[0] // 2, 0, *size))
        flat.save(folder / f"{name}.png")
    words = ["apply", folder / "photo.png", "--style", folder / "style.jpg", "--iterations", 3,
             "--json", "--map", folder / "here.png", "--style-map"]  # fmt: skip
    told = json.loads(daemon.impasto(*words, folder / "there.png").stdout)
    assert told["steps"] == 3
    again = folder / "again.png"
    daemon.impasto("apply", folder / "photo.png", "--recipe", told["output"], "-o", again)
    with Image.open(told["output"]) as one, Image.open(again) as two:
        assert np.array_equal(np.asarray(one), np.asarray(two))
    said = daemon.impasto(*words, folder / "less.png", check=False)
    assert "#ff0000" in json.loads(said.stdout)["error"]["message"]


def test_estimate_of_variations_is_that_of_all(daemon, folder):
    Rates(daemon.home / "data" / RATES_FILE).put("auto", Rate(seconds=1))
    one = ["apply", folder / "photo.png", "--style", folder / "style.jpg", "--estimate"]
    several = [*one, "--variations", 64]
    told = json.loads(daemon.impasto(*several, "--json").stdout)
    assert told["paintings"] == 64 and told["seconds_in_all"] == 64 * told["seconds"] > 0
    assert daemon.impasto(*one).stdout != daemon.impasto(*several).stdout
    assert not [*folder.glob("photo-painted-*")]


def test_recipe_that_a_painting_carries_paints_the_same_again(daemon, folder):
    mask = np.zeros((30, 40), np.uint8)
    mask[:, 20:] = 255
    Image.fromarray(mask).save(folder / "right.png")
    style = folder / "style.jpg"
    first, again, other = (folder / f"{name}.png" for name in ("first", "again", "other"))
    daemon.impasto("style", "add", "kept", folder / "photo.png")
    daemon.impasto(
        "apply", folder / "photo.png", "--style", style, "--preset", "kept", "--mask-of", "none",
        "--mask-of", folder / "right.png", "--layers-of", "all", "--layers-of", "fine",
        "--iterations", 3, "--strength", 0.8, "-o", first,
    )  # fmt: skip
    daemon.impasto("style", "rename", "kept", "called otherwise")
    repeat = ["apply", folder / "photo.png", "--recipe", first]
    daemon.impasto(*repeat, "-o", again)
    daemon.impasto(*repeat, "--strength", 0.2, "-o", other)
    with Image.open(first) as one, Image.open(again) as two, Image.open(other) as third:
        assert np.array_equal(np.asarray(one), np.asarray(two))
        assert not np.array_equal(np.asarray(one), np.asarray(third))
        told = [json.loads(image.text["impasto"])["settings"] for image in (one, two)]
    for settings in told:
        assert settings.pop("memory_mib") > 0  # what was free, which changes
    assert told[0] == told[1]
    with Image.open(folder / "right.png") as right:
        ImageChops.invert(right).save(folder / "left.png")
    (folder / "right.png").unlink()
    masks = ["--mask-of", "none", "--mask-of", folder / "left.png"]
    daemon.impasto(*repeat, *masks, "--strength-map", folder / "left.png", "-o", other)
    with Image.open(first) as one, Image.open(other) as third:
        before, after = (json.loads(image.text["impasto"]) for image in (one, third))
    assert [use.pop("mask") for use in before["styles"]] == ["", "right.png"]
    assert [use.pop("mask") for use in after["styles"]] == ["", "left.png"]
    assert [use["hash"] for use in before["styles"]] == [use["hash"] for use in after["styles"]]
    assert [use["layers"] for use in before["styles"]] == [u["layers"] for u in after["styles"]]
    assert after["maps"] == {"strength_map": "left.png"}
    for change, words in (
        (lambda: Image.open(folder / "photo.png").save(style), "another picture"),
        (style.unlink, "names the file style.jpg"),
    ):
        change()
        said = daemon.impasto(*repeat, *masks, "--json", check=False)
        assert words in json.loads(said.stdout)["error"]["message"]
    daemon.impasto(*repeat, "--style", folder / "photo.png", "-o", other)
    daemon.impasto("style", "remove", "called otherwise")


def test_recipe_has_the_size_and_the_start(daemon, folder):
    first, again, smaller = (folder / f"{name}.png" for name in ("first", "again", "smaller"))
    with Image.open(folder / "style.jpg") as style:
        style.transpose(Image.Transpose.ROTATE_90).save(folder / "start.png")
    daemon.impasto(
        "apply", folder / "photo.png", "--style", folder / "style.jpg", "--iterations", 2,
        "--size", 20, "--start", folder / "start.png", "-o", first,
    )  # fmt: skip
    repeat = ["apply", folder / "photo.png", "--recipe", first]
    daemon.impasto(*repeat, "-o", again)
    daemon.impasto(*repeat, "-o", smaller, "--size", 16, "--start", folder / "photo.png")
    with Image.open(first) as one, Image.open(again) as two, Image.open(smaller) as three:
        assert one.size == (20, 15) and three.size == (16, 12)
        assert np.array_equal(np.asarray(one), np.asarray(two))
        assert json.loads(two.text["impasto"])["maps"] == {"start_file": "start.png"}
    (folder / "start.png").unlink()
    said = daemon.impasto(*repeat, "--json", check=False)
    assert "--start none" in refused(said)["next_step"]
    plain = folder / "plain.png"
    daemon.impasto(*repeat, "--start", "none", "-o", plain)
    with Image.open(first) as one, Image.open(plain) as two:
        assert not np.array_equal(np.asarray(one), np.asarray(two))
        assert json.loads(two.text["impasto"])["maps"] == {}


def test_recipe_of_the_default_name_is_replaced_by_what_is_painted_by_it(daemon, folder):
    photo = folder / "photo.png"
    daemon.impasto("apply", photo, "--style", folder / "style.jpg", "--iterations", 2)
    painted = folder / "photo-painted.png"
    daemon.impasto("apply", photo, "--recipe", painted, "--strength", 0.8)
    with Image.open(painted) as image:
        assert json.loads(image.text["impasto"])["settings"]["strength"] == 0.8


def test_picture_without_a_recipe_is_said_to_have_none(daemon, folder):
    for name, words in (("photo.png", "no recipe"), ("style.jpg", "no PNG"), ("x.png", "no file")):
        said = daemon.impasto(
            "apply", folder / "photo.png", "--recipe", folder / name, "--json", check=False
        )
        assert words in json.loads(said.stdout)["error"]["message"]


@pytest.mark.parametrize("words, told", [
    ([], "Give --style"),
    (["--style", "s.png"] * 9, "up to 8"),
    (["--style", "s.png", "--mask-of", "none", "--mask-of", "none"], "more masks"),
    (["--style", "s.png", "--map", "m.png"], "go together"),
    (["--style", "s.png", "--preset", "x", "--map", "m.png", "--style-map", "n.png"], "one style"),
    (["--style", "s.png", "--layers-of", "deep"], "'deep' is none of"),
    (["--style", "s.png", "--weight-of", "0"], "0.01"),
])  # fmt: skip
def test_styles_that_do_not_go_together_are_a_usage_error(here, folder, words, told):
    said = here.impasto("apply", folder / "photo.png", *words, check=False)
    assert said.returncode == 2 and told in " ".join(said.stderr.replace("│", " ").split())


def test_apply_leaves_the_snapshots_asked_for(daemon, folder):
    said = daemon.impasto(
        "apply", folder / "photo.png", "--style", folder / "style.jpg", "--iterations", 4,
        "--snapshots", "1,3", "--json",
    )  # fmt: skip
    told = json.loads(said.stdout)
    assert told["snapshots"] == [str(folder / f"photo-painted-{step}.png") for step in (1, 3)]
    for path in told["snapshots"]:
        with Image.open(path) as image:
            assert image.size == (40, 30)
    assert told["sheet"] == str(folder / "photo-painted-sheet.png")
    assert told["loss_curve"] == str(folder / "photo-painted-loss.png")
    assert sorted(told["files"]) == sorted(map(str, folder.glob("photo-painted*.png"))), (
        "all that was written is named"
    )
    for name, least_px in (("sheet", 3 * 40), ("loss_curve", 900)):
        with Image.open(told[name]) as image:
            assert image.width > least_px


def test_apply_keeps_16_bits_transparency_profile_and_exif(daemon, folder):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation], exif[ExifTags.Base.Artist] = 6, "A. Painter"
    pixels = np.random.default_rng(2).integers(0, 65536, (30, 40, 4), np.uint16)
    write_picture(
        folder / "deep.tiff", Picture(30, 40, 4, "uint16", pixels.tobytes()),
        kept=KeptMetadata(profile, exif.tobytes()),
    )  # fmt: skip
    for ending in ("png", "tiff", "webp", "jpg"):
        daemon.impasto(
            "apply", folder / "deep.tiff", "--style", folder / "style.jpg", "--iterations", 3,
            "-o", folder / f"out.{ending}",
        )  # fmt: skip
        painted, kept = read_photograph(folder / f"out.{ending}")
        assert (painted.width, painted.height) == (30, 40), "upright"
        assert kept.icc == profile and b"A. Painter" in kept.exif
        assert painted.dtype == ("uint16" if ending in ("png", "tiff") else "uint8")
        assert painted.channels == (3 if ending == "jpg" else 4)
        if painted.dtype == "uint16":
            found = np.frombuffer(painted.data, np.uint16).reshape(40, 30, 4)
            assert np.array_equal(found[..., 3], np.rot90(pixels, -1)[..., 3])
            assert not np.array_equal(found[..., :3], np.rot90(pixels, -1)[..., :3])
            assert (found % 257).any(), "more than 8 bits"


def test_apply_says_what_it_could_not_keep(daemon, folder):
    with Image.open(folder / "photo.png") as image:
        image.save(folder / "odd.jpg", icc_profile=b"rubbish" * 100)
    said = daemon.impasto(
        "apply", folder / "odd.jpg", "--style", folder / "style.jpg", "--iterations", 1
    )
    assert "Note: The colour profile is damaged and was dropped." in said.stdout


def test_variations_differ_by_their_seeds_and_come_with_a_sheet(daemon, folder):
    said = daemon.impasto(
        "apply", folder / "photo.png", "--style", folder / "style.jpg", "--iterations", 2,
        "--variations", 3, "--seed", 7, "--json",
    )  # fmt: skip
    told = json.loads(said.stdout)
    paths = [folder / f"photo-painted-{number}.png" for number in (1, 2, 3)]
    sheet = folder / "photo-painted-sheet.png"
    assert told["files"] == [*map(str, paths), str(sheet)] and told["sheet"] == str(sheet)
    assert [each["output"] for each in told["variations"]] == list(map(str, paths))
    assert [each["seed"] for each in told["variations"]] == [7, 8, 9]
    assert len({read_picture(path).data for path in paths}) == 3
    for path, seed in zip(paths, (7, 8, 9), strict=True):
        with Image.open(path) as image:
            settings = json.loads(image.text["impasto"])["settings"]
        assert (settings["seed"], settings["start_noise"]) == (seed, VARIATION_NOISE)
    assert not (folder / "photo-painted.png").exists()


def test_variations_take_the_noise_that_is_given(daemon, folder):
    said = daemon.impasto(
        "apply", folder / "photo.png", "--style", folder / "style.jpg", "--iterations", 1,
        "--variations", 2, "--start-noise", 0.6, "-o", folder / "out.png",
    )  # fmt: skip
    assert "Painted 2 variations" in said.stdout and str(folder / "out-2.png") in said.stdout
    with Image.open(folder / "out-1.png") as image:
        assert json.loads(image.text["impasto"])["settings"]["start_noise"] == 0.6


@pytest.mark.parametrize(("options", "part"), [
    (["--style"], ""),
    (["--style", "style.jpg", "--start"], ""),
    (["--variations", 2, "--style"], "-2"),
    (["--style", "style.jpg", "--variations", 2, "--mask-of"], "-sheet"),
    (["--style", "style.jpg", "--snapshots", 3, "--strength-map"], "-3"),
    (["--style", "style.jpg", "--snapshots", 3, "--strength-map"], "-loss"),
])  # fmt: skip
def test_picture_that_is_painted_from_is_replaced_only_by_its_own_name(
    daemon, folder, options, part
):
    photo, used = folder / "photo.png", folder / f"photo-painted{part}.png"
    with Image.open(photo) as image:
        image.save(folder / "used.png")
    used.symlink_to("used.png")
    before, words = used.read_bytes(), ["apply", photo, *options, used, "--iterations", 1]
    said = daemon.impasto(*words, cwd=folder, check=False)
    assert said.returncode == 1 and "Name another file with -o" in " ".join(said.stderr.split())
    assert used.read_bytes() == before and len([*folder.glob("photo-painted*")]) == 1
    if not part:
        daemon.impasto(*words, "-o", used, cwd=folder)
        assert used.read_bytes() != before


def test_demo_leaves_picture_and_sheet(daemon, tmp_path):
    said = daemon.impasto("demo", "--size", 48, "--iterations", 2, cwd=tmp_path)
    for name in ("painted.png", "before-style-after.png"):
        path = tmp_path / "impasto-demo" / name
        assert str(path) in said.stdout and path.is_file()
    with Image.open(tmp_path / "impasto-demo" / "before-style-after.png") as sheet:
        assert sheet.width > 2.5 * 48


def test_style_is_kept_listed_shown_renamed_applied_and_removed(daemon, folder):
    large = folder / "large.png"
    Image.effect_noise((200, 160), 80).convert("RGB").save(large)
    daemon.impasto("style", "add", "Wild noise", large, "--strength", 0.8)
    (listed,) = json.loads(daemon.impasto("style", "list", "--json").stdout)
    assert listed["name"] == "Wild noise" and listed["settings"]["strength"] == 0.8
    daemon.impasto("style", "show", "wild NOISE", "-o", folder / "shown.png")
    with Image.open(folder / "shown.png") as shown, Image.open(large) as kept:
        assert ImageChops.difference(shown, kept).getbbox() is None
    refused = daemon.impasto("style", "add", "Wild noise", folder / "style.jpg", check=False)
    assert refused.returncode == 1 and "PRESET_EXISTS" in refused.stderr
    daemon.impasto("style", "rename", "Wild noise", "Tame noise")
    painted = daemon.impasto(
        "apply", folder / "photo.png", "--preset", "Tame noise", "--iterations", 2, "--json"
    )
    assert json.loads(painted.stdout)["style"] == listed["style"]
    with Image.open(folder / "photo-painted.png") as image:
        assert json.loads(image.text["impasto"])["settings"]["strength"] == 0.8
    daemon.impasto("style", "remove", "Tame noise")
    assert json.loads(daemon.impasto("style", "list", "--json").stdout) == []


def broken(folder, what):
    path = folder / "broken.png"
    if what == "missing":
        return path
    if what == "folder":
        path.mkdir()
    elif what == "pipe":
        import os

        os.mkfifo(path)
    elif what == "empty":
        path.touch()
    elif what == "truncated":
        path.write_bytes((folder / "style.jpg").read_bytes()[:700])
    elif what == "text":
        path.write_text("not a picture")
    elif what == "other format":
        buffer = io.BytesIO()
        Image.new("RGB", (8, 8)).save(buffer, "EPS")
        path.write_bytes(buffer.getvalue())
    elif what == "bomb":
        Image.new("1", (20_000, 20_000)).save(path)
    return path


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("missing", "STYLE_UNREADABLE"),
        ("folder", "STYLE_UNREADABLE"),
        ("pipe", "STYLE_UNREADABLE"),
        ("truncated", "STYLE_UNREADABLE"),
        ("empty", "STYLE_REJECTED"),
        ("text", "STYLE_REJECTED"),
        ("other format", "STYLE_REJECTED"),
        ("bomb", "STYLE_REJECTED"),
    ],
)
def test_bad_style_file_is_refused_with_the_next_step(daemon, folder, what, code):
    began = time.monotonic()
    said = daemon.impasto(
        "apply", folder / "photo.png", "--style", broken(folder, what), "--json", check=False
    )
    error = json.loads(said.stdout)["error"]
    assert said.returncode == 1 and error["code"] == code and error["next_step"]
    assert time.monotonic() - began < 60


@contextmanager
def endless(daemon, folder, *options):
    """The command line with a painting that never ends by itself, once it has begun."""
    command = [sys.executable, "-m", "impasto_daemon.cli", "apply", str(folder / "photo.png"),
               "--style", str(folder / "style.jpg"), "--iterations", "100000",
               "--tolerance", "0", *options]  # fmt: skip
    with (
        subprocess.Popen(command, env=daemon.environment, stdout=subprocess.PIPE) as running,
        daemon.connect() as client,
    ):
        step = 0
        while not step:
            time.sleep(0.2)
            jobs = client.ask(messages.Status())[0].jobs
            step = max((job.step for job in jobs if job.state == "running"), default=0)
        yield running


def test_ctrl_c_keeps_the_picture_as_it_stands(daemon, folder):
    with endless(daemon, folder) as running:
        running.send_signal(signal.SIGINT)
        said, _ = running.communicate(timeout=200)
    assert running.returncode == 0, said
    assert (folder / "photo-painted.png").is_file()


def test_ctrl_c_ends_variations_with_the_one_at_hand(daemon, folder):
    with endless(daemon, folder, "--variations", "9", "--json") as running:
        running.send_signal(signal.SIGINT)
        said, _ = running.communicate(timeout=200)
    assert running.returncode == 0, said
    files = [str(folder / f"photo-painted-{part}.png") for part in ("1", "sheet")]
    assert json.loads(said)["files"] == files


def test_second_ctrl_c_leaves_nothing_and_ends_with_130(daemon, folder):
    # One evaluation of so large a picture takes longer than the pause between the two.
    Image.effect_noise((320, 320), 60).convert("RGB").save(folder / "photo.png")
    with endless(daemon, folder, "--scales", "1") as running:
        running.send_signal(signal.SIGINT)
        time.sleep(0.1)
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=200)
    assert running.returncode == 130
    assert not (folder / "photo-painted.png").exists()


def test_wrong_usage_is_explained(daemon, here, folder):
    for arguments in (
        ["apply", folder / "photo.png"],
        ["apply", folder / "photo.png", "--style", "x", "--strength", "much"],
        ["apply", folder / "photo.png", "--style", "x", "--variations", 1],
        ["apply", folder / "photo.png", "--style", "x", "--variations", 2, "--snapshots", "1"],
        ["apply", folder / "photo.png", "--style", "x", "--variations", 2, "--start-noise", 0],
        [
            "apply",
            folder / "photo.png",
            "--style",
            folder / "style.jpg",
            "--variations",
            2,
            "--quality",
            "instant",
        ],
        ["nonsense"],
    ):
        said = here.impasto(*arguments, check=False)
        assert said.returncode == 2 and "Usage" in said.stderr
    said = daemon.impasto(
        "apply", folder / "photo.png", "--style", folder / "style.jpg", "--strength", 3,
        check=False,
    )  # fmt: skip
    assert said.returncode == 2 and "strength" in said.stderr


def test_second_daemon_ends_with_3_and_the_help_tells_all_exit_codes(daemon, here):
    assert daemon.impasto("daemon", "run", check=False).returncode == 3
    told = " ".join(here.impasto("--help").stdout.split())
    for code in ("0 done", "1 an error", "2 wrong usage", "3 `daemon run`", "130 cancelled"):
        assert code in told


def test_every_setting_is_an_option_with_a_help_text(here):
    import dataclasses

    from impasto_protocol.settings import Settings

    said = here.impasto("apply", "--help").stdout
    for field in dataclasses.fields(Settings):
        assert f"--{field.name.replace('_', '-')}" in said


def test_status_and_logs(daemon):
    status = json.loads(daemon.impasto("daemon", "status", "--json").stdout)
    assert status["pid"] == daemon.process.pid
    # Its first line; other tests share the daemon.
    assert "listening at" in daemon.impasto("daemon", "logs", "--lines", 100_000).stdout


def test_job_is_ended_by_what_status_calls_it(daemon, folder):
    with endless(daemon, folder) as running:
        told = json.loads(daemon.impasto("daemon", "status", "--json").stdout)["jobs"]
        (job,) = [info["job"] for info in told if info["state"] == "running"]
        said = daemon.impasto("daemon", "cancel", job[:8], "--json").stdout
        running.communicate(timeout=200)
    assert json.loads(said) == {"job": job, "state": "cancelled"}
    assert running.returncode == 130 and not (folder / "photo-painted.png").exists()
    unknown = daemon.impasto("daemon", "cancel", "no such job", "--json", check=False)
    assert json.loads(unknown.stdout)["error"]["code"] == "UNKNOWN_JOB"


def test_help_tells_the_defaults_of_its_own_command(here):
    told = {name: " ".join(here.impasto(name, "--help").stdout.split())
            for name in ("apply", "demo")}  # fmt: skip
    assert told["apply"].count("[default: by --quality]") == 3
    assert "[default: 75]" in told["demo"] and "[default: 320]" in told["demo"]


def test_configuration_is_shown_with_its_origin(daemon):
    shown = json.loads(daemon.impasto("config", "show", "--origin", "--json").stdout)
    assert shown["queue"]["origin"] == "default"


def paint(daemon, folder, *arguments, **options):
    return daemon.impasto(
        "apply", folder / "photo.png", "--style", folder / "style.jpg", "--iterations", 1,
        "--json", *arguments, check=False, **options,
    )  # fmt: skip


def jobs(client):
    return client.ask(Status())[0].jobs


def refused(said):
    """The error of a command that has not painted."""
    assert said.returncode in (1, 2) and not said.stderr, said.stderr
    return json.loads(said.stdout)["error"]


@pytest.mark.parametrize(("output", "code", "words"), [
    ("x.jxl", "PICTURE_REJECTED", "does not end in"), ("x", "PICTURE_REJECTED", "does not end in"),
    (".", "NOT_WRITTEN", "is a folder"), ("none/x.png", "NOT_WRITTEN", "--mkdir"),
    ("photo.png/x.png", "NOT_WRITTEN", "no folder"), ("/proc/x.png", "NOT_WRITTEN", "written to"),
    ("x" * 300 + ".png", "NOT_WRITTEN", "too long"), ("pipe.png", "NOT_WRITTEN", "is a pipe"),
    ("link.png", "NOT_WRITTEN", "no folder"),
])  # fmt: skip
def test_output_that_cannot_be_written_is_refused_before_painting(
    daemon, client, folder, output, code, words
):
    os.mkfifo(folder / "pipe.png")
    (folder / "link.png").symlink_to(folder / "none" / "x.png")
    before = jobs(client)
    error = refused(paint(daemon, folder, "-o", folder / output))
    assert error["code"] == code and words in error["message"] + error["next_step"]
    assert jobs(client) == before


@pytest.mark.parametrize(("arguments", "taken"), [
    (["--variations", 2], "x-2.png"), (["--variations", 2], "x-sheet.png"),
    (["--snapshots", 1], "x-1.png"), (["--snapshots", 1], "x-loss.png"),
])  # fmt: skip
def test_file_beside_the_painting_that_cannot_be_written_is_refused_before_painting(
    daemon, client, folder, arguments, taken
):
    (folder / taken).mkdir()
    before = jobs(client)
    error = refused(paint(daemon, folder, "-o", folder / "x.png", *arguments))
    assert error["code"] == "NOT_WRITTEN" and taken in error["message"]
    assert jobs(client) == before


def test_folder_that_cannot_be_made_is_said(daemon, folder):
    for said in (
        paint(daemon, folder, "-o", folder / "photo.png/in/x.png", "--mkdir"),
        daemon.impasto("demo", "--folder", folder / "photo.png", "--json", check=False),
    ):
        assert "could not be made" in refused(said)["message"]


def test_painting_goes_through_a_link(daemon, folder):
    (folder / "link.png").symlink_to(folder / "real.png")
    assert paint(daemon, folder, "-o", folder / "link.png").returncode == 0
    assert (folder / "link.png").is_symlink()
    with Image.open(folder / "real.png") as image:
        assert image.size == (40, 30)


@pytest.mark.parametrize("reader", ["gone", "full"])
def test_painting_is_written_when_what_is_printed_cannot_be(daemon, folder, reader):
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as gone, Path("/dev/full").open("wb") as full:
        sink = {"gone": gone, "full": full}[reader]
        said = daemon.run("apply", folder / "photo.png", "--style", folder / "style.jpg",
                          "--iterations", 1, stdout=sink)  # fmt: skip
    assert (folder / "photo-painted.png").exists()
    if reader == "full":
        assert said.returncode == 1 and "No space left on device" in said.stderr
    else:
        assert (said.returncode, said.stderr) == (0, "")


def test_painting_that_standard_output_does_not_take_is_kept_and_its_place_told(daemon, folder):
    with Path("/dev/full").open("wb") as full:
        said = daemon.run("apply", folder / "photo.png", "--style", folder / "style.jpg",
                          "--iterations", 1, "-o", "-", stdout=full)  # fmt: skip
    assert said.returncode == 1 and "Traceback" not in said.stderr
    (kept,) = (daemon.home / "data" / "unsaved").glob("painting-*.png")
    assert str(kept) in said.stderr
    with Image.open(kept) as image:
        assert image.size == (40, 30)


def test_standard_streams_that_are_closed_are_said(daemon, folder):
    apply = f"{sys.executable} -m impasto_daemon.cli apply --style {folder}/style.jpg"
    for shell, words in (
        (f"{apply} - -o {folder}/x.png <&-", "no standard input"),
        (f"{apply} {folder}/photo.png -o - >&-", "no standard output"),
    ):
        said = subprocess.run(
            ["sh", "-c", shell], env=daemon.environment, capture_output=True, text=True, check=False
        )
        assert said.returncode == 1 and words in said.stderr and "Traceback" not in said.stderr


def test_export_to_a_mistyped_folder_is_refused(daemon, folder):
    error = refused(daemon.impasto(
        "style", "export", "x", "-o", folder / "none" / "x.zip", "--json", check=False
    ))  # fmt: skip
    assert "no folder" in error["message"] and not (folder / "none").exists()


@pytest.mark.parametrize(("ending", "longest"), [(".webp", 16_383), (".jpg", 65_500)])
def test_picture_that_the_format_cannot_hold_is_refused_before_painting(
    daemon, folder, tmp_path, ending, longest
):
    Image.new("RGB", (longest + 1, 2)).save(tmp_path / "wide.png")
    said = daemon.impasto(
        "apply", tmp_path / "wide.png", "--style", folder / "style.jpg", "--json",
        "-o", tmp_path / f"x{ending}", check=False,
    )  # fmt: skip
    error = refused(said)
    assert error["code"] == "PICTURE_REJECTED" and str(longest) in error["message"]


def test_folder_of_the_output_is_made_when_that_is_asked_for(daemon, folder, tmp_path):
    said = paint(daemon, folder, "-o", tmp_path / "new/er/x.png", "--mkdir")
    assert json.loads(said.stdout)["output"] == str(tmp_path / "new/er/x.png")
    assert (tmp_path / "new/er/x.png").exists()


def test_output_is_told_absolute(daemon, folder, tmp_path):
    said = json.loads(paint(daemon, folder, "-o", "x.png", cwd=tmp_path).stdout)
    assert said["output"] == str(tmp_path / "x.png") and said["files"] == [said["output"]]


@pytest.mark.parametrize(("photo", "painted"), [("-", "-"), ("/dev/stdin", "/dev/stdout")])
def test_photo_comes_from_standard_input_and_the_painting_goes_to_standard_output(
    daemon, folder, photo, painted
):
    said = subprocess.run(
        [sys.executable, "-m", "impasto_daemon.cli", "apply", photo, "-o", painted,
         "--style", folder / "style.jpg", "--iterations", "1"],
        env=daemon.environment, input=(folder / "photo.png").read_bytes(), capture_output=True,
        check=True,
    )  # fmt: skip
    image = Image.open(io.BytesIO(said.stdout))
    assert (image.format, image.size) == ("PNG", (40, 30))
    assert b"Painted in" in said.stderr and b"painting.png" not in said.stderr


def test_snapshots_of_a_saved_style_have_no_place_in_standard_output(daemon, folder):
    daemon.impasto("style", "add", "Seen", folder / "style.jpg", "--snapshots", 1)
    (folder / "temporary").mkdir()
    said = subprocess.run(
        [sys.executable, "-m", "impasto_daemon.cli", "apply", folder / "photo.png", "-o", "-",
         "--preset", "Seen", "--iterations", "2"],
        env=daemon.environment | {"TMPDIR": str(folder / "temporary")}, capture_output=True,
        check=True,
    )  # fmt: skip
    assert Image.open(io.BytesIO(said.stdout)).size == (40, 30)
    assert not [*(folder / "temporary").iterdir()]
    daemon.impasto("style", "remove", "Seen")


@pytest.mark.parametrize("arguments", [
    ("-o", "-", "--json"), ("-o", "-", "--variations", "2"), ("-o", "-", "--snapshots", "1"),
])  # fmt: skip
def test_standard_output_holds_one_painting_and_nothing_else(here, folder, arguments):
    said = here.impasto(
        "apply", folder / "photo.png", "--style", folder / "style.jpg", *arguments, check=False
    )
    assert said.returncode == 2 and "one painting" in said.stdout + said.stderr


def test_error_before_painting_leaves_standard_output_empty(daemon, folder):
    said = daemon.impasto(
        "apply", folder / "photo.png", "--style", folder / "none.jpg", "-o", "-", check=False
    )
    assert (said.returncode, said.stdout) == (1, "") and "none.jpg" in said.stderr


@pytest.mark.parametrize("arguments", [
    ("--strength", "2"), ("--iterations", "-1"), ("--history", "x"), ("--optimiser", "sgd"),
    ("--style-layers", "conv9_9"), ("--snapshots", "0"), ("--style-layer-weights", "1,2"),
])  # fmt: skip
def test_value_out_of_range_is_wrong_usage(here, folder, arguments):
    said = paint(here, folder, *arguments)
    assert said.returncode == 2
    error = refused(said)
    assert error["code"] == "USAGE" and "apply --help" in error["next_step"]
    plain = here.impasto("apply", folder / "photo.png", *arguments, check=False)
    assert plain.returncode == 2 and "Usage:" in plain.stderr


def test_range_is_named(here, folder):
    assert "0<=x<=1" in refused(paint(here, folder, "--strength", "2"))["message"]


def test_bad_name_of_a_style_is_refused_at_once(here, folder):
    said = here.impasto("style", "add", "a/b", folder / "style.jpg", "--json", check=False)
    assert refused(said)["code"] == "PRESET_INVALID"


def test_name_that_is_taken_is_refused_before_the_style_is_looked_at(daemon, folder, client):
    daemon.impasto("style", "add", "taken", folder / "style.jpg")
    picture = Picture(8, 8, 3, "uint8", bytes(192))
    message = PresetSave(job=new_job_id(), name="Taken", settings=Settings())
    job = client.submit(message, {"style": picture})
    with pytest.raises(PresetExists):
        job.result()
    assert "Taken" not in str(client.ask(Status())[0].jobs)
    daemon.impasto("style", "remove", "taken")


def test_values_in_a_pipe_are_whole(daemon):
    shown = daemon.impasto("config", "show", "--origin").stdout
    assert "…" not in shown and str(daemon.home / "config.toml") in shown


def test_oxfords_network_is_there_without_being_asked_for(daemon, tmp_path):
    status = json.loads(daemon.impasto("weights", "status", "--json").stdout)
    assert status["source"] == "oxford" and len(status["name"]) == 64
    said = daemon.impasto("weights", "use", tmp_path / "none.safetensors", check=False)
    assert said.returncode == 1 and "WEIGHTS_BAD" in said.stderr and "use oxford" in said.stderr


@pytest.mark.weights
def test_network_from_a_file_is_used_once_it_is_chosen(own_daemon, folder, weights_file):
    daemon = own_daemon()
    arguments = (
        "apply", folder / "photo.png", "--style", folder / "style.jpg", "--iterations", 2, "--json"
    )  # fmt: skip

    def network():
        return json.loads(daemon.impasto(*arguments).stdout)["weights"]

    oxford = network()
    daemon.impasto("weights", "use", weights_file)
    status = json.loads(daemon.impasto("weights", "status", "--json").stdout)
    assert network() == f"vgg19-max-{status['name']}" != oxford
    daemon.impasto("weights", "use", "oxford")
    assert network() == oxford
    (daemon.home / "config.toml").write_text('weights = "torchvision"\n')
    said = daemon.impasto("weights", "use", "oxford", check=False)
    assert said.returncode == 1 and "The setting `weights` comes first: torchvision" in said.stderr


def test_another_network_paints_once_its_weights_are_there(own_daemon, folder, tmp_path):
    daemon = own_daemon()
    arguments = (
        "apply", folder / "photo.png", "--preset", "Mine", "--iterations", 2, "--json",
        "--network", "googlenet",
    )  # fmt: skip
    daemon.impasto("style", "add", "Mine", folder / "style.jpg")
    said = daemon.impasto(*arguments, check=False)
    assert said.returncode == 1 and "impasto weights fetch googlenet" in said.stdout
    drawn = torch.Generator().manual_seed(1)
    made = {
        name: torch.rand(shape, generator=drawn) / math.prod(shape[1:]) + 0.01
        for name, shape in tensor_shapes("googlenet").items()
    }
    file = tmp_path / "made.safetensors"
    file.write_bytes(safetensors.torch.save(made))
    daemon.impasto("weights", "fetch", "googlenet", "--file", file)
    assert "GoogLeNet" in daemon.impasto("weights", "status").stdout
    result = json.loads(daemon.impasto(*arguments).stdout)
    assert result["weights"].startswith("googlenet-max-") and result["steps"] == 2
    assert not result["notes"]  # what the preset keeps of VGG-19 stays as it is
    daemon.impasto("style", "add", "Own", folder / "style.jpg", "--network", "googlenet")
    arguments = ("apply", folder / "photo.png", "--preset", "Own", "--iterations", 2, "--json")
    result = json.loads(daemon.impasto(*arguments).stdout)
    assert result["weights"].startswith("googlenet-max-") and not result["notes"]
    assert "other_weights" not in daemon.impasto("style", "list", "--json").stdout


@pytest.mark.weights
def test_preset_taken_with_other_weights_is_taken_anew(own_daemon, folder, weights_file):
    daemon = own_daemon()
    daemon.impasto("style", "add", "noise", folder / "style.jpg")
    daemon.impasto("weights", "use", weights_file)
    said = daemon.impasto(
        "apply", folder / "photo.png", "--preset", "noise", "--iterations", 2, "--json"
    )
    assert any("taken anew" in note for note in json.loads(said.stdout)["notes"])


def test_daemon_starts_itself_and_stops(folder):
    daemon = make_daemon(folder / "h")
    assert daemon.impasto("daemon", "status", check=False).returncode == 1
    daemon.environment["IMPASTO_COMMAND"] = str(folder / "impasto")
    (folder / "impasto").write_text(
        f"#!/bin/sh\nexec '{sys.executable}' -m impasto_daemon.cli \"$@\"\n"
    )
    (folder / "impasto").chmod(0o755)
    daemon.impasto(
        "apply", folder / "photo.png", "--style", folder / "style.jpg", "--iterations", 2
    )
    assert "already" in daemon.impasto("daemon", "start").stdout
    assert "has stopped" in daemon.impasto("daemon", "stop").stdout
    assert "No daemon" in daemon.impasto("daemon", "stop").stdout
