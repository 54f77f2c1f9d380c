# SPDX-License-Identifier: Apache-2.0
"""Programs that the emulator was not tuned for: recorded and compared like those of record.py, after that was done.
Same form: name: (programs needed, command, (cols, rows), script)."""
ESC = b"\x1b"
UP, DOWN, RIGHT, LEFT = b"\x1bOA", b"\x1bOB", b"\x1bOC", b"\x1bOD"
EXAMPLES = "/usr/libexec/ncurses-examples/"

SESSIONS = {
    "zsh": (["zsh"], ["zsh", "-f", "-i"], (80, 24), [
        "start", b"autoload -U compinit && compinit -u\r", b"PROMPT='%F{green}%n%f:%~ %# '; RPROMPT='%F{blue}right%f'\r", "prompts",
        b"ls tr\t\t", "completed", b"\x15echo a very long line that goes on until it has to wrap around the edge of the screen and on\x01", "long",
        (60, 20), "narrower", b"\x15", b"seq 40\r", "scrolled", (100, 30), "larger", b"exit\r", "left"]),
    "fish": (["fish"], ["fish", "--no-config", "--private"], (80, 24), [
        "start", b"ls tr\t", "completed", b"\r", b"echo 'unfinished", "highlighted", b"\x03", b"for i in (seq 12); echo $i; end\r", "loop",
        (60, 18), "narrower", (100, 30), "wider", b"exit\r", "left"]),
    "mcedit": (["mcedit"], ["mcedit", "-u", "text.txt"], (80, 24), [
        "start", b"typed\r\ttabbed", "typed", DOWN * 5, b"\x1b[19~", "deleted", b"\x1b[18~", "search", b"fox\r", "found", (100, 35), "larger", (50, 14), "smaller",
        b"\x1b[21~", "leave?", b"n", "left"]),
    "diff": (["diff", "git"], ["bash", "-c", "git -C repo diff --color=always --word-diff HEAD~5 HEAD | cat; diff --color=always -y -W 80 text.txt tree/alpha/file-5.txt | head -60; sleep 60"],
             (80, 24), ["done"]),
    "joe": (["joe"], ["joe", "text.txt"], (80, 24), [
        "start", b"hello\r\tworld", "typed", b"\x0bh", "help", (100, 30), "larger", (60, 16), "smaller", b"\x0bf", b"fox\r\r", "found", b"\x03", "lose?", b"y", "left"]),
    "jed": (["jed"], ["jed", "-n", "text.txt"], (80, 24), [
        "start", b"hello\r\tworld", "typed", b"\x182", "split", (100, 30), "larger", b"\x181", "one", b"\x18\x03", "save?", b"y", b"y", "left"]),
    "lynx": (["lynx"], ["lynx", "-nopause", "page.html"], (80, 24), [
        "start", DOWN, DOWN, "link", b" ", "page", b"/fox\r", "found", (100, 30), "larger", b"h", "help", b"q", "leave?", b"y", "left"]),
    "w3m": (["w3m"], ["w3m", "page.html"], (80, 24), [
        "start", b"\t", b"\t", "link", b" ", "page", (60, 18), "smaller", b"q", "leave?", b"y", "left"]),
    "screen": (["screen"], ["screen", "-c", "/dev/null", "-S", "vt@PID@", "bash", "--norc", "--noprofile"], (80, 24), [
        "start", b"ls -l --color\r", "listing", b"\x01S", b"\x01\t", b"\x01c", "split", b"seq 60\r", "numbers", (100, 30), "larger", b"\x01Q", "one",
        b"\x01k", "kill?", b"y", b"exit\r", "left"]),
    "nnn": (["nnn"], ["nnn", "tree"], (80, 24), ["start", b"j", b"l", "inside", b"d", "details", (60, 14), "smaller", b"?", "help", b"q", b"q", "left"]),
    "vttest": (["vttest"], ["vttest"], (80, 24), [
        "menu", b"1\r", "one", b"\r", "two", b"\r", "three", b"\r", "four", b"\r", "five", b"\r", b"\r", "menu again", b"2\r", "screen one", b"\r", "screen two",
        b"\r", "screen three", b"\r", "screen four", b"\r", "screen five", b"\r", "screen six", b"\r", "screen seven", b"\r", "screen eight"]),
    "ncurses": ([EXAMPLES + "ncurses"], [EXAMPLES + "ncurses"], (80, 24), [
        "menu", b"a\r", "keys", b"x", b"\x11", b"b\r", "attributes", b"q", b"c\r", "colours", b"q", b"\r", b"f\r", "characters", b"q", b"q\r", "left"]),
    "knight": ([EXAMPLES + "knight"], [EXAMPLES + "knight"], (80, 30), ["start", b"a", b"a", "moves", (90, 36), "larger", b"x", "left"]),
    "emoji": (["python3"], ["python3", "-c", "import time\nfor i in [*range(0x1f300, 0x1f6d8), *range(0x1f910, 0x1f9ff)]: print(chr(i), end=' ' if i % 20 else '\\n')\n"
                             "print('e\\u0301' * 90)\nprint('\\u26a0\\ufe0f \\u2764 \\u00ad soft')\ntime.sleep(60)"], (80, 24), ["done"]),
    "colours": (["bash"], ["bash", "-c", r"""
      for i in $(seq 0 255); do printf '\033[48;5;%dm%4d\033[m' $i $i; done; echo
      for i in $(seq 0 8 255); do printf '\033[38;2;%d;100;%dm#\033[48:2::%d:0:90m#\033[m' $i $((255 - i)) $i; done; echo
      for a in 1 2 3 4 5 7 8 9 21 53; do printf '\033[%dmattribute %d\033[m ' $a $a; done
      for u in 0 1 2 3 4 5; do printf '\033[4:%dmunder %d\033[4:0m ' $u $u; done; sleep 60"""], (80, 24), ["done"]),
    "scrolling": (["bash"], ["bash", "-c", r"""
      for i in $(seq 1 40); do echo "line $i"; done; printf '\033[3;10r\033[3;1H\033M\033M\033D\033E text\033[r\033[24;80H'
      printf '\033[?6h\033[5;8r\033[1;1Horigin\033[9;1Hbelow\033[?6l\033[r\033[20;1H\033[?5h\033[?5l'
      printf '\033[12;40H\0337\033[1;31mmoved\0338back\033[s\033[1;1Htop\033[u!\033[?1049h\033[2;2Halternate\033[?1049l'
      printf '\033[22;1Htabs\t1\t2\033[3g\033[22;30H\033H\r\t*\033[8;1H\033[1;79Hedge\033[9;76Hwrapping\033[2A'; sleep 60"""], (80, 24), ["done"]),
}


def prepare(home):
    """The files that these programs look at, beside those of record.py."""
    rows = "".join(f"<li><a href='#{i}'>link {i}</a> the quick brown <b>fox</b> jumps over the <i>lazy</i> dog</li>\n" for i in range(60))
    (home / "page.html").write_text(f"<html><head><title>A page</title></head><body><h1>Heading</h1><table border=1><tr><td>a<td>b"
                                    f"<tr><td>漢字<td>é</table><ul>{rows}</ul><form><input name=q value=text></form></body></html>")
