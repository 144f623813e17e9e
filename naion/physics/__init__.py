"""The equations: pure functions of arrays, written as in the textbook."""
