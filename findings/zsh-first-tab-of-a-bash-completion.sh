#!/bin/sh
# zsh 5.9 (Debian 12, 5.9-4+b15): a completion file that registers a bash function with `complete` does not answer the first Tab.
#
# Programs often ship such a file: `#compdef NAME`, `bashcompinit`, then the script for bash. zsh loads it when NAME is completed for the
# first time, and runs it as the completion. `complete` in it registers a function for the next time, and offers nothing now.
# A file that ends with `_bash_complete -F FUNCTION`, which is what `complete` registers, answers the first Tab, too.
#
# Seen:
#   complete: Tab 1 offers nothing
#   complete: Tab 2 offers alpha
#   _bash_complete: Tab 1 offers alpha
#   _bash_complete: Tab 2 offers alpha
# Exit status: 0 while it is so, 1 when it has changed, 2 when the packages could not be had.
set -u
folder=$(mktemp -d) || exit 2
cd "$folder" || exit 2
trap 'rm -rf "$folder"' EXIT
for package in zsh zsh-common; do apt-get download -qq "$package" 2>/dev/null; done
for package in *.deb; do [ -e "$package" ] && dpkg -x "$package" root; done
case $(ls zsh_*.deb 2>/dev/null) in *5.9*) ;; *) exit 2 ;; esac
export ZSH="$PWD/root/bin/zsh" FPATH="$(find "$PWD/root/usr/share/zsh/functions" -type d | tr '\n' ':')"
export MODULES="$(dirname "$(dirname "$(find "$PWD/root/usr/lib" -name zpty.so)")")"
cat >tab.zsh <<'ZSH'
module_path=($MODULES)
zmodload zsh/zpty
zpty shell $ZSH -f -i
zpty -w shell "PS1=; module_path=($MODULES); fpath=($PWD \$fpath); autoload -U compinit; compinit -u -D; bindkey '^I' list-choices; echo READY"
zpty -r shell text '*READY*READY*'
for tab in 1 2; do
    zpty -w -n shell $'\C-uexample al\t'
    sleep 2
    text=
    while zpty -rt shell part; do text+=$part; done
    [[ $text == *alpha* ]] && print "$1: Tab $tab offers alpha" || print "$1: Tab $tab offers nothing"
done
ZSH
body='#compdef example
autoload -U +X bashcompinit && bashcompinit
__example() { COMPREPLY=(alpha); }'
printf '%s\ncomplete -F __example example\n' "$body" >_example
TERM=dumb "$ZSH" -f tab.zsh complete >seen
printf '%s\n_bash_complete -F __example\n' "$body" >_example
TERM=dumb "$ZSH" -f tab.zsh _bash_complete >>seen
cat seen
grep -q '^complete: Tab 1 offers nothing' seen && grep -q '^_bash_complete: Tab 1 offers alpha' seen
