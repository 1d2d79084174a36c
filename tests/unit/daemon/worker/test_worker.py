"""The worker on its pipe, with the faults that a healthy machine cannot be made to have."""

import dataclasses
import errno
import hashlib
import itertools
import math
import multiprocessing
import re
import threading
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from tests.conftest import GRAM

from impasto_daemon.config import Config
from impasto_daemon.engine import baking
from impasto_daemon.engine.convolutions import CONVOLUTIONS
from impasto_daemon.engine.events import Finished
from impasto_daemon.engine.resizing import resize
from impasto_daemon.engine.style import Style
from impasto_daemon.presets.starter_presets import baking_photographs
from impasto_daemon.presets.statistics import packed_bytes
from impasto_daemon.presets.store import PresetStore
from impasto_daemon.worker import baking_job
from impasto_daemon.worker import models as models
from impasto_daemon.worker import worker as module
from impasto_daemon.worker.colours import convert
from impasto_daemon.worker.orders import Alive, Idle, JobUpdate, Quit, Ready, Run, WeightsLoaded
from impasto_daemon.worker.pipe import receive, send
from impasto_daemon.worker.tensors import to_tensor
from impasto_protocol import messages
from impasto_protocol.client import new_job_id
from impasto_protocol.codec import Picture
from impasto_protocol.colour_space import LINEAR, SRGB, ColourSpace
from impasto_protocol.settings import STYLE_LAYERS, Settings

REAL = module.stylise
SHALLOW = {"style_layers": STYLE_LAYERS[:3], "content_layers": ("relu3_2",)}


def run(message, *pictures):
    return Run(message, tuple(memoryview(p.data) for p in pictures))


@pytest.fixture
def order(picture):
    def make(**settings):
        pictures = {"content": picture(), "style": picture(seed=1)}
        message = messages.Stylise(
            job=new_job_id(), settings=Settings(**{"iterations": 2, **SHALLOW, **settings}),
            frames=tuple(p.info(role, digest=True) for role, p in pictures.items()),
        )  # fmt: skip
        return run(message, *pictures.values())

    return make


@pytest.fixture
def work(monkeypatch, tmp_path):
    """work(*orders, stylise=…): what a worker says to these orders."""
    monkeypatch.setattr("os.nice", lambda by: 0)
    monkeypatch.setattr("torch.set_num_threads", lambda count: None)

    def run(*orders, stylise=REAL, config=Config()):  # noqa: B008
        monkeypatch.setattr(module, "stylise", stylise)
        ours, theirs = multiprocessing.Pipe()
        thread = threading.Thread(target=module.serve, args=(theirs, config, tmp_path))
        thread.start()
        said = []
        for each in orders:
            send(ours, each)
            while isinstance(each, Run) and not (said and isinstance(said[-1], Idle)):
                said.append(receive(ours))
            if isinstance(each, Run):
                said.append(None)
        send(ours, Quit())
        thread.join()
        said = [each for each in said if each]
        ours.close()
        theirs.close()
        return said

    return run


def endings(said):
    return [e.message for e in said if isinstance(e, JobUpdate)
            and isinstance(e.message, messages.ENDINGS)]  # fmt: skip


def fails(times, error, then=REAL):
    """Raises `error` so many times, then paints."""
    calls = []

    def stylise(content, style, settings, network, **rest):
        calls.append(rest["memory_mib"])
        if len(calls) <= times:
            raise error
        return then(content, style, settings, network, **rest)

    stylise.calls = calls
    return stylise


def test_job_is_done_and_the_worker_idle_again(work, order):
    said = work(order())
    assert isinstance(said[0], Ready) and said[0].memory_mib > 0
    assert [type(m) for m in endings(said)] == [messages.Result]
    assert isinstance(said[-1], Idle)
    assert any(isinstance(each, Alive) for each in said) and WeightsLoaded("oxford") in said


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        MemoryError(),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
        RuntimeError("MPS backend out of memory (MPS allocated: 5.1 GB). Tried to allocate 9 MB."),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED"),
    ],
)
def test_out_of_memory_is_tried_again_with_less_and_less(work, order, error):
    stylise = fails(3, error)
    said = work(order(), stylise=stylise)
    (result,) = endings(said)
    assert isinstance(result, messages.Result) and result.memory_mib == stylise.calls[3]
    assert all(less < more for more, less in itertools.pairwise(stylise.calls))


