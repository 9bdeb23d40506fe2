"""The dashboard: live pages of the studies below a folder, on loopback, for reading only.

server.py    the HTTP server: routes, and how it begins and ends
security.py  what every answer carries, and which requests are refused
watch.py     the threads that read, and which study is read when
listing.py   what lies below the root: the studies by name, and links, which are not followed
follow.py    one study, read as it grows
files.py     whether a study's files have changed
view.py      what is known of a study as texts
report.py    what a study has come to so far, computed aside, at most a fifth of the time
pages.py     texts to HTML, by the templates
parts.py     the parts of a page, and which of them a browser lacks
"""

from actsweep.live.server import DEFAULT_PORT, serve

__all__ = ["DEFAULT_PORT", "serve"]
