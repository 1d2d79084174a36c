"""Packs: the files of several presets in one zip. Here is all that a hostile zip may try."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from impasto_daemon.presets.preset_file import (
    LARGEST_BYTES,
    SUFFIX,
    Preset,
    check_name,
    pack,
    unpack,
)
from impasto_daemon.presets.store import same_name
from impasto_protocol.errors import PresetInvalid, TooLarge
from impasto_protocol.limits import PACK_PRESETS

_LARGEST_PACK_BYTES = 512 << 20
_MOST_SHRUNK = 100
_ENTRY = b"PK\x01\x02"
_ENCRYPTED = 0x2041
"""The bits of an entry that is encrypted in one of zip's three ways."""


def write_pack(presets: Iterable[Preset]) -> bytes:
    """A pack of presets. Same presets, same bytes. Raises TooLarge."""
    written = BytesIO()
    with ZipFile(written, "w", ZIP_STORED) as archive:
        for preset in presets:
            archive.writestr(ZipInfo(f"{preset.name}{SUFFIX}"), pack(preset))
            if written.tell() > _LARGEST_PACK_BYTES:
                raise TooLarge(
                    f"The pack would be larger than {_LARGEST_PACK_BYTES >> 20} MiB.",
                    next_step="Export fewer styles at a time.",
                )
    return written.getvalue()


def read_pack(data: bytes) -> Iterator[Preset]:
    """The presets of a pack, one after the other. Raises PresetInvalid.

    What its table of contents gives away is found before anything is unpacked.
    """
    # Counted before `zipfile` makes an object of each.
    if data.count(_ENTRY) > PACK_PRESETS:
        raise _refused(f"it holds more than {PACK_PRESETS} files")
    try:
        archive = ZipFile(BytesIO(data))
    except Exception as error:  # of many kinds, as are all ways to spoil a zip
        raise _refused("it is damaged, or ends too early") from error
    with archive:
        for name, entry in _check_contents(archive.infolist()).items():
            yield unpack(name, _extract(archive, entry))


def _check_contents(entries: list[ZipInfo]) -> dict[str, ZipInfo]:
    """The entries by the names of their presets."""
    named = {_check_entry(entry): entry for entry in entries}
    if len({same_name(name) for name in named}) < len(entries):
        raise _refused("two of its files have the same name")
    if sum(entry.file_size for entry in entries) > _LARGEST_PACK_BYTES:
        raise _refused(f"it would take more than {_LARGEST_PACK_BYTES >> 20} MiB")
    if not entries:
        raise _refused("it is empty")
    return named


def _check_entry(entry: ZipInfo) -> str:
    """The name of the preset in an entry."""
    # `filename` is what zipfile made of it.
    name, shown = entry.orig_filename, repr(entry.orig_filename[:80])
    if not name.endswith(SUFFIX):
        raise _refused(f"it holds {shown}, which is no style")
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
        raise _refused(f"{shown} is a link or a folder")
    if entry.flag_bits & _ENCRYPTED:
        raise _refused(f"{shown} is encrypted")
    if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise _refused(f"{shown} is compressed in an unusual way")
    if entry.file_size > min(LARGEST_BYTES, _MOST_SHRUNK * entry.compress_size):
        raise _refused(f"{shown} is too large")
    try:
        return check_name(name.removesuffix(SUFFIX))
    except PresetInvalid as error:
        raise _refused(f"{shown} is no name for a style. {error}".removesuffix(".")) from error


def _extract(archive: ZipFile, entry: ZipInfo) -> bytes:
    try:
        return archive.read(entry)
    except Exception as error:
        raise _refused(f"{entry.orig_filename[:80]!r} is damaged") from error


def _refused(complaint: str) -> PresetInvalid:
    return PresetInvalid(
        f"Nothing of the pack was taken: {complaint}.",
        next_step="Get it anew; `impasto style export` makes packs that can be used.",
    )
