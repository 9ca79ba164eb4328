"""`leaderboard run`: all models of the boards under a further suite, from a zoo file."""

import pytest

CLEAN, NOISE = "tiny_cnn=digits-clean", "tiny_cnn=digits-noise"
ZOO = 'dataset = "digits"\nlimit = 40\nmodels = ["tiny_cnn=digits-clean", "other::tiny_cnn=digits-noise"]\n'


@pytest.fixture
def boards(robench, tmp_path):
    asked = ("-d", "digits", "--limit", "40", "-s", "pivot/1", "-o", tmp_path / "run")
    assert robench("evaluate", "-m", CLEAN, "-m", NOISE, *asked).code == 0
    assert robench("leaderboard", "add", tmp_path / "run", "--board", tmp_path / "boards").code == 0
    (tmp_path / "zoo.toml").write_text(ZOO)
    return tmp_path / "boards"


def test_models_of_the_boards_are_evaluated_and_added(robench, boards, tmp_path):
    asked = ("--config", tmp_path / "zoo.toml", "--board", boards, "-o", tmp_path / "further")
    done = robench("leaderboard", "run", "demo/1", *asked)
    assert done.code == 0, done.err
    assert f"has no model '{NOISE}', which is on a board" in done.err
    assert [line for line in done.out.splitlines() if "demo-1" in line and CLEAN in line]
    assert "other" not in done.out
    assert (boards / "digits" / "demo-1.json").exists()


@pytest.mark.parametrize(
    ("suite", "zoo", "words"),
    [
        ("demo/9", ZOO, "unknown suite 'demo/9'; did you mean demo/1"),
        (
            "demo/1",
            ZOO.replace("digits-clean", "digits-noise").replace(
                'tiny_cnn=digits-noise", ', 'x::tiny_cnn=digits-noise", '
            ),
            "expected models of its boards in the zoo",
        ),
    ],
)
def test_what_is_not_there_is_one_line(robench, boards, tmp_path, suite, zoo, words):
    (tmp_path / "zoo.toml").write_text(zoo)
    asked = ("--config", tmp_path / "zoo.toml", "--board", boards, "-o", tmp_path / "further")
    done = robench("leaderboard", "run", suite, *asked)
    assert done.code != 0
    assert words in done.line
    assert not (tmp_path / "further").exists()
