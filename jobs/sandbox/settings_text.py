"""A ready settings file for a merchant's side that is to work against this sandbox."""

import json
from pathlib import Path

_TEMPLATE = """\
environment = "sandbox"
data_dir = {data_dir}

[provider]
mid = {mid}
api_url = {api_url}
app_key_file = {app_key_file}
app_secret_file = {app_secret_file}
tokenization_key_file = {tokenization_key_file}

[sftp]
host = "127.0.0.1"
port = {port}
username = {username}
private_key = {private_key}
known_hosts = {known_hosts}

[orders]
url = {orders_url}
admin_url = {orders_url}

[switches]
mit = true

[gate]
currencies = ["USD", "EUR"]

[webhook]
public_host = "127.0.0.1:8080"
subscriber_key_file = {subscriber_key_file}

[outcomes]
acknowledgement_wait_seconds = {wait_seconds}

[certify.managed]
mid = {mid}
app_key_file = {app_key_file}
app_secret_file = {app_secret_file}
tokenization_key_file = {tokenization_key_file}
sites = {managed_sites}

[certify.sync]
mid = {sync_mid}
app_key_file = {sync_app_key_file}
app_secret_file = {sync_app_secret_file}
tokenization_key_file = {sync_tokenization_key_file}
sites = {sync_sites}
"""

_SITE = """
[[sites]]
name = {name}
site_id = {site_id}
"""


def settings_text(values: dict[str, str | int | Path], sites: dict[str, str], sync_sites: dict[str, str]) -> str:
    """Fill the template; texts are quoted as TOML basic strings, which JSON's are too."""
    quoted = {name: value if isinstance(value, int) else json.dumps(str(value)) for name, value in values.items()}
    quoted |= {"managed_sites": _table(sites), "sync_sites": _table(sync_sites)}
    blocks = [_SITE.format(name=json.dumps(name), site_id=json.dumps(site_id)) for name, site_id in sites.items()]
    return _TEMPLATE.format(**quoted) + "".join(blocks)


def _table(sites: dict[str, str]) -> str:
    return "{ " + ", ".join(f"{json.dumps(name)} = {json.dumps(site_id)}" for name, site_id in sites.items()) + " }"
