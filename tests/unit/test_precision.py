"""What `enable_x64` asks of JAX, in processes of their own."""

import os
import subprocess
import sys

import jaxlib.version
import pytest

from naion._precision import KNOWN_TO

KNOWN = jaxlib.version.__version__.startswith(KNOWN_TO)
OFF = "--xla_cpu_use_fusion_emitters=false" if KNOWN else ""

PROGRAM = """
import os, jax, naion as na
na.enable_x64()
print(jax.config.values["jax_enable_x64"], os.environ["XLA_FLAGS"])
"""


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("", OFF),
        ("flags.txt", "flags.txt"),
        ("--xla_cpu_use_fusion_emitters=true", "--xla_cpu_use_fusion_emitters=true"),
        (
            "--xla_cpu_enable_fast_math=false",
            f"--xla_cpu_enable_fast_math=false {OFF}".strip(),
        ),
    ],
)
def test_what_the_user_asked_of_xla_is_kept(given, kept):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "XLA_FLAGS": given},
    )
    assert done.stdout.strip() == f"True {kept}".strip()
