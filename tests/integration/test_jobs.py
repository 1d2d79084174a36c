"""Jobs through the real daemon: painted, followed, cancelled, collected, refused."""

import dataclasses
import os
import time

import numpy as np
import pytest
from tests.conftest import GRAM

from impasto_protocol import errors, messages
from impasto_protocol.chosen_style import ChosenStyle
from impasto_protocol.client import new_job_id
from impasto_protocol.codec import Picture
from impasto_protocol.settings import Settings

QUICK = Settings(iterations=6, tolerance=0, **GRAM)
LONG = Settings(iterations=100_000, tolerance=0, **GRAM)


def pixels(picture):
    kind = {"uint8": np.uint8, "uint16": np.uint16, "float32": np.float32}[picture.dtype]
    shape = (picture.height, picture.width, picture.channels)
    return np.frombuffer(picture.data, kind).reshape(shape)


def test_picture_comes_back_painted(client, picture):
    content = picture(30, 40)
    result, (painted,) = client.stylise(content, picture(32, 32, seed=1), QUICK).result()
    assert (painted.height, painted.width, painted.channels) == (30, 40, 3)
    assert bytes(painted.data) != bytes(content.data)
    assert result.steps == 6 and not result.notes


def test_same_job_gives_the_same_bytes(client, picture):
    sent = picture(20, 28), picture(24, 24, seed=1), Settings(iterations=5, start_noise=0.4, seed=3)
    (_, (one,)), (_, (other,)) = client.stylise(*sent).result(), client.stylise(*sent).result()
    assert bytes(one.data) == bytes(other.data)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_every_kind_of_layer_comes_back_as_its_own_kind(client, picture, channels, dtype):
    noise = np.random.default_rng(0).random((20, 24, channels))
    noise[:8, :, -1] = 0
    scale, kind = {"uint8": (255, np.uint8), "uint16": (65535, np.uint16),
                   "float32": (1, np.float32)}[dtype]  # fmt: skip
    sent = (noise * scale).astype(kind)
    content = Picture(20, 24, channels, dtype, sent.tobytes())
    _, (painted,) = client.stylise(content, picture(24, 24), QUICK).result()
    found = pixels(painted)
    assert found.shape == sent.shape and found.dtype == sent.dtype
    assert np.isfinite(found.astype(float)).all()
    if channels in (2, 4):
        assert np.array_equal(found[..., -1], sent[..., -1])
        assert np.array_equal(found[:8], sent[:8])


def test_progress_previews_and_snapshots_arrive(client, picture):
    settings = Settings(iterations=25, snapshots=(2, 4), tolerance=0, scales=1)
    message = messages.Stylise(
        job=new_job_id(), settings=settings, preview_px=24, preview_every_s=0.1
    )
    job = client.submit(message, {"content": picture(64, 96, 4), "style": picture(64, 64)})
    seen = list(job.events())
    kinds = [type(message) for message, _ in seen]
    assert kinds[0] is messages.Accepted and kinds[-1] is messages.Result
    assert [m.step for m, _ in seen if isinstance(m, messages.Snapshot)] == [2, 4]
    painting = [m for m, _ in seen if isinstance(m, messages.Progress) and m.phase == "painting"]
    assert [m.step for m in painting] == sorted(m.step for m in painting)
    assert painting[-1].step == 25 and painting[-1].seconds_left == 0
    assert painting[0].losses["total"] > 0
    previews = [p[0] for m, p in seen if isinstance(m, messages.Progress) and p]
    assert previews and all((p.height, p.width, p.channels) == (16, 24, 4) for p in previews)


def test_cancel_is_told_at_once_and_the_daemon_goes_on(client, picture):
    job = client.stylise(picture(64, 64), picture(64, 64), LONG)
    for message, _ in job.events():
        if isinstance(message, messages.Progress) and message.step > 2:
            break
    asked = time.monotonic()
    job.cancel()
    with pytest.raises(errors.Cancelled):
        job.result()
    assert time.monotonic() - asked < 10
    client.stylise(picture(), picture(seed=1), QUICK).result()


def test_stop_and_keep_gives_the_picture_as_it_stands(client, picture):
    content = picture(48, 48)
    job = client.stylise(content, picture(48, 48, seed=1), LONG)
    for message, _ in job.events():
        if isinstance(message, messages.Progress) and message.step > 2:
            job.cancel(keep=True)
            break
    result, (painted,) = job.result()
    assert 2 < result.steps < LONG.iterations
    assert bytes(painted.data) != bytes(content.data)


def test_stop_and_keep_of_a_job_that_waits_gives_its_first_picture(client, picture):
    """It was cancelled without a word."""
    first = client.stylise(picture(64, 64), picture(64, 64), LONG)
    second = client.stylise(picture(48, 48), picture(48, 48, seed=1), LONG)
    second.cancel(keep=True)
    first.cancel()
    result, _ = second.result()
    assert result.steps == 1


