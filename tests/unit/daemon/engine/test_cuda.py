"""What is another program on a GPU: its convolutions, its resizing, its allocator."""

import pytest
import torch

from impasto_daemon.engine.guidance import StyleTarget
from impasto_daemon.engine.masked_picture import MaskedPicture
from impasto_daemon.engine.network import FeatureNetwork
from impasto_daemon.engine.objective import Objective
from impasto_daemon.engine.resizing import resize
from impasto_daemon.engine.style import Style
from impasto_daemon.engine.stylise import stylise
from impasto_daemon.engine.tiles import WHOLE, Tiling
from impasto_daemon.weights import oxford
from impasto_protocol.settings import STYLE_LAYERS, Settings

pytestmark = pytest.mark.gpu


@pytest.fixture(scope="module")
def on_gpu():
    """Oxford's network in plain float32."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.backends.cudnn, "allow_tf32", False)
        patch.setattr(torch.backends.cudnn, "deterministic", True)
        yield FeatureNetwork(oxford.unpack(), weights_hash="oxford", device="cuda")


@pytest.mark.parametrize("tiling", [Tiling(2, 2), Tiling(3, 1, keep_targets=False)])
def test_tiles_have_the_loss_and_the_gradient_of_the_whole(on_gpu, noise, tiling):
    masked = MaskedPicture.of(noise(4, 500, 620).cuda())
    target = Style(noise(3, 300, 300, seed=1), on_gpu).targets(620, STYLE_LAYERS)
    picture = noise(1, 3, 500, 620, seed=2).cuda()
    whole, tiled = (
        Objective(masked, [StyleTarget(target)], Settings(), on_gpu, cut).evaluate(picture)
        for cut in (WHOLE, tiling)
    )
    total, of_tiles = (float(sum(terms.values())) for terms, _ in (whole, tiled))
    assert of_tiles == pytest.approx(total, rel=1e-5)
    assert float((tiled[1] - whole[1]).norm()) < 1e-5 * float(whole[1].norm())


def test_loss_and_gradient_are_those_of_the_processor(on_gpu, network, noise):
    found = []
    for one in (network, on_gpu):
        masked = MaskedPicture.of(noise(4, 120, 150).to(one.device))
        target = Style(noise(3, 100, 100, seed=1), one).targets(150, STYLE_LAYERS)
        objective = Objective(masked, [StyleTarget(target)], Settings(), one)
        terms, gradient = objective.evaluate(noise(1, 3, 120, 150, seed=2).to(one.device))
        found.append((float(sum(terms.values())), gradient.cpu()))
    (total, gradient), (there, of_gpu) = found
    assert there == pytest.approx(total, rel=1e-5)
    assert float((of_gpu - gradient).norm()) < 1e-4 * float(gradient.norm())


def test_same_bytes_twice(on_gpu, noise):
    style = Style(noise(3, 300, 300, seed=1), on_gpu)
    first, second = (
        list(stylise(noise(3, 700, 900), style, Settings(iterations=6), on_gpu, memory_mib=700))[-1]
        for _ in range(2)
    )
    assert torch.equal(first.picture, second.picture)


def test_picture_is_shrunk_to_any_size(noise):
    picture = noise(1, 300, 6000)
    for width in (3000, 180, 20):
        shrunk = resize(picture.cuda(), 60, width).cpu()
        torch.testing.assert_close(shrunk, resize(picture, 60, width), rtol=0, atol=1e-5)


def test_budget_covers_what_is_allocated(on_gpu, noise):
    style = Style(noise(3, 300, 300, seed=1), on_gpu)
    settings = Settings(iterations=4, scales=1)
    list(stylise(noise(3, 64, 64), style, settings, on_gpu))
    torch.cuda.reset_peak_memory_stats()
    idle = torch.cuda.memory_allocated()
    list(stylise(noise(3, 1500, 2000), style, settings, on_gpu, memory_mib=1536))
    assert torch.cuda.max_memory_allocated() - idle < 1536 << 20
