"""Training: the only room where data, preconditioner, objective and loop meet.

`prepare` goes from checked data and options to a problem, and is used by every fit, search
and display. What comes out of this room is NumPy.
"""
