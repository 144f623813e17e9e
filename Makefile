# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo docs site docs-check notebooks test test-slow shapes lint types sanitise study bench bench-gpu bench-gpu-bare clean

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	touch $(STAMP)

demo: $(STAMP)
	$(BIN)/naion demo --out out

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile

# The comparison with PyBaMM on converged meshes and other long tests.
test-slow: $(STAMP)
	$(BIN)/python -m pytest -m slow

# Equations are traced while beartype holds arrays to the shapes of their annotations.
CHECKED := naion.linalg,naion.mesh,naion.models,naion.physics,naion.properties,naion.systems
shapes: $(STAMP)
	$(BIN)/python -m pytest --jaxtyping-packages=$(CHECKED),beartype.beartype tests/unit/test_shapes.py

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

# Pages that are written from the code, and the site in out/site.
docs: $(STAMP)
	$(BIN)/python docs/variables.py
	$(BIN)/python docs/pages.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# The site alone, as it is written.
site: $(STAMP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# Every page in headless Chromium (Debian's `chromium`), wide and narrow.
docs-check: $(STAMP) docs
	$(BIN)/python -m pip install --quiet --editable '.[docs-check]'
	$(BIN)/python docs/check.py

# Execute the notebooks and store them with small outputs.
notebooks: $(STAMP)
	$(BIN)/python docs/notebooks.py

types: $(STAMP)
	$(BIN)/pyright

# Native kernels under the sanitisers of addresses and of undefined behaviour; they are
# compiled anew for it: five minutes of a processor. What Python leaks is not looked for.
sanitise: $(STAMP)
	LD_PRELOAD="$$(g++ -print-file-name=libasan.so) $$(g++ -print-file-name=libubsan.so)" \
	ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 \
	NAION_KERNELS_SANITISE=1 $(BIN)/python -m pytest -x tests/kernels --ignore=tests/kernels/test_cuda.py

study: $(STAMP)
	$(BIN)/python -m benchmarks mesh
	$(BIN)/python -m benchmarks integrators
	$(BIN)/python -m benchmarks alike
	$(BIN)/python -m benchmarks leave_one_out
	$(BIN)/python -m benchmarks selection
	$(BIN)/python -m benchmarks lfp_cold
	$(BIN)/python -m benchmarks posterior
	$(BIN)/python -m benchmarks chemistries
	$(BIN)/python -m benchmarks cold_grid
	$(BIN)/python -m benchmarks defaults_grid
	$(BIN)/python -m benchmarks robustness
	$(BIN)/python -m benchmarks mixed_packs
	$(BIN)/python -m benchmarks claims

# Side by side with PyBaMM, on one core where not said otherwise.
bench: $(STAMP)
	$(BIN)/python -m pip install --quiet --editable '.[test,opponents]'
	$(BIN)/python -m benchmarks discharge
	$(BIN)/python -m benchmarks cycles
	$(BIN)/python -m benchmarks packs
	$(BIN)/python -m benchmarks batch
	$(BIN)/python -m benchmarks derivatives
	$(BIN)/python -m benchmarks --cores 2 batch
	$(BIN)/python -m benchmarks draws
	$(BIN)/python -m benchmarks scaling
	$(BIN)/python -m benchmarks long_runs
	$(BIN)/python -m benchmarks fits
	$(BIN)/python -m benchmarks fleet
	$(BIN)/python -m benchmarks first_call
	$(BIN)/python -m benchmarks newcomer
	$(BIN)/python -m benchmarks cold_grid_pybamm
	$(BIN)/python -m benchmarks native

# On a machine with an NVIDIA GPU and nvcc.
bench-gpu: $(STAMP)
	$(BIN)/python -m pip install --quiet --editable '.[test,cuda12]'
	$(BIN)/python -m benchmarks gpu

# The same where nothing can be installed: with the JAX, equinox, optax, NumPy and SciPy that
# PYTHON has, and what it lacks (pydantic) unpacked in the folder WHEELS.
bench-gpu-bare:
	PYTHONPATH=.:kernels:$(WHEELS) $(PYTHON) -m benchmarks gpu $(OPTIONS)

clean:
	rm -rf $(VENV) out
