"""Access to folders that are not certdeck's own: those of a service, a web server's document root, the folder of an export.

certdeck may run as root there, while another account owns the folder and can exchange names in it between any two of our system
calls. So this package is the only way to work in such folders, and nothing in it looks a path up twice:

- A path is walked level by level (`walk`); each level is opened once, never through a link that the system follows.
- A folder is held open (`opened` to read, `folder` to work in it), and everything in it is created, renamed and removed relative
  to that descriptor.
- A file is opened once, and content, owner, mode and access list come from that one descriptor (`attributes`). Devices and pipes
  are never opened: opening some of them already has side effects.
- A link is followed only if `trust` allows it: it was created by root, or its target belongs to its own account.
- No mode that is set has an execute, set-ID or sticky bit, and no account can read a copy that could not read its source.

The work is done with certdeck's own rights, not with those of the folder's owner: files have to be given to other owners, a key may
be readable only for root, and the effective user of a process is the same for all its threads.
"""
