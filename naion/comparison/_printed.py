"""A table that prints with its cells as columns."""

import pandas as pd


class SideBySide(pd.DataFrame):
    """A table with one row a cell; as text, one column a cell.

    Terminals are narrower than fourteen titles, of which pandas would leave out most.
    What is made from it, such as `.T` or a part of it, is a plain table.
    """

    def __str__(self) -> str:
        return self.T.to_string(float_format="{:.4g}".format)

    def __repr__(self) -> str:
        return str(self)
