"""A password is found in no output, log, archive, argv or temporary file of any command.

Commands come from `aramid help --json`: each is run with --verbose, with --json, with --yes, and in some
places also as in its examples, in projects where a password stands in each place it can be. A command that comes later is
covered as it is; one that needs more to get far gets a line in MORE.
"""

import base64
import json
import os
import secrets
import shlex
import subprocess
import tarfile
import threading
import time
import urllib.parse

import pytest

from harness import aramid
from harness.cluster import Server, children_of, default_bindir
from harness.faults import FULL
from harness.project import CONFIG, Project

# Further command lines of a command, without its name; {url} is the scene's, when it has one.
MORE = {
    "deploy": [["--yes", "--verbose"], ["--dry-run", "--json"]],
    "diff": [["--from-url", "{url}", "--to-schema", "prisma/schema.prisma", "--script"],
             ["--from-config-datasource", "--to-migrations", "prisma/migrations", "--json"],
             ["--from-url", "{url}", "--to-url", "{url}&x=1"]],
    "resolve": [["--applied", "20240101000001_init", "--force"], ["--rolled-back", "none"]],
    "unlock": [["1", "--yes"]],
    "pull": [["--yes"], ["--yes", "--json", "--force"]],
    "db pull": [["--yes"]],
    "doctor": [["--bundle", "--json"], ["--bundle", "here.tar"], ["--env", "production", "--bundle"]],
    "check": [["--json"], ["--shadow-url", "{url}"]],
    "drift": [["--script", "repair"], ["--shadow-url", "{url}", "--json"]],
}
# Never ends by itself, or would take the test's own time only.
SKIPPED = {"db supervise"}
SECONDS = 40


def program():
    return aramid.run("help", "--json").json


def command_lines(command, thorough, turn):
    """The ways in which a command is tried. Not thoroughly: one of three in turn, all in full mode."""
    words = command["name"].split()
    lines = [[*words, "--verbose"]]
    if command["json"]:
        lines.append([*words, "--json"])
    if "changes" in command["class"] or "files" in command["class"]:
        lines.append([*words, "--yes"])
    if not thorough:
        return lines if FULL else [lines[turn % len(lines)]]
    lines.append(words)
    for example in command["examples"]:
        try:
            typed = shlex.split(example["line"])
        except ValueError:
            continue
        if typed[:1] == ["aramid"]:
            end = next((i for i, w in enumerate(typed) if w in ("|", ">", "&&", ";")), len(typed))
            lines.append(typed[1:end])
    lines += [[*words, *more] for more in MORE.get(command["name"], [])]
    return lines


