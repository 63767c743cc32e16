"""Interactive figures by plotly: window, formation lines, the band with its structures, E(n) on the sphere.

Plotly comes with pymatgen and is imported when a figure is asked for; `Document.interactive` is the door.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...structures.elements import element as known_element
from ..defects.formation import FormationLines
from ..kinetics.migration import Migration
from ..magnetism.anisotropy import AnisotropyMap, difference_meV
from ..magnetism.directions import axis_in_words
from ..results.figures import interactive_figure
from ..study.documents import AnisotropyResult, Study
from ..thermodynamics.gases import gas_of
from ..thermodynamics.stability_window import ChemicalPotentials, coupled_points
from .base import BLUE, GREEN, ORANGE, PURPLE, VERMILION
from .formation import NO_RESULT, gas_temperature_K
from .migration import mark_of
from .text import formatted
from .window import outline, region_edges, shown_element, solids_words

if TYPE_CHECKING:
    from plotly.graph_objects import Figure, Surface
    from pymatgen.core import Structure

FloatArray = NDArray[np.float64]
_COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, "#56B4E9", "#000000")
_UNKNOWN_COLOUR = "#888888"
# Ions farther from the hop are not drawn.
_DRAWN_A = 5.0
_NEIGHBOURS = 4
# Pixels below the axes.
_SIGNED_BELOW = -58


def _laid_out(figure: Figure, title: str, signed: str) -> Figure:
    """Our style, and below the axes the line that says which engine spoke."""
    figure.update_layout(
        template="simple_white",
        title={"text": formatted(title), "font": {"size": 15}},
        font={"family": "DejaVu Sans, Arial, sans-serif", "size": 12},
        margin={"l": 70, "r": 20, "t": 60, "b": 90},
        legend={"bgcolor": "rgba(255,255,255,0.6)"},
    )
    figure.add_annotation(
        text=formatted(signed), xref="paper", yref="paper", x=1, y=0, yshift=_SIGNED_BELOW,
        xanchor="right", yanchor="top", showarrow=False, font={"size": 10, "color": "#666666"},
    )  # fmt: skip
    return figure


@interactive_figure(ChemicalPotentials, "window")
def interactive_window(window: ChemicalPotentials, *, element: str | None = None) -> Figure:
    """The stability region; along its edges the phase that forms, and every potential there.

    Parameters
    ----------
    window
        A stability region.
    element
        Cation on the vertical axis, as in `window.plot_window`.
    """
    from plotly.graph_objects import Figure, Scatter

    chosen = shown_element(window, element)
    grid, bottom, top = outline(window, chosen)
    around = (np.r_[grid, grid[::-1]], np.r_[bottom, top[::-1]])
    region = Scatter(x=around[0], y=around[1], fill="toself", mode="none", fillcolor="rgba(0,114,178,0.15)")
    region.update(name="stable", hoverinfo="skip")
    figure = Figure(region)
    edges = region_edges(window, chosen) if len(window.elements) == 3 else []
    for n, (phase, x, y) in enumerate(edges):
        across = np.linspace(0, 1, 15)
        line = np.outer(1 - across, [x[0], y[0]]) + np.outer(across, [x[1], y[1]])
        told = [f"{formatted(phase)} forms<br>{_potentials(window, chosen, *point)}" for point in line]
        figure.add_scatter(
            x=line[:, 0], y=line[:, 1], mode="lines", name=f"{formatted(phase)} forms", text=told, hoverinfo="text",
            line={"width": 4, "color": _COLOURS[n % len(_COLOURS)]},
        )  # fmt: skip
    if not edges:
        figure.add_scatter(x=around[0], y=around[1], mode="lines", name="edge", line={"color": "#333333"})
    figure.update_xaxes(title=f"{gas_of(window.anion).word} potential Δμ({window.anion}) (eV)")
    figure.update_yaxes(title=f"{chosen} potential Δμ({chosen}) (eV)")
    return _laid_out(figure, f"{window.host_formula} is stable inside", solids_words(window))


def _potentials(window: ChemicalPotentials, chosen: str, anion_eV: float, chosen_eV: float) -> str:
    """All potentials at a point of the region's edge, in lines."""
    low, high = window.delta_mu_O_min_eV, window.delta_mu_O_max_eV
    here = coupled_points(window, float(np.clip(anion_eV, low, high)))
    nearest = min(here, key=lambda p: abs(p[chosen] - chosen_eV))
    return "<br>".join(f"Δμ({name}) = {value:.2f} eV".replace("-", "−") for name, value in nearest.items())


