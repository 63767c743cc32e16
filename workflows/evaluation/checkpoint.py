"""Evaluations of a relaxation or band kept on disk while it runs, so that a killed one goes on from its last step.

An optimiser is deterministic: started again it asks for the same positions, gets the recorded answers at
once, and computes only from where it was killed. The result is that of an undisturbed run up to rounding
(an engine may sum neighbours in another order after a restart: 1e-13 eV with rigid ions). A call of a second or
more is on disk when it ends, so that at most the one in flight is lost; short jobs of faster calls keep nothing and
start again. Each line carries a checksum: an altered one ends the record and is never replayed. Where the
environment variable `FOLDER_VARIABLE` is not set, nothing is written.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from ase.calculators.calculator import Calculator, all_changes

from ...stored.content import content
from .finite import require_finite_results

if TYPE_CHECKING:
    from ase import Atoms

FOLDER_VARIABLE = "MAGNETOIONICS_CHECKPOINTS"
# Another node may round differently; an optimiser's step is never this small.
SAME_A = 1e-9
# A younger job is as quickly computed again.
FIRST_S = 20.0
# Engines of milliseconds are not held up by the disk.
FLUSH_S = 1.0
# What cost this much is on disk at once, however young the job.
COSTLY_S = 1.0


class Checkpoint:
    """Answers of an engine in the order in which they were asked for.

    Parameters
    ----------
    path
        File; None keeps nothing.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        known = list(_read(path)) if path is not None else []
        self._numbers = {entry["name"]: entry["value"] for entry in known if "name" in entry}
        self._loaded = [entry for entry in known if "name" not in entry]
        self._next = 0
        # Written as text only when they are put on disk: most jobs end before that.
        self._pending: list[dict[str, Any]] = []
        self._begun = self._flushed = time.monotonic()
        self.replayed = 0

    def attach(self, calculator: Calculator) -> Calculator:
        """Let a calculator answer from the record as long as it knows the question."""
        if self.path is None:
            return calculator
        calculate: Callable[..., None] = calculator.calculate
        unseen = False  # structures that the calculator itself was not shown

        def recorded(
            atoms: Atoms | None = None, properties: Any = ("energy",), system_changes: Any = all_changes
        ) -> None:
            nonlocal unseen
            asked = cast("Atoms", atoms if atoms is not None else calculator.atoms)
            results = self._find(asked, properties)
            if results is None:
                begun = time.monotonic()
                calculate(atoms, properties, all_changes if unseen else system_changes)
                unseen = False
                require_finite_results(asked, calculator.results)
                self._add(asked, calculator.results, at_once=time.monotonic() - begun >= COSTLY_S)
                return
            Calculator.calculate(calculator, asked, properties, system_changes)
            calculator.results = results
            self.replayed += 1
            unseen = True

        vars(calculator)["calculate"] = recorded
        return calculator

    def _find(self, atoms: Atoms, properties: Any) -> dict[str, Any] | None:
        """The next few answers, because the parts of a band may ask in turn."""
        for k in range(self._next, len(self._loaded)):
            entry = self._loaded[k]
            if _same(entry, atoms) and all(p in entry["results"] for p in properties):
                if k == self._next:
                    self._next += 1
                return {name: _value(v) for name, v in entry["results"].items()}
        return None

    def _add(self, atoms: Atoms, results: dict[str, Any], at_once: bool) -> None:
        arrays = {k: np.array(v) for k, v in results.items() if isinstance(v, int | float | np.ndarray | np.floating)}
        entry = {"positions": atoms.positions.copy(), "cell": atoms.cell.array.copy(), "results": arrays}
        self._put(entry, at_once)

    def _put(self, entry: dict[str, Any], at_once: bool = False) -> None:
        self._pending.append(entry)
        if at_once or (self.is_old and time.monotonic() - self._flushed >= FLUSH_S):
            self.flush()

    def number(self, name: str, compute: Callable[[], float]) -> float:
        """A number that the job needs beside its evaluations, computed once.

        Parameters
        ----------
        name
            Unique within the job.
        compute
            Called if the record does not know the number.
        """
        if name not in self._numbers:
            self._numbers[name] = float(compute())
            if self.path is not None:
                self._put({"name": name, "value": self._numbers[name]})
        known: float = self._numbers[name]
        return known

    @property
    def is_old(self) -> bool:
        """Whether the job has run for so long that its record is worth keeping."""
        return time.monotonic() - self._begun >= FIRST_S

    def flush(self) -> None:
        """Put everything on disk."""
        if self.path is None or not self._pending:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as handle:
            handle.write("".join(f"{_line(entry)}\n" for entry in self._pending))
            handle.flush()
            os.fsync(handle.fileno())
        self._pending.clear()
        self._flushed = time.monotonic()

    def close(self) -> None:
        """The work is done: the record is of no more use."""
        self._pending.clear()
        if self.path is not None:
            self.path.unlink(missing_ok=True)


