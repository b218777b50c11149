"""Fifty files of 1.5 MB over SFTP: ours beside `paramiko.put` one by one and OpenSSH's own client, far away and next door.

Ours writes a part, proves that it is whole and renames it; the others only put. The server is OpenSSH's, in its own process.
"""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import paramiko

from batch.sftp import SftpFolder
from jobs.outside import side_by_side
from tests.benchmarks.delays import SFTP_ROUND_TRIP, delayed
from tests.benchmarks.figures import Cost, Figure, Goal
from tests.benchmarks.measuring import here, in_turn, ratio
from tests.openssh.server import OpenSshServer, openssh_server

PART = "upload"
FILES, FILE_BYTES = 50, 1_500_000
CIPHER = "aes128-ctr"
"""One that both clients know, so that the same work is compared; AES-GCM would be faster in each."""
TRANSPORTS, CHANNELS = 2, 4
"""What the settings say by default."""
OURS, PUT, SFTP = "ours, proved and renamed", "paramiko.put one by one", "sftp -b, one after the other"
NEAR, FAR = "loopback", f"{SFTP_ROUND_TRIP * 1000:.0f} ms"


def upload(files: int = FILES, size: int = FILE_BYTES, times: int = 3) -> Iterator[Figure]:
    """Each way at each distance, in turns."""
    with tempfile.TemporaryDirectory(prefix="mitbatch-bench-") as place, openssh_server(Path(place) / "server") as server:
        content = os.urandom(size)
        (Path(place) / "file").write_bytes(content)
        for where, distance in ((FAR, SFTP_ROUND_TRIP), (NEAR, 0.0)):
            with _line(server, distance) as port:
                ways = _ways(server, port, Path(place), content, files)
                costs = in_turn(ways, times)
            for what, cost in costs.items():
                says = "" if what == OURS else f"{ratio(cost, costs[OURS]):.2f} times ours"
                yield Figure(PART, f"{what}, {where}", cost, files, "files", times, says)


@contextmanager
def _line(server: OpenSshServer, distance: float) -> Iterator[int]:
    if not distance:
        yield server.port
        return
    with delayed(server.port, distance) as port:
        yield port


def _ways(server: OpenSshServer, port: int, place: Path, content: bytes, files: int) -> dict[str, Callable[[], Cost]]:
    hosts = place / "hosts"
    hosts.write_text(server.known_hosts.read_text().replace(f":{server.port} ", f":{port} "), encoding="ascii")

    def emptied(work: Callable[[], None]) -> Callable[[], Cost]:
        def done() -> Cost:
            server.empty()
            cost = here(work)
            assert len(list(server.inbound.iterdir())) == files
            return cost

        return done

    def ours() -> None:
        with server.connections(port=port, known_hosts=str(hosts), deadline_seconds=120) as connections:
            folder = SftpFolder(connections, inbound="inbound", outbound="outbound")

            def send(number: int) -> None:
                folder.write_part(f".{number}.part", content)
                folder.publish(f".{number}.part", f"{number}.json")

            side_by_side(TRANSPORTS * CHANNELS)(send, range(files))  # type: ignore[arg-type]

    def put() -> None:
        with opened(server, port) as sftp:
            for number in range(files):
                sftp.put(str(place / "file"), f"inbound/{number}.json")

    def batch() -> None:
        lines = "".join(f"put {place / 'file'} inbound/{number}.json\n" for number in range(files))
        options = [f"UserKnownHostsFile={hosts}", f"Ciphers={CIPHER}", "BatchMode=yes"]
        words = ["sftp", "-q", "-b", "-", "-P", str(port), "-i", str(server.client_key)]
        words += [word for option in options for word in ("-o", option)]
        subprocess.run([*words, f"{server.user}@127.0.0.1"], input=lines.encode(), capture_output=True, check=True)

    return {OURS: emptied(ours), PUT: emptied(put), SFTP: emptied(batch)}


@contextmanager
def opened(server: OpenSshServer, port: int) -> Iterator[paramiko.SFTPClient]:
    """A connection as a script would open it."""
    with paramiko.SSHClient() as client:
        client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        client.connect("127.0.0.1", port, server.user, key_filename=str(server.client_key), allow_agent=False)
        sftp = client.open_sftp()
        try:
            yield sftp
        finally:
            sftp.close()


def goals(figures: list[Figure]) -> list[Goal]:
    """The ratios that the line lets us hope for."""
    cost = {each.what: each.cost for each in figures}
    far = [(PUT, 3.0), (SFTP, 4.0)]
    found = [
        Goal(PART, f"beside {what}, {FAR}", ratio(cost[f"{what}, {FAR}"], cost[f"{OURS}, {FAR}"]), wanted) for what, wanted in far
    ]
    near = ratio(cost[f"{SFTP}, {NEAR}"], cost[f"{OURS}, {NEAR}"])
    return [*found, Goal(PART, f"of the speed of sftp, {NEAR}", near, 0.6)]
