"""Tables and text files: labels, units, encodings, and errors that name file and row."""

import time

import numpy as np
import pytest

import naion as na
from naion._files import read_text, read_toml, writable
from naion.io import read_measurement, read_profile, write_csv
from naion.io._labels import meaning
from naion.io._tables import read_columns

ROWS = "0,1.5,3.9\n10,1.5,3.8\n"


@pytest.fixture
def made(tmp_path):
    def make(content, name="data.csv"):
        path = tmp_path / name
        if isinstance(content, str):
            content = content.encode()
        path.write_bytes(content)
        return path

    return make


@pytest.mark.parametrize(
    ("label", "name", "value"),
    [
        ("time_s", "time_s", 1.0),
        ("time_ms", "time_s", 1e-3),
        ("Test Time / s", "time_s", 1.0),
        ("Test Time / h", "time_s", 3600.0),
        ("test_time_second", "time_s", 1.0),
        ("test_time_hour", "time_s", 3600.0),
        ("Test_Time(s)", "time_s", 1.0),
        ("current_A", "current_A", 1.0),
        ("current_mA", "current_A", 1e-3),
        ("Current / A", "current_A", -1.0),
        ("Current / mA", "current_A", -1e-3),
        ("Current / µA", "current_A", -1e-6),
        ("Current / uA", "current_A", -1e-6),
        ("current_ampere", "current_A", -1.0),
        ("current_milliampere", "current_A", -1e-3),
        ("voltage_V", "voltage_V", 1.0),
        ("Voltage / mV", "voltage_V", 1e-3),
        ("voltage_millivolt", "voltage_V", 1e-3),
        ("Voltage(V)", "voltage_V", 1.0),
    ],
)
def test_labels_and_units(label, name, value):
    found = meaning(label)
    assert found is not None and found.name == name
    assert found.factor == pytest.approx(value, rel=1e-12) and found.offset == 0.0


@pytest.mark.parametrize(
    ("label", "kelvin", "fahrenheit"),
    [
        ("temperature_degC", False, False),
        ("ambient_temperature_celsius", False, False),
        ("temperature_t1_celsius", False, False),
        ("surface_temperature_t12_celsius", False, False),
        ("Temperature T1 / degC", False, False),
        ("Surface Temperature T3 / °C", False, False),
        ("Ambient Temperature / ℃", False, False),
        ("Temperature [°C]", False, False),
        ("Aux_Temperature_1(C)", False, False),
        ("Temperature (ºC)", False, False),
        ("T1 (°C)", False, False),
        ("cell temperature deg C", False, False),
        ("temperature_K", True, False),
        ("Temperature / K", True, False),
        ("ambient_temperature_kelvin", True, False),
        ("Temperature / degF", False, True),
    ],
)
def test_temperatures(label, kelvin, fahrenheit):
    found = meaning(label)
    assert found is not None and found.name == "temperature_degC"
    given = 263.15 if kelvin else 14.0 if fahrenheit else -10.0
    assert given * found.factor + found.offset == pytest.approx(-10.0)


@pytest.mark.parametrize(
    "label",
    [
        "Current(A)",
        "Current [A]",
        "I / A",
        "Current / MA",
        "Temp",
        "temperature",
        "Voltage",
    ]
    + [
        "Step Time / s",
        "Unix Time / s",
        "Power / W",
        "R / K",
        "Charge_C",
        "x",
        "",
        "/ s",
    ],
)
def test_labels_that_say_too_little(label):
    assert meaning(label) is None


def test_bdf_currents_are_turned_and_units_converted(made):
    text = "Test Time / h,Voltage / mV,Current / mA\n0,3900,-1500\n1,3800,0\n"
    table = read_measurement(made(text))
    np.testing.assert_allclose(table["time_s"], [0.0, 3600.0])
    np.testing.assert_allclose(table["voltage_V"], [3.9, 3.8])
    np.testing.assert_array_equal(table["current_A"], [1.5, 0.0])
    assert not np.signbit(table["current_A"][1])


