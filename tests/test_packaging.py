"""What an installation promises: one version, typed packages, and a command."""

from __future__ import annotations

import importlib
import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE_ROOTS = {"fusion": "fusion", "fusion_compiler": "compiler", "fusion_models": "models"}
DISTRIBUTION = "fusion-networks"
VERSION_FILE = "fusion/fusion/_version.py"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def folder(package: str) -> Path:
    return ROOT / SOURCE_ROOTS[package] / package


def modules() -> list[Path]:
    return [path for package in SOURCE_ROOTS for path in sorted(folder(package).rglob("*.py"))]


def test_version_stands_in_one_place() -> None:
    import fusion

    version = fusion.__version__
    assert re.fullmatch(r"\d+\.\d+\.\d+([ab]|rc)?\d*", version)
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert PROJECT["tool"]["hatch"]["version"]["path"] == VERSION_FILE
    assert importlib.metadata.version(DISTRIBUTION) == version, "installed metadata is stale: run make setup"
    pattern = re.compile(rf"__version__\s*(:\s*\w+\s*)?=|[\"']{re.escape(version)}[\"']")
    stated = [path for path in modules() if pattern.search(path.read_text(encoding="utf-8"))]
    assert stated == [ROOT / VERSION_FILE]


@pytest.mark.parametrize("package", SOURCE_ROOTS)
def test_package_is_regular_typed_and_imported_from_here(package: str) -> None:
    assert (folder(package) / "__init__.py").is_file()
    assert (folder(package) / "py.typed").is_file()
    found = importlib.import_module(package).__file__
    assert found is not None
    assert Path(found).resolve() == (folder(package) / "__init__.py").resolve()


def test_wheel_holds_exactly_the_three_packages() -> None:
    build = PROJECT["tool"]["hatch"]["build"]
    assert build["targets"]["wheel"]["packages"] == [f"{SOURCE_ROOTS[package]}/{package}" for package in SOURCE_ROOTS]
    assert build["dev-mode-dirs"] == list(SOURCE_ROOTS.values())


def test_subfolders_with_modules_are_packages() -> None:
    lacking = {str(path.parent) for path in modules() if not (path.parent / "__init__.py").is_file()}
    assert not lacking, f"without __init__.py: {sorted(lacking)}"


def test_command_is_installed_and_importable() -> None:
    (command,) = importlib.metadata.entry_points(group="console_scripts", name="fusion")
    assert command.value == PROJECT["project"]["scripts"]["fusion"] == "fusion_models.cli:main"
    assert callable(command.load())


def test_licence_and_changelog_are_there() -> None:
    assert PROJECT["project"]["license"] == "Apache-2.0"
    assert "Version 2.0, January 2004" in (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert re.search(r"^## \[Unreleased\]$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
