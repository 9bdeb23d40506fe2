"""Where images come from: files, a download, arrays, modules of plugins."""
