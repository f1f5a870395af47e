#!/bin/bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# Party SH: bash with cat, dd, od, cmp and rm, on a file or on a POSIX object in /dev/shm; flock on a file.
# A handle is descriptor 9, so that it outlives the name as a mapping does.

handle=/proc/self/fd/9

argument() { # argument KEY: its value from the request's words
    local word
    for word in "${words[@]:1}"; do
        [[ $word == "$1="* ]] && { printf '%s' "${word#*=}"; return; }
    done
}

path_of() { # file:PATH is PATH, anything else is a name in /dev/shm
    case $1 in
        file:*) printf '%s' "${1#file:}" ;;
        *) printf '/dev/shm/%s' "${1#/}" ;;
    esac
}

bytes() { sed 's/../\\x&/g' <<<"$1" | { read -r escaped; printf "$escaped"; }; }

repeated() { # repeated HEX SIZE: the block again and again, doubling, cut at SIZE
    local copy="$PWD/repeated.$$" length=$((${#1} / 2))
    bytes "$1" >"$copy"
    while ((length < $2)); do
        cat "$copy" "$copy" >"$copy.twice" && mv "$copy.twice" "$copy"
        ((length *= 2))
    done
    head -c "$2" "$copy"
    rm "$copy"
}

attach() {
    if [[ -n $(argument fd) ]]; then
        exec 9<>"/proc/self/fd/$(argument fd)"
    elif [[ -e $path ]]; then
        exec 9<>"$path"
    else
        echo "ERR ENOENT"
        return 1
    fi
    echo "OK size=$(stat -Lc %s $handle)"
}

lock() { # flock(1) on descriptor 8, which is bash's own
    local how=-x wait=(-n) timeout
    timeout=$(argument timeout)
    [[ $(argument sharing) == shared ]] && how=-s
    if [[ $(argument wait) == 1 ]]; then
        echo WAIT
        wait=()
        [[ -n $timeout ]] && wait=(-w "$(printf '0.%03d' "$timeout")")
    fi
    if flock $how "${wait[@]}" 8; then
        echo "OK locked"
    elif [[ -n $timeout ]]; then
        echo "ERR ETIMEDOUT"
    else
        echo "ERR EAGAIN"
    fi
}

perform() {
    local at size path
    at=$(argument at) size=$(argument size) path=$(path_of "$(argument name)")
    case ${words[0]} in
        create) (umask 077; head -c "$size" /dev/zero >"$path"); attach ;;
        open) attach ;;
        write) bytes "$(argument hex)" | dd of=$handle bs=64k seek="${at:-0}" oflag=seek_bytes conv=notrunc status=none; echo "OK written" ;;
        read) echo "OK $(tail -c "+$((${at:-0} + 1))" $handle | head -c "${size:-99999999}" | od -An -v -tx1 | tr -d ' \n')" ;;
        fill) repeated "$(argument hex)" "$(stat -Lc %s $handle)" | dd of=$handle bs=1M conv=notrunc status=none; echo "OK filled" ;;
        match) repeated "$(argument hex)" "$(stat -Lc %s $handle)" | cmp -s - $handle && echo "OK same" || echo "OK different" ;;
        signal.send) kill -s "$(argument signal)" "$(argument pid)" && echo "OK sent" ;;
        signal.queue) env kill -q "$(argument value)" -s "$(argument signal)" "$(argument pid)" && echo "OK sent" ;;
        close) exec 9>&-; echo "OK closed" ;;
        remove) rm "$path" && echo "OK removed" ;;
        lock.open) (umask 077; : >>"$(argument path)"); exec 8<>"$(argument path)"; echo "OK opened" ;;
        lock.acquire) lock ;;
        lock.release) flock -u 8 && echo "OK unlocked" ;;
        lock.touch) : <"$(argument path)"; echo "OK touched" ;;
        lock.close) exec 8>&-; echo "OK closed" ;;
        *) echo "ERR ENOSYS" ;;
    esac
}

echo READY
if (($#)); then
    words=("$@")
    perform
    exit
fi
while IFS=$'\t' read -r -a words; do
    perform
done
exit 0
