/*
 * A boot sector that plays the part of Windows: it says a script on COM1.
 *
 *  1. It is the start of 32 KiB that a CD's El Torito record has all loaded, or
 *     of 16 KiB at the start of a disk, of which the BIOS loads 512 bytes; then
 *     the byte at 7 is 'D', and it loads the rest itself.
 *  2. The script is behind it. Bytes of it that are not said: 1 waits for a
 *     byte on COM2; 2 powers the machine off; 3 halts it for ever; 4 writes the
 *     second 16 KiB to the start of the first disk, and resets the machine.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
	.code16
	.global _start
_start:
	ljmp	$0, $start
	.org	7
kind:	.byte	'C'
start:
	xor	%ax, %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %ss
	mov	$0x7c00, %sp
	cld
	cmpb	$'D', kind
	jne	said
	mov	$0x42, %ah		/* extended read, to 7e00h */
	mov	$rest, %si
	int	$0x13
	jc	halt
said:
	mov	$script, %si
next:
	lodsb
	cmp	$1, %al
	je	wait
	cmp	$2, %al
	je	off
	cmp	$3, %al
	je	halt
	cmp	$4, %al
	je	install
	mov	%al, %ah
	mov	$0x3fd, %dx		/* LSR: the transmitter is empty */
0:	in	%dx, %al
	test	$0x20, %al
	jz	0b
	mov	$0x3f8, %dx
	mov	%ah, %al
	out	%al, %dx
	jmp	next
wait:
	mov	$0x2fd, %dx		/* LSR: there is a byte */
	in	%dx, %al
	test	$1, %al
	jz	wait
	mov	$0x2f8, %dx
	in	%dx, %al
	jmp	next
install:
	mov	$0x43, %ah		/* extended write, to the first disk */
	xor	%al, %al
	mov	$0x80, %dl
	mov	$blob, %si
	int	$0x13
	jc	halt
	mov	$0xcf9, %dx		/* a hard reset */
	mov	$6, %al
	out	%al, %dx
	jmp	halt
off:
	mov	$0x604, %dx		/* q35's PM1a_CNT: SLP_EN, S5 */
	mov	$0x2000, %ax
	out	%ax, %dx
halt:
	hlt
	jmp	halt

rest:	.byte	16, 0
	.word	31, 0x7e00, 0		/* sectors, offset, segment */
	.quad	1
blob:	.byte	16, 0
	.word	32, 0, 0xbc0		/* 7c00h + 16 KiB */
	.quad	0
	.org	510
	.word	0xaa55
script:
