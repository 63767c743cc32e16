"""Tables of the terminal: names that must be typed and numbers are whole at every width."""

import io

import pytest
from magnetoionics.hpc.printing.tables import print_hosts
from magnetoionics.hpc.terminal import Console
from magnetoionics.hpc.terminal_table import TerminalTable
from magnetoionics.structures.host import host_keys

ROWS = [
    ("zn095co005o", "Zn19CoO20, a long sentence about it", "-12345.678901", "V_Zn(cation), V_O(anion)"),
    ("a_much_longer_key_than_most_of_the_others", "short", "0.5", ""),
]


def printed(width, show):
    out = io.StringIO()
    show(Console(file=out, width=width, color_system=None))
    return out.getvalue()


@pytest.mark.parametrize("width", [30, 44, 60, 80, 100, 160])
def test_keys_and_numbers_are_never_cut(width):
    table = TerminalTable("host", "what it is", "energy (eV per cell)", "vacancies", title="all of them")
    for row in ROWS:
        table.add_row(*row)
    text = printed(width, lambda console: console.print(table))
    assert "…" not in text
    assert max(len(line) for line in text.splitlines()) <= max(width, 1)
    for key, _, number, _ in ROWS:
        # A key longer than the terminal is folded, and by nothing but the terminal's edge.
        assert key in text or (len(key) > width and key in text.replace("\n", ""))
        assert number in text
    words = " ".join(ROWS[0][1].split() + ROWS[0][3].split())
    assert all(word in text or len(word) > 12 for word in words.split())


@pytest.mark.parametrize("width", [40, 80, 200])
def test_hosts_are_listed_by_the_names_that_one_types(width):
    text = printed(width, print_hosts)
    assert [key for key in host_keys() if key not in text] == []
    assert "…" not in text


def test_wide_terminal_gets_a_table_and_a_narrow_one_blocks():
    def show(console):
        table = TerminalTable("host", "moment", "note", "more")
        table.add_row("cofe2o4", "3", "one two three", "four five six")
        console.print(table)

    assert "┃" in printed(60, show)
    narrow = printed(24, show)
    assert "┃" not in narrow
    assert "  moment: 3" in narrow
