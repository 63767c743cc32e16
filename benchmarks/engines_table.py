"""Writes docs/engines.md: one host by every engine, and the literature, from stored documents.

python benchmarks/engines_table.py                        # the page from data/engines and data/gpaw
python benchmarks/engines_table.py --add FOLDER COMMAND   # first keep the numbers of a study's results.json
"""

from __future__ import annotations

import argparse
from pathlib import Path

import small_cells_table
import spinel_tables
from engine_summary import (
    EngineSummary,
    load_summaries,
    summaries_folder,
    summary_of_reference_calculation,
    summary_of_study,
)
from evidence_task import OTHER_BASES, U_SETS
from magnetoionics.analysis.audit.known_films import CLEAN, error_mJ_per_m2, known_films
from magnetoionics.analysis.audit.known_wires import known_wires
from magnetoionics.analysis.magnetism.anisotropy import summarise
from magnetoionics.analysis.results.checks import failed
from magnetoionics.analysis.study.documents import Study
from magnetoionics.analysis.study.reference_calculations import (
    ReferenceCalculation,
    load_reference_calculations,
    load_start,
)
from magnetoionics.analysis.thermodynamics.missing_phases import missing_phases
from magnetoionics.analysis.thermodynamics.stability_window import ChemicalPotentials
from magnetoionics.structures.spins import formula_units
from reference_results import evidence_vacancies, hop_energies_eV
from reference_tasks import (
    HOP_STATES,
    ORDERS,
    hop_point,
    order_in_basis,
    order_relaxation,
    task_names,
)

PAGE = Path(__file__).resolve().parents[1] / "docs" / "engines.md"
# GPAW's column: the best converged single calculation that there is.
PREFERRED = ("imma-pw500-k3", "imma-pw600-k2", "imma-pw500-k2", "imma-pw400-k2")
LITERATURE = {
    "lattice": "8.392 (X-ray, room temperature)",
    "orders": "P4_122 lowest (DFT)",
    "moment": "3.0 (Neel), 3.7 to 3.9 measured at 0 K",
    "sites": "Fe(A) 3.9 to 4.1, Fe(B) 4.0 to 4.2, Co(B) 2.6 to 2.7 (PBE+U)",
    "vacancies": "-",
    "barrier": "about 0.6 (review)",
    "middle": "two saddles with a tetrahedral minimum (10.1021/acs.chemmater.5b03911)",
    "anisotropy": (
        "not comparable with one ordered cell: the cubic average has K1/3 = 0.3 and easy <100> if K1 is about 2 MJ/m3 "
        "at 0 K, and that of the gpaw columns is 0.0003 MJ/m3 (Co2+ without its orbital moment, second order only)"
    ),
}
ROWS = {
    "lattice": "cubic lattice edge, A",
    "orders": "cation orders, meV per formula unit above the lowest",
    "moment": "moment, muB per formula unit",
    "sites": "site moments, muB",
    "vacancies": "lowest formation energy at the oxygen-rich edge, eV (cell)",
    "barrier": "hop Co(B) -> V_Fe(B), forward / back, eV (cell)",
    "middle": "minimum on the way, eV",
    "anisotropy": "hard minus easy axis of one ordered cell, meV per formula unit",
}


def cells(s: EngineSummary) -> dict[str, str]:
    """One column, by row."""
    dash = "not computed"
    vacancies = ", ".join(f"{k} {v:.2f}" for k, v in sorted(s.vacancies_eV.items(), key=lambda x: x[1]))
    sites = ", ".join(f"{k} {abs(v):.2f}" for k, v in s.site_moments_muB.items() if not k.startswith("O"))
    barrier = (
        dash
        if s.barriers_eV is None
        else f"{s.barriers_eV[0]:.2f} / {s.barriers_eV[1]:.2f} ({s.band_cell_atoms} atoms)"
    )
    orders = ", ".join(f"{k} {1000 * v:.0f}" for k, v in sorted(s.orders_eV_per_formula.items(), key=lambda x: x[1]))
    moment = dash if s.moment_per_formula_muB is None else f"{s.moment_per_formula_muB:.3f}"
    if not s.site_moments_muB and s.level_of_theory != "GPAW":
        moment += " (carried, not computed)"
    return {
        "lattice": _lattice(s) or dash,
        "orders": orders or dash,
        "moment": moment,
        "sites": sites or dash,
        "vacancies": f"{vacancies} ({s.vacancy_cell_atoms} atoms)" if vacancies else dash,
        "barrier": barrier,
        "middle": dash
        if s.barriers_eV is None
        else "none"
        if s.intermediate_eV is None
        else f"{s.intermediate_eV:+.2f}",
        "anisotropy": _anisotropy(s) or dash,
    }


