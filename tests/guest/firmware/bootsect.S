/*
 * A boot sector that adds up the disk it came from.
 *
 *  1. The BIOS has loaded it to 7C00h, with the drive's number in DL.
 *  2. It reads all sectors that the BIOS says the drive has, 64 at a time,
 *     with int 13h's extensions, and adds up their 32-bit words.
 *  3. The sum goes to port E9h, in text; then port 501h ends the machine.
 *
 * It keeps clear of the first 90 bytes: a FAT file system's parameters are
 * there, and the same image is one for UEFI.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
	.code16
	.global _start
_start:
	jmp	start
	nop
	.org	90
start:
	xor	%ax, %ax
	mov	%ax, %ds
	mov	%ax, %ss
	mov	$0x7c00, %sp
	cld
	mov	%dl, drive
	mov	$0x48, %ah		/* get drive parameters */
	mov	$params, %si
	int	$0x13
	jc	fail
	xor	%ebx, %ebx		/* the sum */
next:
	mov	packet + 8, %eax
	cmp	params + 16, %eax
	jae	done
	mov	$0x42, %ah		/* extended read */
	mov	drive, %dl
	mov	$packet, %si
	int	$0x13
	jc	fail
	push	%ds
	mov	$0x1000, %ax
	mov	%ax, %ds
	xor	%si, %si
	mov	$64 * 512 / 4, %cx
add:
	lodsl
	add	%eax, %ebx
	loop	add
	pop	%ds
	addl	$64, packet + 8
	jmp	next
done:
	mov	$text, %si
	call	print
	mov	$8, %cx
digit:
	rol	$4, %ebx
	mov	%bl, %al
	and	$15, %al
	add	$'0', %al
	cmp	$'9', %al
	jbe	0f
	add	$'a' - '9' - 1, %al
0:	out	%al, $0xe9
	loop	digit
	mov	$'\n', %al
	out	%al, $0xe9
	xor	%ax, %ax
	jmp	exit
fail:
	mov	$error, %si
	call	print
	mov	$1, %ax
exit:
	mov	$0x501, %dx
	out	%ax, %dx
	hlt

print:
	lodsb
	test	%al, %al
	jz	0f
	out	%al, $0xe9
	jmp	print
0:	ret

text:	.asciz	"bios: "
error:	.asciz	"bios: error\n"
drive:	.byte	0
packet:	.byte	16, 0
	.word	64, 0, 0x1000		/* sectors, offset, segment */
	.quad	0			/* the first sector */
params:	.word	26			/* and what the BIOS puts there: */
	.fill	24, 1, 0		/* at 16 the number of sectors */
	.org	510
	.word	0xaa55
