"""Answers the requests about presets. It reads and writes files, so it has a thread of its own."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Collection, Sequence

from impasto_daemon.images.kinds import name_kind
from impasto_daemon.presets.packs import read_pack, write_pack
from impasto_daemon.presets.preset_file import Preset, check_name, pack, unpack
from impasto_daemon.presets.store import PresetStore
from impasto_protocol import messages
from impasto_protocol.codec import Buffer, digest_of, verify
from impasto_protocol.errors import BadField, NotWritten, PresetInvalid
from impasto_protocol.messages import PresetInfo
from impasto_protocol.settings import Settings
from impasto_protocol.style_names import is_pack

log = logging.getLogger(__name__)

Request = (
    messages.PresetList | messages.PresetGet | messages.PresetRename | messages.PresetDelete
    | messages.PresetSort | messages.PresetExport | messages.PresetImport
)  # fmt: skip

Answer = tuple[messages.Message, Sequence[Buffer]]

_A_PAGE = 12
_DAMAGED = 32


class PresetRequests:
    """network_names: what the network of such settings, as it is used now, is or was called."""

    def __init__(
        self, presets: PresetStore, network_names: Callable[[Settings], Collection[str]]
    ) -> None:
        self._presets, self._network_names = presets, network_names

    def open(self) -> None:
        """Clear the store up, and put the styles that come with Impasto into one that is new."""
        try:
            self._presets.clear()
            if self._presets.is_new:
                # Imported here, as it is needed but once.
                from impasto_daemon.presets.starter_presets import starter_presets

                self._presets.save_all(starter_presets())
        except NotWritten as error:
            log.warning("no starter styles: %s", error)
        except Exception:
            log.exception("no starter styles")

    def answer(self, request: Request, frames: Sequence[Buffer]) -> Answer:
        """The answer to a request and its frames. Raises the RequestError that it comes to."""
        match request:
            case messages.PresetList():
                return self._list(request.after), ()
            case messages.PresetGet():
                return self._get(request)
            case messages.PresetRename():
                return self._as_presets(self._presets.rename(request.name, request.new_name)), ()
            case messages.PresetSort():
                return self._as_presets(
                    self._presets.sort(request.name, request.folder, request.tags)
                ), ()
            case messages.PresetDelete():
                self._presets.delete(request.name)
                return messages.Done(), ()
            case messages.PresetExport():
                return self._export(request)
            case messages.PresetImport():
                verify(request.file, frames[-1])
                return self._import(request, bytes(frames[-1])), ()

    def _list(self, after: str) -> messages.Presets:
        """A page, which ends with a preset: the next one is asked for after that."""
        found: list[PresetInfo] = []
        damaged: list[str] = []
        since: list[str] = []
        more = False
        for name, info in self._presets.list_all(after):
            more = bool(found) and (len(found) == _A_PAGE or len(damaged + since) >= _DAMAGED)
            if more:
                break
            if info is None:
                since.append(name)
            else:
                found.append(self._with_state(info))
                damaged, since = damaged + since, []
        if not more:
            damaged += since
        return messages.Presets(presets=tuple(found), more=more, damaged=tuple(damaged[:_DAMAGED]))

    def _get(self, request: messages.PresetGet) -> Answer:
        preset = self._presets.get(request.name)
        pictures = {"thumbnail": preset.thumbnail}
        if not request.thumbnail_only:
            pictures["style"] = preset.picture
        infos = tuple(picture.info(role, digest=True) for role, picture in pictures.items())
        found = self._as_presets(self._presets.info(request.name))
        frames = [picture.data for picture in pictures.values()]
        return dataclasses.replace(found, frames=infos), frames

    def _as_presets(self, info: PresetInfo) -> messages.Presets:
        return messages.Presets(presets=(self._with_state(info),))

    def _with_state(self, info: PresetInfo) -> PresetInfo:
        if info.state == "good" and info.network not in self._network_names(info.settings):
            return dataclasses.replace(info, state="other_weights")
        return info

    def _export(self, request: messages.PresetExport) -> Answer:
        if len(request.names) != 1 and not (request.names and request.pack):
            raise BadField("Name one style, or several for a pack.", field="names")
        names = dict.fromkeys(self._presets.info(name).name for name in request.names)
        presets = (self._presets.get(name) for name in names)
        data = write_pack(presets) if request.pack else pack(next(presets))
        file = messages.FileInfo(len(data), digest_of(data))
        return messages.PresetFile(file=file), [data]

    def _import(self, request: messages.PresetImport, data: bytes) -> messages.PresetsImported:
        presets = read_pack(data) if is_pack(data) else [_unpack(check_name(request.name), data)]
        infos = self._presets.save_all(presets, replace=request.replace)
        return messages.PresetsImported(names=tuple(info.name for info in infos))


def _unpack(name: str, data: bytes) -> Preset:
    """The preset in a file. Raises PresetInvalid, which says so when it is a picture instead."""
    try:
        return unpack(name, data)
    except PresetInvalid as error:
        kind = name_kind(data)
        if not kind:
            raise
        raise PresetInvalid(
            f"The file for {name} is of another kind than a saved style: {kind}.",
            next_step="To keep the style of a picture, add it: `impasto style add NAME PICTURE`.",
        ) from error
