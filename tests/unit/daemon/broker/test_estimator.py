"""What is told of a painting before it begins."""

import dataclasses
import subprocess
import sys
from types import SimpleNamespace

import pytest

from impasto_daemon.broker.estimator import Estimator
from impasto_daemon.config import Config
from impasto_daemon.worker import control_groups, memory
from impasto_daemon.worker.rates import Rate, Rates
from impasto_protocol import messages
from impasto_protocol.errors import TooBig
from impasto_protocol.messages import FrameInfo
from impasto_protocol.settings import Settings

SHARP = Settings(working_px=768, refinement=12)


@pytest.fixture
def rates(tmp_path):
    return Rates(tmp_path / "rates.json")


def ask(estimator, height=3000, width=4000, settings=SHARP, **part):
    return estimator.estimate(
        messages.Estimate(height=height, width=width, settings=settings, **part)
    )


def request(height, width, settings=SHARP, *others):
    content = FrameInfo(role="content", height=height, width=width, channels=3, dtype="uint8")
    return messages.Stylise(
        job="0" * 32, settings=settings, preset="Swirls", frames=(content, *others)
    )


def such_as(refused):
    width, height = str(refused.value).rsplit("such as ", 1)[1].split(" pixels")[0].split(" x ")
    return int(height), int(width)


def test_time_is_unknown_until_the_device_has_painted(rates):
    estimator = Estimator(Config(), rates)
    assert ask(estimator).seconds is None
    rates.learn("auto", 2e13, 10.0)
    before = ask(estimator).seconds
    rates.learn("auto", 2e13, 20.0)
    assert ask(estimator).seconds == pytest.approx(1.5 * before)


def test_time_stays_known_while_the_device_is_the_same(rates):
    painted = Rate(number_bytes=2, memory_mib=120_000, gpu="H200")
    for rate, known in (
        (dataclasses.replace(painted, memory_mib=119_900), True),
        (dataclasses.replace(painted, memory_mib=60_000), False),
        (dataclasses.replace(painted, number_bytes=4), False),
        (dataclasses.replace(painted, gpu="A100"), False),
        (Rate(number_bytes=2), False),
        (Rate(number_bytes=2, apple=True), False),
    ):
        rates.begin("auto", painted)
        rates.learn("auto", 2e13, 10.0)
        rates.begin("auto", rate)
        assert rates.get("auto") == dataclasses.replace(rate, seconds=0.5 * known)
    rates.learn("auto", 2e13, 40.0)
    assert rates.get("auto").seconds == 2.0, "nothing of the former device's"


def test_small_painting_counts_only_while_nothing_is_known(rates):
    """A GPU is not busy with a preview."""
    rates.learn("auto", 1e12, 9.0)
    assert rates.get("auto").seconds == 9.0
    rates.learn("auto", 1e12, 5.0)
    assert rates.get("auto").seconds == 9.0


def test_painting_that_says_nothing_of_the_device_is_not_learned_from(rates):
    rates.learn("auto", 1e9, 10.0)
    assert rates.get("auto") == Rate()


@pytest.mark.parametrize("content", ["", "[]", '{"auto": 3}', '{"auto": {"seconds": "x"}}'])
def test_damaged_file_is_no_file(rates, tmp_path, content):
    (tmp_path / "rates.json").write_text(content)
    assert rates.get("auto") == Rate()
    rates.put("auto", Rate(2.0))
    assert rates.get("auto") == Rate(2.0)


def test_apples_gpu_is_known_as_one_before_it_has_painted(rates):
    rates.put("auto", Rate(apple=True))
    rates.learn("auto", 2e13, 10.0)
    assert rates.get("auto") == Rate(seconds=0.5, apple=True)


