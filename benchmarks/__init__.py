"""Benchmarks: `python -m benchmarks NAME` answers the question in its docstring."""
