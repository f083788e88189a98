"""Reading structures with labels: npz and extended XYZ files, their splits, and where to find them."""

from fusion_models.data.dataset import Dataset, load_dataset
from fusion_models.data.find import find_data
from fusion_models.data.read import read_frames

__all__ = ["Dataset", "find_data", "load_dataset", "read_frames"]
