# SPDX-License-Identifier: Apache-2.0
"""tests/session/secrets_session.py BUILD_DIR [--tries N] [--seed S]: real passwords at the prompts of the real programs,
typed with random timing: sudo, su, passwd, ssh to a real sshd, read -s, inside sudo -i and inside tmux. Afterwards no
secret is in any byte of any file that was written, looked at as it is and after decompression. Needs root: it makes an
account, a sudoers file and an sshd of its own, and removes them."""
import argparse
import base64
import glob
import json
import os
import random
import secrets
import shutil
import socket
import string
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from typist import Place, Typist, skip  # noqa: E402

PROMPT = rb"@@> "
MARK = "Zq7wX9"  # in every secret, so that parts of one are found too


def run(*argv, **more):
    done = subprocess.run(argv, capture_output=True, text=True, check=False, **more)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(argv)}: {done.stderr}")
    return done.stdout


def new_secret():
    letters = string.ascii_letters + string.digits
    return MARK + "".join(secrets.choice(letters) for _ in range(6)) + MARK + "".join(secrets.choice(letters) for _ in range(6))


class Host:
    """An account with a password, allowed to use sudo, and an sshd that knows it."""

    def __init__(self, place):
        self.user = f"sworntest{os.getpid() % 100000}"
        self.place = place
        self.password = new_secret()
        self.sudoers = f"/etc/sudoers.d/{self.user}"
        self.sshd = None
        run("useradd", "-M", "-d", place.path, "-s", "/bin/bash", self.user)
        run("chpasswd", input=f"{self.user}:{self.password}\n")
        with open(self.sudoers, "w") as file:
            file.write(f"{self.user} ALL=(ALL) ALL\nDefaults:{self.user} timestamp_timeout=0, passwd_tries=1\n")
        os.chmod(self.sudoers, 0o440)

    def start_sshd(self):
        key = self.place.path + "/hostkey"
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        config = self.place.path + "/sshd_config"
        with open(config, "w") as file:
            file.write(f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {key}\nUsePAM yes\nPasswordAuthentication yes\n"
                       f"PidFile none\nKbdInteractiveAuthentication no\n")
        os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        self.sshd = subprocess.Popen(["/usr/sbin/sshd", "-D", "-f", config], stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL)
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise SystemExit("sshd does not start")

    def remove(self):
        if self.sshd:
            self.sshd.terminate()
            self.sshd.wait()
        if os.path.exists(self.sudoers):
            os.unlink(self.sudoers)
        subprocess.run(["userdel", "-f", self.user], capture_output=True, check=False)


