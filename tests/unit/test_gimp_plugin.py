"""What can be said of GIMP's plug-in without GIMP: its arguments, its imports."""

import ast
import dataclasses
import sys
import threading
import time
import types
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from unittest.mock import MagicMock
from xml.etree import ElementTree

import numpy as np
import pytest

from impasto_protocol.chosen_style import ChosenStyle
from impasto_protocol.client import Client
from impasto_protocol.codec import Picture
from impasto_protocol.errors import BadField, DaemonLost, DaemonNotRunning, VersionSkew
from impasto_protocol.fields import field_spec, type_hints
from impasto_protocol.messages import Estimate, Estimated, JobInfo, Report, Result
from impasto_protocol.settings import QUALITIES, QUALITY_WORDS, Settings

FOLDER = Path(__file__).resolve().parents[2] / "plugins" / "gimp" / "impasto"


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


def test_recipe_of_a_newer_version_asks_for_an_update(arguments, repository, monkeypatch):
    repository.Gio = MagicMock()
    for name in ("layers", "style_sources"):
        monkeypatch.setitem(sys.modules, name, MagicMock())
    import layer_recipes

    monkeypatch.delitem(sys.modules, "recipe")
    monkeypatch.delitem(sys.modules, "layer_recipes")
    layer = MagicMock()
    layer.get_parasite().get_data.return_value = b'{"settings": {"later": 1}}'
    with pytest.raises(VersionSkew, match="newer Impasto"):
        layer_recipes.find(layer)
    assert layer_recipes.of_layer(layer) is None


def test_dialog_has_every_setting_with_its_range_and_default(arguments):
    table = {
        a[1].replace("-", "_"): a for a in arguments.LOOK + arguments.LEFT + arguments.ADVANCED
    }
    del table["quality"]
    fields = {field.name: field for field in dataclasses.fields(Settings)}
    assert table.keys() == fields.keys()
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
    custom = "Custom: with the steps and sizes under Advanced"
    assert {**words, "custom": custom} == arguments.QUALITY
    assert {name.replace("-", "_") for name in arguments.BY_QUALITY} == QUALITIES["good"].keys()


def test_each_kind_of_style_that_can_be_asked_for_has_its_argument(arguments):
    """A saved style was offered to the procedure that saves one, and failed."""
    for add in arguments.ADD.values():
        procedure = MagicMock()
        arguments.Gimp.Choice.new.return_value = choice = MagicMock()
        add(procedure)
        there = {name for _, (name, *_), _ in procedure.mock_calls}
        if "style-from" in there:
            kinds = {value for _, (value, *_), _ in choice.mock_calls} & set(arguments.STYLE_FROM)
            assert kinds and {f"style-{kind}" for kind in kinds} <= there


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
    table = (arguments.LOOK + arguments.RESULT + arguments.PLACES + arguments.LEFT
             + arguments.ADVANCED + arguments.APPLY)  # fmt: skip
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
        self.requests, self.answers, self.jobs = [], {}, []
        self.refusal = None

    def connect(self, *, name, start):
        assert not start
        self.connected.set()
        if not self.running:
            raise DaemonNotRunning("No daemon is running.")
        return self

    def pump(self):
        if self.lost:
            raise DaemonLost("The daemon has ended.")

    def submit(self, message, pictures):
        if self.refusal:
            raise self.refusal
        self.jobs.append(types.SimpleNamespace(message=message, cancelled=False, ended=False))
        job = self.jobs[-1]
        job.poll = list

        def cancel():
            job.cancelled = job.ended = True

        job.cancel = cancel
        return job

    def request(self, message):
        self.requests.append(message)
        return len(self.requests)

    def answer(self, number):
        answer = self.answers.pop(number, None)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self):
        self.closed += 1


def question(height):
    return Estimate(height=height, width=100, settings=Settings())


def estimated(seconds):
    return Estimated(memory_mib=1, free_mib=2, seconds=seconds, evaluations=3)


class Following:
    """What a dialog is shown of estimates and drafts. look: GLib's timer goes off."""

    def __init__(self, glib):
        import daemon_link
        import drafts
        import estimates

        self.shown, self.drawn, self.now = [], [], 0.0
        self.estimates = estimates.Estimates(lambda found: self.shown.append(dict(found)))
        self.drafts = drafts.Drafts(lambda *told: self.drawn.append(told), lambda: self.now)
        self.link = daemon_link.DaemonLink([self.estimates, self.drafts])
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
    import daemon_link

    repository.GLib.SOURCE_CONTINUE = True
    monkeypatch.setattr(daemon_link, "_AGAIN_S", 0.01)
    following = Following(repository.GLib)
    yield following
    following.link.close()
    for name in ("daemon_link", "estimates", "drafts"):
        del sys.modules[name]


