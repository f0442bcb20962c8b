"""Lines of JSON, and what is wrong with them."""

import json
import re

import pytest

from seq2seq.decoding.requests import Request, parse
from seq2seq.errors import UserError


def test_an_object_becomes_a_request():
    line = '{"source": "Hallo.", "prefix": "Oh", "contain": ["a b"], "avoid": ["c", "d"]}'
    assert parse(line) == Request("Hallo.", prefix="Oh", contain=("a b",), avoid=("c", "d"))


@pytest.mark.parametrize("line", ["", "  ", '{"source": ""}'])
def test_an_empty_line_is_an_empty_source(line):
    assert parse(line) == Request("")


def test_a_source_alone_asks_for_nothing():
    assert Request("Hallo.").is_plain
    assert Request("Hallo.", prefix=" ").is_plain
    assert not Request("Hallo.", avoid=("x",)).is_plain


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Guten Tag.", "no JSON (Expecting value at column 1)"),
        ('{"source": "a"', "no JSON"),
        ('["a"]', "must be one JSON object"),
        ('{"prefix": "a"}', "source is missing"),
        ('{"source": "a", "prefx": "b"}', "unknown key 'prefx'; did you mean 'prefix'?"),
        ('{"source": "a", "x": 1}', "there are source, prefix, contain, avoid"),
        ('{"source": 3}', "source must be text, not 3"),
        ('{"source": "a", "avoid": "b"}', "avoid must be a list of texts, not 'b'"),
        ('{"source": "a", "contain": [" "]}', "must not be blank"),
        (json.dumps({"source": "a", "contain": list("abcdefghi")}), "at most 8"),
    ],
)
def test_a_mistake_is_named(line, message):
    with pytest.raises(UserError, match=re.escape(message)):
        parse(line)