def test_several_clients_are_served_in_turn(daemon, picture):
    with daemon.connect("one") as one, daemon.connect("other") as other:
        greedy = [
            one.stylise(picture(), picture(seed=1), chosen, keep=True) for chosen in (QUICK, LONG)
        ]
        modest = other.stylise(picture(), picture(seed=9), QUICK)
        modest.result()  # which would never come if it had to wait for the long one
        greedy[1].cancel()
        greedy[0].result()
        with pytest.raises(errors.Cancelled):
            greedy[1].result()


def test_same_job_id_is_the_same_job(client, picture):
    sent = {"content": picture(), "style": picture(seed=1)}
    message = messages.Stylise(job=new_job_id(), settings=QUICK)
    (one, first), (again, second) = (client.submit(message, sent).result() for _ in range(2))
    assert one.seconds == again.seconds
    assert bytes(first[0].data) == bytes(second[0].data)


def test_same_job_id_for_another_picture_is_a_conflict(client, picture):
    message = messages.Stylise(job=new_job_id(), settings=QUICK)
    client.submit(message, {"content": picture(), "style": picture(seed=1)}).result()
    with pytest.raises(errors.Conflict):
        client.submit(message, {"content": picture(40), "style": picture(seed=1)}).result()


def test_result_can_be_collected_by_a_client_that_comes_later(daemon, picture):
    with daemon.connect("early") as early:
        job = early.stylise(picture(), picture(seed=1), QUICK, keep=True)
        next(job.events())
    with daemon.connect("late") as late:
        result, (painted,) = late.collect(job.id).result()
    assert result.steps == 6 and painted.width == 32


def test_unknown_job_cannot_be_collected(client):
    with pytest.raises(errors.UnknownJob):
        client.collect(new_job_id()).result()


def test_job_of_a_client_that_vanished_is_cancelled(daemon, picture):
    vanishing = daemon.connect("vanishing")
    job = vanishing.stylise(picture(64, 64), picture(), LONG)
    next(job.events())
    vanishing.close()
    with daemon.connect() as client:
        began = time.monotonic()
        while True:
            report, _ = client.ask(messages.Status())
            (found,) = [info for info in report.jobs if info.job == job.id]
            if found.state == "cancelled":
                break
            assert time.monotonic() - began < 9  # and not only after the 10 s of a silent one
            time.sleep(0.2)


def test_foreign_event_loop_can_drive_the_client(client, picture):
    import select

    job = client.stylise(picture(), picture(seed=1), QUICK)
    arrived, deadline = [], time.monotonic() + 60
    while not job.ended and time.monotonic() < deadline:
        select.select([client.fd], [], [], 0.2)
        client.pump()
        arrived += job.poll()
    assert isinstance(arrived[-1][0], messages.Result)


BAD_JOBS = {
    "no style": ({"content": (8, 8)}, {}, errors.BadField),
    "no content": ({"style": (8, 8)}, {}, errors.BadField),
    "two pictures too many": (
        {"content": (8, 8), "style": (8, 8), "preview": (8, 8)},
        {},
        errors.BadField,
    ),
    "coloured selection": (
        {"content": (8, 8), "style": (8, 8), "selection": (8, 8)},
        {},
        errors.BadImage,
    ),
    "mask of another size": (
        {"content": (8, 8), "style": (8, 8), "mask": (8, 9, 1)},
        {"styles": (messages.StyleUse(masked=True),)},
        errors.BadImage,
    ),
    "mask in colour": (
        {"content": (8, 8), "style": (8, 8), "mask": (8, 8)},
        {"styles": (messages.StyleUse(masked=True),)},
        errors.BadImage,
    ),
    "mask that no style asks for": (
        {"content": (8, 8), "style": (8, 8), "mask": (8, 8, 1)},
        {},
        errors.BadField,
    ),
    "mask that is not there": (
        {"content": (8, 8), "style": (8, 8)},
        {"styles": (messages.StyleUse(masked=True),)},
        errors.BadField,
    ),
    "map without the style's": (
        {"content": (8, 8), "style": (8, 8), "map": (8, 8)},
        {},
        errors.BadField,
    ),
    "map for two styles": (
        {"content": (8, 8), "style": (8, 8), "map": (8, 8), "style_map": (8, 8)},
        {"styles": (messages.StyleUse(), messages.StyleUse("x"))},
        errors.BadField,
    ),
    "map whose colours the style's lacks": (
        {"content": (8, 8), "style": (8, 8), "map": (8, 8), "style_map": (9, 9)},
        {},
        errors.BadImage,
    ),
    "layers that are not matched": (
        {"content": (8, 8), "style": (8, 8)},
        {"styles": (messages.StyleUse(layers=("relu1_2",)),)},
        errors.BadField,
    ),
    "style and preset": ({"content": (8, 8), "style": (8, 8)}, {"preset": "x"}, errors.BadField),
    "unknown preset": ({"content": (8, 8)}, {"preset": "nobody"}, errors.UnknownPreset),
    "preset outside its folder": ({"content": (8, 8)}, {"preset": "../x"}, errors.PresetInvalid),
}


