"""`tenantry env`: the variables of the local cloud, for a shell."""

from pathlib import Path

from tenantry.commands.options import AsJson
from tenantry.presenting.printing import one_line_errors, print_json


def env(
    *,
    as_json: AsJson = False,
) -> None:
    """Print the variables that a shell needs to run pulumi on the local cloud.

    eval "$(tenantry env)"

    Exit code: 0; 1 where it does not run.

    JSON: an object of the variables. The path of the passphrase's file is among them, the passphrase is not. The local
    cloud's own keys are.
    """
    import shlex

    from tenantry.running.local import UNSET, environment

    with one_line_errors():
        variables = environment(Path.cwd())
    if as_json:
        print_json(variables)
    else:
        print(f"unset {' '.join(UNSET)}")
        for name, value in variables.items():
            print(f"export {name}={shlex.quote(value)}")