class Session:
    def __init__(self, host, rng):
        self.host, self.rng, self.count, self.typed = host, rng, {}, set()
        place = host.place
        self.recording = place.path + "/secrets.sworn"
        env = {"HOME": place.path, "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM": "xterm",
               "LANG": "C.UTF-8", "SHELL": "/bin/bash", "USER": "root"}
        self.t = Typist([place.build + "/recorder/sworn-recorder", "rec", "-q", "--input=all", "-o", self.recording, "--", "bash"],
                        env, cwd=place.path)
        self.t.wait(PROMPT)

    def line(self, text, wait=PROMPT):
        self.t.type(text + "\r")
        self.t.wait(wait)

    def secret(self, text):
        """As people type: after a moment or at once, evenly or in bursts, all in one or key by key."""
        self.typed.add(text)
        time.sleep(self.rng.choice([0, 0.002, 0.02, 0.1]) * self.rng.random())
        if self.rng.random() < 0.3:
            self.t.type(text + "\r")
            return
        for key in text + "\r":
            self.t.type(key)
            time.sleep(self.rng.choice([0, 0.001, 0.01]) * self.rng.random())

    def did(self, name):
        self.count[name] = self.count.get(name, 0) + 1

    def sudo(self):
        self.t.type("sudo -k id -u\r")
        self.t.wait(rb"password for [^:]*: ")
        self.secret(self.host.password)
        self.t.wait(rb"\r\n0\r\n")
        self.t.wait(PROMPT)

    def su(self):
        self.t.type(f"su {self.host.user} -c 'echo i am in'\r")
        self.t.wait(rb"Password: ")
        self.secret(self.host.password)
        self.t.wait(rb"\r\ni am in")
        self.t.wait(PROMPT)

    def passwd(self):
        new = new_secret()
        self.t.type("passwd\r")
        self.t.wait(rb"Current password: ")
        self.secret(self.host.password)
        self.t.wait(rb"New password: ")
        self.secret(new)
        self.t.wait(rb"Retype new password: ")
        self.secret(new)
        self.t.wait(rb"updated successfully")
        self.host.password = new
        self.t.wait(PROMPT)

    def ssh(self):
        self.t.type(f"ssh -p {self.host.port} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR "
                    f"-o PubkeyAuthentication=no {self.host.user}@127.0.0.1 echo far away\r")
        self.t.wait(rb"password: ")
        self.secret(self.host.password)
        self.t.wait(rb"\r\nfar away")
        self.t.wait(PROMPT)

    def read_s(self):
        secret = new_secret()
        self.t.type("read -rsp 'K''ey: ' k; echo; echo ${#k} letters\r")
        self.t.wait(rb"Key: ")
        self.secret(secret)
        self.t.wait(rb"\d+ letters")
        self.t.wait(PROMPT)

    def far(self):
        """A remote shell: whether it echoes is not to be seen from here, only its prompt."""
        self.t.type(f"ssh -t -p {self.host.port} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR "
                    f"-o PubkeyAuthentication=no {self.host.user}@127.0.0.1 sudo -k id -u\r")
        self.t.wait(rb"password: ")
        self.secret(self.host.password)
        self.t.wait(rb"password for [^:]*: ")
        self.secret(self.host.password)
        self.t.wait(rb"\r\n0\r\n")
        self.t.wait(PROMPT)

    def many(self, names, tries):
        for _ in range(tries):
            for name in names:
                getattr(self, name)()
                self.did(name + self.where)

    def all(self, tries):
        direct = ["sudo", "su", "passwd", "read_s"] + (["ssh", "far"] if self.host.sshd else [])
        self.where = ""
        self.line(f"su -s /bin/bash {self.host.user}")
        self.many(direct, tries)
        # sudo -i: another terminal, whose echo ours does not tell
        self.t.type("sudo -k -i env HOME=" + self.host.place.path + " bash\r")
        self.t.wait(rb"password for [^:]*: ")
        self.secret(self.host.password)
        self.t.wait(PROMPT)
        self.where = " in sudo -i"
        self.line(f"su -s /bin/bash {self.host.user}")
        self.many(["sudo", "su", "read_s"], tries)
        self.line("exit")
        self.line("exit")
        if shutil.which("tmux"):
            self.where = " in tmux"
            self.t.type(f"tmux -L {self.host.user} -f /dev/null new-session bash\r")
            self.t.wait(rb"\[0\]")
            self.t.wait(PROMPT)
            time.sleep(0.3)
            self.many(["read_s_pane"], tries)
            self.t.type("exit\r")
            self.t.wait(rb"exited\]")
            self.t.wait(PROMPT)
        self.line("exit")
        self.t.type("exit\r")
        self.t.end()

    def read_s_pane(self):
        """tmux draws the screen anew: what is waited for is only a word that shows up."""
        secret = new_secret()
        word = secrets.token_hex(4)
        self.t.type(f"read -rsp 'K''ey-{word}: ' k; echo; echo d''one-{word}\r")
        self.t.wait(f"Key-{word}: ".encode())
        time.sleep(0.05)  # tmux needs a moment until its pane reads
        self.secret(secret)
        self.t.wait(f"done-{word}".encode())
        time.sleep(0.05)


def look_for(secret_parts, place, recording):
    """In every file below the place as it is, and in every event of the recording."""
    found = []
    for path in glob.glob(place.path + "/**", recursive=True):
        if os.path.isfile(path) and any(part in open(path, "rb").read() for part in secret_parts):
            found.append(path)
    for line in place.sworn("export", "--format", "jsonl", recording).splitlines():
        event = json.loads(line)
        texts = [line.encode()]
        if "data_base64" in event:
            texts.append(base64.b64decode(event["data_base64"]))
        if any(part in text for part in secret_parts for text in texts):
            found.append("event: " + line[:300])
    # Keys are events of their own: joined they would say it too.
    typed = "".join(e.get("data", "") for e in place.json_lines("export", "--format", "jsonl", recording)
                    if e.get("kind") == "input")
    found += ["the keys, joined"] if any(part.decode() in typed for part in secret_parts) else []
    return found, typed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--tries", type=int, default=2)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    args = parser.parse_args()
    if os.geteuid() != 0:
        skip("not root")
    for program in ("useradd", "chpasswd", "sudo", "su", "passwd"):
        if not shutil.which(program):
            skip("no " + program)
    place = Place(os.path.abspath(args.build))
    host = None
    try:
        with open(place.path + "/.bashrc", "w") as rc:
            rc.write("PS1='@@> '\n")
        os.chmod(place.path + "/.bashrc", 0o644)
        host = Host(place)
        if os.path.exists("/usr/sbin/sshd") and shutil.which("ssh-keygen"):
            host.start_sshd()
        session = Session(host, random.Random(args.seed))
        session.all(args.tries)
        parts = [MARK.encode()] + [s.encode() for s in session.typed]
        found, typed = look_for(parts, place, session.recording)
        print(f"seed {args.seed}: {len(session.typed)} secrets; tries: "
              + ", ".join(f"{name} {n}" for name, n in sorted(session.count.items())))
        if "echo" not in typed:
            found.append("nothing at all was recorded of the keys: this test would see nothing")
        for each in found:
            print("FOUND: " + each)
        return 1 if found else 0
    finally:
        if host:
            host.remove()
        place.remove()


if __name__ == "__main__":
    sys.exit(main())
