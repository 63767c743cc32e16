"""The interactive 3D view of the report: chemiscope (BSD-3, https://chemiscope.org), packed into the page.

Its script stands beside this file, gzipped, as its wheel 1.1.0 holds it: the Python package would bring IPython and
widgets, twenty packages, for a dictionary that is written here.
A slider runs through the images from the state before the hop to the one after it, in one orientation.
Arrows are site moments, the grey sphere is the vacancy, the green one the mover on its path.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from ...structures.elements import element
from ..results.calculation import Band

if TYPE_CHECKING:
    from pymatgen.core import Structure

LIBRARY = "chemiscope.min.js.gz"
# Radius around the middle of the hop that is drawn: the two vacancy sites with their first cation shells.
DRAWN_RADIUS_A = 5.5
_MOMENT_TO_A = 0.3
_TURN_DEG, _TILT_DEG = 15.0, 12.0
_PATH_COLOUR = 0x009E73
_VACANCY_COLOUR = 0xBBBBBB
_UP_COLOUR, _DOWN_COLOUR = 0x0072B2, 0xCC79A7


def band_dataset(band: Band, title: str) -> dict[str, Any]:
    """A band in chemiscope's input format.

    Parameters
    ----------
    band
        Images with structures; the surroundings of the hop are cut out of them.
    title
        Shown above the view.

    Returns
    -------
    dict
        Plain JSON values.
    """
    keep = _near_the_hop(band)
    frames, moments, mover = [], [], []
    path = _path(band)
    origin, turn = path.mean(axis=0), screen(path[-1] - path[0])
    for image in band.images:
        points = unwrapped(image.structure, keep, origin) @ turn.T
        frames.append(frame_of(image.structure, keep, points))
        moments += moments_of(image.structure, keep)
        mover.append(points[keep.index(band.mover)])
    track = np.array(mover)
    data = {
        "meta": {"name": title},
        "settings": {"structure": [view_settings("moments and path")]},
        "structures": frames,
        "shapes": {"moments and path": {"kind": "combined", "shapes": [arrows(moments, turn), *_path_shapes(track)]}},
        "properties": {
            "image": property_of([float(n) for n in range(len(frames))]),
            "state": property_of(_names(band)),
            "energy": property_of([i.energy_eV for i in band.images], "eV"),
            "arc": property_of([i.arc_A for i in band.images], "Å"),
        },
    }
    return dict(json.loads(json.dumps(data, default=float)))


def property_of(values: Sequence[float] | Sequence[str], units: str = "") -> dict[str, Any]:
    """One value for each image, as chemiscope takes it."""
    return {"target": "structure", "values": list(values), **({"units": units} if units else {})}


def colour_words(band: Band) -> str:
    """Which colour the view gives to each element."""
    symbols = [str(e) for e in band.images[0].structure.composition.elements]
    return ", ".join(f"{s} {element(s).colour or 'in the colour of its own'}" for s in symbols)


def screen(hop: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rotation of the crystal onto the screen: z, along which collinear moments lie, up and the hop to the right.

    A tilt towards the reader keeps what lies behind visible.
    """
    right = np.array([hop[0], hop[1], 0.0])
    right = right / np.linalg.norm(right) if np.linalg.norm(right) > 1e-3 else np.array([1.0, 0.0, 0.0])
    up = np.array([0.0, 0.0, 1.0])
    upright = np.array([right, up, np.cross(right, up)])
    return np.asarray(Rotation.from_euler("yx", [-_TURN_DEG, _TILT_DEG], degrees=True).as_matrix() @ upright)


def view_settings(shape: str) -> dict[str, Any]:
    """How a view opens, with the shapes of one name drawn."""
    return {
        "bonds": True,
        "unitCell": False,
        "shape": [shape],
        "keepOrientation": True,
        "playbackDelay": 300,
    }


def _path(band: Band) -> NDArray[np.float64]:
    """Cartesian positions of the mover along the band, without jumps over the cell's edge, shape (n, 3)."""
    first = band.images[0].structure
    points = [first[band.mover].coords]
    for image in band.images[1:]:
        step = image.structure[band.mover].frac_coords - first.lattice.get_fractional_coords(points[-1])
        points.append(points[-1] + first.lattice.get_cartesian_coords(step - np.round(step)))
    return np.array(points)


