"""VASP flows on the emulator: inputs are written, run under custodian, parsed, guarded and turned into documents."""

import shutil
import sys

import numpy as np
import pytest

pytest.importorskip("atomate2", reason="the engine vasp needs atomate2")

from magnetoionics.analysis.results.calculation import Calculation, Check, InvalidResultError, invalid_because
from magnetoionics.hpc.cli import main
from magnetoionics.structures.defects.vacancies import remove_site
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.ase.atoms import to_atoms
from magnetoionics.workflows.engine import get_engine
from magnetoionics.workflows.flows.building import build_supercell
from magnetoionics.workflows.vasp.settings import VaspSettings, expected_electrons
from magnetoionics.workflows.vasp.starts import electronic_starts, keep_lowest
from pymatgen.io.vasp import Incar, Kpoints, Poscar
from vasp_running import EMULATOR, engine, run


@pytest.fixture(scope="module")
def cell():
    return get_host("cofe2o4").structure()


@pytest.fixture(scope="module")
def inputs_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vasp") / "inputs"
    assert main(["inputs", "cofe2o4", "--engine", "vasp", "--output", str(folder), "--quick"]) == 0
    return folder


def test_static_energy_and_forces_are_those_of_the_model(cell, tmp_path):
    done = run(engine().static(cell, name="host"), tmp_path)
    local = get_engine("local")
    atoms = to_atoms(cell)
    atoms.calc = local.make_calculator(atoms, None)
    assert done.energy_eV == pytest.approx(atoms.get_potential_energy(), abs=1e-5)
    assert done.max_force_eV_per_A == pytest.approx(np.linalg.norm(atoms.get_forces(), axis=1).max(), abs=1e-4)
    # Ion by ion in the order of the structure, not in that of VASP's species blocks.
    assert np.array(done.forces_eV_per_A) == pytest.approx(atoms.get_forces(), abs=1e-4)
    assert done.structure.site_properties["sublattice"] == cell.site_properties["sublattice"]
    assert done.structure.site_properties["magmom"] == cell.site_properties["magmom"]
    moments = np.array(done.structure.site_properties["moment"])
    assert np.allclose(moments, 0.9 * np.array(cell.site_properties["magmom"]), atol=1e-3)
    assert done.site_moments_muB == pytest.approx(moments.tolist())
    assert done.total_moment_muB == pytest.approx(moments.sum(), abs=1e-3)
    assert done.converged
    assert done.gap_eV == pytest.approx(1.7, abs=1e-3)
    assert done.provenance.functional == "PBE"
    assert "emulator" in done.provenance.versions["vasp"]


def test_forces_are_minus_the_slope_of_the_energy(cell, tmp_path):
    """Through inputs, custodian and parsers: the force of a site is the slope of the energy along that very site."""
    small = cell.get_primitive_structure(use_site_props=True, tolerance=0.05)
    small.perturb(0.05)
    made = engine(VaspSettings(kpoint_mesh=(2, 2, 2)))
    forces = run(made.static(small, name="start"), tmp_path / "start").forces_eV_per_A
    site, along, step = 9, np.array([0.6, 0.0, -0.8]), 0.02
    energies = []
    for sign in (1, -1):
        moved = small.copy()
        moved.translate_sites([site], sign * step * along, frac_coords=False, to_unit_cell=False)
        energies.append(run(made.static(moved, name="moved"), tmp_path / f"moved{sign}").energy_eV)
    slope = (energies[0] - energies[1]) / (2 * step)
    assert abs(slope) > 0.05
    assert forces[site] @ along == pytest.approx(-slope, abs=5e-3)


def test_relaxation_keeps_order_and_lowers_the_energy(cell, tmp_path):
    shaken = cell.copy()
    shaken.perturb(0.03)
    mixed = shaken.copy()
    mixed.sort(key=lambda s: s.frac_coords[2])
    done = run(engine().relax(mixed, name="bulk", cell=True), tmp_path)
    assert done.converged
    assert {c.name for c in done.checks} >= {"moments kept", "forces relaxed", "stress relaxed", "k-point mesh kept"}
    assert [s.specie.symbol for s in done.structure] == [s.specie.symbol for s in mixed]
    moved = done.structure.frac_coords - mixed.frac_coords
    assert np.abs(moved - moved.mean(axis=0)).max() < 0.03
    assert done.force_calls > 3