def _lattice(s: EngineSummary) -> str:
    if s.cubic_lattice_A is None:
        return ""
    return f"{s.cubic_lattice_A:.3f}" + ("" if s.relaxed else " (as measured, not relaxed)")


def _anisotropy(s: EngineSummary) -> str:
    if s.hard_minus_easy_meV_per_formula is None or s.easy_axis is None:
        return ""
    easy = ", ".join(f"{x:.2f}" for x in s.easy_axis)
    return f"{s.hard_minus_easy_meV_per_formula:.2f}, easy ({easy})"


def page(summaries: list[EngineSummary], evidence: dict[str, ReferenceCalculation]) -> str:
    columns = {s.column: cells(s) for s in summaries}
    head = ["", *columns, "literature"]
    lines = [
        "# Engines side by side",
        "",
        "Cobalt ferrite, order Imma unless a row says otherwise. Written by `python benchmarks/engines_table.py`",
        "from the documents in `data/engines` and `data/gpaw`; each holds its settings, versions and the command",
        "that repeats it.",
        "The small cells have a size error of about 0.1 eV in barriers. No number was fitted to another column.",
        "",
        "| " + " | ".join(head) + " |",
        "|" + "-|" * len(head),
    ]
    lines += [
        "| " + " | ".join([title, *(columns[c][row] for c in columns), LITERATURE[row]]) + " |"
        for row, title in ROWS.items()
    ]
    lines += ["", "## What each column leaves out", ""]
    for s in summaries:
        time = "" if s.wall_seconds is None else f" {s.wall_seconds:.0f} s on a shared core."
        lines.append(f"- **{s.column}** (`{s.command}`): {s.provenance.functional}{_u(s)}.{time}")
        lines += [f"  - {note}" for note in [*s.notes, *s.provenance.left_out] if note]
    lines += ["", "## First-principles evidence", "", *_evidence(evidence), ""]
    lines += [
        *_orders_against_u(evidence),
        *_orders_repeated(evidence),
        *_vacancies(evidence),
        *spinel_tables.vacancies_against_u(),
        *_hop(evidence),
        *_born(evidence),
        *_cobalt_films(),
        *_chains(),
        *small_cells_table.gaps(),
        *small_cells_table.cobaltates(),
        *small_cells_table.maghemite(),
        *spinel_tables.disorder(),
        *spinel_tables.binding(),
        *spinel_tables.lithium_hop(),
        *spinel_tables.bands(),
    ]
    return "\n".join(lines)


def _u(s: EngineSummary) -> str:
    return (
        ", U " + ", ".join(f"{e} {u:g} eV" for e, u in s.provenance.hubbard_U_eV.items())
        if s.provenance.hubbard_U_eV
        else ""
    )


def _evidence(evidence: dict[str, ReferenceCalculation]) -> list[str]:
    lines = [
        "One core, shared with other work; `python benchmarks/gpaw_evidence.py NAME` repeats a row. Energies per cell.",
        "",
        "| name | atoms | cut-off, eV, or basis | k-mesh | energy, eV | moment, muB | gap, eV "
        "| hard minus easy, meV | odd part, meV | CPU s |",
        "|" + "-|" * 10,
    ]
    for e in evidence.values():
        done = e.calculation
        if done is None:
            continue
        settings = e.provenance.settings
        spread = odd = "-"
        if e.anisotropy is not None:
            found = summarise(e.anisotropy)
            spread = f"{found.hard_minus_easy_meV:.3f}"
            odd = f"{found.odd_max_meV:.1e}" if settings["symmetry"] == "off" else "0 by symmetry"
        gap = "-" if done.gap_eV is None else f"{done.gap_eV:.2f}"
        mesh = "x".join(str(k) for k in settings["k_mesh"])
        basis = settings["basis"] if "basis" in settings else f"{settings['cutoff_eV']:g}"
        lines.append(
            f"| {e.name} | {len(done.structure)} | {basis} | {mesh} | {done.energy_eV:.4f} | "
            f"{done.total_moment_muB:.3f} | {gap} | {spread} | {odd} | {e.cpu_seconds:.0f} |"
        )
    missing = [n for n in task_names() if n not in evidence]
    absent = f"Not computed yet (each a file `data/gpaw/NAME.json`, by that command): {', '.join(missing)}."
    lines += ["", absent if missing else "Every task is computed."]
    return lines


