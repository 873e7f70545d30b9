"""The only writer of state: every file below `etc`, `state` and `run` is created, switched and removed here.

What has to outlast a power cut before the next step (files are flushed side by side, then the folder that has their names):

1. An order and its key, before the CA is asked for more: what the CA signs can always be fetched and used.
2. All files of a version, before settings, record or live link lead to it.
3. The record of a deployment to services, before one of their files changes: the next run undoes what is half done.
4. The new pair, and a copy of the old one, before a link shows it.
5. Links of services and the live link, before the record says that the deployment is committed; and that, before settings change,
   the old key is sealed and the old pair removed: from then on the next run finishes it.
6. A sealed key, before its open copy is removed.
7. Settings, before the record is removed; and its removal, before the command ends: it must not undo a later deployment.
8. Entries of the log, before the file that says how many there are.

Where no service is concerned and no settings change, there is no record: settings of a new certificate come first, then the live
link, and a version that has not gone live waits for the next run.

Not flushed is what is derived, what is asked for again, and what the next run removes again: index, clock, renewal windows, the
time of a success, an order whose certificate is stored, old pairs.
"""
