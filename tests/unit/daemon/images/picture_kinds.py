"""A file of every kind of picture there is, all of the same four colours."""

import io
import struct
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import OpenEXR
from PIL import Image, ImageCms
from PIL.TiffImagePlugin import ImageFileDirectory_v2

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
HEIC = Path(__file__).with_name("heic")
EDGE_PX = 64
COLOURS = np.array([[[255, 255, 255], [0, 0, 0]], [[200, 100, 50], [60, 120, 180]]], np.uint8)
"""Of the quarters."""
RGB = COLOURS.repeat(EDGE_PX // 2, 0).repeat(EDGE_PX // 2, 1)
GREY = RGB[..., 0]
GREYS = COLOURS[..., :1].repeat(3, 2)
RGBA = np.concatenate([RGB, np.full_like(RGB[..., :1], 255)], 2)


def deep(pixels):
    return pixels.astype(np.uint16) * 257


def floats(pixels, kind="f4"):
    return (pixels / 255).astype(kind)


def saved(pixels, kind, **options):
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def tiff(pixels, photometric, **tags):
    """A TIFF of numbers as they are; tags by number, as t258=…"""
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    made = ImageFileDirectory_v2()
    made[256], made[257] = pixels.shape[1], pixels.shape[0]
    made[258] = (pixels.dtype.itemsize * 8,) * channels
    made[262], made[277], made[278], made[259] = photometric, channels, pixels.shape[0], 1
    made[339] = ({"u": 1, "i": 2, "f": 3}[pixels.dtype.kind],) * channels
    made[273], made[279] = (0,), (pixels.nbytes,)
    for name, value in tags.items():
        made[int(name[1:])] = value
    file = io.BytesIO()
    made.save(file)
    return file.getvalue() + pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()


def chunked(png, *chunks):
    """A PNG with chunks of (kind, content) before its pixels."""
    made = [
        len(content).to_bytes(4) + kind + content + zlib.crc32(kind + content).to_bytes(4)
        for kind, content in chunks
    ]
    return png[:33] + b"".join(made) + png[33:]


def light(pixels):
    """Floats of linear light that show the same."""
    return (curved(pixels) / 65535).astype("f4")


def exr(channels, **header):
    """An OpenEXR of channels by their names."""
    file = io.BytesIO()
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage, **header}
    OpenEXR.File(header, channels).write(file)
    return file.getvalue()


def planes(layer, pixels):
    """The channels of a layer of an OpenEXR."""
    return {layer + name: pixels[..., at].copy() for at, name in enumerate("RGB")}


def deep_exr():
    samples = np.empty((2, 2), object)
    for place in np.ndindex(2, 2):
        samples[place] = np.array([0.5, 0.25], "f4")
    header = {"compression": OpenEXR.ZIPS_COMPRESSION, "type": OpenEXR.deepscanline}
    return exr(dict.fromkeys(("R", "G", "B", "A", "Z"), samples), **header)


def radiance(pixels):
    return bytes(imagecodecs.rgbe_encode(light(pixels)))


def curved(pixels):
    """Numbers of linear light, 16 bits, that show the same."""
    signal = pixels / 255
    light = np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)
    return np.rint(light * 65535).astype(np.uint16)


def lab(pixels, bits):
    image = ImageCms.applyTransform(
        Image.fromarray(pixels),
        ImageCms.buildTransform(
            ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
        ),
    )
    numbers = np.asarray(image)
    if bits == 8:
        return numbers
    signed = numbers.astype(np.int8).astype(np.int16).astype(np.int32) * 256
    signed[..., 0] = numbers[..., 0].astype(np.int32) * 257
    return signed.astype(np.uint16)


def inks(pixels):
    return 255 - np.concatenate([pixels, np.full_like(pixels[..., :1], 255)], 2)


