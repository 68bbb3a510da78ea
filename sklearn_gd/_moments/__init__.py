"""Moments: what squared error needs to know of the data, from one pass over the rows."""
