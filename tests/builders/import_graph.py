"""Which module imports which, inside functions too; ``python tests/builders/import_graph.py`` writes docs/rooms.md."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

FLOORS = ("structures", "calculators", "analysis", "workflows", "hpc")
# Each room of analysis imports only what stands to its left.
ANALYSIS = (
    "results",
    "magnetism",
    "kinetics",
    "thermodynamics",
    "defects",
    "device",
    "study",
    "audit",
    "plots",
    "builder",
    "report",
)
PAGE = "docs/rooms.md"


@dataclass(frozen=True)
class Import:
    """One import statement of a file of the package; `at_load` and `typing_only` say when it is carried out."""

    path: str
    line: int
    level: int
    module: str
    name: str
    at_load: bool
    typing_only: bool = False

    @property
    def target(self) -> tuple[str, ...]:
        """Parts of the imported module, counted from the package's root, for relative imports."""
        folder = Path(self.path).parent.parts
        base = folder[: len(folder) - (self.level - 1)]
        return (*base, *(self.module.split(".") if self.module else ()), self.name)

    @property
    def floor(self) -> str:
        """Top folder of the importing file."""
        return self.path.split("/")[0]

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: from {'.' * self.level}{self.module} import {self.name}"


def _statements(node: ast.AST, lazy: bool, typing: bool) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, lazy, typing
            continue
        inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for_types = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
        yield from _statements(child, lazy or inside, typing or for_types)


def imports_of(path: str, source: str) -> Iterator[Import]:
    """Imports of one file."""
    for statement, lazy, typing in _statements(ast.parse(source), False, False):
        for alias in statement.names:
            if isinstance(statement, ast.Import):
                yield Import(path, statement.lineno, 0, alias.name, "", not (lazy or typing), typing)
            else:
                yield Import(
                    path,
                    statement.lineno,
                    statement.level,
                    statement.module or "",
                    alias.name,
                    not (lazy or typing),
                    typing,
                )


def module_graph(imports: Iterable[Import], files: Iterable[str], *, at_load: bool) -> dict[str, set[str]]:
    """Files that each file imports when it runs, or already when it is loaded.

    A package that is imported as such is left out: its folder is looked into, none of its modules is named.
    """
    files = list(files)
    names = {tuple(f.removesuffix(".py").split("/")): f for f in files}
    graph: dict[str, set[str]] = {f: set() for f in files}
    for i in imports:
        if not i.level or i.typing_only or (at_load and not i.at_load):
            continue
        found = names.get(i.target) or names.get(i.target[:-1])
        if found is not None and found != i.path:
            graph[i.path].add(found)
    return graph


def room_of(path: str) -> str:
    """Folder of a floor that a file is in, or the file itself where it lies in none."""
    parts = Path(path).parts
    return "/".join(parts[:2]).removesuffix(".py")


def room_graph(modules: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Rooms that each room imports."""
    graph: dict[str, set[str]] = {}
    for path, others in modules.items():
        graph.setdefault(room_of(path), set()).update({room_of(o) for o in others} - {room_of(path)})
    return graph


def _reach(graph: Mapping[str, set[str]], room: str) -> set[str]:
    """Rooms that a room imports, and those that these import, and so on."""
    direct = graph.get(room, set())
    return direct.union(*(_reach(graph, other) for other in direct))


def page(rooms: Mapping[str, set[str]]) -> str:
    """The graph as a page: a drawing of analysis, and every room with what it imports."""
    inside = {
        room: {o for o in others if o.startswith("analysis/")}
        for room, others in sorted(rooms.items())
        if room.startswith("analysis/")
    }
    arrows = [
        f"  {room.split('/')[1]} --> {other.split('/')[1]}"
        for room, others in inside.items()
        for other in sorted(others)
        if not any(other in _reach(inside, between) for between in others - {other})
    ]
    table = [
        f"| `{room}` | {', '.join(f'`{o}`' for o in sorted(others))} |"
        for room, others in sorted(rooms.items())
        if others
    ]
    lines = [
        "# Which room imports which",
        "",
        "Written by `python tests/builders/import_graph.py`; imports inside functions count. A test allows no circle.",
        "The same imports are found by grimp (a test compares them); it draws nothing, so the page is ours.",
        "`workflows/engine` and `workflows/stage` look into the folders `engines` and `flows`, `structures/host` into",
        "`hosts`, `analysis/results` into `plots` and `report`: files there are discovered, none is imported by name.",
        "",
        "The rooms of `analysis`; an arrow that follows from others is left out:",
        "",
        "```mermaid",
        "graph LR",
        *arrows,
        "```",
        "",
        "| room | imports |",
        "|-|-|",
        *table,
    ]
    return "\n".join(lines) + "\n"


def package_files(root: Path) -> list[str]:
    """Python files of the floors."""
    return sorted(p.relative_to(root).as_posix() for floor in FLOORS for p in (root / floor).rglob("*.py"))


def graph_of(root: Path) -> dict[str, set[str]]:
    """Rooms that each room of a checkout imports."""
    files = package_files(root)
    found = [i for f in files for i in imports_of(f, (root / f).read_text(encoding="utf-8"))]
    return room_graph(module_graph(found, files, at_load=False))


if __name__ == "__main__":
    checkout = Path(__file__).resolve().parents[2]
    (checkout / PAGE).write_text(page(graph_of(checkout)), encoding="utf-8")
