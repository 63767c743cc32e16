"""A study that a folder already holds is gone on with: what it has stays, what is asked for beside it is added."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UserError
from .files import is_written, read_study, with_band_files

if TYPE_CHECKING:
    from ...analysis.study.documents import EngineResult, Study
    from ...structures.host import HostKey
    from ...workflows.flows.study import MagnetoionicStudyMaker


def kept_study(folder: Path) -> Study | None:
    """The whole study that a folder and its store hold; None if there is nothing to go on with.

    Raises
    ------
    UserError
        If there is one that cannot be read.
    """
    from ..local.store import has_store

    return read_study(folder) if is_written(folder) and has_store(folder) else None


def keep_stages(maker: MagnetoionicStudyMaker, host: HostKey, order: str | None, study: Study, folder: Path) -> None:
    """Let a study that is asked for also do what the one in its folder did; the maker's stages are changed.

    Raises
    ------
    UserError
        If it is another study: another host, order, engine, level of theory or cell.
    ValueError
        If it cannot be planned.
    """
    from ...structures.host import get_host
    from ...workflows.stage import stage_names

    known = get_host(host)
    engine = maker.engine_result(known.structure(order or known.orders[0]))
    # As it reads when it was written: tuples are lists there.
    engine = type(engine).model_validate_json(engine.model_dump_json())
    differences = [
        *_differing("material", study.host.key, known.key),
        *_differing("order", study.host.order, order or known.orders[0]),
        *_differing_engine(study.engine, engine),
    ]
    if differences:
        raise UserError(
            f"{folder} already holds another study ({'; '.join(differences)}); choose another --output, "
            f"replace it with --overwrite, or rebuild its report with `magnetoionics report {folder}`"
        )
    done = {s.stage for s in study.stages if s.done} & set(stage_names())
    planned = {s.stage for s in maker.plan(host, order) if s.done} & set(stage_names())
    if done - planned:
        maker.stages = [name for name in stage_names() if name in done | planned]


def is_same_result(kept: Study, made: Study) -> bool:
    """Whether two studies say the same but for how long they took and which files their bands lie in."""
    plain = [with_band_files(study, ()).model_copy(update={"timings": {}}) for study in (kept, made)]
    return plain[0] == plain[1]


def _differing_engine(engine: EngineResult, asked: EngineResult) -> list[str]:
    """In what two engines of a study differ that makes other numbers."""
    before, now = engine.provenance, asked.provenance
    named = [
        *_differing("engine", engine.name, asked.name),
        *_differing("level of theory", engine.level_of_theory, asked.level_of_theory),
        *_differing("functional", before.functional, now.functional),
        *_differing("U (eV)", before.hubbard_U_eV, now.hubbard_U_eV),
        *_differing("repeats of the cell", engine.supercell_repeats, asked.supercell_repeats),
    ]
    settings = sorted({*before.settings, *now.settings})
    return named or [
        words for key in settings for words in _differing(key, before.settings.get(key), now.settings.get(key))
    ]


def _differing(name: str, kept: object, asked: object) -> list[str]:
    return [] if kept == asked else [f"{name} {kept} there, {asked} asked for"]
