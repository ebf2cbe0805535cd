import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantry.registry.document import Map, dotted
from tenantry.registry.problems import Position, RegistryError
from tenantry.registry.reading import read


def test_quoted_scalars_are_text() -> None:
    root = read(b"a: '1'\nb: \"true\"\nc: |\n  null\n", "f").root
    assert root == {"a": "1", "b": "true", "c": "null\n"}


def test_values_and_keys_know_their_lines_and_columns() -> None:
    source = read(b"a:\n  b: [x, {c: 1}]\n", "f")
    assert source.locate(("a", "b")).at == Position(2, 6)
    assert source.locate(("a", "b"), key=True).at == Position(2, 3)
    assert source.locate(("a", "b", 1, "c")).at == Position(2, 14)


def test_columns_count_characters() -> None:
    assert read("ü: {é: ß}".encode(), "f").locate(("ü", "é")).at == Position(1, 8)


def test_what_is_missing_stands_where_its_parent_is() -> None:
    place = read(b"a:\n  b: 1\n", "f").locate(("a", "c", "d"))
    assert (place.at, place.depth) == (Position(2, 3), 1)


def test_an_empty_value_stands_at_its_key() -> None:
    assert read(b"a:\n  b:\n", "f").locate(("a", "b")).at == Position(2, 3)


def test_a_merge_adds_what_is_not_written() -> None:
    root = read(b"x: &x {a: 1, b: 2}\ny: &y {b: 3, c: 4}\nz:\n  <<: [*x, *y]\n  a: 0\n", "f").root
    assert isinstance(root, Map)
    assert root["z"] == {"a": 0, "b": 2, "c": 4}


def test_a_quoted_merge_sign_is_a_key() -> None:
    assert read(b"'<<': 1\n", "f").root == {"<<": 1}


def test_an_aliased_value_stands_where_it_is_used_and_knows_where_it_is_written() -> None:
    source = read(b"x: &x\n  a: {b: 1}\ny: *x\nz: [*x]\nw:\n  <<: *x\nv:\n  <<: {u: *x}\n", "f")
    written = Position(2, 10)
    assert source.locate(("y", "a", "b"))[::2] == (Position(3, 4), written)
    assert source.locate(("z", 0, "a", "b"))[::2] == (Position(4, 5), written)
    assert source.locate(("w", "a", "b"))[::2] == (Position(6, 3), written)
    assert source.locate(("v", "u", "a", "b"))[::2] == (Position(8, 3), written)
    assert source.locate(("x", "a", "b"))[::2] == (written, None)


def test_a_sequence_of_scalars() -> None:
    assert read(b"- a\n- 1\n", "f").root == ["a", 1]


def test_a_byte_order_mark_is_tolerated() -> None:
    assert read(b"\xef\xbb\xbfa: 1\n", "f").root == {"a": 1}


def test_number_texts_are_recovered_as_written() -> None:
    source = read(b"a: 5.10 # five\nb: [1e3, 2]\nc: *d\n", "f")
    assert source.written(("a",)) == "5.10"
    assert source.written(("b", 0)) == "1e3"


def test_paths_are_shown_with_dots_and_indexes() -> None:
    assert dotted(("tenants", "acme", "api_keys", 0, "name")) == "tenants.acme.api_keys[0].name"
    assert dotted(("a b", "c.d", "\n")) == r'"a b"."c.d"."\n"'


def complaints(content: bytes) -> list[str]:
    try:
        return [str(problem) for problem in read(content, "f").problems]
    except RegistryError as error:
        return str(error).splitlines()


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader_in_another_way(content: bytes) -> None:
    assert all(re.match(r"f:\d+:\d+: ", line) for line in complaints(content))


@given(st.text(alphabet="ab:-[]{}&*!|>'\"#%@`,?\n\t 0<\x85\u2028", max_size=80))
def test_no_text_breaks_the_reader_in_another_way(content: str) -> None:
    lines = content.split("\n")
    for complaint in complaints(content.encode()):
        where = re.match(r"f:(\d+):(\d+): ", complaint)
        assert where, complaint
        # A line that exists, and at most the end of it.
        assert len(lines[int(where[1]) - 1]) + 1 >= int(where[2]), complaint


@pytest.mark.parametrize("text", ["a: 1\nb", "a: 1\nb\n", "a: 1\nb\n\n\n", "a: [\n", "a: {b: [c]"])
def test_what_the_end_of_the_file_breaks_is_said_where_it_begins(text: str) -> None:
    with pytest.raises(RegistryError) as refusal:
        read(text.encode(), "f")
    at = refusal.value.problems[0]
    assert text.split("\n")[at.line - 1][at.column - 1] in "b[{"


def test_line_breaks_of_older_yaml_may_be_written_as_escapes() -> None:
    assert read(b'a: "\\u2028\\N"\n', "f").root == {"a": "\u2028\x85"}
