"""Compiled loops against plain sums, and the splines against what they stand for."""

import os
import subprocess
import sys

import numpy as np
import pytest
from ase import Atoms
from magnetoionics.calculators.ewald import ewald_sum
from magnetoionics.calculators.pairs import half_pairs, pair_geometry
from magnetoionics.calculators.potentials import LEWIS_CATLOW_1985, PEDONE_2006
from magnetoionics.calculators.reciprocal import reciprocal_lattice, split_at
from magnetoionics.calculators.rigid_ion import RigidIonCalculator
from magnetoionics.calculators.splines import ERFC_STEPS, erfc_spline, term_splines
from pair_terms import short_range
from scipy.special import erfc

MODELS = [PEDONE_2006, LEWIS_CATLOW_1985]
CELL = np.array([[6.1, 0.3, -0.2], [0.4, 5.2, 0.5], [-0.6, 0.2, 7.7]])


def ions() -> Atoms:
    """Twelve ions of several kinds in a triclinic cell, each at least 1.6 A from the others, most outside the cell."""
    rng = np.random.default_rng(2)
    grid = np.stack(np.meshgrid([0, 0.5], [0, 0.5], [0, 1 / 3, 2 / 3], indexing="ij"), axis=-1).reshape(-1, 3)
    symbols = ["Fe", "O", "O", "Co", "O", "Fe", "Li", "O", "O", "Fe", "O", "O"]
    atoms = Atoms(symbols, cell=CELL, pbc=True, scaled_positions=grid)
    atoms.positions += rng.uniform(-0.2, 0.2, (12, 3)) + rng.integers(-2, 3, (12, 3)) @ CELL
    atoms.arrays["valence"] = np.array([{"Fe": 3.0, "Co": 2.0, "Li": 1.0, "O": -2.0}[s] for s in symbols])
    return atoms


def evaluate(table, steps):
    """Value and slope per step, by NumPy."""
    n = steps.astype(int)
    powers = table[n].T
    return np.polyval(powers, steps - n), np.polyval(
        [p * k for p, k in zip(powers, (5, 4, 3, 2, 1), strict=False)], steps - n
    )


def test_error_function():
    x = np.linspace(0, 5.999, 20011)
    value, slope = evaluate(erfc_spline(), x * ERFC_STEPS)
    assert np.abs(value - erfc(x)).max() < 1e-15
    assert np.abs(slope * ERFC_STEPS + 2 / np.sqrt(np.pi) * np.exp(-x * x)).max() < 1e-12


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_short_range_terms(model):
    terms = tuple(dict.fromkeys(model.terms.values()))
    splines = term_splines(terms, model.cutoff, model.taper)
    r = np.linspace(1.3, model.cutoff - 1e-9, 30011)
    for table, term in zip(splines.tables, terms, strict=True):
        value, slope = evaluate(table, (r - splines.start) * splines.steps)
        exact = short_range(model, term, r)
        # Or 2e-10 of the steepest slope, which Cu+ alone of Pedone's ions has above 100 eV/A.
        jump = 5e-6 if model is LEWIS_CATLOW_1985 else max(2e-8, 2e-10 * float(np.abs(exact[1]).max()))
        assert np.abs(value - exact[0]).max() < 0.01 * jump
        assert np.abs(slope * splines.steps - exact[1]).max() < jump
    close = np.linspace(0.5, 1.3, 3001)
    for table, term in zip(splines.tables, terms, strict=True):
        slope = evaluate(table, (close - splines.start) * splines.steps)[1] * splines.steps
        exact = short_range(model, term, close)[1]
        assert np.abs(slope - exact).max() < 2e-7 * np.abs(exact).max()


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_calculator_is_the_sum_of_coulomb_and_short_range(model):
    atoms = ions()
    calculator = RigidIonCalculator(model, accuracy=1e-10)
    forces, charges = calculator.get_property("forces", atoms), calculator.results["charges"]
    coulomb = ewald_sum(CELL, atoms.positions, charges, accuracy=1e-13)
    energies, short = coulomb.energies.copy(), np.zeros((12, 3))
    geometry = pair_geometry(half_pairs(CELL, atoms.positions, model.cutoff), atoms.positions)
    species = [model.nearest_species(s, v) for s, v in zip(atoms.symbols, atoms.arrays["valence"], strict=True)]
    for i, j, r, d in zip(
        geometry.pairs.first, geometry.pairs.second, geometry.distances, geometry.vectors.T, strict=True
    ):
        term = model.term(species[i], species[j])
        if term is not None:
            value, slope = (x[0] for x in short_range(model, term, np.array([r])))
            energies[[i, j]] += 0.5 * value if i != j else 0.0
            energies[i] += value if i == j else 0.0
            short[i] += slope * d / r
            short[j] -= slope * d / r
    tolerance = 1e-5 if model is LEWIS_CATLOW_1985 else 1e-8
    np.testing.assert_allclose(calculator.results["energies"], energies, atol=tolerance)
    np.testing.assert_allclose(forces, coulomb.forces + short, atol=tolerance)


def test_wave_sums_are_the_sums_over_wave_vectors():
    rng = np.random.default_rng(5)
    points, charges = rng.uniform(-9, 9, (7, 3)), rng.normal(size=7)
    lattice = reciprocal_lattice(CELL, split_at(3.0, 1e-8))
    potential, field, virial = lattice.field(points, charges)
    waves, weights = lattice.vectors.reshape(-1, 3), lattice.weights.ravel()
    phase = np.exp(1j * points @ waves.T)
    strength = weights * np.conj(charges @ phase)
    np.testing.assert_allclose(potential, (phase @ strength).real, atol=1e-11)
    np.testing.assert_allclose(field, (phase @ (strength[:, None] * waves)).imag, atol=1e-11)
    energy = 0.5 * weights * np.abs(charges @ phase) ** 2
    square = np.where(weights > 0, np.einsum("kx,kx->k", waves, waves), np.inf)
    stretch = 2 * energy * (1 / square + 0.25 / lattice.parameters.alpha**2)
    np.testing.assert_allclose(virial, (waves.T * stretch) @ waves - energy.sum() * np.eye(3), atol=1e-10)


def test_runs_without_a_folder_for_compiled_code(tmp_path, repository):
    # A copy that numba cannot find a cache for: the code comes from a string, as in a zipped package.
    code = (repository / "calculators" / "kernels.py").read_text()
    script = f"import numpy as np\nspace = {{'__name__': 'kernels'}}\nexec({code!r}, space)\n"
    script += "print(space['_spline'](np.eye(6), 0.5))\n"
    environment = {**os.environ, "NUMBA_CACHE_DIR": "", "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("(0.03125, ")
