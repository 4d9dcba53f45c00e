/* SPDX-License-Identifier: BSD-2-Clause */
/* The steps in their order: parse, allow, deny, limit, tuple, count. */
#include <string.h>

#include "model.h"

#define SEC	  1000000000ull
#define FIN	  1
#define SYN	  2
#define RST	  4
#define ACK	  16

const char *const model_whys[] = { "pass", "drop_allow", "drop_deny", "drop_rl", "drop_surge", "drop_edge",
				   "drop_malformed", "drop_other", NULL };

void model_clear(struct model *m)
{
	memset(&m->t, 0, sizeof(m->t));
	memset(&m->h, 0, sizeof(m->h));
	m->srcs = m->flows = m->talks = m->shakes = m->ports = m->knocks = 0;
}

static bool same(const uint8_t *a, const uint8_t *b)
{
	return !memcmp(a, b, 16);
}

/* ---- what is in force ---- */

struct force {
	struct policy s;
	bool deny, judge;	/* deny rules act; rules and limits act */
	bool surge;
};

static struct force in_force(struct model *m)
{
	bool trial = m->w.trial && m->now >= m->w.trial, dead = m->w.dead && m->now > m->w.dead;
	struct force f = { trial ? m->w.before : m->w.set, true, true, m->w.surge && m->now < m->w.surge };

	if (f.surge && !m->w.surge_since)
		m->w.surge_since = m->now;
	if (trial || dead)
		m->t.fallen++;
	if (dead && m->w.dead_mode != KL_KEEP) {
		f.s.enforce_allow = f.deny = f.surge = false;
		f.s.edge = EDGE_OFF;
		if (m->w.dead_mode == KL_PASS_ALL) {
			f.judge = false;
			f.s.rate = 0;
		}
	}
	return f;
}

/* ---- rules ---- */

static bool lives(const struct model *m, const struct rule *r)
{
	return !r->until || r->until > m->now;
}

/* The longest living prefix over an address. */
static const struct rule *covering(const struct model *m, enum kl_table t, const uint8_t *addr)
{
	const struct rule *best = NULL, *r;
	struct prefix host = { .len = 128 };
	size_t i;

	memcpy(host.a, addr, 16);
	for (i = 0; i < m->w.n[t]; i++) {
		r = &m->w.rules[t][i];
		if (lives(m, r) && prefix_is4(&r->x) == prefix_is4(&host) && prefix_covers(&r->x, &host) &&
		    (!best || r->x.len > best->x.len))
			best = r;
	}
	return best;
}

static const struct rule *edge(const struct model *m, enum kl_table t, const struct wire *w)
{
	const struct rule *r;
	size_t i;

	for (i = 0; i < m->w.n[t]; i++) {
		r = &m->w.rules[t][i];
		if (lives(m, r) && same(r->x.a, w->src) && r->proto == w->proto && r->port == w->dport)
			return r;
	}
	return NULL;
}

/* Does one more packet keep to the limit? ITU-T I.371: GCRA(1 / rate, (burst - 1) / rate) */
static bool within(const struct model *m, uint64_t *tat, uint64_t rate, uint64_t burst)
{
	uint64_t due = *tat > m->now ? *tat : m->now, ahead = (burst - 1) * (SEC / rate);

	if (due - m->now > (ahead > m->w.jiffy ? ahead : m->w.jiffy))
		return false;
	*tat = due + SEC / rate;
	return true;
}

/* ---- conversations ---- */

static struct model_talk *find(struct model *m, const struct model_talk *k)
{
	struct model_talk *t;

	for (t = m->talk; t < m->talk + m->talks; t++)
		if (same(t->here, k->here) && same(t->there, k->there) && t->frags == k->frags &&
		    t->proto == k->proto && t->lport == k->lport && t->rport == k->rport && t->id == k->id)
			return t;
	return NULL;
}

static bool known(struct model *m, const struct model_talk *k)
{
	const struct model_talk *t = find(m, k);

	return t && t->until > m->now;
}

/* Remembers, for `brief` seconds once it is closing, else for `life`. */
static void remember(struct model *m, struct model_talk *k, bool begins, bool reopens, unsigned life,
		     unsigned brief)
{
	struct model_talk *t = find(m, k);
	bool closing = k->closing;

	if (t && t->until > m->now) {
		closing = k->closing || (t->closing && !reopens);
	} else {
		if (!begins)
			return;
		if (!t)
			t = &m->talk[m->talks++];
		m->t.conns++;
	}
	*t = *k;
	t->closing = closing;
	t->until = m->now + (closing ? brief : life) * SEC;
}

