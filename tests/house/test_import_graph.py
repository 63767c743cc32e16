"""Our graph of imports is grimp's, which is written by others and reads imports inside functions too."""

import graphlib

import pytest
from import_graph import graph_of, imports_of, module_graph, package_files


def test_modules_import_what_grimp_says(repository, tmp_path, monkeypatch):
    grimp = pytest.importorskip("grimp")
    (tmp_path / "magnetoionics").symlink_to(repository, target_is_directory=True)
    monkeypatch.syspath_prepend(tmp_path)
    theirs = grimp.build_graph("magnetoionics", cache_dir=None, exclude_type_checking_imports=True)
    files = package_files(repository)
    found = [i for f in files for i in imports_of(f, (repository / f).read_text(encoding="utf-8"))]
    ours = module_graph(found, files, at_load=False)
    modules = {_module(f) for f in files if not f.endswith("__init__.py")}
    for file in files:
        # A package that is imported as such only names its folder.
        known = theirs.find_modules_directly_imported_by(_module(file)) & modules
        assert {_module(f) for f in ours[file]} & modules == known, file
    assert len(modules) > 300


def _module(file):
    return f"magnetoionics.{file.removesuffix('.py').replace('/', '.')}".removesuffix(".__init__")


def test_rooms_are_in_order_by_grimp_s_graph_as_by_ours(repository):
    assert list(graphlib.TopologicalSorter(graph_of(repository)).static_order())
