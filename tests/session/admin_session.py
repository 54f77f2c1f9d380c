# SPDX-License-Identifier: Apache-2.0
"""tests/session/admin_session.py BUILD_DIR: an hour of an admin's work in half a minute. More than sixty command lines on real
shells; of each, the text, the directory, the exit status and the programs that the kernel saw must be right, and every way
around the shell's hook must be on the list of what does not add up."""
import os
import shutil
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from typist import Place, Typist, needs_kernel  # noqa: E402

PROMPT = rb"@@> "
ANY = object()


class Line:
    """What is typed, and what must be on record of it."""

    def __init__(self, typed, programs=(), status=0, text=None, wait=PROMPT, keys=(), cwd=ANY, after=ANY, flags=(),
                 check=None, record=True):
        self.typed, self.programs, self.status = typed, programs, status
        self.text = typed if text is None else text
        self.wait, self.keys, self.cwd, self.after = wait, keys, cwd, after
        self.flags, self.check, self.record = flags, check, record


def inner(typed, wait=PROMPT, keys=()):
    return Line(typed, record=False, wait=wait, keys=keys)


def lines(home):
    big = "x" * 100_000
    long_words = f"/bin/true {big}"
    out = [
        Line("pwd"),
        Line("/bin/true", ["/bin/true"]),
        Line("/bin/false", ["/bin/false"], 1),
        Line("false", [], 1),
        Line("ls /etc/hostname | cat | wc -l", ["ls /etc/hostname", "cat", "wc -l"]),
        Line("/bin/false | /bin/true", ["/bin/false", "/bin/true"]),
        Line("(exit 7)", [], 7),
        Line("cat <<EOF", ["cat"], text="cat <<EOF\nhello  there\nEOF",
             keys=[(rb"> ", "hello  there\r"), (rb"> ", "EOF\r")]),
        Line("for i in 1 2 3; do /bin/echo $i; done", ["/bin/echo 1", "/bin/echo 2", "/bin/echo 3"]),
        Line("f() { /bin/uname -s; }"),
        Line("f", ["/bin/uname -s"]),
        Line("alias ll='ls -l'"),
        Line("ll /etc/hostname", ["ls -l /etc/hostname"]),
        Line("sleep 0.3 &", ["sleep 0.3"], flags=["background"]),
        Line("wait"),
        Line("cd /usr", cwd=home, after="/usr"),
        Line("/bin/pwd", ["/bin/pwd"], cwd="/usr", after="/usr",
             check=lambda e: [p["programs"][0]["cwd"] for p in e["processes"] if p["programs"]] == ["/usr"]),
        Line("(cd /etc; /bin/pwd)", ["/bin/pwd"], cwd="/usr", after="/usr",
             check=lambda e: [p["programs"][0]["cwd"] for p in e["processes"] if p["programs"]] == ["/etc"]),
        Line("cd - >/dev/null", cwd="/usr", after=home),
        Line("echo $(id -u) `hostname`", ["id -u", "hostname"]),
        Line("no_such_command_x", [], 127),
        Line("/etc/passwd", [], 126),
        Line("sleep 30", ["sleep 30"], 130, keys=[(rb"sleep 30", "\x03")], wait=PROMPT,
             check=lambda e: e["processes"][0]["signal"] == 2),
        Line("cat >/dev/null", ["cat"], 148, keys=[(rb"cat >/dev/null", "\x1a")], flags=["background"]),
        Line("fg", [], 130, keys=[(rb"cat > /dev/null", "\x03")]),
        Line("time /bin/true", ["/bin/true"]),
        Line("{ /bin/echo a; /bin/echo b; } | cat", ["/bin/echo a", "/bin/echo b", "cat"]),
        Line("true && /bin/echo yes || /bin/echo no", ["/bin/echo yes"]),
        Line("if /bin/false; then :; else /bin/echo else; fi", ["/bin/false", "/bin/echo else"]),
        Line(r"while read x; do /bin/echo $x; done < <(printf '1\n2\n')", ["/bin/echo 1", "/bin/echo 2"]),
        Line("case x in x) /bin/true;; esac", ["/bin/true"]),
        Line("/bin/echo \"a'b\" 'c\"d'  \"e  f\" ''", ["/bin/echo a'b c\"d e  f "]),
        Line("/bin/echo 'ä ö → ✓' >/dev/null", ["/bin/echo ä ö → ✓"]),
        Line("env -i /bin/true", ["env -i /bin/true", "/bin/true"]),
        Line("nohup /bin/true 2>/dev/null", ["nohup /bin/true", "/bin/true"]),
        Line("xargs -n1 /bin/echo <<< '1 2'", ["xargs -n1 /bin/echo", "/bin/echo 1", "/bin/echo 2"]),
        Line("find /etc/hostname -exec cat {} \\;", ["find /etc/hostname -exec cat {} ;", "cat /etc/hostname"]),
        Line("bash -c '/bin/true; exec /bin/echo exec'",
             ["bash -c /bin/true; exec /bin/echo exec", "/bin/echo exec", "/bin/true"]),
        Line("setsid -w sh -c '/bin/echo x; true'", ["setsid -w sh -c /bin/echo x; true", "sh -c /bin/echo x; true",
                                                     "/bin/echo x"]),
        Line("sh -c '(/bin/sleep 0.2 &) &'", ["sh -c (/bin/sleep 0.2 &) &", "/bin/sleep 0.2"], flags=["background"]),
        Line(f"printf '#!/bin/sh\\n/bin/uname -p\\n' > {home}/s; chmod +x {home}/s", [f"chmod +x {home}/s"]),
        Line(f"{home}/s", [f"/bin/sh {home}/s", "/bin/uname -p"]),
        Line(f"cat < {home}/s > {home}/t", ["cat"]),
        Line("sudo -n id -un", ["sudo -n id -un", "id -un"]),
        Line("sudo -n -u nobody id -un", ["sudo -n -u nobody id -un", "id -un"],
             check=lambda e: any(q["uid"] == 65534 for p in e["processes"] for q in p["programs"])),
        Line("su -s /bin/sh nobody -c '/bin/uname -s'", ["su -s /bin/sh nobody -c /bin/uname -s", "sh -c /bin/uname -s",
                                                        "/bin/uname -s"]),
        Line("HISTCONTROL=ignoreboth:erasedups"),
        Line(" /bin/echo led by a space", ["/bin/echo led by a space"]),
        Line("/bin/echo twice", ["/bin/echo twice"]),
        Line("/bin/echo twice", ["/bin/echo twice"]),
        Line("HISTIGNORE='*ignored*'"),
        Line("/bin/echo ignored", ["/bin/echo ignored"]),
        Line("unset HISTCONTROL HISTIGNORE"),
        Line("# only a comment", [], ANY, flags=["not_run"]),
        Line(")", [], ANY, flags=["not_run"]),
        Line(long_words, [f"/bin/true {big}"], check=lambda e: "argv_truncated" in e["processes"][0]["programs"][0]["flags"]
             and e["processes"][0]["programs"][0]["argv_bytes"] == len(long_words) + 1),
        # what tries not to be seen
        Line("echo aWQgLXUK | base64 -d | sh", ["base64 -d", "sh", "id -u"]),
        Line("eval \"$(printf '\\x2f\\x62\\x69\\x6e\\x2f\\x69\\x64')\"", ["/bin/id"]),
        Line("$'\\x75name' -m", ["uname -m"]),
        Line("exec 3<>/dev/tcp/127.0.0.1/9", [], 1,
             check=lambda e: [c["what"] for c in e["connections"]] == ["tcp 127.0.0.1 port 9"]),
        Line("cp /bin/true /tmp/.gone; (exec 5</tmp/.gone; rm /tmp/.gone; /proc/self/fd/5)",
             ["cp /bin/true /tmp/.gone", "rm /tmp/.gone", "/proc/self/fd/5"]),
        Line("set +o history", []),
        Line("/bin/echo unseen", ["/bin/echo unseen"], text=""),
        Line("set -o history", [], text=""),
        Line("bash --norc", ["bash --norc", "/bin/uname -n"], wait=rb"bash-5[^ ]* ", flags=["unhooked_shell"]),
        inner("/bin/uname -n", wait=rb"bash-5[^ ]* "),
        inner("exit"),
        Line("sh", ["sh", "/bin/uname -v"], wait=rb"# ", flags=["unhooked_shell"]),
        inner("/bin/uname -v", wait=rb"# "),
        inner("exit"),
        Line("sudo -n -i", ANY, wait=rb"# ", flags=["unhooked_shell"],
             check=lambda e: ["/bin/uname", "-r"] in [q["argv"] for p in e["processes"] for q in p["programs"]]),
        inner("/bin/uname -r", wait=rb"# "),
        inner("exit"),
        Line("su", ANY, wait=rb"# ", flags=["unhooked_shell"],
             check=lambda e: ["/bin/uname", "-i"] in [q["argv"] for p in e["processes"] for q in p["programs"]]),
        inner("/bin/uname -i", wait=rb"# "),
        inner("exit"),
    ]
    if shutil.which("zsh"):
        out += [
            Line("zsh -f", ["zsh -f", "/bin/uname -s"], wait=rb"# ", flags=["unhooked_shell"]),
            inner("/bin/uname -s", wait=rb"# "),
            inner("exit"),
        ]
    if shutil.which("fish"):
        out += [
            Line("fish --private --no-config", ANY, wait=rb"[#>] ", flags=["unhooked_shell"],
                 check=lambda e: ["/bin/uname", "-o"] in [q["argv"] for p in e["processes"] for q in p["programs"]]),
            inner("/bin/uname -o; exit"),
        ]
    if shutil.which("tmux"):
        out += [
            Line(f"tmux -S {home}/sock -f /dev/null new-session /bin/sh", ANY, wait=rb"# ", keys=[],
                 check=lambda e: ["/bin/echo", "in tmux"] in [q["argv"] for p in e["processes"] for q in p["programs"]]),
            inner("/bin/echo 'in tmux'; exit"),
        ]
    out += [
        # the hook is put back by itself
        Line("PROMPT_COMMAND=", [], ANY),
        Line("/bin/echo still here", ["/bin/echo still here"]),
        # until both are gone
        Line("PS0= PROMPT_COMMAND=", ANY, ANY, flags=["hook_lost"]),
        inner("/bin/uname -s"),
        inner("exec bash --norc", wait=rb"bash-5[^ ]* "),
        inner("/bin/uname -m", wait=rb"bash-5[^ ]* "),
    ]
    return out


