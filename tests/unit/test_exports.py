"""Exports of cyclers, as their makers lay them out, give back what was simulated."""

import zipfile

import numpy as np
import pandas as pd
import pytest

import naion as na
from naion.io import formats, read_data, read_profile

STEPS = [
    "Charge at 0.75 A for 20 min",
    "Rest for 10 min",
    "Discharge at 1.5 A for 30 min",
]


@pytest.fixture(scope="module")
def truth():
    """A charge, a rest and a discharge of the default cell, 1 row a minute."""
    cell = na.parameters.load("nfm_hc_18650")
    sol = na.simulate(cell, na.Protocol(STEPS), start=0.6)
    # With rows after the jumps.
    t = np.sort(np.append(np.arange(0.0, 3601.0, 60.0), [1200.001, 1800.001]))
    seen = sol.at(t)
    step = np.searchsorted([1200.0, 1800.0], t, side="left") + 1
    return pd.DataFrame(
        {
            "time_s": t,
            "current_A": np.round(np.asarray(seen.current), 6),
            "voltage_V": np.round(np.asarray(seen.voltage), 6),
            "temperature_degC": np.round(25.0 + 0.001 * t, 3),
            "cycle": np.where(step == 3, 2, 1),
            "step": step,
        }
    )


def clock(t, days=""):
    return f"{days}{int(t // 3600):02d}:{int(t % 3600 // 60):02d}:{t % 60:06.3f}"


def text(rows, between=","):
    return "\n".join(between.join(map(str, r)) for r in rows) + "\n"


def arbin(d):
    head = (
        "Data_Point,Test_Time(s),Step_Time(s),DateTime,Step_Index,Cycle_Index,"
        "Current(A),Voltage(V),Charge_Capacity(Ah),Discharge_Capacity(Ah),dV/dt(V/s),"
        "Internal_Resistance(Ohm),Aux_Temperature_1(C)"
    )
    rows = [
        (i + 1, r.time_s, 0, "01/02/2024 10:00:00.000", r.step, r.cycle, -r.current_A,
         r.voltage_V, 0, 0, 0, 0, r.temperature_degC, "")
        for i, r in enumerate(d.itertuples())
    ]  # fmt: skip
    return head + "\n" + text(rows)


def state(row):
    return "R" if row.current_A == 0.0 else "D" if row.current_A > 0.0 else "C"


def maccor(d):
    head = (
        "Today's Date\t01/02/2024\tDate of Test:\t01/01/2024\tFilename:\tC:\\a.001\n\n"
    )
    names = "Rec#\tCyc#\tStep\tTest (Min)\tStep (Min)\tAmp-hr\tWatt-hr\tAmps\tVolts\t"
    names += "State\tES\tDPt Time\tTemp 1"
    rows = [
        (i + 1, r.cycle, r.step, repr(r.time_s / 60.0), 0, 0, 0, abs(r.current_A),
         r.voltage_V, state(r), 1, "01/02/2024 10:00:00", r.temperature_degC)
        for i, r in enumerate(d.itertuples())
    ]  # fmt: skip
    return head + names + "\n" + text(rows, "\t")


def maccor_clock(d):
    names = (
        "Rec,Cycle P,Cycle C,Step,Test Time,Step Time,Capacity,Energy,Current,Voltage,"
    )
    names += "MD,ES,DPT Time,Temp 1"
    rows = [
        (i + 1, r.cycle, 0, r.step, clock(r.time_s, "  0d "), "0d 00:00:00", 0, 0,
         abs(r.current_A), r.voltage_V, state(r), 1, "", r.temperature_degC)
        for i, r in enumerate(d.itertuples())
    ]  # fmt: skip
    return "Comment: a cell\n" + names + "\n" + text(rows)


def neware(d):
    kinds = {1: "CC Chg", 2: "Rest", 3: "CC DChg"}
    names = "DataPoint,Cycle Index,Step Index,Step Type,Time,Total Time,Current(mA),"
    names += "Voltage(V),Capacity(Ah),Spec. Cap.(mAh/g),Energy(Wh),Date,Power(W),T1(℃)"
    rows = [
        (i + 1, r.cycle, r.step, kinds[r.step], "00:00:00", clock(r.time_s),
         repr(-1e3 * r.current_A), r.voltage_V, 0, 0, 0, "2024-01-02 10:00:00", 0,
         r.temperature_degC)
        for i, r in enumerate(d.itertuples())
    ]  # fmt: skip
    return names + "\n" + text(rows)


