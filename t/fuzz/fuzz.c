/* SPDX-License-Identifier: BSD-2-Clause */
/* Around the targets: the linker sends exit(), read(), write(), close(), and
 * calloc() and free() of the code under test here (--wrap). */
#include <sanitizer/allocator_interface.h>
#include <sanitizer/asan_interface.h>
#include <setjmp.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

#define LEFT_MAX (1 << 16)
#define OUT_MAX	 (1 << 22)
#define LARGE	 (1 << 18)	/* the sanitizer maps and unmaps each larger block: most of the time went there */
#define LARGES	 8

_Noreturn void __real_exit(int st);
_Noreturn void __wrap_exit(int st);
ssize_t __real_read(int fd, void *p, size_t n);
ssize_t __wrap_read(int fd, void *p, size_t n);
ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
int __real_close(int fd);
int __wrap_close(int fd);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void __real_free(void *p);
void __wrap_free(void *p);

static struct {
	const char *p;
	size_t n;
	uint32_t seed;
} in;
unsigned said;
char out[OUT_MAX];
size_t out_n;

static jmp_buf back;
static int ended;
/* Between the call and the return of what may exit; the fuzzer has a thread of its own, which is not watched. */
static _Thread_local bool watching;
static uintptr_t left[LEFT_MAX];	/* complements: else no leak would ever be found */
static size_t lefts;

_Noreturn void broken_here(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

void *copy_of(const void *p, size_t n)
{
	void *copy = malloc(n);

	MUST(copy);
	return n ? memcpy(copy, p, n) : copy;
}

char *take_text(const uint8_t **p, size_t *n_left, size_t *n)
{
	const uint8_t *end = *n_left ? memchr(*p, 0, *n_left) : NULL;
	char *copy;

	*n = end ? (size_t)(end - *p) : *n_left;
	copy = malloc(*n + 1);
	memcpy(copy, *p, *n);
	copy[*n] = 0;
	*p += *n + !!end;
	*n_left -= *n + !!end;
	return copy;
}

uint8_t take_byte(const uint8_t **p, size_t *n_left)
{
	return *n_left ? (*p)[--*n_left] : 0;
}

const char *unfold(const uint8_t *p, size_t n, size_t *size)
{
	static char text[1 << 19];
	size_t have = 0, i, k;

	for (i = 0; i < n && have < 200000; i++) {
		k = i + 1 < n ? p[i + 1] : 0;
		if (p[i] == 2) {
			memset(text + have, 'x', k * 1024);
			have += k * 1024;
			i++;
		} else if (p[i] == 3) {
			for (i++; k; k--)
				have += (size_t)sprintf(text + have, "\t%zu", k);
		} else {
			text[have++] = (char)p[i];
		}
	}
	*size = have;
	return text;
}

void feed(const void *p, size_t n, uint32_t seed)
{
	in.p = p;
	in.n = n;
	in.seed = seed;
	out_n = 0;
}

int file_of(const void *p, size_t n, char path[32])
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	MUST(fd > STDERR_FILENO && __real_write(fd, p, n) == (ssize_t)n);
	snprintf(path, 32, "/proc/self/fd/%d", fd);
	return fd;
}

/* Seed 0: all at once. Else mostly a few bytes, at times many. */
ssize_t __wrap_read(int fd, void *p, size_t n)
{
	size_t most;

	if (fd != STDIN_FILENO)
		return __real_read(fd, p, n);
	in.seed = in.seed * 1103515245 + 12345 * !!in.seed;
	most = 1 + (in.seed >> 16 & 0x7f) * (in.seed >> 8 & 1 ? 1 : 600);
	if (in.seed && n > most)
		n = most;
	if (n > in.n)
		n = in.n;
	memcpy(p, in.p, n);
	in.p += n;
	in.n -= n;
	return (ssize_t)n;
}

ssize_t __wrap_write(int fd, const void *p, size_t n)
{
	const unsigned char *s = p;
	size_t i;

	if (fd == STDOUT_FILENO) {
		MUST(n <= OUT_MAX - out_n);
		memcpy(out + out_n, p, n);
		out_n += n;
		return (ssize_t)n;
	}
	if (fd != STDERR_FILENO)
		return __real_write(fd, p, n);
	MUST(n > 1 && s[n - 1] == '\n');
	for (i = 0; i + 1 < n; i++)
		MUST(s[i] >= ' ' && s[i] != 0x7f);
	said++;
	return (ssize_t)n;
}

int __wrap_close(int fd)
{
	return fd <= STDERR_FILENO ? 0 : __real_close(fd);
}

_Noreturn void __wrap_exit(int st)
{
	if (!watching)
		__real_exit(st);
	ended = st;
	longjmp(back, 1);
}

/* Large blocks are kept for the next who wants just as much, out of bounds meanwhile. */
static struct { void *p; size_t n; bool used; } large[LARGES];

void *__wrap_calloc(size_t n, size_t size)
{
	bool was = watching;
	size_t i;

	if (size && n > LARGE / size)
		n *= size, size = 1;
	if (n * size <= LARGE)
		return __real_calloc(n, size);
	for (i = 0; i < LARGES && large[i].p && (large[i].used || large[i].n != n); i++)
		;
	MUST(i < LARGES);
	watching = false;
	if (!large[i].p)
		large[i].p = malloc(large[i].n = n);
	watching = was;
	large[i].used = true;
	__asan_unpoison_memory_region(large[i].p, n);
	return memset(large[i].p, 0, n);
}

static void give_back(size_t i)
{
	large[i].used = false;
	__asan_poison_memory_region(large[i].p, large[i].n);
}

void __wrap_free(void *p)
{
	for (size_t i = 0; i < LARGES; i++) {
		if (p && large[i].p == p) {
			MUST(large[i].used);
			give_back(i);
			return;
		}
	}
	__real_free(p);
}

static void on_malloc(const volatile void *p, size_t n)
{
	(void)n;
	if (watching && p && lefts < LEFT_MAX)
		left[lefts++] = ~(uintptr_t)p;
}

static void on_free(const volatile void *p)
{
	size_t i;

	for (i = lefts; watching && i-- > 0;)
		if (left[i] == ~(uintptr_t)p) {
			left[i] = left[--lefts];
			return;
		}
}

void free_left(void)
{
	while (lefts)
		free((void *)~left[--lefts]);
	for (size_t i = 0; i < LARGES; i++)
		if (large[i].used)
			give_back(i);
}

int status_of(int (*f)(void *), void *arg)
{
	static bool hooked;
	int st;

	if (!hooked)
		hooked = __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free) > 0;
	MUST(hooked);
	for (size_t i = 0; i < LARGES; i++)
		MUST(!large[i].used);
	said = 0;
	lefts = 0;
	watching = true;
	if (setjmp(back)) {
		watching = false;
		free_left();
		return ended;
	}
	st = f(arg);
	watching = false;
	return st;
}
