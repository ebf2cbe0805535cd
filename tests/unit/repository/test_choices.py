from dataclasses import replace
from pathlib import Path

import pytest

from tenantry.repository.choices import Choices, default_namespace
from tenantry.repository.errors import RepositoryError

FIRST = Choices("platform", "acme/web", "aws-us-east-2", "production")


def test_what_is_not_allowed_is_said_all_at_once() -> None:
    with pytest.raises(RepositoryError) as refused:
        replace(
            FIRST,
            namespace="Our Platform",
            cloud="neon",
            stack="a/b",
            backend="ftp://x",
            fleet=True,
            service="github",
        )
    lines = str(refused.value).splitlines()
    assert [line.split(":")[0] for line in lines] == ["--namespace", "--stack", "--backend", "--ci"]


def test_a_password_gets_into_no_file_and_no_message() -> None:
    with pytest.raises(RepositoryError, match="a URL with a password") as refused:
        replace(FIRST, cloud="neon", stack="prod", backend="postgres://me:geheim@host/states")
    assert "geheim" not in str(refused.value)
    assert replace(FIRST, cloud="neon", stack="prod", backend="postgres://host/states").backend


@pytest.mark.parametrize("wrong", [{"stack": "prod"}, {"backend": "s3://bucket"}])
def test_a_local_run_has_its_own_stack_and_states(wrong: dict[str, str]) -> None:
    with pytest.raises(RepositoryError, match="on the local cloud"):
        replace(FIRST, **wrong)  # type: ignore[arg-type]  # texts alone


def test_what_was_typed_and_is_no_choice_is_refused() -> None:
    with pytest.raises(RepositoryError, match='--cloud: "aws" is none of local, neon'):
        replace(FIRST, cloud="aws", service="jenkins")  # type: ignore[arg-type]  # as typed at a prompt


@pytest.mark.parametrize(
    ("folder", "namespace"),
    [
        ("platform", "platform"),
        ("Our Plat_form", "our-plat-form"),
        ("2026", "tenantry"),
        ("ü", "tenantry"),
    ],
)
def test_the_folders_name_is_the_namespace_where_it_can_be(folder: str, namespace: str) -> None:
    assert default_namespace(Path("/somewhere") / folder) == namespace
