"""How much disk an installation without extras takes, package by package, and who asks for each, as Markdown.

Run ``python benchmarks/install_size.py [--least MB]`` in an environment that holds the package; what its requirements
lead to is added up from the files that each distribution lists, so that other packages beside it do not count.
"""

from __future__ import annotations

import argparse
import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from packaging.requirements import Requirement


def needed(dist: Distribution, extra: str = "") -> set[tuple[str, str]]:
    """Names and extras of what a distribution requires here."""
    found = set()
    for text in dist.requires or []:
        one = Requirement(text)
        if one.marker is None or one.marker.evaluate({"extra": extra}):
            name = re.sub(r"[-_.]+", "-", one.name).lower()
            found |= {(name, ""), *((name, e) for e in one.extras)}
    return found


def closure(name: str) -> dict[str, set[str]]:
    """Every distribution that one leads to, with those that ask for it."""
    asked: dict[str, set[str]] = {name: set()}
    seen, waiting = set(), [(name, "")]
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        for other in needed(distribution(one[0]), one[1]):
            try:
                distribution(other[0])
            except PackageNotFoundError:
                continue
            asked.setdefault(other[0], set()).add(one[0])
            waiting.append(other)
    return asked


def size_MB(name: str) -> float:
    """Of all files that a distribution installed, compiled Python included, once each."""
    paths = {file.locate() for file in distribution(name).files or []}
    folders = {path.parent / "__pycache__" for path in paths if path.suffix == ".py"}
    compiled = {path for folder in folders if folder.is_dir() for path in folder.iterdir()}
    known = {path.stem for path in paths}
    paths |= {path for path in compiled if path.name.split(".")[0] in known}
    return sum(path.stat().st_size for path in paths if path.is_file()) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description="Add up what an installation without extras takes.")
    parser.add_argument("--least", type=float, default=15.0, help="smallest package with a row of its own, MB")
    options = parser.parse_args()
    asked = closure("magnetoionics")
    own = {other for other, _ in needed(distribution("magnetoionics"))}
    sizes = {name: size_MB(name) for name in asked if name != "magnetoionics"}
    print(f"{len(sizes)} packages, {sum(sizes.values()):.0f} MB beside this one.\n")
    print("| package | MB | asked for by |\n| - | -: | - |")
    large = sorted((n for n in sizes if sizes[n] >= options.least), key=lambda n: -sizes[n])
    for name in large:
        by = (["this package"] if name in own else []) + sorted(asked[name] - {"magnetoionics"})
        print(f"| {name} | {sizes[name]:.0f} | {', '.join(by[:6])}{' …' if len(by) > 6 else ''} |")
    print(f"| {len(sizes) - len(large)} others | {sum(sizes[n] for n in sizes if n not in large):.0f} | |")


if __name__ == "__main__":
    main()
