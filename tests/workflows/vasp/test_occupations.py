"""Occupation matrices of t2g holes: read as the patch reads them, they hold electrons and orbital of each ion."""

import numpy as np
import pytest
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.ase.atoms import to_atoms
from magnetoionics.workflows.evaluation.guards import open_t2g_shells
from magnetoionics.workflows.evaluation.t2g_orbitals import charge_field_t2g, octahedron_axes, shell_rotation

pytest.importorskip("atomate2")


def read(text):
    """Ion, spin up and spin down, in the order in which the patch's Fortran reads lines."""
    lines = iter(text.splitlines())
    out = {}
    for _ in range(int(next(lines))):
        ion, momentum, spins = map(int, next(lines).split())
        assert (momentum, spins) == (2, 2)
        pair = []
        for _ in range(spins):
            next(lines)
            pair.append(np.array([[float(x) for x in next(lines).split()] for _ in range(5)]))
        out[ion] = pair
    assert next(lines, None) is None
    return out


def test_matrices_hold_seven_electrons_and_the_wanted_hole():
    from magnetoionics.workflows.vasp.occupations import matrices_of, three_starts
    from magnetoionics.workflows.vasp.order import block_order

    cell = get_host("cofe2o4").structure("Imma")
    starts = three_starts(cell)
    assert len(starts) == 3
    order, atoms = block_order(cell), to_atoms(cell)
    for start in starts:
        found = read(matrices_of(cell, start))
        assert sorted(order[n - 1] for n in found) == sorted(open_t2g_shells(cell))
        for n, (up, down) in found.items():
            site = order[n - 1]
            if cell[site].properties["magmom"] < 0:
                up, down = down, up
            assert np.trace(up) == pytest.approx(5.0)
            assert np.trace(down) == pytest.approx(2.0, abs=1e-5)
            t2g = shell_rotation(octahedron_axes(atoms, site))[:, [1, 3, 0]]
            wanted = np.eye(3) - np.outer(start[site], start[site])
            assert np.allclose(t2g.T @ down @ t2g, wanted, atol=2e-6)
    for site in starts[0]:
        rows = np.array([start[site] for start in starts])
        assert np.allclose(rows @ rows.T, np.eye(3))


def test_starts_have_the_symmetry_of_the_site():
    """Co of Imma has a twofold axis across the chain: one orbital is odd under it, (1, -1, 0) of yz and xz."""
    from magnetoionics.workflows.vasp.occupations import three_starts

    cell = get_host("cofe2o4").structure("Imma")
    found = [
        max(abs(s[i] @ np.array([1, -1, 0])) / np.sqrt(2) for s in three_starts(cell)) for i in three_starts(cell)[0]
    ]
    other = [
        max(abs(s[i] @ np.array([1, 1, 0])) / np.sqrt(2) for s in three_starts(cell)) for i in three_starts(cell)[0]
    ]
    assert np.allclose(np.maximum(found, other), 1.0, atol=1e-6)


def test_a_charge_on_an_axis_splits_the_orbital_across_it():
    near = charge_field_t2g([[0, 0, 3.0]], [2.0], np.eye(3))
    assert np.allclose(near, np.diag(np.diag(near)))
    yz, xz, xy = np.diag(near)
    assert yz == pytest.approx(xz)
    assert xy == pytest.approx(-2 * yz)


def test_an_ion_without_an_open_shell_is_refused():
    from magnetoionics.workflows.vasp.occupations import matrices_of, three_starts

    cell = get_host("cofe2o4").structure("Imma")
    iron = next(i for i, s in enumerate(cell) if s.specie.symbol == "Fe")
    with pytest.raises(ValueError, match="no open t2g shell"):
        matrices_of(cell, {iron: [1.0, 0.0, 0.0]})
    assert three_starts(get_host("life5o8").structure()) == []
