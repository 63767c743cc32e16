"""Three finished runs with t2g holes are read back: what went into the matrices comes out, and no held run counts."""

import gzip
import re
from types import SimpleNamespace

import numpy as np
import pytest
from ase.io import read as read_atoms
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
from pymatgen.io.vasp import Outcar

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


def block(ion, *spins):
    parts = "".join(f"spin component  {n}\n\n{text}\n\n" for n, text in enumerate(spins, start=1))
    return f"atom =  {ion:2d}  type =  1  l = 2\n\n onsite density matrix\n\n{parts} occupancies and eigenvectors\n"


def in_columns(matrix):
    """Fields of eight characters and nothing between, as VASP writes them."""
    return "\n".join("".join(f"{x:8.4f}" for x in row) for row in matrix)


def test_numbers_that_run_together_are_read():
    wide = 0.1 * np.eye(5)
    wide[1, 2] = wide[2, 1] = -13.7154
    text = in_columns(wide)
    assert "0.1000-13.7154" in text
    found = hole_runs.last_occupations(block(3, text, in_columns(np.eye(5))))
    assert np.allclose(found[2], [wide, np.eye(5)], atol=1e-12)


def test_no_earlier_iteration_stands_in_for_a_last_one_that_is_no_number():
    sound, stars = in_columns(np.eye(5)), in_columns(np.eye(5)).replace("  1.0000", "********", 1)
    text = block(1, sound, sound) + block(2, sound, sound) + block(1, sound, stars) + block(2, sound, sound)
    assert sorted(hole_runs.last_occupations(text)) == [1]


def test_a_run_with_spinors_has_no_two_spins(cell, runs):
    assert hole_runs.last_occupations(block(1, *[in_columns(np.eye(5))] * 4)) == {}
    runs.texts["hole_2"] = re.sub(r"(spin component  2\n\n.*?\n\n)", r"\1\1\1", runs.texts["hole_2"], flags=re.DOTALL)
    with pytest.raises(HoleNotFoundError, match="without spinors"):
        read(cell)


def test_occupations_of_no_orbital_are_refused(cell, runs):
    """A public run ended with 39 electrons in one d orbital of W."""
    runs.texts["hole_1"] = runs.texts["hole_1"].replace("  1.0000", " 39.0000")
    with pytest.raises(HoleNotFoundError, match=r"hole_1 has occupations from .* to 39\.00 in ion"):
        read(cell)


REAL = {
    "mno_5.4.4": {0: 5},
    "merged_numbers2_5.4.4": dict.fromkeys(range(16, 32), None),
    "mgmn2o4_6.3.2/static_1_fm": dict.fromkeys(range(2, 6), 4),
    "mgmn2o4_6.3.2/static_2_afm": dict.fromkeys(range(2, 6), 4),
    "mgmn2o4_6.3.2/relax_2_afm": dict.fromkeys(range(2, 6), 4),
}


@pytest.mark.parametrize("name", REAL)
def test_matrices_of_real_runs_are_those_that_pymatgen_reads(real, name):
    path = real / "vasp/collection/b_dftu" / name / "OUTCAR.gz"
    with gzip.open(path, "rt") as file:
        text = file.read()
    found = hole_runs.last_occupations(text)
    assert set(found) == set(REAL[name])
    other = Outcar(path)
    ions = re.findall(r"atom\s*=\s*(\d+)\s+type\s*=\s*\d+\s+l\s*=\s*(\d+)", text)
    printed = zip(ions, other.data["onsite_density_matrices"], strict=True)
    last = {int(ion) - 1: list(spins.values()) for (ion, angular), spins in printed if angular == "2"}
    for ion, pair in found.items():
        assert np.array_equal(pair, last[ion])
        if REAL[name][ion] is not None:
            # Spin up first, ions in order: the site's moment in the run's own table, of either sign.
            assert np.trace(pair[0] - pair[1]) == pytest.approx(other.magnetization[ion]["d"], abs=0.02)


def test_a_real_jahn_teller_hole_lies_across_the_long_bonds(real):
    """Orbitals are those of VASP: of Mn3+ in oblique octahedra the empty one is x2-y2 of the four short bonds."""
    folder = real / "vasp/collection/b_dftu/mgmn2o4_6.3.2/static_2_afm"
    with gzip.open(folder / "OUTCAR.gz", "rt") as file:
        found = hole_runs.last_occupations(file.read())
    atoms = read_atoms(folder / "POSCAR")
    for ion, pair in found.items():
        axes = octahedron_axes(atoms, ion)
        assert np.abs(axes).max() < 0.85
        others = [n for n, symbol in enumerate(atoms.get_chemical_symbols()) if symbol == "O"]
        bonds = atoms.get_distances(ion, others, mic=True, vector=True)
        long = bonds[np.argmax(np.where(np.linalg.norm(bonds, axis=1) < 2.5, np.linalg.norm(bonds, axis=1), 0))]
        assert abs(axes[2] @ long) / np.linalg.norm(long) > 0.99
        majority = pair[int(np.trace(pair[1]) > np.trace(pair[0]))]
        occupations, orbitals = np.linalg.eigh(majority)
        assert occupations[0] < 0.5 < 0.9 < occupations[1]
        assert abs(shell_rotation(axes)[:, 4] @ orbitals[:, 0]) > 0.99


def test_a_real_run_with_spinors_is_left_out(real):
    with gzip.open(real / "vasp/collection/a_soc/nio_u_5.4.1/OUTCAR.gz", "rt") as file:
        assert hole_runs.last_occupations(file.read()) == {}
