"""The README's table of the editors that were tested, and the program that writes it."""

import pytest
from tests.hosts.gimp.conftest import DEBIANS
from tests.hosts.krita.conftest import PYTHONS
from tests.hosts.tested import HEAD, PAGE, replaced, table

REPORT = """<testsuites><testsuite timestamp="2026-11-{day}T07:00:00+00:00">
<testcase name="one"><properties><property name="editor" value="GIMP | 3.2.6 | Debian" />
</properties></testcase><testcase name="of no editor" /><testcase name="{test}"><properties>
<property name="editor" value="GIMP | 3.2.6 | Debian" /></properties>{end}</testcase>
</testsuite></testsuites>"""


@pytest.fixture
def report(tmp_path):
    def write(day="27", end="", test="two"):
        file = tmp_path / f"{day}.xml"
        file.write_text(REPORT.format(day=day, end=end, test=test))
        return file

    return write


def test_passed_tests_of_several_runs_are_counted_together(report):
    written = table([report("27"), report("28", test="three"), report("26", "<skipped />", "four")])
    assert written == HEAD + "| GIMP | 3.2.6 | Debian | 3 | 2026-11-28 |\n"
    for old in ("", "| Krita | 4.4 | here | 1 | 2020-01-01 |\n"):
        page = f"before\n\n{HEAD}{old}\nafter\n\nend\n"
        assert replaced(page, written) == f"before\n\n{written}\nafter\n\nend\n"


@pytest.mark.parametrize("end", ["<failure />", "<error />"])
def test_run_in_which_a_test_did_not_pass_is_refused_until_it_has_passed(report, end):
    failed = report(end=end)
    with pytest.raises(SystemExit, match="two did not pass"):
        table([failed])
    assert "| 2 | 2026-11-28 |" in table([failed, report("28")])


def test_readme_tells_of_every_version_that_the_tests_know():
    text = PAGE.read_text(encoding="utf-8")
    rows = text.partition(HEAD)[2].partition("\n\n")[0].splitlines()
    told = {tuple(cell.strip() for cell in row.split("|")[1:3]) for row in rows}
    for editor, versions in (("GIMP", DEBIANS), ("Krita", PYTHONS)):
        found = {version[:3] for name, version in told if name == editor}
        assert found == set(versions)
