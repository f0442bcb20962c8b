"""What the system tells of the processor."""

import pytest

from seq2seq.processor import lacks_bfloat16

OLD = "processor\t: 0\nflags\t\t: fpu sse2 avx512f avx512_vnni\nvmx flags\t: vnmi ept\n"


@pytest.mark.parametrize(
    ("facts", "lacks"),
    [
        (OLD, True),
        (OLD.replace("avx512f", "avx512_bf16"), False),
        (OLD.replace("avx512f", "amx_bf16"), False),
        ("processor\t: 0\nFeatures\t: fp asimd bf16\n", False),
        ("processor\t: 0\nFeatures\t: fp asimd\n", True),
        ("cpu : POWER10\n", False),
        ("", False),
    ],
)
def test_bfloat16_is_missed_only_where_the_system_names_what_there_is(tmp_path, facts, lacks):
    (tmp_path / "cpuinfo").write_text(facts)
    assert lacks_bfloat16(tmp_path / "cpuinfo") == lacks


def test_where_nobody_tells_nothing_is_said(tmp_path):
    assert not lacks_bfloat16(tmp_path / "cpuinfo")