@contextmanager
def checkpoint(*parts: Any) -> Iterator[Checkpoint]:
    """Checkpoint of one job, removed when it ends well and kept if it fails.

    Parameters
    ----------
    *parts
        Everything that its numbers depend on; `MSONable` objects, atoms and plain values.
    """
    folder = os.environ.get(FOLDER_VARIABLE)
    record = Checkpoint(Path(folder) / f"evaluations-{_fingerprint(parts)}.jsonl" if folder else None)
    try:
        yield record
    except BaseException:
        if record.is_old:
            record.flush()
        raise
    record.close()


def _fingerprint(parts: tuple[Any, ...]) -> str:
    from ase import Atoms

    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, Atoms):
            for name in sorted(part.arrays):
                digest.update(name.encode() + np.ascontiguousarray(part.arrays[name]).tobytes())
            digest.update(part.cell.array.tobytes())
        else:
            # Versions of what computes are in it: another one's answers are not this one's.
            digest.update(json.dumps(content(part), sort_keys=True).encode())
    return digest.hexdigest()[:24]


def _read(path: Path) -> Iterator[dict[str, Any]]:
    """Whole lines; a torn or altered one, the trace of a killed process or a bad disk, ends the record."""
    if not path.is_file():
        return
    content = path.read_bytes()
    whole = 0
    for line in content.splitlines(keepends=True):
        try:
            known = _entry(line)
        except (ValueError, KeyError, TypeError):
            break
        if not line.endswith(b"\n"):
            break
        whole += len(line)
        yield known
    if whole < len(content):
        with path.open("r+b") as handle:
            handle.truncate(whole)


def _line(entry: dict[str, Any]) -> str:
    """An entry as text behind its checksum."""
    text = json.dumps(entry, default=np.ndarray.tolist)
    return f"{zlib.crc32(text.encode()):08x} {text}"


def _entry(line: bytes) -> dict[str, Any]:
    """One line of the record: an evaluation, or a number with its name.

    Raises
    ------
    ValueError, KeyError, TypeError
        If it is none, or not what was written.
    """
    checksum, _, text = line.rstrip(b"\n").partition(b" ")
    if int(checksum, 16) != zlib.crc32(text):
        raise ValueError("the line is not what was written")
    read = json.loads(text)
    if "name" in read:
        return {"name": str(read["name"]), "value": float(read["value"])}
    positions, cell = np.array(read["positions"], dtype=float), np.array(read["cell"], dtype=float)
    return {"positions": positions, "cell": cell, "results": dict(read["results"])}


def _same(entry: dict[str, Any], atoms: Atoms) -> bool:
    positions = np.asarray(entry["positions"])
    return (
        positions.shape == atoms.positions.shape
        and float(np.abs(positions - atoms.positions).max()) < SAME_A
        and float(np.abs(np.asarray(entry["cell"]) - atoms.cell.array).max()) < SAME_A
    )


def _value(value: Any) -> Any:
    return np.array(value) if isinstance(value, list) else value
