"""What can go wrong between a file and a trained potential. All are :class:`fusion.errors.FusionError`."""

from __future__ import annotations

from fusion.errors import FusionError


class DataError(FusionError):
    """A data file or a frame in it cannot be used; the message names the file, the frame and what is expected."""


class GeometryError(DataError):
    """Positions, cell or cutoff do not describe a usable structure: not finite, singular, or atoms that coincide."""


class ConfigError(FusionError):
    """A configuration has an unknown key, a wrong type or a value out of range."""


class CheckpointError(FusionError):
    """A checkpoint is damaged, of another format or version, or does not fit the model or the data."""


class TrainingError(FusionError):
    """Training cannot go on: a loss or gradient that is not finite, or nothing to learn from."""
