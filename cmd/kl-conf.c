/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kl-conf: configuration as people write it into settings as filters read them.
 *
 * Reads:  PDPConfig and LocalPolicyPack in YAML, files of settings, a profile.
 * Writes: the settings that something set, in the order of schemas/setting.tsv.
 * Keeps:  nothing, but when told so the newest issued_at of each pack.
 *
 * All mistakes of all files are reported, and then nothing is written. Packs
 * stand above the rest and profiles below, in whatever order they are given.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/base/die.h"
#include "../lib/base/opt.h"
#include "../lib/conf/conf.h"
#include "../lib/conf/issued.h"
#include "../lib/conf/profile.h"
#include "../lib/conf/sign.h"

static struct {
	bool test, explain, remember;
	const char *profile, *profiles, *key, *issued;
} o;

#define FLAG(name, letter, to, help) { name, letter, OPT_FLAG, &o.to, 0, 0, NULL, help, 0, false, 0 }
#define TEXT(name, to, arg, help) { name, 0, OPT_STR, &o.to, 0, 0, arg, help, 0, false, 0 }

static const struct opt opts[] = {
	FLAG("test", 't', test, "only report mistakes"),
	FLAG("explain", 0, explain, "every setting, and where it is from"),
	TEXT("profile", profile, "NAME", "begin with a built-in profile"),
	TEXT("profiles", profiles, "DIR", "look for profiles in DIR"),
	TEXT("verify-key", key, "PEM", "take only packs that this key's owner signed"),
	TEXT("issued-after", issued, "FILE", "take no pack older than FILE remembers"),
	FLAG("remember", 0, remember, "have FILE remember these packs"),
	OPT_END,
};

static const struct opt_page page = {
	.synopsis = "[-t] [--explain] [--profile NAME] [--profiles DIR] [--verify-key PEM]\n"
		    " [--issued-after FILE [--remember]] [FILE ...]",
	.purpose = "Turn configuration in YAML into settings, or say what is wrong with it.",
	.opts = opts,
};

/* A setting, and where its value is from. */
static void explain(const struct setting *t, const char *profile)
{
	const char *value = t->value ? t->value : t->dflt;

	if (!t->value)
		printf("%s\t%s\tdefault\n", t->key, value);
	else if (t->rank == RANK_PROFILE)
		printf("%s\t%s\tprofile %s\n", t->key, value, profile);
	else
		printf("%s\t%s\t%s:%zu\n", t->key, value, t->from.file, t->from.line);
}

static void print(const struct store *s, const char *profile)
{
	puts(o.explain ? "key\tvalue\tsource" : "key\tvalue");
	for (size_t i = 0; i < s->n; i++) {
		const struct setting *t = &s->settings[i];

		if (o.explain)
			explain(t, profile);
		else if (t->value)
			printf("%s\t%s\n", t->key, t->value);
	}
	if (fflush(stdout) || ferror(stdout) || fclose(stdout))
		die(KL_SYSTEM, "cannot write stdout: %s", strerror(errno));
}

/* The profile, when there is one: its name. */
static char *read_profile(struct conf *c)
{
	char *folder, *path, *name;

	if (!o.profile)
		return NULL;
	folder = o.profiles ? xstrdup(o.profiles) : profile_folder();
	path = profile_path(folder, o.profile, &name);
	conf_file(c, path, RANK_PROFILE);
	free(path);
	free(folder);
	return name;
}

static void check_usage(int files)
{
	if (!files && !o.profile)
		die(KL_USAGE, "needs a FILE or --profile NAME");
	if (o.remember && !o.issued)
		die(KL_USAGE, "--remember goes with --issued-after FILE");
	if (o.profiles && !o.profile)
		die(KL_USAGE, "--profiles goes with --profile NAME");
}

int main(int argc, char **argv)
{
	unsigned char key[SIGN_KEY];
	struct issued issued = { 0 };
	struct report report = { 0 };
	struct store store;
	struct conf c = { .store = &store, .report = &report };
	char *profile;
	int i;

	kl_name = "kl-conf";
	i = opt_parse(argc, argv, &page);
	check_usage(argc - i);
	store_init(&store);
	if (o.key) {
		sign_key(o.key, key);
		c.verify = key;
	}
	if (o.issued) {
		issued_open(&issued, o.issued, o.remember);
		c.issued = &issued;
	}
	profile = read_profile(&c);
	for (; i < argc; i++)
		conf_file(&c, argv[i], RANK_CONF);
	report_end(&report);
	store_settle(&store);
	store_check(&store, &report);
	report_end(&report);
	if (!o.test)
		print(&store, profile);
	if (o.remember)
		issued_save(&issued);
	issued_free(&issued);
	store_free(&store);
	free(profile);
	return KL_OK;
}
