"""The notebooks run from top to bottom, and the outputs that they carry are whole and tied to no machine."""

import re

import nbclient
import nbformat
import pytest
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import run_sync

MACHINE = re.compile(r"(?<![\w.~*])/(?:home|root|Users|work|tmp|var|opt|usr)/")
# Each with the package that it needs beyond the base, if any.
NEEDS = {
    "01_first_study.ipynb": None,
    "02_vacancies_and_oxygen.ipynb": None,
    "03_migration_under_a_field.ipynb": None,
    "04_anisotropy.ipynb": None,
    "05_your_own_material.ipynb": None,
    "06_from_laptop_to_cluster.ipynb": "jobflow_remote",
    "07_reading_a_campaign.ipynb": None,
    "08_machine_learning_potential.ipynb": "sevenn",
    "09_imported_vasp_runs.ipynb": "pydefect",
    "10_a_film_under_pulses.ipynb": None,
}
# Those that read public files, which lie beside some checkouts only.
OF_PUBLIC_FILES = {"09_imported_vasp_runs.ipynb"}
NOTEBOOKS = sorted(NEEDS)
# The dry run of a cluster has tables, no pictures.
WITHOUT_PICTURES = {"06_from_laptop_to_cluster.ipynb"}


def _read(repository, name):
    return nbformat.read(repository / "notebooks" / name, as_version=4)


def _code_cells(notebook):
    return [c for c in notebook.cells if c.cell_type == "code"]


def _without_pictures(output):
    data = output.get("data", {})
    return str({k: v for k, v in output.items() if k != "data"}) + str(
        {k: v for k, v in data.items() if not k.startswith("image/")}
    )


def _words(cell):
    """Words that a cell's outputs show; numbers may differ in their last digits."""
    texts = [o.get("text", "") + str(o.get("data", {}).get("text/plain", "")) for o in cell.outputs]
    return sorted(set(re.findall(r"[A-Za-z_]{3,}", " ".join(texts))))


def test_every_notebook_is_tested(repository):
    assert sorted(p.name for p in (repository / "notebooks").glob("*.ipynb")) == NOTEBOOKS


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_shipped_outputs(repository, name):
    notebook = _read(repository, name)
    nbformat.validate(notebook)
    cells = _code_cells(notebook)
    assert [c.execution_count for c in cells] == list(range(1, len(cells) + 1)), f"run {name} from top to bottom"
    outputs = [o for c in cells for o in c.outputs]
    assert [o for o in outputs if o.output_type == "error" or o.get("name") == "stderr"] == []
    assert name in WITHOUT_PICTURES or any("image/png" in o.get("data", {}) for o in outputs)
    assert [text for text in map(_without_pictures, outputs) if MACHINE.search(text)] == []


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    """One process for all notebooks: what they import is imported once; each begins with no names and in its folder."""
    manager = AsyncKernelManager(kernel_name="python3")
    yield manager
    if manager.has_kernel:
        run_sync(manager.shutdown_kernel)(now=True)


def _afresh(folder, variables):
    """A first cell for a kernel that ran another notebook."""
    return f"%reset -f\nimport os\nos.chdir({str(folder)!r})\nos.environ.update({variables!r})\ndel os"


@pytest.mark.slow
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebook_runs(repository, tmp_path, name, request, kernel):
    if NEEDS[name]:
        pytest.importorskip(NEEDS[name])
    variables = {}
    if name in OF_PUBLIC_FILES:
        variables["MAGNETOIONICS_REAL"] = str(request.getfixturevalue("real").resolve())
    notebook = _read(repository, name)
    for cell in _code_cells(notebook):
        cell.outputs, cell.execution_count = [], None
    notebook.cells.insert(0, nbformat.v4.new_code_cell(_afresh(tmp_path, variables)))
    nbclient.NotebookClient(notebook, km=kernel, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert all(c.execution_count for c in _code_cells(notebook))
    first = notebook.cells.pop(0)
    assert first.outputs == []
    shipped = [_words(c) for c in _code_cells(_read(repository, name))]
    assert [_words(c) for c in _code_cells(notebook)] == shipped, f"the outputs kept in {name} are old: run it again"
    assert list(tmp_path.iterdir()) == [], "a notebook leaves nothing beside itself"
