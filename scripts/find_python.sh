#!/bin/sh
# Print the path of a Python that can make .venv, or name in one message what was found instead and exit with 2.
# Each candidate is run: a name in PATH may be a stub that only fails, and a Python may lack what `venv` needs.
set -fu
probe='
import sys
words = ["%d.%d.%d" % sys.version_info[:3]]
for name in ("ensurepip", "ssl", "venv"):
    try:
        __import__(name)
    except ImportError:
        words.append(name)
print(" ".join(words))
'
found=
IFS=:
for name in python3.13 python3.12 python3.11 python3 python; do
    for folder in $PATH; do
        candidate=${folder:-.}/$name
        [ -f "$candidate" ] && [ -x "$candidate" ] || continue
        answer=$("$candidate" -Es -c "$probe" 2>/dev/null </dev/null) || answer=
        case $answer in
            '') answer='does not run' ;;
            *' '*) answer="${answer%% *} without ${answer#* }" ;;
            3.11.* | 3.12.* | 3.13.*)
                printf '%s\n' "$candidate"
                exit 0
                ;;
        esac
        found="$found${found:+, }$candidate ($answer)"
    done
done
printf '%s\n' "actsweep: no suitable Python in PATH. Accepted: 3.11, 3.12 or 3.13 with its venv and ssl modules \
(some systems package venv apart). Found: ${found:-none}." >&2
exit 2