def test_out_of_memory_every_time_ends_the_job_and_not_the_worker(work, order):
    said = work(order(), order(), stylise=fails(4, torch.OutOfMemoryError()))
    failed, done = endings(said)
    assert failed.code == "OUT_OF_MEMORY" and failed.next_step
    assert isinstance(done, messages.Result)


def test_out_of_memory_tells_what_there_is_and_what_it_takes(work, order):
    failing = fails(4, torch.OutOfMemoryError())
    said = work(order(), stylise=failing, config=Config(memory_mib=777))
    (failed,) = endings(said)
    assert "777 MiB are free" in failed.message
    (needed,) = map(int, re.findall(r"takes (\d+)", failed.message))
    assert 0 < needed <= 777


def test_out_of_memory_while_a_style_is_kept_tells_what_there_is(work, picture, monkeypatch):
    message = messages.PresetSave(job=new_job_id(), name="x", settings=Settings(**SHALLOW))
    sent = picture(seed=1)
    message = dataclasses.replace(message, frames=(sent.info("style", digest=True),))

    def fail(*_):
        raise torch.OutOfMemoryError

    monkeypatch.setattr(Style, "statistics", fail)
    (failed,) = endings(work(run(message, sent), config=Config(memory_mib=777)))
    assert failed.code == "OUT_OF_MEMORY" and "777 MiB are free." in failed.message


def test_style_that_is_very_large_is_not_kept_warm(work, order, picture, monkeypatch):
    moments = 4 * (65**2 + 129**2 + 257**2)
    monkeypatch.setattr(models, "_STYLES_KEPT_BYTES", 24 * 32 * 12 + moments)
    seen, forget = [], models.ModelCache.forget_large_styles

    def forget_and_look(self):
        forget(self)
        seen.append([style.size_bytes for style in self._styles.values()])

    monkeypatch.setattr(models.ModelCache, "forget_large_styles", forget_and_look)
    small, pictures = order(), {"content": picture(), "style": picture(48, 64)}
    large = dataclasses.replace(
        small.message, job=new_job_id(),
        frames=tuple(p.info(role, digest=True) for role, p in pictures.items()),
    )  # fmt: skip
    assert len(endings(work(small, run(large, *pictures.values())))) == 2
    assert seen == [[24 * 32 * 12 + moments], []]


@pytest.mark.parametrize(
    "words",
    [
        "CUDA error: device-side assert", "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED",
        "HIP error: the operation cannot be performed", "MPS: command buffer exited with error",
    ],
)  # fmt: skip
def test_failed_gpu_asks_for_another_worker(work, order, words):
    said = work(order(), stylise=fails(1, RuntimeError(words)))
    (news,) = [each for each in said if isinstance(each, JobUpdate)
               and isinstance(each.message, messages.Failed)]  # fmt: skip
    assert news.lost and news.message.code == "GPU_FAILED"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ENFILE])
def test_painting_comes_back_where_nothing_can_be_written(work, order, monkeypatch, number):
    def fail(*arguments, **rest):
        raise OSError(number, "no")

    monkeypatch.setattr("impasto_protocol.connection.tempfile.mkstemp", fail)
    (result,) = endings(work(order()))
    assert isinstance(result, messages.Result)


def test_unexpected_error_fails_the_job_and_not_the_worker(work, order):
    said = work(order(), order(), stylise=fails(1, ZeroDivisionError()))
    failed, done = endings(said)
    assert failed.code == "WORKER_FAILED" and isinstance(done, messages.Result)


def test_divergence_is_told_with_the_last_good_picture(work, order):
    def diverges(*arguments, **rest):
        yield Finished(torch.full((3, 24, 32), 0.5), 3, False, {"total": math.nan}, diverged=True)

    (result,) = endings(work(order(), stylise=diverges))
    assert result.diverged and result.frames[0].role == "picture"
    assert any("last good picture" in note for note in result.notes)


