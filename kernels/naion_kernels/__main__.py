"""`python -m naion_kernels README.md` writes the table of primitives into a README."""

import sys
from pathlib import Path

from .lanes._primitives import with_table

if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(with_table(path.read_text()))
