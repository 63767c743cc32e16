"""Assumptions as a user writes them: a YAML file, or its content on one line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import UserError

if TYPE_CHECKING:
    from ..analysis.device.assumptions import Assumptions
    from ..analysis.results.document import Document
    from ..analysis.thermodynamics.phases import Phase

Said = str | Mapping[str, Any] | None
_EXAMPLES = {
    "reference": "'sublattice: A, p: [1, 1, 0], h_meV: 20, d0_meV_per_A2: 0.1'",
    "pulse": "'field_V_per_m: 1e8, duration_s: 1, temperature_K: 300'",
    "film": "'thickness_m: 2e-8, texture_deg: 10, barrier_spread_eV: 0.05'",
    "enthalpies": "'LiFe5O8: -2368' or 'LiFe5O8: {kJ_per_mol: -2368, uncertainty_kJ_per_mol: 6, source: where from}'",
}


def read_assumptions(
    reference: Said = None, pulse: Said = None, film: Said = None, enthalpies: Said = None
) -> Assumptions:
    """What a user assumes, checked.

    Parameters
    ----------
    reference, pulse, film
        Fields of `FrozenReference`, `FieldPulse` and `FilmAssumptions`: a dictionary, the path of a YAML file, or
        YAML on one line. None or ``"none"``: the default.
    enthalpies
        Formation enthalpies by formula in kJ/mol, each a number or the entries of `phases.stated_phase`.

    Raises
    ------
    UserError
        Naming the assumption, what is wrong and an example.
    """
    from pydantic import ValidationError

    from ..analysis.device.assumptions import Assumptions
    from ..analysis.device.film import FilmAssumptions
    from ..analysis.kinetics.switching import FieldPulse
    from ..analysis.magnetism.frozen_reference import FrozenReference
    from ..analysis.results.document import first_wrong

    kinds: dict[str, type[Document]] = {"reference": FrozenReference, "pulse": FieldPulse, "film": FilmAssumptions}
    values: dict[str, Any] = {}
    for name, said in (("reference", reference), ("pulse", pulse), ("film", film)):
        entries = _entries(name, said)
        if entries is None:
            continue
        try:
            values[name] = kinds[name].model_validate({"source": "stated by the user", **entries})
        except ValidationError as error:
            known = ", ".join(k for k in kinds[name].model_fields)
            raise UserError(
                f"{name} {said!r}: {first_wrong(error)}; entries: {known}; e.g. {_EXAMPLES[name]}"
            ) from error
    return Assumptions(**values, enthalpies=_enthalpies(enthalpies))


def _enthalpies(said: Said) -> list[Phase]:
    from ..analysis.thermodynamics.phases import stated_phase

    out = []
    for formula, value in (_entries("enthalpies", said) or {}).items():
        entries = value if isinstance(value, dict) else {"kJ_per_mol": value}
        try:
            out.append(stated_phase(formula, **entries))
        except (TypeError, ValueError) as error:
            wrong = str(error).replace("stated_phase() ", "")
            raise UserError(f"enthalpies {said!r}: {formula}: {wrong}; e.g. {_EXAMPLES['enthalpies']}") from error
    return out


def _entries(name: str, said: Said) -> dict[str, Any] | None:
    import yaml

    from ..structures.io.untrusted_input import plain_yaml, read_yaml

    example = _EXAMPLES[name]
    if said is None or (isinstance(said, str) and said.strip().lower() in ("", "none")):
        return None
    if isinstance(said, Mapping):
        return dict(said)
    try:
        if said.strip().endswith((".yaml", ".yml")):
            entries = read_yaml(Path(said.strip()))
        else:
            entries = plain_yaml("{" + said + "}" if not said.strip().startswith("{") else said, name)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UserError(f"{name} {said!r} cannot be read ({error}); write e.g. {example}") from error
    if not isinstance(entries, dict) or not all(isinstance(k, str) for k in entries):
        raise UserError(f"{name} {said!r} is no list of entries; write e.g. {example}")
    # YAML 1.1 reads 1e8 as text.
    return {k: _number(v) for k, v in entries.items()}


def _number(value: Any) -> Any:
    if isinstance(value, list):
        return [_number(v) for v in value]
    if isinstance(value, dict):
        return {k: _number(v) for k, v in value.items()}
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value
