"""Run a job in a process of its own that is killed, and hear from it through files."""

from __future__ import annotations

import json
import os
import signal
import time
import traceback
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def in_child(action: Callable[[], object], *, seconds: float | None = None) -> bool:
    """Run an action in a process of its own, killed after some seconds; return whether it came to its end."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            action()
            code = 0
        except BaseException:  # noqa: BLE001 - the process ends here
            traceback.print_exc()
        os._exit(code)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return False
    if os.WEXITSTATUS(status):
        msg = "a job failed; its traceback is above"
        raise RuntimeError(msg)
    return True


def write_to(folder: Path, name: str, value: object) -> None:
    """Write a value for the process that waits."""
    (folder / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")


def read_from(folder: Path, name: str) -> Any:
    """Return the value that a child wrote."""
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
