"""Colours named by the code points of ITU-T H.273, as in PNG's cICP, AVIF and HEIC."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from impasto_daemon.images.colours import to_rgb
from impasto_daemon.images.source import Source, Space
from impasto_daemon.images.tones import largest_number, to_16_bit

D65 = (0.3127, 0.3290)
SRGB_PRIMARIES = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
_PRIMARIES = {
    1: SRGB_PRIMARIES,
    5: ((0.64, 0.33), (0.29, 0.60), (0.15, 0.06)),
    6: ((0.63, 0.34), (0.31, 0.595), (0.155, 0.07)),
    7: ((0.63, 0.34), (0.31, 0.595), (0.155, 0.07)),
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
"""Of red, green and blue, all with the white of D65."""
_UNTOLD = 2
_BT_709, _GAMMA_22, _GAMMA_28, _LINEAR, _SRGB, _PQ, _HLG = 1, 4, 5, 8, 13, 16, 18
_EXPONENTS = {_GAMMA_22: 2.2, _GAMMA_28: 2.8, _LINEAR: 1.0}
_SAME_AS_709 = (6, 14, 15)
_WHITE_NITS = 203
"""Of paper in an HDR picture; ITU-R BT.2408."""
_HLG_NITS = 1000
_CURVE_POINTS = 4096


class CodePoints(NamedTuple):
    """Which primaries and which transfer function, by their numbers in H.273."""

    primaries: int
    transfer: int

    @property
    def is_known(self) -> bool:
        """These colours can be brought to others."""
        known = (_BT_709, _GAMMA_22, _GAMMA_28, _LINEAR, _SRGB, _PQ, _HLG, *_SAME_AS_709)
        return self.primaries in _PRIMARIES and self.transfer in known

    @property
    def is_hdr(self) -> bool:
        """Tones above the white of paper have numbers, too."""
        return self.transfer in (_PQ, _HLG)

    @property
    def is_srgb(self) -> bool:
        """These are the colours that no profile stands for."""
        return self == (1, _SRGB)


def with_code_points(
    source: Source, primaries: int, transfer: int, matrix: int = 0, full_range: int = 1
) -> Source:
    """The source with the profile its code points stand for; HDR becomes sRGB, which is said."""
    points = CodePoints(primaries, transfer)
    if matrix or not full_range or not points.is_known:
        return source.noting(
            f"The colours are told in a way that is not read (H.273: {primaries}, {transfer})."
        )
    if points.is_hdr and source.space == "GRAY":
        grey = source.pixels
        colours = np.concatenate([grey[..., :1].repeat(3, 2), grey[..., 1:]], axis=2)
        source = replace(source, pixels=colours, space="RGB")
    if points.is_hdr:
        colours, alpha = source.pixels[..., :3], to_16_bit(source.pixels[..., 3:])
        pixels = np.concatenate([hdr_to_srgb(colours, points), alpha], axis=2)
        name = {_PQ: "PQ", _HLG: "HLG"}[transfer]
        note = f"The picture is HDR ({name}): what is brighter than white paper was cut off."
        return replace(source, pixels=pixels, icc=b"").noting(note)
    if points.is_srgb:
        return replace(source, icc=b"")
    profile = make_profile(points, source.space)
    return with_profile(source, profile, is_srgb_gamut=points.primaries == 1)


def with_told_code_points(source: Source, primaries: int, transfer: int) -> Source:
    """The same for pixels that are RGB of the full range by now, as of AVIF and HEIC."""
    if primaries == _UNTOLD:
        primaries = 1
    if transfer == _UNTOLD:
        transfer = _SRGB
    return with_code_points(source, primaries, transfer)


def with_profile(source: Source, profile: bytes, *, is_srgb_gamut: bool) -> Source:
    """The source in a profile of ours: brought to sRGB where that loses no colour."""
    if is_srgb_gamut and source.space == "RGB":
        return replace(source, pixels=to_rgb(source.pixels, "RGB", profile), icc=b"")
    return replace(source, icc=profile)


def make_profile(points: CodePoints, space: Space = "RGB") -> bytes:
    """The ICC profile of code points that are known and no HDR."""
    signal = np.linspace(0, 1, _CURVE_POINTS)
    light: NDArray[Any] = _bt_709_to_linear(signal)
    if points.transfer in _EXPONENTS:
        light = signal ** _EXPONENTS[points.transfer]
    elif points.transfer == _SRGB:
        light = srgb_curve()
    if space == "GRAY":
        return grey_profile(curve=light)
    return rgb_profile(_PRIMARIES[points.primaries], D65, curve=light)


def with_chromaticities(
    source: Source,
    primaries: tuple[tuple[float, float], ...],
    white: tuple[float, float],
    *,
    is_srgb_gamut: bool,
    gamma: float | None = None,
    curve: NDArray[np.float64] | None = None,
) -> Source:
    """The source in the colours that these stand for, as of `rgb_profile` and `grey_profile`."""
    try:
        if source.space == "GRAY":
            profile = grey_profile(gamma=gamma, curve=curve)
        else:
            profile = rgb_profile(primaries, white, gamma=gamma, curve=curve)
    except (ValueError, imagecodecs.CmsError):
        return source.noting("What the file says of its colours makes no sense; they are sRGB.")
    return with_profile(source, profile, is_srgb_gamut=is_srgb_gamut)


def rgb_profile(
    primaries: tuple[tuple[float, float], ...],
    white: tuple[float, float],
    *,
    gamma: float | None = None,
    curve: NDArray[np.float64] | None = None,
) -> bytes:
    """An ICC profile of chromaticities; curve: light at points evenly apart, 0 to 1."""
    flat = [number for x, y in primaries for number in (x, y, 1.0)]
    return bytes(
        imagecodecs.cms_profile(
            "rgb", whitepoint=[*white, 1.0], primaries=flat,
            gamma=gamma, transferfunction=_table(curve),
        )
    )  # fmt: skip


def grey_profile(*, gamma: float | None = None, curve: NDArray[np.float64] | None = None) -> bytes:
    """An ICC profile of grey, as `rgb_profile`."""
    return bytes(imagecodecs.cms_profile("gray", gamma=gamma, transferfunction=_table(curve)))


def _table(curve: NDArray[np.float64] | None) -> NDArray[np.uint16] | None:
    return None if curve is None else np.rint(curve * 65535).astype(np.uint16)


def hdr_to_srgb(pixels: NDArray[Any], points: CodePoints) -> NDArray[np.uint16]:
    """(H, W, 3) of PQ or HLG → sRGB; what is brighter than paper's white is cut off."""
    signal = np.arange(largest_number(pixels) + 1) / largest_number(pixels)
    if points.transfer == _PQ:
        nits = (_pq_to_nits(signal).astype(np.float32))[pixels]
    else:
        scene = _hlg_to_scene(signal).astype(np.float32)[pixels]
        luminance = scene @ _to_xyz(points.primaries)[1].astype(np.float32)
        nits = _HLG_NITS * scene * np.maximum(luminance, 1e-6)[..., None] ** np.float32(0.2)
    matrix = np.linalg.inv(_to_xyz(1)) @ _to_xyz(points.primaries)
    linear = (nits / np.float32(_WHITE_NITS)) @ matrix.T.astype(np.float32)
    whole: NDArray[np.uint16] = np.rint(linear_to_srgb(linear.clip(0, 1)) * 65535).astype(np.uint16)
    return whole


