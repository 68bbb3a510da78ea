"""Files that are no tests, wherever pytest is started."""

collect_ignore = ["docs/conf.py", "sklearn_gd/__main__.py"]
