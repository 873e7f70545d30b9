"""Folders that are not certdeck's own: those of a service, a web server's document root, the place of an export.

certdeck may run as root there, while another account owns the folder and exchanges names in it at any moment between two of our
system calls. So this package is the only way to work in such folders, and nothing in it looks a path up twice:

- A path is walked level by level (`walk`); each level is opened once, never through a link that the system follows.
- A folder is held open (`opened` to look, `folder` to work in it), and everything in it is made, renamed and removed relative to
  that descriptor.
- A file is opened once, and content, owner, mode and access list come from that one descriptor (`attributes`). Devices and pipes
  are never opened: opening some of them already does something.
- A link is followed only where `trust` says so: it is root's own word, or it leads to what belongs to its own account.
- No mode that is given has an execute, set-ID or sticky bit, and no copy can be read by somebody who could not read its source.

The work is done with certdeck's own rights, not with those of the folder's owner: files have to be given to other owners, a key may
be for root alone, and the effective user of a process is the same for all its threads.
"""
