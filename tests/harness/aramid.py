"""Running the program under test: clean environment, deadlines, failpoints, signals."""

import atexit
import fcntl
import itertools
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
import time

from . import wait
from .cluster import REPO, children_of, fitting_pg_dump

BINARY = os.environ.get("ARAMID_BIN") or os.path.join(REPO, "build/debug/src/cli/aramid")
SANITIZER_EXIT = 99
with open(os.path.join(REPO, "meson.build"), encoding="utf-8") as _meson:
    VERSION = re.search(r"version: '([^']+)'", _meson.read())[1]


def missing():
    """True when there is no program to test and none was asked for."""
    return "ARAMID_BIN" not in os.environ and not os.path.exists(BINARY)


_home = tempfile.mkdtemp(prefix="aramid-home-")
atexit.register(shutil.rmtree, _home, ignore_errors=True)


_calls = itertools.count()


def looks_for_leaks():
    """Of every eighth call: it costs a third of the time of a short one."""
    return next(_calls) % 8 == 0 or os.environ.get("ARAMID_FAULTS") == "full"


def environment(**more):
    """Nothing of the caller's environment steers the program, only what a test gives."""
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    if "ARAMID_TEST_PG" in os.environ and fitting_pg_dump():
        path = f"{fitting_pg_dump()}:{path}"
    base = {
        "PATH": path, "HOME": _home,
        "LANG": "C.UTF-8", "TERM": "dumb",
        "TMPDIR": tempfile.gettempdir(),
        "ASAN_OPTIONS": f"exitcode={SANITIZER_EXIT}:detect_stack_use_after_return=1",
        "UBSAN_OPTIONS": f"halt_on_error=1:print_stacktrace=1:exitcode={SANITIZER_EXIT}",
        "LSAN_OPTIONS": f"exitcode={SANITIZER_EXIT}:detect_leaks={int(looks_for_leaks())}",
    }
    base.update({key: str(value) for key, value in more.items() if value is not None})
    return base


class Result:
    """What a finished call left: exit status, texts, duration."""

    def __init__(self, args, rc, out, err, seconds):
        self.args = args
        self.rc = rc
        self.out = out
        self.err = err
        self.text = out + err
        self.seconds = seconds

    @property
    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return (f"aramid {' '.join(self.args)}\n[exit {self.rc}, {self.seconds:.1f} s]\n"
                f"--- stdout\n{self.out}\n--- stderr\n{self.err}")


class Process:
    """A call that runs in the background."""

    def __init__(self, args, cwd=None, env=None, user=None, prefix=(), stdin=subprocess.DEVNULL):
        self.args = [str(a) for a in args]
        # Files instead of pipes: a test that looks away must not block the program.
        self._out = tempfile.TemporaryFile()
        self._err = tempfile.TemporaryFile()
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [*prefix, BINARY, *self.args], cwd=cwd or tempfile.gettempdir(), stdin=stdin,
            stdout=self._out, stderr=self._err, env=environment(**(env or {})),
            start_new_session=True, **(user or {}))
        self.pid = self.process.pid

    def running(self):
        return self.process.poll() is None

    def signal(self, number):
        """Send a signal as soon as the program catches it."""
        wait.until(lambda: not self.running() or caught(self.pid) & 1 << (number - 1), "a handler of signals", 0.005)
        self.process.send_signal(number)

    def kill(self):
        """SIGKILL, also for a child that wraps it (faketime)."""
        for pid in [self.pid, *children_of(self.pid)]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        return self.wait()

    def said(self):
        """What it has written up to now, both streams."""
        return _text(self._out) + _text(self._err)

    def wait_for(self, fragment):
        """Wait until the output holds a text."""
        wait.until(lambda: fragment in self.said() or not self.running(), f"{fragment!r} in the output", 0.02)
        assert fragment in self.said(), f"no {fragment!r} in:\n{self.said()}"

    def wait(self):
        try:
            self.process.wait(timeout=wait.PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(self.pid, signal.SIGKILL)
            self.process.wait()
            raise AssertionError(f"hangs: aramid {' '.join(self.args)}\n{self.said()}") from None
        result = Result(self.args, self.process.returncode, _text(self._out), _text(self._err),
                        time.monotonic() - self.began)
        check_sanitizers(result)
        return result


class Terminal:
    """A call on a terminal of its own, as a person makes it."""

    def __init__(self, *args, cwd, env=None, columns=200):
        self.args = args
        self.text = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
            os.execve(BINARY, [BINARY, *args], environment(TERM="xterm-256color", **(env or {})))

    def read_until(self, fragment):
        """Read until the text holds a fragment; None: until the program ends."""
        end = time.monotonic() + wait.PATIENCE
        while fragment is None or fragment not in self.text:
            ready, _, _ = select.select([self.fd], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                os.kill(self.pid, signal.SIGKILL)
                raise AssertionError(f"no {fragment!r} in:\n{self.text}")
            try:
                data = os.read(self.fd, 4096)
            except OSError:  # the program closed the terminal
                data = b""
            if not data:
                assert fragment is None, f"no {fragment!r} in:\n{self.text}"
                return
            self.text += data.decode("utf-8", "replace")

    def type(self, text):
        os.write(self.fd, text.encode())

    def wait(self):
        began = time.monotonic()
        self.read_until(None)
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        result = Result(self.args, os.waitstatus_to_exitcode(status), self.text, "",
                        time.monotonic() - began)
        check_sanitizers(result)
        return result


def caught(pid):
    """The signals that a process catches, as bits."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as status:
            return next(int(line.split()[1], 16) for line in status if line.startswith("SigCgt:"))
    except OSError:
        return 0


def _text(handle):
    handle.seek(0)
    return handle.read().decode("utf-8", "replace")


def check_sanitizers(result):
    assert result.rc != SANITIZER_EXIT and "Sanitizer" not in result.text \
        and "runtime error:" not in result.text, repr(result)


def start(*args, **kwargs):
    return Process(args, **kwargs)


def run(*args, **kwargs):
    return start(*args, **kwargs).wait()


def deploy(project, url, *args, **kwargs):
    """`aramid deploy` in a project's folder, as a machine calls it."""
    return run("deploy", "--url", url, *args, cwd=project.path, **kwargs)


def status(project, url, *args, **kwargs):
    return run("status", "--url", url, *args, cwd=project.path, **kwargs)


def failpoints():
    """The names in the program's registry."""
    result = run("help", "--failpoints")
    assert result.rc == 0, result
    names = [line.split()[0] for line in result.out.splitlines() if line.strip()]
    assert names, "the registry is empty"
    return names
