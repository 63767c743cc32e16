"""A grain of a film: shape and strain in its energy, K V/kT, and the field at which half of many grains have turned.

Energies per volume are those of E(n) of the mapped cell; a grain turns as one rigid domain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import constants as _c

from ...structures.units import MEV_PER_A3_TO_MJ_PER_M3, MEV_TO_J, MU_B_J_PER_T, BOLTZMANN_eV_PER_K
from ..results.document import Document
from .anisotropy import AnisotropyMap
from .harmonics import HarmonicFit
from .switching_barrier import lowest_near, pass_energy_meV, sphere_grid

FloatArray = NDArray[np.float64]
# Grid of the pass over the sphere: within half a per cent of the barrier.
_GRID = 1200
_STEP = 1e-3
_FIELDS = 4000


@dataclass(frozen=True)
class Magnetoelastic:
    """Measured magnetostriction and stiffness of a cubic host.

    Attributes
    ----------
    lambda100, lambda111
        Saturation magnetostriction.
    c11_GPa, c12_GPa, c44_GPa
        Stiffness.
    source
        Where they come from.
    """

    lambda100: float
    lambda111: float
    c11_GPa: float
    c12_GPa: float
    c44_GPa: float
    source: str

    @property
    def b1_MJ_per_m3(self) -> float:
        """-(3/2) lambda100 (c11 - c12), of B1 sum e_ii n_i^2."""
        return -1.5e3 * self.lambda100 * (self.c11_GPa - self.c12_GPa)

    @property
    def b2_MJ_per_m3(self) -> float:
        """-3 lambda111 c44, of 2 B2 sum e_ij n_i n_j over i < j with tensor strains."""
        return -3e3 * self.lambda111 * self.c44_GPa

    def strain_of_film(self, in_plane: float, normal: ArrayLike) -> FloatArray:
        """Strain of a film stretched evenly in its plane and free of stress across it, shape (3, 3)."""
        n = np.asarray(normal, dtype=float) / np.linalg.norm(np.asarray(normal, dtype=float))
        plane = in_plane * (np.eye(3) - np.outer(n, n))

        def with_free(b: FloatArray) -> FloatArray:
            return np.asarray((np.outer(b, n) + np.outer(n, b)) / 2)

        columns = np.array([self._stress(with_free(e)) @ n for e in np.eye(3)]).T
        free = np.linalg.solve(columns, -self._stress(plane) @ n)
        return np.asarray(plane + with_free(free))

    def _stress(self, strain: FloatArray) -> FloatArray:
        diagonal = np.diag(strain)
        out = 2 * self.c44_GPa * strain
        np.fill_diagonal(out, (self.c11_GPa - self.c12_GPa) * diagonal + self.c12_GPa * diagonal.sum())
        return np.asarray(out)

    def energy_MJ_per_m3(self, strain: ArrayLike, directions: ArrayLike) -> FloatArray:
        """Magnetoelastic energy along unit vectors, shape (n,); C. Kittel, 10.1103/RevModPhys.21.541."""
        e, n = np.asarray(strain, dtype=float), np.asarray(directions, dtype=float)
        shear = e - np.diag(np.diag(e))
        return np.asarray(
            self.b1_MJ_per_m3 * (n**2 @ np.diag(e)) + self.b2_MJ_per_m3 * np.einsum("ni,ij,nj->n", n, shear, n)
        )


MAGNETOELASTIC: Mapping[str, Magnetoelastic] = {
    "cofe2o4": Magnetoelastic(
        -590e-6,
        120e-6,
        257.0,
        150.0,
        85.0,
        "lambda of Co0.8Fe2.2O4 at room temperature, R. M. Bozorth et al., 10.1103/PhysRev.99.1788; stiffness from "
        "general literature",
    ),
}


class GrainState(Document):
    """One grain in one state of the mover.

    Attributes
    ----------
    state
        ``before`` or ``after``.
    easy_axis
        Of crystal, shape and strain together, shape (3,).
    barrier_MJ_per_m3
        Lowest pass between the two senses of the easy axis.
    stability
        That barrier times the grain's volume over kT; ten years need 40 to 60.
    crystal_MJ_per_m3, shape_MJ_per_m3, strain_MJ_per_m3
        What each part adds along the film's normal above the mean over its plane; strain None without constants.
    switching_0K_T
        Field against the easy axis at which its state ends at 0 K.
    coercive_T
        Field at which half of many such grains have turned at the film's temperature and sweep rate, field along the
        easy axis; 0 for a superparamagnetic grain.
    bias_over_barrier, bias_over_kT
        |u| over the barrier, from 2 on a uniaxial grain has one sense left; and 2|u| of the grain, the energy between
        both senses, over kT. None without a reference.
    """

    state: str
    easy_axis: list[float]
    barrier_MJ_per_m3: float
    stability: float
    crystal_MJ_per_m3: float
    shape_MJ_per_m3: float
    strain_MJ_per_m3: float | None
    switching_0K_T: float
    coercive_T: float
    bias_over_barrier: float | None = None
    bias_over_kT: float | None = None


@dataclass(frozen=True)
class Grain:
    """What is assumed of the grains.

    Attributes
    ----------
    volume_m3, temperature_K
        Of one, and of the film.
    sweep_T_per_s, attempt_Hz
        Of the field; of a grain's attempts to turn.
    magnetisation_A_per_m
        Of the film.
    shape_factor
        Demagnetising factor along the normal less that in the plane: 1 of a continuous film, 0 of a sphere.
    normal
        Of the film, shape (3,).
    """

    volume_m3: float
    temperature_K: float
    sweep_T_per_s: float
    attempt_Hz: float
    magnetisation_A_per_m: float
    shape_factor: float
    normal: FloatArray


def shape_MJ_per_m3(magnetisation_A_per_m: float, shape_factor: float) -> float:
    """Energy along the film's normal above that in its plane: mu0 M^2/2 times the difference of the factors."""
    return float(0.5e-6 * _c.mu_0 * magnetisation_A_per_m**2 * shape_factor)


