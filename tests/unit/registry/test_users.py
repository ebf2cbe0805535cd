from pathlib import Path

import pytest

from tenantry.registry.users import UsersError, read_users


def read(folder: Path, content: bytes) -> list[str]:
    (folder / "users").write_bytes(content)
    return read_users(str(folder / "tenants.yaml"), "./users")


def test_a_line_is_a_user_and_a_hash_begins_a_comment(tmp_path: Path) -> None:
    assert read(tmp_path, b"\n# all of them\r\na\r\n b-1 # the second\n") == ["a", "b-1"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", r'./users names nobody: for no users write "users: \[\]" in its place'),
        (b"# nobody\n\n", "names nobody"),
        (b"a\nb c\n", './users, line 2: "b c" is not a user\'s id'),
        (b"\xff\n", "is not UTF-8"),
    ],
)
def test_a_file_that_says_nothing_or_the_wrong_thing_is_refused(
    tmp_path: Path, content: bytes, said: str
) -> None:
    with pytest.raises(UsersError, match=said):
        read(tmp_path, content)