BEGAN = (0.0, 1200.0, 1800.0)
"""When the steps began [s]."""


def neware_records(d):
    """Of BTS 7, whose label of times has colons and points."""
    rows = [
        (r.cycle, r.step, "CC DChg" if r.step == 3 else "", i + 1, clock(r.time_s),
         r.voltage_V, repr(-1e3 * r.current_A), r.temperature_degC)
        for i, r in enumerate(d.itertuples())
    ]  # fmt: skip
    names = "Cycle ID,Step ID,Step Name,Record ID,Total Time(h:min:s.ms),Voltage(V),"
    return names + "Current(mA),Temperature(oC)\n" + text(rows)


def layers(d):
    """Rows of an export in layers: cycles, their steps, and their records."""
    kinds = {1: "CC Chg", 2: "Rest", 3: "CC DChg"}
    rows = [
        ("Cycle ID", "Cap_Chg(mAh)", "Cap_DChg(mAh)"),
        ("", "Step ID", "Step Name", "Step Time(h:min:s.ms)", "", ""),
        ("", "", "Record ID", "Time(h:min:s.ms)", "Voltage(V)", "Current(mA)",
         "Temperature(oC)"),
    ]  # fmt: skip
    cycle = step = 0
    for i, r in enumerate(d.itertuples()):
        if r.cycle != cycle:
            rows.append((r.cycle, 750.0, 740.0))
        if r.step != step:
            rows.append(("", r.step, kinds[r.step], "00:10:00.000"))
        cycle, step = r.cycle, r.step
        t = clock(round(r.time_s - BEGAN[step - 1], 3))
        signless = 1e3 * abs(r.current_A)
        rows.append(("", "", i + 1, t, r.voltage_V, signless, r.temperature_degC))
    return rows


def neware_layers(d):
    return text(layers(d))


def biologic(d):
    names = (
        "mode\tox/red\terror\tcontrol changes\tNs changes\tcounter inc.\tNs\ttime/s\t"
    )
    names += (
        "control/V/mA\tEwe/V\tI/mA\tdQ/mA.h\t(Q-Qo)/mA.h\tcycle number\tTemperature/°C"
    )
    rows = [
        (1, 1, 0, 0, 0, 0, r.step, repr(r.time_s), 0, r.voltage_V,
         repr(-1e3 * r.current_A), 0, 0, r.cycle, r.temperature_degC)
        for r in d.itertuples()
    ]  # fmt: skip
    before = "EC-Lab ASCII FILE\nNb header lines : 5\n\nRun on channel : 1, SN 1\n"
    return before + names + "\n" + text(rows, "\t").replace(".", ",")


def novonix(d):
    names = (
        "Date and Time,Cycle Number,Step Type,Run Time (h),Step Time (h),Current (A),"
    )
    names += "Potential (V),Capacity (Ah),Temperature (°C),Step Number"
    rows = [
        ("2024-01-02 10:00:00", r.cycle, 0, repr(r.time_s / 3600.0), 0, -r.current_A,
         r.voltage_V, 0, r.temperature_degC, r.step)
        for r in d.itertuples()
    ]  # fmt: skip
    return (
        "[Summary]\nNovonix UHPC data file\nMass, 1\n[Data]\n"
        + names
        + "\n"
        + text(rows)
    )


def basytec(d):
    before = "~Resultfile from Basytec Battery Test System\n~Operator (Test): a\n~\n"
    names = "~Time[h]\tDataSet\tt-Step[h]\tLine\tCommand\tU[V]\tI[A]\tT1[°C]\tCyc-Count"
    rows = [
        (repr(r.time_s / 3600.0), 1, 0, r.step, "Charge", r.voltage_V, -r.current_A,
         r.temperature_degC, r.cycle)
        for r in d.itertuples()
    ]  # fmt: skip
    return before + names + "\n" + text(rows, "\t")


def digatron(d):
    names = "Step,Status,Step Time,Prog Time,Cycle,Procedure,Voltage,Current,AhAccu,T1"
    names += "\n,,,,,,[V],[A],[Ah],[°C]"
    status = {1: "CHA", 2: "PAU", 3: "DCH"}
    rows = [
        (r.step, status[r.step], "00:00:00.000", clock(r.time_s), r.cycle, "a",
         r.voltage_V, -r.current_A, 0, r.temperature_degC)
        for r in d.itertuples()
    ]  # fmt: skip
    return names + "\n" + text(rows)


