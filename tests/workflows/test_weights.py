"""Labels of ML engines follow the weights: the models' own words and energies bear witness."""

import numpy as np
import pytest
from jobflow import run_locally
from magnetoionics.analysis.thermodynamics.phases import correction_scheme
from magnetoionics.structures.cells.binary_oxides import reference_phase
from magnetoionics.structures.elements import MATERIALS_PROJECT_U_eV
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.ase.atoms import to_atoms
from magnetoionics.workflows.engine import CannotDoError, UnknownEngineError, get_engine

# 10.1038/s41598-021-94550-5, eV per atom in oxides.
MP2020_eV = {"Fe": -2.256, "O": -0.687}


def energy(name, atoms):
    engine = get_engine(name)
    given = atoms.copy()
    with engine.quiet():
        given.calc = engine.bare_calculator()
        return float(given.get_potential_energy())


@pytest.fixture
def hematite():
    return to_atoms(reference_phase("Fe2O3"))


def test_u_is_that_of_the_materials_project():
    sets = pytest.importorskip("pymatgen.io.vasp.sets")
    assert dict(MATERIALS_PROJECT_U_eV) == sets.MPRelaxSet.CONFIG["INCAR"]["LDAUU"]["O"]


def test_chgnet_names_functional_u_and_corrections_of_each_of_its_weights():
    model = pytest.importorskip("chgnet.model.model")
    for weights in ("0.3.0", "0.2.0", "r2scan"):
        engine = get_engine("chgnet", weights=weights)
        said = engine.provenance()
        assert engine.functional in said.functional
        data = model.CHGNet.load(model_name=weights, use_device="cpu", verbose=False).model_args["composition_model"]
        assert ("r2SCAN" in said.functional) == (data == "MP-r2SCAN")
        assert said.functional.startswith(weights)
        assert said.hubbard_U_eV == ({} if weights == "r2scan" else MATERIALS_PROJECT_U_eV)
        assert correction_scheme(said) == ("none" if weights == "r2scan" else "MP2020")


def test_sevennet_names_functional_and_u_of_each_of_its_weights():
    pytest.importorskip("sevenn")
    for weights in get_engine("sevennet").trainings:
        engine = get_engine(f"sevennet:{weights}")
        said = engine.provenance()
        assert ("r2SCAN" in engine.functional) == weights.endswith("r2scan")
        assert said.functional.startswith(weights)
        assert "7net-0" not in said.functional or weights.startswith("7net-0")
        assert said.hubbard_U_eV == ({} if weights.endswith("r2scan") else MATERIALS_PROJECT_U_eV)
        assert correction_scheme(said) == "none"


def test_diep_is_r2scan_as_its_own_provenance_says():
    pretrained = pytest.importorskip("diep.pretrained")
    said = get_engine("diep").provenance()
    assert pretrained.model_info()["functional"].lower() in said.functional.lower()
    assert said.hubbard_U_eV == {}
    assert correction_scheme(said) == "none"


def test_corrections_are_where_the_label_says_they_are(hematite):
    """CHGNet and SevenNet learned the same calculations, with and without MP2020: Fe2O3 tells."""
    pytest.importorskip("chgnet")
    pytest.importorskip("sevenn")
    correction = sum(MP2020_eV[s] for s in hematite.get_chemical_symbols())
    plain = energy("sevennet", hematite)
    for weights in ("sevennet:7net-l3i5", "sevennet:7net-mf-0-pbe"):
        assert energy(weights, hematite) == pytest.approx(plain, abs=0.05 * len(hematite))
    assert energy("chgnet", hematite) - plain == pytest.approx(correction, abs=0.05 * len(hematite))


def test_functionals_are_where_the_label_says_they_are(hematite):
    """Two nets of two groups on r2SCAN agree; both lie far below PBE+U."""
    pytest.importorskip("diep")
    pytest.importorskip("sevenn")
    r2scan = energy("sevennet:7net-mf-0-r2scan", hematite)
    assert energy("diep", hematite) == pytest.approx(r2scan, abs=0.1 * len(hematite))
    assert energy("sevennet", hematite) - r2scan > 2.0 * len(hematite)


def test_weights_of_unknown_training_say_so_and_give_no_references(tmp_path):
    chgnet = pytest.importorskip("chgnet")
    from pathlib import Path

    own = tmp_path / "own.pth.tar"
    own.symlink_to(next((Path(chgnet.__file__).parent / "pretrained" / "0.3.0").glob("*.tar")))
    engine = get_engine("chgnet", weights=str(own))
    said = engine.provenance()
    assert said.functional == "own.pth.tar: functional, U and corrections of its training are unknown"
    assert said.hubbard_U_eV == {}
    with pytest.raises(CannotDoError, match=r"own\.pth\.tar was trained on is unknown.*0\.3\.0"):
        engine.require("references")
    engine.require("band")
    assert engine.bare_calculator() is not None


def test_a_name_that_is_no_weights_is_refused_with_those_that_are():
    pytest.importorskip("chgnet")
    with pytest.raises(UnknownEngineError, match=r"0\.4\.0.*0\.3\.0, 0\.2\.0, r2scan"):
        get_engine("chgnet", weights="0.4.0")


def relaxed(weights):
    cell = get_host("cofe2o4").structure("Imma").get_primitive_structure(use_site_props=True, tolerance=0.05)
    job = get_engine("chgnet", weights=weights).relax(cell, name="bulk", cell=True)
    return run_locally(job, log=False)[job.uuid][1].output


def test_cobalt_that_loses_its_moment_is_no_result():
    """The r2SCAN weights relax CoFe2O4 to Co of 0.1 muB: lattice and energy look right for a wrong state."""
    pytest.importorskip("chgnet")
    lost = next(c for c in relaxed("r2scan").checks if c.name == "sizes of the moments kept")
    assert (lost.passed, lost.invalidates) == (False, True)
    assert lost.value == pytest.approx(0.04, abs=0.03)
    kept = next(c for c in relaxed("0.2.0").checks if c.name == "sizes of the moments kept")
    assert kept.passed


def test_cobalt_that_took_up_a_hole_is_one():
    """Co3+ of Co3O4 has none (W. L. Roth, 10.1016/0022-3697(64)90156-8): these weights give it 0.56 muB."""
    pytest.importorskip("chgnet")
    from magnetoionics.structures.competing_phases import competing_phase

    engine, atoms = get_engine("chgnet"), to_atoms(competing_phase("Co3O4").build())
    with engine.quiet():
        atoms.calc = engine.make_calculator(atoms, None)
        atoms.get_potential_energy()
    seen = engine.observe(atoms)
    assert all(c.passed for c in seen.checks)
    sizes = sorted(m for m, s in zip(seen.site_moments_muB, atoms.symbols, strict=True) if s == "Co")
    np.testing.assert_array_less(sizes[:4], 0.6)
    np.testing.assert_array_less(2.0, sizes[4:])
    # The same moments where no hole was there to be taken up are another state.
    atoms.set_array("magmom", np.array([3.0 if s == "Co" else 0.0 for s in atoms.symbols]))
    assert engine.observe(atoms).checks[0].passed
    atoms.set_array("valence", np.array([-2.0 if s == "O" else 8 / 3 for s in atoms.symbols]))
    assert not engine.observe(atoms).checks[0].passed
