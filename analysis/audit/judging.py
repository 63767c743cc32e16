"""The audit: what the founding review claims, held against what a study computed.

Every verdict is derived from numbers of the study and says which level of theory spoke; a claim that the
engine cannot decide stays undecided for a stated reason. The judges are in ``analysis/audit``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.resources import files

from ..study.documents import Claim, Study
from . import devices, film, lithium, oxygen_vacancies
from .evidence import Judge, Judgement, NotDoneError
from .film import HOLE_ON_NEIGHBOUR_eV
from .first_principles import SHIPPED
from .known_bands import beside_cobalt_band
from .known_binding import beside_binding
from .known_born import beside_born_charge
from .known_ferrite import beside_ferrite
from .known_lithium_hop import beside_lithium_hop
from .known_maghemite import beside_maghemite
from .known_values import knows_most
from .known_verdicts import known_judgement

__all__ = ["HOLE_ON_NEIGHBOUR_eV", "Judgement", "audit", "claims_table", "closed_forms"]

_JUDGES: dict[str, Judge] = {**film.JUDGES, **lithium.JUDGES, **oxygen_vacancies.JUDGES}
# First principles that are shipped and that speak beside a study of another level.
_BESIDE: dict[str, Callable[[Judgement], Judgement]] = {
    "C6": beside_binding,
    "C8": beside_cobalt_band,
    "C9": beside_born_charge,
    "C11": beside_ferrite,
    "C12": beside_lithium_hop,
    "C13": oxygen_vacancies.beside_pairs,
    "C15": beside_maghemite,
}


def claims_table() -> list[dict[str, str]]:
    """All claims with id, system, claim, test and what would change a verdict, in our words."""
    text = files(__package__).joinpath("claims.json").read_text(encoding="utf-8")
    return list(json.loads(text)["claims"])


def audit(study: Study, *, alone: bool = False) -> list[Claim]:
    """Judge every claim of the table.

    Parameters
    ----------
    study
        A finished study; its host says which claims it can speak to.
    alone
        Without the shipped calculations that otherwise speak beside a study which knows less.

    Returns
    -------
    list of Claim
        One row per claim; those that the study does not serve are ``not computed``, but for the closed forms.
    """
    rows = []
    for entry in claims_table():
        own = _judge(entry, study)
        beside = not alone and _needs_more(entry, study)
        rows.append(_row(entry, _beside(entry, own) if beside else own, study.engine.name))
    return rows


def closed_forms() -> list[Claim]:
    """Rows without a study of the reader's: by shipped first principles, a shipped study, or a closed form."""
    return [_row(entry, _shipped(entry) or _known(entry) or _without_study(entry), "none") for entry in claims_table()]


def _shipped(entry: Mapping[str, str]) -> Judgement | None:
    return SHIPPED[entry["id"]]() if entry["id"] in SHIPPED else None


def _known(entry: Mapping[str, str]) -> Judgement | None:
    own = known_judgement(entry["id"])
    return None if own is None else _beside(entry, own)


def _needs_more(entry: Mapping[str, str], study: Study) -> bool:
    """Whether the claim is about the study's host and its engine knows less of electrons than what is shipped."""
    return entry["id"] in study.host.claims and not knows_most(study.engine.level_of_theory)


def _beside(entry: Mapping[str, str], own: Judgement) -> Judgement:
    said = _BESIDE[entry["id"]](own) if entry["id"] in _BESIDE else own
    return replace(said, verdict="undecided") if said is not own and said.verdict == "not computed" else said


def _row(entry: Mapping[str, str], finding: Judgement, engine: str) -> Claim:
    return Claim(
        id=entry["id"],
        system=entry["system"],
        claim=entry["claim"],
        test=entry["test"],
        verdict=finding.verdict,
        value=finding.value,
        unit=finding.unit,
        engine=finding.by or engine,
        reason=finding.reason,
        would_change=entry["would_change"],
    )


def _judge(entry: Mapping[str, str], study: Study) -> Judgement:
    judge = _JUDGES.get(entry["id"]) if entry["id"] in study.host.claims else None
    if judge is None:
        return _without_study(entry)
    try:
        return judge(study)
    except NotDoneError as error:
        return Judgement("not computed", None, "", str(error), by="none")


def _without_study(entry: Mapping[str, str]) -> Judgement:
    form = devices.CLOSED_FORMS.get(entry["id"])
    if form is not None:
        return form()
    return Judgement("not computed", None, "", f"not part of this study; it needs: {entry['test']}", by="none")
