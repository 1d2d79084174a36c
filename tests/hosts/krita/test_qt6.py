"""Krita 6, which no distribution has yet: the same docker under PyQt6, with a stub of Krita."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.hosts.conftest import ROOT

import impasto_protocol
from impasto_protocol.client import new_job_id
from impasto_protocol.codec import Picture
from impasto_protocol.messages import PresetDelete, PresetSave
from impasto_protocol.settings import QUALITIES, Settings

HERE = Path(__file__).parent
PLUGINS = ROOT / "plugins/krita/pykrita"
IMPASTO = str(Path(sys.executable).with_name("impasto"))
ALL_BUT_STYLISE = ["Finish Now", "Cancel"]


def play(module, scene, environment, *, plugins=PLUGINS, **arguments):
    """Play a scene of qt6/ in a process of its own: what was seen in it."""
    variables = {
        "QT_QPA_PLATFORM": "offscreen", "PYTHONWARNINGS": "error",
        "PYTHONPATH": os.pathsep.join(map(str, (HERE / "stub", plugins))),
    }  # fmt: skip
    ended = subprocess.run(
        [sys.executable, HERE / "qt6/play.py", module, scene, json.dumps(arguments, default=str)],
        env={**environment, **variables}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    # What Python cannot raise, as a connection left open, it only writes.
    assert ended.returncode == 0 and "Traceback" not in ended.stderr, ended.stderr
    return json.loads(ended.stdout)


@pytest.fixture
def environment(krita_daemon, saved_style):
    """That of a Krita beside the daemon, whose styles are as before afterwards."""
    yield krita_daemon.environment
    with krita_daemon.connect() as client:
        for info in client.presets():
            if info.name != "Dusk":
                client.ask(PresetDelete(name=info.name))


@pytest.fixture
def saved(krita_daemon, environment):
    """The file of a saved style."""
    with krita_daemon.connect() as client:
        return client.export_presets(["Dusk"])


def test_layer_is_painted_and_kept_as_it_is(environment, pictures, tmp_path):
    shown = Path(os.environ.get("IMPASTO_ARTEFACTS", tmp_path)) / "krita-6-docker.png"
    seen = play("painting", "keep", environment, photo=pictures["photo"], shown=shown)
    assert seen["words"].startswith("Done") and seen["name"] == "Dusk 30%" and seen["changed"]
    assert seen["buttons"] == [["Stylise"], ALL_BUT_STYLISE, ["Stylise"]]


def test_progress_is_told_and_cancel_leaves_the_document_as_it_was(environment, pictures):
    seen = play("painting", "cancel", environment, photo=pictures["photo"])
    assert seen == {
        "modified": [True, False], "words": "The job was cancelled.",
        "steps": 0, "buttons": ["Stylise"],
    }  # fmt: skip


def test_what_is_lacking_for_a_painting_is_said_and_copied(environment, pictures):
    seen = play("painting", "lacking", environment, photo=pictures["photo"])
    assert seen["recipe"].startswith("Nothing has been painted yet")
    assert seen["style"].startswith("No style was chosen.")
    assert seen["document"].startswith("There is no layer to paint. Open a picture")
    # Quietly: what went wrong stays to be read.
    assert seen["copied"] == [seen["document"], "Diagnostics Copied"]
    assert "host: Krita 6.0.0" in seen["diagnostics"]
    assert "error: HOST_UNSUPPORTED: HostUnsupported at find_source:" in seen["diagnostics"]
    assert seen["buttons"] == ["Stylise"]


def test_dice_give_another_seed_and_noise_for_it_to_matter(environment):
    calm, *thrown = play("painting", "dice", environment)
    assert calm == [0, 0] and thrown[0] != thrown[1]
    assert all(seed > 0 and noise > 0 for seed, noise in thrown)


@pytest.mark.parametrize("refinement", [None, 0])
@pytest.mark.parametrize("quality", QUALITIES)
def test_quality_of_the_last_painting_is_chosen_even_of_one_that_was_not_refined(
    environment, quality, refinement
):
    """As an older Impasto has kept it; to repeat it does without refinement again."""
    settings = dict(QUALITIES[quality])
    if refinement is not None:
        settings["refinement"] = refinement
    older = refinement is not None
    seen = play("painting", "quality_remembered", environment, settings=settings, is_older=older)
    assert seen == [quality.capitalize(), settings["refinement"]]


@pytest.mark.parametrize(
    ("iterations", "is_older"), [(500, False), (500, True), (300, False)],
    ids=["other steps", "other steps, older", "good without refinement"],
)  # fmt: skip
def test_settings_of_no_quality_are_said_to_be_those_of_advanced(nowhere, iterations, is_older):
    custom = {"iterations": iterations, "working_px": 768, "refinement": 0}
    seen = play("painting", "quality_remembered", nowhere, settings=custom, is_older=is_older)
    assert seen == ["As set in Advanced", 0]


def test_refinement_that_was_taken_away_stays_away(nowhere):
    assert play("painting", "refinement_taken_away", nowhere) == [["As set in Advanced", 0]] * 2


def test_most_memory_stays_with_its_document_but_is_not_that_of_a_recipe(nowhere, pictures):
    photo = pictures["photo"]
    assert play("painting", "memory_of_documents", nowhere, photo=photo) == [2048, 0]


BUSY = "Krita is busy with the image: finish what the tool has begun"


def test_painting_says_that_krita_is_busy_and_is_cancelled_at_once(nowhere, pictures):
    words, ended = play("painting", "busy_at_first", nowhere, photo=pictures["photo"])
    assert words == "The job was cancelled." and ended


def test_krita_is_said_to_be_busy_for_no_longer_than_it_is(environment, pictures):
    assert play("painting", "busy_for_a_while", environment, photo=pictures["photo"]) == "Starting"


def test_painting_that_is_ready_says_that_krita_is_busy(environment, pictures):
    layers, words = play("painting", "busy_at_last", environment, photo=pictures["photo"])
    assert layers == 1 and words.startswith("Done")


def test_error_is_told_while_krita_is_busy(environment, pictures):
    words = play("painting", "error_while_busy", environment, photo=pictures["photo"])
    assert "Nowhere" in words


def test_preview_says_that_krita_is_busy(nowhere, pictures):
    *first, busy, again = play("painting", "busy_in_preview", nowhere, photo=pictures["photo"])
    assert first == ["", ""] and busy.startswith(BUSY) and not again.startswith(BUSY)


def test_masks_of_one_document_are_not_used_in_another(environment, pictures):
    photo = pictures["photo"]
    assert play("painting", "masks_of_documents", environment, photo=photo) == ["", "", "layer:Sky"]


def test_another_layer_than_that_of_the_press_is_not_painted(environment, pictures):
    words, painted = play("painting", "another_layer", environment, photo=pictures["photo"])
    assert words.startswith("The styles are here now.") and not painted


def test_estimate_is_of_one_painting_where_all_would_be_the_same(environment):
    assert play("painting", "paintings", environment) == [1, 4]


def test_preview_follows_settings_and_part_and_gives_way_to_a_painting(
    environment, pictures, tmp_path
):
    shown = Path(os.environ.get("IMPASTO_ARTEFACTS", tmp_path)) / "krita-6-preview.png"
    seen = play("painting", "preview", environment, photo=pictures["large"], shown=shown)
    assert seen["steps"] == 0 and seen["differs"] and seen["gave_way"]
    assert seen["closed"] == [False, "no"]
    first, stronger, part, *again = seen["began"]
    assert [first[1], stronger[1], part[1]] == [0.6, 0.8, 0.8]
    assert first[3] == [0, 0, 1, 1] and part[3][2] == pytest.approx(0.5, abs=0.02)
    assert again == [part] * 3  # after there was no document, and for the style as it is then
    # Strokes as large on the picture.
    assert part[2] == pytest.approx(first[2] * 2, rel=0.05)


def test_actions_begin_and_end_paintings(environment, pictures):
    seen = play("painting", "actions", environment, photo=pictures["photo"])
    applied, stylised, words = seen
    assert applied == stylised == "Dusk" and words.startswith("Nothing has been painted yet")


def test_window_closed_while_connecting_leaves_no_connection_open(environment):
    assert play("daemon_client", "leave_while_connecting", environment) == 0


def test_window_closed_while_painting_leaves_the_document_as_it_was(environment, pictures):
    photo = pictures["photo"]
    assert not play("painting", "leave_while_painting", environment, photo=photo)


def test_state_tells_device_weights_and_queue_and_restart_asks(environment, pictures):
    idle, waiting, question, words = play(
        "daemon_client", "status", environment, photo=pictures["photo"]
    )
    device, weights = idle.split(" · ")
    assert device and weights == Path(os.environ.get("IMPASTO_WEIGHTS", "oxford")).name
    assert waiting == f"{idle} · 1 waiting"
    assert "at work" in question and words == "The job was cancelled."


def test_restart_asks_while_a_style_is_baked_of_which_nothing_is_known_without_the_daemon(
    bark, environment
):
    question, *afterwards = play("daemon_client", "baking", environment)
    assert "at work" in question and afterwards == [[], False]


def test_nothing_is_told_beside_the_button_by_an_older_daemon_or_none(environment, pictures):
    told, again, state = play("daemon_client", "estimate", environment, photo=pictures["photo"])
    assert told == again and told.startswith("It takes ")
    # To ask would have started another.
    assert state == "away"


def test_daemon_is_started_anew_and_again(own_daemon):
    daemon = own_daemon()
    environment = {**daemon.environment, "IMPASTO_COMMAND": IMPASTO}
    try:
        restarting, gone, starting = play("daemon_client", "restart", environment)
    finally:
        daemon.impasto("daemon", "stop")
    assert restarting == starting == ["Waiting for the daemon to start", False, ""]
    assert gone[0] == "The daemon is not connected." and gone[1].startswith("The daemon has")


def test_daemon_that_another_program_has_started_meanwhile_is_not_ended(nowhere):
    """Nor this machine's own, where another one is named."""
    restarted, answers, silent, *named = play("daemon_client", "restarts", nowhere)
    assert restarted == ["stopped", "connected"] and answers == ["connected"]
    assert silent == ["lost", "stopped", "connected"] and named == [["connected"]] * 2


