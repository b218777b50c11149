"""One OpenSSH server for all tests here, emptied before each."""

from collections.abc import Iterator

import pytest

from tests.openssh.server import OpenSshServer, openssh_server


@pytest.fixture(scope="session")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenSshServer]:
    with openssh_server(tmp_path_factory.mktemp("openssh")) as server:
        yield server


@pytest.fixture
def server(_running: OpenSshServer) -> OpenSshServer:
    """The running server with empty folders."""
    _running.empty()
    return _running