@pytest.mark.parametrize(
    ("fault", "guard"),
    [
        ("moments", "moments kept"),
        ("flip", "moments kept"),
        ("electrons", "electrons of the cell"),
        ("mesh", "k-point mesh kept"),
        ("cutoff", "settings kept"),
        ("hubbard", "U of each species"),
    ],
)
def test_a_result_that_fails_a_guard_is_invalid_and_is_not_used(cell, tmp_path, monkeypatch, fault, guard):
    monkeypatch.setenv("VASP_EMULATOR_FAULT", fault)
    done = run(engine().static(cell, name="bulk"), tmp_path)
    assert not done.converged
    assert any(reason.startswith(guard) for reason in invalid_because(done.checks))
    with pytest.raises(InvalidResultError, match="bulk is invalid"):
        build_supercell.original(done, (1, 1, 1))


def test_every_input_is_written_and_complete(inputs_folder):
    readme = (inputs_folder / "README.md").read_text(encoding="utf-8")
    folders = sorted(p.name for p in inputs_folder.iterdir() if p.is_dir())
    assert {"bulk_Imma", "host_supercell", "vacancy_V_Fe_B", "hop1_initial", "hop1_final"} <= set(folders)
    assert {
        "reference_CoO",
        "hop1_segment1",
        "hop1_segment2",
        "hop1_berry",
        "anisotropy_density",
        "anisotropy_110",
    } <= set(folders)
    for name in folders:
        assert f"| {name} |" in readme
        incar = Incar.from_file(inputs_folder / name / "INCAR")
        band = "segment" in name
        poscar = inputs_folder / name / ("00/POSCAR" if band else "POSCAR")
        structure = Poscar.from_file(poscar, check_for_potcar=False).structure
        symbols = list(dict.fromkeys(s.specie.symbol for s in structure))
        potcar = (inputs_folder / name / "POTCAR.spec").read_text(encoding="utf-8").split()
        assert [p.split("_")[0] for p in potcar] == symbols
        assert len(incar["MAGMOM"]) == len(structure)
        assert dict(zip(symbols, incar["LDAUU"], strict=True)).items() <= {"Fe": 5.3, "Co": 3.32, "O": 0.0}.items()
        assert incar["GGA"].upper() == "PE"
        assert incar["LASPH"]
        assert incar["LMAXMIX"] == 4
        assert not incar["ADDGRID"]
        assert incar["ENCUT"] == 520
        assert incar["ISYM"] == _symmetry(name)
        assert incar["EDIFF"] <= (1e-7 if name.startswith("anisotropy") else 1e-6)
        assert Kpoints.from_file(inputs_folder / name / "KPOINTS").style.name == "Gamma"
        spinors = name.startswith("anisotropy") and not name.startswith("anisotropy_density")
        assert bool(incar.get("LSORBIT")) is spinors


def _symmetry(name):
    if name.startswith(("bulk", "reference")):
        return 2
    return -1 if name.startswith("anisotropy") or name.endswith(("berry", "born")) else 0


def test_the_emulator_accepts_every_input_that_is_written(inputs_folder, tmp_path):
    """What VASP would refuse, it refuses: NCORE, MAGMOM length, IMAGES against folders, LDAU arrays, k mesh."""
    sys.path.insert(0, str(EMULATOR))
    from emulator_inputs import InputError, read_inputs

    for folder in sorted(p for p in inputs_folder.iterdir() if p.is_dir()):
        if folder.name.startswith("anisotropy_") and "ICHARG = 1" in (folder / "INCAR").read_text(encoding="utf-8"):
            atoms = len(Poscar.from_file(folder / "POSCAR").structure)
            (folder / "CHGCAR").write_text(f"emulated density: {atoms} 4\n", encoding="utf-8")
        read_inputs(folder)
        for broken in ("MAGMOM", "LDAUU", "NCORE"):
            copy = tmp_path / f"{folder.name}_{broken}"
            shutil.copytree(folder, copy)
            incar = Incar.from_file(copy / "INCAR")
            if broken == "NCORE":
                incar["NCORE"] = 7
            else:
                incar[broken] = list(incar[broken])[:-1]
            incar.write_file(copy / "INCAR")
            with pytest.raises(InputError, match=broken):
                read_inputs(copy)
    band = inputs_folder / "hop1_segment1"
    shutil.copytree(band, tmp_path / "band")
    shutil.rmtree(tmp_path / "band" / "04")
    with pytest.raises(InputError, match="IMAGES"):
        read_inputs(tmp_path / "band")


