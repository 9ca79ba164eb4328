"""-s, -c, --severity and --level: what they choose, and the line for what they cannot."""

import pytest

import corruptions
from corruptions import CorruptionError
from robench.errors import ConfigError
from robench.selection import select

RIGHT = {
    "the severities, or default levels": (
        ([], ["contrast", "awgn"], None, None),
        {"contrast": "1 2 3 4 5", "awgn": " ".join(map(str, corruptions.get("awgn").default_strengths()))},
    ),
    "a range": (([], ["contrast"], "1-3", None), {"contrast": "1 2 3"}),
    "a list with spaces": (([], ["contrast"], " 5, 1 ,1", None), {"contrast": "5 1"}),
    "a range in a list": (([], ["contrast@1,3-5"], None, None), {"contrast": "1 3 4 5"}),
    "levels for all": (
        ([], ["awgn", "gaussian_noise"], None, "0.1,0.25"),
        {"awgn": "sigma=0.1 sigma=0.25", "gaussian_noise": "sigma=0.1 sigma=0.25"},
    ),
    "a pair": (([], ["spatially_varying_noise_1d"], None, "0.5:0"), {"spatially_varying_noise_1d": "sigma=0.5:0"}),
    "drawn": (([], ["awgn@0..0.15"], None, None), {"awgn": "sigma=0..0.15"}),
    "keys as tables spell them": (
        ([], ["awgn@sigma=0.1", "contrast@3"], None, None),
        {"awgn": "sigma=0.1", "contrast": "3"},
    ),
    "own strengths beside an option": (
        ([], ["awgn@0.5", "contrast"], "2", None),
        {"awgn": "sigma=0.5", "contrast": "2"},
    ),
    "one twice": (([], ["contrast@1", "contrast@3,1"], None, None), {"contrast": "1 3"}),
    "nothing": (([], [], None, None), {}),
}


@pytest.mark.parametrize("case", RIGHT)
def test_choices(case):
    asked, expected = RIGHT[case]
    chosen = select(*asked)
    assert {name: " ".join(map(str, strengths)) for name, strengths in chosen.items()} == expected
    assert list(chosen) == list(expected)


@pytest.mark.parametrize("name", corruptions.suites())
def test_a_suite_is_its_cells_in_order(name):
    found = [(key, str(strength)) for key, strengths in select([name]).items() for strength in strengths]
    assert found == [(chosen.name, str(strength)) for chosen, strength in corruptions.suite(name).cells()]


def test_a_suite_and_further_corruptions_are_one_selection():
    both = select(["demo/1"], ["awgn@0.25", "fog"], severity="2")
    alone = select(["demo/1"])
    assert both == alone | {"awgn": [*alone["awgn"], *select([], ["awgn@0.25"])["awgn"]]} | select([], ["fog@2"])


def test_what_two_suites_share_is_chosen_once():
    both = select(["demo/1", "fidelity/1"])
    assert set(both) == {*select(["demo/1"]), *select(["fidelity/1"])}
    assert both["awgn"] == select(["demo/1"])["awgn"] == select(["fidelity/1"])["awgn"]
    assert len(select(["fidelity/1", "pivot/1"])["awgn"]) == 7


BOTH = "give --severity or --level, got both"
ALONE = r"--severity and --level need a corruption \(-c\) they are for; a suite has its own"
WRONG = {
    "both": (([], ["contrast"], "1", "0.1"), BOTH),
    "a suite and a severity": ((["demo/1"], [], "1", None), ALONE),
    "a suite and a level": ((["demo/1"], [], None, "0.1"), ALONE),
    "an unknown suite": ((["demo/2"], [], None, None), "unknown suite 'demo/2'; did you mean demo/1"),
    "a severity for nothing": (([], [], "1", None), r"--severity and --level need a corruption \(-c\)"),
    "a level for nothing left": (([], ["awgn@0.1"], None, "0.2"), "--level is for a -c without strengths of its own"),
    "a severity for nothing left": (([], ["contrast@1"], "2", None), "--severity is for a -c without"),
    "an unknown corruption": (([], ["contrst"], None, None), "unknown corruption 'contrst'; did you mean contrast"),
    "no name": (([], ["@1"], None, None), "unknown corruption ''"),
    "severity 6": (([], ["contrast"], "6", None), r"contrast: severity must be 0 \(clean\), 1, 2, 3, 4 or 5, got 6"),
    "severity 1-6": (([], ["contrast"], "1-6", None), "from low to high within 0-5, such as 1-5, got '1-6'"),
    "a long range": (([], ["contrast@1-999999999999"], None, None), "within 0-5"),
    "a range backwards": (([], ["contrast"], "5-1", None), "from low to high within 0-5, such as 1-5, got '5-1'"),
    "severity -1": (([], ["contrast"], "-1", None), "expected severities such as 1,3 or 1-5, got '-1'"),
    "a level as severity": (([], ["contrast"], "factor=1", None), "got 'factor=1'; levels are for --level"),
    "severity two": (([], ["contrast"], "two", None), "expected severities such as 1,3 or 1-5, got 'two'"),
    "an empty severity": (([], ["contrast"], "", None), "expected strengths such as 1,3 or 1-5 or 0.1,0.2, got ''"),
    "an empty place": (([], ["awgn@0.1,,0.2"], None, None), "expected strengths such as .*, got 'awgn@0.1,,0.2'"),
    "nothing after @": (([], ["awgn@"], None, None), "expected strengths such as .*, got 'awgn@'"),
    "a severity of what has none": (([], ["awgn"], "3", None), "awgn has no severities; give a level, for example"),
    "a level out of range": (([], ["crop"], None, "2"), "crop: ratio must be a number from 0.* to 1, got '2'"),
    "a level that is no number": (([], ["awgn"], None, "big"), "awgn: sigma must be a number .*, got 'big'"),
    "a level by another name": (([], ["awgn@ratio=1"], None, None), "awgn: its level is called sigma, got 'ratio=1'"),
    "one number of two": (
        ([], ["spatially_varying_noise_1d"], None, "0.5"),
        "spatially_varying_noise_1d: sigma must be NUMBER:NUMBER, got '0.5'",
    ),
    "one level for different ones": (
        ([], ["awgn", "crop"], None, "0.5"),
        "one --level needs corruptions of one level and unit: awgn has sigma, crop has ratio; write NAME@LEVELS",
    ),
    "one name, two units": (([], ["awgn", "gaussian_blur_13x13"], None, "1"), "of one level and unit"),
}


def test_a_clean_severity_is_the_identity():
    assert [str(one) for one in select([], ["contrast"], "clean,1")["contrast"]] == ["clean", "1"]


@pytest.mark.parametrize("case", WRONG)
def test_mistakes_are_one_line(case):
    asked, line = WRONG[case]
    with pytest.raises((ConfigError, CorruptionError), match=line) as caught:
        select(*asked)
    assert "\n" not in str(caught.value)


def test_a_stored_form_counts_for_all_strengths_of_its_corruption():
    cells = select([], ["fog@1-3@jpeg85", "awgn@0.1,0.2@jpeg90", "contrast@2"])
    assert {name: [str(one) for one in strengths] for name, strengths in cells.items()} == {
        "fog": ["1@jpeg85", "2@jpeg85", "3@jpeg85"],
        "awgn": ["sigma=0.1@jpeg90", "sigma=0.2@jpeg90"],
        "contrast": ["2"],
    }
    with pytest.raises(CorruptionError, match=r"fog: a stored form is jpeg and a quality of 1 to 100.*got 'png'"):
        select([], ["fog@3@png"])
