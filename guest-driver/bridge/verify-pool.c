/*
 * The verifier's pool: what the driver allocates comes from here, so that
 * what it does wrong with memory is found where it does it.
 *
 * Rules:
 *
 *  1. Fresh memory is filled with CDh: a driver that counts on zeroes meets
 *     something else.
 *  2. Behind each block are guard bytes, looked at when it is freed.
 *  3. A freed block is filled with DDh and kept for a while. One that has
 *     been written to by the time it is given up was used after it was freed.
 *  4. A block is freed once, under its own tag, and not while an URB that the
 *     stack has lies in it or transfers to it.
 *  5. An allocation can be made to fail: number n from now, once. IRPs and
 *     work items count, too.
 *
 * SPDX-License-Identifier: MIT
 */
#include "verify.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024u
#define GUARD_BYTES 32
#define GUARD 0xa5
#define FRESH 0xcd
#define FREED 0xdd
#define KEPT_BLOCKS 256
#define UNTAGGED 0x206d6457 /* "Wdm ", as the kernel has it */
#define KEPT_BYTES (8u << 20)

typedef struct Block {
    struct Block *next; /* in its bucket, or among the kept */
    SIZE_T bytes;
    ULONG tag;
    POOL_TYPE type;
    UCHAR data[] __attribute__((aligned(16)));
} Block;

static CRITICAL_SECTION lock;
static Block *buckets[BUCKETS];
static Block *kept, **kept_end = &kept;
static SIZE_T kept_bytes;
static unsigned kept_blocks;
static VerifyCounts counts;
static LONG fail_in; /* rule 5; 0: none fails */
/* The same of one thread. */
static __thread LONG fail_here __attribute__((tls_model("initial-exec")));

static Block **bucket(const void *memory)
{
    return &buckets[((ULONG_PTR)memory >> 4) % BUCKETS];
}

/* Four characters, as a debugger shows them. */
static const char *tag_text(ULONG tag, char text[5])
{
    int i;

    for (i = 0; i < 4; i++) {
        UCHAR c = (UCHAR)(tag >> 8 * i);

        text[i] = c >= ' ' && c < 127 ? (char)c : '.';
    }
    text[4] = 0;
    return text;
}

/* The first is the value, and each is like the one before. */
static bool is_filled(const UCHAR *at, SIZE_T bytes, UCHAR value)
{
    return !bytes || (*at == value && !memcmp(at, at + 1, bytes - 1));
}

static void check_kept(const Block *block)
{
    char tag[5];

    if (!is_filled(block->data, block->bytes, FREED)) {
        verify_report("%u bytes of pool '%s' were written to after they had "
                      "been freed",
                      (unsigned)block->bytes, tag_text(block->tag, tag));
    }
}

/* The lock is held. */
static void give_up_oldest(void)
{
    Block *block = kept;

    kept = block->next;
    if (!kept) {
        kept_end = &kept;
    }
    kept_blocks--;
    kept_bytes -= block->bytes;
    check_kept(block);
    free(block);
}

LONG verify_pool_fail_here(LONG nth)
{
    LONG before = fail_here;

    fail_here = nth;
    return before;
}

bool verify_allocation_fails(const char *what, SIZE_T bytes)
{
    if (fail_here && --fail_here == 0) {
        return true;
    }
    if (!fail_in || InterlockedDecrement(&fail_in) != 0) {
        return false;
    }
    bridge_log("an allocation of %s is made to fail (%u bytes)", what,
               (unsigned)bytes);
    return true;
}

static void *WINAPI allocate(POOL_TYPE type, SIZE_T bytes, ULONG tag)
{
    Block *block;

    if (type == PagedPool) {
        shim_check_case("ExAllocatePoolWithTag:paged");
    }
    if (!tag) {
        verify_report("pool allocated without a tag");
    }
    if (verify_allocation_fails("pool", bytes)) {
        return NULL;
    }
    block = malloc(sizeof(*block) + bytes + GUARD_BYTES);
    if (!block) {
        return NULL;
    }
    block->bytes = bytes;
    block->tag = tag;
    block->type = type;
    memset(block->data, FRESH, bytes);
    memset(block->data + bytes, GUARD, GUARD_BYTES);
    EnterCriticalSection(&lock);
    block->next = *bucket(block->data);
    *bucket(block->data) = block;
    counts.blocks++;
    counts.bytes += bytes;
    if (counts.bytes > counts.most_bytes) {
        counts.most_bytes = counts.bytes;
    }
    LeaveCriticalSection(&lock);
    return block->data;
}

