#!/bin/sh
# Adapter: certdeck. Verbs: setup | issue NAME... | renew-all | noop | noop-prepare N | noop-forget
# Sourced settings (lib.sh of the peers' bench): ACME_URL CA_PEM HTTP01_PORT BENCH_DIR.
set -eu
. "${BENCH_SRC:?the folder with lib.sh}/lib.sh"
CERTDECK=${CERTDECK:-certdeck}
export CERTDECK_HOME="${STATE:-$BENCH_DIR/state/certdeck}"
verb=$1; shift
case $verb in
setup)
  rm -rf "$CERTDECK_HOME"; mkdir -p "$CERTDECK_HOME/etc"
  cat > "$CERTDECK_HOME/etc/certdeck.toml" <<T
[issuers.bench]
directory = "$ACME_URL"
ca_bundle = "$CA_PEM"
profile = "default"
agree_tos = true
[defaults]
issuer = "bench"
[http01]
address = "127.0.0.1"
port = $HTTP01_PORT
T
  "$CERTDECK" issue -d setup.certdeck.test --agree-tos >/dev/null
  exec "$CERTDECK" delete setup.certdeck.test --yes;;
issue) d=; for n; do d="$d -d $n"; done; exec "$CERTDECK" issue $d;;
renew-all) exec "$CERTDECK" --renew --force;;
noop) exec "$CERTDECK" --renew;;
noop-prepare) # N lineages cloned from one that was really issued
  n=$1; cd "$CERTDECK_HOME"
  src=$(ls etc/certificates.d | grep -v '^clone' | head -1); src=${src%.toml}
  mkdir -p keep
  for f in etc/certificates.d/*.toml; do b=$(basename "$f" .toml); [ "$b" = "$src" ] || rm -rf "$f" "state/live/$b" "state/lineages/$b"; done
  v=$(basename "$(readlink "state/live/$src")")
  i=1; while [ $i -lt "$n" ]; do c=clone$i
    cp "etc/certificates.d/$src.toml" "etc/certificates.d/$c.toml"; cp -r "state/lineages/$src" "state/lineages/$c"
    ln -sfn "../lineages/$c/$v" "state/live/$c"; i=$((i+1)); done
  rm -f state/index.json; "$CERTDECK" --renew >/dev/null;;
noop-forget) :;;
esac
