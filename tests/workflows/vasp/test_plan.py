"""Everything that the engine vasp can be told reaches the inputs, the runs and the command line."""

import sys

import numpy as np
import pytest

pytest.importorskip("atomate2", reason="the engine vasp needs atomate2")

from jobflow import Flow
from magnetoionics.analysis.results.calculation import Band, BandImage, invalid_because
from magnetoionics.hpc.cli import main
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.ase.atoms import to_atoms
from magnetoionics.workflows.engine import get_engine
from magnetoionics.workflows.field.bands import HopInFieldMaker, band_in_field
from magnetoionics.workflows.flows.building import shortest_hop
from magnetoionics.workflows.vasp.field import polarise_band
from magnetoionics.workflows.vasp.jobs import common_fields
from magnetoionics.workflows.vasp.segment import segment_fields
from magnetoionics.workflows.vasp.settings import VaspCommands, VaspSettings
from magnetoionics.workflows.vasp.starts import relax_starts
from pymatgen.io.vasp import Incar, Poscar
from vasp_running import EMULATOR, commands, engine, run

MATRICES = "1 occupation matrix of this emulator"
SETTINGS = f"""
dft:
  encut_eV: 550
  ediff_eV: 1e-7
path:
  images_per_segment: 2
  field_V_per_A: [0.0, 0.0, 0.01]
  gap_eV: 1.5
anisotropy:
  starts: [density, atoms]
dipoles: Berry
electronic_starts: [nominal, Fe4+, Co3+ low spin]
occupation_matrices:
  V_Fe(B) relax, Fe4+: {MATRICES}
  "band: initial end": {MATRICES}
"""


