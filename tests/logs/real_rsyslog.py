# SPDX-License-Identifier: Apache-2.0
"""The audit trail as RFC 5424, taken in and taken apart by a real rsyslogd."""
import os
import subprocess

from real_host import FIXTURE, SWORN, check, json_lines, need, scratch, start, wait_for

need("rsyslogd")
folder = scratch()
port = str(20000 + os.getpid() % 20000)
out = os.path.join(folder, "out.json")
with open(os.path.join(folder, "rsyslog.conf"), "w") as conf:
    conf.write('''
global(workDirectory="%s" maxMessageSize="64k")
module(load="imudp")
input(type="imudp" address="127.0.0.1" port="%s")
template(name="json" type="list") { property(name="jsonmesg") constant(value="\\n") }
action(type="omfile" file="%s" template="json")
''' % (folder, port, out))
daemon = start("rsyslogd", "-n", "-f", os.path.join(folder, "rsyslog.conf"), "-i", os.path.join(folder, "pid"))
session = os.path.join(folder, "s.sworn")
subprocess.run([FIXTURE, "shell", session], check=True)
hostile = os.path.join(folder, "h.sworn")
subprocess.run([FIXTURE, "hostile", hostile], check=True)

expected = json_lines(subprocess.run([SWORN, "log", "--trail", session], check=True, capture_output=True, text=True).stdout)
check(len(expected) >= 5, "the fixture gives entries")


def received():
    if not os.path.exists(out):
        return []
    return json_lines(open(out, errors="replace").read())


def send():
    for name in (session, hostile):
        subprocess.run([SWORN, "tail", "--once", "--syslog", "udp:127.0.0.1:" + port, name], check=True)
    return len(received()) >= 2 * len(expected)


wait_for("messages", send, 30)
messages = [m for m in received() if "sworn" in m.get("programname", "")]
check(len(messages) == len(received()), "every message has our name")
first = messages[:len(expected)]
for message, entry in zip(first, expected):
    check(message["app-name"] == "sworn" and message["protocol-version"] == "1", "application and version: %r" % message)
    check(message["msgid"] == entry["kind"], "MSGID %r, kind %r" % (message["msgid"], entry["kind"]))
    check(message["hostname"] == entry["session"]["host"], "HOSTNAME %r" % message["hostname"])
    check(message["syslogfacility"] == "10", "facility authpriv: %r" % message)
    check(message["timereported"].startswith(entry["at"][:26]), "TIMESTAMP %r, at %r" % (message["timereported"], entry["at"]))
    data = message["structured-data"]
    check('session="%s"' % entry["session"]["id"] in data, "session in %r" % data)
    check('link="%s"' % entry["link"] in data, "link in %r" % data)
    if entry["kind"] == "command":
        check('status="%s"' % entry["status"] in data, "status in %r" % data)
        check(entry["text"] in message["msg"], "text in %r" % message["msg"])
for message in messages:
    check(message["structured-data"].startswith("[sworn@32473 ") and message["structured-data"].endswith("]"),
          "structured data: %r" % message["structured-data"])
    check("\x1b" not in message["msg"] and "\n" not in message["msg"], "escaped: %r" % message["msg"])
daemon.stop()
print("rsyslogd took %d messages apart" % len(messages))