def _orders_against_u(evidence: dict[str, ReferenceCalculation]) -> list[str]:
    """Which cation order is lowest, for each set of U for which two at least are computed."""
    rows = []
    for u_set in ("", *U_SETS):
        found = {key: evidence.get(order_relaxation(key, u_set)) for key in ORDERS}
        energies = {
            ORDERS[key]: e.calculation.energy_eV / formula_units(e.calculation.structure, "O", 4)
            for key, e in found.items()
            if e is not None and e.calculation is not None and not failed(e.calculation.checks)
        }
        if len(energies) < 2:
            continue
        lowest = min(energies.values())
        u = next(e for e in found.values() if e is not None).provenance.hubbard_U_eV
        above = [f"{1000 * (energies[name] - lowest):.0f}" if name in energies else "-" for name in ORDERS.values()]
        rows.append(f"| {', '.join(f'{el} {v:g}' for el, v in u.items())} | " + " | ".join(above) + " |")
    if not rows:
        return []
    return [
        "### Cation order against U",
        "",
        "meV per formula unit above the lowest; PBE+U, 500 eV, 2x2x2, ions relaxed at the measured lattice. Left out:",
        "relaxed cells, configurational entropy, other spin states. Measured crystals are inverse (0.76 to 0.96).",
        "",
        "| U, eV | " + " | ".join(ORDERS.values()) + " |",
        "|" + "-|" * (1 + len(ORDERS)),
        *rows,
        "",
    ]


def _orders_repeated(evidence: dict[str, ReferenceCalculation]) -> list[str]:
    """The normal order against Imma in plane waves and in each other basis, cell by cell the same."""
    rows = []
    for basis in OTHER_BASES:
        for u_set in ("", *U_SETS):
            pairs = [
                [evidence.get(name) for name in (order_relaxation(key, u_set), order_in_basis(key, basis, u_set))]
                for key in ("normal", "imma")
            ]
            done = [[e.calculation for e in pair if e is not None and e.calculation is not None] for pair in pairs]
            if any(len(found) < 2 for found in done):
                continue
            (normal, normal_again), (imma, imma_again) = done
            first, again = (
                1000 * (a.energy_eV - b.energy_eV) / formula_units(b.structure, "O", 4)
                for a, b in ((normal, imma), (normal_again, imma_again))
            )
            moment = max(
                abs(x - y) for a, b in done for x, y in zip(a.site_moments_muB, b.site_moments_muB, strict=True)
            )
            gaps = [f"{a.gap_eV:.2f}, {b.gap_eV:.2f}" for a, b in done]
            u = evidence[order_relaxation("imma", u_set)].provenance.hubbard_U_eV
            rows.append(
                f"| {basis} | {', '.join(f'{el} {v:g}' for el, v in u.items())} | {first:+.0f} | {again:+.0f} | "
                f"{gaps[1]} | {gaps[0]} | {moment:.2f} |"
            )
    if not rows:
        return []
    return [
        "### Cation order in another basis",
        "",
        "The same cells, U and mesh in numerical atomic orbitals (dzp, grid of 0.2 A) instead of plane waves; nothing",
        "is relaxed again. Energies are those of the normal order minus Imma, meV per formula unit.",
        "",
        "| basis | U, eV | plane waves | this basis | gap of Imma, both, eV | gap of normal, both, eV "
        "| moments apart, muB, at most |",
        "|" + "-|" * 7,
        *rows,
        "",
    ]


def _absent(window: ChemicalPotentials) -> str:
    """Phases that no calculation stands for, without which a window may be too wide."""
    absent = missing_phases(window)
    return f"\nNot computed, so that the window may be too wide: {', '.join(absent)}." if absent else ""


