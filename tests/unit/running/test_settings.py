"""The files of settings that stacks have."""

from pathlib import Path

import yaml

ROOT = Path(__file__).parents[3]


def test_the_local_stacks_file_has_settings_and_no_key() -> None:
    """The parameters of one clone's key in it would refuse the passphrase of every other clone."""
    file = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text("utf-8"))
    assert file.keys() == {"config"}
