"""A folder with settings that are fit, at servers that only notice whether anybody called."""

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import create_engine

from jobs.sample_orders import orders

MID = "3f1c09ab-0000-4000-8000-000000000001"
SITE = "3f1c09ab-0000-4000-8000-0000000000aa"
APP_KEY, APP_SECRET = "an-app-key-for-tests", "an-app-secret-for-tests"
TOKENIZATION_KEY = "a-tokenization-key-for-tests"
SUBSCRIBER_KEY = "YS1zdWJzY3JpYmVyLWtleS1mb3ItdGVzdHM="


def key_pair() -> tuple[bytes, str]:
    """A fresh Ed25519 key: the private half as OpenSSH writes it, and the public line."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption())
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return private, public.decode()


def private_file(path: Path, content: bytes, mode: int = 0o600) -> Path:
    """A file with exactly this mode."""
    path.write_bytes(content)
    path.chmod(mode)
    return path


@dataclass
class SettingsFolder:
    """The folder, the values of its settings file, and the two servers that nobody should call."""

    folder: Path
    values: dict[str, Any]
    servers: list[socket.socket] = field(default_factory=list)

    @property
    def config(self) -> Path:
        """The settings file."""
        return self.folder / "mitbatch.toml"

    @property
    def ledger(self) -> Path:
        """Where the ledger would be."""
        return self.folder / "var" / "ledger.db"

    def write(self, **changes: object) -> None:
        """Write the settings file. A change is named `section__key`; None takes the key away."""
        values: dict[str, Any] = json.loads(json.dumps(self.values))
        for name, value in changes.items():
            *sections, key = name.split("__")
            table = values
            for section in sections:
                table = table[0] if isinstance(table := table.setdefault(section, {}), list) else table
            if value is None:
                table.pop(key, None)
            else:
                table[key] = value
        self.config.write_text(toml(values), encoding="utf-8")

    def was_called(self) -> bool:
        """Whether anybody connected to one of the servers."""
        for server in self.servers:
            with contextlib.suppress(BlockingIOError):
                server.accept()[0].close()
                return True
        return False


def toml(values: dict[str, Any]) -> str:
    """TOML for scalars, tables, and lists of tables; texts and lists are written as JSON, which TOML reads."""
    plain = [f"{name} = {json.dumps(value)}" for name, value in values.items() if not _is_table(value)]
    lines = [*plain]

    def table(path: str, inner: dict[str, Any], brackets: str) -> None:
        lines.append(brackets.replace("_", path))
        lines.extend(f"{json.dumps(name)} = {json.dumps(value)}" for name, value in inner.items() if not _is_table(value))
        for name, value in inner.items():
            if isinstance(value, dict):
                table(f"{path}.{name}", value, "[_]")

    for name, value in values.items():
        if isinstance(value, dict):
            table(name, value, "[_]")
        elif _is_table(value):
            for one in value:
                table(name, one, "[[_]]")
    return "\n".join(lines) + "\n"


def _is_table(value: object) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and bool(value) and isinstance(value[0], dict))


@contextmanager
def settings_folder(folder: Path) -> Iterator[SettingsFolder]:
    """A folder that is fit to run, as long as nobody changes anything."""
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
        for server in servers:
            server.setblocking(False)
        api_port, sftp_port = (server.getsockname()[1] for server in servers)
        private, _ = key_pair()
        _, public = key_pair()
        private_file(folder / "id_ed25519", private)
        private_file(folder / "app_key", APP_KEY.encode())
        private_file(folder / "app_secret", f"{APP_SECRET}\n".encode())
        private_file(folder / "tokenization_key", f"{TOKENIZATION_KEY}\n".encode())
        private_file(folder / "subscriber_key", SUBSCRIBER_KEY.encode())
        (folder / "known_hosts").write_text(f"[127.0.0.1]:{sftp_port} {public}\n", encoding="ascii")
        make_orders(folder / "orders.db")
        values = {
            "environment": "sandbox",
            "provider": {
                "mid": MID,
                "api_url": f"http://127.0.0.1:{api_port}/v1/",
                "app_key_file": "app_key",
                "app_secret_file": "app_secret",
                "tokenization_key_file": "tokenization_key",
            },
            "sftp": {
                "host": "127.0.0.1",
                "port": sftp_port,
                "username": "merchant",
                "private_key": "id_ed25519",
                "known_hosts": "known_hosts",
                "deadline_seconds": 2,
            },
            "orders": {"url": "sqlite:///orders.db"},
            "webhook": {"public_host": "hooks.acme.example", "subscriber_key_file": "subscriber_key"},
            "sites": [{"name": "acme-us", "site_id": SITE}],
        }
        made = SettingsFolder(folder, values, servers)
        made.write()
        yield made


def make_orders(path: Path, statement: str = "") -> None:
    """An orders database with the default table, changed by a statement."""
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    engine = create_engine(f"sqlite:///{path}")
    orders.metadata.create_all(engine)
    if statement:
        with engine.begin() as connection:
            connection.exec_driver_sql(statement)
    engine.dispose()
