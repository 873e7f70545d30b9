"""Use cases of a fleet: hubs that order certificates, devices that receive them, and etcd between them."""
