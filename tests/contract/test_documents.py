"""What every document keeps: the same after JSON, no field that it has not, no NaN. Made from its types alone."""

import json
import math
import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import numpy as np
import pytest
from magnetoionics.analysis.results.document import Document
from magnetoionics.analysis.study.documents import GasPoint
from magnetoionics.stored import SCHEMA_VERSION
from magnetoionics.stored.resolve import stored_object
from monty.json import MontyDecoder, MontyEncoder
from pydantic import ValidationError
from pymatgen.core import Lattice, Structure

CELL = Structure(Lattice.cubic(4.2), ["Mg", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]], site_properties={"magmom": [0.0, 1.0]})
# Values that a document's own rules ask for, by class and field.
SAID: dict[str, dict[str, Any]] = {
    "BandEdges": {
        "dos_energies_eV": None,
        "dos_states_per_eV": None,
        "dos_volume_A3": None,
        "dielectric": (10.1 * np.eye(3)).tolist(),
    },
    "FilmAssumptions": {"grain_diameter_m": 3e-8, "in_plane_strain": 0.01},
    "FilmModel": {"permittivity": 9.3},
    "FrozenReference": {
        "sublattice": None,
        "shell_A": None,
        "outside": None,
        "h_meV": None,
        "d0_meV_per_A2": 0.0,
        "layer": [0.1, 0.4],
        "p": [0.6, 0.0, 0.8],
        "D_meV": [0.1, 0.2, 0.3],
        "Gamma_meV": [[0.1, 0.0, 0.3], [0.0, -0.2, 0.0], [0.3, 0.0, 0.1]],
    },
    "PlanarPotential": {"lattice_A": (4.2 * np.eye(3)).tolist(), "averages_eV": [[0.1, 0.2]] * 3},
    # Of a further stage: any document, with its type.
    "Study": {"observables": {"mine": GasPoint(temperature_K=300.1, pressure_atm=0.21, delta_mu_O_eV=-0.3)}},
    "SitePotentials": {"potentials_V": [0.1, 0.2]},
}


def value_of(kind: Any) -> Any:
    """A value of a type, of floats one that no short text gives."""
    origin, inside = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return value_of(inside[0])
    if origin is Literal:
        return inside[0]
    if origin in (Union, types.UnionType):
        return value_of(next(one for one in inside if one is not type(None)))
    if origin is tuple and inside[-1] is not Ellipsis:
        return tuple(value_of(one) for one in inside)
    if origin in (list, tuple):
        return [value_of(inside[0])]
    if origin is dict:
        return {value_of(inside[0]): value_of(inside[1])}
    if kind is Structure:
        return CELL
    if isinstance(kind, type) and issubclass(kind, Document):
        return filled(kind)
    return {float: 0.1 + 0.2, int: 2, str: "O", bool: True, Any: 1.5, dict: {}}[kind]


def filled(kind: type[Document]) -> dict[str, Any]:
    """Content of a document with a value in each of its fields."""
    made = {(f.alias or name): value_of(f.annotation) for name, f in kind.model_fields.items()}
    return made | SAID.get(kind.__name__, {})


def kinds(of: type[Document] = Document) -> list[type[Document]]:
    import importlib
    import pkgutil

    import magnetoionics.analysis as floor

    for module in pkgutil.walk_packages(floor.__path__, floor.__name__ + "."):
        importlib.import_module(module.name)
    found, left = [], [of]
    while left:
        below = [k for k in left.pop().__subclasses__() if k.__module__.startswith("magnetoionics.")]
        found += below
        left += below
    return sorted(set(found), key=lambda k: k.__name__)


@pytest.mark.parametrize("kind", kinds(), ids=lambda k: k.__name__)
def test_it_keeps_what_it_holds(kind):
    made = kind(**filled(kind))
    assert stored_object(kind.__name__) is kind
    assert kind.model_validate_json(made.model_dump_json(by_alias=True)) == made
    stored = json.loads(json.dumps(made, cls=MontyEncoder))
    assert stored["schema_version"] == SCHEMA_VERSION
    assert MontyDecoder().process_decoded(stored) == made
    with pytest.raises(ValidationError, match="surely_not_a_field"):
        kind(**filled(kind), surely_not_a_field=1)
    for name, value in filled(kind).items():
        if isinstance(value, float):
            try:
                held = kind(**filled(kind) | {name: math.nan})
            except ValidationError:
                continue
            # Older results wrote NaN where there is no value.
            assert getattr(held, name) is None
