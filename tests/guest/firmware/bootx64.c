/*
 * A UEFI application that adds up the disk it came from: the same that
 * bootsect.S does under a BIOS, with the Block I/O protocol of the device that
 * it was loaded from (UEFI 2.10 §9.1, §13.9). The sum goes to port E9h.
 *
 * Only the members that are used have names.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdint.h>

typedef struct {
    uint32_t a;
    uint16_t b, c;
    uint8_t d[8];
} guid;

static guid loaded_image = {
    0x5b1b31a1, 0x9562, 0x11d2, { 0x8e, 0x3f, 0, 0xa0, 0xc9, 0x69, 0x72, 0x3b }
};
static guid block_io = {
    0x964e5b21, 0x6459, 0x11d2, { 0x8e, 0x39, 0, 0xa0, 0xc9, 0x69, 0x72, 0x3b }
};

typedef struct {
    uint8_t header[24];
    void *before[16];
    uint64_t (*handle_protocol)(void *handle, guid *protocol, void **out);
} boot_services;

typedef struct {
    uint8_t header[24];
    void *vendor;
    uint32_t revision;
    void *console[6];
    void *runtime;
    boot_services *boot;
} system_table;

typedef struct {
    uint32_t revision;
    void *parent, *system, *device;
} image_protocol;

typedef struct {
    uint32_t media_id;
    uint8_t flags[5];
    uint8_t padding[3];
    uint32_t block_bytes, align;
    uint64_t last_block;
} block_media;

typedef struct block_protocol {
    uint64_t revision;
    block_media *media;
    void *reset;
    uint64_t (*read)(struct block_protocol *self, uint32_t media_id,
                     uint64_t block, uint64_t bytes, void *buffer);
} block_protocol;

static uint32_t buffer[65536 / 4] __attribute__((aligned(4096)));

static void put(char c)
{
    __asm__ volatile("outb %0, $0xe9" : : "a"(c));
}

static void print(const char *text)
{
    while (*text) {
        put(*text++);
    }
}

static _Noreturn void leave(uint16_t status)
{
    for (;;) {
        __asm__ volatile("outw %0, %1" : : "a"(status), "d"((uint16_t)0x501));
    }
}

static void must(uint64_t status)
{
    if (status) {
        print("uefi: error\n");
        leave(1);
    }
}

static uint32_t add_up(block_protocol *disk)
{
    uint64_t blocks = disk->media->last_block + 1;
    uint64_t step = sizeof(buffer) / disk->media->block_bytes;
    uint32_t sum = 0;

    for (uint64_t at = 0; at < blocks; at += step) {
        must(disk->read(disk, disk->media->media_id, at, sizeof(buffer),
                        buffer));
        for (unsigned i = 0; i < sizeof(buffer) / 4; i++) {
            sum += buffer[i];
        }
    }
    return sum;
}

uint64_t efi_main(void *image, system_table *table)
{
    boot_services *boot = table->boot;
    image_protocol *self;
    block_protocol *disk;
    uint32_t sum;

    must(boot->handle_protocol(image, &loaded_image, (void **)&self));
    must(boot->handle_protocol(self->device, &block_io, (void **)&disk));
    sum = add_up(disk);
    print("uefi: ");
    for (int shift = 28; shift >= 0; shift -= 4) {
        put("0123456789abcdef"[sum >> shift & 15]);
    }
    put('\n');
    leave(0);
}
