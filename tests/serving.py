"""An ASGI application behind a real socket, in a thread of the test's process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn


@contextmanager
def served(app: Any) -> Iterator[str]:
    """Serve an application on a free port of the loopback, and give its URL without a slash at the end."""
    config = uvicorn.Config(app, port=0, log_config=None, access_log=False, lifespan="auto")
    server = uvicorn.Server(config)
    started = threading.Event()
    startup = server.startup

    async def starting(*arguments: Any, **named: Any) -> None:
        await startup(*arguments, **named)
        started.set()

    server.startup = starting  # type: ignore[method-assign] # it tells nobody when it listens
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert started.wait(10), "the server did not start"
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
