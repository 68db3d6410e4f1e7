"""A real HTTP server for one test: it plays a script of answers and keeps what was sent to it."""

import http.server
import json
import ssl
import subprocess
import threading
import time


class Request:
    def __init__(self, method, path, headers, body):
        self.method, self.path, self.headers, self.body = method, path, headers, body

    @property
    def json(self):
        return json.loads(self.body)


class Answer:
    """status, body, headers; `wait` seconds before it, `drip` seconds between its bytes, or `cut`:
    the connection ends in the middle."""

    def __init__(self, status=200, body="ok", headers=None, wait=0.0, drip=0.0, cut=False):
        self.status, self.body, self.headers = status, body.encode(), headers or {}
        self.wait, self.drip, self.cut = wait, drip, cut


class Web:
    """answers: the n-th request gets the n-th of them, the last one for ever; or a function of the request."""

    def __init__(self, *answers, certificate=None):
        self.answers = list(answers) or [Answer()]
        self.requests = []
        self.stopping = threading.Event()
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                request = Request(self.command, self.path, dict(self.headers), body.decode("utf-8", "replace"))
                number = len(web.requests)
                web.requests.append(request)
                answer = web.answers[min(number, len(web.answers) - 1)]
                if callable(answer):
                    answer = answer(request)
                web.stopping.wait(answer.wait)
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body) + (10 if answer.cut else 0)))
                self.end_headers()
                for at in range(len(answer.body)) if answer.drip else [None]:
                    self.wfile.write(answer.body if at is None else answer.body[at:at + 1])
                    self.wfile.flush()
                    web.stopping.wait(answer.drip)
                self.close_connection = True

            do_GET = do_POST = do_PUT = do

            def log_message(self, *args):
                pass

            def handle_one_request(self):
                try:
                    super().handle_one_request()
                except (OSError, ssl.SSLError):
                    self.close_connection = True

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *args: None
        self.scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            self.scheme = "https"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    @property
    def port(self):
        return self.server.server_address[1]

    def url(self, path="/", host="127.0.0.1"):
        return f"{self.scheme}://{host}:{self.port}{path}"

    def wait_for(self, count, seconds=60):
        """Until so many requests came."""
        end = time.monotonic() + seconds
        while len(self.requests) < count:
            assert time.monotonic() < end, f"{len(self.requests)} of {count} requests came"
            time.sleep(0.01)

    def close(self):
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def certificate(folder, name="localhost"):
    """A certificate that nobody has signed: paths of it and of its key."""
    cert, key = str(folder / "cert.pem"), str(folder / "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert,
                    "-days", "30", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name},IP:127.0.0.1"],
                   check=True, capture_output=True)
    return cert, key
