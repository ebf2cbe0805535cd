"""A mail server for tests: SMTP (RFC 5321) with STARTTLS and AUTH PLAIN, on a real socket, in a thread."""

import asyncio
import base64
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class MailServer:
    """What it is to do, and what it has got."""

    tls: ssl.SSLContext | None = None
    logins: dict[str, str] = field(default_factory=dict)
    answers: dict[str, list[str]] = field(default_factory=dict)
    """By command what is answered next in place of what would be; a text is used once. Empty: the line is cut."""
    port: int = 0
    mails: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Talk to one client until it leaves."""
        encrypted = False
        writer.write(b"220 here\r\n")
        while line := (await reader.readline()).decode():
            words = line.split()
            command = words[0].upper()
            self.commands.append(f"{command}{' (TLS)' if encrypted else ''}")
            ordered = self.answers.get(command, [])
            if ordered:
                answer = ordered.pop(0)
                if not answer:
                    break
            elif command == "EHLO":
                lines = ["250-here"]
                lines += ["250-AUTH PLAIN"] if self.logins else []
                lines += ["250-STARTTLS"] if self.tls and not encrypted else []
                answer = "\r\n".join([*lines, "250 8BITMIME"])
            elif command == "STARTTLS":
                writer.write(b"220 go\r\n")
                assert self.tls
                try:
                    await writer.start_tls(self.tls)
                except (ssl.SSLError, ConnectionError):
                    break
                encrypted = True
                continue
            elif command == "AUTH":
                _, user, password = base64.b64decode(words[2]).decode().split("\0")
                good = self.logins.get(user) == password
                answer = "235 good" if good else f"535 what is {line.strip()}"
            elif command == "DATA":
                writer.write(b"354 go\r\n")
                text = ""
                while (part := (await reader.readline()).decode()) != ".\r\n":
                    text += part
                self.mails.append(text)
                answer = "250 taken"
            else:
                answer = "221 bye" if command == "QUIT" else "250 good"
            writer.write(f"{answer}\r\n".encode())
        writer.close()


@contextmanager
def mail_server(server: MailServer) -> Iterator[MailServer]:
    """Run it for the length of a block, on a free port of 127.0.0.1."""
    started = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def run() -> None:
        async with await asyncio.start_server(server.serve, "127.0.0.1", 0) as listener:
            server.port = listener.sockets[0].getsockname()[1]
            started.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    try:
        assert started.wait(10)
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.run_until_complete(asyncio.sleep(0.05))
        loop.close()
