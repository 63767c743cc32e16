"""Verdicts of finished studies that the package ships, for a reader who has no study yet."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from ..results.document import Document, LevelOfTheory
from ..study.documents import Claim
from ..study.reference_calculations import u_in_words
from .evidence import Judgement

FILE = "known_verdicts.json"


class KnownVerdict(Document):
    """One claim as a finished study judged it.

    Attributes
    ----------
    host, order
        Which crystal.
    engine, level_of_theory, hubbard_U_eV, cell_repeats, quick
        Who said so, with which U by element (empty: none), in which supercell, and whether with quick settings.
    date, versions
        Day of the study, and the packages that computed it.
    claim
        Its row of the audit.
    """

    host: str
    order: str
    engine: str
    level_of_theory: LevelOfTheory
    hubbard_U_eV: dict[str, float]
    cell_repeats: list[int]
    quick: bool
    date: str
    versions: dict[str, str]
    claim: Claim

    @property
    def judgement(self) -> Judgement:
        """What the study said, with its origin in front."""
        u = u_in_words(self.hubbard_U_eV)
        cell = "x".join(map(str, self.cell_repeats))
        level = [self.level_of_theory] if self.level_of_theory != self.engine else []
        settings = ", ".join(
            [*level, f"U = {u} eV" if u else "no U", *(["quick settings"] if self.quick else []), self.date]
        )
        origin = f"study of {self.host}, {self.order}, {cell} cells, by {self.engine} ({settings})"
        claim = self.claim
        return Judgement(claim.verdict, claim.value, claim.unit, f"{origin}: {claim.reason}", by=claim.engine)


class KnownVerdicts(Document):
    """All that are shipped."""

    verdicts: list[KnownVerdict]


def known_judgement(claim_id: str) -> Judgement | None:
    """What a shipped study said of a claim; None where none speaks of it."""
    return next((v.judgement for v in shipped_verdicts() if v.claim.id == claim_id), None)


@cache
def shipped_verdicts() -> tuple[KnownVerdict, ...]:
    """All that are shipped, in the order of their claims."""
    text = files(__package__).joinpath(FILE).read_text(encoding="utf-8")
    return tuple(KnownVerdicts.model_validate_json(text).verdicts)
