"""What a worker keeps warm between jobs: its device, the network, and the styles used last."""

from __future__ import annotations

import ctypes
import dataclasses
import gc
import os
from collections import OrderedDict
from pathlib import Path

import psutil
import torch

from impasto_daemon.config import Config
from impasto_daemon.engine.network import FeatureNetwork
from impasto_daemon.engine.network_name import network_name
from impasto_daemon.engine.style import Moments, Style
from impasto_daemon.presets.statistics import Statistics
from impasto_daemon.presets.style_cache import StyleCache
from impasto_daemon.weights import sources
from impasto_daemon.worker.memory import free_mib, rounded_mib
from impasto_daemon.worker.rates import Rate
from impasto_daemon.worker.tensors import to_tensor
from impasto_daemon.worker.threads import ThreadLimit, usable_cores
from impasto_protocol.codec import Picture, digest_of
from impasto_protocol.colour_space import SRGB, ColourSpace
from impasto_protocol.errors import NoDevice
from impasto_protocol.settings import VGG19, Settings

_STYLES_KEPT = 16
_STYLES_KEPT_BYTES = 512 << 20
_GPU_SHARE = 0.85
_NICENESS = 10


def choose_device(name: str) -> torch.device:
    """The device of that name; "auto" takes the best there is. Raises NoDevice."""
    if name == "auto":
        cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
        name = "cuda" if cuda else "mps" if mps else "cpu"
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise NoDevice(f"There is no device {name!r} that PyTorch can use on this machine.")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise NoDevice("There is no Apple GPU that PyTorch can use on this machine.")
    return device


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """What the convolutions are computed in; "auto" is bfloat16 where it is the device's own.

    It paints as well, in about 0.6 of the time: the losses stay float32.
    """
    native = False
    if device.type == "cpu":
        native = bool(torch.cpu._is_avx512_bf16_supported())
    elif device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    wanted = name == "bfloat16" or (name == "auto" and native)
    return torch.bfloat16 if wanted else torch.float32


def describe(device: torch.device) -> str:
    """The device's name for people."""
    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)})"
    return f"{device} ({torch.get_num_threads()} threads)" if device.type == "cpu" else str(device)


