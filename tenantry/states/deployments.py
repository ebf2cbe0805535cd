"""Cuts a stack's state apart by its apps, and puts such parts together. Pure: nothing is read, written or decrypted.

A state is what the engine calls a deployment (pulumi 3, `apitype.DeploymentV3`): a list of resources, each after those
that it refers to. They refer to each other by URN, which begins with the stack's name. An app is its component and all
that has it for an ancestor. The rest is shared: the stack's own resource with its outputs, providers, the catalog's
tables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from tenantry.registry import tokens
from tenantry.registry.moving import MOVED
from tenantry.registry.names import app_of
from tenantry.states.apps import name_of, resources_of
from tenantry.states.errors import StatesError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from tenantry.states.apps import Deployment, Resource

_BY_APP: Final = ("apps", "urls", "apiKeys", "graphs")
"""Outputs of a stack that have an entry for each app, or for each graph, whose id begins with its app's."""
_SECRET: Final = "4dabf18193072939515e22adb298388d"  # noqa: S105 the engine's mark of a value that is not plain (`resource.SigKey`)
_UNTOUCHED: Final = frozenset({"stackTrace", "sourcePosition"})
"""Where a resource was declared: long, and without URNs."""


def sizes(state: Deployment | None) -> Counter[str]:
    """Count the resources of each app of a state."""
    return Counter(_owners(state or {}).values())


def part(state: Deployment, app: str, source: str, target: str) -> dict[str, Any]:
    """Return the state of a stack that holds one of a state's apps, with what the app shares.

    Ciphertexts are taken as they are, so the part has the whole's key.

    :param source: the stack that the state is of
    :param target: the stack that the part is for
    :raises StatesError: the app refers to something that is neither its own nor shared
    """
    owner = _owners(state)
    shared = _shared(state, owner)
    own = [each for each in resources_of(state) if owner.get(each["urn"]) == app]
    needed = _closure([*own, *(each for each in shared if not _is_default(each))], shared)
    chosen = [
        each
        for each in resources_of(state)
        if owner.get(each["urn"]) == app or (each["urn"] in needed and not each.get("delete"))
    ]
    cut = {
        **{key: value for key, value in state.items() if key != "pending_operations"},
        "resources": [_with_outputs_of(each, lambda name: name == app) for each in chosen],
    }
    check_whole(cut, target)
    return renamed(cut, source, target)


def without(state: Deployment, apps: Collection[str]) -> dict[str, Any]:
    """Return a state without these apps. What was shared stays.

    :raises StatesError: something that stays refers to them
    """
    owner = _owners(state)
    left = {
        **state,
        "resources": [
            _with_outputs_of(each, lambda name: name not in apps)
            for each in resources_of(state)
            if owner.get(each["urn"]) not in apps
        ],
    }
    check_whole(left, "the stack")
    return left


def joined(
    state: Deployment | None, target: str, parts: Mapping[str, Deployment]
) -> dict[str, Any]:
    """Return a state with the apps of other stacks. Of shared resources that both have, it keeps its own.

    :param state: that of `target`; None where nothing was applied to it
    :param parts: by stack, states with the same key as `state`
    :raises StatesError: an app, or what it consists of, is there already
    """
    found = dict(state or {})
    resources = list(resources_of(found))
    for source, other in parts.items():
        if not found.get("secrets_providers"):
            found = {**other, **found, "secrets_providers": other.get("secrets_providers")}
        resources = _merged(resources, renamed(other, source, target))
    found["resources"] = resources
    check_whole(found, target)
    return found


def marked(state: Deployment, moved: Mapping[str, str]) -> dict[str, Any]:
    """Return a state whose outputs say which apps were moved out of it (`moved_apps`), in place of what they said.

    :raises StatesError: the state has no resource for the stack itself
    """
    resources = []
    there = False
    for each in resources_of(state):
        if each["type"] != tokens.STACK:
            resources.append(each)
            continue
        there = True
        outputs = {k: v for k, v in (each.get("outputs") or {}).items() if k != MOVED}
        if moved:
            outputs[MOVED] = dict(sorted(moved.items()))
        resources.append({**each, "outputs": outputs})
    if not there and moved:
        raise StatesError(
            "the state has no resource of the stack itself: apply it once, then go on"
        )
    return {**state, "resources": resources}


def check_whole(state: Deployment, where: str) -> None:
    """Refuse a state in which a resource refers to one that does not come before it, as the engine would.

    :raises StatesError: naming one such resource
    """
    seen: set[str] = set()
    for each in resources_of(state):
        for urn in _references(each):
            if urn not in seen:
                raise StatesError(
                    f"{where}: {name_of(each)} ({each['type']}) refers to {urn}, which would not be there: nothing was changed"
                )
        seen.add(each["urn"])


