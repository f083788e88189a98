"""Checkpoints: one safetensors file whose metadata is a JSON manifest of closed schema. Never pickle.

The manifest holds the configuration, the diagram as text, the digest of the coupling table and the versions used. A
model is built again from its configuration, its diagram is compared with the stored text, and every tensor must be
there with the right shape.
"""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor

from fusion.symbols import table_digest
from fusion_models.config import PotentialConfig
from fusion_models.errors import CheckpointError
from fusion_models.files import write_atomic
from fusion_models.potential import Potential

FORMAT = "fusion-potential"
VERSION = 1
MAX_BYTES = 8 * 1024**3
MAX_TENSORS = 100_000
DIGEST_DEGREE = 4
"""The coupling table is digested up to this degree."""


class Manifest(BaseModel):
    """What a checkpoint says of itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["fusion-potential"] = FORMAT
    version: int = VERSION
    config: PotentialConfig
    dtype: Literal["float32", "float64"]
    diagram: str
    couplings: str
    """Digest of the Clebsch-Gordan table: other signs or orders would change the model silently."""
    packages: dict[str, str]
    digest: str
    """Digest of the tensors: safetensors has no checksum of its own."""
    notes: dict[str, str | float | int] = {}
    """Free facts of the run: data set, errors reached, seconds."""


def package_versions() -> dict[str, str]:
    """Return the versions that matter for reproducing a result."""
    found: dict[str, str] = {}
    for name in ("fusion-networks", "torch", "numpy", "opt_einsum", "ase", "vesin"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def save_potential(potential: Potential, path: str | Path, notes: dict[str, str | float | int] | None = None) -> None:
    """Write a checkpoint; it appears whole or not at all."""
    dtype = "float64" if potential.dtype == torch.float64 else "float32"
    tensors = {name: value.detach().cpu().contiguous() for name, value in potential.state_dict().items()}
    manifest = Manifest(
        config=potential.config,
        dtype=dtype,
        diagram=str(potential.diagram),
        couplings=table_digest(DIGEST_DEGREE),
        packages=package_versions(),
        digest=tensor_digest(tensors),
        notes=notes or {},
    )
    write_atomic(path, to_bytes(tensors, {"manifest": manifest.model_dump_json()}))


def load_potential(
    path: str | Path, *, dtype: torch.dtype | None = None, emitter: str = "source"
) -> tuple[Potential, Manifest]:
    """Read a checkpoint.

    Args:
        path: the file.
        dtype: floating type of the result; that of the file when left out.
        emitter: how the program is run.

    Raises:
        CheckpointError: damaged, of another format or version, or not the model its configuration describes.
    """
    tensors, metadata = read_tensors(path)
    try:
        content = json.loads(metadata.get("manifest", ""))
    except (ValueError, RecursionError):
        raise CheckpointError(f"{path}: holds no manifest; it is not a checkpoint of this program") from None
    if isinstance(content, dict) and content.get("format") == FORMAT and content.get("version") != VERSION:
        raise CheckpointError(
            f"{path}: checkpoint version {content.get('version')!r}; this program reads version {VERSION}"
        )
    try:
        manifest = Manifest.model_validate(content)
    except ValidationError as error:
        raise CheckpointError(f"{path}: the manifest is not valid: {short(error)}") from None
    if manifest.couplings != table_digest(DIGEST_DEGREE):
        raise CheckpointError(
            f"{path}: was made with another coupling table (signs or order); its weights would mean something else"
        )
    stored = torch.float64 if manifest.dtype == "float64" else torch.float32
    potential = Potential(manifest.config, dtype=stored, emitter=emitter)
    if manifest.diagram != str(potential.diagram):
        raise CheckpointError(f"{path}: the diagram is not what this version builds from the configuration")
    load_state(potential, tensors, path)
    if manifest.digest != tensor_digest(tensors):
        raise CheckpointError(f"{path}: the weights are damaged (their digest is not the one in the manifest)")
    return (potential if dtype is None else potential.to(dtype)), manifest


def tensor_digest(tensors: dict[str, Tensor]) -> str:
    """Return the SHA-256 of names, types, shapes and values."""
    found = hashlib.sha256()
    for name in sorted(tensors):
        value = tensors[name].detach().cpu().contiguous()
        found.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        found.update(value.numpy().tobytes())
    return found.hexdigest()


def load_state(potential: Potential, tensors: dict[str, Tensor], path: str | Path) -> None:
    """Copy tensors into a potential; every name must be there, with the right shape, and finite."""
    expected = potential.state_dict()
    missing, unknown = sorted(set(expected) - set(tensors)), sorted(set(tensors) - set(expected))
    if missing or unknown:
        raise CheckpointError(f"{path}: missing tensors {missing[:4]}, unknown tensors {unknown[:4]}")
    for name, value in tensors.items():
        if value.shape != expected[name].shape:
            raise CheckpointError(
                f"{path}: tensor {name!r} has shape {tuple(value.shape)}, expected {tuple(expected[name].shape)}"
            )
        if not bool(torch.isfinite(value).all()):
            raise CheckpointError(f"{path}: tensor {name!r} holds values that are not finite")
    potential.load_state_dict(tensors)


def read_tensors(path: str | Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors and metadata of a safetensors file, within limits.

    Raises:
        CheckpointError: no such file, too large, or damaged.
    """
    source = Path(path)
    if not source.is_file():
        raise CheckpointError(f"{source}: {'is a folder' if source.is_dir() else 'no such file'}")
    if source.stat().st_size > MAX_BYTES:
        raise CheckpointError(f"{source}: {source.stat().st_size} bytes is above the limit of {MAX_BYTES}")
    try:
        with safe_open(source, framework="pt") as stream:
            names = list(stream.keys())
            if len(names) > MAX_TENSORS:
                raise CheckpointError(f"{source}: {len(names)} tensors is above the limit of {MAX_TENSORS}")
            return {name: stream.get_tensor(name) for name in names}, dict(stream.metadata() or {})
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(f"{source}: not a readable checkpoint ({error})") from None


def short(error: ValidationError) -> str:
    """Return the problems of a pydantic error in one line."""
    parts = [
        f"{'.'.join(map(str, item['loc'])) or 'content'}: {item['msg'].removeprefix('Value error, ')}"
        for item in error.errors()[:6]
    ]
    return "; ".join(parts)
