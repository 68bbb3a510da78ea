"""Functions: `minimize` and `solve`, gradient descent on what the user wrote in torch.

`UserFunction` calls the user's function at a flat vector. `FunctionObjective` makes an
objective of the function, `descend_function` gives the objective to the loop of the solver,
and `make_result` turns the trace of the loop into the result object of SciPy.
"""
