"""Benchmarks: each script answers the question in its docstring."""
