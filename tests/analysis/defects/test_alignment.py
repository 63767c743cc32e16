"""Errors of finite-size corrections, carriers in the bands of a defect's cell, and the figures of both."""

import numpy as np
import pytest
from magnetoionics.analysis.defects.alignment import SiteAlignment, alignment_checks, face_distances_A
from magnetoionics.analysis.defects.band_filling import band_filling
from magnetoionics.analysis.defects.charge_corrections import (
    PlanarPotential,
    SitePotentials,
    efnv_correction,
    freysoldt_correction,
)
from magnetoionics.analysis.defects.charge_states import ChargeLine, transition_levels
from magnetoionics.analysis.defects.charged_cells import ChargedCell, ChargedVacancy, counted_states
from magnetoionics.analysis.plots.alignment import plot_planes, plot_sites
from magnetoionics.analysis.results.calculation import Calculation
from magnetoionics.analysis.results.document import Provenance
from pymatgen.core import Lattice, Structure
from scipy.stats import sem

TAG = Provenance(engine="toy", level_of_theory="arithmetic")
TENSOR = np.diag([6.0, 6.0, 12.0])


def cells(repeats=(2, 2, 2)):
    bulk = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.2), ["Mg", "O"], [[0, 0, 0], [0.5] * 3]) * repeats
    oxygen = next(i for i, s in enumerate(bulk) if s.specie.symbol == "O")
    defect = bulk.copy()
    defect.remove_sites([oxygen])
    return bulk, defect, [float(x) for x in bulk[oxygen].frac_coords]


def potentials(repeats=(2, 2, 2), scatter_V=0.03, constant_V=0.1):
    """Any potentials: those of the charged cell are the perfect one's, a constant, and noise."""
    bulk, defect, hole = cells(repeats)
    noise = scatter_V * np.random.default_rng(3).normal(size=len(defect))
    base = {"Mg": -20.0, "O": 15.0}
    values = [base[s.specie.symbol] + constant_V + x for s, x in zip(defect, noise, strict=True)]
    perfect = SitePotentials(structure=bulk, potentials_V=[base[s.specie.symbol] for s in bulk])
    return SitePotentials(structure=defect, potentials_V=values), perfect, hole


@pytest.fixture(scope="module")
def corrected():
    pytest.importorskip("pydefect")
    charged, perfect, hole = potentials()
    return efnv_correction(2, TENSOR, charged, perfect, hole)


def test_efnv_is_pydefects_and_its_scatter_the_standard_error(corrected):
    """Called as its authors call it, with its own radius; the error that doped states is the standard error."""
    from pydefect.analyzer.calc_results import CalcResults
    from pydefect.cli.vasp.make_efnv_correction import make_efnv_correction

    charged, perfect, hole = potentials()
    theirs = make_efnv_correction(
        2, *(CalcResults(p.structure, 0.0, 0.0, p.potentials_V) for p in (charged, perfect)), TENSOR, defect_coords=hole
    )
    assert corrected.total_eV == pytest.approx(theirs.correction_energy, abs=1e-9)
    assert corrected.sites.radius_A == pytest.approx(theirs.defect_region_radius)
    sampled = [s.diff_pot for s in theirs.sites if s.distance > theirs.defect_region_radius]
    assert sorted(corrected.sites.left_V()) == pytest.approx(sorted(sampled))
    assert corrected.error_eV >= 2 * sem(sampled)


def alignment(left_V, distances_A, radius_A=5.0):
    n = len(left_V)
    return SiteAlignment(
        radius_A=radius_A, elements=["O"] * n, distances_A=distances_A, differences_V=[x + 0.5 for x in left_V],
        point_charge_V=[0.5] * n,
    )  # fmt: skip


def test_the_error_holds_scatter_and_the_choice_of_the_radius():
    flat = alignment([0.1, 0.2, 0.1, 0.2], [5.6, 5.7, 5.8, 5.9])
    assert flat.error_V() == pytest.approx(sem([0.1, 0.2, 0.1, 0.2]))
    # No scatter beyond the radius, but sites a little nearer have another level: half the range of the means.
    stepped = alignment([0.1, 0.1, 0.5, 0.5], [5.6, 5.7, 4.1, 4.6])
    assert stepped.error_V() == pytest.approx(0.5 * (0.3 - 0.1))
    assert alignment([0.1], [6.0]).error_V() is None


def test_thin_cells_few_sites_and_negative_corrections_are_warned_of(corrected):
    assert all(c.passed for c in corrected.checks)
    pytest.importorskip("pydefect")
    charged, perfect, hole = potentials((1, 1, 3), constant_V=1.0)
    thin = efnv_correction(2, TENSOR, charged, perfect, hole)
    failed = {c.name for c in thin.checks if not c.passed}
    assert failed == {"sites that align", "shape of the cell", "correction is not negative"}
    assert not any(c.invalidates for c in thin.checks)
    state = ChargedVacancy(
        label="V_O", element="O", sublattice="O", multiplicity=4, charge=2, energy_difference_eV=1.0,
        total_moment_muB=0.0, corrections=[thin], provenance=TAG,
    )  # fmt: skip
    assert len(state.warnings) == 3
    assert all(w.startswith("V_O q=+2: ") for w in state.warnings)
    assert face_distances_A(perfect.structure.lattice.matrix) == pytest.approx([4.2, 4.2, 12.6])
    # Within its error a correction may be below zero.
    assert all(c.passed for c in alignment_checks(10 * np.eye(3), -0.01, 0.02, 40))


