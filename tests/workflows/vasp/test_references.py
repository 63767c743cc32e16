"""Reference oxides: magnetic cells of one set of settings, and refusal of mixed energies."""

import numpy as np
import pytest

pytest.importorskip("atomate2", reason="the engine vasp needs atomate2")

from magnetoionics.analysis.results.calculation import Check, InvalidResultError
from magnetoionics.structures.competing_phases import competing_phase
from magnetoionics.workflows.vasp.references import fit_vasp_references
from magnetoionics.workflows.vasp.settings import VaspSettings
from pymatgen.core import Composition
from vasp_running import engine, run

FORMULAS = ("CoO", "Fe2O3", "Fe3O4")


@pytest.fixture(scope="module")
def relaxed(tmp_path_factory):
    made = engine(VaspSettings(kpoint_mesh=(2, 2, 2)))
    cells = {f: competing_phase(f).build() for f in FORMULAS}
    folder = tmp_path_factory.mktemp("references")
    return [run(made.static(c, name=f), folder / f) for f, c in cells.items()]


def test_oxides_are_antiferromagnets_where_they_should_be():
    for formula in ("CoO", "NiO", "Fe2O3", "Co3O4"):
        moments = np.array(competing_phase(formula).build().site_properties["magmom"])
        assert moments.sum() == pytest.approx(0)
        assert np.abs(moments).max() >= 2


def test_element_energies_reproduce_the_oxides(relaxed):
    fit = fit_vasp_references.original(list(FORMULAS), relaxed)
    assert set(fit.reference_energies_eV) == {"Co", "Fe", "O"}
    for formula, made in zip(FORMULAS, relaxed, strict=True):
        parts = Composition(formula).get_el_amt_dict()
        units = len(made.structure) / sum(parts.values())
        elements = sum(n * fit.reference_energies_eV[e] for e, n in parts.items())
        assert made.energy_eV / units - elements == pytest.approx(
            fit.residuals_eV[formula] + _enthalpy(formula), abs=1e-6
        )


def _enthalpy(formula):
    from magnetoionics.analysis.thermodynamics.phases import load_experimental_phases

    elements = [str(e) for e in Composition(formula).elements]
    return next(p.formation_energy_eV for p in load_experimental_phases(elements) if p.formula == formula)


def test_energies_of_another_u_are_not_mixed_in(relaxed):
    other = relaxed[1].model_copy(
        update={"provenance": relaxed[1].provenance.model_copy(update={"hubbard_U_eV": {"Fe": 4.0, "Co": 3.32}})}
    )
    with pytest.raises(ValueError, match="U"):
        fit_vasp_references.original(list(FORMULAS), [relaxed[0], other, relaxed[2]])


def test_an_invalid_oxide_is_not_used(relaxed):
    bad = relaxed[0].model_copy(update={"checks": [Check(name="moments kept", passed=False, invalidates=True)]})
    with pytest.raises(InvalidResultError, match="CoO"):
        fit_vasp_references.original(list(FORMULAS), [bad, *relaxed[1:]])