def landt(d):
    names = "channel_index,cycle_index,step_index,date_time_iso_string,test_time_s,"
    names += "step_time_s,current_a,voltage_v,temperature_c"
    rows = [
        (1, r.cycle, r.step, "2024-01-02T10:00:00", r.time_s, 0, -r.current_A, r.voltage_V,
         r.temperature_degC)
        for r in d.itertuples()
    ]  # fmt: skip
    return names + "\n" + text(rows)


LAYOUTS = {
    "arbin": (arbin, "a.csv", "utf-8-sig"),
    "maccor": (maccor, "a.txt", "utf-8"),
    "maccor, clock": (maccor_clock, "a.csv", "latin-1"),
    "neware": (neware, "a.csv", "utf-8"),
    "neware, BTS 7": (neware_records, "a.csv", "utf-8"),
    "neware, layers": (neware_layers, "a.csv", "utf-8"),
    "biologic": (biologic, "a.mpt", "latin-1"),
    "novonix": (novonix, "a.csv", "latin-1"),
    "basytec": (basytec, "a.txt", "latin-1"),
    "digatron": (digatron, "a.csv", "utf-8"),
    "landt": (landt, "a.csv", "utf-8"),
}


def same(table, d):
    for name in d:
        np.testing.assert_allclose(
            table[name], d[name], rtol=0, atol=1e-9, err_msg=name
        )


@pytest.mark.parametrize("layout", LAYOUTS)
def test_exports_give_back_what_was_simulated(layout, truth, tmp_path):
    write, name, encoding = LAYOUTS[layout]
    path = tmp_path / name
    path.write_bytes(write(truth).replace("\n", "\r\n").encode(encoding))
    with pytest.warns(na.Caution, match=f"read as {layout.split(',')[0]}") as said:
        table = read_data(path)
    assert len(said) == 1 and "\n" not in str(said[0].message)
    same(table, truth)
    same(read_data(path, format=layout.split(",")[0]), truth)


def test_formats_are_those_that_are_read():
    assert {x.split(",")[0] for x in LAYOUTS} | {"naion", "bdf"} == set(formats())


@pytest.mark.filterwarnings("ignore")  # of the package's own making
def test_batterydf_reads_the_same(truth, tmp_path):
    """Of layouts that both know; its currents are positive on charge."""
    bdf = pytest.importorskip("bdf")
    # Not of those in hours or milliampere, which it converts twice or not at all (0.1.0).
    for layout, plugin in (("landt", "landt-csv"),):
        write, name, encoding = LAYOUTS[layout]
        path = tmp_path / name
        path.write_bytes(write(truth).encode(encoding))
        theirs = bdf.read(path, plugin=plugin, validate=False)
        own = read_data(path)
        for label, column, sign in (
            ("Test Time / s", "time_s", 1.0),
            ("Voltage / V", "voltage_V", 1.0),
            ("Current / A", "current_A", -1.0),
        ):
            given = pd.to_numeric(theirs[label]).to_numpy(dtype=float)
            np.testing.assert_allclose(sign * given, own[column], atol=1e-9)


@pytest.mark.parametrize("suffix", [".parquet", ".xlsx"])
def test_binary_tables(suffix, truth, tmp_path):
    pytest.importorskip("pyarrow" if suffix == ".parquet" else "openpyxl")
    bdf = pd.DataFrame(
        {
            "Test Time / s": truth.time_s,
            "Voltage / V": truth.voltage_V,
            "Current / mA": -1e3 * truth.current_A,
            "Ambient Temperature / degC": truth.temperature_degC,
            "Cycle Count / 1": truth.cycle,
            "Step Count / 1": truth.step,
        }
    )
    path = tmp_path / f"a{suffix}"
    if suffix == ".xlsx":
        with pd.ExcelWriter(path) as book:
            pd.DataFrame({"about": ["a cell"]}).to_excel(book, sheet_name="Info")
            bdf.to_excel(book, sheet_name="Record", index=False, startrow=3)
    else:
        bdf.to_parquet(path)
    same(read_data(path), truth)


