"""Every evaluation on disk at once, so that a killed band loses at most the one in flight."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

SAME_POINT_A = 1e-7
REPLAY_A = 0.02


class EvaluationRecord:
    """Energies and forces by position, appended to a file one line per evaluation.

    Parameters
    ----------
    path : Path or None
        File; None keeps the record in memory only.
    label : str
        What makes numbers of two runs the same besides the atoms: engine, potential, settings.
    observe : callable
        What else to keep of an evaluation, as plain values: gets the atoms with the engine's calculator.

    Notes
    -----
    A torn last line, the trace of a killed process, is dropped. Lines of other atoms, cells or labels are
    kept in the file and ignored.
    """

    def __init__(
        self, path: Path | None, label: str = "", observe: Callable[[Atoms], dict[str, Any]] | None = None
    ) -> None:
        self._path, self._label, self._observe = path, label, observe
        self._seen: dict[str, list[tuple[FloatArray, dict[str, Any]]]] = {}
        self._known: dict[str, list[tuple[FloatArray, float, FloatArray]]] = {}
        self._loaded: dict[str, list[FloatArray]] = {}
        if path is not None and path.exists():
            self._load(path)

    def _load(self, path: Path) -> None:
        content = path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            with path.open("r+b") as handle:
                handle.truncate(len(whole))
        for line in whole.splitlines():
            entry = json.loads(line)
            point = (_unpack(entry["positions"]), float(entry["energy"]), _unpack(entry["forces"]))
            self._known.setdefault(entry["key"], []).append(point)
            self._seen.setdefault(entry["key"], []).append((point[0], entry.get("seen", {})))
        self._loaded = {key: [p for p, _, _ in points] for key, points in self._known.items()}

    def replay(self, atoms: Atoms) -> FloatArray | None:
        """Positions of an earlier run's evaluation very near these, each given once.

        Rounding noise grows along a search, so that a resumed one asks for slightly other positions.
        """
        left = self._loaded.get(self.key(atoms), [])
        gaps = [float(np.abs(p - atoms.positions).max()) for p in left]
        return left.pop(int(np.argmin(gaps))) if gaps and min(gaps) < REPLAY_A else None

    def __len__(self) -> int:
        return sum(len(points) for points in self._known.values())

    def key(self, atoms: Atoms) -> str:
        """Fingerprint of everything but the positions."""
        parts = [self._label.encode(), atoms.numbers.tobytes(), atoms.cell.array.round(10).tobytes()]
        parts += [atoms.pbc.tobytes()]
        for name in ("magmom", "initial_magmoms", "valence", "initial_charges"):
            if name in atoms.arrays:
                parts += [name.encode(), np.asarray(atoms.arrays[name], dtype=float).round(8).tobytes()]
        return hashlib.sha256(b"|".join(parts)).hexdigest()[:16]

    def find(self, atoms: Atoms) -> tuple[float, FloatArray] | None:
        """Energy (eV) and forces (eV/A) at these positions, if they were evaluated before."""
        for positions, energy, forces in reversed(self._known.get(self.key(atoms), [])):
            if np.abs(positions - atoms.positions).max() < SAME_POINT_A:
                return energy, forces
        return None

    def seen(self, atoms: Atoms) -> dict[str, Any]:
        """What `observe` gave at these positions; empty without it."""
        for positions, values in reversed(self._seen.get(self.key(atoms), [])):
            if np.abs(positions - atoms.positions).max() < SAME_POINT_A:
                return dict(values)
        return {}

    def add(self, atoms: Atoms, energy: float, forces: FloatArray) -> None:
        """Append one evaluation; on disk when this returns."""
        key = self.key(atoms)
        seen = self._observe(atoms) if self._observe is not None and atoms.calc is not None else {}
        self._seen.setdefault(key, []).append((atoms.positions.copy(), seen))
        self._known.setdefault(key, []).append((atoms.positions.copy(), energy, forces.copy()))
        if self._path is None:
            return
        entry: dict[str, Any] = {"key": key, "energy": energy}
        entry |= {"positions": _pack(atoms.positions), "forces": _pack(forces), "seen": seen}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a") as handle:
            handle.write(json.dumps(entry) + "\n")
            handle.flush()
            os.fsync(handle.fileno())


class RecordedCalculator(Calculator):
    """An ASE calculator that asks the record first and the engine only if it must.

    Parameters
    ----------
    engine : Calculator
        Source of energies and forces.
    record : EvaluationRecord
        Where they are kept.
    """

    implemented_properties: list[str] = ["energy", "forces"]  # noqa: RUF012

    def __init__(self, engine: Calculator, record: EvaluationRecord) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._engine, self._record = engine, record

    def calculate(
        self, atoms: Atoms | None = None, properties: Any = ("energy",), system_changes: Any = all_changes
    ) -> None:
        """Look up or evaluate."""
        super().calculate(atoms, properties, system_changes)  # type: ignore[no-untyped-call]
        assert self.atoms is not None
        result = self._record.find(self.atoms)
        if result is None:
            bare = self.atoms.copy()
            bare.calc = self._engine
            forces = np.array(bare.get_forces(apply_constraint=False), dtype=float)
            result = float(bare.get_potential_energy()), forces
            self._record.add(bare, *result)
        self.results = {"energy": result[0], "forces": result[1].copy()}


def _pack(values: FloatArray) -> str:
    return base64.b64encode(np.ascontiguousarray(values, dtype="<f8").tobytes()).decode()


def _unpack(text: str) -> FloatArray:
    return np.frombuffer(base64.b64decode(text), dtype="<f8").reshape(-1, 3).astype(float)
