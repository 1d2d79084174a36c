"""What a disk may hold after the power went: changes on record, and every state they may leave.

A change lasts once its file (for a name: the folder that holds it) was synced after it. Any other
may be lost, by itself and out of order, and of a content there may be a half: at least what the
file systems lose that are in use.
"""

from __future__ import annotations

import itertools
import os
import random
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

ALL_SUBSETS_OF = 6
AT_RANDOM = 12


@dataclass(frozen=True)
class Node:
    """A file, a link with where it leads to as content, or a folder, whose content is None."""

    mode: int
    content: bytes | None


@dataclass(frozen=True)
class Content:
    """What a file holds from now on."""

    of: int
    content: bytes


@dataclass(frozen=True)
class Mode:
    """Who may read, write and run a file from now on."""

    of: int
    mode: int


@dataclass(frozen=True)
class Names:
    """(folder, name, what is called so from now on), one or, of a move, two at once."""

    given: tuple[tuple[int, str, int | None], ...]


@dataclass(frozen=True)
class Sync:
    """Of a file, of the names in a folder, or of everything."""

    of: int | None


Change = Content | Mode | Names | Sync
State = dict[str, Node]
"""By path below the root."""


class Record:
    """Whatever is changed below `root`, but in the folders that are left out.

    Files are looked at before each step that is told, and after it.
    """

    def __init__(self, root: Path, left_out: Sequence[str] = ()) -> None:
        self.root, self._left_out = root, left_out
        self.changes: list[Change] = []
        self._ids, self._nodes, self._first = {".": 0}, {0: Node(0o40755, None)}, {0: Node(0, b"")}
        self.look()
        self._step(Sync(None))
        self._begun = len(self.changes)

    def move(self, move: Callable[[], None], old: Path, new: Path) -> None:
        """A rename, done by `move`."""
        self.look()
        move()
        source, target = self._name(old), self._name(new)
        if source not in self._ids:
            return
        for path in [path for path in self._ids if is_in(path, target)]:
            del self._ids[path]
        moved = self._ids[source]
        for path in [path for path in self._ids if is_in(path, source)]:
            self._ids[target + path.removeprefix(source)] = self._ids.pop(path)
        self._step(Names(((*self._place(source), None), (*self._place(target), moved))))

    def synced(self, path: Path | None) -> None:
        """A file or folder was synced, or everything."""
        self.look()
        name = None if path is None else self._name(path)
        if name is None or name in self._ids:
            self._step(Sync(None if name is None else self._ids[name]))

    def look(self) -> None:
        """Take in what has changed since."""
        found = dict(self._found())
        for path in sorted(self._ids, reverse=True):
            kept = found.get(path)
            if kept is None or stat.S_IFMT(kept.mode) != stat.S_IFMT(self._node(path).mode):
                del self._ids[path]
                self._step(Names(((*self._place(path), None),)))
        for path, node in found.items():
            if path not in self._ids:
                self._ids[path] = new = len(self._nodes)
                whole = stat.S_ISREG(node.mode)
                self._nodes[new] = self._first[new] = replace(node, content=b"") if whole else node
                self._step(Names(((*self._place(path), new),)))
            before, of = self._node(path), self._ids[path]
            if node.content != before.content:
                self._step(Content(of, node.content))
            if node.mode != before.mode:
                self._step(Mode(of, node.mode))
            self._nodes[of] = node

    def states(self, moments: int = 1000, seed: int = 0) -> Iterator[tuple[State, bool]]:
        """Each state that a power loss at any moment may leave, once; of more moments some.

        With it, whether everything had been done by then.
        """
        self.look()
        chance, seen = random.Random(seed), set()
        ends = range(self._begun, len(self.changes) + 1)
        lasts_from = [self._lasts_from(number) for number in range(len(self.changes))]
        for end in sorted({*chance.sample(ends, min(moments, len(ends))), ends[-1]}):
            loose = [number for number in range(end) if lasts_from[number] > end]
            for lost in losses(loose, chance):
                halves = [
                    n for n in loose if n not in lost and isinstance(self.changes[n], Content)
                ][:AT_RANDOM]
                for half in (None, *halves):
                    state, done = self._state(end, lost, half), end == len(self.changes)
                    key = (frozenset(state.items()), done)
                    if key not in seen:
                        seen.add(key)
                        yield state, done

    def _found(self) -> Iterator[tuple[str, Node]]:
        yield ".", self._nodes[0]
        for folder, folders, files in os.walk(self.root):
            folders[:] = sorted(set(folders) - set(self._left_out))
            for name in (*folders, *sorted(files)):
                path = Path(folder, name)
                mode = path.lstat().st_mode
                if stat.S_ISLNK(mode):
                    yield self._name(path), Node(mode, str(path.readlink()).encode())
                elif stat.S_ISDIR(mode):
                    yield self._name(path), Node(mode, None)
                elif stat.S_ISREG(mode):
                    yield self._name(path), Node(mode, path.read_bytes())

    def _name(self, path: Path) -> str:
        return os.path.relpath(path, self.root)

    def _place(self, name: str) -> tuple[int, str]:
        return self._ids[str(Path(name).parent)], Path(name).name

    def _node(self, name: str) -> Node:
        return self._nodes[self._ids[name]]

    def _step(self, change: Change) -> None:
        self.changes.append(change)

    def _lasts_from(self, number: int) -> int:
        change = self.changes[number]
        holders = {change.of} if not isinstance(change, Names) else {change.given[-1][0]}
        for later in range(number + 1, len(self.changes)):
            sync = self.changes[later]
            if isinstance(sync, Sync) and (sync.of is None or sync.of in holders):
                return later + 1
        return len(self.changes) + 1

    def _state(self, end: int, lost: frozenset[int], half: int | None) -> State:
        nodes: dict[int, Node] = dict(self._first)
        names: dict[int, dict[str, int | None]] = {}
        for number, change in enumerate(self.changes[:end]):
            if number in lost or isinstance(change, Sync):
                continue
            if isinstance(change, Names):
                for folder, name, called in change.given:
                    names.setdefault(folder, {})[name] = called
            elif isinstance(change, Mode):
                nodes[change.of] = replace(nodes[change.of], mode=change.mode)
            else:
                cut = len(change.content) // 2 if number == half else len(change.content)
                nodes[change.of] = replace(nodes[change.of], content=change.content[:cut])
        return dict(listed(0, "", names, nodes))