def grain_state(
    map_: AnisotropyMap,
    grain: Grain,
    *,
    elastic: Magnetoelastic | None = None,
    in_plane_strain: float = 0.0,
    u_meV: ArrayLike | None = None,
) -> GrainState:
    """Energy, stability and coercive field of a grain with the anisotropy of a mapped cell.

    Parameters
    ----------
    map_
        E(n), its even part.
    grain
        What is assumed.
    elastic, in_plane_strain
        Magnetoelastic constants, and the strain of the film in its plane.
    u_meV
        Unidirectional vector per mapped cell, shape (3,), from a frozen reference.
    """
    per_volume = MEV_PER_A3_TO_MJ_PER_M3 / map_.cell_volume_A3
    normal = grain.normal / np.linalg.norm(grain.normal)
    shape = shape_MJ_per_m3(grain.magnetisation_A_per_m, grain.shape_factor)
    extra = shape * (map_.vectors @ normal) ** 2
    strained = None
    if elastic is not None:
        strain = elastic.strain_of_film(in_plane_strain, normal)
        extra = extra + elastic.energy_MJ_per_m3(strain, map_.vectors)
        ring = _across(normal)
        strained = float(
            elastic.energy_MJ_per_m3(strain, normal[None])[0] - elastic.energy_MJ_per_m3(strain, ring).mean()
        )
    whole = map_.model_copy(update={"energies_meV": (map_.energies + extra / per_volume).tolist()})
    fit, bare = whole.fit(), map_.fit()
    points = sphere_grid(_GRID)
    _, easy = lowest_near(fit, points[int(np.argmin(fit(points)))])
    barrier = (pass_energy_meV(fit, easy, -easy, _GRID) - float(fit(easy[None])[0])) * per_volume
    kT = BOLTZMANN_eV_PER_K * grain.temperature_K * 1e3 * MEV_TO_J
    stability = barrier * 1e6 * grain.volume_m3 / kT
    field = _instability_T(fit, easy, per_volume, grain.magnetisation_A_per_m)
    bias = None if u_meV is None else float(np.linalg.norm(np.asarray(u_meV, dtype=float))) * per_volume
    return GrainState(
        state=map_.state,
        easy_axis=[float(x) for x in easy],
        barrier_MJ_per_m3=barrier,
        stability=stability,
        crystal_MJ_per_m3=float(bare(normal[None])[0] - bare(_across(normal)).mean()) * per_volume,
        shape_MJ_per_m3=shape,
        strain_MJ_per_m3=strained,
        switching_0K_T=field,
        coercive_T=coercive_field_T(field, stability, grain.sweep_T_per_s, grain.attempt_Hz),
        bias_over_barrier=None if bias is None else bias / barrier,
        bias_over_kT=None if bias is None else 2 * bias * 1e6 * grain.volume_m3 / kT,
    )