def test_only_the_newest_questions_are_asked_and_only_their_answers_shown(daemon, following):
    for height in (1, 2, 3):
        following.estimates.ask({"good": question(height), "best": question(10 * height)})
    following.look_until(lambda: daemon.requests)
    assert daemon.requests == [question(3)]
    for height in (4, 5):
        following.estimates.ask({"good": question(height), "best": question(10 * height)})
        following.look()
    assert len(daemon.requests) == 1  # one at a time
    daemon.answers[1] = estimated(10.0), []
    following.look()
    assert not following.shown and daemon.requests[1:] == [question(5)]
    for number, seconds in ((2, 20.0), (3, 30.0)):
        daemon.answers[number] = estimated(seconds), []
        following.look()
    following.look()
    assert daemon.requests[2:] == [question(50)]
    assert following.shown[-1] == {"good": estimated(20.0), "best": estimated(30.0)}


def test_line_is_empty_where_nothing_can_be_painted(daemon, following):
    following.estimates.ask({"good": question(1)})
    following.look_until(lambda: daemon.requests)
    daemon.answers[1] = estimated(10.0), []
    following.estimates.ask({})
    following.look()
    assert following.shown == [{}]


def test_line_is_empty_when_the_daemon_ends_until_one_runs_again(daemon, following):
    following.estimates.ask({"good": question(1)})
    following.look_until(lambda: daemon.requests)
    daemon.running, daemon.lost = False, True
    following.look()
    assert following.shown == [{}] and daemon.closed
    daemon.connected.clear()
    assert daemon.connected.wait(10)
    following.look()
    assert len(daemon.requests) == 1
    daemon.running, daemon.lost = True, False
    following.look_until(lambda: len(daemon.requests) == 2)


def test_older_daemon_is_not_asked(daemon, following):
    daemon.welcome = types.SimpleNamespace(capabilities=())
    following.estimates.ask({"good": question(1)})
    following.look_until(lambda: following.shown)
    assert not daemon.requests and following.shown == [{}]


def test_what_an_older_daemon_refuses_does_not_end_the_link(daemon, following):
    """It was connected and lost for ever, without a word."""
    following.estimates.ask({"good": question(1), "best": question(2)})
    following.look_until(lambda: daemon.requests)
    daemon.answers[1] = BadField("There is no such setting.")
    following.look()
    daemon.answers[2] = estimated(20.0), []
    following.look()
    assert following.shown == [{}, {"best": estimated(20.0)}]
    daemon.refusal = VersionSkew("The daemon is older.")
    begun(daemon, following, 0.3)
    following.look()
    assert following.drawn == [
        ("Beginning a draft", None), ("No preview. The daemon is older.", None)
    ]  # fmt: skip
    daemon.refusal = None
    following.drafts.ask(draft(0.4))
    following.now += 1
    following.look()
    assert len(daemon.jobs) == 1 and not daemon.closed


def test_connection_that_comes_after_the_dialog_was_closed_is_let_go(
    daemon, following, monkeypatch
):
    late, closed, let_go = Daemon(), threading.Event(), threading.Event()
    late.close = let_go.set
    monkeypatch.setattr(Client, "connect", lambda **_: closed.wait(10) and late)
    daemon.lost = True
    following.look_until(lambda: daemon.closed)
    following.link.close()
    closed.set()
    assert let_go.wait(10)


def draft(strength):
    import drafts

    grey = Picture(4, 4, 3, "uint8", bytes(48))
    return drafts.Draft(grey, (ChosenStyle("Dusk"),), Settings(strength=strength))


def report(daemon, *jobs):
    """Answer the question who is there with these jobs: clients, states, whether drafts."""
    found = tuple(
        JobInfo(job="a" * 32, client=name, state=state, draft=bool(draft))
        for name, state, *draft in jobs
    )
    message = Report(version="1", pid=1, uptime_s=1.0, worker="idle", clients=1, dropped=0,
                     jobs=found)  # fmt: skip
    daemon.answers[len(daemon.requests)] = message, []


