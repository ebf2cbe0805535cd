"""A stand-in for the Go command, and a folder of executables that PATH is made of."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

Executable = Callable[..., Path]

FAKE_GO = r"""#!/bin/sh
# Answers what the build asks of Go; each call is a line in $FAKE_GO_LOG.
echo "$@" >> "$FAKE_GO_LOG"
case "$1 $2" in
"env GOVERSION") echo "go${FAKE_GO_VERSION:-1.99.0}"; exit ;;
esac
if [ "$1" = list ]; then
    case "$*" in *"{{.Dir}}"*) echo "$FAKE_GO_MODULE" ;; *) echo fmt; echo os ;; esac
    exit
fi
out= ; previous= ; failing= ;
for argument in "$@"; do
    [ "$previous" = -o ] && out=$argument
    case "$argument" in
    ./cmd/*|*/cmd/pulumi|*/pulumi-language-python)
        name=${argument##*/}
        if [ "$name" = "$FAKE_GO_FAILS" ]; then failing=$name; continue; fi
        if [ "$name" = "$FAKE_GO_HANGS" ]; then
            printf 'half' > "$out/$name"; touch "$FAKE_GO_LOG.hangs"; sleep 30
        fi
        # The generator is run by the build: `schemas embed DIR`.
        printf '#!/bin/sh\n[ "$1" = embed ] && echo {} > "$2/random.json"\nexit 0\n' > "$out/$name"
        chmod 755 "$out/$name"
        echo "example.com/$name" >&2 ;;
    esac
    previous=$argument
done
if [ -n "$failing" ]; then
    echo "# example.com/$failing" >&2
    echo "internal/$failing.go:7:2: ${FAKE_GO_REASON:-undefined: x}" >&2
    exit 1
fi
"""


@pytest.fixture
def executable() -> Executable:
    """Write an executable shell script."""

    def write(path: Path, body: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body if body.startswith("#!") else f"#!/bin/sh\n{body}\n", encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    return write


@pytest.fixture
def go_log(tmp_path: Path, executable: Executable, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put the stand-in for Go first on PATH; return the file that its calls are written to."""
    log = tmp_path / "go.log"
    executable(tmp_path / "go-path" / "go", FAKE_GO)
    module = tmp_path / "sdk-module" / "python"
    executable(module / "cmd" / "pulumi-language-python-exec", "echo exec")
    executable(module / "dist" / "pulumi-resource-pulumi-python", "echo dynamic")
    monkeypatch.setenv("PATH", f"{tmp_path / 'go-path'}:/usr/bin:/bin")
    monkeypatch.setenv("FAKE_GO_LOG", str(log))
    monkeypatch.setenv("FAKE_GO_MODULE", str(module.parent))
    return log


@pytest.fixture
def toolchain(tmp_path: Path) -> Path:
    """Make Go modules as small as the build can tell from the real ones."""
    folder = tmp_path / "toolchain"
    (folder / "language-python").mkdir(parents=True)
    (folder / "internal" / "embedded" / "schemas").mkdir(parents=True)
    (folder / "internal" / "embedded" / "schemas" / ".gitignore").write_text("*.json\n")
    for module in (folder, folder / "language-python"):
        (module / "go.mod").write_text("module example.com/m\n\ngo 1.26.0\n")
        (module / "go.sum").write_text("")
    (folder / "main.go").write_text("package main\n")
    (folder / "main_test.go").write_text("package main\n")
    return folder


@pytest.fixture
def lines() -> list[str]:
    """Collect what is reported: pass `lines.append`."""
    return []


@pytest.fixture(autouse=True)
def own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the operator's cache and choices out."""
    monkeypatch.delenv("TENANTRY_ENGINE", raising=False)
    monkeypatch.setenv("TENANTRY_CACHE", str(tmp_path / "cache"))
