"""pgbouncer in front of a server."""

import contextlib
import os
import shutil
import subprocess

import pytest

from harness import wait
from harness.cluster import SERVER_USER, free_port, give_to_server


def program():
    found = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin")
    if not found:
        pytest.skip("pgbouncer is not installed")
    return found


@contextlib.contextmanager
def pooled(server, mode):
    port = free_port()
    folder = os.path.join(server.root, f"pool-{mode}")
    os.mkdir(folder)
    config = os.path.join(folder, "pgbouncer.ini")
    with open(config, "w", encoding="ascii") as out:
        out.write(f"[databases]\n* = user=postgres host=127.0.0.1 port={server.port}\n[pgbouncer]\n"
                  f"listen_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = any\n"
                  f"pool_mode = {mode}\nunix_socket_dir =\nlogfile = {folder}/log\n"
                  "ignore_startup_parameters = extra_float_digits,options\n")
    for path in (folder, config):
        give_to_server(path)
    process = subprocess.Popen([program(), config], stdin=subprocess.DEVNULL, cwd="/",
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **SERVER_USER)
    try:
        wait.until(lambda: os.path.exists(f"{folder}/log") and "listening on" in
                   open(f"{folder}/log", encoding="utf-8").read())
        yield port
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder)
