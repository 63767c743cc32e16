"""Keeps the verdicts of finished studies, so that `magnetoionics claims --all` has them, and writes the page of claims.

    magnetoionics run cofe2o4 --output DIR1; magnetoionics run life5o8 --output DIR2; ...
    python benchmarks/known_verdicts.py keep DIR1 DIR2 ... --date YYYY-MM-DD
    python benchmarks/known_verdicts.py page            # docs/claims.md

Of several studies that speak of one claim the one is kept whose engine knows most of electrons; claims of which none
speaks keep their verdict.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

import espresso_orders
import magnetoionics
from magnetoionics.analysis.audit import known_verdicts
from magnetoionics.analysis.audit.first_principles import SHIPPED
from magnetoionics.analysis.audit.judging import audit, closed_forms
from magnetoionics.analysis.audit.known_films import known_films, oxygen_changes_mJ_per_m2
from magnetoionics.analysis.audit.known_orders import known_order_gains, repeated_order_gains
from magnetoionics.analysis.audit.known_values import rank
from magnetoionics.analysis.audit.known_verdicts import KnownVerdict, KnownVerdicts
from magnetoionics.analysis.study.documents import Study
from magnetoionics.analysis.study.reference_calculations import (
    espresso_calculations_folder,
    load_reference_calculations,
    u_in_words,
)
from magnetoionics.hpc.study_folder.claims_table import claim_rows, printed_number
from reference_tasks import task_names

ROOT = Path(__file__).resolve().parents[1]
# Which claim waits for a calculation, by its name; the vacancies' is the rest.
UNFINISHED = {
    "C7": re.compile("holes"),
    "C8": re.compile("^hop|^born|^cfo55band"),
    "C16, C17": re.compile("^film"),
    "C19, C20": re.compile("^wire"),
    "C18": re.compile("^states|^gapzno"),
    "C14": re.compile("^srcoo3"),
    "C6": re.compile("^cfo56vfe"),
    "C12": re.compile("^life55"),
    "C4": re.compile("^imma|^normal|^p4122|^cfo56"),
    "C13": re.compile("^znoco"),
    "C11": re.compile("^life56"),
    "C15": re.compile("^magh|^limetal"),
}
PAGE = ROOT / "docs" / "claims.md"
HEAD = """# The review, claim by claim

Chen, Liu, Gao, Yi, Xue et al., *Nanoscale magnetization reversal by electric field-induced ion migration*, MRS
Communications (2018), make twenty statements that a calculation can meet. Here stands for each, in our words, what
was claimed, what was computed and by which level of theory, the verdict, and what would change it. The page is
written by `python benchmarks/known_verdicts.py page` from what ships with the package; `magnetoionics claims --all`
prints the same, and `magnetoionics claims DIR` judges them by a study of yours.

*Reproduced* and *contradicted* are said where the level of theory can decide; *consistent* where nothing here could
have contradicted the statement (arithmetic, counting, a measured diagram); *undecided* where it cannot, with the
reason. DFT+U is asked for three sets of U before it gives a verdict. GPAW is PBE+U in cells of 14 to 56 atoms;
`local` is the embedded engine, rigid ions with a ligand field, which has no electrons to move ([limits](limits.md)).
"""


def verdicts_of(study: Study, date: str) -> list[KnownVerdict]:
    """What a study says of the claims that its host serves.

    What it did not compute is left out, and what shipped first principles say without a study.

    Parameters
    ----------
    study
        A finished study.
    date
        Day on which it was computed, ``YYYY-MM-DD``.
    """
    provenance = study.engine.provenance
    return [
        KnownVerdict(
            host=study.host.key,
            order=study.host.order,
            engine=study.engine.name,
            level_of_theory=provenance.level_of_theory,
            hubbard_U_eV=provenance.hubbard_U_eV,
            cell_repeats=study.engine.supercell_repeats,
            quick=study.engine.quick,
            date=date,
            versions=provenance.versions,
            claim=claim,
        )
        for claim in study.claims
        if claim.id in study.host.claims and claim.id not in SHIPPED and claim.verdict != "not computed"
    ]


def best_of(found: Iterable[KnownVerdict]) -> list[KnownVerdict]:
    """One verdict a claim: of the level that knows most of electrons, and of full settings before quick ones."""
    best: dict[str, KnownVerdict] = {}
    for one in found:
        other = best.get(one.claim.id)
        if other is None or _worth(one) > _worth(other):
            best[one.claim.id] = one
    return sorted(best.values(), key=lambda v: int(v.claim.id.removeprefix("C")))


def _worth(verdict: KnownVerdict) -> tuple[int, bool]:
    return rank(verdict.level_of_theory), not verdict.quick


def keep(folders: list[Path], day: str) -> KnownVerdicts:
    """The best verdict of each claim among the studies, beside those of claims of which they do not speak."""
    studies = [magnetoionics.load(folder) for folder in folders]
    alone = [study.model_copy(update={"claims": audit(study, alone=True)}) for study in studies]
    best = best_of(v for study in alone for v in verdicts_of(study, day))
    spoken = {v.claim.id for v in best}
    others = [v for v in known_verdicts.shipped_verdicts() if v.claim.id not in spoken]
    return KnownVerdicts(verdicts=best_of([*others, *best]))


def claims_page() -> str:
    """The page of claims: a table, then a section for each."""
    claims = claim_rows({"": closed_forms()})
    table = "".join(
        f"| {c['id']} | {c['claim']} | {c['verdict']} | {_cell(printed_number(c))} | {c['engine']} |\n" for c in claims
    )
    head = f"{HEAD}\n| id | claim | verdict | number | by |\n|-|-|-|-|-|\n{table}"
    return f"{head}{''.join(map(_section, claims))}{_repeated()}{_unfinished()}"


def _repeated() -> str:
    """The orders of C4 by plane waves, by atomic orbitals and by another code, U by U, with that code's settings."""
    kept = load_reference_calculations(espresso_calculations_folder())
    if not kept:
        return ""
    columns = {"GPAW, plane waves": known_order_gains("cofe2o4")}
    for gain in repeated_order_gains("cofe2o4"):
        columns.setdefault("GPAW, dzp" if gain.engine == "gpaw" else gain.engine, []).append(gain)
    by_u = [{str(g.hubbard_U_eV): g.gain_eV_per_formula for g in gains} for gains in columns.values()]
    rows = ""
    for gain in known_order_gains("cofe2o4"):
        values = [f"{one[str(gain.hubbard_U_eV)]:+.3f}" if str(gain.hubbard_U_eV) in one else "" for one in by_u]
        u = u_in_words(gain.hubbard_U_eV)
        rows += f"| {u} | {' | '.join(values)} |\n"
    provenance = next(iter(kept.values())).provenance
    settings = "; ".join(f"{key.replace('_', ' ')} {_plain(value)}" for key, value in provenance.settings.items())
    version = ", ".join(f"{name} {one}" for name, one in provenance.versions.items())
    moments = "; ".join(
        f"{name} {made.calculation.total_moment_muB:.2f} muB, gap {made.calculation.gap_eV:.2f} eV, "
        f"{made.cpu_seconds:.0f} CPU s"
        for name, made in kept.items()
        if made.calculation is not None
    )
    return (
        "\n## Repeated by another code or in another basis\n\nC4: energy of the normal order minus that of Imma, "
        "eV/f.u., the same 14 atoms with the ions that GPAW relaxed, 2x2x2 points.\n\n"
        f"| U (eV) | {' | '.join(columns)} |\n|{'-|' * (1 + len(columns))}\n{rows}\n"
        f"Quantum ESPRESSO ({version}; {settings}). GPAW projects on d inside the sphere of each ion and normalises "
        "there; pw.x on the atomic orbitals of its own PAW sets, which reach further: one U does not mean the same in "
        f"both. What was found: {moments}. `benchmarks/espresso_orders.py` says how to repeat it; the documents are in "
        f"`data/espresso`.\n{_films_repeated()}"
    )