@pytest.fixture(scope="module")
def settings_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("settings") / "vasp.yaml"
    path.write_text(SETTINGS, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def folder(settings_file, tmp_path_factory):
    out = tmp_path_factory.mktemp("inputs") / "cfo"
    assert main(["inputs", "cofe2o4", "--engine", f"vasp:{settings_file}", "--output", str(out), "--quick"]) == 0
    return out


@pytest.fixture(scope="module")
def hop():
    host = get_host("cofe2o4")
    return shortest_hop(host.structure(), (1, 1, 1), host.hops[0])


def test_settings_file_reaches_every_kind_of_input(folder):
    names = {p.name for p in folder.iterdir() if p.is_dir()}
    assert {"vacancy_V_Fe_B_nominal", "vacancy_V_Fe_B_Fe4", "vacancy_V_Fe_B_Co3__low_spin"} <= names
    # An oxygen vacancy leaves electrons, not holes: no such start.
    assert not any(n.startswith("vacancy_V_O") and "Fe4" in n for n in names)
    assert {"anisotropy_001_density", "anisotropy_001_atoms"} <= names
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert "Berry-phase dipole of an image; one such job for every image" in readme
    incars = {name: Incar.from_file(folder / name / "INCAR") for name in names}
    assert all(i["ENCUT"] == 550 for i in incars.values())
    for name in ("hop1_initial", "hop1_final", "hop1_middle1", "hop1_segment1"):
        # The file asks for a field along +z; the tag is the force on an electron.
        assert incars[name]["EFIELD_PEAD"] == [0.0, 0.0, -0.01]
        assert incars[name]["LCALCPOL"]
    assert "EFIELD_PEAD" not in incars["vacancy_V_Fe_B_nominal"]
    assert incars["hop1_segment1"]["IMAGES"] == 2
    with_matrices = {p.parent.name for p in folder.glob("*/OCCMATRIX")}
    holes = {"hole_1", "hole_2", "hole_3"}
    expected = {"vacancy_V_Fe_B_Fe4", "hop1_initial"} | holes
    assert with_matrices == expected == {n for n in names if "OCCEXT" in incars[n]}
    assert (folder / "hop1_initial" / "OCCMATRIX").read_text(encoding="utf-8") == MATRICES


def test_the_emulator_accepts_these_inputs_too(folder):
    sys.path.insert(0, str(EMULATOR))
    from emulator_inputs import read_inputs

    for made in sorted(p for p in folder.iterdir() if p.is_dir()):
        if Incar.from_file(made / "INCAR").get("ICHARG") == 1:
            atoms = sum(Poscar.from_file(made / "POSCAR", check_for_potcar=False).natoms)
            (made / "CHGCAR").write_text(f"emulated density: {atoms} 4\n", encoding="utf-8")
        read_inputs(made)


def test_inputs_in_a_field_beyond_breakdown_are_refused_before_any_is_written(tmp_path, capsys):
    """3 points along 8.39 A: 0.08 V/A over 25.2 A are 2.0 eV, beyond the gap; over one cell they would not be."""
    file = tmp_path / "strong.yaml"
    file.write_text("path: {field_V_per_A: [0.0, 0.0, 0.08], gap_eV: 1.5}\n", encoding="utf-8")
    out = tmp_path / "inputs"
    assert main(["inputs", "cofe2o4", "--engine", f"vasp:{file}", "--quick", "--output", str(out)]) == 2
    assert "breaks down a gap of 1.5 eV over 33" in " ".join(capsys.readouterr().err.split())
    assert not list(out.glob("*"))


def test_matrices_for_a_job_that_does_not_exist_are_refused(tmp_path, capsys):
    path = tmp_path / "vasp.yaml"
    path.write_text("occupation_matrices: {V_Fe(C) relax: x}\n", encoding="utf-8")
    out = tmp_path / "out"
    assert main(["inputs", "cofe2o4", "--engine", f"vasp:{path}", "--output", str(out), "--quick"]) == 2
    message = " ".join(capsys.readouterr().err.split())
    assert "V_Fe(C) relax; jobs that can take them: bulk Imma" in message
    assert not out.exists()


def test_unknown_start_in_a_settings_file_is_refused(tmp_path, capsys):
    path = tmp_path / "vasp.yaml"
    path.write_text("electronic_starts: [Mn4+]\n", encoding="utf-8")
    assert main(["run", "cofe2o4", "--engine", f"vasp:{path}", "--output", str(tmp_path / "x")]) == 2
    assert "unknown electronic starts" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_matrices_reach_the_run_and_the_start_they_are_named_for(hop, tmp_path):
    made = engine(VaspSettings(kpoint_mesh=(1, 1, 1)), occupation_matrices={"V": MATRICES})
    found = run(made.static(hop.initial, name="V"), tmp_path)
    assert invalid_because(found.checks) == []
    assert len(list(tmp_path.glob("store/files/*/OCCMATRIX*"))) == 1
    several = engine(electronic_starts=("nominal", "Fe4+"), occupation_matrices={"V, Fe4+": "other"})
    (job,) = [j for j, _ in several.relax(hop.initial, name="V").iterflow()]
    replaced = relax_starts.original(*job.function_args, **job.function_kwargs).replace
    runs = [j for j, _ in replaced.iterflow() if j.name.endswith(": vasp")]
    texts = {j.name: j.function.__self__.occupation_matrices for j in runs}
    assert texts == {"V, nominal: vasp": None, "V, Fe4+: vasp": "other"}


@pytest.mark.parametrize("born", [False, True], ids=["Berry", "Born"])
def test_dipoles_of_a_band_are_computed_at_its_images(hop, tmp_path, born):
    """The emulator's ions carry formal charges that add up to zero: so does the path that comes back."""
    ends = [hop.initial, hop.final]
    charges = get_engine("local").formal_charges(to_atoms(hop.initial), None)
    moved = hop.final.cart_coords - hop.initial.cart_coords
    band = Band(
        mover=hop.mover,
        images=[
            BandImage(energy_eV=0.0, arc_A=k, mover_A=k, dipole_e_A=p, kind="end", structure=s)
            for k, (s, p) in enumerate(zip(ends, ([0.0] * 3, (0.9 * charges @ moved).tolist()), strict=True))
        ],
        dipole_source="point charges",
        force_calls=0,
        checks=[],
        not_checked=[],
        provenance=get_engine("local").provenance(),
    )
    settings = VaspSettings(kpoint_mesh=(2, 2, 2))
    job = polarise_band(band, settings=settings, fields=common_fields(commands()), born=born, name="band")
    found = run(Flow([job], output=job.output), tmp_path)
    assert invalid_because(found.checks) == []
    assert found.dipole_source == ("Born charges" if born else "Berry phase")
    change = np.array(found.images[1].dipole_e_A) - found.images[0].dipole_e_A
    assert change == pytest.approx(charges @ moved, abs=2e-3)


def test_every_kind_of_run_has_its_own_command():
    """Spin-orbit runs need vasp_ncl; atomate2 has a setting for it that nothing reads."""
    own = VaspCommands(standard="std", noncollinear="ncl", band="srun -N 3 vtst")
    for noncollinear, command in ((False, "std"), (True, "ncl")):
        fields = common_fields(own, noncollinear=noncollinear)["run_vasp_kwargs"]
        assert fields["vasp_cmd"] == command
        assert fields["vasp_job_kwargs"]["auto_gamma"] is False
    assert segment_fields(own, common_fields(own))["run_vasp_kwargs"]["vasp_cmd"] == "srun -N 3 vtst"
    cell = get_host("cofe2o4").structure()
    flow = get_engine("vasp", commands=own).spin_orbit(cell, directions=[[0, 0, 1], [0, 0, -1]], state="s", name="E")
    used = {j.name: j.function.__self__.run_vasp_kwargs["vasp_cmd"] for j, _ in flow.iterflow() if "from" in j.name}
    # Two directions, and the first once more from turned moments.
    assert list(used.values()) == ["ncl", "ncl", "ncl"]


def test_band_in_a_field_of_a_flow_is_the_engines_own(hop):
    """`HopInFieldMaker` with VASP: ends and saddles of every field are runs with EFIELD_PEAD."""
    made = engine(VaspSettings(kpoint_mesh=(2, 2, 2)))
    inside = made.with_field((0.0, 0.0, 0.01), gap_eV=1.5)
    assert inside.path.field_V_per_A == [0.0, 0.0, 0.01]
    assert made.path.field_V_per_A is None
    image = BandImage(energy_eV=0.0, arc_A=0.0, mover_A=0.0, dipole_e_A=[0.0] * 3, kind="end", structure=hop.initial)
    band = Band(
        mover=hop.mover,
        images=[image, image.model_copy(update={"structure": hop.final})],
        dipole_source="point charges",
        force_calls=0,
        checks=[],
        not_checked=[],
        provenance=get_engine("local").provenance(),
    )
    flow = HopInFieldMaker(engine=made, fields_V_per_A=(-0.01, 0.01), gap_eV=1.5).make(band, hop.displacement_A)
    assert len([j for j, _ in flow.iterflow()]) == 3
    replaced = band_in_field.original(made, band, [0, 0, 1], 0.01, 1.5).replace
    started = [j for j, _ in replaced.iterflow() if j.name.endswith(" end")]
    assert [j.function_args[1].field_V_per_A for j in started] == [[0.0, 0.0, 0.01]] * 2
    beyond = band_in_field.original(made, band, [0, 0, 1], 0.5, 1.5).replace
    end = next(j for j, _ in beyond.iterflow() if j.name.endswith(" end"))
    with pytest.raises(ValueError, match=r"breaks down a gap of 1\.5 eV"):
        end.function(*end.function_args, **end.function_kwargs)