def test_a_spreadsheet_of_several_records(truth, tmp_path):
    """One is read, and the others are named; text under the ending of one is read, too."""
    pytest.importorskip("openpyxl")
    path = tmp_path / "a.xlsx"
    with pd.ExcelWriter(path) as book:
        for k in (1, 2):
            truth.to_excel(book, sheet_name=f"Channel_1_{k}", index=False)
    with pytest.warns(na.Caution, match="2 sheets .*'Channel_1_1' alone is read"):
        same(read_data(path), truth)
    assert len(read_data(path, sheet="Channel_1_2")["time_s"]) == len(truth)
    path = tmp_path / "b.xls"
    path.write_text(neware(truth).replace(",", "\t"), encoding="utf-8")
    same(read_data(path), truth)


def test_layers_in_a_spreadsheet(truth, tmp_path):
    pytest.importorskip("openpyxl")
    path = tmp_path / "a.xlsx"
    rows = [(*r, *[""] * (7 - len(r))) for r in layers(truth)]
    pd.DataFrame(rows).to_excel(path, header=False, index=False)
    with pytest.warns(na.Caution, match="begin anew in every step"):
        same(read_data(path), truth)
    pd.DataFrame(rows[:6]).to_excel(path, header=False, index=False)
    with pytest.raises(ValueError, match="Export the layer of records too"):
        read_data(path)


def test_units_that_are_none_are_told_with_what_to_add(truth, tmp_path):
    path = tmp_path / "a.csv"
    written = neware_records(truth)
    for label, wrong, said in (
        ("Time(h:min:s.ms)", "Time(h'm's)", "--unit time=clock"),
        ("Voltage(V)", "Voltage(Volts DC)", "--unit voltage=V"),
    ):
        path.write_text(written.replace(label, wrong))
        with pytest.raises(ValueError, match=f"a.csv: .*{said}"):
            read_data(path)


def test_what_the_reader_of_neware_binaries_gives(truth, tmp_path):
    """Its frame: times of steps, dates, milliampere, states as categories."""
    pytest.importorskip("pyarrow")
    began = np.array([0.0, 1200.0, 1800.0])[truth.step - 1]
    frame = pd.DataFrame(
        {
            "Index": np.arange(len(truth)),
            "Cycle": truth.cycle,
            "Step": truth.step,
            "Status": pd.Categorical.from_codes(
                truth.step - 1, ["CC_Chg", "Rest", "CC_DChg"]
            ),
            "Time": truth.time_s - began,
            "Voltage": truth.voltage_V,
            "Current(mA)": -1e3 * truth.current_A,
            "Charge_Capacity(mAh)": 0.0,
            "T1": truth.temperature_degC,
            "Timestamp": pd.Timestamp("2024-01-02 23:30")
            + pd.to_timedelta(truth.time_s, unit="s"),
        }
    )
    path = tmp_path / "a.parquet"
    frame.to_parquet(path)
    same(read_data(path), truth)
    frame.drop(columns="Timestamp").to_parquet(path)
    with pytest.warns(na.Caution, match="begin anew in every step"):
        table = read_data(path)
    np.testing.assert_allclose(table["time_s"], truth.time_s, atol=2.1e-3)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a.mpr", "BioLogic .* export in EC-Lab: .* a .mpt"),
        ("a.res", "Arbin.* CSV or Excel"),
        ("a.094", "Maccor.* as text"),
        ("a.h5", "CSV or Parquet"),
        ("a.ndax", "damaged or cut off.* in BTSDA: Export, CSV"),
    ],
)
def test_binaries_are_told_what_to_export(name, said, tmp_path):
    if name == "a.ndax":
        pytest.importorskip("bdf")
    path = tmp_path / name
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("data.ndc", bytes(range(256)))
    for read in (read_data, read_profile):
        with pytest.raises(ValueError, match=f"{name}.*{said}"):
            read(path)
    # Text with such an ending is read.
    if name != "a.ndax":
        path.write_text("time_s,current_A,voltage_V\n0,1,3\n1,1,3\n")
        assert len(read_data(path)["time_s"]) == 2


def mapped(tmp_path, rows, head="Zeit;Strom;U"):
    path = tmp_path / "a.csv"
    path.write_text(head + "\n" + "\n".join(rows) + "\n", encoding="latin-1")
    return path


COLUMNS = {"time": "Zeit", "current": "Strom", "voltage": "U"}
UNITS = {"time": "min", "current": "mA", "voltage": "mV"}