def test_warm_job_spares_network_and_style_pass(work, order, monkeypatch):
    made, measured = [], []
    make, measure = models.FeatureNetwork, Style._measure
    monkeypatch.setattr(models, "FeatureNetwork", lambda *a, **o: made.append(1) or make(*a, **o))
    monkeypatch.setattr(Style, "_measure", lambda *args: measured.append(1) or measure(*args))
    said = work(order(), order(), order(seed=4))
    assert [type(m) for m in endings(said)] == [messages.Result] * 3
    assert (len(made), len(measured)) == (1, 1)


def test_style_used_before_spares_the_style_pass_in_a_new_worker(work, order, monkeypatch):
    measured, measure = [], Style._measure
    monkeypatch.setattr(Style, "_measure", lambda *args: measured.append(1) or measure(*args))

    def passes(made, **config):
        measured.clear()
        work(made, config=Config(**config))
        return len(measured)

    assert passes(order()) == 1 and passes(order()) == 0
    assert passes(order(style_layers=("relu1_1", "relu2_2"))) == 1, "a layer not seen before"
    assert [passes(order(), style_cache_mib=0) for _ in range(2)] == [1, 1]


def test_pictures_of_the_same_bytes_but_not_the_same_shape_are_two_styles(work, picture):
    content, bytes_ = picture(), picture(16, 64).data
    orders = [
        run(messages.Stylise(
            job=new_job_id(), settings=Settings(iterations=1, **SHALLOW),
            frames=(content.info("content"), style.info("style")),
        ), content, style)
        for style in (Picture(16, 64, 3, "uint8", bytes_), Picture(64, 16, 3, "uint8", bytes_))
    ]  # fmt: skip
    one, other = endings(work(*orders))
    assert one.losses != other.losses


def test_style_that_is_saved_again_keeps_its_thumbnail(work, picture, tmp_path):
    """A starter style's is a painting in it."""
    store, style, other = PresetStore(tmp_path / "presets"), picture(seed=1), picture(seed=2)

    def save(sent):
        message = messages.PresetSave(
            job=new_job_id(), name="kept", settings=Settings(**SHALLOW), replace=True,
            frames=(sent.info("style"),),
        )  # fmt: skip
        (result,) = endings(work(run(message, sent)))
        assert isinstance(result, messages.Result)
        return store.get("kept").thumbnail

    usual = save(style)
    sample = picture(8, 8, seed=3)
    store.save(dataclasses.replace(store.get("kept"), thumbnail=sample), replace=True)
    assert save(style) == sample != usual
    assert save(other) not in (sample, usual)


def test_sizes_that_a_styles_file_has_no_room_for_are_not_measured(
    work, picture, monkeypatch, tmp_path
):
    style = picture(80, 300)
    message = messages.PresetSave(
        job=new_job_id(), name="wide", settings=Settings(**SHALLOW), frames=(style.info("style"),)
    )
    monkeypatch.setattr(module, "STATISTICS_BYTES", 3 * packed_bytes(SHALLOW["style_layers"]) - 1)
    (saved,) = endings(work(run(message, style)))
    assert PresetStore(tmp_path / "presets").info("wide").sizes == (64, 91)
    assert saved.steps == 2


def test_painting_is_not_painted_again_where_its_style_cannot_be_kept(work, order, monkeypatch):
    def fail(*_):
        raise MemoryError

    monkeypatch.setattr(models.ModelCache, "keep", fail)
    (result,) = endings(work(order()))
    assert isinstance(result, messages.Result)


def test_preset_spares_the_style_pass_in_a_new_worker(work, order, monkeypatch, picture):
    style = picture(80, 100, seed=1)
    save = messages.PresetSave(
        job=new_job_id(), name="kept", settings=Settings(), frames=(style.info("style"),)
    )
    (saved,) = endings(work(run(save, style)))
    measured, measure = [], Style._measure
    monkeypatch.setattr(Style, "_measure", lambda *args: measured.append(1) or measure(*args))
    content = picture(60, 90)
    apply = messages.Stylise(
        job=new_job_id(), settings=Settings(iterations=2), preset="kept",
        frames=(content.info("content"),),
    )  # fmt: skip
    (painted,) = endings(work(run(apply, content)))
    assert painted.style == saved.style and not measured


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    """Two files of weights that belong to nobody."""
    folder = tmp_path_factory.mktemp("weights")
    for seed in (1, 2):
        chance = torch.Generator().manual_seed(seed)
        tensors = {
            name: (torch.randn(shape, generator=chance) / math.prod(shape[1:]) ** 0.5).half()
            for name, shape in CONVOLUTIONS.items()
        }
        safetensors.torch.save_file(tensors, folder / f"{seed}")
    return [Config(weights=str(folder / f"{seed}")) for seed in (1, 2)]


