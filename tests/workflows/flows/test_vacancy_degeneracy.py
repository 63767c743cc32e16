"""Degeneracy of a relaxed vacancy: where an ion left its site it is one, and the vacancy stays in the results."""

from types import SimpleNamespace

import pytest
from magnetoionics.structures.defects.vacancies import remove_site
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.flows import vacancies


def relaxed(cell):
    return SimpleNamespace(structure=cell.copy(), total_moment_muB=2.0)


def test_an_ion_that_left_its_site_counts_once(monkeypatch):
    whole = get_host("nio").structure()
    bare = remove_site(whole, next(i for i, s in enumerate(whole) if s.specie.symbol == "Ni"))
    host = SimpleNamespace(structure=whole)
    assert vacancies._degeneracy(host, relaxed(bare), []) >= 1

    def left(*_):
        raise ValueError("an ion left its site")

    monkeypatch.setattr(vacancies, "orientations", left)
    assert vacancies._degeneracy(host, relaxed(bare), []) == pytest.approx(1.0)
