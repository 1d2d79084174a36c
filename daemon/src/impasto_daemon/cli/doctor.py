"""`impasto doctor`: what is amiss, what to do about it, and doing it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import click

from impasto_daemon.cli.output import console, print_result
from impasto_daemon.doctor import checkup, daemon_check
from impasto_daemon.doctor.bundle import write_bundle
from impasto_daemon.doctor.checkup import Finding, Installation
from impasto_daemon.doctor.editors import check_editors
from impasto_daemon.doctor.known_bad import check_known_bad
from impasto_daemon.files import check_place, write_named
from impasto_protocol.connection import impasto_command
from impasto_protocol.errors import ImpastoError

_CHECKS: tuple[Callable[[Installation], Iterator[Finding]], ...] = (
    checkup.check_installation, checkup.check_settings, checkup.check_environment,
    check_known_bad, checkup.check_disk, checkup.check_torch, checkup.check_trained_network,
    daemon_check.check_connection, daemon_check.check_daemon, checkup.check_versions, check_editors,
)  # fmt: skip
_MARKS = {True: ("✓", "green"), False: ("✗", "red"), None: ("·", "yellow")}


@click.command()
@click.option("--fix", is_flag=True, help="Repair what can be repaired.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
@click.option(
    "--bundle", type=click.Path(path_type=Path), metavar="FILE.zip",
    help="Write all of it for a bug report, without pictures, names and paths of yours.",
)  # fmt: skip
def doctor(fix: bool, as_json: bool, bundle: Path | None) -> None:
    """Look whether everything is as it must be; exits with 1 if something is not."""
    if bundle:
        check_place(bundle)
    findings: list[Finding] = []
    mended: list[Finding] = []
    for check in _CHECKS:
        for finding in _examine(check, mended, fix=fix):
            findings.append(finding)
            if not as_json:
                _show(finding)
    if bundle:
        content = BytesIO()
        write_bundle(content, Installation.here(), [*mended, *findings])
        write_named(bundle, content.getvalue())
    if as_json:
        print_result(True, {"findings": [_plain(f) for f in findings],
                    "mended": [_plain(f) for f in mended]}, "")  # fmt: skip
    else:
        for finding in mended:
            console.print(f"Mended: {finding.words}")
        if bundle:
            console.print(f"For the bug report: {bundle}")
    if any(finding.good is False for finding in findings):
        sys.exit(1)


def _examine(
    check: Callable[[Installation], Iterator[Finding]], mended: list[Finding], *, fix: bool
) -> Iterator[Finding]:
    """What a check finds; with `fix` once more after what could be mended was."""
    found = list(_look(check))
    broken = [finding for finding in found if finding.good is False and finding.mend]
    if not (fix and broken):
        yield from found
        return
    failed = []
    for finding in broken:
        assert finding.mend
        try:
            finding.mend()
            if check is checkup.check_installation:
                # What was put back is the environment that this runs in.
                again = subprocess.run([*impasto_command(), *sys.argv[1:]], check=False)
                sys.exit(again.returncode)
        except (ImpastoError, OSError) as error:
            failed.append(finding)
            yield Finding(finding.check, False, f"It could not be mended: {error}")
    left = list(_look(check))
    still = {(finding.check, finding.words) for finding in left}
    mended += [f for f in broken if f not in failed and (f.check, f.words) not in still]
    yield from left


def _look(check: Callable[[Installation], Iterator[Finding]]) -> Iterator[Finding]:
    """What a check finds; that it fails is a finding too."""
    try:
        yield from check(Installation.here())
    except (ImpastoError, OSError) as error:
        next_step = getattr(error, "next_step", "See that this place can be read.")
        name = check.__name__.removeprefix("check_").replace("_", " ")
        yield Finding(name, False, str(error), next_step)


def _show(finding: Finding) -> None:
    mark, colour = _MARKS[finding.good]
    console.print(mark, style=colour, end=" ")
    console.print(finding.check, style="bold", end="  ")
    console.print(finding.words)
    if finding.next_step:
        console.print(f"    {finding.next_step}")


def _plain(finding: Finding) -> dict[str, object]:
    return {
        "check": finding.check, "good": finding.good, "words": finding.words,
        "next_step": finding.next_step, "can_be_mended": finding.mend is not None,
    }  # fmt: skip
