# SPDX-License-Identifier: Apache-2.0
"""Two sessions of one user at the same time, doing the same things in the same directory, under a real auditd and a
real rsyslogd: every record that holds the mark of session A must be told as A's, and none of B's."""
import atexit
import binascii
import os
import pwd
import re
import shutil
import subprocess
import sys

from real_host import BUILD, SWORN, Person, check, json_lines, need, private_namespace, scratch, start, wait_for

ROUNDS = 4
need("auditd", "auditctl", "rsyslogd", "sudo", "useradd", "logger")
private_namespace()
status = subprocess.run(["auditctl", "-s"], capture_output=True, text=True).stdout
if not re.search(r"^enabled 0$", status, re.M) or not re.search(r"^pid 0$", status, re.M):
    skip_reason = "the kernel's audit is in use here or not available"
    print("SKIPPED: " + skip_reason)
    sys.exit(77)
folder = scratch()

# A user of our own, in an /etc of our own.
over = os.path.join(folder, "etc")
for name in ("", "/up", "/work"):
    os.mkdir(over + name)
subprocess.run(["mount", "-t", "tmpfs", "tmpfs", over], check=True)
atexit.register(subprocess.run, ["umount", "-l", "/etc", over], stderr=subprocess.DEVNULL)
os.mkdir(over + "/up")
os.mkdir(over + "/work")
if subprocess.run(["mount", "-t", "overlay", "overlay", "-o", "lowerdir=/etc,upperdir=%s/up,workdir=%s/work" % (over, over), "/etc"],
                  capture_output=True).returncode != 0:
    print("SKIPPED: no overlay on /etc")
    sys.exit(77)
home = os.path.join(folder, "home")
subprocess.run(["useradd", "--no-log-init", "-u", "61001", "-d", home, "-m", "-s", "/bin/bash", "swtester"], check=True, capture_output=True)
with open("/etc/sudoers.d/swtester", "w") as rule:
    rule.write("swtester ALL=(ALL) NOPASSWD: ALL\n")
os.chmod("/etc/sudoers.d/swtester", 0o440)
user = pwd.getpwnam("swtester")
os.chown(home, user.pw_uid, user.pw_gid)
with open(os.path.join(home, ".bashrc"), "w") as rc:
    rc.write("PS1='@@> '\n")

os.mkdir(os.path.join(folder, "logs"))  # auditd takes the directory of its log for itself
audit_log = os.path.join(folder, "logs/audit.log")
auth_log = os.path.join(folder, "auth.log")
os.mkdir(os.path.join(folder, "auditd"), 0o700)
with open(os.path.join(folder, "auditd/auditd.conf"), "w") as conf:
    conf.write("log_file = %s\nlog_format = ENRICHED\npriority_boost = 0\nflush = none\nfreq = 0\nmax_log_file = 100\n"
               "max_log_file_action = ignore\nspace_left = 5\nspace_left_action = ignore\nadmin_space_left = 4\n"
               "admin_space_left_action = ignore\ndisk_full_action = ignore\ndisk_error_action = ignore\n" % audit_log)
with open(os.path.join(folder, "rsyslog.conf"), "w") as conf:
    conf.write('global(workDirectory="%s")\nmodule(load="imuxsock" SysSock.Name="%s/devlog" SysSock.UsePIDFromSystem="on")\n'
               'action(type="omfile" file="%s" template="RSYSLOG_TraditionalFileFormat")\n' % (folder, folder, auth_log))
