"""What a stage of a study is: its name, what it needs, when it applies, its jobs, the document that they give.

A new stage is one file in ``workflows/flows`` with ``STAGE`` set to an object of a subclass of `Stage`. Everything
else that a study shows of it is found by the type of its document: tables by `Document.to_dataframe`, sections and
figures by what is registered for it (see `analysis.results`).
"""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ..structures.similar import did_you_mean
from .engine import Capability, Engine
from .jobs.kinds import Kind

if TYPE_CHECKING:
    from jobflow import Flow, Job
    from pymatgen.core import Structure

    from ..analysis.results.document import Document
    from ..analysis.thermodynamics.phases import Phase
    from ..structures.host import Host, HostKey
    from .field.requests import FieldRequest
    from .flows.study import MagnetoionicStudyMaker

# Done unasked; only unasked of an engine with `quick_forces`; only if named; with other stages, never by name.
When = Literal["unasked", "unasked of quick engines", "on request", "with others"]


@dataclass(frozen=True)
class StageOption:
    """What a user may say about a stage: ``--NAME`` on the command line, a keyword of `magnetoionics.run`.

    Attributes
    ----------
    name
        One for all stages, e.g. ``vibrating_A``; on the command line with hyphens.
    help
        One sentence, with the default in brackets.
    read
        From what was given, a text or a value of Python, to what the stage takes.
    default
        Where nothing is given.
    of_maker
        Field of `MagnetoionicStudyMaker` that it sets; empty: the stage asks `StudyInMaking.option` for it.
    """

    name: str
    help: str
    read: Callable[[Any], Any]
    default: Any = None
    of_maker: str = ""

    @property
    def flag(self) -> str:
        """On the command line."""
        return "--" + self.name.replace("_", "-")


@dataclass
class Question:
    """A study before it is computed, as a stage is asked whether it applies.

    Attributes
    ----------
    engine, host, order, cell
        Who computes what; `cell` is the unrelaxed ordered cell.
    requested
        Names of the stages that were asked for; None if none were.
    repeats
        Supercell repeats, if a hop is to be refused that they leave no room for.
    enthalpies
        Formation enthalpies of the user's own.
    missing
        What the engine cannot do with this material, and why.
    only_vacancies
        Whether the vacancies were named.
    fields, default_fields_V_per_A
        Fields asked for, and those that a hop is put into unasked; None if a study is not asked about them.
    reasons
        Why each stage before this one is not done; empty text if it is.
    """

    engine: Engine
    host: Host
    order: str
    cell: Structure
    requested: Sequence[str] | None = None
    repeats: tuple[int, int, int] | None = None
    enthalpies: Sequence[Phase] = ()
    missing: Mapping[Capability, str] = field(default_factory=dict)
    only_vacancies: bool = False
    fields: FieldRequest | None = None
    default_fields_V_per_A: Sequence[float] = ()
    reasons: dict[str, str] = field(default_factory=dict)

    def done(self, stage: str) -> bool:
        """Whether a stage before this one will be done."""
        return self.reasons.get(stage, "not part of this study") == ""


@dataclass
class StudyInMaking:
    """What a stage builds its jobs from.

    Attributes
    ----------
    maker
        Engine, cells and options of the study.
    host_key, host, order
        What is computed; `host_key` goes into jobs.
    outputs
        Outputs of the stages before, references to results that are not there yet, by the stage's name.
    """

    maker: MagnetoionicStudyMaker
    host_key: HostKey
    host: Host
    order: str
    outputs: dict[str, Any] = field(default_factory=dict)

    @property
    def engine(self) -> Engine:
        """Engine of the study."""
        return self.maker.engine

    def option(self, name: str) -> Any:
        """What the user said of an option of a stage, or its default."""
        if name in self.maker.stage_options:
            return self.maker.stage_options[name]
        return stage_options()[name].default

    @property
    def bulk(self) -> Any:
        """Calculation of the relaxed ordered cell."""
        return self.outputs["host"][self.order]


