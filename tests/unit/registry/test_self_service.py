"""`self_service` and `notify`: what is refused when the file is read, and what the program gets."""

import pytest

from tenantry.registry import RegistryError, parse
from tenantry.registry.notices import OCCASIONS, Mail, Slack, Webhook

HEAD = """version: 1
defaults: {environment: development, region: aws-us-east-2, deletion: protect, quotas: {api_keys: 2}}
tenants:
  acme:
    quotas: {services: 1}
    apps:
      web: {graphs_per_user: {type: professional-db, cloud: gcp, region: us-central1, memory: 1GB, users: []}}
      free: {graphs_per_user: {type: free-db, cloud: gcp, region: us-central1, memory: 1GB, users: []}}
      bare: {}
  globex: {apps: {}}
"""
AT = HEAD.count("\n") + 1


def problems(text: str) -> list[tuple[str, str]]:
    with pytest.raises(RegistryError) as caught:
        parse((HEAD + text).encode())
    assert all(each.line >= AT for each in caught.value.problems)
    return [(each.path, each.message) for each in caught.value.problems]


def test_what_is_offered_is_complete() -> None:
    registry = parse(
        (
            HEAD
            + """self_service:
  plans:
    starter: {database: {schema: base}, api_keys: [{name: default}]}
    pro: {environment: production, deletion: retain, quotas: {api_keys: 5}}
  tenants: {acme: {plans: [starter, pro], max_apps: 50}, globex: {plans: []}}
  regions: [eu-central-1, aws-us-east-2]
  sign_ups: {app: acme/web}
"""
        ).encode()
    )
    offers = registry.self_service
    assert offers is not None
    assert list(offers.plans) == ["starter", "pro"]
    assert offers.plans["starter"].settings["deletion"] == "delete", "the defaults have no say"
    assert offers.plans["pro"].settings["deletion"] == "retain"
    assert offers.plans["pro"].quotas == {"api_keys": 5}
    assert offers.regions_of(offers.plans["pro"]) == ("aws-us-east-2", "aws-eu-central-1")
    assert (offers.tenants["acme"].max_apps, offers.tenants["globex"].max_apps) == (50, 10)
    assert offers.tenants["globex"].plans == ()
    assert offers.sign_ups == "acme/web"


def test_a_registry_without_it_offers_nothing() -> None:
    assert parse(HEAD.encode()).self_service is None
    assert parse(HEAD.encode()).notify == ()


@pytest.mark.parametrize(
    ("text", "path", "says"),
    [
        ("plans: {a: {regoin: x}}", "plans.a.regoin", 'did you mean "region"?'),
        ("plans: {a: {adopt: {project: x-y-1}}}", "plans.a.adopt", "is not a key here"),
        ("plans: {a: {renamed_from: acme/b}}", "plans.a.renamed_from", "is not a key here"),
        (
            "plans: {a: {database: {statement_timeout: 30}}}",
            "plans.a.database.statement_timeout",
            "has no unit",
        ),
        ("plans: {a: {region: mars}}", "plans.a.region", '"mars"'),
        ("plans: {A: {}}", "plans.A", "is not a name"),
        ("plans: {a: {database: {schema: shop}}}", "plans.a.database.schema", "is not a template"),
        (
            "plans: {a: {database: {compute: {min_cu: 4, max_cu: 1}}}}",
            "plans.a.database.compute.min_cu",
            "the least must not be above the most",
        ),
        (
            "plans: {a: {database: {protected: true}}}",
            "plans.a.database.protected",
            "another deletion",
        ),
        (
            "plans: {a: {api_keys: [{name: b}, {name: b}]}}",
            "plans.a.api_keys[1].name",
            "another key of the app",
        ),
        (
            "plans: {a: {graph: {type: free-db, cloud: gcp, region: us-central1, memory: 1GB}}}",
            "plans.a.graph.type",
            "an Aura account has one",
        ),
        (
            (
                "plans: {a: {graphs_per_user: {type: professional-db, cloud: gcp, region: us-central1, memory: 1GB, "
                "users_file: ./none}}}"
            ),
            "plans.a.graphs_per_user.users_file",
            "cannot be read",
        ),
        ("tenants: {initech: {plans: []}}", "tenants.initech", "is no tenant of this file"),
        ("tenants: {all: {plans: []}}", "tenants.all", "reserved"),
        ("tenants: {acme: {}}", "tenants.acme.plans", "is missing"),
        (
            "plans: {starter: {}}, tenants: {acme: {plans: [startr]}}",
            "tenants.acme.plans[0]",
            'did you mean "starter"?',
        ),
        ("plans: {a: {}}, tenants: {acme: {plans: [a, a]}}", "tenants.acme.plans[1]", "twice"),
        ("tenants: {acme: {plans: [], max_apps: -1}}", "tenants.acme.max_apps", "out of range"),
        ("max_apps: true", "max_apps", "must be a whole number"),
        ("regions: [aws-us-east-2, us-east-2]", "regions[1]", "twice"),
        ("regions: [mars]", "regions[0]", '"mars"'),
        ("deletion: no", "deletion", "is not known"),
        ("sign_ups: {app: acme/none}", "sign_ups.app", "is not in this file"),
        ("sign_ups: {app: acme/bare}", "sign_ups.app", "has no graphs_per_user"),
        ("sign_ups: {app: acme/free}", "sign_ups.app", "an Aura account has one"),
        ("sign_ups: {app: web}", "sign_ups.app", "is not an app's id"),
    ],
)
def test_what_a_caller_would_trip_over_is_refused(text: str, path: str, says: str) -> None:
    found = problems(f"self_service: {{{text}}}\n")
    assert [(each, says in message) for each, message in found] == [(f"self_service.{path}", True)]


