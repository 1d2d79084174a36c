"""Twenty programs that start a daemon at once, again and again: one daemon, and all are served.

    python tests/proofs/starts.py [--rounds 500] [--programs 20]

Half of them say `daemon start`, the others ask for the styles, which starts one too. In every
other round the daemon before was killed, so that its lock, its socket and its file lie about. On
two cores about ten seconds a round. Ends with 1 at the first thing that is not so. Linux only.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from home import LONGEST_S, Home


def main() -> None:
    """Print how many rounds have passed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--programs", type=int, default=20)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="impasto-") as folder:
        home = Home(Path(folder))
        home.check("daemon", "stop")
        for number in range(1, arguments.rounds + 1):
            start_at_once(home, arguments.programs)
            (daemon,) = home.processes()["daemon"]
            if number % 2 and number < arguments.rounds:
                daemon.kill()
                daemon.wait(LONGEST_S)
            else:
                home.check("daemon", "stop")
            if number % 20 == 0 or number == arguments.rounds:
                print(f"{number} rounds of {arguments.programs} programs", flush=True)
        assert not home.left(), home.left()


def start_at_once(home: Home, programs: int) -> None:
    """Every program ends well, and by then one daemon is there."""
    commands = [("daemon", "start"), ("style", "list")]
    started = [home.start(*commands[number % 2]) for number in range(programs)]
    for program in started:
        _, said = program.communicate(timeout=LONGEST_S)
        assert program.returncode == 0, said


if __name__ == "__main__":
    main()