@pytest.fixture
def kept(work, networks, monkeypatch, picture, tmp_path):
    """A preset made with the first network, and what comes of applying it with a config."""
    store, style, content = PresetStore(tmp_path / "presets"), picture(80, 100), picture(60, 90)
    save = messages.PresetSave(
        job=new_job_id(), name="kept", settings=Settings(**SHALLOW), frames=(style.info("style"),)
    )
    endings(work(run(save, style), config=networks[0]))
    measured, measure = [], Style._measure
    monkeypatch.setattr(Style, "_measure", lambda *args: measured.append(1) or measure(*args))

    class Kept:
        def __init__(self):
            self.store = store

        def apply(self, config, **settings):
            """The result, and how often the style was looked at."""
            message = messages.Stylise(
                job=new_job_id(), preset="kept", frames=(content.info("content"),),
                settings=Settings(iterations=1, **SHALLOW, **settings),
            )  # fmt: skip
            measured.clear()
            (result,) = endings(work(run(message, content), config=config))
            return result, len(measured)

        def change(self, **fields):
            store.save(dataclasses.replace(store.get("kept"), **fields), replace=True)

    return Kept()


def test_preset_made_with_other_weights_is_taken_anew_once_and_stored(kept, networks):
    kept.store.sort("kept", "Oil", ("x",))
    result, passes = kept.apply(networks[1])
    assert passes and any("taken anew" in note for note in result.notes)
    assert kept.store.get("kept").network == result.weights
    assert kept.store.folder_and_tags("kept") == ("Oil", ("x",))
    result, passes = kept.apply(networks[1])
    assert not passes and not result.notes


def test_preset_whose_file_cannot_be_written_is_still_applied(kept, networks, monkeypatch):
    before = kept.store.existing("kept").read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", lambda fd: (_ for _ in ()).throw(OSError(28, "No space left")))
        result, _ = kept.apply(networks[1])
    assert isinstance(result, messages.Result) and any("No space" in note for note in result.notes)
    assert not any(str(kept.store.existing("kept").parent) in note for note in result.notes)
    assert kept.store.existing("kept").read_bytes() == before


def test_notes_that_are_long_or_many_cost_no_painting(kept, networks, monkeypatch):
    told = ["x" * 300, "x" * 300, *map(str, range(20))]
    monkeypatch.setattr(module.Worker, "_renew", lambda *_: told)
    result, _ = kept.apply(networks[1])
    assert isinstance(result, messages.Result)
    assert result.notes == ("x" * 256, *map(str, range(15)))


def test_preset_of_the_same_network_by_its_old_name_is_used_as_it_is(kept, networks):
    """Older versions named a network by its file."""
    digest = hashlib.sha256(Path(networks[0].weights).read_bytes()).hexdigest()
    kept.change(network=f"vgg19-max-{digest}")
    result, passes = kept.apply(networks[0])
    assert not passes and not result.notes


def test_other_pooling_leaves_the_preset_as_it_is(kept, networks):
    before = kept.store.existing("kept").read_bytes()
    result, passes = kept.apply(networks[0], pooling="average")
    assert passes and not result.notes and kept.store.existing("kept").read_bytes() == before


def test_preset_that_was_never_measured_is_so_when_it_is_used(kept, networks):
    kept.change(statistics={}, network="")
    assert kept.store.info("kept").state == "unmeasured"
    result, passes = kept.apply(networks[0])
    assert passes and not result.notes and kept.store.info("kept").state == "good"
    assert not kept.apply(networks[0])[1]


def test_preset_of_an_older_version_is_stored_as_one_of_today(kept, networks, monkeypatch):
    monkeypatch.setattr("impasto_daemon.presets.preset_file._VERSION", 5)
    monkeypatch.setattr("impasto_daemon.presets.preset_file._MEASURED_VERSION", 5)
    assert kept.store.info("kept").state == "older_version"
    _, passes = kept.apply(networks[0])
    assert not passes and kept.store.info("kept").state == "good"


def test_preset_is_measured_again_for_another_precision_and_stays_as_it_is(kept, networks):
    before = kept.store.existing("kept").read_bytes()
    passes = []
    for precision in ("float32", "bfloat16") * 2:
        config = dataclasses.replace(networks[0], precision=precision)
        passes.append(kept.apply(config)[1])
    assert sorted(map(bool, passes[:2])) == [False, True], "one of them it was made with"
    assert passes[2:] == [0, 0] and kept.store.existing("kept").read_bytes() == before


@pytest.mark.parametrize("lie", ["hash", "statistics"])
def test_preset_that_tells_lies_of_a_picture_changes_nothing_of_it(
    work, kept, networks, picture, lie
):
    style, content = picture(80, 100), picture(60, 90)

    def paint(frames, **preset):
        message = messages.Stylise(
            job=new_job_id(), settings=Settings(iterations=4, **SHALLOW), **preset,
            frames=tuple(p.info(role) for role, p in frames.items()),
        )  # fmt: skip
        return run(message, *frames.values())

    def painted():
        lied = paint({"content": content}, preset="kept")
        honest = paint({"content": content, "style": style})
        said = work(lied, honest, config=networks[0])
        return [bytes(e.frames[0]) for e in said
                if isinstance(e, JobUpdate) and isinstance(e.message, messages.Result)]  # fmt: skip

    painted()  # what is kept of the picture is there from now on
    before = painted()
    if lie == "hash":
        kept.change(picture=picture(80, 100, seed=7), statistics={}, network="")
    else:
        statistics = kept.store.get("kept").statistics
        kept.change(statistics={key: 9 * gram for key, gram in statistics.items()})
    after = painted()
    assert after[0] != before[0] and after[1] == before[1]


def test_preset_deleted_meanwhile_stays_deleted(kept, networks):
    info = kept.store.info("kept")
    kept.change(style="another")
    kept.store.renew(info, "other", {})
    assert kept.store.get("kept").statistics
    kept.store.delete("kept")
    kept.store.renew(info, "other", {})
    assert not list(kept.store.list_all())


def test_damaged_pixels_fail_the_job(work, order):
    whole = order()
    said = work(Run(whole.message, tuple(memoryview(bytes(len(frame))) for frame in whole.frames)))
    assert [m.code for m in endings(said)] == ["BAD_IMAGE"]


def test_device_that_is_not_there_is_said_to_every_job(work, order):
    said = work(order(), order(), config=Config(device="cuda:31"))
    assert [m.code for m in endings(said)] == ["NO_DEVICE", "NO_DEVICE"]
    assert all("cuda:31" in m.message for m in endings(said))


def test_named_weights_that_are_missing_are_said(work, order):
    said = work(order(), config=Config(weights="/none/w.safetensors"))
    assert [m.code for m in endings(said)] == ["WEIGHTS_BAD"]


def test_order_of_the_colours_is_the_same_painting(work, picture):
    content, style = picture(20, 30, 4), picture(seed=1)
    swapped = dataclasses.replace(content, data=swap(content.data), order="bgr")
    painted = {}
    for sent in (content, swapped):
        message = messages.Stylise(
            job=new_job_id(), settings=Settings(iterations=2, **SHALLOW),
            frames=(sent.info("content"), style.info("style")),
        )  # fmt: skip
        painted[sent.order] = painting(work(run(message, sent, style)))
    assert painted["bgr"].order == "bgr"
    assert bytes(painted["bgr"].data) == swap(painted["rgb"].data) != content.data


def test_strength_0_is_the_photograph(work, picture):
    content, style = picture(40, 300), picture(seed=1)
    message = messages.Stylise(
        job=new_job_id(), settings=Settings(strength=0.0),
        frames=(content.info("content"), style.info("style")),
    )  # fmt: skip
    assert painting(work(run(message, content, style))) == content


