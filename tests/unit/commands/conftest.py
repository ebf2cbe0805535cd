from pathlib import Path

import pytest

from tenantry.recovery.looking import Looker
from tests.unit.commands.engine import Engine
from tests.unit.planning import support
from tests.unit.recovery.project import Project, neon_client

ONE_APP = """\
version: 1
defaults: {environment: staging, region: aws-us-east-2}
tenants:
  acme:
    apps:
      web: {} # ours
"""


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry of one app in the current folder."""
    monkeypatch.chdir(tmp_path)
    Path("tenants.yaml").write_text(ONE_APP)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project in the current folder, whose runs succeed without a word."""
    made = Project(tmp_path)
    monkeypatch.chdir(tmp_path)
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TENANTRY_ALLOW_DESTROY", "acme/left-over")
    (tmp_path / "__main__.py").touch()
    made.pulumi.answers("up")
    made.pulumi.tells("preview")
    monkeypatch.setattr(Looker, "connect", lambda *_: neon_client(made.neon))
    made.write_state({"urn": support.urn(support.APP, "acme/old"), "type": support.APP})
    return made


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PULUMI_BACKEND_URL", "file:///nowhere")
    monkeypatch.setenv("PULUMI_STACK", "dev")
    monkeypatch.setenv("TENANTRY_ALLOW_DESTROY", "left/over")
    made = Engine(tmp_path)
    monkeypatch.setenv("PATH", made.pulumi.path)
    return made
