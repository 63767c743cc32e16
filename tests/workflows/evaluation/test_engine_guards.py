"""What makes a result of any ASE engine invalid, and that nothing builds on it."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pytest
from jobflow import run_locally
from magnetoionics.analysis.results.calculation import InvalidResultError, invalid_because
from magnetoionics.analysis.thermodynamics.references import CompoundEnergy, fit_species_energies
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.ase.jobs import Observed, band_guards
from magnetoionics.workflows.ase.oxide_references import fit_references
from magnetoionics.workflows.engines.local import LocalEngine
from magnetoionics.workflows.evaluation.guards import moments_kept
from magnetoionics.workflows.flows.building import accept_structure, build_supercell
from magnetoionics.workflows.gpaw import jobs as gpaw_jobs


@dataclass
class WithSpins(LocalEngine):
    """Rigid ions that pretend to have found some share of the moments asked for."""

    name: ClassVar[str] = "with spins"

    share: float = 1.0
    sites: list[int] = field(default_factory=list)

    def observe(self, atoms):
        asked = [float(m) for m in atoms.arrays["magmom"]]
        found = [m * self.share if i in self.sites else m for i, m in enumerate(asked)]
        return Observed(site_moments_muB=found, total_moment_muB=sum(found), checks=(moments_kept(asked, found),))


@pytest.fixture(scope="module")
def cell():
    return get_host("cofe2o4").structure("Imma").get_primitive_structure(use_site_props=True, tolerance=0.05)


def run(job):
    return run_locally(job, log=False)[job.uuid][1].output


@pytest.mark.parametrize("share", [0.1, -1.0])
def test_lost_or_flipped_moment_makes_a_calculation_unusable(cell, share):
    done = run(WithSpins(share=share, sites=[3]).static(cell, name="static"))
    assert not done.converged
    (reason,) = invalid_because(done.checks)
    assert "moments kept" in reason
    assert "site 3" in reason
    with pytest.raises(InvalidResultError, match="static"):
        build_supercell.original(done, (1, 1, 1))
    with pytest.raises(InvalidResultError, match="static"):
        accept_structure.original(done)


def test_kept_moments_are_in_the_document(cell):
    done = run(WithSpins().static(cell, name="static"))
    assert done.converged
    assert done.site_moments_muB == cell.site_properties["magmom"]
    assert done.total_moment_muB == pytest.approx(6.0)
    assert len(build_supercell.original(done, (2, 1, 1))) == 28
    assert accept_structure.original(done) == done.structure


def test_reference_oxide_that_lost_its_moments_ends_the_fit():
    with pytest.raises(InvalidResultError, match=r"reference oxide CoO.*moments kept"):
        fit_references.original(WithSpins(share=0.1, sites=[0]), ["CoO", "Fe2O3"], spins=True)


def test_reference_oxide_that_did_not_relax_is_named():
    """Too few steps leave a stress: the fit goes on, and its note names the oxides."""
    short = fit_references.original(LocalEngine(max_steps=1), ["CoO", "Fe2O3", "Co3O4"])
    for formula in ("CoO", "Fe2O3", "Co3O4"):
        assert f"{formula} did not relax within its bounds (stress relaxed" in short.note
    whole = fit_references.original(LocalEngine(), ["CoO", "Fe2O3", "Co3O4"])
    assert "did not relax" not in whole.note


def images(*moments):
    return [Observed(site_moments_muB=list(m)) for m in moments]


def test_spin_that_turns_between_images_is_seen():
    (fine,) = band_guards(images([4.0, -4.0, 0.1], [4.1, -3.8, -0.1], [3.9, -4.0, 0.1]))
    assert fine.passed
    (bad,) = band_guards(images([4.0, -4.0, 0.1], [4.1, -3.8, 0.1], [3.9, 4.0, 0.1]))
    assert not bad.passed
    assert bad.invalidates
    assert "[1]" in bad.note


def test_guard_of_one_image_is_kept_with_its_number():
    lost = moments_kept([4.0], [0.1])
    checks = band_guards([Observed(), Observed(checks=(lost,))])
    assert [c.name for c in checks] == ["moments kept (image 1)"]
    assert checks[0].invalidates


def test_engine_without_spins_has_no_spin_guards():
    assert band_guards([Observed(), Observed()]) == []


def test_odd_part_above_the_noise_invalidates_a_map(cell, monkeypatch):
    directions = [[0, 0, 1], [0, 0, -1], [1, 0, 0], [-1, 0, 0]]

    class Live:
        atoms = None

        def get_property(self, name, atoms):
            return np.array(cell.site_properties["magmom"])

    class Calculator:
        def converged(self, atoms):
            return Live()

    monkeypatch.setattr(LocalEngine, "make_calculator", lambda self, atoms, mover, symmetry: Calculator())
    for odd, valid in ((0.0, True), (0.3, False)):
        energies = np.array([0.0, odd, 1.0, 1.0])
        monkeypatch.setattr(gpaw_jobs, "force_theorem", lambda *_, e=energies: (e, np.zeros((4, len(cell)))))
        map_ = gpaw_jobs.map_of_state.original(LocalEngine(), cell, directions=directions, state="pristine")
        reasons = invalid_because(map_.checks)
        assert (reasons == []) is valid
        assert valid or "odd part" in reasons[0]


def test_energies_of_two_engines_are_not_mixed(cell):
    sources = [LocalEngine().provenance(), WithSpins().provenance()]
    compounds = [
        CompoundEnergy(formula=f, model_energy_eV=-1.0, formation_energy_eV=-1.0, provenance=p)
        for f, p in zip(("CoO", "Co3O4"), sources, strict=True)
    ]
    with pytest.raises(ValueError, match="different engine"):
        fit_species_energies(compounds)
