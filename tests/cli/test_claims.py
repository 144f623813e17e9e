"""Claims: files, answers with a known solution, and one audit from end to end."""

import dataclasses
import json
import math
import re
from html.parser import HTMLParser

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion import claims
from naion.claims import _audit
from naion.claims._audit import Asked
from naion.claims._report import in_words
from naion.claims._runs import FINE, USUAL
from naion.cli import main
from naion.fit import UNSEEN_ENERGY, ocp_slopes
from naion.report import Link, Report

FADE = """
[claim.life]
maker = "Nobody"
product = "a cell"
said = "{said:g} cycles"
date = "2026"
source = "a test"
leaves_out = "everything"
[[claim.life.reading]]
text = "full cycles"
question = "fade"
measured_cycles = 1000
loss_percent = {{ value = 10.0, range = [8.0, 12.5], quality = "M", source = "test" }}
exponent = {{ value = 0.5, range = [0.4, 0.625], quality = "A", source = "test" }}
require = [{{ of = "cycles", at_least = {said} }}]
"""


def _audited(tmp_path, said, draws=2000):
    file = tmp_path / "mine.toml"
    file.write_text(FADE.format(said=said))
    (found,) = claims.audit(claims.load(file), {}, draws=draws)
    return found.answers[0]


def test_shares_and_least_change_of_a_question_with_a_known_answer(tmp_path):
    """ln n = ln 1000 + (ln 20 - ln loss) / exponent; both inputs are log-normal."""
    answer = _audited(tmp_path, 8000.0)
    sd = math.log(12.5 / 8.0) / (2 * 1.645)
    assert answer.median[0] == pytest.approx(1000 * 2**2, rel=1e-9)
    # At the median d ln n / du is -sd/e by the loss and -sd ln(2)/e by the exponent.
    slopes = np.array([1.0, math.log(2.0)]) * sd / 0.5
    shares = {name: share for name, _, _, share in answer.shares}
    expected = slopes**2 / np.sum(slopes**2)
    assert shares["loss_percent"] == pytest.approx(expected[0], rel=1e-6)
    assert shares["exponent"] == pytest.approx(expected[1], rel=1e-6)
    assert {kind for _, kind, _, _ in answer.shares} == {"measured", "assumed"}
    # The least change, by brute force over the circle of directions.
    angles = np.linspace(np.pi, 1.5 * np.pi, 20001)
    distance = np.linspace(0.0, 8.0, 4001)
    best = np.inf
    for a in angles[::200]:
        u, w = distance * np.cos(a), distance * np.sin(a)
        n = 1000 * (2.0 * np.exp(-sd * u)) ** (np.exp(-sd * w) / 0.5)
        reached = distance[n >= 8000.0]
        best = min(best, reached[0] if len(reached) else np.inf)
    assert answer.change is not None and answer.change.reaches
    assert answer.change.distance == pytest.approx(best, abs=0.01)
    # Two ways to the same probability: draws, and the distance (first order).
    by_distance = 0.5 * math.erfc(best / math.sqrt(2.0))
    assert answer.probability == pytest.approx(by_distance, abs=0.03)


def test_verdicts(tmp_path):
    assert _audited(tmp_path, 1500.0).verdict == "holds"
    assert _audited(tmp_path, 4000.0).verdict == "open"
    impossible = _audited(tmp_path, 1e9)
    assert impossible.verdict == "fails"
    assert impossible.change is not None and not impossible.change.reaches


def test_what_ships_can_be_read():
    found = claims.load()
    names = {c.name for c in found}
    assert {"naxtra-energy", "gen1-energy", "hina-cold", "lg-sample", "byd"} <= names
    made = claims.products(None)
    for claim in found:
        for reading in claim.readings:
            assert not reading.product or reading.product in made
    assert "FICTITIOUS" in next(c.product for c in found if c.name == "lg-sample")
    assert claims.chosen(found, ["naxtra"])[0].maker == "CATL"
    with pytest.raises(KeyError, match="No claim 'tesla'"):
        claims.chosen(found, ["tesla"])