def _vacancies(evidence: dict[str, ReferenceCalculation]) -> list[str]:
    found = evidence_vacancies(evidence)
    if found is None or found.window.window is None or found.window.references is None:
        return []
    window, measured = found.window.window, found.window.experimental
    spread = found.window.references.oxygen_spread_eV
    lines = [
        "### Vacancies",
        "",
        "Neutral, one ion missing in a tetragonal cell of 28 atoms (5.93 x 5.93 x 8.39 A), Imma, lattice as measured;",
        "500 eV, 2x2x1 mesh with Gamma; `k111` in the last column: relaxed at 400 eV and Gamma. One magnetic start,",
        "no correction for size. Energy of oxygen from the redox ladder of oxides, ions as measured, so computed: "
        + ", ".join(f"{step.reaction} {step.oxygen_eV:.2f} eV" for step in found.window.references.ladder)
        + ("." if spread is None else f" (spread {spread:.2f} eV)."),
        f"Window of the oxygen potential: {_range(window)}; from measured enthalpies {_range(measured)}."
        + _absent(window),
        "",
        "| vacancy | oxygen-rich edge, eV | oxygen-poor edge, eV | error of oxygen, eV | change of moment, muB "
        "| largest force, eV/A | ions |",
        "|" + "-|" * 7,
    ]
    for v in found.vacancies:
        edges = (v.oxygen_rich_eV, v.oxygen_poor_eV)
        rich, poor = (" to ".join(dict.fromkeys(f"{x:.2f}" for x in edge)) for edge in edges)
        error = "-" if v.error_eV is None else f"{v.error_eV:.2f}"
        lines.append(
            f"| {v.label} | {rich} | {poor} | {error} | {v.moment_change_muB:+.2f} | {v.largest_force_eV_per_A:.2f} | "
            f"{'; '.join([v.ions, *v.notes])} |"
        )
    return [*lines, ""]


def _range(window: ChemicalPotentials | None) -> str:
    return "none" if window is None else f"{window.delta_mu_O_min_eV:.2f} to {window.delta_mu_O_max_eV:.2f} eV"


def _hop(evidence: dict[str, ReferenceCalculation]) -> list[str]:
    found = hop_energies_eV(evidence)
    if len(found) < 2:
        return []
    lines = [
        "### Hop Co(B) -> V_Fe(B)",
        "",
        "55 atoms at the measured lattice, Gamma, 400 eV: single points at the stationary points of SevenNet's path,",
        "whose own energies stand beside. They are not GPAW's stationary points, so no barrier is bounded by them.",
        "",
        "| state | GPAW, eV | SevenNet, eV | moment, muB | gap, eV | hard minus easy, meV | odd part, meV |",
        "|" + "-|" * 7,
    ]
    for state in HOP_STATES:
        if state not in found:
            continue
        kept = evidence[hop_point(state)]
        done, spread, odd = kept.calculation, "-", "-"
        assert done is not None
        if kept.anisotropy is not None:
            summary = summarise(kept.anisotropy)
            spread, odd = f"{summary.hard_minus_easy_meV:.2f}", f"{summary.odd_max_meV:.1e}"
        gap = "-" if done.gap_eV is None else f"{done.gap_eV:.2f}"
        lines.append(
            f"| {state} | {found[state]:+.3f} | {load_start(f'hop56-{state}').energy_eV:+.3f} | "
            f"{done.total_moment_muB:.2f} | {gap} | {spread} | {odd} |"
        )
    return [*lines, ""]


def _chains() -> list[str]:
    wires = known_wires()
    if not wires:
        return []
    rows = (f"| {w.element} | {w.spacing_A:g} | {w.up:g} | {w.down:g} | {w.along:g} | {w.across:g} |" for w in wires)
    return [
        "### Chains of one atom",
        "",
        "Bands that cross the Fermi level of an endless chain, each of which carries e2/h; GPAW, PBE, with spin-orbit",
        "coupling by the force theorem where the moment has a direction. Nothing scatters there: a contact has less.",
        "",
        "| chain | spacing, A | up | down | moment along | moment across |",
        "|-|-|-|-|-|-|",
        *rows,
        "",
    ]


