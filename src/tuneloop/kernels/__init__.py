"""The few kernels that training and engine share, each in plain torch, exact, with its backward in closed form.

They exist because a CPU spends more time around the matrix products than in them when autograd records every
elementwise step. Each has a test against the textbook formula and against autograd's own gradient.
"""
