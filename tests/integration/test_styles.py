"""Saved styles through the real daemon: sorted, sent elsewhere and taken in again."""

import dataclasses
import json

import pytest
from PIL import Image
from tests.conftest import GRAM
from tests.integration.conftest import make_daemon

from impasto_daemon.presets.preset_file import pack, read
from impasto_daemon.presets.starter_presets import STARTER_STYLES, starter_presets
from impasto_protocol import errors, messages
from impasto_protocol.client import new_job_id
from impasto_protocol.settings import Settings


@pytest.fixture
def saved(client, picture):
    """Saves a style and takes every style away in the end."""

    def save(name, seed=0):
        order = messages.PresetSave(
            job=new_job_id(), name=name, settings=Settings(strength=0.8, style_layers=("relu1_1",))
        )
        client.submit(order, {"style": picture(40, 48, seed=seed)}).result()

    yield save
    for info in client.presets():
        client.ask(messages.PresetDelete(name=info.name))


def test_exported_style_comes_back_under_its_file_s_name(daemon, client, saved, tmp_path):
    saved("Dusk")
    daemon.impasto("style", "tag", "dusk", "evening", "soft")
    daemon.impasto("style", "export", "Dusk", "-o", tmp_path / "Dawn.safetensors")
    said = daemon.impasto("style", "import", tmp_path / "Dawn.safetensors", "--json")
    assert json.loads(said.stdout) == {"names": ["Dawn"]}
    one, other = client.presets()
    assert (one.name, one.tags, one.settings) == ("Dawn", ("evening", "soft"), other.settings)
    assert one.style == other.style and one.state == other.state == "good"
    again = daemon.impasto("style", "import", tmp_path / "Dawn.safetensors", check=False)
    assert again.returncode == 1 and "PRESET_EXISTS" in again.stderr
    daemon.impasto("style", "import", tmp_path / "Dawn.safetensors", "--replace")


def test_styles_are_listed_by_folder_and_tag(daemon, client, saved):
    for name in ("a", "b"):
        saved(name)
    daemon.impasto("style", "move", "a", "Oil paint")
    daemon.impasto("style", "tag", "b", "blue")

    def listed(*options):
        return [each["name"] for each in
                json.loads(daemon.impasto("style", "list", *options, "--json").stdout)]  # fmt: skip

    assert listed("--folder", "Oil paint") == ["a"] and listed("--tag", "blue") == ["b"]
    assert listed("--folder", "none") == [] and listed() == ["a", "b"]
    assert "Oil paint" in daemon.impasto("style", "list").stdout
    daemon.impasto("style", "move", "a")
    assert listed("--folder", "Oil paint") == []


def test_style_saved_again_stays_on_its_shelf(client, saved, picture):
    saved("a")
    client.ask(messages.PresetSort(name="a", folder="Oil", tags=("x",)))
    again = messages.PresetSave(job=new_job_id(), name="a", settings=Settings(), replace=True)
    client.submit(again, {"style": picture(20, 20)}).result()
    (info,) = client.presets()
    assert (info.folder, info.tags, info.width) == ("Oil", ("x",), 20)