class Stage(ABC):
    """One stage of a study.

    Attributes
    ----------
    name
        Unique; words with spaces.
    place
        Stages are listed and built in the order of their places, those of equal ones by name.
    needs
        What the engine must be able to do.
    after
        Stages without which this one is not done.
    when
        Whether it is done without being asked for.
    main
        It answers one of a study's questions: an engine that can do none of those is refused.
    document
        What its output is; None for an output of several parts, which the builder of a study takes apart.
    kinds
        Kinds of its jobs that compute, by which a cluster's table gives them their resources.
    options
        What a user may say about it.
    citations
        What its method rests on: keys of data/references.bib, or DOIs.
    not_for_films
        Why it means nothing for a host with layers; empty if it does.
    """

    name: ClassVar[str]
    citations: ClassVar[tuple[str, ...]] = ()
    place: ClassVar[float] = 100.0
    needs: ClassVar[tuple[Capability, ...]] = ()
    after: ClassVar[tuple[str, ...]] = ()
    when: ClassVar[When] = "on request"
    main: ClassVar[bool] = False
    document: ClassVar[type[Document] | None] = None
    kinds: ClassVar[tuple[Kind, ...]] = ()
    options: ClassVar[tuple[StageOption, ...]] = ()
    not_for_films: ClassVar[str] = ""

    def why_not(self, question: Question) -> str:
        """Why the stage cannot be done for this engine and host; empty if it can."""
        for stage in self.after:
            if not question.done(stage):
                return f"it needs the stage {stage}, which is not done"
        return self.engine_reason(question) or self.host_reason(question)

    def engine_reason(self, question: Question) -> str:
        """Why the engine cannot do it."""
        lacks = [c for c in self.needs if c in question.missing]
        return "; ".join(f"engine {question.engine.name} cannot do {c}: {question.missing[c]}" for c in lacks)

    def host_reason(self, question: Question) -> str:
        """Why it means nothing for the host."""
        return ""

    def note(self, question: Question) -> str:
        """How what will be computed is limited; empty if it is not."""
        return ""

    def follows(self, question: Question) -> bool:
        """Whether it is done although others were asked for by name."""
        return False

    @abstractmethod
    def build(self, study: StudyInMaking) -> Job | Flow | None:
        """Job or flow whose output the study is made from; None where other stages have computed it."""

    def result(self, output: Any) -> Any:
        """The part of the output that the builder of the study gets."""
        return output


def stages() -> list[Stage]:
    """All stages that have a file, in the order of a study."""
    from . import flows

    listed = []
    for module in pkgutil.iter_modules(flows.__path__):
        stage = getattr(importlib.import_module(f"{flows.__name__}.{module.name}"), "STAGE", None)
        if stage is None:
            continue
        if not isinstance(stage, Stage):
            raise TypeError(f"STAGE of workflows/flows/{module.name}.py must be an object of a subclass of Stage")
        listed.append(stage)
    names = [s.name for s in listed]
    if doubled := sorted({n for n in names if names.count(n) > 1}):
        raise TypeError(f"two files of workflows/flows are the stage {', '.join(doubled)}")
    return sorted(listed, key=lambda s: (s.place, s.name))


def stage_options() -> dict[str, StageOption]:
    """Options of all stages by name.

    Raises
    ------
    TypeError
        If two stages have an option of one name.
    """
    options: dict[str, StageOption] = {}
    for stage in stages():
        for option in stage.options:
            if option.name in options:
                raise TypeError(f"two stages have an option {option.name}; one of them is {stage.name}")
            options[option.name] = option
    return options


def read_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """What a user said, read by the stages that it is for; what is None was not said.

    Raises
    ------
    ValueError
        If there is no such option, or one cannot be read.
    """
    known = stage_options()
    read = {}
    for name, value in ((n, v) for n, v in given.items() if v is not None):
        if name not in known:
            raise ValueError(f"no stage has an option {name!r}; options: {', '.join(sorted(known))}")
        try:
            read[name] = known[name].read(value)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{known[name].flag} {value!r}: {error}") from error
    return read


def stage_names() -> list[str]:
    """Names of the stages that a user can ask for."""
    return [s.name for s in stages() if s.when != "with others"]


def stage_name(text: str) -> str:
    """A requestable stage from its name with spaces, underscores or hyphens.

    Raises
    ------
    ValueError
        If there is no such stage.
    """
    plain = text.strip().replace("_", " ").replace("-", " ")
    if plain in stage_names():
        return plain
    known = ", ".join(s.replace(" ", "_") for s in stage_names())
    meant = did_you_mean(plain.replace(" ", "_"), (s.replace(" ", "_") for s in stage_names()))
    raise ValueError(f"unknown stage {text!r}{meant}; stages: {known}")