def _films_repeated() -> str:
    """What oxygen adds to a film's anisotropy, in both bases, on the meshes that they share."""
    waves, orbitals = (
        {
            points: oxygen_changes_mJ_per_m2([f for f in known_films(basis) if f.points == points])
            for points in sorted({f.points for f in known_films(basis)})
        }
        for basis in ("", "dzp")
    )
    rows = "".join(
        f"| {place} | {points}x{points} | {change:+.2f} | {orbitals[points][place]:+.2f} |\n"
        for points, changes in waves.items()
        for place, change in changes.items()
        if place in orbitals.get(points, {})
    )
    return rows and (
        "\nC16, C17: what oxygen at one surface adds to the spin-orbit anisotropy of the film, mJ/m2, the same cells "
        "and points; the error above is that of the meshes.\n\n| oxygen | points | GPAW, plane waves | GPAW, dzp |\n"
        f"|-|-|-|-|\n{rows}"
    )


def _plain(value: object) -> str:
    if isinstance(value, list):
        return "x".join(map(str, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _unfinished() -> str:
    """Calculations that would change a verdict and are not there yet, by claim."""
    missing = [name for name in task_names() if name not in load_reference_calculations()]
    by_claim: dict[str, list[str]] = {}
    for name in missing:
        claim = next((c for c, part in UNFINISHED.items() if part.search(name)), "C5")
        by_claim.setdefault(claim, []).append(name)
    lines = [f"- {claim}: {', '.join(names)}\n" for claim, names in sorted(by_claim.items())]
    return (
        "\n## What did not finish\n\nEach name stands for a file `data/gpaw/NAME.json` that "
        "`python benchmarks/gpaw_evidence.py NAME --scratch DIR` writes; with the same DIR a relaxation goes on where "
        f"it was stopped.\n\n{''.join(lines)}{_unfinished_elsewhere()}"
    )


def _unfinished_elsewhere() -> str:
    kept = load_reference_calculations(espresso_calculations_folder())
    missing = [name for name in espresso_orders.names() if name not in kept]
    how = "`pw.x` on what `python benchmarks/espresso_orders.py write DIR` writes"
    return f"- C4 by Quantum ESPRESSO ({how}): {', '.join(missing)}\n" if missing else ""


def _section(claim: Mapping[str, str | float | None]) -> str:
    number = f": {printed_number(claim)}" if claim["value"] is not None else ""
    return (
        f"\n## {claim['id']}: {claim['claim']}\n\n{claim['system']}.\n\n**{str(claim['verdict']).capitalize()}** "
        f"({claim['engine']}{number}); {claim['reason']}.\n\nWhat would change it: {claim['would_change']}.\n"
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["keep", "page"])
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--date", default=date.today().isoformat())
    chosen = parser.parse_args()
    if chosen.what == "keep":
        kept = keep(chosen.folders, chosen.date)
        target = ROOT / "analysis" / "audit" / known_verdicts.FILE
        target.write_text(kept.model_dump_json(indent=1) + "\n")
        print(f"{len(kept.verdicts)} verdicts: {', '.join(v.claim.id for v in kept.verdicts)}")
    else:
        PAGE.write_text(claims_page())