/* Fragments of one packet: IPv4 tells them by addresses, protocol and identification (RFC 791), IPv6 by
 * addresses and identification (RFC 8200). */
static struct model_talk fragments(const struct wire *w)
{
	struct model_talk k = { .frags = true, .proto = w->family == 4 ? w->proto : 0, .id = w->id };

	memcpy(k.there, w->src, 16);
	memcpy(k.here, w->dst, 16);
	return k;
}

static uint8_t icmp_of(const struct wire *w)
{
	return w->family == 4 ? 1 : 58;
}

/* The conversation that the packet an ICMP error quotes belongs to: one that this host, to which the
 * error came, sent. RFC 792, RFC 4443: the IP header and at least 8 bytes behind it. */
static bool quoted(struct model_talk *k, const struct wire *w)
{
	const uint8_t *q = w->body.p + 8, *l4;
	size_t n = w->body.n - 8, head;

	memset(k, 0, sizeof(*k));
	memcpy(k->here, w->dst, 16);
	if (w->family == 4) {
		if (n < 20 || q[0] / 16 != 4 || q[0] % 16 < 5 || wire_be16(q + 6) % 8192)
			return false;
		head = q[0] % 16 * 4u;
		k->proto = q[9];
		k->there[10] = k->there[11] = 0xff;
		memcpy(k->there + 12, q + 16, 4);
		if (memcmp(q + 12, w->dst + 12, 4))
			return false;
	} else {
		if (n < 40 || q[0] / 16 != 6)
			return false;
		head = 40;
		k->proto = q[6];
		memcpy(k->there, q + 24, 16);
		if (!same(q + 8, w->dst))
			return false;
	}
	if (n < head + 8)
		return false;
	l4 = q + head;
	if (wire_ported(k->proto)) {
		k->lport = (uint16_t)wire_be16(l4);
		k->rport = (uint16_t)wire_be16(l4 + 2);
	} else if (k->proto == icmp_of(w)) {
		if (l4[0] != (w->family == 4 ? 8 : 128))
			return false;
		k->lport = (uint16_t)wire_be16(l4 + 4);
	}
	return true;
}

static bool is_error(const struct wire *w)
{
	return w->family == 4 ? w->icmp == 3 || w->icmp == 11 || w->icmp == 12 : w->icmp >= 1 && w->icmp <= 4;
}

static bool is_reply(struct model *m, const struct wire *w)
{
	struct model_talk k = { .proto = w->proto };

	memcpy(k.there, w->src, 16);
	memcpy(k.here, w->dst, 16);
	if (w->frag == WIRE_LATER) {
		k = fragments(w);
	} else if (wire_ported(w->proto)) {
		if (!w->has_ports || (w->proto == 6 && (!w->has_flags || (w->flags & (SYN | ACK)) == SYN)))
			return false;
		k.rport = w->sport;
		k.lport = w->dport;
	} else if (w->proto == icmp_of(w)) {
		if (!w->has_type || w->body.n < 8)
			return false;
		if (is_error(w)) {
			if (!quoted(&k, w))
				return false;
		} else if (w->icmp == (w->family == 4 ? 0 : 129)) {
			k.lport = (uint16_t)wire_be16(w->body.p + 4);
		} else {
			return false;
		}
	}
	return known(m, &k);
}

/* ---- handshakes: RFC 9293, 3.5 ---- */

static struct model_shake *shake(struct model *m, const struct model_shake *k)
{
	struct model_shake *s;

	for (s = m->shake; s < m->shake + m->shakes; s++)
		if (same(s->there, k->there) && s->lport == k->lport && s->rport == k->rport &&
		    s->seq == k->seq)
			return s;
	return NULL;
}

static void answered(struct model *m, const struct wire *w)
{
	struct model_shake k = { .lport = w->sport, .rport = w->dport, .seq = w->seq };

	memcpy(k.there, w->dst, 16);
	if (!shake(m, &k))
		m->shake[m->shakes++] = k;
}

/* The first acknowledgement of such an answer. */
static bool completes(struct model *m, const struct wire *w)
{
	struct model_shake k = { .lport = w->dport, .rport = w->sport, .seq = w->ack - 1 }, *s;

	if (w->proto != 6 || !w->has_flags || (w->flags & (SYN | RST | ACK)) != ACK)
		return false;
	memcpy(k.there, w->src, 16);
	s = shake(m, &k);
	if (!s)
		return false;
	*s = m->shake[--m->shakes];
	return true;
}

/* ---- the verdict ---- */

