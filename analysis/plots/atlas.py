"""Figure of the atlas: how long materials keep what is written, against the field that writes within a millisecond."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...structures.units import SECONDS_PER_DAY, SECONDS_PER_YEAR
from ..results.figures import figure
from ..study.atlas import Atlas, AtlasPoint
from .base import BLUE, GREEN, ORANGE, PURPLE, VERMILION, canvas, sign
from .labels import Label, write_labels
from .text import formatted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE)
_MARKERS = "os^Dv"
_KNOWN = {"measured": "*", "DFT": "x"}
_TIMES = {"1 ms": 1e-3, "1 s": 1.0, "1 day": SECONDS_PER_DAY, "10 years": 10 * SECONDS_PER_YEAR}


@figure(Atlas, "atlas")
def plot_atlas(atlas: Atlas, ax: Axes | None = None) -> Figure:
    """Retention at 300 K against the field along the hop that drives it within 1 ms, one point per material and engine.

    Open points: the field is that of the linear law and lies beyond what the study was held against.
    """
    from matplotlib.ticker import LogLocator

    points = [p for p in atlas.points if p.retention_s is not None and _field(p)]
    engines = list(dict.fromkeys(p.engine for p in points))
    with canvas(ax, size=(7.2, 5.2)) as (made, axis):
        for number, engine in enumerate(engines):
            own = [p for p in points if p.engine == engine]
            colour, marker = _COLOURS[number % len(_COLOURS)], _MARKERS[number % len(_MARKERS)]
            for p in own:
                face = colour if p.field_V_per_m else "white"
                axis.plot(*_place(p), marker, color=colour, mfc=face, ms=5)
            axis.plot([], [], marker, color=colour, label=engine)
        for kind, style in _KNOWN.items():
            beside = [(p, k) for p in points if (k := p.with_known_barrier) is not None and k.engine == kind]
            for p, k in beside:
                axis.plot(*zip(_place(p), _place(k), strict=True), ":", color="0.6", lw=0.8, zorder=0)
                axis.plot(*_place(k), style, color="0.35", ms=7)
            if beside:
                axis.plot([], [], style, color="0.35", ls="", label=f"over the barrier of others, {kind}")
        axis.margins(x=0.12)
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.xaxis.set_minor_locator(LogLocator(subs=(2, 5)))
        low, high = axis.get_ylim()
        for name, seconds in _TIMES.items():
            if low < seconds < high:
                axis.axhline(seconds, color="0.8", lw=0.8, zorder=0)
                axis.annotate(
                    name, (1, seconds), xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize=6.5
                )
        axis.set_xlabel("field along the hop that drives it within 1 ms at 300 K (V/m)")
        axis.set_ylabel("a written difference falls to 1/e at 300 K (s)")
        if engines:
            axis.legend(title="open: beyond the allowed field", fontsize=7, title_fontsize=7, loc="upper left")
        write_labels(
            axis,
            [Label(_name(p, points), *_place(p)) for p in sorted(points, key=_field)],
            beside=[_place(p.with_known_barrier) for p in points if p.with_known_barrier is not None],
        )
        cells = sorted({p.cell_atoms for p in points})
        atoms = f"{cells[0]} to {cells[-1]} atoms" if cells else "no point has times"
        sign(
            axis,
            f"main hop of each study, all of a folder of hops; {atoms}; hops that need no field are left out\n"
            "internal field; where it was not computed, 1e13 Hz is assumed",
        )
        return made


def _name(point: AtlasPoint, points: list[AtlasPoint]) -> str:
    """Formula and ion; with the host where another has that formula."""
    alike = {p.host for p in points if p.formula == point.formula}
    return f"{formatted(point.formula)}{f' ({point.host})' if len(alike) > 1 else ''}, {point.ion}"


def _place(point: AtlasPoint) -> tuple[float, float]:
    """In the figure: V/m and s."""
    return _field(point), point.retention_s or 0.0


def _field(point: AtlasPoint) -> float:
    """The field, or that of the linear law where no allowed field does it; 0 for a hop that needs none."""
    field = point.field_V_per_m
    return (point.linear_field_V_per_m or 0.0) if field is None else field
