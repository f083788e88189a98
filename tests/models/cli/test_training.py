"""The commands train, evaluate and md: the whole way on a tiny data set, and every kind of bad input."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from fusion_models.checkpoint import save_potential
from fusion_models.cli import app
from models.structures import molecule, small_potential

runner = CliRunner(env={"COLUMNS": "200", "TERM": "dumb"})
SMALL = ["--channels", "2", "--l-max", "1", "--hidden", "0e", "--powers", "1,2", "--cutoff", "4", "--batch-size", "4"]


def arrays(count: int = 10) -> dict[str, np.ndarray]:
    frames = [molecule(seed, energy=True) for seed in range(count)]
    return {
        "n_atoms": np.full(count, 9, dtype=np.int32),
        "numbers": np.concatenate([f.numbers for f in frames]).astype(np.uint8),
        "positions": np.concatenate([f.positions for f in frames]),
        "energy": np.array([f.energy for f in frames], dtype=float),
        "forces": np.concatenate([f.forces for f in frames if f.forces is not None]),
    }


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "set.npz"
    np.savez(path, **arrays())  # pyright: ignore[reportArgumentType]
    return path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    save_potential(small_potential(), path)
    return path


def test_train_evaluate_and_move(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    found = runner.invoke(app, ["train", str(data), "--out", str(folder), "--steps", "3", *SMALL])
    assert found.exit_code == 0, found.output
    assert "3 steps" in found.output
    again = runner.invoke(app, ["train", str(data), "--out", str(folder), "--steps", "5", *SMALL])
    assert again.exit_code == 2
    assert "already holds a run; add --resume" in again.output
    resumed = runner.invoke(app, ["train", str(data), "--out", str(folder), "--steps", "5", "--resume", *SMALL])
    assert resumed.exit_code == 0, resumed.output
    measured = runner.invoke(app, ["evaluate", str(folder / "model.safetensors"), str(data), "--json"])
    assert measured.exit_code == 0, measured.output
    errors = json.loads(measured.stdout)
    assert errors["errors"]["frames"] == 1
    assert errors["baseline"]["force_mae_mev_per_a"] > 0
    structure = tmp_path / "start.xyz"
    structure.write_text("2\n\nO 0 0 0\nH 0 0 0.97\n")
    final = tmp_path / "final.xyz"
    arguments = [
        "md",
        str(folder / "model.safetensors"),
        str(structure),
        "--steps",
        "20",
        "--temperature",
        "10",
        "-o",
        str(final),
    ]
    moved = runner.invoke(app, arguments)
    assert moved.exit_code == 0, moved.output
    assert "meV/atom/ps" in moved.output
    assert final.read_text().startswith("2\n")


def _change(**changes: object) -> Callable[[dict[str, np.ndarray]], None]:
    return lambda found: found.update({key: np.asarray(value) for key, value in changes.items()})


def _rename(old: str, new: str) -> Callable[[dict[str, np.ndarray]], None]:
    return lambda found: found.update({new: found.pop(old)})


def _poke(key: str, place: int, value: object) -> Callable[[dict[str, np.ndarray]], None]:
    def change(found: dict[str, np.ndarray]) -> None:
        found[key][place] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_rename("energy", "energy_kcal"), "energy"),
        (_change(units="kcal/mol"), "kcal"),
        (_poke("positions", 4, [np.nan, 0, 0]), "not finite"),
        (_poke("positions", 1, arrays()["positions"][0]), "atoms"),
        (_poke("numbers", 3, 0), "atomic number"),
        (_poke("n_atoms", 0, 7), "expected whole numbers of shape"),
        (_poke("energy", 2, np.inf), "not finite"),
    ],
)
def test_bad_data_are_named(
    change: Callable[[dict[str, np.ndarray]], None], message: str, tmp_path: Path, model: Path
) -> None:
    found = arrays()
    change(found)
    path = tmp_path / "bad.npz"
    np.savez(path, **found)  # pyright: ignore[reportArgumentType]
    training = ["train", str(path), "--out", str(tmp_path / "run"), "--steps", "1", *SMALL]
    for command in (training, ["evaluate", str(model), str(path)]):
        result = runner.invoke(app, command)
        assert result.exit_code == 3, result.output
        assert message in result.output
        assert "Traceback" not in result.output


def test_frames_without_atoms_have_the_energy_zero(tmp_path: Path, model: Path) -> None:
    found = arrays()
    found["n_atoms"] = np.append(found["n_atoms"], 0).astype(np.int32)
    found["energy"] = np.append(found["energy"], 0.0)
    path = tmp_path / "test_nothing.npz"
    np.savez(path, **found)  # pyright: ignore[reportArgumentType]
    result = runner.invoke(app, ["evaluate", str(model), str(path), "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["errors"]["frames"] == 11


def test_unknown_elements_are_named(tmp_path: Path, model: Path) -> None:
    found = arrays()
    found["numbers"][0] = 7
    path = tmp_path / "nitrogen.npz"
    np.savez(path, **found)  # pyright: ignore[reportArgumentType]
    result = runner.invoke(app, ["evaluate", str(model), str(path)])
    assert result.exit_code == 3
    assert "N, which the potential does not know" in result.output


@pytest.mark.parametrize(
    "command",
    [
        ["train", "nothing-here"],
        ["evaluate", "nothing.safetensors", "nothing-here"],
        ["md", "nothing.safetensors", "nothing.xyz"],
    ],
)
def test_missing_files(command: list[str], tmp_path: Path) -> None:
    extra = ["--out", str(tmp_path / "run")] if command[0] == "train" else []
    result = runner.invoke(app, [*command, *extra])
    assert result.exit_code == 3
    assert "nothing" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not a structure", "not a structure that ASE can read"),
        ("0\n\n", "no atoms"),
        ("1\n\nN 0 0 0\n", "not N"),
        ("2\n\nO 0 0 0\nH 0 0 0\n", "atoms"),
        ("2\n\nO 0 0 0\nH nan 0 0\n", "not finite"),
    ],
)
def test_bad_structures(text: str, message: str, tmp_path: Path, model: Path) -> None:
    structure = tmp_path / "start.xyz"
    structure.write_text(text)
    result = runner.invoke(app, ["md", str(model), str(structure), "--steps", "20"])
    assert result.exit_code == 3, result.output
    assert message in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    "option",
    [
        ["--powers", "one"],
        ["--powers", "9"],
        ["--powers", "1,1"],
        ["--hidden", "5x"],
        ["--hidden", ""],
        ["--basis", "best"],
        ["--cutoff", "inf"],
        ["--seed", "99999999999999999999"],
        ["--steps", "0"],
    ],
)
def test_wrong_settings(option: list[str], data: Path, tmp_path: Path) -> None:
    result = runner.invoke(app, ["train", str(data), "--out", str(tmp_path / "run"), "--steps", "1", *SMALL, *option])
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output


def test_a_resumed_run_keeps_its_end(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    arguments = ["train", str(data), "--out", str(folder), *SMALL]
    assert runner.invoke(app, [*arguments, "--steps", "2"]).exit_code == 0
    again = runner.invoke(app, [*arguments, "--resume"])
    assert again.exit_code == 0, again.output
    assert "2 steps" in again.output
    other = runner.invoke(app, [*arguments, "--resume", "--channels", "3"])
    assert other.exit_code == 3
    assert "channels: 2, not 3" in " ".join(other.output.split())


def test_outputs_that_cannot_be_written(data: Path, model: Path, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file")
    trained = runner.invoke(app, ["train", str(data), "--out", str(taken), "--steps", "1", *SMALL])
    assert trained.exit_code == 2
    assert "is a file" in trained.output
    structure = tmp_path / "start.xyz"
    structure.write_text("3\n\nO 0 0 0\nH 0 0 1\nH 0 0 -1\n")  # on a line
    for bad in (tmp_path, tmp_path / "none" / "final.xyz"):
        moved = runner.invoke(app, ["md", str(model), str(structure), "--steps", "20", "-o", str(bad)])
        assert moved.exit_code == 2
        assert "cannot be written" in moved.output
    assert runner.invoke(app, ["md", str(model), str(structure), "--steps", "20"]).exit_code == 0
    folder = runner.invoke(app, ["md", str(tmp_path), str(structure)])
    assert folder.exit_code == 3
    assert "is a folder" in folder.output


def test_unlabelled_frames_are_found_at_once(tmp_path: Path) -> None:
    lines = "\n".join(
        f"1\nProperties=species:S:1:pos:R:3:forces:R:3{f' energy={n}.0' if n != 5 else ''}\nO 0 0 0 0 0 0"
        for n in range(9)
    )
    path = tmp_path / "mixed.xyz"
    path.write_text(lines + "\n")
    result = runner.invoke(app, ["train", str(path), "--out", str(tmp_path / "run"), "--steps", "1", *SMALL])
    assert result.exit_code == 1, result.output
    assert "mixed.xyz[5]" in result.output


def test_damaged_checkpoints(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"nonsense")
    result = runner.invoke(app, ["evaluate", str(path), str(data)])
    assert result.exit_code == 3
    assert "not a readable checkpoint" in result.output
