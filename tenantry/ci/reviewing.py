"""What is said of a pull request: a comment, and remarks at the registry's lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenantry.ci import annotations as remarks
from tenantry.ci import texts
from tenantry.ci.runner import commit_of, in_repository
from tenantry.registry.reading import read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tenantry.ci.annotations import Annotation
    from tenantry.planning.plan import Plan
    from tenantry.registry.problems import Problem


@dataclass(frozen=True)
class Review:
    """What is said."""

    comment: str
    """Markdown."""
    annotations: Sequence[Annotation]


@dataclass(frozen=True)
class Reviewer:
    """Says what comes of one registry, in the words of one run of CI."""

    registry: Path
    environment: Mapping[str, str]
    """The variables of the run: `PULUMI_STACK`, and what the service sets."""

    def of_plan(self, made: Plan) -> Review:
        """Review a plan."""
        source = read(self.registry.read_bytes(), str(self.registry))
        return Review(
            texts.of_plan(made, self._stack, commit_of(self.environment)),
            remarks.of_plan(made, source, self._file),
        )

    def of_problems(self, problems: Sequence[Problem]) -> Review:
        """Review a registry that is not valid."""
        return Review(
            texts.of_problems([str(each) for each in problems], self._file, self._stack),
            remarks.of_problems(problems, self._file),
        )

    def of_failure(self, text: str) -> Review:
        """Review what could not be planned.

        :param text: why
        """
        remark = remarks.Annotation("error", self._file, 0, 0, "tenantry plan", text)
        return Review(texts.of_failure(text, self._stack), [remark])

    @property
    def _stack(self) -> str:
        return self.environment.get("PULUMI_STACK", "")

    @property
    def _file(self) -> str:
        return in_repository(self.registry, self.environment)
