"""What a user can do about a descent that went wrong: only what is not done yet."""

from __future__ import annotations

from sklearn_gd._training.options import FitOptions


def advise_on_divergence(options: FitOptions, lr: float, *, has_auto_lr: bool) -> str:
    """What to do about a descent that diverged. ``has_auto_lr``: whether "auto" is a rule here."""
    first = f"Set lr below {lr:.3g}" if options.lr == "auto" else "Lower lr"
    return _sentence(first, options, has_auto_lr=has_auto_lr)


def advise_on_distance(
    options: FitOptions, lr: float, max_stable_lr: float | None, *, has_auto_lr: bool
) -> str:
    """What to do about a descent that ended far from the optimum."""
    # beyond half of the largest stable lr the descent overshoots, and a larger lr is slower
    may_be_faster = max_stable_lr is None or lr < 0.5 * max_stable_lr
    first = "Raise epochs or lr" if options.lr != "auto" and may_be_faster else "Raise epochs"
    return _sentence(first, options, has_auto_lr=has_auto_lr)


def _sentence(first: str, options: FitOptions, *, has_auto_lr: bool) -> str:
    """The first remedy, and the parameters that are not "auto" although that would help."""
    others = []
    if has_auto_lr and options.lr != "auto":
        others.append("lr='auto'")
    is_plain = options.precondition is None
    could_whiten = options.precondition == "standardize" and not options.penalty.is_proximal
    if is_plain or could_whiten:
        others.append("precondition='auto'")
    return f"{first}, or set {' or '.join(others)}." if others else f"{first}."
