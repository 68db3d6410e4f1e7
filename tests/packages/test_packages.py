"""What `make package` made: each package installed as people do, where that is possible here.

The artefacts lie in build/package; `make package-test` makes them first. What a machine lacks (podman's
and Debian's tools, another libc, an emulator) skips one case each.
"""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time

import pytest

from harness import aramid, wait
from harness.cluster import REPO

OUT = os.path.join(REPO, "build/package")
VERSION = aramid.VERSION

pytestmark = [pytest.mark.harness, pytest.mark.skipif(
    not os.path.exists(os.path.join(OUT, "SHA256SUMS")), reason="nothing in build/package: make package")]


def artefact(name):
    path = os.path.join(OUT, name.format(v=VERSION))
    assert os.path.exists(path), path
    return path


def need(tool):
    if not shutil.which(tool):
        pytest.skip(f"there is no {tool}")


def call(*args, **more):
    more.setdefault("timeout", wait.PATIENCE)
    return subprocess.run(args, capture_output=True, text=True, check=False, **more)


def program(name):
    return os.path.join(OUT, "programs", name, "aramid")


# ---- sums, signature, list -------------------------------------------------------------------------


def test_sums_name_every_artefact():
    with open(artefact("SHA256SUMS"), encoding="utf-8") as file:
        sums = dict(reversed(line.split()) for line in file)
    assert set(sums) == {n for n in os.listdir(OUT) if n.startswith(("aramid-", "aramid_")) and "." in n}
    for name, digest in sums.items():
        with open(os.path.join(OUT, name), "rb") as file:
            assert hashlib.sha256(file.read()).hexdigest() == digest, name


def test_signature(tmp_path):
    sign = os.path.join(REPO, "tools/sign")
    key, sums = str(tmp_path / "key"), str(tmp_path / "SHA256SUMS")
    shutil.copy(artefact("SHA256SUMS"), sums)
    public = call(sign, "--new", key).stdout.strip()
    assert os.stat(key).st_mode & 0o777 == 0o600 and call(sign, "--new", key).returncode != 0
    assert call(sign, "--key", key, sums).returncode == 0
    checks = [(sign, "--public", public, sums)]
    if shutil.which("minisign"):
        checks.append(("minisign", "-Vm", sums, "-P", public))
    other = call(sign, "--new", str(tmp_path / "other")).stdout.strip()
    assert "another key" in call(sign, "--public", other, sums).stderr
    for check in checks:
        assert call(*check).returncode == 0, check
    with open(sums + ".minisig", encoding="utf-8") as file:
        signature = file.read()
    with open(sums + ".minisig", "w", encoding="utf-8") as file:
        file.write(signature.replace("file:", "life:"))
    for check in checks:
        assert call(*check).returncode != 0, check
    with open(sums + ".minisig", "w", encoding="utf-8") as file:
        file.write(signature)
    with open(sums, "a", encoding="utf-8") as file:
        file.write("0\n")
    for check in checks:
        assert call(*check).returncode != 0, check


def test_list_of_what_is_linked_in():
    with open(artefact("aramid-{v}.cdx.json"), encoding="utf-8") as file:
        bom = json.load(file)
    assert bom["bomFormat"] == "CycloneDX" and bom["specVersion"] == "1.5"
    refs = {c["bom-ref"]: c for c in bom["components"]}
    depends = {d["ref"]: d["dependsOn"] for d in bom["dependencies"]}
    for name in depends["aramid"]:
        libraries = {refs[ref]["name"]: refs[ref]["version"] for ref in depends[name]}
        assert {"openssl", "libpq", "libcurl", "libpg_query", "jansson", "libyaml", "zstd"} <= set(libraries)
        assert ("glibc" in libraries) == (name == "linux-x64-musl")
        with open(program(name), "rb") as file:
            data = file.read()
        assert hashlib.sha256(data).hexdigest() == refs[name]["hashes"][0]["content"]
        assert f"OpenSSL {libraries['openssl'].split('-')[0]}".encode() in data
        assert b"this libcurl" in data  # its version is in no text that is linked in


# ---- programs ---------------------------------------------------------------------------------------