REC_2020 = ColourSpace((0.708, 0.292, 0.170, 0.797, 0.131, 0.046))
LINEAR_REC_2020 = dataclasses.replace(REC_2020, transfer=LINEAR)


def deep(planes, space):
    """A 16-bit picture of a tensor (3, H, W)."""
    pixels = (planes.permute(1, 2, 0) * 65535).round().numpy().astype(np.uint16)
    return Picture(*pixels.shape, "uint16", pixels.tobytes(), space=space)


@pytest.mark.parametrize(
    ("space", "kept"), [(REC_2020, False), (LINEAR_REC_2020, True)], ids=["picture", "preset"]
)
def test_wide_picture_is_painted_in_the_colours_of_the_style(work, picture, space, kept):
    """The same scene in sRGB and in another space: the paintings look the same from afar."""
    scene, strokes = (
        resize(torch.rand(3, 6, 8, generator=torch.Generator().manual_seed(seed)), 48, 64)
        for seed in (3, 4)
    )
    pixels = (strokes.permute(1, 2, 0) * 255).round().numpy().astype(np.uint8)
    style = Picture(48, 64, 3, "uint8", pixels.tobytes())
    save = messages.PresetSave(
        job=new_job_id(), name="kept", settings=Settings(**SHALLOW), frames=(style.info("style"),)
    )
    orders, frames = [run(save, style)] if kept else [], () if kept else (style.info("style"),)
    in_space = convert(scene, SRGB, space)
    for content in (deep(scene, SRGB), deep(in_space, space), deep(in_space, SRGB)):
        message = messages.Stylise(
            job=new_job_id(),
            settings=Settings(iterations=20, strength=0.8, **GRAM, **SHALLOW),
            preset="kept" if kept else "", frames=(content.info("content"), *frames),
        )  # fmt: skip
        orders.append(run(message, content, *([] if kept else [style])))
    found = paintings(work(*orders))
    assert [painted.space for painted in found] == [SRGB, space, SRGB]
    unnamed = dataclasses.replace(found[2], space=space)  # as it is shown in the editor
    plain, named, unnamed = (
        resize(to_tensor(each, SRGB), 6, 8) for each in (found[0], found[1], unnamed)
    )
    apart, wrong = ((each - plain).abs().mean() for each in (named, unnamed))
    print(f"{apart:.4f} apart; {wrong:.4f} where the space is not named")
    assert apart < 0.07 and wrong > 1.5 * apart


def test_painting_of_a_wide_picture_leaves_the_preset_s_own_statistics(work, picture, tmp_path):
    style, content = picture(64, 64, seed=1), picture()
    save = messages.PresetSave(
        job=new_job_id(), name="kept", settings=Settings(**SHALLOW), frames=(style.info("style"),)
    )
    endings(work(run(save, style)))
    (file,) = (tmp_path / "presets").iterdir()
    before = file.read_bytes()
    wide = dataclasses.replace(content, space=REC_2020)
    losses = []
    for sent in (content, wide, content):
        message = messages.Stylise(
            job=new_job_id(), settings=Settings(iterations=1, **SHALLOW), preset="kept",
            frames=(sent.info("content"),),
        )  # fmt: skip
        (result,) = endings(work(run(message, sent)))
        losses.append(result.losses)
    assert losses[0] == losses[2] != losses[1]
    assert file.read_bytes() == before


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_painting_can_be_cut_by_the_selection(work, channels, dtype):
    numbers = np.random.default_rng(2)
    largest = {"uint8": 255, "uint16": 65535, "float32": 1}[dtype]
    pixels = (numbers.random((20, 30, channels)) * largest).astype(dtype)
    selected = np.zeros((20, 30), np.uint8)
    selected[5:15, 5:20] = numbers.integers(0, 256, (10, 15))
    content = Picture(20, 30, channels, dtype, pixels.tobytes())
    selection = Picture(20, 30, 1, "uint8", selected.tobytes())
    style = Picture(16, 16, 3, "uint8", bytes(16 * 16 * 3))
    message = messages.Stylise(
        job=new_job_id(), settings=Settings(iterations=2, **SHALLOW), cut=True,
        frames=(content.info("content"), selection.info("selection"), style.info("style")),
    )  # fmt: skip
    painted = painting(work(run(message, content, selection, style)))
    found = np.frombuffer(painted.data, dtype).reshape(20, 30, -1)
    assert painted.channels == {1: 2, 2: 2, 3: 4, 4: 4}[channels]
    alpha = pixels[..., -1] if channels in (2, 4) else np.full((20, 30), largest)
    difference = found[..., -1].astype(float) - alpha * (selected / 255.0)
    assert abs(difference).max() <= (1e-6 if dtype == "float32" else 0.501)