def test_what_is_not_used_is_named_in_one_line(made):
    names = "time_s,current_A,voltage_V,Power / W,Cycle Count / 1,Temp"
    path = made(f"{names}\n0,1.5,3.9,5,1,25\n10,1.5,3.8,5,1,25\n")
    with pytest.warns(na.Caution) as said:
        table = read_measurement(path)
    assert set(table) == {"time_s", "current_A", "voltage_V"}
    (text,) = [str(w.message) for w in said]
    assert said[0].filename == __file__
    assert "data.csv" in text and "\n" not in text
    assert "'Temp': not read as a temperature" in text
    assert "not used: 'Power / W'" in text
    assert "bookkeeping: 'Cycle Count / 1'" in text


@pytest.mark.parametrize(
    ("labels", "chosen"),
    [
        (["Ambient Temperature / degC", "Surface Temperature T1 / degC"], 1),
        (["surface_temperature_t2_celsius", "surface_temperature_t1_celsius"], 1),
        (["temperature_t1_celsius", "ambient_temperature_celsius"], 1),
        (["surface_temperature_t1_celsius", "temperature_degC"], 1),
        (["temperature_t1_celsius", "temperature_t2_celsius"], 0),
    ],
)
def test_the_surface_is_read_before_the_surroundings(made, labels, chosen):
    path = made(f"time_s,current_A,{','.join(labels)}\n0,1,10,20\n1,1,10,20\n")
    with pytest.warns(na.Caution, match="temperature_degC is") as said:
        table = read_profile(path)
    assert table["temperature_degC"][0] == 10.0 * (chosen + 1)
    assert f"not {labels[1 - chosen]!r}" in str(said[0].message)


def test_an_empty_temperature_is_passed_over(made):
    text = "time_s,current_A,temperature_degC,ambient_temperature_celsius\n"
    with pytest.warns(na.Caution, match="'temperature_degC': empty"):
        table = read_profile(made(text + "0,1,,-5\n1,1,,-5\n"))
    np.testing.assert_array_equal(table["temperature_degC"], [-5.0, -5.0])
    with pytest.raises(ValueError, match="row 3: temperature_degC is empty"):
        read_profile(made(text + "0,1,-5,-5\n1,1,,-5\n"))


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "latin-1"]
)
def test_encodings(made, encoding):
    text = "time_s,current_A,voltage_V,Temperature [°C]\n0,1,3.9,-10\n1,1,3.8,-10\n"
    content = text.encode(encoding)
    if encoding == "utf-16-be":
        content = b"\xfe\xff" + content
    table = read_measurement(made(content))
    np.testing.assert_array_equal(table["temperature_degC"], [-10.0, -10.0])


def test_chinese_text(made):
    """Labels can be named as they stand; German ones are not taken for it."""
    text = "时间,电流,电压\n0,-1,3.9\n1,-1,3.8\n"
    file = made(text.encode("gb18030"))
    columns = {"time": "时间", "current": "电流", "voltage": "电压"}
    table = na.io.read_data(file, columns=columns, positive="charge")
    np.testing.assert_array_equal(table["current_A"], [1.0, 1.0])
    for label in ("Größe [°C]", "Zellgröße", "25 °C"):
        assert read_text(made(label.encode("latin-1")), "latin-1") == label


def test_what_is_no_text_says_so(made):
    with pytest.raises(ValueError, match=r"data\.csv.*not a text file"):
        read_measurement(made(b"PK\x03\x04\x00\x00\xff"))
    with pytest.raises(ValueError, match="save it as"):
        read_text(made("°".encode("latin-1")))
    with pytest.raises(ValueError, match="no such file"):
        read_text("nowhere.csv")
    for encoding in ("utf-8-sig", "utf-16"):
        assert read_toml(made('a = "°"'.encode(encoding))) == {"a": "°"}
    for text in ("a = [" + "[" * 20000, f"a = {'9' * 5000}", "a b"):
        with pytest.raises(ValueError, match="is not TOML"):
            read_toml(made(text))


