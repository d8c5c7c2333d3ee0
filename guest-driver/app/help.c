/*
 * The help, which is also where a person learns what the program is for.
 *
 * SPDX-License-Identifier: MIT
 */
#include "args.h"

static const char overview[] =
    "isoav talks to the IsoLab audio/video device through isoav.sys, its\n"
    "Windows driver, which streams with isochronous URBs.\n"
    "\n"
    "usage: isoav COMMAND [OPTION]...\n"
    "\n"
    "  list      show the devices that the driver serves\n"
    "  info      show a device: speed, alternate settings, format, counters\n"
    "  capture   receive video and check every packet and every picture\n"
    "  play      send the sound of a WAV file, and check what comes back\n"
    "  loopback  send packets both ways at once, and check them\n"
    "  selftest  test driver and device, one line of TAP for each test\n"
    "  stats     show what device and driver have counted\n"
    "  log       show what became of the last packets, one line each\n"
    "  help      this text, or the help of a command: isoav help capture\n"
    "\n"
    "A first session:\n"
    "\n"
    "  isoav list\n"
    "  isoav info\n"
    "  isoav capture --frames 300 --out frames\n"
    "\n"
    "Exit status: 0 all is well; 1 the stream is damaged, or there is no\n"
    "device; 2 the command line is wrong.\n";

static const char list_help[] =
    "usage: isoav list [--json]\n"
    "\n"
    "Shows the path of each device that isoav.sys serves. The number in\n"
    "front of it is what --device of the other commands takes.\n";

static const char info_help[] =
    "usage: isoav info [--device N] [--json]\n"
    "\n"
    "Shows what the driver knows of a device. Of each alternate setting with\n"
    "an isochronous endpoint: the endpoint, the most bytes it carries in one\n"
    "service interval, the interval in microframes (125 us), and the bytes a\n"
    "second that this makes. Alternate 0 carries nothing and costs nothing.\n"
    "\n"
    "  --device N   the N-th device of isoav list (default: 0)\n"
    "  --json       as one JSON object\n";

static const char capture_help[] =
    "usage: isoav capture [OPTION]...\n"
    "\n"
    "Sets the video format, streams, and checks what arrives: of each packet\n"
    "its status, header, CRC, sequence number and time stamp; of each frame\n"
    "that it is whole and, byte for byte, the picture that the device draws.\n"
    "\n"
    "  --frames N       stop after N frames (default: 300)\n"
    "  --width W        64 to 1920, a multiple of 16 (default: 640; at full\n"
    "                   speed 160)\n"
    "  --height H       48 to 1080, even (default: 360; at full speed 90)\n"
    "  --fps F          1 to 60 (default: 30)\n"
    "  --alt N          alternate setting 1 to 5 (default: the smallest that\n"
    "                   carries the format)\n"
    "  --urbs N         URBs in flight, 3 to 32 (default: 4)\n"
    "  --packets N      packets of an URB: whole frames of 1 ms, which are 8\n"
    "                   packets, or 1 at full speed; up to 1024, or 255\n"
    "                   (default: 64)\n"
    "  --out DIR        write pictures (PNG) into DIR, which is made\n"
    "  --every K        only every K-th picture (default: 30)\n"
    "  --y4m FILE       write every picture that came into FILE (Y4M video)\n"
    "  --wav FILE       receive the test stream instead, check it, and write\n"
    "                   its bytes into FILE as sound (8 bits, mono), where a\n"
    "                   lost packet is silence; with --alt, 1 to 5 of the "
    "test\n"
    "                   interface, --urbs, --packets, and\n"
    "  --count N        its packets (default: 8192)\n"
    "  --device N       the N-th device of isoav list (default: 0)\n"
    "  --progress       show progress also when nobody watches\n"
    "  --json           the summary as one JSON object\n"
    "\n"
    "The summary counts packets by what the USB stack said of them\n"
    "(USBD_STATUS) and by what the stream itself tells:\n"
    "\n"
    "  lost           sent by the device, never received\n"
    "  duplicated     received twice\n"
    "  out of order   received after a later one\n"
    "  late           microframes in which nobody asked the device\n"
    "  bad CRC        received, and damaged on the way\n"
    "  overflow       received by the driver and not fetched in time\n"
    "\n"
    "Frames a second are by the device's clock. The exit status is 0 only if\n"
    "every packet and every frame is right, else 1.\n";