@pytest.mark.parametrize("by", ["map", "mask"])
def test_light_beyond_white_stays_where_nothing_is_painted(work, picture, by):
    pixels = np.full((20, 30, 3), 3, np.float32)
    left = np.zeros((20, 30), np.uint8)
    left[:, :15] = 255
    content = Picture(20, 30, 3, "float32", pixels.tobytes())
    plane, style = Picture(20, 30, 1, "uint8", left.tobytes()), picture(seed=1)
    role = "strength" if by == "map" else "mask"
    message = messages.Stylise(
        job=new_job_id(),
        settings=Settings(iterations=2, strength=0.5, uncovered="photograph", **SHALLOW),
        styles=() if by == "map" else (messages.StyleUse(masked=True),),
        frames=(content.info("content"), style.info("style"), plane.info(role)),
    )  # fmt: skip
    painted = painting(work(run(message, content, style, plane)))
    found = np.frombuffer(painted.data, np.float32).reshape(20, 30, 3)
    assert (found[:, 15:] == 3).all() and found[:, :15].max() < 2.1


def swap(data):
    pixels = bytearray(data)
    pixels[0::4], pixels[2::4] = pixels[2::4], pixels[0::4]
    return bytes(pixels)


def paintings(said):
    return [Picture.received(each.message.frames[0], each.frames[0])
            for each in said if isinstance(each, JobUpdate)
            and isinstance(each.message, messages.Result) and each.frames]  # fmt: skip


def painting(said):
    (found,) = paintings(said)
    return found


def test_hidden_pixels_and_alpha_come_back_bit_for_bit(work, picture):
    content, style = picture(channels=4), picture(seed=1)
    message = messages.Stylise(
        job=new_job_id(), settings=Settings(iterations=2, **SHALLOW),
        frames=(content.info("content"), style.info("style")),
    )  # fmt: skip
    said = work(run(message, content, style))
    painted = painting(said)
    assert bytes(painted.data)[3::4] == bytes(content.data)[3::4]


def test_style_is_baked_from_what_was_painted_last_too(work, picture, tmp_path, monkeypatch):
    seen = []

    def bake(style, photographs, *arguments, **options):
        seen.append(len(photographs))
        return baking.bake(style, photographs, *arguments, **options)

    def stylise(content, *arguments, **options):
        yield Finished(content[:3], 0, False, {})

    def paint(seed, height=256, channels=3):
        content = picture(height, 300, channels, seed)
        style = picture()
        message = messages.Stylise(
            job=new_job_id(), settings=Settings(iterations=2, **SHALLOW),
            frames=(content.info("content"), style.info("style")),
        )  # fmt: skip
        return run(message, content, style)

    monkeypatch.setattr(baking_job, "bake", bake)
    style = picture(30, 40)
    save = messages.PresetSave(
        job=new_job_id(), name="Dusk", settings=Settings(**SHALLOW), frames=(style.info("style"),)
    )
    begun = messages.PresetBake(job=new_job_id(), name="Dusk", minutes=0.01)
    work(
        run(save, style), run(begun),
        paint(1), paint(2), paint(2), paint(3, height=100), paint(4, channels=4),
        run(dataclasses.replace(begun, job=new_job_id())),
        *map(paint, range(5, 9)),
        run(dataclasses.replace(begun, job=new_job_id())),
        stylise=stylise,
    )  # fmt: skip
    own = len(baking_photographs())
    assert seen == [own, own + 2, own + 3], "neither twice, nor small, transparent or many"
