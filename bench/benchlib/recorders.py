# SPDX-License-Identifier: Apache-2.0
"""The recorders side by side: how each is started, what it leaves on disk, and what can be got back from that.

Every recorder is asked for a recording that can be replayed, with its defaults otherwise. `script` appears
twice: as most people use it (typescript only, buffered: the least work), and with timing and flush."""
import gzip
import json
import os
import pathlib
import re
import shlex
import shutil
import struct
import subprocess
import zlib


class Recorder:
    """A way to run a command. `directory` is empty at the start of each run and is all that it may fill."""

    name = ""
    keeps = True  # leaves a recording

    def available(self, context):
        """None, or why it cannot run here."""
        return None

    def command(self, context, directory, child):
        raise NotImplementedError

    def recover(self, context, directory):
        """The output bytes that can be read back from what is on disk, also after a kill."""
        raise NotImplementedError

    def stored(self, directory):
        return sum(p.stat().st_size for p in pathlib.Path(directory).rglob("*") if p.is_file())

    def version(self):
        return ""


def exists(program):
    return None if shutil.which(program) else "not installed (bench/packages)"


def first_line(argv):
    try:
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return (done.stdout.strip().splitlines() or [""])[0]
    except OSError:
        return ""


def shell(child):
    return "exec " + " ".join(shlex.quote(str(c)) for c in child)


class Bare(Recorder):
    name = "bare command"
    keeps = False

    def command(self, context, directory, child):
        return child


class Relay(Recorder):
    name = "bare relay"
    keeps = False

    def command(self, context, directory, child):
        return [context.tool("relay"), *child]


class Script(Recorder):
    name = "script"

    def available(self, context):
        return exists("script")

    def version(self):
        return first_line(["script", "--version"])

    def command(self, context, directory, child):
        return ["script", "-q", "-c", shell(child), f"{directory}/typescript"]

    def recover(self, context, directory):
        data = pathlib.Path(directory, "typescript").read_bytes()
        return re.sub(
            rb"\AScript started on [^\n]*\n", b"", re.sub(rb"\nScript done on [^\n]*\n\Z", b"", data)
        )


class ScriptFlush(Script):
    name = "script -f -T"

    def command(self, context, directory, child):
        return [
            "script",
            "-q",
            "-f",
            "-T",
            f"{directory}/timing",
            "-c",
            shell(child),
            f"{directory}/typescript",
        ]


class Ttyrec(Recorder):
    name = "ttyrec"

    def available(self, context):
        return exists("ttyrec")

    def version(self):
        return first_line(["dpkg-query", "-W", "-f", "ttyrec ${Version}", "ttyrec"])

    def command(self, context, directory, child):
        return ["ttyrec", "-e", shell(child), f"{directory}/ttyrecord"]

    def recover(self, context, directory):
        data = pathlib.Path(directory, "ttyrecord").read_bytes()
        out, at = [], 0
        while at + 12 <= len(data):
            length = struct.unpack_from("<III", data, at)[2]
            out.append(data[at + 12 : at + 12 + length])
            at += 12 + length
        return b"".join(out)


class Tlog(Recorder):
    name = "tlog-rec"

    def available(self, context):
        if not pathlib.Path("/run/utmp").exists():
            return "needs /run/utmp (bench/packages)"
        return exists("tlog-rec")

    def version(self):
        return first_line(["tlog-rec", "--version"])

    def command(self, context, directory, child):
        return ["tlog-rec", "--writer=file", f"--file-path={directory}/tlog", "--", *child]

    def recover(self, context, directory):
        out = []
        for line in pathlib.Path(directory, "tlog").read_bytes().splitlines():
            try:
                message = json.loads(line)
            except ValueError:
                break
            text, binary, t, b = message["out_txt"], bytes(message["out_bin"]), 0, 0
            for kind, first, second in re.findall(r"([<>\[\]=+])(\d+)(?:[/x](\d+))?", message["timing"]):
                if kind == ">":
                    out.append(text[t : t + int(first)].encode())
                    t += int(first)
                elif kind == "]":
                    t += int(first)
                    out.append(binary[b : b + int(second)])
                    b += int(second)
        return b"".join(out)