@pytest.fixture
def bark(krita_daemon, environment):
    """There is another style, with settings that no control has by itself."""
    settings = Settings(strength=0.6, style_scale=1.5, keep_colours=True, seed=5)
    message = PresetSave(job=new_job_id(), name="Bark", settings=settings)
    with krita_daemon.connect() as client:
        client.submit(message, {"style": Picture(32, 32, 3, "uint8", bytes(3072))}).result()


def test_click_takes_over_what_was_saved_with_a_style_or_made_a_result(bark, environment, pictures):
    seen = play("painting", "go_back", environment, photo=pictures["photo"])
    assert seen["saved"] == [0.6, 1.5, True, 5] and seen["again"]
    assert seen["uncovered"] == "photograph"  # which is the masks', and not the style's
    assert seen["result"] == [0.3, 1.0, False, 0] and seen["chosen"] == "Dusk"
    assert (
        seen["visible"] == [False, True]
        and seen["before"]
        and seen["icon"]
        and seen["remembered"] == ["Dusk", 0.3, True]
    )
    assert seen["gone"].startswith("That layer is gone")


def test_files_dropped_on_the_styles_become_styles(environment, pictures, saved, tmp_path):
    twins = [tmp_path / "left/bark.png", tmp_path / "right/bark.png"]
    for twin in twins:
        twin.parent.mkdir()
        shutil.copy(pictures["style"], twin)
    file, unreadable = tmp_path / "Evening.SAFETENSORS", tmp_path / "notes.txt"
    file.write_bytes(saved)
    unreadable.write_text("no picture")
    seen = play(
        "browser", "drop", environment, style=pictures["style"], twins=twins,
        saved=file, unreadable=unreadable,
    )  # fmt: skip
    assert sorted(seen["names"]) == ["Dusk", "Evening", "bark", "bark 2", "style"]
    assert seen["cancelled"] == "Cancelled."
    assert seen["words"].startswith("notes.txt cannot be read")


