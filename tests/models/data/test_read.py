"""Reading npz and extended XYZ files, whole and hostile."""

from __future__ import annotations

import contextlib
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fusion_models.data import read_frames
from fusion_models.errors import DataError, GeometryError

GOOD: dict[str, object] = {
    "n_atoms": np.array([2, 0, 1], np.int32),
    "numbers": np.array([8, 1, 6], np.uint8),
    "positions": np.arange(9.0).reshape(3, 3),
    "energy": np.array([-1.0, 0.0, -2.0]),
    "forces": -np.arange(9.0).reshape(3, 3),
}


def save(path: Path, **changes: object) -> Path:
    content = {key: value for key, value in {**GOOD, **changes}.items() if value is not None}
    np.savez(path / "set.npz", allow_pickle=True, **content)  # type: ignore[arg-type]
    return path / "set.npz"


def test_npz(tmp_path: Path) -> None:
    (first, empty, last), labels = read_frames(save(tmp_path))
    assert (first.numbers.tolist(), first.energy, len(empty), last.numbers.tolist()) == ([8, 1], -1.0, 0, [6])
    assert first.name == "set.npz[0]"
    assert last.forces is not None
    assert last.forces.tolist() == [[-6.0, -7.0, -8.0]]
    assert not (first.pbc.any() or first.cell.any())
    assert str(labels) == "set.npz: 3 frames, 3 atoms (H C O); labels: 3 energies, 3 forces, 0 stresses"