class Scene:
    """A project, a server that wants a password, and where the passwords stand."""

    def __init__(self, folder, server):
        self.project = Project(folder / "project")
        self.folder = folder
        self.server = server
        self.env = {"HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp"),
                    "XDG_CACHE_HOME": str(folder / "cache")}
        for path in self.env.values():
            os.makedirs(path)
        self.cores = []      # of each password; long enough to be found nowhere by chance
        self.sources = set()  # files that hold one by right
        self.flags = []
        self.db = server.new_database()
        self.project.add("init", "CREATE TABLE a (i int PRIMARY KEY, t text);")
        self.project.add("more", "CREATE INDEX CONCURRENTLY ai ON a (t);\nSELECT 1;")

    def password(self):
        core = "Qx" + secrets.token_hex(8)
        self.cores.append(core)
        return f"k@n/{core}:%'\" "

    def use(self, password):
        self.db.sql(f"ALTER ROLE with_password PASSWORD '{password.replace(chr(39), chr(39) * 2)}'")

    def url(self, password, **params):
        return self.db.url("with_password", password, **params)

    def write(self, name, text):
        self.sources.add(self.project.write(name, text))

    # ---- running ---------------------------------------------------------------------------

    def run(self, args, url):
        args = [a.replace("{url}", url or "postgresql://127.0.0.1:1/none") for a in args]
        argv = set()
        process = aramid.start(*args, *(self.flags if takes_url(args) else []),
                               cwd=self.project.path, env=self.env)
        done = threading.Event()
        watcher = threading.Thread(target=watch, args=(process.pid, argv, done))
        watcher.start()
        end = time.monotonic() + SECONDS
        while process.running() and time.monotonic() < end:
            time.sleep(0.005)
        result = process.kill() if process.running() else process.wait()
        done.set()
        watcher.join()
        self.look("output", result.text, args)
        self.look("argv of a child", "\n".join(argv), args)
        return result

    def look(self, where, text, args):
        for i, core in enumerate(self.cores):
            for form in (core, base64.b64encode(core.encode()).decode()[:-2]):
                assert form not in text, f"password {i} is in the {where} of aramid {' '.join(args)}" \
                                         f"\n{text[:8000]}"

    def look_at_files(self):
        """Everything that was written, archives opened."""
        for top in (self.folder, *fresh_temporaries(self.folder)):
            for path, _, names in os.walk(top):
                for name in names:
                    full = os.path.join(path, name)
                    if full not in self.sources and not os.path.islink(full):
                        self.look_at_file(full)

    def look_at_file(self, path):
        try:
            with open(path, "rb") as file:
                data = file.read()
        except OSError:  # a socket, or gone
            return
        self.look(f"file {path}", data.decode("latin-1"), ["..."])
        if path.endswith(".tar"):
            with tarfile.open(path) as archive:
                for member in archive:
                    self.look(f"archive {path}, {member.name}",
                              archive.extractfile(member).read().decode("latin-1"), ["..."])


def takes_url(args):
    return not any(a in ("help", "version", "db", "format", "validate", "schema") for a in args[:1]) \
        or args[:2] == ["db", "pull"]


def fresh_temporaries(folder):
    began = os.stat(folder).st_ctime
    for entry in os.scandir("/tmp"):
        if entry.name.startswith("aramid-") and not entry.name.startswith(("aramid-pg-", "aramid-tests-")):
            try:
                if entry.stat().st_mtime >= began:
                    yield entry.path
            except OSError:
                pass


def watch(pid, argv, done):
    while not done.wait(0.01):
        todo = children_of(pid)
        while todo:
            child = todo.pop()
            todo += children_of(child)
            try:
                with open(f"/proc/{child}/cmdline", "rb") as file:
                    argv.add(file.read().replace(b"\0", b" ").decode("utf-8", "replace"))
            except OSError:
                pass


@pytest.fixture(scope="module")
def own_server():
    if default_bindir() is None:
        pytest.skip("PostgreSQL is not installed")
    server = Server(default_bindir()).start()
    server.admin("CREATE ROLE with_password LOGIN SUPERUSER")
    yield server
    server.remove()


@pytest.fixture
def scene(tmp_path, own_server):
    made = Scene(tmp_path, own_server)
    yield made
    aramid.run("db", "remove", "--yes", cwd=made.project.path, env=made.env)
    made.db.drop()


# ---- the places ----------------------------------------------------------------------------------

def by_flag(s):
    password = s.password()
    s.use(password)
    s.flags = ["--url", s.url(password)]
    return s.url(password)


def by_environment(s):
    password = s.password()
    s.use(password)
    s.env["DATABASE_URL"] = s.url(password)
    s.env["PROD_DATABASE_URL"] = s.url(password)
    return s.url(password)


def by_direct_url(s):
    password = s.password()
    s.use(password)
    s.env["DIRECT_URL"] = s.url(password)
    s.env["DATABASE_URL"] = s.url(s.password(), pgbouncer="true")
    s.env["SHADOW_DATABASE_URL"] = s.url(s.password(), connect_timeout=2)
    return None


