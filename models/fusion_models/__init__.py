"""Interatomic potentials written as fusion diagrams, and what they need: data, training, calculators."""

from fusion_models.errors import CheckpointError, ConfigError, DataError, GeometryError, TrainingError

__all__ = ["CheckpointError", "ConfigError", "DataError", "GeometryError", "TrainingError"]