def test_estimate_follows_the_settings_and_what_is_selected(rates):
    rates.put("auto", Rate(seconds=1.0, number_bytes=2))
    estimator = Estimator(Config(memory_mib=4096), rates)
    whole = ask(estimator)
    assert whole.memory_mib <= whole.free_mib == 4096
    assert ask(estimator, settings=dataclasses.replace(SHARP, refinement=6)).seconds < whole.seconds
    part = ask(estimator, part_height=600, part_width=800)
    assert part.seconds < 0.25 * whole.seconds and part.memory_mib < whole.memory_mib
    little = dataclasses.replace(SHARP, memory_mib=2048)
    assert ask(estimator, settings=little).memory_mib <= 2048


def test_what_fits_in_no_way_is_refused_with_what_does(rates):
    estimator = Estimator(Config(memory_mib=1000), rates)
    with pytest.raises(TooBig, match="megapixels fit") as refused:
        estimator.check_size(request(20_000, 20_000))
    estimator.check_size(request(*such_as(refused)))
    estimator.check_size(request(1000, 1000))


def test_where_nothing_fits_no_size_is_named(rates):
    with pytest.raises(TooBig, match="not even the smallest picture fits"):
        Estimator(Config(memory_mib=1), rates).check_size(request(3000, 4000))


@pytest.mark.parametrize("role, channels, settings", [
    ("style", 3, {}), ("style", 4, {}), ("style", 3, {"colours": "luminance"}), ("start", 3, {}),
    ("style", 3, {"style_rotations": 4}),
])  # fmt: skip
def test_huge_picture_that_comes_with_a_content_is_refused_with_the_largest(
    rates, role, channels, settings
):
    estimator = Estimator(Config(memory_mib=3000), rates)
    settings = dataclasses.replace(SHARP, **settings)
    huge = FrameInfo(role, 20_000, 20_000, channels, "uint8")
    with pytest.raises(TooBig, match=f"The {role} picture takes .*megapixels fit") as refused:
        estimator.check_size(request(1000, 1000, settings, huge))
    assert "Make that picture smaller" in refused.value.next_step
    height, width = such_as(refused)
    assert 1000 < height < 20_000
    fits = dataclasses.replace(huge, height=height, width=width)
    estimator.check_size(request(1000, 1000, settings, fits))
    with pytest.raises(TooBig):
        estimator.check_size(request(1000, 1000, settings, fits, fits))


def test_style_that_is_turned_takes_what_the_size_of_the_strokes_needs(rates):
    estimator = Estimator(Config(memory_mib=3500), rates)
    style = FrameInfo("style", 4000, 6000, 3, "uint8")
    turned = dataclasses.replace(SHARP, style_rotation=45.0)
    estimator.check_size(request(1000, 1000, turned, style))
    estimator.check_size(request(4000, 6000, SHARP, style))
    with pytest.raises(TooBig, match="The style picture takes"):
        estimator.check_size(request(4000, 6000, turned, style))


def test_style_that_fits_leaves_less_for_the_content(rates):
    estimator = Estimator(Config(memory_mib=3000), rates)
    style = FrameInfo("style", 5000, 5000, 3, "uint8")
    with pytest.raises(TooBig, match="even in small tiles") as alone:
        estimator.check_size(request(20_000, 20_000))
    with pytest.raises(TooBig, match="even in small tiles"):
        estimator.check_size(request(*such_as(alone), SHARP, style))


@pytest.mark.parametrize("machine, container", [(1000, None), (4000, 1000)])
def test_painting_is_not_refused_for_what_another_takes_until_then(
    rates, monkeypatch, machine, container
):
    free = SimpleNamespace(available=machine << 20)
    monkeypatch.setattr(memory.psutil, "virtual_memory", lambda: free)
    left = container and container << 20
    monkeypatch.setattr(control_groups, "free_bytes", lambda: left)
    program = "held = b'x' * (600 << 20); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as worker:
        assert worker.stdout and worker.stdout.readline()
        alone = ask(Estimator(Config(), rates)).free_mib
        beside = ask(Estimator(Config(), rates, lambda: [worker.pid])).free_mib
        worker.communicate(b"\n")
    assert (alone, beside) == (512, 1024)
    assert ask(Estimator(Config(), rates, lambda: [worker.pid])).free_mib == 512