def begun(daemon, following, strength, *jobs):
    """Ask for a draft, and tell who is there."""
    following.drafts.ask(draft(strength))
    following.now += 2
    asked = len(daemon.requests)
    following.look_until(lambda: len(daemon.requests) > asked)
    report(daemon, *jobs)
    following.look()


def test_draft_is_small_quick_and_ended_when_another_is_wanted(daemon, following):
    begun(daemon, following, 0.3, ("Krita", "done"))
    (first,) = daemon.jobs
    assert first.message.settings.strength == 0.3 and first.message.preset == "Dusk"
    assert first.message.settings.iterations <= 100 and first.message.preview_px == 256
    for strength in (0.4, 0.5):
        following.drafts.ask(draft(strength))
        following.look()
    assert first.cancelled and len(daemon.jobs) == 1  # until the painter has settled
    following.now += 1
    following.look()
    assert daemon.jobs[1].message.settings.strength == 0.5
    following.link.close()
    assert daemon.jobs[1].cancelled


def test_draft_that_is_painted_at_once_follows_a_control_while_it_is_moved(daemon, following):
    at_once = [replace(draft(s), settings=Settings(iterations=0, strength=s)) for s in (0.3, 0.4)]
    following.drafts.ask(at_once[0])
    following.look_until(lambda: daemon.requests)
    report(daemon)
    following.look()
    (first,) = daemon.jobs
    following.drafts.ask(at_once[1])
    following.look()
    assert daemon.jobs == [first] and not first.cancelled, "each is painted to its end"
    ended = Result(job=first.message.job, steps=1, seconds=1, device="", weights="", style="")
    first.poll = lambda: [(ended, [])]
    following.look()
    following.look()
    assert [job.message.settings.strength for job in daemon.jobs] == [0.3, 0.4]
    assert all(job.message.settings.iterations == 0 for job in daemon.jobs)


def test_draft_that_was_begun_over_or_taken_away_is_painted_anew(daemon, following):
    """It was taken for the one that is seen."""

    def ended(job):
        result = Result(job=job.message.job, steps=1, seconds=1, device="", weights="", style="")
        job.poll = lambda: [(result, [])]
        following.look()

    begun(daemon, following, 0.3)
    ended(daemon.jobs[0])
    begun(daemon, following, 0.4)
    following.drafts.ask(draft(0.3))
    following.now += 1
    following.look()
    ended(daemon.jobs[2])
    for wanted in (None, draft(0.3)):
        following.drafts.ask(wanted)
    following.now += 1
    following.look()
    assert [job.message.settings.strength for job in daemon.jobs] == [0.3, 0.4, 0.3, 0.3]


def test_draft_makes_way_for_a_painting(daemon, following):
    begun(daemon, following, 0.3, ("GIMP", "queued"))
    assert not daemon.jobs and following.drawn == [("A painting goes first", None)]
    following.now += 2
    following.look_until(lambda: len(daemon.requests) == 2)
    report(daemon, ("Krita", "running", "draft"))
    following.look()
    (job,) = daemon.jobs
    following.now += 2
    following.look()
    report(daemon, ("GIMP preview", "running", "draft"), ("impasto", "queued"))
    following.look()
    assert job.cancelled and following.drawn[-1] == ("A painting goes first", None)


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
            assert top in {*sys.stdlib_module_names, "gi", "arguments", "words"}, (name, module)


def test_plug_in_computes_nothing_itself():
    for path in FOLDER.glob("*.py"):
        tops = {module.split(".")[0] for module in imported_at_the_top(path)}
        ours = {other.stem for other in FOLDER.glob("*.py")}
        assert tops <= {*sys.stdlib_module_names, "gi", "impasto_protocol", *ours}, path


def test_no_words_are_taken_for_markup_but_a_heading_s_which_are_escaped():
    """What would: Pango's markup, and the tooltips of a list, which may have what is said here."""
    found = {
        (path.name, line.strip())
        for path in FOLDER.glob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if "markup" in line or "tooltip_column" in line
    }
    assert found == {
        ("controls.py", 'heading.set_markup(f"<b>{GLib.markup_escape_text(words)}</b>")'),
        ("style_browser.py", "tooltip_column=2, activate_on_single_click=True, spacing=2, "
                             "row_spacing=2,"),
    }  # fmt: skip
    browser = (FOLDER / "style_browser.py").read_text(encoding="utf-8")
    assert "told = _BAKED if found.info.is_baked else None" in browser
