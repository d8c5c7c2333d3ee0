# What the scripts of the package share, to be read by each.
#
# SPDX-License-Identifier: MIT

say()
{
    echo "${0##*/}: $*" >&2
}

die()
{
    say "$*"
    exit 1
}

# package_time INF: the day in DriverVer, in seconds since 1970. Everything in
# the package has this time, so that the same sources give the same bytes.
package_time()
{
    day=$(sed -n 's|^DriverVer *= *\(..\)/\(..\)/\(....\),.*|\3-\1-\2|p' "$1")
    [ -n "$day" ] || die "$1 has no DriverVer"
    date -u -d "$day" +%s
}
