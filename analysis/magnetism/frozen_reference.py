"""A frozen reference p as a user assumes it, and its coupling to the moments that still turn.

Something is frozen (a sublattice, the shell around a core, a layer of the cell, or a pinned
phase outside it) and points along s_j p, the rest turns along s_i n, with s the signs of the collinear order. So n = p
is the order as it is, and the frozen group adds to E(n)

    -h p.n + D.(n x p) + n.Gamma p ,   h = sum J_ij s_i s_j ,   D = sum s_i s_j d0 sum_O r_iO x r_jO

over pairs of a turning ion i and a frozen one j, each once (J > 0 is ferromagnetic; F. Keffer,
10.1103/PhysRev.126.896). h is assumed, or the sum over assumed J, or half the energy that an engine finds for
turning the frozen group over; d0 and Gamma are assumed, or all three come from mapped pairs (`with_pairs`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator
from pymatgen.core import Structure

from ...structures.spins import is_non_collinear
from ..results.document import Document
from .exchange import FourStateResult, bonds_from_table, heisenberg_energy_meV
from .pair_coupling import coupling_of_pairs

FloatArray = NDArray[np.float64]
_MAGNETIC_muB = 1e-6
_AXES = {"a": 0, "b": 1, "c": 2}


class FrozenReference(Document):
    """What is frozen, along what, and how it couples. Exactly one of the first four is given.

    Attributes
    ----------
    sublattice
        Ions of this sublattice, e.g. ``"A"``.
    shell_A
        Ions farther from the moving ion than this, Angstrom: a core that turns in a frozen shell.
    layer
        Ions with a fractional coordinate between these two along `layer_axis`.
    outside
        A pinned phase that is not in the cell, in words; all ions of the cell turn, and `h_meV` must be given.
    p
        Direction in which the cell's magnetisation pointed when the reference froze, Cartesian, any length.
    h_meV
        Heisenberg coupling per cell; positive if n = p is the low state.
    J_meV
        Or couplings by pair, ``{"Fe(A)-Co(B)": -2.0}``, J > 0 ferromagnetic, unit spins, each bond once.
    d0_meV_per_A2
        Strength of the Dzyaloshinskii vector per Keffer's product; one number for all pairs, or by pair.
    Gamma_meV
        Symmetric anisotropic coupling per cell, shape (3, 3).
    D_meV
        Or the Dzyaloshinskii vector per cell itself, of +D.(n x p), the same in both states; from mapped pairs by
        `with_pairs`.
    source
        Where the numbers come from.
    """

    sublattice: str | None = None
    shell_A: float | None = Field(default=None, gt=0)
    layer: list[float] | None = Field(default=None, min_length=2, max_length=2)
    layer_axis: Literal["a", "b", "c"] = "c"
    outside: str | None = None
    p: list[float] = Field(min_length=3, max_length=3)
    h_meV: float | None = None
    J_meV: dict[str, float] = Field(default_factory=dict)
    d0_meV_per_A2: float | dict[str, float] = 0.0
    Gamma_meV: list[list[float]] | None = None
    D_meV: list[float] | None = Field(default=None, min_length=3, max_length=3)
    source: str = "stated by the user"

    @field_validator("p")
    @classmethod
    def _has_length(cls, value: list[float]) -> list[float]:
        length = float(np.linalg.norm(value))
        if not length > 0 or not np.isfinite(length):
            raise ValueError(f"p = {value} is no direction; give three numbers, e.g. [1, 1, 0]")
        return [float(x) / length for x in value]

    @field_validator("Gamma_meV")
    @classmethod
    def _symmetric(cls, value: list[list[float]] | None) -> list[list[float]] | None:
        if value is None:
            return None
        matrix = np.array(value, dtype=float) if all(len(row) == 3 for row in value) else np.zeros((0, 0))
        if matrix.shape != (3, 3) or not np.allclose(matrix, matrix.T):
            raise ValueError("Gamma_meV must be a symmetric matrix of three rows of three numbers")
        return value

    @model_validator(mode="after")
    def _one_kind(self) -> FrozenReference:
        given = [n for n in ("sublattice", "shell_A", "layer", "outside") if getattr(self, n) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of sublattice, shell_A, layer and outside, not {given or 'none'}")
        if self.h_meV is not None and self.J_meV:
            raise ValueError("give h_meV or J_meV, not both")
        if self.D_meV is not None and self.d0_meV_per_A2:
            raise ValueError("give D_meV or d0_meV_per_A2, not both")
        if self.D_meV is not None and not np.isfinite(self.D_meV).all():
            raise ValueError(f"D_meV = {self.D_meV} must be three finite numbers")
        if self.outside is not None and (self.h_meV is None or self.d0_meV_per_A2):
            raise ValueError("a reference outside the cell needs h_meV, and has no bonds for J_meV or d0_meV_per_A2")
        return self

    @property
    def name(self) -> str:
        """What is frozen, in words."""
        if self.sublattice is not None:
            return f"sublattice {self.sublattice}"
        if self.shell_A is not None:
            return f"shell beyond {self.shell_A:g} A of the moving ion"
        if self.layer is not None:
            return f"layer {self.layer[0]:g} to {self.layer[1]:g} along {self.layer_axis}"
        return str(self.outside)

    @property
    def has_coupling(self) -> bool:
        """Whether h is assumed or follows from assumed J; else an engine has to supply it."""
        return self.h_meV is not None or bool(self.J_meV)


class FrozenCoupling(Document):
    """Coupling of the frozen group to the turning one in one state.

    Attributes
    ----------
    h_meV, D_meV, Gamma_meV
        Per cell, see `FrozenReference`.
    h_source
        ``given``, ``sum over assumed J``, or the engine's name.
    keffer_A2
        sum s_i s_j sum_O r_iO x r_jO over the pairs, shape (3,).
    frozen_ions, turning_ions
        Magnetic ions of the two groups.
    turning_sites
        Indices of the turning ions.
    turning_moment_muB
        Sum of their moments; negative if their moment is opposite to the cell's order along n.
    """

    state: str
    h_meV: float
    h_source: str
    D_meV: list[float]
    Gamma_meV: list[list[float]]
    keffer_A2: list[float]
    frozen_ions: int
    turning_ions: int
    turning_sites: list[int] = Field(repr=False)
    turning_moment_muB: float


def frozen_sites(structure: Structure, reference: FrozenReference, mover: int) -> list[int]:
    """Indices of the frozen magnetic ions of a state.

    Parameters
    ----------
    structure
        Cell with site properties ``magmom`` (collinear) and ``sublattice``.
    reference
        What is frozen.
    mover
        Index of the moving ion, the centre of a shell.

    Raises
    ------
    ValueError
        If a reference inside the cell freezes no magnetic ion, or all of them, or the moments are vectors.
    """
    if is_non_collinear(structure):
        raise ValueError("a frozen reference needs moments along one axis; these are vectors")
    magnetic = [i for i, s in enumerate(structure) if abs(float(s.properties["magmom"])) > _MAGNETIC_muB]
    if reference.outside is not None:
        return []
    if reference.sublattice is not None:
        chosen = [i for i in magnetic if structure[i].properties["sublattice"] == reference.sublattice]
    elif reference.shell_A is not None:
        chosen = [i for i in magnetic if structure.get_distance(i, mover) > reference.shell_A]
    else:
        low, high = reference.layer or (0.0, 0.0)
        along = structure.frac_coords[:, _AXES[reference.layer_axis]] % 1.0
        chosen = [i for i in magnetic if low <= along[i] <= high]
    if not chosen or len(chosen) == len(magnetic):
        labels = sorted({str(structure[i].properties["sublattice"]) for i in magnetic})
        raise ValueError(
            f"the reference {reference.name!r} freezes {len(chosen)} of {len(magnetic)} magnetic ions; "
            f"some must freeze and some must turn (magnetic sublattices: {', '.join(labels)})"
        )
    return chosen


def frozen_coupling(
    structure: Structure,
    reference: FrozenReference,
    *,
    state: str,
    mover: int,
    frozen: list[int] | None = None,
    engine_h_meV: float | None = None,
    engine: str = "",
) -> FrozenCoupling:
    """h, D and Gamma of one state.

    Parameters
    ----------
    structure, reference, mover
        As `frozen_sites`.
    state
        Name of the state.
    frozen
        Indices of the frozen ions; those that the reference names in this structure by default. States of one hop
        are given the same ones: a reference does not change its ions when one of them moves.
    engine_h_meV, engine
        h from an engine, and its name; used where none is assumed.

    Raises
    ------
    ValueError
        If there is no h, or the reference does not fit the cell.
    """
    frozen = frozen_sites(structure, reference, mover) if frozen is None else frozen
    signs = np.array([np.sign(round(float(s.properties["magmom"]), 9)) for s in structure])
    turning = [i for i in np.flatnonzero(signs).tolist() if i not in set(frozen)]
    if reference.h_meV is not None:
        h, source = reference.h_meV, "given"
    elif reference.J_meV:
        h, source = _from_table(structure, reference, frozen), "sum over assumed J"
    elif engine_h_meV is not None:
        h, source = engine_h_meV, engine
    else:
        raise ValueError("the reference has no coupling: state h_meV or J_meV, or use an engine with spins")
    keffer, chiral = _keffer(structure, signs, set(frozen), reference.d0_meV_per_A2)
    if reference.D_meV is not None:
        chiral = np.asarray(reference.D_meV)
    return FrozenCoupling(
        state=state,
        h_meV=float(h),
        h_source=source,
        D_meV=[float(x) for x in chiral],
        Gamma_meV=reference.Gamma_meV or np.zeros((3, 3)).tolist(),
        keffer_A2=[float(x) for x in keffer],
        frozen_ions=len(frozen),
        turning_ions=len(turning),
        turning_sites=turning,
        turning_moment_muB=float(sum(float(structure[i].properties["magmom"]) for i in turning)),
    )


def with_pairs(
    reference: FrozenReference, structure: Structure, pairs: Sequence[FourStateResult], mover: int = 0
) -> FrozenReference:
    """A reference whose h, D and Gamma are those of mapped pairs of turning and frozen ions.

    Parameters
    ----------
    reference
        What is frozen, inside the cell; what it says of couplings is replaced.
    structure
        Cell in which the pairs were mapped, with its collinear ``magmom`` and ``sublattice``.
    pairs
        All pairs that couple the two groups, each once; see `pair_coupling.coupling_of_pairs`.
    mover
        Index of the moving ion, the centre of a shell.

    Raises
    ------
    ValueError
        If the reference lies outside the cell, or a pair does not join the two groups.
    """
    if reference.outside is not None:
        raise ValueError("a reference outside the cell has no pairs in it; state h_meV and D_meV")
    signs = [float(np.sign(round(float(s.properties["magmom"]), 9))) for s in structure]
    group_coupling = coupling_of_pairs(pairs, signs, set(frozen_sites(structure, reference, mover)))
    return reference.model_copy(
        update={
            "h_meV": group_coupling.h_meV,
            "J_meV": {},
            "d0_meV_per_A2": 0.0,
            "D_meV": group_coupling.D_meV,
            "Gamma_meV": group_coupling.Gamma_meV,
            "source": f"four-state energies of {group_coupling.pairs} pairs ({pairs[0].provenance.engine})",
        }
    )


def _pairs(names: Mapping[str, float]) -> dict[tuple[str, str], float]:
    out = {}
    for name, value in names.items():
        first, dash, second = name.partition("-")
        if not dash or not first.strip() or not second.strip():
            raise ValueError(f"pair {name!r} must read like 'Fe(A)-Co(B)'")
        out[first.strip(), second.strip()] = float(value)
    return out


def _from_table(structure: Structure, reference: FrozenReference, frozen: list[int]) -> float:
    """Half of what turning the frozen group over costs."""
    bonds = bonds_from_table(structure, _pairs(reference.J_meV))
    signs = np.array([np.sign(float(structure[i].properties["magmom"])) for i in bonds.sites])
    turned = np.where(np.isin(bonds.sites, frozen), -signs, signs)
    return (heisenberg_energy_meV(bonds, turned) - heisenberg_energy_meV(bonds, signs)) / 2


def _keffer(
    structure: Structure, signs: FloatArray, frozen: set[int], d0: float | dict[str, float], bond_A: float = 2.7
) -> tuple[FloatArray, FloatArray]:
    """Keffer's sum over turning-frozen pairs (A^2), and the same weighted with d0 (meV)."""
    centres, neighbours, images, _ = structure.get_neighbor_list(bond_A)
    anion = np.array([float(s.properties.get("valence") or 0.0) < 0 for s in structure])
    at = structure.cart_coords
    vectors = at[neighbours] + images @ structure.lattice.matrix - at[centres]
    around: dict[int, list[tuple[int, FloatArray]]] = {}
    for oxygen, ion, vector in zip(centres.tolist(), neighbours.tolist(), vectors, strict=True):
        if anion[oxygen] and signs[ion]:
            # From the ion to the oxygen.
            around.setdefault(oxygen, []).append((ion, -vector))
    names = [f"{s.specie.symbol}({s.properties['sublattice']})" for s in structure]
    by_pair = {frozenset(k): v for k, v in _pairs(d0).items()} if isinstance(d0, dict) else {}
    total, weighted = np.zeros(3), np.zeros(3)
    for ions in around.values():
        for (i, r_i), (j, r_j) in product(ions, ions):
            if i in frozen or j not in frozen:
                continue
            part = signs[i] * signs[j] * np.cross(r_i, r_j)
            total += part
            weighted += part * (by_pair.get(frozenset((names[i], names[j])), 0.0) if isinstance(d0, dict) else d0)
    return total, weighted
