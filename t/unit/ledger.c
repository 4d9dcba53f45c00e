/* SPDX-License-Identifier: BSD-2-Clause */
/* Claims against holdings: what is asked, written, capped, swept and forgotten. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../lib/core/ledger.h"

#define OURS   2
#define THEIRS 1
#define NOW    1000000000000ull

/* The kernel of these tests: what ask() is told, and how often it was asked. */
static struct {
	struct rule deny, limit;	/* owner 0: nothing there */
	int asked;
} kernel;

static void ask(void *self, struct held *h, bool deny)
{
	const struct rule *r = deny ? &kernel.deny : &kernel.limit;

	kernel.asked++;
	ledger_note(self, h, deny, r->owner ? r : NULL);
}

static struct prefix host(uint8_t last)
{
	struct prefix x = { .len = 128 };

	memcpy(x.a, (uint8_t[]){ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, last }, 16);
	return x;
}

static void make(struct ledger *l)
{
	memset(l, 0, sizeof(*l));
	memset(&kernel, 0, sizeof(kernel));
	l->owner = OURS;
	l->ask = ask;
	l->self = l;
	l->max_new = 10;
	l->limit[LEVEL_SOFT] = (struct limit){ 20, 40 };
	l->limit[LEVEL_HARD] = (struct limit){ 5, 10 };
	ledger_init(l);
}

static void claim(struct ledger *l, uint8_t last, enum level level)
{
	struct prefix x = host(last);

	assert_int_equal(ledger_claim(l, &x, level, 0, -1), 0);
}

static size_t settle(struct ledger *l, bool sync)
{
	size_t capped;

	assert_int_equal(ledger_close(l, sync, 1000, 1000, NOW), 0);
	capped = ledger_plan(l, false, NOW);
	for (unsigned op = PUT_DENY; op <= DEL_LIMIT; op <<= 1) {
		ledger_writes(l, op);
		ledger_wrote(l, op);
	}
	return capped;
}

static void meet(struct ledger *l, uint8_t last, bool deny, uint32_t owner, uint64_t until)
{
	struct rule r = { .x = host(last), .rate = 20, .burst = 40, .until = until, .owner = owner };

	l->deny = deny;
	assert_int_equal(ledger_meet(l, &r), 0);
}

static const struct held *find(struct ledger *l, uint8_t last)
{
	struct prefix x = host(last);

	return table_find(&l->held, &x);
}

static void test_named_twice(void **state)
{
	struct ledger l;
	struct prefix x = host(1);

	make(&l);
	claim(&l, 1, LEVEL_BLOCK);
	assert_int_equal(ledger_claim(&l, &x, LEVEL_SOFT, 0, -1), -EEXIST);
	assert_int_equal(l.n, 1);
	ledger_next(&l);
	claim(&l, 1, LEVEL_SOFT);
	ledger_free(&l);
}

static void test_others_are_met_only_where_wanted(void **state)
{
	struct ledger l;

	make(&l);
	claim(&l, 1, LEVEL_BLOCK);
	ledger_blank(&l, true);
	meet(&l, 1, true, THEIRS, 0);
	meet(&l, 2, true, THEIRS, 0);
	meet(&l, 3, true, OURS, 0);
	assert_int_equal(l.seen[true], 3);
	assert_int_equal(find(&l, 1)->deny, HELD_OTHERS);
	assert_null(find(&l, 2));
	assert_int_equal(find(&l, 3)->deny, HELD_OURS);
	ledger_blank(&l, true);
	assert_int_equal(find(&l, 3)->deny, HELD_NONE);
	ledger_free(&l);
}

static void test_asks_before_it_writes(void **state)
{
	struct ledger l;

	make(&l);
	claim(&l, 1, LEVEL_BLOCK);
	kernel.deny = (struct rule){ .x = host(1), .owner = THEIRS };
	settle(&l, false);
	assert_int_equal(kernel.asked, 1);
	assert_int_equal(l.claim[0].ops, KEEP);
	assert_int_equal(find(&l, 1)->deny, HELD_OTHERS);
	ledger_next(&l);
	claim(&l, 1, LEVEL_BLOCK);
	settle(&l, false);
	assert_int_equal(kernel.asked, 1);
	ledger_free(&l);
}

static void test_a_failed_write_keeps_what_was(void **state)
{
	struct ledger l;
	const struct claim *first;

	make(&l);
	meet(&l, 1, true, OURS, NOW + 1000000000);
	kernel.deny = (struct rule){ .x = host(1), .until = NOW + 1000000000, .owner = OURS };
	claim(&l, 1, LEVEL_SOFT);
	assert_int_equal(ledger_close(&l, false, 1000, 1000, NOW), 0);
	ledger_plan(&l, false, NOW);
	assert_int_equal(l.claim[0].ops, PUT_LIMIT | DEL_DENY);
	assert_int_equal(ledger_writes(&l, PUT_LIMIT), 1);
	assert_int_equal(l.rule[0].rate, 20);
	assert_int_equal(l.rule[0].owner, OURS);
	l.err[0] = E2BIG;
	ledger_wrote(&l, PUT_LIMIT);
	assert_int_equal(ledger_writes(&l, DEL_DENY), 0);
	assert_int_equal(ledger_failed(&l, &first), 1);
	assert_ptr_equal(first, l.claim);
	assert_int_equal(find(&l, 1)->deny, HELD_OURS);
	assert_int_equal(find(&l, 1)->limit, HELD_NONE);
	ledger_free(&l);
}

