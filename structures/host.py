"""Hosts by name: those of ``structures/hosts``, one file each, and those of users' files."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from pymatgen.core import Structure

from .host_definition import HopKind, Host, MOMENT_TOLERANCE_muB, UnknownHostError, host_keys
from .similar import did_you_mean, did_you_mean_file

if TYPE_CHECKING:
    from .io.host_content import HostContent
    from .io.host_files import HostReference

__all__ = [
    "HopKind",
    "Host",
    "HostKey",
    "MOMENT_TOLERANCE_muB",
    "UnknownHostError",
    "get_host",
    "host_keys",
    "is_host_file",
    "portable_host",
    "primitive_host",
]

# What a user may give as a host: a key, the path of a host file, a `Host`, or what `portable_host` returns of them.
HostKey: TypeAlias = "str | Path | Host | HostReference | HostContent"
# A built-in host's name with this behind it is the same material in the primitive cell of its first order.
PRIMITIVE = ":primitive"
# A host's name with one of these endings is the path of a user's host file.
HOST_FILE_ENDINGS = (".yaml", ".yml")


def get_host(key: HostKey) -> Host:
    """A built-in host by name (case does not matter), or a user's host by its YAML file or its content.

    Parameters
    ----------
    key
        Name, name with ``:primitive`` (see `primitive_host`), path of a host file (relative or absolute, case kept;
        a text or a `Path`), or what `portable_host` returns. A host itself is given back.

    Raises
    ------
    UnknownHostError
        If there is no such host, or the file cannot be used (see `HostReference.from_file`).
    """
    if isinstance(key, Host):
        return key
    content = portable_host(key)
    if not isinstance(content, str):
        return content.host()
    name = content.removesuffix(PRIMITIVE)
    module = importlib.import_module(f".hosts.{name}", __package__)
    host = module.HOST
    if not isinstance(host, Host):
        raise TypeError(f"structures/hosts/{name}.py must define HOST as a Host")
    return primitive_host(host) if content.endswith(PRIMITIVE) else host


def primitive_host(host: Host) -> Host:
    """The same material in the primitive cell of its first order, the only one it then has.

    For engines that can afford nothing larger: CoFe2O4 in Imma order has 14 atoms instead of 56.

    Parameters
    ----------
    host
        A built-in host.

    Returns
    -------
    Host
        With ``:primitive`` behind its key.
    """
    first = host.orders[0]

    def build(order: str) -> Structure:
        return host.build_cell(order).get_primitive_structure(use_site_props=True, tolerance=0.05)

    return replace(
        host,
        key=host.key + PRIMITIVE,
        title=f"{host.title}, primitive cell",
        build_cell=build,
        orders=(first,),
        moment_per_formula_muB=host.moment_by_order_muB.get(first, host.moment_per_formula_muB),
        moment_by_order_muB={},
    )


def portable_host(key: HostKey) -> str | HostReference | HostContent:
    """What a job may carry to another machine: a built-in host's name, or the whole content of a user's host.

    Parameters and errors as for `get_host`.
    """
    if isinstance(key, Host):
        if key.key in host_keys() and get_host(key.key) is key:
            return key.key
        from .io.host_content import HostContent

        return HostContent.of(key)
    if isinstance(key, Path):
        key = str(key)
        if not (is_host_file(key) or is_structure_file(key)):
            raise UnknownHostError(
                f"{key} is no host file, whose name ends in {' or '.join(HOST_FILE_ENDINGS)}, nor a structure file"
            )
    if not isinstance(key, str):
        if not hasattr(key, "host"):
            raise UnknownHostError(f"a host is a name, a host file or a Host, not a {type(key).__name__}")
        return key
    if is_host_file(key):
        from .io.host_files import HostReference

        return HostReference.from_file(key.strip())
    if is_structure_file(key):
        from .drafting.files import drafted_reference

        return drafted_reference(key.strip())
    name = key.strip().lower()
    if name.removesuffix(PRIMITIVE) not in host_keys():
        if (file := Path(key.strip())).is_file():
            from .io.untrusted_input import check_ending

            try:
                check_ending(file.name)
            except ValueError as error:
                raise UnknownHostError(str(error)) from error
        if (near := did_you_mean_file(file)) and file.suffix:
            raise UnknownHostError(f"there is no file {file.name}{near}")
        meant = did_you_mean(name, _words_for_hosts())
        raise UnknownHostError(
            f"unknown host {key!r}{meant}; known hosts: {', '.join(host_keys())}; a host of "
            "your own is a file ending in .yaml, or a structure file (CIF, POSCAR, ...), from which one is drafted"
        )
    return name


def _words_for_hosts() -> dict[str, str]:
    """Keys of the built-in hosts by what they may be called: title, formula and key."""
    hosts = {key: get_host(key) for key in host_keys()}
    formulas = {host.formula for host in hosts.values()}
    of_formula = {f: " or ".join(key for key, host in hosts.items() if host.formula == f) for f in formulas}
    return {host.title: key for key, host in hosts.items()} | of_formula | {key: key for key in hosts}


def is_host_file(key: str) -> bool:
    """Whether a host's name is the path of a host file."""
    return key.strip().lower().endswith(HOST_FILE_ENDINGS)


def is_structure_file(key: str) -> bool:
    """Whether a host's name is the path of a structure file, by its ending or a beginning such as POSCAR."""
    from .io.untrusted_input import is_known_format

    return is_known_format(Path(key.strip()).name)
