/* SPDX-License-Identifier: BSD-2-Clause */
/* Files replaced whole or not at all; files and lists read. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../lib/base/die.h"
#include "../../lib/base/file.h"

static char dir[] = "/tmp/kl-file-XXXXXX";

static int enter(void **state)
{
	return !mkdtemp(dir) || chdir(dir);
}

static int leave(void **state)
{
	return chdir("/") || rmdir(dir);
}

static void put(const char *path, const char *s, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, s, n), (ssize_t)n);
	close(fd);
}

static void holds(const char *path, const char *want)
{
	size_t n;
	char *s = slurp(path, &n);

	assert_non_null(s);
	assert_int_equal(n, strlen(want));
	assert_string_equal(s, want);
	free(s);
}

static int files(void)
{
	DIR *d = opendir(".");
	int n = -2;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* Runs what ends its process; its status, and what it said. */
static int ends(void (*run)(void), char *said, size_t room)
{
	size_t n = 0;
	int p[2], st;
	ssize_t r;
	pid_t pid;

	assert_int_equal(pipe(p), 0);
	pid = fork();
	if (!pid) {
		dup2(p[1], STDERR_FILENO);
		run();
		_exit(77);
	}
	close(p[1]);
	while ((r = read(p[0], said + n, room - 1 - n)) > 0)
		n += (size_t)r;
	said[n] = 0;
	close(p[0]);
	assert_int_equal(waitpid(pid, &st, 0), pid);
	return WIFEXITED(st) ? WEXITSTATUS(st) : -1;
}

