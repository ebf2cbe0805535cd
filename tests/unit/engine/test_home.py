from pathlib import Path

from tenantry.engine.home import link_plugins


def test_each_plugin_is_found_under_the_version_that_its_sdk_asks_for(tmp_path: Path) -> None:
    commands, home = tmp_path / "bin", tmp_path / "home"
    link_plugins(commands, home)
    links = sorted(path for path in home.rglob("*") if path.is_symlink())
    assert [str(link.relative_to(home)) for link in links] == [
        "plugins/resource-postgresql-v3.18.2/pulumi-resource-postgresql",
        "plugins/resource-random-v4.21.4/pulumi-resource-random",
        "plugins/resource-terraform-provider-v1.1.3/pulumi-resource-terraform-provider",
    ]
    assert [link.readlink().parent for link in links] == [commands] * 3


def test_a_link_that_leads_elsewhere_is_renewed(tmp_path: Path) -> None:
    link_plugins(tmp_path / "old", tmp_path / "home")
    link_plugins(tmp_path / "new", tmp_path / "home")
    links = [path for path in (tmp_path / "home").rglob("*") if path.is_symlink()]
    assert {link.readlink().parent for link in links} == {tmp_path / "new"}
