"""Templates that an installed package brings: as `docs/registry.md` shows one."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tenantry.registry import RegistryError, load, parse
from tenantry.registry.schemas import plan_schemas
from tenantry.schemas import templates
from tenantry.schemas.errors import SchemaError
from tenantry.schemas.history import history_of

REGISTRY = """\
version: 1
defaults: {environment: development, region: aws-us-east-2}
tenants: {acme: {apps: {web: {database: {schema: shop}}}}}
"""
MODULE = """\
from pathlib import Path

from tenantry.schemas.templates import TEMPLATES, Template

SHOP = Template(
    "shop",
    (*TEMPLATES["base"].folders, Path(__file__).parent / "versions"),
    extensions=("pg_trgm",),
)
WRONG = "no template"
"""
Install = Callable[..., None]


def forget() -> None:
    templates._installed.cache_clear()
    templates.template_named.cache_clear()


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install packages as pip leaves them: a folder of modules, and one that tells of them."""
    site = tmp_path / "site-packages"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))

    def put(package: str = "shop-templates", entry: str = "shop = shop_templates:SHOP") -> None:
        module = site / package.replace("-", "_")
        (module / "versions").mkdir(parents=True)
        (module / "__init__.py").write_text(MODULE)
        (module / "versions" / "shop_0001.py").write_text(
            "revision = 'shop_0001'\ndown_revision = 'base_0001'\n"
        )
        told = site / f"{module.name}-1.2.dist-info"
        told.mkdir()
        (told / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n")
        (told / "entry_points.txt").write_text(f"[tenantry.templates]\n{entry}\n")
        forget()

    forget()
    yield put
    forget()
    for name in [each for each in sys.modules if each.startswith(("shop_templates", "other_"))]:
        del sys.modules[name]


def test_a_package_brings_a_template_that_is_built_on_one_of_ours(
    install: Install, tmp_path: Path
) -> None:
    install()
    registry = parse(REGISTRY.encode())
    plan = plan_schemas(registry.apps, tmp_path / "tenants.yaml")["acme/web"]
    assert (plan.template, plan.path) == ("shop", None)
    assert plan.revisions == ("base_0001", "shop_0001")
    assert plan.extensions == ("pg_trgm",)
    assert templates.known_templates() == ("base", "neonhub", "shop")
    pinned = REGISTRY.replace("shop}", "{template: shop, revision: shop_001}}")
    with pytest.raises(RegistryError, match='template "shop" has no revision "shop_001"'):
        parse(pinned.encode())


def test_without_its_package_there_is_no_such_template(install: Install) -> None:
    with pytest.raises(RegistryError, match='"shop" is not a template: write one of base, neonhub'):
        parse(REGISTRY.encode())
    with pytest.raises(SchemaError, match='no package brings template "shop"'):
        history_of("shop", None)
    install()
    assert parse(REGISTRY.encode())


def test_a_name_of_ours_is_not_a_packages(install: Install) -> None:
    install(entry="base = shop_templates:SHOP")
    assert templates.template_named("base") is templates.TEMPLATES["base"]
    assert templates.known_templates() == ("base", "neonhub")


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("shop = shop_templates:WRONG", r"shop_templates:WRONG is no tenantry\.schemas"),
        ("shop = shop_templates:NONE", r"shop-templates 1\.2 cannot be loaded \(shop_templates:NONE"),
        ("shop = no_such_module", r"cannot be loaded \(no_such_module\): No module named"),
    ],
)  # fmt: skip
def test_one_that_cannot_be_used_names_its_package(
    install: Install, entry: str, said: str, tmp_path: Path
) -> None:
    install(entry=entry)
    registry = parse(REGISTRY.encode())
    with pytest.raises(SchemaError, match=said) as refused:
        plan_schemas(registry.apps, tmp_path / "tenants.yaml")
    assert str(refused.value).startswith("tenants.yaml:3: acme/web: schema: ")


def test_two_packages_of_one_template_are_named(install: Install) -> None:
    install()
    install("other-templates", "shop = other_templates:SHOP")
    with pytest.raises(SchemaError, match=r"other-templates 1\.2, shop-templates 1\.2: keep one"):
        templates.template_named("shop")


def test_a_template_of_the_registrys_own_is_a_folder_with_a_name(tmp_path: Path) -> None:
    versions = tmp_path / "schemas" / "shop" / "versions"
    versions.mkdir(parents=True)
    (versions / "one.py").write_text("revision = 'one'\ndown_revision = None\n")
    file = tmp_path / "tenants.yaml"
    for written in ("./schemas/shop", "{path: ./schemas/shop, extensions: [hstore]}"):
        file.write_text(REGISTRY.replace("defaults:", f"templates: {{shop: {written}}}\ndefaults:"))
        plan = plan_schemas(load(file).apps, file, tmp_path)["acme/web"]
        assert (plan.template, plan.path) == ("shop", "schemas/shop")
        assert plan.revisions == ("one",)
        assert plan.extensions == (("hstore",) if "hstore" in written else ())
        history, layout = history_of("shop", str(tmp_path / "schemas/shop"))
        assert history.name == 'template "shop"'
        assert layout.versions == (versions,)
