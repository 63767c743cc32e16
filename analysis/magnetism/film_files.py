"""A layered film as input of mumax3 and of ubermag with OOMMF; all numbers in SI, z along the film's normal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .material_constants import MaterialConstants
from .vector_files import ovf_text

FloatArray = NDArray[np.float64]
# mumax3 has so many regions.
_MOST_LAYERS = 256
# A second axis that holds less than this of the first is written as none.
_SMALL = 1e-6


@dataclass(frozen=True)
class FilmMesh:
    """Cells of the film.

    Attributes
    ----------
    across
        Cells along x and along y.
    cell_m
        Edges of a cell, shape (3,); one layer of cells is one layer of the film.
    """

    across: int
    cell_m: tuple[float, float, float]


def mumax3_files(layers: Sequence[MaterialConstants], mesh: FilmMesh) -> dict[str, str]:
    """``film.mx3`` and ``start.ovf``, a start along the easy axis of every layer."""
    if not 0 < len(layers) <= _MOST_LAYERS:
        raise ValueError(f"{len(layers)} layers; mumax3 has regions for 1 to {_MOST_LAYERS}")
    lines = [
        f"SetGridSize({mesh.across}, {mesh.across}, {len(layers)})",
        f"SetCellSize({', '.join(f'{x:.6e}' for x in mesh.cell_m)})",
        "SetPBC(4, 4, 0)",
        *(f"DefRegion({n}, layer({n}))" for n in range(len(layers))),
    ]
    for n, one in enumerate(layers):
        (easy, u), (hard, v) = one.uniaxial
        a, b, _ = one.cubic_axes
        lines += [
            f"// layer {n}: {one.state}, {one.temperature_K:g} K",
            f"Msat.SetRegion({n}, {one.magnetisation_A_per_m:.6e})",
            f"Aex.SetRegion({n}, {one.exchange_J_per_m:.6e})",
            f"Ku1.SetRegion({n}, {easy:.6e})",
            f"AnisU.SetRegion({n}, {_vector(u)})",
            f"Kc1.SetRegion({n}, {one.K1_J_per_m3:.6e})",
            f"Kc2.SetRegion({n}, {one.K2_J_per_m3:.6e})",
            f"AnisC1.SetRegion({n}, {_vector(a)})",
            f"AnisC2.SetRegion({n}, {_vector(b)})",
        ]
        if abs(hard) > _SMALL * abs(easy) and one.magnetisation_A_per_m > 0:
            # mumax3 has one uniaxial axis; the second is a field of its own, 2 K (n.v) v / M.
            lines += [
                f"hard{n} := ConstVector({', '.join(f'{x:.8f}' for x in v)})",
                f"field{n} := Masked(Mul(Const({2 * hard / one.magnetisation_A_per_m:.6e}), "
                f"Mul(Dot(hard{n}, m), hard{n})), layer({n}))",
                f"AddFieldTerm(field{n})",
                f"AddEdensTerm(Mul(Const({-0.5 * one.magnetisation_A_per_m:.6e}), Dot(field{n}, m)))",
            ]
    lines += ["alpha = 0.5", 'm.LoadFile("start.ovf")', "Relax()", 'SaveAs(m, "relaxed.ovf")']
    return {"film.mx3": "\n".join(lines) + "\n", "start.ovf": _start(layers, mesh)}


def ubermag_files(layers: Sequence[MaterialConstants], mesh: FilmMesh) -> dict[str, str]:
    """``film.py`` for ubermag and its fields as OVF files; OOMMF's cubic term has no K2, which is left out."""
    one_axis = [layer.uniaxial for layer in layers]
    columns: dict[str, tuple[list[float] | list[FloatArray], str]] = {
        "M_A_per_m": ([x.magnetisation_A_per_m for x in layers], "A/m"),
        "A_J_per_m": ([x.exchange_J_per_m for x in layers], "J/m"),
        "K_easy_J_per_m3": ([x[0][0] for x in one_axis], "J/m3"),
        "easy": ([x[0][1] for x in one_axis], "1"),
        "K_hard_J_per_m3": ([x[1][0] for x in one_axis], "J/m3"),
        "hard": ([x[1][1] for x in one_axis], "1"),
        "K1_cubic_J_per_m3": ([x.K1_J_per_m3 for x in layers], "J/m3"),
    }
    files = {f"{name}.ovf": ovf_text(_spread(v, mesh), mesh.cell_m, name, unit) for name, (v, unit) in columns.items()}
    a, b, _ = layers[0].cubic_axes
    files["film.py"] = f'''"""Film for ubermag with OOMMF; SI units, z along the film's normal."""

import discretisedfield as df
import micromagneticmodel as mm


def field(name):
    return df.Field.from_file(name + ".ovf")


moment = field("M_A_per_m")
system = mm.System(name="film")
system.energy = (
    mm.Exchange(A=field("A_J_per_m"))
    + mm.UniaxialAnisotropy(K=field("K_easy_J_per_m3"), u=field("easy"), name="easy")
    + mm.UniaxialAnisotropy(K=field("K_hard_J_per_m3"), u=field("hard"), name="hard")
    + mm.CubicAnisotropy(K=field("K1_cubic_J_per_m3"), u1={_tuple(a)}, u2={_tuple(b)})
    + mm.Demag()
)
system.m = df.Field(moment.mesh, nvdim=3, value=field("easy"), norm=moment)

if __name__ == "__main__":
    import oommfc

    oommfc.MinDriver().drive(system)
    system.m.to_file("relaxed.ovf")
'''
    return files


def _spread(values: list[float] | list[FloatArray], mesh: FilmMesh) -> FloatArray:
    """One value per layer on every cell of it, shape (nx, ny, layers) or (nx, ny, layers, 3)."""
    column = np.asarray(values, dtype=float)
    return np.broadcast_to(column, (mesh.across, mesh.across, *column.shape))


def _start(layers: Sequence[MaterialConstants], mesh: FilmMesh) -> str:
    return ovf_text(_spread([_upward(x.uniaxial[0][1]) for x in layers], mesh), mesh.cell_m, "m", "1")


def _upward(axis: FloatArray) -> FloatArray:
    return axis * (1.0 if axis[np.flatnonzero(np.abs(axis) > _SMALL)[-1]] > 0 else -1.0)


def _vector(axis: FloatArray) -> str:
    return f"vector({', '.join(f'{x:.8f}' for x in axis)})"


def _tuple(axis: FloatArray) -> str:
    return f"({', '.join(f'{x:.8f}' for x in axis)})"


CONTINUUM: Mapping[str, Callable[[Sequence[MaterialConstants], FilmMesh], dict[str, str]]] = {
    "mumax3": mumax3_files,
    "ubermag": ubermag_files,
    "oommf": ubermag_files,
}
"""Writers by the name of the program."""
