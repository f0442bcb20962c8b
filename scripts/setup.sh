#!/usr/bin/env bash
# Makes .venv in the project's folder and installs seq2seq in it, with the versions that
# constraints.txt pins. When nothing has changed it does nothing, in a few milliseconds.
#
#   scripts/setup.sh [dev] [plot] [tensorboard]    extras; those of earlier calls stay
#   scripts/setup.sh [cpu | cuda12 | cuda13]       instead of what nvidia-smi suggests
#   scripts/setup.sh --plan [...]                  only says, on stdout, what it would install
#   PYTHON=python3.12 scripts/setup.sh             with this Python

set -euo pipefail # and nothing newer than bash 3.2, which macOS has
unset CDPATH PYTHONHOME PYTHONPATH

[[ ${PYTHON:-} == */* && $PYTHON != /* ]] && PYTHON=$PWD/$PYTHON
script=${BASH_SOURCE[0]}
root=$(cd -- "${script%/*}/.." && pwd -P)
venv=$root/.venv
stamp=$venv/setup-stamp
log=$venv/setup.log
details=$venv/setup-details.log
trial='
import sys
recent = sys.version_info >= (3, 11)
try:
    import ensurepip, venv
    complete = True
except ImportError:
    complete = False
print("%d.%d.%d %d %d" % (sys.version_info[:3] + (recent, complete)))
'
files=$(cksum <<<"$(<"$root/pyproject.toml")$(<"$root/scripts/constraints.txt")")

say() { printf 'setup: %s\n' "$*" >&2; }

fail() {
    say "$1"
    exit "${2:-2}"
}

read_arguments() {
    plan='' wanted_extras='' wanted_device='' advice=''
    local word
    for word in "$@"; do
        case $word in
            --plan) plan=yes ;;
            -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$script" && exit ;;
            dev | plot | tensorboard) wanted_extras+=" $word" ;;
            cpu | cuda12 | cuda13) wanted_device=$word ;;
            *) fail "there is no extra '$word'; there are dev, plot, tensorboard, cpu, cuda12, cuda13" ;;
        esac
    done
}

read_stamp() {
    old_files='' old_root='' old_gpu='' old_device='' old_extras='' old_python=''
    [[ -r $stamp ]] || return 0
    {
        IFS= read -r old_files && IFS= read -r old_root && IFS= read -r old_gpu &&
            IFS= read -r old_device && IFS= read -r old_extras && IFS= read -r old_python
    } <"$stamp" || true
}

add_up_extras() {
    local name
    extras=''
    for name in dev plot tensorboard; do
        [[ " $old_extras $wanted_extras " == *" $name "* ]] && extras+=" $name"
    done
    extras=${extras# }
}

# A choice of CUDA, once made, stays: a cluster's login node without a GPU shares .venv with
# nodes that have one. nvidia-smi takes up to seconds, so it runs only where the driver is new.
choose_device() {
    local smi driver=''
    smi=$(type -P nvidia-smi) || smi=''
    [[ -r /proc/driver/nvidia/version ]] && IFS= read -r driver </proc/driver/nvidia/version
    gpu="$smi $driver"
    if [[ -n $wanted_device ]]; then
        device=$wanted_device
    elif [[ $old_device == cuda* || (-n $old_device && $old_gpu == "$gpu") ]]; then
        device=$old_device
    else
        [[ -n $advice ]] || ask_nvidia_smi "$smi"
        device=$advice
    fi
}

ask_nvidia_smi() {
    local table version='CUDA[A-Za-z ]*Version: *([0-9]+)'
    advice=cpu
    [[ -n $1 ]] || return 0
    table=$(timeout 30 "$1" 2>/dev/null) || return 0
    [[ $table =~ $version ]] || return 0
    if ((BASH_REMATCH[1] >= 13)); then
        advice=cuda13
    elif ((BASH_REMATCH[1] == 12)); then
        advice=cuda12
    else
        say "the NVIDIA driver knows CUDA ${BASH_REMATCH[1]}, JAX needs 12 or newer: setting up for the CPU"
    fi
}

same_packages() {
    [[ $old_files == "$files" && $old_root == "$root" && $old_device == "$device" &&
        $old_extras == "$extras" && -x $venv/bin/python ]]
}

nothing_changed() {
    same_packages && [[ $device == cuda* || $old_gpu == "$gpu" ]] &&
        [[ -z ${PYTHON:-} || $old_python == "$(type -P -- "$PYTHON")" ]]
}

# A version manager's shims exist and fail, and Debian's Python may lack venv: hence the trial.
find_python() {
    local candidate facts recent has_venv complaint=''
    while IFS= read -r candidate; do
        facts=$("$candidate" -c "$trial" 2>/dev/null </dev/null) || continue
        read -r version recent has_venv <<<"$facts"
        python=$candidate
        [[ $recent$has_venv == 11 ]] && return
        # What a newer Python lacks is worth more to know than that an older one is there too.
        if [[ $recent == 1 ]]; then
            complaint="Python $version ($candidate) has no venv module; install it (Debian, Ubuntu: apt install python${version%.*}-venv)"
        elif [[ -z $complaint ]]; then
            complaint="Python $version ($candidate) is too old; install Python 3.11 or newer"
        fi
    done < <(candidates)
    if [[ -z $complaint && -n ${PYTHON:-} ]]; then
        complaint="PYTHON='$PYTHON' does not run; install Python 3.11 or newer"
    fi
    fail "${complaint:-no Python is there; install Python 3.11 or newer}, or name another one, as in PYTHON=/path/to/python3"
}

candidates() {
    local name found names=(python3.13 python3.12 python3.11 python3 python)
    [[ -z ${PYTHON:-} ]] || names=("$PYTHON")
    for name in "${names[@]}"; do
        while IFS= read -r found; do
            # Not the Python of an activated .venv, which may have to be made anew.
            [[ $found == "$venv"/* ]] || printf '%s\n' "$found"
        done < <(type -aP -- "$name")
    done
}

identity() { "$1" -c 'import sys; print(sys.base_prefix, sys.version)' 2>/dev/null </dev/null; }

# False for what a killed setup left, a folder that was moved, another CUDA or Python than asked
# for. A .venv that someone else made is used as it is.
venv_is_usable() {
    [[ -x $venv/bin/python && $old_files != unfinished ]] || return 1
    [[ -z $old_root || $old_root == "$root" ]] || return 1
    [[ $old_device != cuda* || $old_device == "$device" ]] || return 1
    [[ -z ${PYTHON:-} || $(identity "$venv/bin/python") == "$(identity "$python")" ]] || return 1
    "$venv/bin/python" -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

# Two at once would write the same files. The lock outlives a killed setup as long as its pip.
lock() {
    [[ -w $root ]] || fail "not allowed to write in '$root'"
    command -v flock >/dev/null || return 0 # macOS
    exec 9>"$root/.venv.lock"
    flock -n 9 && return
    say "waiting for another setup of '$root'"
    flock 9
}

write_stamp() {
    printf '%s\n' "$@" >"$stamp.new"
    mv -f "$stamp.new" "$stamp"
}

write_finished_stamp() {
    write_stamp "$files" "$root" "$gpu" "$device" "$extras" "$(type -P -- "${PYTHON:-$python}")"
}

# pip fetches before it changes anything: what could not be fetched has broken nothing.
restore_stamp() {
    if [[ -n $old_files && -z $remade ]]; then
        write_stamp "$old_files" "$old_root" "$old_gpu" "$old_device" "$old_extras" "$old_python"
    elif [[ -z $remade ]]; then
        rm -f "$stamp"
    fi
}

packages() {
    local name="for the CPU"
    [[ $device == cpu ]] || name="for GPUs ($device)"
    printf '%s' "$name${extras:+, with ${extras// /, }}"
}

cost() {
    local megabytes=800 minutes=1
    [[ $device == cpu ]] || megabytes=4700 minutes=3
    [[ " $extras " != *" dev "* ]] || ((megabytes += 350))
    printf '%s' "about $megabytes MB and $minutes min, once"
}

pip_install() {
    PIP_USER=0 "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
        --log "$details" --only-binary :all: --constraint scripts/constraints.txt "$@" \
        >>"$log" 2>&1 </dev/null || explain
}

explain() {
    local text
    text=$(tail -c 20000 "$log")
    case "$text $(grep -F 'Could not fetch URL' "$details" 2>/dev/null)" in
        *'No space left on device'* | *'Disk quota exceeded'*)
            fail "the disk is full: free some space, and run this again" ;;
        *'Failed to establish a new connection'* | *NewConnectionError* | *NameResolutionError* | \
            *ConnectTimeout* | *'timed out'* | *ProxyError* | *'Connection refused'* | *'connection error'*)
            restore_stamp
            fail "no network: the packages cannot be fetched; connect, and run this again" ;;
        *SSLError* | *SSLCertVerificationError*)
            fail "the package index cannot be trusted (TLS certificate); see $details" ;;
        *'No matching distribution found'*)
            restore_stamp
            fail "a package is not to be had for Python $version on this machine (see $details); try another one, as in PYTHON=python3.12" ;;
    esac
    printf '%s\n' "$text" | tail -n 20 >&2
    fail "the installation failed as shown above; the whole log is $details" 1
}

install() {
    local requirements=(--editable ".${extras:+[${extras// /,}]}")
    [[ $device == cpu ]] || requirements+=("jax[$device]")
    say "$1"
    remade=''
    if ! venv_is_usable; then
        remade=yes
        rm -rf "$venv"
    fi
    mkdir -p "$venv"
    write_stamp unfinished
    : >"$log"
    if [[ -n $remade ]]; then
        "$python" -m venv "$venv" >>"$log" 2>&1 </dev/null || explain
    fi
    # Without isolation the build too runs on a pinned setuptools, fetched once.
    pip_install setuptools
    pip_install --no-build-isolation "${requirements[@]}"
    write_finished_stamp
    compile_ahead
}

# So that the first sentence does not wait for the compiler. It is no fault if that cannot be.
compile_ahead() {
    [[ $device == cpu && -e data/models/de-en ]] || return 0
    "$venv/bin/python" -P -m seq2seq.translate data/models/de-en "Guten Morgen." >>"$log" 2>&1 </dev/null || true
}

compare() {
    read_stamp
    add_up_extras
    choose_device
}

main() {
    read_arguments "$@"
    compare
    if [[ -z $plan ]] && nothing_changed; then
        return
    fi
    find_python
    if [[ -n $plan ]]; then
        printf '%s\n' ".venv with Python $version $(packages): $(cost)"
        return
    fi
    cd -- "$root"
    lock
    compare # again: the setup that was waited for may have done it all
    if nothing_changed; then
        return
    elif same_packages && venv_is_usable; then
        write_finished_stamp
    elif venv_is_usable; then
        install "updating .venv $(packages)"
    else
        install "making .venv with Python $version $(packages): $(cost)"
    fi
}

main "$@"