def linear_to_srgb(linear: NDArray[Any]) -> NDArray[Any]:
    """IEC 61966-2-1, from light to signal, both 0 to 1."""
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def srgb_curve() -> NDArray[Any]:
    """The light of signals evenly apart, 0 to 1, as profiles take it."""
    return srgb_to_linear(np.linspace(0, 1, _CURVE_POINTS))


def srgb_to_linear(signal: NDArray[Any]) -> NDArray[Any]:
    """The way back."""
    return np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)


def _bt_709_to_linear(signal: NDArray[Any]) -> NDArray[Any]:
    return np.where(signal < 0.081, signal / 4.5, ((signal + 0.099) / 1.099) ** (1 / 0.45))


def _pq_to_nits(signal: NDArray[Any]) -> NDArray[Any]:
    """ITU-R BT.2100, table 4: from the signal to cd/m² of the display."""
    m1, m2 = 2610 / 16384, 2523 / 32
    c1, c2, c3 = 3424 / 4096, 2413 / 128, 2392 / 128
    raised = signal ** (1 / m2)
    light: NDArray[Any] = (np.maximum(raised - c1, 0) / (c2 - c3 * raised)) ** (1 / m1)
    return 10_000 * light


def _hlg_to_scene(signal: NDArray[Any]) -> NDArray[Any]:
    """ITU-R BT.2100, table 5: from the signal to light of the scene, 0 to 1."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)


def _to_xyz(primaries: int) -> NDArray[np.float64]:
    """(3, 3) from linear RGB to XYZ with white at Y = 1."""
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in _PRIMARIES[primaries]]).T
    x, y = D65
    scale = np.linalg.solve(columns, np.array([x / y, 1, (1 - x - y) / y]))
    scaled: NDArray[np.float64] = columns * scale
    return scaled