@pytest.mark.parametrize(
    ("folder", "tags", "mesh", "density", "word"),
    [
        ("host_supercell", {"KSPACING": 0.3}, "2 2 2", None, "KSPACING"),
        ("host_supercell", {"ISMEAR": -5}, "1 1 2", None, "tetrahedron"),
        ("host_supercell", {"EFIELD_PEAD": [0.0, 0.0, -0.01]}, "2 2 1", None, "two k points"),
        ("host_supercell", {}, "2 0 2", None, "is no mesh"),
        ("anisotropy_110", {}, "3 3 3", "56 4 2 2 2", "of the mesh"),
        ("anisotropy_110", {}, "3 3 3", "56 2 3 3 3", "LMAXMIX"),
        ("anisotropy_110", {}, "3 3 3", "14 4 3 3 3", "of 14 atoms"),
    ],
)
def test_the_emulator_refuses_meshes_that_do_not_fit(inputs_folder, tmp_path, folder, tags, mesh, density, word):
    sys.path.insert(0, str(EMULATOR))
    from emulator_inputs import InputError, read_inputs

    copy = tmp_path / folder
    shutil.copytree(inputs_folder / folder, copy)
    incar = Incar.from_file(copy / "INCAR")
    incar.update(tags)
    incar.write_file(copy / "INCAR")
    (copy / "KPOINTS").write_text(f"mesh\n0\nGamma\n{mesh}\n", encoding="utf-8")
    if density is not None:
        (copy / "CHGCAR").write_text(f"emulated density: {density}\n", encoding="utf-8")
    with pytest.raises(InputError, match=word):
        read_inputs(copy)


def test_inputs_are_refused_with_one_line(inputs_folder, tmp_path, capsys):
    assert main(["inputs", "cofe2o4", "--engine", "local", "--output", str(tmp_path / "a")]) == 2
    assert "reads no input files" in capsys.readouterr().err
    assert not (tmp_path / "a").exists()
    assert main(["inputs", "cofe2o4", "--output", str(inputs_folder)]) == 2
    assert "not an empty folder" in capsys.readouterr().err


def test_a_charged_cell_gets_its_electrons_and_is_told_from_a_neutral_one(cell, tmp_path):
    charged = remove_site(cell, 8)
    charged.set_charge(-3)
    done = run(engine().static(charged, name="V_Fe'''"), tmp_path)
    assert invalid_because(done.checks) == []
    electrons = next(c for c in done.checks if c.name == "electrons of the cell")
    assert electrons.value == expected_electrons(remove_site(cell, 8)) + 3
    assert done.structure._charge == -3


def test_holes_go_beside_the_vacancy(cell):
    index = next(i for i, s in enumerate(cell) if s.specie.symbol == "Fe" and s.properties["sublattice"] == "B")
    empty = remove_site(cell, index)
    names = ["nominal", "Co3+ low spin", "Co3+ high spin", "Fe4+", "Fe2+"]
    starts = electronic_starts(empty, names)
    assert list(starts) == ["nominal", "Co3+ low spin", "Co3+ high spin", "Fe4+"]
    total = sum(empty.site_properties["magmom"])
    for name, change in {"Co3+ low spin": -9.0, "Co3+ high spin": 3.0}.items():
        changed = [
            i
            for i, (a, b) in enumerate(
                zip(empty.site_properties["magmom"], starts[name].site_properties["magmom"], strict=True)
            )
            if a != b
        ]
        assert len(changed) == 3
        assert {empty[i].specie.symbol for i in changed} == {"Co"}
        assert sum(starts[name].site_properties["magmom"]) == pytest.approx(total + change)
        distances = [cell.get_distance(index, i + (i >= index)) for i in changed]
        others = [
            cell.get_distance(index, i + (i >= index))
            for i, s in enumerate(empty)
            if s.specie.symbol == "Co" and i not in changed
        ]
        assert max(distances) <= min(others) + 1e-6
    with pytest.raises(ValueError, match="Mn4"):
        electronic_starts(empty, ["Mn4+"])


@pytest.mark.slow
def test_the_lowest_of_several_starts_is_kept(cell, tmp_path):
    index = next(i for i, s in enumerate(cell) if s.specie.symbol == "Fe" and s.properties["sublattice"] == "B")
    made = engine(VaspSettings(kpoint_mesh=(1, 1, 1)), electronic_starts=("nominal", "Fe4+"))
    done = run(made.relax(remove_site(cell, index), name="V_Fe(B)"), tmp_path)
    rises = done.provenance.settings["electronic_starts"]
    assert set(rises) == {"nominal", "Fe4+"}
    assert min(rises.values()) == 0
    assert rises[done.provenance.settings["electronic_start"]] == 0
    assert done.name == "V_Fe(B)"


def test_an_invalid_start_is_never_the_lowest(cell):
    def one(energy, passed):
        return Calculation(
            name="x",
            structure=cell,
            energy_eV=energy,
            max_force_eV_per_A=0.0,
            force_calls=1,
            total_moment_muB=0.0,
            checks=[Check(name="moments kept", passed=passed, invalidates=True)],
            provenance=get_engine("local").provenance(),
        )

    kept = keep_lowest.original(["nominal", "Fe4+"], [one(-1.0, True), one(-2.0, False)], name="V")
    assert kept.energy_eV == -1.0
    assert "(invalid)" in kept.checks[-1].note
