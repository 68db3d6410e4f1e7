"""Chromium, driven over a pipe by its own protocol (CDP): no driver of anybody's is needed."""

import base64
import fcntl
import functools
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

from .cluster import NPM

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
AXE = os.path.join(NPM, "axe-core", "axe.min.js")


@functools.cache
def axe():
    return pathlib.Path(AXE).read_text(encoding="utf-8")


class Page:
    """A page in a tab of its own. What it asks the network for is in `requests`, what it complains about in `said`."""

    def __init__(self, browser, width, scheme, media=""):
        self.browser = browser
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.requests, self.said = [], []
        browser.pages[self.session] = self
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(domain + ".enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 500)
        self.call("Emulation.setEmulatedMedia", media=media,
                  features=[{"name": "prefers-color-scheme", "value": scheme}])

    def call(self, method, **params):
        return self.browser.call(method, session=self.session, **params)

    def open(self, path):
        self.call("Page.navigate", url=pathlib.Path(path).as_uri())
        self.browser.wait_for(self.session, "Page.loadEventFired")
        return self

    def evaluate(self, expression):
        done = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def violations(self):
        """What axe finds: [(impact, rule, the first place)]."""
        self.evaluate(axe() + ";0")
        return [(v["impact"], v["id"], v["nodes"][0]["html"]) for v in self.evaluate(
            "axe.run(document, {resultTypes: ['violations']}).then(r => r.violations)")]

    def screenshot(self):
        return base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"])

    def pdf(self):
        return base64.b64decode(self.call("Page.printToPDF")["data"])


class Browser:
    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        to_read, self.to = os.pipe()
        self.back, from_write = os.pipe()

        def place():  # its protocol is on 3 and 4
            high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (to_read, from_write)]
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                   "--remote-debugging-pipe", f"--user-data-dir={self.folder.name}"]
        self.process = subprocess.Popen(command, pass_fds=(3, 4), preexec_fn=place, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, env={**os.environ, "HOME": self.folder.name})
        os.close(to_read)
        os.close(from_write)
        self.number, self.rest, self.pages, self.events = 0, b"", {}, []

    def read(self):
        while b"\0" not in self.rest:
            more = os.read(self.back, 1 << 20)
            if not more:
                raise RuntimeError("chromium has ended")
            self.rest += more
        line, self.rest = self.rest.split(b"\0", 1)
        message = json.loads(line)
        page = self.pages.get(message.get("sessionId"))
        if page and message.get("method") == "Network.requestWillBeSent":
            page.requests.append(message["params"]["request"]["url"])
        if page and message.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown"):
            page.said.append(json.dumps(message["params"]))
        if "method" in message:
            self.events.append(message)
        return message

    def call(self, method, session=None, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            got = self.read()
            if got.get("id") == self.number:
                assert "error" not in got, (method, got["error"])
                return got["result"]

    def wait_for(self, session, method):
        def there(m):
            return m.get("sessionId") == session and m["method"] == method
        while not any(there(m) for m in self.events):
            self.read()
        self.events = [m for m in self.events if not there(m)]

    def page(self, width=1280, scheme="light", media=""):
        return Page(self, width, scheme, media)

    def close(self):
        os.close(self.to)
        self.process.kill()
        self.process.wait()
        os.close(self.back)
        self.folder.cleanup()
