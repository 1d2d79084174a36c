"""Which editors were tested where: the README's table, out of the reports of runs.

    uv run pytest tests/hosts --every-editor --junitxml=run.xml
    uv run python tests/hosts/tested.py run.xml

An hour on two cores. Runs of a part each may be given together, and a test that is in two of them
counts as it ended in the last; where one did not pass there is no table.
"""

import itertools
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

PAGE = Path(__file__).resolve().parents[2] / "README.md"
HEAD = "| | version | on | tests passed | ended |\n|-|-|-|-|-|\n"


def passed(reports):
    """Pairs of a test's editor, as cells of the table, and the day of its run."""
    ended = {}
    for report in reports:
        for suite in ElementTree.parse(report).iter("testsuite"):
            day = suite.get("timestamp", "")[:10]
            for case in suite.iter("testcase"):
                if case.find("skipped") is None:
                    ended[case.get("classname"), case.get("name")] = case, day
    for case, day in ended.values():
        if any(case.find(end) is not None for end in ("failure", "error")):
            raise SystemExit(f"{case.get('name')} did not pass.")
        for told in case.findall("properties/property[@name='editor']"):
            yield told.get("value"), day


def table(reports):
    """The table of what reports of pytest tell."""
    days, counts = {}, Counter()
    for editor, day in passed(reports):
        counts[editor] += 1
        days[editor] = max(day, days.get(editor, ""))
    rows = (f"| {editor} | {counts[editor]} | {days[editor]} |\n" for editor in sorted(counts))
    return HEAD + "".join(rows)


def replaced(text, new):
    """A page with another table in the place of its own."""
    before, _, after = text.partition(HEAD)
    rest = itertools.dropwhile(lambda line: line.startswith("|"), after.splitlines(keepends=True))
    return before + new + "".join(rest)


if __name__ == "__main__":
    PAGE.write_text(
        replaced(PAGE.read_text(encoding="utf-8"), table(sys.argv[1:])), encoding="utf-8"
    )