class ModelCache:
    """Networks and styles on one device. Raises NoDevice."""

    def __init__(self, config: Config, data_dir: Path) -> None:
        self.device = choose_device(config.device)
        if self.device.type == "cuda":  # on which a graph is recorded
            torch.cuda.set_device(self.device.index or 0)
        self._precision = choose_precision(config.precision, self.device)
        self._config, self._data_dir = config, data_dir
        self._opened: dict[str, tuple[sources.Network, tuple[str, int]]] = {}
        self._networks: dict[tuple[str, str], FeatureNetwork] = {}
        self._styles: OrderedDict[str, Style] = OrderedDict()
        self._cache = StyleCache(data_dir / "styles", config.style_cache_mib)
        self._threads = None if config.threads else ThreadLimit(usable_cores())
        _limit_load(config.threads or usable_cores())

    def follow_load(self, *, begin: bool = False) -> None:
        """Compute with as many threads as there are free cores, unless told how many.

        begin: a job begins; the load is looked at for a tenth of a second meanwhile.
        """
        if self._threads and self.device.type == "cpu":
            threads = self._threads.begin() if begin else self._threads.follow()
            if threads != torch.get_num_threads():
                torch.set_num_threads(threads)

    @property
    def memory_mib(self) -> int:
        """What the device has, in MiB."""
        if self.device.type == "cuda":
            return int(torch.cuda.mem_get_info(self.device)[1]) >> 20
        return int(psutil.virtual_memory().total) >> 20

    @property
    def free_mib(self) -> int:
        """What a job may take now, in MiB."""
        if self._config.memory_mib:
            return self._config.memory_mib
        if self.device.type == "cuda":
            self.give_back()
            free = torch.cuda.mem_get_info(self.device)[0]
            return rounded_mib(int(free * _GPU_SHARE) >> 20)
        return free_mib()

    def bound(self, memory_mib: int) -> None:
        """Keep what a job takes of a GPU to so many MiB, what torch holds in reserve included."""
        if self.device.type == "cuda":
            self.give_back()
            most = torch.cuda.memory_reserved(self.device) + (memory_mib << 20)
            total = torch.cuda.mem_get_info(self.device)[1]
            share, index = min(1.0, most / total), self.device.index or 0
            torch.cuda.set_per_process_memory_fraction(share, index)
        elif self.device.type == "mps":
            self.give_back()
            most = torch.mps.driver_allocated_memory() + (memory_mib << 20)
            share = min(1.0, most / torch.mps.recommended_max_memory())
            torch.mps.set_per_process_memory_fraction(share)

    @property
    def rate(self) -> Rate:
        """What is to be known of the device before it has painted."""
        rate = Rate(number_bytes=self._precision.itemsize, apple=self.device.type == "mps")
        if self.device.type != "cuda":
            return rate
        return dataclasses.replace(
            rate,
            memory_mib=int(self.memory_mib * _GPU_SHARE),
            gpu=torch.cuda.get_device_name(self.device),
        )

    def give_back(self) -> None:
        """Return to the system what is not used any more."""
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        elif self.device.type == "mps":
            torch.mps.empty_cache()
        trim_heap()

    def open_weights(self, network: str = VGG19) -> None:
        """Have the weights that are to be used now of one of `NETWORKS`. Raises WeightsBad."""
        named, data_dir = self._config.weights, self._data_dir
        path = sources.find(named, data_dir, network)
        if network in self._opened:
            if self._opened[network][1] == _version(path):
                return
            self.clear()
        opened = sources.open_network(named, data_dir, network)
        self._opened[network] = opened, _version(path)  # which may have been unpacked just now

    def weights_label(self, network: str = VGG19) -> str:
        """What weights are called for people; empty before there are any."""
        return self._opened[network][0].label if network in self._opened else ""

    def names(self, settings: Settings) -> frozenset[str]:
        """What the network of those settings is or was called."""
        opened, _ = self._opened[settings.network]
        return frozenset(network_name(settings, name) for name in opened.identity.names)

    def network(self, settings: Settings) -> FeatureNetwork:
        """The network of those settings, made at the first call."""
        key, (opened, _) = (settings.network, settings.pooling), self._opened[settings.network]
        if key not in self._networks:
            self._networks[key] = FeatureNetwork(
                opened.tensors,
                network=settings.network,
                weights_hash=opened.identity.hash,
                pooling=settings.pooling,
                device=self.device,
                precision=self._precision,
            )
        return self._networks[key]

    def style(
        self, key: str, picture: Picture, network: FeatureNetwork, known: Statistics,
        space: ColourSpace = SRGB,
    ) -> Style:  # fmt: skip
        """The style of a picture whose hash is `key`, as it is painted in a space.

        known: the statistics it has already, there; with those it is a style of its own, as a
        stranger's file may tell anything of a picture.
        """
        shape = picture.height, picture.width, picture.channels, picture.dtype
        about = f"{key} {shape} {network.name} {network.arithmetic}"
        if known:
            about += f" {_digest(known)}"
        if (picture.space, space) != (SRGB, SRGB):
            about += f" {picture.space} {space}"
        name = digest_of(about.encode()).hex()
        if name not in self._styles:
            pixels, moments = to_tensor(picture, space), {**self._cache.get(name), **known}
            self._styles[name] = Style(pixels, network, _tensors(moments))
        self._styles.move_to_end(name)
        while len(self._styles) > _STYLES_KEPT:
            self._styles.popitem(last=False)
        return self._styles[name]

    def keep(self, style: Style) -> None:
        """Have the statistics of a style on disk as well, for the next worker."""
        for name, found in self._styles.items():
            if found is style:
                moments = style.moments.items()
                self._cache.put(name, {key: found.cpu().numpy() for key, found in moments})

    def forget_large_styles(self) -> None:
        """Let go of the styles used longest ago that are more than is kept between two jobs."""
        while sum(style.size_bytes for style in self._styles.values()) > _STYLES_KEPT_BYTES:
            self._styles.popitem(last=False)

    def clear(self) -> None:
        """Let go of everything that can be made again."""
        self._networks.clear()
        self._styles.clear()
        self.give_back()


def trim_heap() -> None:
    """Have glibc return what was freed, of which it keeps hundreds of MiB until it is asked."""
    if os.name == "posix" and hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
        libc.malloc_trim(0)


def _version(file: Path) -> tuple[str, int]:
    """What changes when a file does."""
    return str(file), file.stat().st_mtime_ns if file.exists() else 0


def _digest(statistics: Statistics) -> str:
    told = [f"{size} {layer} {digest_of(statistics[size, layer].data).hex()}"
            for size, layer in sorted(statistics)]  # fmt: skip
    return digest_of(" ".join(told).encode()).hex()


def _tensors(statistics: Statistics) -> Moments:
    return {key: torch.from_numpy(found) for key, found in statistics.items()}


def _limit_load(threads: int) -> None:
    """Give way to the user's other programs, and give the same bytes for the same job."""
    if hasattr(os, "nice"):
        os.nice(max(0, _NICENESS - os.nice(0)))
    torch.set_num_threads(threads)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False  # float32 is chosen by who wants its digits