def test_levels_carry_the_errors_of_both_charges():
    lines = [
        ChargeLine(label="V_O", charge=2, at_vbm_eV=0.0, correction_eV=0.8, error_eV=0.3),
        ChargeLine(label="V_O", charge=0, at_vbm_eV=2.0, correction_eV=0.0, error_eV=0.4),
    ]
    (level,) = transition_levels(lines, 3.0)
    assert level.level_eV == pytest.approx(1.0)
    assert level.error_eV == pytest.approx(0.25)


def charged_cell(structure, potentials_V, levels, filled, charge):
    done = Calculation(
        name="x", structure=structure, energy_eV=0.0, max_force_eV_per_A=0.0, force_calls=1, total_moment_muB=0.0,
        provenance=TAG,
    )  # fmt: skip
    energies, states = counted_states(levels, np.ones(len(levels)))
    return ChargedCell(
        calculation=done, charge=charge, vbm_eV=0.0, cbm_eV=1.0, dos_energies_eV=energies, dos_states_per_eV=states,
        dos_filled_per_eV=counted_states(levels, filled)[1],
        site_potentials=SitePotentials(structure=structure, potentials_V=potentials_V),
    )  # fmt: skip


def test_an_electron_in_the_conduction_band_is_a_shallow_state():
    """Bands of the defect's cell lie 0.3 eV higher: what is filled up to 1.3 eV is below its conduction band."""
    bulk, defect, hole = cells()
    host = charged_cell(bulk, [0.0] * len(bulk), [0.0, 1.0], [1.0, 0.0], 0)
    # A positive charge feels less, an electron's levels rise.
    away = [-0.3] * len(defect)
    deep = charged_cell(defect, away, [0.25, 0.8, 1.5], [1.0, 1.0, 0.0], 0)
    found = band_filling(deep, host, hole)
    assert found.shift_eV == pytest.approx(0.3)
    assert (found.electrons, found.holes, found.energy_eV) == pytest.approx((0.0, 0.0, 0.0))
    assert found.check().passed
    shallow = band_filling(charged_cell(defect, away, [0.25, 1.5], [1.0, 1.0], 0), host, hole)
    assert shallow.electrons == pytest.approx(1.0)
    assert shallow.energy_eV == pytest.approx(-0.2, abs=0.01)
    assert not shallow.check().passed
    assert "1.00 electrons above the conduction band minimum" in shallow.check().note
    hollow = band_filling(charged_cell(defect, away, [0.1, 0.3, 1.5], [0.5, 1.0, 0.0], 1), host, hole)
    assert (hollow.holes, hollow.electrons) == pytest.approx((0.5, 0.0))
    assert hollow.energy_eV == pytest.approx(-0.5 * 0.2, abs=0.005)
    assert not shallow.check().invalidates


def test_figures_draw_the_alignment(corrected):
    axis = plot_sites(corrected).axes[0]
    dots = next(line for line in axis.lines if line.get_label() == "what is left")
    left = np.array(dots.get_ydata())
    beyond = np.array(dots.get_xdata()) > corrected.sites.radius_A
    assert sorted(left[beyond]) == pytest.approx(sorted(corrected.sites.left_V()))
    with pytest.raises(ValueError, match="no planar averages"):
        plot_planes(corrected)


def test_planes_have_their_scatter_and_their_figure():
    pytest.importorskip("pymatgen.analysis.defects.corrections.freysoldt")
    n, length = 60, 10.0
    x = np.arange(n) / n
    lattice = (length * np.eye(3)).tolist()
    bulk = PlanarPotential(lattice_A=lattice, averages_eV=[[0.0] * n] * 3)
    shifted = PlanarPotential(lattice_A=lattice, averages_eV=[[c] * n for c in (0.10, 0.14, 0.18)])
    made = freysoldt_correction(1, 8.0, shifted, bulk, [0.0, 0.0, 0.0])
    again = freysoldt_correction(1, 8.0, bulk, bulk, [0.0, 0.0, 0.0])
    assert made.total_eV - again.total_eV == pytest.approx(0.14, abs=1e-9)
    scatter = np.mean([p.scatter_eV for p in made.planes])
    assert made.error_eV == pytest.approx(np.hypot(scatter, 0.04))
    axis = plot_planes(made, 2).axes[0]
    drawn = {line.get_label(): np.array(line.get_ydata()) for line in axis.lines}
    assert drawn["what is left"] == pytest.approx(drawn["charged cell minus perfect"] - drawn["model charge"])
    assert len(x) == len(drawn["model charge"])
    with pytest.raises(ValueError, match="aligned no sites"):
        plot_sites(made)
    tensor = freysoldt_correction(1, TENSOR, shifted, bulk, [0.0, 0.0, 0.0])
    assert "spherical average" in tensor.note
    assert made.note == ""
