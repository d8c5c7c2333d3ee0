# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the guest's jobs share. Waiting is on the guest's own clock, which
# jumps ahead while nothing runs: a bound of seconds costs milliseconds.

export WINEPREFIX=/wine WINEARCH=win64 WINEDLLPATH=/isolab
export WINELOADER=/usr/lib/wine/wine64 WINESERVER=/usr/lib/wine/wineserver64
export WINEDLLOVERRIDES="mscoree,mshtml,winemenubuilder.exe=d"
export WINEDEBUG=${WINEDEBUG:-fixme-all}

# wait_until WHAT COMMAND...: up to ten seconds
wait_until() {
    what=$1
    shift
    tries=100
    until "$@"; do
        tries=$((tries - 1))
        if [ $tries -eq 0 ]; then
            say "error: waited in vain: $what"
            return 1
        fi
        sleep 0.1
    done
    say "$what"
}

has_usb_device() {
    grep -qs "^PRODUCT=$1/" /sys/bus/usb/devices/*/uevent
}

# wait_for_usb VENDOR/PRODUCT, as a uevent spells them: 46f4/150a
wait_for_usb() {
    wait_until "USB device $1 is there" has_usb_device "$1"
}

has_log_line() {
    grep -qs "$1" wine.log
}

# Starts Wine's services and with them the bridge. What they print from then
# on, the bridge's log above all, goes to wine.log.
start_wine() {
    say "starting Wine"
    $WINELOADER 'C:\windows\system32\cmd.exe' /c exit >wine.log 2>&1
    wait_until "Windows driver started" \
        has_log_line "usbbridge: .* started" || {
        cat wine.log
        return 1
    }
}

# run_windows NAME PROGRAM ARGUMENT...: what it prints goes to NAME.out (not
# through a pipe: Wine would wait for its reader) and NAME.err
run_windows() {
    name=$1
    shift
    $WINELOADER "$@" >"$name.out" 2>"$name.err"
}

stop_wine() {
    $WINESERVER -k
    $WINESERVER -w
}
