"""The film: a page of HTML that runs a descent on a quadratic again in the browser."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from importlib.resources import files

import numpy as np

from sklearn_gd._inspection.quadratic_descent import Quadratic, QuadraticDescent

_MAX_STEPS = 10_000  # that a browser can run again while a slider moves
_DIVERGED_STEPS = 100  # at least, because with another lr the run goes on
_OTHERS = "The contours are those where all other coefficients are at their optimum."


def render_film(
    descent: QuadraticDescent,
    quadratic: Quadratic,
    n_steps: int,
    labels: Sequence[str],
    value_label: str,
    *,
    diverged: bool,
) -> str:
    """The page, for a descent of so many steps on the surface of a quadratic."""
    optimum = descent.start + descent.moves.sum(axis=0)
    difference = descent.start - optimum
    n_steps = min(max(n_steps, _DIVERGED_STEPS if diverged else 1), _MAX_STEPS)
    # where the surface is that of the drawn parameters alone, it has the loss of the start
    total = descent.excess.sum()
    has_others = abs(difference @ quadratic.hessian @ difference / 2 - total) > 1e-6 * total
    options = descent.options
    film = {
        "labels": list(labels),
        "valueLabel": value_label[:1].lower() + value_label[1:],
        "note": _OTHERS if has_others and len(labels) > 1 else "",
        "curvatures": descent.curvatures.tolist(),
        "moves": descent.moves.tolist(),
        "excess": descent.excess.tolist(),
        "start": descent.start.tolist(),
        "optimum": optimum.tolist(),
        "minimum": descent.minimum,
        "hessian": quadratic.hessian.tolist(),
        "view": _view(descent, n_steps),
        "lr": descent.lr,
        "lrLimits": _lr_limits(descent),
        "momentum": options["momentum"],
        "dampening": options["dampening"],
        "nesterov": options["nesterov"],
        "weightDecay": options["weight_decay"],
        "steps": n_steps,
        "ceiling": descent.ceiling,
    }
    # "<" would end the element that holds the data
    data = json.dumps(film, allow_nan=False).replace("<", "\\u003c")
    template = files("sklearn_gd._inspection").joinpath("film.html").read_text(encoding="utf-8")
    return template.replace("FILM_DATA", data)


def in_frame(page: str) -> str:
    """A page as a part of a notebook.

    The names and styles of a page in an iframe meet neither the notebook's nor another film's.
    """
    return (
        f'<iframe srcdoc="{escape(page)}" title="Gradient descent" '
        'style="width:100%;height:760px;border:0" '
        "onload=\"this.style.height=this.contentDocument.body.offsetHeight+10+'px'\"></iframe>"
    )


def _view(descent: QuadraticDescent, n_steps: int) -> list[list[float]]:
    """The limits of the parameters: room for the steps of every stable learning rate.

    With a very small lr the descent passes from the start to the end. The other way from the
    end is the room for overshooting.
    """
    longest = 2.0 * n_steps / descent.curvatures.max()
    times = np.append(0.0, np.geomspace(1e-3 / descent.curvatures.max(), longest, 100))
    progress = -np.expm1(-np.outer(times, descent.curvatures))
    points = descent.start + progress @ descent.moves
    half = 1.25 * np.abs(points - points[-1]).max(axis=0)
    half = np.where(half > 0, half, np.maximum(np.abs(points[-1]), 1.0))
    return np.column_stack([points[-1] - half, points[-1] + half]).tolist()


def _lr_limits(descent: QuadraticDescent) -> list[float]:
    """The ends of the slider: around the lr, and around the largest stable lr."""
    stable = 2.0 / float(descent.curvatures.max() + descent.options["weight_decay"])
    undamped = max(1.0 - descent.options["dampening"], 0.1)
    return [min(1e-3 * stable, 0.5 * descent.lr), max(2.5 * stable / undamped, 1.25 * descent.lr)]