def test_list_shows_favourites_and_recent_styles_and_says_what_to_do_first(environment, tmp_path):
    shown = Path(os.environ.get("IMPASTO_ARTEFACTS", tmp_path)) / "krita-6-no-styles.png"
    liked, now, unused, used, recent, empty = play("browser", "narrow", environment, shown=shown)
    assert not liked[0] and not unused[0]
    assert "choose All styles" in liked[1] and liked[1] == unused[1]
    assert now == used == [["Dusk"], ""]
    assert recent == ["Dusk", "Bark"]
    assert not empty[0] and "Press +" in empty[1] and "drag one here" in empty[1]


def test_style_stays_chosen_when_another_one_was_changed_or_baked(bark, environment):
    assert play("browser", "meanwhile", environment) == ["Dusk", "Dusk", "Bark"]


def test_style_that_is_gone_leaves_none_chosen_and_a_renamed_one_is_known(bark, environment):
    assert play("browser", "gone", environment) == ["Bark", None, "Bark", None]


def test_entries_of_the_menu_ask_and_do_what_they_say(
    krita_daemon, environment, pictures, saved, tmp_path
):
    with krita_daemon.connect() as client:
        client.import_presets(saved, name="Bark")
    file, exported = tmp_path / "Evening.safetensors", tmp_path / "Oak.safetensors"
    file.write_bytes(saved)
    seen = play(
        "browser", "menu", environment, style=pictures["style"], saved=file,
        exported=exported,
    )  # fmt: skip
    assert seen["sorted"] == ["Oak", "in Trees", "brown, rough"]
    assert sorted(seen["names"]) == ["Dusk", "Evening", "style"]
    assert exported.stat().st_size > 0


