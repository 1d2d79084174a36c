"""The proofs that take hours, each for some seconds: they must be able to run, and to pass."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.integration.conftest import ONE_THREAD

PROOFS = Path(__file__).parents[1] / "proofs"


@pytest.mark.parametrize(
    "command",
    [
        ("kills.py", "--kills", "1"),
        ("starts.py", "--rounds", "2", "--programs", "10"),
        ("load.py", "--minutes", "0.05", "--clients", "8"),
        ("soak.py", "soak", "--jobs", "10", "--faults", "0.4"),
    ],
    ids=lambda command: command[0],
)
def test_proof_passes_in_short(command, tmp_path):
    program, *options = command
    ended = subprocess.run(
        [sys.executable, PROOFS / program, *options],
        cwd=tmp_path, env={**os.environ, **ONE_THREAD}, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout
