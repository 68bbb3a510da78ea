"""Inspection: displays of descents and of searches, and the report of learning rates.

`fit_trace` descends as `fit` does and keeps every point. Each display computes in its class
methods, stores in its constructor, and draws in `plot`. matplotlib is imported only when
something is drawn.
"""