def test_product_stays_within_bounds():
    """However far a draw is from the median, its numbers stay within their bounds."""
    product = claims.products(None)["oxide_lean"]
    vector = product.known.vector
    low, high = vector.bounds
    made = product.made(jnp.asarray(product.median + 1e6))
    law = made.cell.negative.particle.rate_constant.temperature
    E = float(law.base.energy)
    name = "negative.particle.rate_constant.temperature.energy"
    # The claims' own spread of such energies ends at 1.3 of what was fitted.
    assert pytest.approx(1.3 * high[vector.names.index(name)], rel=1e-6) == E
    # What is added beyond the tests ends eight standard deviations from nothing.
    assert float(law.energy) == pytest.approx(8.0 * UNSEEN_ENERGY)
    assert made.design is not None
    assert float(made.design.allowance) <= 1.0
    drawn = product.drawn(5, 0)
    np.testing.assert_array_equal(drawn[0], product.median)
    n = len(low)
    assert np.all((drawn[:, :n] >= low) & (drawn[:, :n] <= high))


def test_potentials_of_draws_fall_as_the_best_one_does():
    """Drawn together, in a second where one by one took 30; the same from more draws."""
    product = claims.products(None)["oxide_lean"]
    drawn = product.drawn(40, 3)
    np.testing.assert_array_equal(product.drawn(8, 3)[:, :5], drawn[:8, :5])
    best, *others = (
        float(jnp.max(ocp_slopes(product.made(jnp.asarray(x)).cell))) for x in drawn[:8]
    )
    assert max(others) <= max(0.0, best) + 1e-9


def test_levers_leave_fitted_curves_as_they_are():
    """And their distance in standard deviations is that of the covariance."""
    product = claims.products(None)["oxide_large"]
    n = len(product.known.z)
    fixed = [
        k for k, number in enumerate(product.numbers[:n]) if ".ocp." in number.name
    ]
    v = np.random.default_rng(1).standard_normal(len(product.median))
    change = product.levers @ v
    assert len(fixed) > 20
    np.testing.assert_array_equal(change[fixed], 0.0)
    np.testing.assert_array_equal(change[n:], v[n:])
    C = product.known.covariance
    moved = np.flatnonzero(change[:n])
    size = np.sqrt(np.diag(C))
    scaled = np.linalg.inv(C / np.outer(size, size))
    distance = (change[:n] / size) @ scaled @ (change[:n] / size)
    assert distance == pytest.approx(np.sum(v[moved] ** 2), rel=1e-4)


@pytest.mark.parametrize(
    "change, text",
    [
        (("question", '"speed"'), "question = 'speed'; known are energy, sheet"),
        (
            ("measured_cycles", "{ value = 1.0 }"),
            "measured_cycles has no quality: give quality = one of M",
        ),
        (("rate", "1.0"), "unknown key rate; known are .*measured_cycles"),
        (
            ("require", '[{ of = "miles", at_least = 1 }]'),
            "'miles'.*of is one of cycles",
        ),
        (("about", '"nobody"'), "products are"),
        (("heat", '"warm"'), "known are isothermal, lumped"),
        (
            ("question", '"gauge"\nabout = "oxide_large"'),
            "unknown key measured_cycles, loss_percent, exponent",
        ),
        (("beside", '"lfp"'), "asked of one"),
        (("question", "[]"), r"question = \[\]; known are energy"),
        (("about", "3"), "about = 3: expected a text"),
        (("require", "3"), "require = 3: expected .*at_least"),
        (
            ("require", '[{ of = "cycles", at_least = "x" }]'),
            "'x'.*a finite number",
        ),
        (
            ("require", '[{ of = "cycles", at_least = nan }]'),
            "nan.*a finite number",
        ),
        (("measured_cycles", "[1000]"), "measured_cycles = .1000.: expected a number"),
    ],
)
def test_bad_claims_say_what_to_do(tmp_path, change, text):
    lines = FADE.format(said=1000.0).splitlines()
    key, value = change
    kept = [line for line in lines if not line.startswith(f"{key} =")]
    file = tmp_path / "mine.toml"
    file.write_text("\n".join([*kept, f"{key} = {value}"]))
    with pytest.raises(ValueError, match=text):
        claims.load(file)


def test_a_comparison_has_two_products():
    require = [{"of": "error beside LFP alone", "at_least": 0}]
    with pytest.raises(ValueError, match="gauge is asked of two products"):
        claims.reading("lfp", question="gauge", require=require)


