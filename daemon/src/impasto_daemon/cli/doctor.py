"""`impasto doctor`: what is amiss, what to do about it, and doing it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from impasto_daemon import checkup
from impasto_daemon.bundle import write_bundle
from impasto_daemon.checkup import Finding, Patient
from impasto_daemon.cli.show import console, tell
from impasto_daemon.editors import editors
from impasto_protocol.connection import program
from impasto_protocol.errors import ImpastoError

_CHECKS: tuple[Callable[[Patient], Iterator[Finding]], ...] = (
    checkup.installation, checkup.environment, checkup.disk, checkup.torch,
    checkup.trained_network, checkup.connection, checkup.daemon, checkup.versions, editors,
)  # fmt: skip
_MARKS = {True: "[green]✓[/]", False: "[red]✗[/]", None: "[yellow]·[/]"}


@click.command()
@click.option("--fix", is_flag=True, help="Repair what can be repaired.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
@click.option(
    "--bundle", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.zip",
    help="Write all of it for a bug report, without pictures, names and paths of yours.",
)  # fmt: skip
def doctor(fix: bool, as_json: bool, bundle: Path | None) -> None:
    """Look whether everything is as it must be; exits with 1 if something is not."""
    findings: list[Finding] = []
    mended: list[Finding] = []
    for check in _CHECKS:
        for finding in _examine(check, mended, fix=fix):
            findings.append(finding)
            if not as_json:
                _show(finding)
    if bundle:
        write_bundle(bundle, Patient.here(), [*mended, *findings])
    if as_json:
        tell(True, {"findings": [_plain(f) for f in findings],
                    "mended": [_plain(f) for f in mended]}, "")  # fmt: skip
    else:
        for finding in mended:
            console.print(f"Mended: {finding.words}", markup=False)
        if bundle:
            console.print(f"For the bug report: {bundle}", markup=False)
    if any(finding.good is False for finding in findings):
        sys.exit(1)


def _examine(
    check: Callable[[Patient], Iterator[Finding]], mended: list[Finding], *, fix: bool
) -> Iterator[Finding]:
    """What a check finds; with `fix` once more after what could be mended was."""
    found = list(check(Patient.here()))
    broken = [finding for finding in found if finding.good is False and finding.mend]
    if not (fix and broken):
        yield from found
        return
    for finding in broken:
        assert finding.mend
        try:
            finding.mend()
            mended.append(finding)
            if check is checkup.installation:
                # What was put back is the environment that this runs in.
                os.execv(program()[0], [*program(), *sys.argv[1:]])
        except (ImpastoError, OSError) as error:
            yield Finding(finding.check, False, f"It could not be mended: {error}")
    yield from check(Patient.here())


def _show(finding: Finding) -> None:
    console.print(f"{_MARKS[finding.good]} [bold]{finding.check}[/]  ", end="")
    console.print(finding.words, markup=False)
    if finding.next_step:
        console.print(f"    {finding.next_step}", markup=False)


def _plain(finding: Finding) -> dict[str, object]:
    return {
        "check": finding.check, "good": finding.good, "words": finding.words,
        "next_step": finding.next_step, "can_be_mended": finding.mend is not None,
    }  # fmt: skip