def _merged(ours: list[Resource], others: Deployment) -> list[Resource]:
    there = {each["urn"]: each for each in ours}
    owner = _owners(others)
    result = list(ours)
    own_id: dict[str, str] = {}
    for each in resources_of(others):
        held = there.get(each["urn"])
        if held is None:
            result.append(_with_providers(each, own_id))
        elif owner.get(each["urn"]) is not None:
            raise StatesError(f"{each['urn']} is there already: nothing was changed")
        elif each["type"] == tokens.STACK:
            place = next(i for i, one in enumerate(result) if one["urn"] == each["urn"])
            result[place] = {**result[place], "outputs": _together(result[place], each)}
        elif each["type"].startswith(tokens.PROVIDERS):
            # A provider's id belongs to its stack. The resources that use the provider name it.
            own_id[f"{each['urn']}::{each['id']}"] = f"{held['urn']}::{held['id']}"
    return result


def _with_providers(resource: Resource, own_id: Mapping[str, str]) -> Resource:
    used = own_id.get(resource.get("provider") or "")
    return {**resource, "provider": used} if used else resource


def _together(ours: Resource, others: Resource) -> dict[str, Any]:
    outputs = dict(ours.get("outputs") or {})
    for name, value in (others.get("outputs") or {}).items():
        if name in _BY_APP:
            outputs[name] = dict(sorted({**(outputs.get(name) or {}), **value}.items()))
        elif name != MOVED:
            outputs.setdefault(name, value)
    return outputs


def _with_outputs_of(resource: Resource, keep: Any) -> Resource:  # noqa: ANN401 a test of an app's id
    if resource["type"] != tokens.STACK:
        return resource
    outputs = dict(resource.get("outputs") or {})
    outputs.pop(MOVED, None)
    for name in _BY_APP:
        value = outputs.get(name)
        if value is None:
            continue
        if not isinstance(value, Mapping) or _SECRET in value:
            raise StatesError(f"the stack's output {name} is not by app: apply it once, then go on")
        outputs[name] = {key: each for key, each in value.items() if keep(app_of(key))}
    return {**resource, "outputs": outputs}


def _owners(state: Deployment) -> dict[str, str]:
    """Return the app of each resource that belongs to one, by URN. A parent comes before its children."""
    owner: dict[str, str] = {}
    for each in resources_of(state):
        if each["type"] == tokens.TENANT_APP:
            owner[each["urn"]] = name_of(each)
        elif (parent := each.get("parent")) in owner:
            owner[each["urn"]] = owner[parent]
    return owner


def _shared(state: Deployment, owner: Mapping[str, str]) -> list[Resource]:
    # Resources that wait for their deletion stay where they are.
    return [
        each for each in resources_of(state) if each["urn"] not in owner and not each.get("delete")
    ]


def _closure(begin: Iterable[Resource], shared: Iterable[Resource]) -> set[str]:
    by_urn = {each["urn"]: each for each in shared}
    needed: set[str] = set()
    waiting = list(begin)
    while waiting:
        each = waiting.pop()
        if each["urn"] in by_urn:
            needed.add(each["urn"])
        waiting += [by_urn[urn] for urn in _references(each) if urn in by_urn and urn not in needed]
    return needed


def _is_default(resource: Resource) -> bool:
    """Tell whether the engine made this provider for resources that name none. It is left out where nothing uses it."""
    return resource["type"].startswith(tokens.PROVIDERS) and name_of(resource).startswith("default")


def _references(resource: Resource) -> Iterator[str]:
    if resource.get("parent"):
        yield resource["parent"]
    if resource.get("provider"):
        yield resource["provider"].rpartition("::")[0]
    yield from resource.get("dependencies") or ()
    for urns in (resource.get("propertyDependencies") or {}).values():
        yield from urns or ()
    if resource.get("deletedWith"):
        yield resource["deletedWith"]
    yield from resource.get("replaceWith") or ()


def renamed(state: Deployment, source: str, target: str) -> dict[str, Any]:
    """Return a state with one stack's name in the place of another's in every URN."""
    before, after = f"urn:pulumi:{source}::", f"urn:pulumi:{target}::"

    def walk(value: Any) -> Any:  # noqa: ANN401 as above
        if isinstance(value, str):
            return named(value) if value.startswith(before) else value
        if isinstance(value, Mapping):
            return {k: v if k in _UNTOUCHED else walk(v) for k, v in value.items()}
        if isinstance(value, list):
            return [walk(each) for each in value]
        return value

    def named(urn: str) -> str:
        rest = urn.removeprefix(before)
        project, _, below = rest.partition("::")
        # The stack's own resource is called PROJECT-STACK.
        if below == f"{tokens.STACK}::{project}-{source}":
            return f"{after}{project}::{tokens.STACK}::{project}-{target}"
        return after + rest

    return {key: walk(each) for key, each in state.items()}
