"""What a preset saves against sending the style's picture, and the disk cache in a new worker.

    python tests/benchmarks/style_speed.py

Timed is what a job spends on its style: from a file or a picture to its statistics at every scale
of the painting, in a worker that has its network and knows no style. Takes three minutes.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from figures import Figure, in_turns, print_table, ratios
from inputs import painting, photograph, tensor_of
from torch import Tensor

from impasto_daemon.config import Config
from impasto_daemon.engine.network import FeatureNetwork
from impasto_daemon.engine.schedule import scale_sizes
from impasto_daemon.engine.style import Style, preset_sizes_px
from impasto_daemon.engine.stylise import stylise
from impasto_daemon.images.pictures import from_image
from impasto_daemon.presets.preset_file import Preset
from impasto_daemon.presets.store import PresetStore
from impasto_daemon.worker.models import ModelCache
from impasto_protocol.codec import digest_of
from impasto_protocol.settings import STYLE_LAYERS, Settings

ROUNDS = 5
SIZES_PX = (256, 512, 1024)
PICTURE = from_image(painting(1024))
HASH = digest_of(PICTURE.data).hex()


def main() -> None:
    """Print a table for each size."""
    with tempfile.TemporaryDirectory(prefix="impasto-") as folder:
        config = Config(weights=os.environ.get("IMPASTO_WEIGHTS", ""))
        models = ModelCache(config, Path(folder))
        models.open_weights()
        network = models.network("max")
        store = PresetStore(Path(folder, "presets"))
        save_preset(store, network)
        for size_px in SIZES_PX:
            figures = savings(size_px, config, Path(folder), store, network)
            print_table(f"the style's part of a painting of {size_px} px", figures)


def savings(
    size_px: int, config: Config, folder: Path, store: PresetStore, network: FeatureNetwork
) -> Iterator[Figure]:
    """Seconds of each way, their ratios, and what is saved in evaluations of that size."""
    content = photograph(size_px)
    sizes_px = [max(size) for size in scale_sizes(content.height, content.width, 0)]

    def measured(style: Style) -> Style:
        for size in sizes_px:
            style.statistics(size, STYLE_LAYERS)
        return style

    def sent() -> None:
        off = ModelCache(Config(style_cache_mib=0), folder / "off")
        measured(off.style(HASH, PICTURE, network, {}))

    def cached() -> Style:
        return measured(ModelCache(config, folder).style(HASH, PICTURE, network, {}))

    def preset() -> None:
        found = store.get("kept")
        off = ModelCache(Config(style_cache_mib=0), folder / "off")
        measured(off.style(found.style, found.picture, network, found.statistics))

    filling = ModelCache(config, folder)
    filling.keep(measured(filling.style(HASH, PICTURE, network, {})))
    evaluate = one_evaluation(tensor_of(content), cached(), network)
    pictures, presets, caches, evaluations = in_turns(ROUNDS, sent, preset, cached, evaluate)
    for name, times in (
        ("picture", pictures),
        ("preset", presets),
        ("picture in the cache", caches),
    ):
        yield Figure(name, [time * 1e3 for time in times], "ms")
    yield Figure("picture : preset", ratios(pictures, presets), at_least=1)
    yield Figure("picture : picture in the cache", ratios(pictures, caches), at_least=1)
    saved = [one - other for one, other in zip(pictures, presets, strict=True)]
    yield Figure("saved by a preset, in evaluations", ratios(saved, evaluations))


def one_evaluation(content: Tensor, style: Style, network: FeatureNetwork) -> Callable[[], object]:
    """Paints for one evaluation at the content's own size."""
    settings = Settings(iterations=1, scales=1)
    return lambda: list(stylise(content, style, settings, network))


def save_preset(store: PresetStore, network: FeatureNetwork) -> None:
    """Keep the picture as `kept`, with the statistics that a worker would take."""
    style = Style(tensor_of(painting(1024)), network)
    for size in preset_sizes_px(max(PICTURE.width, PICTURE.height)):
        style.statistics(size, STYLE_LAYERS)
    statistics = {key: moments.numpy() for key, moments in style.moments.items()}
    thumbnail = from_image(painting(128))
    store.save(Preset("kept", Settings(), PICTURE, thumbnail, network.name, HASH, statistics))


if __name__ == "__main__":
    main()