@pytest.mark.parametrize(
    ("times", "unit"),
    [
        (["0,5", "1,5", "2"], "min"),
        (["00:00:30", "00:01:30", "00:02:00"], "clock"),
        (["1d 00:00:30", "1d 00:01:30", "1d 00:02:00"], "clock"),
        (["31.12.2023 23:59:30", "01.01.2024 00:00:30", "01.01.2024 00:01:00"], "date"),
        (["12/31/23 23:59", "01/01/24 00:00", "01/01/24 00:00:30"], "date"),
        (
            ["2023-12-31T23:59:30.0", "2024-01-01T00:00:30", "2024-01-01T00:01:00"],
            "date",
        ),
        (
            ["02-01-24 01:00:30", "02-01-24 01:01:30", "02-01-24 01:02:00"],
            "%d-%m-%y %H:%M:%S",
        ),
    ],
)
def test_any_table_by_a_mapping(times, unit, tmp_path):
    path = mapped(tmp_path, [f"{t};-1500,0;3900" for t in times])
    table = read_data(
        path, columns=COLUMNS, units={**UNITS, "time": unit}, positive="charge"
    )
    apart = [60.0, 30.0]
    np.testing.assert_allclose(np.diff(table["time_s"]), apart)
    np.testing.assert_allclose(table["current_A"], 1.5)
    np.testing.assert_allclose(table["voltage_V"], 3.9)
    turned = read_data(
        path, columns=COLUMNS, units={**UNITS, "time": unit}, positive="discharge"
    )
    np.testing.assert_allclose(turned["current_A"], -1.5)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"columns": {"time": "Zeti"}}, "Did you mean 'Zeit'"),
        ({"columns": {"tmie": "Zeit"}}, "did you mean 'time'"),
        ({"columns": COLUMNS}, "does not say which sign"),
        ({"columns": COLUMNS, "units": {"current": "V"}}, "A, mA"),
        ({"columns": COLUMNS, "units": {"voltage": "mv"}}, "Did you mean 'mV'"),
        ({"format": "macor"}, "did you mean 'maccor'"),
        ({"format": "maccor"}, "no column of time, current, voltage as maccor"),
        ({"columns": COLUMNS, "positive": "state"}, "column of states"),
        ({"columns": COLUMNS, "positive": "up"}, "positive = 'up'"),
        ({}, "--unit time=s current=A voltage=V"),
    ],
)
def test_wrong_mappings_are_told_with_what_is_near(given, said, tmp_path):
    path = mapped(tmp_path, ["0;1;3", "1;1;3"])
    with pytest.raises(ValueError, match=said):
        read_data(path, **given)


def test_labels_of_nobody_are_found_below_other_lines(tmp_path):
    """And read, once the sign is said; what else would have to be said, is told."""
    path = tmp_path / "Zelle 7.csv"
    head = "Zelle 7\nvon: A, B\n\nZeit [min];Strom [mA];Spannung [V];Temp. [°C]\n"
    rows = "0,0;0,0;3,9;25,0\n1,0;-1500,0;3,8;25,0\n"
    path.write_text(head + rows, "latin-1")
    said = r"only the sign .* is missing: 'Strom \[mA\]' .*--positive charge.*'Zeit \[min\]'"
    with pytest.raises(ValueError, match=said):
        read_data(path)
    with pytest.warns(na.Caution, match=r"read: .*'Spannung \[V\]' \[V\]"):
        table = read_data(path, positive="charge")
    np.testing.assert_allclose(table["time_s"], [0.0, 60.0])
    np.testing.assert_allclose(table["current_A"], [0.0, 1.5])


PLAIN = [
    {"Time [s]": 1.0, "Current [A]": 1.0, "Voltage [V]": 1.0},
    {"Time [s]": 1.0, "Current [A]": 1.0, "Terminal voltage [V]": 1.0},
    {"Test Time (h)": 1.0 / 3600.0, "Current (mA)": 1e3, "Voltage (V)": 1.0},
    {"Time (min)": 1.0 / 60.0, "I (A)": 1.0, "U (mV)": 1e3},
    {"t_s": 1.0, "I_mA": 1e3, "U_V": 1.0},
    {"TestTime(Sec)": 1.0, "Amps": 1.0, "Volts": 1.0},
    {"Zeit [Std]": 1.0 / 3600.0, "Strom [mA]": 1e3, "Spannung [V]": 1.0},
    {"time": 1.0, "current": 1e3, "voltage": 1.0},
]
"""Labels of time, current and voltage, and their units over s, A and V."""


