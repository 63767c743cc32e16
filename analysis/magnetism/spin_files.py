"""A spin model as input files of Vampire, Spirit and UppASD.

Each counts pairs in its own way: Spirit once, as here; Vampire from both ends with the J of the whole bond; UppASD from
both ends with half of it, as programs of the Lichtenstein formula do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ...structures.units import MEV_TO_J, RYDBERG_meV
from .spin_model import SpinAnisotropy, SpinModel

FloatArray = NDArray[np.float64]
_NM_PER_A = 0.1
_PLACE_DIGITS = 10
# Vampire's own limit.
_MOST_MATERIALS = 100
_NO_ANISOTROPY = SpinAnisotropy(np.array([0.0, 0.0, 1.0]), 0.0, 0.0, 0.0)


def vampire_files(model: SpinModel, temperature_K: float) -> dict[str, str]:
    """``vampire.ucf``, ``vampire.mat`` and ``input`` by name; energies in J, E as in `spin_model`."""
    materials, kinds = _materials(model)
    return {
        "vampire.ucf": _vampire_cell(model, kinds),
        "vampire.mat": _vampire_materials(model, materials),
        "input": _vampire_input(model, temperature_K),
    }


def _materials(model: SpinModel) -> tuple[list[int], list[int]]:
    """One spin of each material, and the material of every spin, by label, sense, moment and anisotropy."""
    known: dict[tuple[object, ...], int] = {}
    kinds: list[int] = []
    first: list[int] = []
    for n, label in enumerate(model.labels):
        own = None if model.anisotropies is None else model.anisotropies[n]
        term = () if own is None else (*np.round(_axis_sense(own.axis), 4), round(own.uniaxial_meV, 5))
        cubic = 0.0 if own is None else round(own.cubic_meV, 5)
        key = (label, round(float(model.moments_muB[n]), 4), *term, cubic)
        if key not in known:
            known[key] = len(first)
            first.append(n)
        kinds.append(known[key])
    if len(first) > _MOST_MATERIALS:
        raise ValueError(
            f"{len(first)} different spins, and Vampire takes {_MOST_MATERIALS} materials; export a smaller cell"
        )
    return first, kinds


def _axis_sense(axis: FloatArray) -> FloatArray:
    return axis * (1.0 if axis[np.argmax(np.abs(axis))] > 0 else -1.0)


def _vampire_cell(model: SpinModel, kinds: Sequence[int]) -> str:
    lengths = np.linalg.norm(model.lattice_A, axis=1)
    bonds, values, chiral = model.both_ways()
    isotropic = not np.any(chiral)
    lines = [
        "# Unit cell size (Angstrom)",
        " ".join(f"{x:.10f}" for x in lengths),
        "# Unit cell vectors",
        *(" ".join(f"{x:.12f}" for x in row / length) for row, length in zip(model.lattice_A, lengths, strict=True)),
        "# Atoms: id, fractional place, material",
        f"{len(model.places)} {len(set(kinds))}",
        *(f"{n} {_inside(place)} {kinds[n]} 0 0" for n, place in enumerate(model.places)),
        "# Interactions: id, i, j, cell of j, J in joule of the whole bond (from either end)",
        f"{len(values)} {'isotropic' if isotropic else 'tensorial'}",
    ]
    shifts = np.array([_cell_of(place) for place in model.places])
    for n, (bond, value, vector) in enumerate(zip(bonds, values, chiral, strict=True)):
        i, j = int(bond[0]), int(bond[1])
        cell = (bond[2:] + shifts[j] - shifts[i]).astype(int)
        said = [value] if isotropic else exchange_tensor_meV(float(value), vector).ravel()
        numbers = " ".join(f"{x * MEV_TO_J:.10e}" for x in said)
        lines.append(f"{n} {i} {j} {cell[0]} {cell[1]} {cell[2]} {numbers}")
    return "\n".join(lines) + "\n"


def exchange_tensor_meV(J_meV: float, D_meV: FloatArray) -> FloatArray:
    """Tensor of E = -e_i.T e_j with -J e_i.e_j - D.(e_i x e_j), shape (3, 3)."""
    x, y, z = D_meV
    return np.array([[J_meV, z, -y], [-z, J_meV, x], [y, -x, J_meV]])


def _cell_of(place: FloatArray) -> FloatArray:
    """Cell that a place is in; what is written as 1.0000000000 would be cut off as one of the next."""
    return np.asarray(np.floor(place + 0.5 * 10.0**-_PLACE_DIGITS))


def _inside(place: FloatArray) -> str:
    return " ".join(f"{max(x, 0.0):.{_PLACE_DIGITS}f}" for x in place - _cell_of(place))


def _vampire_materials(model: SpinModel, materials: Sequence[int]) -> str:
    lines = [f"material:num-materials={len(materials)}"]
    for number, n in enumerate(materials, start=1):
        head = f"material[{number}]"
        lines += [
            "#" + "-" * 40,
            f"{head}:material-name={model.labels[n].replace('(', '-').replace(')', '')}-{number}",
            f"{head}:material-element={model.elements[n]}",
            f"{head}:atomic-spin-moment={abs(model.moments_muB[n]):.6f} !muB",
            f"{head}:damping-constant=1.0",
            f"{head}:initial-spin-direction=0,0,{1 if model.moments_muB[n] > 0 else -1}",
        ]
        # Without any constant some versions of Vampire end with a segmentation fault.
        own = _NO_ANISOTROPY if model.anisotropies is None else model.anisotropies[n]
        lines += [
            f"{head}:second-order-uniaxial-anisotropy-constant={own.uniaxial_meV * MEV_TO_J:.8e}",
            f"{head}:uniaxial-anisotropy-direction={','.join(f'{x:.8f}' for x in own.axis)}",
            f"{head}:fourth-order-cubic-anisotropy-constant={own.cubic_meV * MEV_TO_J:.8e}",
        ]
    return "\n".join(lines) + "\n"


def _vampire_input(model: SpinModel, temperature_K: float) -> str:
    size = 8 * np.linalg.norm(model.lattice_A, axis=1) * _NM_PER_A
    return (
        "\n".join(
            [
                *(f"create:periodic-boundaries-{axis}" for axis in "xyz"),
                "material:file=vampire.mat",
                "material:unit-cell-file=vampire.ucf",
                # Vampire rounds up to whole cells: a little less is the number of cells that is meant.
                *(f"dimensions:system-size-{axis}={0.999 * x:.6f} !nm" for axis, x in zip("xyz", size, strict=True)),
                "sim:program=time-series",
                "sim:integrator=monte-carlo",
                f"sim:temperature={temperature_K:g}",
                f"sim:equilibration-temperature={temperature_K:g}",
                "sim:equilibration-time-steps=2000",
                "sim:total-time-steps=5000",
                "sim:time-steps-increment=1",
                "output:time-steps",
                "output:temperature",
                "output:material-magnetisation",
                "output:mean-magnetisation-length",
            ]
        )
        + "\n"
    )


def spirit_files(model: SpinModel, temperature_K: float) -> dict[str, str]:
    """``spirit.cfg`` with its ``pairs.txt`` and ``anisotropy.txt``; meV, Angstrom and muB, pairs once, as here."""
    pairs = ["i j da db dc Jij Dijx Dijy Dijz"]
    for (i, j), cell, value, chiral in zip(model.pairs, model.images, model.J_meV, model.D_meV, strict=True):
        numbers = " ".join(f"{x:.10f}" for x in (value, *chiral))
        pairs.append(f"{i} {j} {cell[0]} {cell[1]} {cell[2]} {numbers}")
    own = model.anisotropies or []
    config = [
        "output_file_tag spirit",
        "lattice_constant 1.0",
        "bravais_vectors",
        *(" ".join(f"{x:.10f}" for x in row) for row in model.lattice_A),
        "n_basis_cells 8 8 8",
        "basis",
        str(len(model.places)),
        *(" ".join(f"{x:.10f}" for x in place) for place in model.places),
        "mu_s " + " ".join(f"{abs(m):.6f}" for m in model.moments_muB),
        "hamiltonian heisenberg_pairs",
        "boundary_conditions 1 1 1",
        "external_field_magnitude 0.0",
        "ddi_method none",
        "interaction_pairs_file pairs.txt",
        *(["anisotropy_file anisotropy.txt"] if own else []),
        f"llg_temperature {temperature_K:g}",
        f"mc_temperature {temperature_K:g}",
    ]
    files = {"spirit.cfg": "\n".join(config) + "\n", "pairs.txt": "\n".join(pairs) + "\n"}
    if own:
        files["anisotropy.txt"] = _spirit_anisotropy(own)
    return files


def _spirit_anisotropy(own: Sequence[SpinAnisotropy]) -> str:
    rows = [
        f"{n} {a.uniaxial_meV:.10f} {' '.join(f'{x:.10f}' for x in a.axis)} {a.cubic_meV:.10f}"
        for n, a in enumerate(own)
    ]
    return "\n".join(["i K Kx Ky Kz K4", *rows]) + "\n"


def uppasd_files(model: SpinModel, temperature_K: float) -> dict[str, str]:
    """``inpsd.dat``, ``posfile``, ``momfile`` and ``jfile`` (and ``dmfile``); mRy, half of J from either end."""
    length = float(np.linalg.norm(model.lattice_A[0]))
    bonds, values, chiral = model.both_ways()
    moved = (model.places[bonds[:, 1]] + bonds[:, 2:] - model.places[bonds[:, 0]]) @ model.lattice_A / length
    to_mRy = 0.5e3 / RYDBERG_meV
    heads = [
        f"{i + 1} {j + 1} {' '.join(f'{x:.8f}' for x in r)}" for (i, j), r in zip(bonds[:, :2], moved, strict=True)
    ]
    exchange = [f"{head} {v * to_mRy:.8f}" for head, v in zip(heads, values, strict=True)]
    files = {
        "posfile": "".join(f"{n + 1} {n + 1} {_inside(p)}\n" for n, p in enumerate(model.places)),
        "momfile": "".join(
            f"{n + 1} 1 {abs(m):.6f} 0.0 0.0 {1 if m > 0 else -1}.0\n" for n, m in enumerate(model.moments_muB)
        ),
        "jfile": "\n".join(exchange) + "\n",
    }
    if np.any(chiral):
        rows = (f"{head} {' '.join(f'{x * to_mRy:.8f}' for x in d)}" for head, d in zip(heads, chiral, strict=True))
        files["dmfile"] = "\n".join(rows) + "\n"
    files["inpsd.dat"] = (
        "\n".join(
            [
                "simid   spins",
                "ncell   8 8 8",
                "BC      P P P",
                "cell",
                *("  " + " ".join(f"{x:.10f}" for x in row / length) for row in model.lattice_A),
                "Sym     0",
                "posfile ./posfile",
                "posfiletype D",
                "momfile ./momfile",
                "exchange ./jfile",
                "maptype 1",
                *(["dm ./dmfile"] if "dmfile" in files else []),
                f"alat    {length * 1e-10:.8e}",
                "ip_mode M",
                "ip_mcnstep 10000",
                f"ip_temp {temperature_K:g}",
                "mode    M",
                f"temp    {temperature_K:g}",
                "mcnstep 10000",
            ]
        )
        + "\n"
    )
    return files


ATOMISTIC: Mapping[str, Callable[[SpinModel, float], dict[str, str]]] = {
    "vampire": vampire_files,
    "spirit": spirit_files,
    "uppasd": uppasd_files,
}
"""Writers by the name of the program."""