def _cobalt_films() -> list[str]:
    films = [*known_films(), *known_films("dzp")]
    if not films:
        return []
    error = error_mJ_per_m2(known_films())
    lines = [
        "### Films of cobalt with oxygen",
        "",
        "Four layers of hcp Co(0001) at the measured lattice, ions relaxed at 400 eV and 8x8 points; PBE without U,",
        "force theorem. Spin-orbit part alone, positive along the normal; dipoles of its shape favour the plane.",
        "Shares of the layers are half their spin-orbit energy (second order), the surface with oxygen last.",
        "Cobalt with an oxygen over each of its atoms ends without its moment, from 1.7 and from 0.5 muB alike.",
        "Left out: the oxide and the heavy metal of a device, other thicknesses, oxygen on half of the sites. "
        + ("No film has a second mesh yet." if error is None else f"Mesh and thickness leave {error:.2f} mJ/m2 open."),
        "",
        "| oxygen | k-mesh | whole film, mJ/m2 | with oxygen minus clean | layers of Co, mJ/m2 | moments, muB |",
        "|" + "-|" * 6,
    ]
    for film in films:
        clean = next((f for f in films if f.place == CLEAN and (f.points, f.basis) == (film.points, film.basis)), None)
        change = "-" if clean is None or film is clean else f"{film.whole_mJ_per_m2 - clean.whole_mJ_per_m2:+.2f}"
        layers = ", ".join(f"{x:+.2f}" for x in film.layers_mJ_per_m2)
        moments = ", ".join(f"{x:.2f}" for x in film.moments_muB)
        name, mesh = ", ".join(filter(None, (film.place, film.basis))), f"{film.points}x{film.points}x1"
        lines.append(f"| {name} | {mesh} | {film.whole_mJ_per_m2:+.2f} | {change} | {layers} | {moments} |")
    return [*lines, ""]


def _born(evidence: dict[str, ReferenceCalculation]) -> list[str]:
    kept = next((e for n, e in evidence.items() if n.startswith("born")), None)
    if kept is None:
        return []
    rows = [kept.numbers[f"born_charge_e_row_{axis}"] for axis in "xyz"]
    text = ["[" + ", ".join(f"{x:+.2f}" for x in row) + "]" for row in rows if isinstance(row, list)]
    mean = sum(row[n] for n, row in enumerate(rows) if isinstance(row, list)) / 3
    return [
        "### Born charge of the mover",
        "",
        f"{kept.what}: {', '.join(text)} e,",
        f"mean of the diagonal {mean:+.2f} e (formal +2); rows are the dipole's direction, columns the displacement's.",
        f"{kept.provenance.settings['cutoff_eV']:g} eV, ions as measured, {kept.cpu_seconds:.0f} CPU s.",
        "",
    ]


def gpaw_summary(evidence: dict[str, ReferenceCalculation]) -> EngineSummary | None:
    """GPAW's column: the best bulk calculation, the vacancies and the energies along the hop."""
    best = next((evidence[n] for n in PREFERRED if n in evidence), None)
    if best is None:
        return None
    summary = summary_of_reference_calculation(best, "cofe2o4", "Imma")
    vacancies, hop = evidence_vacancies(evidence), hop_energies_eV(evidence)
    if vacancies is not None:
        summary.vacancies_eV = {v.label: v.oxygen_rich_eV[0] for v in vacancies.vacancies}
        summary.vacancy_cell_atoms = 28
    if {"saddle1", "saddle2", "middle", "after"} <= set(hop):
        top = max(hop["saddle1"], hop["saddle2"])
        summary.barriers_eV = [top, top - hop["after"]]
        summary.intermediate_eV = hop["middle"]
        summary.band_cell_atoms = 55
        summary.notes.append("hop: single points at 400 eV and Gamma on SevenNet's path")
    return summary


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--add", nargs=2, metavar=("FOLDER", "COMMAND"))
    args = parser.parse_args()
    if args.add:
        study = Study.model_validate_json((Path(args.add[0]) / "results.json").read_text())
        summary = summary_of_study(study, args.add[1])
        kept = summaries_folder() / f"{summary.column.replace(', ', '-').replace(' ', '-')}.json"
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(summary.model_dump_json(indent=1) + "\n")
    evidence = load_reference_calculations()
    summaries = load_summaries()
    own = gpaw_summary(evidence)
    if own is not None:
        summaries.append(own)
    order = ("local", "chgnet", "sevennet", "gpaw")
    summaries.sort(key=lambda s: order.index(s.engine) if s.engine in order else len(order))
    PAGE.write_text(page(summaries, evidence))


if __name__ == "__main__":
    main()
