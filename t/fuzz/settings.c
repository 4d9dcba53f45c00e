/* SPDX-License-Identifier: BSD-2-Clause */
/* Settings files: read whole into the options' targets, within their bounds;
 * or refused with one line and the status of bad configuration. */
#include "../../lib/base/die.h"
#include "../../lib/base/opt.h"
#include "fuzz.h"

static struct {
	double pps, cap;
	uint32_t soft;
	uint64_t rate;
	int64_t ttl;
	int combine;
	const char *list;
	bool given;
} o;
static const char *const words[] = { "max", "sum", NULL };

static const struct opt opts[] = {
	OPT_CONF_ROW,
	{ "trig-pps", 0, OPT_F64, &o.pps, 0, 1e12, "N", "", NULL, true, NULL },
	{ "sev-cap", 0, OPT_F64, &o.cap, 0, 0, "F", "", NULL, true, &o.given },
	{ "soft-at", 0, OPT_U32, &o.soft, 1, 1000, "N", "", NULL, true, NULL },
	{ "soft-rate", 0, OPT_U64, &o.rate, 2, 0, "N", "", NULL, true, NULL },
	{ "soft-ttl", 0, OPT_DUR, &o.ttl, 0, 3600, "DUR", "", NULL, true, NULL },
	{ "combine", 0, OPT_WORD, &o.combine, 0, 0, "max|sum", "", words, true, NULL },
	{ "whitelist", 0, OPT_STR, &o.list, 0, 0, "FILE", "", NULL, true, NULL },
	{ "hard-at", 0, OPT_U32, &o.soft, 1, 1000, "N", "", NULL, false, NULL },
	OPT_END
};

static int read_settings(void *page)
{
	opt_conf("-", page);
	return KL_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct opt_page page = { .synopsis = "", .purpose = "", .opts = opts };
	uint8_t seed = take_byte(&p, &n);
	int st;

	memset(&o, 0, sizeof(o));
	o.soft = 1;
	o.rate = 2;
	feed(p, n, seed);
	st = status_of(read_settings, &page);
	MUST(st ? st == KL_USAGE && said == 1 : !said);
	MUST(o.pps >= 0 && o.pps <= 1e12 && o.cap >= 0 && o.soft >= 1 && o.soft <= 1000 && o.rate >= 2);
	MUST(o.ttl >= 0 && o.ttl <= 3600000 && (o.combine == 0 || o.combine == 1));
	if (!st) {
		MUST(n >= 10 && !memcmp(p, "key\tvalue\n", 10) && p[n - 1] == '\n');
		MUST(!o.list || (*o.list && memmem(p, n, o.list, strlen(o.list))));
	}
	free_left();		/* words are kept to the end of a command */
	return 0;
}
