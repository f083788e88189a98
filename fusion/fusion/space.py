"""The space of a wire: irreps with their paths, named channel axes, and one index space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fusion.errors import LimitError, NotationError
from fusion.index import check_name
from fusion.irreps import Irrep, Irreps
from fusion.limits import MAX_CHANNEL_AXES, MAX_CHANNELS

Channels = int | tuple[int, ...] | Mapping[str, int] | None
"""How a user may write channel axes: a size, several sizes, or ``{"n": 8, "a": 3}``."""

_AXIS_NAMES = "uvwxyzabcdefghijklmnopqrst"


@dataclass(frozen=True, slots=True)
class Segment:
    """Where one irrep lies on the component axis of a value: ``paths * dim`` numbers from ``offset``."""

    irrep: Irrep
    paths: int
    offset: int

    @property
    def size(self) -> int:
        """Number of components, ``paths * (2 l + 1)``."""
        return self.paths * self.irrep.dim


@dataclass(frozen=True, slots=True)
class Space:
    """The type of a wire.

    A value of a space is an array of shape ``(rows of the index space, *channel sizes, dim)``; the last axis lists the
    irreps in canonical order, for each its paths, for each the components m = -l..l (e3nn's order: l = 1 is x, y, z).
    """

    irreps: Irreps
    channels: tuple[tuple[str, int], ...]
    on: str

    @property
    def sizes(self) -> tuple[int, ...]:
        """Sizes of the channel axes."""
        return tuple(size for _, size in self.channels)

    @property
    def dim(self) -> int:
        """Number of components of all irreps and paths."""
        return self.irreps.dim

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The irreps with their places on the component axis."""
        found: list[Segment] = []
        offset = 0
        for paths, irrep in self.irreps:
            found.append(Segment(irrep, paths, offset))
            offset += paths * irrep.dim
        return tuple(found)

    @property
    def invariant(self) -> bool:
        """Whether every irrep is an even scalar, so that any function of the components is covariant."""
        return all(irrep.is_scalar for _, irrep in self.irreps)

    def replace(
        self,
        *,
        irreps: Irreps | None = None,
        channels: tuple[tuple[str, int], ...] | None = None,
        on: str | None = None,
    ) -> Space:
        """Return a copy with the given parts changed."""
        return Space(
            self.irreps if irreps is None else irreps.canonical(),
            self.channels if channels is None else channels,
            self.on if on is None else on,
        )

    def __str__(self) -> str:
        axes = " ".join(f"{name}={size}" for name, size in self.channels)
        return f"{self.irreps or 'nothing'}{f' [{axes}]' if axes else ''} on {self.on}"


def channel_axes(channels: Channels) -> tuple[tuple[str, int], ...]:
    """Return named channel axes from what a user may write; unnamed axes are called u, v, w, ...

    Raises:
        NotationError: a name or a size is not one.
        LimitError: too many axes or too large a size.
    """
    if channels is None:
        return ()
    if isinstance(channels, Mapping):
        axes = tuple(channels.items())
    elif isinstance(channels, tuple):
        axes = tuple(zip(_AXIS_NAMES, channels, strict=False))
    else:
        axes = (("u", channels),)
    if len(axes) > MAX_CHANNEL_AXES:
        raise LimitError(f"{len(axes)} channel axes; at most {MAX_CHANNEL_AXES} are allowed")
    if len({name for name, _ in axes}) != len(axes):
        raise NotationError(f"two channel axes share a name: {axes}")
    for name, size in axes:
        check_name(name, "the name of a channel axis")
        if "." in name or "^" in name:
            raise NotationError(f"the name of a channel axis is made of letters, digits and _; got {name!r}")
        if type(size) is not int or size < 1:
            raise NotationError(f"channel axis {name!r} needs a positive integer size, got {size!r}")
        if size > MAX_CHANNELS:
            raise LimitError(f"channel axis {name!r} has size {size}, above the limit of {MAX_CHANNELS}")
    return axes


def free_axis_name(used: set[str], wish: str = "g") -> str:
    """Return ``wish``, or the first single letter that ``used`` does not hold."""
    return next(name for name in (wish, *_AXIS_NAMES) if name not in used)
