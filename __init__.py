"""Magneto-ionics from first principles: vacancies, field-driven migration, anisotropy and switching.

What a notebook needs, in one place; nothing heavy is imported before it is used:

`run`
    compute a study and load it
`import_runs`
    a study from finished VASP runs
`load`
    a finished study from its folder or its results.json
`load_structures`
    the relaxed cells of a study's folder
`get_host`, `host_keys`, `get_engine`, `engine_names`
    host materials and engines
`MagnetoionicStudyMaker`
    the study as a jobflow flow, for any runner
`Study`
    the document that holds it all
"""

from __future__ import annotations

import importlib
import warnings
from typing import TYPE_CHECKING, Any

from .stored.old_names import install

__version__ = "0.1.0"

install()

# maggma asks for tqdm's bars in notebooks, of which none is shown here; without widgets their import complains.
warnings.filterwarnings("ignore", message="IProgress not found")

if TYPE_CHECKING:
    from .analysis.study.documents import Study
    from .hpc.api import load, load_structures, run
    from .hpc.importing.runs import import_runs
    from .structures.host import get_host, host_keys
    from .workflows.engine import engine_names, get_engine
    from .workflows.flows.study import MagnetoionicStudyMaker

_HOME = {
    "MagnetoionicStudyMaker": "workflows.flows.study",
    "Study": "analysis.study.documents",
    "engine_names": "workflows.engine",
    "get_engine": "workflows.engine",
    "get_host": "structures.host",
    "host_keys": "structures.host",
    "import_runs": "hpc.importing.runs",
    "load": "hpc.api",
    "load_structures": "hpc.api",
    "run": "hpc.api",
}
__all__ = [
    "MagnetoionicStudyMaker",
    "Study",
    "__version__",
    "engine_names",
    "get_engine",
    "get_host",
    "host_keys",
    "import_runs",
    "load",
    "load_structures",
    "run",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"magnetoionics has no {name!r}; it has {', '.join(__all__)}")
    return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