static void *WINAPI allocate_untagged(POOL_TYPE type, SIZE_T bytes)
{
    return allocate(type, bytes, UNTAGGED);
}

/* The block, out of its bucket; NULL: there is none. The lock is held. */
static Block *take_block(void *memory)
{
    Block **at = bucket(memory), *block;

    while (*at && (*at)->data != (UCHAR *)memory) {
        at = &(*at)->next;
    }
    block = *at;
    if (block) {
        *at = block->next;
        block->next = NULL;
        counts.blocks--;
        counts.bytes -= block->bytes;
    }
    return block;
}

/* The lock is held. */
static bool is_kept(const void *memory)
{
    const Block *block;

    for (block = kept; block; block = block->next) {
        if (block->data == (const UCHAR *)memory) {
            return true;
        }
    }
    return false;
}

static void check_freed(const Block *block, ULONG tag)
{
    char is[5], said[5];

    if (tag && tag != block->tag) {
        verify_report("pool '%s' freed as '%s'", tag_text(block->tag, is),
                      tag_text(tag, said));
    }
    if (!is_filled(block->data + block->bytes, GUARD_BYTES, GUARD)) {
        verify_report("%u bytes of pool '%s' were written to behind their end",
                      (unsigned)block->bytes, tag_text(block->tag, is));
    }
    if (request_uses(block->data, block->bytes)) {
        verify_report("pool '%s' freed while the USB stack uses it",
                      tag_text(block->tag, is));
    }
}

static void WINAPI free_tagged(void *memory, ULONG tag)
{
    Block *block;
    bool is_double = false;

    EnterCriticalSection(&lock);
    block = take_block(memory);
    if (!block) {
        is_double = is_kept(memory);
    }
    LeaveCriticalSection(&lock);
    if (!block) {
        if (is_double) {
            verify_report("pool freed twice");
        } else {
            ExFreePoolWithTag(memory, tag); /* the kernel's own */
        }
        return;
    }
    if (block->type == PagedPool) {
        shim_check_case("ExFreePoolWithTag:paged");
    }
    check_freed(block, tag);
    memset(block->data, FREED, block->bytes);
    EnterCriticalSection(&lock);
    *kept_end = block;
    kept_end = &block->next;
    kept_blocks++;
    kept_bytes += block->bytes;
    while (kept_blocks > KEPT_BLOCKS ||
           (kept_bytes > KEPT_BYTES && kept_blocks > 1)) {
        give_up_oldest();
    }
    LeaveCriticalSection(&lock);
}

static void WINAPI free_untagged(void *memory)
{
    free_tagged(memory, 0);
}

void verify_pool_fail(LONG nth)
{
    InterlockedExchange(&fail_in, nth);
}

VerifyCounts verify_pool_counts(void)
{
    VerifyCounts now;

    EnterCriticalSection(&lock);
    now = counts;
    LeaveCriticalSection(&lock);
    return now;
}

void verify_pool_at_end(void)
{
    const Block *block;
    char tag[5];
    unsigned i;

    EnterCriticalSection(&lock);
    for (block = kept; block; block = block->next) {
        check_kept(block);
    }
    for (i = 0; i < BUCKETS; i++) {
        for (block = buckets[i]; block; block = block->next) {
            verify_report("%u bytes of pool '%s' were never freed",
                          (unsigned)block->bytes, tag_text(block->tag, tag));
        }
    }
    LeaveCriticalSection(&lock);
}

void verify_pool_install(void)
{
    InitializeCriticalSection(&lock);
}

const ShimImport verify_pool_imports[] = {
    { "ExAllocatePool", allocate_untagged },
    { "ExAllocatePoolWithTag", allocate },
    { "ExFreePool", free_untagged },
    { "ExFreePoolWithTag", free_tagged },
    { NULL, NULL },
};
