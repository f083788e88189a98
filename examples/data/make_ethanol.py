"""Make the ethanol data set that ships with the project: sample with GFN2-xTB, label with PBE/def2-SVP.

    pip install "tblite>=0.4" "pyscf>=2.9" "ase>=3.29" numpy
    python make_ethanol.py --work /tmp/ethanol-work          # about 70 minutes on two cores; resumes where it stopped

Sampling: Langevin dynamics at 500 K (0.5 fs steps, friction 0.01/fs) on the GFN2-xTB surface, one trajectory per seed,
2 ps of equilibration thrown away, then one frame every 200 fs. Training, validation and test frames come from
trajectories with different seeds. Labels: PBE/def2-SVP without density fitting, SCF converged to 1e-10 Ha
(orbital gradient 1e-6), grid level 4, forces with the grid response, so that they are the gradient of the energy.

Finished trajectories and labels are files in the work folder, each written atomically; a second run reuses them.
The result (`ethanol_pbe.npz` and `ethanol_pbe.splits.json` beside this script) has positions in Å, energies in eV and
forces in eV/Å in the layout of the project's npz reader.
"""

from __future__ import annotations

import argparse
import json
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("OMP_NUM_THREADS", "1")  # one label per core is faster than one label on two cores

TEMPERATURE_K = 500.0
TIME_STEP_FS = 0.5
FRICTION_PER_FS = 0.01
EQUILIBRATION_FS = 2000.0
SPACING_FS = 200.0
# seed -> frames; the seeds of the three splits are disjoint
TRAJECTORIES = {
    "train": dict.fromkeys(range(1, 9), 65),
    "val": {101: 40},
    "test": {201: 50, 202: 50},
}


def write_npz(path: Path, **arrays: Any) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    with open(partial, "wb") as stream:
        np.savez_compressed(stream, **arrays)
    os.replace(partial, path)


def sample(seed: int, frames: int, path: Path) -> None:
    """Run one xTB trajectory and store `frames` geometries, centred, in Å."""
    if path.exists():
        return
    from ase import units
    from ase.build import molecule
    from ase.md.langevin import Langevin
    from ase.md.velocitydistribution import thermalize_momenta
    from tblite.ase import TBLite  # pyright: ignore[reportMissingImports]  (extra: data)

    atoms = molecule("CH3CH2OH")
    atoms.calc = TBLite(method="GFN2-xTB", verbosity=0)
    random = np.random.RandomState(seed)
    thermalize_momenta(atoms, temperature_K=TEMPERATURE_K, rng=random)
    dynamics = Langevin(
        atoms,
        TIME_STEP_FS * units.fs,
        temperature_K=TEMPERATURE_K,
        friction=FRICTION_PER_FS / units.fs,
        fixcm=False,
        rng=random,
    )
    dynamics.run(round(EQUILIBRATION_FS / TIME_STEP_FS))
    positions = []
    for _ in range(frames):
        dynamics.run(round(SPACING_FS / TIME_STEP_FS))
        positions.append(atoms.positions - atoms.get_center_of_mass())
    write_npz(path, numbers=atoms.numbers, positions=np.array(positions))


def label(numbers: np.ndarray, positions: np.ndarray, path: Path) -> None:
    """Store the PBE/def2-SVP energy (eV) and forces (eV/Å) of one geometry."""
    if path.exists():
        return
    from ase import units
    from pyscf import dft, gto, lib  # pyright: ignore[reportMissingImports]  (extra: data)

    lib.num_threads(1)
    molecule = gto.M(
        atom=[(int(z), tuple(xyz)) for z, xyz in zip(numbers, positions / units.Bohr, strict=True)],
        unit="Bohr",
        basis="def2-svp",
        verbose=0,
    )
    field = dft.RKS(molecule)
    field.xc = "PBE"
    field.grids.level = 4
    field.conv_tol, field.conv_tol_grad, field.max_cycle = 1e-10, 1e-6, 100
    energy = field.kernel()
    if not field.converged:
        raise RuntimeError(f"SCF did not converge for {path.name}; no label is written")
    gradient = field.nuc_grad_method()
    gradient.grid_response = True
    forces = -gradient.kernel() * (units.Hartree / units.Bohr)
    write_npz(path, energy=np.float64(energy * units.Hartree), forces=forces)


def assemble(work: Path, out: Path) -> None:
    numbers, positions, energy, forces, trajectory = [], [], [], [], []
    splits: dict[str, list[int]] = {}
    for split, seeds in TRAJECTORIES.items():
        splits[split] = []
        for seed in seeds:
            with np.load(work / f"trajectory_{seed}.npz") as run:
                z, frames = run["numbers"], run["positions"]
            for index, xyz in enumerate(frames):
                with np.load(work / f"label_{seed}_{index}.npz") as found:
                    energy.append(float(found["energy"]))
                    forces.append(found["forces"])
                splits[split].append(len(positions))
                numbers.append(z)
                positions.append(xyz)
                trajectory.append(seed)
    write_npz(
        out / "ethanol_pbe.npz",
        n_atoms=np.array([len(z) for z in numbers], dtype=np.int32),
        numbers=np.concatenate(numbers).astype(np.uint8),
        positions=np.concatenate(positions),
        energy=np.array(energy),
        forces=np.concatenate(forces),
        trajectory=np.array(trajectory, dtype=np.int32),
    )
    (out / "ethanol_pbe.splits.json").write_text(json.dumps({"split1": splits}) + "\n")
    print(f"{len(positions)} frames -> {out / 'ethanol_pbe.npz'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder for intermediate files; reused on resume")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="where the data set is written")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes, one thread each")
    arguments = parser.parse_args()
    work: Path = arguments.work
    work.mkdir(parents=True, exist_ok=True)
    runs = {seed: frames for seeds in TRAJECTORIES.values() for seed, frames in seeds.items()}
    with ProcessPoolExecutor(arguments.workers) as pool:
        jobs = {pool.submit(sample, s, n, work / f"trajectory_{s}.npz"): s for s, n in runs.items()}
        for job in as_completed(jobs):
            job.result()
            print(f"trajectory {jobs[job]} sampled", flush=True)
        labels = []
        for seed in runs:
            with np.load(work / f"trajectory_{seed}.npz") as run:
                z, frames = run["numbers"], run["positions"]
            labels += [
                pool.submit(label, z, xyz, work / f"label_{seed}_{index}.npz") for index, xyz in enumerate(frames)
            ]
        for done, job in enumerate(as_completed(labels), 1):
            job.result()
            if done % 20 == 0:
                print(f"{done}/{len(labels)} labels", flush=True)
    assemble(work, arguments.out)


if __name__ == "__main__":
    main()
