"""The problem: what is minimized, and in which coordinates.

Every tensor of this room begins with an axis of problems. A plain fit has one problem. In a
search every fold with its penalty and degree is one. `stack` joins problems along this axis,
`select` takes one out. Runs are an axis of the parameters only: the runs of a problem differ
in their learning rate, and see the same data.
"""