@pytest.fixture
def complete(tmp_path):
    """The plug-in with the protocol in it, as it is installed, in a folder of its own."""
    plugin = shutil.copytree(PLUGINS / "impasto", tmp_path / "plugins/impasto")
    shutil.copytree(Path(impasto_protocol.__file__).parent, plugin / "vendor/impasto_protocol")
    return plugin


@pytest.fixture
def nowhere(tmp_path):
    """Where there is no daemon, and none to start if the plug-in should be complete after all."""
    return {**os.environ, "IMPASTO_HOME": str(tmp_path), "IMPASTO_COMMAND": "false"}


@pytest.mark.parametrize(
    ("file", "name"),
    [("daemon_client.py", "impasto.daemon_client"),
     ("vendor/impasto_protocol/descriptions.py", "impasto_protocol.descriptions"),
     ("vendor/msgpack/__init__.py", "msgpack")],
)  # fmt: skip
def test_broken_file_is_said_in_the_docker_and_copied(complete, nowhere, file, name):
    if (complete / file).exists():
        (complete / file).unlink()
    else:
        (complete / file).parent.mkdir()
        (complete / file).write_text(f"raise ImportError('broken', name='{name}')")
    words, copied = play("fallback_docker", "said", nowhere, plugins=complete.parent)
    assert f"not complete: {name} cannot be loaded" in words
    assert "Install Impasto again" in words
    assert "Krita 6.0.0" in copied and "Error" in copied


def test_file_of_a_map_is_read_beside_krita_s_window(environment, pictures):
    in_own, words = play("painting", "map_of_style", environment, photo=pictures["photo"])
    assert in_own == [False] and words.startswith("map.png cannot be read.")


def test_empty_layer_as_the_map_of_the_style_is_named(nowhere, pictures):
    words = play("painting", "nothing_on_the_map", nowhere, photo=pictures["photo"])
    assert words == "There is nothing on “Empty” to paint."


def test_preview_follows_the_map_of_the_style(nowhere, pictures):
    same = play("painting", "map_followed", nowhere, photo=pictures["photo"])
    assert same == [False, True, False]


def test_masks_of_one_name_are_told_apart_by_their_layers(nowhere, pictures):
    offered, found, plain, none, left = play("painting", "alike", nowhere, photo=pictures["photo"])
    assert offered == {
        "layer:Background": "Layer Background", "layer:Sky": "Layer Sky",
        "layer:Hill": "Layer Hill", "layer:Sky (2)": "Layer Sky (2)",
        "mask:Sky/Cut": "Mask Sky/Cut",
        "mask:Hill/Cut": "Mask Hill/Cut", "mask:Hill/Cut (2)": "Mask Hill/Cut (2)",
        "mask:Sky/Cut (2)": "Mask Sky/Cut (2)",
    }  # fmt: skip
    # As it was known before there were others, and again once there are none.
    assert found == [*range(8)] and plain == 4 and none and left


def test_map_stays_where_no_file_is_chosen_instead(nowhere):
    told = play("painting", "map_chosen", nowhere)
    assert told == ["layer:Sky", "file:map.png", "file:map.png"]


def test_error_is_not_replaced_by_how_far_a_baking_is(nowhere):
    error, share, words, _ = play("painting", "while_baked", nowhere)
    assert error.startswith("No.") and share == 500 and words == "Bark: Baking, 50%"


