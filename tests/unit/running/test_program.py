import subprocess
import sys
from pathlib import Path

from tenantry.running.program import PROGRAM, program_digest

ROOT = Path(__file__).parents[2]


def test_all_that_the_program_is_made_of_counts() -> None:
    # What is imported to declare an app, and by the process that serves its dynamic resources.
    script = (
        "import components.program, providers.aura, providers.api_keys, providers.catalog, providers.schema, sys; "
        "print(*(name for name in sys.modules if name.split('.')[0] in "
        "{'components', 'providers', 'pulumi_neon', 'tenantry'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    loaded = [name for name in done.stdout.split() if name != "tenantry"]
    assert len(loaded) > 20
    left = [
        name
        for name in loaded
        if not any(name == part or name.startswith(f"{part}.") for part in PROGRAM)
    ]
    assert left == []


def test_the_digest_of_the_program_is_one_while_it_is_the_same() -> None:
    assert program_digest() == program_digest.__wrapped__()
    assert len(program_digest()) == 64
    # The templates' revisions count through the apps that have them, where those are known.
    assert program_digest(revisions=True) != program_digest()