@pytest.mark.parametrize("labels", PLAIN, ids=lambda labels: ",".join(labels))
@pytest.mark.filterwarnings("ignore::naion.Caution")
def test_plain_names_need_the_sign_alone(labels, truth, tmp_path):
    """Units are asked for where labels have none."""
    names = ("time_s", "current_A", "voltage_V")
    frame = {
        label: factor * truth[name]
        for (label, factor), name in zip(labels.items(), names, strict=True)
    }
    path = tmp_path / "a.csv"
    pd.DataFrame(frame).to_csv(path, index=False, float_format="%.15g")
    bare = "time" in labels
    units = {"time": "s", "current": "mA", "voltage": "V"} if bare else None
    said = "--unit time=s current=A voltage=V" if bare else "only the sign"
    with pytest.raises(ValueError, match=said):
        read_data(path)
    table = read_data(path, units=units, positive="discharge")
    for name in names:
        np.testing.assert_allclose(table[name], truth[name], atol=1e-6)


@pytest.mark.filterwarnings("ignore::naion.Caution")
def test_several_columns_of_a_quantity_are_a_choice(tmp_path):
    path = mapped(
        tmp_path, ["0;1;2;3", "1;1;2;3"], "Time [s];Load 1 [A];Load 2 [A];U [V]"
    )
    said = "current = 'Load 1 .A.', current = 'Load 2 .A.'"
    with pytest.raises(ValueError, match=said):
        read_data(path, positive="charge")


def test_tables_of_solutions_are_read_back(tmp_path):
    """As `to_pandas` writes them: currents positive on discharge."""
    cell = na.parameters.load("nfm_hc_18650")
    frame = na.simulate(cell, na.Protocol(STEPS), start=0.6).to_pandas()
    path = tmp_path / "own.csv"
    frame.to_csv(path)
    with pytest.warns(na.Caution, match="read as naion: .*a positive .* a discharge"):
        table = read_data(path)
    for name, label in (
        ("time_s", "Time [s]"),
        ("current_A", "Current [A]"),
        ("voltage_V", "Voltage [V]"),
        ("step", "Step"),
    ):
        np.testing.assert_allclose(table[name], frame[label])
    with pytest.warns(na.Caution, match="not used: .*'Voltage"):
        profile = read_profile(path)
    assert set(profile) == {"time_s", "current_A", "temperature_degC"}
    np.testing.assert_allclose(profile["current_A"], table["current_A"])


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["0;1;3", "1;x;3"], r"row 3: current \('Strom'\) is 'x'"),
        (["0;1;3", "1;;3"], "row 3: current .* is empty"),
        (["0;1;3", "1;1;3;4"], "row 3: 4 cells under 3 names"),
        (["5;1;3", "1;1;3"], "row 3: time"),
        (["0;1.000,5;3", "1;1;3"], "one decimal sign"),
        (["1/2/24 1:00;1;3", "3/2/24 1:00;1;3"], "day or the month first"),
        (["0;1;3"], "two"),
    ],
)
def test_bad_rows_are_told_with_their_place(rows, said, tmp_path):
    path = mapped(tmp_path, rows)
    with pytest.raises(ValueError, match=said):
        read_data(path, columns=COLUMNS, positive="charge")


def test_a_state_that_contradicts_the_sign_is_told(truth, tmp_path):
    turned = truth.assign(current_A=-truth.current_A)
    path = tmp_path / "a.csv"
    path.write_text(neware(turned), encoding="utf-8")
    with pytest.raises(ValueError, match='positive = "discharge"'):
        read_data(path)
    np.testing.assert_allclose(
        read_data(path, positive="discharge")["current_A"], truth.current_A
    )


@pytest.mark.parametrize("counted", [True, False])
def test_steps_of_a_record(truth, counted):
    table = {k: truth[k].to_numpy() for k in truth}
    if not counted:
        del table["step"], table["cycle"]
    steps = na.data.steps_of(table)
    assert [s.kind for s in steps] == ["charge", "rest", "discharge"]
    assert [s.current for s in steps] == [-0.75, 0.0, 1.5]
    assert steps[2].charge == pytest.approx(0.75, rel=0.01)
    assert na.data.oddities(table) == []
    turned = {**table, "current_A": -table["current_A"]}
    assert "sign of the current" in na.data.oddities(turned)[0]