@interactive_figure(FormationLines, "formation")
def interactive_formation(lines: FormationLines, *, pressure_atm: float = 1e-5) -> Figure:
    """Formation energies against the anion's potential; under the pointer all of them and the temperature of the gas.

    Parameters
    ----------
    lines
        Lines with their range over the allowed cation potentials.
    pressure_atm
        Of the gas whose temperature is told.
    """
    from plotly.graph_objects import Figure

    mu = lines.delta_mu_O_eV
    figure = Figure()
    for n, line in enumerate(lines.lines):
        colour, wrong = _COLOURS[n % len(_COLOURS)], bool(lines.no_result_because(line))
        name = (f"{line.label}, q = {line.charge:+d}" if line.charge else line.label) + (NO_RESULT if wrong else "")
        figure.add_scatter(
            x=[*mu, *mu[::-1]], y=[*line.low_eV, *line.high_eV[::-1]], fill="toself", mode="none", fillcolor=colour,
            opacity=0.18, hoverinfo="skip", showlegend=False, legendgroup=name,
        )  # fmt: skip
        figure.add_scatter(
            x=mu, y=line.mid_eV, mode="lines", name=name, legendgroup=name, hovertemplate="%{y:.2f} eV",
            line={"color": colour, "dash": "dot" if wrong else "solid"},
        )  # fmt: skip
    low, high = lines.window_eV
    ends = (min(low, *mu), max(high, *mu))
    for left, right in ((ends[0], low), (high, ends[1])):
        if right > left:
            figure.add_vrect(x0=left, x1=right, fillcolor="#d9d9d9", line_width=0, layer="below")
    told = [_gas_words(lines, x, pressure_atm) for x in mu]
    figure.add_scatter(
        x=mu, y=[0.0] * len(mu), mode="lines", line={"color": "#999999", "width": 1}, showlegend=False,
        text=told, hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip
    figure.update_layout(hovermode="x unified")
    of_gas = f"{gas_of(lines.anion).word} potential Δμ({lines.anion}) (eV)"
    figure.update_xaxes(title=f"{of_gas}; grey: host not stable", hoverformat=".2f")
    figure.update_yaxes(title="formation energy (eV)")
    bars = [line.error_bar_eV for line in lines.lines if line.error_bar_eV is not None]
    error = f"references +- {max(bars):.2f} eV" if bars else "error of the references not known"
    return _laid_out(
        figure, f"Vacancies of {lines.host_formula}", f"engine {lines.provenance.engine}; {error}; bands: potentials"
    )


def _gas_words(lines: FormationLines, delta_mu_eV: float, pressure_atm: float) -> str:
    """The temperature at which the gas stands here, in words."""
    try:
        kelvin = gas_temperature_K(lines, delta_mu_eV, pressure_atm)
    except ValueError:
        return formatted(f"no temperature at {pressure_atm:g} atm")
    return formatted(f"{kelvin:.0f} K at {pressure_atm:g} atm of {lines.anion}2")


@interactive_figure(Migration, "band")
def interactive_band(hop: Migration, *, structures: Sequence[Structure] | None = None) -> Figure:
    """Energy along the path; with structures the ions about the hop beside it, image by image.

    Parameters
    ----------
    hop
        One hop.
    structures
        Its images, as `magnetoionics.load_structures` gives them: ``[s["hop-1 image 1"], ...]`` in order.

    Raises
    ------
    ValueError
        If there are not as many structures as images.
    """
    from plotly.graph_objects import Figure
    from plotly.subplots import make_subplots

    if structures is not None and len(structures) != len(hop.images):
        raise ValueError(f"{len(structures)} structures for {len(hop.images)} images of {hop.label}; give one for each")
    arc = np.array([p.arc_A for p in hop.images])
    energy = np.array([p.energy_eV for p in hop.images])
    figure: Figure = (
        Figure()
        if structures is None
        else make_subplots(cols=2, specs=[[{"type": "xy"}, {"type": "scene"}]], column_widths=[0.45, 0.55])
    )
    fine, told = np.linspace(arc[0], arc[-1], 200), _image_words(hop, structures)
    figure.add_scatter(x=fine, y=_smooth(arc, energy)(fine), mode="lines", line={"color": BLUE}, hoverinfo="skip")
    colours = {"saddle": VERMILION, "minimum": GREEN, "end": "#000000"}
    figure.add_scatter(
        x=arc, y=energy, mode="markers", text=told, hoverinfo="text",
        marker={"size": 10, "color": [colours.get(p.kind, BLUE) for p in hop.images]},
    )  # fmt: skip
    figure.update_layout(showlegend=False)
    figure.update_xaxes(title="path length of all ions (Å)")
    figure.update_yaxes(title="energy (eV)")
    if structures is not None:
        _add_structures(figure, hop, structures)
    title = f"{hop.label}: {hop.forward_eV:.2f} eV forward, {hop.backward_eV:.2f} eV back{mark_of(hop)}"
    return _laid_out(figure, title.replace("\n", "; "), f"engine {hop.provenance.engine}, {hop.cell_atoms} atoms")


def _smooth(arc: FloatArray, energy: FloatArray) -> Any:
    from scipy.interpolate import PchipInterpolator

    return PchipInterpolator(arc, energy)


def _image_words(hop: Migration, structures: Sequence[Structure] | None) -> list[str]:
    """What the pointer tells of every image: kind, energy, and the nearest neighbours of the moving ion."""
    out = []
    for n, point in enumerate(hop.images):
        lines = [f"image {n + 1}: {point.kind}", f"{point.energy_eV:+.3f} eV at {point.arc_A:.2f} Å"]
        if structures is not None:
            mover = _mover(structures)
            around = structures[n].get_neighbors(structures[n][mover], _DRAWN_A)
            near = sorted(around, key=lambda s: s.nn_distance)[:_NEIGHBOURS]
            lines += [f"{hop.ion}–{s.specie.symbol} {s.nn_distance:.2f} Å" for s in near]
        out.append("<br>".join(lines).replace("-", "−"))
    return out


def _mover(structures: Sequence[Structure]) -> int:
    """The ion that goes farthest from the first image to the last."""
    first, last = structures[0], structures[-1]
    step = last.frac_coords - first.frac_coords
    return int(np.argmax(np.linalg.norm(first.lattice.get_cartesian_coords(step - np.round(step)), axis=1)))


def _add_structures(figure: Figure, hop: Migration, structures: Sequence[Structure]) -> None:
    """Ions about the hop in a scene beside the band, and a step of the slider for every image."""
    mover = _mover(structures)
    centre = _middle(structures[0], structures[-1], mover)
    keep = sorted({s.index for s in structures[0].get_sites_in_sphere(centre, _DRAWN_A)} | {mover})
    symbols = [structures[0][i].specie.symbol for i in keep]
    colours = [
        GREEN if i == mover else known_element(s).colour or _UNKNOWN_COLOUR for i, s in zip(keep, symbols, strict=True)
    ]
    sizes = [9 if i == mover else 5 if s in ("O", "S", "F", "N") else 7 for i, s in zip(keep, symbols, strict=True)]

    def places(image: Structure) -> FloatArray:
        shift = image.frac_coords[keep] - image.lattice.get_fractional_coords(centre)
        return np.asarray(image.lattice.get_cartesian_coords(shift - np.round(shift)).T)

    first, (x, y, z) = hop.images[0], places(structures[0])
    figure.add_scatter(
        x=[first.arc_A], y=[first.energy_eV], mode="markers", hoverinfo="skip", row=1, col=1,
        marker={"size": 18, "symbol": "circle-open", "color": "#000000", "line": {"width": 2}},
    )  # fmt: skip
    told = [f"{s} {'(moves)' if i == mover else i + 1}" for i, s in zip(keep, symbols, strict=True)]
    figure.add_scatter3d(
        x=x, y=y, z=z, mode="markers", text=told, hoverinfo="text", row=1, col=2,
        marker={"size": sizes, "color": colours, "opacity": 1, "line": {"width": 1, "color": "#444444"}},
    )  # fmt: skip
    steps = []
    for n, (point, image) in enumerate(zip(hop.images, structures, strict=True)):
        x, y, z = places(image).tolist()
        moved = {"x": [[point.arc_A], x], "y": [[point.energy_eV], y], "z": [None, z]}
        steps.append({"label": str(n + 1), "method": "restyle", "args": [moved, [2, 3]]})
    slider = {"steps": steps, "active": 0, "currentvalue": {"prefix": "image "}, "x": 0.5, "len": 0.5, "y": 0.1}
    axis = {"visible": False}
    scene: dict[str, Any] = {"aspectmode": "data", "xaxis": axis, "yaxis": axis, "zaxis": axis}
    figure.update_layout(
        sliders=[slider], height=520, scene=scene, scene_camera={"eye": {"x": 0.9, "y": 0.9, "z": 0.5}}
    )


def _middle(first: Structure, last: Structure, mover: int) -> FloatArray:
    """Half-way between the places of an ion in two images, Cartesian, by the shortest way."""
    step = last.frac_coords[mover] - first.frac_coords[mover]
    half = first.frac_coords[mover] + (step - np.round(step)) / 2
    return np.asarray(first.lattice.get_cartesian_coords(half))


_SPHERE_POINTS = 31


@interactive_figure(AnisotropyResult, "sphere")
def interactive_sphere(found: AnisotropyResult) -> Figure:
    """E(n) of every state as a colour on the sphere of directions, and the change by the hop; a menu chooses.

    Parameters
    ----------
    found
        Maps; with those before and after a hop of one cell their difference is drawn too.
    """
    from plotly.graph_objects import Figure

    theta, phi = np.meshgrid(np.linspace(0, np.pi, _SPHERE_POINTS), np.linspace(0, 2 * np.pi, 2 * _SPHERE_POINTS))
    n = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], axis=-1)
    cubic = found.cubic is not None
    names = [axis_in_words(v, cubic=cubic) for v in n.reshape(-1, 3)]
    by_state = {m.state: m for m in found.maps}
    drawn = {f"E(n) {state}": (_above_lowest(m, n), "Cividis") for state, m in by_state.items()}
    if {"before", "after"} <= set(by_state) and by_state["before"].formula_units == by_state["after"].formula_units:
        change = difference_meV(by_state["before"], by_state["after"], n.reshape(-1, 3)).reshape(theta.shape)
        drawn["change by the hop, after − before, each from its mean"] = (change, "RdBu_r")
    surfaces = [_on_sphere(n, energy, names, scale, visible=k == 0) for k, (energy, scale) in enumerate(drawn.values())]
    figure = Figure(surfaces)
    buttons = [
        {"label": name, "method": "update", "args": [{"visible": [*(k == chosen for k in range(len(drawn))), True]}]}
        for chosen, name in enumerate(drawn)
    ]
    ends = 1.2 * np.eye(3)
    figure.add_scatter3d(
        x=ends[0], y=ends[1], z=ends[2], mode="text", text=["[100]", "[010]", "[001]"] if cubic else list("xyz"),
        hoverinfo="skip", showlegend=False,
    )  # fmt: skip
    axis = {"visible": False}
    figure.update_layout(
        scene={"aspectmode": "data", "xaxis": axis, "yaxis": axis, "zaxis": axis},
        scene_camera={"eye": {"x": 1.0, "y": 0.8, "z": 0.7}},
        updatemenus=[{"buttons": buttons, "x": 0, "xanchor": "left", "y": 1.0, "yanchor": "top"}],
        height=520,
    )
    first = found.maps[0]
    left = "even part, as fitted; of the whole cell"
    return _laid_out(figure, "E(n) on the sphere of directions", f"engine {first.provenance.engine}; {left}")


