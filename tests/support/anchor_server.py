#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""anchor_server.py witness|tsa DIR [LOG_VKEY NAME]: a C2SP witness or an RFC 3161 authority on a free port, for tests.

Writes the port to DIR/port. DIR/mode says how it behaves: good (default), hang, garbage, error, huge, and for the
authority wrong (stamps another imprint) and expired (its certificate is of yesterday). The witness is witness.py with its state in DIR/state (written before it
answers); the authority is `openssl ts` with the certificates that it makes in DIR (ca.pem, tsa.pem).
"""
import http.server
import os
import pathlib
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
CONFIG = """
[tsa]
default_tsa = one
[one]
serial = serial
signer_cert = tsa.pem
signer_key = tsa.key
certs = ca.pem
default_policy = 1.2.3.4.1
digests = sha256
signer_digest = sha256
ess_cert_id_chain = no
tsa_name = no
[two]
serial = serial
signer_cert = old.pem
signer_key = tsa.key
certs = ca.pem
default_policy = 1.2.3.4.1
digests = sha256
signer_digest = sha256
ess_cert_id_chain = no
tsa_name = no
[ca]
basicConstraints = critical,CA:true
[stamper]
basicConstraints = critical,CA:false
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[req]
distinguished_name = name
[name]
"""


def openssl(directory, *words, **more):
    return subprocess.run(["openssl", *words], cwd=directory, check=True, capture_output=True, **more)


def make_authority(directory):
    (directory / "openssl.cnf").write_text(CONFIG)
    (directory / "serial").write_text("01\n")
    for name in ("ca", "tsa"):
        openssl(directory, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", f"{name}.key")
    openssl(directory, "req", "-x509", "-config", "openssl.cnf", "-key", "ca.key", "-subj", "/CN=Test CA", "-days", "2",
            "-extensions", "ca", "-out", "ca.pem")
    openssl(directory, "req", "-new", "-config", "openssl.cnf", "-key", "tsa.key", "-subj", "/CN=Test TSA", "-out", "tsa.csr")
    openssl(directory, "x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "2", "-set_serial", "2",
            "-extfile", "openssl.cnf", "-extensions", "stamper", "-out", "tsa.pem")
    # One that expired yesterday.
    openssl(directory, "x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "-1", "-set_serial", "3",
            "-extfile", "openssl.cnf", "-extensions", "stamper", "-out", "old.pem")


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        directory = self.server.directory
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        mode_file = directory / "mode"
        mode = mode_file.read_text().strip() if mode_file.exists() else "good"
        if mode == "hang":
            time.sleep(30)
        elif mode == "garbage":
            self.answer(200, "text/plain", b"\x00\xff garbage \x1b[2J\n")
        elif mode == "error":
            self.answer(500, "text/plain", b"no\n")
        elif mode == "huge":
            self.answer(200, "text/plain", b"x" * (1 << 20))
        elif self.server.kind == "witness":
            self.witness(body)
        else:
            self.stamp(body, mode)

    def witness(self, body):
        if self.path != "/w/add-checkpoint":
            self.answer(404, "text/plain", b"")
            return
        out = subprocess.run([sys.executable, HERE / "witness.py", self.server.directory / "state", *self.server.words],
                             input=body, capture_output=True, check=False).stdout
        status, kind, text = out.split(b"\n", 2)
        self.answer(int(status), kind.decode(), text)

    def stamp(self, body, mode):
        directory = self.server.directory
        if mode == "wrong":
            openssl(directory, "ts", "-query", "-digest", "00" * 32, "-sha256", "-cert", "-out", "query.tsq")
        else:
            (directory / "query.tsq").write_bytes(body)
        section = "two" if mode == "expired" else "one"
        openssl(directory, "ts", "-reply", "-config", "openssl.cnf", "-section", section, "-queryfile", "query.tsq",
                "-out", "reply.tsr")
        self.answer(200, "application/timestamp-reply", (directory / "reply.tsr").read_bytes())


def main():
    kind, directory = sys.argv[1], pathlib.Path(sys.argv[2])
    directory.mkdir(exist_ok=True)
    if kind == "tsa":
        make_authority(directory)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.kind, server.directory, server.words = kind, directory.resolve(), sys.argv[3:]
    (directory / "port.new").write_text(str(server.server_address[1]))
    os.rename(directory / "port.new", directory / "port")
    # Whoever forgets to end it does not leave it behind.
    threading.Timer(100, lambda: os._exit(0)).start()
    server.serve_forever()


main()
