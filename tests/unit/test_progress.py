"""Progress: counted lines, bars, and how much a command says."""

import logging

from naion import ProgressBar
from naion._progress import Counted
from naion.cli import main


def test_counted_lines_keep_their_count_behind_others():
    line = "  " + Counted("chunk 2 of 5", 2, 5)
    assert (line, line.done, line.total) == ("  chunk 2 of 5", 2.0, 5.0)


def test_a_bar_is_silent_in_a_pipe_and_logs(capsys, caplog):
    with caplog.at_level(logging.INFO, "naion"), ProgressBar("fit") as bar:
        bar(Counted("3 of 4", 3, 4))
        bar("a line")
    assert capsys.readouterr() == ("", "")
    assert [r.message for r in caplog.records] == ["3 of 4", "a line"]


def test_completion_of_shells(capsys):
    for shell in ("bash", "zsh", "fish"):
        assert main(["--print-completion", shell]) == 0
        text = capsys.readouterr().out
        assert "naion" in text and "protocol" in text
    assert main(["--print-completion", "csh"]) == 2
    assert "bash, zsh, fish" in capsys.readouterr().err
