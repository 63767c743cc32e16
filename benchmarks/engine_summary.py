"""The few numbers by which engines are compared, taken from a study or from kept evidence."""

from __future__ import annotations

from pathlib import Path

from magnetoionics.analysis.magnetism.anisotropy import AnisotropyMap, summarise
from magnetoionics.analysis.results.document import Document, Provenance
from magnetoionics.analysis.study.documents import Study
from magnetoionics.analysis.study.reference_calculations import ReferenceCalculation
from pydantic import Field


class EngineSummary(Document):
    """What one engine says about one host. None where it was not computed.

    Attributes
    ----------
    engine, level_of_theory, host, order
        Who and what.
    command
        Repeats the calculation.
    relaxed
        Whether lattice and ions are the engine's own; measured ones otherwise.
    cubic_lattice_A
        Edge of the cube of the same volume with eight formula units.
    orders_eV_per_formula
        Cation orders, relative to the lowest.
    moment_per_formula_muB, site_moments_muB
        Total, and mean size by element and sublattice where the engine finds moments.
    vacancies_eV
        Lowest formation energy of each vacancy at the oxygen-rich edge of the window.
    vacancy_cell_atoms, band_cell_atoms
        Atoms of the perfect cell of the vacancies, and of the band's cell with its vacancy.
    barriers_eV
        Hop of the host, forward and back.
    intermediate_eV
        Minimum on the way, above the start; None if there is none.
    easy_axis, hard_minus_easy_meV_per_formula
        Of the pristine cell in the given order.
    notes
        What to know before numbers are compared.
    wall_seconds
        Of the whole study where it was run, whatever else ran there.
    """

    engine: str
    level_of_theory: str
    host: str
    order: str
    command: str
    relaxed: bool
    cubic_lattice_A: float | None = None
    orders_eV_per_formula: dict[str, float] = Field(default_factory=dict)
    moment_per_formula_muB: float | None = None
    site_moments_muB: dict[str, float] = Field(default_factory=dict)
    vacancies_eV: dict[str, float] = Field(default_factory=dict)
    vacancy_cell_atoms: int | None = None
    band_cell_atoms: int | None = None
    barriers_eV: list[float] | None = None
    intermediate_eV: float | None = None
    easy_axis: list[float] | None = None
    hard_minus_easy_meV_per_formula: float | None = None
    notes: list[str] = Field(default_factory=list)
    wall_seconds: float | None = None
    provenance: Provenance

    @property
    def column(self) -> str:
        """Heading in a table: the engine, and the cell if it is not the host's own."""
        _, _, variant = self.host.partition(":")
        return f"{self.engine}, {variant} cell" if variant else self.engine


def summary_of_study(study: Study, command: str) -> EngineSummary:
    """The numbers of a finished study; vacancies of one label are represented by their lowest.

    Parameters
    ----------
    study
        As reloaded from ``results.json``.
    command
        That made it.
    """
    host, hop = study.host, study.migration[0] if study.migration else None
    vacancies: dict[str, float] = {}
    for v in study.vacancies:
        if v.oxygen_rich is not None:
            kind = f"V_{v.element}({v.sublattice})"
            vacancies[kind] = min(v.oxygen_rich.low_eV, vacancies.get(kind, v.oxygen_rich.low_eV))
    maps = {m.state: m for m in study.anisotropy.maps} if study.anisotropy else {}
    easy, spread = _axis(maps.get("pristine"))
    unconverged = sorted(v.label for v in study.vacancies if not v.converged)
    return EngineSummary(
        engine=study.engine.name,
        level_of_theory=study.engine.level_of_theory,
        host=host.key,
        order=host.order,
        command=command,
        relaxed=study.engine.relaxes_cells,
        cubic_lattice_A=(8 * host.volume_per_formula_A3) ** (1 / 3),
        orders_eV_per_formula={o.order: o.relative_eV_per_formula for o in host.orders},
        moment_per_formula_muB=host.moment_per_formula_muB,
        vacancies_eV=vacancies,
        vacancy_cell_atoms=study.vacancies[0].cell_atoms + 1 if study.vacancies else None,
        band_cell_atoms=hop.cell_atoms if hop else None,
        barriers_eV=[hop.forward_eV, hop.backward_eV] if hop else None,
        intermediate_eV=min((p.energy_eV for p in hop.intermediates), default=None) if hop else None,
        easy_axis=easy,
        hard_minus_easy_meV_per_formula=spread,
        notes=[
            *(f"{s.stage} not done: {s.reason}" for s in study.stages if not s.done),
            *([f"not converged: {', '.join(unconverged)}"] if unconverged else []),
            *([] if hop is None or hop.converged else ["the band did not pass all its checks"]),
        ],
        wall_seconds=study.timings.get("total"),
        provenance=study.engine.provenance,
    )


def summary_of_reference_calculation(evidence: ReferenceCalculation, host: str, order: str) -> EngineSummary:
    """The numbers of one kept calculation.

    Raises
    ------
    ValueError
        If it holds no calculation.
    """
    done = evidence.calculation
    if done is None:
        raise ValueError(f"evidence {evidence.name} holds no calculation to summarise")
    units = done.structure.composition["O"] / 4
    found = done.site_moments_muB
    by_site: dict[str, list[float]] = {}
    for site, moment in zip(done.structure, found or [], strict=False):
        by_site.setdefault(f"{site.specie.symbol}({site.properties['sublattice']})", []).append(moment)
    easy, spread = _axis(evidence.anisotropy)
    return EngineSummary(
        engine=evidence.provenance.engine,
        level_of_theory=evidence.provenance.level_of_theory,
        host=host,
        order=order,
        command=evidence.command,
        relaxed=False,
        moment_per_formula_muB=done.total_moment_muB / units,
        site_moments_muB={k: sum(m) / len(m) for k, m in by_site.items()},
        easy_axis=easy,
        hard_minus_easy_meV_per_formula=spread,
        notes=list(evidence.notes),
        provenance=evidence.provenance,
    )


def _axis(map_: AnisotropyMap | None) -> tuple[list[float] | None, float | None]:
    if map_ is None:
        return None, None
    summary = summarise(map_)
    return summary.easy_axis, summary.hard_minus_easy_meV / map_.formula_units


def summaries_folder() -> Path:
    """Where the package keeps the summaries that its table is made of."""
    return Path(__file__).resolve().parents[1] / "data" / "engines"


def load_summaries(folder: Path | None = None) -> list[EngineSummary]:
    """All kept summaries, by file name.

    Parameters
    ----------
    folder
        Of JSON files; the package's own by default.
    """
    paths = sorted((folder or summaries_folder()).glob("*.json"))
    return [EngineSummary.model_validate_json(p.read_text()) for p in paths]
