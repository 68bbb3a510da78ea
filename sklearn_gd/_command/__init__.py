"""The command ``python -m sklearn_gd``: it reads a table, calls estimators and prints results."""
