"""`impasto daemon`: the process that paints."""

from __future__ import annotations

import sys
import time
from typing import Any

import click
from rich.table import Table

from impasto_daemon import service
from impasto_daemon.cli.options import given, options_of
from impasto_daemon.cli.output import answer_as_dict, console, json_option, print_result
from impasto_daemon.config import COMMAND_LINE, ENVIRONMENT, Config, load_config
from impasto_daemon.logs import written
from impasto_daemon.paths import Paths
from impasto_protocol.connection import daemon_is_running
from impasto_protocol.errors import UnknownJob


@click.group()
def daemon() -> None:
    """Start, stop and look after the daemon."""


@daemon.command()
@options_of(Config)
def run(**options: Any) -> None:
    """Be the daemon, in the foreground, until stopped."""
    paths = Paths.of()
    service.run(lambda: load_config(paths.config, options=options).config, paths)


@daemon.command()
@json_option
@options_of(Config)
def start(as_json: bool, **options: Any) -> None:
    """Start the daemon in the background; one that runs stays as it is, whatever is given."""
    paths = Paths.of()
    configured = load_config(paths.config, options=options)
    if configured.origin["weights"] in (ENVIRONMENT, COMMAND_LINE):
        options["weights"] = configured.config.weights  # a path as it is from here
    running = daemon_is_running(paths.runtime)
    pid = service.start(_as_arguments(given(options)), paths)
    text = f"The daemon is running{' already' if running else ''} (process {pid})."
    print_result(as_json, {"pid": pid, "started": not running}, text)


@daemon.command()
@json_option
def stop(as_json: bool) -> None:
    """Stop the daemon; the jobs it has are cancelled."""
    stopped = service.stop(Paths.of())
    text = "The daemon has stopped." if stopped else "No daemon was running."
    print_result(as_json, {"stopped": stopped}, text)


@daemon.command()
@json_option
def status(as_json: bool) -> None:
    """Say whether the daemon runs, and what it is doing."""
    from impasto_protocol.client import Client
    from impasto_protocol.messages import Report, Status

    with Client.connect(name="impasto daemon status", start=False) as client:
        report, _ = client.ask(Status())
    assert isinstance(report, Report)

    def table() -> None:
        console.print(
            f"Running for {report.uptime_s:.0f} s (process {report.pid}), worker {report.worker}.\n"
            f"Device: {report.device or 'not known yet'}\n"
            f"Weights: {report.weights or 'none loaded'}"
        )
        if report.refused:
            console.print(f"Refused: {report.refused}, by connections without an allowed key.")
        rows = Table("job", "client", "state", "step", box=None)
        for job in report.jobs:
            step = (
                f"baking {job.bakes}, {job.share:.0%}" if job.bakes else f"{job.step} of {job.of}"
            )
            rows.add_row(job.job[:8], job.client, job.state, step)
        if report.jobs:
            console.print(rows)

    print_result(as_json, answer_as_dict(report), table)


@daemon.command()
@click.argument("job")
@click.option("--keep", is_flag=True, help="Have it end with the picture as it stands.")
@json_option
def cancel(job: str, keep: bool, as_json: bool) -> None:
    """End JOB, as `impasto daemon status` calls it, be it an editor's."""
    from impasto_protocol.client import Client
    from impasto_protocol.messages import Report, Status

    def jobs() -> dict[str, str]:
        report, _ = client.ask(Status())
        assert isinstance(report, Report)
        return {info.job: info.state for info in report.jobs if info.job.startswith(job)}

    with Client.connect(name="impasto daemon cancel", start=False) as client:
        found = jobs()
        if len(found) != 1:
            raise UnknownJob(
                f"There are {len(found)} jobs that begin with {job!r}.",
                next_step="See `impasto daemon status`.",
            )
        (whole,) = found
        client.cancel(whole, keep=keep)
        state = jobs().get(whole, "gone")
    print_result(as_json, {"job": whole, "state": state}, f"{whole[:8]} is {state}.")


@daemon.command()
@click.option(
    "--lines",
    type=click.IntRange(1),
    default=40,
    show_default=True,
    help="How many of the last lines.",
)
@click.option("--follow", is_flag=True, help="Go on as more is written, until Ctrl-C.")
def logs(lines: int, follow: bool) -> None:
    """Print the end of the daemon's log."""
    file = Paths.of().log
    console.print(f"{file}", style="dim")
    for text in written(file, lines):
        print(text, end="", flush=True)
        if not follow or getattr(sys.stdout, "refusal", None):  # nobody reads on
            return
        time.sleep(0.5)


def _as_arguments(options: dict[str, Any]) -> list[str]:
    arguments = []
    for name, value in options.items():
        option = name.replace("_", "-")
        if isinstance(value, bool):
            arguments.append(f"--{option}" if value else f"--no-{option}")
        else:
            text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
            arguments += [f"--{option}", text]
    return arguments
