#!/usr/bin/python3
"""Drop real files on a window under X11, as a person would.

usage: drag-files.py X Y FILE...

Shows a small window at the right edge of the screen that offers the files as text/uri-list, takes them with the mouse
and lets go at X Y. Needs DISPLAY, python3-gi, gir1.2-gtk-3.0 and xdotool. Exits 0 when the drag was finished.
"""
import pathlib
import subprocess
import sys

# GTK reads the arguments too, and takes text only.
ARGUMENTS = sys.argv[1:]
del sys.argv[1:]

import gi  # noqa: E402

gi.require_version("Gdk", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, GLib, Gtk  # noqa: E402

SIZE = 120
STEPS = 15


class Source(Gtk.Window):
    def __init__(self, target, files):
        super().__init__(title="files")
        self.target, self.finished = target, False
        self.uris = [pathlib.Path(file).resolve().as_uri() for file in files]
        screen_width = Gdk.Display.get_default().get_monitor(0).get_geometry().width
        self.corner = (screen_width - SIZE - 10, 30)
        self.set_decorated(False)
        self.set_default_size(SIZE, SIZE)
        self.move(*self.corner)
        box = Gtk.EventBox()
        box.drag_source_set(
            Gdk.ModifierType.BUTTON1_MASK,
            [Gtk.TargetEntry.new("text/uri-list", 0, 0)],
            Gdk.DragAction.COPY,
        )
        box.connect("drag-data-get", lambda _box, _context, data, _info, _time: data.set_uris(self.uris))
        box.connect("drag-end", self.ended)
        self.add(box)
        self.connect("map-event", lambda *_: GLib.timeout_add(600, self.grab))

    def ended(self, *_):
        self.finished = True
        GLib.timeout_add(200, Gtk.main_quit)

    def grab(self):
        start = (self.corner[0] + SIZE // 2, self.corner[1] + SIZE // 2)
        path = [
            tuple(int(a + (b - a) * step / STEPS) for a, b in zip(start, self.target)) for step in range(1, STEPS + 1)
        ]
        moves = [("mousemove", *start), ("mousedown", 1)]
        moves += [("mousemove", *point) for point in path]
        moves += [("mousemove", self.target[0] + 2, self.target[1] + 2), ("mouseup", 1)]
        self.moves = iter(moves)
        GLib.timeout_add(120, self.step)
        return False

    def step(self):
        move = next(self.moves, None)
        if move is None:
            return False
        # Each ends before the next: on a busy computer two at once may change places, and nothing is dragged.
        subprocess.run(["xdotool", *map(str, move)], check=True)
        return True


def main():
    if len(ARGUMENTS) < 3:
        sys.exit(__doc__)
    x, y, *files = ARGUMENTS
    source = Source((int(x), int(y)), files)
    source.show_all()
    GLib.timeout_add_seconds(20, Gtk.main_quit)
    Gtk.main()
    sys.exit(0 if source.finished else 1)


main()
