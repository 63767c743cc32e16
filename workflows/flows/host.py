"""Stage of the host: every cation order, relaxed."""

from __future__ import annotations

from jobflow import Flow

from ..stage import Question, Stage, StudyInMaking


class HostStage(Stage):
    """The relaxed cell of every cation order; always done. Output: calculations by order."""

    name = "host"
    place = 10.0
    needs = ("relax",)
    kinds = ("relax",)
    when = "unasked"

    def follows(self, question: object) -> bool:
        """Everything else is built from it."""
        return True

    def note(self, question: Question) -> str:
        """What is held."""
        return "the cell is held, ions relax: it is that of the substrate" if question.host.layers else ""

    def build(self, study: StudyInMaking) -> Flow:
        """One relaxation for each order, cell included; a film keeps its cell, that of the substrate and the vacuum."""
        jobs = {
            order: study.engine.relax(study.host.structure(order), name=f"bulk {order}", cell=not study.host.layers)
            for order in study.host.orders
        }
        return Flow(list(jobs.values()), output={order: one.output for order, one in jobs.items()}, name="host")


STAGE = HostStage()