def psd(pixels, mode=3, *, layers=0, packed="raw", resources=(), large=False, block=b""):
    """A PSD, or a large one (PSB), of a merged picture alone.

    layers: the number that stands where layers would; block: the kind of the block that has it.
    """
    planes = pixels[..., None] if pixels.ndim == 2 else pixels
    bits, length = planes.dtype.itemsize * 8, 8 if large else 4
    head = b"8BPS" + struct.pack(
        ">H6xHIIHH", 1 + large, planes.shape[2], planes.shape[0], planes.shape[1], bits, mode
    )
    blocks = b"".join(
        b"8BIM" + number.to_bytes(2) + bytes(2) + len(content).to_bytes(4) + content
        + bytes(len(content) % 2)
        for number, content in resources
    )  # fmt: skip
    head += bytes(4) + len(blocks).to_bytes(4) + blocks
    number = layers.to_bytes(2, signed=True)
    told = (2).to_bytes(length) + number
    if block:
        told = bytes(length + 4) + b"8BIM" + block + told
    head += len(told).to_bytes(length) + told
    rows = np.moveaxis(planes.astype(planes.dtype.newbyteorder(">")), -1, 0)
    if packed == "raw":
        return head + bytes(2) + rows.tobytes()
    if packed == "zip":
        return head + b"\0\2" + zlib.compress(rows.tobytes())
    made = [imagecodecs.packbits_encode(row.tobytes()) for plane in rows for row in plane]
    lengths = b"".join(len(row).to_bytes(length // 2) for row in made)
    return head + b"\0\1" + lengths + b"".join(made)


def psd_with_palette():
    places = np.arange(4, dtype=np.uint8).reshape(2, 2)
    data = psd(places.repeat(EDGE_PX // 2, 0).repeat(EDGE_PX // 2, 1), 2)
    palette = np.zeros((256, 3), np.uint8)
    palette[:4] = COLOURS.reshape(4, 3)
    return data[:26] + (768).to_bytes(4) + palette.T.tobytes() + data[30:]


def thumbnail_first(pixels):
    small = imagecodecs.tiff_encode(np.zeros((16, 24, 3), np.uint8), subfiletype=1)
    return imagecodecs.tiff_encode(pixels, photometric="rgb", subfiletype=0, appendto=small)


def two_pages(pixels):
    first = imagecodecs.tiff_encode(pixels, photometric="rgb")
    return imagecodecs.tiff_encode(255 - pixels, photometric="rgb", appendto=first)


def frames(kind, **options):
    other = Image.fromarray(255 - RGB)
    return saved(RGB, kind, save_all=True, append_images=[other], **options)


def avif(pixels, bits):
    deep = np.rint(pixels * ((2**bits - 1) / 255)).astype(np.uint16)
    return imagecodecs.avif_encode(deep, level=98, bitspersample=bits)


def jxl(pixels, bits=None):
    return imagecodecs.jpegxl_encode(pixels, lossless=True, bitspersample=bits)


def jp2(pixels, bits=None):
    return imagecodecs.jpeg2k_encode(pixels, codecformat="jp2", bitspersample=bits)


def jp2_of_inks(pixels):
    was, now = (b"colr\1\0\0" + space.to_bytes(4) for space in (16, 12))
    assert jp2(pixels).count(was) == 1
    return jp2(pixels).replace(was, now)


def ultra_hdr():
    xmp = b'<x:xmpmeta xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"/>'
    return saved(
        RGB, "MPO", save_all=True, append_images=[Image.fromarray(GREY)], xmp=xmp, quality=95
    )


def palette(pixels, **options):
    return saved(Image.fromarray(pixels).quantize(8), "PNG", **options)


BY_COLOUR = {
    "PNG": lambda: saved(RGB, "PNG"),
    "PNG of 16 bits": lambda: imagecodecs.png_encode(deep(RGB)),
    "PNG with a palette": lambda: palette(RGB),
    "PNG with alpha": lambda: saved(RGBA, "PNG"),
    "PNG of linear light, gAMA": lambda: chunked(
        imagecodecs.png_encode(curved(RGB)), (b"gAMA", struct.pack(">I", 100_000))
    ),
    "PNG of linear light, cICP": lambda: chunked(
        imagecodecs.png_encode(curved(RGB)), (b"cICP", b"\1\10\0\1")
    ),
    "PNG with several frames": lambda: frames("PNG"),
    "JPEG": lambda: saved(RGB, "JPEG", quality=95),
    "JPEG of inks (CMYK)": lambda: imagecodecs.jpeg8_encode(
        255 - inks(RGB), 95, colorspace="cmyk", outcolorspace="cmyk"
    ),
    "JPEG of inks (YCCK)": lambda: imagecodecs.jpeg8_encode(
        255 - inks(RGB), 95, colorspace="cmyk", outcolorspace="ycck"
    ),
    "JPEG of several pictures (MPO)": lambda: frames("MPO", quality=95),
    "JPEG with a gain map (Ultra HDR)": ultra_hdr,
    "WebP": lambda: saved(RGB, "WEBP", quality=95),
    "WebP with several frames": lambda: frames("WEBP", lossless=True),
    "GIF": lambda: saved(RGB, "GIF"),
    "GIF with several frames": lambda: frames("GIF"),
    "BMP": lambda: saved(RGB, "BMP"),
    "TGA": lambda: saved(RGB, "TGA"),
    "TIFF": lambda: tiff(RGB, 2),
    "TIFF of 16 bits": lambda: tiff(deep(RGB), 2),
    "TIFF of 32-bit integers": lambda: tiff(RGB.astype(np.uint32) * 0x01010101, 2),
    "TIFF of half floats": lambda: tiff(floats(RGB, "f2"), 2),
    "TIFF of floats": lambda: tiff(floats(RGB), 2),
    "TIFF of doubles": lambda: tiff(floats(RGB, "f8"), 2),
    "TIFF of floats outside of 0 to 1": lambda: tiff(
        np.where(RGB == 255, 2, floats(RGB)).astype("f4"), 2
    ),
    "TIFF of inks (CMYK)": lambda: tiff(inks(RGB), 5),
    "TIFF of inks (CMYK), 16 bits": lambda: tiff(deep(inks(RGB)), 5),
    "TIFF of Lab": lambda: tiff(lab(RGB, 8), 8),
    "TIFF of Lab, 16 bits": lambda: tiff(lab(RGB, 16), 8),
    "TIFF with a thumbnail first": lambda: thumbnail_first(RGB),
    "TIFF with several pages": lambda: two_pages(RGB),
    "BigTIFF with high bytes first": lambda: imagecodecs.tiff_encode(
        RGB.copy(), photometric="rgb", bigtiff=True, byteorder=">"
    ),
    "AVIF": lambda: saved(RGB, "AVIF", quality=98, subsampling="4:4:4"),
    "AVIF of 10 bits": lambda: avif(RGB, 10),
    "AVIF of 12 bits": lambda: avif(RGB, 12),
    "AVIF of 10 bits with alpha": lambda: avif(np.dstack([RGB, GREY // 2 + 99]), 10),
    "AVIF with several frames": lambda: frames("AVIF", quality=98, subsampling="4:4:4"),
    "HEIC": lambda: (HEIC / "colours.heic").read_bytes(),
    "HEIC of 10 bits": lambda: (HEIC / "colours-10-bit.heic").read_bytes(),
    "HEIC of several pictures": lambda: (HEIC / "colours-two.heic").read_bytes(),
    "JPEG XL": lambda: jxl(RGB),
    # imagecodecs says of all but 8 bits that they are of linear light.
    "JPEG XL of 10 bits": lambda: jxl(np.rint(curved(RGB) / 64.06).astype(np.uint16), 10),
    "JPEG XL of 16 bits": lambda: jxl(curved(RGB)),
    "JPEG XL of floats": lambda: jxl((curved(RGB) / 65535).astype("f4")),
    "JPEG XL made of a JPEG": lambda: imagecodecs.jpegxl_encode_jpeg(
        saved(RGB, "JPEG", quality=95), usecontainer=True
    ),
    "JPEG 2000": lambda: jp2(RGB),
    "JPEG 2000 of 12 bits": lambda: jp2(np.rint(RGB * (4095 / 255)).astype(np.uint16), 12),
    "JPEG 2000 of 16 bits": lambda: jp2(deep(RGB)),
    "JPEG 2000 of inks (CMYK)": lambda: jp2_of_inks(inks(RGB)),
    "JPEG 2000 of inks (CMYK), 16 bits": lambda: jp2_of_inks(deep(inks(RGB))),
    "OpenEXR": lambda: exr({"RGB": light(RGB)}),
    "OpenEXR of half floats": lambda: exr({"RGB": light(RGB).astype("f2")}),
    "OpenEXR with alpha": lambda: exr({"RGBA": np.dstack([light(RGB), np.ones_like(GREY, "f4")])}),
    "OpenEXR of light above white": lambda: exr({"RGB": np.where(RGB == 255, 4, light(RGB))}),
    "OpenEXR with several layers": lambda: exr(
        planes("View.AO.", 1 - light(RGB)) | planes("View.Combined.", light(RGB))
    ),
    "Radiance HDR": lambda: radiance(RGB),
    "PSD": lambda: psd(RGB),
    "PSD with transparency": lambda: psd(RGBA, layers=-1),
    "PSD with a saved selection": lambda: psd(np.dstack([RGB, GREY]), layers=1),
    "PSD of 16 bits": lambda: psd(deep(RGB), packed="bits"),
    "PSD of 32 bits": lambda: psd(light(RGB)),
    "PSB": lambda: psd(RGB, large=True, packed="bits"),
    "PSD of inks (CMYK), 16 bits": lambda: psd(deep(255 - inks(RGB)), 4),
    "PSD of inks (CMYK)": lambda: psd(255 - inks(RGB), 4, packed="bits"),
    "PSD with a palette": psd_with_palette,
    "PSD of Lab": lambda: psd(lab(RGB, 8) ^ np.uint8([0, 128, 128]), 9),
    "PSD of Lab, 16 bits": lambda: psd(lab(RGB, 16) ^ np.uint16([0, 32768, 32768]), 9),
}
BY_GREY = {
    "PNG of grey": lambda: saved(GREY, "PNG"),
    "PNG of grey and alpha": lambda: saved(RGBA[..., ::3].copy(), "PNG"),
    "PNG of grey, 16 bits": lambda: saved(deep(GREY), "PNG"),
    "PNG of grey, 16 bits, with a grey profile": lambda: saved(
        curved(GREY), "PNG", icc_profile=imagecodecs.cms_profile("gray", gamma=1.0)
    ),
    "JPEG of grey": lambda: saved(GREY, "JPEG", quality=95),
    "TIFF of grey": lambda: tiff(GREY, 1),
    "TIFF of grey, white is zero": lambda: tiff(255 - GREY, 0),
    "TIFF of grey, 16 bits": lambda: tiff(deep(GREY), 1),
    "TIFF of grey, 16 bits, white is zero": lambda: tiff(65535 - deep(GREY), 0),
    "TIFF of grey and alpha, 16 bits": lambda: tiff(deep(RGBA[..., ::3]), 1, t338=(2,)),
    "TIFF of grey, floats": lambda: tiff(floats(GREY), 1),
    "TIFF of grey, 32-bit integers": lambda: tiff(GREY.astype(np.uint32) * 0x01010101, 1),
    "AVIF of grey, 10 bits": lambda: avif(GREY, 10),
    "HEIC of grey": lambda: (HEIC / "colours-grey.heic").read_bytes(),
    "JPEG XL of grey": lambda: jxl(GREY),
    "JPEG 2000 of grey, 16 bits": lambda: jp2(deep(GREY)),
    "OpenEXR of grey": lambda: exr({"Y": light(GREY)}),
    "PSD of grey": lambda: psd(GREY, 1),
}
REFUSED = {
    "TIFF of signed integers": lambda: tiff(GREY.astype(np.int32), 1),
    "TIFF with a thumbnail only": lambda: imagecodecs.tiff_encode(RGB, subfiletype=1),
    "TIFF with its picture in a sub-directory": lambda: tiff(GREY, 1, t254=1, t330=(8,)),
    "JPEG of 12 bits": lambda: imagecodecs.jpeg8_encode(
        GREY.astype(np.uint16) * 16, 95, bitspersample=12
    ),
    "JPEG-LS": lambda: imagecodecs.jpegls_encode(GREY),
    "PNG of Apple's (CgBI)": lambda: PNG_MAGIC + b"\0\0\0\4CgBI\x50\0\x20\2" + bytes(99),
    "TIFF of a camera's raw data": lambda: tiff(deep(GREY), 32803),
    "PSD of black or white": lambda: psd(GREY, 0),
    "OpenEXR of deep pixels": deep_exr,
    "OpenEXR without colours": lambda: exr({"Z": light(GREY)}),
    "Radiance HDR of XYZ colours": lambda: radiance(RGB).replace(b"_rgbe", b"_xyze"),
    "GIMP's XCF": lambda: b"gimp xcf v011" + bytes(99),
    "Krita": lambda: b"PK\3\4" + bytes(26) + b"mimetypeapplication/x-krita" + bytes(99),
    "SVG": lambda: b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    "PDF": lambda: b"%PDF-1.7\n",
    "web page under a picture's name": lambda: b"<!DOCTYPE html><html>",
}
