"""Training a potential on energies and forces."""

from fusion_models.training.config import TrainConfig
from fusion_models.training.loop import Training, TrainingResult
from fusion_models.training.metrics import Metrics, baseline, evaluate

__all__ = ["Metrics", "TrainConfig", "Training", "TrainingResult", "baseline", "evaluate"]
