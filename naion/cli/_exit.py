"""Exit statuses."""

EXIT = {
    "completed": 0,
    "cut_off": 1,
    "bad_input": 2,
    "physical": 3,
    "numerical": 4,
    "internal": 5,
    "stopped": 130,
    "pipe_closed": 141,
}
"""How a simulation ended, that the input was wrong, or that naion was."""
