# SPDX-License-Identifier: Apache-2.0
"""Inside a tmux pane: writes to the terminal what comes over a Unix socket. Each message is a length (4 bytes) and so
many bytes; after each, the terminal is asked for its status, and when it has answered, one byte goes back: then it has
taken in everything before."""
import os
import socket
import struct
import sys
import tty

ASK, ANSWER = b"\x1b[5n", b"\x1b[0n"


def read_exactly(connection, size):
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            sys.exit(0)
        data += more
    return data


def write_all(data):
    view = memoryview(data)
    while view:
        view = view[os.write(1, view):]


def main():
    tty.setraw(0)
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(sys.argv[1])
    heard = b""
    while True:
        size = struct.unpack("!I", read_exactly(connection, 4))[0]
        write_all(read_exactly(connection, size) + ASK)
        while ANSWER not in heard:
            heard += os.read(0, 4096)
        heard = heard.split(ANSWER, 1)[1]
        connection.sendall(b".")


main()
