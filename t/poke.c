/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes one 32-bit number into the value of a pinned, mapped array: to break
 * an instance as a test needs it.
 *
 *   poke PIN OFFSET NUMBER
 */
#include <err.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	union bpf_attr attr = { 0 };
	unsigned long at;
	char *p;
	int fd;

	if (argc != 4)
		errx(2, "usage: poke PIN OFFSET NUMBER");
	at = strtoul(argv[2], NULL, 0);
	attr.pathname = (uintptr_t)argv[1];
	fd = (int)syscall(SYS_bpf, BPF_OBJ_GET, &attr, sizeof(attr));
	if (fd < 0)
		err(4, "%s", argv[1]);
	p = mmap(NULL, at + sizeof(uint32_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		err(4, "%s: mmap", argv[1]);
	*(uint32_t *)(p + at) = (uint32_t)strtoul(argv[3], NULL, 0);
	return 0;
}
