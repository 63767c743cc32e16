"""Finished VASP runs of other groups: what the reader makes of them against what their right.json says."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from magnetoionics.workflows.vasp.finished.band import read_band
from magnetoionics.workflows.vasp.finished.electrons import hubbard_of
from magnetoionics.workflows.vasp.finished.files import decompressed_text, file_kind, run_files
from magnetoionics.workflows.vasp.finished.numbers import reals
from magnetoionics.workflows.vasp.finished.outcar_text import potentials_of
from magnetoionics.workflows.vasp.finished.reader import read_run
from magnetoionics.workflows.vasp.finished.vasprun_xml import tag_value


@pytest.fixture(scope="module")
def collection(real: Path) -> Path:
    return real / "vasp" / "collection"


def test_u_of_each_species_is_that_of_incar(collection: Path) -> None:
    """<parameters> holds the first species' U alone: of Mg Mn O that is 0."""
    run = read_run(collection / "b_dftu/mgmn2o4_6.3.2/relax_1_fm")
    assert run.parameters["LDAUU"] == [0.0]
    assert run.hubbard_U_eV == {"Mg": 0.0, "Mn": 3.9, "O": 0.0}
    assert run.functional == "PBEsol"
    assert run.energy_eV == pytest.approx(-104.12466878, abs=1e-8)
    assert run.usable


def test_linear_response_steps_are_no_ground_state(collection: Path) -> None:
    """66 steps stand in the file, 14 of them of the ground state; the last of all changed by 11 meV."""
    run = read_run(collection / "d_lepsilon/nacl_6.1.2")
    assert run.electronic_steps == [14]
    assert run.last_change_eV == pytest.approx(2.14e-6, abs=1e-8)
    assert run.usable
    assert run.born_charges_e is not None
    assert np.trace(run.born_charges_e[0]) / 3 == pytest.approx(1.1033, abs=1e-4)


def test_spins_of_another_axis_are_turned_and_orbital_ones_are_not(collection: Path) -> None:
    run = read_run(collection / "a_soc/nio_u_5.4.1")
    spin, orbital = np.array(run.site_moment_vectors_muB), np.array(run.orbital_moments_muB)
    assert spin[0] == pytest.approx([1.671 / 3**0.5] * 3, abs=1e-3)
    assert orbital[0] == pytest.approx([0.108] * 3, abs=1e-3)
    # Of a shell more than half full, spin and orbital moment are parallel.
    assert float(spin[0] @ orbital[0]) > 0


def test_energies_of_two_meshes_give_no_barrier(collection: Path) -> None:
    band = read_band(collection / "e_neb/al_mg_solute_opt_5.2.2")
    assert band.barrier_eV is None
    assert any("mesh" in reason for reason in band.reasons)


def test_ends_are_found_where_they_were_relaxed(collection: Path) -> None:
    """The second end's file lists its atoms in another order than the band."""
    band = read_band(collection / "e_neb/si_vacancy_vtst4.1_6.4.2")
    assert band.barrier_eV == pytest.approx(0.15848, abs=1e-5)
    assert band.reaction_eV == pytest.approx(-2e-6, abs=1e-6)
    assert band.vtst == "VTST: version 4.1, (05/19/21)"
    assert band.usable


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("vasprun.xml", "vasprun.xml"),
        ("vasprun.relax2.xml.gz", "vasprun.xml"),
        ("vasprun.xml_11_19_39on29_01_24.gz", "vasprun.xml"),
        ("OUTCAR_6", "OUTCAR"),
        ("OUTCAR.relax1.gz", "OUTCAR"),
        ("INCAR.orig", None),
        ("POTCAR.spec", None),
        ("KPOINTS_OPT", None),
        ("CHGCAR.gz", None),
        ("vaspout.h5", None),
    ],
)
def test_files_are_told_by_their_names(name: str, kind: str | None) -> None:
    assert file_kind(name) == kind


