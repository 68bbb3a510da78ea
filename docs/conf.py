"""The configuration of Sphinx: ``make docs`` builds the site without a network."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from sphinx_gallery.sorting import ExplicitOrder

import sklearn_gd

sys.path.insert(0, str(Path(__file__).parents[1]))  # for `benchmarks`

os.environ.setdefault("OMP_NUM_THREADS", "1")

project = "sklearn_gd"
copyright = "the developers of sklearn_gd"
version = release = sklearn_gd.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_parser",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "gallery/**/*.ipynb", "**/sg_execution_times.rst"]
templates_path = ["_templates"]
default_role = "py:obj"  # as in numpydoc: single backticks name an object
suppress_warnings = ["config.cache"]  # a function in the configuration of the gallery

autosummary_generate = True
autodoc_typehints = "none"  # the docstrings have the types
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

html_theme = "pydata_sphinx_theme"
html_title = "sklearn_gd"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_show_sourcelink = False
# pages without subpages have nothing to list on the left
html_sidebars = {page: [] for page in ("getting_started", "coming_from", "works_with", "faq")}
toc_object_entries_show_parents = "hide"  # the full names of methods are too long
html_theme_options = {
    "navigation_with_keys": True,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "navbar_persistent": ["search-button"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "logo": {"text": "sklearn_gd"},
}

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"plot_",
    "subsection_order": ExplicitOrder(
        [
            f"../examples/{section}"
            for section in ("tutorials", "descent", "losses", "search", "data", "use")
        ]
    ),
    "within_subsection_order": "FileNameSortKey",
    "nested_sections": False,
    "copyfile_regex": r".*\.csv",
    "download_all_examples": False,
    "write_computation_times": False,
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 1e9,
    "abort_on_example_error": True,
    "remove_config_comments": True,
    "image_scrapers": ("matplotlib",),
    "matplotlib_animations": True,
}


def draw_benchmarks(app) -> None:
    """Draw the stored results of the benchmarks."""
    from benchmarks.plots import draw

    draw(Path(app.srcdir, "generated", "benchmarks"))


def write_llms_txt(app, exception) -> None:
    """Write llms.txt, a list of all pages with their titles, for programs that read the site."""
    if exception or app.builder.name != "html":
        return
    titles = app.env.titles
    lines = [f"# {project}", "", "> Linear and polynomial regression by gradient descent.", ""]
    lines += [f"- [{titles[name].astext()}]({name}.html)" for name in sorted(titles)]
    Path(app.outdir, "llms.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def end_blocks_without_blank_line(app, name, source) -> None:
    """Doctest needs a blank line at the end of a code block. The reader does not."""
    source[0] = source[0].replace("\n\n```\n", "\n```\n")


def escape_shapes(app, what, name, obj, options, lines) -> None:
    """In a shape such as (n_iter_,) the last underscore is no link."""
    lines[:] = [re.sub(r"(?<=[( ])(n_\w+)_(?=[,)])", r"\1\_", line) for line in lines]


def setup(app) -> None:
    """Connect the hooks."""
    app.connect("builder-inited", draw_benchmarks)
    app.connect("build-finished", write_llms_txt)
    app.connect("source-read", end_blocks_without_blank_line)
    app.connect("autodoc-process-docstring", escape_shapes, priority=900)  # after numpydoc