@pytest.mark.parametrize("what", BAD_JOBS)
def test_job_that_cannot_be_done_is_refused_at_once(client, picture, what):
    roles, fields, error = BAD_JOBS[what]
    message = messages.Stylise(job=new_job_id(), settings=QUICK, **fields)
    with pytest.raises(error) as caught:
        client.submit(message, {r: picture(*size) for r, size in roles.items()}).result()
    assert caught.value.next_step


def test_each_style_goes_where_its_mask_is(client, picture):
    content, masks = picture(32, 48), []
    for left in (True, False):
        mask = np.zeros((32, 48, 1), np.uint8)
        mask[:, slice(0, 16) if left else slice(32, 48)] = 255
        masks.append(Picture(32, 48, 1, "uint8", mask.tobytes()))
    settings = Settings(iterations=3, uncovered="photograph", tolerance=0)
    chosen = [ChosenStyle(picture(24, 24, seed=1), masks[0]),
              ChosenStyle(picture(40, 24, seed=2), masks[1], weight=2, scale=0.5)]  # fmt: skip
    result, (painted,) = client.stylise(content, chosen, settings).result()
    changed = (pixels(painted) != pixels(content)).any(axis=2)
    assert changed[:, :15].mean() > 0.5 and changed[:, 33:].mean() > 0.5
    assert not changed[:, 16:32].any()
    assert len({result.style, *result.styles}) == 2


def test_map_of_strength_and_maps_of_colours_are_heeded(client, picture):
    content, style = picture(32, 48), picture(24, 24, seed=1)
    strength = np.zeros((32, 48, 1), np.uint8)
    strength[:, 24:] = 255
    flat = {}
    for role, like in (("map", content), ("style_map", style)):
        colours = np.full((like.height, like.width, 3), (200, 30, 30), np.uint8)
        colours[:, like.width // 2 :] = 30, 30, 200
        flat[role] = Picture(like.height, like.width, 3, "uint8", colours.tobytes())
    others = flat | {"strength": Picture(32, 48, 1, "uint8", strength.tobytes())}
    settings = Settings(iterations=3, tolerance=0, **GRAM)
    _, (painted,) = client.stylise(content, style, settings, others=others).result()
    _, (plain,) = client.stylise(content, style, settings).result()
    assert (pixels(painted) == pixels(content))[:, :24].all()
    assert (pixels(painted) != pixels(plain))[:, 24:].mean() > 0.3


def test_too_big_a_picture_is_refused_with_the_largest_that_fits(own_daemon, picture):
    with own_daemon("--memory-mib", "500").connect() as client:
        with pytest.raises(errors.TooBig, match=r"such as \d+ x \d+ pixels"):
            client.stylise(picture(1500, 1500), picture(), QUICK).result()
        client.stylise(picture(), picture(seed=1), QUICK).result()


def test_client_refuses_a_frame_over_the_daemons_limit(own_daemon, picture):
    with (
        own_daemon("--frame-mib", "1").connect() as client,
        pytest.raises(errors.TooLarge, match="at most 1 are accepted"),
    ):
        client.stylise(picture(800, 800), picture(), QUICK)


def test_full_queue_says_so(own_daemon, picture):
    with own_daemon("--queue", "1").connect() as client:
        first = client.stylise(picture(), picture(), LONG)
        for message, _ in first.events():
            if isinstance(message, messages.Progress):
                break
        client.stylise(picture(), picture(), LONG)
        with pytest.raises(errors.Busy):
            client.stylise(picture(), picture(), LONG).result()


def test_idle_worker_ends_and_comes_back(own_daemon, picture, gone):
    daemon = own_daemon("--idle-unload-s", "1")

    def worker():
        with daemon.connect() as client:
            return client.ask(messages.Status())[0].worker

    with daemon.connect() as client:
        client.stylise(picture(), picture(seed=1), QUICK).result()
        gone(lambda: worker() != "absent")
        client.stylise(picture(), picture(seed=1), QUICK).result()


def test_drafts_are_known_and_make_way_for_paintings_alone(client, daemon, picture):
    def before_drafts():
        return client.ask(messages.Status())[0].before_drafts

    pictures = {"content": picture(64, 64), "style": picture(seed=1)}
    draft = messages.Stylise(job=new_job_id(), settings=LONG, draft=True)
    with daemon.connect("GIMP preview") as gimp, daemon.connect("Krita") as krita:
        drafts = [gimp.submit(draft, pictures),
                  krita.submit(dataclasses.replace(draft, job=new_job_id()), pictures)]  # fmt: skip
        next(drafts[0].events())
        assert before_drafts() == 0
        painting = krita.stylise(*pictures.values(), QUICK)
        next(painting.events())
        assert before_drafts() == 1
        for job in drafts:
            job.cancel()
        painting.result()
        assert before_drafts() == 0


def test_status_knows_process_device_and_jobs(client, daemon, picture):
    job = client.stylise(picture(), picture(seed=1), QUICK)
    job.result()
    report, _ = client.ask(messages.Status())
    assert report.pid == daemon.process.pid != os.getpid()
    assert report.worker in ("idle", "busy") and report.device.startswith("cpu")
    assert [info.state for info in report.jobs if info.job == job.id] == ["done"]
