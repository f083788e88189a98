"""Reading reference data: npz and extended XYZ files, frozen splits, and data sets with their neighbour lists."""

from fusion_models.data.dataset import Dataset, Position
from fusion_models.data.extxyz import LabelKeys, read_extxyz
from fusion_models.data.files import DataFile, find_data, load_parts, read_frames
from fusion_models.data.labels import LabelReport
from fusion_models.data.npz import read_npz, write_npz
from fusion_models.data.splits import Splits, random_split, read_splits

__all__ = [
    "DataFile",
    "Dataset",
    "LabelKeys",
    "LabelReport",
    "Position",
    "Splits",
    "find_data",
    "load_parts",
    "random_split",
    "read_extxyz",
    "read_frames",
    "read_npz",
    "read_splits",
    "write_npz",
]
