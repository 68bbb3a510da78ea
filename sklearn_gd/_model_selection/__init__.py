"""Model selection: estimators that search by cross-validation, as one batched descent.

A fold with a penalty and a degree is a problem of the solver, and the learning rates are its
runs. So a search is the plain fit on longer axes.
"""