/* RFC 4861: neighbour discovery comes with hop limit 255; RFC 3810: queries with 1, from fe80::/10; RFC 2131,
 * RFC 8415: replies of DHCP. */
static bool is_essential(const struct model *m, const struct wire *w)
{
	if (m->w.spent || w->frag != WIRE_WHOLE)
		return false;
	if (w->family == 6 && w->proto == 58 && w->has_type && w->icmp == 130)
		return w->hops == 1 && w->src[0] == 0xfe && w->src[1] >= 0x80 && w->src[1] < 0xc0;
	if (w->family == 6 && w->proto == 58)
		return w->has_type && w->icmp >= 133 && w->icmp <= 137 && w->hops == 255;
	if (w->proto != 17 || !w->has_ports)
		return false;
	return w->family == 4 ? w->sport == 67 && w->dport == 68 : w->sport == 547 && w->dport == 546;
}

/* By source. *tat: its bucket. final: whatever the edge. */
static enum model_why by_source(struct model *m, const struct force *f, const struct wire *w, uint64_t *tat,
				bool *final)
{
	const struct rule *l = NULL;

	if (f->judge) {
		if (covering(m, KL_ALLOW, w->src)) {
			m->t.allow_hits++;
			*final = true;
			return WHY_PASS;
		}
		if (f->s.enforce_allow)
			return WHY_ALLOW;
		if (f->deny && covering(m, KL_DENY, w->src))
			return WHY_DENY;
		l = covering(m, KL_LIMIT, w->src);
	}
	if (!l && !f->s.rate)
		return WHY_PASS;
	m->t.rl_hits++;
	return within(m, tat, l ? l->rate : f->s.rate, l ? l->burst : f->s.burst) ? WHY_PASS : WHY_LIMIT;
}

/* The ports lie where nobody may look, or behind more headers than are looked at (RFC 7112). */
static bool is_hidden(const struct wire *w)
{
	if (w->frag == WIRE_LATER)
		return false;
	if (wire_ported(w->proto))
		return !w->has_ports;
	return w->family == 6 && wire_extension(w->proto);
}

static enum model_why by_edge(struct model *m, const struct force *f, const struct wire *w, uint64_t *tat)
{
	const struct rule *l;
	struct model_talk k;

	if (edge(m, KL_EDGE_DENY, w) || is_hidden(w))
		return WHY_EDGE;
	/* Of a later fragment the port is not known: its first one decides. */
	if (f->s.edge == EDGE_ALLOW &&
	    (!edge(m, KL_EDGE_ALLOW, w) || (w->frag == WIRE_LATER && wire_ported(w->proto)))) {
		if (!is_reply(m, w)) {
			m->t.drop_frag += w->frag == WIRE_LATER;
			return WHY_EDGE;
		}
		m->t.replies++;
	}
	l = edge(m, KL_EDGE_LIMIT, w);
	if (l) {
		m->t.rl_hits++;
		if (!within(m, tat, l->rate, l->burst))
			return WHY_LIMIT;
	}
	if (f->s.edge == EDGE_ALLOW && w->frag == WIRE_FIRST) {
		k = fragments(w);
		remember(m, &k, true, false, 30, 30);
	}
	return WHY_PASS;
}

/* ---- counting ---- */

static bool opens(const struct wire *w)
{
	return w->proto == 6 && w->has_flags && (w->flags & (SYN | ACK)) == SYN;
}

static struct model_src *src_of(struct model *m, const struct wire *w, bool half, bool make)
{
	struct model_src *s;
	uint8_t a[16];

	memcpy(a, w->src, 16);
	if (half && w->family == 6)
		memset(a + 8, 0, 8);
	for (s = m->src; s < m->src + m->srcs; s++)
		if (same(s->a, a))
			return s;
	if (!make)
		return NULL;
	s = &m->src[m->srcs++];
	memset(s, 0, sizeof(*s));
	memcpy(s->a, a, 16);
	s->seen = m->now;
	m->t.new_sources += !m->w.full;
	return s;
}

static struct model_flow *flow_of(struct model *m, const uint8_t *a, const struct wire *w, bool out,
				  bool make)
{
	struct model_flow *f;

	for (f = m->flow; f < m->flow + m->flows; f++)
		if (same(f->a, a) && f->out == out && f->proto == w->proto && f->port == w->dport)
			break;
	if (make)
		m->t.flows_lost += m->w.full;
	if (f < m->flow + m->flows)
		return f;
	if (!make)
		return NULL;
	m->flows++;
	memset(f, 0, sizeof(*f));
	memcpy(f->a, a, 16);
	f->out = out;
	f->proto = w->proto;
	f->port = w->dport;
	m->t.flows += !m->w.full;
	return f;
}

