"""What can be said of GIMP's plug-in without GIMP: its arguments, its imports."""

import ast
import dataclasses
import sys
import threading
import time
import types
from html.parser import HTMLParser
from pathlib import Path
from unittest.mock import MagicMock
from xml.etree import ElementTree

import numpy as np
import pytest

from impasto_protocol.client import Client
from impasto_protocol.errors import DaemonLost, DaemonNotRunning
from impasto_protocol.fields import field_spec, type_hints
from impasto_protocol.messages import Estimate, Estimated
from impasto_protocol.settings import QUALITIES, QUALITY_WORDS, Settings

FOLDER = Path(__file__).resolve().parents[2] / "plugins" / "gimp" / "impasto"
LEFT_OUT = {"snapshots"}  # a painter watches instead


@pytest.fixture
def repository(monkeypatch):
    """What stands for GIMP's own Python."""
    gi, repository = types.ModuleType("gi"), types.ModuleType("gi.repository")
    gi.require_version = lambda *_: None
    repository.Gimp = MagicMock()
    repository.GObject = types.SimpleNamespace(ParamFlags=types.SimpleNamespace(READWRITE=0))
    repository.GLib = MagicMock()
    monkeypatch.setitem(sys.modules, "gi", gi)
    monkeypatch.setitem(sys.modules, "gi.repository", repository)
    monkeypatch.syspath_prepend(FOLDER)
    return repository


@pytest.fixture
def arguments(repository):
    """The module of the arguments, with nothing of GIMP behind it."""
    import arguments

    yield arguments
    del sys.modules["arguments"]


def test_dialog_has_every_setting_with_its_range_and_default(arguments):
    table = {a[1].replace("-", "_"): a for a in arguments.LOOK + arguments.ADVANCED}
    del table["quality"]
    fields = {field.name: field for field in dataclasses.fields(Settings)}
    assert table.keys() == fields.keys() - LEFT_OUT
    for name, (kind, _, label, blurb, *rest) in table.items():
        field, spec = fields[name], field_spec(fields[name])
        assert label and blurb
        if kind == "bool":
            assert rest == [field.default]
        elif kind == "choice":
            assert (tuple(rest[0]), rest[1]) == (spec.choices, field.default)
        elif kind == "string":
            assert rest == [",".join(map(str, field.default))]
        elif field.default is None:
            assert rest == [-1, spec.high, -1]
        else:
            # GIMP's whole numbers have 32 bits.
            high = min(spec.high, 2**31 - 1) if type_hints(Settings)[name] is int else spec.high
            assert rest == [spec.low, high, field.default], name


def test_qualities_are_those_of_both_editors_in_a_painters_words(arguments):
    words = {name: f"{name.capitalize()}: {words}" for name, words in QUALITY_WORDS.items()}
    assert {**words, "custom": "As set below"} == arguments.QUALITY
    assert {name.replace("-", "_") for name in arguments.BY_QUALITY} == QUALITIES["good"].keys()


class Page(HTMLParser):
    """What a help page says, by the name of the argument: its label, and the words about it."""

    def __init__(self, path):
        super().__init__()
        self.labels, self.words, self.ranges, self._into, self._name = {}, {}, {}, None, ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        into = {"dt": self.labels, "dd": self.words, "small": self.ranges}
        self._into = into.get(tag, self._into)
        if tag == "dt":
            self._name = dict(attributes)["id"]

    def handle_endtag(self, tag):
        if tag in ("dt", "dd", "small"):
            self._into = None

    def handle_data(self, data):
        if self._into is not None:
            self._into[self._name] = " ".join(f"{self._into.get(self._name, '')}{data}".split())


def described(kind, rest):
    """An argument's range and default in the words of the help page."""
    if kind == "choice":
        return f"at first {rest[0][rest[1]].split(':')[0]}"
    if kind == "bool":
        return f"at first {'on' if rest[0] else 'off'}"
    if kind == "string":
        return f"at first {rest[0]}" if rest[0] else None
    low, high, default = (np.format_float_positional(value, trim="-") for value in rest)
    return f"{low} to {high}, at first {default}"


def test_help_page_explains_every_control_as_it_is(arguments):
    page = Page(FOLDER / "help/en/impasto.html")
    procedure = MagicMock()
    for add in arguments.ADD.values():
        add(procedure)
    labels = {name: label.replace("_", "") for _, (name, label, *_), _ in procedure.mock_calls}
    assert page.labels == labels and page.words.keys() == labels.keys()
    table = arguments.LOOK + arguments.RESULT + arguments.ADVANCED + arguments.APPLY
    for kind, name, _, _, *rest in table:
        assert page.ranges.get(name) == described(kind, rest), name
        for option in rest[0].values() if kind == "choice" else ():
            assert option in page.words[name]
    for option in arguments.STYLE_FROM.values():
        assert option in page.words["style-from"]
    for quality, settings in QUALITIES.items():
        numbers = f"{settings['iterations']} steps at {settings['working_px']}"
        assert numbers in page.words["quality"], quality