def by_every_character(s):
    """Percent escapes for each byte of the password."""
    password = s.password()
    s.use(password)
    escaped = "".join(f"%{byte:02X}" for byte in password.encode())
    s.env["DATABASE_URL"] = s.url("X").replace(":X@", f":{escaped}@")
    return None


def by_env_file(s):
    password = s.password()
    s.use(password)
    quoted = s.url(password)
    s.write(".env", f'DATABASE_URL="{quoted}"\nOTHER_PASSWORD={s.password()!r}\n')
    s.write(".env.production", f"DATABASE_URL={s.url(s.password())}\n")
    return None


def by_yaml(s):
    password = s.password()
    s.use(password)
    s.write("aramid.yaml", f"url: '{s.url(password)}'\nshadow_database_url: '{s.url(s.password())}'\n"
                           f"environments:\n  staging:\n    url: '{s.url(s.password())}'\n")
    return None


def by_schema(s):
    password = s.password()
    s.use(password)
    s.write("prisma/schema.prisma", f'datasource db {{\n  provider = "postgresql"\n'
                                    f'  url = "{s.url(password)}"\n}}\n')
    return None


def by_prisma_config(s):
    password = s.password()
    s.use(password)
    s.write("prisma.config.ts", CONFIG.replace("process.env.DATABASE_URL", json.dumps(s.url(password))))
    return None


def by_query_parameter(s):
    password = s.password()
    s.use(password)
    s.env["DATABASE_URL"] = s.db.url("with_password") + "?password=" + urllib.parse.quote(password, safe="")
    return None


def by_libpq_variables(s):
    password = s.password()
    s.use(password)
    s.env.update(PGHOST="127.0.0.1", PGPORT=s.server.port, PGUSER="with_password", PGDATABASE=s.db.name,
                 PGPASSWORD=password)
    return None


def by_libpq_password_alone(s):
    password = s.password()
    s.use(password)
    s.env.update(DATABASE_URL=s.db.url("with_password"), PGPASSWORD=password)
    return None


def by_passfile(s):
    password = s.password()
    s.use(password)
    path = s.folder / "passfile"
    path.write_text("*:*:*:*:" + password.replace("\\", "\\\\").replace(":", "\\:") + "\n")
    path.chmod(0o600)
    s.sources.add(str(path))
    s.env.update(DATABASE_URL=s.db.url("with_password"), PGPASSFILE=path)
    return None


def by_docker_variables(s):
    password = s.password()
    s.use(password)
    path = s.folder / "secret"
    path.write_text(password + "\n")
    s.sources.add(str(path))
    s.env.update(POSTGRES_HOST="127.0.0.1", POSTGRES_PORT=s.server.port, POSTGRES_USER="with_password",
                 POSTGRES_DB=s.db.name, POSTGRES_PASSWORD_FILE=path)
    return None


PLACES = [by_flag, by_environment, by_direct_url, by_every_character, by_env_file, by_yaml, by_schema,
          by_prisma_config, by_query_parameter, by_libpq_variables, by_libpq_password_alone, by_passfile,
          by_docker_variables]


def run_everything(scene, url, thorough=False, turn=0):
    for command in program()["commands"]:
        # The embedded server knows no URL: once is enough.
        if command["name"] in SKIPPED or (command["group"] == "Embedded PostgreSQL" and not thorough):
            continue
        for line in command_lines(command, thorough, turn):
            scene.run(line, url)
    scene.look_at_files()


@pytest.mark.parametrize("place", PLACES, ids=lambda p: p.__name__)
def test_password(scene, place):
    url = place(scene)
    result = scene.run(["status", "--json"], url)
    assert result.rc == 10 and result.json["server"]["user"] == "with_password", result
    run_everything(scene, url, place is by_schema or (FULL and place is by_environment), PLACES.index(place))


def wrong_password(s):
    s.use(s.password())
    return s.url(s.password())


def not_a_url(s):
    return f"postgresql:/alice:{s.password()}@127.0.0.1/db"