static void count_flow(struct model_flow *f, const struct wire *w, unsigned pkts, bool dropped)
{
	if (!f)
		return;
	f->pkts += pkts;
	f->bytes += w->len;
	f->syn += opens(w) ? pkts : 0;
	f->drops += dropped;
}

static void count_hist(struct model *m, const struct wire *w, bool dropped)
{
	unsigned bin = 0;

	if (!m->w.hist)
		return;
	while (bin < KL_HIST_LENS - 1 && w->len >= 64u << bin)
		bin++;
	m->h.len[bin].pkts++;
	m->h.len[bin].bytes += w->len;
	if (w->dport && w->dport < KL_HIST_PORTS) {
		m->h.port[w->dport].pkts++;
		m->h.port[w->dport].bytes += w->len;
		m->h.port[w->dport].drops += dropped;
	}
}

static void count_all(struct kl_count *n, const struct wire *w, enum kl_verdict v)
{
	unsigned class = w->family == 6 ? 32 : 0;

	if (w->proto == 6)
		class += KL_L4_TCP * 8 + (w->flags & SYN ? 4 : 0) + (w->flags & RST ? 2 : 0) +
			 (w->flags & ACK ? 1 : 0);
	else if (w->proto == 17)
		class += KL_L4_UDP * 8;
	else if (w->proto == 1 || w->proto == 58)
		class += KL_L4_ICMP * 8;
	n->bytes += w->len;
	n->verdict[v]++;
	n->class[class]++;
}

static void count_port(struct model *m, const struct model_src *s, uint16_t port)
{
	bool first = true;
	size_t i;

	for (i = 0; i < m->ports; i++) {
		if (m->port[i].src != s)
			continue;
		if (m->port[i].port == port)
			return;
		first = false;
	}
	m->port[m->ports].src = s;
	m->port[m->ports++].port = port;
	m->t.port_changes += !first;
}

static void count_src(struct model *m, struct model_src *s, const struct wire *w, enum kl_verdict v)
{
	if (v == KL_DROP_DENY) {
		s->denied++;
		s->denied_bytes += w->len;
	} else {
		s->pkts++;
		s->bytes += w->len;
	}
	s->drop_rl += v == KL_DROP_RL;
	s->drop_allow += v == KL_DROP_ALLOW;
	if (w->has_ports)
		count_port(m, s, w->dport);
	s->answers += w->proto == 17 && w->has_ports && w->sport < 1024 && w->dport >= 32768;
	if (w->proto == 17)
		s->udp++;
	else if (w->proto == 1 || w->proto == 58)
		s->icmp++;
	else if (w->proto != 6)
		s->other++;
	if (w->proto != 6)
		return;
	s->syn += opens(w);
	s->rst += !!(w->flags & RST);
	s->odd += !(w->flags & (SYN | ACK));
}

/* ---- frames ---- */

static enum model_why not_ip(struct model *m, const struct force *f, const struct wire *w)
{
	/* ARP, slow protocols, LLDP, 802.1X, PTP; below 0x600 it is a length: LLC */
	static const uint16_t link[] = { 0x0806, 0x8809, 0x88cc, 0x888e, 0x88f7 };
	size_t i;

	count_hist(m, w, false);
	m->t.other_bytes += w->len;
	if (w->kind == WIRE_BAD) {
		m->t.malformed++;
		if (!f->s.enforce_allow && f->s.edge != EDGE_ALLOW)
			return WHY_PASS;
		m->t.drop_malformed++;
		return WHY_MALFORMED;
	}
	m->t.other++;
	if (f->s.edge != EDGE_ALLOW || w->type < 0x600)
		return WHY_PASS;
	for (i = 0; i < sizeof(link) / sizeof(*link); i++)
		if (w->type == link[i])
			return WHY_PASS;
	m->t.drop_other++;
	return WHY_OTHER;
}

static const enum kl_verdict verdicts[] = {
	[WHY_PASS] = KL_PASS, [WHY_ALLOW] = KL_DROP_ALLOW, [WHY_DENY] = KL_DROP_DENY,
	[WHY_LIMIT] = KL_DROP_RL, [WHY_SURGE] = KL_DROP_RL, [WHY_EDGE] = KL_DROP_DENY,
};

/* A source without a history, in a surge; s: its record, if it has one. */
static enum model_why by_surge(struct model *m, const struct wire *w, struct model_src *s, bool half)
{
	bool marked = s && (s->suspect || s->came), syn = opens(w), told, twin = false;
	enum knock_is is = KNOCK_FIRST;
	struct knock k;