class Daemon:
    """Stands for a daemon and its client; answers when the test says so."""

    welcome = types.SimpleNamespace(capabilities=("estimate",))

    def __init__(self):
        self.running, self.lost, self.closed, self.connected = True, False, 0, threading.Event()
        self.requests, self.answers = [], {}

    def connect(self, *, name, start):
        assert not start
        self.connected.set()
        if not self.running:
            raise DaemonNotRunning("No daemon is running.")
        return self

    def pump(self):
        if self.lost:
            raise DaemonLost("The daemon has ended.")

    def request(self, message):
        self.requests.append(message)
        return len(self.requests)

    def answer(self, number):
        return self.answers.pop(number, None)

    def close(self):
        self.closed += 1


def question(height):
    return Estimate(height=height, width=100, settings=Settings())


def estimated(seconds):
    return Estimated(memory_mib=1, free_mib=2, seconds=seconds, evaluations=3)


class Following:
    """What a dialog is shown of estimates. look: GLib's timer goes off."""

    def __init__(self, module, glib):
        self.shown = []
        self.estimates = module.Estimates(self.shown.append)
        _, self.look = glib.timeout_add.call_args.args

    def look_until(self, is_so):
        deadline = time.monotonic() + 10
        while not is_so():
            assert time.monotonic() < deadline
            assert self.look()
            time.sleep(0.01)


@pytest.fixture
def daemon(monkeypatch):
    daemon = Daemon()
    monkeypatch.setattr(Client, "connect", daemon.connect)
    return daemon


@pytest.fixture
def following(repository, daemon, monkeypatch):
    import estimates

    repository.GLib.SOURCE_CONTINUE = True
    monkeypatch.setattr(estimates, "_AGAIN_S", 0.01)
    following = Following(estimates, repository.GLib)
    yield following
    following.estimates.close()
    del sys.modules["estimates"]


def test_only_the_newest_question_is_asked_and_only_its_answer_shown(daemon, following):
    for height in (1, 2, 3):
        following.estimates.ask(question(height))
    following.look_until(lambda: daemon.requests)
    assert daemon.requests == [question(3)]
    for height in (4, 5):
        following.estimates.ask(question(height))
        following.look()
    assert len(daemon.requests) == 1  # one at a time
    daemon.answers[1] = estimated(10.0), []
    following.look()
    assert not following.shown and daemon.requests[1:] == [question(5)]
    daemon.answers[2] = estimated(20.0), []
    following.look()
    following.look()
    assert following.shown == [estimated(20.0)] and len(daemon.requests) == 2


def test_line_is_empty_where_nothing_can_be_painted(daemon, following):
    following.estimates.ask(question(1))
    following.look_until(lambda: daemon.requests)
    daemon.answers[1] = estimated(10.0), []
    following.estimates.ask(None)
    following.look()
    assert following.shown == [None]


def test_line_is_empty_when_the_daemon_ends_until_one_runs_again(daemon, following):
    following.estimates.ask(question(1))
    following.look_until(lambda: daemon.requests)
    daemon.running, daemon.lost = False, True
    following.look()
    assert following.shown == [None] and daemon.closed
    daemon.connected.clear()
    assert daemon.connected.wait(10)
    following.look()
    assert len(daemon.requests) == 1
    daemon.running, daemon.lost = True, False
    following.look_until(lambda: len(daemon.requests) == 2)


def test_older_daemon_is_not_asked(daemon, following):
    daemon.welcome = types.SimpleNamespace(capabilities=())
    following.estimates.ask(question(1))
    following.look_until(lambda: following.shown)
    assert not daemon.requests and following.shown == [None]


def test_connection_that_comes_after_the_dialog_was_closed_is_let_go(
    daemon, following, monkeypatch
):
    late, closed, let_go = Daemon(), threading.Event(), threading.Event()
    late.close = let_go.set
    monkeypatch.setattr(Client, "connect", lambda **_: closed.wait(10) and late)
    daemon.lost = True
    following.look_until(lambda: daemon.closed)
    following.estimates.close()
    closed.set()
    assert let_go.wait(10)


def test_every_procedure_has_its_help(arguments):
    index = ElementTree.parse(FOLDER / "help/en/gimp-help.xml")
    pages = {item.get("id"): item.get("ref") for item in index.iter("help-item")}
    assert pages.keys() == arguments.ADD.keys()
    assert all((FOLDER / "help/en" / page).exists() for page in pages.values())


def imported_at_the_top(path):
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


def test_only_gimps_own_python_is_imported_when_gimp_asks_what_is_there():
    for name in ("impasto.py", "arguments.py"):
        for module in imported_at_the_top(FOLDER / name):
            top = module.split(".")[0]
            assert top in {*sys.stdlib_module_names, "gi", "arguments"}, (name, module)


def test_plug_in_computes_nothing_itself():
    for path in FOLDER.glob("*.py"):
        tops = {module.split(".")[0] for module in imported_at_the_top(path)}
        ours = {other.stem for other in FOLDER.glob("*.py")}
        assert tops <= {*sys.stdlib_module_names, "gi", "impasto_protocol", *ours}, path