static const char log_help[] =
    "usage: isoav log [OPTION]...\n"
    "\n"
    "Shows the driver's packet log: the last isochronous packets of a device,\n"
    "in the order in which their URBs came back, also those of a program that\n"
    "has ended. Of each packet:\n"
    "\n"
    "  selection  which selection of an alternate setting it belongs to, and\n"
    "             interface.alternate\n"
    "  ordinal    its number among the packets queued to the endpoint since\n"
    "             that selection, from 1: the number of its TD. 0 stands for\n"
    "             an URB that the USB stack refused, so that none was queued\n"
    "  frame      StartFrame of its URB, and its index in the URB\n"
    "  length     bytes received, or to be sent\n"
    "  status     USBD_STATUS of the packet, and of the URB\n"
    "\n"
    "  --errors     only packets that did not go well\n"
    "  --size N     empty the log, and let it keep N packets, 64 to 262144\n"
    "               (to begin with it keeps 16384); nothing is shown\n"
    "  --device N   the N-th device of isoav list (default: 0)\n"
    "  --json       a JSON object on a line for each\n";

static const char stats_help[] =
    "usage: isoav stats [--device N] [--json]\n"
    "\n"
    "Shows the device's counters since an alternate setting was selected, and\n"
    "how many packets the driver's log has, by endpoint and status.\n";

static const char loopback_help[] =
    "usage: isoav loopback [OPTION]...\n"
    "\n"
    "Has the device send back what it receives, and streams out and in at\n"
    "once: every packet must come back, once, in order, byte for byte.\n"
    "\n"
    "  --count N    packets (default: 8192)\n"
    "  --alt N      test alternate 1 to 5 (default: 1)\n"
    "  --urbs N     URBs in flight each way, 3 to 32 (default: 4)\n"
    "  --device N   the N-th device of isoav list (default: 0)\n"
    "  --json       the summary as one JSON object\n";

static const char play_help[] =
    "usage: isoav play FILE.wav [OPTION]...\n"
    "\n"
    "Sends the sound of a file (PCM, 8 to 32 bits) through the loopback, in\n"
    "packets of as many samples as a service interval of the alternate "
    "setting\n"
    "has at its rate, and checks that it comes back.\n"
    "\n"
    "  --record FILE.wav  write what comes back there\n"
    "  --alt N            test alternate 1 to 5 (default: the smallest with\n"
    "                     room for that sound)\n"
    "  --urbs N           URBs in flight each way, 3 to 32 (default: 4)\n"
    "  --device N         the N-th device of isoav list (default: 0)\n"
    "  --json             the summary as one JSON object\n";

static const char selftest_help[] =
    "usage: isoav selftest [--only TEXT] [--device N] [--json]\n"
    "\n"
    "Tests driver and device: what they answer, what they refuse, every\n"
    "alternate setting, streams in and out, alone and together, cancelled,\n"
    "closed, stopped and started. The device must be idle. The output is TAP;\n"
    "the exit status is 0 only if every test passed.\n"
    "\n"
    "  --only TEXT  only tests with TEXT in their names\n"
    "  --device N   the N-th device of isoav list (default: 0)\n"
    "  --json       one JSON object instead of TAP\n";

static const char *const texts[] = {
    [COMMAND_HELP] = overview,          [COMMAND_LIST] = list_help,
    [COMMAND_INFO] = info_help,         [COMMAND_CAPTURE] = capture_help,
    [COMMAND_LOG] = log_help,           [COMMAND_STATS] = stats_help,
    [COMMAND_LOOPBACK] = loopback_help, [COMMAND_PLAY] = play_help,
    [COMMAND_SELFTEST] = selftest_help,
};

void args_help(FILE *to, args_command topic)
{
    fputs(texts[topic], to);
}
