from typer.testing import CliRunner

from tenantry.cli import app
from tests.unit.commands.engine import Engine
from tests.unit.planning import support
from tests.unit.planning.support import PROJECT, application

RUN = CliRunner()
WEB = support.app()


def test_drift_is_exit_code_3(engine: Engine) -> None:
    facts = {"urn": support.urn(PROJECT, "acme/web"), "type": PROJECT, "old": {"custom": True}}
    engine.answers(
        [
            {"resourcePreEvent": {"metadata": facts | {"op": "refresh", "new": {"custom": True}}}},
            {"resOutputsEvent": {"metadata": facts | {"op": "delete", "new": None}}},
        ]
    )
    for option in ([], ["--json"], ["--markdown"]):
        result = RUN.invoke(app, ["drift", *option])
        assert result.exit_code == 3
        assert "gone" in result.stdout
    engine.answers(application(WEB, WEB))
    assert RUN.invoke(app, ["drift"]).exit_code == 0
