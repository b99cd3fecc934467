"""A system tray without a screen: it takes icons (StatusNotifierItem) and says what they are at, as JSON lines.

Source: the StatusNotifierItem specification of freedesktop.org, and com.canonical.dbusmenu.
Lines on standard input are clicked: the labels of menu entries.
"""

import json
import sys

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

WATCHER = """
<node><interface name="org.kde.StatusNotifierWatcher">
  <method name="RegisterStatusNotifierItem"><arg type="s" direction="in"/></method>
  <method name="RegisterStatusNotifierHost"><arg type="s" direction="in"/></method>
  <property name="RegisteredStatusNotifierItems" type="as" access="read"/>
  <property name="IsStatusNotifierHostRegistered" type="b" access="read"/>
  <property name="ProtocolVersion" type="i" access="read"/>
  <signal name="StatusNotifierItemRegistered"><arg type="s"/></signal>
</interface></node>
"""

bus = Gio.bus_get_sync(Gio.BusType.SESSION)
items = []
said = None


def call(item, interface, method, arguments, path=None):
    return bus.call_sync(item[0], path or item[1], interface, method, arguments, None, 0, 2000, None)


def of_item(item, name):
    arguments = GLib.Variant("(ss)", ("org.kde.StatusNotifierItem", name))
    return call(item, "org.freedesktop.DBus.Properties", "Get", arguments).unpack()[0]


def menu(item):
    path = of_item(item, "Menu")
    layout = call(item, "com.canonical.dbusmenu", "GetLayout", GLib.Variant("(iias)", (0, -1, [])), path)
    return path, layout.unpack()[1][2]


def look():
    global said
    for item in items:
        try:
            entries = [entry[1].get("label", "-") for entry in menu(item)[1]]
            now = {"status": of_item(item, "Status"), "menu": entries}
        except GLib.Error:
            continue
        if now != said:
            said = now
            print(json.dumps(now), flush=True)
    return True


def click(_source, _condition):
    label = sys.stdin.readline().strip()
    if label:
        GLib.timeout_add(50, click_on, label)
    return bool(label)


def click_on(label):
    """Clicks, again and again until a menu takes it: an app may be changing it at the moment."""
    for item in items:
        try:
            path, entries = menu(item)
            for number, properties, _children in entries:
                if properties.get("label") == label:
                    event = GLib.Variant("(isvu)", (number, "clicked", GLib.Variant("i", 0), 0))
                    call(item, "com.canonical.dbusmenu", "Event", event, path)
                    return False
        except GLib.Error as error:
            print(error, file=sys.stderr, flush=True)
    return True


def register(_bus, sender, _path, _interface, method, arguments, invocation):
    if method == "RegisterStatusNotifierItem":
        (service,) = arguments.unpack()
        items.append((sender, service) if service.startswith("/") else (service, "/StatusNotifierItem"))
    invocation.return_value(None)


def read(_bus, _sender, _path, _interface, name):
    if name == "RegisteredStatusNotifierItems":
        return GLib.Variant("as", [item[0] + item[1] for item in items])
    return GLib.Variant("b", True) if name == "IsStatusNotifierHostRegistered" else GLib.Variant("i", 0)


interface = Gio.DBusNodeInfo.new_for_xml(WATCHER).interfaces[0]
bus.register_object("/StatusNotifierWatcher", interface, register, read, None)
Gio.bus_own_name_on_connection(bus, "org.kde.StatusNotifierWatcher", 0, None, None)
GLib.timeout_add(100, look)
GLib.io_add_watch(sys.stdin, GLib.IO_IN | GLib.IO_HUP, click)
print(json.dumps({"ready": True}), flush=True)
GLib.MainLoop().run()
