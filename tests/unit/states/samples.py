"""States as runs leave them, with everything in them that moving an app must get right."""

from typing import Any

SECRET = "4dabf18193072939515e22adb298388d"
SALT = {"type": "passphrase", "state": {"salt": "v1:of-prod"}}


def urn(stack: str, kind: str, name: str) -> str:
    return f"urn:pulumi:{stack}::t::{kind}::{name}"


def state_of(stack: str, *apps: str, ids: str = "id", namespace: str = "ns") -> dict[str, Any]:
    """A stack of project `t` with these apps: each with a project, a provider of its own and a role."""
    root = urn(stack, "pulumi:pulumi:Stack", f"t-{stack}")
    neon = urn(stack, "pulumi:providers:neon", "neon")
    catalog = urn(stack, "dynamic:Catalog", "catalog")
    outputs = {
        "apps": {app: {"generation": 1} for app in apps},
        "graphs": {f"{app}/alice": {"uri": "x"} for app in apps},
        "other": 1,
    }
    resources: list[dict[str, Any]] = [
        {"urn": root, "type": "pulumi:pulumi:Stack", "outputs": outputs, "stackTrace": [{}]},
        {"urn": neon, "type": "pulumi:providers:neon", "id": f"{ids}-neon", "parent": root},
        {"urn": catalog, "type": "dynamic:Catalog", "id": "catalog", "parent": root},
    ]
    for app in apps:
        resources += _app(stack, app, ids, namespace)
    return {
        "manifest": {"time": "2026-11-22T12:00:00.5Z", "magic": "m", "version": "v3"},
        "secrets_providers": SALT,
        "resources": resources,
        "metadata": {},
    }


def _app(stack: str, app: str, ids: str, namespace: str) -> list[dict[str, Any]]:
    component = urn(stack, "tenantry:app:TenantApp", app)
    project = urn(stack, "a:b:Project", app)
    owner = urn(stack, "pulumi:providers:postgresql", app)
    random = urn(stack, "pulumi:providers:random", f"default_of_{app}")
    declared = {
        "app": app,
        "deletion": "delete",
        "organization": "org-1",
        "region": "aws-us-east-2",
        "postgresVersion": 17,
        "generation": 1,
        "branches": [],
        "namespace": namespace,
    }
    secret = {SECRET: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": f"v1:{app}"}
    root = urn(stack, "pulumi:pulumi:Stack", f"t-{stack}")
    neon = urn(stack, "pulumi:providers:neon", "neon")
    return [
        {"urn": random, "type": "pulumi:providers:random", "id": f"{ids}-random"},
        {"urn": component, "type": "tenantry:app:TenantApp", "outputs": declared, "parent": root},
        {
            "urn": project,
            "type": "neon:index/project:Project",
            "id": f"p-{app}",
            "parent": component,
            "provider": f"{neon}::{ids}-neon",
        },
        {
            "urn": owner,
            "type": "pulumi:providers:postgresql",
            "id": f"{ids}-pg",
            "inputs": {"password": secret},
            "parent": component,
            "dependencies": [project],
            "propertyDependencies": {"password": [project], "port": []},
        },
        {
            "urn": urn(stack, "c:d:Role", app),
            "type": "c:d:Role",
            "id": "r",
            "parent": component,
            "provider": f"{owner}::{ids}-pg",
            "dependencies": [urn(stack, "dynamic:Catalog", "catalog")],
            "deletedWith": project,
            "replaceWith": [project],
        },
        {
            "urn": urn(stack, "r:i:RandomId", app),
            "type": "r:i:RandomId",
            "id": "x",
            "parent": component,
            "provider": f"{random}::{ids}-random",
        },
    ]
