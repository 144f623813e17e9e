"""Tasks that take their own way and are answered in common batches."""

import numpy as np
import pytest

from naion.claims._lockstep import lockstep


def halve(times):
    def task(ask):
        x = 1.0
        for _ in range(times):
            x = ask("half", x)
        if times == 3:
            raise ValueError("three")
        return x

    return task


def test_everyone_gets_its_own_answer_in_few_batches():
    sizes = []

    def answer(kind, questions):
        sizes.append(len(questions))
        return [0.5 * q for q in questions]

    tasks = {str(n): halve(n) for n in (1, 2, 3, 5)}
    ended = []
    found = lockstep(tasks, answer, at_once=4, done=lambda name, _: ended.append(name))
    assert [found[str(n)] for n in (1, 2, 5)] == [0.5, 0.25, 1.0 / 32.0]
    # Whoever fails does not stop the others, and its error is the result.
    assert isinstance(found["3"], ValueError)
    assert sizes == [4, 3, 2, 1, 1]
    assert sorted(ended) == ["1", "2", "3", "5"]


def test_kinds_are_answered_apart_and_errors_reach_who_asked():
    def answer(kind, questions):
        if kind == "bad":
            raise FloatingPointError("bad")
        return np.square(questions)

    tasks = {k: lambda ask, k=k: ask(k, 3.0) for k in ("good", "bad")}
    found = lockstep(tasks, answer, at_once=8)
    assert found["good"] == 9.0
    assert isinstance(found["bad"], FloatingPointError)


def test_an_interruption_stops_everyone():
    def answer(kind, questions):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lockstep({"a": halve(2), "b": halve(2)}, answer, at_once=2)
