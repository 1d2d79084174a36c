"""Pictures and saved styles on disk. As they may be large, all this is done beside Krita's window.

Imports nothing of what is seen.
"""

from __future__ import annotations

from pathlib import Path

from impasto_protocol.codec import Buffer, Picture, check_size, digest_of, verify
from impasto_protocol.connection import write_file
from impasto_protocol.errors import NotWritten, StyleUnreadable
from impasto_protocol.limits import FRAME_BYTES, PICTURE_PX
from impasto_protocol.messages import FileInfo
from impasto_protocol.translations import _

from .layers import to_picture
from .qt import QtCore, QtGui

_LONGEST_STYLE_PX = 3000


def read_style(path: str) -> Picture:
    """A picture file's pixels, upright, no larger than any painting needs."""
    name = _name_of_file(path)
    reader = QtGui.QImageReader(path)
    reader.setAutoTransform(True)
    size = reader.size()
    if size.width() * size.height() > PICTURE_PX:
        raise StyleUnreadable(
            _("{name} is too large for a style: {width} x {height} px.").format(
                name=name, width=size.width(), height=size.height()
            ),
            next_step=_("Make it smaller in Krita, export it as PNG, and add that."),
        )
    if max(size.width(), size.height()) > _LONGEST_STYLE_PX:
        # While it is read: some formats are much faster then.
        longest = QtCore.QSize(_LONGEST_STYLE_PX, _LONGEST_STYLE_PX)
        reader.setScaledSize(size.scaled(longest, QtCore.Qt.AspectRatioMode.KeepAspectRatio))
    image = reader.read()
    if image.isNull():
        raise StyleUnreadable(
            _("{name} cannot be read: {reason}.").format(name=name, reason=reader.errorString()),
            next_step=_("Open it in Krita, export it as PNG, and add that."),
        )
    if image.colorSpace().isValid():
        image.convertToColorSpace(QtGui.QColorSpace(QtGui.QColorSpace.NamedColorSpace.SRgb))
    return to_picture(image)


def read_saved(path: str) -> tuple[FileInfo, bytes]:
    """A saved style or a pack. Raises StyleUnreadable or TooLarge."""
    name = _name_of_file(path)
    try:
        check_size(FileInfo(Path(path).stat().st_size, b""), FRAME_BYTES)
        data = Path(path).read_bytes()
    except OSError as error:
        raise StyleUnreadable(
            _("{name} cannot be read: {reason}.").format(name=name, reason=error.strerror or error),
            next_step=_("Copy it to a folder of your own, and import that."),
        ) from error
    return FileInfo(len(data), digest_of(data)), data


def write_saved(path: str, file: FileInfo, data: Buffer) -> None:
    """Write what the daemon exported, whole or not at all. Raises BadImage or NotWritten."""
    verify(file, data)
    try:
        write_file(Path(path), bytes(data), mode=None)
    except OSError as error:
        raise NotWritten(
            _("{path} could not be written: {reason}.").format(
                path=path, reason=error.strerror or error
            )
        ) from error


def _name_of_file(path: str) -> str:
    name = Path(path).name
    if not Path(path).is_file():
        raise StyleUnreadable(
            _("{name} is not a file that can be read.").format(name=name or _("What was dropped")),
            next_step=_("Save it as a file first, and add that."),
        )
    return name
