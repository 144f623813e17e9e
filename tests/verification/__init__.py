"""The right equations, solved at the right order."""