def test_of_several_files_of_a_kind_the_plain_one_counts_else_the_last(tmp_path: Path) -> None:
    for name in ("vasprun.relax1.xml.gz", "vasprun.relax2.xml.gz", "OUTCAR.relax1", "OUTCAR", "CONTCAR", "CONTCAR.gz"):
        (tmp_path / name).write_text("something", encoding="utf-8")
    (tmp_path / "CONTCAR").write_text("", encoding="utf-8")
    found = {kind: path.name for kind, path in run_files(tmp_path).items()}
    assert found == {"vasprun.xml": "vasprun.relax2.xml.gz", "OUTCAR": "OUTCAR", "CONTCAR": "CONTCAR.gz"}


def test_u_belongs_to_blocks_and_not_to_elements() -> None:
    """Iron in two blocks with different U, and one entry more than there are blocks."""
    incar = {"LDAU": True, "LDAUL": [2, -1, 2, 2], "LDAUU": [5.3, 0.0, 4.0, 9.0], "LDAUJ": [0.0] * 4}
    blocks = hubbard_of(["Fe", "O", "Fe"], incar, {"LDAU": True, "LDAUU": [5.3]}, {})
    assert [(b.element, b.U_eV) for b in blocks] == [("Fe", 5.3), ("O", 0.0), ("Fe", 4.0)]
    assert hubbard_of(["Fe", "O"], {"LDAU": True, "LDAUU": [5.3]}, {"LDAU": True}, {}) == []
    assert hubbard_of(["Fe"], incar | {"LDAU": False}, {}, {}) == []


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        (" 1.5 -2.5", [1.5, -2.5]),
        ("-100.12345678-200.12345678", [-100.12345678, -200.12345678]),
        (" 0.527645E-08 1.0D+02", [0.527645e-8, 100.0]),
    ],
)
def test_numbers_as_fortran_prints_them(text: str, numbers: list[float]) -> None:
    assert reals(text) == pytest.approx(numbers, abs=0)


def test_stars_are_no_number() -> None:
    assert np.isnan(reals(" 1.0 ******** 2.0")[1])
    assert tag_value("******", "int", vector=False) is None


def test_potentials_below_100_volts_run_into_their_index() -> None:
    head = " average (electrostatic) potential at core\n  radii 0.9\n  (the norm)\n"
    assert potentials_of(head + "       1 -24.7852       2-101.1234\n\n").tolist() == [-24.7852, -101.1234]
    # A table with a gap is none.
    assert potentials_of(head + "       1 -24.7852       3-101.1234\n\n") is None


def test_a_file_cut_anywhere_is_no_error_and_never_usable(real: Path, tmp_path: Path) -> None:
    text = decompressed_text(real / "vasp/collection/d_lepsilon/si_6.2.1/vasprun.xml.gz")
    for share in (0.01, 0.2, 0.5, 0.9, 0.999):
        (tmp_path / "vasprun.xml").write_text(text[: int(share * len(text))], encoding="utf-8")
        run = read_run(tmp_path)
        assert not run.usable
        assert any(reason.startswith("finished") for reason in run.reasons)


def test_a_band_of_which_an_image_was_killed_has_energies_and_no_barrier(real: Path, tmp_path: Path) -> None:
    source = real / "vasp/collection/e_neb/si_vacancy_vtst4.1_6.4.2"
    shutil.copytree(source, tmp_path / "band")
    image = tmp_path / "band/02"
    outcar = decompressed_text(image / "OUTCAR.gz")
    for file in ("OUTCAR.gz", "vasprun.xml.gz"):
        (image / file).unlink()
    (image / "OUTCAR").write_text(outcar[: int(0.9 * len(outcar))], encoding="utf-8")
    band = read_band(tmp_path / "band")
    assert band.points[2].energy_eV is not None
    assert band.barrier_eV is None
    assert any("image 02" in reason for reason in band.reasons)