def test_thumbnail_is_written(daemon, saved, tmp_path):
    saved("a")
    daemon.impasto("style", "thumbnail", "a", "-o", tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (48, 40)


def test_file_that_is_no_style_is_refused_and_the_next_step_told(daemon, client, tmp_path):
    (tmp_path / "x.safetensors").write_bytes(b"not a style")
    (tmp_path / "empty.safetensors").touch()
    for file in ("x.safetensors", "empty.safetensors", "none.safetensors", "."):
        said = daemon.impasto("style", "import", tmp_path / file, "--json", check=False)
        error = json.loads(said.stdout)["error"]
        assert error["code"] == "PRESET_INVALID" and error["next_step"], file
    assert client.presets() == []


def test_picture_that_is_imported_as_a_style_is_called_what_it_is(daemon, tmp_path):
    Image.new("RGB", (9, 9)).save(tmp_path / "x.png")
    said = daemon.impasto("style", "import", tmp_path / "x.png", "--json", check=False)
    error = json.loads(said.stdout)["error"]
    assert "PNG" in error["message"] and "impasto style add" in error["next_step"]


def test_name_or_tag_that_is_too_long_is_to_be_corrected(daemon):
    for arguments in (("show", "x" * 65), ("move", "x", "y" * 65), ("tag", "x", "z" * 33)):
        said = daemon.impasto("style", *arguments, "--json", check=False)
        error = json.loads(said.stdout)["error"]
        assert "letters" in error["message"] and "Correct that value" in error["next_step"]


def test_wrong_ending_is_wrong_usage(daemon, tmp_path):
    for names, file in ((["a"], "a.png"), (["a", "b"], "a.safetensors")):
        said = daemon.impasto("style", "export", *names, "-o", tmp_path / file, check=False)
        assert said.returncode == 2 and ".zip" in said.stderr


def test_requests_about_styles_are_met_in_their_order(client, saved):
    saved("a")
    numbers = [
        client.request(messages.PresetRename(name=name, new_name=new))
        for name, new in (("a", "b"), ("b", "c"), ("c", "d"))
    ]
    client._wait(lambda: numbers[-1] in client._answers)
    assert all(isinstance(client._answers.pop(n)[0], messages.Presets) for n in numbers)
    with pytest.raises(errors.UnknownPreset):
        client.export_presets(["a"])


def test_flood_of_requests_is_turned_away_and_the_daemon_goes_on(daemon, client):
    with daemon.connect() as flooding:
        for _ in range(1000):
            flooding.request(messages.PresetList())

        def refused():
            said = [answer for answer, _ in flooding._answers.values()]
            return "BUSY" in [answer.code for answer in said if isinstance(answer, messages.Error)]

        flooding._wait(refused)
    assert client.presets() == []


def test_pack_of_several_styles_comes_back(daemon, client, saved, tmp_path):
    for name in ("a", "b"):
        saved(name)
    daemon.impasto("style", "export", "a", "b", "-o", tmp_path / "both.zip")
    client.ask(messages.PresetDelete(name="a"))
    said = daemon.impasto("style", "import", tmp_path / "both.zip", "--json", check=False)
    assert json.loads(said.stdout)["error"]["code"] == "PRESET_EXISTS"
    assert [info.name for info in client.presets()] == ["b"]
    said = daemon.impasto("style", "import", tmp_path / "both.zip", "--replace")
    assert "a is kept." in said.stdout
    assert [info.name for info in client.presets()] == ["a", "b"]


def states(daemon, *options):
    said = json.loads(daemon.impasto("style", "check", *options, "--json").stdout)
    return {each["name"]: each["state"] for each in said}


def test_check_tells_what_is_wrong_and_mends_it(daemon, client, saved):
    folder = daemon.home / "data" / "presets"
    for name in ("cut", "good", "other"):
        saved(name)
    for name, fields in {"other": {"network": "other"}, "new": {"statistics": {}}}.items():
        preset = read(folder / "other.safetensors")
        (folder / f"{name}.safetensors").write_bytes(pack(dataclasses.replace(preset, **fields)))
    (folder / "cut.safetensors").write_bytes((folder / "good.safetensors").read_bytes()[:-9])
    found = {"cut": "damaged", "good": "good", "new": "unmeasured", "other": "other_weights"}
    assert states(daemon) == found
    assert {info.name: info.state for info in client.presets()} == {
        name: state for name, state in found.items() if name != "cut"
    }
    told = daemon.impasto("style", "check").stdout
    assert "save the style again" in told and "made with other weights" in told
    assert states(daemon, "GOOD") == {"good": "good"}
    client.ask(messages.PresetSort(name="other", folder="Oil"))
    assert states(daemon, "--fix") == dict.fromkeys(found, "good") | {"cut": "damaged"}
    assert [i.folder for i in client.presets() if i.name == "other"] == ["Oil"]
    (folder / "cut.safetensors").unlink()


def test_check_goes_on_after_styles_whose_weights_are_missing_or_damaged(daemon, client, saved):
    folder = daemon.home / "data" / "presets"
    spoilt = daemon.home / "data" / "weights" / "googlenet.safetensors"
    spoilt.parent.mkdir(exist_ok=True)
    spoilt.write_bytes(b"spoilt")
    for name, network in {"a": "resnet50", "b": "googlenet", "c": "vgg19"}.items():
        saved(name)
        file = folder / f"{name}.safetensors"
        preset = dataclasses.replace(
            read(file), network="other", settings=Settings(network=network)
        )
        file.write_bytes(pack(preset))
    for options, state in (((), "other_weights"), (("--fix",), "good")):
        said = json.loads(daemon.impasto("style", "check", *options, "--json").stdout)
        assert [each["state"] for each in said] == ["other_weights", "other_weights", state]
        assert "impasto weights fetch resnet50" in said[0]["told"]
    assert str(spoilt) in said[1]["told"]


@pytest.fixture
def in_new_home(tmp_path):
    """A daemon with the starter styles."""
    made = make_daemon(tmp_path)
    (tmp_path / "data" / "presets").rmdir()
    yield made.start()
    made.end()


def test_new_home_is_full_of_styles_and_deleted_ones_do_not_come_back(in_new_home, picture):
    daemon = in_new_home
    with daemon.connect() as client:
        found = client.presets()
        assert len(found) == len(STARTER_STYLES) >= 12
        assert {(info.folder, info.state) for info in found} == {("Starter", "unmeasured")}
        for info in found[:2]:
            _, (thumbnail,) = client.ask(messages.PresetGet(name=info.name, thumbnail_only=True))
            assert max(thumbnail.width, thumbnail.height) == 128
        result, _ = client.stylise(picture(20, 30), "Swirls", Settings(iterations=1)).result()
        assert result.style == next(info.style for info in found if info.name == "Swirls")
        client.ask(messages.PresetDelete(name="Dots"))
    daemon.end()
    daemon.start()
    with daemon.connect() as client:
        assert len(client.presets()) == len(STARTER_STYLES) - 1
        assert json.loads(daemon.impasto("style", "starter", "--json").stdout)["names"] == ["Dots"]
        assert {i.name: i.state for i in client.presets()}["Swirls"] == "good"
    assert "all there" in daemon.impasto("style", "starter").stdout


def bake(client, name, **options):
    """A baking that has begun, and its first progress."""
    job = client.bake(name, **options)
    for message, pictures in job.events():
        if isinstance(message, messages.Progress) and message.phase == "baking":
            return job, message, pictures
    raise AssertionError("it ended without any")


INSTANT = Settings(iterations=0, working_px=64)


def test_style_is_baked_and_paints_at_once(daemon, client, saved, picture, tmp_path):
    saved("Dusk")
    with pytest.raises(errors.NotBaked, match="'Dusk' is not baked") as refused:
        client.stylise(picture(30, 40), "Dusk", INSTANT).result()
    assert "impasto style bake" in refused.value.next_step
    with pytest.raises(errors.NotBaked):
        client.stylise(picture(30, 40), picture(20, 20), INSTANT).result()
    for name, size in (("one.png", (300, 200)), ("two.png", (90, 120))):
        Image.new("RGB", size, "teal").save(tmp_path / name)
    said = daemon.impasto("style", "bake", "dusk", "--sample", tmp_path / "x.jxl", check=False)
    assert said.returncode == 1 and "does not end in" in said.stderr
    assert not client.ask(messages.Status())[0].baking
    said = json.loads(
        daemon.impasto(
            "style", "bake", "dusk", tmp_path / "one.png", tmp_path / "two.png",
            "--minutes", "0.02", "--sample", tmp_path / "sample.png", "--json",
        ).stdout
    )  # fmt: skip
    assert said["steps"] >= 1 and said["losses"]["total"] > 0
    with Image.open(tmp_path / "sample.png") as sample:
        assert sample.size == (300, 200), "nothing grows"
    (info,) = client.presets()
    assert info.is_baked and info.baked_minutes >= 0.02 and info.state == "good"
    content = picture(30, 40)
    result, (painted,) = client.stylise(content, "Dusk", INSTANT).result()
    assert result.steps == 1 and not result.converged and painted.data != content.data
    seen = []
    large = dataclasses.replace(INSTANT, refinement=1, working_px=64)
    client.stylise(picture(300, 400), "Dusk", large, preview_px=40).result(
        lambda message, pictures: seen.extend(
            (message.step, message.of) for _ in pictures if isinstance(message, messages.Progress)
        )
    )
    assert seen[0] == (0, 2), "a first look is shown before anything is painted"
    further, _ = client.bake("Dusk", minutes=0.02).result()
    assert further.steps >= 1 and client.presets()[0].baked_minutes > info.baked_minutes
    daemon.impasto("style", "export", "Dusk", "-o", tmp_path / "Dawn.safetensors")
    assert client.import_presets((tmp_path / "Dawn.safetensors").read_bytes(), name="Dawn")
    assert all(info.is_baked for info in client.presets())


def test_baking_makes_way_for_paintings_and_drafts_and_goes_on(client, daemon, saved, picture):
    saved("Dusk")
    job, first, pictures = bake(client, "Dusk", minutes=0.5, preview_px=64)
    assert first.step >= 1 and first.seconds_left <= 30 and 0 < first.share < 1
    assert [p.width for p in pictures] == [64]
    answer, _ = client.ask(messages.Status())
    assert [(j.bakes, j.draft) for j in answer.jobs if j.job == job.id] == [("Dusk", False)]
    assert answer.baking["Dusk"].share > 0
    assert answer.before_drafts == 0
    with daemon.connect("painter") as painter:
        result, _ = painter.stylise(
            picture(30, 40), picture(20, 20), Settings(iterations=2, **GRAM)
        ).result()
    assert result.steps == 2
    (info,) = client.presets()
    assert info.is_baked, "what was baked is kept as it makes way"
    for message, _ in job.events():
        if isinstance(message, messages.Progress) and message.step > first.step:
            break
    assert message.share > first.share and message.seconds_left < first.seconds_left
    job.cancel(keep=True)
    done, _ = job.result()
    assert done.steps >= message.step, "it went on where it was"


def test_what_was_baked_is_kept_after_a_cancel(client, saved, gone):
    saved("Dusk")
    job, _, _ = bake(client, "Dusk", minutes=30)
    job.cancel()
    with pytest.raises(errors.Cancelled):
        job.result()
    gone(lambda: not client.presets()[0].is_baked)
    assert client.presets()[0].baked_minutes < 1


def test_baking_of_a_style_that_is_taken_away_ends_with_a_sentence(client, saved):
    with pytest.raises(errors.UnknownPreset):
        client.bake("nobody").result()
    saved("Dusk")
    job, _, _ = bake(client, "Dusk", minutes=30)
    client.ask(messages.PresetDelete(name="Dusk"))
    job.cancel(keep=True)
    with pytest.raises(errors.UnknownPreset, match="'Dusk' is gone"):
        job.result()


def test_style_that_is_renamed_while_it_is_baked_and_while_it_waits_is_baked(
    client, daemon, saved, picture
):
    saved("Dusk")
    job, first, _ = bake(client, "Dusk", minutes=30)
    client.ask(messages.PresetRename(name="Dusk", new_name="Dawn"))
    with daemon.connect("painter") as painter:
        painting = painter.stylise(picture(30, 40), picture(20, 20), Settings(iterations=100))
        next(painting.events())
        client.ask(messages.PresetRename(name="Dawn", new_name="Night"))
        painting.result()
    for message, _ in job.events():
        if isinstance(message, messages.Progress) and message.step > first.step:
            break
    job.cancel(keep=True)
    job.result()
    assert [(info.name, info.is_baked) for info in client.presets()] == [("Night", True)]


@pytest.fixture
def with_leftover(own_daemon, tmp_path):
    """A daemon in whose folder of styles one that was killed has left those of a waiting job."""
    left = tmp_path / "h0" / "data" / "presets" / f".held-{new_job_id()}"
    left.mkdir(parents=True)
    (left / "Dusk.safetensors").touch()
    return own_daemon()


def test_waiting_jobs_are_painted_in_the_styles_that_there_were(with_leftover, picture, tmp_path):
    """Replaced, renamed and deleted while a job waits; two in one job; baked."""
    presets, content = tmp_path / "h0" / "data" / "presets", picture(30, 40)
    assert not list(presets.glob(".held-*")), "what the killed one left is gone"
    settings = Settings(iterations=3, tolerance=0, **GRAM)
    two = tuple(messages.StyleUse(preset=name) for name in ("one", "two"))

    def orders():
        for preset, styles in (("one", ()), ("Two", ()), ("three", ()), ("", two)):
            yield messages.Stylise(
                job=new_job_id(), settings=settings, preset=preset, styles=styles
            )
        yield messages.Stylise(job=new_job_id(), settings=INSTANT, preset="baked")

    def submit(order):
        return client.submit(order, {"content": content})

    with with_leftover.connect() as client:
        for name, seed in (("one", 1), ("two", 2), ("three", 3), ("other", 4)):
            order = messages.PresetSave(job=new_job_id(), name=name, settings=settings)
            client.submit(order, {"style": picture(40, 48, seed=seed)}).result()
        other = client.export_presets(["other"])
        swirls = next(style for style in starter_presets() if style.name == "Swirls")
        client.import_presets(pack(swirls), name="baked")
        before = [job.result() for job in map(submit, orders())]
        first = client.stylise(content, "three", dataclasses.replace(settings, iterations=10_000))
        next(first.events())
        asked = list(orders())
        waiting = list(map(submit, asked))
        for job in waiting:
            next(job.events())
        assert len(list(presets.glob(".held-*"))) == 6
        for name in ("one", "baked"):
            client.import_presets(other, name=name, replace=True)
        client.ask(messages.PresetRename(name="two", new_name="renamed"))
        client.ask(messages.PresetDelete(name="three"))
        waiting[2] = submit(asked[2])  # once more, as after a silence: it is the same job
        first.cancel()
        after = [job.result() for job in waiting]
        assert [(r.style, r.styles) for r, _ in after] == [(r.style, r.styles) for r, _ in before]
        assert [painted for _, painted in after] == [painted for _, painted in before]
        with pytest.raises(errors.UnknownPreset):
            client.stylise(content, "three", settings).result()
        now, _ = client.stylise(content, "one", settings).result()
        assert now.style != before[0][0].style
        assert [info.name for info in client.presets()] == ["baked", "one", "other", "renamed"]
    assert not list(presets.glob(".held-*")), "nothing is left behind"
