"""Small studies give the numbers that are kept in tests/golden, each of them."""

from copy import deepcopy

import pytest
from golden import STUDIES, compare, computed, kept

# Rounding of another machine's BLAS, amplified by a relaxation; anything that a physicist means is larger.
RELATIVE, ABSOLUTE = 1e-6, 1e-7
FIX = "read the differences, then: python tests/builders/golden.py write"


@pytest.mark.slow
@pytest.mark.parametrize("name", STUDIES)
def test_no_number_changes_unseen(name, tmp_path):
    found = compare(kept(name), computed(name, tmp_path / "study"), relative=RELATIVE, absolute=ABSOLUTE)
    assert found.numbers > 1000
    assert found.same_numbers, "\n".join([*found.lines(), FIX])


def test_every_kind_of_change_is_told_apart():
    old = {"hop": {"barrier_eV": 0.7, "sites": [1.0, 2.0]}, "timings": {"total": 1.0}, "note": "as built", "K": 1.0}
    new = deepcopy(old) | {"timings": {"total": 9.0}, "extra": []}
    assert compare(old, new).new == [".extra"]
    assert compare(old, new).same_numbers
    new["jump"] = new.pop("hop")
    renamed = compare(old, new)
    assert renamed.renamed == {".hop": "jump"}
    assert renamed.same_numbers
    new["jump"]["barrier_eV"] += 1e-15
    assert compare(old, new).gone == [".hop"]
    changed = deepcopy(old)
    changed["hop"]["sites"][1] = -2.0
    assert compare(old, changed).changed == {".hop.sites[1]": (2.0, -2.0)}
    del changed["K"]
    assert compare(old, changed).gone == [".K"]
    shorter = deepcopy(old)
    shorter["hop"]["sites"].pop()
    assert not compare(old, shorter).same_numbers
