"""``fusion check`` on malformed files: an exit code and a message, never a defect or a traceback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from malformed import malformed


def test_malformed_files_are_refused_with_a_message(run: Callable[..., Any], tmp_path: Path) -> None:
    files: list[Path] = []
    for number, (suffix, content) in enumerate(malformed(420, 3)):
        if suffix and len(content) < 100_000:
            path = tmp_path / f"{number}.{suffix}"
            path.write_bytes(content)
            files.append(path)
    assert len(files) > 120
    assert {run("check", path).exit_code for path in files} <= {0, 1, 3}
    result = run("check", *files)
    assert result.exit_code == 3
    assert "defect" not in result.stderr
