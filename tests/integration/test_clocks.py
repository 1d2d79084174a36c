"""The wall clock is set by a day while jobs run and wait: nothing that counts takes notice."""

from datetime import date, timedelta

from tests.conftest import GRAM
from tests.integration.conftest import painting

from impasto_protocol import messages
from impasto_protocol.settings import Settings

DAY_S = 24 * 3600
LONG = Settings(iterations=25, tolerance=0, scales=1, **GRAM)
QUICK = Settings(iterations=2, tolerance=0, scales=1, **GRAM)

SHIFTED = """
import time
from pathlib import Path
real, by = time.time, Path({by!r})
time.time = lambda: real() + float(by.read_text())
"""


def test_wall_clock_that_is_set_while_jobs_run_and_wait(own_daemon, picture, tmp_path):
    by = tmp_path / "by"
    by.write_text("0")
    (tmp_path / "sitecustomize.py").write_text(SHIFTED.format(by=str(by)))
    daemon = own_daemon(PYTHONPATH=str(tmp_path))
    with daemon.connect() as client:
        running = client.stylise(picture(48, 48), picture(seed=1), LONG)
        waiting = client.stylise(picture(), picture(seed=1), QUICK)
        painting(running)
        by.write_text(str(DAY_S))
        assert running.result()[0].steps == 25
        by.write_text(str(-DAY_S))
        assert waiting.result()[0].steps == 2
        client._transport.send([b"\xc1"])  # which is logged
        report, _ = client.ask(messages.Status())
        assert 0 < report.uptime_s < 600
    log = daemon.log()
    days = {line[:10] for line in log.splitlines()}
    assert str(date.today() - timedelta(days=1)) in days  # so that the clock was another
    assert " is gone" not in log and "is idle" not in log
