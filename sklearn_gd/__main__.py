"""Fit a linear or polynomial model to a table: ``python -m sklearn_gd --help``."""

from __future__ import annotations

import sys

from sklearn_gd._command.main import main

if __name__ == "__main__":
    sys.exit(main())
