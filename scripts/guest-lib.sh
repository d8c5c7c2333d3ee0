# SPDX-License-Identifier: GPL-2.0-or-later
#
# guest-lib.sh: what guest-media and guest-qemu share, to be read by both. $work
# is the root of the archive that they make, $here their folder.
#
# shellcheck shell=sh disable=SC2154

# add_libraries FILE...: what they are linked with. The guest's /lib is a link
# to /usr/lib.
add_libraries() {
    ldd "$@" | grep -o '/[^ ]*' | grep -v ':$' | sort -u |
        while read -r library; do
            mkdir -p "$work/usr$(dirname "${library#/usr}")"
            cp -L "$library" "$work/usr${library#/usr}"
        done
}

# write_archive FILE
write_archive() {
    "$here/guest-cpio" "$work" >"$1.new"
    mv "$1.new" "$1"
}