static void replaced_whole(void **state)
{
	struct newfile f;
	struct stat st;

	put("x", "old", 3);
	newfile_open(&f, "x", 0640);
	newfile_write(&f, "new ", 4);
	holds("x", "old");
	newfile_write(&f, "text", 4);
	newfile_commit(&f, DISK_NOW);
	holds("x", "new text");
	assert_int_equal(stat("x", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(files(), 1);
	unlink("x");
}

static void made_when_missing(void **state)
{
	struct newfile f;
	char path[64];

	snprintf(path, sizeof(path), "%s/y", dir);
	newfile_open(&f, path, 0600);
	newfile_write(&f, "1", 1);
	newfile_commit(&f, DISK_NOW);
	holds("y", "1");
	unlink("y");
}

static void abandoned(void **state)
{
	struct newfile f;

	put("x", "old", 3);
	newfile_open(&f, "x", 0600);
	newfile_write(&f, "new", 3);
	newfile_abandon(&f);
	holds("x", "old");
	assert_int_equal(files(), 1);
	unlink("x");
}

static void a_link_stays_one(void **state)
{
	struct newfile f;
	struct stat st;

	put("x", "old", 3);
	assert_int_equal(symlink("x", "l"), 0);
	newfile_open(&f, "l", 0600);
	newfile_write(&f, "new", 3);
	newfile_commit(&f, DISK_NOW);
	holds("x", "new");
	assert_int_equal(lstat("l", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	unlink("l");
	unlink("x");
}

static void write_device(void)
{
	struct newfile f;

	newfile_open(&f, "/dev/null", 0600);
}

static void write_nowhere(void)
{
	struct newfile f;

	newfile_open(&f, "no/where", 0600);
}

static void write_too_much(void)
{
	struct rlimit l = { 4096, 4096 };
	static char block[8192];
	struct newfile f;

	setrlimit(RLIMIT_FSIZE, &l);
	sigaction(SIGXFSZ, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL);
	newfile_open(&f, "x", 0600);
	newfile_write(&f, block, sizeof(block));
}

static void failures_leave_all_as_it_was(void **state)
{
	char said[256];

	assert_int_equal(ends(write_device, said, sizeof(said)), KL_SYSTEM);
	assert_string_equal(said, "kernloom: cannot replace '/dev/null': not a regular file\n");
	assert_int_equal(ends(write_nowhere, said, sizeof(said)), KL_SYSTEM);
	assert_string_equal(said, "kernloom: cannot write 'no/where': No such file or directory\n");
	put("x", "old", 3);
	assert_int_equal(ends(write_too_much, said, sizeof(said)), KL_SYSTEM);
	assert_string_equal(said, "kernloom: cannot write 'x': File too large\n");
	holds("x", "old");
	assert_int_equal(files(), 1);
	unlink("x");
}

static void a_dead_writers_file_is_used_again(void **state)
{
	struct newfile f;
	struct stat was, st;

	put(".x.new", "left by one that died, and longer", 33);
	assert_int_equal(stat(".x.new", &was), 0);
	newfile_open(&f, "x", 0644);
	assert_int_equal(files(), 1);
	newfile_write(&f, "new", 3);
	newfile_commit(&f, DISK_NOW);
	holds("x", "new");
	assert_int_equal(stat("x", &st), 0);
	assert_int_equal(st.st_ino, was.st_ino);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(files(), 1);
	unlink("x");
}

/* What another user put there is not written to: its owner could go on doing so. */
static void a_strangers_file_is_put_away(void **state)
{
	struct newfile f;
	struct stat was, st;

	if (geteuid())
		skip();
	put(".x.new", "planted", 7);
	assert_int_equal(chown(".x.new", 65534, 65534), 0);
	assert_int_equal(stat(".x.new", &was), 0);
	int held = open(".x.new", O_RDWR);
	newfile_open(&f, "x", 0600);
	newfile_write(&f, "new", 3);
	newfile_commit(&f, DISK_NOW);
	assert_int_equal(write(held, "evil", 4), 4);
	close(held);
	holds("x", "new");
	assert_int_equal(stat("x", &st), 0);
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(files(), 1);
	unlink("x");
}

static void write_x(void)
{
	struct newfile f;

	newfile_open(&f, "x", 0600);
}

static void planted_names_are_refused(void **state)
{
	static const char want[] =
		"kernloom: cannot write 'x': '.x.new' is not a regular file with one name\n";
	char said[256];

	put("victim", "safe", 4);
	assert_int_equal(symlink("victim", ".x.new"), 0);
	assert_int_equal(ends(write_x, said, sizeof(said)), KL_SYSTEM);
	assert_string_equal(said, want);
	unlink(".x.new");
	assert_int_equal(link("victim", ".x.new"), 0);
	assert_int_equal(ends(write_x, said, sizeof(said)), KL_SYSTEM);
	assert_string_equal(said, want);
	unlink(".x.new");
	assert_int_equal(mkfifo(".x.new", 0666), 0);
	assert_int_equal(ends(write_x, said, sizeof(said)), KL_SYSTEM);
	assert_string_equal(said, want);
	unlink(".x.new");
	assert_int_equal(mkdir(".x.new", 0777), 0);
	assert_int_equal(ends(write_x, said, sizeof(said)), KL_SYSTEM);
	assert_string_equal(said, want);
	rmdir(".x.new");
	holds("victim", "safe");
	assert_int_equal(files(), 1);
	unlink("victim");
}

/* Each writes a whole file of its own letter, in pieces, again and again. */
static void writers_wait_for_one_another(void **state)
{
	enum { WRITERS = 3, ROUNDS = 8, PIECES = 20, PIECE = 1000 };
	pid_t pid[WRITERS];
	int st;

	for (int w = 0; w < WRITERS; w++) {
		pid[w] = fork();
		if (pid[w])
			continue;
		for (int r = 0; r < ROUNDS; r++) {
			char piece[PIECE], *s;
			struct newfile f;
			size_t n;

			memset(piece, 'a' + w, sizeof(piece));
			newfile_open(&f, "x", 0600);
			for (int p = 0; p < PIECES - w; p++)
				newfile_write(&f, piece, sizeof(piece));
			newfile_commit(&f, DISK_NOW);
			s = slurp("x", &n);
			if (!s || n != (size_t)PIECE * (size_t)(PIECES - (*s - 'a')) || strspn(s, (char[]){ *s, 0 }) != n)
				_exit(1);
			free(s);
		}
		_exit(0);
	}
	for (int w = 0; w < WRITERS; w++) {
		assert_int_equal(waitpid(pid[w], &st, 0), pid[w]);
		assert_true(WIFEXITED(st));
		assert_int_equal(WEXITSTATUS(st), 0);
	}
	assert_int_equal(files(), 1);
	unlink("x");
}

static void slurped(void **state)
{
	size_t n, big = 300001, i;
	char *s, *want = malloc(big);

	for (i = 0; i < big; i++)
		want[i] = (char)i;
	put("x", want, big);
	s = slurp("x", &n);
	assert_int_equal(n, big);
	assert_memory_equal(s, want, big);
	assert_int_equal(s[n], 0);
	free(s);
	put("x", "", 0);
	s = slurp("x", &n);
	assert_int_equal(n, 0);
	assert_string_equal(s, "");
	free(s);
	free(want);
	s = slurp("/proc/self/status", &n);	/* its size reads as 0 */
	assert_true(n > 100 && s[n - 1] == '\n');
	free(s);
	unlink("x");
	assert_null(slurp("x", &n));
	assert_int_equal(errno, ENOENT);
	assert_null(slurp(".", &n));
	assert_int_equal(errno, EISDIR);
	assert_null(slurp("/dev/zero", &n));
	assert_int_equal(errno, EFBIG);
}

static char got[4096];

static const char *keep(void *arg, const struct prefix *x, long line)
{
	size_t n = strlen(got);

	assert_ptr_equal(arg, got);
	snprintf(got + n, sizeof(got) - n, "%ld:%s ", line, prefix_str(x));
	return line == 3 ? "not wanted" : NULL;
}

static const char *path;

static void read_list(void)
{
	got[0] = 0;
	_exit((int)list_read(path, keep, got));
}

static void lists(void **state)
{
	static const char text[] = "# a comment\n1.2.3.4\n5.6.7.8 told off\n\n  10.0.0.0/8\t; Spamhaus\r\n"
				   "2001:db8::/32,extra,cells\n;x\n \t\n1.2.3.5#x\n10.0.0.1/8\nbad\n,\n\r\n1.1.1.1";
	char said[1024];

	path = "x";
	put("x", text, sizeof(text) - 1);
	got[0] = 0;
	assert_int_equal(list_read("x", keep, got), 4);
	assert_string_equal(got, "2:1.2.3.4 3:5.6.7.8 5:10.0.0.0/8 6:2001:db8::/32 9:1.2.3.5 14:1.1.1.1 ");
	assert_int_equal(ends(read_list, said, sizeof(said)), 4);
	assert_string_equal(said, "kernloom: x:3: not wanted '5.6.7.8'\n"
				  "kernloom: x:10: bits set behind the prefix length '10.0.0.1/8'\n"
				  "kernloom: x:11: not an address or prefix 'bad'\n"
				  "kernloom: x:12: not an address or prefix ''\n");
	unlink("x");
	assert_int_equal(list_read("x", keep, got), -1);
	assert_int_equal(errno, ENOENT);
}

static void long_lists_of_errors(void **state)
{
	char text[256] = "", said[2048];
	int i;

	for (i = 0; i < 25; i++)
		strcat(text, "bad\n");
	path = "x";
	put("x", text, strlen(text));
	assert_int_equal(ends(read_list, said, sizeof(said)), 25);
	assert_non_null(strstr(said, "x:10: not an address or prefix 'bad'\nkernloom: x: 15 more bad lines\n"));
	assert_null(strstr(said, "x:11:"));
	put("x", "1.2.3.4\0\n", 9);
	assert_int_equal(ends(read_list, said, sizeof(said)), 1);
	unlink("x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replaced_whole),
		cmocka_unit_test(made_when_missing),
		cmocka_unit_test(abandoned),
		cmocka_unit_test(a_link_stays_one),
		cmocka_unit_test(failures_leave_all_as_it_was),
		cmocka_unit_test(a_dead_writers_file_is_used_again),
		cmocka_unit_test(a_strangers_file_is_put_away),
		cmocka_unit_test(planted_names_are_refused),
		cmocka_unit_test(writers_wait_for_one_another),
		cmocka_unit_test(slurped),
		cmocka_unit_test(lists),
		cmocka_unit_test(long_lists_of_errors),
	};

	return cmocka_run_group_tests_name("file", tests, enter, leave);
}
