/* SPDX-License-Identifier: BSD-2-Clause */
/* Where profiles are, and what they were called. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/die.h"
#include "profile.h"

#define SUFFIX ".yaml"

static const struct { const char *was, *is; } aliases[] = {
	{ "router", "ziti-router" },
	{ "controller", "ziti-controller" },
	{ "ziri-controller", "ziti-controller" },
	{ "internal", "internal-app" },
};

char *profile_folder(void)
{
	/* From the folder of the program: PREFIX/bin, or build/bin. */
	static const char *const places[] = {"../share/kernloom/pipelines/profiles",
					     "../../pipelines/profiles"};
	char self[PATH_MAX], *found, *slash;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	size_t i;

	if (n < 0)
		die(KL_SYSTEM, "cannot read '/proc/self/exe': %s", strerror(errno));
	self[n] = 0;
	slash = strrchr(self, '/');
	for (i = 0; slash && i < 2; i++) {
		snprintf(slash + 1, sizeof(self) - (size_t)(slash + 1 - self), "%s", places[i]);
		found = realpath(self, NULL);
		if (found)
			return found;
	}
	die(KL_SYSTEM, "no folder of profiles where this program is: --profiles DIR names one");
}

static int has_suffix(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return n > strlen(SUFFIX) && !strcmp(e->d_name + n - strlen(SUFFIX), SUFFIX);
}

static _Noreturn void none(const char *folder, const char *name)
{
	struct dirent **list;
	int n = scandir(folder, &list, has_suffix, alphasort);
	char text[1024];
	size_t used = 0;

	if (n < 0)
		die(KL_USAGE, "cannot read '%s': %s", folder, strerror(errno));
	for (int i = 0; i < n && used < sizeof(text); i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, " %.*s",
					 (int)(strlen(list[i]->d_name) - strlen(SUFFIX)), list[i]->d_name);
	die(KL_USAGE, "no profile '%s': there are%s", name, used ? text : " none");
}

char *profile_path(const char *folder, const char *name, char **canonical)
{
	char *lower = xstrdup(name), *path, *c;
	size_t i;

	for (c = lower; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	for (i = 0; i < sizeof(aliases) / sizeof(*aliases); i++) {
		if (strcmp(aliases[i].was, lower))
			continue;
		free(lower);
		lower = xstrdup(aliases[i].is);
		break;
	}
	path = xalloc(strlen(folder) + strlen(lower) + sizeof("/" SUFFIX));
	sprintf(path, "%s/%s" SUFFIX, folder, lower);
	if (!*lower || strchr(lower, '/') || access(path, F_OK))
		none(folder, name);
	*canonical = lower;
	return path;
}
