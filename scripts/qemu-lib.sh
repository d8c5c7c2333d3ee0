#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# qemu-lib.sh: what qemu-source, qemu10 and the scripts of the guest's kernel
# share, to be read by each. They set, as far as they use it,
#
#   $home   their folder in the cache; steps log into $home/log
#   $src    $home/src, the source    $build   $home/build, configured from it
#   $apt    $home/apt, see write_apt_conf
#
# shellcheck disable=SC2154

say() {
    echo "${0##*/}: $*" >&2
}

die() {
    say "$*"
    exit 1
}

# step NAME COMMAND...: runs it with its output in log/NAME.log.
step() {
    log=$home/log/$1.log
    shift
    if ! "$@" >"$log" 2>&1 </dev/null; then
        failed_step
    fi
}

failed_step() {
    tail -n 5 "$log" | sed 's/^/    /' >&2
    die "that failed: the end of its output is above, the rest is in $log"
}

# cache_folder NAME: its absolute name. QEMU's configure is particular.
cache_folder() {
    cache=${ISOLAB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/isolab}
    folder=$(realpath -m "$cache")/$1
    case $folder in
    *[[:space:]:]*)
        die "QEMU's configure takes no folder with a space or colon in its" \
            "name, as $folder; name another cache with ISOLAB_CACHE"
        ;;
    esac
    echo "$folder"
}

# Lines "id URI suite component" of what the distribution itself offers here.
# Other people's repositories are left out: they have no QEMU.
own_sources() {
    distribution=$(. /etc/os-release && echo " $ID ${ID_LIKE:-} ")
    apt-get indextargets \
        --format '$(CREATED_BY) $(ORIGIN) $(REPO_URI) $(RELEASE) $(COMPONENT)' |
        sort -u |
        while read -r kind origin uri suite component; do
            id=$(echo "$origin" | tr '[:upper:]' '[:lower:]')
            case "$kind $distribution" in
            Packages*" $id "*) echo "$id $uri $suite $component" ;;
            esac
        done
}

# source_lines TYPE...: such lines on stdin, as lines of a sources.list.
source_lines() {
    while read -r id uri suite component; do
        keyring=/usr/share/keyrings/$id-archive-keyring.gpg
        signed=
        if [ -r "$keyring" ]; then
            signed="[signed-by=$keyring] "
        fi
        for type; do
            echo "$type $signed$uri $suite $component"
        done
    done
}

# write_apt_conf LINES: apt's private corner, with these lines for a
# sources.list, and indexes and caches of its own. Hooks of the machine's
# configuration, which run after an update, are for its own lists.
write_apt_conf() {
    rm -rf "$apt"
    mkdir -p "$apt/parts" "$apt/lists/partial" "$apt/cache/archives/partial"
    if [ -z "$1" ]; then
        die "apt has no package lists of the distribution itself:" \
            "run 'apt-get update' as root first"
    fi
    echo "$1" >"$apt/sources.list"
    cat >"$apt/apt.conf" <<END
Dir::Etc::SourceList "$apt/sources.list";
Dir::Etc::SourceParts "$apt/parts";
Dir::State::Lists "$apt/lists";
Dir::Cache "$apt/cache";
Acquire::Languages "none";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
END
    if [ "$(id -u)" = 0 ]; then
        # apt's own user cannot write to root's cache folder.
        echo 'APT::Sandbox::User "root";' >>"$apt/apt.conf"
    fi
}

update_apt() {
    step update apt-get -c "$apt/apt.conf" -q \
        -o APT::Update::Error-Mode=any update
}

# use_suite SUITE TYPE...: $apt/apt.conf is of another suite of Debian's, from
# the mirrors that the machine uses; TYPE is deb or deb-src.
use_suite() {
    suite=$1
    shift
    sources=$(own_sources | awk -v suite="$suite" '
        $1 == "debian" && $4 == "main" {
            print $1, $2, $3 ~ /-security/ ? suite "-security" : suite, $4
        }' | sort -u | source_lines "$@")
    if [ -z "$sources" ]; then
        die "this machine's apt knows no mirror of Debian's, which has the" \
            "suite $suite; 'apt-get update' makes it look"
    fi
    write_apt_conf "$sources"
    update_apt
}

# fetch_source NAME=VERSION
fetch_source() {
    mkdir -p "$home/package"
    step fetch sh -c 'cd "$1" && apt-get -c "$2" -q source --download-only "$3"' \
        sh "$home/package" "$apt/apt.conf" "$1"
}

unpack_source() {
    say "unpacking it and applying the distribution's patches"
    for dsc in "$home"/package/*.dsc; do
        step unpack dpkg-source --no-copy --no-check -x "$dsc" "$src"
    done
    rm -rf "$home/package" "$apt"
}

# configure_source PACKAGE_VERSION OPTION...: what is asked for here shapes
# headers, stamp and the qtest module. The package version is what --version
# prints in parentheses.
configure_source() {
    pkgversion=$1
    shift
    mkdir "$build"
    if [ -e "$src/python/scripts/mkvenv.py" ]; then
        # Its own Meson is not in the source package; the system's serves.
        set -- --python=/usr/bin/python3 --disable-download "$@"
    fi
    step configure sh -c 'cd "$1" && shift && exec "$@"' sh "$build" \
        "$src/configure" --with-pkgversion="$pkgversion" \
        --target-list=x86_64-softmmu --without-default-features \
        --enable-system --enable-tcg --enable-kvm --enable-modules \
        --disable-install-blobs "$@"
}
