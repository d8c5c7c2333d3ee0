/*
 * redirpeer: a USB device at the other end of QEMU's usb-redir, as it would be
 * passed on by another machine: a serial adapter, whose data goes to standard
 * output.
 *
 *   redirpeer SOCKET
 *
 * It listens on the Unix socket SOCKET, serves one QEMU and ends with it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <usbredirparser.h>

enum { VENDOR = 0x0403, PRODUCT = 0x6001, EP_IN = 0x81, EP_OUT = 0x02 };

/* A high-speed FT232: one interface, bulk in and out (USB 2.0 §9.6). */
/* clang-format off */
static const uint8_t device[] = {
    18, 1, 0x00, 0x02, 0, 0, 0, 64, VENDOR & 255, VENDOR >> 8,
    PRODUCT & 255, PRODUCT >> 8, 0x00, 0x06, 1, 2, 0, 1,
};
static const uint8_t configuration[] = {
    9, 2, 32, 0, 1, 1, 0, 0x80, 50, /* 100 mA */
    9, 4, 0, 0, 2, 0xff, 0xff, 0xff, 2,
    7, 5, EP_IN, 2, 0x00, 0x02, 0,
    7, 5, EP_OUT, 2, 0x00, 0x02, 0,
};
static const uint8_t languages[] = { 4, 3, 0x09, 0x04 };
static const uint8_t maker[] = {
    14, 3, 'I', 0, 's', 0, 'o', 0, 'L', 0, 'a', 0, 'b', 0,
};
static const uint8_t name[] = {
    14, 3, 'R', 0, 'e', 0, 'm', 0, 'o', 0, 't', 0, 'e', 0,
};
/* clang-format on */

/* wValue of GET_DESCRIPTOR */
static const struct {
    uint16_t value;
    const uint8_t *bytes;
    int count;
} descriptors[] = {
    { 0x0100, device, sizeof(device) },
    { 0x0200, configuration, sizeof(configuration) },
    { 0x0300, languages, sizeof(languages) },
    { 0x0301, maker, sizeof(maker) },
    { 0x0302, name, sizeof(name) },
};

static struct usbredirparser *parser;
static int connection;

static void say(void *priv, int level, const char *text)
{
    if (level <= usbredirparser_warning) {
        fprintf(stderr, "redirpeer: %s\n", text);
    }
}

static int take(void *priv, uint8_t *data, int count)
{
    ssize_t got = recv(connection, data, count, MSG_DONTWAIT);

    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return 0; /* the parser asks until there is no more */
    }
    return got > 0 ? got : -1;
}

static int give(void *priv, uint8_t *data, int count)
{
    ssize_t put = write(connection, data, count);

    usbredirparser_free_write_buffer(parser, data);
    return put == count ? count : -1;
}

static void on_hello(void *priv, struct usb_redir_hello_header *hello)
{
    struct usb_redir_interface_info_header ifaces = {
        .interface_count = 1,
        .interface_class = { 0xff },
        .interface_subclass = { 0xff },
        .interface_protocol = { 0xff },
    };
    struct usb_redir_ep_info_header eps;
    struct usb_redir_device_connect_header connect = {
        .speed = usb_redir_speed_high,
        .vendor_id = VENDOR,
        .product_id = PRODUCT,
        .device_version_bcd = 0x0600,
    };

    memset(&eps, 0, sizeof(eps));
    memset(eps.type, usb_redir_type_invalid, sizeof(eps.type));
    eps.type[0] = eps.type[16] = usb_redir_type_control;
    eps.type[2] = eps.type[16 + 1] = usb_redir_type_bulk;
    eps.max_packet_size[2] = eps.max_packet_size[16 + 1] = 512;
    usbredirparser_send_interface_info(parser, &ifaces);
    usbredirparser_send_ep_info(parser, &eps);
    usbredirparser_send_device_connect(parser, &connect);
}

static void on_reset(void *priv)
{
}

static void on_set_configuration(void *priv, uint64_t id,
                                 struct usb_redir_set_configuration_header *set)
{
    struct usb_redir_configuration_status_header status = {
        .configuration = set->configuration,
    };

    usbredirparser_send_configuration_status(parser, id, &status);
}