def test_npz_with_cells(tmp_path: Path) -> None:
    cell, pbc = np.tile(np.eye(3) * 4.0, (3, 1, 1)), np.ones((3, 3), bool)
    frames, labels = read_frames(save(tmp_path, cell=cell, pbc=pbc, stress=cell * 0.1, trajectory=np.zeros(3, int)))
    assert all(f.periodic and f.stress is not None for f in frames)
    assert (labels.stresses, labels.ignored) == (3, ("trajectory",))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"positions": None}, "missing 'positions'"),
        ({"Forces": np.zeros((3, 3))}, "unknown 'Forces'"),
        ({"energy": None, "energy_kcal": np.zeros(3)}, "energy_kcal.*eV"),
        ({"forces": None, "forces_Ha_bohr": np.zeros((3, 3))}, "forces_Ha_bohr.*eV"),
        ({"units": "kcal/mol, Angstrom"}, "kcal/mol"),
        ({"units": "eV, nm"}, "nm"),
        ({"energy": np.zeros(2)}, "energy is float64 of shape"),
        ({"energy": np.array(["a", "b", "c"])}, "real numbers"),
        ({"energy": np.array([0.0, np.nan, 0.0])}, r"set.npz\[1\].*energy.*not finite"),
        ({"forces": np.array([[0, 0, 0], [0, np.inf, 0], [0, 0, 0.0]])}, r"set.npz\[0\]: forces of atom 1"),
        ({"positions": np.full((3, 3), np.nan)}, "positions of atom 0"),
        ({"numbers": np.array([8, 0, 1])}, "atomic number 0"),
        ({"numbers": np.array([8, 119, 1])}, "atomic number 119"),
        ({"n_atoms": np.array([2, 0, 2])}, "numbers"),
        ({"n_atoms": np.array([4, 0, -1])}, "n_atoms"),
        ({"n_atoms": np.array([2.5, 0, 0.5])}, "whole numbers"),
        ({"cell": np.zeros((3, 3, 3))}, "cell and pbc go together"),
        ({"energy": np.array([{}, {}, {}], dtype=object)}, "pickled code"),
    ],
)
def test_npz_files_that_do_not_fit_are_refused(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_frames(save(tmp_path, **changes))


@pytest.mark.parametrize("units", ["eV, Å", "eV, Angstrom", "energy: eV, length: Ang", "eV/Angstrom"])
def test_right_units_are_accepted(tmp_path: Path, units: str) -> None:
    assert len(read_frames(save(tmp_path, units=units))[0]) == 3


def test_a_header_may_not_promise_more_than_the_file_has(tmp_path: Path) -> None:
    """A header of 100 bytes must not make the reader allocate terabytes."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (10**13,)})
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w") as archive:
        archive.writestr("n_atoms.npy", header.getvalue())
    with pytest.raises(DataError, match="the header promises shape"):
        read_frames(tmp_path / "bomb.npz")


@pytest.mark.parametrize("name", ["none.npz", "none.extxyz", "set.h5"])
def test_missing_and_unknown_files_are_refused(tmp_path: Path, name: str) -> None:
    if name.endswith("h5"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(DataError, match=r"no such file|unknown kind of file"):
        read_frames(tmp_path / name)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_npz_files_are_refused_or_read(tmp_path: Path, data: st.DataObject) -> None:
    """Flipped bytes and truncations end in a typed error or in frames, never in anything else."""
    content = bytearray(save(tmp_path).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    kept = data.draw(st.integers(0, len(content)) | st.just(len(content)))
    (tmp_path / "damaged.npz").write_bytes(bytes(content[:kept]))
    with contextlib.suppress(DataError):
        read_frames(tmp_path / "damaged.npz")


def xyz(path: Path, comment: str, columns: str = "") -> Path:
    text = f"1\n{comment} Properties=species:S:1:pos:R:3{columns}\nH 0.0 0.0 0.5{' 1.0 2.0 3.0' if columns else ''}\n"
    (path / "set.extxyz").write_text(text)
    return path / "set.extxyz"


@pytest.mark.parametrize("prefix", ["", "REF_"])
def test_extxyz(tmp_path: Path, prefix: str) -> None:
    (found,), labels = read_frames(xyz(tmp_path, f"{prefix}energy=-3.0 energy_sigma=0.1", f":{prefix}forces:R:3"))
    assert (found.energy, found.name) == (-3.0, "set.extxyz[0]")
    assert labels.keys == (("energy", f"{prefix}energy"), ("forces", f"{prefix}forces"))
    assert labels.ignored == ("energy_sigma",)
    assert found.forces is not None
    assert found.forces.tolist() == [[1.0, 2.0, 3.0]]


def test_extxyz_prefers_reference_labels(tmp_path: Path) -> None:
    assert read_frames(xyz(tmp_path, "energy=1.0 REF_energy=2.0"))[0][0].energy == 2.0


def test_extxyz_stress_in_its_three_shapes(tmp_path: Path) -> None:
    box = 'Lattice="4 0 0 0 4 0 0 0 4" pbc="T T T"'
    expected = [[1.0, 6.0, 5.0], [6.0, 2.0, 4.0], [5.0, 4.0, 3.0]]
    for key, value in (
        ("stress", "1 6 5 6 2 4 5 4 3"),
        ("REF_stress", "1 6 5 6 2 4 5 4 3"),
        ("REF_stress", "1 2 3 4 5 6"),
    ):
        ((found,), _) = read_frames(xyz(tmp_path, f'{box} {key}="{value}"'))
        assert found.stress is not None
        assert found.stress.tolist() == expected


@pytest.mark.parametrize(
    ("comment", "columns", "message"),
    [
        ("energy_kcal=1.0", "", "energy_kcal.*eV"),
        ("energy=1.0", ":forces_kcal:R:3", "forces_kcal.*eV"),
        ('energy=1.0 units="kcal/mol"', "", "kcal/mol"),
        ('energy=1.0 energy_unit="Hartree"', "", "Hartree"),
        ('Lattice="4 0 0 0 4 0 0 0 4" pbc="T T T" REF_stress="1 2"', "", "stress"),
        ("energy=abc", "", "set.extxyz"),
    ],
)
def test_extxyz_files_that_do_not_fit_are_refused(tmp_path: Path, comment: str, columns: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_frames(xyz(tmp_path, comment, columns))


@pytest.mark.parametrize(
    "text", ["", "nonsense", "2\n\nH 0 0 0\n", "1\n\nQq 0 0 0\n", "1\nProperties=species:S:1:pos:R:3\nH 0 0\n"]
)
def test_malformed_extxyz_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.xyz").write_text(text)
    with pytest.raises(DataError, match=r"bad\.xyz"):
        read_frames(tmp_path / "bad.xyz")


def test_positions_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.xyz").write_text("1\nProperties=species:S:1:pos:R:3\nH 0 nan 0\n")
    with pytest.raises(GeometryError, match=r"bad.xyz\[0\]: positions of atom 0"):
        read_frames(tmp_path / "bad.xyz")


def test_missing_labels_are_said_loudly(tmp_path: Path) -> None:
    assert str(read_frames(xyz(tmp_path, "my_energy=1.0"))[1]).endswith("ignored: my_energy; NO LABELS FOUND")