def bad_escape(s):
    return f"postgresql://alice:%zz{s.password()}@127.0.0.1/db".replace(" ", "")


def bad_bracket(s):
    return f"postgresql://alice:{s.password()}@[::1/db".replace(" ", "")


def bad_port(s):
    return f"postgresql://alice:{s.password()}@127.0.0.1:port/db"


def bad_parameter(s):
    return f"postgresql://alice@127.0.0.1/db?sslmode={s.password()}&service={s.password()}"


def other_database(s):
    return f"mysql://alice:{s.password()}@127.0.0.1/db"


def unknown_host(s):
    return "postgresql://alice:" + urllib.parse.quote(s.password(), safe="") + "@no-such-host.invalid/db"


FAILING = [wrong_password, not_a_url, bad_escape, bad_bracket, bad_port, bad_parameter, other_database, unknown_host]


@pytest.mark.parametrize("make", FAILING, ids=lambda p: p.__name__)
def test_url_that_fails(scene, make):
    scene.project.write("aramid.yaml", "retries: 0\ntimeouts:\n  connect: 1s\n  server: 1s\n")
    url = scene.env["DATABASE_URL"] = make(scene)
    assert scene.run(["status"], url).rc in (3, 30, 40)
    run_everything(scene, url, make in (wrong_password, bad_parameter), FAILING.index(make))


def test_files_that_are_broken_at_the_password(scene):
    scene.write(".env", f"DATABASE_URL='postgresql://u:{scene.password()}\n")
    scene.write("aramid.yaml", f"url: [postgresql://u:{scene.password()}@h/db, {{\n")
    scene.write("prisma/schema.prisma", f"datasource db {{\n  url = \"postgresql://u:{scene.password()}@h/db\n")
    run_everything(scene, None)


def test_words_of_the_server(scene):
    """Errors, notices and histories that quote a password which nobody told us before."""
    password = scene.password()
    scene.use(password)
    scene.env["DATABASE_URL"] = scene.url(password)
    core = scene.password().split("/")[1].split(":")[0]
    assert scene.run(["deploy", "--yes"], None).rc == 0
    path = scene.project.add("quotes", f"""
        DO $$ BEGIN RAISE NOTICE 'postgresql://u:{core}@h/db'; END $$;
        DO $$ BEGIN RAISE EXCEPTION 'no way to postgresql://u:{core}@h/db'
            USING DETAIL = 'host=h password={core} user=u', HINT = 'PASSWORD ''{core}'''; END $$;
    """)
    scene.sources.add(scene.project.file(path))
    result = scene.run(["deploy", "--yes"], None)
    assert result.rc == 22, result
    for line in (["status"], ["status", "--verbose"], ["status", "--json"], ["doctor"],
                 ["doctor", "--bundle"], ["deploy", "--json"], ["check", "--json"], ["drift"]):
        scene.run(line, None)
    scene.look_at_files()


def test_the_watcher_sees_what_is_there(scene):
    """The test itself: argv of children, files and archives are really looked at."""
    core = scene.password().split("/")[1].split(":")[0]
    argv, done = set(), threading.Event()
    process = subprocess.Popen(["sh", "-c", f"sleep 0.5; : {core}; sh -c 'sleep 1; : {core}'"])
    watcher = threading.Thread(target=watch, args=(os.getpid(), argv, done))
    watcher.start()
    process.wait()
    done.set()
    watcher.join()
    with pytest.raises(AssertionError):
        scene.look("argv", "\n".join(argv), [])
    path = os.path.join(scene.project.path, "x")
    with open(path, "w", encoding="ascii") as file:
        file.write(core)
    with pytest.raises(AssertionError):
        scene.look_at_files()
    with tarfile.open(path + ".tar", "w:gz") as archive:
        archive.add(path, "x")
    os.unlink(path)
    with pytest.raises(AssertionError):
        scene.look_at_files()
