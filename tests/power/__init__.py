"""Power cuts: what the disk may hold afterwards, made from a record of every write and sync of a real run.

The record is kept by a small library in C that is preloaded into a real process running a real job (shim.c). strace
would see the same calls, but it cannot hold the program before bytes leave: the record must know what the provider had at
each of these moments, so the program waits there until that is noted. It also needs no leave to trace processes.

What survives a cut (disk.py), pessimistic, as Linux file systems with a journal behave:

* Content: what was in a file when it was last synced. Of the writes and truncations since then any subset, and of the
  last one that survives only the sectors of 512 bytes up to any boundary. A file may have grown to its new size without
  the bytes: then they are zeros. Writes that overlap need no other order: one that came later and got lost shows the
  earlier one.
* Names (made, renamed, removed, and folders made), by one of two models, chosen by the seed:
  "ordered", as ext4 and XFS: one journal, in order, so a beginning of the list of changes survives. Syncing a folder
  secures its names; syncing a file secures its own name, and its new size when it grew, and with them everything earlier.
  "single", as btrfs and F2FS: each change by itself. Syncing a folder secures its names; syncing a file secures its own
  name and the folders above it, and nothing else. Any subset of the others survives.
* A rename is atomic: the old name with the old content of the new one, or the new name.
* What was there when the run began is safe. SQLite's -shm is left out: SQLite makes it anew.

Not modelled: sectors that turn unreadable, disks that lie about a sync, file systems without a journal.
"""
