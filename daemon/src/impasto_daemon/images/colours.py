"""ICC profiles: which can be used, and colours brought from one to another."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any, NamedTuple

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from impasto_daemon.images.source import Source, Space

_LARGEST_BYTES = 4 << 20
_CHANNELS: dict[Space, int] = {"GRAY": 1, "RGB": 3, "CMYK": 4}
_MODES: dict[Space, str] = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK"}


class Profile(NamedTuple):
    """An ICC profile; without data, colours are sRGB.

    note: why it was dropped. is_two_way: colours can be brought to it, too, and not only from it.
    """

    data: bytes = b""
    note: str = ""
    is_two_way: bool = True


def check_profile(data: bytes, space: Space) -> Profile:
    """The profile in a picture's file, if it can be used for colours of that space."""
    if not data:
        return Profile()
    if len(data) > _LARGEST_BYTES:
        return Profile(note="The colour profile is far too large and was dropped.")
    try:
        profile, mode = _opened(data), _MODES[space]
        found = profile.profile.xcolor_space.strip()
        if found != space:
            return Profile(note="The colour profile is not for colours like these and was dropped.")
        ImageCms.buildTransform(profile, _opened(b""), mode, "RGB")
    except Exception:
        return Profile(note="The colour profile is damaged and was dropped.")
    return Profile(data, is_two_way=_leads_to(profile, mode))


def with_rgb_of_grey(source: Source) -> Source:
    """Grey whose profile is one of RGB, as cameras and scanners write it, as RGB."""
    if source.space != "GRAY" or source.icc[16:20] != b"RGB ":
        return source
    grey, alpha = np.split(source.pixels, [1], axis=2)
    return replace(source, pixels=np.concatenate([grey.repeat(3, 2), alpha], 2), space="RGB")


def _leads_to(profile: ImageCms.ImageCmsProfile, mode: str) -> bool:
    """Colours can be brought to the profile, which a scanner's or a camera's may not allow."""
    try:
        ImageCms.buildTransform(_opened(b""), profile, "RGB", mode)
    except ImageCms.PyCMSError:
        return False
    return True


def to_rgb(pixels: NDArray[Any], space: Space, profile: bytes, target: bytes = b"") -> NDArray[Any]:
    """(H, W, 3 or 4) in the RGB profile `target` of pixels in `profile`; none is sRGB.

    pixels: uint8 or uint16, (H, W, channels of the space, and alpha where there is one more).
    """
    colours, alpha = np.split(pixels, [_CHANNELS[space]], axis=2)
    if profile and (profile != target or space != "RGB"):
        rgb = _converted(colours, space, profile, target)
    else:
        rgb = _plain_rgb(colours, space)
        if profile != target:
            rgb = _converted(rgb, "RGB", profile, target)
    return np.concatenate([rgb, alpha], axis=2)


def _plain_rgb(colours: NDArray[Any], space: Space) -> NDArray[Any]:
    if space == "GRAY":
        return colours.repeat(3, axis=2)
    if space == "CMYK" and colours.dtype == np.uint8:
        return np.asarray(Image.fromarray(colours, "CMYK").convert("RGB"))
    if space == "CMYK":
        paper = 65535 - colours.astype(np.float32)
        return np.rint(paper[..., :3] * paper[..., 3:] / 65535).astype(np.uint16)
    return colours


def _converted(colours: NDArray[Any], space: Space, profile: bytes, target: bytes) -> NDArray[Any]:
    try:
        if colours.dtype == np.uint16:
            return np.asarray(
                imagecodecs.cms_transform(
                    np.ascontiguousarray(colours if space != "GRAY" else colours[..., 0]),
                    _data(profile), _data(target), colorspace=space.lower(), outcolorspace="rgb",
                )
            )  # fmt: skip
        image = Image.frombytes(_MODES[space], colours.shape[1::-1], colours.tobytes())
        return np.asarray(
            ImageCms.profileToProfile(image, _opened(profile), _opened(target), outputMode="RGB")
        )
    # A profile that is for displaying only, or the like.
    except (ImageCms.PyCMSError, imagecodecs.CmsError):
        return _plain_rgb(colours, space)


def _data(profile: bytes) -> bytes:
    return profile or bytes(imagecodecs.cms_profile("srgb"))


def _opened(profile: bytes) -> ImageCms.ImageCmsProfile:
    if not profile:
        return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    return ImageCms.ImageCmsProfile(io.BytesIO(profile))
