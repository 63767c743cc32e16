"""What a command line adds to a study: fields, options of stages, a cheaper engine for the path. Light to import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import UserError

if TYPE_CHECKING:
    from ..structures.host import HostKey
    from ..workflows.engine import Engine
    from ..workflows.field.requests import FieldRequest
    from ..workflows.flows.study import MagnetoionicStudyMaker

# Nearer images would share bonds; farther ones need cells that no engine here affords.
IMAGE_DISTANCES_A = (4.0, 60.0)


@dataclass(frozen=True)
class FieldOptions:
    """Fields as the command line has them.

    Attributes
    ----------
    sizes_V_per_m
        Numbers separated by commas.
    along
        Direction of those.
    statements
        Fields in words, with a direction each.
    relaxed
        Bands relaxed in every field.
    breakdown_V_per_m
        Larger fields are refused.
    born_charges
        File with charges on which the field acts.
    """

    sizes_V_per_m: str | None = None
    along: str = "hop"
    statements: tuple[str, ...] = ()
    relaxed: bool = False
    breakdown_V_per_m: float | None = None
    born_charges: Path | None = None

    @property
    def are_asked(self) -> bool:
        """Whether anything was said about fields."""
        return self != FieldOptions()

    def request(self) -> FieldRequest:
        """The request that the flows take.

        Raises
        ------
        UserError
            If a number or a file cannot be read.
        """
        from ..analysis.kinetics.site_charges import read_site_charges
        from ..workflows.field.requests import FieldRequest

        words = [w for w in (self.sizes_V_per_m or "").split(",") if w.strip()]
        try:
            sizes = [float(w) for w in words]
        except ValueError:
            raise UserError(f"--field-V-per-m {self.sizes_V_per_m!r} is no list of numbers such as 1e8,5e8") from None
        if self.sizes_V_per_m is not None and not sizes:
            raise UserError("--field-V-per-m is empty; give numbers such as 1e8,5e8")
        try:
            charges = None if self.born_charges is None else read_site_charges(self.born_charges)
        except ValueError as error:
            raise UserError(f"--born-charges: {error}") from error
        return FieldRequest(
            magnitudes_V_per_m=sizes,
            along=self.along,
            statements=list(self.statements),
            relaxed=self.relaxed,
            breakdown_V_per_m=self.breakdown_V_per_m,
            charges=charges,
        )


@dataclass(frozen=True)
class StudyOptions:
    """All of them.

    Attributes
    ----------
    fields
        Fields of the hop.
    band_start
        Engine whose band is the start of the expensive one's.
    of_stages
        What was said of the options of stages, see `workflows.stage.stage_options`.
    image_distance_A
        How far a defect and its images are apart at least; None takes the repeats of a quick or a full study.
    """

    fields: FieldOptions = field(default_factory=FieldOptions)
    band_start: str | None = None
    of_stages: Mapping[str, Any] = field(default_factory=dict)
    image_distance_A: float | None = None

    def applied(self, maker: MagnetoionicStudyMaker) -> MagnetoionicStudyMaker:
        """The study with its fields and the options of its stages.

        Raises
        ------
        UserError
            For bad input.
        """
        try:
            return replace(maker, fields=self.fields.request()).with_options(**self.of_stages)
        except ValueError as error:
            raise UserError(str(error)) from error

    def repeats(
        self, host_key: HostKey, order: str | None, quick: bool, every_hop: bool = False
    ) -> tuple[int, int, int]:
        """Repeats of the host's ordered cell that a study takes; there is room for its main hop, or for every one.

        Raises
        ------
        UserError
            If the distance is none that a supercell can be computed for.
        """
        from ..structures.cells.default_size import default_repeats, shortest_image_distance_A
        from ..structures.cells.supercell import repeats_for_images
        from ..structures.host import PRIMITIVE, get_host
        from ..structures.layers import repeats_in_plane

        host = get_host(host_key)
        hops_A = [kind.cutoff_A for kind in (host.hops if every_hop else host.hops[:1])]
        if host.layers and self.image_distance_A is None:
            apart = shortest_image_distance_A(quick, hops_A)
            return repeats_in_plane(host.structure(order), apart)
        if self.image_distance_A is None:
            # Whoever asks for the primitive cell, quickly, means that cell.
            if quick and host.key.endswith(PRIMITIVE):
                return 1, 1, 1
            cell = host.structure(order or host.orders[0])
            return default_repeats(cell, quick, hops_A)
        shortest, longest = IMAGE_DISTANCES_A
        if not shortest <= self.image_distance_A <= longest:
            raise UserError(
                f"--image-distance {self.image_distance_A:g} A must lie between {shortest:g} and {longest:g} A"
            )
        repeats = repeats_in_plane if host.layers else repeats_for_images
        return repeats(host.structure(order), self.image_distance_A)

    def said_of_cells(self, host_key: HostKey, order: str | None, quick: bool, every_hop: bool = False) -> str:
        """One line on the supercell where it follows from the cell's size; empty if it is the usual one."""
        from ..structures.cells.default_size import cells_in_words
        from ..structures.host import get_host

        repeats = self.repeats(host_key, order, quick, every_hop)
        if self.image_distance_A is not None or repeats == ((1, 1, 1) if quick else (2, 2, 2)):
            return ""
        words = cells_in_words(get_host(host_key).structure(order), repeats)
        return f"supercell: {words}; --image-distance takes another"

    def engine(self, name: str | Engine) -> Engine:
        """The engine, by name or as it is, with the cheaper one for its path.

        Raises
        ------
        UserError
            If either is unknown or cannot be used so.
        """
        from ..workflows.ase.jobs import AseEngine
        from ..workflows.engine import get_engine

        engine = get_engine(name)
        if self.band_start is None:
            return engine
        if not isinstance(engine, AseEngine):
            raise UserError(f"--band-start is for engines that compute here, which {engine.name} does not")
        if not isinstance(get_engine(self.band_start), AseEngine):
            raise UserError(f"--band-start {self.band_start} does not compute here; use local or an ML potential")
        return replace(engine, band_method="surrogate", band_start=self.band_start)