WANTED_DIVERGENCES = {
    "code_from_input": "commands come from a pipe: sh",
    "name_not_in_text": "/bin/id",
    "shell_connection": "tcp 127.0.0.1 port 9",
    "hidden_program": "/proc/self/fd/5",
    "no_text": "history off",
    "shell_without_hook": "bash --norc",
    "handed_outside": "tmux",
    "hook_lost": "PS0= PROMPT_COMMAND=",
    "execution_without_command": "/bin/uname -s",
}


def check(place, recording, script):
    entries = place.json_lines("log", "--json", recording)
    wanted = [line for line in script if line.record]
    bad = []
    for i, line in enumerate(wanted):
        if i >= len(entries):
            bad.append(f"no entry for {line.typed[:80]!r}")
            break
        entry = entries[i]

        def expect(what, got, want):
            if want is not ANY and got != want:
                bad.append(f"{line.typed[:80]!r}: {what} is {str(got)[:300]!r}, not {str(want)[:300]!r}")

        expect("text", entry["text"], line.text)
        expect("status", entry["status"], line.status)
        expect("cwd", entry["cwd"], line.cwd)
        expect("cwd_after", entry["cwd_after"], line.after)
        if line.programs is not ANY:
            ran = sorted(" ".join(q["argv"])[:16000] for p in entry["processes"] for q in p["programs"] if not q["error"])
            expect("list of programs", ran, sorted(p[:16000] for p in line.programs))
        for flag in line.flags:
            expect(f"flag {flag}", flag in entry["flags"], True)
        if line.check and not line.check(entry):
            bad.append(f"{line.typed[:80]!r}: what is special about it is not on record: {str(entry)[:2000]}")
    if len(entries) > len(wanted):
        bad.append("entries too many: " + ", ".join(repr(e["text"][:60]) for e in entries[len(wanted):]))
    found = place.json_lines("log", "--divergence", "--json", recording)
    for kind, part in WANTED_DIVERGENCES.items():
        if kind == "handed_outside" and not shutil.which("tmux"):
            continue
        if not any(d["kind"] == kind and part in d["text"] for d in found):
            bad.append(f"not on the list of what does not add up: {kind} with {part!r}; there are "
                       + str([(d["kind"], d["text"][:60]) for d in found if d["kind"] == kind]))
    statement = [e["fields"] for e in place.json_lines("export", "--format", "jsonl", recording)
                 if e.get("kind") == "capture" and e["fields"].get("layer") == "statement"]
    if not statement or statement[-1]["exec"] != "complete" or statement[-1]["lost"] != 0:
        bad.append(f"the recording does not state complete capture: {statement}")
    return len(wanted), bad


def main(build):
    needs_kernel(build)
    place = Place(build)
    try:
        with open(place.path + "/.bashrc", "w") as rc:
            rc.write("PS1='@@> '\n")
        recording = place.path + "/admin.sworn"
        env = {"HOME": place.path, "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM": "xterm",
               "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "SHELL": "/bin/bash", "USER": "root"}
        person = Typist([build + "/recorder/sworn-recorder", "rec", "-q", "-o", recording, "--", "bash"], env,
                        cwd=place.path)
        person.wait(PROMPT)
        script = lines(place.path)
        for line in script:
            person.type(line.typed + "\r")
            for before, keys in line.keys:
                person.wait(before)
                time.sleep(0.1 if keys < " " else 0)  # the echo comes before the program
                person.type(keys)
            person.wait(line.wait)
        person.type("exit\r")
        person.end()
        count, bad = check(place, recording, script)
        print(f"{count} command lines")
        for each in bad:
            print("WRONG: " + each)
        if count < 60:
            bad.append("too few command lines")
        if bad:
            shutil.copy(recording, "/tmp/sworn-admin-session.sworn")
            print("the recording: /tmp/sworn-admin-session.sworn")
        return 1 if bad else 0
    finally:
        place.remove()


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1])))
