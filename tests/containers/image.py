"""An image made here, for a machine that pulls none: `python -m tests.containers.image NAME`.

The embedded PostgreSQL with the libraries that it needs and an empty cluster, FROM scratch.
"""

import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import docker

from parcours_dev.supabase.binaries import find_binaries
from parcours_dev.supabase.postgres import INITDB_OPTIONS, SUPERUSER
from tests.containers.server import PASSWORD, PORT

ACCOUNT = 65534  # nobody: PostgreSQL will not run as root
DOCKERFILE = f"""
FROM scratch
ADD root.tar /
USER {ACCOUNT}
EXPOSE {PORT}
STOPSIGNAL SIGINT
ENTRYPOINT ["/pg/bin/postgres", "-D", "/cluster/data", "-p", "{PORT}", \
"-c", "listen_addresses=*", "-c", "unix_socket_directories=", "-c", "fsync=off", \
"-c", "wal_level=logical", "-c", "timezone=UTC", "-c", "max_connections=200"]
"""


def main(name: str) -> None:
    """Build the image under that name."""
    native = find_binaries().postgres.parents[1]
    with tempfile.TemporaryDirectory(prefix="parcours-image-") as folder:
        place = Path(folder)
        place.chmod(0o755)
        cluster = make_cluster(place, native)
        root = pack(native, cluster, place / "root.tar")
        context = io.BytesIO()
        with tarfile.open(fileobj=context, mode="w") as tar:
            _add_text(tar, "Dockerfile", DOCKERFILE)
            tar.add(root, "root.tar")
        context.seek(0)
        docker.from_env().images.build(fileobj=context, custom_context=True, tag=name, rm=True)
    print(f"{name} is built.")


def make_cluster(place: Path, native: Path) -> Path:
    """An empty cluster that lets in whoever knows the password."""
    cluster, secret = place / "cluster", place / "password"
    cluster.mkdir(mode=0o755)
    secret.write_text(PASSWORD)
    data = cluster / "data"
    data.mkdir(mode=0o700)
    shutil.chown(data, ACCOUNT, ACCOUNT)
    options = ["-D", str(data), "-U", SUPERUSER, "--pwfile", str(secret), *INITDB_OPTIONS]
    subprocess.run(
        [native / "bin" / "initdb", *options],
        check=True,
        cwd="/",
        user=ACCOUNT,
        group=ACCOUNT,
        extra_groups=[],
        stdout=subprocess.DEVNULL,
    )
    with (data / "pg_hba.conf").open("a") as rules:
        rules.write("host all all all scram-sha-256\n")
    return cluster


def pack(native: Path, cluster: Path, file: Path) -> Path:
    """Everything that the container holds, as one archive."""
    with tarfile.open(file, "w") as tar:
        tar.add(native, "pg")
        tar.add(cluster, "cluster")
        for library in _libraries(native):
            tar.add(library.resolve(), str(library).lstrip("/"))
    return file


def _libraries(native: Path) -> set[Path]:
    """What the programs and extensions load from the system, the loader included."""
    programs = [native / "bin" / "postgres", *native.glob("lib/postgresql/*.so")]
    told = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=False).stdout
    words = {word for word in told.split() if word.startswith("/") and not word.endswith(":")}
    return {Path(word) for word in words if not word.startswith(str(native))}


def _add_text(tar: tarfile.TarFile, name: str, text: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(text.encode())
    tar.addfile(entry, io.BytesIO(text.encode()))


if __name__ == "__main__":
    main(sys.argv[1])
