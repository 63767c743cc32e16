"""Small studies give the numbers that are kept in tests/golden, each of them."""

from copy import deepcopy

import pytest
from golden import ON_THE_WAY, STUDIES, against_kept, compare, computed

FIX = "read the differences, then: python tests/builders/golden.py write"


@pytest.mark.slow
@pytest.mark.parametrize("name", STUDIES)
@pytest.mark.usefixtures("no_figures")
def test_no_number_changes_unseen(name, tmp_path):
    found = against_kept(name, computed(name, tmp_path / "study"))
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
    on_the_way = {"hop": {"images": [1.0], "checks": [{"value": 2.0, "limit": 3.0}], "note": "holds to 1.1e-11 meV"}}
    other = {"hop": {"images": [], "checks": [{"value": 2.1, "limit": 3.0}], "note": "holds to 5.8e-12 meV"}}
    assert compare(on_the_way, other, skipped=ON_THE_WAY).same_numbers
    assert not compare(on_the_way, other).same_numbers
    other["hop"]["checks"][0]["limit"] = 4.0
    assert list(compare(on_the_way, other, skipped=ON_THE_WAY).changed) == [".hop.checks[0].limit"]
    other["hop"]["note"] = "holds to 1.1e-2 meV"
    assert ".hop.note" in compare(on_the_way, other, skipped=ON_THE_WAY).changed
    changed = deepcopy(old)
    changed["hop"]["sites"][1] = -2.0
    assert compare(old, changed).changed == {".hop.sites[1]": (2.0, -2.0)}
    del changed["K"]
    assert compare(old, changed).gone == [".K"]
    shorter = deepcopy(old)
    shorter["hop"]["sites"].pop()
    assert not compare(old, shorter).same_numbers


def test_barriers_are_held_closer_than_the_rest():
    old = {"forward_eV": 1.6, "retention_s": 1e102}
    for key, within, beyond in (("forward_eV", 1.6012, 1.602), ("retention_s", 1.005e102, 1.007e102)):
        assert compare(old, old | {key: within}, relative=6e-3).same_numbers
        assert list(compare(old, old | {key: beyond}, relative=6e-3).changed) == [f".{key}"]
        assert compare(old, old | {key: old[key] * (1 + 1e-5)}, relative=1e-6).changed
