import signal
import subprocess
import sys
import textwrap

# What the SDK's server does: it waits without end, and stops at SIGINT once its threads are done.
SERVER = textwrap.dedent("""
    import sys, threading, time
    from concurrent.futures import ThreadPoolExecutor
    from importlib.machinery import ModuleSpec

    __spec__ = ModuleSpec(NAME, None)
    from providers.abandoned import end_with_the_engine

    end_with_the_engine()
    end_with_the_engine()

    def work():
        time.sleep(0.5)
        sys.stderr.write("done")

    pool = ThreadPoolExecutor()
    pool.submit(work)
    try:
        print("ready", flush=True)
        threading.Event().wait(LONGEST)
    except KeyboardInterrupt:
        pass
    else:
        sys.stderr.write(" stayed")
""")


def abandoned(
    name: str, longest: float, *, code: int = 0, interrupt: signal.Handlers = signal.SIG_DFL
) -> str:
    script = SERVER.replace("NAME", repr(name)).replace("LONGEST", str(longest))
    # Whatever this process does with SIGINT: a child inherits it where it is ignored.
    before = signal.signal(signal.SIGINT, interrupt)
    try:
        server = subprocess.Popen(
            [sys.executable, "-c", script],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    finally:
        signal.signal(signal.SIGINT, before)
    with server:
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
        server.stdout.close()
        server.stdout = None
        try:
            _, said = server.communicate(timeout=20)
        finally:
            server.kill()
    assert server.returncode == code
    return said


def test_it_ends_with_the_engine_and_does_to_the_end_what_it_does() -> None:
    assert abandoned("pulumi.dynamic.__main__", 8) == "done"


def test_it_ends_also_where_interrupts_are_ignored() -> None:
    said = abandoned("pulumi.dynamic.__main__", 8, code=-signal.SIGTERM, interrupt=signal.SIG_IGN)
    assert "stayed" not in said


def test_elsewhere_it_does_nothing() -> None:
    assert abandoned("program", 1) == "done stayed"
