"""Use cases of several boxes on etcd: hubs that order, devices that receive."""