def test_only_what_was_baked_is_told_as_baked(nowhere):
    """Not what was stopped, failed, renamed or forgotten; and no error is replaced by it."""
    *otherwise, beside_error, baked = play("painting", "no_longer_baked", nowhere)
    assert otherwise == [""] * 3
    assert beside_error.startswith("No.") and baked == "“Bark” is baked."


def test_one_is_told_as_one_and_in_the_language_of_krita(nowhere):
    english, german = (
        play("painting", "counted", {**nowhere, "LANGUAGE": language}) for language in ("C", "de")
    )
    assert english == [
        "One more variation to come.", "Done in 3 s, 1 step.", "1 waiting",
        "2 more variations to come.", "Done in 3 s, 2 steps.", "2 waiting",
    ]  # fmt: skip
    assert german == [
        "Eine weitere Variation folgt.", "Fertig in 3 s, 1 Schritt.", "wartend: 1",
        "2 weitere Variationen folgen.", "Fertig in 3 s, 2 Schritte.", "wartend: 2",
    ]  # fmt: skip


def test_ok_rounds_no_setting(nowhere):
    assert play("painting", "rounded", nowhere) == [True, True]


def test_whatever_is_not_in_the_docker_is_set_in_advanced(nowhere):
    lacking, turned = play("painting", "advanced", nowhere)
    assert lacking == ["keep_colours", "seed", "strength", "style_scale", "uncovered"] and turned


def test_recipe_is_edited_also_where_its_style_is_gone(nowhere, pictures):
    strength, words = play("painting", "edit_without_style", nowhere, photo=pictures["photo"])
    assert strength == 90 and words.startswith("The style “Night” is gone.")


def test_all_styles_of_a_recipe_are_known_when_they_were_renamed(nowhere, pictures):
    known, by_name, words = play("painting", "renamed_since", nowhere, photo=pictures["photo"])
    assert known == ["Evening", "Day", "Moon"]
    assert by_name == ["Dusk", "Dawn", "Night"]  # as an older Impasto has kept it
    assert words.startswith("“Night” is another style now")


def test_right_click_chooses_no_style(nowhere):
    assert play("browser", "pressed", nowhere) == ["Dawn", "Dusk"]


def test_space_on_a_style_chooses_it_with_its_settings(nowhere):
    assert play("browser", "space", nowhere) == ["Dawn", 90]


def test_names_are_read_as_they_are_and_not_as_html(nowhere):
    name, folder = "<b>&amp;</b><img src=x>", "&File <i>"
    seen = play("browser", "names", nowhere, name=name, folder=folder)
    assert seen["tooltip"] == f"{name}\nin {folder}\n{name}"
    assert seen["menu"] == ["&&File <i>", "<b>&&amp;</b><img src=x>"]
    assert seen["words"] == name and f"“{name}”" in seen["question"]
    assert seen["status"] == [["PlainText", name]]


def test_too_old_python_is_said_in_the_docker_and_copied(complete, nowhere):
    (complete / "daemon_client.py").unlink()
    words, copied = play("fallback_docker", "too_old", nowhere, plugins=complete.parent)
    assert words.startswith("Impasto needs a Krita with Python 3.10 or newer")
    assert "error: SyntaxError: invalid syntax" in copied


def test_what_is_transparent_where_it_is_selected_is_known(environment):
    right, asked = play("alphas", "looked_at", environment)
    assert right == asked > 40


def test_krita_is_asked_for_no_more_bytes_than_it_counts(nowhere):
    """Of the layer's own numbers, of what is sent, or of a layer for the painting."""
    rgba, cmyk, deep = ("RGBA", "U8"), ("CMYKA", "U16"), ("CMYKA", "F32")
    cases = [
        ((32768, 16383), rgba, rgba, True), ((32768, 16384), rgba, rgba, False),
        ((37410, 14351), rgba, rgba, False),  # 2 GiB but for 8 bytes
        ((14000, 14000), cmyk, rgba, True), ((16000, 16000), cmyk, rgba, False),
        ((10000, 10000), rgba, deep, True), ((11000, 10000), rgba, deep, False),
    ]  # fmt: skip
    asked = play("sizes", "asked_for", nowhere, cases=[case[:-1] for case in cases])
    assert asked == [case[-1] for case in cases]