def _above_lowest(map_: AnisotropyMap, n: FloatArray) -> FloatArray:
    energy = map_.fit()(n.reshape(-1, 3)).reshape(n.shape[:-1])
    return np.asarray(energy - energy.min())


def _on_sphere(n: FloatArray, energy: FloatArray, names: Sequence[str], scale: str, *, visible: bool) -> Surface:
    from plotly.graph_objects import Surface

    size = float(np.abs(energy).max()) or 1.0
    told = [
        f"{formatted(name)}<br>{e:.2f} meV per cell".replace("-", "−")
        for name, e in zip(names, energy.flat, strict=True)
    ]
    return Surface(
        x=n[..., 0], y=n[..., 1], z=n[..., 2], surfacecolor=energy, colorscale=scale, visible=visible,
        cmin=-size if scale == "RdBu_r" else 0.0, cmax=size, text=np.reshape(told, energy.shape), hoverinfo="text",
        colorbar={"title": {"text": "meV per cell"}, "len": 0.75}, lighting={"ambient": 0.95, "diffuse": 0.1},
    )  # fmt: skip


@interactive_figure(Study, "window")
def window_of_study(study: Study, *, element: str | None = None) -> Figure:
    """The stability region of the study's host, as `interactive_window`."""
    if study.chemical_potentials is None:
        raise ValueError(f"this study has no stability window: {study.not_done('chemical potentials')}")
    return interactive_window(study.chemical_potentials.window, element=element)


@interactive_figure(Study, "formation")
def formation_of_study(study: Study, *, pressure_atm: float = 1e-5) -> Figure:
    """The formation energies of the study, as `interactive_formation`."""
    if study.chemical_potentials is None:
        raise ValueError(f"this study has no formation energies: {study.not_done('chemical potentials')}")
    return interactive_formation(study.chemical_potentials.lines, pressure_atm=pressure_atm)


@interactive_figure(Study, "band")
def band_of_study(study: Study, *, structures: Sequence[Structure] | None = None) -> Figure:
    """The first hop of the study, as `interactive_band`."""
    if not study.migration:
        raise ValueError(f"this study has no hop: {study.not_done('migration')}")
    return interactive_band(study.migration[0], structures=structures)


@interactive_figure(Study, "sphere")
def sphere_of_study(study: Study) -> Figure:
    """E(n) of the study, as `interactive_sphere`."""
    if study.anisotropy is None:
        raise ValueError(f"this study has no E(n): {study.not_done('anisotropy')}")
    return interactive_sphere(study.anisotropy)
