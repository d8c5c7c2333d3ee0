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

# load_drivers MODULE...: with what they depend on
load_drivers() {
    if [ ! -d /lib/modules ]; then
        mkdir /lib/modules
        ln -s /modules "/lib/modules/$(uname -r)"
        depmod
    fi
    for module; do
        modprobe "$module" || say "error: $module does not load"
    done
}

# open_monitor: what QEMU's monitor says goes to monitor.log
open_monitor() {
    for port in /sys/class/virtio-ports/*; do
        [ "$(cat "$port/name")" = monitor ] || continue
        exec 9<>"/dev/${port##*/}"
        cat <&9 >monitor.log &
        return 0
    done
    say "error: there is no way to the monitor"
    return 1
}

monitor() {
    echo "$*" >&9
}

has_usb_device() {
    grep -qs "^PRODUCT=$1/" /sys/bus/usb/devices/*/uevent
}

# wait_for_usb VENDOR/PRODUCT, as a uevent spells them: 46f4/150a
wait_for_usb() {
    wait_until "USB device $1 is there" has_usb_device "$1"
}

# wait_for_log TEXT: the bridge has said it
wait_for_log() {
    wait_until "the bridge says: $1" grep -qs "usbbridge: .*$1" wine.log
}

# Starts Wine's services and with them the bridge. What they print from then
# on, the bridge's log above all, goes to wine.log.
start_services() {
    say "starting Wine"
    $WINELOADER 'C:\windows\system32\cmd.exe' /c exit >wine.log 2>&1
}

start_wine() {
    start_services
    wait_for_log started
}

# Wine says this in each process; the guest shows no text.
FREETYPE='FreeType\|TrueType\|or equal to 2.0.5\|www.freetype'

# show_progress FILE: puts what FILE gets on the console, until it is killed.
show_progress() {
    mkfifo /tmp/progress
    tail -f "$1" >/tmp/progress &
    follower=$!
    while read -r line; do
        case $line in
        isoav:* | usbread:*) say "$line" ;;
        esac
    done </tmp/progress &
}

hide_progress() {
    kill $follower
    wait $follower 2>/dev/null
    rm /tmp/progress
}

# run_usbread FRAMES [ALTERNATE]: the native client
run_usbread() {
    : >usbread.err
    show_progress usbread.err
    /isolab/usbread "$@" >usbread.json 2>>usbread.err
    status=$?
    hide_progress
    return $status
}

# run_isoav NAME ARGUMENT...: the Windows program, or the command line that is in
# ISOAV. Its output goes to NAME.json and NAME.err, and not through a pipe,
# because Wine would wait for its reader.
run_isoav() {
    name=$1
    shift
    : >"$name.err"
    show_progress "$name.err"
    $WINELOADER ${ISOAV:-C:\\isolab\\isoav.exe} "$@" >"$name.json" 2>>"$name.err"
    status=$?
    hide_progress
    return $status
}

stop_wine() {
    $WINESERVER -k
    $WINESERVER -w
    for log in *.log *.err; do
        [ -f "$log" ] || continue
        grep -v "$FREETYPE" "$log" >/tmp/log
        cp /tmp/log "$log"
    done
}
