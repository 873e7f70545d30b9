#!/bin/sh
# pkix 1.0.9 (Erlang, the certificate store of ejabberd; Debian 12): a valid certificate that is put back with its older date is
# never read, and the reload reports no error.
#
# pkix remembers the modification time of each file in whole seconds and reads the file again only when the time is greater, not
# when it is different. So `cp -p`, `mv`, a restored backup, a switched symlink, or a second change within the same second leave
# ejabberd with the certificate that it had, while `ejabberdctl reload_config` ends with 0. `touch` and a second reload help.
# Source: src/pkix.erl, add_file/2 ("MTime =< Time").
#
# Seen (A and B are self-signed certificates with their keys; B is loaded, then A is put in its place with a date an hour older):
#   A put back: commit ok, errors [], in use: B
#   after touch: commit ok, errors [], in use: A
# Exit status: 0 while it is so, 1 when it has changed, 2 when the packages could not be had.
set -u
folder=$(mktemp -d) || exit 2
cd "$folder" || exit 2
trap 'rm -rf "$folder"' EXIT
for package in erlang-base erlang-crypto erlang-public-key erlang-asn1 erlang-syntax-tools erlang-p1-pkix; do
    apt-get download -qq "$package" 2>/dev/null
done
for package in *.deb; do [ -e "$package" ] && dpkg -x "$package" root; done
case $(ls erlang-p1-pkix_*.deb 2>/dev/null) in *_1.0.9-*) ;; *) exit 2 ;; esac
for name in A B; do
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "/CN=$name.example" \
        -addext subjectAltName=DNS:site.example -keyout "$name.key" -out "$name.crt" 2>/dev/null || exit 2
    cat "$name.crt" "$name.key" >"$name.pem"
done
touch -d '1 hour ago' A.pem
cp -p B.pem site.pem

ROOTDIR=$PWD/root/usr/lib/erlang
BINDIR=$(echo "$ROOTDIR"/erts-*/bin)
EMU=beam PROGNAME=erl HOME=$PWD
export ROOTDIR BINDIR EMU PROGNAME HOME
cat >attempt.erl <<'ERL'
-module(attempt).
-export([main/0]).
main() ->
    {ok, _} = application:ensure_all_started(pkix),
    ok = pkix:add_file("site.pem"),
    commit(),
    {ok, _} = file:copy("A.pem", "site.pem"),
    {ok, Info} = file:read_file_info("A.pem"),
    ok = file:write_file_info("site.pem", Info),
    show("A put back"),
    timer:sleep(1100),
    ok = file:change_time("site.pem", calendar:local_time()),
    show("after touch"),
    halt(0).
commit() -> pkix:commit("used", [{validate, false}]).
show(When) ->
    {ok, Errors, _, _} = commit(),
    {File, _, _} = pkix:get_certfile(<<"site.example">>),
    {ok, Used} = file:read_file(File),
    {ok, A} = file:read_file("A.crt"),
    Name = case binary:match(Used, binary:part(A, 30, 200)) of nomatch -> "B"; _ -> "A" end,
    io:format("~s: commit ok, errors ~p, in use: ~s~n", [When, Errors, Name]).
ERL
mkdir used
timeout 60 "$BINDIR/erlexec" -noshell -boot no_dot_erlang -eval '{ok, M} = compile:file("attempt.erl"), M:main().' >seen 2>&1
cat seen
grep -qx 'A put back: commit ok, errors \[\], in use: B' seen || { grep -q 'A put back' seen && exit 1; exit 2; }
grep -qx 'after touch: commit ok, errors \[\], in use: A' seen || exit 1
