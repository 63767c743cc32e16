"""Fields on a regular mesh in OOMMF's vector format, version 2 as text, which OOMMF, mumax3, ubermag and Spirit read.

M. J. Donahue and D. G. Porter, OOMMF User's Guide, 10.6028/NIST.IR.6376.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
_AXES = "xyz"


def ovf_text(values: ArrayLike, cell_m: ArrayLike, title: str, unit: str) -> str:
    """A field as the text of an OVF file.

    Parameters
    ----------
    values
        Shape (nx, ny, nz) of numbers or (nx, ny, nz, 3) of vectors.
    cell_m
        Edges of a mesh cell, shape (3,).
    title, unit
        Name of the quantity and its unit, of one word each.

    Raises
    ------
    ValueError
        If the shape is another, a value is not finite, or a cell has no size.
    """
    field, edges = np.asarray(values, dtype=float), np.asarray(cell_m, dtype=float)
    if field.ndim == 3:
        field = field[..., None]
    if field.ndim != 4 or field.shape[3] not in (1, 3) or not all(field.shape):
        raise ValueError(f"a field has the shape (nx, ny, nz) or (nx, ny, nz, 3), not {np.shape(values)}")
    if not np.isfinite(field).all() or edges.shape != (3,) or not (edges > 0).all():
        raise ValueError("a field needs finite values on cells with edges above 0 m")
    size = field.shape[3]
    head = [
        "# OOMMF OVF 2.0",
        "# Segment count: 1",
        "# Begin: Segment",
        "# Begin: Header",
        f"# Title: {title}",
        "# meshtype: rectangular",
        "# meshunit: m",
        *(f"# {axis}base: {edge / 2:.10e}" for axis, edge in zip(_AXES, edges, strict=True)),
        *(f"# {axis}nodes: {n}" for axis, n in zip(_AXES, field.shape, strict=False)),
        *(f"# {axis}stepsize: {edge:.10e}" for axis, edge in zip(_AXES, edges, strict=True)),
        *(f"# {axis}min: 0" for axis in _AXES),
        *(f"# {axis}max: {n * edge:.10e}" for axis, n, edge in zip(_AXES, field.shape, edges, strict=False)),
        f"# valuedim: {size}",
        "# valuelabels: " + " ".join([title] if size == 1 else [f"{title}_{axis}" for axis in _AXES]),
        "# valueunits: " + " ".join([unit] * size),
        "# End: Header",
        "# Begin: Data Text",
    ]
    # x runs fastest.
    rows = field.transpose(2, 1, 0, 3).reshape(-1, size)
    data = [" ".join(f"{x:.12g}" for x in row) for row in rows]
    return "\n".join([*head, *data, "# End: Data Text", "# End: Segment"]) + "\n"