@pytest.mark.parametrize(
    "own, text",
    [
        ("claim = 3", r"claim = 3: expected tables \[claim.NAME\]"),
        ("[claim]\nlife = 3", "claim.life = 3: expected a table"),
        ('[[claim]]\nmaker = "x"', "expected tables"),
        ("LIFE[product]\np = 3", "product.p = 3: expected a table"),
        ("LIFE[product.p]\nmaterials = 3", "product.p.materials = 3: expected a text"),
        ('LIFE[product.p]\nmaterials = "nobody"', "product p: No cell 'nobody'"),
        ('LIFE[product.p]\ndesign = "nobody"', "product p: No design 'nobody'"),
        ("LIFE[product.p]\ntemperatures = 3", "temperatures = 3: expected two"),
        ('LIFE[product.p]\nvariation = "x"', "variation = 'x'; known are large_cell"),
        (
            "LIFE[variation]\nv = 3\n[product.p]\nvariation = 'v'",
            r"variation.v = 3: expected tables \[variation.v.NAME\]",
        ),
        (
            'LIFE[variation.v]\nf = { value = 1, quality = "M", source = "s", '
            "paths = ['area.x'] }\n[product.p]\nvariation = 'v'",
            "variation f: 'area.x'",
        ),
        (
            'LIFE[variation.v]\nf = { value = 1, quality = "M", source = "s", '
            "paths = ['negative'] }\n[product.p]\nvariation = 'v'",
            "not a single number",
        ),
    ],
)
def test_tables_that_are_none(tmp_path, own, text):
    file = tmp_path / "mine.toml"
    file.write_text(own.replace("LIFE", FADE.format(said=1000.0)))
    with pytest.raises(ValueError, match=text) as caught:
        claims.load(file)
        claims.products(None, file)
    assert str(file) in str(caught.value)


def test_command(tmp_path, capsys):
    file = tmp_path / "mine.toml"
    file.write_text(FADE.format(said=8000.0))
    out = tmp_path / "out"
    assert main(["claims", "--claims", str(file), "--out", str(out)]) == 0
    assert "life: full cycles" in capsys.readouterr().out
    for name in ("report.html", "report.md", "claims.csv", "claims.json"):
        assert (out / name).is_file()
    (claim,) = json.loads((out / "claims.json").read_text())
    reading = claim["readings"][0]
    assert reading["claimed"] == ["cycles >= 8000 cycles"]
    assert sum(i["share_of_variance"] for i in reading["inputs"]) == pytest.approx(1.0)
    assert "would have to be true" in (out / "report.md").read_text()
    assert main(["claims", "--claim", "tesla", "--out", str(out)]) == 2
    few = ["claims", "--claims", str(file), "--draws", "1", "--out", str(out)]
    assert main(few) == 2
    assert main(["claims", "--claims", "nowhere.toml", "--out", str(out)]) == 2


SHEET = """
[claim."large sheet"]
maker = "Nobody"
product = "a large cell"
said = "100 Wh/kg"
date = "2026"
source = "a test"
leaves_out = "everything"
about = "iron_sulfate"
[[claim."large sheet".reading]]
text = "by the sheet"
question = "sheet"
voltage = 3.0
require = [{ of = "specific energy", at_least = 100.0 }]
[[claim."large sheet".reading]]
text = "of the materials that were fitted"
question = "sheet"
about = "oxide_large"
voltage = 3.0
require = [{ of = "specific energy", at_least = 100.0 }]
"""


class _Places(HTMLParser):
    """Where a page's links lead, and what can be led to."""

    def __init__(self, page):
        super().__init__()
        self.links, self.there = [], set()
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.there.add(given.get("id"))
        self.links += [given["href"]] if "href" in given else []


def test_answers_lead_to_what_they_rest_on(tmp_path):
    """Without a network: every link is to a place of the report itself."""
    file = tmp_path / "mine.toml"
    file.write_text(FADE.format(said=8000.0) + SHEET)
    made = claims.products(None, file)
    found = claims.audit(claims.load(file), made, draws=8)
    claims.write(found, tmp_path, "A test.", made)
    page, text = ((tmp_path / f"report.{x}").read_text() for x in ("html", "md"))
    places = _Places(page)
    assert {link[1:] for link in places.links} <= places.there
    assert {
        *("#question-fade", "#question-sheet", "#claim-life", "#claim-large-sheet"),
        *("#product-iron_sulfate", "#product-oxide_large"),
        *("#materials-nfpp_hc_32140", "#materials-fitted"),
    } == set(places.links)
    of_markdown = re.findall(r"\]\((#[^)]+)\)", text)
    assert sorted(of_markdown) == sorted(places.links)
    assert all(f'<a id="{link[1:]}"></a>' in text for link in of_markdown)
    # What is found there: the design, the fit and its tests, the set, the inputs.
    for said in (
        "naion designs nfs_prismatic",
        "25 degC pulse 1C (",
        "curve of 11 numbers",
        "naion sets nfpp_hc_32140",
        "naion claims --questions sheet",
        "| loss_percent |",
    ):
        assert said in text
    claims.write(found, tmp_path, "A test.", made, docs="../docs")
    text = (tmp_path / "report.md").read_text()
    assert "(../docs/sets.md#nfpp_hc_32140)" in text
    assert "(../docs/questions.md#sheet)" in text