@pytest.mark.parametrize("between", [";", "\t"])
def test_decimal_commas(made, between):
    text = "time_s,current_A,voltage_V\n0;1,5;3,9\n10;1,5;3,8\n"
    text = text.replace(",", ";", 2).replace(";", between)
    with pytest.warns(na.Caution, match="decimal points"):
        table = read_measurement(made(text))
    np.testing.assert_array_equal(table["current_A"], [1.5, 1.5])
    points = text.replace(",", ".")
    np.testing.assert_array_equal(
        read_measurement(made(points))["voltage_V"], table["voltage_V"]
    )
    with pytest.raises(ValueError, match=r"row 3.*decimal commas"):
        read_measurement(made(text.replace("3,8", "3.8")))


def test_decimal_commas_between_commas_are_never_read_wrong(made):
    with pytest.raises(ValueError, match=r"row 2: 6 cells under 3 names.*semicolons"):
        read_measurement(made("time_s,current_A,voltage_V\n0,0,1,5,3,9\n"))
    # Commas at the end of each line are harmless.
    ends = "time_s,current_A,voltage_V\n0,1.5,3.9,\n10,1.5,3.8,\n"
    assert read_measurement(made(ends))["voltage_V"][1] == 3.8


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("0,1.5,3.9\n10,nan,3.8\n", "row 3: current_A is empty or not finite"),
        ("0,1.5,3.9\n10,inf,3.8\n", "row 3: current_A is empty or not finite"),
        ("0,1.5,3.9\n10,,3.8\n", "row 3: current_A is '', not a number"),
        ("0,1.5,3.9\n\n# note\n10,1.5\n", "row 5: voltage_V is '', not a number"),
        ("0,1.5,3.9\n00:01:00,1.5,3.8\n", "row 3.*not dates or clock times"),
        ('0,1.5,3.9\n"1,000",1.5,3.8\n', "row 3.*nothing between thousands"),
        ("10,1.5,3.9\n0,1.5,3.8\n", "row 3: time 0 s comes after 10 s"),
        ("0,1.5,3.9\n", "1 row of numbers"),
        ("", "no row of numbers"),
    ],
)
def test_bad_rows_are_named(made, rows, said):
    with pytest.raises(ValueError, match=said) as error:
        read_measurement(made("time_s,current_A,voltage_V\n" + rows))
    assert "data.csv" in str(error.value)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("Time(s),Current(A),Voltage(V)", "does not say which sign a discharge has"),
        ("t,I,U", r"no column 'time_s'; the header has 't', 'I', 'U'.*rename"),
        ("time_s,current_A,current_A,voltage_V", "stands twice"),
    ],
)
def test_headers_of_makers_say_what_to_rename(made, header, said):
    with pytest.raises(ValueError, match=said):
        read_measurement(made(f"{header}\n0,1,1,3\n1,1,1,3\n"))


def test_a_first_line_of_excel(made):
    table = read_measurement(made("sep=;\ntime_s;current_A;voltage_V\n0;1;3\n1;1;3\n"))
    assert table["time_s"][1] == 1.0


def test_columns_by_name(made):
    path = made("a,b,c\n1,2,3\n4,5,6\n")
    np.testing.assert_array_equal(read_columns(path, ("c", "a"))["c"], [3.0, 6.0])
    with pytest.raises(ValueError, match="no column 'd'"):
        read_columns(path, ("a", "d"))


def test_a_million_rows_in_seconds(made):
    n = 1_000_000
    t = np.char.mod("%d", np.arange(n))
    path = made("time_s,current_A\n" + "\n".join(np.char.add(t, ",1.25")) + "\n")
    began = time.perf_counter()
    table = read_profile(path)
    assert time.perf_counter() - began < 10.0
    assert table["time_s"][-1] == n - 1 and np.all(table["current_A"] == 1.25)


def test_a_broken_write_leaves_no_file(tmp_path, monkeypatch):
    path = tmp_path / "out.csv"

    def rows():
        yield ["1"]
        raise RuntimeError("on the way")

    with pytest.raises(RuntimeError):
        write_csv(path, ["a"], rows())
    assert list(tmp_path.iterdir()) == []

    def full(_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as m:
        m.setattr("os.fsync", full)
        with pytest.raises(OSError, match=r"No space left on device: .*out\.csv"):
            write_csv(path, ["a"], [["1"]])
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="is a folder"):
        writable(tmp_path)
    with pytest.raises(ValueError, match="not an ordinary file"):
        writable("/dev/null")
