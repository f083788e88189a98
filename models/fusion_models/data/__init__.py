"""Reading structures with labels: npz and extended XYZ files, their splits, and where to find them."""

from fusion_models.data.dataset import Dataset, load_dataset
from fusion_models.data.files import DataFile, find_data, read_frames
from fusion_models.data.labels import LabelReport

__all__ = ["DataFile", "Dataset", "LabelReport", "find_data", "load_dataset", "read_frames"]
