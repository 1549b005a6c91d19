"""What ``leadml --help`` costs: processor seconds, the median of nine runs.

Run with: python benchmarks/door.py [--json] [--keep] [--recorded]
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys

from measure import finish, options

RUNS = 9


def cpu_seconds() -> float:
    """Return the processor seconds of one run, user and system."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "leadml", "--help"], capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure and print."""
    arguments = options(__doc__ or "", "door")
    cpu_seconds()  # a first run fills the caches
    seconds = statistics.median(cpu_seconds() for _ in range(RUNS))
    print(f"leadml --help: {seconds:.2f} processor seconds")
    finish("door", {"help_cpu_seconds": round(seconds, 3)}, arguments)


if __name__ == "__main__":
    main()
