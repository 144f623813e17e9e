"""What `enable_x64` changes in JAX; each test runs in a process of its own."""

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


FORK = """
import os, jax, naion as na
na.enable_x64()

def in_child(what):
    child = os.fork()
    if not child:
        try:
            na.parameters.load("nfm_hc_18650")
            print(what, "loads", flush=True)
        except RuntimeError as error:
            print(what, error, flush=True)
        os._exit(0)
    os.waitpid(child, 0)

in_child("before")
jax.numpy.zeros(3) + 1.0
in_child("after")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_after_use_is_an_error_and_not_a_wait_for_ever():
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORK],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    before, after = done.stdout.splitlines()
    assert before == "before loads"
    assert "forked from one that had used JAX" in after and '"spawn"' in after