def _near_the_hop(band: Band) -> list[int]:
    structure, centre = band.images[0].structure, _path(band).mean(axis=0)
    near = {n.index for n in structure.get_sites_in_sphere(centre, DRAWN_RADIUS_A)}
    return sorted(near | {band.mover})


def unwrapped(structure: Structure, keep: Sequence[int], origin: NDArray[np.float64]) -> NDArray[np.float64]:
    """Nearest images of some sites relative to a Cartesian point, shape (n, 3)."""
    lattice = structure.lattice
    shift = structure.frac_coords[list(keep)] - lattice.get_fractional_coords(origin)
    return np.asarray(lattice.get_cartesian_coords(shift - np.round(shift)))


def frame_of(structure: Structure, keep: Sequence[int], points: NDArray[np.float64]) -> dict[str, Any]:
    """Some sites at given points as one of chemiscope's structures."""
    x, y, z = (np.round(points[:, k], 4).tolist() for k in range(3))
    return {"size": len(keep), "names": [structure[i].specie.symbol for i in keep], "x": x, "y": y, "z": z}


def moments_of(structure: Structure, keep: Sequence[int]) -> list[list[float]]:
    """Moments of some sites as vectors."""
    values = structure.site_properties.get("magmom", [0.0] * len(structure))
    vectors = [np.atleast_1d(np.asarray(values[i], dtype=float)) for i in keep]
    return [list(map(float, v)) if len(v) == 3 else [0.0, 0.0, float(v[0])] for v in vectors]


def arrows(moments: Sequence[Sequence[float]], turn: NDArray[np.float64]) -> dict[str, Any]:
    """An arrow for the moment of every atom of every frame."""
    atoms = [
        {"vector": (_MOMENT_TO_A * turn @ np.array(m)).tolist(), "color": _UP_COLOUR if m[2] >= 0 else _DOWN_COLOUR}
        for m in moments
    ]
    # An arrow of no length has no direction to draw: it is made too small to see.
    for atom, m in zip(atoms, moments, strict=True):
        if not any(m):
            atom |= {"vector": [0.0, 0.0, 1e-3], "baseRadius": 1e-4, "headRadius": 1e-4, "headLength": 1e-4}
    form = {"baseRadius": 0.12, "headRadius": 0.25, "headLength": 0.4, "vector": [0.0, 0.0, 1.0]}
    return {"kind": "arrow", "parameters": {"global": form, "atom": atoms}}


def _path_shapes(track: NDArray[np.float64]) -> list[dict[str, Any]]:
    line = {
        "vectors": np.round(np.diff(track, axis=0), 4).tolist(),
        "bases": np.round(track[:-1], 4).tolist(),
        "radii": 0.1,
        "colors": _PATH_COLOUR,
    }
    ends = [track[-1] if k < len(track) / 2 else track[0] for k in range(len(track))]
    holes = [
        {
            "centers": [np.round(hole, 4).tolist(), np.round(ion, 4).tolist()],
            "radii": [0.55, 0.6],
            "colors": [_VACANCY_COLOUR, _PATH_COLOUR],
        }
        for hole, ion in zip(ends, track, strict=True)
    ]
    return [
        {
            "kind": "cylinders",
            "parameters": {"global": line, "structure": [{"position": [0.0, 0.0, 0.0]}] * len(track)},
        },
        {"kind": "spheres", "parameters": {"global": holes[0], "structure": holes}},
    ]


def _names(band: Band) -> list[str]:
    names = [i.kind if i.kind in ("saddle", "minimum") else "between" for i in band.images]
    names[0], names[-1] = "before", "after"
    return names


@lru_cache(maxsize=1)
def library_base64() -> str:
    """Chemiscope's script, gzipped, as base64."""
    return base64.b64encode(files(__package__).joinpath(LIBRARY).read_bytes()).decode("ascii")


def json_for_script(value: object) -> str:
    """JSON that cannot end the script element it stands in."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c").replace(">", "\\u003e")
