"""Running what is asked for, and saying beforehand what it takes.

sweep.py      a sweep, from its configuration to its results
request.py folder.py data.py    what is asked for, held against what the folder holds, and the images
tracking.py ending.py   the tracker's share, and how a sweep ends before its end
one_trial.py repeat.py    one trial in this process, and a recorded one once more
plan/ doctor.py disk.py   what it would run, what this machine lacks, and the room for it
"""