rsyslog = start("rsyslogd", "-n", "-f", os.path.join(folder, "rsyslog.conf"), "-i", os.path.join(folder, "rsyslog.pid"))
auditd = start("auditd", "-n", "-c", os.path.join(folder, "auditd"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def stop_audit():
    for words in (["-D"], ["-e", "0"]):
        subprocess.run(["auditctl"] + words, capture_output=True)
    auditd.stop()


try:
    wait_for("syslog socket", lambda: os.path.exists(folder + "/devlog"))
    os.chmod(folder + "/devlog", 0o666)
    if not os.path.exists("/dev/log"):  # a place to put ours, for this namespace only
        open("/dev/log", "x").close()
        atexit.register(os.unlink, "/dev/log")
    subprocess.run(["mount", "--bind", folder + "/devlog", "/dev/log"], check=True)
    atexit.register(subprocess.run, ["umount", "/dev/log"])
    wait_for("audit log", lambda: os.path.exists(audit_log))
    subprocess.run(["auditctl", "-b", "8192"], check=True, capture_output=True)
    subprocess.run(["auditctl", "-a", "always,exit", "-F", "arch=b64", "-S", "execve,execveat", "-F", "auid=61001", "-k", "sworn-test"],
                   check=True, capture_output=True)

    def become():
        with open("/proc/self/loginuid", "w") as loginuid:
            loginuid.write("61001")
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)
        os.environ.update(HOME=home, USER="swtester", LOGNAME="swtester", TERM="dumb", SHELL="/bin/bash", LC_ALL="C.UTF-8")
        os.chdir(home)

    people = {}
    for name in "AB":
        people[name] = Person(become, [SWORN, "rec", "-q", "-o", os.path.join(home, name + ".sworn"), "--", "bash"])
    for person in people.values():
        person.wait(b"@@> ")
    lines = ["/bin/true mark-%s-%d", "sudo -n /bin/echo mark-%s-%d", "logger -t swapp mark-%s-%d", "sudo -n logger -t swapp mark-%s-%d",
             "sh -c 'sh -c \"/bin/echo mark-%s-%d\" | cat'", "sudo -n sh -c '/bin/echo mark-%s-%d; logger -t swapp in mark-%s-%d'",
             "setsid /bin/echo mark-%s-%d", "(sleep 0.1; logger -t swapp mark-%s-%d) &", "sudo -n -u nobody /bin/echo mark-%s-%d",
             "cat /etc/shadow mark-%s-%d", "sudo -n su nobody -s /bin/sh -c 'echo mark-%s-%d'"]
    number = 0
    for _ in range(ROUNDS):
        for line in lines:
            number += 1
            for name, person in people.items():  # on one line: sudo's own terminal would swallow what is typed ahead
                text = line % ((name, number) * (line.count("%") // 2))
                person.type(text + ("" if text.endswith("&") else ";") + " printf 'ok-%%s\\n' %s%d" % (name, number))
            for name, person in people.items():
                person.wait(("ok-%s%d" % (name, number)).encode())
    for person in people.values():
        person.finish()
finally:
    stop_audit()
rsyslog.stop()

# The truth is in the marks, whatever the kernel's numbers say.
HEX = re.compile(r"\b[0-9A-F]{16,}\b")


def readable(text):
    def unhex(match):
        try:
            return binascii.unhexlify(match.group(0)).decode("utf-8", "replace").replace("\0", " ")
        except (binascii.Error, ValueError):
            return match.group(0)
    return HEX.sub(unhex, text)


def truth(path, name):
    return sum(1 for line in open(path, errors="replace") if re.search(r"mark-%s-\d" % name, readable(line)))


bad = []
for mine, theirs in ("AB", "BA"):
    recording = os.path.join(home, mine + ".sworn")
    for logs in ([audit_log, auth_log], [auth_log, audit_log]):
        words = [word for log in logs for word in ("--with", log)]
        result = subprocess.run([SWORN, "log", "--json", recording] + words, capture_output=True, text=True)
        check(result.returncode == 0, result.stderr)
        listed = [line for line in json_lines(result.stdout) if line["schema"] == "sworn.line/1"]
        for source in ("audit.log", "auth.log"):
            of = [line for line in listed if line["source"] == source]
            own = [line for line in of if "mark-%s-" % mine in line["text"]]
            foreign = [line for line in of if "mark-%s-" % theirs in line["text"]]
            told = [line for line in own if line["relation"] == "this_session"]
            wrong = [line for line in foreign if line["relation"] == "this_session"]
            share = 100.0 * len(told) / max(1, len(own))
            print("session %s, %s: %d of %d own records told as its own (%.1f %%), %d of %d of the other session's"
                  % (mine, source, len(told), len(own), share, len(wrong), len(foreign)))
            if len(own) < ROUNDS * 5 or share < 95 or wrong:
                bad.append((mine, source))
                for line in [l for l in own if l["relation"] != "this_session"][:5] + wrong[:5]:
                    print("   ", line["relation"], line["why"], line["text"][:150])
print("marked lines in the files: audit %d + %d, auth %d + %d" % (truth(audit_log, "A"), truth(audit_log, "B"),
                                                                truth(auth_log, "A"), truth(auth_log, "B")))
check(not bad, "attribution: %r" % bad)
