"""What `enable_x64` asks of JAX, in processes of their own."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import os, jax, naion as na
na.enable_x64()
print(jax.numpy.ones(2).dtype, os.environ["XLA_FLAGS"])
"""


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("", "--xla_cpu_use_fusion_emitters=false"),
        ("--xla_cpu_use_fusion_emitters=true", "--xla_cpu_use_fusion_emitters=true"),
        (
            "--xla_cpu_enable_fast_math=false",
            "--xla_cpu_enable_fast_math=false --xla_cpu_use_fusion_emitters=false",
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
    assert done.stdout.strip() == f"float64 {kept}"
