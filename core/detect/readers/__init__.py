"""How certificate, key, names and ports are read from the configuration of one service: a module each, with a function `read`."""
