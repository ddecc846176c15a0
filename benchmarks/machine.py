"""What the figures were taken on."""

import os
import platform
from typing import Any


def describe_machine() -> dict[str, Any]:
    """Cores, Python, and how busy the machine was with other work (load average, one minute)."""
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "load_before": round(os.getloadavg()[0], 2),
    }