def test_a_link_of_a_report_leads_to_a_heading(tmp_path):
    report = Report("r")
    report.heading("here", "here")
    report.paragraph("see ", Link("that", "#there"), ".")
    with pytest.raises(
        ValueError, match="'that' leads to #there; .* headings are here"
    ):
        report.write(tmp_path)
    report.heading("there <&>", "there", inner=True)
    report.write(tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert '<h3 id="there">there &lt;&amp;&gt;</h3>' in page
    assert '<p>see <a href="#there">that</a>.</p>' in page


TWO = FADE + FADE[FADE.index("[[claim") :].replace("full", "other").replace(
    "[8.0", "[7.0"
)


def test_answers_are_kept_and_sought_again_only_if_something_changed(
    tmp_path, monkeypatch
):
    file = tmp_path / "mine.toml"
    file.write_text(TWO.format(said=8000.0))
    asked = claims.load(file)
    sought, said = [], []
    answer = _audit._answer

    def counted(*arguments):
        sought.append(arguments[1].text)
        return answer(*arguments)

    monkeypatch.setattr(_audit, "_answer", counted)

    def audit(asked=asked, **options):
        options = {"draws": 50, "folder": tmp_path / "kept"} | options
        return claims.audit(asked, {}, progress=said.append, **options)

    first = audit()
    (again,) = audit()
    assert sought == ["full cycles", "other cycles"]
    assert sum("kept from before" in line for line in said) == 2
    for a, b in zip(first[0].answers, again.answers, strict=True):
        np.testing.assert_array_equal(a.values, b.values)
        np.testing.assert_array_equal(a.median, b.median)
        assert (a.reading, a.probability, a.shares) == (
            b.reading,
            b.probability,
            b.shares,
        )
        assert a.change is not None and b.change is not None
        assert in_words(a) == in_words(b) and a.outside == b.outside
    # The same in a claim of another name; other draws, and another bound, are others.
    audit([dataclasses.replace(asked[0], name="another")])
    assert len(sought) == 2
    audit(draws=51)
    audit(seed=1)
    file.write_text(TWO.format(said=8001.0))
    audit(claims.load(file))
    assert len(sought) == 8
    part = next((tmp_path / "kept").glob("*.part"))
    part.write_bytes(part.read_bytes()[:-5])
    with pytest.warns(na.Caution, match="is damaged"):
        for options in ({}, {"draws": 51}, {"seed": 1}):
            audit(**options)
        audit(claims.load(file))
    assert len(sought) == 9


def test_a_stopped_audit_leaves_a_report_and_goes_on(tmp_path, monkeypatch, capsys):
    """Ctrl-C at the second claim: the first is in the report, and is not sought again."""
    file, out = tmp_path / "mine.toml", tmp_path / "out"
    text = FADE.format(said=8000.0)
    file.write_text(
        text + text.replace("claim.life", "claim.long").replace("8000", "9000")
    )
    answer, sought = _audit._answer, []

    def stopped(*arguments):
        sought.append(arguments[1].requirements[0].bound)
        if sought == [8000.0, 9000.0]:
            raise KeyboardInterrupt
        return answer(*arguments)

    monkeypatch.setattr(_audit, "_answer", stopped)
    command = ["claims", "--claims", str(file), "--draws", "50", "--out", str(out)]
    assert main(command) == 130
    assert "1 more claims are not answered yet" in (out / "report.md").read_text()
    assert [c["name"] for c in json.loads((out / "claims.json").read_text())] == [
        "life"
    ]
    before = capsys.readouterr().err
    assert before.index("reading the claims") < before.index("claim 1 of 2, life")
    assert main(command) == 0
    assert sought == [8000.0, 9000.0, 9000.0]
    assert "not answered yet" not in (out / "report.md").read_text()
    assert "kept from before" in capsys.readouterr().err


def test_an_audit_by_simulation():
    """Today's materials in a teardown's box do not give 175 Wh/kg; slopes are exact."""
    (claim,) = claims.chosen(claims.load(), ["naxtra-energy"])
    reading = claim.readings[2]
    made = claims.products(None)
    asked = Asked(reading, (made[reading.product],))
    numbers = {k: jnp.asarray(v) for k, v in reading.numbers.items()}
    x = asked.median
    slope = np.asarray(asked.slopes_and_values(x, numbers)[0])[0]
    at = [n.name for n in asked.numbers].index("positive.loading")
    h = np.zeros_like(x)
    h[at] = 0.2
    low, high = (
        float(asked.slopes_and_values(x + s * h, numbers)[1][0]) for s in (-1.0, 1.0)
    )
    assert slope[at] == pytest.approx((high - low) / 0.4, rel=0.05)
    assert 115.0 < float(asked.slopes_and_values(x, numbers)[1][0]) < 145.0


@pytest.mark.slow
@pytest.mark.parametrize(
    "asked, allowed",
    [
        ({"question": "energy", "rate": 1 / 3, "of": "specific energy"}, [0.15]),
        (
            {
                "question": "retention",
                "rate": 1 / 3,
                "temperature_degC": -20.0,
                "of": "capacity",
            },
            [0.1, 0.1, 0.1],
        ),
        (
            {
                "question": "charge",
                "rate": 3.0,
                "minutes": 20.0,
                "from_percent": 10.0,
                "heat": "lumped",
                "of": "charged to",
            },
            [0.1, 4.0, 0.2],
        ),
    ],
    ids=lambda x: x["question"] if isinstance(x, dict) else "",
)
def test_mesh_of_questions(asked, allowed):
    """Coarse mesh and usual tolerance against the default mesh and a tight one."""
    asked = dict(asked)
    require = [{"of": asked.pop("of"), "at_least": 0.0}]
    reading = claims.reading("oxide_lean", **asked, require=require)
    product = claims.products(None)["oxide_lean"]
    numbers = {k: jnp.asarray(v) for k, v in reading.numbers.items()}
    found = [
        np.asarray(
            jax.jit(Asked(reading, (product,), by).values)((product.median, numbers))
        )
        for by in (USUAL, FINE)
    ]
    k = len(allowed)
    assert np.all(np.abs(found[0] - found[1])[:k] <= allowed)


def _sheet(of, bound):
    return claims.reading(
        "oxide_large",
        question="sheet",
        voltage=3.0,
        require=[{"of": of, "at_least": bound}],
    )


def test_front_against_a_grid():
    """Wh/kg over loading and coat density, for three Wh/L: the best of a fine grid."""
    product = claims.products(None)["oxide_large"]
    vary, bounds = ["positive.loading", "housing.wall"], [300.0, 290.0, 270.0]
    objective, constraint = _sheet("specific energy", 0.0), _sheet("energy density", 0)
    found = claims.pareto(product, objective, [constraint], vary, bounds=bounds)
    asked = Asked(objective, (product,))
    names = [n.name for n in product.numbers]
    at = np.array([names.index(n) for n in vary])
    low, high = (end[at] for end in product.reach)
    grid = np.stack(
        np.meshgrid(*(np.linspace(a, b, 81) for a, b in zip(low, high, strict=True))),
        axis=-1,
    )
    x = jnp.asarray(product.median)
    every = jax.jit(
        jax.vmap(lambda v: asked.values((x.at[at].set(v), {"voltage": 3.0})))
    )
    values = np.asarray(every(jnp.asarray(grid.reshape(-1, 2))))
    for bound, end in zip(bounds, found, strict=True):
        meets = values[:, 1] >= bound
        if not meets.any():
            assert not end.meets
            continue
        best = values[meets, 0].max()
        assert end.meets, end.message
        assert end.confirmed[0] == pytest.approx(best, rel=2e-3)
        assert end.confirmed[0] >= best * (1.0 - 1e-4)
    assert sum(end.meets for end in found) >= 2
    with pytest.raises(ValueError, match="Cannot vary nothing"):
        claims.best_design(product, objective, [constraint], ["nothing"])
