"""ConvScope measured next to others, all of it, and the README's table of it.

    python -m benchmarks.peers

Each comparison runs in a process of its own. The figures go to `benchmarks/results`, in a file
`peers-DATE.json`, their table between the README's markers. The machine should be quiet.
"""

import os
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

from benchmarks.peers import table
from benchmarks.peers.figures import RESULTS, Figures, read_findings, write_json

ROOT = Path(__file__).parents[2]
COMMANDS = ("activations", "attributions", "pictures", "training", "start_up")


def main() -> None:
    load = round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None
    findings = []
    with tempfile.TemporaryDirectory() as folder:
        for name in COMMANDS:
            path = Path(folder) / f"{name}.json"
            subprocess.run(
                [sys.executable, "-m", f"benchmarks.peers.{name}", "--json", str(path)],
                check=True,
                cwd=ROOT,
            )
            findings.append(read_findings(path))
    day = date.today().isoformat()
    figures = Figures(day, os.cpu_count() or 1, load, tuple(findings))
    write_json(figures, RESULTS / f"peers-{day}.json")
    table.main()


if __name__ == "__main__":
    main()
