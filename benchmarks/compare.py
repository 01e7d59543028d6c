"""How fast is runlake beside PostgreSQL, ClickHouse and plain DuckDB? The same rows, the same questions over HTTP.

    .venv/bin/python benchmarks/compare.py --sizes 1000000,10000000 [--peers postgres,clickhouse,plain] [--help]

Questions are gate, the rest is informational. Answers are compared before anything is timed. The work is done by the
package `comparison`.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

if __name__ == "__main__":
    # `benchmarks` is a package of the repository's root, which is not where Python looks for a script's imports.
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    importlib.import_module("benchmarks.comparison.main").main()
