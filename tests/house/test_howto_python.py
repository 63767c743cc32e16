"""The page on Python runs block by block, as a reader would paste it; every Maker that it lists is where it says."""

import importlib
import re

import pytest

PAGE = "howto_python.md"


@pytest.fixture
def page(repository):
    return (repository / "docs" / PAGE).read_text(encoding="utf-8")


@pytest.mark.usefixtures("no_figures")
def test_blocks_run_in_order(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {}
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(blocks) > 5
    for block in blocks:
        if "vasp" in block and not importlib.util.find_spec("atomate2"):
            exec("from magnetoionics import MagnetoionicStudyMaker, get_engine", names)
            continue
        exec(compile(block, PAGE, "exec"), names)
    assert names["again"] == names["study"]
    assert len(list(names["flow"].iterflow())) > 5
    assert "EMT" in capsys.readouterr().out


def test_makers_are_where_the_table_says(page):
    rows = re.findall(r"^\| (`\w+Maker`(?:, `\w+Maker`)*) \|[^|]*\| (.*?) \|$", page, re.MULTILINE)
    assert len(rows) > 10
    for makers, modules in rows:
        places = re.findall(r"`([\w.]+)`", modules)
        for maker, place in zip(re.findall(r"\w+", makers), places, strict=True):
            home = "workflows.flows" + place if place.startswith(".") else place
            assert hasattr(importlib.import_module(f"magnetoionics.{home}"), maker), maker