static void test_cap(void **state)
{
	struct ledger l;

	make(&l);
	l.max_new = 1;
	meet(&l, 1, true, OURS, NOW + 60000000000);
	for (uint8_t i = 1; i <= 3; i++)
		claim(&l, i, LEVEL_BLOCK);
	assert_int_equal(settle(&l, false), 1);
	assert_int_equal(l.claim[0].ops, 0);
	assert_int_equal(find(&l, 2)->deny, HELD_OURS);
	assert_true(l.claim[2].capped);
	assert_int_equal(find(&l, 3)->deny, HELD_NONE);
	assert_int_equal(find(&l, 3)->is.rate, 5);
	ledger_free(&l);
}

static void test_unnamed(void **state)
{
	struct ledger l;

	make(&l);
	meet(&l, 1, true, OURS, NOW);
	meet(&l, 2, true, OURS, NOW + 1000000000);
	kernel.deny = (struct rule){ .x = host(1), .until = NOW, .owner = OURS };
	settle(&l, false);
	assert_int_equal(l.n, 1);
	assert_true(l.claim[0].unnamed);
	assert_int_equal(find(&l, 1)->deny, HELD_NONE);
	assert_int_equal(find(&l, 2)->deny, HELD_OURS);
	ledger_next(&l);
	settle(&l, true);
	assert_int_equal(l.n, 1);
	assert_int_equal(find(&l, 2)->deny, HELD_NONE);
	ledger_free(&l);
}

static void test_recheck_goes_round(void **state)
{
	struct ledger l;

	make(&l);
	for (uint8_t i = 0; i < 5; i++)
		claim(&l, i, LEVEL_SOFT);
	ledger_recheck(&l, 2);
	assert_int_equal(kernel.asked, 4);
	assert_int_equal(l.next, 2);
	ledger_recheck(&l, 4);
	assert_int_equal(kernel.asked, 12);
	assert_int_equal(l.next, 1);
	ledger_recheck(&l, 100);
	assert_int_equal(kernel.asked, 22);
	ledger_next(&l);
	ledger_recheck(&l, 100);
	assert_int_equal(kernel.asked, 22);
	ledger_free(&l);
}

static void test_what_is_of_no_use_is_forgotten(void **state)
{
	struct ledger l;

	make(&l);
	for (int i = 0; i < 200; i++)
		claim(&l, (uint8_t)i, LEVEL_SOFT);
	ledger_next(&l);
	assert_int_equal(l.held.n, 200);
	meet(&l, 7, false, OURS, NOW + 1000000000);
	ledger_next(&l);
	assert_int_equal(l.held.n, 1);
	assert_non_null(find(&l, 7));
	ledger_free(&l);
}

static void text_is(struct claim c, bool dry, const char *want)
{
	char text[RECEIPT_TEXT];

	*claim_receipt(text, &c, dry) = 0;
	assert_string_equal(text, want);
}

static void test_receipts(void **state)
{
	text_is((struct claim){ .ops = 0 }, false, "\tnone\tok");
	text_is((struct claim){ .ops = PUT_DENY | NEW_DENY | DEL_LIMIT }, false, "\tdeny\tok");
	text_is((struct claim){ .ops = PUT_LIMIT | DEL_DENY }, true, "\tlimit\tdry");
	text_is((struct claim){ .ops = DEL_LIMIT }, false, "\trelease\tok");
	text_is((struct claim){ .ops = KEEP }, false, "\tkeep\tok");
	text_is((struct claim){ .ops = PUT_LIMIT, .capped = true }, true, "\tlimit\tcapped");
	text_is((struct claim){ .stale = true }, false, "\tnone\tstale");
	text_is((struct claim){ .ops = PUT_DENY, .err = E2BIG }, false, "\tdeny\tfull");
	text_is((struct claim){ .ops = PUT_DENY, .err = ENOSPC }, false, "\tdeny\tfull");
	text_is((struct claim){ .ops = PUT_DENY, .err = EPERM }, false, "\tdeny\tfailed:EPERM");
	text_is((struct claim){ .ops = PUT_DENY, .err = 524 }, false, "\tdeny\tfailed:524");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_named_twice),
		cmocka_unit_test(test_others_are_met_only_where_wanted),
		cmocka_unit_test(test_asks_before_it_writes),
		cmocka_unit_test(test_a_failed_write_keeps_what_was),
		cmocka_unit_test(test_cap),
		cmocka_unit_test(test_unnamed),
		cmocka_unit_test(test_recheck_goes_round),
		cmocka_unit_test(test_what_is_of_no_use_is_forgotten),
		cmocka_unit_test(test_receipts),
	};

	return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
