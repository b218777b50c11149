"""A merchant's two settings files with keys, host keys and folders of their own, and what the doctor would see of production."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jobs.clock import SystemClock
from jobs.doctor.finding import Finding, Group, good
from jobs.golive.production_items import Seen
from jobs.output import Options
from jobs.settings_file import load_settings
from jobs.surroundings import Surroundings, of_this_machine
from schemas.settings import Settings
from tests.settings.settings_folder import key_pair, private_file, toml

MIDS = {"sandbox": "5f2b6c1e-0000-4000-8000-000000000001", "production": "9a8b7c6d-0000-4000-8000-000000000002"}
SITES = {"sandbox": "5f2b6c1e-0000-4000-8000-0000000000aa", "production": "9a8b7c6d-0000-4000-8000-0000000000bb"}
HOSTS = {"sandbox": "sftp-sandbox.flexfactor.io", "production": "sftp.flexfactor.io"}
KEYS = {"app_key": "provider", "app_secret": "provider", "tokenization_key": "provider", "subscriber_key": "webhook"}
SUBSCRIBER = {"sandbox": "YS1zdWJzY3JpYmVyLWtleS1mb3ItdGVzdHM=", "production": "YW5vdGhlci1zdWJzY3JpYmVyLWtleS1oZXJl"}


class TwoEnvironments:
    """The folder `test` has everything of the sandbox, the folder `live` everything of production."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.values = {name: self._made(name, root / folder) for name, folder in (("sandbox", "test"), ("production", "live"))}
        self.write()

    @property
    def sandbox(self) -> Path:
        """The sandbox's settings file."""
        return self.root / "test.toml"

    @property
    def production(self) -> Path:
        """Production's settings file."""
        return self.root / "live.toml"

    @property
    def settings(self) -> Settings:
        """The sandbox's settings, loaded."""
        return load_settings(self.sandbox)

    @property
    def options(self) -> Options:
        """A command line with the sandbox's settings."""
        return Options(config=self.sandbox)

    @property
    def around(self) -> Surroundings:
        """The machine's own surroundings."""
        return of_this_machine(SystemClock())

    def write(self, **changes: object) -> None:
        """Write both files. A change of production's is named `section__key`; None takes the key away."""
        values: dict[str, Any] = json.loads(json.dumps(self.values["production"]))
        for name, value in changes.items():
            *sections, key = name.split("__")
            table = values
            for section in sections:
                table = table[section][0] if isinstance(table[section], list) else table[section]
            if value is None:
                table.pop(key)
            else:
                table[key] = value
        self.sandbox.write_text(toml(self.values["sandbox"]), encoding="utf-8")
        self.production.write_text(toml(values), encoding="utf-8")

    def _made(self, name: str, folder: Path) -> dict[str, Any]:
        folder.mkdir(mode=0o700, parents=True)
        private, _ = key_pair()
        private_file(folder / "sftp_key", private)
        (folder / "known_hosts").write_text(f"{HOSTS[name]} {key_pair()[1]}\n")
        for key in KEYS:
            value = SUBSCRIBER[name] if key == "subscriber_key" else f"{key}-of-{name}-and-of-nothing-else"
            private_file(folder / key, value.encode())
        files: dict[str, dict[str, str]] = {"provider": {}, "webhook": {}}
        for key, section in KEYS.items():
            files[section][f"{key}_file"] = str(folder / key)
        return {
            "environment": name,
            "data_dir": str(folder / "var"),
            "provider": {"mid": MIDS[name], **files["provider"]},
            "sftp": {
                "host": HOSTS[name],
                "username": f"merchant-{folder.name}",
                "private_key": str(folder / "sftp_key"),
                "known_hosts": str(folder / "known_hosts"),
            },
            "ledger": {"url": f"sqlite:///{folder / 'var' / 'ledger.db'}"},
            "orders": {
                "url": f"postgresql+psycopg://{folder.name}:pass-of-{folder.name}@db.acme.com/shop",
                "table": f"{folder.name}_orders",
            },
            "webhook": {"public_host": f"hooks-{folder.name}.acme.com", **files["webhook"]},
            "sites": [{"name": "main", "site_id": SITES[name]}],
            "switches": {"mit": True, "cit_website": True},
        }


LOOKS = ((Group.SFTP, "host key"), (Group.SFTP, "login"), (Group.SFTP, "inbound"), (Group.API, "token"))
WEBHOOK = ((Group.WEBHOOK, "key"), (Group.WEBHOOK, "answer"))


def all_well(*but: tuple[Group, Finding]) -> list[tuple[Group, Finding]]:
    """What the doctor sees of a production that lets us in, with some of it replaced."""
    replaced = {(group, finding.look) for group, finding in but}
    fine = [(group, good(look, "fine")) for group, look in (*LOOKS, *WEBHOOK) if (group, look) not in replaced]
    return [*fine, *but]


def looks_of(seen: Sequence[tuple[Group, Finding]]) -> Any:  # noqa: ANN401 - a look, as go-live takes one
    """A look that always sees this."""

    def look(_settings: Settings, _config: Path, _around: Surroundings) -> Seen:
        return seen

    return look
