"""Parts of a study built one by one: a part that cannot be had is left out with its reason, and the rest is there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from ..study.documents import StageResult

Part = TypeVar("Part")
NOTHING_CAME = "a calculation of this stage failed, so that nothing came of it"


class Attempts:
    """Builds parts and remembers, by stage, why one is not there."""

    def __init__(self) -> None:
        self.reasons: dict[str, list[str]] = {}
        self._findings: set[str] = set()

    def refuse(self, stage: str, reason: str) -> None:
        """Say that something of a stage is left out."""
        known = self.reasons.setdefault(stage, [])
        if reason not in known:
            known.append(reason)

    def part(self, stage: str, build: Callable[[], Part], otherwise: Part, *, finding: bool = False) -> Part:
        """What `build` gives, or `otherwise` where its numbers do not allow it.

        With `finding` that is a result, e.g. that a host has no window, and nothing has failed.
        """
        try:
            return build()
        except (ValueError, ArithmeticError, LookupError) as error:
            self.refuse(stage, " ".join(str(error).split()) or type(error).__name__)
            if finding:
                self._findings.add(stage)
            return otherwise

    def stages(self, planned: Sequence[StageResult], gone: Sequence[str]) -> list[StageResult]:
        """Stages as they ended.

        Parameters
        ----------
        planned
            As they were to be.
        gone
            Names of stages that were to be done and of which nothing came.
        """
        out = []
        for stage in planned:
            reasons = self.reasons.get(stage.stage, [])
            if stage.stage in gone:
                reasons = reasons or [NOTHING_CAME]
            if reasons and stage.done:
                ended = {"done": stage.stage not in gone, "failed": stage.stage not in self._findings}
                out.append(stage.model_copy(update={**ended, "reason": "; ".join(reasons)}))
            else:
                out.append(stage)
        return out