def coercive_field_T(switching_0K_T: float, stability: float, sweep_T_per_s: float, attempt_Hz: float) -> float:
    """Field at which half of many equal grains have turned, swept from zero at a rate.

    The barrier falls as (1 - B/B0)^2, the rate is attempt exp(-barrier/kT), and survival is integrated along the
    sweep; M. P. Sharrock, 10.1063/1.358282, has a closed form for slow sweeps.

    Parameters
    ----------
    switching_0K_T
        B0.
    stability
        Barrier without a field over kT.
    sweep_T_per_s, attempt_Hz
        Rate of the sweep and of attempts.

    Raises
    ------
    ValueError
        If the rate or the attempts are not positive.
    """
    if not (sweep_T_per_s > 0 and attempt_Hz > 0):
        raise ValueError(f"a sweep of {sweep_T_per_s} T/s with {attempt_Hz} attempts/s: both must be positive")
    if switching_0K_T <= 0 or stability <= 0:
        return 0.0
    x = np.linspace(0.0, 1.0, _FIELDS)
    rates = attempt_Hz * np.exp(-stability * (1 - x) ** 2) * switching_0K_T / sweep_T_per_s
    turned = np.concatenate([[0.0], np.cumsum((rates[1:] + rates[:-1]) / 2 * np.diff(x))])
    if turned[-1] <= np.log(2):
        return switching_0K_T
    if turned[1] > np.log(2):
        return 0.0
    return float(switching_0K_T * np.interp(np.log(np.log(2)), np.log(np.maximum(turned, 1e-300)), x))


def _instability_T(fit: HarmonicFit, easy: FloatArray, per_volume: float, magnetisation_A_per_m: float) -> float:
    """Smallest curvature of the energy at the easy axis over M: 2K/M of a uniaxial grain."""
    if magnetisation_A_per_m == 0:
        return 0.0
    helper = np.cross(easy, np.eye(3)[int(np.argmin(np.abs(easy)))])
    one = helper / np.linalg.norm(helper)
    two = np.cross(easy, one)

    def at(a: float, b: float) -> float:
        v = easy + a * one + b * two
        return float(fit((v / np.linalg.norm(v))[None])[0])

    h, base = _STEP, at(0, 0)
    aa = (at(h, 0) + at(-h, 0) - 2 * base) / h**2
    bb = (at(0, h) + at(0, -h) - 2 * base) / h**2
    ab = (at(h, h) - at(h, -h) - at(-h, h) + at(-h, -h)) / (4 * h**2)
    least = float(np.linalg.eigvalsh([[aa, ab], [ab, bb]])[0])
    return max(least, 0.0) * per_volume * 1e6 / abs(magnetisation_A_per_m)


def _across(normal: FloatArray, count: int = 36) -> FloatArray:
    """Directions of the plane across a unit vector, shape (count, 3)."""
    helper = np.cross(normal, np.eye(3)[int(np.argmin(np.abs(normal)))])
    one = helper / np.linalg.norm(helper)
    two = np.cross(normal, one)
    angles = 2 * np.pi * np.arange(count) / count
    return np.asarray(np.cos(angles)[:, None] * one + np.sin(angles)[:, None] * two)


def magnetisation_A_per_m(moment_muB: float, volume_A3: float) -> float:
    """Moment per volume."""
    return float(moment_muB * MU_B_J_PER_T / (volume_A3 * 1e-30))
