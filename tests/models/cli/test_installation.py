"""Finding out whether another distribution wrote over our packages."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from fusion_models.cli import installation as module
from fusion_models.cli.health import State, modules, run_section
from fusion_models.cli.installation import PACKAGES, installation

ROOT = Path(__file__).parents[3]


def digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def distribution(site: Path, name: str, files: Mapping[str, str], **texts: str) -> None:
    """Install a distribution the way pip does: files, metadata, and a record with digests."""
    info = site / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    lines: list[str] = []
    for path, text in files.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(text)
        lines.append(f"{path},sha256={digest(text.encode())},{len(text)}")
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    for file, text in texts.items():
        (info / file.replace("__", ".")).write_text(text)
    (info / "RECORD").write_text("\n".join([*lines, f"{info.name}/RECORD,,"]) + "\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed packages that imports are answered from."""
    found = tmp_path / "site-packages"

    def find_spec(name: str) -> object:
        origin = found / name / "__init__.py"
        return type("Spec", (), {"origin": str(origin)})() if origin.is_file() else None

    monkeypatch.setattr(module.importlib.util, "find_spec", find_spec)
    return found


OURS = {f"{name}/{file}": f"# {name}\n" for name in PACKAGES for file in ("__init__.py", "py.typed", "core.py")}


def test_an_untouched_installation_is_fine(site: Path) -> None:
    distribution(site, "fusion-networks", OURS)
    found = installation([str(site)])
    assert [item.name for item in found] == list(PACKAGES)
    assert all(not item.faults and not item.rivals for item in found)
    assert found[0].location == str(site / "fusion")


def test_a_distribution_that_wrote_over_ours_is_found(site: Path) -> None:
    distribution(site, "fusion-networks", OURS)
    distribution(site, "pyfusion", {"fusion/__init__.py": "# a bank's\n", "fusion/api.py": ""})
    ours, compiler, models = installation([str(site)])
    assert ours.rivals == ("pyfusion",)
    (fault,) = ours.faults
    assert "1 of 3 files are not those that fusion-networks 1.0 installed (fusion/__init__.py)" in fault
    assert not compiler.faults
    assert not models.faults


def test_removed_files_are_found(site: Path) -> None:
    distribution(site, "fusion-networks", OURS)
    shutil.rmtree(site / "fusion_compiler")
    (site / "fusion" / "py.typed").unlink()
    ours, compiler, _ = installation([str(site)])
    assert any("py.typed" in fault for fault in ours.faults)
    assert compiler.faults == ("cannot be imported as a package",)


def test_an_editable_installation_that_something_hides_is_found(site: Path) -> None:
    direct = json.dumps({"url": ROOT.as_uri(), "dir_info": {"editable": True}})
    distribution(site, "fusion-networks", {"_fusion_networks.pth": ""}, direct_url__json=direct)
    distribution(site, "pyfusion", {"fusion/__init__.py": "", "fusion/py.typed": ""}, top_level__txt="fusion\n")
    ours = installation([str(site)])[0]
    assert ours.rivals == ("pyfusion",)
    assert f"fusion-networks 1.0 has it in {ROOT / 'fusion' / 'fusion'}" in ours.faults[0]


def test_a_source_tree_without_installation_is_fine(tmp_path: Path) -> None:
    found = installation([str(tmp_path)])
    assert [item.faults for item in found] == [(), (), ()]
    for item in found:
        assert item.location == str(Path(str(sys.modules[item.name].__file__)).resolve().parent)


def test_the_doctor_calls_it_broken(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    distribution(site, "fusion-networks", OURS)
    distribution(site, "pyfusion", {"fusion/__init__.py": "# a bank's\n"})
    monkeypatch.setattr("fusion_models.cli.health.installation", lambda: installation([str(site)]))
    found = run_section("Modules", modules)
    assert [item.state for item in found] == [State.BROKEN, State.FINE, State.FINE]
    assert "also installed by pyfusion; uninstall it" in found[0].value
