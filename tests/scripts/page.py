# SPDX-License-Identifier: MIT
"""Shows a report page to headless Chromium, wide, dark, narrow and on paper: nothing in its console, something on its
screenshots, nothing wider than the window. Skipped by name where no Chromium is.

    page.py --writer P --results FILE [--keep FOLDER]    P FILE OUT writes the page; FOLDER gets page and pictures
"""
import argparse
import html
import pathlib
import re
import shutil
import struct
import sys
import tempfile
import zlib

from common import SKIPPED, fail, run

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Puts into the title how wide the content is, and what reaches out of the window although its parents do not scroll.
MEASURE = """<script>addEventListener("load", () => {
  const wide = document.documentElement.scrollWidth, window_ = document.documentElement.clientWidth;
  const out = [...document.querySelectorAll("main *")].filter(e => !e.closest(".table") && e.getBoundingClientRect().right > window_ + 1);
  const cut = [...document.querySelectorAll("svg text")].filter(t => {
    const a = t.getBoundingClientRect(), b = t.ownerSVGElement.getBoundingClientRect();
    return a.right > b.right + 2 || a.left < b.left - 2 || a.bottom > b.bottom + 2 || a.top < b.top - 2; });
  document.title = `measured ${wide} in ${window_}, ${out.length} out, ${cut.length} cut: ` +
    [...out, ...cut].slice(0, 5).map(e => e.tagName + " " + e.textContent.slice(0, 30)).join("; ");
});</script>"""
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')


class Browser:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def show(self, page, *options, window=(1280, 900), dark=False):
        """What the browser said and what it logged, after showing a page."""
        done = run([self.program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr",
                    "--no-first-run", "--disable-extensions", "--disable-dev-shm-usage", f"--user-data-dir={self.folder}/profile",
                    f"--window-size={window[0]},{window[1]}", f"--blink-settings=preferredColorScheme={0 if dark else 1}",
                    *options, page.as_uri()], timeout=120)
        if done.returncode != 0:
            fail(f"the browser ended with {done.returncode}:\n{done.stdout}")
        return done.stdout

    def console(self, said):
        return [line for line in said.splitlines() if ":CONSOLE" in line]


def rows_of(path):
    """The rows of an 8-bit PNG, as bytes, and how many of them are one pixel."""
    data = path.read_bytes()
    width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
    if depth != 8 or kind not in (2, 6):
        fail(f"{path}: a PNG of another kind: depth {depth}, type {kind}")
    packed, at = b"", 8
    while at < len(data):
        size, name = struct.unpack(">I4s", data[at:at + 8])
        if name == b"IDAT":
            packed += data[at + 8:at + 8 + size]
        at += size + 12
    raw, step = zlib.decompress(packed), 3 if kind == 2 else 4
    length, before = width * step, bytearray(width * step)
    for y in range(height):
        start = y * (length + 1)
        how, row = raw[start], bytearray(raw[start + 1:start + 1 + length])
        for i in range(length):
            left, up = row[i - step] if i >= step else 0, before[i]
            if how == 1:
                row[i] = (row[i] + left) & 255
            elif how == 2:
                row[i] = (row[i] + up) & 255
            elif how == 3:
                row[i] = (row[i] + (left + up) // 2) & 255
            elif how == 4:
                corner = before[i - step] if i >= step else 0
                p = left + up - corner
                a, b, c = abs(p - left), abs(p - up), abs(p - corner)
                row[i] = (row[i] + (left if a <= b and a <= c else up if b <= c else corner)) & 255
            elif how == 0:
                break
        before = row
        yield row, step


def colours(path):
    """Brightness of the ground (the most frequent colour), and how many pixels have another."""
    counts = {}
    for row, step in rows_of(path):
        for i in range(0, len(row), step):
            colour = bytes(row[i:i + 3])
            counts[colour] = counts.get(colour, 0) + 1
    ground = max(counts, key=counts.get)
    return sum(ground) / 3, sum(counts.values()) - counts[ground]


def check_console(browser, page, folder):
    planted = folder / "planted.html"
    planted.write_text("<!DOCTYPE html><title>t</title><script>console.error('planted')</script>", encoding="utf-8")
    if not browser.console(browser.show(planted, "--dump-dom")):
        fail("an error planted in the console was not noticed")
    said = browser.console(browser.show(page, "--dump-dom"))
    if said:
        fail("the console has messages:\n" + "\n".join(said))


def check_width(browser, page, folder, width):
    """Measured by a script in a copy without the page's policy, in a frame, because windows have a least width."""
    text = page.read_text(encoding="utf-8")
    if not POLICY.search(text):
        fail("the page has no Content-Security-Policy")
    copy = folder / "measured.html"
    inside = html.escape(POLICY.sub("", text).replace("</head>", MEASURE + "</head>"))
    copy.write_text('<!DOCTYPE html><title>not measured</title><body><iframe onload="document.title = this.contentDocument.title; '
                    f'this.remove()" width="{width}" height="900" style="border:0" srcdoc="{inside}"></iframe>', encoding="utf-8")
    said = browser.show(copy, "--dump-dom", window=(1400, 1000))
    found = re.search(r"<title>measured (\d+) in (\d+), (\d+) out, (\d+) cut:([^<]*)", said)
    if not found:
        fail("the page did not measure itself:\n" + said[:500])
    wide, inner, out, cut = (int(n) for n in found.groups()[:4])
    if inner != width or wide > inner or out or cut:
        fail(f"at {width}: content {wide} in a window of {inner}, {out} elements reach out, {cut} texts are cut: {found.group(5)}")


def check_picture(browser, page, picture, window, dark):
    browser.show(page, f"--screenshot={picture}", window=window, dark=dark)
    ground, other = colours(picture)
    if (ground < 128) != dark:
        fail(f"{picture.name}: the ground has brightness {ground}")
    if other < 0.02 * window[0] * window[1]:
        fail(f"{picture.name}: blank but for {other} pixels")


def check_paper(browser, page, paper):
    browser.show(page, f"--print-to-pdf={paper}", "--no-pdf-header-footer", dark=True)
    data = paper.read_bytes()
    pages = len(re.findall(rb"/Type\s*/Page\b", data))
    if not data.startswith(b"%PDF") or pages < 1 or len(data) < 10000:
        fail(f"the PDF has {len(data)} bytes and {pages} pages")
    return pages


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--writer", required=True)
    parser.add_argument("--results", type=pathlib.Path, required=True)
    parser.add_argument("--keep", type=pathlib.Path)
    options = parser.parse_args()
    program = next((p for p in map(shutil.which, BROWSERS) if p), None)
    if program is None:
        print(f"skipped: no Chromium here (looked for {', '.join(BROWSERS)}); Debian's package is chromium")
        sys.exit(SKIPPED)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = pathlib.Path(name)
        kept = (options.keep or folder).resolve()
        kept.mkdir(parents=True, exist_ok=True)
        page = kept / "report.html"
        written = run([options.writer, options.results, page])
        if written.returncode != 0:
            fail(written.stdout)
        browser = Browser(program, folder)
        check_console(browser, page, folder)
        for width in (1280, 400):
            check_width(browser, page, folder, width)
        check_picture(browser, page, kept / "light.png", (1280, 900), False)
        check_picture(browser, page, kept / "dark.png", (1280, 900), True)
        check_picture(browser, page, kept / "narrow.png", (400, 900), False)
        pages = check_paper(browser, page, kept / "paper.pdf")
    print(f"light, dark, narrow and {pages} pages of paper: nothing in the console, nothing blank, nothing too wide")


if __name__ == "__main__":
    main()