	if (s && s->known)
		return WHY_PASS;
	if (s && !marked && s->seen + 10 * SEC < m->w.surge_since && s->pkts >= s->syn + 2) {
		s->known = true;
		return WHY_PASS;
	}
	if (!syn && is_reply(m, w))
		return WHY_PASS;
	told = knock_of(&k, w);
	if (told)
		is = knock(m->knock, &m->knocks, &k, m->now, &twin);
	if (s && s->came && told && !syn && !twin) {
		s->known = true;
		return WHY_PASS;
	}
	if (is != KNOCK_AGAIN) {
		if (!m->w.surge_free) {
			if (s && !marked)
				s->suspect = true;
			m->t.drop_surge++;
			return WHY_SURGE;
		}
		if (!syn)
			return WHY_PASS;
	}
	m->t.surge_came++;
	if (!s && !m->w.full)
		s = src_of(m, w, half, true);
	if (s)
		s->came = true;
	return WHY_PASS;
}

enum model_why model_in(struct model *m, const uint8_t *frame, size_t n)
{
	struct force f = in_force(m);
	struct model_flow *flow = NULL;
	enum model_why why = WHY_PASS;
	uint64_t nobodys = 0;		/* worlds with a surge have no limits */
	struct model_src *s;
	bool final = false;
	struct wire w;

	wire_read(&w, frame, n);
	if (w.kind != WIRE_IP)
		return not_ip(m, &f, &w);
	s = src_of(m, &w, f.s.src6_64, !f.surge);
	if (is_essential(m, &w)) {
		m->t.essential++;
		final = true;
	} else {
		why = by_source(m, &f, &w, s ? &s->tat : &nobodys, &final);
		if (f.surge && why == WHY_PASS && !final)
			why = by_surge(m, &w, m->w.full ? NULL : s, f.s.src6_64);
	}
	if (m->w.flows || f.s.edge) {
		flow = flow_of(m, w.src, &w, false, why == WHY_PASS);
		if (why == WHY_PASS && !final && f.s.edge) {
			why = by_edge(m, &f, &w, &flow->tat);
			m->t.drop_edge += why == WHY_EDGE;
		}
		count_flow(flow, &w, 1, why != WHY_PASS);
		if (flow && why == WHY_PASS)
			flow->est += completes(m, &w);
	}
	count_all(&m->t.all, &w, verdicts[why]);
	if (m->w.full || !s)
		count_all(&m->t.un, &w, verdicts[why]);
	else
		count_src(m, s, &w, verdicts[why]);
	count_hist(m, &w, why != WHY_PASS);
	m->t.frags4 += w.family == 4 && w.frag != WIRE_WHOLE;
	m->t.frags6 += w.family == 6 && w.frag != WIRE_WHOLE;
	return why;
}

/* Idle times: RFC 5382 (TCP), RFC 4787 (UDP), RFC 5508 (echo). */
static void sent(struct model *m, const struct wire *w)
{
	struct model_talk k = { .proto = w->proto, .rport = w->dport, .lport = w->sport };

	memcpy(k.here, w->src, 16);
	memcpy(k.there, w->dst, 16);
	if (w->proto == 6) {
		if (!w->has_flags)
			return;
		if ((w->flags & (SYN | ACK)) == (SYN | ACK))
			answered(m, w);
		k.closing = w->flags & (FIN | RST);
		/* Neither the answer to a SYN nor a reset takes part in anything new. */
		remember(m, &k, !(w->flags & RST) && (w->flags & (SYN | ACK)) != (SYN | ACK), opens(w),
			 w->flags & SYN ? 240 : 7440, 240);
	} else if (w->proto == 17) {
		if (w->has_ports)
			remember(m, &k, true, false, 300, 300);
	} else if (w->proto == icmp_of(w)) {
		if (!w->has_type || w->body.n < 8 || w->icmp != (w->family == 4 ? 8 : 128))
			return;
		k.lport = (uint16_t)wire_be16(w->body.p + 4);
		remember(m, &k, true, false, 60, 60);
	} else {
		remember(m, &k, true, false, 600, 600);
	}
}

void model_out(struct model *m, const uint8_t *frame, size_t n, unsigned pkts)
{
	struct wire w;

	wire_read(&w, frame, n);
	if (w.kind != WIRE_IP)
		return;
	if (w.frag != WIRE_LATER)
		sent(m, &w);
	if (m->w.flows)
		count_flow(flow_of(m, w.dst, &w, true, true), &w, pkts > 1 ? pkts : 1, false);
}
