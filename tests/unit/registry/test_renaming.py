"""`rename` changes a key, adds `renamed_from`, and leaves every other byte."""

from pathlib import Path

import pytest

from tenantry.registry import parse
from tenantry.registry.editing import EditError, RegistryFile
from tenantry.registry.renaming import rename

HEAD = "version: 1\ndefaults: {environment: staging, region: gwc}\ntenants:\n"


def renamed(tenants: str, old: str, new: str) -> str:
    content = (HEAD + tenants).encode()
    edit = rename(RegistryFile(Path("tenants.yaml"), content, parse(content)), old, new)
    assert edit.before == content
    return edit.after.decode().removeprefix(HEAD)


@pytest.mark.parametrize(
    ("before", "old", "new", "after"),
    [
        (
            "  acme:\n    apps:\n      # ours\n      web: # c\n        services: [auth]\n      lab: {}\n",
            "acme/web",
            "acme/site",
            "  acme:\n    apps:\n      # ours\n      site: # c\n        services: [auth]\n        renamed_from: acme/web\n      lab: {}\n",
        ),
        (
            '  acme: {apps: {"web": {}, lab: {}}} # c\n',
            "acme/web",
            "acme/site",
            '  acme: {apps: {"site": {renamed_from: acme/web}, lab: {}}} # c\n',
        ),
        (
            "  acme:\n    apps:\n      site: {renamed_from: acme/web}\n",
            "acme/site",
            "acme/shop",
            "  acme:\n    apps:\n      shop: {renamed_from: [acme/site, acme/web]}\n",
        ),
        (
            "  acme:\n    apps:\n      site: {renamed_from: acme/web}\n",
            "acme/site",
            "acme/web",
            "  acme:\n    apps:\n      web: {renamed_from: acme/site}\n",
        ),
        (
            "  acme:\n    apps:\n      site: {}\n",
            "acme/web",
            "acme/site",
            "  acme:\n    apps:\n      site: {renamed_from: acme/web}\n",
        ),
        (
            "  acme:\n    name: Acme Inc. # c\n    apps:\n      web: {}\n",
            "acme",
            "globex",
            "  globex:\n    name: Acme Inc. # c\n    renamed_from: acme\n    apps:\n      web: {}\n",
        ),
        (
            "  acme:\n    apps:\n      web: {}\n",
            "acme",
            "globex",
            "  globex:\n    apps:\n      web: {}\n    renamed_from: acme\n",
        ),
        (
            (
                "  acme:\n    apps:\n      web:\n        # first\n        services:\n          - auth # c\n        deletion: retain\n"
                "          # behind\n      lab: {}\n  globex:\n    apps: {}\n"
            ),
            "acme/web",
            "globex/site",
            (
                "  acme:\n    apps:\n      lab: {}\n  globex:\n    apps:\n      site:\n        # first\n        services:\n          - auth # c\n"
                "        deletion: retain\n        renamed_from: acme/web\n          # behind\n"
            ),
        ),
    ],
    ids=[
        "a block",
        "braces and quotes",
        "a second time",
        "and back",
        "edited by hand already",
        "a tenant",
        "a tenant without a name",
        "to another tenant",
    ],
)
def test_one_key_and_what_it_was(before: str, old: str, new: str, after: str) -> None:
    assert renamed(before, old, new) == after


TWO = "  acme:\n    apps: {web: {}, lab: {}}\n  globex:\n    apps: {}\n"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("acme/web", "acme/lab", "both there"),
        ("acme/web", "acme/web", "called already"),
        ("acme/wbe", "acme/site", 'neither "acme/wbe" .did you mean "acme/web".. nor acme/site'),
        ("acme/web", "site", "write tenant/app twice, or two tenants"),
        ("acme/web", "acme/A", "lower-case letters"),
        ("acme", "all", "lower-case letters"),
        ("acme", "globex", "both there"),
        ("acme/web", "other/web", "there is no tenant other to move it to"),
    ],
)
def test_what_cannot_be_is_one_line(old: str, new: str, said: str) -> None:
    with pytest.raises(EditError, match=said) as found:
        renamed(TWO, old, new)
    assert len(str(found.value).splitlines()) == 1


def test_what_is_shared_is_left_to_the_operator() -> None:
    shared = "  acme:\n    apps:\n      web: &one {services: [auth]}\n      lab: *one\n"
    with pytest.raises(
        EditError, match="no room for the change: write renamed_from: acme/web by hand"
    ):
        renamed(shared, "acme/web", "acme/site")
