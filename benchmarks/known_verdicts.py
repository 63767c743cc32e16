"""Keeps the verdicts of finished studies, so that `magnetoionics claims --all` has them, and writes the page of claims.

    magnetoionics run cofe2o4 --output DIR1; magnetoionics run life5o8 --output DIR2; ...
    python benchmarks/known_verdicts.py keep DIR1 DIR2 ... --date YYYY-MM-DD
    python benchmarks/known_verdicts.py page            # docs/claims.md

Of several studies that speak of one claim the one is kept whose engine knows most of electrons.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

import magnetoionics
from magnetoionics.analysis.audit import known_verdicts
from magnetoionics.analysis.audit.first_principles import SHIPPED
from magnetoionics.analysis.audit.judging import closed_forms
from magnetoionics.analysis.audit.known_values import rank
from magnetoionics.analysis.audit.known_verdicts import KnownVerdict, KnownVerdicts
from magnetoionics.analysis.study.documents import Study
from magnetoionics.analysis.study.reference_calculations import load_reference_calculations
from magnetoionics.hpc.study_folder.claims_table import claim_rows, printed_number
from reference_tasks import task_names

ROOT = Path(__file__).resolve().parents[1]
# Which claim waits for a calculation, by its name; the vacancies' is the rest.
UNFINISHED = {
    "C7": re.compile("holes"),
    "C8": re.compile("^hop|^born"),
    "C16, C17": re.compile("^film"),
    "C4": re.compile("^imma|^normal|^p4122"),
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
    """The best verdict of each claim among the studies in the folders."""
    studies = [magnetoionics.load(folder) for folder in folders]
    return KnownVerdicts(verdicts=best_of(v for study in studies for v in verdicts_of(study, day)))


def claims_page() -> str:
    """The page of claims: a table, then a section for each."""
    claims = claim_rows({"": closed_forms()})
    table = "".join(
        f"| {c['id']} | {c['claim']} | {c['verdict']} | {_cell(printed_number(c))} | {c['engine']} |\n" for c in claims
    )
    head = f"{HEAD}\n| id | claim | verdict | number | by |\n|-|-|-|-|-|\n{table}"
    return f"{head}{''.join(map(_section, claims))}{_unfinished()}"


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
        f"it was stopped.\n\n{''.join(lines)}"
    )


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
