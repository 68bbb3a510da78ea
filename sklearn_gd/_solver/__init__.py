"""The solver: the loop of gradient descent, and what it needs of an objective.

This room is the only one that differentiates and steps. Start reading at `loop`.
"""
