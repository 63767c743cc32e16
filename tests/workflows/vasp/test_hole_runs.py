"""Three finished runs with t2g holes are read back: what went into the matrices comes out, and no held run counts."""

from types import SimpleNamespace

import numpy as np
import pytest
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.ase.atoms import to_atoms
from magnetoionics.workflows.evaluation.guards import open_t2g_shells
from magnetoionics.workflows.evaluation.t2g_orbitals import (
    OPEN_SHELLS,
    HoleNotFoundError,
    octahedron_axes,
    shell_rotation,
    start_occupations,
)

pytest.importorskip("atomate2")

from magnetoionics.workflows.vasp import hole_runs
from magnetoionics.workflows.vasp.occupations import three_starts
from magnetoionics.workflows.vasp.order import block_order

SOURCE = Provenance(engine="vasp", level_of_theory="VASP")
# Of the cell, eV: Co of Imma at 0, 80 and 115 meV each.
ABOVE_meV = (0.0, 80.0, 115.0)


@pytest.fixture(scope="module")
def cell():
    return get_host("cofe2o4").structure("Imma")


def rows(matrix):
    return "\n".join(" ".join(f"{x:8.4f}" for x in row) for row in matrix)


def outcar(cell, orbitals):
    """The occupations as VASP prints them, iron's and an earlier iteration's included."""
    shells, atoms, order = open_t2g_shells(cell), to_atoms(cell), block_order(cell)
    text = ""
    for iteration in (1, 2):
        for n, site in enumerate(order):
            if cell[site].specie.symbol == "O":
                continue
            if site in shells:
                hole = orbitals[site] if iteration == 2 else np.array([1.0, 0.0, 0.0])
                axes = octahedron_axes(atoms, site)
                pair = start_occupations(hole, axes, OPEN_SHELLS[shells[site]])
                # Covalency puts some of the ligands' electrons into e_g, so that its orbitals are no hole.
                t2g = shell_rotation(axes)[:, [1, 3, 0]]
                pair[1] += 0.25 * (np.eye(5) - t2g @ t2g.T)
            else:
                pair = np.array([np.eye(5), 0.1 * np.eye(5)])
            if cell[site].properties["magmom"] < 0:
                pair = pair[::-1]
            text += f"\n atom = {n + 1:4d}  type =  1  l =  2\n\n onsite density matrix\n\n"
            for s, matrix in enumerate(pair, start=1):
                text += f"spin component  {s}\n\n{rows(matrix)}\n\n"
            text += f" occupancies and eigenvectors\n\n o = 0.9 v = {rows(np.eye(5))}\n"
    return text


@pytest.fixture
def runs(cell, monkeypatch):
    """Three folders by name; what each holds can be changed."""
    order, count = block_order(cell), len(open_t2g_shells(cell))
    moments = [float(cell[site].properties["magmom"]) for site in order]
    starts = three_starts(cell)
    made = {
        f"hole_{n}": SimpleNamespace(
            incar={}, site_moments_muB=moments, energy_eV=-300.0 + 1e-3 * count * ABOVE_meV[n], folder="", reasons=[]
        )
        for n in range(3)
    }
    texts = {f"hole_{n}": outcar(cell, starts[n]) for n in range(3)}
    monkeypatch.setattr(hole_runs, "run_in", lambda folder: made[folder.name])
    monkeypatch.setattr(hole_runs, "run_text", lambda folder, name: texts[folder.name])
    return SimpleNamespace(made=made, texts=texts, starts=starts)


def read(cell, folders=("hole_0", "hole_1", "hole_2")):
    return hole_runs.orbital_state_of_runs(
        folders, cell, spin_orbit_meV=38.6, spin_orbit_source="of this test", provenance=SOURCE
    )


def test_holes_and_energies_come_back(cell, runs):
    found = read(cell)
    assert len(found.fields) == 8
    for field in found.fields:
        # Of the cell, divided by the ions that were moved together.
        assert field.energies_meV == pytest.approx(ABOVE_meV)
        for n, hole in enumerate(field.holes):
            assert abs(np.dot(hole, runs.starts[n][field.site])) == pytest.approx(1.0, abs=1e-3)
    assert all(c.passed for c in found.checks)
    # K1 of such energies is some MJ/m3, with <100> easy, and L about 0.45 muB: orbital_state in any engine.
    plain = next(c for c in found.constants if c.temperature_K == 0 and c.orbital_reduction == 1)
    assert 1.0 < plain.K1_MJ_per_m3 < 6.0
    assert 0.3 < plain.orbital_moment_100_muB < 0.7


def test_a_run_that_still_holds_its_matrices_counts_for_nothing(cell, runs):
    runs.made["hole_1"].incar = {"OCCEXT": 1}
    with pytest.raises(HoleNotFoundError, match="hole_1 still holds"):
        read(cell)


def test_two_runs_in_one_state_fail_a_check(cell, runs):
    runs.texts["hole_1"] = runs.texts["hole_0"]
    with pytest.raises(ValueError, match="overlap"):
        read(cell)


def test_what_is_missing_is_said(cell, runs):
    with pytest.raises(ValueError, match="takes 3 runs, not 2"):
        read(cell, ("hole_0", "hole_1"))
    runs.texts["hole_2"] = "nothing"
    with pytest.raises(HoleNotFoundError, match="prints no occupations"):
        read(cell)
    with pytest.raises(ValueError, match="no ion of this cell"):
        read(get_host("life5o8").structure())


def test_matrices_of_other_shells_and_broken_ones_are_left_out():
    f_shell = " atom = 1 type = 1 l = 3\n\n onsite density matrix\n\nspin component  1\n\n" + "0 " * 7 + "\n"
    assert hole_runs.last_occupations(f_shell) == {}
    cut = f" atom = 2 type = 1 l = 2\n\n onsite density matrix\n\nspin component  1\n\n{rows(np.eye(5))}\n"
    assert hole_runs.last_occupations(cut) == {}