def listed(
    folder: int, before: str, names: dict[int, dict[str, int | None]], nodes: dict[int, Node]
) -> Iterator[tuple[str, Node]]:
    """What can be found from a folder on."""
    for name, called in sorted(names.get(folder, {}).items()):
        if called is not None:
            yield before + name, nodes[called]
            yield from listed(called, f"{before}{name}/", names, nodes)


def losses(loose: Sequence[int], chance: random.Random) -> Iterator[frozenset[int]]:
    """Each choice of these where they are few; else none, all, one, all but one, some."""
    if len(loose) <= ALL_SUBSETS_OF:
        sizes = range(len(loose) + 1)
        yield from map(
            frozenset, itertools.chain(*(itertools.combinations(loose, n) for n in sizes))
        )
        return
    everything = frozenset(loose)
    yield from (frozenset(), everything)
    for one in chance.sample(loose, min(AT_RANDOM, len(loose))):
        yield from (frozenset({one}), everything - {one})
    for _ in range(AT_RANDOM):
        yield frozenset(one for one in loose if chance.random() < 0.5)


def is_in(path: str, folder: str) -> bool:
    """Whether it is that folder, or below it."""
    return path == folder or path.startswith(f"{folder}/")


def put(state: State, root: Path) -> Path:
    """Have the folder hold nothing but that state."""
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    for name, node in state.items():
        path = root / name
        if node.content is None:
            path.mkdir(stat.S_IMODE(node.mode))
        elif stat.S_ISLNK(node.mode):
            path.symlink_to(node.content.decode())
        else:
            path.write_bytes(node.content)
            path.chmod(stat.S_IMODE(node.mode))
    return root