def test_programs_need_what_is_said():
    for name in filter(lambda n: os.path.exists(program(n)), ("linux-x64", "linux-arm64")):
        said = call("objdump", "-p", program(name)).stdout if name == "linux-x64" else \
            call("aarch64-linux-gnu-objdump", "-p", program(name)).stdout
        needed = set(re.findall(r"NEEDED\s+(\S+)", said))
        assert needed <= {"libc.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}, needed
        versions = [tuple(map(int, v.split("."))) for v in re.findall(r"GLIBC_([0-9.]+)", said)]
        assert max(versions) <= (2, 34), max(versions)
    assert "NEEDED" not in call("objdump", "-p", program("linux-x64-musl")).stdout
    for name, linkage in (("linux-x64", "libc"), ("linux-x64-musl", "static")):
        value = json.loads(call(program(name), "version", "--json").stdout)
        assert value["version"] == VERSION and value["linkage"] == linkage
    doctor = call(program("linux-x64-musl"), "doctor", "--only", "tools", "--json", cwd="/")
    (found,) = [f for f in json.loads(doctor.stdout)["findings"] if f["id"] == "tool-linked"]
    assert "GSSAPI" in found["message"] and "DNS only" in found["message"]


def test_arm64_runs_emulated():
    need("qemu-aarch64")
    if not os.path.exists(program("linux-arm64")):
        pytest.skip("no program for arm64: tools/package --programs linux-arm64")
    done = call("qemu-aarch64", "-L", "/usr/aarch64-linux-gnu", program("linux-arm64"), "version", "--verbose")
    assert done.returncode == 0 and "linkage:    libc" in done.stdout, done


def in_root(root, *args, script=None, **more):
    """Run in a folder as if it were the whole system, as another user; without rights: skipped."""
    if os.geteuid() != 0:
        pytest.skip("only root may chroot")
    return call("/usr/sbin/chroot", *(["--userspec=65532:65532"] if script is None else []), str(root), *args, **more)


@pytest.mark.parametrize("nss", [None, "passwd: files systemd\nhosts: files resolve myhostname dns\n"])
def test_static_program_in_an_empty_root(tmp_path, nss):
    """Nothing there at all; a nsswitch.conf that names modules, which a static glibc must not load."""
    shutil.copy(program("linux-x64-musl"), tmp_path / "aramid")
    if nss:
        (tmp_path / "etc").mkdir()
        (tmp_path / "etc/nsswitch.conf").write_text(nss)
    tmp_path.chmod(0o755)
    assert VERSION in in_root(tmp_path, "/aramid", "version").stdout
    done = in_root(tmp_path, "/aramid", "status", "--url", "postgresql://u@no-such-host.invalid/d", env={"HOME": "/"})
    assert done.returncode > 0 and done.returncode < 128, done


# ---- image ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """The image's root, and its configuration."""
    folder = tmp_path_factory.mktemp("image")
    with tarfile.open(artefact("aramid-{v}-image.tar")) as tar:
        tar.extractall(folder / "oci", filter="data") if sys.version_info >= (3, 12) else tar.extractall(folder / "oci")

    def blob(descriptor):
        path = folder / "oci/blobs" / descriptor["digest"].replace(":", "/")
        data = path.read_bytes()
        assert len(data) == descriptor["size"]
        assert hashlib.sha256(data).hexdigest() == descriptor["digest"][7:]
        return path

    (entry,) = json.loads((folder / "oci/index.json").read_text())["manifests"]
    manifest = json.loads(blob(entry).read_text())
    config = json.loads(blob(manifest["config"]).read_text())
    (layer,) = manifest["layers"]
    assert layer["size"] < 6 << 20
    root = folder / "root"
    root.mkdir()
    root.chmod(0o755)
    assert call("tar", "-xzf", str(blob(layer)), "-C", str(root)).returncode == 0
    for parent in (folder, folder.parent):
        parent.chmod(0o755)
    return root, config["config"], str(folder / "oci")


def test_image(image):
    root, config, layout = image
    assert config["User"] == "65532:65532" and config["Entrypoint"] == ["/usr/bin/aramid"]
    assert config["Cmd"] == ["deploy", "--yes"]
    assert (root / "etc/ssl/certs/ca-certificates.crt").stat().st_size > 100000
    assert (root / "tmp").stat().st_mode & 0o7777 == 0o1777
    if shutil.which("umoci"):
        assert call("umoci", "stat", "--image", f"{layout}:{VERSION}").returncode == 0


def test_image_deploys(image, tmp_path, db):
    """Its user, its command, a project mounted at /app."""
    root, config, _ = image
    app = root / "app"
    folder = app / "prisma/migrations/20240101000000_init"
    folder.mkdir(parents=True)
    (folder / "migration.sql").write_text("CREATE TABLE of_image (id int PRIMARY KEY);\n")
    env = dict(variable.split("=", 1) for variable in config["Env"])
    try:
        done = in_root(root, *config["Entrypoint"], *config["Cmd"], "-C", "/app", env=env | {"DATABASE_URL": db.url()})
        assert done.returncode == 0 and db.exists("of_image"), done
    finally:
        shutil.rmtree(app)
        app.mkdir(mode=0o777)


def test_image_stops_as_first_process(image, db):
    """As PID 1 signals have no default: it stops at SIGTERM all the same, and what it did is whole."""
    root, _, _ = image
    need("unshare")
    if os.geteuid() != 0 or call("unshare", "--pid", "--fork", "true").returncode != 0:
        pytest.skip("no PID namespace of our own here")
    folder = root / "app/prisma/migrations/20240101000000_slow"
    folder.mkdir(parents=True)
    (folder / "migration.sql").write_text("SELECT pg_sleep(1000);\n")
    try:
        process = subprocess.Popen(
            ["unshare", "--pid", "--fork", "--kill-child", "/usr/sbin/chroot", str(root), "/usr/bin/aramid", "deploy", "--yes", "-C", "/app"],
            env={"DATABASE_URL": db.url()}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        wait.session_runs(db, "pg_sleep(1000)")
        children = call("pgrep", "-f", "^/usr/bin/aramid deploy --yes -C /app").stdout.split()
        assert children
        os.kill(int(children[0]), signal.SIGTERM)
        process.communicate(timeout=wait.PATIENCE)
        assert process.returncode not in (0, None)
        wait.until(lambda: not db.one("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"))
    finally:
        shutil.rmtree(root / "app/prisma")


# ---- .deb -------------------------------------------------------------------------------------------


def test_deb_is_clean():
    need("lintian")
    done = call("lintian", "--fail-on", "error,warning", "--allow-root", artefact("aramid_{v}_amd64.deb"))
    assert done.returncode == 0 and not done.stdout.strip(), done.stdout


def test_deb_holds_what_it_should(tmp_path):
    need("dpkg-deb")
    assert call("dpkg-deb", "-x", artefact("aramid_{v}_amd64.deb"), str(tmp_path)).returncode == 0
    assert VERSION in call(str(tmp_path / "usr/bin/aramid"), "version").stdout
    for path in ("usr/share/man/man1/aramid.1.gz", "usr/share/bash-completion/completions/aramid",
                 "usr/share/doc/aramid/copyright"):
        assert (tmp_path / path).stat().st_size > 0
    listing = call("dpkg-deb", "-c", artefact("aramid_{v}_amd64.deb")).stdout
    assert all(re.search(" (root/root|0/0) ", line) for line in listing.splitlines())


# ---- npm --------------------------------------------------------------------------------------------

TARBALLS = ("aramid-{v}.tgz", "aramid-linux-x64-{v}.tgz")


def npm(folder, *args):
    need("npm")
    return call("npm", *args, "--offline", "--ignore-scripts", "--no-audit", "--no-fund", cwd=folder,
                env=dict(os.environ, npm_config_cache=str(folder / ".npm"), npm_config_update_notifier="false"))


@pytest.fixture
def project(tmp_path):
    """A folder in which npm has put the package, and that of this platform."""
    (tmp_path / "package.json").write_text(json.dumps({"name": "x", "version": "1.0.0", "scripts": {"v": "aramid version"}}))
    done = npm(tmp_path, "install", *(artefact(name) for name in TARBALLS))
    assert done.returncode == 0, done
    return tmp_path


def shim(folder, *args, **more):
    return call(str(folder / "node_modules/.bin/aramid"), *args, **more)


def test_npm(project):
    assert VERSION in shim(project, "version").stdout
    assert VERSION in npm(project, "run", "--silent", "v").stdout
    assert VERSION in call("node", str(project / "node_modules/aramid/bin/aramid.cjs"), "version").stdout
    assert shim(project, "nonsense").returncode == 2
    # The shell has become the program: no Node.js, and its own signals and status.
    assert '/node", ' not in call("strace", "-f", "-e", "trace=execve", str(project / "node_modules/.bin/aramid"),
                              "version").stderr if shutil.which("strace") else True
    used = call("node", "-e", "const a = require('aramid'); a.run(['version', '--json']).then(r => "
                "console.log(r.status, r.json.version, a.find()))", cwd=project).stdout
    assert used.startswith(f"0 {VERSION} ") and used.strip().endswith("/@aramid/linux-x64/bin/aramid")


def test_npm_layouts(project):
    """Where package managers put the two packages: beside each other, below, above, in pnpm's store."""
    packed, modules = project / "packed", project / "node_modules"
    shutil.copytree(modules, packed)
    meta, ours = packed / "aramid", packed / "@aramid"

    def layout(name, place_meta, place_ours, link=None):
        root = project / name
        shutil.copytree(meta, root / place_meta)
        shutil.copytree(ours, root / place_ours)
        start = root / place_meta / "bin/aramid.cjs"
        if link:
            (root / link).parent.mkdir(parents=True, exist_ok=True)
            os.symlink(start, root / link)
            start = root / link
        done = call(str(start), "version", cwd="/")
        assert done.returncode == 0 and VERSION in done.stdout, (name, done)

    layout("flat", "node_modules/aramid", "node_modules/@aramid", "node_modules/.bin/aramid")
    layout("nested", "node_modules/aramid", "node_modules/aramid/node_modules/@aramid")
    layout("workspace", "packages/app/node_modules/aramid", "node_modules/@aramid", "packages/app/node_modules/.bin/aramid")
    layout("pnpm", "node_modules/.pnpm/aramid@1/node_modules/aramid", "node_modules/.pnpm/aramid@1/node_modules/@aramid",
           "node_modules/.bin/aramid")
    layout("od d'ir", "node_modules/aramid", "node_modules/@aramid")


def test_npm_says_what_is_missing(project):
    shutil.rmtree(project / "node_modules/@aramid")
    done = shim(project, "version")
    assert done.returncode == 7 and "npm install --include=optional" in done.stderr, done
    for platform, arch, said in (("darwin", "arm64", "no program for darwin (arm64)"), ("win32", "x64", "runs in WSL"),
                                 ("linux", "riscv64", "only for x64 and arm64")):
        lie = f"Object.defineProperty(process, 'platform', {{value: '{platform}'}}); Object.defineProperty(process, 'arch', {{value: '{arch}'}})"
        (project / "lie.cjs").write_text(lie)
        done = call("node", "-r", str(project / "lie.cjs"), str(project / "node_modules/aramid/bin/aramid.cjs"), "version")
        assert done.returncode == 7 and said in done.stderr and "container image" in done.stderr, done


def test_npm_signals(project, db):
    """Ended by a signal it says so, also where Node.js is between."""
    folder = project / "prisma/migrations/20240101000000_slow"
    folder.mkdir(parents=True)
    (folder / "migration.sql").write_text("SELECT pg_sleep(1000);\n")
    command = [str(project / "node_modules/.bin/aramid")], ["node", str(project / "node_modules/aramid/bin/aramid.cjs")]
    for start in command:
        process = subprocess.Popen([*start, "deploy", "--url", db.url()], cwd=project, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, env=aramid.environment())
        wait.session_runs(db, "pg_sleep(1000)")
        process.terminate()
        process.communicate(timeout=wait.PATIENCE)
        assert process.returncode == 143, (start, process.returncode)


# ---- the same bytes ---------------------------------------------------------------------------------


@pytest.mark.skipif(os.environ.get("ARAMID_PACKAGES") != "full", reason="only with ARAMID_PACKAGES=full")
def test_reproducible(tmp_path):
    """A clone in another folder makes the same bytes, from libraries of its own."""
    clone = tmp_path / "a longer" / "name"
    assert call("git", "clone", "--quiet", REPO, str(clone)).returncode == 0
    shutil.copytree(os.path.join(REPO, "build/static/sources"), clone / "build/static/sources")
    began = time.time()
    done = call("tools/package", cwd=clone, timeout=3600)
    assert done.returncode == 0, done
    assert time.time() - began < 3600
    with open(artefact("SHA256SUMS"), encoding="utf-8") as ours, open(clone / "build/package/SHA256SUMS", encoding="utf-8") as theirs:
        assert theirs.read() == ours.read()
