"""Tables of docs/engines.md about small cells: gaps of ZnO and metals beside them, Co of SrCoO3, Li in maghemite."""

from __future__ import annotations

from magnetoionics.analysis.audit.known_cobaltates import CELLS, known_cobaltates
from magnetoionics.analysis.audit.known_gaps import known_decays, known_metals
from magnetoionics.analysis.audit.known_maghemite import known_maghemite


def gaps() -> list[str]:
    """What C18 rests on; empty without calculations."""
    metals, decays = known_metals(), known_decays()
    if not metals and not decays:
        return []
    states = [
        f"| {m.element} | {m.points} | {m.moment_muB:.2f} | {m.up_per_eV:.3f} | {m.down_per_eV:.3f} | "
        f"{m.polarisation:+.2f} |"
        for m in metals
    ]
    shares = decays[0].shares_of_gap if decays else []
    slow = [
        f"| {', '.join(f'{e} {u:g}' for e, u in sorted(d.hubbard_U_eV.items())) or 'none'} | {d.gap_eV:.2f} | "
        + " | ".join(f"{kappa:.3f}" for kappa in d.decay_per_A)
        + " |"
        for d in decays
    ]
    return [
        "### A gap between metals",
        "",
        "Densities of states at the Fermi level of bulk metals as measured, GPAW, PBE, 400 eV, linear tetrahedra, for",
        "an atom and eV; polarised by (up - down)/(up + down).",
        "",
        "| metal | k-points | moment, muB | up | down | polarisation |",
        "|-|-|-|-|-|-|",
        *states,
        "",
        "Slowest decay of an amplitude along c of ZnO with no k across, 1/A, from the complex bands of GPAW's atomic",
        "orbitals (dzp), by the energy above the valence edge as a share of the gap; a current falls twice as fast.",
        "",
        "| U, eV | gap, eV | " + " | ".join(f"{share:g}" for share in shares) + " |",
        "|" + "-|" * (2 + len(shares)),
        *slow,
        "",
    ]


def cobaltates() -> list[str]:
    """What C14 says of first principles; empty without calculations."""
    made = known_cobaltates()
    if not made:
        return []
    rows = []
    for c in made:
        field = f"{c.mean_field_T_K:+.0f}" if c.same_state else "-"
        rows.append(
            f"| {CELLS[c.cell]} | {c.hubbard_U_eV:g} | {c.antiparallel_minus_parallel_meV:+.1f} | {field} | "
            f"{c.parallel_site_muB:.2f} | {c.antiparallel_site_muB:.2f} |"
        )
    return [
        "### Two Co of SrCoO3",
        "",
        "Every Co against its neighbours minus all parallel, GPAW, PBE+U, 500 eV, 4x4x4 points, cubic lattice as",
        "measured; ions at ideal places, without an oxygen by SevenNet. Mean field of neighbours alone; none where",
        "the moments of Co say that the two are not one electronic state.",
        "",
        "| cell | U of Co, eV | meV per Co | mean field, K | on Co parallel, muB | on Co antiparallel, muB |",
        "|-|-|-|-|-|-|",
        *rows,
        "",
    ]


def maghemite() -> list[str]:
    """What C15 says of first principles; empty without calculations."""
    made = known_maghemite()
    if not made:
        return []
    rows = [
        f"| {m.lithium:g} | {m.moved:.0%} | {'along B' if m.moved_along else 'against B' if m.moved else '-'} | "
        f"{m.hubbard_U_eV:g} | {'x'.join(map(str, m.k_mesh))} | {m.energy_eV:.3f} | {m.moment_muB:+.2f} | "
        f"{', '.join(f'{n:.2f} {key}' for key, n in sorted(m.reduced.items())) or '-'} | {m.max_force_eV_per_A:.2f} |"
        for m in made
    ]
    return [
        "### Lithium in maghemite",
        "",
        "Eight Fe2O3, GPAW, PBE+U in atomic orbitals (dzp), cells and ions by CHGNet: how much of the iron of A is in",
        "octahedra and its sense; energy, moment and iron with a smaller moment than without lithium per Fe2O3; the",
        "largest force in eV/A.",
        "",
        "| Li per Fe2O3 | moved | sense | U of Fe, eV | points | energy, eV | moment, muB | reduced | force |",
        "|-|-|-|-|-|-|-|-|-|",
        *rows,
        "",
    ]