/* What an IN request is answered with; NULL: a stall. */
static const uint8_t *answer(const struct usb_redir_control_packet_header *r,
                             int *bytes)
{
    /* to the adapter's own: a line with carrier, ready, its sender empty */
    static const uint8_t modem[2] = { 0xb0, 0x60 };

    *bytes = sizeof(modem);
    if (r->requesttype != 0x80 || r->request != 6) {
        return modem;
    }
    for (size_t i = 0; i < sizeof(descriptors) / sizeof(*descriptors); i++) {
        if (descriptors[i].value == r->value) {
            *bytes = descriptors[i].count;
            return descriptors[i].bytes;
        }
    }
    return NULL;
}

/* Standard requests for descriptors; the adapter's own are all granted. */
static void on_control(void *priv, uint64_t id,
                       struct usb_redir_control_packet_header *request,
                       uint8_t *data, int count)
{
    const uint8_t *reply = NULL;
    int bytes = 0;

    request->status = usb_redir_success;
    if (request->requesttype & 0x80) {
        reply = answer(request, &bytes);
        request->status = reply ? usb_redir_success : usb_redir_stall;
        bytes = reply ? bytes : 0;
        bytes = bytes < request->length ? bytes : request->length;
        request->length = bytes;
    }
    usbredirparser_send_control_packet(parser, id, request, (uint8_t *)reply,
                                       bytes);
    usbredirparser_free_packet_data(parser, data);
}

/* Nothing is ever received; what is sent goes to standard output. */
static void on_bulk(void *priv, uint64_t id,
                    struct usb_redir_bulk_packet_header *bulk, uint8_t *data,
                    int count)
{
    if (bulk->endpoint == EP_OUT) {
        fwrite(data, 1, count, stdout);
        fflush(stdout);
        bulk->status = usb_redir_success;
        usbredirparser_send_bulk_packet(parser, id, bulk, NULL, 0);
    }
    usbredirparser_free_packet_data(parser, data);
}

/* The peer wants to know what became of it. */
static void on_cancel(void *priv, uint64_t id)
{
    struct usb_redir_bulk_packet_header bulk = {
        .endpoint = EP_IN,
        .status = usb_redir_cancelled,
    };

    usbredirparser_send_bulk_packet(parser, id, &bulk, NULL, 0);
}

static void serve(void)
{
    uint32_t caps[USB_REDIR_CAPS_SIZE] = { 0 };
    struct pollfd ready = { .fd = connection, .events = POLLIN };

    parser = usbredirparser_create();
    parser->log_func = say;
    parser->read_func = take;
    parser->write_func = give;
    parser->hello_func = on_hello;
    parser->reset_func = on_reset;
    parser->set_configuration_func = on_set_configuration;
    parser->control_packet_func = on_control;
    parser->bulk_packet_func = on_bulk;
    parser->cancel_data_packet_func = on_cancel;
    usbredirparser_caps_set_cap(caps, usb_redir_cap_connect_device_version);
    usbredirparser_caps_set_cap(caps, usb_redir_cap_ep_info_max_packet_size);
    usbredirparser_caps_set_cap(caps, usb_redir_cap_64bits_ids);
    usbredirparser_caps_set_cap(caps, usb_redir_cap_32bits_bulk_length);
    usbredirparser_init(parser, "redirpeer", caps, USB_REDIR_CAPS_SIZE,
                        usbredirparser_fl_usb_host |
                            usbredirparser_fl_write_cb_owns_buffer);
    do {
        if (usbredirparser_has_data_to_write(parser) &&
            usbredirparser_do_write(parser) < 0) {
            break;
        }
    } while (poll(&ready, 1, -1) > 0 && usbredirparser_do_read(parser) >= 0);
    usbredirparser_destroy(parser);
}

int main(int argc, char **argv)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);

    if (argc != 2 || strlen(argv[1]) >= sizeof(at.sun_path)) {
        fputs("usage: redirpeer SOCKET\n", stderr);
        return 2;
    }
    strcpy(at.sun_path, argv[1]);
    if (bind(listener, (struct sockaddr *)&at, sizeof(at)) < 0 ||
        listen(listener, 1) < 0 ||
        (connection = accept(listener, NULL, NULL)) < 0) {
        fprintf(stderr, "redirpeer: %s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    serve();
    return 0;
}
