"""Write a file so that it appears whole or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write_atomic(path: str | Path, text: str) -> None:
    """Write ``text`` as UTF-8 to ``path``; an existing file is replaced only once the new one is complete.

    Raises:
        OSError: the folder does not exist or cannot be written, or ``path`` is a folder.
    """
    target = Path(path)
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with open(partial, "x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(partial, target)
    except OSError as error:  # name the file that was asked for, not the partial one
        raise OSError(error.errno, error.strerror or "cannot be written", str(target)) from error
    finally:
        partial.unlink(missing_ok=True)