class Asciinema(Recorder):
    name = "asciinema"

    def available(self, context):
        return exists("asciinema")

    def version(self):
        return first_line(["asciinema", "--version"])

    def command(self, context, directory, child):
        return ["asciinema", "rec", "-q", "--overwrite", "-c", shell(child), f"{directory}/session.cast"]

    def recover(self, context, directory):
        path = pathlib.Path(directory, "session.cast")
        out = []
        for line in path.read_bytes().splitlines()[1:] if path.exists() else []:
            try:
                _, kind, text = json.loads(line)
            except ValueError:
                break
            if kind == "o":
                out.append(text.encode())
        return b"".join(out)


class Sudo(Recorder):
    """sudo's I/O logs with the default zlib. Our sudoers file is bound over the system's in a mount namespace
    of the run only: nothing on the machine changes."""

    name = "sudo I/O log"

    def available(self, context):
        if exists("sudo"):
            return exists("sudo")
        probe = subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL, check=False)
        return None if probe.returncode == 0 else "needs root for a mount namespace"

    def version(self):
        return first_line(["sudo", "--version"])

    def command(self, context, directory, child):
        rules = pathlib.Path(directory, "sudoers")
        rules.write_text(
            "Defaults !env_reset, !authenticate, log_output, use_pty, !syslog\n"
            f"Defaults iolog_dir={directory}/io, iolog_file=session\nroot ALL=(ALL:ALL) ALL\n"
        )
        rules.chmod(0o440)
        return [
            "unshare",
            "-m",
            "sh",
            "-c",
            f'mount --bind {rules} /etc/sudoers && exec sudo -n "$@"',
            "sudo",
            *child,
        ]

    def stored(self, directory):
        return super().stored(pathlib.Path(directory, "io"))

    def recover(self, context, directory):
        path = pathlib.Path(directory, "io/session/ttyout")
        data = path.read_bytes() if path.exists() else b""
        if data[:2] != b"\x1f\x8b":
            return data
        try:
            return gzip.decompress(data)
        except (EOFError, zlib.error):
            return zlib.decompressobj(31).decompress(data)


class Sworn(Recorder):
    """Without the kernel's account of what is executed: no peer has that. SwornKernel shows what it costs."""

    name = "sworn rec"
    capture = "shell"

    def front(self, context):
        return context.build / "cli" / "sworn"

    def available(self, context):
        parts = (self.front(context), context.build / "recorder" / "sworn-recorder")
        absent = [part.name for part in parts if not part.exists()]
        return f"{' and '.join(absent)} not built" if absent else None

    def command(self, context, directory, child):
        return [
            "env",
            f"XDG_DATA_HOME={directory}/data",
            f"XDG_STATE_HOME={directory}/state",
            f"XDG_CONFIG_HOME={directory}/config",
            self.front(context),
            "rec",
            "-q",  # its notice is on the terminal and, rightly, not in the recording
            "--capture",
            self.capture,
            "-o",
            f"{directory}/session.sworn",
            "--",
            *child,
        ]

    def file(self, directory):
        for name in ("session.sworn", "session.sworn.part"):
            if pathlib.Path(directory, name).exists():
                return pathlib.Path(directory, name)
        return None

    def recover(self, context, directory):
        path = self.file(directory)
        if path is None:
            return b""
        if path.suffix == ".part":
            salvaged = pathlib.Path(directory, "salvaged.sworn")
            salvaged.unlink(missing_ok=True)
            context.run([self.front(context), "salvage", path, "-o", salvaged], check=False)
            path = salvaged
        return context.run([context.tool("format"), "dump", path]).stdout


class SwornKernel(Sworn):
    name = "sworn rec, kernel capture"
    capture = "exec"

    def available(self, context):
        why = super().available(context)
        if why:
            return why
        helper = next(context.build.glob("**/sworn-bpf"), None)
        return "needs root" if os.geteuid() != 0 else None if helper else "sworn-bpf is not built"


PRODUCT = Sworn()
ALL = [Bare(), Relay(), PRODUCT, SwornKernel(), Script(), ScriptFlush(), Ttyrec(), Tlog(), Asciinema(), Sudo()]


def chosen(context, need_recording=False):
    """(recorders that run here, {name: why not})."""
    here, missing = [], {}
    for recorder in ALL:
        if need_recording and not recorder.keeps:
            continue
        if context.only and recorder.name not in context.only:
            continue
        why = recorder.available(context)
        if why:
            missing[recorder.name] = why
        else:
            here.append(recorder)
    return here, missing