def test_a_tenants_quota_holds_for_its_plans() -> None:
    """The rule breaks for the one tenant only, whose quota is the value that is named."""
    plan = "plans: {a: {services: [auth, storage]}}"
    assert parse(f"{HEAD}self_service: {{{plan}, tenants: {{globex: {{plans: [a]}}}}}}\n".encode())
    found = problems(f"self_service: {{{plan}, tenants: {{acme: {{plans: [a]}}}}}}\n")
    assert found == [
        (
            "self_service.plans.a.services",
            "2 of them, and the quota is 1: remove some, or raise quotas.services",
        )
    ]


def test_a_plan_without_a_region_needs_a_list_to_choose_from() -> None:
    head = HEAD.replace("region: aws-us-east-2, ", "").replace(
        "      bare: {}\n", "      bare: {region: gwc}\n"
    )
    for app in ("web", "free"):
        head = head.replace(f"{app}: {{", f"{app}: {{region: gwc, ")
    with pytest.raises(RegistryError, match=r"plans\.a\.region: is missing"):
        parse(f"{head}self_service: {{plans: {{a: {{}}}}}}\n".encode())
    registry = parse(f"{head}self_service: {{plans: {{a: {{}}}}, regions: [gwc]}}\n".encode())
    assert registry.self_service
    assert registry.self_service.plans["a"].region is None


def test_all_faults_are_told_at_once() -> None:
    found = problems("""self_service:
  plans:
    a: {database: {protected: true}, environment: prod}
    b: nothing
  tenants: {acme: {plans: [a, b, c]}, nobody: {plans: []}}
notify: [{slack_from: "https://hooks.example/secret"}]
""")
    assert [path for path, _ in found] == [
        "self_service.plans.a.database.protected",
        "self_service.plans.a.environment",
        "self_service.plans.b",
        "self_service.tenants.acme.plans[2]",
        "self_service.tenants.nobody",
        "notify[0].slack_from",
    ]


def test_who_is_told_is_complete() -> None:
    registry = parse(
        (
            HEAD
            + """notify:
  - {url: "https://platform.example/n", secret_from: NOTIFY_SECRET, on: [ready, failed]}
  - {slack_from: SLACK_URL}
  - {smtp: "smtp.example.com:587", from: "Tenantry <a@b.example>", to: [c@d.example], user: a, password_from: P_1}
"""
        ).encode()
    )
    assert registry.notify == (
        Webhook(
            url="https://platform.example/n", secret_from="NOTIFY_SECRET", on=("ready", "failed")
        ),
        Slack(slack_from="SLACK_URL", on=OCCASIONS),
        Mail(
            host="smtp.example.com",
            port=587,
            sender="Tenantry <a@b.example>",
            to=("c@d.example",),
            user="a",
            password_from="P_1",
        ),
    )


@pytest.mark.parametrize(
    ("text", "path", "says"),
    [
        ("{}", "[0]", "needs one of"),
        ("{url: 'https://a.example', secret_from: A, slack_from: B}", "[0]", "not several"),
        ("{url: 'https://a.example'}", "[0]", '"url" needs "secret_from"'),
        ("{url: 'http://a.example', secret_from: A}", "[0].url", "is not encrypted"),
        ("{url: 'https://a.example/#x', secret_from: A}", "[0].url", "fragment"),
        ("{url: 'https://:x', secret_from: A}", "[0].url", "is not a URL"),
        ("{slack_from: A, to: [a@b.example]}", "[0]", '"to" has no meaning beside "slack_from"'),
        ("{smtp: 'a:25', to: [a@b.example]}", "[0]", '"smtp" needs "from"'),
        ("{smtp: 'a', from: a@b.example, to: [a@b.example]}", "[0].smtp", "its host and port"),
        ("{smtp: 'a:25', from: a, to: [a@b.example]}", "[0].from", "is not a mail address"),
        ("{smtp: 'a:25', from: a@b.example, to: []}", "[0]", '"to" is an empty list'),
        (
            "{smtp: 'a:25', from: a@b.example, to: [a@b.example], user: a}",
            "[0]",
            "belong together",
        ),
        ("{slack_from: A, on: [redy]}", "[0].on[0]", 'did you mean "ready"?'),
        ("{slack_from: A, on: [ready, ready]}", "[0]", '"on" names something twice'),
        ("{slack_form: A}", "[0].slack_form", 'did you mean "slack_from"?'),
    ],
)
def test_a_notification_that_cannot_be_sent_is_refused(text: str, path: str, says: str) -> None:
    found = problems(f"notify: [{text}]\n")
    assert [(each, says in message) for each, message in found] == [(f"notify{path}", True)]


@pytest.mark.parametrize(
    "text",
    [
        "{slack_from: 'https://hooks.example/t0p-s3cret'}",
        "{url: 'https://a.example', secret_from: whsec_t0p-s3cret}",
        "{url: 'https://me:t0p-s3cret@a.example', secret_from: A}",
        "{smtp: 'a:25', from: a@b.example, to: [a@b.example], user: a, password_from: t0p-s3cret}",
    ],
)
def test_a_secret_in_the_file_is_refused_and_not_shown(text: str) -> None:
    ((_, message),) = problems(f"notify: [{text}]\n")
    assert "s3cret" not in message


def test_http_is_for_this_machine() -> None:
    text = "notify: [{url: 'http://127.0.0.1:8080/n', secret_from: A}]\n"
    assert isinstance(parse((HEAD + text).encode()).notify[0], Webhook)
